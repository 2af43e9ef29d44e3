import { malformed } from './problem';

// Byte strings, their spellings, and hashes. Pure.

// Backed by a plain ArrayBuffer, as WebCrypto wants its input.
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// The UTF-8 of a text. Throws malformed "utf8" for a lone surrogate, which has none.
export function utf8(text: string): Bytes {
  if (!isWellFormed(text)) throw malformed('utf8', 'lone surrogate');
  return encoder.encode(text);
}

// The text of well-formed UTF-8; a byte order mark stays. Throws malformed "utf8".
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw malformed('utf8');
  }
}

export function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = text.charCodeAt(i + 1);
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
    i++;
  }
  return true;
}

export function concat(...parts: Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

// Big-endian integers, as on all our wires.
export function u32(value: number): Bytes {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

export function u64(value: bigint | number): Bytes {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(value));
  return out;
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function fromHex(text: string): Bytes {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) throw malformed('hex');
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

// Standard base64 with padding (RFC 4648 §4), one spelling a value. Throws malformed "base64".
export function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function fromBase64(text: string): Bytes {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw malformed('base64');
  const out = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  if (base64(out) !== text) throw malformed('base64', 'not canonical');
  return out;
}

// base64url without padding (RFC 7515 §2), one spelling a value; exactly `size` bytes if given. Throws malformed
// "base64url".
export function b64(bytes: Uint8Array): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

export function fromB64(text: string, size?: number): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw malformed('base64url');
  const padded = text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((4 - (text.length % 4)) % 4);
  const out = Uint8Array.from(atob(padded), (c) => c.charCodeAt(0));
  if (b64(out) !== text) throw malformed('base64url', 'not canonical');
  if (size !== undefined && out.length !== size) throw malformed('base64url', `expected ${size} bytes`);
  return out;
}

export async function sha256(...parts: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', concat(...parts)));
}

// "tillsyn <kind> v1" ‖ 0x00 ‖ body: the bytes that are signed, so that no key ever signs bytes whose kind it did not
// choose.
export type Kind =
  | 'order' | 'session' | 'answer' | 'receipt' | 'event' | 'link-key' | 'countersign' | 'life' | 'root-list' | 'bundle';

export function signedBytes(kind: Kind, body: Uint8Array): Bytes {
  return concat(utf8(`tillsyn ${kind} v1`), Uint8Array.of(0), body);
}

export const randomBytes = (size: number): Bytes => crypto.getRandomValues(new Uint8Array(size));
