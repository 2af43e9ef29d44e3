// The running relay held against relay/api/openapi.yaml, both ways: every documented route, status and member is answered as
// documented, and nothing undocumented is. Every answer to the persons and hubs of this file is judged.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {createPrivateKey, sign} from 'node:crypto';
import {copyFileSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {promisify} from 'node:util';
import {b64, hashOf, now, random, sha256, signedBytes, unb64} from './lib/crypto.mjs';
import {call} from './lib/https.mjs';
import {Contract} from './lib/openapi.mjs';
import {makeOrder, Person, postOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {enrolHub, localTime, logIn, makeAdministrator, moveIn, right, schedule, staffTown} from './lib/provision.mjs';
import {frame, ScriptedHub} from './lib/scripted_hub.mjs';
import {ScriptedViewer} from './lib/scripted_viewer.mjs';
import {Town} from './lib/town.mjs';
import {WebhookReceiver} from './lib/webhook_receiver.mjs';

const run = promisify(execFile);
const dir = join(tmpdir(), `tillsyn-api-${process.pid}`);
const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const contract = new Contract();

// What this file cannot bring about, and where it is tested.
const elsewhere = {
  'POST /v1/hubs/{hub}/code 409': 'neighbours.test.mjs: the hub is another provider\'s',
  'POST /hub/v1/report 404': 'a provider that the root list drops',
};

for (const kind of [Person, ScriptedHub]) {
  const plain = kind.prototype.call;
  kind.prototype.call = async function judged(method, path, body, ...rest) {
    const answer = await plain.call(this, method, path, body, ...rest);
    contract.check(method, path, answer);
    return answer;
  };
}

let town, hub, staff;

before(async () => {
  town = new Town(dir);
  await town.start();
  await staffTown(town);
  ({staff} = town);
  await makeAdministrator(town);
  hub = new ScriptedHub(town, 'one');
  await enrolHub(town, hub);
  hub.start();
  town.front = {newestChallenge: () => hub.challenge};
  await town.makeBundle();
  await moveIn(town, hub, {name: 'Astrid Testsson', address: 'Provgatan 1'});
  await schedule(town, hub, [{id: 'w1', days: every, start: localTime(-2).time, minutes: 60}]);
  await town.makeBundle();
}, {timeout: 120000});
after(async () => {
  hub?.stop();
  await town?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

// An answer to nobody in particular, judged.
async function ask(method, path, {body, headers = {}, ...options} = {}) {
  const answer = await call(town.relay + path, {method, body, headers, ca: town.ca.pem, ...options});
  contract.check(method, path, answer);
  return answer;
}
const is = (answer, status, code) => assert.deepEqual([answer.status, code === undefined ? undefined : answer.json().code], [status, code], answer.text);
const consentBody = (change = {}) => {
  const {resident, home, group, consent} = hub.resident;
  return {...JSON.parse(consent.order.payload), resident, home, group, ...change};
};
const outcome = (change = {}) => {
  const {resident, group} = hub.resident;
  return {type: 'completed', resident, group, window: {id: 'w1', date: localTime().date}, answer: b64(sha256('answer')), note: null, ...change};
};
const post = (person, order, note = null) => person.post('/v1/orders', {order, note});

describe('the page and the relay agree on what there is', () => {
  test('each route is documented with its caller, and each documented one is there [INT-1]', async () => {
    const {stdout} = await run(join(town.bin, 'tillsyn-relay'), ['--routes', '--tls-cert', town.relayTls.cert, '--tls-key', town.relayTls.key,
      '--fleet-root', town.path('fleet-root.json'), '--store', town.path('no-store')]);
    const callers = {session: 'session', link: 'hub'};
    const documented = contract.operations().map(({method, path, operation}) => `${method} ${path} ${callers[Object.keys(operation.security?.[0] ?? {})[0]] ?? 'anyone'}`);
    const served = JSON.parse(stdout).routes.map(({method, path, caller}) => `${method} ${path} ${caller}`);
    assert.deepEqual(served.sort(), documented.sort());
  });

  test('no route takes another method, and says which it takes [INT-1]', async () => {
    for (const {path} of contract.operations()) {
      const answer = await call(town.relay + path.replaceAll(/\{[^}]+\}/g, 'x'), {method: 'PATCH', ca: town.ca.pem});
      is(answer, 405, 'wrong_method');
      const taken = contract.operations().filter((one) => one.path === path).map(({method}) => method);
      assert.deepEqual(answer.headers.allow.split(', ').sort(), taken.sort());
    }
  });

  test('what is not documented is not there [INT-1] [INT-4]', async () => {
    for (const path of ['/', '/v1', '/v2/orders', '/v1/orders/', '/v1/orders/x/y', '/hub/v1/', '/healthz', '/livez', '/readyz', '/metrics', '/admin', '/%2e%2e/etc/passwd', '/.well-known/x']) {
      is(await call(town.relay + path, {ca: town.ca.pem}), 404, 'no_such_path');
    }
  });

  test('no route of staff or hubs answers without a session or a certificate [IAM-1] [IAM-10]', async () => {
    for (const {method, path, operation} of contract.operations().filter(({operation: {security}}) => security)) {
      const url = path.replaceAll(/\{[^}]+\}/g, random(16));
      const isHub = 'link' in operation.security[0];
      is(await ask(method, url, {body: method === 'GET' ? undefined : {}}), 401, isHub ? 'no_client_certificate' : 'no_session');
      if (!isHub) is(await ask(method, url, {body: method === 'GET' ? undefined : {}, headers: {authorization: `Bearer ${random(32)}`}}), 401, 'no_session');
    }
  });

  test('no route answers a page of another origin [IAM-1]', async () => {
    for (const {method, path} of contract.operations()) {
      const url = path.replaceAll(/\{[^}]+\}/g, random(16));
      is(await ask(method, url, {headers: {origin: 'https://evil.example', authorization: `Bearer ${staff.chef.token}`}}), 403, 'foreign_origin');
    }
  });

  test('a body that is no JSON, or not the agreed one, is malformed everywhere [INT-1]', async () => {
    for (const {method, path, operation} of contract.operations().filter(({operation: {requestBody}}) => requestBody?.content['application/json'] ?? requestBody?.$ref)) {
      const url = path.replaceAll(/\{[^}]+\}/g, random(16));
      for (const body of ['', '{', '[]', '{"a":1,"a":2}', '"text"', '{"unknown":1}', '{"a":1e400}']) {
        const options = operation.security && 'link' in operation.security[0] ? {key: hub.key, cert: hub.cert} : {headers: {authorization: `Bearer ${staff.tekniker.token}`}};
        const answer = await ask(method, url, {body, ...options});
        // A technician makes a code whatever stands in the body; a draft that is not there, what only a system_admin may, or is about nobody who is known, is not read.
        if (/(code|signatures|maintenance|integrations|protection|settings)$/.test(url)) assert.ok(answer.status >= 400 || answer.status === 201, `${method} ${url} ${body}: ${answer.status}`);
        else is(answer, 400, 'malformed');
      }
    }
  });

  test('what is too large is refused before it is read [AVA-6]', async () => {
    is(await ask('POST', '/v1/session', {body: ' '.repeat(300 * 1024)}), 413, 'body_too_large');
    is(await ask('GET', '/v1/client-jwks', {headers: {'x-long': 'x'.repeat(20 * 1024)}}), 431, 'header_too_large');
  });
});

