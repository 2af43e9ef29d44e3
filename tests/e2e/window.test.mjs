// The window's end, and what is said when nothing comes: with an honest relay, as on any night.
import assert from 'node:assert/strict';
import {rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {launch, logIn, mark, newPage} from './lib/chromium.mjs';
import {until} from './lib/processes.mjs';
import {enrolHub, localTime, moveIn, schedule, staffTown} from './lib/provision.mjs';
import {Town} from './lib/town.mjs';
import {look, row, untilPainted, untilRefused, untilView, viewState} from './lib/view_page.mjs';

const dir = join(tmpdir(), `tillsyn-window-${process.pid}`);
const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
let town, browser, page, hub;
const answers = [];

before(async () => {
  town = await new Town(dir).start();
  await staffTown(town);
  hub = await town.addHub('one');
  await enrolHub(town, hub);
  await town.makeBundle();
  await moveIn(town, hub, {name: 'Astrid Testsson', address: 'Provgatan 1'});
  browser = await launch(town);
  page = await newPage(browser);
  page.on('websocket', (socket) => socket.on('framereceived', ({payload}) => {
    if (typeof payload !== 'string') return;
    const message = JSON.parse(payload);
    if (message.type === 'answer') answers.push(JSON.parse(message.answer.payload));
  }));
}, {timeout: 120000});

after(async () => {
  await browser?.close();
  await town?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

const entries = async () => (await town.staff.granskare.get('/v1/ledger/entries?limit=1000')).json().items.map((text) => JSON.parse(text));
async function entry(what, probe, ms = 15000) {
  let seen = [];
  try {
    return await until(`ledger: ${what}`, async () => (seen = await entries()).find(probe), ms, 200);
  } catch (error) {
    error.message += `; newest entries: ${seen.slice(-8).map((e) => `${e.what} ${e.reason ?? ''}`.trim()).join(', ')}`;
    throw error;
  }
}
const online = () => until('hub online', async () => (await row(page, hub.resident.resident).first().getAttribute('data-online')) === 'true', 30000);

const count = async (what) => (await entries()).filter((e) => e.what === what).length;
async function setClock(ahead, synchronised) {
  const what = synchronised ? 'clock_trusted' : 'clock_untrusted';
  const before = await count(what);
  hub.setClock(ahead, synchronised);
  await until(what, async () => await count(what) > before);
}

// Sets the hub's clock ahead, by less than a minute, so that its minute ends in `seconds`: a new offset is a step, and is trusted
// again when the source says so anew. Never back: a time before the latest trusted one is not believed.
let offset = 0;
async function minuteEndsIn(seconds) {
  offset = ((60 - seconds) * 1000 - (Date.now() % 60000) + 60000) % 60000 + 1000;
  await setClock(offset, false);
  await setClock(offset, true);
}

test('the hub cuts the view at the window\'s end, within a second, and nothing later is painted [ENF-2] [LOG-2] [LOG-3] [LOG-11]', async () => {
  await minuteEndsIn(40);
  await schedule(town, hub, [{id: 'w1', days: every, start: localTime(-3, Date.now() + offset).time, minutes: 4}]);
  await logIn(page, town, 'anna.berg');
  await online();
  await look(page, hub.resident.resident);
  await untilPainted(page, 10);
  const answer = answers.at(-1);
  assert.equal(answer.decision, 'open');
  const end = answer.until_ms - offset;  // by this machine's clock
  assert.ok(end > Date.now() && end - Date.now() < 45000);
  const closed = until('camera closed', () => (hub.cameraDescriptors().length === 0 && hub.light() === '0' ? Date.now() : null), 60000, 20);
  const state = await untilView(page, 'ended', (s) => s.state === 'ended', 60000);
  assert.equal(state.reason, 'window_end');
  assert.ok(state.painted > 20, 'pictures until then');
  assert.ok(await closed - end < 1000 + 100, `camera closed ${await closed - end} ms after the end`);
  const last = answer.mono + (answer.until_ms - answer.utc_ms);
  assert.ok(state.capture < last, 'no picture captured at or past the end is painted');
  assert.ok(last - state.capture < 1500, 'and they came until the end');
  await entry('view ended', (e) => e.what === 'view_ended' && e.reason === 'window_end' && e.who[0].person === 'anna.berg');
  await entry('window closed', (e) => e.what === 'window_closed' && e.resident === hub.resident.resident);
  const painted = (await viewState(page)).painted;
  await mark(page, 'view-retry').click();
  const refused = await untilRefused(page);
  assert.equal(refused.reason, 'outside_window');
  assert.ok(!(refused.painted > painted));
  await mark(page, 'view-close').click();
});

test('a hub whose clock is not to be trusted stays closed and says so [ENF-4] [SES-7]', async () => {
  await schedule(town, hub, [{id: 'w1', days: every, start: localTime(-3).time, minutes: 60}]);
  offset += 5000;
  await setClock(offset, false);
  await online();
  await look(page, hub.resident.resident);
  const state = await untilRefused(page);
  assert.equal(state.reason, 'clock_untrusted');
  assert.equal(hub.cameraDescriptors().length, 0);
  await setClock(offset, true);
  await mark(page, 'view-close').click();
});

test('a hub that does not answer: the page says so, and the log has it [LOG-9] [SES-7]', async () => {
  await town.processes.stop(hub.link, 'SIGKILL');
  await look(page, hub.resident.resident);
  const state = await untilRefused(page, 30000);
  assert.equal(state.reason, 'hub_silent');
  await entry('view failed', (e) => e.what === 'view_failed' && e.reason === 'hub_silent');
  await mark(page, 'view-close').click();
  hub.startLink();
});

test('the gate killed in the middle of a view: light out, camera closed, back by itself [ENF-7] [ENF-8]', async () => {
  await online();
  await until('live', async () => {
    await look(page, hub.resident.resident);
    const state = await untilView(page, 'an outcome', (s) => s.painted >= 5 || s.state === 'refused' || s.state === 'ended', 30000);
    if (state.painted >= 5) return true;
    await mark(page, 'view-close').click();
    return false;
  }, 60000, 1000);
  process.kill(hub.gatePid(), 'SIGKILL');
  await until('closed', () => hub.cameraDescriptors().length === 0 && hub.light() === '0', 3000, 20);
  const state = await untilView(page, 'ended or blanked', (s) => s.state === 'ended' || s.state === 'blanked', 10000);
  assert.ok(state.reason || state.state === 'blanked');
  await until('gate is back', () => hub.gatePid(), 20000);
  await mark(page, 'view-close').click();
  await until('looks again', async () => {
    await look(page, hub.resident.resident);
    const again = await untilView(page, 'an outcome', (s) => s.painted >= 5 || s.state === 'refused' || s.state === 'ended', 30000);
    if (again.painted >= 5) return true;
    await mark(page, 'view-close').click();
    return false;
  }, 60000, 1000);
});
