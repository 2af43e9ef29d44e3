// Wrong identities, rights and requests: tokens forged by every rule they can break, keys that come and go, rights that are not
// there, codes used twice, bodies that are too much. At the relay, and at the hub past the relay.
import assert from 'node:assert/strict';
import {generateKeyPairSync} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {after, afterEach, before, describe, test} from 'node:test';
import {WebSocket} from 'ws';
import {AttackTown} from './lib/attack_town.mjs';
import {b64, hashOf, now, random, StaffKey} from './lib/crypto.mjs';
import {bareOffer, claimsOf, disguised, headerOf, hmacToken, mintToken, unsignedToken} from './lib/forgery.mjs';
import {call} from './lib/https.mjs';
import {makeOrder, Person} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {grant, right} from './lib/provision.mjs';
import {ScriptedViewer} from './lib/scripted_viewer.mjs';

let town, front, one, staff, anna, relay;

before(async () => {
  town = await AttackTown.start('attack-identity');
  ({front, one, town: {staff}} = town);
  relay = `https://localhost:${town.town.relayPort}`;
  anna = await new ScriptedViewer(town.town, staff['anna.berg']).connect();
}, {timeout: 180000});
after(async () => { anna?.close(); await town?.stop(); });
afterEach(async () => {
  town.honest();
  anna.end();
  await until('camera closed', () => one.cameraDescriptors().length === 0);
});

// A viewer who is somebody else on paper; sees the hubs that anna sees.
const as = (person) => Object.assign(new ScriptedViewer(town.town, person), {hubs: anna.hubs});

// What the hub says of a view that goes straight to it.
async function atHub(person, change = {}) {
  const {order, hash} = await as(person).makeView(one, change);
  await front.tellHub(one, {views: [bareOffer(order)]});
  const answer = await town.said(one, 'answers', 'to the view', (a) => a.order === hash);
  assert.deepEqual([answer.decision, answer.sealed], ['closed', null]);
  return answer.reason;
}
// What the hub's receipt says of an order that goes straight to it.
async function receiptOf({order, hash}) {
  await front.tellHub(one, {orders: [order]});
  const {verdict, reason} = await town.said(one, 'receipts', 'for the order', (receipt) => receipt.order === hash);
  return [verdict, reason];
}
const problem = (answer) => {
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/, `${answer.status} ${answer.text}`);
  const told = answer.json();
  assert.equal(told.status, answer.status);
  assert.ok(told.title || told.detail);
  return told.code;
};

