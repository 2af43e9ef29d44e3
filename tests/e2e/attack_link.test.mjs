// An enemy who owns the program that talks to the Internet: it has the link key and the gate's socket, and with them can carry,
// withhold and lie, but neither sign for the home nor make the camera open.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {createECDH, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, verify} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {after, afterEach, before, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {AttackTown, every} from './lib/attack_town.mjs';
import {b64, hashOf, now, random, signedBytes, StaffKey, unb64} from './lib/crypto.mjs';
import {bareOffer, disguised} from './lib/forgery.mjs';
import {makeOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {localTime} from './lib/provision.mjs';
import {ScriptedViewer} from './lib/scripted_viewer.mjs';
import {untilPainted, untilRefused, untilView} from './lib/view_page.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'lib/evil_link.py');
const says = {rootList: 2, bundle: 3, order: 4, offer: 5, pollWanted: 6, life: 7, streamLost: 8, eventsAcked: 9, linkKey: 10};
const hears = {status: 33, answer: 35, receipt: 36, linkKeyEnvelope: 37, event: 39, relays: 41};

let town, front, one, page, staff, viewer;

before(async () => {
  town = await AttackTown.start('attack-link');
  ({front, one, town: {staff}} = town);
  page = await town.openPage();
  viewer = await new ScriptedViewer(town.town, staff['bo.ek']).connect();
}, {timeout: 180000});
after(async () => { viewer?.close(); await town?.stop(); });
afterEach(() => town.honest());

const change = (payload, members) => JSON.stringify({...JSON.parse(payload), ...members});
const envelope = (name) => JSON.parse(readFileSync(town.town.path(`${name}.json`), 'utf8'));

describe('the link key signs nothing but TLS', () => {
  // An envelope as the hub would make it, by the link key.
  const byLinkKey = (kind, payload) => ({payload, sig: b64(sign('sha256', signedBytes(kind, payload), {key: createPrivateKey(one.linkIdentity().key), dsaEncoding: 'ieee-p1363'}))});
  const inReports = (kind, bend) => { front.bend.hubRequest = (path, json) => (path === '/hub/v1/report' ? {...json, [kind]: json[kind].map(bend)} : undefined); };
  const refusedDocument = (probe = () => true) => town.entry('a document refused', (e) => e.kind === 'relay' && e.what === 'document_refused' && e.hub === one.id && probe(e));

  test('an answer by it, sealed to the enemy, is refused by the page, and by an honest relay [VID-2] [IAM-10]', async () => {
    const key = createECDH('prime256v1');
    key.generateKeys();
    inReports('answers', ({payload}) => byLinkKey('answer', change(payload, {enc: b64(key.getPublicKey()), sealed: random(48)})));
    await town.look(page);
    const state = await untilRefused(page);
    assert.equal(state.reason, 'answer_not_from_hub');
    assert.equal(state.painted, 0);
    await refusedDocument((e) => e.reason === 'bad_signature');
  });

  test('"open" is not to be had from it: closed turned into open is refused [ENF-1]', async () => {
    inReports('answers', ({payload}) => byLinkKey('answer', change(payload, {decision: 'closed', reason: 'outside_window', until_ms: null, stream: null, enc: null, sealed: null})));
    await town.look(page);
    assert.equal((await untilRefused(page)).reason, 'answer_not_from_hub');
  });

  test('a receipt by it for an order that the hub never got counts nowhere [PRI-2] [ENF-5]', async () => {
    const {resident, home, group} = one.resident;
    const withheld = makeOrder(town.town, [[staff.planerare, 'planner'], [staff.bistand, 'care_manager']], {
      type: 'schedule', version: 2, replaces: one.resident.schedule.hash, resident, home, group, timezone: 'Europe/Stockholm', valid_from: null, valid_to: null,
      windows: [{id: 'w1', days: every, start: localTime(-3).time, minutes: 60}], exceptions: []});
    const honest = front.documents(one, 'receipts')[0].envelope.payload;
    const forged = byLinkKey('receipt', change(honest, {order: withheld.hash, verdict: 'accepted', reason: null, time: now()}));
    front.bend.hubAnswer = (path, json) => (path === '/hub/v1/poll' ? {...json, orders: json.orders.filter(({payload}) => payload !== withheld.payload)} : undefined);
    front.bend.hubRequest = (path, json) => (path === '/hub/v1/report' ? {...json, receipts: [forged]} : undefined);
    const before = (await town.entries()).length;
    assert.equal((await staff.planerare.post('/v1/orders', {order: withheld.order, note: null})).status, 201);
    await viewer.makeView(one).then(({order}) => front.tellHub(one, {views: [bareOffer(order)]}));  // makes the hub report
    await until('the report', () => front.documents(one, 'receipts')[0].order === withheld.hash);
    await new Promise((done) => setTimeout(done, 500));
    const item = (await staff.chef.get('/v1/orders')).json().items.find(({order}) => order.payload === withheld.payload);
    assert.deepEqual(item.receipts, []);
    assert.ok(!(await town.entries()).slice(before).some((e) => e.kind === 'receipt' && e.hash === hashOf('receipt', forged.payload)));
    town.honest();
    await front.tellHub(one, {orders: [withheld.order]});
    await town.said(one, 'receipts', 'the real one, once the hub has the order', (r) => r.order === withheld.hash && r.verdict === 'accepted' && r.envelope.sig !== forged.sig);
    one.resident.schedule = {...withheld, version: 2};
  });

  test('an event that it changes is refused, and comes again as it was [LOG-15] [AUD-1]', async () => {
    let changed = 0;
    inReports('events', (event) => { ++changed; return {...event, payload: change(event.payload, {reason: 'nothing happened'})}; });
    const {answer} = await viewer.view(one, {camera: 'cam9'}).catch(() => ({}));
    assert.equal(answer, undefined, 'the honest relay refuses it first');
    await front.tellHub(one, {views: [bareOffer((await viewer.makeView(one, {camera: 'cam9'})).order)]});
    await until('an event changed', () => changed > 0);
    town.honest();
    await town.entry('the event as the hub signed it', (e) => e.kind === 'event' && e.what === 'view_refused' && e.reason === 'wrong_camera', 40000);
    assert.ok(!(await town.entries()).some((e) => e.reason === 'nothing happened'));
  });
});

describe("the gate's socket", () => {
  let enemyRoot, offer, oldBundle;

  before(async () => {
    front.bend.hubAnswer = (path, json) => { if (path === '/hub/v1/poll' && json.views.length > 0) [offer] = json.views; };
    await town.look(page);
    await untilPainted(page, 3);
    await town.closeView(page);
    town.honest();
    await until('camera closed', () => one.cameraDescriptors().length === 0);
    oldBundle = envelope('bundle');
    await town.town.makeBundle();
    const {counter} = JSON.parse(envelope('bundle').payload);
    await until('the hub holds it', () => viewer.hubs.get(one.id).status.bundle.counter === counter, 40000);
    enemyRoot = generateKeyPairSync('ed25519').privateKey;
    await town.town.processes.stop(one.link);
  });

  const text = (json) => Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)).toString('base64');
  const message = (type, body, more = {}) => ({type, body: Buffer.isBuffer(body) ? body.toString('base64') : text(body), ...more});

  // Says it all to the gate and hears what it says; whatever it was, the gate is the same process and the camera is closed.
  function talk(messages, {hello = true, listen} = {}) {
    const before = one.gatePid();
    const out = JSON.parse(execFileSync('python3', [script, one.path('gate.sock')], {input: JSON.stringify({hello, messages, listen}), maxBuffer: 1 << 26}));
    assert.equal(one.gatePid(), before, 'the gate has not died');
    assert.equal(one.cameraDescriptors().length, 0);
    assert.equal(one.light(), '0');
    const replies = out.replies.map(({type, body}) => ({type, body: Buffer.from(body, 'base64')}));
    const read = (type) => replies.filter((reply) => reply.type === type).map(({body}) => JSON.parse(body.toString()));
    const signed = (type) => read(type).map(({payload}) => JSON.parse(payload));
    return {...out, replies, read, signed};
  }
  const reasons = (said, kind) => said.signed(hears.event).filter((event) => event.kind === kind).map(({reason}) => reason);

  test('the control: asked properly the gate says how it is [ENF-8]', () => {
    const [status] = talk([message(says.pollWanted, '')]).read(hears.status);
    assert.equal(status.state, 'accepted');
    assert.equal(status.views, 0);
    assert.equal(status.resident, one.resident.resident);
  });

  for (const [what, messages, hello] of [
    ['says nothing before hello', [{type: 6, body: ''}], false],
    ['a hello of another version', [{type: 1, body: Buffer.of(9).toString('base64')}], false],
    ['an unknown type', [{type: 99, body: ''}]],
    ['a message of the other direction', [{type: 35, body: text('{}')}]],
    ['a poll_wanted with a body', [{type: 6, body: text('x')}]],
    ['a life of 63 bytes', [{type: 7, body: Buffer.alloc(63).toString('base64')}]],
    ['a link key of 66 bytes', [{type: 10, body: Buffer.alloc(66).toString('base64')}]],
    ['an order longer than any may be', [{type: 4, body: Buffer.alloc(64 * 1024 + 1, 'x').toString('base64')}]],
    ['an offer longer than any may be', [{type: 5, body: Buffer.alloc(128 * 1024 + 1, 'x').toString('base64')}]],
  ]) test(`breaking the form ends the connection, nothing else: ${what} [ENF-1] [AVA-6]`, () => {
    const said = talk([...messages, message(says.pollWanted, '')], {hello});
    assert.ok(said.closed);
    assert.equal(said.read(hears.status).length, 0);
  });

  test('a packet longer than the longest of all does not get through, or ends the connection [AVA-6]', () => {
    const said = talk([message(says.rootList, Buffer.alloc(256 * 1024 + 1, ' ')), message(says.bundle, Buffer.alloc(600 * 1024, ' '))]);
    assert.ok(said.closed || /too long/i.test(said.error ?? ''), said.error);
  });

  test('more messages a second than any link says end the connection [AVA-6]', () => {
    assert.ok(talk([message(says.pollWanted, '', {times: 4000})]).closed);
  });

  test('too much that makes no sense ends it as well [AVA-6]', () => {
    assert.ok(talk([message(says.life, randomBytes(64), {times: 1}), message(says.linkKey, Buffer.alloc(65), {times: 200})]).closed);
  });

  test('a root list of the enemy\'s own is refused, and so is the real one altered: nothing is taken [ENF-1] [IAM-10]', () => {
    const real = envelope('root-list');
    const own = change(real.payload, {version: 7, relays: [{host: 'evil.example:443', ca: null}]});
    const point = unb64(createPublicKey(enemyRoot).export({format: 'jwk'}).x);
    const signature = {key: b64(point), sig: b64(sign(null, signedBytes('root-list', own), enemyRoot))};
    const said = talk([
      message(says.rootList, {payload: own, signatures: [signature]}), message(says.rootList, {payload: own, signatures: [signature, signature]}),
      message(says.rootList, {payload: own, signatures: real.signatures}), message(says.rootList, {...real, signatures: [real.signatures[0], real.signatures[0]]}),
      message(says.pollWanted, '')]);
    assert.equal(said.read(hears.relays).length, 1, 'no new relays are told to link');
    assert.equal(said.read(hears.status)[0].root_list, 1);
    assert.ok(reasons(said, 'trust_refused').includes('bad_signature'));
  });

  test('a bundle of the enemy\'s own, or the real one altered, is refused: bad_signature; an older one: bundle_older [ENF-1]', async () => {
    const real = envelope('bundle');
    const own = change(real.payload, {counter: 9999, revoked: {persons: [], keys: [], hubs: []}});
    const point = unb64(createPublicKey(enemyRoot).export({format: 'jwk'}).x);
    const said = talk([
      message(says.bundle, {payload: own, signatures: [{key: b64(point), sig: b64(sign(null, signedBytes('bundle', own), enemyRoot))}]}),
      message(says.bundle, {payload: own, signatures: real.signatures}), message(says.bundle, oldBundle), message(says.pollWanted, '')]);
    assert.ok(reasons(said, 'trust_refused').includes('bad_signature'));
    assert.ok(reasons(said, 'trust_refused').includes('bundle_older'));
    assert.equal(said.read(hears.status)[0].bundle.counter, JSON.parse(real.payload).counter);
  });

  test('orders of the enemy\'s own get their signed refusal [ENF-1]', () => {
    const {resident, home, group} = one.resident;
    const enemy = new StaffKey();
    const as = (person) => disguised(person, {key: enemy});
    const body = {type: 'schedule', version: 3, replaces: one.resident.schedule.hash, resident, home, group, timezone: 'Europe/Stockholm', valid_from: null, valid_to: null,
      windows: [{id: 'w1', days: every, start: '00:00', minutes: 720}], exceptions: []};
    const forged = makeOrder(town.town, [[as(staff.planerare), 'planner'], [as(staff.bistand), 'care_manager']], body);
    const alone = makeOrder(town.town, [[staff.planerare, 'planner'], [staff.planerare, 'planner']], body);
    const said = talk([message(says.order, forged.order), message(says.order, alone.order), message(says.order, '{"payload":"x"}'), message(says.order, '[[[[')]);
    const receipts = said.signed(hears.receipt);
    assert.deepEqual(receipts.filter(({order}) => [forged.hash, alone.hash].includes(order)).map(({verdict, reason}) => [verdict, reason]), [['refused', 'nonce_mismatch'], ['refused', 'not_two_people']]);
  });

  test('offers: made up, kept from before, with a challenge just given: all closed, with the reason [ENF-1] [VID-2]', async () => {
    const [{challenge}] = talk([message(says.pollWanted, '')]).read(hears.status);
    const fresh = await viewer.makeView(one, {challenge}).catch(() => null);
    assert.ok(fresh);
    const said = talk([message(says.offer, '{}'), message(says.offer, '[[[['), message(says.offer, bareOffer(fresh.order)), message(says.offer, offer)]);
    const answers = said.signed(hears.answer);
    const reason = (hash) => answers.find(({order}) => order === hash)?.reason;
    assert.equal(reason(fresh.hash), 'no_ledger_entry');
    assert.ok(['replayed', 'unknown_challenge'].includes(reason(hashOf('order', offer.order.payload))), reason(hashOf('order', offer.order.payload)));
    assert.ok(answers.every(({decision, sealed}) => decision === 'closed' && sealed === null));
    assert.equal(said.replies.filter(({type}) => type === 40).length, 0, 'no frame');
  });

  test('signs of life, lost streams and acknowledgements of what never was change nothing [ENF-1] [ENF-8]', () => {
    const said = talk([message(says.life, randomBytes(64)), message(says.streamLost, randomBytes(16)), message(says.eventsAcked, Buffer.alloc(8, 0xff)), message(says.pollWanted, '')]);
    const [status] = said.read(hears.status);
    assert.equal(status.state, 'accepted');
    assert.ok(status.events_acked <= status.events);
  });

  test('a link key request is signed as just that: no answer, receipt or event can be made of it [ENF-1] [IAM-10]', async () => {
    const key = createECDH('prime256v1');
    key.generateKeys();
    const [signed] = talk([message(says.linkKey, Buffer.alloc(65)), message(says.linkKey, key.getPublicKey())]).read(hears.linkKeyEnvelope);
    const device = createPublicKey({key: await one.deviceKey(), format: 'jwk'});
    const isSigned = (kind) => verify('sha256', signedBytes(kind, signed.payload), {key: device, dsaEncoding: 'ieee-p1363'}, unb64(signed.sig));
    assert.ok(isSigned('link-key'));
    for (const kind of ['answer', 'receipt', 'event', 'countersign', 'order', 'session']) assert.ok(!isSigned(kind), kind);
    assert.equal(JSON.parse(signed.payload).type, 'link-key');
    const real = createECDH('prime256v1');
    real.setPrivateKey(unb64(createPrivateKey(one.linkIdentity().key).export({format: 'jwk'}).d));
    assert.equal(talk([message(says.linkKey, real.getPublicKey())]).read(hears.linkKeyEnvelope).length, 1);
  });

  test('with the real link back, all is as before: what was refused stands in the log, and there is a picture [LOG-15] [SES-1]', async () => {
    one.startLink();
    await town.entry('forged trust', (e) => e.what === 'trust_refused' && e.reason === 'bad_signature', 40000);
    await town.entry('forged order', (e) => e.what === 'order_refused' && e.reason === 'nonce_mismatch', 40000);
    await town.seesPicture(page);
  });

  test('taking the socket in the middle of a view closes the camera, and the real link finds its way back [ENF-1] [ENF-8]', async () => {
    await untilPainted(page, 5);
    const taken = Date.now();
    execFileSync('python3', [script, one.path('gate.sock')], {input: JSON.stringify({messages: [], listen: 0.2})});
    await until('camera closed', () => one.cameraDescriptors().length === 0 && one.light() === '0', 3000, 20);
    assert.ok(Date.now() - taken < 2500);
    await untilView(page, 'ended or blanked', ({state}) => state === 'ended' || state === 'blanked');
    await town.closeView(page);
    await until('a picture again', async () => { try { return await town.seesPicture(page, one, 2); } catch { return null; } }, 60000, 1000);
  });
});
