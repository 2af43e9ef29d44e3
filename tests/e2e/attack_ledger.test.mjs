// An active enemy who owns the relay and its ledger key: views that are not in the log, logs that are another one's, logs that
// shrink. What hub and page have seen of the log before is what finds it out.
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {after, afterEach, before, describe, test} from 'node:test';
import {AttackTown} from './lib/attack_town.mjs';
import {logInHere, mark} from './lib/chromium.mjs';
import {b64, now, random} from './lib/crypto.mjs';
import {checkpointNote, consistency, inclusion, leafHash, orderEntry, proofText, rootOf} from './lib/merkle.mjs';
import {until} from './lib/processes.mjs';
import {ScriptedViewer} from './lib/scripted_viewer.mjs';
import {row, untilPainted} from './lib/view_page.mjs';

let town, front, one, two, anna, seed, origin;

before(async () => {
  town = await AttackTown.start('attack-ledger', {hubs: ['one', 'two']});
  ({front, one, two} = town);
  anna = await new ScriptedViewer(town.town, town.town.staff['anna.berg']).connect();
  seed = readFileSync(town.town.path('relay/nord.ledger-key'));
  origin = `localhost/${town.town.provider}`;
}, {timeout: 180000});
after(async () => { anna?.close(); await town?.stop(); });
afterEach(async () => {
  town.honest();
  anna.end();
  for (const hub of [one, two]) await until('camera closed', () => hub.cameraDescriptors().length === 0);
});

async function leaves() {
  return (await town.town.staff.granskare.get('/v1/ledger/entries?limit=1000')).json().items.map(leafHash);
}
const asCheckpoint = (tree) => ({size: tree.length, root: b64(rootOf(tree))});
const seenByHub = (hub) => anna.hubs.get(hub.id).status.ledger.size;
function coveredByBundle() {
  const {providers: [{checkpoint}]} = JSON.parse(JSON.parse(readFileSync(town.town.path('bundle.json'), 'utf8')).payload);
  return Number(checkpoint.split('\n')[1]);
}

// What the hub answers when the offer of an honest view is bent on its way.
async function offered(bend, hub = one, change = {}) {
  front.bend.hubAnswer = (path, json, _, to) => (path === '/hub/v1/poll' && to === hub && json.views.length > 0 ? {...json, views: json.views.map(bend)} : undefined);
  const {answer, problem} = await anna.view(hub, change);
  assert.ok(answer, problem);
  return answer;
}
async function refuses(reason, bend, hub = one, change = {}) {
  const answer = await offered(bend, hub, change);
  assert.equal(answer.decision, 'closed');
  assert.equal(answer.reason, reason);
  assert.equal(answer.sealed, null);
  assert.equal(hub.cameraDescriptors().length, 0);
}

// A view that the real relay never gets, handed to the hub as an entry of a log of the enemy's own: `tree` are the leaves
// before it, `after` how many more come behind it.
async function privately(hub, tree, {change = {}, after: more = 0, from = {}, key = seed, name = origin} = {}) {
  const {order, hash} = await anna.makeView(hub, change);
  const time = now();
  const all = [...tree, leafHash(orderEntry(order.payload, tree.length, time)), ...Array.from({length: more}, () => leafHash(randomBytes(8)))];
  const sizes = {hub: seenByHub(hub), viewer: JSON.parse(order.payload).checkpoint.size, bundle: coveredByBundle(), ...from};
  const grown = (size) => (size <= all.length ? proofText(consistency(size, all)) : []);
  await front.tellHub(hub, {views: [{
    order, seq: tree.length, time, checkpoint: checkpointNote(name, all, key), inclusion: proofText(inclusion(tree.length, all)),
    consistency: {hub: grown(sizes.hub), viewer: grown(sizes.viewer), bundle: grown(sizes.bundle)}}]});
  return town.said(hub, 'answers', 'to the private view', (answer) => answer.order === hash);
}
const closed = (answer, reason) => assert.deepEqual([answer.decision, answer.reason], ['closed', reason]);


// The hub's newest status tells how far it has seen the log: waits for the one after a view.
const untilSeen = (hub, size) => until('a status that says how far it has seen', () => seenByHub(hub) >= size);

