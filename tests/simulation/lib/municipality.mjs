// A municipality: providers on one relay, each with staff, homes and a system of its own that is told of alarms. Everything
// is signed by whom the protocol names; nothing is put into the relay's store.
import {execFile} from 'node:child_process';
import {join, resolve} from 'node:path';
import {promisify} from 'node:util';
import {code, grant, right} from '../../e2e/lib/provision.mjs';
import {nameHash, now, random} from '../../e2e/lib/crypto.mjs';
import {postOrder} from '../../e2e/lib/person.mjs';
import {root, Town} from '../../e2e/lib/town.mjs';
import {WebhookReceiver} from '../../e2e/lib/webhook_receiver.mjs';
import {CityHub} from './city_hub.mjs';
import {Staff} from './staff.mjs';

const run = promisify(execFile);
export const timezone = 'Europe/Stockholm';
export const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const groups = 4;
const permitted = {start: '21:00', minutes: 600};
const roles = {tekniker: ['technician'], larmteam: ['installer'], bistand: ['care_manager'], planerare: ['planner'], granskare: ['log_reviewer', 'system_admin']};
const leaders = 2 + Object.keys(roles).length;  // chef and rattighet are the root list's

// Runs `job` on every item, some at a time.
export async function inParallel(items, width, job) {
  const left = [...items.entries()];
  const work = async () => { for (let next = left.shift(); next; next = left.shift()) await job(next[1], next[0]); };
  await Promise.all(Array.from({length: width}, work));
}

// Town's programs, under the simulated clock.
class SimulatedTown extends Town {
  constructor(dir, clockFile) {
    super(dir);
    const library = join(resolve(this.bin, '..'), 'tests/libsimulated_clock.so');
    this.under = ['env', `LD_PRELOAD=${library}`, `TILLSYN_SIMULATED_CLOCK=${clockFile}`];
  }

  startRelay(port) { return super.startRelay(port, {under: this.under}); }

  async admin(...args) {
    const [command, ...before] = this.under;
    return (await run(command, [...before, join(this.bin, 'tillsyn-admin'), ...args], {timeout: 600000, maxBuffer: 1 << 26})).stdout;
  }
}

export class Municipality {
  constructor(dir, {clock, clockFile, pace, providers, residents, staff}) {
    Object.assign(this, {clock, pace});
    this.town = new SimulatedTown(dir, clockFile);
    this.sides = Array.from({length: providers}, (_, i) => Object.assign(Object.create(this.town), {
      number: i, provider: i === 0 ? 'nord' : `p${i}`, homes: [], staff: {},
      operators: Math.max(1, Math.floor(staff / providers) - leaders), size: Math.floor(residents / providers) + (i < residents % providers ? 1 : 0)}));
  }

  async start() {
    await this.town.start();
    await this.#listProviders();
    this.receiverTls = this.town.ca.issue('receiver');
    await inParallel(this.sides, 4, (side) => this.#fill(side));
    await this.town.makeBundle();
  }

  async stop() {
    for (const {receiver, homes, staff} of this.sides) {
      receiver?.close();
      for (const {hub} of homes) hub.silence();
      for (const person of Object.values(staff)) person.close();
    }
    await this.town.stop();
  }

  async #listProviders() {
    const keys = new Map([['nord', this.town.relayKeys]]);
    for (const {provider} of this.sides.slice(1)) keys.set(provider, JSON.parse(await this.town.admin('relay-keys', '--store', this.town.path('relay'), '--provider', provider)));
    const granters = (side) => [['chef', 'manager'], ['rattighet', 'rights_admin']].map(([name, role]) => ({issuer: this.town.issuer.issuer, person: `${side.provider}.${name}`, role}));
    await this.town.makeRootList(2, (spec) => ({...spec, providers: this.sides.map((side) => ({
      ...spec.providers[0], id: side.provider, name: `Vård ${side.number}`, granters: granters(side), ledger_origin: `localhost/${side.provider}`,
      ledger_key: keys.get(side.provider).ledger_key}))}));
    await this.town.publish('root-list');
    await this.town.makeBundle();
  }

  async #fill(side) {
    await this.#hire(side);
    await this.#connectSystem(side);
    await inParallel(Array.from({length: side.size}), 4, (_, i) => this.#moveIn(side, i));
  }

