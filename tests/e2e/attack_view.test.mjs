// An active enemy who owns the relay and its keys, against the view: what is asked, what is answered, who looks.
import assert from 'node:assert/strict';
import {createECDH, createPublicKey, verify} from 'node:crypto';
import {after, afterEach, before, describe, test} from 'node:test';
import {AttackTown} from './lib/attack_town.mjs';
import {logIn, mark, newPage} from './lib/chromium.mjs';
import {b64, now, random, sha256, signedBytes, StaffKey, unb64} from './lib/crypto.mjs';
import {notePaint, painted} from './lib/paint_notes.mjs';
import {makeOrder} from './lib/person.mjs';
import {until} from './lib/processes.mjs';
import {row, untilPainted, untilRefused, viewState} from './lib/view_page.mjs';

let town, front, page, one, two;
const enemy = new StaffKey();
const point = () => { const key = createECDH('prime256v1'); key.generateKeys(); return b64(key.getPublicKey()); };
const change = (payload, members) => JSON.stringify({...JSON.parse(payload), ...members});

before(async () => {
  town = await AttackTown.start('attack-view', {hubs: ['one', 'two']});
  ({front, one, two} = town);
  page = await town.openPage();
}, {timeout: 180000});
after(() => town?.stop());
afterEach(() => town.honest());

// What the page says of a look whose answer, which was "open", is bent on its way; nothing may have been painted.
async function spoilt(bend) {
  let wasOpen = false;
  front.bend.down = (message) => {
    if (message.type !== 'answer') return undefined;
    wasOpen = JSON.parse(message.answer.payload).decision === 'open';
    return {...message, answer: bend(message.answer)};
  };
  await town.look(page, one);
  const state = await untilRefused(page);
  assert.ok(wasOpen, 'the hub had opened');
  assert.equal(state.painted, 0);
  return state;
}

describe('the key and the answer of a view', () => {
  test('honest: the page shows the picture [VID-2]', async () => {
    assert.equal((await town.seesPicture(page)).state, 'live');
  });

  test("the viewer's key is exchanged on the way to the hub: the hub refuses, and so does the page [VID-2] [ENF-1]", async () => {
    let swapped;
    Object.assign(front.bend, {hubAnswer: (path, json) => {
      if (path !== '/hub/v1/poll' || json.views.length === 0) return undefined;
      const [offer] = json.views;
      swapped = {...offer, order: {...offer.order, payload: change(offer.order.payload, {viewer_key: point()})}};
      return {...json, views: [swapped]};
    }});
    await town.look(page);
    const answer = await town.said(one, 'answers', 'to the swapped order', ({decision, reason}) => decision === 'closed' && reason === 'bad_signature');
    await town.entry('the refusal', (e) => e.what === 'view_refused' && e.reason === 'bad_signature' && e.hub === one.id);
    assert.equal(one.cameraDescriptors().length, 0);
    front.say({type: 'answer', answer: answer.envelope});
    const state = await untilRefused(page);
    assert.equal(state.reason, 'answer_not_ours');
    assert.equal(state.painted, 0);
  });

  test('an answer sealed to the relay itself breaks its signature [VID-2] [SES-5]', async () => {
    const state = await spoilt(({payload, sig}) => ({payload: change(payload, {enc: point(), sealed: random(48)}), sig}));
    assert.equal(state.reason, 'answer_not_from_hub');
  });

  test("an answer signed by the relay's own key is not the home's [VID-2] [SES-5]", async () => {
    const state = await spoilt(({payload}) => {
      const own = change(payload, {enc: point(), sealed: random(48)});
      return {payload: own, sig: enemy.sign('answer', own)};
    });
    assert.equal(state.reason, 'answer_not_from_hub');
  });

  test('an answer signed by the hub as another kind of document is none [VID-2]', async () => {
    const receipt = front.documents(one, 'receipts')[0].envelope;
    assert.equal((await spoilt(() => receipt)).reason, 'answer_not_from_hub');
  });

  test("another home's answer is refused, though its hub signed it [SES-5]", async () => {
    await town.seesPicture(page, two, 1);
    await town.closeView(page);
    const foreign = front.documents(two, 'answers')[0].envelope;
    assert.equal((await spoilt(() => foreign)).reason, 'answer_not_from_hub');
  });

  test("another viewer's answer from the same hub is refused [VID-2]", async () => {
    const other = await town.openPage({user: 'bo.ek'});
    await town.look(other, one);
    await untilPainted(other, 1);
    await other.context().close();
    const theirs = front.documents(one, 'answers')[0].envelope;
    assert.equal((await spoilt(() => theirs)).reason, 'answer_not_ours');
  });

  test('"open" is not made of "closed", nor "closed" of nothing: only the hub can say either [ENF-1] [SES-7]', async () => {
    const closed = await spoilt(({payload, sig}) => ({payload: change(payload, {decision: 'closed', reason: 'paused', until_ms: null, stream: null, enc: null, sealed: null}), sig}));
    assert.equal(closed.reason, 'answer_not_from_hub');
    assert.equal((await town.seesPicture(page)).state, 'live');
  });
});