describe('ID tokens', () => {
  const key = () => town.town.idpKeys[0];
  const minted = (change) => mintToken(staff['anna.berg'].idToken, {key: key(), ...change});
  const claims = () => claimsOf(staff['anna.berg'].idToken);
  const seconds = (n) => Math.floor(Date.now() / 1000) + n;

  // how -> [token, what is said of it]
  const forgeries = {
    'without a signature (alg none)': () => [unsignedToken(staff['anna.berg'].idToken), 'bad_id_token'],
    'signed with the public key as a secret (HS256)': () => [hmacToken(staff['anna.berg'].idToken, key()), 'bad_id_token'],
    'with another person\'s name under the old signature': () => {
      const [header, , signature] = staff['anna.berg'].idToken.split('.');
      return [`${header}.${b64(JSON.stringify({...claims(), sub: 'chef'}))}.${signature}`, 'bad_id_token'];
    },
    'by a key of one\'s own, brought along in the header': () => {
      const own = generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey.export({format: 'jwk'});
      return [minted({key: own, header: {jwk: {kty: 'RSA', n: own.n, e: own.e}}}), 'bad_id_token'];
    },
    'with a critical header nobody knows': () => [minted({header: {crit: ['b64'], b64: true}}), 'bad_id_token'],
    'by a key that no bundle holds': () => [minted({header: {kid: 'nobody'}}), 'unknown_kid'],
    'of an issuer that is not listed': () => [minted({claims: {iss: 'https://evil.example'}}), 'unknown_issuer'],
    'for another client': () => [minted({claims: {aud: 'another'}}), 'wrong_audience'],
    'for this client and another': () => [minted({claims: {aud: [claims().aud, 'another']}}), 'wrong_audience'],
    'authorised for another': () => [minted({claims: {azp: 'another'}}), 'wrong_audience'],
    'below the assurance level': () => [minted({claims: {acr: 'http://id.sambi.se/loa/loa2'}}), 'acr_too_low'],
    'without an assurance level': () => [minted({claims: {acr: undefined}}), 'acr_too_low'],
    'bound to another key': () => [minted({claims: {nonce: new StaffKey().nonce}}), 'nonce_mismatch'],
    'without a person': () => [minted({claims: {sub: ''}}), 'bad_id_token'],
    'without the time of the login': () => [minted({claims: {auth_time: undefined}}), 'bad_id_token'],
    'with a login after its own issuing': () => [minted({claims: {auth_time: claims().iat + 120}}), 'bad_id_token'],
    'of a login 13 hours ago': () => [minted({claims: {auth_time: seconds(-13 * 3600)}}), 'auth_too_old'],
    'of a login in an hour': () => [minted({claims: {auth_time: seconds(3600), iat: seconds(3600)}}), 'auth_in_future'],
    'from before its key was in use': () => [minted({claims: {iat: seconds(-30 * 86400), auth_time: seconds(-30 * 86400)}}), 'retired_key'],
  };

  test('the control: minted anew with nothing changed it opens a session, and the hub gets as far as the log [IAM-1]', async () => {
    assert.equal((await staff['anna.berg'].tryOpenSession({id_token: minted({})})).status, 200);
    assert.equal(await atHub(disguised(staff['anna.berg'], {idToken: minted({})})), 'no_ledger_entry');
  });

  for (const [how, make] of Object.entries(forgeries)) {
    test(`${how}: no session, no order, no picture [IAM-1] [IAM-2] [ENF-1]`, async () => {
      const [token, reason] = make();
      const answer = await staff['anna.berg'].tryOpenSession({id_token: token});
      assert.ok([401, 403, 409].includes(answer.status), String(answer.status));
      assert.equal(problem(answer), reason);
      assert.equal(await atHub(disguised(staff['anna.berg'], {idToken: token})), reason);
    });
  }

  test("one's own token under another's name: person_mismatch [IAM-1] [IAM-3]", async () => {
    assert.equal(await atHub(disguised(staff['anna.berg'], {identity: staff['bo.ek'].identity})), 'person_mismatch');
  });

  test('a session cannot be opened with another key than the token\'s, nor with no proof of the key [IAM-1]', async () => {
    const other = new StaffKey();
    assert.equal(problem(await staff['anna.berg'].tryOpenSession({key: other.jwk, salt: other.salt})), 'bad_signature');
    assert.equal(problem(await staff['anna.berg'].tryOpenSession({sig: other.sign('session', Buffer.alloc(32))})), 'bad_signature');
  });
});

describe('codes, challenges and sessions', () => {
  test('an authorization code is good once, and with its verifier only [IAM-1]', async () => {
    const bo = await new Person(town.town, 'bo.ek').logIn();
    const used = front.asked.filter(({path}) => path === '/v1/oidc/token').at(-1).json;
    const again = await bo.post('/v1/oidc/token', used);
    assert.equal(problem(again), 'code_refused');
    assert.ok(!again.text.includes('id_token'));
    let stolen;
    front.bend.staffRequest = (method, path, json) => { if (path === '/v1/oidc/token') { stolen = json; return {...json, code_verifier: random(32)}; } };
    await assert.rejects(new Person(town.town, 'bo.ek').logIn(), /code_refused/);
    assert.ok(stolen);
  });

  test('a code goes to listed identity providers and the app\'s own address only [IAM-1]', async () => {
    const body = {issuer: town.town.issuer.issuer, code: 'x', code_verifier: random(32), redirect_uri: `${town.town.appOrigin}/callback.html`};
    assert.equal(problem(await staff.chef.post('/v1/oidc/token', {...body, redirect_uri: 'https://evil.example/callback.html'})), 'wrong_redirect');
    assert.equal(problem(await staff.chef.post('/v1/oidc/token', {...body, issuer: 'https://evil.example'})), 'unknown_issuer');
  });

  test('a session challenge is good once [IAM-1]', async () => {
    const {key, idToken} = staff['anna.berg'];
    const {challenge} = (await staff['anna.berg'].post('/v1/session/challenge', {})).json();
    const sig = key.sign('session', Buffer.concat([Buffer.from(`${new URL(town.town.relay).host}\0`), Buffer.from(challenge, 'base64url')]));
    const open = () => staff['anna.berg'].post('/v1/session', {challenge, provider: town.town.provider, key: key.jwk, salt: key.salt, id_token: idToken, sig});
    assert.equal((await open()).status, 200);
    assert.equal(problem(await open()), 'unknown_challenge');
  });

  test('a session that was logged out is over, on the WebSocket too [SES-8] [IAM-6]', async () => {
    const bo = await new Person(town.town, 'bo.ek').logIn();
    assert.equal((await bo.get('/v1/orders')).status, 200);
    assert.equal((await bo.call('DELETE', '/v1/session')).status, 204);
    assert.equal(problem(await bo.get('/v1/orders')), 'no_session');
    await assert.rejects(new ScriptedViewer(town.town, bo).connect().then((viewer) => viewer.close()), /in vain/);
  });

  test('the WebSocket is for app origins, and says nothing to whoever has not authenticated [IAM-1]', async () => {
    const open = (origin) => new Promise((done) => {
      const texts = [];
      const socket = new WebSocket(`${relay.replace('https:', 'wss:')}/v1/live`, {ca: town.town.ca.pem, servername: 'localhost', headers: origin ? {origin} : {}});
      socket.on('unexpected-response', (_, response) => done(response.statusCode));
      socket.on('message', (data) => texts.push(JSON.parse(data.toString())));
      socket.on('open', () => socket.send(JSON.stringify({type: 'view', order: {}})));
      socket.on('close', () => done(texts));
      socket.on('error', () => {});
    });
    assert.equal(await open('https://evil.example'), 403);
    assert.equal(await open(), 403);
    assert.deepEqual((await open(town.town.appOrigin)).map(({type, code}) => [type, code]), [['problem', 'no_session']]);
  });
});