  async #hire(side) {
    const member = (name) => (side.staff[name] = new Staff(side, `${side.provider}.${name}`, `127.1.${side.number}.1`));
    await Promise.all([member('chef'), member('rattighet')].map((person) => person.logIn()));
    const all = {...roles, ...Object.fromEntries(Array.from({length: side.operators}, (_, i) => [`operator${i}`, ['operator']]))};
    for (const [name, held] of Object.entries(all)) {
      await grant(side, `${side.provider}.${name}`, held.map((role) => right(role)));
      await member(name).logIn();
    }
  }

  async #connectSystem(side) {
    side.receiver = await new WebhookReceiver(this.receiverTls).listen();
    const added = await side.staff.granskare.post('/v1/integrations', {url: side.receiver.url, ca: this.town.ca.pem});
    if (added.status !== 201) throw new Error(`integration: ${added.status} ${added.text}`);
    side.receiver.secret = added.json().secret;
  }

  async #moveIn(side, i) {
    const hub = new CityHub(side, `${side.provider}-${i}`, `127.2.${side.number}.${i + 1}`, this.clock, this.pace);
    await hub.makeLinkKey();
    const {tekniker, larmteam, bistand, planerare} = side.staff;
    await postOrder(side, [[tekniker, 'technician']], {type: 'device', version: 1, replaces: null, hub: hub.id, device_key: hub.device.jwk, board: 'bench'});
    await hub.enrol((await tekniker.post(`/v1/hubs/${hub.id}/code`, {})).json().code);
    const {at} = await this.register(side, `g${i % groups}`);
    const assignment = await postOrder(side, [[larmteam, 'installer']], {
      type: 'assignment', version: 1, replaces: null, hub: hub.id, ...at, code: code(4), cameras: [{id: 'cam1', identifier: code(6)}]});
    await hub.report({countersigns: [hub.countersign(assignment.hash)]});
    await postOrder(side, [[larmteam, 'installer']], {
      type: 'acceptance', version: 1, replaces: null, hub: hub.id, ...at, assignment: assignment.hash,
      checklist: [{item: 'bild med rätt beteckning', passed: true}, {item: 'rätt person', passed: true}]});
    const home = {side, hub, at, assignment, windows: windowsOf(i)};
    home.schedule = await this.plan(home, [planerare, bistand]);
    hub.start();
    side.homes.push(home);
  }

  // A resident with a decision and consent, in no home with a hub yet; -> {at: what later orders name, consent}.
  async register(side, group) {
    const at = {resident: random(16), home: random(16), group};
    const [name, address, salt] = ['Prov Provsson', 'Provgatan 1', random(32)];
    const put = await side.staff.bistand.put(`/v1/residents/${at.resident}`, {group, name, address, salt});
    if (put.status >= 300) throw new Error(`resident: ${put.status} ${put.text}`);
    const consent = await this.decide(side, at, {version: 1, replaces: null, name_hash: nameHash(salt, {name, address})});
    return {at, consent};
  }

  decide(side, at, members) {
    const {bistand, planerare} = side.staff;
    const day = now().slice(0, 10);
    return postOrder(side, [[bistand, 'care_manager'], [planerare, 'planner']], {
      type: 'consent', ...at, withdrawn: false, decision: {from: day, to: null}, consent: {from: day, to: null}, informed: {by: 'bistand', how: 'muntligt'},
      permitted, supervisions_per_day: 10, max_minutes_per_day: 600, timezone, ...members});
  }

  // The home's windows as its next schedule.
  async plan(home, [planner, second] = [home.side.staff.planerare, home.side.staff.bistand]) {
    const version = (home.schedule?.version ?? 0) + 1;
    const signed = await postOrder(home.side, [[planner, 'planner'], [second, 'care_manager']], {
      type: 'schedule', version, replaces: home.schedule?.hash ?? null, ...home.at, timezone, valid_from: '2026-01-01', valid_to: null,
      windows: home.windows.map(({id, start, minutes}) => ({id, days: every, start, minutes})), exceptions: []});
    return {...signed, version};
  }
}

const clockTime = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
export const nightBegins = 22 * 60 + 30;  // local; windows lie 10 to 45 minutes after

// Two windows a night; which, differs from home to home.
function windowsOf(i) {
  const first = {offset: 10 + (i * 7) % 12, minutes: 5 + i % 6};
  const second = {offset: 28 + (i * 5) % 9, minutes: 4 + i % 5};
  return [first, second].map(({offset, minutes}, n) => ({id: `w${n + 1}`, offset, minutes, start: clockTime(nightBegins + offset)}));
}
