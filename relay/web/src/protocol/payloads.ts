import { b64, type Bytes } from './bytes';
import { isObject, parseJson, Reader } from './json';
import { type P256Jwk, readP256Jwk } from './keys';
import { malformed, Problem, refused, waiting } from './problem';
import { kWindowId, readSchedule, readTimeOfDay, type Schedule } from './schedule';
import { type Instant, kDayMs, type LocalDate, readDate, readInstant } from './time';
import { type BundleNumber, kName, kRoles, type Person, type Role } from './trust';
import { Zone } from './zone';

// What orders say (PROTOCOL.md, "Order"): one shape a type, read strictly. Hashes and ids stay in their base64url spelling,
// which is canonical, so they compare as texts.

export const kFormat = 1;

export const kLongestPauseByOneMs = 72 * 3_600_000; // counted from signed_at; a longer one is signed by two
export const kLongestPauseMs = 30 * kDayMs;

const kMaxPayloadBytes = 32 * 1024;
const kAlphabet = '2346789ACDEFHJKMNPRTWXY';
export const kIdentifier = new RegExp(`^[${kAlphabet}]{6}$`);
export const kShortCode = new RegExp(`^[${kAlphabet}]{4}$`);

export interface Right {
  role: Role;
  groups: string[];
  from: Instant;
  to: Instant;
}

export interface Home {
  resident: string;
  home: string;
  group: string;
}

export interface Grant extends Person {
  type: 'grant';
  rights: Right[];
  reason: string;
}
export interface Revoke extends Person {
  type: 'revoke';
  from: Instant;
  reason: string;
}
export interface Device {
  type: 'device';
  hub: string;
  deviceKey: P256Jwk;
  board: string;
}
export interface Camera {
  id: string;
  identifier: string;
}
export interface Assignment extends Home {
  type: 'assignment';
  hub: string;
  code: string;
  cameras: Camera[];
}
export interface Acceptance extends Home {
  type: 'acceptance';
  hub: string;
  assignment: string;
  checklist: string[];
}
export interface Release extends Home {
  type: 'release';
  hub: string;
  reason: string;
}
export interface DateRange {
  from: LocalDate;
  to: LocalDate | null;
}
export interface ConsentTerms {
  decision: DateRange;
  consent: DateRange;
  informedBy: string;
  informedHow: string;
  permitted: { start: number; minutes: number };
  supervisionsPerDay: number;
  maxMinutesPerDay: number;
  nameHash: string;
  timezone: string;
  zone: Zone;
}
export interface Consent extends Home {
  type: 'consent';
  terms: ConsentTerms | null; // null: withdrawn
}
export interface ScheduleOrder extends Home {
  type: 'schedule';
  schedule: Schedule;
}
export interface Pause extends Home {
  type: 'pause';
  until: Instant; // after signed_at, by kLongestPauseMs at most
  reason: string;
}
export interface Resume extends Home {
  type: 'resume';
}
// A view, or the install team's test-view, which has the same members.
export interface View {
  type: 'view' | 'test-view';
  hub: string;
  resident: string;
  group: string;
  camera: string;
  viewerKey: Bytes;
  challenge: string;
  bundle: BundleNumber;
  head: string;
  checkpoint: { size: number; root: string };
}
export const kOutcomes = ['completed', 'not-seen', 'unable', 'visit-taken', 'pause-known'] as const;
export interface Outcome {
  type: (typeof kOutcomes)[number];
  resident: string;
  group: string;
  window: { id: string; date: LocalDate };
  answer: string | null;
  note: string | null;
  reason: string | null;
}
export type Body =
  | Grant | Revoke | Device | Assignment | Acceptance | Release | Consent | ScheduleOrder | Pause | Resume | View | Outcome;
export type OrderType = Body['type'];

export interface Signer extends Person {
  role: Role;
}

export interface Payload {
  provider: string;
  id: string;
  signedAt: Instant;
  signers: Signer[];
  standing: { version: number; replaces: string | null } | null;
  body: Body;
}

const hash = (in_: Reader, name: string): string => b64(in_.bytes(name, 32));
const randomId = (in_: Reader, name: string): string => b64(in_.bytes(name, 16));
const reason = (in_: Reader): string => in_.text('reason', 1000);

function url(in_: Reader, name: string): string {
  const found = in_.text(name, 512);
  if (!/^https:\/\/[\x21\x23-\x26\x28-\x7e]+$/.test(found) || found.includes('#')) throw in_.fail(name, 'is not an https URL');
  return found;
}

function personValue(in_: Reader, name = 'person'): string {
  const found = in_.text(name, 128);
  if (found === '') throw in_.fail(name, 'is empty');
  return found;
}

