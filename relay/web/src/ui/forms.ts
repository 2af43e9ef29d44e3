import { isObject, type Json, type JsonObject } from '../protocol/json';
import { kDays } from '../protocol/schedule';
import type { OrderType } from '../protocol/payloads';
import { kRoles } from '../protocol/trust';
import { kDayWords, kRoleWords } from './words';

// The simple forms: which members of a body are asked for, and how each is written and read. What a form cannot say is said
// in the body's JSON beside it.

export interface FieldSpec {
  name: string; // path in the body: "decision.from"
  label: string;
  hint?: string;
  kind?: 'text' | 'lines' | 'number' | 'choice' | 'check';
  choices?: [string, string][];
  list?: 'residents' | 'hubs' | 'people'; // known values to choose among
  show(value: Json | undefined): string;
  read(text: string): Json | undefined; // undefined: cannot be read
}

const text = (name: string, label: string, more: Partial<FieldSpec> = {}): FieldSpec => ({
  name, label, show: (value) => (typeof value === 'string' ? value : ''), read: (input) => input, ...more,
});

const number = (name: string, label: string): FieldSpec => ({
  name, label, kind: 'number', show: (value) => (typeof value === 'number' ? String(value) : ''),
  read: (input) => (/^\d{1,9}$/.test(input) ? Number(input) : undefined),
});

const date = (name: string, label: string, isOpenEnded = false): FieldSpec => ({
  name, label, hint: 'ÅÅÅÅ-MM-DD', show: (value) => (typeof value === 'string' ? value : ''),
  read: (input) => (/^\d{4}-\d{2}-\d{2}$/.test(input) ? input : input === '' && isOpenEnded ? null : undefined),
});

// One item a line.
function lines(name: string, label: string, hint: string, show: (item: JsonObject) => string, read: (line: string) => Json | undefined): FieldSpec {
  return {
    name, label, hint, kind: 'lines',
    show: (value) => (Array.isArray(value) ? value.filter(isObject).map(show).join('\n') : ''),
    read: (input) => {
      const items = input.split('\n').filter((line) => line.trim() !== '').map((line) => read(line.trim()));
      return items.includes(undefined) ? undefined : (items as Json[]);
    },
  };
}

const dayNamed = (word: string): string | undefined => kDays.find((day) => kDayWords[day] === word || day === word);

function readWindow(line: string, index: string): JsonObject | undefined {
  const found = /^(\d{2}:\d{2})\s+(\d{1,3})(?:\s+([A-Za-z0-9_-]{1,32}))?$/.exec(line);
  return found ? { id: found[3] ?? index, start: found[1]!, minutes: Number(found[2]) } : undefined;
}

function readWeekWindow(line: string): Json | undefined {
  const found = /^([\p{L} ]+?)\s+(\d{2}:\d{2}\s.*)$/u.exec(line);
  const words = found?.[1]!.toLowerCase().split(/\s+/) ?? [];
  const days = words.includes('alla') ? [...kDays] : words.map(dayNamed);
  const window = found && readWindow(found[2]!, `w${found[2]!.slice(0, 5).replace(':', '')}`);
  return window && !days.includes(undefined) ? { ...window, days: days as string[] } : undefined;
}

function showWeekWindow(item: JsonObject): string {
  const days = Array.isArray(item.days) ? item.days : [];
  const words = days.length === 7 ? 'alla' : days.map((day) => kDayWords[String(day)]).join(' ');
  return `${words} ${String(item.start)} ${String(item.minutes)} ${String(item.id)}`;
}

function readException(line: string): Json | undefined {
  const found = /^(\d{4}-\d{2}-\d{2})\s+(.+)$/.exec(line);
  if (!found) return undefined;
  if (found[2] === 'ingen') return { date: found[1]!, windows: [] };
  const windows = found[2]!.split(',').map((part, i) => readWindow(part.trim(), `x${i + 1}`));
  return windows.includes(undefined) ? undefined : { date: found[1]!, windows: windows as Json[] };
}

function showException(item: JsonObject): string {
  const windows = Array.isArray(item.windows) ? item.windows.filter(isObject) : [];
  return `${String(item.date)} ${windows.map((w) => `${String(w.start)} ${String(w.minutes)} ${String(w.id)}`).join(', ') || 'ingen'}`;
}