describe('sessions', () => {
  test('each word of a login that is refused [IAM-1] [IAM-2]', async () => {
    const anna = staff['anna.berg'];
    is(await anna.post('/v1/session', {challenge: random(32)}), 400, 'malformed');
    is(await anna.tryOpenSession({provider: 'nobody'}), 404, 'unknown_provider');
    is(await anna.tryOpenSession({challenge: random(32)}), 403, 'unknown_challenge');
    is(await anna.tryOpenSession({sig: b64(Buffer.alloc(64, 1))}), 403, 'bad_signature');
    is(await anna.tryOpenSession({salt: random(32)}), 403, 'nonce_mismatch');
    is(await anna.tryOpenSession({id_token: `${anna.idToken.slice(0, -8)}AAAAAAAA`}), 403, 'bad_id_token');
    const nobody = await new Person(town, 'bo.ek').logIn({nonce: random(32), openSession: false});
    is(await nobody.tryOpenSession(), 403, 'nonce_mismatch');
    is(await (await new Person(town, 'vikarie').logIn({openSession: false}).catch(() => anna)).tryOpenSession({provider: 'nobody'}), 404, 'unknown_provider');
  });

  test('each word of a code that is not exchanged [IAM-1]', async () => {
    const body = {issuer: town.issuer.issuer, code: 'wrong', code_verifier: random(32), redirect_uri: `${town.appOrigin}/callback.html`};
    is(await ask('POST', '/v1/oidc/token', {body}), 403, 'code_refused');
    is(await ask('POST', '/v1/oidc/token', {body: {...body, issuer: 'https://evil.example'}}), 403, 'unknown_issuer');
    is(await ask('POST', '/v1/oidc/token', {body: {...body, redirect_uri: 'https://evil.example/callback.html'}}), 403, 'wrong_redirect');
    assert.ok((await ask('GET', '/v1/client-jwks')).json().keys.every((key) => key.d === undefined));
  });

  test('a trust machine reads orders and log, and nothing else [IAM-9]', async () => {
    const machine = await trustMachine();
    assert.equal(machine.opened.person, null);
    assert.deepEqual(machine.opened.rights, []);
    is(await machine.get('/v1/orders'), 200);
    is(await machine.get('/v1/ledger/entries?limit=5'), 200);
    is(await machine.get('/v1/residents'), 403, 'wrong_role');
    is(await machine.get('/v1/hubs'), 401, 'no_session');
    is(await machine.call('DELETE', '/v1/session'), 204);
    is(await machine.get('/v1/orders'), 401, 'no_session');
  });

  test('a logout ends the session for good [SES-8]', async () => {
    const person = await new Person(town, 'bo.ek').logIn();
    is(await person.get('/v1/orders'), 200);
    is(await person.call('DELETE', '/v1/session'), 204);
    is(await person.call('DELETE', '/v1/session'), 401, 'no_session');
    is(await person.get('/v1/hubs'), 401, 'no_session');
  });

  test('a relay without root list or bundle says so and opens nothing [IAM-1]', async () => {
    mkdirSync(town.path('bare'), {mode: 0o700});
    for (const name of ['nord.ledger-key', 'nord.data-key', 'relay.client-key']) copyFileSync(town.path('relay', name), town.path('bare', name));
    const {child, ready} = await town.processes.startServer('bare-relay', join(town.bin, 'tillsyn-relay'), ['--listen', '127.0.0.1:0', '--tls-cert', town.relayTls.cert,
      '--tls-key', town.relayTls.key, '--fleet-root', town.path('fleet-root.json'), '--store', town.path('bare')]);
    const bare = Object.assign(Object.create(town), {relay: `https://localhost:${ready.listening}`});
    const stranger = Object.assign(new Person(bare, 'anna.berg'), {key: staff['anna.berg'].key, idToken: staff['anna.berg'].idToken});
    stranger.call = async (method, path, body) => {  // without an Origin: this relay knows of none
      const answer = await call(bare.relay + path, {method, body, ca: town.ca.pem});
      contract.check(method, path, answer);
      return answer;
    };
    is(await stranger.post('/v1/oidc/token', {issuer: 'x', code: 'x', code_verifier: random(32), redirect_uri: 'x'}), 503, 'bundle_missing');
    is(await stranger.tryOpenSession(), 404, 'unknown_provider');
    is(await stranger.call('PUT', '/v1/trust/bundle', readFileSync(town.path('bundle.json'), 'utf8')), 409, 'root_list_older');
    is(await stranger.call('PUT', '/v1/trust/root-list', readFileSync(town.path('root-list.json'), 'utf8')), 200);
    is(await stranger.tryOpenSession(), 503, 'bundle_missing');
    await town.processes.stop(child);
  });
});

