// An export in which any member of any kind of entry is changed, or an entry is dropped, moved, back-dated or inserted, does not
// verify, and both verifiers (tillsyn-admin and tests/tools/verify_ledger.py) name the same entry.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {promisify} from 'node:util';
import {canonical, now, random} from './lib/crypto.mjs';
import {checkpointNote, leafHash} from './lib/merkle.mjs';
import {makeOrder, postOrder} from './lib/person.mjs';
import {enrolHub, localTime, makeAdministrator, moveIn, schedule, staffTown} from './lib/provision.mjs';
import {until} from './lib/processes.mjs';
import {ScriptedHub} from './lib/scripted_hub.mjs';
import {ScriptedViewer} from './lib/scripted_viewer.mjs';
import {root, Town} from './lib/town.mjs';

const run = promisify(execFile);
const dir = join(tmpdir(), `tillsyn-ledger-${process.pid}`);
const kinds = ['order', 'answer', 'receipt', 'event', 'countersign', 'relay'];
let town, hub, entries, note, count = 0;

before(async () => {
  town = new Town(dir);
  await town.start();
  await staffTown(town);
  hub = new ScriptedHub(town, 'one');
  await enrolHub(town, hub);
  hub.start();
  await town.makeBundle();
  await moveIn(town, hub, {name: 'Astrid Testsson', address: 'Provgatan 1'});
  await schedule(town, hub, [{id: 'w1', days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], start: localTime(-2).time, minutes: 60}]);
  await town.makeBundle();
  await makeEveryKind();
  await exportLog('whole.ledger');
  entries = readFileSync(town.path('whole.ledger'), 'utf8').trimEnd().split('\n');
  note = JSON.parse(entries.pop()).checkpoint;
}, {timeout: 150000});
after(async () => {
  hub?.stop();
  await town?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

// Orders, receipts, countersigns and the relay's own words are there; an answer, events and a failed login lack.
async function makeEveryKind() {
  town.front = {newestChallenge: () => hub.challenge};
  const anna = town.staff['anna.berg'];
  const viewer = await new ScriptedViewer(town, anna).connect();
  const {order, hash} = await viewer.makeView(hub);
  const asked = viewer.ask(order);
  await hub.offered(hash);
  await hub.report({answers: [hub.answer(order, {decision: 'closed', reason: 'outside_window', next_ms: Date.now()})],
    events: [hub.event('started'), hub.event('view_refused', {resident: hub.resident.resident, camera: 'cam1', who: anna.identity, reason: 'outside_window'})]});
  await asked;
  viewer.close();
  await makeRelayWords();
  for (let i = 0; i < 4; ++i) await anna.tryOpenSession({salt: random(32)});
}

// What the relay itself says of people, alarms and settings.
async function makeRelayWords() {
  const {'anna.berg': anna, 'bo.ek': bo} = town.staff;
  const {resident, group} = hub.resident;
  await makeAdministrator(town);
  const {granskare} = town.staff;
  const about = {resident, group, window: {id: 'w1', date: localTime().date}};
  await postOrder(town, [[anna, 'operator']], {type: 'unable', ...about, reason: 'mörkt'});
  const {id} = (await anna.get('/v1/alarms')).json().items.find(({kind}) => kind === 'visit_needed');
  await anna.post(`/v1/alarms/${id}/acknowledgement`, {});
  await postOrder(town, [[anna, 'operator']], {type: 'visit-taken', ...about, reason: 'åker dit'});
  await anna.get('/v1/alarms');
  const planned = await granskare.post('/v1/maintenance', {from: now(1000 * 3600), to: now(1000 * 3600 + 60), reason: 'prov'});
  await granskare.call('DELETE', `/v1/maintenance/${planned.json().id}`);
  const added = await granskare.post('/v1/integrations', {url: 'https://localhost/', ca: null});
  await granskare.call('DELETE', `/v1/integrations/${added.json().id}`);
  await granskare.get('/v1/ledger/entries?limit=1');
  await bo.post('/v1/orders', {order: makeOrder(town, [[bo, 'planner']], {type: 'completed', ...about, answer: random(32), note: null}).order, note: null});
  await bo.call('DELETE', '/v1/session');
}

const exportLog = (name) => town.admin('ledger', 'export', '--relay', town.relay, '--root-list', town.path('root-list.json'), '--fleet-root', town.path('fleet-root.json'),
  '--bundle-key', town.path('bundle.key'), '--provider', town.provider, '--out', town.path(name));

async function said(program, args) {
  try {
    return {status: 0, text: (await run(program, args)).stdout};
  } catch (error) {
    return {status: error.code, text: error.stderr};
  }
}

// What both verifiers say of these lines: {status, text, entry: the number that is named, or null}.
async function verdicts(lines, {earlier = true, checkpoint = note} = {}) {
  const file = town.path(`tampered-${++count}.ledger`);
  writeFileSync(file, [...lines, JSON.stringify({checkpoint})].map((line) => `${line}\n`).join(''));
  const rest = ['--root-list', town.path('root-list.json'), '--provider', town.provider, ...(earlier ? ['--earlier', town.path('whole.ledger')] : []), file];
  const both = await Promise.all([
    said(join(town.bin, 'tillsyn-admin'), ['ledger', 'verify', '--fleet-root', town.path('fleet-root.json'), ...rest]),
    said('python3', [join(root, 'tests/tools/verify_ledger.py'), ...rest])]);
  rmSync(file);
  return both.map(({status, text}) => ({status, text, entry: Number(/entry (\d+)/.exec(text)?.[1] ?? -1), what: /altered|dropped|inserted|moved|back-dated|dated later/.exec(text.split('entry').slice(1).join(' '))?.[0]}));
}

async function bothName(entry, lines, what, options) {
  const [ours, theirs] = await verdicts(lines, options);
  assert.deepEqual([ours.status, theirs.status], [1, 1], `${ours.text}\n${theirs.text}`);
  assert.deepEqual([ours.entry, theirs.entry], [entry, entry], `${ours.text}\n${theirs.text}`);
  if (what) assert.deepEqual([ours.what, theirs.what], [what, what], `${ours.text}\n${theirs.text}`);
}
async function bothRefuse(lines, options) {
  const [ours, theirs] = await verdicts(lines, options);
  assert.deepEqual([ours.status, theirs.status], [1, 1], `${ours.text}\n${theirs.text}`);
}

const wordOf = ({kind, what}) => `${kind} ${what}`;
const spoken = ['log_opened', 'log_read', 'login', 'login_refused', 'logout', 'order_refused', 'enrolled', 'alarm_raised', 'alarm_acknowledged', 'alarm_cleared',
  'maintenance_planned', 'maintenance_cancelled', 'integration_added', 'integration_ended'];
const placeOf = (kind) => entries.findLastIndex((text, place) => place > 3 && place < entries.length - 3 && JSON.parse(text).kind === kind && !/login/.test(text));
const at = (place, ...texts) => [...entries.slice(0, place), ...texts, ...entries.slice(place + 1)];
const renumbered = (lines) => lines.map((text, seq) => canonical({...JSON.parse(text), seq}));
const later = (time, seconds) => new Date(Date.parse(time) + seconds * 1000).toISOString().replace('.000Z', 'Z');

// Each member, changed in the ways that it can be.
const changes = {
  details: () => [random(32), null], format: () => [2], hash: () => [random(32), null], hub: () => [random(32), null],
  kind: (value) => [kinds[(kinds.indexOf(value) + 1) % kinds.length]], provider: () => ['syd'], reason: (value) => [`${value ?? ''}x`, null],
  resident: () => [random(16), null], seq: (value) => [value + 1, value - 1], time: (value) => [later(value, -1), later(value, 1)],
  what: (value) => [value === 'login' ? 'logout' : 'login'],
  who: (value) => [[...value, {issuer: 'https://x.example', person: 'x'}], value.map((who) => ({...who, person: `${who.person}x`})), value.slice(1)],
};

describe('an export', () => {
  test('as it was taken out verifies, in both, and again as its own past [AUD-2]', async () => {
    for (const earlier of [false, true]) {
      for (const {status, text} of await verdicts(entries, {earlier})) assert.deepEqual([status, text.startsWith('verified')], [0, true], text);
    }
    assert.deepEqual(kinds.filter((kind) => placeOf(kind) < 0), [], 'every kind of entry is there');
    for (const text of entries) assert.deepEqual(Object.keys(JSON.parse(text)).sort(), Object.keys(changes).sort(), 'and each member is one that is changed below');
  });

  for (const kind of kinds) {
    for (const member of Object.keys(changes)) {
      test(`with another ${member} in an entry of kind ${kind} is refused, and the entry named [AUD-1] [AUD-2]`, async () => {
        const place = placeOf(kind);
        const entry = JSON.parse(entries[place]);
        const values = changes[member](entry[member]).filter((value) => canonical(value) !== canonical(entry[member]));
        for (const value of values) {
          const lines = at(place, canonical({...entry, [member]: value}));
          await bothName(place, lines);
          await bothRefuse(lines, {earlier: false});
        }
      });
    }
  }

  test('with any member of any word of the log changed is refused, and the entry named [AUD-1] [AUD-2]', {timeout: 300000}, async () => {
    const places = new Map(entries.map((text, place) => [wordOf(JSON.parse(text)), place]));
    assert.deepEqual(spoken.filter((what) => !places.has(`relay ${what}`)), []);
    for (const place of places.values()) {
      const entry = JSON.parse(entries[place]);
      for (const [member, to] of Object.entries(changes)) {
        const value = to(entry[member]).find((other) => canonical(other) !== canonical(entry[member]));
        await bothName(place, at(place, canonical({...entry, [member]: value})));
      }
    }
    console.log(`${places.size} words, each with its ${Object.keys(changes).length} members`);
  });

  test('with an entry spelled otherwise, or with a member more or less, is refused [AUD-1]', async () => {
    const place = placeOf('event');
    const entry = JSON.parse(entries[place]);
    const {reason, ...less} = entry;
    assert.ok(reason !== undefined);
    for (const text of [JSON.stringify(entry, null, 1).replaceAll('\n', ''), canonical({...entry, more: null}), canonical(less), `${entries[place]} `, entries[place].replace('"format":1', '"format":1,"format":1'), 'null', '']) {
      await bothName(place, at(place, text), 'altered');
      await bothName(place, at(place, text), 'altered', {earlier: false});
    }
  });

  test('without an entry is refused, whether the rest is numbered anew or not [AUD-1]', async () => {
    for (const kind of kinds) {
      const place = placeOf(kind);
      await bothName(place, at(place), 'dropped');
      await bothName(place, renumbered(at(place)), 'dropped');
      await bothName(place, at(place), undefined, {earlier: false});
      await bothRefuse(renumbered(at(place)), {earlier: false});
    }
    const last = entries.length - 1;
    await bothName(last, entries.slice(0, last), 'dropped');
    await bothRefuse(entries.slice(0, last), {earlier: false});
    await bothName(0, [], 'dropped');
  });

  test('with entries in another sequence is refused [AUD-1]', async () => {
    for (const kind of kinds) {
      const place = placeOf(kind);
      const swapped = [...entries.slice(0, place), entries[place + 1], entries[place], ...entries.slice(place + 2)];
      await bothName(place, swapped, 'moved');
      await bothName(place, renumbered(swapped), 'moved');
      await bothRefuse(renumbered(swapped), {earlier: false});
    }
    const far = [...entries.slice(0, 3), ...entries.slice(4, -1), entries[3], entries.at(-1)];
    await bothName(3, renumbered(far));
  });

  test('with an entry put in is refused, at the end too [AUD-1]', async () => {
    const made = (place) => canonical({...JSON.parse(entries[place]), hash: random(32), kind: 'order', what: 'completed'});
    for (const kind of kinds) {
      const place = placeOf(kind);
      const lines = [...entries.slice(0, place), made(place), ...entries.slice(place)];
      await bothName(place, renumbered(lines), 'inserted');
      await bothRefuse(renumbered(lines), {earlier: false});
    }
    const longer = renumbered([...entries, made(entries.length - 1)]);
    await bothName(entries.length, longer, 'inserted');
    await bothName(entries.length, longer, 'inserted', {earlier: false});
  });

  test('that is back-dated is refused by its own times [AUD-1]', async () => {
    for (const kind of kinds) {
      const place = placeOf(kind);
      const older = at(place, canonical({...JSON.parse(entries[place]), time: '2020-01-01T00:00:00Z'}));
      await bothName(place, older, 'back-dated');
      await bothName(place, older, 'back-dated', {earlier: false});
    }
  });

  test('that whoever holds the log\'s key has written and signed anew is known by its past [AUD-1]', async () => {
    const seed = readFileSync(town.path('relay/nord.ledger-key'));
    const signed = (lines) => checkpointNote('localhost/nord', lines.map(leafHash), seed);
    for (const kind of kinds) {
      const place = placeOf(kind);
      const altered = at(place, canonical({...JSON.parse(entries[place]), who: [{issuer: 'https://x.example', person: 'x'}]}));
      await bothName(place, altered, 'altered', {checkpoint: signed(altered)});
      const shorter = renumbered(at(place));
      await bothName(place, shorter, 'dropped', {checkpoint: signed(shorter)});
    }
    const foreign = signed(entries).replace('localhost/nord', 'localhost/syd');
    await bothRefuse(entries, {checkpoint: foreign});
    await bothRefuse(entries, {checkpoint: checkpointNote('localhost/nord', entries.map(leafHash), Buffer.alloc(32, 7))});
  });

  test('that is cut off anywhere is refused [AUD-2]', async () => {
    const whole = readFileSync(town.path('whole.ledger'), 'utf8');
    for (const length of [0, 1, 100, whole.indexOf('\n'), whole.indexOf('\n') + 1, whole.length - 200, whole.length - 1]) {
      writeFileSync(town.path('cut.ledger'), whole.slice(0, length));
      const rest = ['--root-list', town.path('root-list.json'), '--provider', town.provider, town.path('cut.ledger')];
      const ours = await said(join(town.bin, 'tillsyn-admin'), ['ledger', 'verify', '--fleet-root', town.path('fleet-root.json'), ...rest]);
      const theirs = await said('python3', [join(root, 'tests/tools/verify_ledger.py'), ...rest]);
      assert.deepEqual([ours.status, theirs.status], [1, 1], `cut after ${length}`);
    }
  });

  test('a log that has grown since continues its past [AUD-2] [AUD-8]', async () => {
    await town.staff['anna.berg'].tryOpenSession({salt: random(32)});
    await until('growth', async () => {
      rmSync(town.path('grown.ledger'), {force: true});
      await exportLog('grown.ledger');
      return readFileSync(town.path('grown.ledger'), 'utf8').split('\n').length > entries.length + 2;
    });
    const lines = readFileSync(town.path('grown.ledger'), 'utf8').trimEnd().split('\n');
    const checkpoint = JSON.parse(lines.pop()).checkpoint;
    for (const {status, text} of await verdicts(lines, {checkpoint})) assert.equal(status, 0, text);
  });
});
