// More is asked of the relay than it can do: who is refused first, and that nobody's flood is paid by another. The real relay,
// with TLS and its store; the flood comes from a program of its own.
import assert from 'node:assert/strict';
import {rmSync, writeFileSync} from 'node:fs';
import {request} from 'node:http';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {after, before, describe, test} from 'node:test';
import {b64, random, sha256, unb64} from './lib/crypto.mjs';
import {call} from './lib/https.mjs';
import {makeOrder, Person} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {localTime, makeAdministrator} from './lib/provision.mjs';
import {frame} from './lib/scripted_hub.mjs';
import {ScriptedViewer} from './lib/scripted_viewer.mjs';
import {startTwoProviders} from './lib/two_providers.mjs';
import {WebhookReceiver} from './lib/webhook_receiver.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const dir = join(tmpdir(), `tillsyn-overload-${process.pid}`);
const entriesOfLog = 1000;  // so many make a reading dear
let all, town, nord, syd;

before(async () => {
  all = await startTwoProviders(dir);
  ({town, nord, syd} = all);
  await town.processes.stop(town.relayProcess);
  await town.startRelay(town.relayPort, {options: ['--watch', '127.0.0.1:0']});
  for (const side of [nord, syd]) {
    for (const person of Object.values(side.staff)) await person.openSession();
    await makeAdministrator(side);
    for (let n = 0; n < entriesOfLog; n += 100) {
      const taken = await side.hub.report({events: Array.from({length: 100}, () => side.hub.event('window_opened'))});
      assert.equal(taken.status, 200, taken.text);
    }
    await connect(side);
  }
}, {timeout: 300000});
after(async () => {
  for (const {receiver} of [nord, syd].filter(Boolean)) receiver?.close();
  await all?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

// A system of the provider's that is told of alarms.
async function connect(side) {
  side.receiver = await new WebhookReceiver(town.ca.issue(`receiver-${side.provider}`)).listen();
  const added = await side.staff.granskare.post('/v1/integrations', {url: side.receiver.url, ca: town.ca.pem});
  assert.equal(added.status, 201, added.text);
  side.receiver.secret = added.json().secret;
}

function metrics() {
  return new Promise((done, fail) => {
    const outgoing = request({host: '127.0.0.1', port: town.watchPort, path: '/metrics', agent: false}, (answer) => {
      let text = '';
      answer.on('data', (chunk) => { text += chunk; });
      answer.on('end', () => done(text));
    });
    outgoing.on('error', fail);
    outgoing.end();
  });
}
const refusedFor = async (provider, reason) => Number(new RegExp(`tillsyn_refused_total\\{provider="${provider}",reason="${reason}"\\} (\\d+)`).exec(await metrics())?.[1] ?? 0);

// `callers` ask without end while `during` runs; -> what they were answered.
async function flooded(callers, during, addresses) {
  const config = town.path(`flood-${random(6)}.json`);
  writeFileSync(config, JSON.stringify({url: town.relay, ca: town.ca.pem, callers, addresses}));
  let told;
  const child = town.processes.start('flood', 'node', [join(here, 'lib/flood.mjs'), config], {onLine: (line) => { told = JSON.parse(line); }});
  try {
    await during();
  } finally {
    await town.processes.stop(child);
  }
  return until('what the flood was answered', () => (told?.counts ? told : null));
}

// Sessions of one person's reading the whole log over and over, and a hub that hands in what nobody can read.
async function flooders(side) {
  const readers = [];
  for (let i = 0; i < 4; ++i) {
    await side.staff.granskare.openSession();
    readers.push({method: 'GET', path: `/v1/ledger/entries?limit=${entriesOfLog}`, headers: {authorization: `Bearer ${side.staff.granskare.token}`}, parallel: 48});
  }
  const nonsense = Array.from({length: 200}, () => ({payload: 'x'.repeat(200), sig: b64(Buffer.alloc(64))}));
  return [...readers, {method: 'POST', path: '/hub/v1/report', key: side.hub.key, cert: side.hub.cert, parallel: 16, headers: {},
    body: {format: 1, status: null, answers: [], receipts: nonsense.slice(0, 100), countersigns: [], events: []}}];
}

const mark = (side, body) => makeOrder(side, [[side.staff['anna.berg'], 'operator']], {
  resident: side.hub.resident.resident, group: side.hub.resident.group, window: {id: 'w1', date: localTime().date}, ...body});
async function post(side, body) {
  const {order, hash} = mark(side, body);
  const answer = await side.staff['anna.berg'].post('/v1/orders', {order, note: null});
  return {answer, hash};
}

// One view from its order to its first frame; -> what goes on with it.
async function openView(side) {
  const viewer = await new ScriptedViewer(side, side.staff['anna.berg']).connect();
  const {order, hash} = await viewer.makeView(side.hub);
  const asked = viewer.ask(order);
  await side.hub.offered(hash);
  const stream = random(16);
  assert.equal((await side.hub.report({answers: [side.hub.open(order, stream)]})).status, 200);
  assert.ok((await asked).answer, 'the hub\'s answer reaches the viewer');
  const upload = side.hub.stream(stream);
  const response = await upload.response;
  upload.send(frame());
  await until('the first frame', () => viewer.frames.length > 0);
  return {viewer, upload, response, hash, life: () => viewer.sendLife(Buffer.concat([unb64(stream), Buffer.alloc(48)]))};
}

const entries = async (side) => {
  const out = [];
  for (let cursor = '';;) {
    const {items, next} = (await side.staff.granskare.get(`/v1/ledger/entries?limit=1000${cursor}`)).json();
    out.push(...items.map((text) => JSON.parse(text)));
    if (next === null || next === undefined || items.length === 0) return out;
    cursor = `&cursor=${next}`;
  }
};

// What staff on duty do in a night; every step succeeds at the first try. -> how long a list took, in ms.
async function nightOf(side) {
  const median = await listAndView(side);
  const {answer} = await post(side, {type: 'unable', reason: 'mörkt'});
  assert.equal(answer.status, 201, answer.text);
  const told = await until('the alarm, told to the provider\'s own system', () => [...side.receiver.taken].find(({body}) => body.type === 'alarm_raised' && body.data.kind === 'visit_needed'));
  const taken = await side.staff['anna.berg'].post(`/v1/alarms/${told.body.data.id}/acknowledgement`, {});
  assert.equal(taken.status, 200, taken.text);
  assert.equal(taken.json().acknowledged.who.person, 'anna.berg');
  return median;
}

async function listAndView(side) {
  const times = [];
  for (let i = 0; i < 10; ++i) {
    const began = performance.now();
    const list = await side.staff['anna.berg'].get('/v1/supervisions');
    times.push(performance.now() - began);
    assert.equal(list.status, 200, list.text);
  }
  const {viewer, upload} = await openView(side);
  upload.end();
  await until('the end of the view', () => viewer.texts.some(({type}) => type === 'end'));
  viewer.close();
  return times.sort((a, b) => a - b)[5];
}

describe('one provider\'s flood', () => {
  for (const turn of [['nord', 'syd'], ['syd', 'nord']]) {
    test(`of ${turn[0]}'s is refused ${turn[0]}, while ${turn[1]}'s staff get list, view, mark and acknowledgement at the first try [AVA-6] [TEN-1]`, async (t) => {
      const [from, other] = turn.map((id) => ({nord, syd})[id]);
      let median;
      const refusedBefore = await refusedFor(other.provider, '[a-z_]+');
      const {counts, refusals, served} = await flooded(await flooders(from), async () => {
        await until('the flood is refused', async () => await refusedFor(from.provider, 'provider_queue') > 0, 60000);
        median = await nightOf(other);
      });
      assert.ok(counts[200] > 0, 'the flood is served its share');
      assert.equal(refusals[503].retryAfter, '5');
      assert.match(JSON.parse(refusals[503].text).detail, /Relät är överbelastat just nu/);
      assert.equal(await refusedFor(other.provider, '[a-z_]+'), refusedBefore, 'nobody of the other provider\'s was refused anything');
      const itsOwn = served.sort((a, b) => a - b)[Math.floor(served.length / 2)];
      t.diagnostic(`a list took ${Math.round(median)} ms, one of the flood's ${itsOwn} ms; the flood: ${JSON.stringify(counts)}`);
      assert.ok(median < itsOwn, `the other's list took ${median} ms, one of the flood's ${itsOwn} ms`);
    });
  }
});

describe('under a flood that the store cannot serve', () => {
  test('lists are refused first, hubs\' polls go on, marks too, and a running view is not disturbed [AVA-6]', async () => {
    const running = await openView(nord);
    const framesBefore = running.viewer.frames.length;
    const {refusals} = await flooded(await flooders(nord), async () => {
      await until('the flood is refused', async () => await refusedFor('nord', 'provider_queue') > 0, 60000);
      const list = await until('a list of nord\'s is refused', async () => {
        const answer = await nord.staff['bo.ek'].get('/v1/supervisions');
        return answer.status === 503 ? answer : null;
      }, 60000, 5);
      assert.equal(list.headers['retry-after'], '5');
      assert.match(list.json().detail, /överbelastat/);
      for (let i = 0; i < 10; ++i) {
        const polled = await nord.hub.poll({...nord.hub.status, bundle: null});  // it lacks one: there is something to say at once
        assert.equal(polled.status, 200, polled.text);
        running.upload.send(frame());
        running.life();
      }
      assert.equal((await post(nord, {type: 'completed', answer: b64(sha256(random(8))), note: null})).answer.status, 201);
      await until('every frame', () => running.viewer.frames.length === framesBefore + 10);
      await until('signs of life', () => Buffer.concat(running.response.chunks).length >= 10 * 64);
      running.viewer.end();
      await running.response.ended;
    });
    assert.ok(refusals[503]);
    assert.ok((await entries(nord)).some(({what, hash, reason}) => what === 'view_stopped' && hash === running.hash && reason === 'viewer_ended'));
    running.viewer.close();
  });

  test('strangers with made-up tokens are refused by where they come from, and staff are served [AVA-6]', async () => {
    const refusedBefore = await refusedFor('syd', '[a-z_]+');
    const made = (path, method = 'GET') => ({method, path, headers: {authorization: `Bearer ${random(32)}`}, parallel: 40});
    const {counts, refusals} = await flooded([made('/v1/orders'), made('/v1/supervisions'), made('/v1/session/challenge', 'POST'), made('/v1/client-jwks')], async () => {
      await until('strangers are refused', async () => await refusedFor('', 'caller_rate') > 0, 60000);
      await listAndView(syd);
      assert.equal((await post(syd, {type: 'completed', answer: b64(sha256(random(8))), note: null})).answer.status, 201);
    }, ['127.9.0.1', '127.9.0.2']);
    assert.ok(counts[401] > 0);
    assert.match(JSON.parse(refusals[429].text).detail, /För många anrop/);
    assert.equal(await refusedFor('syd', '[a-z_]+'), refusedBefore);
  });

  test('an identity provider that does not answer holds up its own provider\'s logins alone [AVA-6] [TEN-1]', async () => {
    let given = 0;
    const {verifier, code, redirect} = {verifier: random(32), code: random(16), redirect: `${town.appOrigin}/callback.html`};
    town.idpProcess.kill('SIGSTOP');
    try {
      const asked = Array.from({length: 24}, () => nord.staff.chef.post('/v1/oidc/token', {issuer: nord.issuer.issuer, code, code_verifier: verifier, redirect_uri: redirect})
        .then(() => { given += 1; }, () => {}));
      await until('they wait', async () => /tillsyn_connections\{class="staff"\} (\d+)/.exec(await metrics())[1] >= 24);
      await new Person(syd, 'bo.ek').logIn();
      assert.equal(given, 0, 'a login with the other was done before any with the silent one');
      town.idpProcess.kill('SIGCONT');
      await Promise.all(asked);
    } finally {
      town.idpProcess.kill('SIGCONT');
    }
  });

  test('one login that opens session after session uses up nobody else\'s [AVA-6]', async () => {
    const anna = new Person(nord, 'anna.berg');
    Object.assign(anna, {key: nord.staff['anna.berg'].key, idToken: nord.staff['anna.berg'].idToken});
    const first = (await anna.openSession()).token;
    for (let i = 0; i < 16; ++i) await anna.openSession();
    const asWas = await call(`${town.relay}/v1/supervisions`, {ca: town.ca.pem, headers: {authorization: `Bearer ${first}`}});
    assert.equal(asWas.status, 401, 'the one that was not used longest has ended');
    assert.equal((await anna.get('/v1/supervisions')).status, 200);
    assert.equal((await syd.staff['anna.berg'].get('/v1/supervisions')).status, 200);
  });
});
