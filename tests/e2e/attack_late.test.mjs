// An active enemy who owns the relay, against live: pictures held back, frozen, let through late; browsers whose clock is wrong or
// that stood still. How old a picture really is, is known here: hub and browser are one machine.
import assert from 'node:assert/strict';
import {readdirSync, readFileSync} from 'node:fs';
import {after, afterEach, before, describe, test} from 'node:test';
import {AttackTown} from './lib/attack_town.mjs';
import {forgetPaint, painted, readFrame, setClock} from './lib/paint_notes.mjs';
import {until} from './lib/processes.mjs';
import {untilPainted, untilView, viewState} from './lib/view_page.mjs';

const hour = 3600000;
const stale = 2000;
const slack = 150;  // between the page's decision and the noting of it, on a busy machine

let town, front, one, page;
let answer;  // the newest answer that came down
let came;  // the frames of the view, by counter

before(async () => {
  town = await AttackTown.start('attack-late');
  ({front, one} = town);
  page = await town.openPage();
}, {timeout: 180000});
after(() => town?.stop());
afterEach(async () => { town.honest(); await town.closeView(page); });

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
async function running(on = page) {
  came = new Map();
  front.bend.down = (message) => { if (message.type === 'answer') answer = JSON.parse(message.answer.payload); };
  bendFrames((frame, send) => send(frame));
  await town.look(on, one);
  await untilPainted(on, 5);
  await forgetPaint(on);
}

// How old each picture was when it was painted, in ms, by the machine's own clock, which is the hub's.
async function trueAges(on = page) {
  return (await painted(on)).painted.filter(({ctr}) => came.has(ctr)).map(({ctr, at}) => at - (answer.utc_ms + came.get(ctr).capture - answer.mono));
}
async function nothingStale(on = page) {
  const ages = await trueAges(on);
  assert.ok(ages.every((age) => age <= stale + slack), `painted at the age of ${Math.max(...ages)} ms`);
  return ages;
}

const delayed = (ms) => (frame, send) => void setTimeout(() => send(frame), ms);

