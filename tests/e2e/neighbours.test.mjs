// Two providers on one relay. For every route of relay/api/openapi.yaml the owner first gets what it asks for; then every
// neighbour (all staff of the other provider, the owner's namesake among them, and the other's hub) asks for the very same, is
// refused or answered from its own, and neither sees nor changes anything of the owner's.
import assert from 'node:assert/strict';
import {readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {b64, now, random, sha256} from './lib/crypto.mjs';
import {call} from './lib/https.mjs';
import {Contract} from './lib/openapi.mjs';
import {makeOrder, Person, postOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {localTime, makeAdministrator} from './lib/provision.mjs';
import {ScriptedHub} from './lib/scripted_hub.mjs';
import {ScriptedViewer} from './lib/scripted_viewer.mjs';
import {startTwoProviders} from './lib/two_providers.mjs';
import {WebhookReceiver} from './lib/webhook_receiver.mjs';

const dir = join(tmpdir(), `tillsyn-neighbours-${process.pid}`);
const contract = new Contract();
let all, town, nord, syd;

before(async () => {
  all = await startTwoProviders(dir);
  ({town, nord, syd} = all);
  for (const side of [nord, syd]) await connectSystem(side);
}, {timeout: 150000});
after(async () => {
  for (const {receiver} of [nord, syd].filter(Boolean)) receiver?.close();
  await all?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

// A system administrator, a system that wants nothing any more (410), and an alarm whose message it therefore never took.
async function connectSystem(side) {
  await makeAdministrator(side);
  side.receiver = await new WebhookReceiver(town.ca.issue(`receiver-${side.provider}`)).listen();
  side.receiver.status = 410;
  const added = await side.staff.granskare.post('/v1/integrations', {url: side.receiver.url, ca: town.ca.pem});
  assert.equal(added.status, 201, added.text);
  side.receiver.secret = added.json().secret;
  side.integration = added.json().id;
  await raiseAlarm(side);
  side.letter = (await until('a dead letter', async () => (await side.staff.granskare.get('/v1/dead-letters')).json().items[0])).id;
}

// Nothing could be seen: somebody has to go there.
async function raiseAlarm(side) {
  const {answer, note, ...tried} = outcome(side, {type: 'unable', reason: 'mörkt'});
  await postOrder(side, [[side.staff['anna.berg'], 'operator']], tried);
  const found = await until('the alarm', async () => (await side.staff['anna.berg'].get('/v1/alarms')).json().items.find(({kind, acknowledged}) => kind === 'visit_needed' && !acknowledged));
  return found.id;
}
const inHours = (hours) => ({from: now(hours * 3600), to: now(hours * 3600 + 600), reason: 'byte av disk'});
async function planned(side) { return (await side.staff.granskare.post('/v1/maintenance', inHours(7))).json().id; }
async function connected(side) { return (await side.staff.granskare.post('/v1/integrations', {url: side.receiver.url, ca: null})).json().id; }

// What is the side's own and nobody else's to read: none of it may stand in any answer to a neighbour.
function marks(side) {
  const {resident, home, name, address, salt, code, identifier, assignment, consent, acceptance, schedule} = side.hub.resident;
  return [side.hub.id, resident, home, name, address, salt, code, identifier, ...[assignment, consent, acceptance, schedule].map(({hash}) => hash), side.hub.challenge,
    ...[side.receiver?.secret, side.integration, side.letter].filter(Boolean)];
}
function holdsNothingOf(side, text, what) {
  for (const mark of marks(side)) assert.ok(!text.includes(mark), `${what} shows ${mark} of ${side.provider}`);
}

const outcome = (side, change = {}) => ({type: 'completed', resident: side.hub.resident.resident, group: side.hub.resident.group,
  window: {id: 'w1', date: localTime().date}, answer: b64(sha256('answer')), note: null, ...change});
function consent(side) {
  const {bistand, planerare} = side.staff;
  const payload = JSON.parse(side.hub.resident.consent.order.payload);
  return makeOrder(side, [[bistand, 'care_manager'], [planerare, 'planner']], {...payload, version: 2, replaces: side.hub.resident.consent.hash, id: random(16), signed_at: now()}).order;
}
async function draft(side) {
  const order = consent(side);
  const kept = await side.staff.bistand.post('/v1/drafts', {payload: order.payload, signatures: [order.signatures[0], null]});
  return {id: kept.json().id, order};
}
const putBody = (side) => { const {group, name, address, salt} = side.hub.resident; return {group, name, address, salt}; };

// One who is known by name alone; -> the id.
async function enteredName(side, {isProtected = false} = {}) {
  const resident = random(16);
  const url = `/v1/residents/${resident}`;
  const puts = [[url, {group: side.hub.resident.group, name: 'Enok Testsson', address: '', salt: random(32)}], ...(isProtected ? [[`${url}/protection`, {pause: null}]] : [])];
  for (const [at, body] of puts) assert.equal((await ask(side, 'bistand', 'PUT', at, body)).status, 204);
  return resident;
}

// A code of the identity provider's that has not been exchanged yet.
async function freshCode(side) {
  const person = new Person(side, 'anna.berg');
  let asked;
  person.post = (_, body) => { asked = body; throw new Error('kept back'); };
  await person.logIn().catch(() => {});
  return asked;
}
async function openBody(side) {
  let opened;
  const person = await new Person(side, 'anna.berg').logIn({openSession: false});
  const plain = person.post.bind(person);
  person.post = async (path, body) => (path === '/v1/session' ? (opened = body, {status: 0}) : plain(path, body));
  await person.tryOpenSession();
  return opened;
}

// How each route is asked, by the one whose it is: `make(side)` -> {url, body}; `by` is who asks. What the neighbour's same
// request comes to: 'refused'; 'own' (answered from the neighbour's own, or taken into it); 'public' (the same for everybody).
const cases = {
  // First: later the neighbours' logs speak of what they themselves have sent.
  'GET /v1/ledger/entries': {by: 'granskare', comes: 'own', make: () => ({url: '/v1/ledger/entries?limit=1000'})},
  'POST /v1/oidc/token': {by: 'nobody', comes: 'refused', make: async (side) => ({body: await freshCode(side)}),
    bent: (body, other) => ({...body, issuer: other.issuer.issuer})},
  'GET /v1/client-jwks': {by: 'nobody', comes: 'public'},
  'POST /v1/session/challenge': {by: 'nobody', comes: 'public', make: () => ({body: {}})},
  'POST /v1/session': {by: 'nobody', comes: 'refused', make: async (side) => ({body: await openBody(side)}),
    bent: (body, other) => ({...body, provider: other.provider})},
  'DELETE /v1/session': {by: 'bo.ek', comes: 'own', last: true},
  'GET /v1/orders': {by: 'chef', comes: 'own'},
  'POST /v1/orders': {by: 'anna.berg', comes: 'refused', make: (side) => ({body: {order: makeOrder(side, [[side.staff['anna.berg'], 'operator']], outcome(side)).order, note: null}})},
  'GET /v1/drafts': {by: 'bistand', comes: 'own'},
  'POST /v1/drafts': {by: 'bistand', comes: 'refused', make: (side) => { const {payload, signatures} = consent(side); return {body: {payload, signatures: [signatures[0], null]}}; }},
  'POST /v1/drafts/{id}/signatures': {by: 'planerare', comes: 'refused', make: async (side) => { const {id, order} = await draft(side); return {url: `/v1/drafts/${id}/signatures`, body: order.signatures[1], again: 404}; }},
  'DELETE /v1/drafts/{id}': {by: 'bistand', comes: 'refused', make: async (side) => ({url: `/v1/drafts/${(await draft(side)).id}`}), before: true},
  'GET /v1/residents': {by: 'anna.berg', comes: 'own'},
  'PUT /v1/residents/{resident}': {by: 'bistand', comes: 'own', make: (side) => ({url: `/v1/residents/${side.hub.resident.resident}`, body: putBody(side)})},
  'GET /v1/settings': {by: 'anna.berg', comes: 'own'},
  'PUT /v1/settings': {by: 'granskare', comes: 'own', make: () => ({body: {protected_residents: 'taken'}})},
  'PUT /v1/residents/{resident}/protection': {by: 'bistand', comes: 'refused', make: async (side) => ({url: `/v1/residents/${await enteredName(side)}/protection`, body: {pause: null}})},
  'DELETE /v1/residents/{resident}/protection': {by: 'bistand', comes: 'refused', make: async (side) => ({url: `/v1/residents/${await enteredName(side, {isProtected: true})}/protection`}), before: true},
  'GET /v1/tonight': {by: 'anna.berg', comes: 'own'},
  'GET /v1/hubs': {by: 'anna.berg', comes: 'own'},
  'POST /v1/hubs/{hub}/code': {by: 'tekniker', comes: 'refused', make: (side) => ({url: `/v1/hubs/${side.hub.id}/code`, body: {}})},
  'GET /v1/ledger/checkpoint': {by: 'chef', comes: 'own'},
  'GET /v1/ledger/consistency': {by: 'chef', comes: 'own', make: () => ({url: '/v1/ledger/consistency?from=1&to=5'})},
  'GET /v1/ledger/inclusion': {by: 'chef', comes: 'refused', make: (side) => ({url: `/v1/ledger/inclusion?hash=${side.hub.resident.consent.hash}&size=${side.hub.resident.schedule.entry.seq}`})},
  'PUT /v1/trust/root-list': {by: 'nobody', comes: 'public', make: () => ({body: readFileSync(town.path('root-list.json'), 'utf8')})},
  'PUT /v1/trust/bundle': {by: 'nobody', comes: 'public', make: () => ({body: readFileSync(town.path('bundle.json'), 'utf8')})},
  'GET /hub/v1/trust': {by: 'nobody', comes: 'public'},
  'POST /hub/v1/poll': {by: 'hub', comes: 'own', make: (side) => ({body: {format: 1, status: {...side.hub.status, root_list: 0}}})},
  'POST /hub/v1/report': {by: 'hub', comes: 'own', make: (side) => ({body: {format: 1, status: null, answers: [], countersigns: [], events: [],
    receipts: [side.hub.receipt(side.hub.resident.schedule.hash, {verdict: 'refused', reason: 'late'})]}})},
  'GET /v1/supervisions': {by: 'anna.berg', comes: 'own'},
  'GET /v1/alarms': {by: 'anna.berg', comes: 'own'},
  'GET /v1/maintenance': {by: 'anna.berg', comes: 'own'},
  'POST /v1/alarms/{id}/acknowledgement': {by: 'anna.berg', comes: 'refused', make: async (side) => ({url: `/v1/alarms/${await raiseAlarm(side)}/acknowledgement`, body: {}})},
  'POST /v1/maintenance': {by: 'granskare', comes: 'own', make: () => ({body: inHours(5)})},
  'DELETE /v1/maintenance/{id}': {by: 'granskare', comes: 'refused', make: async (side) => ({url: `/v1/maintenance/${await planned(side)}`}), before: true},
  'GET /v1/integrations': {by: 'granskare', comes: 'own'},
  'POST /v1/integrations': {by: 'granskare', comes: 'own', make: (side) => ({body: {url: side.receiver.url, ca: null}})},
  'DELETE /v1/integrations/{id}': {by: 'granskare', comes: 'refused', make: async (side) => ({url: `/v1/integrations/${await connected(side)}`}), before: true},
  'GET /v1/dead-letters': {by: 'granskare', comes: 'own'},
  'POST /v1/dead-letters/{id}/retry': {by: 'granskare', comes: 'refused', make: (side) => ({url: `/v1/dead-letters/${side.letter}/retry`, body: {}}), before: true},
  // These have a test of their own below.
  'POST /hub/v1/enrol': null,
  'POST /hub/v1/streams/{stream}': null,
  'GET /v1/live': null,
};

// One asker for so many: the relay's limit on calls a second is waited for.
const polite = (call) => until('an answer', async () => { const answer = await call(); return answer.status === 429 ? null : answer; }, 20000, 250);
const ask = (side, who, method, url, body) => polite(() => {
  if (who === 'nobody') return call(town.relay + url, {method, body, ca: town.ca.pem});
  return who === 'hub' ? side.hub.call(method, url, body) : side.staff[who].call(method, url, body);
});
const read = async (side, who, url) => polite(() => side.staff[who].get(url));
const log = async (side) => (await read(side, 'granskare', '/v1/ledger/entries?limit=1000')).json().items;
const state = async (side) => ({
  residents: (await read(side, 'anna.berg', '/v1/residents')).text,
  orders: (await read(side, 'chef', '/v1/orders')).text,
  settings: (await read(side, 'granskare', '/v1/settings')).text,
  names: (await read(side, 'bistand', '/v1/residents')).text,
  maintenance: (await read(side, 'granskare', '/v1/maintenance')).text,
  integrations: (await read(side, 'granskare', '/v1/integrations')).text,
  letter: (await read(side, 'granskare', '/v1/dead-letters')).json().items.find(({id}) => id === side.letter)?.tries ?? null,
  taken: (await read(side, 'anna.berg', '/v1/alarms')).json().items.filter(({acknowledged}) => acknowledged).map(({id, acknowledged}) => [id, acknowledged.who]),
  drafts: (await read(side, 'bistand', '/v1/drafts')).text,
  log: (await log(side)).map((text) => JSON.parse(text)).filter(({what}) => !/^(log_read|login|logout|alarm_.*|webhook_dead)$/.test(what)).length,
});

// The state once the hub has said what it had to say of it.
async function settled(side) {
  let held = await state(side);
  await until('no more receipts', async () => {
    const before = held.log;
    held = await state(side);
    return held.log === before && held.letter !== null;  // one that was sent again is refused again
  }, 10000, 400);
  return held;
}

async function tryAll(name, owner, other) {
  const [method, path] = name.split(' ');
  const {by, comes, make = () => ({}), bent} = cases[name];
  const made = await make(owner);
  const url = made.url ?? path;
  if (!cases[name].before) {
    const first = await ask(owner, by, method, url, made.body);
    assert.ok(first.status >= 200 && first.status < 300, `${name}: the owner gets ${first.status} ${first.text}`);
  }
  const held = await settled(owner);
  const asking = by === 'nobody' ? ['nobody'] : by === 'hub' ? ['hub'] : Object.keys(other.staff);
  for (const who of asking) {
    const body = bent ? bent((await make(owner)).body, other) : made.body;
    const answer = await ask(other, who, method, url, body);
    contract.check(method, url, answer);
    if (comes === 'refused') assert.ok(answer.status >= 400, `${name}: ${who} of ${other.provider} gets ${answer.status}`);
    if (comes === 'public') continue;
    const sent = JSON.stringify(body ?? '') + url;
    for (const mark of marks(owner)) assert.ok(!answer.text.includes(mark) || sent.includes(mark), `${name}: ${who} of ${other.provider} sees ${mark}`);
  }
  assert.deepEqual(await state(owner), held, `${name}: something of ${owner.provider} has changed`);
  if (cases[name].before) {
    const own = await ask(owner, by, method, url, made.body);
    assert.ok(own.status >= 200 && own.status < 300, `${name}: the owner gets ${own.status} after the neighbours`);
  }
}

describe('every route, owner first and then the neighbours', () => {
  test('no route of the page is left out [TEN-1]', () => {
    assert.deepEqual(Object.keys(cases).sort(), contract.operations().map(({method, path}) => `${method} ${path}`).sort());
  });
  const inTurn = Object.keys(cases).filter((name) => cases[name]).sort((a, b) => Number(cases[a].last ?? false) - Number(cases[b].last ?? false));
  for (const name of inTurn) {
    test(`${name} [TEN-1] [SES-6]`, async () => {
      await tryAll(name, nord, syd);
      if (cases[name].last) for (const side of [nord, syd]) for (const person of Object.values(side.staff)) await person.logIn();
      else await tryAll(name, syd, nord);
    });
  }
});

describe('what goes by other ways', () => {
  test('a one-time code enrols no other hub, and no hub twice [INS-2] [TEN-1]', async () => {
    const [mine, theirs] = [new ScriptedHub(nord, 'nord-2'), new ScriptedHub(syd, 'syd-2')];
    await postOrder(nord, [[nord.staff.tekniker, 'technician']], {type: 'device', version: 1, replaces: null, hub: mine.id, device_key: await mine.deviceKey(), board: 'bench'});
    const {code} = (await nord.staff.tekniker.post(`/v1/hubs/${mine.id}/code`, {})).json();
    assert.equal((await theirs.tryEnrol(code)).json().code, 'bad_code');
    assert.deepEqual((await syd.hub.tryEnrol(code)).json(), {hub: syd.hub.id, provider: 'syd'}, 'one that is enrolled stays where it is');
    const enrolled = await mine.tryEnrol(code);
    assert.deepEqual(enrolled.json(), {hub: mine.id, provider: 'nord'});
    holdsNothingOf(nord, (await syd.staff['anna.berg'].get('/v1/hubs')).text, 'the list of hubs');
    assert.ok(!(await syd.staff['anna.berg'].get('/v1/hubs')).text.includes(mine.id));
  });

  test('the WebSocket shows hubs and changes of the own provider alone, and a view of the other\'s home is refused [SES-6] [TEN-1]', async () => {
    const mine = await new ScriptedViewer(nord, nord.staff['anna.berg']).connect();
    const theirs = await new ScriptedViewer(syd, syd.staff['anna.berg']).connect();
    await until('both know their hubs', () => mine.hubs.size > 0 && theirs.hubs.size > 0);
    assert.ok(mine.hubs.has(nord.hub.id) && !mine.hubs.has(syd.hub.id));
    assert.ok(theirs.hubs.has(syd.hub.id) && !theirs.hubs.has(nord.hub.id));
    const {order, hash} = await mine.makeView(nord.hub);
    assert.equal((await theirs.ask(order)).problem, 'person_mismatch', 'the owner\'s order, handed in by its namesake');
    const own = {...JSON.parse(order.payload), id: random(16), signers: undefined};
    for (const provider of ['nord', 'syd']) {
      const forged = makeOrder(syd, [[syd.staff['anna.berg'], 'operator']], {...own, provider, signers: [{...syd.staff['anna.berg'].identity, role: 'operator'}]});
      assert.ok((await theirs.ask(forged.order)).problem, `a view of nord's home in ${provider}'s name`);
    }
    const asked = mine.ask(order);
    await nord.hub.offered(hash);
    assert.ok(!syd.hub.offers.some((offer) => offer.order.payload === order.payload));
    const stream = random(16);
    await nord.hub.report({answers: [nord.hub.open(order, stream)]});
    assert.equal((await asked).answer.decision, 'open');
    const taken = await syd.hub.post(`/hub/v1/streams/${stream}`, {});
    assert.deepEqual([taken.status, taken.json().code], [404, 'no_such_stream']);
    assert.equal((await (nord.hub.stream(stream)).response).status, 200);
    assert.ok(!theirs.texts.some((text) => text.type === 'answer'));
    for (const viewer of [mine, theirs]) viewer.close();
  });

  test('a hub\'s documents count for its own provider\'s log alone [AUD-1] [TEN-1]', async () => {
    const before = (await log(nord)).length;
    const hash = nord.hub.resident.schedule.hash;
    await syd.hub.report({receipts: [syd.hub.receipt(hash), nord.hub.receipt(hash, {verdict: 'waiting', reason: 'late'})], countersigns: [syd.hub.countersign(hash)]});
    assert.equal((await log(nord)).filter((text) => !text.includes('log_read')).length, (await log(nord)).slice(0, before).filter((text) => !text.includes('log_read')).length);
    const {items} = (await nord.staff.chef.get('/v1/orders')).json();
    assert.ok(items.every(({receipts, countersign}) => [...receipts, countersign].filter(Boolean).every(({payload}) => JSON.parse(payload).hub !== syd.hub.id)));
  });

  test('each provider has a file and keys of its own, and nothing of another stands in them [TEN-1] [PRI-6]', () => {
    const file = (name) => readFileSync(town.path('relay', name));
    assert.notDeepEqual(file('nord.ledger-key'), file('syd.ledger-key'));
    assert.notDeepEqual(file('nord.data-key'), file('syd.data-key'));
    for (const [side, other] of [[nord, syd], [syd, nord]]) {
      const stored = Buffer.concat([`${side.provider}.db`, `${side.provider}.db-wal`].map((name) => { try { return file(name); } catch { return Buffer.alloc(0); } }));
      assert.equal(statSync(town.path('relay', `${side.provider}.db`)).mode & 0o77, 0);
      const {hub: {id, resident}} = side;
      assert.ok(stored.includes(id) && stored.includes(resident.consent.hash), 'the search finds what is there');
      assert.ok(!stored.includes(resident.name) && !stored.includes(resident.address), 'names lie sealed');
      // Orders that neighbours tried to hand in have left their hashes in the neighbour's own log, as refused; no bodies.
      assert.ok(!stored.includes(other.issuer.issuer), `${side.provider}.db holds a signer of ${other.provider}'s`);
    }
  });
});
