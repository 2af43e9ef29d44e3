// The few formats of common/PROTOCOL.md that a script needs in order to act as a person, with Node's own cryptography: a
// third implementation beside the C++ and the staff app.
import {createHash, generateKeyPairSync, randomBytes, sign} from 'node:crypto';

export const b64 = (bytes) => Buffer.from(bytes).toString('base64url');
export const unb64 = (text) => Buffer.from(text, 'base64url');
export const random = (size) => b64(randomBytes(size));
export const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts.map((part) => Buffer.from(part)))).digest();
export const signedBytes = (kind, body) => Buffer.concat([Buffer.from(`tillsyn ${kind} v1\0`), Buffer.from(body)]);
export const hashOf = (kind, payload) => b64(sha256(signedBytes(kind, payload)));

export const now = (offsetSeconds = 0) => new Date(Date.now() + offsetSeconds * 1000).toISOString().replace(/\.\d{3}Z$/, 'Z');

// RFC 8785 for the values that the protocol uses.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

export function thumbprint({crv, kty, x, y}) { return sha256(JSON.stringify({crv, kty, x, y})); }

export class StaffKey {
  constructor() {
    const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
    this.privateKey = privateKey;
    const {crv, kty, x, y} = publicKey.export({format: 'jwk'});
    this.jwk = {crv, kty, x, y};
    this.salt = random(32);
  }

  get nonce() { return b64(sha256('tillsyn staff key v1\0', thumbprint(this.jwk), unb64(this.salt))); }
  sign(kind, body) { return b64(sign('sha256', signedBytes(kind, body), {key: this.privateKey, dsaEncoding: 'ieee-p1363'})); }
}

export const nameHash = (salt, {name, address}) => b64(sha256('tillsyn name v1\0', unb64(salt), canonical({address, name})));
