import { type Bytes, b64, randomBytes, sha256, signedBytes, utf8 } from './bytes';
import { canonicalJson, type Json, type JsonObject, parseJson, Reader } from './json';
import { type P256Jwk, readP256Jwk, signP256 } from './keys';
import { parsePayload, type Payload } from './payloads';
import { malformed, Problem } from './problem';

// The envelope around a payload: the text that was signed, and who signed it.

export interface StaffSignature {
  sig: Bytes;
  key: P256Jwk;
  salt: Bytes;
  idToken: string;
}

// An order as it travelled, read and not yet judged.
export interface Order {
  value: JsonObject; // as received
  payloadText: string;
  payload: Payload;
  hash: string; // b64 of SHA-256(signed("order", payloadText)): the order's name everywhere
  signatures: StaffSignature[];
}

export const orderHash = async (payloadText: string): Promise<string> =>
  b64(await sha256(signedBytes('order', utf8(payloadText))));

const readSignature = (in_: Reader): StaffSignature => ({
  sig: in_.bytes('sig', 64),
  key: in_.child('key', readP256Jwk),
  salt: in_.bytes('salt', 32),
  idToken: in_.child('proof', (proof) => proof.text('id_token', 16 * 1024)),
});

function readEnvelope(value: Json): { payloadText: string; signatures: StaffSignature[] } {
  try {
    const in_ = new Reader(value, 'order');
    const out = { payloadText: in_.text('payload', 32 * 1024), signatures: in_.each('signatures', 2, readSignature) };
    in_.finish();
    return out;
  } catch (error) {
    throw malformed('malformed', String(error));
  }
}

// Reads form only: every member, at most as many signatures as signers (a draft lacks some). Throws as parsePayload.
export async function readOrder(value: Json, allowUnfinished = false): Promise<Order> {
  const { payloadText, signatures } = readEnvelope(value);
  const payload = parsePayload(payloadText);
  const missing = payload.signers.length - signatures.length;
  if (missing < 0 || (missing > 0 && !allowUnfinished)) throw malformed('malformed', 'signatures');
  return { value: value as JsonObject, payloadText, payload, hash: await orderHash(payloadText), signatures };
}

// The same from text (≤ 64 KiB).
export async function parseOrder(text: string): Promise<Order> {
  let value: Json;
  try {
    value = parseJson(text, { maxBytes: 64 * 1024 });
  } catch (error) {
    throw error instanceof Problem ? malformed('malformed', error.message) : error;
  }
  return readOrder(value);
}

// The staff key of this browser and what binds it to a person.
export interface StaffKey {
  privateKey: CryptoKey;
  jwk: P256Jwk;
  salt: Bytes;
}

// One person's signature over a payload text, as it stands in an order.
export async function signOrder(payloadText: string, staff: StaffKey, idToken: string): Promise<JsonObject> {
  const sig = await signP256(staff.privateKey, signedBytes('order', utf8(payloadText)));
  return {
    sig: b64(sig),
    key: { crv: 'P-256', kty: 'EC', x: staff.jwk.x, y: staff.jwk.y },
    salt: b64(staff.salt),
    proof: { id_token: idToken },
  };
}

export const newId = (): string => b64(randomBytes(16));

// The canonical text of a payload made here.
export const payloadText = (payload: JsonObject): string => canonicalJson(payload);

// What stands in an outcome for a note that lies beside it.
export const noteHash = async (salt: Bytes, text: string): Promise<string> => b64(await sha256(salt, utf8(text)));

// What stands in a consent for the name and address that the app shows.
export async function nameHash(salt: Bytes, name: string, address: string): Promise<string> {
  const text = canonicalJson({ address, name });
  return b64(await sha256(utf8('tillsyn name v1'), Uint8Array.of(0), salt, utf8(text)));
}
