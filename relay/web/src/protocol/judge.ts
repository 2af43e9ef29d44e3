import { b64, signedBytes, utf8 } from './bytes';
import { nonceOf, thumbprint, verifyP256 } from './keys';
import type { Order, StaffSignature } from './order';
import { type Body, groupOf, hubOf, isAct, isClosing, isLongPause, type OrderType, type Payload, type Signer } from './payloads';
import { Problem, refused, waiting } from './problem';
import { checkFresh, checkIdToken, checkInTime, checkSignedAt } from './proof';
import { checkRight, type RightsContext } from './rights';
import type { Instant } from './time';
import { isNewer, type Role } from './trust';

// Whether an order is what it says it is: signed by the right people, in the right roles, at the right time. The same
// verdicts, in the same order, as common/orders/judge.h.

export interface Verdict {
  kind: 'accepted' | 'refused' | 'waiting';
  reason: string; // a word of PROTOCOL.md, empty when accepted
}

export const kAccepted: Verdict = { kind: 'accepted', reason: '' };

export function verdictOf(error: unknown): Verdict {
  if (!(error instanceof Problem)) throw error;
  return { kind: error.code === 'waiting' ? 'waiting' : 'refused', reason: error.code === 'malformed' ? 'malformed' : error.reason };
}

export interface JudgeContext extends RightsContext {
  now: Instant;
}

type Roles = readonly (readonly Role[])[];
const kPlanning: readonly Role[] = ['planner', 'care_manager'];
const kOutcome: Roles = [['operator']];

// Which roles sign a type: signature i is made in one of the roles of place i.
const kSigners: Record<OrderType, Roles> = {
  grant: [['manager'], ['rights_admin']],
  revoke: [['rights_admin']],
  device: [['technician']],
  assignment: [['installer']],
  acceptance: [['installer']],
  release: [['installer'], ['care_manager']],
  consent: [['care_manager'], ['care_manager', 'planner']],
  schedule: [['planner'], kPlanning],
  pause: [kPlanning],
  resume: [kPlanning],
  view: kOutcome,
  'test-view': [['installer']],
  completed: kOutcome,
  'not-seen': kOutcome,
  unable: kOutcome,
  'visit-taken': kOutcome,
  'pause-known': kOutcome,
};

// What of a type has other signers than the rest of it.
export type Kind = '' | 'withdrawal' | 'long pause';

export function signersOf(type: OrderType, kind: Kind = ''): Roles {
  if (type === 'consent' && kind === 'withdrawal') return [['care_manager']];
  if (type === 'pause' && kind === 'long pause') return [kPlanning, kPlanning];
  return kSigners[type];
}

export function kindOf(payload: Pick<Payload, 'body' | 'signedAt'>): Kind {
  if (payload.body.type === 'consent' && payload.body.terms === null) return 'withdrawal';
  return isLongPause(payload) ? 'long pause' : '';
}

function checkPeople(signers: Signer[], roles: Roles): void {
  if (signers.length < roles.length) throw refused('not_two_people');
  const fit = signers.length === roles.length && signers.every((signer, i) => roles[i]!.includes(signer.role));
  if (!fit) throw refused('wrong_role');
  if (signers.length === 2 && signers[0]!.person === signers[1]!.person) throw refused('not_two_people');
}

async function checkSignature(order: Order, signature: StaffSignature, signer: Signer, context: JudgeContext): Promise<void> {
  const signed = signedBytes('order', utf8(order.payloadText));
  if (!(await verifyP256(signature.key, signed, signature.sig))) throw refused('bad_signature');
  const nonce = await nonceOf(signature.key, signature.salt);
  const identity = await checkIdToken(signature.idToken, nonce, context);
  if (identity.issuer !== signer.issuer || identity.person !== signer.person) throw refused('person_mismatch');
  const issuer = context.rootList.issuers.find((candidate) => candidate.issuer === identity.issuer)!;
  if (isAct(order.payload.body)) return checkFresh(identity, issuer, context.now);
  checkSignedAt(identity, issuer, order.payload.signedAt, context.now);
  // What closes acts however late it comes; versions keep an old one from coming back.
  if (!isClosing(order.payload.body)) checkInTime(order.payload.signedAt, context.now);
}

// The groups in which a signer needs the role: a grant's own scopes, else the order's group, else any.
function neededGroups(body: Body): (string | null)[] {
  if (body.type === 'grant') return [...new Set(body.rights.flatMap((right) => right.groups))];
  return [groupOf(body)];
}

async function checkAll(order: Order, context: JudgeContext): Promise<void> {
  const { body, provider, signers } = order.payload;
  const { bundle, rootList, now } = context;
  if (provider !== context.provider.id) throw refused('wrong_provider');
  if (now >= rootList.expiresAt) throw waiting('root_list_expired');
  if (now >= bundle.expiresAt) throw waiting('bundle_expired');
  const hub = hubOf(body);
  if (hub !== null && body.type !== 'release' && bundle.revokedHubs.includes(hub)) throw refused('hub_revoked');
  checkPeople(signers, signersOf(body.type, kindOf(order.payload)));
  if (body.type === 'device' && b64(await thumbprint(body.deviceKey)) !== body.hub) throw refused('wrong_device_key');
  for (const [i, signer] of signers.entries()) await checkSignature(order, order.signatures[i]!, signer, context);
  for (const signer of signers) {
    for (const group of neededGroups(body)) checkRight(signer, signer.role, group, context, now);
  }
  if (isAct(body) && isNewer(body.bundle, bundle.number)) throw waiting('bundle_older');
}

// The first reason that applies. Where the order stands among others is OrderBook's to say.
export async function judge(order: Order, context: JudgeContext): Promise<Verdict> {
  try {
    await checkAll(order, context);
    return kAccepted;
  } catch (error) {
    return verdictOf(error);
  }
}
