// Signs what a provider signs before the first night, person by person, without a browser.
import {hashOf, nameHash, now, random} from './crypto.mjs';
import {makeOrder, Person, postOrder} from './person.mjs';
import {until} from './processes.mjs';

const alphabet = '2346789ACDEFHJKMNPRTWXY';
export const code = (size) => Array.from({length: size}, () => alphabet[Math.floor(Math.random() * alphabet.length)]).join('');

const staffRoles = {
  'tekniker': ['technician'], 'larmteam': ['installer'], 'bistand': ['care_manager'], 'planerare': ['planner'],
  'anna.berg': ['operator'], 'bo.ek': ['operator'], 'granskare': ['log_reviewer'],
};

export const right = (role, {groups = ['*'], from = now(-60), to = now(200 * 86400)} = {}) => ({role, groups, from, to});

export async function logIn(town, name) { return (town.staff[name] ??= await new Person(town, name).logIn()); }

export function grant(town, name, rights, version = 1, replaces = null) {
  return postOrder(town, [[town.staff.chef, 'manager'], [town.staff.rattighet, 'rights_admin']],
    {type: 'grant', version, replaces, issuer: town.issuer.issuer, person: name, rights, reason: 'anställd'});
}

// Everybody logs in and gets rights.
export async function staffTown(town) {
  town.staff = {};
  await logIn(town, 'chef');
  await logIn(town, 'rattighet');
  for (const [name, roles] of Object.entries(staffRoles)) await grant(town, name, roles.map((role) => right(role)));
  for (const name of Object.keys(staffRoles)) await logIn(town, name);
}

// Gives the log reviewer the rights of a system administrator too.
export async function makeAdministrator(town) {
  const {items} = (await town.staff.chef.get('/v1/orders')).json();
  const held = items.map(({order}) => order.payload).find((text) => { const {type, person} = JSON.parse(text); return type === 'grant' && person === 'granskare'; });
  await grant(town, 'granskare', [right('log_reviewer'), right('system_admin')], 2, hashOf('order', held));
}

// The technician names the hub's device key; the hub enrols with its one-time code.
export async function enrolHub(town, hub) {
  const {tekniker} = town.staff;
  await postOrder(town, [[tekniker, 'technician']], {type: 'device', version: 1, replaces: null, hub: hub.id, device_key: await hub.deviceKey(), board: 'bench'});
  const answer = await tekniker.post(`/v1/hubs/${hub.id}/code`, {});
  if (answer.status >= 300) throw new Error(`enrolment code: ${answer.status} ${answer.text}`);
  await hub.enrol(answer.json().code);
}

export const receiptFor = (items, hash) => items.find((item) => item.hash === hash);

async function standing(town) {
  const {items} = (await town.staff.chef.get('/v1/orders')).json();
  return items;
}

// Waits until the hub's signed receipt says `verdict` for an order.
export function receipt(town, hub, hash, verdict = 'accepted', ms = 20000) {
  return until(`receipt ${verdict} for ${hash}`, async () => (await standing(town)).some((item) =>
    item.receipts.some((env) => { const r = JSON.parse(env.payload); return r.hub === hub.id && r.order === hash && r.verdict === verdict; })), ms, 200);
}

// A resident with consent, in a home with this hub, accepted after its test; -> what later orders name.
export async function moveIn(town, hub, {name, address, group = 'natt', permitted = {start: '00:00', minutes: 1440}}) {
  const {larmteam, bistand, planerare} = town.staff;
  const resident = {resident: random(16), home: random(16), group, name, address, salt: random(32), code: code(4), identifier: code(6)};
  const at = {resident: resident.resident, home: resident.home, group};
  const put = await bistand.put(`/v1/residents/${resident.resident}`, {group, name, address, salt: resident.salt});
  if (put.status >= 300) throw new Error(`resident: ${put.status} ${put.text}`);
  const day = now().slice(0, 10);
  resident.assignment = await postOrder(town, [[larmteam, 'installer']], {
    type: 'assignment', version: 1, replaces: null, hub: hub.id, ...at, code: resident.code, cameras: [{id: 'cam1', identifier: resident.identifier}]});
  await hub.holdButton();
  await receipt(town, hub, resident.assignment.hash);
  resident.consent = await postOrder(town, [[bistand, 'care_manager'], [planerare, 'planner']], {
    type: 'consent', version: 1, replaces: null, ...at, withdrawn: false, decision: {from: day, to: null}, consent: {from: day, to: null},
    informed: {by: 'bistand', how: 'muntligt'}, permitted, supervisions_per_day: 10, max_minutes_per_day: 1440, timezone: 'Europe/Stockholm',
    name_hash: nameHash(resident.salt, {name, address})});
  resident.acceptance = await postOrder(town, [[larmteam, 'installer']], {
    type: 'acceptance', version: 1, replaces: null, hub: hub.id, ...at, assignment: resident.assignment.hash,
    checklist: [{item: 'bild med rätt beteckning', passed: true}, {item: 'rätt person', passed: true}]});
  await receipt(town, hub, resident.acceptance.hash);
  hub.resident = resident;
  return resident;
}

// Windows given as local times; replaces the schedule in force.
export async function schedule(town, hub, windows, {exceptions = [], wait = true} = {}) {
  const {planerare, bistand} = town.staff;
  const {resident, home, group} = hub.resident;
  const previous = hub.resident.schedule;
  const signed = await postOrder(town, [[planerare, 'planner'], [bistand, 'care_manager']], {
    type: 'schedule', version: (previous?.version ?? 0) + 1, replaces: previous?.hash ?? null, resident, home, group,
    timezone: 'Europe/Stockholm', valid_from: '2026-01-01', valid_to: null, windows, exceptions});
  hub.resident.schedule = {...signed, version: (previous?.version ?? 0) + 1};
  if (wait) await receipt(town, hub, signed.hash);
  return hub.resident.schedule;
}

// "22:30" in Stockholm, `minutes` from the instant `at`, and the local day's name.
export function localTime(minutes = 0, at = Date.now()) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat('en-GB', {
    timeZone: 'Europe/Stockholm', weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit',
  }).formatToParts(new Date(at + minutes * 60000)).map((part) => [part.type, part.value]));
  return {time: `${parts.hour}:${parts.minute}`, day: parts.weekday.toLowerCase(), date: `${parts.year}-${parts.month}-${parts.day}`};
}

export {makeOrder, postOrder};