describe('pictures that come late', () => {
  test('honest: the age that the page shows is never less than the true one [VID-5]', async () => {
    await running();
    await untilPainted(page, 25);
    const ages = await nothingStale();
    assert.ok(ages.length >= 15 && Math.min(...ages) >= -slack);
    const {age} = await viewState(page);
    assert.ok(age >= Math.min(...ages) - slack && age < stale, `${age}`);
  });

  test('held back 3 s in the middle of a view: blanked past 2 s, nothing late is painted; let through, live again [VID-5]', async () => {
    await running();
    const from = Date.now();
    bendFrames(delayed(3000));
    await untilView(page, 'blanked', ({state}) => state === 'blanked', 5000);
    const took = Date.now() - from;
    assert.ok(took > stale - 700 && took < stale + 700, `blanked after ${took} ms`);
    assert.ok((await painted(page)).blanked.some((at) => at >= from), 'and nothing is left on the canvas');
    const {painted: count} = await viewState(page);
    await wait(2500);
    assert.equal((await viewState(page)).painted, count, 'what came late was not painted');
    assert.equal((await viewState(page)).state, 'blanked');
    bendFrames((frame, send) => send(frame));
    await untilView(page, 'live again', (s) => s.state === 'live' && s.painted > count + 3);
    await nothingStale();
  });

  test('held back 3 s from the first on: none is painted, and the page says that no picture came [VID-5] [SES-7]', async () => {
    came = new Map();
    bendFrames(delayed(3000));
    await town.look(page);
    const state = await untilView(page, 'ended', (s) => s.state === 'ended');
    assert.equal(state.reason, 'no_picture');
    assert.equal(state.painted, 0);
  });

  test('the order itself held back 4 s: no picture passes for younger than it is [VID-5]', async () => {
    came = new Map();
    front.bend.down = (message) => { if (message.type === 'answer') answer = JSON.parse(message.answer.payload); };
    bendFrames((frame, send) => send(frame));
    let held = false;
    front.bend.hubAnswer = async (path, json) => {
      if (path !== '/hub/v1/poll' || json.views.length === 0 || held) return undefined;
      held = true;
      await wait(4000);
      return undefined;
    };
    await forgetPaint(page);
    await town.look(page);
    const {age} = await untilPainted(page, 8);
    const ages = await nothingStale();
    assert.ok(age < stale && age >= Math.min(...ages) - slack, `${age}`);
  });

  test('frozen, and the last frame sent over and over: blanked, and stays so; the hub ends it by itself [VID-5] [ENF-7]', async () => {
    await running();
    let last;
    bendFrames((frame, send) => { last ??= frame; send(last); });
    front.bend.lives = () => false;
    front.bend.down = (message) => (message.type === 'end' ? null : undefined);
    const from = Date.now();
    await untilView(page, 'blanked', ({state}) => state === 'blanked', 5000);
    assert.ok(Date.now() - from < stale + 700);
    const {painted: count} = await viewState(page);
    await until('camera closed', () => one.cameraDescriptors().length === 0 && one.light() === '0', 20000);
    assert.ok(Date.now() - from < 17500, 'no sign of life for 15 s');
    await town.entry('why', (e) => e.what === 'view_ended' && e.reason === 'viewer_gone' && e.hub === one.id);
    const state = await viewState(page);
    assert.deepEqual([state.state, state.painted], ['blanked', count], 'the end was kept back: the page still shows nothing');
  });

  for (const [what, clockOffsetMs] of [['fast', hour], ['slow', -hour]]) {
    test(`a browser whose clock is an hour ${what} sees the same: live when live, blanked when late [VID-5]`, async () => {
      const other = await town.openPage({user: 'bo.ek', clockOffsetMs});
      assert.ok(Math.abs(await other.evaluate(() => Date.now()) - Date.now() - clockOffsetMs) < 5000);
      await running(other);
      await untilPainted(other, 12);
      assert.ok((await viewState(other)).age < stale);
      bendFrames(delayed(3000));
      await untilView(other, 'blanked', ({state}) => state === 'blanked', 5000);
      await wait(1500);
      assert.equal((await viewState(other)).state, 'blanked');
      await nothingStale(other);
      await other.context().close();
    });
  }

  test('a browser whose clock is set in the middle of a view, as after sleep, ends it [VID-5]', async () => {
    await running();
    await setClock(page, 1500);
    const state = await untilView(page, 'ended', (s) => s.state === 'ended', 3000);
    assert.equal(state.reason, 'clock_parted');
    await setClock(page, 0);
  });

  test('a page that stood still for 3.5 s paints nothing of what came meanwhile [VID-5]', async () => {
    await running();
    const renderers = descendants(process.pid).filter((pid) => commandLine(pid).includes('--type=renderer'));
    assert.ok(renderers.length > 0);
    for (const pid of renderers) process.kill(pid, 'SIGSTOP');
    const stopped = Date.now();
    await wait(3500);
    const went = Date.now();
    for (const pid of renderers) process.kill(pid, 'SIGCONT');
    await untilView(page, 'live again, or ended', ({state}) => state === 'live' || state === 'ended', 15000);
    await wait(1000);
    await nothingStale();
    const {painted: all, blanked} = await painted(page);
    assert.ok(all.every(({at}) => at < stopped + slack || at > went - slack));
    assert.ok(blanked.some((at) => at >= went), 'what stood there was blanked at once');
  });

  const commandLine = (pid) => { try { return readFileSync(`/proc/${pid}/cmdline`, 'utf8'); } catch { return ''; } };
  function descendants(pid) {
    const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => {
      try { return [Number(name), Number(/\) . (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))[1])]; } catch { return [0, -1]; }
    });
    const below = (of) => parents.filter(([, parent]) => parent === of).flatMap(([child]) => [child, ...below(child)]);
    return below(pid);
  }
});