describe('challenges and replay', () => {
  // The page is told `challenge` as the hub's for as long as `lying` says so.
  const lie = (challenge, lying) => ({down: (message) => {
    if (message.type !== 'hubs' || !lying()) return undefined;
    return {...message, hubs: message.hubs.map((hub) => (hub.hub === one.id ? {...hub, status: {...hub.status, challenge}} : hub))};
  }});
  const views = async (action) => {
    const sent = [];
    const {up} = front.bend;
    front.bend.up = (message) => { if (message.type === 'view') sent.push(message); return up?.(message); };
    await action();
    return sent;
  };
  // Makes the hub poll anew, and the relay tell its page of the new challenge.
  async function nextStatus() {
    const from = front.heard.length;
    await front.tellHub(one, {});
    await until('a new status', () => front.heard.slice(from).some(({hub, json}) => hub === one && json?.status));
    await new Promise((done) => setTimeout(done, 300));
  }

  test("a challenge that the hub did not give is unknown_challenge, and the page tries once more and no oftener [ENF-1]", async () => {
    await town.closeView(page);
    Object.assign(front.bend, lie(random(32), () => true));
    await nextStatus();
    const sent = await views(async () => {
      await town.look(page);
      await until('two views', () => front.documents(one, 'answers').filter(({reason}) => reason === 'unknown_challenge').length >= 2);
      await until('refused for good', async () => (await viewState(page)).state === 'refused');
      await new Promise((done) => setTimeout(done, 1500));
    });
    assert.equal(sent.length, 2);
    const state = await viewState(page);
    assert.equal(state.reason, 'unknown_challenge');
    assert.equal(state.painted, 0);
  });

  test('told the truth in between, the retry succeeds by itself [SES-1]', async () => {
    await town.closeView(page);
    let lying = true;
    Object.assign(front.bend, lie(random(32), () => lying));
    await nextStatus();
    front.bend.up = (message) => { if (message.type === 'view') lying = false; };  // the next status comes with the refusal
    const sent = await views(async () => {
      await town.look(page);
      await untilPainted(page, 1);
    });
    assert.equal(sent.length, 2);
    await town.closeView(page);
  });

  test('a view order that is offered to the hub again is replayed, and opens nothing [ENF-1] [VID-2]', async () => {
    let offer;
    front.bend.hubAnswer = (path, json) => { if (path === '/hub/v1/poll' && json.views.length > 0) [offer] = json.views; };
    await town.look(page);
    await untilPainted(page, 1);
    await town.closeView(page);
    await until('camera closed', () => one.cameraDescriptors().length === 0);
    const before = front.documents(one, 'answers').length;
    await front.tellHub(one, {views: [offer]});
    await until('an answer', () => front.documents(one, 'answers').length > before);
    assert.equal(front.documents(one, 'answers')[0].reason, 'replayed');
    assert.equal(one.cameraDescriptors().length, 0);
    await town.entry('the replay', (e) => e.what === 'view_refused' && e.reason === 'replayed' && e.hub === one.id);
  });

  test("a view order for one home, offered to another's hub, is refused there [ENF-1] [SES-5]", async () => {
    let offer;
    front.bend.hubAnswer = (path, json, _, hub) => { if (hub === one && path === '/hub/v1/poll' && json.views.length > 0) { [offer] = json.views; return {...json, views: []}; } };
    await town.look(page);
    await until('the offer', () => offer);
    await front.tellHub(two, {views: [offer]});
    await until('an answer', () => front.documents(two, 'answers').some(({order, reason}) => reason === 'wrong_hub' && order));
    assert.equal(two.cameraDescriptors().length, 0);
    await town.closeView(page);
  });
});

