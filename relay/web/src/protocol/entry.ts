import { utf8 } from './bytes';
import { canonicalJson, type JsonObject } from './json';
import { leafHash } from './merkle';
import type { Order } from './order';
import { hubOf, residentOf } from './payloads';
import type { Bytes } from './bytes';

// What the relay says it wrote for an order; all else in the entry follows from the order.
export interface EntryPlace {
  seq: number;
  time: string;
}

// The leaf that the log must hold for an order (PROTOCOL.md, "Ledger entry"), so that a page can tell that it was entered
// unchanged.
export function orderLeaf(order: Pick<Order, 'hash' | 'payload'>, { seq, time }: EntryPlace): Promise<Bytes> {
  const { body, provider, signers } = order.payload;
  const entry: JsonObject = {
    details: null, format: 1, hash: order.hash, hub: hubOf(body), kind: 'order', provider, reason: null,
    resident: residentOf(body), seq, time, what: body.type,
    who: signers.map(({ issuer, person }) => ({ issuer, person })),
  };
  return leafHash(utf8(canonicalJson(entry)));
}
