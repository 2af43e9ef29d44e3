import { isObject, type Json, type JsonObject, parseJson } from '../protocol/json';
import { type Kind, signersOf } from '../protocol/judge';
import { newId, type Order, payloadText, readOrder, signOrder, type StaffKey } from '../protocol/order';
import { type OrderBook, slotKey } from '../protocol/order_book';
import { isStanding, kFormat, kLongestPauseByOneMs, type OrderType, parsePayload, type Payload } from '../protocol/payloads';
import { malformed } from '../protocol/problem';
import { formatInstant, type Instant } from '../protocol/time';
import type { Person, Role } from '../protocol/trust';
import { type Api, textOf } from '../session/api';
import type { EntryPlace } from '../protocol/entry';
import { placeOf } from './ledger_watch';

// Orders on their way: composed, signed by one, kept for the other.

// What the composer fills in by itself.
const kCommon = ['format', 'provider', 'id', 'signed_at', 'signers', 'version', 'replaces'];

export interface Proposal {
  text: string; // the payload as it will be signed
  payload: Payload;
  replaced: Order | undefined; // what stands in the slot now
}

export interface Composer {
  provider: string;
  book: OrderBook;
  signers: (Person & { role: Role })[];
  now: Instant;
}

// Completes a proposed body, {"type", and the type's own members}. Throws Problem if it is not one.
export function propose(body: Json, composer: Composer): Proposal {
  if (!isObject(body)) throw malformed('malformed', 'not an object');
  const own = Object.fromEntries(Object.entries(body).filter(([name]) => !kCommon.includes(name)));
  const signers = composer.signers.map(({ issuer, person, role }) => ({ issuer, person, role }));
  const common: JsonObject = {
    format: kFormat, provider: composer.provider, id: newId(), signed_at: formatInstant(composer.now), signers,
  };
  const first = parsePayload(payloadText({ ...own, ...common, ...(isActType(own.type) ? {} : { version: 1, replaces: null }) }));
  if (!isStanding(first.body)) return { text: payloadText({ ...own, ...common }), payload: first, replaced: undefined };
  const replaced = composer.book.at(slotKey(first.body)!);
  const standing = { version: (replaced?.payload.standing!.version ?? 0) + 1, replaces: replaced?.hash ?? null };
  const text = payloadText({ ...own, ...common, ...standing });
  return { text, payload: parsePayload(text), replaced };
}

const isActType = (type: Json | undefined): boolean =>
  ['view', 'test-view', 'completed', 'not-seen', 'unable', 'visit-taken', 'pause-known'].includes(String(type));

function kindOfBody(body: JsonObject, now: Instant): Kind {
  if (body.withdrawn === true) return 'withdrawal';
  const until = body.type === 'pause' && typeof body.until === 'string' ? Date.parse(body.until) : NaN;
  // signed_at is a whole second, as the order will have it; what is no time at all is refused as malformed.
  return until - Math.floor(now / 1000) * 1000 > kLongestPauseByOneMs ? 'long pause' : '';
}

// The places of an order with such a body, were it signed now, each with the roles that may sign in it.
export const placesOf = (body: JsonObject, now: Instant): readonly (readonly Role[])[] =>
  signersOf(body.type as OrderType, kindOfBody(body, now));

export interface Draft {
  id: string;
  order: Order; // its signatures may be fewer than its signers
  signed: boolean[]; // by place
}

export async function loadDrafts(api: Api): Promise<Draft[]> {
  const out: Draft[] = [];
  for (const value of await api.items('/v1/drafts')) {
    const signatures = Array.isArray(value.signatures) ? value.signatures : [];
    const given = signatures.filter((signature) => signature !== null);
    const order = await readOrder({ payload: value.payload ?? null, signatures: given }, true).catch(() => null);
    if (order) out.push({ id: textOf(value, 'id'), order, signed: signatures.map((signature) => signature !== null) });
  }
  return out;
}

export type Handed = { kind: 'accepted'; hash: string; place: EntryPlace } | { kind: 'draft'; id: string };

async function accepted(answer: JsonObject): Promise<Handed> {
  if (!isObject(answer.entry)) throw malformed('malformed', 'entry');
  return { kind: 'accepted', hash: textOf(answer, 'hash'), place: placeOf(answer.entry) };
}

// Signs a proposal in one's own place and hands it in: as an order, or as a draft if somebody else must sign too.
export async function signAndHand(
  api: Api, proposal: Proposal, me: Person, key: StaffKey, idToken: string, note: JsonObject | null = null,
): Promise<Handed> {
  const signature = await signOrder(proposal.text, key, idToken);
  const { signers } = proposal.payload;
  if (signers.length === 1) {
    return accepted(await api.object('POST', '/v1/orders', { order: { payload: proposal.text, signatures: [signature] }, note }));
  }
  const isMine = (signer: Person): boolean => signer.issuer === me.issuer && signer.person === me.person;
  const signatures = signers.map((signer) => (isMine(signer) ? signature : null));
  const answer = await api.object('POST', '/v1/drafts', { payload: proposal.text, signatures });
  return { kind: 'draft', id: textOf(answer, 'id') };
}

// Adds one's signature to somebody else's draft. The text that is signed is the text that was read and shown.
export async function signDraft(api: Api, draft: Draft, key: StaffKey, idToken: string): Promise<Handed> {
  const signature = await signOrder(draft.order.payloadText, key, idToken);
  const answer = await api.call('POST', `/v1/drafts/${draft.id}/signatures`, signature);
  return isObject(answer) ? accepted(answer) : { kind: 'draft', id: draft.id };
}

export const deleteDraft = (api: Api, draft: Draft): Promise<Json> => api.call('DELETE', `/v1/drafts/${draft.id}`);

// The body of an order as one would propose it again.
export function bodyOf(order: Order): JsonObject {
  const value = parseJson(order.payloadText) as JsonObject;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !kCommon.includes(name)));
}