describe('rights', () => {
  const grantOf = (people, body) => makeOrder(town.town, people, {
    type: 'grant', version: 1, replaces: null, issuer: town.town.issuer.issuer, person: 'ny.person', rights: [right('operator')], reason: 'prov', ...body});

  test('a grant of one person, or by people who may not grant, gives nothing at the hub either [IAM-5] [IAM-12]', async () => {
    const {chef, rattighet, planerare, bistand} = staff;
    assert.deepEqual(await receiptOf(grantOf([[chef, 'manager']])), ['refused', 'not_two_people']);
    assert.deepEqual(await receiptOf(grantOf([[chef, 'manager'], [chef, 'rights_admin']])), ['refused', 'not_two_people']);
    assert.deepEqual(await receiptOf(grantOf([[planerare, 'manager'], [bistand, 'rights_admin']])), ['waiting', 'no_grant']);
    assert.deepEqual(await receiptOf(grantOf([[rattighet, 'manager'], [chef, 'rights_admin']])), ['waiting', 'no_grant']);
    assert.deepEqual(await receiptOf(grantOf([[chef, 'rights_admin'], [rattighet, 'manager']])), ['refused', 'wrong_role']);
  });

  test('a grant for longer than 400 days is malformed [IAM-4]', async () => {
    const {chef, rattighet} = staff;
    assert.deepEqual(await receiptOf(grantOf([[chef, 'manager'], [rattighet, 'rights_admin']], {rights: [right('operator', {to: now(401 * 86400)})]})), ['refused', 'malformed']);
  });

  test('a right ends when it ends, begins when it begins, and holds in its group [IAM-4] [SES-6]', async () => {
    const isHeld = ({order}) => { const {type, person} = JSON.parse(order.payload); return type === 'grant' && person === 'granskare'; };
    const held = (await staff.chef.get('/v1/orders')).json().items.find(isHeld);
    const next = async (rights, version, replaces) => {
      const signed = await grant(town.town, 'granskare', [right('log_reviewer'), ...rights], version, replaces);
      await town.said(one, 'receipts', 'the grant', (receipt) => receipt.order === signed.hash && receipt.verdict === 'accepted');
      return signed.hash;
    };
    let hash = await next([right('operator', {to: now(4)})], 2, hashOf('order', held.order.payload));
    assert.equal(await atHub(staff.granskare), 'no_ledger_entry', 'in force');
    await until('it has run out', async () => (await atHub(staff.granskare)) === 'grant_expired');
    const {order} = await as(staff.granskare).makeView(one);
    const own = await new ScriptedViewer(town.town, staff.granskare).connect();
    assert.equal((await own.ask(order)).problem, 'grant_expired');
    own.close();
    hash = await next([right('operator', {from: now(3600), to: now(7200)})], 3, hash);
    assert.equal(await atHub(staff.granskare), 'no_grant');
    hash = await next([right('operator', {groups: ['dag']})], 4, hash);
    assert.equal(await atHub(staff.granskare), 'group_not_in_scope');
    await next([], 5, hash);
    assert.equal(await atHub(staff.granskare), 'no_grant');
  });

  test('a right taken away in the middle of a view ends it; the relay and the hub both refuse the next [IAM-6] [SES-6]', async () => {
    const bo = await new ScriptedViewer(town.town, await new Person(town.town, 'bo.ek').logIn()).connect();
    const {answer} = await bo.view(one);
    assert.equal(answer.decision, 'open', answer.reason);
    await until('camera open', () => one.cameraDescriptors().length === 1);
    const signed = await staff.rattighet.post('/v1/orders', {order: makeOrder(town.town, [[staff.rattighet, 'rights_admin']], {
      type: 'revoke', version: 1, replaces: null, issuer: town.town.issuer.issuer, person: 'bo.ek', from: now(), reason: 'slutat'}).order, note: null});
    assert.equal(signed.status, 201, signed.text);
    await until('camera closed', () => one.cameraDescriptors().length === 0, 3000, 20);
    await town.entry('why', (e) => e.what === 'view_ended' && e.reason === 'withdrawn');
    assert.equal(await atHub(bo.person), 'person_revoked');
    const {order} = await bo.makeView(one);
    const told = await bo.ask(order).catch(() => ({problem: 'no_session'}));
    assert.ok(['person_revoked', 'no_grant', 'no_session'].includes(told.problem), told.problem);
    bo.close();
  });
});