describe('a view must stand in the log', () => {
  test('honest: it does, and the hub opens [LOG-5] [AUD-1]', async () => {
    const answer = await offered((offer) => offer);
    assert.equal(answer.decision, 'open', answer.reason);
    await untilSeen(one, 1);
  });

  test('an offer without proof opens nothing [AUD-1] [ENF-1]', () => refuses('no_ledger_entry', (offer) => ({...offer, inclusion: []})));
  test("another entry's place is no proof [AUD-1]", () => refuses('no_ledger_entry', (offer) => ({...offer, seq: offer.seq - 1})));
  test('nor is the right place at another time [AUD-1]', () => refuses('no_ledger_entry', (offer) => ({...offer, time: now(-3600)})));
  test('nor one hash changed [AUD-1]', () => refuses('no_ledger_entry', (offer) => ({...offer, inclusion: [random(32), ...offer.inclusion.slice(1)]})));
  test("a checkpoint that the ledger key has not signed proves nothing [AUD-1]", () => refuses('no_ledger_entry', (offer) => ({...offer, checkpoint: offer.checkpoint.replace(/(.{8})==?\n$/, 'AAAAAAA=\n')})));
  test('growth from what the hub has seen is to be proven, not said [AUD-1]', async () => {
    await untilSeen(one, 1);
    await refuses('ledger_forked', (offer) => ({...offer, consistency: {...offer.consistency, hub: []}}));
  });
  test('and growth from what the bundle covers [AUD-1]', () => refuses('ledger_forked', (offer) => ({...offer, consistency: {...offer.consistency, bundle: [random(32)]}})));
  test('an offer with a member left out is malformed, counted and answered by nobody [AUD-1] [LOG-15]', async () => {
    const before = front.documents(one, 'events').length;
    const {order} = await anna.makeView(one);
    await front.tellHub(one, {views: [{order, seq: 0, time: now(), checkpoint: 'x', inclusion: []}]});
    await until('the refusal', () => front.documents(one, 'events').slice(0, -before || undefined).some((event) => event.kind === 'view_refused' && event.reason === 'malformed'));
    assert.equal(one.cameraDescriptors().length, 0);
  });

  test('a view that never entered the log cannot borrow the place of one that did [AUD-1]', async () => {
    const tree = await leaves();
    const {order, hash} = await anna.makeView(one);
    await front.tellHub(one, {views: [{order, seq: tree.length - 1, time: now(), checkpoint: checkpointNote(origin, tree, seed), inclusion: proofText(inclusion(tree.length - 1, tree)),
      consistency: {hub: proofText(consistency(seenByHub(one), tree)), viewer: [], bundle: proofText(consistency(coveredByBundle(), tree))}}]});
    closed(await town.said(one, 'answers', 'to the view', (answer) => answer.order === hash), 'no_ledger_entry');
  });
});

describe("a log of the enemy's own, signed with the real ledger key", () => {
  // What is real up to `size` and something else from there on.
  const forkedAt = async (size, length) => {
    const real = await leaves();
    return [...real.slice(0, size), ...Array.from({length: length - size}, () => leafHash(randomBytes(8)))];
  };

  test('that leaves out something the hub has seen is ledger_forked [AUD-1]', async () => {
    const seen = seenByHub(one);
    assert.ok(seen > 10);
    closed(await privately(one, await forkedAt(seen - 3, seen + 5)), 'ledger_forked');
  });

  test('that leaves out something the viewer has seen is ledger_forked, though the hub had not seen it [AUD-1]', async () => {
    const real = await leaves();
    const seen = Math.max(seenByHub(two), coveredByBundle());
    assert.ok(real.length > seen + 2, 'the viewer has seen more than the hub');
    closed(await privately(two, await forkedAt(seen, real.length + 3), {change: {checkpoint: asCheckpoint(real)}}), 'ledger_forked');
  });

  test('that leaves out something the bundle covers is ledger_forked, though neither hub nor viewer had seen it [AUD-1]', async () => {
    assert.equal(seenByHub(two), 0);
    const covered = coveredByBundle();
    closed(await privately(two, await forkedAt(covered - 2, covered + 4)), 'ledger_forked');
  });

  test('a log that has shrunk is ledger_older: against the hub, the viewer and the bundle [AUD-1]', async () => {
    const real = await leaves();
    const seen = seenByHub(one);
    closed(await privately(one, real.slice(0, seen - 3)), 'ledger_older');
    const covered = coveredByBundle();
    closed(await privately(two, real.slice(0, covered - 3)), 'ledger_older');
    closed(await privately(two, real.slice(0, covered + 1), {change: {checkpoint: asCheckpoint(real)}}), 'ledger_older');
  });

  test("another provider's name, or another key, is not this log [AUD-1] [TEN-1]", async () => {
    const real = await leaves();
    closed(await privately(one, real, {name: 'localhost/syd'}), 'no_ledger_entry');
    closed(await privately(one, real, {key: randomBytes(32)}), 'no_ledger_entry');
  });

  test('that all agree with is found out by the next who has seen the real one [AUD-1]', async () => {
    const real = await leaves();
    const answer = await privately(two, real, {after: 2});
    assert.equal(answer.decision, 'open', `the same by the same hand, but with nothing left out, is a log: ${answer.reason}`);
    await until('camera closed', () => two.cameraDescriptors().length === 0, 20000);
    await untilSeen(two, real.length + 1);
    const next = await offered((offer) => offer, two);
    assert.equal(next.decision, 'closed');
    assert.ok(['ledger_forked', 'ledger_older'].includes(next.reason), next.reason);
    await town.entry('the hub says so in the real log', (e) => e.what === 'view_refused' && e.hub === two.id && ['ledger_forked', 'ledger_older'].includes(e.reason));
  });
});