describe("what a relay can get out of a member of staff's browser", () => {
  test('a session signature is of its own kind: it signs no order, whatever the challenge was [IAM-1] [ENF-1]', async () => {
    const anna = town.town.staff['anna.berg'];
    const {order} = makeOrder(town.town, [[anna, 'operator']],
      {type: 'unable', resident: one.resident.resident, group: one.resident.group, window: {id: 'w1', date: now().slice(0, 10)}, reason: 'påhittad'});
    const wanted = sha256(signedBytes('order', order.payload));
    let given;
    Object.assign(front.bend, {
      staffAnswer: (method, path, json) => (path === '/v1/session/challenge' ? {...json, challenge: b64(wanted)} : undefined),
      staffRequest: (method, path, json) => { if (method === 'POST' && path === '/v1/session') given = json; },
    });
    const other = await newPage(town.browser);
    await other.goto(`${town.town.appOrigin}/`);
    await mark(other, 'login-start').first().click();
    await other.locator('input[name=user]').fill('anna.berg');
    await other.getByRole('button', {name: 'Logga in'}).click();
    await until('the signed challenge', () => given);
    const key = createPublicKey({key: given.key, format: 'jwk'});
    const isSigned = (bytes) => verify('sha256', bytes, {key, dsaEncoding: 'ieee-p1363'}, unb64(given.sig));
    const body = Buffer.concat([Buffer.from(`${new URL(town.town.relay).host}\0`), wanted]);
    assert.ok(isSigned(signedBytes('session', body)), 'what it signed is a session');
    for (const bytes of [wanted, body, Buffer.from(order.payload), signedBytes('order', order.payload), signedBytes('order', body)]) assert.ok(!isSigned(bytes));
    const forged = {...order, signatures: [{sig: given.sig, key: given.key, salt: given.salt, proof: {id_token: given.id_token}}]};
    town.honest();
    const answer = await anna.post('/v1/orders', {order: forged, note: null});
    assert.equal(answer.json().code, 'bad_signature');
    await front.tellHub(one, {orders: [forged]});
    const receipt = await town.said(one, 'receipts', 'refused', ({verdict, reason}) => verdict === 'refused' && reason === 'bad_signature');
    assert.equal(receipt.verdict, 'refused');
    await other.context().close();
  });

  test('a challenge that is not 32 bytes, an order for instance, is not signed at all [IAM-1]', async () => {
    const before = front.asked.filter(({method, path}) => method === 'POST' && path === '/v1/session').length;
    front.bend.staffAnswer = (method, path, json) => (path === '/v1/session/challenge' ? {...json, challenge: b64(Buffer.from(JSON.stringify({format: 1, type: 'view'})))} : undefined);
    const other = await newPage(town.browser);
    await other.goto(`${town.town.appOrigin}/`);
    await mark(other, 'login-start').first().click();
    await other.locator('input[name=user]').fill('anna.berg');
    await other.getByRole('button', {name: 'Logga in'}).click();
    await mark(other, 'login-problem').waitFor();
    assert.equal(front.asked.filter(({method, path}) => method === 'POST' && path === '/v1/session').length, before);
    await other.context().close();
  });

  test('a session is for this relay: signed for another host it is refused [IAM-1] [IAM-10]', async () => {
    const {staff} = town.town;
    const challenge = (await staff['anna.berg'].post('/v1/session/challenge', {})).json().challenge;
    const sig = staff['anna.berg'].key.sign('session', Buffer.concat([Buffer.from('other.example:443\0'), unb64(challenge)]));
    const {key, idToken} = staff['anna.berg'];
    const answer = await staff['anna.berg'].post('/v1/session', {challenge, provider: town.town.provider, key: key.jwk, salt: key.salt, id_token: idToken, sig});
    assert.ok(answer.status === 401 || answer.status === 403, String(answer.status));
    assert.ok((await staff['anna.berg'].tryOpenSession()).status === 200, 'signed for this one it is taken');
  });

  describe("a login of the enemy's own in the operator's browser", () => {
    const tokens = () => front.asked.filter(({path}) => path === '/v1/oidc/token').length;
    async function callback(other, query) {
      const before = tokens();
      await other.goto(`${town.town.appOrigin}/callback.html?${new URLSearchParams(query)}`);
      await mark(other, 'login-problem').waitFor();
      assert.equal(await other.locator('[data-testid=app]').getAttribute('data-reason'), 'login_not_begun');
      assert.equal(new URL(other.url()).search, '', 'the code does not stay in the address');
      assert.equal(tokens(), before, 'nothing left the page');
    }

    test('no login was begun here: nothing leaves the callback page [IAM-1]', async () => {
      const other = await newPage(town.browser);
      await callback(other, {code: 'enemys-code', state: random(32), iss: town.town.issuer.issuer});
      await other.context().close();
    });

    test('one was begun, but state or issuer is another: nothing leaves, and the login is void [IAM-1]', async () => {
      const other = await newPage(town.browser);
      for (const bent of ['state', 'iss']) {
        let asked;
        const note = (request) => { if (request.url().startsWith(town.town.issuer.authorization_endpoint)) asked = new URL(request.url()); };
        other.on('request', note);
        await other.goto(`${town.town.appOrigin}/`);
        await mark(other, 'login-start').first().click();
        await other.locator('input[name=user]').waitFor();
        other.off('request', note);
        const right = {code: 'enemys-code', state: asked.searchParams.get('state'), iss: town.town.issuer.issuer};
        await callback(other, {...right, [bent]: bent === 'state' ? random(32) : 'https://evil.example'});
        await callback(other, right);
      }
      await other.context().close();
    });

    test('a login that ended once does not end again: the address pressed anew leaves nothing [IAM-1]', async () => {
      const other = await newPage(town.browser);
      let came;
      other.on('request', (request) => { if (request.url().includes('/callback.html?')) came = new URL(request.url()); });
      await other.goto(`${town.town.appOrigin}/`);
      await mark(other, 'login-start').first().click();
      await other.locator('input[name=user]').fill('anna.berg');
      await other.getByRole('button', {name: 'Logga in'}).click();
      await other.locator('[data-testid=app][data-state=ready]').waitFor();
      await callback(other, Object.fromEntries(came.searchParams));
      await other.context().close();
    });
  });
});