describe('what no route takes', () => {
  const everyone = [['POST', '/v1/oidc/token'], ['POST', '/v1/session'], ['PUT', '/v1/trust/root-list'], ['PUT', '/v1/trust/bundle']];
  const ofStaff = () => [['POST', '/v1/orders'], ['POST', '/v1/drafts'], ['POST', `/v1/drafts/${random(16)}/signatures`], ['PUT', `/v1/residents/${random(16)}`]];
  const reads = () => [['GET', '/v1/orders'], ['GET', '/v1/drafts'], ['GET', '/v1/residents'], ['GET', '/v1/tonight'], ['GET', '/v1/hubs'], ['GET', '/v1/ledger/checkpoint'],
    ['GET', '/v1/ledger/consistency?from=1&to=2'], ['GET', `/v1/ledger/inclusion?hash=${random(32)}&size=1`], ['GET', '/v1/ledger/entries?limit=1'],
    ['DELETE', '/v1/session'], ['DELETE', `/v1/drafts/${random(16)}`], ['POST', `/v1/hubs/${random(32)}/code`]];
  const ofHubs = [['POST', '/hub/v1/enrol'], ['POST', '/hub/v1/poll'], ['POST', '/hub/v1/report']];
  const json = {'content-type': 'application/json'};
  const send = (method, path, body, {token, hub, headers = {}} = {}) => call(`${relay}${path}`, {
    method, body, ca: town.town.ca.pem, timeoutMs: 20000, ...(hub ? {key: one.linkIdentity().key, cert: one.linkIdentity().cert} : {}),
    headers: {...json, ...(body === undefined ? {} : {'content-length': Buffer.byteLength(body)}), ...(token ? {authorization: `Bearer ${token}`} : {}), ...headers}});
  const withBodies = () => [...everyone.map((route) => [...route, {}]), ...ofStaff().map((route) => [...route, {token: staff.bistand.token}]), ...ofHubs.map((route) => [...route, {hub: true}])];

  for (const [what, body] of Object.entries({
    'nothing': '', 'half an object': '{"order":', 'a list': '[]', 'a number': '7', 'no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    'a member twice': '{"order":1,"order":2}', 'a depth of a thousand': `${'['.repeat(1000)}${']'.repeat(1000)}`, 'members nobody asked for': '{"zzz":1}', 'a lone surrogate': '{"a":"\\ud800"}',
  })) {
    test(`${what}: 400 malformed, as RFC 9457 has it, on every route that takes a body [INT-1] [AVA-6]`, async () => {
      for (const [method, path, caller] of withBodies()) {
        const answer = await send(method, path, body, caller);
        if (path.endsWith('/signatures') && answer.status === 404) continue;  // no such draft, whatever the body
        assert.equal(answer.status, 400, `${method} ${path}: ${answer.status} ${answer.text}`);
        assert.equal(problem(answer), 'malformed', `${method} ${path}`);
      }
    });
  }

  test('a megabyte: 413 before it is read, on every route [AVA-6]', async () => {
    const body = 'x'.repeat(1024 * 1024);
    for (const [method, path, caller] of withBodies()) {
      const answer = await send(method, path, body, caller);
      assert.equal(answer.status, 413, `${method} ${path}: ${answer.status}`);
      assert.equal(problem(answer), 'body_too_large');
    }
  });

  test('a header of 20 KiB: 431 [AVA-6]', async () => {
    const answer = await send('GET', '/v1/orders', undefined, {headers: {'x-long': 'x'.repeat(20000)}});
    assert.equal(answer.status, 431);
    problem(answer);
  });

  test('who is nobody gets nothing: 401 on every route of staff, a made-up token too [IAM-1] [IAM-9]', async () => {
    for (const token of [undefined, random(32), `${staff.bistand.token}x`, '']) {
      for (const [method, path] of [...reads(), ...ofStaff()]) {
        const answer = await send(method, path, method === 'GET' || method === 'DELETE' ? undefined : '{}', {token});
        assert.equal(answer.status, 401, `${method} ${path}: ${answer.status}`);
        assert.equal(problem(answer), 'no_session');
      }
    }
  });

  test('a hub\'s certificate is no member of staff, a member of staff no hub, and a stranger\'s certificate nobody [IAM-10]', async () => {
    for (const [method, path] of reads().filter(([m]) => m === 'GET')) assert.equal((await send(method, path, undefined, {hub: true})).status, 401, path);
    for (const [method, path] of ofHubs) assert.equal((await send(method, path, '{}', {token: staff.bistand.token})).status, 401, path);
    const {key, cert} = town.town.ca.issue('stranger');
    const ask = call(`${relay}/hub/v1/poll`, {method: 'POST', body: {format: 1, status: null}, ca: town.town.ca.pem, key: readFileSync(key), cert: readFileSync(cert)});
    await assert.rejects(ask, /alert bad certificate/, 'of a CA, so refused by the handshake');
  });

  test('paths and methods that are not there: 404 and 405, no more said [INT-4]', async () => {
    for (const path of ['/', '/v2/orders', '/v1/orders/', '/v1//orders', '/v1/%6frders', '/metrics', '/.git/config', '/v1/residents/x']) {
      const answer = await send('GET', path, undefined, {token: staff.bistand.token});
      assert.ok([400, 404, 405].includes(answer.status), `${path}: ${answer.status}`);
      problem(answer);
    }
    for (const [method, path] of [['DELETE', '/v1/orders'], ['PUT', '/v1/session'], ['GET', '/hub/v1/poll']]) {
      const answer = await send(method, path, undefined, {token: staff.bistand.token});
      assert.ok([404, 405].includes(answer.status), `${method} ${path}: ${answer.status}`);
    }
  });

  test('a view cannot be posted as an order, an order not asked for as a view [ENF-1]', async () => {
    const {order} = await anna.makeView(one);
    assert.equal(problem(await staff['anna.berg'].post('/v1/orders', {order, note: null})), 'type_not_supported');
    assert.equal((await anna.ask(one.resident.schedule.order)).problem, 'type_not_supported');
  });

  test('after all that a picture is still to be had [SES-1]', async () => {
    const {answer} = await anna.view(one);
    assert.equal(answer.decision, 'open', answer.reason);
    await until('frames', () => anna.frames.length > 0);
  });
});

