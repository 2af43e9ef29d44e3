// What the one who runs a relay meets: health and figures, restarts, a second relay by mistake, lost keys, damaged files, a full
// disk. Each is refused or degraded with a sentence that says what to do, and nothing acknowledged is lost.
import assert from 'node:assert/strict';
import {closeSync, copyFileSync, existsSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeSync} from 'node:fs';
import {request} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {b64, random, sha256, unb64} from './lib/crypto.mjs';
import {call} from './lib/https.mjs';
import {makeOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {localTime} from './lib/provision.mjs';
import {frame} from './lib/scripted_hub.mjs';
import {ScriptedViewer} from './lib/scripted_viewer.mjs';
import {startTwoProviders} from './lib/two_providers.mjs';

const dir = join(tmpdir(), `tillsyn-operation-${process.pid}`);
const watching = {options: ['--watch', '127.0.0.1:0']};
let all, town, nord, syd, port;

before(async () => {
  all = await startTwoProviders(dir);
  ({town, nord, syd} = all);
  port = town.relayPort;
  await town.processes.stop(town.relayProcess);
  await town.startRelay(port, watching);
  for (const person of [nord, syd].flatMap(({staff}) => Object.values(staff))) await person.openSession();
}, {timeout: 150000});
after(async () => {
  await all?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

const log = () => readFileSync(town.path('relay.log'), 'utf8');
const stored = (name) => town.path('relay', name);

function watched(path, {method = 'GET'} = {}) {
  return new Promise((done, fail) => {
    const outgoing = request({host: '127.0.0.1', port: town.watchPort, path, method, agent: false}, (answer) => {
      let text = '';
      answer.on('data', (chunk) => { text += chunk; });
      answer.on('end', () => done({status: answer.statusCode, text, json: () => JSON.parse(text)}));
    });
    outgoing.on('error', fail);
    outgoing.end();
  });
}

// A relay that is to refuse to start; -> what it said and how it ended.
async function refusal(change = {}, at = port) {
  const from = log().length;
  await assert.rejects(town.startRelay(at, change), /ended at once/);
  return until('its words', () => /cannot start: .*\n/.exec(log().slice(from))?.[0]);
}

async function postOutcome(side) {
  const {resident, group} = side.hub.resident;
  const {order, hash} = makeOrder(side, [[side.staff['anna.berg'], 'operator']], {
    type: 'completed', resident, group, window: {id: 'w1', date: localTime().date}, answer: b64(sha256(random(8))), note: null});
  const answer = await side.staff['anna.berg'].post('/v1/orders', {order, note: null}).catch(() => null);
  return {answer, hash, order};
}
async function restarted(change = watching) {
  await town.startRelay(port, change);
  for (const side of [nord, syd]) for (const person of Object.values(side.staff)) await person.openSession().catch(() => {});
}

describe('health and figures', () => {
  test('are on a listener of their own, on loopback alone [AVA-7] [INT-4]', async () => {
    assert.deepEqual((await watched('/livez')).json(), {live: true});
    assert.deepEqual((await watched('/readyz')).json(), {ready: true, trouble: null});
    assert.equal((await watched('/v1/client-jwks')).status, 404);
    assert.equal((await watched('/metrics', {method: 'POST'})).status, 404);
    assert.equal((await call(`${town.relay}/metrics`, {ca: town.ca.pem})).status, 404);
    await town.processes.stop(town.relayProcess);
    for (const address of ['0.0.0.0:0', '[::]:0', '192.0.2.1:9464', 'localhost:9464']) {
      assert.match(await refusal({options: ['--watch', address]}), /cannot start: cannot (watch|listen) on /, address);
    }
    await restarted();
  });

  test('say what is the matter, without a word about anybody [AVA-7] [PRI-12]', async () => {
    await until('both hubs are heard', async () => /tillsyn_hubs\{provider="syd",state="online"\} 1/.test((await watched('/metrics')).text) && /provider="nord",state="online"\} 1/.test((await watched('/metrics')).text));
    await postOutcome(nord);
    const {text} = await watched('/metrics');
    for (const line of [/^tillsyn_ready 1$/m, /^tillsyn_requests_total\{method="POST",route="\/v1\/orders",status="201"\} \d+$/m, /^tillsyn_provider_served\{provider="nord"\} 1$/m,
      /^tillsyn_ledger_entries\{provider="syd"\} \d+$/m, /^tillsyn_trust_expires_seconds\{document="bundle"\} \d/m, /^tillsyn_request_seconds_count/m, /^tillsyn_store_queue \d/m]) assert.match(text, line);
    for (const side of [nord, syd]) {
      const {resident, name, address, home} = side.hub.resident;
      for (const mark of [side.hub.id, resident, home, name, address, side.issuer.issuer, ...Object.keys(side.staff), ...Object.values(side.staff).map(({token}) => token)]) {
        assert.ok(!text.includes(mark) && !log().includes(`${mark}"`) && !log().includes(`${mark} `), mark);
      }
    }
  });

  test('a relay without trust documents is not ready, and says what it lacks [AVA-7]', async () => {
    const port = town.watchPort;
    const {child, ready} = await town.processes.startServer('fresh-relay', join(town.bin, 'tillsyn-relay'), ['--listen', '127.0.0.1:0', '--tls-cert', town.relayTls.cert, '--tls-key', town.relayTls.key,
      '--fleet-root', town.path('fleet-root.json'), '--store', town.path('fresh'), '--watch', '127.0.0.1:0']);
    town.watchPort = ready.watched;
    const {status, text} = await watched('/readyz');
    town.watchPort = port;
    assert.equal(status, 503);
    assert.match(text, /No root list yet: hand it in/);
    await town.processes.stop(child);
  });

  test('a second relay on the same store is refused, and the first goes on [AVA-3]', async () => {
    const {relayProcess, relayPort, relay, watchPort} = town;
    assert.match(await refusal({}, 0), /another relay runs on this store: stop that one first/);
    assert.deepEqual({relayProcess: town.relayProcess, relayPort: town.relayPort, relay: town.relay, watchPort: town.watchPort}, {relayProcess, relayPort, relay, watchPort});
    assert.equal((await watched('/readyz')).status, 200);
  });
});

describe('a restart', () => {
  test('tells pages to come back and hubs that their stream has ended, and loses nothing [AVA-3] [AVA-4]', async () => {
    const viewer = await new ScriptedViewer(nord, nord.staff['anna.berg']).connect();
    let closed;
    viewer.socket.on('close', (code) => { closed = code; });
    const {order, hash} = await viewer.makeView(nord.hub);
    const asked = viewer.ask(order);
    await nord.hub.offered(hash);
    const stream = random(16);
    await nord.hub.report({answers: [nord.hub.open(order, stream)]});
    await asked;
    const upload = nord.hub.stream(stream);
    const response = await upload.response;
    upload.send(frame());
    await until('a frame', () => viewer.frames.length > 0);
    viewer.sendLife(Buffer.concat([unb64(stream), Buffer.alloc(48)]));
    const {answer, order: done} = await postOutcome(nord);
    town.relayProcess.kill('SIGTERM');
    assert.deepEqual(await town.relayProcess.ended, {code: 0, signal: null});
    await response.ended;
    await until('the page hears', () => closed !== undefined);
    assert.equal(closed, 1012);
    assert.ok(viewer.texts.some(({type}) => type === 'end'));
    await restarted();
    const entries = (await nord.staff.granskare.get('/v1/ledger/entries?limit=1000')).json().items.map((text) => JSON.parse(text));
    assert.ok(entries.some(({what, hash: of, reason}) => what === 'view_stopped' && of === hash && reason === 'relay_restarts'));
    assert.ok((await nord.staff.chef.get('/v1/orders')).json().items.some((item) => item.order.payload === done.payload && item.entry.seq === answer.json().entry.seq));
    await until('the hub is back', async () => (await nord.staff['anna.berg'].get('/v1/hubs')).json().items.some(({online}) => online));
  });
});

describe('files that are not as they were', () => {
  // Does it to the stopped relay's file, and puts it back.
  async function with_(name, harm, check) {
    await town.processes.stop(town.relayProcess);
    for (const side of ['nord', 'syd', 'relay.shared']) for (const end of ['-wal', '-shm']) assert.ok(!existsSync(stored(`${side}.db${end}`)), 'a relay that was stopped leaves its files whole');
    copyFileSync(stored(name), town.path('saved'));
    harm(stored(name));
    try {
      await check();
    } finally {
      if (town.processes.running.has(town.relayProcess)) await town.processes.stop(town.relayProcess);
      for (const found of readdirSync(town.path('relay')).filter((one) => one.startsWith(name))) rmSync(stored(found));
      copyFileSync(town.path('saved'), stored(name));
      await restarted();
    }
  }
  const overwrite = (file) => {
    const fd = openSync(file, 'r+');
    for (let at = 4096; at < statSync(file).size; at += 4096) writeSync(fd, Buffer.alloc(4096, 0xa5), 0, 4096, at);
    closeSync(fd);
  };

  for (const [name, says] of [['nord.ledger-key', /nord\.ledger-key is lost, and nord\.db needs it: put the key file back/], ['nord.data-key', /nord\.data-key is lost/]]) {
    test(`${name}, lost: that provider is not served, no new key is made, the others go on [PRI-6] [TEN-1]`, () => with_(name, rmSync, async () => {
      await restarted();
      const {status, text} = await watched('/readyz');
      assert.equal(status, 503);
      assert.match(text, says);
      assert.match(log(), says);
      assert.ok(!existsSync(stored(name)));
      assert.equal((await nord.staff.chef.tryOpenSession()).status, 404);
      assert.equal((await postOutcome(syd)).answer.status, 201);
    }));
  }

  test('relay.client-key, lost: the relay does not start [IAM-10]', () => with_('relay.client-key', rmSync, async () => {
    assert.match(await refusal(), /relay\.client-key is lost, and relay\.shared\.db needs it/);
  }));

  test('a provider\'s database, written over: that provider is not served, the others go on [AVA-5] [TEN-1]', () => with_('nord.db', overwrite, async () => {
    await restarted();
    const {status, text} = await watched('/readyz');
    assert.equal(status, 503);
    assert.match(text, /nord\.db is damaged or cannot be read: .* restore the backup/);
    assert.equal((await nord.staff.chef.tryOpenSession()).status, 404);
    assert.equal((await postOutcome(syd)).answer.status, 201);
  }));

  for (const [what, harm] of [['written over', overwrite], ['not a database at all', (file) => { const fd = openSync(file, 'r+'); writeSync(fd, 'x'.repeat(200)); closeSync(fd); }]]) {
    test(`relay.shared.db, ${what}: the relay does not start, and leaves it as it is [AVA-5]`, () => with_('relay.shared.db', harm, async () => {
      const harmed = readFileSync(stored('relay.shared.db'));
      assert.match(await refusal(), /relay\.shared\.db is damaged or cannot be read/);
      assert.deepEqual(readFileSync(stored('relay.shared.db')), harmed);
    }));
  }
});

describe('a disk', () => {
  // As SQLite meets it: writes that find no room, from the n-th on.
  for (const [what, inject] of [['that is full', 'pwrite64:error=ENOSPC:when=60+'], ['that fails', 'fdatasync:error=EIO:when=12+']]) {
    test(`${what}: nothing more is taken in, the relay says why and ends for its supervisor to try again [AVA-3] [LOG-15]`, async () => {
      await town.processes.stop(town.relayProcess);
      const from = log().length;
      await town.startRelay(port, {...watching, under: ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${inject.split(':')[0]}`, '-e', `inject=${inject}`]});
      await nord.staff['anna.berg'].openSession().catch(() => {});
      const posted = [];
      for (let i = 0; i < 40; ++i) {
        const one = await postOutcome(nord);
        posted.push(one);
        if (!one.answer) break;
        if (one.answer.status !== 201) assert.deepEqual([one.answer.status, one.answer.json().code], one.answer.status === 401 ? [401, 'no_session'] : [503, 'store_fault'], one.answer.text);
      }
      assert.deepEqual(await town.relayProcess.ended, {code: 75, signal: null});
      assert.match(log().slice(from), /event=store_failed what="The disk failed or is full: make room or replace it, then restart/);
      await restarted();
      const {items} = (await nord.staff.chef.get('/v1/orders')).json();
      for (const {answer, order} of posted.filter((one) => one.answer?.status === 201)) {
        assert.ok(items.some((item) => item.order.payload === order.payload && item.entry.seq === answer.json().entry.seq), 'an acknowledged order is there');
      }
      assert.equal((await postOutcome(nord)).answer.status, 201);
    });
  }
});
