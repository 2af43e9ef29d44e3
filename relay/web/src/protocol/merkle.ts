import { type Bytes, equal, sha256 } from './bytes';
import { refused } from './problem';

// RFC 6962 hashing and RFC 9162 §2.1.3-2.1.4 verification. Sizes are integers below 2^53.

export const kMaxProofHashes = 64;

export const leafHash = (data: Uint8Array): Promise<Bytes> => sha256(Uint8Array.of(0), data);
const nodeHash = (left: Uint8Array, right: Uint8Array): Promise<Bytes> => sha256(Uint8Array.of(1), left, right);
export const emptyRoot = (): Promise<Bytes> => sha256();

// The root over leaf hashes (RFC 6962 §2.1), level by level: a last node without a partner goes up as it is.
export async function treeRoot(leaves: Bytes[]): Promise<Bytes> {
  if (leaves.length === 0) return emptyRoot();
  let level = leaves;
  while (level.length > 1) {
    const pairs = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => level.slice(2 * i, 2 * i + 2));
    level = await Promise.all(pairs.map(([left, right]) => (right ? nodeHash(left!, right) : left!)));
  }
  return level[0]!;
}

const half = (n: number): number => Math.floor(n / 2);
const isOdd = (n: number): boolean => n % 2 === 1;
const wrong = (reason: string) => refused(reason);
const areHashes = (...hashes: Bytes[]): boolean => hashes.every((hash) => hash.length === 32);

// Throws refused "inclusion_proof" unless `proof` shows that `leaf` stands at `index` in the tree of `size` leaves.
export async function verifyInclusion(leaf: Bytes, index: number, size: number, proof: Bytes[], root: Bytes): Promise<void> {
  const inRange = Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size;
  if (!inRange || proof.length > kMaxProofHashes || !areHashes(leaf, root, ...proof)) throw wrong('inclusion_proof');
  let fn = index;
  let sn = size - 1;
  let r = leaf;
  for (const p of proof) {
    if (sn === 0) throw wrong('inclusion_proof');
    if (isOdd(fn) || fn === sn) {
      r = await nodeHash(p, r);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      r = await nodeHash(r, p);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn !== 0 || !equal(r, root)) throw wrong('inclusion_proof');
}

function isPowerOfTwo(n: number): boolean {
  while (n > 1 && !isOdd(n)) n = half(n);
  return n === 1;
}

// Throws refused "consistency_proof" unless `proof` shows that the old tree is the beginning of the new one. Equal sizes need
// equal roots and an empty proof; an empty old tree proves nothing and is refused.
export async function verifyConsistency(
  oldSize: number, newSize: number, proof: Bytes[], oldRoot: Bytes, newRoot: Bytes,
): Promise<void> {
  const inRange = Number.isSafeInteger(oldSize) && Number.isSafeInteger(newSize) && oldSize > 0 && oldSize <= newSize;
  const areSound = proof.length <= kMaxProofHashes && areHashes(...proof);
  if (!inRange || !areSound) throw wrong('consistency_proof');
  if (oldSize === newSize) {
    if (proof.length !== 0 || !equal(oldRoot, newRoot)) throw wrong('consistency_proof');
    return;
  }
  if (proof.length === 0) throw wrong('consistency_proof');
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  let fn = oldSize - 1;
  let sn = newSize - 1;
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
  let fr = path[0]!;
  let sr = path[0]!;
  for (const c of path.slice(1)) {
    if (sn === 0) throw wrong('consistency_proof');
    if (isOdd(fn) || fn === sn) {
      fr = await nodeHash(c, fr);
      sr = await nodeHash(c, sr);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = await nodeHash(sr, c);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn !== 0 || !equal(fr, oldRoot) || !equal(sr, newRoot)) throw wrong('consistency_proof');
}
