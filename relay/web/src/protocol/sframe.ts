import { type Bytes, concat, u64, utf8, viewOf } from './bytes';
import { malformed, refused } from './problem';

// SFrame (RFC 9605), suite AES_256_GCM_SHA512_128 (5), the receiver's side. Nothing is negotiated.

const kSuite = 5;
const kTagBytes = 16;

export interface Header {
  kid: bigint;
  ctr: bigint;
  size: number; // bytes of the object that it took
}

function readField(object: Bytes, at: number, size: number): bigint {
  if (object.length < at + size) throw malformed('sframe', 'cut short');
  const value = object.subarray(at, at + size).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const hasShorter = value < 8n || (size > 1 && object[at] === 0);
  if (hasShorter) throw malformed('sframe', 'longer than needed');
  return value;
}

// RFC 9605 §4.3, shortest encoding only. Throws malformed "sframe".
export function decodeHeader(object: Bytes): Header {
  const config = object[0];
  if (config === undefined) throw malformed('sframe', 'empty');
  let size = 1;
  const take = (nibble: number): bigint => {
    if (nibble < 8) return BigInt(nibble);
    const length = nibble - 7;
    const value = readField(object, size, length);
    size += length;
    return value;
  };
  const kid = take(config >> 4);
  const ctr = take(config & 15);
  return { kid, ctr, size };
}

// RFC 5869 with SHA-512.
async function hkdf(ikm: Bytes, info: Bytes, size: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', ikm, 'HKDF', false, ['deriveBits']);
  const parameters = { name: 'HKDF', hash: 'SHA-512', salt: new Uint8Array(), info };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, size * 8));
}

// Decrypts one stream under one base key and KID. Does not remember counters: whoever shows pictures does.
export class Opener {
  private constructor(
    private readonly key: CryptoKey,
    private readonly salt: Bytes,
    private readonly kid: bigint,
  ) {}

  static async make(baseKey: Bytes, kid: bigint): Promise<Opener> {
    const suffix = concat(u64(kid), Uint8Array.of(kSuite >> 8, kSuite & 255));
    const raw = await hkdf(baseKey, concat(utf8('SFrame 1.0 Secret key '), suffix), 32);
    const salt = await hkdf(baseKey, concat(utf8('SFrame 1.0 Secret salt '), suffix), 12);
    return new Opener(await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt']), salt, kid);
  }

  // Throws malformed "sframe", refused "sframe_kid", refused "aead" if object or metadata was changed.
  async open(object: Bytes, metadata: Bytes): Promise<{ ctr: bigint; plaintext: Bytes }> {
    const header = decodeHeader(object);
    if (object.length < header.size + kTagBytes) throw malformed('sframe', 'cut short');
    if (header.kid !== this.kid) throw refused('sframe_kid');
    const iv = this.salt.slice();
    const tail = viewOf(iv).getBigUint64(4) ^ header.ctr;
    viewOf(iv).setBigUint64(4, tail);
    const additionalData = concat(object.subarray(0, header.size), metadata);
    try {
      const sealed = object.slice(header.size);
      const plaintext = await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, this.key, sealed);
      return { ctr: header.ctr, plaintext: new Uint8Array(plaintext) };
    } catch {
      throw refused('aead');
    }
  }
}
