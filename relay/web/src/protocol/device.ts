import { type Bytes, b64, sha256, signedBytes, utf8 } from './bytes';
import { type Json, parseJson, Reader } from './json';
import { type P256Jwk, verifyP256 } from './keys';
import type { SlotEntry } from './order_book';
import { readBundleNumber } from './payloads';
import { malformed, refused, waiting } from './problem';
import { type Instant, readInstant } from './time';
import { type BundleNumber, kName } from './trust';

// What a hub's device key signs (PROTOCOL.md, "Device payloads"): opened under that key, then read.

export type DeviceKind = 'answer' | 'receipt' | 'countersign';

export interface Receipt {
  order: string;
  verdict: 'accepted' | 'refused' | 'waiting';
  reason: string | null;
  head: string;
  time: Instant;
}

export interface OpenView {
  untilMs: number;
  stream: Bytes;
  enc: Bytes;
  sealed: Bytes;
}

export interface Answer {
  hash: string; // what outcomes point at
  order: string;
  resident: string;
  camera: string;
  viewerKey: Bytes;
  open: OpenView | null;
  reason: string;
  mono: number;
  utcMs: number | null;
  head: string;
  bundle: BundleNumber | null;
  nextMs: number | null;
  slots: SlotEntry[];
}

const kMaxPayloadBytes = 16 * 1024;

// The payload text of an envelope. Throws malformed, or refused "bad_signature" unless the key signed it as this kind.
async function open(kind: DeviceKind, envelope: Json, key: P256Jwk): Promise<string> {
  const in_ = new Reader(envelope, 'envelope');
  const payload = in_.text('payload', kMaxPayloadBytes);
  const sig = in_.bytes('sig', 64);
  in_.finish();
  if (!(await verifyP256(key, signedBytes(kind, utf8(payload)), sig))) throw refused('bad_signature', kind);
  return payload;
}

// Reads a payload of `kind` by `hub`. Throws malformed, waiting "unknown_format", refused "wrong_hub".
async function openDocument<T>(kind: DeviceKind, hub: string, key: P256Jwk, envelope: Json, read: (in_: Reader) => T) {
  const text = await open(kind, envelope, key);
  const in_ = new Reader(parseJson(text, { maxBytes: kMaxPayloadBytes }), kind);
  if (in_.integer('format', 1) !== 1) throw waiting('unknown_format');
  in_.oneOf('type', [kind]);
  if (hash(in_, 'hub') !== hub) throw refused('wrong_hub');
  const out = read(in_);
  in_.finish();
  return { ...out, hash: b64(await sha256(signedBytes(kind, utf8(text)))) };
}

const hash = (in_: Reader, name: string): string => b64(in_.bytes(name, 32));

const readSlots = (in_: Reader): SlotEntry[] =>
  in_.each('slots', 16, (item) => ({ slot: item.text('slot', 64), version: item.integer('version', 1), order: hash(item, 'order') }));

function readReceipt(in_: Reader): Receipt {
  const numbers = (item: Reader, name: string) => item.array(name, 16);
  const out: Receipt = {
    order: hash(in_, 'order'),
    verdict: in_.oneOf('verdict', ['accepted', 'refused', 'waiting'] as const),
    reason: in_.optional('reason', (name) => in_.text(name, 64)),
    head: hash(in_, 'head'),
    time: readInstant(in_, 'time'),
  };
  readSlots(in_);
  in_.child('formats', (item) => [numbers(item, 'order'), numbers(item, 'bundle')]);
  return out;
}

function readOpen(in_: Reader, isOpen: boolean): OpenView | null {
  const bytes = (name: string, size: number) => in_.optional(name, () => in_.bytes(name, size));
  const untilMs = in_.optional('until_ms', (name) => in_.integer(name, 0));
  const [stream, enc, sealed] = [bytes('stream', 16), bytes('enc', 65), bytes('sealed', 48)];
  if (!isOpen) {
    if (untilMs !== null || stream || enc || sealed) throw malformed('member', 'answer: closed with a key');
    return null;
  }
  if (untilMs === null || !stream || !enc || !sealed) throw malformed('member', 'answer: open without a key');
  return { untilMs, stream, enc, sealed };
}

function readAnswer(in_: Reader): Omit<Answer, 'hash'> {
  const isOpen = in_.oneOf('decision', ['open', 'closed'] as const) === 'open';
  in_.oneOf('clock', ['trusted', 'untrusted'] as const);
  return {
    order: hash(in_, 'order'),
    resident: b64(in_.bytes('resident', 16)),
    camera: in_.matching('camera', kName),
    viewerKey: in_.bytes('viewer_key', 65),
    open: readOpen(in_, isOpen),
    reason: in_.optional('reason', (name) => in_.text(name, 64)) ?? '',
    mono: in_.integer('mono', 0),
    utcMs: in_.optional('utc_ms', (name) => in_.integer(name, 0)),
    head: hash(in_, 'head'),
    bundle: in_.optional('bundle', (name) => in_.child(name, readBundleNumber)),
    nextMs: in_.optional('next_ms', (name) => in_.integer(name, 0)),
    slots: readSlots(in_),
  };
}

export const openReceipt = (envelope: Json, hub: string, key: P256Jwk): Promise<Receipt & { hash: string }> =>
  openDocument('receipt', hub, key, envelope, readReceipt);

export const openAnswer = (envelope: Json, hub: string, key: P256Jwk): Promise<Answer> =>
  openDocument('answer', hub, key, envelope, readAnswer);

export const openCountersign = (envelope: Json, hub: string, key: P256Jwk): Promise<{ order: string; hash: string }> =>
  openDocument('countersign', hub, key, envelope, (in_) => {
    readInstant(in_, 'time');
    return { order: hash(in_, 'order') };
  });
