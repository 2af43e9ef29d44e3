import type { HomeLeaf } from './homes';
import { parseForeignJson, type Json, type JsonObject, isObject } from './json';
import { type CompactJws, openJws, parseJws } from './jws';
import { refused, waiting } from './problem';
import type { Instant } from './time';
import type { Bundle, BundleKey, Issuer, Person, Provider, RootList } from './trust';

// What an identity provider says about the holder of a staff key (PROTOCOL.md, "ID token").

export interface TrustContext {
  provider: Provider;
  rootList: RootList;
  bundle: Bundle;
}

// The same with the homes that the bundle counts at the provider.
export interface TrustWithHomes extends TrustContext {
  homes: HomeLeaf[];
}

// Who an ID token says holds the key, every check but that of time done.
export interface Identity extends Person {
  authTime: Instant;
  issuedAt: Instant;
}

function readClaims(jws: CompactJws): JsonObject {
  try {
    const claims: Json = parseForeignJson(jws.unverifiedPayload);
    if (isObject(claims)) return claims;
  } catch {
    // falls through: every fault of form is one
  }
  throw refused('bad_id_token', 'claims');
}

function parseToken(token: string): CompactJws {
  try {
    return parseJws(token);
  } catch (error) {
    throw refused('bad_id_token', String(error));
  }
}

function issuerOf(claims: JsonObject, context: TrustContext): Issuer {
  const found = context.rootList.issuers.find((issuer) => issuer.issuer === claims.iss);
  if (!found || !context.provider.issuers.includes(found.issuer)) throw refused('unknown_issuer');
  return found;
}

function keyOf(jws: CompactJws, issuer: Issuer, bundle: Bundle): BundleKey {
  if (bundle.revokedKeys.some((key) => key.issuer === issuer.issuer && key.kid === jws.kid)) throw refused('revoked_key');
  const key = bundle.keys.get(issuer.issuer)?.find((candidate) => candidate.key.kid === jws.kid);
  if (!key) throw waiting('unknown_kid');
  return key;
}

function seconds(claims: JsonObject, name: string): Instant {
  const value = claims[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > 1e11) throw refused('bad_id_token', name);
  return value * 1000;
}

function checkAudience(claims: JsonObject, issuer: Issuer): void {
  const { aud, azp } = claims;
  const only = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud;
  if (only !== issuer.clientId || (azp !== undefined && azp !== issuer.clientId)) throw refused('wrong_audience');
}

// Checks a token for the key bound by `nonce`. The first that applies: refused "bad_id_token" (form, algorithm, kid),
// "unknown_issuer", "revoked_key", waiting "unknown_kid", refused "bad_id_token" (signature; iat, auth_time or person claim
// missing), "retired_key", "wrong_audience", "acr_too_low", "nonce_mismatch".
export async function checkIdToken(token: string, nonce: string, context: TrustContext): Promise<Identity> {
  const jws = parseToken(token);
  const claims = readClaims(jws);
  const issuer = issuerOf(claims, context);
  const key = keyOf(jws, issuer, context.bundle);
  await openJws(jws, key.key).catch((error: unknown) => {
    throw refused('bad_id_token', String(error));
  });
  const issuedAt = seconds(claims, 'iat');
  const authTime = seconds(claims, 'auth_time');
  const person = claims[issuer.personClaim];
  if (typeof person !== 'string' || person === '') throw refused('bad_id_token', 'person');
  if (issuedAt < key.notBefore || (key.notAfter !== null && issuedAt >= key.notAfter)) throw refused('retired_key');
  checkAudience(claims, issuer);
  if (typeof claims.acr !== 'string' || !issuer.acr.includes(claims.acr)) throw refused('acr_too_low');
  if (claims.nonce !== nonce) throw refused('nonce_mismatch');
  if (authTime > issuedAt + 60_000) throw refused('bad_id_token', 'auth_time after iat');
  return { issuer: issuer.issuer, person, authTime, issuedAt };
}

// What the claims of a token say that nobody has verified: for the page, when its key is not in the bundle yet.
export function unverifiedIdentity(token: string, context: TrustContext): Identity {
  const claims = readClaims(parseToken(token));
  const issuer = issuerOf(claims, context);
  const person = claims[issuer.personClaim];
  if (typeof person !== 'string') throw refused('bad_id_token', 'person');
  return { issuer: issuer.issuer, person, authTime: seconds(claims, 'auth_time'), issuedAt: seconds(claims, 'iat') };
}

function checkAge(from: Instant, to: Instant, maxAuthAge: number): void {
  if (to - from < -60_000) throw refused('auth_in_future');
  if (to - from > maxAuthAge * 1000) throw refused('auth_too_old');
}

// For acts and sessions. Refused "auth_in_future" or "auth_too_old".
export const checkFresh = (identity: Identity, issuer: Issuer, now: Instant): void =>
  checkAge(identity.authTime, now, issuer.maxAuthAge);

// For standing orders and outcomes: the same of signed_at.
export function checkSignedAt(identity: Identity, issuer: Issuer, signedAt: Instant, now: Instant): void {
  checkAge(identity.authTime, signedAt, issuer.maxAuthAge);
  if (signedAt > now + 300_000) throw refused('auth_in_future');
}

// Waiting "late" if it was signed more than 10 h ago.
export function checkInTime(signedAt: Instant, now: Instant): void {
  if (now - signedAt > 10 * 3_600_000) throw waiting('late');
}