// A key of tillsyn-admin's.
function ed25519(name) {
  const {seed} = JSON.parse(readFileSync(town.path(name), 'utf8'));
  return createPrivateKey({key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), unb64(seed)]), format: 'der', type: 'pkcs8'});
}

// A session by the bundle key, as tillsyn-admin opens it.
async function trustMachine() {
  const key = ed25519('bundle.key');
  const machine = new Person(town, 'machine');
  const {challenge} = (await machine.post('/v1/session/challenge', {})).json();
  const body = signedBytes('session', Buffer.concat([Buffer.from(`${new URL(town.relay).host}\0`), unb64(challenge)]));
  const answer = await machine.post('/v1/session', {challenge, provider: town.provider, bundle_key: readFileSync(town.path('bundle.key.pub'), 'utf8').trim(), sig: b64(sign(null, body, key))});
  is(answer, 200);
  machine.opened = answer.json();
  machine.token = machine.opened.token;
  return machine;
}

describe('orders', () => {
  test('handed in twice it is taken once, with the same answer [AVA-3] [INT-1]', async () => {
    const {order} = makeOrder(town, [[staff['anna.berg'], 'operator']], outcome());
    const first = await post(staff['anna.berg'], order);
    is(first, 201);
    const again = await post(staff['anna.berg'], order);
    is(again, 200);
    assert.deepEqual(again.json(), first.json());
    const {items} = (await staff['anna.berg'].get('/v1/orders')).json();
    assert.equal(items.filter((item) => item.order.payload === order.payload).length, 1);
  });

  test('a note comes with what it is committed to, or not at all [SES-2]', async () => {
    const salt = random(32);
    const text = 'sover lugnt';
    const note = b64(sha256(unb64(salt), text));
    const make = () => makeOrder(town, [[staff['anna.berg'], 'operator']], outcome({note})).order;
    is(await post(staff['anna.berg'], make(), {salt, text}), 201);
    is(await post(staff['anna.berg'], make(), {salt, text: 'sover inte'}), 400, 'malformed');
    is(await post(staff['anna.berg'], make(), null), 400, 'malformed');
  });

  test('what is not accepted says why, and which order holds the slot [PRI-8]', async () => {
    const {bistand, planerare, tekniker} = staff;
    const two = [[bistand, 'care_manager'], [planerare, 'planner']];
    const held = await post(bistand, makeOrder(town, two, consentBody({id: random(16), signed_at: now()})).order);
    is(held, 409, 'slot_taken');
    assert.equal(hashOf('order', held.json().order.payload), hub.resident.consent.hash);
    is(await post(bistand, makeOrder(town, two, consentBody({version: 9, replaces: random(32), id: random(16), signed_at: now()})).order), 409, 'version_gap');
    is(await post(tekniker, makeOrder(town, [[tekniker, 'operator']], outcome()).order), 409, 'no_grant');
    const forged = makeOrder(town, [[staff['anna.berg'], 'operator']], outcome()).order;
    forged.signatures[0].sig = b64(Buffer.alloc(64, 1));
    is(await post(staff['anna.berg'], forged), 403, 'bad_signature');
    is(await post(staff['anna.berg'], makeOrder(town, [[staff['anna.berg'], 'operator']], outcome({provider: 'syd'})).order), 403, 'wrong_provider');
    is(await staff['anna.berg'].post('/v1/orders', {order: forged}), 400, 'malformed');
  });

  test('a draft waits for its other signer, and is nobody else\'s [PRI-8]', async () => {
    const {bistand, planerare, chef} = staff;
    const make = (change) => makeOrder(town, [[bistand, 'care_manager'], [planerare, 'planner']], consentBody({id: random(16), signed_at: now(), ...change}));
    const keep = ({order}) => bistand.post('/v1/drafts', {payload: order.payload, signatures: [order.signatures[0], null]});
    const good = make({version: 2, replaces: hub.resident.consent.hash});
    const kept = await keep(good);
    is(kept, 201);
    const {id} = kept.json();
    assert.ok((await planerare.get('/v1/drafts')).json().items.some((item) => item.id === id));
    assert.ok(!(await chef.get('/v1/drafts')).json().items.some((item) => item.id === id));
    is(await chef.post(`/v1/drafts/${id}/signatures`, good.order.signatures[1]), 404, 'no_draft');
    is(await chef.call('DELETE', `/v1/drafts/${id}`), 404, 'no_draft');
    is(await bistand.post(`/v1/drafts/${id}/signatures`, good.order.signatures[0]), 202);
    is(await planerare.post(`/v1/drafts/${id}/signatures`, {...good.order.signatures[1], sig: b64(Buffer.alloc(64, 1))}), 403, 'bad_signature');
    is(await planerare.post(`/v1/drafts/${id}/signatures`, {sig: 'x'}), 400, 'malformed');
    is(await planerare.post(`/v1/drafts/${id}/signatures`, good.order.signatures[1]), 201);
    const late = make({version: 2, replaces: hub.resident.consent.hash});
    const second = (await keep(late)).json().id;
    is(await planerare.post(`/v1/drafts/${second}/signatures`, late.order.signatures[1]), 409, 'slot_taken');
    is(await bistand.call('DELETE', `/v1/drafts/${second}`), 204);
    is(await bistand.call('DELETE', `/v1/drafts/${second}`), 404, 'no_draft');
    is(await bistand.post('/v1/drafts', {payload: good.order.payload}), 400, 'malformed');
    is(await chef.post('/v1/drafts', {payload: good.order.payload, signatures: [good.order.signatures[0], null]}), 403, 'person_mismatch');
  });
});