describe('keys that come and go', () => {
  const jwks = (keys) => ({keys: keys.map(({kty, n, e, kid, alg, use}) => ({kty, n, e, kid, alg, use}))});
  const second = {...generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey.export({format: 'jwk'}), kid: 'second-1', alg: 'RS256', use: 'sig'};

  test('a key that is new at the identity provider signs nothing before the bundle has it, and then not before its delay [IAM-1] [ENF-1]', async () => {
    await town.town.startIdentityProvider({rotate: true});
    const bo = await new Person(town.town, 'anna.berg').logIn({openSession: false});
    assert.equal(headerOf(bo.idToken).kid, 'idp-2');
    assert.equal(await atHub(bo), 'unknown_kid');
    assert.match(await town.makeBundle(), /ALARM: .*new key idp-2/);
    await newestBundleAtHub();
    assert.equal(await atHub(bo), 'retired_key', 'it counts a day later');
    assert.equal(await atHub(staff['anna.berg']), 'no_ledger_entry', 'logins under the old key go on');
  });

  test('a key that the identity provider no longer shows cannot sign new logins, whoever has stolen it; old logins stand [IAM-1] [ENF-1]', async () => {
    const retired = town.town.idpKeys.pop();
    await town.town.startIdentityProvider({rotate: false});
    await town.makeBundle();
    await newestBundleAtHub();
    const iat = Math.floor(Date.now() / 1000);
    const stolen = mintToken(staff['anna.berg'].idToken, {key: retired, claims: {iat, auth_time: iat}});
    assert.equal(await atHub(disguised(staff['anna.berg'], {idToken: stolen})), 'retired_key');
    assert.equal(await atHub(staff['anna.berg']), 'no_ledger_entry');
  });

  test('two issuers: the same name is the same person, rights count under one issuer, and only in its roles [IAM-3] [IAM-5] [IAM-4]', async () => {
    writeFileSync(town.town.path('app/trust/second.json'), JSON.stringify(jwks([second])));
    const issuer = 'https://second.example';
    await town.town.makeRootList(2, (spec) => {
      spec.issuers.push({...town.town.issuer, issuer, client_id: 'second', authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`,
        jwks_uri: `${town.town.appOrigin}/trust/second.json`, roles: ['operator', 'manager', 'rights_admin']});
      spec.providers[0].issuers.push(issuer);
      spec.providers[0].granters.push({issuer, person: 'chef', role: 'rights_admin'}, {issuer, person: 'annan', role: 'rights_admin'});
      return spec;
    });
    await town.town.publish('root-list');
    await town.makeBundle();
    await newestBundleAtHub();
    await new Promise((done) => setTimeout(done, 1100));
    const under = (name) => {
      const iat = Math.floor(Date.now() / 1000);
      const person = {identity: {issuer, person: name}, key: new StaffKey()};
      person.idToken = mintToken(staff['anna.berg'].idToken, {key: second, header: {kid: 'second-1'}, claims: {iss: issuer, aud: 'second', sub: name, nonce: person.key.nonce, iat, auth_time: iat}});
      return disguised(person);
    };
    const ask = (signers) => receiptOf(makeOrder(town.town, signers, {type: 'grant', version: 1, replaces: null, issuer, person: 'ny.person', rights: [right('operator')], reason: 'prov'}));
    assert.deepEqual(await ask([[staff.chef, 'manager'], [under('chef'), 'rights_admin']]), ['refused', 'not_two_people']);
    assert.deepEqual(await ask([[staff.chef, 'manager'], [under('annan'), 'rights_admin']]), ['accepted', null], 'the control');
    assert.equal(await atHub(under('anna.berg')), 'no_grant', 'granted under the first issuer only');
    const {resident, home, group} = one.resident;
    assert.deepEqual(await receiptOf(makeOrder(town.town, [[under('planerare'), 'planner'], [staff.bistand, 'care_manager']], {
      type: 'schedule', version: 2, replaces: one.resident.schedule.hash, resident, home, group, timezone: 'Europe/Stockholm', valid_from: null, valid_to: null, windows: [], exceptions: []})),
    ['refused', 'issuer_not_for_role']);
  });

  test('a person and a hub that the bundle revokes: the running view ends, and no other begins [IAM-6] [ENF-5]', async () => {
    assert.equal((await anna.view(one)).answer.decision, 'open');
    await until('camera open', () => one.cameraDescriptors().length === 1);
    await town.makeBundle('--revoke-person', town.town.issuer.issuer, 'anna.berg');
    await until('camera closed', () => one.cameraDescriptors().length === 0, 40000);
    assert.equal(await atHub(staff['anna.berg']), 'person_revoked');
    await town.makeBundle('--revoke-hub', one.id);
    const {key, cert} = one.linkIdentity();
    const poll = await call(`https://localhost:${town.town.relayPort}/hub/v1/poll`, {method: 'POST', body: {format: 1, status: null}, ca: town.town.ca.pem, key, cert});
    assert.deepEqual([poll.status, problem(poll)], [403, 'hub_revoked']);
  });

  async function newestBundleAtHub() {
    const {root_list_version, counter} = JSON.parse(JSON.parse(readFileSync(town.town.path('bundle.json'), 'utf8')).payload);
    await until('the hub has the newest bundle', () => {
      const {bundle} = anna.hubs.get(one.id).status;
      return bundle.root_list_version === root_list_version && bundle.counter === counter;
    }, 40000);
  }
});
