// Copies of the log that leave the machine as they are made: whole at every moment, verified offline, through kills and with
// their folder gone; one that is not of this log is refused; and nothing of it keeps anybody's night waiting.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {closeSync, constants, existsSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {request} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {promisify} from 'node:util';
import {b64, hashOf, random, sha256} from './lib/crypto.mjs';
import {makeOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {localTime} from './lib/provision.mjs';
import {root} from './lib/town.mjs';
import {startTwoProviders} from './lib/two_providers.mjs';

const run = promisify(execFile);
const dir = join(tmpdir(), `tillsyn-copies-${process.pid}`);
let all, town, nord, syd, port;

before(async () => {
  all = await startTwoProviders(dir);
  ({town, nord, syd} = all);
  port = town.relayPort;
  mkdirSync(folder());
  await restarted(() => town.processes.stop(town.relayProcess));
}, {timeout: 150000});
after(async () => {
  await all?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

const folder = () => town.path('copies');
const copyOf = (side) => join(folder(), `${side.provider}.ledger`);
const lines = (side) => (existsSync(copyOf(side)) ? readFileSync(copyOf(side), 'utf8') : '').split('\n').filter((line) => line && !line.startsWith('{"checkpoint":'));
const holds = (side, hash) => lines(side).some((line) => JSON.parse(line).hash === hash);

async function restarted(end) {
  await end();
  await town.startRelay(port, {options: ['--watch', '127.0.0.1:0', '--ledger-copies', folder()]});
  for (const person of [nord, syd].flatMap(({staff}) => Object.values(staff))) await person.openSession();
}

function watched(path) {
  return new Promise((done, fail) => {
    request({host: '127.0.0.1', port: town.watchPort, path, agent: false}, (answer) => {
      let text = '';
      answer.on('data', (chunk) => { text += chunk; });
      answer.on('end', () => done({status: answer.statusCode, text}));
    }).on('error', fail).end();
  });
}

async function post(side) {
  const {resident, group} = side.hub.resident;
  const {order, hash} = makeOrder(side, [[side.staff['anna.berg'], 'operator']], {
    type: 'completed', resident, group, window: {id: 'w1', date: localTime().date}, answer: b64(sha256(random(8))), note: null});
  const answer = await side.staff['anna.berg'].post('/v1/orders', {order, note: null}).catch(() => null);
  return {status: answer?.status, hash};
}

// What of the copies stands in a provider's own list, by its manager; -> [[kind, reason]].
const copyAlarms = async (side, person = side.staff.chef) =>
  (await person.get('/v1/alarms')).json().items.filter(({kind}) => kind.startsWith('copy_')).map(({kind, reason}) => [kind, reason]);
const told = (side, expected, ms = 20000) =>
  until(`${side.provider} told ${JSON.stringify(expected)}`, async () => JSON.stringify(await copyAlarms(side)) === JSON.stringify(expected), ms, 250);

// By both verifiers; -> what they say.
async function verify(side, file = copyOf(side)) {
  const files = ['--root-list', town.path('root-list.json'), '--provider', side.provider];
  const said = (running) => running.then(() => '', (error) => error.stderr || error.message);
  return [await said(town.admin('ledger', 'verify', '--fleet-root', town.path('fleet-root.json'), ...files, file)),
    await said(run('python3', [join(root, 'tests/tools/verify_ledger.py'), ...files, file]))];
}

test('what is entered is in the copy at once, and the copy verifies like an export [AUD-1] [AUD-2]', async () => {
  const began = Date.now();
  const {hash, status} = await post(nord);
  assert.equal(status, 201);
  await until('the copy', () => holds(nord, hash), 5000, 20);
  console.log(`copied after ${Date.now() - began} ms`);
  for (const side of [nord, syd]) assert.deepEqual(await verify(side), ['', '']);
  assert.ok(!readFileSync(copyOf(syd), 'utf8').includes(nord.hub.id), 'each provider has a file of its own');
  const {text} = await watched('/metrics');
  assert.match(text, /^tillsyn_ledger_copied_entries\{provider="nord"\} [1-9]\d*$/m);
});

test('killed in the middle at any moment, the copy goes on and lacks nothing that was acknowledged [AUD-1] [AVA-3]', async () => {
  const acknowledged = [];
  for (let kill = 0; kill < 5; ++kill) {
    let goesOn = true;
    const posting = Promise.all([nord, syd].map(async (side) => {
      while (goesOn) {
        const {hash, status} = await post(side);
        if (status === 201) acknowledged.push([side, hash]);
      }
    }));
    const from = acknowledged.length;
    await until('some of it', () => acknowledged.length >= from + 5 + 7 * kill, 20000, 5);
    await restarted(async () => {
      town.relayProcess.kill('SIGKILL');
      await until('its end', () => town.relayProcess.exitCode !== null || town.relayProcess.signalCode !== null);
      goesOn = false;
      await posting;
    });
  }
  for (const [side, hash] of acknowledged) await until('it in the copy', () => holds(side, hash), 10000, 100);
  for (const side of [nord, syd]) assert.deepEqual(await verify(side), ['', '']);
});

test('with the folder gone everything goes on, it is an alarm in each provider\'s list, and made good when it is back [AUD-1] [AVA-7] [AVA-9]', async () => {
  renameSync(folder(), `${folder()}-away`);
  const missed = await post(nord);
  assert.equal(missed.status, 201);
  const {text} = await until('the word of it', async () => { const answer = await watched('/readyz'); return answer.status === 503 && answer; });
  assert.match(text, /The copy of provider nord's log cannot be written \(.*No such file or directory\): see to the folder/);
  assert.match(readFileSync(town.path('relay.log'), 'utf8'), /event=ledger_copy_failed provider=nord reason=copy_unwritable/);
  for (const side of [nord, syd]) {
    await told(side, [['copy_late', 'copy_unwritable']]);
    assert.deepEqual(await copyAlarms(side, side.staff['anna.berg']), [], 'not the night patrol\'s to see to');
  }
  assert.equal((await post(nord)).status, 201);
  writeFileSync(folder(), '');  // and now a file stands where the folder should
  assert.equal((await post(syd)).status, 201);
  rmSync(folder());
  renameSync(`${folder()}-away`, folder());
  await until('what was missed', () => holds(nord, missed.hash), 15000);
  await until('all is well', async () => (await watched('/readyz')).status === 200, 15000);
  for (const side of [nord, syd]) await told(side, []);
  for (const side of [nord, syd]) assert.deepEqual(await verify(side), ['', '']);
});

// A pipe that nobody writes to in the copy's place: whoever opens it waits for ever, as in a mount whose server is dead.
async function hang(file) {
  await run('mkfifo', [`${file}.pipe`]);
  linkSync(file, `${file}.kept`);
  linkSync(`${file}.pipe`, `${file}.hanging`);
  renameSync(`${file}.hanging`, file);
  return function heal() {
    renameSync(`${file}.kept`, file);
    closeSync(openSync(`${file}.pipe`, constants.O_WRONLY | constants.O_NONBLOCK));
    rmSync(`${file}.pipe`);
  };
}

test('a folder that hangs keeps nobody waiting, is an alarm, and does not keep the relay from ending [AUD-1] [AVA-3] [AVA-9]', async () => {
  const heal = await hang(copyOf(nord));
  for (const side of [nord, syd]) await told(side, [['copy_late', 'copy_behind']], 60000);  // one folder
  assert.match((await watched('/readyz')).text, /does not keep up: the folder of --ledger-copies does not answer/);
  const began = Date.now();
  const {hash, status} = await post(nord);
  assert.equal(status, 201);
  assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
  const asked = Date.now();
  await restarted(async () => {
    town.relayProcess.kill('SIGTERM');
    assert.deepEqual(await town.relayProcess.ended, {code: 0, signal: null});
  });
  assert.ok(Date.now() - asked < 12000, 'within what the unit gives it');
  assert.match(readFileSync(town.path('relay.log'), 'utf8'), /event=ledger_copy_left/);
  const {items} = (await nord.staff.chef.get('/v1/orders?limit=1000')).json();
  assert.ok(items.some(({entry, order}) => entry && hashOf('order', order.payload) === hash), 'what was acknowledged is there');
  assert.deepEqual(await copyAlarms(nord), [['copy_late', 'copy_behind']], 'not told anew');
  heal();
  await until('what was missed', () => holds(nord, hash), 20000);
  for (const side of [nord, syd]) await told(side, []);
  for (const side of [nord, syd]) assert.deepEqual(await verify(side), ['', '']);
});

test('a copy that was altered is refused, left as evidence, named and an alarm; the neighbour\'s goes on [AUD-1] [TEN-1]', async () => {
  const altered = (text) => text.replace('"what":"login"', '"what":"logon"');
  await restarted(async () => {
    await town.processes.stop(town.relayProcess);
    writeFileSync(copyOf(nord), altered(readFileSync(copyOf(nord), 'utf8')));
  });
  const evidence = readFileSync(copyOf(nord), 'utf8');
  const {text} = await until('the word of it', async () => { const answer = await watched('/readyz'); return answer.status === 503 && answer; });
  assert.match(text, /The copy of provider nord's log is not of this log \(.*altered before entry \d+.*\): keep it as evidence/);
  assert.equal((await post(nord)).status, 201);
  const {hash} = await post(syd);
  await until('the neighbour\'s', () => holds(syd, hash), 10000);
  assert.equal(readFileSync(copyOf(nord), 'utf8'), evidence);
  await told(nord, [['copy_disagrees', null]]);
  assert.deepEqual(await copyAlarms(syd), []);
  for (const said of await verify(nord)) assert.match(said, /of the entries \d+ to \d+ at least one is not as the log signed it|does not verify/);
  renameSync(copyOf(nord), `${copyOf(nord)}.evidence`);
  await until('a whole new one', async () => (await watched('/readyz')).status === 200 && lines(nord).length > 20, 15000);
  await told(nord, []);
  assert.deepEqual(await verify(nord), ['', '']);
});
