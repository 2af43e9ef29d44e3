import { b64, concat, fromB64, signedBytes, utf8 } from '@web/protocol/bytes';
import { openAnswer, openCountersign, openReceipt } from '@web/protocol/device';
import { type Json, type JsonObject, parseJson } from '@web/protocol/json';
import { verdictOf } from '@web/protocol/judge';
import { nonceOf, type P256Jwk, thumbprint } from '@web/protocol/keys';
import { nameHash, noteHash, parseOrder } from '@web/protocol/order';
import { headOf, OrderBook, slotName } from '@web/protocol/order_book';
import type { Body } from '@web/protocol/payloads';
import { parseInstant } from '@web/protocol/time';
import { openBundle, openRootList, readFleetRoot } from '@web/protocol/trust';
import { vectors } from './vectors';

// The vectors that hub, relay and this app share.
interface Shared {
  provider: string;
  now: string;
  fleet_root: string;
  root_list: string;
  bundles: Record<string, string>;
  held: string[];
  cases: { name: string; order: string; verdict: string; reason: string | null; now?: string; bundle?: string; held?: number; put?: string[] }[];
  trust: { name: string; kind: string; envelope: string; reason: string | null }[];
  heads: { hub: string; resident: string; held: number; head: string; slots: { slot: string; version: number; order: string }[] }[];
  documents: { name: string; kind: string; envelope: string; hash: string; reason: string | null }[];
  device_key: P256Jwk;
  bindings: {
    key: P256Jwk; salt: string; nonce: string; name: { name: string; address: string; hash: string }; note: { text: string; hash: string };
    person: { issuer: string; person: string; slot: string }; session: { host: string; challenge: string; bytes: string };
  };
}

const shared = vectors<Shared>('orders.json');
const root = readFleetRoot(parseJson(shared.fleet_root));
const rootList = await openRootList(shared.root_list, root);
const provider = rootList.providers.find(({ id }) => id === shared.provider)!;

async function bookOf(texts: string[]): Promise<OrderBook> {
  const book = new OrderBook();
  for (const text of texts) {
    const order = await parseOrder(text);
    book.put(order);
    if (order.payload.body.type === 'assignment') book.countersigned(order.hash);
  }
  return book;
}

describe('shared vectors', () => {
  it.each(shared.cases.map((item) => [item.name, item] as const))('%s', async (_, item) => {
    const book = await bookOf([...shared.held.slice(0, item.held ?? shared.held.length), ...(item.put ?? [])]);
    const bundle = await openBundle(shared.bundles[item.bundle ?? 'usual']!, rootList);
    let verdict;
    try {
      verdict = await book.judgeAndCheck(await parseOrder(item.order), { provider, rootList, bundle, now: parseInstant(item.now ?? shared.now) });
    } catch (error) {
      verdict = verdictOf(error);
    }
    expect([verdict.kind, verdict.reason || null]).toEqual([item.verdict, item.reason]);
  });

  it.each(shared.trust.map((item) => [item.name, item] as const))('trust: %s', async (_, item) => {
    const open = item.kind === 'root-list' ? openRootList(item.envelope, root) : openBundle(item.envelope, rootList);
    const opened = await open.then(() => true, () => false);
    expect(opened).toBe(item.reason === null);
  });

  it('heads', async () => {
    for (const { hub, resident, held, head, slots } of shared.heads) {
      const found = (await bookOf(shared.held.slice(0, held))).homeSlots(hub, resident);
      expect(found).toEqual(slots);
      expect(await headOf(found)).toBe(head);
    }
  });

  it.each(shared.documents.map((item) => [item.name, item] as const))('device documents: %s', async (_, item) => {
    const openers: Record<string, typeof openAnswer | typeof openReceipt | typeof openCountersign> = {
      answer: openAnswer, receipt: openReceipt, countersign: openCountersign,
    };
    const open = openers[item.kind];
    if (!open) return; // events and link keys are not the app's to read
    const hub = b64(await thumbprint(shared.device_key));
    const result: Promise<{ hash: string }> = open(parseJson(item.envelope) as JsonObject as Json, hub, shared.device_key);
    if (item.reason === null) expect((await result).hash).toBe(item.hash);
    else await expect(result).rejects.toThrow();
  });

  it('bindings', async () => {
    const { key, salt, nonce, name, note, person, session } = shared.bindings;
    expect(await nonceOf(key, fromB64(salt, 32))).toBe(nonce);
    expect(await nameHash(fromB64(salt, 32), name.name, name.address)).toBe(name.hash);
    expect(await noteHash(fromB64(salt, 32), note.text)).toBe(note.hash);
    expect(await slotName({ type: 'grant', ...person } as unknown as Body)).toBe(person.slot);
    const bytes = signedBytes('session', concat(utf8(session.host), Uint8Array.of(0), fromB64(session.challenge, 32)));
    expect(b64(bytes)).toBe(session.bytes);
  });
});
