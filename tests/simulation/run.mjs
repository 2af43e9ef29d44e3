// A municipality's nights against the real relay, with faults planted from a seed:
//
//   node tests/simulation/run.mjs [--residents 60] [--providers 3] [--staff 36] [--nights 2] [--seed N] [--fastest 50]
//
// Ends with "N passed, N failed": the passed are planted faults alarmed once and windows with their one outcome.
import {mkdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {localTime} from '../e2e/lib/provision.mjs';
import {SimulatedClock} from './lib/clock.mjs';
import {Municipality, inParallel, nightBegins} from './lib/municipality.mjs';
import {Night} from './lib/night.mjs';
import {Pace} from './lib/pace.mjs';
import {Dice, night, planNight} from './lib/plan.mjs';
import {Verdict} from './lib/verdict.mjs';

const {values} = parseArgs({options: Object.fromEntries(['residents', 'providers', 'staff', 'nights', 'seed', 'fastest'].map((name) => [name, {type: 'string'}]))});
const given = {residents: 60, providers: 3, staff: 36, nights: 2, seed: Math.floor(Math.random() * 2 ** 32), fastest: 50,
  ...Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Number(text)]))};
console.log(`seed ${given.seed}: ${given.residents} residents, ${given.providers} providers, ${given.staff} staff, ${given.nights} nights`);

const minute = 60000;
const day = 24 * 60 * minute;
const dir = join(tmpdir(), `tillsyn-simulation-${process.pid}`);
mkdirSync(dir, {recursive: true});
const realStart = process.hrtime.bigint();
const seconds = () => Number((process.hrtime.bigint() - realStart) / 1000000n) / 1000;
const clockFile = join(dir, 'clock');
const clock = new SimulatedClock(clockFile, Math.ceil((Date.now() - day / 2) / day) * day + day / 2, given.fastest);  // the next noon
Date.now = () => Math.floor(clock.now());
const pace = new Pace(clock, given.fastest);
const dice = new Dice(given.seed);
const verdict = new Verdict();
const municipality = new Municipality(dir, {clock, clockFile, pace, ...given});
const windowsDone = {right: 0, wrong: []};
let simulated = 0;

// The next instant at which nights begin in local time.
function nextNight() {
  const {time} = localTime(0, clock.now());
  const [hours, minutes] = time.split(':').map(Number);
  const at = Math.floor(clock.now() / minute) * minute + (nightBegins - hours * 60 - minutes) * minute;
  return at > clock.now() ? at : at + day;
}

const iso = (ms) => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
const admins = () => municipality.sides.map(({staff}) => staff.granskare);

async function announce(from, to) {
  await inParallel(admins(), 4, async (admin) => {
    const planned = await admin.post('/v1/maintenance', {from: iso(from), to: iso(to), reason: 'underhåll'});
    if (planned.status !== 201) throw new Error(`maintenance: ${planned.status} ${planned.text}`);
  });
}

// The day is not simulated: over it lies maintenance that was announced, and the clock jumps inside that.
async function skipToNight(n) {
  const begin = nextNight();
  const from = Math.ceil((clock.now() + 20000) / 1000) * 1000;
  await pace.slowly(1, () => announce(from, from + 60 * minute));
  await clock.until(from + 1000);
  await pace.slowly(1, async () => {
    clock.jumpTo(begin);
    await inParallel(municipality.sides.flatMap(({staff}) => Object.values(staff)), 4, (person) => person.logIn());
    if (n % 4 === 3) await municipality.town.makeBundle();
  });
  return begin;
}

async function checkOutcomes({side, begin, windows}) {
  const expected = new Map(windows.filter(({home}) => home.side === side).map(({home, window, becomes}) => [`${home.at.resident}/${window.id}`, becomes]));
  const types = {completed: 'completed', missed: 'visit-taken', released: 'visit-taken', paused: 'paused'};
  const path = `/v1/supervisions?from=${iso(begin)}&to=${iso(begin + night.ends * minute)}`;
  for (let cursor = ''; cursor !== null;) {
    const {items, next} = (await side.staff.operator0.get(path + cursor)).json();
    for (const {resident, window, state, outcome} of items) {
      const becomes = expected.get(`${resident}/${window.id}`);
      if (state === 'done' && outcome?.type === types[becomes]) windowsDone.right += 1;
      else windowsDone.wrong.push(`${side.provider} ${window.id} ${window.date}: ${becomes}, is ${state} ${outcome?.type}`);
      expected.delete(`${resident}/${window.id}`);
    }
    cursor = next === null ? null : `&cursor=${next}`;
  }
  for (const [key, becomes] of expected) windowsDone.wrong.push(`${side.provider} ${key}: ${becomes}, and not in the list`);
}

async function oneNight(n) {
  const plan = planNight(dice, municipality, n);
  const undecided = plan.faults.find(({kind}) => kind === 'no_windows');
  if (undecided) Object.assign(undecided, await municipality.register(undecided.side, 'g0'));
  const begin = await skipToNight(n);
  const {date} = localTime(0, begin);
  await announce(begin + night.maintenance[0] * minute, begin + night.maintenance[1] * minute);
  const heard = [];
  const before = clock.now();
  await new Night(municipality, dice, {begin, date, ...plan}).run((provider, data) => heard.push([provider, data]));
  simulated += clock.now() - before;
  verdict.expect({begin, date, windows: plan.windows}, plan.faults);
  for (const [provider, data] of heard) verdict.judge(provider, data);
  await inParallel(municipality.sides, 2, (side) => checkOutcomes({side, begin, windows: plan.windows}));
  const polls = municipality.sides.flatMap(({homes}) => homes).reduce((sum, {hub}) => sum + hub.polls, 0);
  console.log(`night ${n + 1} ${date}: ${plan.faults.map(({kind}) => kind).join(' ')}; ${heard.length} alarms, ${polls} polls so far, at ${seconds().toFixed(0)} s`);
}

try {
  await pace.slowly(1, () => municipality.start());
  console.log(`moved in after ${seconds().toFixed(0)} s`);
  for (let n = 0; n < given.nights; ++n) await oneNight(n);
} finally {
  await municipality.stop();
  clock.close();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
}

const cameraYears = given.residents * simulated / (365.25 * day);
const wrong = [...verdict.unanswered(), ...verdict.wrong, ...windowsDone.wrong];
for (const line of wrong.slice(0, 60)) console.log(`WRONG ${line}`);
console.log(`alarms by kind: ${JSON.stringify(verdict.counts)}`);
for (const [kind, {n, median, longest}] of Object.entries(verdict.delaysByKind())) {
  console.log(`fault to alarm: ${kind} ${n}, median ${median.toFixed(1)} s, longest ${longest.toFixed(1)} s`);
}
console.log(`false alarms: ${verdict.falseAlarms} in ${cameraYears.toFixed(3)} camera-years, ${(verdict.falseAlarms / cameraYears).toFixed(1)} a camera-year`);
console.log(`windows: ${windowsDone.right} with their one outcome; ${seconds().toFixed(0)} s`);
console.log(`${windowsDone.right + verdict.delays.length} passed, ${wrong.length} failed`);
process.exitCode = wrong.length === 0 ? 0 : 1;
