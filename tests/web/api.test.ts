import { Api, RelayProblem } from '@web/session/api';

// A relay that answers from a table of paths, and what it was asked.
function relay(answers: Record<string, unknown>): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    return Promise.resolve(new Response(JSON.stringify(answers[url] ?? answers.any), { status: 200 }));
  });
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

describe('lists', () => {
  it('are read to their end, page by page [INT-1]', async () => {
    const asked = relay({
      '/v1/orders': { items: [{ n: 1 }, { n: 2 }], next: 'YQ' },
      '/v1/orders?cursor=YQ': { items: [], next: 'a&b' },
      '/v1/orders?cursor=a%26b': { items: [{ n: 3 }], next: null },
    });
    expect(await new Api('').items('/v1/orders')).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(asked).toHaveLength(3);
  });

  it('are no lists when a page lacks its items or the word that follows, and none is endless [INT-1]', async () => {
    for (const any of [{ items: [] }, { next: null }, { items: [1], next: null }, { items: [], next: 7 }, []]) {
      relay({ any });
      await expect(new Api('').items('/v1/orders')).rejects.toThrow(RelayProblem);
    }
    const asked = relay({ any: { items: [{}], next: 'YQ' } });
    await expect(new Api('').items('/v1/orders')).rejects.toThrow(RelayProblem);
    expect(asked).toHaveLength(1000);
  });
});
