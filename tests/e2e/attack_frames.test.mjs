// An active enemy who owns the relay, against the pictures: frames left out, changed, exchanged, repeated, and yesterday's.
// What is checked is what was painted on the canvas, counter by counter.
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {after, afterEach, before, beforeEach, describe, test} from 'node:test';
import {AttackTown} from './lib/attack_town.mjs';
import {painted, readFrame} from './lib/paint_notes.mjs';
import {until} from './lib/processes.mjs';
import {untilPainted, untilView, viewState} from './lib/view_page.mjs';

let town, front, page, one;
let came;  // the frames that the hub sent in this view, by counter

before(async () => {
  town = await AttackTown.start('attack-frames');
  ({front, one} = town);
  page = await town.openPage();
}, {timeout: 180000});
after(() => town?.stop());
beforeEach(() => { came = new Map(); });
afterEach(() => town.honest());

// Hands every frame to `bend(frame, send, read)`; each is noted as it came.
function bendFrames(bend) {
  front.bend.frames = (frame, send) => {
    const read = readFrame(frame);
    came.set(read.ctr, read);
    bend(frame, send, read);
  };
}

const counters = async () => {
  const of = (await painted(page)).painted.map(({ctr}) => ctr);
  return of.slice(of.lastIndexOf(0));  // of this view
};

// A view that has begun; its frames pass unbent until `bendFrames` is called anew.
async function running() {
  bendFrames((frame, send) => send(frame));
  await town.look(page);
  await untilPainted(page, 5);
}

// The next P-frame that follows a key frame directly is the first that `bend` gets.
function fromAfterKey(bend) {
  let begun = false;
  let wasKey = false;
  bendFrames((frame, send, read) => {
    if (!begun && !(wasKey && !read.isKey)) { wasKey = read.isKey; return send(frame); }
    begun = true;
    return bend(frame, send, read);
  });
}

// After `ctr` was spoilt: nothing was painted from there on until the next authentic key frame, which was, with what follows.
async function gapIsKept(spoilt) {
  const key = await until('the key frame that ends the gap', () => [...came.values()].find(({ctr, isKey}) => ctr > spoilt && isKey)?.ctr);
  await untilView(page, 'pictures again', ({ctr}) => ctr > key + 2);
  const shown = await counters();
  assert.deepEqual(shown.filter((ctr) => ctr >= spoilt && ctr < key), [], `nothing between ${spoilt} and key frame ${key}`);
  assert.ok(shown.includes(key), 'the key frame is shown');
  assert.deepEqual(shown, [...shown].sort((a, b) => a - b), 'in sequence');
  assert.equal((await viewState(page)).state, 'live');
  return key;
}

