import { type Bytes, base64, equal, fromBase64, sha256, utf8, viewOf } from './bytes';
import { verifyEd25519 } from './keys';
import { emptyRoot } from './merkle';
import { malformed, Problem, refused } from './problem';

// C2SP signed notes (Ed25519, signature type 0x01) and tlog-checkpoints, read as common/ledger/note.h and checkpoint.h do.

const kMaxNoteBytes = 64 * 1024;
const kMaxSignatures = 16;

export interface VerifierKey {
  name: string;
  publicKey: Bytes;
}

export interface NoteSignature {
  name: string;
  keyId: number;
  signature: Bytes;
}

export interface Note {
  text: string; // with its last newline: the bytes that are signed
  signatures: NoteSignature[];
}

const isKeyName = (name: string): boolean => name !== '' && name.length <= 200 && !/[\s\p{Cc}+]/u.test(name);

export async function keyId({ name, publicKey }: VerifierKey): Promise<number> {
  return viewOf(await sha256(utf8(`${name}\n`), Uint8Array.of(1), publicKey)).getUint32(0);
}

// "<name>+<id, 8 hex digits>+<base64(0x01 ‖ public key)>". Throws malformed "vkey".
export async function parseVerifierKey(text: string): Promise<VerifierKey> {
  const found = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text);
  const bytes = found ? fromBase64(found[3]!) : new Uint8Array();
  if (!found || !isKeyName(found[1]!) || bytes.length !== 33 || bytes[0] !== 1) throw malformed('vkey');
  const key = { name: found[1]!, publicKey: bytes.slice(1) };
  if ((await keyId(key)).toString(16).padStart(8, '0') !== found[2]) throw malformed('vkey', 'id');
  return key;
}

function parseSignature(line: string): NoteSignature {
  const found = /^— ([^ ]+) ([^ ]+)$/.exec(line);
  if (!found || !isKeyName(found[1]!)) throw malformed('note', 'signature line');
  const bytes = fromBase64(found[2]!);
  if (bytes.length < 5) throw malformed('note', 'short signature');
  return { name: found[1]!, keyId: viewOf(bytes).getUint32(0), signature: bytes.slice(4) };
}

// Splits a note without judging its signatures. Throws malformed "note".
export function parseNote(note: string): Note {
  try {
    const split = note.lastIndexOf('\n\n');
    const hasControl = /[\u0000-\u0009\u000b-\u001f\u007f]/.test(note);
    if (split <= 0 || !note.endsWith('\n') || hasControl || utf8(note).length > kMaxNoteBytes) throw malformed('note');
    const lines = note.slice(split + 2, -1).split('\n');
    if (lines.length > kMaxSignatures) throw malformed('note', 'too many signatures');
    return { text: note.slice(0, split + 1), signatures: lines.map(parseSignature) };
  } catch (error) {
    if (error instanceof Problem && error.reason === 'note') throw error;
    throw malformed('note', String(error));
  }
}

// The text of a note, signed by exactly `key`; signatures of others are ignored. Throws refused "note_signature".
export async function openNote(note: string, key: VerifierKey): Promise<string> {
  const { text, signatures } = parseNote(note);
  const id = await keyId(key);
  const own = signatures.filter((signature) => signature.name === key.name && signature.keyId === id);
  const good = own.length === 1 && (await verifyEd25519(key.publicKey, utf8(text), own[0]!.signature));
  if (!good) throw refused('note_signature');
  return text;
}

// What a log claims to be at one moment.
export interface Checkpoint {
  size: number;
  root: Bytes;
}

// The note text: origin, size in decimal, root in base64, a line each. Throws malformed "checkpoint".
export async function parseCheckpoint(text: string): Promise<Checkpoint & { origin: string }> {
  const found = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text);
  if (!found) throw malformed('checkpoint');
  const size = Number(found[2]);
  const root = fromBase64(found[3]!);
  if (!Number.isSafeInteger(size) || base64(root) !== found[3]) throw malformed('checkpoint');
  if (size === 0 && !equal(root, await emptyRoot())) throw malformed('checkpoint', 'empty tree');
  return { origin: found[1]!, size, root };
}

// The checkpoint in `note` if the log with the key signed it and its origin is the key's name. Throws refused
// "note_signature", "checkpoint_origin".
export async function openCheckpoint(note: string, key: VerifierKey): Promise<Checkpoint> {
  const { origin, size, root } = await parseCheckpoint(await openNote(note, key));
  if (origin !== key.name) throw refused('checkpoint_origin');
  return { size, root };
}
