// What is kept of people, and what the log says of those who run the service: accounts and rights, administrators' and technicians'
// acts, residents and staff with protected identity, and of staff no more than who they are. Real relay, identity provider and hub.
import assert from 'node:assert/strict';
import {readFileSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {hashOf, now, random} from './lib/crypto.mjs';
import {Contract} from './lib/openapi.mjs';
import {makeOrder, Person, postOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {enrolHub, grant, localTime, logIn, makeAdministrator, moveIn, receipt, right, schedule, staffTown} from './lib/provision.mjs';
import {ScriptedViewer} from './lib/scripted_viewer.mjs';
import {root, Town} from './lib/town.mjs';
import {WebhookReceiver} from './lib/webhook_receiver.mjs';

const dir = join(tmpdir(), `tillsyn-people-${process.pid}`);
const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
let town, hub, staff, receiver;

before(async () => {
  town = await new Town(dir).start();
  await staffTown(town);
  ({staff} = town);
  hub = await town.addHub('one', {source: 'room'});
  await enrolHub(town, hub);
  await town.makeBundle();
  await moveIn(town, hub, {name: 'Astrid Testsson', address: 'Provgatan 1'});
  await schedule(town, hub, [{id: 'w1', days: every, start: localTime(-2).time, minutes: 240}]);
  await town.makeBundle();
  await makeAdministrator(town);
}, {timeout: 180000});
after(async () => {
  receiver?.close();
  await town?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

const is = (answer, status, code) => assert.deepEqual([answer.status, code === undefined ? undefined : answer.json().code], [status, code], answer.text);
const entries = async () => (await staff.granskare.get('/v1/ledger/entries?limit=1000')).json().items.map((text) => JSON.parse(text));
const names = ({who}) => who.map(({person}) => person);
// What people have had entered meanwhile, but for reading the log: hubs and alarms go on by themselves.
async function entered(act) {
  const from = (await entries()).length;
  await act();
  return (await entries()).slice(from).filter(({kind, what}) => /^(order|relay)$/.test(kind) && !/^(log_read|webhook_dead|(alarm|hub|area|view)_.*)$/.test(what));
}
const told = (found) => found.map((entry) => [entry.kind, entry.what, names(entry), entry.reason]);

describe('accounts and rights', () => {
  const body = (person, more = {}) => ({type: 'grant', version: 1, replaces: null, issuer: town.issuer.issuer, person, rights: [right('operator')], reason: 'anställd', ...more});
  const ordered = (grantBody) => makeOrder(town, [[staff.chef, 'manager'], [staff.rattighet, 'rights_admin']], grantBody);
  const draft = async ({order}) => (await staff.chef.post('/v1/drafts', {payload: order.payload, signatures: [order.signatures[0], null]})).json().id;

  test('each right that is ordered and each decision on it is in the log: declined, given, changed, removed, refused [LOG-12] [IAM-5]', async () => {
    const [who, by] = [['chef', 'rattighet'], staff.rattighet];
    const declined = ordered(body('p-7f3k9q', {reason: 'vikariat'}));
    let id;
    const first = await entered(async () => { id = await draft(declined); });
    assert.deepEqual(told(first), [['relay', 'draft_made', ['chef'], 'grant']]);
    assert.equal(first[0].hash, declined.hash);
    assert.notEqual(first[0].details, null, 'what was ordered is kept, and committed to');
    assert.deepEqual(told(await entered(() => by.call('DELETE', `/v1/drafts/${id}`))), [['relay', 'draft_dropped', ['rattighet'], 'grant']]);
    const given = ordered(body('p-7f3k9q'));
    id = await draft(given);
    assert.deepEqual(told(await entered(async () => is(await by.post(`/v1/drafts/${id}/signatures`, given.order.signatures[1]), 201))), [['order', 'grant', who, null]]);
    const changed = ordered(body('p-7f3k9q', {version: 2, replaces: given.hash, rights: [right('operator'), right('planner')]}));
    assert.deepEqual(told(await entered(async () => is(await staff.chef.post('/v1/orders', {order: changed.order, note: null}), 201))), [['order', 'grant', who, null]]);
    const alone = makeOrder(town, [[staff.chef, 'manager'], [staff.chef, 'rights_admin']], body('vikarie'));
    const refusal = await entered(async () => assert.ok((await staff.chef.post('/v1/orders', {order: alone.order, note: null})).status >= 400));
    assert.deepEqual(refusal.map((entry) => [entry.what, names(entry)]), [['order_refused', ['chef']]]);
    const removed = makeOrder(town, [[by, 'rights_admin']], {type: 'revoke', version: 3, replaces: changed.hash, issuer: town.issuer.issuer, person: 'p-7f3k9q', from: now(), reason: 'slutat'});
    assert.deepEqual(told(await entered(async () => is(await by.post('/v1/orders', {order: removed.order, note: null}), 201))), [['order', 'revoke', ['rattighet'], null]]);
    const {items} = (await staff.chef.get('/v1/orders?limit=1000')).json();
    for (const {hash} of [given, changed, removed]) {
      const {person, reason} = JSON.parse(items.find(({order}) => hashOf('order', order.payload) === hash).order.payload);
      assert.ok(person === 'p-7f3k9q' && reason, 'whose, and why, by the entry\'s hash');
    }
    await grant(town, 'p-7f3k9q', [right('operator')], 4, removed.hash);
  });

  test('when each account was last used, and that one without rights tried [LOG-12] [LOG-15]', async () => {
    const last = async (person) => (await entries()).findLast((entry) => entry.what === 'login' && names(entry)[0] === person);
    const before = await last('anna.berg');
    const found = await entered(async () => { await new Person(town, 'anna.berg').logIn(); });
    assert.deepEqual(told(found), [['relay', 'login', ['anna.berg'], null]]);
    const after = await last('anna.berg');
    assert.ok(after.seq > before.seq && Math.abs(Date.parse(after.time) - Date.now()) < 60000);
    const stranger = await new Person(town, 'talare').logIn({openSession: false});
    const refused = await entered(async () => assert.equal((await stranger.tryOpenSession()).status, 403));
    assert.deepEqual(refused.map(({what}) => what), ['login_refused']);
  });

  test('who may give rights at all is the root list\'s to say: each that is taken is in the log [LOG-12] [LOG-13]', async () => {
    await town.makeRootList(2);
    const found = await entered(() => town.publish('root-list'));
    assert.deepEqual(told(found), [['relay', 'root_list_taken', [], '2']]);
    assert.deepEqual(await entered(() => town.publish('root-list')), []);
    await town.makeBundle();
  });
});

describe('those who run the service', () => {
  const words = {
    administrators: ['grant', 'revoke', 'maintenance_planned', 'maintenance_cancelled', 'integration_added', 'integration_ended', 'webhook_resent', 'setting_changed', 'root_list_taken'],
    technicians: ['device', 'assignment', 'acceptance', 'release', 'test-view', 'code_made'],
  };

  test('each act of an administrator is in the same log as all else, with who, under a word of its own [LOG-13] [AUD-1]', async () => {
    const admin = staff.granskare;
    receiver = await new WebhookReceiver(town.ca.issue('receiver')).listen();
    receiver.status = 410;
    const made = {};
    const acts = {
      'PUT /v1/settings': ['setting_changed', () => admin.put('/v1/settings', {protected_residents: 'taken'})],
      'POST /v1/maintenance': ['maintenance_planned', () => announce(made)],
      'DELETE /v1/maintenance/{id}': ['maintenance_cancelled', () => admin.call('DELETE', `/v1/maintenance/${made.maintenance}`)],
      'POST /v1/integrations': ['integration_added', () => connect(made)],
      'POST /v1/dead-letters/{id}/retry': ['webhook_resent', async () => admin.post(`/v1/dead-letters/${await deadLetter()}/retry`, {})],
      'DELETE /v1/integrations/{id}': ['integration_ended', () => admin.call('DELETE', `/v1/integrations/${made.integration}`)],
    };
    const contract = new Contract();
    const theirs = contract.operations().filter(({method, operation}) => method !== 'GET' && (operation.tags.includes('webhooks') || /system_admin/.test(operation.summary)));
    assert.deepEqual(Object.keys(acts).sort(), theirs.map(({method, path}) => `${method} ${path}`).sort(), 'no act of theirs is left out');
    for (const [name, [what, act]] of Object.entries(acts)) {
      const found = (await entered(async () => { const {status, text} = await act(); assert.ok(status < 300, `${name}: ${text}`); })).filter((entry) => names(entry).includes('granskare'));
      assert.deepEqual(found.map((entry) => [entry.kind, entry.what, names(entry)]), [['relay', what, ['granskare']]], name);
      assert.ok(words.administrators.includes(what));
    }
    is(await admin.put('/v1/settings', {protected_residents: 'refused'}), 204);
  });

  async function announce(made) {
    const answer = await staff.granskare.post('/v1/maintenance', {from: now(900 * 3600), to: now(900 * 3600 + 60), reason: 'byte av disk'});
    made.maintenance = answer.json().id;
    return answer;
  }
  async function connect(made) {
    const answer = await staff.granskare.post('/v1/integrations', {url: receiver.url, ca: town.ca.pem});
    made.integration = answer.json().id;
    receiver.secret = answer.json().secret;
    return answer;
  }
  async function deadLetter() {
    const {resident, group} = hub.resident;
    await postOrder(town, [[staff['anna.berg'], 'operator']], {type: 'unable', resident, group, window: {id: 'w1', date: localTime(-2).date}, reason: 'mörkt'});
    return until('a dead letter', async () => (await staff.granskare.get('/v1/dead-letters')).json().items[0]?.id, 20000, 200);
  }

  test('so is each act of a technician and of who installs; and none of care\'s bears such a word [LOG-13] [INS-4]', async () => {
    const found = await entered(async () => is(await staff.tekniker.post(`/v1/hubs/${random(32)}/code`, {}), 201));
    assert.deepEqual(told(found), [['relay', 'code_made', ['tekniker'], null]]);
    const all = await entries();
    for (const [what, person] of [['device', 'tekniker'], ['assignment', 'larmteam'], ['acceptance', 'larmteam']]) {
      assert.ok(all.some((entry) => entry.kind === 'order' && entry.what === what && names(entry)[0] === person && entry.hub === hub.id), what);
    }
    const own = {administrators: ['granskare', 'chef', 'rattighet'], technicians: ['tekniker', 'larmteam']};
    for (const [whose, list] of Object.entries(words)) {
      const others = all.filter((entry) => list.includes(entry.what) && !names(entry).every((name) => own[whose].includes(name)));
      assert.deepEqual(told(others), [], `only ${whose} do these`);
    }
    const page = readFileSync(join(root, 'common/PROTOCOL.md'), 'utf8');
    for (const word of Object.values(words).flat()) assert.ok(page.includes(word) || page.includes(word.replace(/_\w+$/, '_*')), `${word} is told in PROTOCOL.md`);
  });
});

describe('protected identity', () => {
  const entry = (name, more = {}) => ({group: hub.resident.group, name, address: 'Hemliga gatan 7', salt: random(32), ...more});
  const put = (person, id, body) => person.put(`/v1/residents/${id}`, body);
  const shownTo = async (person) => (await person.get('/v1/residents?limit=1000')).json().items;

  test('a resident with it is not entered while the municipality\'s setting says so, and nothing of who it was is kept [TEN-3]', async () => {
    assert.deepEqual((await staff['anna.berg'].get('/v1/settings')).json(), {protected_residents: 'refused'});
    const id = random(16);
    const found = await entered(async () => is(await put(staff.bistand, id, entry('Sekreta Testsson', {protected: true})), 403, 'protected_identity'));
    assert.deepEqual(told(found), [['relay', 'resident_refused', ['bistand'], 'protected_identity']]);
    assert.equal(found[0].resident, null);
    assert.ok(!(await shownTo(staff.bistand)).some(({resident}) => resident === id));
    for (const name of readdirSync(town.path('relay'))) {
      const bytes = readFileSync(town.path('relay', name));
      assert.ok(!bytes.includes(id) && !bytes.includes('Sekreta'), name);
    }
  });

  test('only the system administrator changes the setting; then such a resident is entered as others are [TEN-3]', async () => {
    for (const person of [staff.bistand, staff.chef, staff['anna.berg']]) is(await person.put('/v1/settings', {protected_residents: 'taken'}), 403, 'wrong_role');
    for (const bad of [{protected_residents: 'perhaps'}, {}, {protected_residents: 'taken', more: 1}]) is(await staff.granskare.put('/v1/settings', bad), 400, 'malformed');
    const found = await entered(async () => is(await staff.granskare.put('/v1/settings', {protected_residents: 'taken'}), 204));
    assert.deepEqual(told(found), [['relay', 'setting_changed', ['granskare'], 'protected_residents=taken']]);
    const id = random(16);
    is(await put(staff.bistand, id, entry('Sekreta Testsson', {protected: true})), 204);
    assert.ok((await shownTo(staff['anna.berg'])).some(({resident}) => resident === id));
    is(await staff.granskare.put('/v1/settings', {protected_residents: 'refused'}), 204);
    is(await put(staff.bistand, random(16), entry('Sekreta Testsson', {protected: true})), 403, 'protected_identity');
  });

  test('one who becomes protected is paused and hidden at once, a running view included [TEN-3] [ENF-5] [SES-9]', async () => {
    const {resident, home, group} = hub.resident;
    const {bistand, 'anna.berg': anna} = staff;
    const url = `/v1/residents/${resident}/protection`;
    const pauseOf = (whose) => makeOrder(town, [[bistand, 'care_manager']], {type: 'pause', version: 1, replaces: null, resident: whose, home, group, until: now(48 * 3600), reason: 'skyddade personuppgifter'});
    const viewer = await new ScriptedViewer(town, anna).connect();
    await until('a view that is open', async () => (await viewer.view(hub)).answer?.decision === 'open', 60000, 500);
    await until('pictures', () => viewer.frames.length > 5, 20000, 20);
    assert.equal(hub.cameraDescriptors().length, 1);

    is(await staff.planerare.put(url, {pause: pauseOf(resident).order}), 403, 'wrong_role');
    is(await bistand.put(url, {pause: null}), 409, 'pause_missing');
    is(await bistand.put(url, {pause: pauseOf(random(16)).order}), 400, 'malformed');
    is(await bistand.put(`/v1/residents/${random(16)}/protection`, {pause: null}), 404, 'no_resident');
    assert.ok((await shownTo(anna)).some((one) => one.resident === resident), 'nothing of that has hidden anything');
    const forged = pauseOf(resident).order;
    forged.signatures[0].sig = Buffer.alloc(64, 1).toString('base64url');
    is(await bistand.put(url, {pause: forged}), 403, 'bad_signature');
    assert.equal(hub.cameraDescriptors().length, 1, 'nor closed');

    const pause = pauseOf(resident);
    const closed = until('camera closed', () => (hub.cameraDescriptors().length === 0 ? Date.now() : null), 30000, 10);
    const found = await entered(async () => is(await bistand.put(url, {pause: pause.order}), 204));
    const hidden = Date.now();
    assert.ok(await closed - hidden < 1000, 'closed in the home within a second');
    assert.deepEqual(told(found.filter((one) => ['pause', 'resident_protected'].includes(one.what))), [['order', 'pause', ['bistand'], null], ['relay', 'resident_protected', ['bistand'], null]]);
    is(await bistand.put(url, {pause: pause.order}), 204);
    for (const person of [anna, staff['bo.ek'], staff.planerare, staff.chef, staff.larmteam]) {
      const answer = await person.get('/v1/residents?limit=1000');
      assert.ok(!answer.text.includes(resident) && !answer.text.includes('Astrid') && !answer.text.includes('Provgatan 1'), person.name);
    }
    const held = (await shownTo(bistand)).find((one) => one.resident === resident);
    assert.deepEqual([held.name, held.protected], ['Astrid Testsson', true]);
    await receipt(town, hub, pause.hash);
    const {problem} = await viewer.view(hub);
    assert.equal(problem, 'protected_identity', 'refused before the home is asked');
    viewer.close();

    const resumed = makeOrder(town, [[bistand, 'care_manager']], {type: 'resume', version: 2, replaces: pause.hash, resident, home, group});
    is(await bistand.post('/v1/orders', {order: resumed.order, note: null}), 201);
    await receipt(town, hub, resumed.hash);
    const again = await new ScriptedViewer(town, anna).connect();
    assert.equal((await again.view(hub)).problem, 'protected_identity', 'whatever the pause');
    is(await staff.planerare.call('DELETE', url), 403, 'wrong_role');
    assert.deepEqual(told(await entered(async () => is(await bistand.call('DELETE', url), 204))), [['relay', 'resident_unprotected', ['bistand'], null]]);
    is(await bistand.call('DELETE', url), 404, 'not_protected');
    assert.ok((await shownTo(anna)).some((one) => one.resident === resident));
    await until('a view that is open', async () => (await again.view(hub)).answer?.decision === 'open', 60000, 500);
    again.end();
    again.close();
  });

  test('staff who have it work under a user name that says nothing: they look, and mark, and are named by it alone [TEN-3] [PRI-10]', async () => {
    const person = await logIn(town, 'p-7f3k9q');
    const viewer = await new ScriptedViewer(town, person).connect();
    await until('a view that is open', async () => (await viewer.view(hub)).answer?.decision === 'open', 60000, 500);
    await until('pictures', () => viewer.frames.length > 5, 20000, 20);
    viewer.end();
    viewer.close();
    const {resident, group} = hub.resident;
    const {hash} = await postOrder(town, [[person, 'operator']], {type: 'unable', resident, group, window: {id: 'w1', date: localTime(-2).date}, reason: 'mörkt'});
    const found = (await entries()).filter((one) => one.hash === hash && one.kind === 'order');
    assert.deepEqual(found.map(({who}) => who), [[{issuer: town.issuer.issuer, person: 'p-7f3k9q'}]]);
  });
});

describe('about staff', () => {
  test('a login that tells more than who somebody is, is refused, and nothing of it is kept [PRI-10]', async () => {
    await grant(town, 'talare', [right('operator')]);
    const person = await new Person(town, 'talare').logIn({openSession: false});
    const claims = JSON.parse(Buffer.from(person.idToken.split('.')[1], 'base64url'));
    assert.equal(claims.email, 'tage.talare@nord.example', 'the identity provider does tell');
    const found = await entered(async () => {
      const answer = await person.tryOpenSession();
      is(answer, 403, 'too_many_claims');
      assert.ok(!answer.text.includes('tage.talare'));
    });
    assert.deepEqual(found.map(({what, reason}) => [what, reason]), [['login_refused', 'too_many_claims']]);
    for (const name of readdirSync(town.path('relay'))) {
      const bytes = readFileSync(town.path('relay', name));
      for (const text of ['tage.talare', 'Tage Talare', '1971-03-04', person.idToken]) assert.ok(!bytes.includes(text), `${name}: ${text}`);
    }
  });

  test('is kept who they are at their own organisation, and in which groups they work as what: nothing else [PRI-10] [TEN-3]', async () => {
    const {items} = (await staff.chef.get('/v1/orders?limit=1000')).json();
    const protocol = ['iss', 'sub', 'aud', 'azp', 'exp', 'iat', 'nbf', 'jti', 'auth_time', 'nonce', 'acr', 'amr', 'at_hash', 'c_hash', 's_hash', 'sid'];
    let tokens = 0;
    for (const {order} of items) {
      for (const {proof} of order.signatures) {
        const claims = JSON.parse(Buffer.from(proof.id_token.split('.')[1], 'base64url'));
        assert.deepEqual(Object.keys(claims).filter((claim) => !protocol.includes(claim)), []);
        tokens += 1;
      }
      const {type, signers, rights} = JSON.parse(order.payload);
      for (const signer of signers) assert.deepEqual(Object.keys(signer).sort(), ['issuer', 'person', 'role']);
      if (type === 'grant') for (const one of rights) assert.deepEqual(Object.keys(one).sort(), ['from', 'groups', 'role', 'to']);
    }
    assert.ok(tokens > 10);
    for (const entry of await entries()) for (const who of entry.who) assert.deepEqual(Object.keys(who).sort(), ['issuer', 'person']);
  });
});
