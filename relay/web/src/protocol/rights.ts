import type { Right } from './payloads';
import { refused, waiting } from './problem';
import type { TrustContext } from './proof';
import type { Instant } from './time';
import type { Person, Role } from './trust';

// Who may do what: the root list's granters, and grants by two people (PROTOCOL.md, "Rights").

// What a person's slot says.
export interface PersonRights {
  revoked: boolean; // it holds a revoke: the root list's granters lose their rights by it too
  rights: Right[]; // of the newest accepted grant
}

export interface RightsContext extends TrustContext {
  rightsOf(person: Person): PersonRights;
}

export const scopeHolds = (groups: string[], group: string): boolean => groups.includes('*') || groups.includes(group);

const isSame = (a: Person, b: Person): boolean => a.issuer === b.issuer && a.person === b.person;

function isRevoked(person: Person, context: RightsContext, now: Instant): boolean {
  const listed = context.bundle.revokedPersons.some((revoked) => isSame(revoked, person) && revoked.from <= now);
  return listed || context.rightsOf(person).revoked;
}

function issuerFor(person: Person, context: RightsContext) {
  const listed = context.provider.issuers.includes(person.issuer);
  return listed ? context.rootList.issuers.find((issuer) => issuer.issuer === person.issuer) : undefined;
}

function isGranter(person: Person, role: Role, context: RightsContext): boolean {
  return context.provider.granters.some((granter) => isSame(granter, person) && granter.role === role);
}

// Whether the person has `role` in `group` ("*": in every group; null: in any) at `now`. The first that applies: refused
// "person_revoked", "unknown_issuer", "issuer_not_for_role"; waiting "no_grant"; refused "grant_expired",
// "group_not_in_scope".
export function checkRight(person: Person, role: Role, group: string | null, context: RightsContext, now: Instant): void {
  if (isRevoked(person, context, now)) throw refused('person_revoked');
  const issuer = issuerFor(person, context);
  if (!issuer) throw refused('unknown_issuer');
  if (!issuer.roles.includes(role)) throw refused('issuer_not_for_role');
  if (isGranter(person, role, context)) return;
  const rights = context.rightsOf(person).rights.filter((right) => right.role === role);
  const current = rights.filter((right) => right.from <= now && now < right.to);
  if (current.some((right) => group === null || scopeHolds(right.groups, group))) return;
  if (current.length > 0) throw refused('group_not_in_scope');
  throw rights.some((right) => right.to <= now) ? refused('grant_expired') : waiting('no_grant');
}

// All rights of the person that count at `now`, whatever the role.
export function currentRights(person: Person, context: RightsContext, now: Instant): { role: Role; groups: string[] }[] {
  if (isRevoked(person, context, now)) return [];
  const issuer = issuerFor(person, context);
  const listed = context.provider.granters.filter((granter) => isSame(granter, person));
  const granted = context.rightsOf(person).rights.filter((right) => right.from <= now && now < right.to);
  const all = [...listed.map(({ role }) => ({ role, groups: ['*'] })), ...granted];
  return all.filter((right) => issuer?.roles.includes(right.role)).map(({ role, groups }) => ({ role, groups }));
}

// Whether somebody with `role` may act for `group`.
export const hasRole = (rights: { role: Role; groups: string[] }[], role: Role, group?: string): boolean =>
  rights.some((right) => right.role === role && (group === undefined || scopeHolds(right.groups, group)));
