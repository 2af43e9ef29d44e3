// Orders that close: each ends a running view within a second, as /proc tells it; and what opens again afterwards.
import assert from 'node:assert/strict';
import {existsSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {launch, logIn, mark, newPage} from './lib/chromium.mjs';
import {hashOf, now} from './lib/crypto.mjs';
import {until} from './lib/processes.mjs';
import {enrolHub, localTime, moveIn, postOrder, receipt, schedule, staffTown} from './lib/provision.mjs';
import {asPerson, compose, signDrafts} from './lib/signing_page.mjs';
import {Town} from './lib/town.mjs';
import {look, row, untilPainted, untilRefused, untilView} from './lib/view_page.mjs';

const dir = join(tmpdir(), `tillsyn-standing-${process.pid}`);
const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
let town, browser, page, hub, place;

before(async () => {
  town = await new Town(dir).start();
  await staffTown(town);
  hub = await town.addHub('one', {source: 'room'});
  await enrolHub(town, hub);
  await town.makeBundle();
  const {resident, home, group} = await moveIn(town, hub, {name: 'Astrid Testsson', address: 'Provgatan 1'});
  place = {resident, home, group};
  await schedule(town, hub, [{id: 'w1', days: every, start: localTime(-30).time, minutes: 600}]);
  browser = await launch(town);
  page = await newPage(browser);
  await logIn(page, town, 'anna.berg');
}, {timeout: 300000});

after(async () => {
  await browser?.close();
  await town?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

const entries = async () => (await town.staff.granskare.get('/v1/ledger/entries?limit=1000')).json().items.map((text) => JSON.parse(text));
const entry = (what, probe, ms = 20000) => until(`ledger: ${what}`, async () => (await entries()).find(probe), ms, 200);

// A view that runs, seen from outside the programs.
async function watch() {
  await until('hub online', async () => (await row(page, place.resident).first().getAttribute('data-online')) === 'true', 60000);
  await until('a view runs', async () => {
    await look(page, place.resident);
    const state = await untilView(page, 'an outcome', (s) => s.painted >= 5 || s.state === 'refused' || s.state === 'ended', 30000);
    if (state.painted >= 5) return true;
    await mark(page, 'view-close').click();
    return false;
  }, 90000, 1000);
  await untilPainted(page, 5);
  assert.equal(hub.cameraDescriptors().length, 1);
  assert.equal(hub.light(), '1');
}

// Signs something by `sign`, which ends when the relay has accepted it; the camera must be closed a second later.
async function closesBy(sign) {
  const closed = until('camera closed', () => (hub.cameraDescriptors().length === 0 ? Date.now() : null), 60000, 10);
  const done = await sign();
  const accepted = Date.now();
  const late = await closed - accepted;
  assert.ok(late < 1000, `the camera closed ${late} ms after the relay had accepted the order`);
  const state = await untilView(page, 'ended', (s) => s.state === 'ended', 20000);
  assert.equal(state.reason, 'hub_ended');
  await until('light out', () => hub.light() === '0', 5000, 50);
  await mark(page, 'view-close').click();
  return done;
}

async function refusedAs(reason) {
  await look(page, place.resident);
  assert.equal((await untilRefused(page, 30000)).reason, reason);
  assert.equal(hub.cameraDescriptors().length, 0);
  await mark(page, 'view-close').click();
}

const until72 = (seconds) => now(72 * 3600 + seconds);

test('a pause that a planner signs in the app closes the camera within a second; a resume opens it again [ENF-5] [PRI-2] [SES-9]', async () => {
  await watch();
  const {hash} = await asPerson(browser, town, 'planerare', (planner) =>
    closesBy(() => compose(planner, {type: 'pause', ...place, until: now(3600), reason: 'sjukhus'})));
  await receipt(town, hub, hash);
  await entry('view ended', (e) => e.what === 'view_ended' && e.reason === 'withdrawn' && e.who[0].person === 'anna.berg');
  const {bistand} = town.staff;
  const resumed = await postOrder(town, [[bistand, 'care_manager']], {type: 'resume', version: 2, replaces: hash, ...place});
  await receipt(town, hub, resumed.hash);
  await watch();
  await mark(page, 'view-close').click();
});

test('the resident\'s own press closes the camera within a second, stands in tonight\'s list, and only the next press ends it [ENF-6]', async () => {
  await watch();
  const closed = until('camera closed', () => (hub.cameraDescriptors().length === 0 ? Date.now() : null), 10000, 10);
  const pressed = Date.now();
  await hub.pressButton();
  assert.ok(await closed - pressed < 1000, 'the camera is closed within a second');
  assert.equal((await untilView(page, 'ended', (s) => s.state === 'ended', 20000)).reason, 'hub_ended');
  await mark(page, 'view-close').click();
  const first = () => row(page, place.resident).first();
  const words = (locator) => until('said in Swedish', async () => /Pausad av den boende/.test(await locator().textContent()), 20000, 50);
  await words(first);
  assert.ok(Date.now() - pressed < 20000);
  await refusedAs('paused_by_resident');
  await entry('pause', (e) => e.what === 'resident_paused' && e.resident === place.resident);
  await entry('view ended', (e) => e.what === 'view_ended' && e.reason === 'paused_by_resident');
  const tonight = (await town.staff['anna.berg'].get('/v1/tonight')).json().items.filter((item) => item.resident === place.resident);
  assert.ok(tonight.some((item) => item.outcome?.type === 'paused'));
  await until('alarm', async () => (await town.staff['anna.berg'].get('/v1/alarms')).json().items.some((alarm) => alarm.kind === 'resident_paused' && alarm.resident === place.resident), 20000, 200);
  await hub.holdButton();
  await refusedAs('paused_by_resident');
  await hub.pressButton();
  await until('resumed', async () => !/Pausad av den boende/.test(await first().textContent()), 20000, 50);
  await watch();
  await mark(page, 'view-close').click();
});

test('a pause over 72 hours closes when the second person has signed it, and not before [ENF-5] [IAM-5]', async () => {
  const {planerare, bistand} = town.staff;
  const long = {type: 'pause', version: 3, replaces: null, ...place, until: until72(600), reason: 'växelvård'};
  await assert.rejects(postOrder(town, [[planerare, 'planner']], long), /not_two_people/);
  await assert.rejects(postOrder(town, [[planerare, 'planner'], [bistand, 'care_manager']], {...long, until: now(31 * 86400)}), /malformed/);
  await assert.rejects(postOrder(town, [[planerare, 'planner'], [bistand, 'care_manager']], {...long, until: now(60)}), /wrong_role/);
  await watch();
  const {draft} = await asPerson(browser, town, 'planerare', (planner) =>
    compose(planner, {type: 'pause', ...place, until: until72(3600), reason: 'växelvård'}, {second: {person: 'bistand', role: 'care_manager'}}));
  assert.ok(draft);
  assert.equal(hub.cameraDescriptors().length, 1, 'one signature closes nothing');
  await asPerson(browser, town, 'bistand', (manager) => closesBy(() => signDrafts(manager, 1)));
  await refusedAs('paused');
  const paused = (await bistand.get('/v1/orders')).json().items.map((item) => JSON.parse(item.order.payload)).filter(({type}) => type === 'pause').at(-1);
  assert.equal(paused.signers.length, 2);
});

// The installer's own look, from the page "Hubbar".
async function testLook(installer) {
  const button = mark(installer, 'test-look');
  await button.and(installer.locator(':enabled')).waitFor();
  await button.click();
  return (outcome) => untilView(installer, 'an outcome', outcome, 30000);
}

test('under the pause the install team sees a test picture, once its hand has held the button [ENF-9] [INS-4]', async () => {
  await asPerson(browser, town, 'larmteam', async (installer) => {
    await mark(installer, 'nav-hubs').click();
    let until = await testLook(installer);
    assert.equal((await until((s) => s.state === 'refused')).reason, 'no_presence');
    assert.equal(hub.cameraDescriptors().length, 0);
    await mark(installer, 'view-close').click();
    await hub.holdButton();
    until = await testLook(installer);
    await until((s) => s.painted >= 5);
    assert.equal(hub.light(), '1');
    await installer.screenshot({path: join(dir, 'test-view.png')});
    await mark(installer, 'view-close').click();
    until = await testLook(installer);
    assert.equal((await until((s) => s.state === 'refused')).reason, 'no_presence', 'one look a hold');
    await mark(installer, 'view-close').click();
  });
  await entry('test view', (e) => e.what === 'view_started' && e.reason === 'test_view' && e.who[0].person === 'larmteam');
});

test('an accepted home in use shows no test picture, and an operator has no such button [ENF-9]', async () => {
  const {bistand, planerare} = town.staff;
  const paused = (await bistand.get('/v1/orders')).json().items.filter((item) => JSON.parse(item.order.payload).type === 'pause').at(-1);
  const resumed = await postOrder(town, [[planerare, 'planner']], {
    type: 'resume', version: JSON.parse(paused.order.payload).version + 1, replaces: hashOf('order', paused.order.payload), ...place});
  await receipt(town, hub, resumed.hash);
  await hub.holdButton();
  await asPerson(browser, town, 'larmteam', async (installer) => {
    await mark(installer, 'nav-hubs').click();
    const until = await testLook(installer);
    assert.equal((await until((s) => s.state === 'refused')).reason, 'not_paused');
    assert.equal(hub.cameraDescriptors().length, 0);
    await mark(installer, 'view-close').click();
  });
  assert.equal(await mark(page, 'nav-hubs').count(), 0);
});

test('a withdrawn consent closes a running view within a second [ENF-5] [PRI-2]', async () => {
  const {bistand, planerare} = town.staff;
  await watch();
  const {hash} = await closesBy(() => postOrder(town, [[bistand, 'care_manager']], {type: 'consent', version: 9, replaces: null, ...place, withdrawn: true}));
  await receipt(town, hub, hash);
  // The page offers no look any more once it has read the withdrawal, and says why.
  await until('no look is offered', async () => await row(page, place.resident).first().getByTestId('look').count() === 0, 20000, 50);
  assert.match(await row(page, place.resident).first().textContent(), /Samtycket är återkallat/);
  assert.equal(hub.cameraDescriptors().length, 0);
  const day = now().slice(0, 10);
  const terms = JSON.parse(hub.resident.consent.order.payload);
  const renewed = await postOrder(town, [[bistand, 'care_manager'], [planerare, 'planner']], {
    type: 'consent', version: 10, replaces: hash, ...place, withdrawn: false, decision: {from: day, to: null}, consent: {from: day, to: null},
    informed: terms.informed, permitted: terms.permitted, supervisions_per_day: 10, max_minutes_per_day: 1440, timezone: 'Europe/Stockholm', name_hash: terms.name_hash});
  await receipt(town, hub, renewed.hash);
});

test('a release closes a running view within a second, and the button then ends the hub\'s key [INS-6] [ENF-5]', async () => {
  const {larmteam, bistand} = town.staff;
  await assert.rejects(postOrder(town, [[larmteam, 'installer']], {type: 'release', version: 2, replaces: null, hub: hub.id, ...place, reason: 'flyttar'}), /not_two_people/);
  await watch();
  const {hash} = await closesBy(() => postOrder(town, [[larmteam, 'installer'], [bistand, 'care_manager']],
    {type: 'release', version: 2, replaces: null, hub: hub.id, ...place, reason: 'flyttar'}));
  await receipt(town, hub, hash);
  assert.ok(existsSync(hub.path('gate/device.key')));
  await hub.holdButton();
  await until('key gone', () => !existsSync(hub.path('gate/device.key')), 10000);
  await entry('keys destroyed', (e) => e.what === 'keys_destroyed' && e.reason === 'button_held' && e.hub === hub.id, 40000);
  // The gate ends with its key; what the fuse starts in its place holds nothing.
  await until('what is left of it is there', () => { try { return hub.gatePid() && hub.cameraDescriptors().length === 0; } catch { return false; } }, 20000);
  assert.ok(!existsSync(hub.path('gate/device.key')));
});