describe('the page', () => {
  let page;
  before(async () => { page = await town.openPage(); });

  const checkpointIs = (make) => { front.bend.staffAnswer = (method, path, json) => (path === '/v1/ledger/checkpoint' ? {checkpoint: make(json.checkpoint)} : undefined); };
  const warning = (reason) => until(`the page says ${reason}`, async () => {
    front.say({type: 'changed'});
    return (await mark(page, 'trust-warning').count()) > 0 && (await mark(page, 'trust-warning').getAttribute('data-reason')) === reason;
  }, 10000, 300);
  const calm = () => until('no warning', async () => { front.say({type: 'changed'}); return (await mark(page, 'trust-warning').count()) === 0; }, 10000, 300);

  test('honest: it has nothing to say about the log [AUD-1]', calm);

  test('says ledger_forked of a log that is not the continuation of what it has seen [AUD-1] [AUD-2]', async () => {
    const real = await leaves();
    const forked = [...real.slice(0, 5), ...Array.from({length: real.length}, () => leafHash(randomBytes(8)))];
    checkpointIs(() => checkpointNote(origin, forked, seed));
    front.bend.reply = (method, path) => {
      const sizes = /consistency\?from=(\d+)&to=(\d+)$/.exec(path)?.slice(1).map(Number);
      return method === 'GET' && sizes ? {status: 200, json: {consistency: proofText(consistency(sizes[0], forked.slice(0, sizes[1])))}} : undefined;
    };
    await warning('ledger_forked');
    town.honest();
    await calm();
  });

  test('says ledger_older of a log that has shrunk [AUD-1]', async () => {
    const real = await leaves();
    checkpointIs(() => checkpointNote(origin, real.slice(0, 20), seed));
    await warning('ledger_older');
  });

  test('and remembers across logout how far it had seen [AUD-1] [SES-10]', async () => {
    const real = await leaves();
    checkpointIs(() => checkpointNote(origin, real.slice(0, 20), seed));
    await mark(page, 'logout').click();
    await logInHere(page, 'anna.berg');
    await warning('ledger_older');
    town.honest();
    await calm();
  });

  test('never shows as done what it does not find in the log: a mark that the relay only says it took [SES-2] [LOG-6] [AUD-1]', async () => {
    await town.online(page, one);
    await town.look(page, one);
    await untilPainted(page, 3);
    await mark(page, 'view-stop').click();
    front.bend.reply = (method, path) => (method === 'POST' && path === '/v1/orders' ? {status: 201, json: {hash: random(32), entry: {seq: 3, time: now()}}} : undefined);
    await mark(page, 'mark-completed').click();
    const status = page.locator('[data-testid=mark-status][data-state=failed]');
    await status.waitFor();
    assert.match(await status.getAttribute('data-reason'), /^no_ledger_entry$/);
    assert.ok(!(await town.entries()).some(({what}) => what === 'completed'));
    town.honest();
    await mark(page, 'mark-completed').click();
    await page.locator('[data-testid=mark-status][data-state=proven]').waitFor().catch(async (error) => { throw new Error(`${error.message}: ${await mark(page, 'mark-status').evaluate((e) => JSON.stringify(e.dataset))}`); });
    await mark(page, 'view-close').click();
    await row(page, one.resident.resident).and(page.locator('[data-state=done]')).waitFor();
  });
});
