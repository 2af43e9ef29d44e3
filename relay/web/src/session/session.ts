import { b64, concat, fromB64, signedBytes, utf8 } from '../protocol/bytes';
import { nonceOf, signP256 } from '../protocol/keys';
import type { StaffKey } from '../protocol/order';
import { Problem, refused } from '../protocol/problem';
import { checkFresh, checkIdToken, type Identity, type TrustContext, unverifiedIdentity } from '../protocol/proof';
import type { Instant } from '../protocol/time';
import type { Person } from '../protocol/trust';
import { type Api, textOf } from './api';
import type { Config } from './config';
import type { Login } from './login';

// One person, logged in. Token and identity are in memory only.
export interface Session {
  me: Person;
  idToken: string;
  key: StaffKey;
  authTime: Instant;
  endsAt: Instant; // when the login is too old to act under
  // False while the identity provider's key is not in the bundle yet: can read, cannot sign.
  maySign: boolean;
  // The app's time: the browser's clock put right by the token's `iat`.
  now(): Instant;
}

interface Checked {
  identity: Identity;
  maySign: boolean;
}

async function checkToken(login: Login, context: TrustContext): Promise<Checked> {
  try {
    const nonce = await nonceOf(login.key.jwk, login.key.salt);
    return { identity: await checkIdToken(login.idToken, nonce, context), maySign: true };
  } catch (error) {
    if (!(error instanceof Problem) || error.reason !== 'unknown_kid') throw error;
    return { identity: unverifiedIdentity(login.idToken, context), maySign: false };
  }
}

// The session challenge is 32 bytes under a kind of its own, so nothing else can be had signed with it.
async function proveKey(api: Api, config: Config, login: Login): Promise<void> {
  const challenge = fromB64(textOf(await api.object('POST', '/v1/session/challenge', {}), 'challenge'), 32);
  const body = concat(utf8(config.relayHost), Uint8Array.of(0), challenge);
  const sig = await signP256(login.key.privateKey, signedBytes('session', body));
  const { x, y } = login.key.jwk;
  const answer = await api.object('POST', '/v1/session', {
    challenge: b64(challenge), provider: config.provider, key: { crv: 'P-256', kty: 'EC', x, y }, salt: b64(login.key.salt),
    id_token: login.idToken, sig: b64(sig),
  });
  api.token = textOf(answer, 'token');
}

// Checks the token itself, then opens a session at the relay with the staff key. Throws Problem.
export async function openSession(api: Api, config: Config, login: Login, context: TrustContext): Promise<Session> {
  const { identity, maySign } = await checkToken(login, context);
  if (identity.issuer !== login.issuer) throw refused('unknown_issuer');
  const offset = identity.issuedAt - Date.now();
  const now = (): Instant => Date.now() + offset;
  const issuer = context.rootList.issuers.find((candidate) => candidate.issuer === identity.issuer)!;
  checkFresh(identity, issuer, now());
  await proveKey(api, config, login);
  return {
    me: { issuer: identity.issuer, person: identity.person }, idToken: login.idToken, key: login.key, authTime: identity.authTime,
    endsAt: identity.authTime + issuer.maxAuthAge * 1000, maySign, now,
  };
}
