import { b64, type Bytes, randomBytes } from '../protocol/bytes';
import type { P256Jwk } from '../protocol/keys';
import type { StaffKey } from '../protocol/order';
import { find, forget, keep, revise } from './database';

// The staff key of this browser: made for one login, kept without its private half ever being readable, deleted at logout,
// after inactivity and when the login is too old.

interface KeptKey {
  privateKey: CryptoKey;
  x: string;
  y: string;
  salt: Bytes;
  issuer: string;
  usedAt: number; // ms, browser's clock
}

const kName = 'staff';

const asStaffKey = ({ privateKey, x, y, salt }: KeptKey): StaffKey => {
  const jwk: P256Jwk = { kty: 'EC', crv: 'P-256', x, y };
  return { privateKey, jwk, salt };
};

export async function makeStaffKey(issuer: string): Promise<StaffKey> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const kept: KeptKey = {
    privateKey: pair.privateKey, x: b64(point.slice(1, 33)), y: b64(point.slice(33)), salt: randomBytes(32), issuer, usedAt: Date.now(),
  };
  await keep(kName, kept);
  return asStaffKey(kept);
}

// The key of a login that is still good: used within `maxIdleMs`. An older one is deleted.
export async function findStaffKey(maxIdleMs: number): Promise<(StaffKey & { issuer: string }) | null> {
  const kept = await find<KeptKey>(kName);
  if (!kept) return null;
  const idle = Date.now() - kept.usedAt;
  if (idle < 0 || idle > maxIdleMs) {
    await deleteStaffKey();
    return null;
  }
  return { ...asStaffKey(kept), issuer: kept.issuer };
}

export const touchStaffKey = (): Promise<unknown> => revise<KeptKey>(kName, (kept) => ({ ...kept, usedAt: Date.now() }));

export const deleteStaffKey = (): Promise<unknown> => forget(kName);