describe('a key makes a write one', () => {
  const under = (key) => ({'idempotency-key': key});
  const codeUnder = (key, body = {}, path = `/v1/hubs/${hub.id}/code`) => staff.tekniker.post(path, body, under(key));

  test('the same again is answered alike and done once; under another key it is done anew [INT-1]', async () => {
    const [first, again] = [await codeUnder('k-1'), await codeUnder('k-1')];
    is(first, 201);
    assert.deepEqual([again.status, again.text], [201, first.text]);
    assert.notEqual((await codeUnder('k-2')).text, first.text);
    const {order} = makeOrder(town, [[staff['anna.berg'], 'operator']], outcome());
    const posted = await staff['anna.berg'].post('/v1/orders', {order, note: null}, under('k-1'));
    is(posted, 201);
    is(await staff['anna.berg'].post('/v1/orders', {order, note: null}, under('k-1')), 201);
  });

  test('two at once are one [INT-1]', async () => {
    const all = await Promise.all(Array.from({length: 4}, () => codeUnder('k-3')));
    assert.equal(new Set(all.map(({text}) => text)).size, 1);
  });

  test('another body under a key is refused, a key of another form is malformed, and refusals may be tried again [INT-1]', async () => {
    is(await codeUnder('k-1', {other: true}), 422, 'key_reused');
    for (const key of ['a b', 'x'.repeat(65), 'k%31']) is(await codeUnder(key), 400, 'malformed');
    const {order} = makeOrder(town, [[staff.planerare, 'operator']], outcome());
    for (let i = 0; i < 2; ++i) is(await staff.planerare.post('/v1/orders', {order, note: null}, under('k-4')), 409, 'no_grant');
    is(await call(town.relay + `/v1/hubs/${hub.id}/code`, {method: 'POST', body: {}, ca: town.ca.pem, headers: {'idempotency-key': ['k-5', 'k-6'], authorization: `Bearer ${staff.tekniker.token}`}}), 400, 'malformed');
  });
});

