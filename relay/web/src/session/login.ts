import { b64, type Bytes, randomBytes, sha256, utf8 } from '../protocol/bytes';
import { nonceOf } from '../protocol/keys';
import type { StaffKey } from '../protocol/order';
import { refused } from '../protocol/problem';
import type { Issuer } from '../protocol/trust';
import { type Api, textOf } from './api';
import { appBase } from './config';
import { keep, takeOnce } from './database';
import { findStaffKey, makeStaffKey } from './staff_key';

// OpenID Connect, authorization code with PKCE. The redirect lies on the app's own origin; no code leaves it unless state and
// issuer match a login that this browser began, and each login ends once.

interface Pending {
  state: string;
  issuer: string;
  // The PKCE verifier is derived from this, so that nothing in storage can redeem a code elsewhere.
  verifierKey: CryptoKey;
}

const kPending = 'login';
const redirectUri = (): string => new URL('callback.html', appBase()).href;

async function verifierOf({ verifierKey, state }: Pending): Promise<string> {
  return b64(new Uint8Array(await crypto.subtle.sign('HMAC', verifierKey, utf8(state))));
}

async function makePending(issuer: string): Promise<Pending> {
  const verifierKey = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return { state: b64(randomBytes(32)), issuer, verifierKey };
}

async function authorizationUrl(issuer: Issuer, pending: Pending, nonce: string, isRenewal: boolean): Promise<string> {
  const challenge: Bytes = await sha256(utf8(await verifierOf(pending)));
  const url = new URL(issuer.authorizationEndpoint);
  const ask: Record<string, string> = {
    response_type: 'code', client_id: issuer.clientId, redirect_uri: redirectUri(), scope: 'openid', state: pending.state, nonce,
    code_challenge: b64(challenge), code_challenge_method: 'S256', acr_values: issuer.acr.join(' '), ui_locales: 'sv',
    max_age: isRenewal ? String(issuer.maxAuthAge) : '0',
  };
  // A new login is always by hand: no silent single sign-on after logout or inactivity.
  if (!isRenewal) ask.prompt = 'login';
  for (const [name, value] of Object.entries(ask)) url.searchParams.set(name, value);
  return url.href;
}

async function leaveFor(issuer: Issuer, key: StaffKey, isRenewal: boolean): Promise<void> {
  const pending = await makePending(issuer.issuer);
  await keep(kPending, pending);
  location.assign(await authorizationUrl(issuer, pending, await nonceOf(key.jwk, key.salt), isRenewal));
}

// A new login with a new key. Leaves the page.
export const beginLogin = async (issuer: Issuer): Promise<void> => leaveFor(issuer, await makeStaffKey(issuer.issuer), false);

// After a reload: the same key, a new token. The identity provider asks only if it must. Leaves the page.
export const renewLogin = (issuer: Issuer, key: StaffKey): Promise<void> => leaveFor(issuer, key, true);

export interface Callback {
  code: string;
  issuer: string;
  verifier: string;
}

// What came back to the callback page, if it belongs to a login that this browser began. Throws refused "login_not_begun",
// "login_denied".
export async function takeCallback(url: URL): Promise<Callback> {
  const pending = await takeOnce<Pending>(kPending);
  const one = (name: string): string | null => (url.searchParams.getAll(name).length === 1 ? url.searchParams.get(name) : null);
  const matches = pending && one('state') === pending.state && one('iss') === pending.issuer;
  if (!matches) throw refused('login_not_begun');
  const code = one('code');
  if (code === null) throw refused('login_denied', String(one('error')));
  return { code, issuer: pending.issuer, verifier: await verifierOf(pending) };
}

export interface Login {
  idToken: string;
  key: StaffKey;
  issuer: string;
}

// Redeems a code through the relay, which is the confidential client. The token is the caller's to check.
export async function redeem(api: Api, callback: Callback, maxIdleMs: number): Promise<Login> {
  const key = await findStaffKey(maxIdleMs);
  if (!key || key.issuer !== callback.issuer) throw refused('login_not_begun');
  const answer = await api.object('POST', '/v1/oidc/token', {
    issuer: callback.issuer, code: callback.code, code_verifier: callback.verifier, redirect_uri: redirectUri(),
  });
  return { idToken: textOf(answer, 'id_token'), key, issuer: callback.issuer };
}

