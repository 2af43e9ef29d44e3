// A log of one's own (RFC 6962 hashing, C2SP checkpoints), for an enemy who holds the ledger key: a third implementation,
// by the recursive definitions.
import {createHash, createPrivateKey, createPublicKey, sign} from 'node:crypto';
import {b64, canonical, hashOf} from './crypto.mjs';

const sha = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
export const leafHash = (text) => sha(Buffer.of(0), Buffer.from(text));
const nodeHash = (left, right) => sha(Buffer.of(1), left, right);

// The largest power of two below n.
const split = (n) => 2 ** Math.ceil(Math.log2(n) - 1);

export function rootOf(leaves) {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

// RFC 6962 §2.1.1
export function inclusion(m, leaves) {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  return m < k ? [...inclusion(m, leaves.slice(0, k)), rootOf(leaves.slice(k))] : [...inclusion(m - k, leaves.slice(k)), rootOf(leaves.slice(0, k))];
}

// RFC 6962 §2.1.2
export function consistency(m, leaves, whole = true) {
  if (m === 0) return [];
  if (m === leaves.length) return whole ? [] : [rootOf(leaves)];
  const k = split(leaves.length);
  if (m <= k) return [...consistency(m, leaves.slice(0, k), whole), rootOf(leaves.slice(k))];
  return [...consistency(m - k, leaves.slice(k), false), rootOf(leaves.slice(0, k))];
}

// The checkpoint of these leaves as a note signed by the 32-byte Ed25519 seed.
export function checkpointNote(origin, leaves, seed) {
  const key = createPrivateKey({key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8'});
  const point = Buffer.from(createPublicKey(key).export({format: 'jwk'}).x, 'base64url');
  const text = `${origin}\n${leaves.length}\n${rootOf(leaves).toString('base64')}\n`;
  const id = sha(Buffer.from(`${origin}\n`), Buffer.of(1), point).subarray(0, 4);
  return `${text}\n— ${origin} ${Buffer.concat([id, sign(null, Buffer.from(text), key)]).toString('base64')}\n`;
}

export const proofText = (hashes) => hashes.map((hash) => b64(hash));

// The text of the entry that an order makes (PROTOCOL.md, "Ledger entry").
export function orderEntry(payload, seq, time) {
  const {type, provider, hub = null, resident = null, signers} = JSON.parse(payload);
  return canonical({details: null, format: 1, hash: hashOf('order', payload), hub, kind: 'order', provider, reason: null, resident, seq, time, what: type,
    who: signers.map(({issuer, person}) => ({issuer, person}))});
}