const readPerson = (in_: Reader): Person => ({ issuer: url(in_, 'issuer'), person: personValue(in_) });

const readHome = (in_: Reader): Home => ({
  resident: randomId(in_, 'resident'),
  home: randomId(in_, 'home'),
  group: in_.matching('group', kName),
});

function some<T>(in_: Reader, name: string, items: T[]): T[] {
  if (items.length === 0) throw in_.fail(name, 'is empty');
  return items;
}

function once<T>(in_: Reader, name: string, items: T[], key: (item: T) => string): T[] {
  if (new Set(items.map(key)).size !== items.length) throw in_.fail(name, 'names something twice');
  return some(in_, name, items);
}

function readRight(in_: Reader): Right {
  const groups = once(in_, 'groups', in_.texts('groups', 64, 32), (group) => group);
  const all = groups.length === 1 && groups[0] === '*';
  if (!all && !groups.every((group) => kName.test(group))) throw in_.fail('groups', 'are not groups');
  const right = { role: in_.oneOf('role', kRoles), groups, from: readInstant(in_, 'from'), to: readInstant(in_, 'to') };
  if (right.to <= right.from || right.to - right.from > 400 * kDayMs) throw in_.fail('to', 'is out of bounds');
  return right;
}

function readRange(in_: Reader): DateRange {
  const range = { from: readDate(in_, 'from'), to: in_.optional('to', (name) => readDate(in_, name)) };
  if (range.to !== null && range.to < range.from) throw in_.fail('to', 'is before from');
  return range;
}

function readTerms(in_: Reader): ConsentTerms {
  const terms = {
    decision: in_.child('decision', readRange),
    consent: in_.child('consent', readRange),
    ...in_.child('informed', (item) => ({ informedBy: personValue(item, 'by'), informedHow: item.text('how', 1000) })),
    permitted: in_.child('permitted', (item) => ({
      start: readTimeOfDay(item, 'start'),
      minutes: item.integer('minutes', 1, 1440),
    })),
    supervisionsPerDay: in_.integer('supervisions_per_day', 1, 64),
    maxMinutesPerDay: in_.integer('max_minutes_per_day', 1, 1440),
    nameHash: hash(in_, 'name_hash'),
    timezone: in_.text('timezone', 64),
  };
  return { ...terms, zone: Zone.load(terms.timezone) };
}

const readCamera = (in_: Reader): Camera => ({ id: in_.matching('id', kName), identifier: in_.matching('identifier', kIdentifier) });

function readChecklistItem(in_: Reader): string {
  if (!in_.boolean('passed')) throw in_.fail('passed', 'is not true');
  return in_.text('item', 200);
}

function readView(in_: Reader, type: View['type']): View {
  const viewerKey = in_.bytes('viewer_key', 65);
  if (viewerKey[0] !== 4) throw in_.fail('viewer_key', 'is not an uncompressed point');
  return {
    type,
    hub: hash(in_, 'hub'),
    resident: randomId(in_, 'resident'),
    group: in_.matching('group', kName),
    camera: in_.matching('camera', kName),
    viewerKey,
    challenge: hash(in_, 'challenge'),
    bundle: in_.child('bundle', readBundleNumber),
    head: hash(in_, 'head'),
    checkpoint: in_.child('checkpoint', (item) => ({ size: item.integer('size', 0), root: hash(item, 'root') })),
  };
}

export const readBundleNumber = (in_: Reader): BundleNumber => ({
  root_list_version: in_.integer('root_list_version', 1),
  counter: in_.integer('counter', 1),
});

export const readWindow = (in_: Reader): { id: string; date: LocalDate } => ({
  id: in_.matching('id', kWindowId),
  date: readDate(in_, 'date'),
});

function readOutcome(in_: Reader, type: Outcome['type']): Outcome {
  const seen = type === 'completed' || type === 'not-seen';
  return {
    type,
    resident: randomId(in_, 'resident'),
    group: in_.matching('group', kName),
    window: in_.child('window', readWindow),
    answer: seen ? hash(in_, 'answer') : null,
    note: seen ? in_.optional('note', (name) => hash(in_, name)) : null,
    reason: seen ? null : reason(in_),
  };
}

