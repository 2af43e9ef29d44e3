import { b64, type Bytes, equal, utf8 } from './bytes';
import { canonicalJson, type Json, parseJson, Reader } from './json';
import { leafHash, treeRoot } from './merkle';
import { malformed, refused } from './problem';
import { kName } from './trust';

// One home that the municipality's machine counted when it made the bundle (PROTOCOL.md, "Homes").
export interface HomeLeaf {
  hub: string;
  resident: string;
  head: string;
}

const kMaxBytes = 16 * 1024 * 1024;
const kMaxHomes = 20_000;

function readLeaf(value: Json): HomeLeaf {
  const in_ = new Reader(value, 'home');
  in_.bytes('assignment', 32);
  in_.matching('group', kName);
  const leaf = { hub: b64(in_.bytes('hub', 32)), resident: b64(in_.bytes('resident', 16)), head: b64(in_.bytes('head', 32)) };
  in_.finish();
  return leaf;
}

// The homes that a bundle speaks of. Throws malformed, or refused "homes_mismatch" if `root` is not over them.
export async function readHomes(text: string, root: Bytes): Promise<HomeLeaf[]> {
  const values = parseJson(text, { maxBytes: kMaxBytes });
  if (!Array.isArray(values) || values.length > kMaxHomes) throw malformed('malformed', 'homes');
  const homes = values.map(readLeaf);
  const texts = values.map(canonicalJson).sort(); // ASCII throughout, so in the sequence of their bytes
  const leaves = await Promise.all(texts.map((leaf) => leafHash(utf8(leaf))));
  if (!equal(await treeRoot(leaves), root)) throw refused('homes_mismatch');
  return homes;
}
