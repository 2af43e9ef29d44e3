import { type Bytes, concat, utf8 } from './bytes';
import { refused } from './problem';

// HPKE (RFC 9180), base mode: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; the receiver's side, one message.
// ECDH and AES are WebCrypto's; the key schedule is here.

const kKem = 0x0010;
const kKdf = 0x0001;
const kAead = 0x0002;

const i2osp2 = (n: number): Bytes => Uint8Array.of(n >> 8, n & 255);
const kKemSuite = concat(utf8('KEM'), i2osp2(kKem));
const kHpkeSuite = concat(utf8('HPKE'), i2osp2(kKem), i2osp2(kKdf), i2osp2(kAead));

async function hmac(key: Bytes, data: Bytes): Promise<Bytes> {
  // HMAC pads a key with zeros, so one zero byte is the empty key, which WebCrypto does not import.
  const bytes = key.length > 0 ? key : new Uint8Array(1);
  const imported = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data));
}

const labeledExtract = (suite: Bytes, salt: Bytes, label: string, ikm: Bytes): Promise<Bytes> =>
  hmac(salt, concat(utf8('HPKE-v1'), suite, utf8(label), ikm));

// RFC 5869 expand; `size` ≤ 255·32.
async function expand(prk: Bytes, info: Bytes, size: number): Promise<Bytes> {
  let out = new Uint8Array();
  let block: Bytes = new Uint8Array();
  for (let i = 1; out.length < size; i++) {
    block = await hmac(prk, concat(block, info, Uint8Array.of(i)));
    out = concat(out, block);
  }
  return out.slice(0, size);
}

const labeledExpand = (suite: Bytes, prk: Bytes, label: string, info: Bytes, size: number): Promise<Bytes> =>
  expand(prk, concat(i2osp2(size), utf8('HPKE-v1'), suite, utf8(label), info), size);

const kEcdh = { name: 'ECDH', namedCurve: 'P-256' } as const;

// A view's one-time key. The private half cannot leave the browser.
export interface ViewerKey {
  privateKey: CryptoKey;
  publicKey: Bytes; // 65 bytes, uncompressed
}

export async function makeViewerKey(): Promise<ViewerKey> {
  const pair = await crypto.subtle.generateKey(kEcdh, false, ['deriveBits']);
  return { privateKey: pair.privateKey, publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)) };
}

async function decap(enc: Bytes, receiver: ViewerKey): Promise<Bytes> {
  const sender = await crypto.subtle.importKey('raw', enc, kEcdh, false, []);
  const dh = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: sender }, receiver.privateKey, 256));
  const prk = await labeledExtract(kKemSuite, new Uint8Array(), 'eae_prk', dh);
  return labeledExpand(kKemSuite, prk, 'shared_secret', concat(enc, receiver.publicKey), 32);
}

export interface HpkeContext {
  open(aad: Bytes, sealed: Bytes): Promise<Bytes>; // the first message, sequence number 0
  export(context: Bytes, size: number): Promise<Bytes>;
}

// The receiver's context. Throws refused "hpke" for an `enc` that is no point of the curve; open() for what was changed.
export async function setupReceiver(enc: Bytes, receiver: ViewerKey, info: Bytes): Promise<HpkeContext> {
  const shared = await decap(enc, receiver).catch(() => {
    throw refused('hpke', 'enc');
  });
  const empty = new Uint8Array();
  const pskIdHash = await labeledExtract(kHpkeSuite, empty, 'psk_id_hash', empty);
  const infoHash = await labeledExtract(kHpkeSuite, empty, 'info_hash', info);
  const context = concat(Uint8Array.of(0), pskIdHash, infoHash);
  const secret = await labeledExtract(kHpkeSuite, shared, 'secret', empty);
  const key = await labeledExpand(kHpkeSuite, secret, 'key', context, 32);
  const iv = await labeledExpand(kHpkeSuite, secret, 'base_nonce', context, 12);
  const exporter = await labeledExpand(kHpkeSuite, secret, 'exp', context, 32);
  const aes = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
  return {
    async open(additionalData, sealed) {
      try {
        return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, aes, sealed));
      } catch {
        throw refused('hpke', 'sealed');
      }
    },
    export: (exporterContext, size) => labeledExpand(kHpkeSuite, exporter, 'sec', exporterContext, size),
  };
}
