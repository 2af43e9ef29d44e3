import type { App } from '../app';
import { bodyOf } from '../care/drafting';
import { b64, randomBytes } from '../protocol/bytes';
import type { JsonObject } from '../protocol/json';
import type { OrderType } from '../protocol/payloads';
import { formatInstant, kDayMs } from '../protocol/time';
import { setPath } from './forms';

// Where a form begins.

const kAlphabet = '2346789ACDEFHJKMNPRTWXY';
const letters = (count: number): string => Array.from(randomBytes(count * 4), (byte) => byte)
  .filter((byte) => byte < kAlphabet.length * 11)
  .slice(0, count)
  .map((byte) => kAlphabet[byte % kAlphabet.length])
  .join('');
const randomId = (): string => b64(randomBytes(16));

export function templateFor(type: OrderType, app: App): JsonObject {
  const today = formatInstant(app.now()).slice(0, 10);
  const until = formatInstant(app.now() + 300 * kDayMs);
  const issuer = app.session!.me.issuer;
  const home = { resident: '', home: '', group: '' };
  switch (type) {
    case 'grant':
      return { type, issuer, person: '', rights: [{ role: 'operator', groups: ['*'], from: formatInstant(app.now() - 60_000), to: until }], reason: '' };
    case 'revoke':
      return { type, issuer, person: '', from: formatInstant(app.now()), reason: '' };
    case 'device':
      return { type, hub: '', device_key: { crv: 'P-256', kty: 'EC', x: '', y: '' }, board: '' };
    case 'assignment':
      return { type, hub: '', resident: randomId(), home: randomId(), group: '', code: letters(4), cameras: [{ id: 'cam1', identifier: letters(6) }] };
    case 'acceptance':
      return { type, hub: '', ...home, assignment: '', checklist: [{ item: 'Rätt bild, rätt beteckning', passed: true }] };
    case 'release':
      return { type, hub: '', ...home, reason: '' };
    case 'consent':
      return {
        type, resident: randomId(), home: randomId(), group: '', withdrawn: false, decision: { from: today, to: null }, consent: { from: today, to: null },
        informed: { by: app.session!.me.person, how: '' }, permitted: { start: '21:00', minutes: 600 }, supervisions_per_day: 4,
        max_minutes_per_day: 60, name_hash: '', timezone: 'Europe/Stockholm',
      };
    case 'schedule':
      return { type, ...home, timezone: 'Europe/Stockholm', valid_from: today, valid_to: null, windows: [], exceptions: [] };
    case 'pause':
      return { type, ...home, until: formatInstant(app.now() + kDayMs), reason: '' };
    default:
      return { type, ...home };
  }
}

// What follows from naming a resident: home and group, and for an order that stands already all of it, to be changed.
export function chooseResident(body: JsonObject, resident: string, app: App): JsonObject {
  const { book } = app.records;
  const standing = book.at(`${String(body.type)}|${resident}`);
  // A pause is made anew: the time of the last one has passed, or is what is to be changed.
  if (standing && standing.payload.body.type === body.type && body.type !== 'pause') return bodyOf(standing);
  const [hub] = book.hubsOf(resident);
  const known = (hub === undefined ? undefined : book.assignmentOf(hub)?.payload.body) ?? book.consentOf(resident);
  const out = { ...body, resident };
  return known ? { ...out, home: known.home, group: known.group } : out;
}

// What follows from naming a hub: whom it serves, and under which assignment.
export function chooseHub(body: JsonObject, hub: string, app: App): JsonObject {
  const out = { ...body, hub };
  const assignment = app.records.book.assignmentOf(hub);
  if (!assignment || body.type === 'device') return out;
  const { resident, home, group } = assignment.payload.body;
  const placed = { ...out, resident, home, group };
  return body.type === 'acceptance' ? setPath(placed, 'assignment', assignment.hash) : placed;
}
