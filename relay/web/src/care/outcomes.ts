import { b64, randomBytes } from '../protocol/bytes';
import type { JsonObject } from '../protocol/json';
import { noteHash, orderHash } from '../protocol/order';
import type { OrderBook } from '../protocol/order_book';
import type { Outcome } from '../protocol/payloads';
import { formatDate } from '../protocol/time';
import type { Occurrence } from '../protocol/windows';
import type { Api } from '../session/api';
import type { Session } from '../session/session';
import { propose, signAndHand } from './drafting';
import type { LedgerWatch } from './ledger_watch';

// How a supervision ended: signed by the one who looked, and shown as done only once it has been found in the log.
export interface Mark {
  type: Outcome['type'];
  resident: string;
  group: string;
  window: Occurrence;
  answer: string | null; // hash of the view's answer, for completed and not-seen
  text: string; // the note, or the reason
}

export interface MarkTools {
  api: Api;
  session: Session;
  ledger: LedgerWatch;
  book: OrderBook;
  provider: string;
}

async function bodyOf(mark: Mark): Promise<{ body: JsonObject; note: JsonObject | null }> {
  const { type, resident, group, window, answer, text } = mark;
  const shared = { type, resident, group, window: { id: window.window, date: formatDate(window.date) } };
  if (type !== 'completed' && type !== 'not-seen') return { body: { ...shared, reason: text }, note: null };
  if (text === '') return { body: { ...shared, answer, note: null }, note: null };
  const salt = randomBytes(32);
  return { body: { ...shared, answer, note: await noteHash(salt, text) }, note: { salt: b64(salt), text } };
}

// Signs, hands in and finds it in the log. `onSigned` is called in between. Returns the order's hash; throws Problem.
export async function signMark(mark: Mark, tools: MarkTools, onSigned: () => void): Promise<string> {
  const { api, session, ledger, book, provider } = tools;
  const { body, note } = await bodyOf(mark);
  const signers = [{ ...session.me, role: 'operator' as const }];
  const proposal = propose(body, { provider, book, signers, now: session.now() });
  const handed = await signAndHand(api, proposal, session.me, session.key, session.idToken, note);
  if (handed.kind !== 'accepted') throw new Error('an outcome has one signer');
  onSigned();
  // By our own reckoning of the hash: what the relay says it took is not asked.
  const hash = await orderHash(proposal.text);
  await ledger.prove({ hash, payload: proposal.payload }, handed.place);
  return hash;
}

// Whether a text seems to hold a Swedish personal number.
export const hasPersonalNumber = (text: string): boolean => /(^|\D)(\d{2})?\d{6}[-+ ]?\d{4}(\D|$)/.test(text);