describe('residents, the night and hubs', () => {
  test('names are kept by those who may [PRI-1] [IAM-4]', async () => {
    const {resident, group, name, address, salt} = hub.resident;
    const body = {group, name, address, salt};
    is(await staff.bistand.put(`/v1/residents/${resident}`, body), 204);
    is(await staff['anna.berg'].put(`/v1/residents/${resident}`, body), 403, 'wrong_role');
    for (const bad of [{...body, name: ''}, {...body, group: 'Natt'}, {...body, salt: 'x'}, {...body, extra: 1}, {...body, resident: random(16)}, {...body, name: 'x'.repeat(257)}]) {
      is(await staff.bistand.put(`/v1/residents/${resident}`, bad), 400, 'malformed');
    }
    is(await staff.bistand.put('/v1/residents/short', body), 400, 'malformed');
  });

  test('who changes a name says which one: a mistyped id, or a name that has changed meanwhile, is not written over [PRI-1]', async () => {
    const {resident, group, name, address, salt} = hub.resident;
    const before = {group, name, address, salt};
    const after = {...before, address: 'Provgatan 2'};
    const url = `/v1/residents/${resident}`;
    const held = async () => (await staff.bistand.get('/v1/residents')).json().items.find((item) => item.resident === resident);
    const {etag} = await held();
    is(await staff.bistand.put(url, after), 428, 'if_match_missing');
    for (const wrong of [etag.slice(1, -1), `W/${etag}`, `"${random(32)}"`]) is(await staff.bistand.put(url, after, {'if-match': wrong}), 412, 'changed_meanwhile');
    for (const named of [etag, '*']) is(await staff.bistand.put(`/v1/residents/${random(16)}`, before, {'if-match': named}), 412, 'changed_meanwhile');
    assert.equal((await held()).address, address);
    const changed = await staff.bistand.put(url, after, {'if-match': etag});
    is(changed, 204);
    assert.notEqual(changed.headers.etag, etag);
    assert.deepEqual(await held(), {resident, ...after, etag: changed.headers.etag, protected: false});
    is(await staff.planerare.put(url, {...before, address: 'Provgatan 3'}, {'if-match': etag}), 412, 'changed_meanwhile');
    is(await staff.bistand.put(url, {...before, address: 'Provgatan 4'}, {'if-match': '*'}), 204);
    is(await staff.bistand.put(url, before, {'if-match': '*'}), 204);
    assert.equal((await held()).etag, etag);
  });

  test('what is settled for the provider, and a resident who becomes protected, by those whose it is [TEN-3]', async () => {
    const {resident, home, group, name, address, salt} = hub.resident;
    const {bistand, granskare} = staff;
    const url = (id) => `/v1/residents/${id}/protection`;
    is(await granskare.put('/v1/settings', {protected_residents: 'taken'}), 204);
    assert.equal((await staff['anna.berg'].get('/v1/settings')).json().protected_residents, 'taken');
    is(await granskare.put('/v1/settings', {protected_residents: 'refused'}), 204);
    is(await granskare.put('/v1/settings', {protected_residents: 'perhaps'}), 400, 'malformed');
    is(await staff.chef.put('/v1/settings', {protected_residents: 'taken'}), 403, 'wrong_role');
    is(await bistand.put(`/v1/residents/${random(16)}`, {group, name, address, salt, protected: true}), 403, 'protected_identity');
    const named = random(16);
    is(await bistand.put(`/v1/residents/${named}`, {group, name: 'Bertil Testsson', address, salt, protected: false}), 204);
    is(await bistand.put(url(named), {pause: null}), 204);
    is(await bistand.put(url(random(16)), {pause: null}), 404, 'no_resident');
    is(await bistand.put(url(resident), {pause: null}), 409, 'pause_missing');
    const gap = makeOrder(town, [[bistand, 'care_manager']], {type: 'pause', version: 9, replaces: random(32), resident, home, group, until: now(3600), reason: 'prov'}).order;
    is(await staff.planerare.put(url(resident), {pause: gap}), 403, 'wrong_role');
    gap.signatures[0].sig = b64(Buffer.alloc(64, 1));
    is(await bistand.put(url(resident), {pause: gap}), 403, 'bad_signature');
    is(await bistand.call('DELETE', url(resident)), 404, 'not_protected');
    is(await bistand.call('DELETE', url(named)), 204);
  });

  test('names are shown to those who need them [IAM-4]', async () => {
    const {name} = hub.resident;
    assert.ok((await staff['anna.berg'].get('/v1/residents')).json().items.some((item) => item.name === name));
    assert.deepEqual((await staff.tekniker.get('/v1/residents')).json().items, []);
  });

  test('tonight shows each window with its outcome [SES-1]', async () => {
    const {items} = (await staff['anna.berg'].get('/v1/tonight')).json();
    assert.ok(items.some((item) => item.resident === hub.resident.resident && item.outcome?.type === 'completed'));
    assert.ok(items.some((item) => item.outcome === null));
    assert.deepEqual((await staff.tekniker.get('/v1/tonight')).json().items, []);
  });

  test('hubs are listed with what their gates said; a code is a technician\'s to make [INS-2]', async () => {
    const {items} = (await staff['anna.berg'].get('/v1/hubs')).json();
    assert.ok(items.some((one) => one.hub === hub.id && one.online && one.status.challenge === hub.challenge));
    is(await staff.chef.post(`/v1/hubs/${hub.id}/code`, {}), 403, 'wrong_role');
    is(await staff.tekniker.post('/v1/hubs/not-a-hub/code', {}), 400, 'malformed');
    is(await staff.tekniker.post(`/v1/hubs/${hub.id}/code`, {}), 201);
  });

  test('the WebSocket speaks to the staff app alone [IAM-1]', async () => {
    is(await ask('GET', '/v1/live'), 426, 'not_a_websocket');
    const upgrade = {connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ=='};
    is(await ask('GET', '/v1/live', {headers: upgrade}), 403, 'foreign_origin');
    is(await ask('GET', '/v1/live', {headers: {...upgrade, origin: 'https://evil.example'}}), 403, 'foreign_origin');
    const viewer = await new ScriptedViewer(town, staff['anna.berg']).connect();
    contract.seen.add('GET /v1/live 101');
    viewer.close();
  });
});

describe('lists', () => {
  // Who may read each, and sees something in it.
  const readers = {'/v1/drafts': 'bistand', '/v1/integrations': 'granskare', '/v1/dead-letters': 'granskare', '/v1/ledger/entries': 'granskare'};
  const reader = (path) => staff[readers[path] ?? 'anna.berg'];
  let walks = 0;  // each from an address of its own: a peer may ask so much a second and no more
  const pagesOf = async (path, limit, between = async () => {}) => {
    const found = [];
    const localAddress = `127.7.0.${++walks}`;
    for (let cursor = ''; ;) {
      const {items, next} = (await call(`${town.relay}${path}?limit=${limit}${cursor}`, {headers: {authorization: `Bearer ${reader(path).token}`}, ca: town.ca.pem, localAddress})).json();
      assert.ok(items.length === limit || next === null, `${path}: a page of ${items.length}`);
      found.push(...items);
      if (next === null) return found;
      cursor = `&cursor=${next}`;
      await between();
    }
  };
  const lists = contract.operations().filter(({method, operation}) => {
    const members = contract.resolve(operation.responses[200])?.content?.['application/json']?.schema.properties ?? {};
    return method === 'GET' && operation.security && Object.values(members).some(({type}) => type === 'array');
  });
  const enter = (name) => staff.bistand.put(`/v1/residents/${random(16)}`, {group: hub.resident.group, name, address: '', salt: random(32)});
  const draft = () => {
    const {order} = makeOrder(town, [[staff.bistand, 'care_manager'], [staff.planerare, 'planner']], consentBody({id: random(16), signed_at: now()}));
    return staff.bistand.post('/v1/drafts', {payload: order.payload, signatures: [order.signatures[0], null]});
  };
  const announce = (hours) => staff.granskare.post('/v1/maintenance', {from: now(hours * 3600), to: now(hours * 3600 + 60), reason: 'prov'});
  const connect = () => staff.granskare.post('/v1/integrations', {url: `https://localhost/${random(4)}`, ca: null});

  before(async () => {
    for (const name of ['Ett', 'Två', 'Tre']) await enter(name);
    for (const make of [draft, connect]) for (let i = 0; i < 3; ++i) is(await make(), 201);
    for (const hours of [1000, 1001, 1002]) is(await announce(hours), 201);
  });

  test('all are read in pages, and there are no others [INT-1]', () => {
    assert.deepEqual(lists.map(({path}) => path).sort(), ['/v1/alarms', '/v1/dead-letters', '/v1/drafts', '/v1/hubs', '/v1/integrations', '/v1/ledger/entries', '/v1/maintenance', '/v1/orders', '/v1/residents', '/v1/supervisions', '/v1/tonight']);
    for (const {path, operation} of lists) {
      const names = operation.parameters.map((one) => contract.resolve(one).name);
      assert.ok(names.includes('limit') && names.includes('cursor'), path);
      const {schema} = contract.resolve(operation.responses[200]).content['application/json'];
      assert.deepEqual(schema.required.toSorted(), ['items', 'next'], path);
    }
  });

  for (const {path} of lists) {
    test(`${path} page by page is the whole list, and another limit or cursor is malformed [INT-1] [AVA-6]`, async () => {
      const whole = await pagesOf(path, 1000);
      for (const limit of [1, 2]) assert.deepEqual((await pagesOf(path, limit)).slice(0, whole.length), whole);
      for (const bad of ['limit=0', 'limit=1001', 'limit=x', 'limit=', 'limit=-1', 'cursor=', 'cursor=%21', `cursor=${'A'.repeat(400)}`, 'cursor=YQ&cursor=YQ']) {
        is(await reader(path).get(`${path}?${bad}`), 400, 'malformed');
      }
    });
  }

  test('what is there from first to last comes once, whatever is entered while it is read [INT-1]', async () => {
    const writes = {
      '/v1/residents': () => enter('Mellan'),
      '/v1/orders': () => post(staff['anna.berg'], makeOrder(town, [[staff['anna.berg'], 'operator']], outcome({id: random(16)})).order),
      '/v1/ledger/entries': () => post(staff.tekniker, makeOrder(town, [[staff.tekniker, 'operator']], outcome({id: random(16)})).order),
    };
    for (const [path, write] of Object.entries(writes)) {
      const key = (item) => item.resident ?? item.n ?? item;
      const held = (await pagesOf(path, 1000)).map(key);
      let left = 3;
      const found = (await pagesOf(path, 2, async () => left-- > 0 && write())).map(key);
      assert.equal(new Set(found).size, found.length, `${path}: twice`);
      assert.deepEqual(held.filter((one) => !found.includes(one)), [], `${path}: left out`);
    }
  });
});

describe('the log', () => {
  const get = (person, path) => person.get(`/v1/ledger/${path}`);

  test('checkpoint and proofs are for all staff, entries for reviewers [AUD-3]', async () => {
    const {checkpoint} = (await get(staff['anna.berg'], 'checkpoint')).json();
    const size = Number(checkpoint.split('\n')[1]);
    is(await get(staff['anna.berg'], `consistency?from=3&to=${size}`), 200);
    is(await get(staff['anna.berg'], `consistency?from=3&to=${size + 1000}`), 403, 'proof_range');
    is(await get(staff['anna.berg'], 'consistency?from=3'), 400, 'malformed');
    is(await get(staff['anna.berg'], `inclusion?hash=${hub.resident.consent.hash}&size=${size}`), 200);
    is(await get(staff['anna.berg'], `inclusion?hash=${hub.resident.consent.hash}&size=${size + 1000}`), 403, 'proof_range');
    is(await get(staff['anna.berg'], `inclusion?hash=${random(32)}&size=${size}`), 404, 'no_ledger_entry');
    is(await get(staff['anna.berg'], `inclusion?hash=x&size=${size}`), 400, 'malformed');
    is(await get(staff.granskare, 'entries?limit=1000'), 200);
    assert.equal((await get(staff.granskare, 'entries?from=2&limit=1')).json().items.map((text) => JSON.parse(text).seq)[0], 2);
    is(await get(staff.granskare, 'entries?from=-1'), 400, 'malformed');
    is(await get(staff['anna.berg'], 'entries?limit=10'), 403, 'wrong_role');
  });

  test('who reads the log is in the log, before anything is shown [AUD-3]', async () => {
    const reader = await new Person(town, 'granskare').logIn();
    const read = async () => (await get(reader, 'entries?limit=1000')).json().items.map((text) => JSON.parse(text));
    const found = (await read()).filter(({what, who}) => what === 'log_read' && who[0]?.person === 'granskare');
    assert.ok(found.length > 0);
    const again = (await read()).filter(({what}) => what === 'log_read');
    assert.equal(again.length, found.length, 'pages read within a minute are one reading');
    assert.ok(found.every(({details}) => details !== null), 'its details are committed to');
  });
});

describe('trust documents and hubs', () => {
  test('each word of a trust document that is not taken [IAM-9]', async () => {
    const [list, bundle] = ['root-list', 'bundle'].map((name) => JSON.parse(readFileSync(town.path(`${name}.json`), 'utf8')));
    is(await ask('PUT', '/v1/trust/root-list', {body: list}), 200);
    is(await ask('PUT', '/v1/trust/bundle', {body: bundle}), 200);
    for (const [name, envelope] of [['root-list', list], ['bundle', bundle]]) {
      is(await ask('PUT', `/v1/trust/${name}`, {body: {...envelope, signatures: []}}), 403, 'bad_signature');
      is(await ask('PUT', `/v1/trust/${name}`, {body: {...envelope, payload: envelope.payload.replace('localhost', 'localhosu')}}), 403, 'bad_signature');
    }
    const newer = list.payload.replace('"format":1', '"format":2');
    const signatures = ['root1.key', 'root2.key'].map((name) => ({key: readFileSync(town.path(`${name}.pub`), 'utf8').trim(), sig: b64(sign(null, signedBytes('root-list', newer), ed25519(name)))}));
    is(await ask('PUT', '/v1/trust/root-list', {body: {payload: newer, signatures}}), 409, 'unknown_format');
    await town.makeRootList(2);
    const next = town.path('bundle-2.json');
    await town.admin('trust', 'make', '--root-list', town.path('root-list.json'), '--fleet-root', town.path('fleet-root.json'), '--bundle-key', town.path('bundle.key'),
      '--previous', town.path('bundle.json'), '--relay', town.relay, '--out', next);
    is(await ask('PUT', '/v1/trust/bundle', {body: readFileSync(next, 'utf8')}), 409, 'root_list_older');
    is(await ask('PUT', '/v1/trust/root-list', {body: readFileSync(town.path('root-list.json'), 'utf8')}), 200);
    is(await ask('PUT', '/v1/trust/bundle', {body: readFileSync(next, 'utf8')}), 200);
    is(await ask('PUT', '/v1/trust/root-list', {body: list}), 403, 'root_list_older');
    is(await ask('PUT', '/v1/trust/bundle', {body: bundle}), 403, 'bundle_older');
    const {root_list, bundle: handed} = (await ask('GET', '/hub/v1/trust')).json();
    assert.equal(JSON.parse(root_list.payload).version, 2);
    assert.deepEqual(handed, JSON.parse(readFileSync(next, 'utf8')));
    for (const end of ['', '.replays']) copyFileSync(next + end, town.path(`bundle.json${end}`));
  });

  test('each word of an enrolment that is refused [INS-2]', async () => {
    const {tekniker} = staff;
    const other = new ScriptedHub(town, 'other');
    is(await other.post('/hub/v1/enrol', {format: 1}), 400, 'malformed');
    is(await other.tryEnrol('AAAAAAAAAAAAAAAA'), 403, 'bad_code');
    is(await other.poll(), 403, 'unknown_link_key');
    is(await other.report(), 403, 'unknown_link_key');
    is(await other.post(`/hub/v1/streams/${random(16)}`, {}), 403, 'unknown_link_key');
    await postOrder(town, [[tekniker, 'technician']], {type: 'device', version: 1, replaces: null, hub: other.id, device_key: await other.deviceKey(), board: 'bench'});
    const {code} = (await tekniker.post(`/v1/hubs/${other.id}/code`, {})).json();
    const forged = {format: 1, code, link_key: {...other.linkKey(), sig: b64(Buffer.alloc(64, 1))}};
    is(await other.post('/hub/v1/enrol', forged), 403, 'bad_signature');
    is(await other.tryEnrol(code), 200);
    is(await other.tryEnrol(code), 200);  // by the same key, which has perhaps not heard
    is(await new ScriptedHub(town, 'other').tryEnrol(code), 403, 'bad_code');
  });

  test('polls and reports are judged by their form, and what is repeated is taken once [AVA-3]', async () => {
    is(await hub.post('/hub/v1/poll', {format: 2, status: null}), 400, 'malformed');
    is(await hub.post('/hub/v1/report', {format: 1, status: null, answers: [], receipts: []}), 400, 'malformed');
    const {root_list, bundle} = (await hub.poll({...hub.status, root_list: 0, bundle: null})).json();
    assert.ok(root_list && bundle, 'who lacks trust documents is given them');
    const events = [hub.event('started'), hub.event('clock_trusted')];
    assert.equal((await hub.report({events})).json().events_acked, 2);
    assert.equal((await hub.report({events})).json().events_acked, 2);
    const kept = (await staff.granskare.get('/v1/ledger/entries?limit=1000')).json().items.map((text) => JSON.parse(text)).filter(({kind}) => kind === 'event');
    assert.equal(kept.length, 2);
  });

  test('a view goes to the hub and its frames come back, and only those [VID-2] [LOG-5]', async () => {
    await town.makeBundle();
    const viewer = await new ScriptedViewer(town, staff['anna.berg']).connect();
    const {order, hash} = await viewer.makeView(hub);
    const asked = viewer.ask(order);
    await hub.offered(hash);
    const stream = random(16);
    is(await hub.report({answers: [hub.open(order, stream)]}), 200);
    assert.equal((await asked).answer.decision, 'open');
    is(await hub.post(`/hub/v1/streams/${random(16)}`, {}), 404, 'no_such_stream');
    is(await hub.post(`/hub/v1/streams/${stream}`, {}), 411, 'not_chunked');
    const upload = hub.stream(stream);
    const response = await upload.response;
    assert.equal(response.status, 200);
    contract.check('POST', `/hub/v1/streams/${stream}`, {...response, text: ''});
    is(await hub.post(`/hub/v1/streams/${stream}`, {}), 409, 'stream_taken');
    const sent = frame();
    upload.send(sent);
    await until('the frame', () => viewer.frames.length > 0);
    assert.deepEqual(viewer.frames[0].frame, sent);
    viewer.sendLife(Buffer.concat([unb64(stream), Buffer.alloc(48, 3)]));
    await until('the sign of life', () => Buffer.concat(response.chunks).length === 64);
    viewer.end();
    await response.ended;
    viewer.close();
  });
});

describe('alarms, maintenance and who is told', () => {
  const admin = () => staff.granskare;
  const items = async (person, path) => {
    const answer = await person.get(path);
    is(answer, 200);
    return answer.json().items;
  };
  const sign = async (type, more) => {
    const {order} = makeOrder(town, [[staff['anna.berg'], 'operator']], {...outcome(), answer: undefined, note: undefined, type, ...more});
    is(await post(staff['anna.berg'], order), 201);
  };
  let receiver;
  after(() => receiver?.close());

  before(async () => {
    for (const {id} of await items(admin(), '/v1/integrations')) is(await admin().call('DELETE', `/v1/integrations/${id}`), 204);
    receiver = await new WebhookReceiver(town.ca.issue('receiver')).listen();
    const added = await admin().post('/v1/integrations', {url: receiver.url, ca: town.ca.pem});
    is(added, 201);
    receiver.secret = added.json().secret;
    receiver.status = 410;
  });

  test('what was tried in vain is an alarm until somebody goes there, and a supervision with its tries and its end [SES-3] [SES-4]', async () => {
    await sign('unable', {reason: 'mörkt'});
    const raised = (await items(staff['anna.berg'], '/v1/alarms')).find(({kind}) => kind === 'visit_needed');
    assert.equal(raised.resident, hub.resident.resident);
    assert.equal(raised.acknowledged, null);
    const take = (person, id) => person.post(`/v1/alarms/${id}/acknowledgement`, {});
    is(await take(staff['anna.berg'], random(16)), 404, 'no_alarm');
    is(await take(staff.granskare, raised.id), 404, 'no_alarm');
    const taken = await take(staff['anna.berg'], raised.id);
    is(taken, 200);
    assert.equal(taken.json().acknowledged.who.person, 'anna.berg');
    assert.deepEqual((await items(staff['bo.ek'], '/v1/alarms')).find(({id}) => id === raised.id), taken.json());
    await sign('visit-taken', {reason: 'åker dit'});
    assert.ok(!(await items(staff['anna.berg'], '/v1/alarms')).some(({id}) => id === raised.id));
    is(await take(staff['anna.berg'], raised.id), 404, 'no_alarm');
    const looked = (await items(staff['anna.berg'], '/v1/supervisions')).find(({state}) => state === 'done');
    assert.deepEqual([looked.tries.at(-1).type, looked.outcome.type], ['unable', 'visit-taken']);
    is(await staff['anna.berg'].get('/v1/supervisions?from=yesterday'), 400, 'malformed');
  });

  test('maintenance is announced ahead and keeps out of windows [AVA-4]', async () => {
    const plan = (from, to, more = {}) => admin().post('/v1/maintenance', {from, to, reason: 'byte av disk', ...more});
    const {start} = (await items(staff['anna.berg'], '/v1/supervisions')).find(({state}) => state === 'upcoming');
    is(await plan(start, now((Date.parse(start) - Date.now()) / 1000 + 120)), 409, 'in_window');
    is(await plan(now(-60), now(60)), 403, 'not_ahead');
    is(await plan(now(2000 * 3600), now(2013 * 3600)), 400, 'malformed');
    is(await plan(now(2000 * 3600), now(2001 * 3600), {more: 1}), 400, 'malformed');
    is(await staff['anna.berg'].post('/v1/maintenance', {from: now(2000 * 3600), to: now(2001 * 3600), reason: 'x'}), 403, 'wrong_role');
    const planned = await plan(now(2000 * 3600), now(2001 * 3600));
    is(planned, 201);
    const {id} = planned.json();
    assert.deepEqual((await items(staff['bo.ek'], '/v1/maintenance')).find((one) => one.id === id), planned.json());
    is(await staff['anna.berg'].call('DELETE', `/v1/maintenance/${id}`), 403, 'wrong_role');
    is(await admin().call('DELETE', `/v1/maintenance/${id}`), 204);
    is(await admin().call('DELETE', `/v1/maintenance/${id}`), 404, 'no_maintenance');
    assert.ok(!(await items(staff['bo.ek'], '/v1/maintenance')).some((one) => one.id === id));
  });

  test('what a system will not have is a dead letter, told again on demand under the same id [INT-1] [INT-3]', async () => {
    const dead = await until('dead letters', async () => {
      const found = await items(admin(), '/v1/dead-letters');
      return found.length > 0 && found;
    }, 30000, 250);
    assert.equal(dead[0].answer, 'status 410');
    assert.ok(receiver.tries.some(({id}) => id === dead[0].id));
    assert.equal(receiver.forged, 0);
    receiver.status = 204;
    is(await admin().post(`/v1/dead-letters/${dead[0].id}/retry`, {}), 204);
    await until('it is taken', () => receiver.taken.some(({id, body}) => id === dead[0].id && body.type === dead[0].body.type), 20000, 100);
    is(await admin().post(`/v1/dead-letters/${dead[0].id}/retry`, {}), 404, 'no_delivery');
    is(await admin().post('/v1/dead-letters/none/retry', {}), 404, 'no_delivery');
  });

  test('systems are told by agreement: so many, over https, and no more once they are struck off [INT-3]', async () => {
    for (const bad of [{url: 'http://a.example/', ca: null}, {url: 'https://u:p@a.example/', ca: null}, {url: 'https://a.example/#x', ca: null}, {url: 'https://a.example/'}]) {
      is(await admin().post('/v1/integrations', bad), 400, 'malformed');
    }

    const added = [];
    while (added.length < 40 && added.at(-1)?.status !== 409) added.push(await admin().post('/v1/integrations', {url: 'https://localhost/', ca: null}));
    is(added.at(-1), 409, 'too_many');
    const listed = await items(admin(), '/v1/integrations');
    assert.ok(listed.length === 16 && !/whsec_/.test(JSON.stringify(listed)), 'no secret is shown again');
    for (const {id} of listed) is(await admin().call('DELETE', `/v1/integrations/${id}`), 204);
    is(await admin().call('DELETE', `/v1/integrations/${listed[0].id}`), 404, 'no_integration');
    assert.deepEqual(await items(admin(), '/v1/integrations'), []);
  });
});

describe('an identity provider that changes its key or is gone', () => {
  test('a key that no bundle has is waited for [IAM-1]', async () => {
    await town.startIdentityProvider();
    const person = await new Person(town, 'bo.ek').logIn({openSession: false});
    is(await person.tryOpenSession(), 409, 'unknown_kid');
  });

  test('a provider that does not answer is said to be gone [SES-7]', async () => {
    await town.processes.stop(town.idpProcess);
    const body = {issuer: town.issuer.issuer, code: 'x', code_verifier: random(32), redirect_uri: `${town.appOrigin}/callback.html`};
    is(await ask('POST', '/v1/oidc/token', {body}), 503, 'issuer_unreachable');
  });
});

describe('nothing on the page is only on the page', () => {
  test('rights that have ended end at once, whatever the session says [IAM-6]', async () => {
    const {chef, rattighet} = staff;
    const leaver = staff['bo.ek'];
    const viewer = await new ScriptedViewer(town, leaver).connect();
    is(await leaver.get('/v1/orders'), 200);
    await postOrder(town, [[rattighet, 'rights_admin']], {type: 'revoke', version: 2, replaces: await grantOf('bo.ek'), issuer: town.issuer.issuer, person: 'bo.ek', from: now(), reason: 'slutat'});
    for (const {method, path, operation} of contract.operations().filter(({operation: {security}}) => security && 'session' in security[0])) {
      if (path === '/v1/session') continue;
      const answer = await leaver.call(method, path.replaceAll(/\{[^}]+\}/g, random(16)), operation.requestBody ? {} : undefined);
      assert.equal(answer.json().code, 'no_grant', `${method} ${path}`);
    }
    viewer.close();
    is(await chef.get('/v1/orders'), 200);
  });

  async function grantOf(person) {
    const {items} = (await staff.chef.get('/v1/orders')).json();
    const found = items.map(({order}) => order.payload).filter((payload) => { const body = JSON.parse(payload); return body.type === 'grant' && body.person === person; });
    return hashOf('order', found.at(-1));
  }

  test('each documented status and member has been answered [INT-1]', () => {
    const due = contract.operations();
    const statuses = due.flatMap(({method, path, operation}) => Object.keys(operation.responses).filter((status) => status !== 'default').map((status) => `${method} ${path} ${status}`));
    const members = due.flatMap((one) => contract.members(one)).filter((name) => !Object.keys(elsewhere).some((start) => name.startsWith(start)));
    const missing = [...statuses.filter((name) => !(name in elsewhere)), ...members].filter((name) => !contract.seen.has(name));
    assert.deepEqual(missing, []);
  });
});
