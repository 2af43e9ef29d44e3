// An active enemy who owns the relay, against the orders: invented, half-signed, altered, misdirected, replayed, kept back. Each
// goes straight to the hub, past the real relay's judgement, and is judged there.
import assert from 'node:assert/strict';
import {generateKeyPairSync} from 'node:crypto';
import {after, afterEach, before, describe, test} from 'node:test';
import {AttackTown, every} from './lib/attack_town.mjs';
import {hashOf, now, random, StaffKey} from './lib/crypto.mjs';
import {bareOffer, claimsOf, disguised, mintToken} from './lib/forgery.mjs';
import {call} from './lib/https.mjs';
import {makeOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {localTime, schedule} from './lib/provision.mjs';
import {ScriptedViewer} from './lib/scripted_viewer.mjs';
import {row, untilPainted, untilView, viewState} from './lib/view_page.mjs';

let town, front, one, two, anna, staff;
let lasting = {};  // what is bent from one test to the next
const enemysIssuerKey = generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey.export({format: 'jwk'});

before(async () => {
  town = await AttackTown.start('attack-orders', {hubs: ['one', 'two']});
  ({front, one, two, town: {staff}} = town);
  anna = await new ScriptedViewer(town.town, staff['anna.berg']).connect();
}, {timeout: 180000});
after(async () => { anna?.close(); await town?.stop(); });
afterEach(async () => {
  town.honest();
  Object.assign(front.bend, lasting);
  anna.end();
  for (const hub of [one, two]) await until('camera closed', () => hub.cameraDescriptors().length === 0);
});

const make = (people, body) => makeOrder(town.town, people, body);
const at = (hub) => { const {resident, home, group} = hub.resident; return {resident, home, group}; };

// A schedule that would follow the one in force: the whole day, every day.
const wideOpen = (hub = one, change = {}) => ({
  type: 'schedule', version: hub.resident.schedule.version + 1, replaces: hub.resident.schedule.hash, ...at(hub), timezone: 'Europe/Stockholm',
  valid_from: null, valid_to: null, windows: [{id: 'all', days: every, start: '00:00', minutes: 720}], exceptions: [], ...change});
const bySigners = () => [[staff.planerare, 'planner'], [staff.bistand, 'care_manager']];

// What the hub's receipt says of an order that the enemy hands it.
async function judged({order, hash}, hub = one) {
  const before = front.documents(hub, 'receipts').filter((r) => r.order === hash).length;
  await front.tellHub(hub, {orders: [order]});
  return until('a receipt', () => { const all = front.documents(hub, 'receipts').filter((r) => r.order === hash); return all.length > before ? all[0] : null; });
}
async function refused(reason, order, hub = one) {
  const {verdict, reason: why, slots} = await judged(order, hub);
  assert.deepEqual([verdict, why], ['refused', reason]);
  const held = slots.find(({slot}) => slot === 'schedule');
  if (hub === one) assert.deepEqual([held.version, held.order], [one.resident.schedule.version, one.resident.schedule.hash], 'the schedule in force is what it was');
}
async function waits(reason, order, hub = one) {
  const {verdict, reason: why} = await judged(order, hub);
  assert.deepEqual([verdict, why], ['waiting', reason]);
}

describe('a schedule of the enemy\'s own', () => {
  test("signed with keys and tokens of the enemy's own: the token is no token [ENF-1] [IAM-1]", () => {
    const forge = (person) => {
      const key = new StaffKey();
      return disguised(person, {key, idToken: mintToken(person.idToken, {claims: {nonce: key.nonce}, key: enemysIssuerKey})});
    };
    return refused('bad_id_token', make([[forge(staff.planerare), 'planner'], [forge(staff.bistand), 'care_manager']], wideOpen()));
  });

  test('under a key that no bundle holds it waits, and opens nothing [ENF-1] [IAM-1]', () => {
    const forge = (person) => {
      const key = new StaffKey();
      return disguised(person, {key, idToken: mintToken(person.idToken, {header: {kid: 'enemy-1'}, claims: {nonce: key.nonce}, key: enemysIssuerKey})});
    };
    return waits('unknown_kid', make([[forge(staff.planerare), 'planner'], [forge(staff.bistand), 'care_manager']], wideOpen()));
  });

  test("with tokens that are theirs, seen in passing, and a key that is not: nonce_mismatch [ENF-1] [IAM-1]", () => {
    const steal = (person) => disguised(person, {key: new StaffKey()});
    return refused('nonce_mismatch', make([[steal(staff.planerare), 'planner'], [steal(staff.bistand), 'care_manager']], wideOpen()));
  });

  test('with their key beside a signature that is not by it: bad_signature [ENF-1]', () => {
    const enemy = new StaffKey();
    const forge = (person) => ({identity: person.identity, signature: (payload) => ({...person.signature(payload), sig: enemy.sign('order', payload)})});
    return refused('bad_signature', make([[forge(staff.planerare), 'planner'], [forge(staff.bistand), 'care_manager']], wideOpen()));
  });

  test('of one planner alone, once or twice: not two people [ENF-1] [PRI-8]', async () => {
    await refused('not_two_people', make([[staff.planerare, 'planner']], wideOpen()));
    await refused('not_two_people', make([[staff.planerare, 'planner'], [staff.planerare, 'planner']], wideOpen()));
  });

  test("with the second signer's name and the first one's hand: person_mismatch [ENF-1] [PRI-8]", () =>
    refused('person_mismatch', make([[staff.planerare, 'planner'], [disguised(staff.planerare, {identity: staff.bistand.identity}), 'care_manager']], wideOpen())));

  test('with one of two signatures taken away it is malformed [ENF-1]', async () => {
    const whole = make(bySigners(), wideOpen());
    await refused('malformed', {...whole, order: {...whole.order, signatures: whole.order.signatures.slice(0, 1)}});
  });

  test('altered after it was signed: bad_signature [ENF-1]', async () => {
    const whole = make(bySigners(), wideOpen(one, {windows: [{id: 'w1', days: ['mon'], start: '03:00', minutes: 5}]}));
    const payload = whole.payload.replace('"minutes":5', '"minutes":500');
        await refused('bad_signature', {order: {...whole.order, payload}, hash: hashOf('order', payload)});
  });

  test('by people who may not: no_grant waits, a role that does not sign this is refused [SES-6] [IAM-4]', async () => {
    await waits('no_grant', make([[staff.tekniker, 'planner'], [staff.bistand, 'care_manager']], wideOpen()));
    await refused('wrong_role', make([[staff['anna.berg'], 'operator'], [staff.bistand, 'care_manager']], wideOpen()));
  });

  test('more than the consent allows: beyond_consent [ENF-5] [PRI-2]', () =>
    refused('beyond_consent', make(bySigners(), wideOpen(one, {windows: Array.from({length: 11}, (_, i) => ({id: `w${i}`, days: ['mon'], start: `0${i % 10}:${i < 10 ? '00' : '30'}`, minutes: 5}))}))));

  test('in another time zone than the consent: beyond_consent [ENF-3] [PRI-2]', () =>
    refused('beyond_consent', make(bySigners(), wideOpen(one, {timezone: 'Europe/Helsinki'}))));
});

describe('orders that are real, elsewhere or before', () => {
  test("another provider's [TEN-1]", () => refused('wrong_provider', make(bySigners(), {...wideOpen(), provider: 'syd'})));
  test("another hub's assignment [SES-5] [INS-2]", () => judged({order: two.resident.assignment.order, hash: two.resident.assignment.hash})
    .then(({verdict, reason}) => assert.deepEqual([verdict, reason], ['refused', 'wrong_hub'])));
  test("another resident's consent, and the schedule on it [ENF-1] [SES-5]", async () => {
    await refused('wrong_resident', two.resident.consent);
    await waits('no_consent', make(bySigners(), wideOpen(two)));
  });
  test("another home's, for the same resident [INS-7]", () => refused('wrong_home', make(bySigners(), wideOpen(one, {home: two.resident.home}))));
  test("another group's [SES-6]", () => refused('group_not_in_scope', make(bySigners(), wideOpen(one, {group: 'dag'}))));

  test('an assignment that nobody held the button for waits, and moves no hub [INS-2] [INS-3]', async () => {
    await waits('no_presence', make([[staff.larmteam, 'installer']], {type: 'assignment', version: 2, replaces: one.resident.assignment.hash, hub: one.id, ...at(one),
      code: one.resident.code, cameras: [{id: 'cam1', identifier: two.resident.identifier}]}));
    await refused('wrong_resident', make([[staff.larmteam, 'installer']], {type: 'assignment', version: 2, replaces: one.resident.assignment.hash, hub: one.id, ...at(two),
      code: two.resident.code, cameras: [{id: 'cam1', identifier: two.resident.identifier}]}));
  });

  test('an order in force, handed over again, changes nothing [ENF-1]', async () => {
    const again = await judged({order: one.resident.schedule.order, hash: one.resident.schedule.hash});
    assert.equal(again.verdict, 'accepted');
    assert.equal(again.slots.find(({slot}) => slot === 'schedule').order, one.resident.schedule.hash);
  });

  test('an order that was replaced does not come back [ENF-1] [LOG-1]', async () => {
    const old = one.resident.schedule;
    const next = await schedule(town.town, one, [{id: 'w1', days: every, start: localTime(-3).time, minutes: 60}]);
    const receipt = await judged({order: old.order, hash: old.hash});
    assert.equal(receipt.slots.find(({slot}) => slot === 'schedule').order, next.hash, 'the newer one stands');
    await refused('superseded', make(bySigners(), wideOpen(one, {version: 1, replaces: null})));
    await refused('slot_taken', make(bySigners(), wideOpen(one, {version: next.version, replaces: old.hash})));
    await refused('wrong_predecessor', make(bySigners(), wideOpen(one, {replaces: old.hash})));
  });

  test('a version is missing: what follows waits, and counts when it comes [ENF-8] [LOG-1]', async () => {
    const window = [{id: 'w1', days: every, start: localTime(-4).time, minutes: 60}];
    const second = make(bySigners(), wideOpen(one, {windows: window}));
    const third = make(bySigners(), wideOpen(one, {version: one.resident.schedule.version + 2, replaces: second.hash, windows: window}));
    await waits('version_gap', third);
    await staff.planerare.post('/v1/orders', {order: second.order, note: null});
    const said = await town.said(one, 'receipts', 'third accepted', (r) => r.order === third.hash && r.verdict === 'accepted');
    assert.equal(said.slots.find(({slot}) => slot === 'schedule').order, third.hash);
    const posted = await staff.planerare.post('/v1/orders', {order: third.order, note: null});
    assert.equal(posted.status, 201, posted.text);
    one.resident.schedule = {order: third.order, hash: third.hash, version: one.resident.schedule.version + 2};
  });

  test('a format that the hub does not read yet waits [UPD-2]', () => waits('unknown_format', make(bySigners(), {...wideOpen(), format: 2})));
  test('a type that it does not know is refused [ENF-1]', () => refused('type_not_supported', make(bySigners(), {...wideOpen(), type: 'open-sesame'})));
  test('a member too many is malformed [ENF-1]', () => refused('malformed', make(bySigners(), {...wideOpen(), window_end: 'never'})));
  test('a view among the orders is not taken as one [ENF-1]', async () => {
    const view = await anna.makeView(one);
    await refused('type_not_supported', view);
    assert.equal(one.cameraDescriptors().length, 0);
  });

  test('what is no JSON, or is too long, is counted and not answered; the hub goes on [AVA-6]', async () => {
    await front.tellHub(one, {orders: [{payload: 1}, {payload: 'x', signatures: 'y'}, {payload: 'x'.repeat(70000), signatures: []}, 'text', null]});
    await town.said(one, 'events', 'refusal counted', (event) => event.kind === 'order_refused' && event.reason === 'malformed');
    assert.ok(one.gatePid());
  });
});

describe('views that are real, elsewhere or before', () => {
  // What the hub says of a view that goes straight to it; nothing of the log is right, but that comes later.
  async function offered(reason, {order, hash}, hub = one) {
    await front.tellHub(hub, {views: [bareOffer(order)]});
    const {decision, reason: why, sealed} = await town.said(hub, 'answers', 'to the view', (answer) => answer.order === hash);
    assert.deepEqual([decision, why, sealed], ['closed', reason, null]);
    assert.equal(hub.cameraDescriptors().length, 0);
  }

  test('the control: a view with nothing wrong but its log [ENF-1]', async () => offered('no_ledger_entry', await anna.makeView(one)));
  test('for another hub [SES-5]', async () => offered('wrong_hub', await anna.makeView(two)));
  test('of another resident [SES-5]', async () => offered('wrong_resident', await anna.makeView(one, {resident: two.resident.resident})));
  test('of a camera that is not there [SES-5]', async () => offered('wrong_camera', await anna.makeView(one, {camera: 'cam9'})));
  test('in another group [SES-6]', async () => offered('group_not_in_scope', await anna.makeView(one, {group: 'dag'})));
  test('for another provider [TEN-1]', async () => offered('wrong_provider', await anna.makeView(one, {provider: 'syd'})));
  test('with a challenge of nobody\'s [ENF-1]', async () => offered('unknown_challenge', await anna.makeView(one, {challenge: random(32)})));
  test("with the other hub's challenge [ENF-1]", async () => offered('unknown_challenge', await anna.makeView(one, {challenge: anna.hubs.get(two.id).status.challenge})));
  test('that builds on a newer bundle than the hub holds [ENF-1]', async () => offered('bundle_older', await anna.makeView(one, {bundle: {root_list_version: 1, counter: 9999}})));
  test('that builds on orders the hub does not have: unknown_head, through the honest relay [ENF-1] [LOG-1]', async () => {
    const {answer} = await anna.view(one, {head: random(32)});
    assert.deepEqual([answer.decision, answer.reason], ['closed', 'unknown_head']);
    assert.ok(answer.slots.length >= 4, 'and the hub says what it holds');
  });
  test('used once already [ENF-1]', async () => {
    const view = await anna.makeView(one);
    const {answer} = await anna.ask(view.order);
    assert.equal(answer.decision, 'open', answer.reason);
    anna.end();
    await until('camera closed', () => one.cameraDescriptors().length === 0);
    const before = front.documents(one, 'answers').length;
    await front.tellHub(one, {views: [bareOffer(view.order)]});
    await until('an answer', () => front.documents(one, 'answers').length > before);
    assert.equal(front.documents(one, 'answers')[0].reason, 'replayed');
    assert.equal((await anna.ask(view.order)).problem, 'replayed', 'nor by the relay');
  });
  test('by somebody who may not look [SES-6]', async () => {
    const planner = new ScriptedViewer(town.town, staff.planerare);
    planner.hubs = anna.hubs;
    await offered('no_grant', await planner.makeView(one));
    assert.equal((await anna.ask((await planner.makeView(one)).order)).problem, 'person_mismatch', 'nor for another to ask with');
  });
  test('with an old login [IAM-1]', async () => {
    const {auth_time, iat} = claimsOf(staff['anna.berg'].idToken);
    const old = (seconds) => disguised(staff['anna.berg'], {idToken: mintToken(staff['anna.berg'].idToken, {claims: {auth_time: auth_time - seconds, iat: iat}, key: town.town.idpKeys[0]})});
    const viewer = (person) => Object.assign(new ScriptedViewer(town.town, person), {hubs: anna.hubs});
    await offered('auth_too_old', await viewer(old(12 * 3600 + 120)).makeView(one));
    await offered('no_ledger_entry', await viewer(old(11 * 3600)).makeView(one));
  });
});

describe('a withdrawal that the relay keeps back', () => {
  let withdrawal, page;

  // Nobody gets it, not even the municipality's machine.
  const isIt = (order) => order.payload === withdrawal.payload;
  const keptBack = {
    hubAnswer: (path, json) => (path === '/hub/v1/poll' ? {...json, orders: json.orders.filter((order) => !isIt(order))} : undefined),
    staffAnswer: (method, path, json) => (method === 'GET' && path.startsWith('/v1/orders') ? {...json, items: json.items.filter(({order}) => !isIt(order))} : undefined),
  };

  before(async () => {
    withdrawal = make([[staff.bistand, 'care_manager']], {type: 'consent', version: 2, replaces: one.resident.consent.hash, ...at(one), withdrawn: true});
    Object.assign(front.bend, lasting = keptBack);
    const posted = await staff.bistand.post('/v1/orders', {order: withdrawal.order, note: null});
    assert.equal(posted.status, 201, posted.text);
  });

  test('its signer sees that the home has not said that it counts [PRI-2] [AUD-1]', async () => {
    await new Promise((done) => setTimeout(done, 1500));
    const {items} = (await call(`https://localhost:${town.town.relayPort}/v1/orders`, {ca: town.town.ca.pem, headers: {authorization: `Bearer ${staff.bistand.token}`}})).json();
    const item = items.find(({order}) => isIt(order));
    assert.ok(item, 'the real relay lists it');
    assert.deepEqual(item.receipts, [], 'and the hub has not signed for it');
    await town.entry('it stands in the log', ({hash}) => hash === withdrawal.hash);
  });

  test("the municipality's machine alarms at the next bundle: the log has an order that the relay does not hand out [AUD-1] [PRI-2]", async () => {
    assert.match(await town.makeBundle(), /ALARM: .*keeps back the consent order/);
  });

  test('no later than the bundle that covers it nobody can look, and the page says why [ENF-5] [PRI-2]', async () => {
    delete front.bend.staffAnswer;  // the municipality's machine has it from elsewhere
    assert.doesNotMatch(await town.makeBundle(), /keeps back/);
    Object.assign(front.bend, lasting);
    page = await town.openPage();
    const kept = row(page, one.resident.resident).first();
    await kept.and(page.locator('[data-state=blocked]')).waitFor();
    assert.equal(await kept.getByTestId('look').count(), 0);
    assert.match(await page.getByTestId('trust-warning').innerText(), /håller inne beslut/);
  });

  test('handed to the hub alone it closes the camera within a second [ENF-5] [PRI-2]', async () => {
    const {answer} = await anna.view(one);  // a viewer who compares nothing
    assert.equal(answer.decision, 'open', answer.reason);
    await until('camera open', () => one.cameraDescriptors().length === 1);
    const told = Date.now();
    await front.tellHub(one, {orders: [withdrawal.order]});
    await until('camera closed', () => one.cameraDescriptors().length === 0, 3000, 20);
    assert.ok(Date.now() - told < 1500);
    lasting = {};
    town.honest();
    await until('the list says so', async () => (await row(page, one.resident.resident).first().innerText()).includes('återkallat'));
  });
});
