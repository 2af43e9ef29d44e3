// What is not done alarms, the same night: with the real relay, real hubs, and a system of the provider's that is told.
import assert from 'node:assert/strict';
import {rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {launch, logIn, mark, newPage} from './lib/chromium.mjs';
import {postOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {enrolHub, localTime, makeAdministrator, moveIn, schedule, staffTown} from './lib/provision.mjs';
import {Town} from './lib/town.mjs';
import {WebhookReceiver} from './lib/webhook_receiver.mjs';

const dir = join(tmpdir(), `tillsyn-alarms-${process.pid}`);
const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const names = ['Astrid Testsson', 'Bertil Provman', 'Cecilia Försök'];
let town, one, two, three, receiver, browser;

before(async () => {
  town = await new Town(dir).start();
  await staffTown(town);
  for (const [i, name] of ['one', 'two', 'three'].entries()) {
    const hub = await town.addHub(name, {source: 'room'});
    await enrolHub(town, hub);
    await town.makeBundle();
    await moveIn(town, hub, {name: names[i], address: `Provgatan ${i + 1}`});
  }
  [one, two, three] = town.hubs;
  await makeAdministrator(town);
  receiver = await new WebhookReceiver(town.ca.issue('receiver')).listen();
  const added = await town.staff.granskare.post('/v1/integrations', {url: receiver.url, ca: town.ca.pem});
  assert.equal(added.status, 201, added.text);
  receiver.secret = added.json().secret;
}, {timeout: 180000});

after(async () => {
  await browser?.close();
  await town?.stop();
  receiver?.close();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

const anna = () => town.staff['anna.berg'];
const entries = async () => (await town.staff.granskare.get('/v1/ledger/entries?limit=1000')).json().items.map((text) => JSON.parse(text));
const entered = async (what, probe = () => true) => (await entries()).filter((entry) => entry.what === what && probe(entry));
const alarms = async (person = anna()) => (await person.get('/v1/alarms')).json().items;
const alarm = (kind, hub, ms = 20000) => until(`alarm ${kind}`, async () =>
  (await alarms()).find((one) => one.kind === kind && (one.resident === hub.resident.resident || one.hub === hub.id)), ms, 250);
const noAlarm = (kind, hub) => until(`no ${kind} any more`, async () => !(await alarms()).some((one) => one.kind === kind && one.resident === hub.resident.resident));

// A window of one minute that begins at the next full minute; -> when it ends, in ms.
async function minuteWindow(hub, id) {
  const start = (Math.floor(Date.now() / 60000) + 1) * 60000;
  await schedule(town, hub, [{id, days: every, start: localTime(0, start).time, minutes: 1}], {wait: false});
  return start + 60000;
}

const visitTaken = (hub, id, end) => postOrder(town, [[anna(), 'operator']], {
  type: 'visit-taken', resident: hub.resident.resident, group: hub.resident.group, window: {id, date: localTime(0, end - 60000).date}, reason: 'åker dit'});

test('a wrong number, the wrong hub released: it alarms in the first window, and so does one nobody looks in [SES-4] [LOG-4] [AVA-9]', async () => {
  const end = await minuteWindow(one, 'a1');
  await minuteWindow(two, 'b1');
  // Two people sign it, both have read the wrong number; no form is wrong, no signature false.
  const {resident, home, group, assignment} = one.resident;
  await postOrder(town, [[town.staff.larmteam, 'installer'], [town.staff.bistand, 'care_manager']], {
    type: 'release', version: 2, replaces: assignment.hash, hub: one.id, resident, home, group, reason: 'flyttat'});
  const missing = await alarm('hub_missing', one);
  assert.ok(Date.now() < end - 30000, 'before the window has ended');
  assert.equal(missing.reason, 'no_assignment');
  assert.equal(missing.group, group);
  assert.ok(!(await alarms()).some((other) => other.kind === 'hub_missing' && other.resident === two.resident.resident), 'the other home is as it should be');

  browser = await launch(town);
  const page = await newPage(browser);
  await logIn(page, town, 'anna.berg');
  const row = page.locator(`[data-testid=alarm][data-kind=missing_outcome][data-resident="${two.resident.resident}"]`);
  await row.waitFor({timeout: 150000});
  const late = Date.now() - end;
  assert.ok(late > -100 && late < 10000, `the page shows it ${late} ms after the window's end`);
  assert.match(await row.innerText(), /Bertil Provman/);
  const first = await page.locator('main [data-testid]').first().getAttribute('data-testid');
  assert.equal(first, 'alarms', 'above the list');
  const [ended, notLooked] = [await alarm('missing_outcome', one), await alarm('missing_outcome', two)];
  for (const {id} of [missing, ended, notLooked]) await until('the provider is told', () => receiver.about('alarm_raised', id).length === 1);

  await row.getByTestId('alarm-take').click();
  await page.locator(`[data-testid=alarm][data-id="${notLooked.id}"][data-taken="anna.berg"]`).waitFor();
  await until('told who', () => receiver.about('alarm_acknowledged', notLooked.id)[0]?.body.data.acknowledged.who.person === 'anna.berg');
  assert.equal((await town.staff['bo.ek'].post(`/v1/alarms/${notLooked.id}/acknowledgement`, {})).json().acknowledged.who.person, 'anna.berg');
  assert.equal((await entered('alarm_acknowledged')).length, 1);

  await visitTaken(two, 'b1', end);
  await visitTaken(one, 'a1', end);
  await noAlarm('missing_outcome', two);
  await noAlarm('missing_outcome', one);
  await row.waitFor({state: 'detached'});
  for (const what of ['alarm_raised', 'alarm_cleared']) assert.equal((await entered(what, ({reason}) => reason === 'missing_outcome')).length, 2, what);
  const {date} = ended.window;
  const rows = (await anna().get('/v1/supervisions')).json().items.filter((item) => ['a1', 'b1'].includes(item.window.id) && item.window.date === date);
  assert.deepEqual(rows.map(({state, outcome}) => [state, outcome.type]), [['done', 'visit-taken'], ['done', 'visit-taken']]);
  await browser.close();
  browser = null;
});

test('the relay is killed between alarm and message: neither is lost, neither comes twice [AVA-3] [INT-1]', async () => {
  receiver.status = null;  // takes the request, and never answers
  const end = await minuteWindow(two, 'b2');
  await until('the window ends', () => Date.now() >= end, 150000);
  const killedOnce = async () => { await town.processes.stop(town.relayProcess, 'SIGKILL'); await town.startRelay(town.relayPort); };
  await killedOnce();  // at the window's end
  await killedOnce();  // as soon as it listens
  for (let i = 0; i < 3; ++i) {
    const before = receiver.tries.length;
    await until('a message on its way', () => receiver.tries.length > before, 40000, 10);
    await killedOnce();
  }
  await Promise.all(Object.values(town.staff).map((person) => person.openSession()));
  const raised = await alarm('missing_outcome', two);
  receiver.status = 204;
  receiver.server.closeAllConnections();
  await until('told at last', () => receiver.about('alarm_raised', raised.id).length === 1, 40000);
  const ids = new Set(receiver.tries.filter(({body}) => body.type === 'alarm_raised' && body.data.window?.id === 'b2').map(({id}) => id));
  assert.equal(ids.size, 1, 'one message, however often it was sent');
  assert.equal((await alarms()).filter((other) => other.window?.id === 'b2').length, 1);
  const made = (await entries()).filter(({what, reason, resident, time}) => what === 'alarm_raised' && reason === 'missing_outcome' &&
    resident === two.resident.resident && Date.parse(time) >= end - 1000);
  assert.equal(made.length, 1, 'one entry');
  await visitTaken(two, 'b2', end);
  await noAlarm('missing_outcome', two);
});

test('a hub that falls silent is lost within a minute, once, and not again after a restart; an order that nobody receipts alarms [LOG-7] [LOG-8] [AVA-1]', async () => {
  await town.processes.stop(three.fuse);  // link goes on, the gate is away
  const unread = await schedule(town, three, [{id: 'c1', days: every, start: localTime(600).time, minutes: 5}], {wait: false});
  const posted = Date.now();
  await town.processes.stop(two.link, 'SIGKILL');
  const silent = Date.now();
  const lost = await alarm('hub_lost', two, 62000);
  assert.ok(Date.now() - silent < 60000, `after ${Date.now() - silent} ms`);
  assert.ok(Date.now() - silent > 15000, 'not at the first silence');
  const unconfirmed = await alarm('no_receipt', three, 75000);
  assert.ok(Date.now() - posted >= 59000 && Date.now() - posted < 75000, `after ${Date.now() - posted} ms`);
  assert.equal(unconfirmed.order, unread.hash);

  await town.processes.stop(town.relayProcess, 'SIGKILL');
  await town.startRelay(town.relayPort);
  await Promise.all(Object.values(town.staff).map((person) => person.openSession()));
  await town.processes.stop(one.link, 'SIGKILL');  // it serves nobody any more: entered, but no alarm
  await until('another that fell silent after the restart is entered', async () => (await entered('hub_lost', ({hub}) => hub === one.id)).length === 1, 62000, 500);
  assert.equal((await alarm('hub_lost', two)).id, lost.id);
  assert.equal((await alarm('no_receipt', three)).id, unconfirmed.id);
  two.startLink();
  await noAlarm('hub_lost', two);
  for (const what of ['hub_lost', 'hub_back']) assert.equal((await entered(what, ({hub}) => hub === two.id)).length, 1, what);
  three.startGate();
  await noAlarm('no_receipt', three);
});

test('who may what: other roles see no integration, others\' alarms are nobody\'s [AUD-3]', async () => {
  const {granskare, tekniker} = town.staff;
  for (const [method, path] of [['GET', '/v1/integrations'], ['GET', '/v1/dead-letters'], ['DELETE', '/v1/integrations/x'], ['POST', '/v1/dead-letters/x/retry']]) {
    assert.equal((await anna().call(method, path, method === 'GET' ? undefined : {})).status, 403, path);
  }
  assert.equal((await anna().post('/v1/integrations', {url: receiver.url, ca: null})).status, 403);
  assert.equal((await granskare.post('/v1/integrations', {url: 'http://localhost/', ca: null})).status, 400);
  assert.equal((await tekniker.post('/v1/maintenance', {from: '2030-01-01T00:00:00Z', to: '2030-01-01T01:00:00Z', reason: 'x'})).status, 403);
  assert.equal((await anna().post('/v1/alarms/x/acknowledgement', {})).status, 404);
  assert.equal((await anna().get('/v1/supervisions?cursor=%21')).status, 400);
});

test('maintenance is announced ahead and kept out of windows [AVA-4]', async () => {
  const {granskare} = town.staff;
  const start = (Math.floor(Date.now() / 60000) + 30) * 60000;
  await schedule(town, two, [{id: 'b3', days: every, start: localTime(0, start).time, minutes: 5}], {wait: false});
  const time = (minutes) => new Date(start + minutes * 60000).toISOString().replace('.000Z', 'Z');
  const plan = (from, to) => granskare.post('/v1/maintenance', {from: time(from), to: time(to), reason: 'byte av disk'});
  assert.equal((await plan(-10, 1)).status, 409);
  assert.equal((await plan(4, 10)).json().code, 'in_window');
  assert.equal((await plan(-40, 10)).json().code, 'not_ahead');
  assert.equal((await plan(5, 10)).status, 201);
  assert.deepEqual((await anna().get('/v1/maintenance')).json().items.map(({from, reason}) => [from, reason]), [[time(5), 'byte av disk']]);
  await schedule(town, two, [{id: 'b3', days: every, start: localTime(6, start).time, minutes: 5}], {wait: false});
  await until('the clash alarms', async () => (await alarms()).some(({kind}) => kind === 'maintenance_in_window'));
});

test('every message was signed, under one id each, and none names anybody [INT-1] [PRI-6]', () => {
  assert.equal(receiver.forged, 0);
  assert.ok(receiver.taken.length > 8);
  const told = receiver.taken.map(({body}) => `${body.type} ${body.data.id} ${body.data.level}`);
  assert.equal(new Set(told).size, told.length, 'no message under two ids');
  for (const {text} of receiver.tries) {
    for (const name of [...names, 'Provgatan']) assert.ok(!text.includes(name), name);
  }
});