describe('one home shown as another', () => {
  const swapIds = (json, members) => ({...json, items: json.items.map((item) => ({...item, ...members(item)}))});

  test('names of two residents exchanged: neither name is shown, and nobody can look [SES-5] [PRI-8]', async () => {
    const [a, b] = [one.resident, two.resident];
    front.bend.staffAnswer = (method, path, json) => (path === '/v1/residents' ? swapIds(json, ({resident}) => {
      const {name, address, salt} = resident === a.resident ? b : a;
      return {name, address, salt};
    }) : undefined);
    const other = await openAgain();
    for (const hub of [one, two]) {
      const there = row(other, hub.resident.resident).first();
      assert.equal(await there.getByTestId('row-warning').getAttribute('data-reason'), 'name_mismatch');
      assert.equal(await there.getByTestId('look').count(), 0);
      assert.ok(!/Testsson/.test(await there.innerText()));
    }
    town.honest();
    const honest = await openAgain();
    assert.match(await row(honest, a.resident).first().getByTestId('row-name').innerText(), /Astrid Testsson/);
    assert.equal(await row(honest, a.resident).first().getByTestId('row-warning').count(), 0);
  });

  test("two hubs' presence exchanged: the challenge is the other's, so the hub refuses [SES-5] [ENF-1]", async () => {
    front.bend.down = (message) => {
      if (message.type !== 'hubs' || message.hubs.length === 0) return undefined;
      return {...message, hubs: message.hubs.map((hub) => ({...hub, hub: hub.hub === one.id ? two.id : one.id}))};
    };
    const other = await openAgain();
    const before = front.documents(one, 'answers').length;
    await town.look(other, one);
    const state = await until('refused for good', async () => { const s = await viewState(other); return s.state === 'refused' && front.documents(one, 'answers').length >= before + 2 ? s : null; });
    assert.equal(state.reason, 'unknown_challenge');
    assert.equal(state.painted, 0);
  });

  test('orders whose hub or resident was exchanged do not count: their signatures break [SES-5] [ENF-1]', async () => {
    const [a, b] = [one.resident, two.resident];
    const exchange = (payload) => {
      const read = JSON.parse(payload);
      if (read.type !== 'assignment') return payload;
      return change(payload, {hub: read.hub === one.id ? two.id : one.id});
    };
    front.bend.staffAnswer = (method, path, json) => (path.startsWith('/v1/orders') && method === 'GET' ? swapIds(json, ({order}) => ({order: {...order, payload: exchange(order.payload)}})) : undefined);
    const other = await openAgain();
    for (const {resident} of [a, b]) {
      assert.equal(await row(other, resident).first().getAttribute('data-hub'), '');
      assert.equal(await row(other, resident).first().getByTestId('look').count(), 0);
    }
  });

  test('an assignment of the relay\'s own making, countersigned by a hub of its own, is not believed [SES-5] [INS-2]', async () => {
    const {larmteam} = town.town.staff;
    const {resident, home, group} = one.resident;
    const payload = JSON.stringify({format: 1, type: 'assignment', provider: 'nord', id: random(16), signed_at: now(), signers: [{...larmteam.identity, role: 'installer'}],
      version: 2, replaces: one.resident.assignment.hash, hub: two.id, resident, home, group, code: two.resident.code, cameras: [{id: 'cam1', identifier: two.resident.identifier}]});
    const forged = {payload, signatures: [{sig: enemy.sign('order', payload), key: enemy.jwk, salt: enemy.salt, proof: {id_token: larmteam.idToken}}]};
    front.bend.staffAnswer = (method, path, json) => {
      if (!path.startsWith('/v1/orders') || method !== 'GET' || json.items.length === 0) return undefined;
      const last = json.items.at(-1);
      return {...json, items: [...json.items, {...last, order: forged, countersign: null, receipts: []}]};
    };
    const other = await openAgain();
    assert.equal(await row(other, resident).first().getAttribute('data-hub'), one.id);
    await town.look(other, one);
    await untilPainted(other, 2);
    assert.ok((await mark(other, 'identifier').innerText()).includes(one.resident.identifier));
  });

  test('with everything in its place again there is a picture [SES-1]', async () => {
    const other = await openAgain();
    await town.seesPicture(other);
    assert.ok((await painted(other)).painted.length >= 3);
  });

  let opened;
  async function openAgain() {
    await opened?.context().close();
    opened = await newPage(town.browser);
    await notePaint(opened);
    await logIn(opened, town.town, 'anna.berg');
    return opened;
  }
});
