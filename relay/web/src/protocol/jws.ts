import { type Bytes, fromB64, textOf, utf8 } from './bytes';
import { isObject, type Json, type JsonObject, parseForeignJson, Reader } from './json';
import { type P256Jwk, verifyP256 } from './keys';
import { malformed, Problem, refused } from './problem';

// The tokens of identity providers: their keys (JWK) and compact signatures (JWS). A key decides which algorithms apply to
// it; the token's header can only agree.

export type JwsAlgorithm = 'ES256' | 'RS256' | 'PS256';
const kAlgorithms: readonly string[] = ['ES256', 'RS256', 'PS256'];
const kPrivateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

export interface IssuerKey {
  kid: string;
  algorithms: JwsAlgorithm[]; // what the key may be used with
  jwk: JsonObject;
}

function algorithmsOf(jwk: JsonObject): JwsAlgorithm[] {
  if (jwk.kty === 'EC' && jwk.crv === 'P-256') return ['ES256'];
  if (jwk.kty === 'RSA') return ['RS256', 'PS256'];
  throw malformed('jwk', 'unknown key type');
}

function checkRsa(jwk: JsonObject): void {
  const n = fromB64(String(jwk.n));
  const e = fromB64(String(jwk.e));
  const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24;
  const oddWithoutZeros = (b: Bytes): boolean => b[0] !== undefined && b[0] !== 0 && (b[b.length - 1]! & 1) === 1;
  if (bits < 2048 || bits > 4096 || !oddWithoutZeros(n)) throw malformed('jwk', 'modulus');
  if (e.length > 8 || !oddWithoutZeros(e) || (e.length === 1 && e[0]! < 3)) throw malformed('jwk', 'exponent');
}

// RFC 7517/7518: P-256, or RSA with 2048-4096 bits. Refused: private or symmetric members; `use` other than "sig";
// `key_ops` without "verify"; `alg` not of our list or not of the key's type. Throws malformed "jwk".
export function issuerKeyOf(value: Json): IssuerKey {
  const in_ = new Reader(value, 'jwk');
  const jwk = value as JsonObject;
  if (kPrivateMembers.some((name) => name in jwk)) throw malformed('jwk', 'private members');
  let algorithms = algorithmsOf(jwk);
  if (in_.has('use') && jwk.use !== 'sig') throw malformed('jwk', 'use');
  if (in_.has('key_ops') && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify'))) throw malformed('jwk', 'key_ops');
  if (in_.has('alg')) algorithms = algorithms.filter((algorithm) => algorithm === jwk.alg);
  if (algorithms.length === 0) throw malformed('jwk', 'alg');
  if (jwk.kty === 'RSA') checkRsa(jwk);
  else [in_.bytes('x', 32), in_.bytes('y', 32)];
  return { kid: in_.has('kid') ? in_.text('kid', 256) : '', algorithms, jwk };
}

async function verifyWith(key: IssuerKey, algorithm: JwsAlgorithm, message: Bytes, signature: Bytes): Promise<boolean> {
  if (algorithm === 'ES256') return verifyP256(key.jwk as unknown as P256Jwk, message, signature);
  if (signature.length !== fromB64(String(key.jwk.n)).length) return false;
  const name = algorithm === 'RS256' ? 'RSASSA-PKCS1-v1_5' : 'RSA-PSS';
  const publicJwk: JsonWebKey = { kty: 'RSA', n: String(key.jwk.n), e: String(key.jwk.e) };
  try {
    const imported = await crypto.subtle.importKey('jwk', publicJwk, { name, hash: 'SHA-256' }, false, ['verify']);
    return await crypto.subtle.verify({ name, saltLength: 32 } as RsaPssParams, imported, signature, message);
  } catch {
    return false;
  }
}

const kMaxJwsBytes = 16 * 1024;

// A compact JWS (RFC 7515 §7.1) whose form is sound and whose signature nobody has checked yet. Two steps, because which
// issuer's keys apply is written in the claims.
export interface CompactJws {
  kid: string;
  algorithm: JwsAlgorithm;
  unverifiedPayload: string;
  signingInput: Bytes;
  signature: Bytes;
}

function readHeader(text: string): { alg: string; kid: string } {
  const header = parseForeignJson(text);
  if (!isObject(header) || typeof header.alg !== 'string') throw malformed('jws', 'header');
  if ('crit' in header || 'b64' in header) throw refused('jws_crit');
  if (!kAlgorithms.includes(header.alg)) throw refused('jws_algorithm');
  if (typeof header.kid !== 'string' || utf8(header.kid).length > 256) throw malformed('jws', 'kid');
  return { alg: header.alg, kid: header.kid };
}

// Demands three parts in canonical base64url, a header without duplicate members, `alg` of our list (never "none", never
// HMAC), `kid`, no `crit`, no `b64`; ignores all else. Throws malformed "jws", refused "jws_algorithm" or "jws_crit".
export function parseJws(compact: string): CompactJws {
  const parts = compact.split('.');
  if (compact.length > kMaxJwsBytes || parts.length !== 3) throw malformed('jws', 'form');
  const [header, payload, signature] = parts as [string, string, string];
  try {
    const { alg, kid } = readHeader(textOf(fromB64(header)));
    return {
      kid,
      algorithm: alg as JwsAlgorithm,
      unverifiedPayload: textOf(fromB64(payload)),
      signingInput: utf8(`${header}.${payload}`),
      signature: fromB64(signature),
    };
  } catch (error) {
    if (error instanceof Problem && error.code === 'refused') throw error;
    throw malformed('jws', String(error));
  }
}

// The payload, now known to be signed by `key`. Throws refused "jws_algorithm" or "jws_signature".
export async function openJws(jws: CompactJws, key: IssuerKey): Promise<string> {
  if (!key.algorithms.includes(jws.algorithm)) throw refused('jws_algorithm');
  if (!(await verifyWith(key, jws.algorithm, jws.signingInput, jws.signature))) throw refused('jws_signature');
  return jws.unverifiedPayload;
}