const kReaders: Record<string, (in_: Reader) => Body> = {
  grant: (in_) => ({
    type: 'grant', ...readPerson(in_), rights: some(in_, 'rights', in_.each('rights', 32, readRight)), reason: reason(in_),
  }),
  revoke: (in_) => ({ type: 'revoke', ...readPerson(in_), from: readInstant(in_, 'from'), reason: reason(in_) }),
  device: (in_) => ({
    type: 'device', hub: hash(in_, 'hub'), deviceKey: in_.child('device_key', readP256Jwk), board: in_.text('board', 64),
  }),
  assignment: (in_) => ({
    type: 'assignment', hub: hash(in_, 'hub'), ...readHome(in_), code: in_.matching('code', kShortCode), cameras: readCameras(in_),
  }),
  acceptance: (in_) => ({
    type: 'acceptance', hub: hash(in_, 'hub'), ...readHome(in_), assignment: hash(in_, 'assignment'),
    checklist: some(in_, 'checklist', in_.each('checklist', 64, readChecklistItem)),
  }),
  release: (in_) => ({ type: 'release', hub: hash(in_, 'hub'), ...readHome(in_), reason: reason(in_) }),
  consent: (in_) => ({ type: 'consent', ...readHome(in_), terms: in_.boolean('withdrawn') ? null : readTerms(in_) }),
  schedule: (in_) => ({ type: 'schedule', ...readHome(in_), schedule: readSchedule(in_) }),
  pause: (in_) => ({ type: 'pause', ...readHome(in_), until: readInstant(in_, 'until'), reason: reason(in_) }),
  resume: (in_) => ({ type: 'resume', ...readHome(in_) }),
  view: (in_) => readView(in_, 'view'),
  'test-view': (in_) => readView(in_, 'test-view'),
};

function readCameras(in_: Reader): Camera[] {
  const cameras = once(in_, 'cameras', in_.each('cameras', 8, readCamera), (camera) => camera.id);
  return once(in_, 'cameras', cameras, (camera) => camera.identifier);
}

export const isOutcome = (body: Body): body is Outcome => (kOutcomes as readonly string[]).includes(body.type);
export const isAct = (body: Body): body is View => body.type === 'view' || body.type === 'test-view';
export const isStanding = (body: Body): boolean => !isAct(body) && !isOutcome(body);

// Orders that only close act whatever their version.
export const isClosing = (body: Body): boolean =>
  body.type === 'pause' || body.type === 'revoke' || body.type === 'release' || (body.type === 'consent' && !body.terms);

// Whether it is a pause that two persons must sign.
export const isLongPause = ({ body, signedAt }: Pick<Payload, 'body' | 'signedAt'>): boolean =>
  body.type === 'pause' && body.until - signedAt > kLongestPauseByOneMs;

export const hubOf = (body: Body): string | null => ('hub' in body ? body.hub : null);
export const residentOf = (body: Body): string | null => ('resident' in body ? body.resident : null);
export const homeOf = (body: Body): string | null => ('home' in body ? body.home : null);
export const groupOf = (body: Body): string | null => ('group' in body ? body.group : null);

function readSigner(in_: Reader): Signer {
  return { ...readPerson(in_), role: in_.oneOf('role', kRoles) };
}

function readBody(in_: Reader): Body {
  const type = in_.text('type', 32);
  if ((kOutcomes as readonly string[]).includes(type)) return readOutcome(in_, type as Outcome['type']);
  const read = Object.hasOwn(kReaders, type) ? kReaders[type] : undefined;
  if (!read) throw refused('type_not_supported');
  return read(in_);
}

function readStanding(in_: Reader): Payload['standing'] {
  return { version: in_.integer('version', 1), replaces: in_.optional('replaces', (name) => hash(in_, name)) };
}

function checkPause(in_: Reader, { body, signedAt }: Payload): void {
  if (body.type !== 'pause') return;
  if (body.until <= signedAt || body.until - signedAt > kLongestPauseMs) throw in_.fail('until', 'is out of bounds');
}

// Reads a payload text. Throws malformed "malformed"; waiting "unknown_format" for an object with another format number,
// whatever else it holds; refused "type_not_supported".
export function parsePayload(text: string): Payload {
  try {
    const value = parseJson(text, { maxBytes: kMaxPayloadBytes });
    const in_ = new Reader(value, 'order');
    if (isObject(value) && typeof value.format === 'number' && value.format !== kFormat) throw waiting('unknown_format');
    in_.integer('format', kFormat, kFormat);
    const body = readBody(in_);
    const payload: Payload = {
      provider: in_.matching('provider', kName),
      id: randomId(in_, 'id'),
      signedAt: readInstant(in_, 'signed_at'),
      signers: some(in_, 'signers', in_.each('signers', 2, readSigner)),
      standing: isStanding(body) ? readStanding(in_) : null,
      body,
    };
    checkPause(in_, payload);
    in_.finish();
    return payload;
  } catch (error) {
    if (error instanceof Problem && error.code !== 'malformed') throw error;
    throw malformed('malformed', String(error));
  }
}
