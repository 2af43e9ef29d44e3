import { LedgerWatch } from '@web/care/ledger_watch';
import { b64, type Bytes, sha256, utf8 } from '@web/protocol/bytes';
import { orderLeaf } from '@web/protocol/entry';
import type { Order } from '@web/protocol/order';
import { type Api, RelayProblem } from '@web/session/api';
import { at, checkpointNote, HomeMaker, makeRootKey, Town } from './town';

const town = await Town.found();
const olle = await town.person('olle');
const home = new HomeMaker(await town.hub());
const kOrigin = 'relay.example/nord';

// A log kept naively (RFC 6962 §2.1), by whoever holds the relay.
class Log {
  leaves: Bytes[] = [];

  private async root(d: Bytes[]): Promise<Bytes> {
    if (d.length === 0) return sha256();
    if (d.length === 1) return d[0]!;
    const k = 2 ** Math.floor(Math.log2(d.length - 1));
    return sha256(Uint8Array.of(1), await this.root(d.slice(0, k)), await this.root(d.slice(k)));
  }

  private async path(m: number, d: Bytes[]): Promise<Bytes[]> {
    if (d.length <= 1) return [];
    const k = 2 ** Math.floor(Math.log2(d.length - 1));
    if (m < k) return [...(await this.path(m, d.slice(0, k))), await this.root(d.slice(k))];
    return [...(await this.path(m - k, d.slice(k))), await this.root(d.slice(0, k))];
  }

  private async sub(m: number, d: Bytes[], isWhole: boolean): Promise<Bytes[]> {
    if (m === d.length) return isWhole ? [] : [await this.root(d)];
    const k = 2 ** Math.floor(Math.log2(d.length - 1));
    if (m <= k) return [...(await this.sub(m, d.slice(0, k), isWhole)), await this.root(d.slice(k))];
    return [...(await this.sub(m - k, d.slice(k), false)), await this.root(d.slice(0, k))];
  }

  async grow(count: number): Promise<this> {
    for (let i = 0; i < count; i++) this.leaves.push(await sha256(utf8(`leaf ${this.leaves.length} ${Math.random()}`)));
    return this;
  }

  checkpoint = async (key = town.ledgerKey, origin = kOrigin): Promise<string> => checkpointNote(key, origin, this.leaves.length, await this.root(this.leaves));

  inclusion = async (index: number, size: number) => (await this.path(index, this.leaves.slice(0, size))).map(b64);
  consistency = async (from: number, to: number) => (await this.sub(from, this.leaves.slice(0, to), true)).map(b64);
}

function relayWith(source: { log: Log; checkpoint?: () => Promise<string>; indexOf?: number }): Api {
  const object = async (_: string, path: string) => {
    const query = new URL(path, 'https://relay.example').searchParams;
    const number = (name: string) => Number(query.get(name));
    if (path.includes('/checkpoint')) return { checkpoint: await (source.checkpoint ?? (() => source.log.checkpoint()))() };
    if (path.includes('/consistency')) return { consistency: await source.log.consistency(number('from'), number('to')) };
    if (source.indexOf === undefined) throw new RelayProblem('no_ledger_entry', 404);
    return { entry: '', seq: source.indexOf, inclusion: await source.log.inclusion(source.indexOf, number('size')) };
  };
  return { object } as unknown as Api;
}

async function watch(source: Parameters<typeof relayWith>[0], bundleCheckpoint: string | null = null, epoch = 1) {
  const state = { id: 'nord', epoch, checkpoint: bundleCheckpoint, hubs: [], homes_root: b64(new Uint8Array(32)) };
  const trust = await town.trust({ providers: [state] });
  return new LedgerWatch(relayWith(source), () => trust);
}

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => kept.set(name, value) });
});

