// A viewer's signs of life (PROTOCOL, "A view's key and frames"), with Node's own cryptography: the HPKE exporter of RFC 9180,
// base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
import {createHmac} from 'node:crypto';
import {signedBytes, unb64} from './crypto.mjs';

const hmac = (key, ...parts) => createHmac('sha256', key).update(Buffer.concat(parts)).digest();
const kem = Buffer.from('KEM\x00\x10', 'latin1');
const suite = Buffer.from('HPKE\x00\x10\x00\x01\x00\x02', 'latin1');
const none = Buffer.alloc(0);

const extract = (of, salt, label, secret) => hmac(salt, Buffer.from('HPKE-v1'), of, Buffer.from(label), secret);
const expand32 = (of, key, label, info) => hmac(key, Buffer.from([0, 32]), Buffer.from('HPKE-v1'), of, Buffer.from(label), info, Buffer.from([1]));

// `viewerKey`: the ECDH whose public key the order names; `answer` as the hub signed it.
function lifeKey(viewerKey, answer) {
  const enc = unb64(answer.enc);
  const shared = expand32(kem, extract(kem, none, 'eae_prk', viewerKey.computeSecret(enc)), 'shared_secret', Buffer.concat([enc, viewerKey.getPublicKey()]));
  const context = Buffer.concat([Buffer.from([0]), extract(suite, none, 'psk_id_hash', none), extract(suite, none, 'info_hash', unb64(answer.order))]);
  const exporter = expand32(suite, extract(suite, shared, 'secret', none), 'exp', context);
  return expand32(suite, exporter, 'sec', Buffer.from('tillsyn life v1'));
}

export class LifeMaker {
  constructor(viewerKey, answer) {
    this.key = lifeKey(viewerKey, answer);
    this.stream = unb64(answer.stream);
    this.counter = 0n;
  }

  // The next one; `painted` is the newest CTR painted, null for none.
  next(painted) {
    const numbers = Buffer.alloc(16);
    numbers.writeBigUInt64BE(++this.counter, 0);
    numbers.writeBigUInt64BE(painted === null ? 2n ** 64n - 1n : BigInt(painted), 8);
    const body = Buffer.concat([this.stream, numbers]);
    return Buffer.concat([body, hmac(this.key, signedBytes('life', body))]);
  }
}
