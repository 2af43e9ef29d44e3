// Clients that are slow, many, or send what nobody can mean, and a server whose clock is wrong: each is refused by rule and told
// why where it can be told, and whoever behaves is served all the while.
import assert from 'node:assert/strict';
import {rmSync} from 'node:fs';
import {request} from 'node:http';
import {connect as connectTcp} from 'node:net';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {connect as connectTls} from 'node:tls';
import {after, before, describe, test} from 'node:test';
import {SimulatedClock} from '../simulation/lib/clock.mjs';
import {b64, random, sha256} from './lib/crypto.mjs';
import {call} from './lib/https.mjs';
import {makeOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {localTime} from './lib/provision.mjs';
import {startTwoProviders} from './lib/two_providers.mjs';

const dir = join(tmpdir(), `tillsyn-hostile-${process.pid}`);
const year = 365 * 86400000;
const fast = 20;  // simulated seconds a second, for those who wait for the relay to lose patience
let all, town, nord, clock;

before(async () => {
  all = await startTwoProviders(dir);
  ({town, nord} = all);
  clock = new SimulatedClock(town.path('clock'), Date.now(), 1);
  await town.processes.stop(town.relayProcess);
  // The relay that is shipped, with every limit and timeout that it has; only what the time is comes from here.
  await town.startRelay(town.relayPort, {options: ['--watch', '127.0.0.1:0'],
    under: ['env', `LD_PRELOAD=${join(resolve(town.bin, '..'), 'tests/libsimulated_clock.so')}`, `TILLSYN_SIMULATED_CLOCK=${town.path('clock')}`]});
  for (const side of [all.nord, all.syd]) for (const person of Object.values(side.staff)) await person.openSession();
}, {timeout: 180000});
after(async () => {
  clock?.close();
  await all?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

const anna = () => nord.staff['anna.berg'];
async function isServed() {
  const list = await anna().get('/v1/supervisions');
  assert.equal(list.status, 200, list.text);
  assert.equal((await nord.hub.poll({...nord.hub.status, bundle: null})).status, 200);
}

function watched(path) {
  return new Promise((done, fail) => {
    const outgoing = request({host: '127.0.0.1', port: town.watchPort, path, agent: false}, (answer) => {
      let text = '';
      answer.on('data', (chunk) => { text += chunk; });
      answer.on('end', () => done({status: answer.statusCode, text}));
    });
    outgoing.on('error', fail);
    outgoing.end();
  });
}

// A connection that keeps what it hears, and when it was closed.
function listening(socket) {
  const heard = {text: '', closed: false, socket};
  socket.on('data', (chunk) => { heard.text += chunk; });
  socket.on('error', () => {});
  socket.on('close', () => { heard.closed = true; });
  return heard;
}
const tcp = (options = {}) => listening(connectTcp({host: '127.0.0.1', port: town.relayPort, ...options}));
function tls(options = {}) {
  return new Promise((done) => {
    const socket = connectTls({host: '127.0.0.1', port: town.relayPort, ca: town.ca.pem, servername: 'localhost', ...options}, () => done(heard));
    const heard = listening(socket);
    socket.once('close', () => done(heard));
  });
}

describe('slow clients', () => {
  before(() => clock.setRate(fast));
  after(() => clock.setRate(1));

  // A byte now and then, for as long as anybody listens.
  async function dribble(heard, bytes) {
    let sent = 0;
    await until('the relay to lose patience', () => {
      if (!heard.closed && sent < bytes.length) heard.socket.write(bytes.subarray(sent, ++sent));
      return heard.closed;
    }, 60000);
    return sent;
  }
  const endless = Buffer.alloc(100000, 'a');

  test('a header that comes byte by byte is cut off before it is whole [AVA-6]', async () => {
    const heard = await tls();
    heard.socket.write('GET /v1/client-jwks HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    assert.ok(await dribble(heard, endless) < endless.length);
    await isServed();
  });

  test('a body that comes byte by byte is cut off before it is whole [AVA-6]', async () => {
    const heard = await tls();
    heard.socket.write(`POST /v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${endless.length}\r\n\r\n`);
    assert.ok(await dribble(heard, endless) < endless.length);
    assert.doesNotMatch(heard.text, /HTTP\/1\.1 200/);
    await isServed();
  });

  test('a handshake that comes byte by byte, or not at all, is cut off [AVA-6]', async () => {
    const silent = tcp();
    const slow = tcp();
    await dribble(slow, Buffer.concat([Buffer.from([22, 3, 1, 64, 0, 1, 0, 63, 252, 3, 3]), Buffer.alloc(16000)]));
    await until('the silent one is cut off too', () => silent.closed);
    await isServed();
  });

  test('a connection that asks nothing is closed after its time, a client certificate or not [AVA-6]', async () => {
    const both = await Promise.all([tls(), tls({key: nord.hub.key, cert: nord.hub.cert})]);
    for (const heard of both) await until('it is closed', () => heard.closed, 60000);
    await isServed();
  });
});

describe('thousands of connections', () => {
  const inBatches = async (count, make) => {
    const out = [];
    while (out.length < count) out.push(...await Promise.all(Array.from({length: Math.min(50, count - out.length)}, make)));
    return out;
  };
  const drop = (all) => { for (const {socket} of all) socket.destroy(); };

  test('handshakes that are never finished keep nobody out, from the same address either [AVA-6]', async () => {
    const held = Array.from({length: 1200}, () => tcp());
    await until('some have given up their place', () => held.filter(({closed}) => closed).length >= 1200 - 512, 30000);
    assert.ok(held.some(({closed}) => !closed), 'the rest still hold theirs');
    await isServed();
    drop(held);
  });

  for (const [what, options] of [['without', () => ({})], ['with', () => ({key: all.syd.hub.strangerKey.key, cert: all.syd.hub.strangerKey.cert})]]) {
    test(`more than an address may hold, ${what} a client certificate that nobody knows: the longest idle make room [AVA-6]`, async () => {
      all.syd.hub.strangerKey ??= strangerKey();
      const held = await inBatches(1100, () => tls(options()));
      await until('the first have made room', () => held.filter(({closed}) => closed).length >= 100);
      assert.ok(held.slice(-500).every(({closed}) => !closed), 'not the newest');
      await isServed();
      drop(held);
    });
  }

  // A link key that no provider has enrolled.
  function strangerKey() {
    const {key, cert} = all.syd.hub;
    all.syd.hub.newLinkKey();
    const made = {key: all.syd.hub.key, cert: all.syd.hub.cert};
    Object.assign(all.syd.hub, {key, cert});
    return made;
  }
});

describe('what nobody can mean', () => {
  const deep = (depth) => `${'{"a":['.repeat(depth)}${']}'.repeat(depth)}`;
  const staff = (path, body, method = 'POST') => () => call(town.relay + path, {method, body, ca: town.ca.pem, headers: {authorization: `Bearer ${anna().token}`, 'content-type': 'application/json'}});
  const hub = (path, body) => () => nord.hub.post(path, body);
  const report = (members) => ({format: 1, status: null, answers: [], receipts: [], countersigns: [], events: [], ...members});
  const cases = {
    'a body a byte too long': [staff('/v1/orders', 'x'.repeat(128 * 1024 + 1)), 413, 'body_too_large'],
    'a hub\'s poll too long': [hub('/hub/v1/poll', 'x'.repeat(32 * 1024 + 1)), 413, 'body_too_large'],
    'JSON ten thousand deep': [staff('/v1/orders', deep(10000)), 400, 'malformed'],
    'JSON as deep, of a hub': [hub('/hub/v1/report', deep(10000)), 400, 'malformed'],
    'a list of sixty thousand where an order stands': [staff('/v1/orders', {order: Array.from({length: 60000}, () => 0), note: null}), 400, 'malformed'],
    'more documents than a report holds': [hub('/hub/v1/report', report({events: Array.from({length: 257}, () => ({payload: 'x', sig: 'x'}))})), 400, 'malformed'],
    'a hundred thousand documents': [hub('/hub/v1/report', JSON.stringify(report({answers: Array.from({length: 100000}, () => 0)}))), 400, 'malformed'],
    'a number that is none': [staff('/v1/orders', '{"order":1e999,"note":null}'), 400, 'malformed'],
    'a member twice': [staff('/v1/orders', '{"note":null,"note":null,"order":{}}'), 400, 'malformed'],
    'bytes that are no text': [staff('/v1/orders', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), 400, 'malformed'],
    'a page of a million': [staff('/v1/supervisions?limit=1000000', undefined, 'GET'), 400, 'malformed'],
    'a page of none': [staff('/v1/supervisions?limit=0', undefined, 'GET'), 400, 'malformed'],
    'a place that nobody gave': [staff('/v1/supervisions?cursor=%2e%2e%2f', undefined, 'GET'), 400, 'malformed'],
  };
  for (const [what, [send, status, code]] of Object.entries(cases)) {
    test(`${what}: ${status} ${code}, and the relay goes on [AVA-6] [INT-1]`, async () => {
      const answer = await send();
      assert.deepEqual([answer.status, answer.json().code], [status, code], answer.text.slice(0, 300));
      await isServed();
    });
  }

  test('a body without end is refused as soon as it is too long [AVA-6]', async () => {
    const heard = await tls();
    heard.socket.write('POST /v1/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
    const piece = Buffer.concat([Buffer.from('4000\r\n'), Buffer.alloc(0x4000, 'a'), Buffer.from('\r\n')]);
    await until('the refusal', () => {
      if (!heard.closed && heard.text === '') heard.socket.write(piece);
      return heard.text.includes('body_too_large');
    });
    assert.match(heard.text, /^HTTP\/1\.1 413 /);
    heard.socket.destroy();
    await isServed();
  });
});

describe('a server whose clock is wrong', () => {
  const mark = () => {
    const {order} = makeOrder(nord, [[anna(), 'operator']], {type: 'completed', resident: nord.hub.resident.resident, group: nord.hub.resident.group,
      window: {id: 'w1', date: localTime().date}, answer: b64(sha256(random(8))), note: null});
    return anna().post('/v1/orders', {order, note: null});
  };
  const entries = async () => (await nord.staff.granskare.get('/v1/ledger/entries?limit=1000')).json().items.map((text) => JSON.parse(text));

  const isInOrder = (all) => assert.ok(all.every(({time}, i) => i === 0 || all[i - 1].time <= time), 'no entry is earlier than the one before it');

  test('a year back: nobody logs in or signs, the operator is told to set it; right again, all goes on [AVA-3] [AVA-7]', async () => {
    const before = await mark();
    assert.equal(before.status, 201, before.text);
    clock.jumpTo(Date.now() - year);
    const {status, text} = await watched('/readyz');
    assert.equal(status, 503);
    assert.match(text, /This machine's clock says .*, but provider nord's log ends at .*: set the clock/);
    assert.deepEqual([(await mark()).status, (await anna().tryOpenSession()).json().code], [403, 'auth_in_future']);
    assert.equal((await nord.hub.poll({...nord.hub.status, bundle: null})).status, 200, 'a hub judges time by its own clock');
    clock.jumpTo(Date.now());
    assert.equal((await watched('/readyz')).status, 200);
    const later = await mark();
    assert.equal(later.status, 201, later.text);
    const log = await entries();
    isInOrder(log);
    for (const {entry, hash} of [before.json(), later.json()]) assert.equal(log[entry.seq].hash, hash);
  });

  test('a year ahead: what is trusted has run out and it is said; right again, all goes on, and the log\'s time never went back [AVA-3] [AVA-7]', async () => {
    clock.jumpTo(Date.now() + year);
    const {status, text} = await watched('/readyz');
    assert.equal(status, 503);
    assert.match(text, /The root list has run out: .* If it has not, this machine's clock is wrong/);
    assert.deepEqual([(await mark()).json().code, (await anna().tryOpenSession()).json().code], ['no_session', 'root_list_expired']);
    assert.equal((await nord.hub.poll({...nord.hub.status, bundle: null})).status, 200);
    clock.jumpTo(Date.now());
    assert.match((await watched('/readyz')).text, /If it is right now, it was wrong then/);
    for (const person of Object.values(nord.staff)) await person.openSession();
    const later = await mark();
    assert.equal(later.status, 201, later.text);
    const log = await entries();
    isInOrder(log);
    assert.equal(log[later.json().entry.seq].hash, later.json().hash);
  });
});