describe('the log that the app follows [AUD-1] [AUD-2]', () => {
  it('may grow, and nothing else', async () => {
    const source = { log: await new Log().grow(3) };
    const seen = await watch(source);
    await seen.refresh();
    await source.log.grow(6);
    await seen.refresh();
    expect([seen.problem, seen.checkpoint?.size]).toEqual(['', 9]);
    const longer = await new Log().grow(20);
    source.log = longer;
    await seen.refresh();
    expect([seen.problem, seen.checkpoint?.size]).toEqual(['ledger_forked', 9]);
    source.log = await new Log().grow(4);
    await seen.refresh();
    expect([seen.problem, seen.checkpoint?.size]).toEqual(['ledger_older', 9]);
  });
  it('is remembered beyond logout, until the bundle names a new epoch', async () => {
    const source = { log: await new Log().grow(5) };
    await (await watch(source)).refresh();
    source.log = await new Log().grow(8);
    const later = await watch(source);
    await later.refresh();
    expect(later.problem).toBe('ledger_forked');
    const anew = await watch(source, null, 2);
    await anew.refresh();
    expect([anew.problem, anew.checkpoint?.size]).toEqual(['', 8]);
  });
  it('begins with what the municipality\'s machine has replayed', async () => {
    const source = { log: await new Log().grow(7) };
    const covered = await source.log.checkpoint();
    await source.log.grow(4);
    const good = await watch(source, covered);
    await good.refresh();
    expect(good.problem).toBe('');
    const forked = await watch({ log: await new Log().grow(12) }, covered);
    forked.checkpoint = null;
    await forked.refresh();
    expect(forked.problem).toBe('ledger_forked');
  });
  it('is signed by the provider\'s ledger key under its own name', async () => {
    const log = await new Log().grow(2);
    const stranger = await makeRootKey();
    const wrong = await watch({ log, checkpoint: () => log.checkpoint(stranger) });
    await wrong.refresh();
    expect(wrong.problem).toBe('note_signature');
    const renamed = await watch({ log, checkpoint: () => log.checkpoint(town.ledgerKey, 'relay.example/syd') });
    await renamed.refresh();
    expect(renamed.problem).toBe('note_signature');
  });
  it('shows an outcome as done only when its entry stands in it [SES-2]', async () => {
    const order: Order = await town.order([[olle, 'operator']], home.completed());
    const log = await new Log().grow(3);
    const place = { seq: 3, time: at(2) };
    log.leaves.push(await orderLeaf(order, place));
    await log.grow(2);
    const seen = await watch({ log, indexOf: 3 });
    await seen.prove(order, place);
    expect(seen.isProven(order.hash)).toBe(true);
    const fails = async (source: Parameters<typeof relayWith>[0], at_ = place) => {
      const other = await watch(source);
      other.checkpoint = null;
      await expect(other.prove(order, at_)).rejects.toThrow(/no_ledger_entry/);
      expect(other.isProven(order.hash)).toBe(false);
    };
    await fails({ log });
    await fails({ log, indexOf: 2 });
    await fails({ log, indexOf: 3 }, { seq: 3, time: at(3) });
    await fails({ log, indexOf: 3 }, { seq: 4, time: at(2) });
    await fails({ log, indexOf: 3 }, { seq: 9, time: at(2) });
  });
  it('finds an entry that was made while an older checkpoint was on its way [SES-2]', async () => {
    const order: Order = await town.order([[olle, 'operator']], home.completed());
    const log = await new Log().grow(3);
    const old = await log.checkpoint();
    let arrive: (note: string) => void = () => undefined;
    const onItsWay = new Promise<string>((done) => (arrive = done));
    const checkpoints = [onItsWay];
    const seen = await watch({ log, indexOf: 3, checkpoint: () => checkpoints.shift() ?? log.checkpoint() });
    void seen.refresh();
    const place = { seq: 3, time: at(2) };
    log.leaves.push(await orderLeaf(order, place));
    const proof = seen.prove(order, place);
    arrive(old);
    await proof;
    expect(seen.isProven(order.hash)).toBe(true);
  });
});