describe('frames', () => {
  test('honest: every picture is painted, once, in sequence [VID-2] [VID-5]', async () => {
    await running();
    await untilPainted(page, 15);
    const shown = await counters();
    assert.deepEqual(shown, shown.map((_, i) => i));
    assert.ok(came.get(0).isKey);
  });

  test('twelve P-frames left out: no picture that was edited by it is ever painted [VID-2] [VID-5]', async () => {
    await running();
    front.bend.lives = () => false;  // so that the hub does not know, and goes on from where it is
    let left = 12;
    const after = [];
    let first;
    fromAfterKey((frame, send, read) => {
      if (left > 0) { first ??= read.ctr; --left; return; }
      send(frame);
      after.push(read);
      if (after.length === 3) delete front.bend.lives;
    });
    const dropped = await until('twelve dropped', () => (left === 0 && after.length >= 3 ? after : null));
    assert.ok([...came.values()].filter(({ctr}) => ctr >= first && ctr < first + 12).every(({isKey}) => !isKey), 'they were P-frames');
    assert.ok(dropped.slice(0, 3).every(({isKey}) => !isKey), 'and P-frames that build on them were handed over');
    await untilView(page, 'that they are dropped', ({dropped: count}) => count >= 3);
    await gapIsKept(first);
  });

  test('one bit flipped in a frame: it is not painted, nor what builds on it [VID-2]', async () => {
    await running();
    let spoilt;
    fromAfterKey((frame, send, read) => {
      if (spoilt === undefined) { spoilt = read.ctr; frame[frame.length - 20] ^= 1; }
      send(frame);
    });
    await until('spoilt', () => spoilt !== undefined);
    await gapIsKept(spoilt);
  });

  for (const [what, change] of Object.entries({
    'a P-frame called a key frame': (frame) => { frame[4] ^= 1; },
    'a frame called the end': (frame) => { frame[4] ^= 2; },
    'another capture time, as if it were newer': (frame) => frame.writeBigUInt64BE(frame.readBigUInt64BE(5) + 2000n, 5),
    'another counter': (frame) => { frame[frame[13] & 8 ? 14 + (frame[13] & 7) : 13] ^= 1; },
    'a frame of the relay\'s own': (frame) => randomBytes(frame.length - 16).copy(frame, 16),
  })) {
    test(`${what}: the frame's own authentication covers it [VID-2]`, async () => {
      await running();
      let spoilt;
      fromAfterKey((frame, send, read) => {
        if (spoilt === undefined) { spoilt = read.ctr; change(frame); }
        send(frame);
      });
      await until('spoilt', () => spoilt !== undefined);
      await gapIsKept(spoilt);
    });
  }

  test('two frames exchanged: neither the early one nor the late one is painted [VID-2]', async () => {
    await running();
    const held = [];
    let first;
    fromAfterKey((frame, send, read) => {
      first ??= read.ctr;
      if (held.length === 0) return held.push(frame);
      send(frame);
      if (held.length === 1) { send(held[0]); held.push(null); }
      return undefined;
    });
    await until('exchanged', () => held.length === 2);
    await gapIsKept(first);
  });

  test('a frame repeated, at once and much later, is painted once [VID-2]', async () => {
    await running();
    let kept;
    let repeated = 0;
    bendFrames((frame, send, read) => {
      send(frame);
      if (kept === undefined && read.isKey) kept = Buffer.from(frame);
      if (kept) { send(kept); ++repeated; }
    });
    await until('repeated', () => repeated > 8);
    const {painted: count} = await viewState(page);
    await untilPainted(page, count + 5);
    const shown = await counters();
    assert.equal(new Set(shown).size, shown.length, 'each counter once');
    assert.deepEqual(shown, shown.map((_, i) => i), 'and none was lost by it');
    assert.ok((await viewState(page)).dropped >= 8);
  });
});

describe("yesterday's view", () => {
  const recorded = [];
  let answer;

  before(async () => {
    town.honest();
    front.bend.down = (message) => { if (message.type === 'answer') ({answer} = message); };
    front.bend.frames = (frame, send) => { recorded.push(Buffer.from(frame)); send(frame); };
    await town.look(page);
    await untilPainted(page, 20);
    await town.closeView(page);
    await until('camera closed', () => one.cameraDescriptors().length === 0);
    town.honest();
  });

  test("its answer and its frames, played to another page that asks today, show nothing [VID-1] [VID-2]", async () => {
    const other = await town.openPage({user: 'bo.ek'});
    front.bend.up = (message) => {
      if (message.type !== 'view') return undefined;
      front.say({type: 'offered', order: '', entry: {seq: 0, time: ''}});
      front.say({type: 'answer', answer});
      for (const frame of recorded) front.show(frame);
      return null;
    };
    await town.look(other);
    const state = await untilView(other, 'refused', (s) => s.state === 'refused');
    assert.equal(state.reason, 'answer_not_ours');
    assert.equal(state.painted, 0);
    assert.deepEqual((await painted(other)).painted, []);
    assert.equal(one.cameraDescriptors().length, 0);
    await other.context().close();
  });

  test("its frames under today's own answer are all dropped, and the page says that no picture came [VID-1] [VID-2]", async () => {
    let i = 0;
    const shown = (await painted(page)).painted.length;
    front.bend.frames = (_, send) => { if (i < recorded.length) send(recorded[i++]); };
    await town.look(page);
    const state = await untilView(page, 'ended', (s) => s.state === 'ended', 20000);
    assert.equal(state.reason, 'no_picture');
    assert.equal(state.painted, 0);
    assert.ok(i >= 20 && state.dropped === i, `${i} shown, ${state.dropped} dropped`);
    assert.equal((await painted(page)).painted.length, shown);
  });

  test('with the real frames there is a picture [SES-1]', async () => {
    assert.equal((await town.seesPicture(page)).state, 'live');
  });
});
