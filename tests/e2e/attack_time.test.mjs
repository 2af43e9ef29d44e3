// An active enemy who owns the relay, against time: trust that is kept back or run out, windows that are to end, logins too old.
import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import {after, afterEach, before, describe, test} from 'node:test';
import {AttackTown, every} from './lib/attack_town.mjs';
import {mark} from './lib/chromium.mjs';
import {forgetPaint, painted, readFrame} from './lib/paint_notes.mjs';
import {makeOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {localTime, schedule} from './lib/provision.mjs';
import {ScriptedViewer} from './lib/scripted_viewer.mjs';
import {untilPainted, viewState} from './lib/view_page.mjs';

const hour = 3600000;
const slack = 150;  // between the page's decision and the noting of it, on a busy machine

let town, front, one, two, page, viewer;
let came;  // the frames of the view, by counter

before(async () => {
  town = await AttackTown.start('attack-time', {hubs: ['one', 'two']});
  ({front, one, two} = town);
  page = await town.openPage();
  viewer = await new ScriptedViewer(town.town, town.town.staff['bo.ek']).connect();
}, {timeout: 180000});
after(async () => { viewer?.close(); await town?.stop(); });
afterEach(() => town.honest());

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// Frames go through `bend(frame, send, read)` from now on; each is noted as it came.
function bendFrames(bend) {
  front.bend.frames = (frame, send) => {
    const read = readFrame(frame);
    came.set(read.ctr, read);
    bend(Buffer.from(frame), send, read);
  };
}

// A running view in which frames pass unbent.
async function running(on, hub) {
  came = new Map();
  bendFrames((frame, send) => send(frame));
  await town.look(on, hub);
  await untilPainted(on, 5);
  await forgetPaint(on);
}

describe('trust that is kept back', () => {
  test('a hub that is not given the newest bundle does not open for those who have it [ENF-1] [ENF-5]', async () => {
    front.bend.hubAnswer = (path, json, _, hub) => (path === '/hub/v1/poll' && hub === one ? {...json, bundle: null} : undefined);
    await town.town.makeBundle();
    const {answer: said} = await viewer.view(one);
    assert.deepEqual([said.decision, said.reason], ['closed', 'bundle_older']);
    town.honest();
    await front.tellHub(one, {bundle: JSON.parse(readFileSync(town.town.path('bundle.json'), 'utf8'))});
    const {answer: open} = await viewer.view(one);
    assert.equal(open.decision, 'open', open.reason);
    viewer.end();
  });

  test('an older bundle is refused by the hub, by the relay and by the page [ENF-1] [IAM-10]', async () => {
    const older = readFileSync(town.town.path('bundle.json'), 'utf8');
    await town.town.makeBundle();
    const newer = readFileSync(town.town.path('bundle.json'), 'utf8');
    await until('the hub has the newer', () => viewer.hubs.get(one.id).status.bundle.counter === JSON.parse(JSON.parse(newer).payload).counter, 40000);
    await front.tellHub(one, {bundle: JSON.parse(older)});
    await town.said(one, 'events', 'the older refused', (event) => event.kind === 'trust_refused' && event.reason === 'bundle_older');
    const put = await town.town.staff.chef.put('/v1/trust/bundle', JSON.parse(older));
    assert.equal(put.json().code, 'bundle_older');
    const other = await town.openPage({user: 'bo.ek'});
    writeFileSync(town.town.path('app/trust/bundle.json'), older);
    await other.goto(`${town.town.appOrigin}/`);
    await other.locator('[data-testid=app][data-state=failed]').waitFor();
    assert.equal(await mark(other, 'app').getAttribute('data-reason'), 'bundle_older');
    writeFileSync(town.town.path('app/trust/bundle.json'), newer);
    await other.goto(`${town.town.appOrigin}/`);
    await other.locator('[data-testid=app]:is([data-state=ready],[data-state=login])').waitFor();
    await other.context().close();
  });
});

// From here on hub two's clock goes forward only: a clock that goes back is not trusted, which is another matter.
async function clockForward(offset) {
  const {length} = (await town.entries()).filter((e) => e.hub === two.id && e.what === 'clock_trusted');
  two.setClock(offset, false);
  await town.entry('clock untrusted', (e) => e.hub === two.id && e.what === 'clock_untrusted');
  await wait(300);
  two.setClock(offset, true);
  await until('clock trusted', async () => (await town.entries()).filter((e) => e.hub === two.id && e.what === 'clock_trusted').length > length, 20000, 100);
}

describe('a window that is to end', () => {
  test('relay and viewers refuse to stop: no frame from the end on, none painted, camera closed within a second [ENF-2] [ENF-1]', async () => {
    const left = 25000;
    const offset = (60000 - left - (Date.now() % 60000) + 60000) % 60000;
    const end = Math.ceil((Date.now() + offset) / 60000) * 60000 - offset;  // by this machine's clock
    await clockForward(offset);
    await schedule(town.town, two, [{id: 'w1', days: every, start: localTime(0, end + offset - 10 * 60000).time, minutes: 10}]);
    const {answer: said} = await viewer.view(two);
    assert.equal(said.decision, 'open', said.reason);
    assert.equal(said.until_ms, end + offset);
    const lastMono = said.mono + said.until_ms - said.utc_ms;
    const script = viewer.frames.length;
    const other = await town.openPage({user: 'anna.berg'});
    await running(other, two);
    front.bend.down = (message) => (message.type === 'end' ? null : undefined);
    bendFrames((frame, send, {isEnd}) => { if (!isEnd) setTimeout(() => send(frame), 800); });
    const closed = await until('camera closed', () => (two.cameraDescriptors().length === 0 && two.light() === '0' ? Date.now() : null), end - Date.now() + 5000, 20);
    assert.ok(closed - end < 1000 + slack && closed > end - 500, `closed ${closed - end} ms after the end`);
    await wait(3000);
    const frames = viewer.frames.slice(script).map(({frame}) => readFrame(frame));
    const noted = (await painted(other)).painted;
    const captures = [...came.values()];
    assert.ok(captures.length > 20 && Math.max(...captures.map(({capture}) => capture)) > lastMono - 1500, 'frames came until the end');
    assert.deepEqual([...captures, ...frames].filter(({isEnd, capture}) => !isEnd && capture >= lastMono), [], 'none was captured at or past it');
    assert.ok(noted.every(({ctr}) => came.get(ctr).capture < lastMono));
    assert.ok(noted.every(({at}) => at <= end + 1000), 'nothing painted later than a second after');
    const state = await viewState(other);
    assert.deepEqual([state.state, state.reason], ['ended', 'window_end'], 'the page ends it by its own reckoning');
    await town.entry('view ended', (e) => e.what === 'view_ended' && e.reason === 'window_end' && e.hub === two.id);
    const {answer: again} = await viewer.view(two);
    assert.deepEqual([again.decision, again.reason], ['closed', 'outside_window']);
    await other.context().close();
  });
});

describe('time that runs out', () => {
  const asked = async () => { const {answer: said} = await viewer.view(two); return [said.decision, said.reason]; };

  test('a login of 11 hours ago is good, of 13 hours ago auth_too_old; an order signed then waits, late [IAM-1] [ENF-1]', async () => {
    await clockForward(11 * hour);
    assert.deepEqual(await asked(), ['closed', 'outside_window']);
    await clockForward(13 * hour);
    assert.deepEqual(await asked(), ['closed', 'auth_too_old']);
    const {planerare, bistand} = town.town.staff;
    const {resident, home, group} = two.resident;
    const late = makeOrder(town.town, [[planerare, 'planner'], [bistand, 'care_manager']], {
      type: 'schedule', version: two.resident.schedule.version + 1, replaces: two.resident.schedule.hash, resident, home, group, timezone: 'Europe/Stockholm', valid_from: null, valid_to: null,
      windows: [{id: 'w1', days: every, start: '00:00', minutes: 720}], exceptions: []});
    await front.tellHub(two, {orders: [late.order]});
    await town.said(two, 'receipts', 'late', (receipt) => receipt.order === late.hash && receipt.verdict === 'waiting' && receipt.reason === 'late');
  });

  test('a hub that gets no bundle closes when its last one runs out, seven days on, not an hour sooner or later [ENF-5] [ENF-1]', async () => {
    const {issued_at, expires_at} = JSON.parse(JSON.parse(readFileSync(town.town.path('bundle.json'), 'utf8')).payload);
    assert.equal(Date.parse(expires_at) - Date.parse(issued_at), 7 * 24 * hour);
    front.bend.hubAnswer = (path, json, _, hub) => (path === '/hub/v1/poll' && hub === two ? {...json, bundle: null} : undefined);
    const toEnd = Date.parse(expires_at) - Date.now();
    await clockForward(toEnd - hour);
    assert.deepEqual(await asked(), ['closed', 'auth_too_old']);
    await clockForward(toEnd + 60000);
    assert.deepEqual(await asked(), ['closed', 'bundle_expired']);
  });

  test('the other hub, whose clock is right, opens all the while [SES-1]', async () => {
    const state = await town.seesPicture(page);
    assert.equal(state.state, 'live');
  });
});
