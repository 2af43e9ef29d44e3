// The relay killed (SIGKILL) under load, at random instants and at every system call that makes something durable: nothing that
// it has acknowledged is lost or changed, and the log verifies from its first entry.
//
//   TILLSYN_KILLS=500 node --test tests/e2e/relay_kills.test.mjs      how often at random; 20 unless told
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {promisify} from 'node:util';
import {b64, random, sha256} from './lib/crypto.mjs';
import {makeOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {enrolHub, localTime, moveIn, schedule, staffTown} from './lib/provision.mjs';
import {ScriptedHub} from './lib/scripted_hub.mjs';
import {root, Town} from './lib/town.mjs';

const run = promisify(execFile);
const dir = join(tmpdir(), `tillsyn-kills-${process.pid}`);
const kills = Number(process.env.TILLSYN_KILLS ?? 20);
const durable = 'fsync,fdatasync,ftruncate,rename,link,unlink,unlinkat';
let town, hub, port;

before(async () => {
  town = new Town(dir);
  await town.start();
  port = town.relayPort;
  await staffTown(town);
  hub = new ScriptedHub(town, 'one');
  await enrolHub(town, hub);
  hub.start();
  await town.makeBundle();
  await moveIn(town, hub, {name: 'Astrid Testsson', address: 'Provgatan 1'});
  await schedule(town, hub, [{id: 'w1', days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], start: localTime(-2).time, minutes: 60}]);
  hub.stop();
  await hub.loop;
}, {timeout: 150000});
after(async () => {
  await town?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

// What the relay has acknowledged: orders by hash, names by resident, and the newest event.
const acknowledged = {orders: new Map(), residents: new Map(), events: 0};

const outcome = () => ({type: 'completed', resident: hub.resident.resident, group: 'natt', window: {id: 'w1', date: localTime().date}, answer: b64(sha256(random(8))), note: null});

// One request that the relay may die of; -> the answer, or null if there was none.
const tried = (request) => request.catch(() => null);

// A session of before a restart has ended: the held login opens the next.
async function asPerson(person, request) {
  const answer = await tried(request());
  if (answer?.status !== 401) return answer;
  await person.openSession().catch(() => {});
  return tried(request());
}

// The same, until it is answered with 200: the load may have used up what one address gets.
const sure = (person, request) => until('an answer', async () => { const answer = await asPerson(person, request); return answer?.status === 200 ? answer : null; });

async function postOutcome(person) {
  const {order, hash} = makeOrder(town, [[person, 'operator']], outcome());
  const answer = await asPerson(person, () => person.post('/v1/orders', {order, note: null}));
  if (answer?.status === 201 || answer?.status === 200) acknowledged.orders.set(hash, {...answer.json().entry, payload: order.payload});
  return answer;
}

async function putName(person) {
  const resident = random(16);
  const body = {group: 'natt', name: `Provperson ${resident}`, address: 'Provgatan 3', salt: random(32)};
  const answer = await asPerson(person, () => person.put(`/v1/residents/${resident}`, body));
  if (answer?.status === 204) acknowledged.residents.set(resident, body.name);
  return answer;
}

let unacknowledged = [];
async function reportEvents() {
  if (unacknowledged.length === 0) unacknowledged = [hub.event('clock_untrusted'), hub.event('clock_trusted')];
  const answer = await tried(hub.report({events: unacknowledged}));
  if (answer?.status !== 200) return answer;
  const {events_acked: acked} = answer.json();
  assert.ok(acked >= acknowledged.events, `the hub was told ${acknowledged.events}, and now ${acked}`);
  acknowledged.events = acked;
  unacknowledged = unacknowledged.filter(({payload}) => JSON.parse(payload).n > acked);
  return answer;
}

// The whole of a list, page by page.
async function all(person, path) {
  const out = [];
  for (let query = ''; ;) {
    const {items, next} = (await sure(person, () => person.get(`${path}${query}`))).json();
    out.push(...items);
    if (next === null) return out;
    query = `?cursor=${next}`;
  }
}

let exported = null;
async function checkLog() {
  const file = town.path(`log-${random(4)}.ledger`);
  const files = ['--fleet-root', town.path('fleet-root.json'), '--root-list', town.path('root-list.json')];
  const exportNow = () => town.admin('ledger', 'export', '--relay', town.relay, ...files, '--bundle-key', town.path('bundle.key'), '--provider', town.provider, '--out', file).then(() => true, (error) => { if (!/too many|För många|too_many/i.test(error.message)) throw error; });
  await until('an export', exportNow);
  const earlier = exported ? ['--earlier', exported] : [];
  await town.admin('ledger', 'verify', ...files, '--provider', town.provider, ...earlier, file);
  await run('python3', [join(root, 'tests/tools/verify_ledger.py'), ...files.slice(2), '--provider', town.provider, ...earlier, file]);
  exported = file;
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(0, -1).map((text) => JSON.parse(text));
}

// Everything acknowledged is there, as it was acknowledged, and in the log.
async function checkNothingLost() {
  const orders = new Map((await all(town.staff.chef, '/v1/orders')).map(({order, entry}) => [order.payload, entry]));
  const log = await checkLog();
  for (const [hash, {seq, time, payload}] of acknowledged.orders) {
    assert.deepEqual(orders.get(payload), {seq, time}, `order ${hash}`);
    assert.deepEqual([log[seq].hash, log[seq].time], [hash, time]);
  }
  const names = new Map((await all(town.staff['anna.berg'], '/v1/residents')).map(({resident, name}) => [resident, name]));
  for (const [resident, name] of acknowledged.residents) assert.equal(names.get(resident), name, `the name of ${resident}`);
  assert.equal(log.filter(({kind}) => kind === 'event').length >= acknowledged.events, true, 'events in the log');
  assert.equal(new Set(log.filter(({kind, hash}) => kind !== 'relay' && hash).map(({kind, hash}) => kind + hash)).size, log.filter(({kind, hash}) => kind !== 'relay' && hash).length, 'nothing is entered twice');
}

const restart = () => town.startRelay(port);

describe('the relay is killed', () => {
  test(`${kills} times under load, at random instants [AVA-3] [AUD-1]`, async () => {
    let working = true;
    const keepOn = async (step) => {  // a breath where the answer was no
      while (working) if (!((await step())?.status < 300)) await new Promise((done) => setTimeout(done, 20));
    };
    const people = ['anna.berg', 'bo.ek'].map((name) => town.staff[name]);
    const load = [
      ...people.map((person) => keepOn(() => postOutcome(person))),
      keepOn(() => putName(town.staff.bistand)),
      keepOn(reportEvents),
    ];
    const counts = [];
    try {
      for (let i = 0; i < kills; ++i) {
        const before = acknowledged.orders.size;
        const some = 1 + Math.floor(Math.random() * 4);
        await until('something acknowledged', () => acknowledged.orders.size >= before + some, 20000, 1 + Math.random() * 20);
        town.relayProcess.kill('SIGKILL');
        assert.equal((await town.relayProcess.ended).signal, 'SIGKILL');
        counts.push(acknowledged.orders.size);
        await restart();
      }
    } finally {
      working = false;
      await Promise.all(load);
    }
    await checkNothingLost();
    console.log(`${kills} kills: ${acknowledged.orders.size} orders, ${acknowledged.residents.size} names and ${acknowledged.events} events acknowledged, none lost`);
    assert.ok(acknowledged.orders.size >= kills && acknowledged.residents.size > 0 && acknowledged.events > 0, JSON.stringify(counts));
  }, {timeout: 120000 + kills * 6000});

  // strace counts the calls of each thread, and the store is one thread's.
  // A call is hit only if it is made: the first number that nothing dies of ends the search.
  test('at every call that makes something durable [AVA-3] [AUD-1]', async () => {
    await town.processes.stop(town.relayProcess);
    let injected = 0;
    for (let call = 1; ; ++call) {
      const under = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${durable}`, '-e', `inject=${durable}:signal=KILL:when=${call}`];
      const started = await town.startRelay(port, {under}).then(() => true, () => false);
      if (started && await workload()) break;
      if (started) await town.relayProcess.ended;
      ++injected;
      await restart();
      await checkNothingLost();
      await town.processes.stop(town.relayProcess);
      assert.ok(call < 200, 'it ends');
    }
    assert.ok(injected >= 8, `only ${injected} calls were hit`);
    console.log(`${injected} durable calls found, ${injected} killed at`);
    await endTraced();
  }, {timeout: 480000});
});

// -> whether all of it was answered.
async function workload() {
  for (const step of [() => postOutcome(town.staff['anna.berg']), () => putName(town.staff.bistand), reportEvents, () => postOutcome(town.staff['bo.ek'])]) {
    if (!(await step())) return false;
  }
  return true;
}

// The relay is strace's child: ended itself, so that it is not left behind.
async function endTraced() {
  const tracer = town.relayProcess;
  const [relay] = readFileSync(`/proc/${tracer.pid}/task/${tracer.pid}/children`, 'utf8').trim().split(' ').map(Number);
  assert.ok(relay > 1);
  process.kill(relay, 'SIGTERM');
  await tracer.ended;
}
