import { type Bytes, b64, concat, fromB64, sha256, utf8 } from './bytes';
import { canonicalJson, type JsonObject, type Reader } from './json';

// Public keys and the signatures made with them, over WebCrypto.

export interface P256Jwk {
  kty: 'EC';
  crv: 'P-256';
  x: string;
  y: string;
}

// Exactly {"crv":"P-256","kty":"EC","x","y"} (orders, device keys). Whether the point is on the curve is found at use.
export function readP256Jwk(in_: Reader): P256Jwk {
  const jwk: P256Jwk = { kty: in_.oneOf('kty', ['EC']), crv: in_.oneOf('crv', ['P-256']), x: '', y: '' };
  jwk.x = b64(in_.bytes('x', 32));
  jwk.y = b64(in_.bytes('y', 32));
  return jwk;
}

// RFC 7638. For P-256 and RSA keys.
export async function thumbprint(jwk: JsonObject | P256Jwk): Promise<Bytes> {
  const all = jwk as JsonObject;
  const names = all.kty === 'RSA' ? ['e', 'kty', 'n'] : ['crv', 'kty', 'x', 'y'];
  return sha256(utf8(canonicalJson(Object.fromEntries(names.map((name) => [name, all[name]!])))));
}

// The 65-byte uncompressed point.
export const pointOf = (jwk: P256Jwk): Bytes => concat(Uint8Array.of(4), fromB64(jwk.x, 32), fromB64(jwk.y, 32));

const kEcdsa = { name: 'ECDSA', namedCurve: 'P-256' } as const;

// ES256 (P1363) over `message`. False too for a key that is no point of the curve.
export async function verifyP256(jwk: P256Jwk, message: Bytes, signature: Bytes): Promise<boolean> {
  if (signature.length !== 64) return false;
  try {
    const key = await crypto.subtle.importKey('raw', pointOf(jwk), kEcdsa, false, ['verify']);
    return await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, message);
  } catch {
    return false;
  }
}

export async function verifyEd25519(publicKey: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, signature, message);
  } catch {
    return false;
  }
}

export async function signP256(key: CryptoKey, message: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, message));
}

// What binds a staff key to an ID token (PROTOCOL.md, "Order").
export async function nonceOf(key: P256Jwk, salt: Bytes): Promise<string> {
  return b64(await sha256(utf8('tillsyn staff key v1'), Uint8Array.of(0), await thumbprint(key), salt));
}