const readRight = (line: string): Json | undefined => {
  const found = /^(\S+)\s+(\S+)\s+(\S+)\s+(\S+)$/.exec(line);
  const role = kRoles.find((name) => name === found?.[1] || kRoleWords[name] === found?.[1]);
  return found && role ? { role, groups: found[2]!.split(','), from: found[3]!, to: found[4]! } : undefined;
};
const showRight = (item: JsonObject): string =>
  `${String(item.role)} ${Array.isArray(item.groups) ? item.groups.join(',') : ''} ${String(item.from)} ${String(item.to)}`;

const kReason = text('reason', 'Skäl');
const kHub = text('hub', 'Hubb', { list: 'hubs' });
const kResident = text('resident', 'Brukare', { list: 'residents', hint: 'Välj i listan; hem och grupp fylls i.' });
const kHome = [kResident, text('home', 'Hem'), text('group', 'Grupp')];
const kPerson = [text('issuer', 'Inloggningstjänst'), text('person', 'Person', { list: 'people' })];

export const kForms: Partial<Record<OrderType, FieldSpec[]>> = {
  grant: [
    ...kPerson,
    lines('rights', 'Får vara', 'En rad var: roll, grupper, från, till. Till exempel: operator natt 2026-11-22T20:00:00Z 2027-05-01T00:00:00Z', showRight, readRight),
    kReason,
  ],
  revoke: [...kPerson, text('from', 'Från'), kReason],
  device: [
    kHub, text('device_key.x', 'Nyckel x (etiketten)'), text('device_key.y', 'Nyckel y (etiketten)'), text('board', 'Modell'),
  ],
  assignment: [
    kHub, ...kHome, text('code', 'Brukarens kod i bilden'),
    lines('cameras', 'Kameror', 'En rad var: namn och beteckning.', (c) => `${String(c.id)} ${String(c.identifier)}`, (line) => {
      const found = /^(\S+)\s+(\S+)$/.exec(line);
      return found ? { id: found[1]!, identifier: found[2]! } : undefined;
    }),
  ],
  acceptance: [
    kHub, ...kHome, text('assignment', 'Koppling'),
    lines('checklist', 'Provat och godkänt', 'En rad var.', (c) => String(c.item), (line) => ({ item: line, passed: true })),
  ],
  release: [kHub, ...kHome, kReason],
  consent: [
    ...kHome,
    {
      name: 'withdrawn', label: 'Samtycket återkallas', kind: 'check', show: (value) => (value === true ? 'ja' : ''),
      read: (input) => input === 'ja',
    },
    date('decision.from', 'Beslut från'), date('decision.to', 'Beslut till (tomt: tills vidare)', true),
    date('consent.from', 'Samtycke från'), date('consent.to', 'Samtycke till (tomt: tills vidare)', true),
    text('informed.by', 'Informerad av'), text('informed.how', 'Informerad hur'),
    text('permitted.start', 'Tillåten tid från'), number('permitted.minutes', 'Tillåten tid, minuter'),
    number('supervisions_per_day', 'Tillsyner per dygn, högst'), number('max_minutes_per_day', 'Minuter per dygn, högst'),
  ],
  schedule: [
    ...kHome, date('valid_from', 'Gäller från', true), date('valid_to', 'Gäller till', true),
    lines('windows', 'Tider', 'En rad var: dagar, klockslag, minuter. Till exempel: mån tis 22:30 15, eller alla 03:00 10.', showWeekWindow, readWeekWindow),
    lines('exceptions', 'Undantag', 'En rad var: datum och tider, eller ingen. Till exempel: 2026-12-24 ingen.', showException, readException),
  ],
  pause: [...kHome, text('until', 'Till', { hint: 'Till exempel: 2026-12-24T12:00:00Z. Högst 30 dygn; över 72 timmar undertecknar två.' }), kReason],
  resume: kHome,
};

// Members that a withdrawn consent does not have.
export const kTermMembers = [
  'decision', 'consent', 'informed', 'permitted', 'supervisions_per_day', 'max_minutes_per_day', 'name_hash', 'timezone',
];

export function getPath(body: JsonObject, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>((value, name) => (isObject(value) ? value[name] : undefined), body);
}

// A copy with the member set; undefined takes it out.
export function setPath(body: JsonObject, path: string, value: Json | undefined): JsonObject {
  const [name, ...rest] = path.split('.') as [string, ...string[]];
  const out = { ...body };
  if (rest.length > 0) {
    const inner = out[name];
    out[name] = setPath(isObject(inner) ? inner : {}, rest.join('.'), value);
  } else if (value === undefined) {
    delete out[name];
  } else {
    out[name] = value;
  }
  return out;
}
