import { b64, concat, fromB64, sha256, u64, utf8 } from '@web/protocol/bytes';
import { orderLeaf } from '@web/protocol/entry';
import { canonicalJson, type JsonObject } from '@web/protocol/json';
import { headOf, OrderBook } from '@web/protocol/order_book';
import { nameHash, type Order, parseOrder } from '@web/protocol/order';
import { leafHash } from '@web/protocol/merkle';
import { at, grantBody, HomeMaker, kNow, kOtherIssuer, right, type Signing, Town, type TokenChange } from './town';

// One town for all: keys and people cost time.
const town = await Town.found();
const chef = await town.person('chef');
const ratt = await town.person('ratt');
const olle = await town.person('olle');
const petra = await town.person('petra');
const vera = await town.person('vera');
const inga = await town.person('inga');
const teo = await town.person('teo');
const trust = await town.trust();
const hub = await town.hub();

const judgeIn = (book: OrderBook, order: Order, more = {}) => book.judgeAndCheck(order, { ...trust, now: kNow, ...more });
const word = async (book: OrderBook, order: Order, more = {}) => {
  const { kind, reason } = await judgeIn(book, order, more);
  return kind === 'accepted' ? 'accepted' : `${kind} ${reason}`;
};

async function accept(book: OrderBook, people: Signing[], body: JsonObject): Promise<Order> {
  const order = await town.order(people, body);
  expect(await word(book, order), `${String(body.type)}`).toBe('accepted');
  book.put(order);
  return order;
}

async function staffed(): Promise<OrderBook> {
  const book = new OrderBook();
  const grant = (name: string, role: Parameters<typeof right>[0], groups = ['*']) =>
    accept(book, [[chef, 'manager'], [ratt, 'rights_admin']], grantBody(name, [right(role, groups)]));
  await grant('olle', 'operator', ['natt']);
  await grant('petra', 'planner');
  await grant('vera', 'care_manager');
  await grant('inga', 'installer');
  await grant('teo', 'technician');
  return book;
}

async function furnished() {
  const book = await staffed();
  const home = new HomeMaker(hub);
  await accept(book, [[teo, 'technician']], home.device());
  const assignment = await accept(book, [[inga, 'installer']], home.assignment());
  book.countersigned(assignment.hash);
  const acceptance = await accept(book, [[inga, 'installer']], home.acceptance(assignment.hash));
  const consent = await accept(book, [[vera, 'care_manager'], [petra, 'planner']], await home.consent());
  const schedule = await accept(book, [[petra, 'planner'], [vera, 'care_manager']], home.schedule());
  return { book, home, assignment, acceptance, consent, schedule };
}

describe('who has signed [IAM-2]', () => {
  it('a grant needs manager and rights administrator, two persons', async () => {
    const book = new OrderBook();
    const body = grantBody('olle', [right('operator')]);
    expect(await word(book, await town.order([[chef, 'manager'], [ratt, 'rights_admin']], body))).toBe('accepted');
    expect(await word(book, await town.order([[chef, 'manager']], body))).toBe('refused not_two_people');
    expect(await word(book, await town.order([[ratt, 'rights_admin'], [chef, 'manager']], body))).toBe('refused wrong_role');
    expect(await word(book, await town.order([[chef, 'manager'], [chef, 'rights_admin']], body))).toBe('refused not_two_people');
    const twin = await town.person('chef', {}, kOtherIssuer);
    expect(await word(book, await town.order([[chef, 'manager'], [twin, 'rights_admin']], body))).toBe('refused not_two_people');
    expect(await word(book, await town.order([[olle, 'manager'], [ratt, 'rights_admin']], body))).toBe('waiting no_grant');
  });
  it('nobody grants more than the own rights cover', async () => {
    const book = new OrderBook();
    await accept(book, [[chef, 'manager'], [ratt, 'rights_admin']], grantBody('petra', [right('manager', ['natt'])]));
    const grant = (groups: string[]) => town.order([[petra, 'manager'], [ratt, 'rights_admin']], grantBody('olle', [right('operator', groups)]));
    expect(await word(book, await grant(['natt']))).toBe('accepted');
    expect(await word(book, await grant(['dag']))).toBe('refused group_not_in_scope');
    expect(await word(book, await grant(['*']))).toBe('refused group_not_in_scope');
  });
  it('every signature is of its signer, over this text', async () => {
    const book = await staffed();
    const home = new HomeMaker(hub);
    const good = JSON.parse(await town.orderText([[teo, 'technician']], home.device())) as { payload: string; signatures: JsonObject[] };
    const judge = async (value: unknown) => word(book, await parseOrder(JSON.stringify(value)));
    expect(await judge(good)).toBe('accepted');
    expect(await judge({ ...good, payload: good.payload.replace('bench', 'bensh') })).toBe('refused bad_signature');
    expect(await judge({ ...good, signatures: [{ ...good.signatures[0], salt: b64(new Uint8Array(32)) }] })).toBe('refused nonce_mismatch');
    expect(await judge({ ...good, signatures: [await olle.signature(good.payload)] })).toBe('refused person_mismatch');
    const stolen = { ...(await olle.signature(good.payload)), proof: { id_token: teo.token } };
    expect(await judge({ ...good, signatures: [stolen] })).toBe('refused nonce_mismatch');
  });
  it('an ID token must be the provider\'s own, for this client, strong and fresh enough [IAM-5]', async () => {
    const book = await staffed();
    const home = new HomeMaker(hub);
    const cases: [TokenChange, string][] = [
      [{}, 'accepted'],
      [{ claims: { iss: 'https://evil.example' } }, 'refused unknown_issuer'],
      [{ claims: { aud: 'other' } }, 'refused wrong_audience'],
      [{ claims: { aud: ['tillsyn', 'other'] } }, 'refused wrong_audience'],
      [{ claims: { aud: ['tillsyn'] } }, 'accepted'],
      [{ claims: { azp: 'other' } }, 'refused wrong_audience'],
      [{ claims: { acr: 'loa2' } }, 'refused acr_too_low'],
      [{ without: ['acr'] }, 'refused acr_too_low'],
      [{ claims: { nonce: 'AAAA' } }, 'refused nonce_mismatch'],
      [{ without: ['nonce'] }, 'refused nonce_mismatch'],
      [{ claims: { auth_time: kNow / 1000 - 13 * 3600 } }, 'refused auth_too_old'],
      [{ claims: { auth_time: kNow / 1000 + 90, iat: kNow / 1000 + 90 } }, 'refused auth_in_future'],
      [{ without: ['auth_time'] }, 'refused bad_id_token'],
      [{ without: ['iat'] }, 'refused bad_id_token'],
      [{ claims: { iat: kNow / 1000 - 0.5 } }, 'refused bad_id_token'],
      [{ claims: { auth_time: kNow / 1000, iat: kNow / 1000 - 61 } }, 'refused bad_id_token'],
      [{ claims: { sub: 'olle' } }, 'refused person_mismatch'],
      [{ without: ['sub'] }, 'refused bad_id_token'],
      [{ header: { alg: 'none' } }, 'refused bad_id_token'],
      [{ header: { alg: 'HS256' } }, 'refused bad_id_token'],
      [{ header: { alg: 'RS256' } }, 'refused bad_id_token'],
      [{ header: { crit: ['exp'] } }, 'refused bad_id_token'],
      [{ header: { kid: 'new' } }, 'waiting unknown_kid'],
      [{ header: { kid: 'old' } }, 'refused retired_key'],
      [{ header: { jwk: { kty: 'oct' }, x5u: 'https://evil.example' } }, 'accepted'],
      [{ key: teo.key.privateKey }, 'refused bad_id_token'],
    ];
    for (const [change, expected] of cases) {
      const person = await town.person('teo', change);
      expect(await word(book, await town.order([[person, 'technician']], home.device())), JSON.stringify(change)).toBe(expected);
    }
  });
  it('a revoked key, person or hub counts no more', async () => {
    const book = await staffed();
    const home = new HomeMaker(hub);
    const order = await town.order([[teo, 'technician']], home.device());
    const revoked = async (change: JsonObject) => {
      const { bundle } = await town.trust({ revoked: { persons: [], keys: [], hubs: [], ...change } });
      return word(book, order, { bundle });
    };
    expect(await revoked({})).toBe('accepted');
    expect(await revoked({ keys: [{ issuer: 'https://idp.example', kid: 'k1' }] })).toBe('refused revoked_key');
    expect(await revoked({ hubs: [hub.id] })).toBe('refused hub_revoked');
    expect(await revoked({ persons: [{ issuer: 'https://idp.example', person: 'teo', from: at(-5) }] })).toBe('refused person_revoked');
    expect(await revoked({ persons: [{ issuer: 'https://idp.example', person: 'teo', from: at(5) }] })).toBe('accepted');
  });
  it('a revoke ends rights at once, also the root list\'s, until a later grant', async () => {
    const book = await staffed();
    const home = new HomeMaker(hub);
    const device = await town.order([[teo, 'technician']], home.device());
    const revoke = { type: 'revoke', version: 2, replaces: null, issuer: 'https://idp.example', person: 'teo', from: at(0), reason: 'slutat' };
    const order = await accept(book, [[ratt, 'rights_admin']], revoke);
    expect(await word(book, device)).toBe('refused person_revoked');
    await accept(book, [[chef, 'manager'], [ratt, 'rights_admin']], grantBody('teo', [right('technician')], { version: 3, replaces: order.hash }));
    expect(await word(book, device)).toBe('accepted');
    await accept(book, [[ratt, 'rights_admin']], { ...revoke, version: 1, person: 'chef' });
    expect(await word(book, await town.order([[chef, 'manager'], [ratt, 'rights_admin']], grantBody('ny', [right('operator')])))).toBe('refused person_revoked');
  });
  it('a right counts in its role, group and time, under its own issuer', async () => {
    const book = await staffed();
    const home = new HomeMaker(hub);
    const device = await town.order([[teo, 'technician']], home.device());
    expect(await word(book, await town.order([[olle, 'technician']], home.device()))).toBe('waiting no_grant');
    expect(await word(book, device, { now: kNow + 5 * 3600_000 })).toBe('accepted');
    expect(await word(book, device, { now: kNow + 11 * 3600_000 })).toBe('waiting late');
    expect(await word(book, device, { now: kNow - 301_000 })).toBe('refused auth_in_future');
    const other = await town.person('teo', {}, kOtherIssuer);
    expect(await word(book, await town.order([[other, 'technician']], home.device()))).toBe('refused issuer_not_for_role');
    const rights = async (from: string, to: string) => {
      const fresh = new OrderBook();
      await accept(fresh, [[chef, 'manager'], [ratt, 'rights_admin']], grantBody('teo', [right('technician', ['*'], from, to)]));
      return word(fresh, device);
    };
    expect(await rights(at(-7200), at(0))).toBe('refused grant_expired');
    expect(await rights(at(60), at(7200))).toBe('waiting no_grant');
    expect(await rights(at(0), at(1))).toBe('accepted');
  });
  it('nothing is judged under lists that have run out', async () => {
    const book = await staffed();
    const device = await town.order([[teo, 'technician']], new HomeMaker(hub).device());
    expect(await word(book, device, { now: trust.bundle.expiresAt })).toBe('waiting bundle_expired');
    expect(await word(book, device, { now: trust.rootList.expiresAt })).toBe('waiting root_list_expired');
    const foreign = await town.order([[teo, 'technician']], { ...new HomeMaker(hub).device(), provider: 'syd' });
    expect(await word(book, foreign)).toBe('refused wrong_provider');
  });
});

describe('what an order says', () => {
  it('is read strictly', async () => {
    const home = new HomeMaker(hub);
    const tryBody = async (body: JsonObject) => {
      try {
        await town.order([[teo, 'technician']], body);
        return 'read';
      } catch (error) {
        return (error as { reason: string }).reason;
      }
    };
    expect(await tryBody(home.device())).toBe('read');
    const wrong: JsonObject[] = [
      { extra: 1 }, { version: 0 }, { replaces: 'AA' }, { hub: 'AA' }, { device_key: { ...hub.key.jwk, d: 'AA' } }, { board: 7 }, { signed_at: 'nu' },
      { provider: 'Nord' }, { id: 'AA' }, { signers: [] }, { format: 0.5 as never },
    ];
    for (const change of wrong) expect(['malformed', 'unknown_format'], JSON.stringify(change)).toContain(await tryBody(home.device(change)));
    expect(await tryBody(home.device({ format: 2 }))).toBe('unknown_format');
    expect(await tryBody(home.device({ type: 'unheard-of' }))).toBe('type_not_supported');
    expect(await tryBody(home.device({ type: 'toString' }))).toBe('type_not_supported');
    expect(await tryBody(home.assignment({ code: 'ABCD' }))).toBe('malformed');
    expect(await tryBody(home.assignment({ cameras: [] }))).toBe('malformed');
    expect(await tryBody(home.acceptance('A'.repeat(43), { checklist: [{ item: 'bild', passed: false }] }))).toBe('malformed');
    expect(await tryBody(grantBody('olle', [right('operator', ['*'], at(0), at(401 * 86400))]))).toBe('malformed');
    expect(await tryBody(grantBody('olle', [right('operator', ['*', 'natt'])]))).toBe('malformed');
    expect(await tryBody(await home.consent({ withdrawn: true }))).toBe('malformed');
    expect(await tryBody(home.view({ viewer_key: b64(new Uint8Array(65)) }))).toBe('malformed');
  });
  it('its signatures are as many as its signers', async () => {
    const good = JSON.parse(await town.orderText([[teo, 'technician']], new HomeMaker(hub).device())) as { payload: string; signatures: unknown[] };
    await expect(parseOrder(JSON.stringify({ ...good, signatures: [] }))).rejects.toThrow();
    await expect(parseOrder(JSON.stringify({ ...good, signatures: [...good.signatures, ...good.signatures] }))).rejects.toThrow();
    await expect(parseOrder(JSON.stringify({ ...good, more: 1 }))).rejects.toThrow();
  });
  it('a device order is about the key that it names', async () => {
    const book = await staffed();
    const other = await town.hub();
    expect(await word(book, await town.order([[teo, 'technician']], new HomeMaker(hub).device({ hub: other.id })))).toBe('refused wrong_device_key');
  });
});

describe('where an order stands among others', () => {
  it('versions follow each other, each naming the one before', async () => {
    const { book, home, schedule } = await furnished();
    const next = (more: JsonObject) => town.order([[petra, 'planner'], [vera, 'care_manager']], home.schedule(more));
    expect(await word(book, schedule)).toBe('accepted');
    expect(await word(book, await next({ version: 2, replaces: schedule.hash }))).toBe('accepted');
    expect(await word(book, await next({ version: 2, replaces: null }))).toBe('refused wrong_predecessor');
    expect(await word(book, await next({ version: 3, replaces: schedule.hash }))).toBe('waiting version_gap');
    expect(await word(book, await next({ version: 1 }))).toBe('refused slot_taken');
  });
  it('a withdrawn consent acts whatever its version, signed by one', async () => {
    const { book, home } = await furnished();
    const withdrawn = await town.order([[vera, 'care_manager']], home.withdrawal({ version: 1 }));
    expect(await word(book, withdrawn)).toBe('accepted');
    book.put(withdrawn);
    expect(() => book.scheduleInForce(hub.id, home.resident, kNow)).toThrow(/consent_withdrawn/);
    expect(await word(book, await town.order([[petra, 'planner'], [vera, 'care_manager']], home.schedule({ version: 2 })))).toMatch(/refused/);
  });
  it('a pause closes until its end or a resume, over 72 hours signed by two [ENF-5] [PRI-2]', async () => {
    const { book, home } = await furnished();
    const open = (now = kNow) => book.scheduleInForce(hub.id, home.resident, now);
    const one = (more: JsonObject, who: Signing[] = [[petra, 'planner']]) => town.order(who, home.pause(more)).then((order) => word(book, order));
    const two: Signing[] = [[petra, 'planner'], [vera, 'care_manager']];
    expect(await one({ until: at(72 * 3600) })).toBe('accepted');
    expect(await one({ until: at(72 * 3600) }, two)).toBe('refused wrong_role');
    expect(await one({ until: at(72 * 3600 + 1) })).toBe('refused not_two_people');
    expect(await one({ until: at(72 * 3600 + 1) }, two)).toBe('accepted');
    expect(await one({ until: at(72 * 3600 + 1) }, [[petra, 'planner'], [olle, 'operator']])).toBe('refused wrong_role');
    expect(await one({ until: at(72 * 3600 + 1) }, [[petra, 'planner'], [petra, 'planner']])).toBe('refused not_two_people');
    expect(await one({ until: at(30 * 86400) }, two)).toBe('accepted');
    await expect(one({ until: at(30 * 86400 + 1) }, two)).rejects.toThrow();
    await expect(one({ until: at(0) })).rejects.toThrow();
    await expect(one({ until: at(-1) })).rejects.toThrow();
    expect(await one({}, [[olle, 'operator']])).toBe('refused wrong_role');
    expect(await one({ group: 'dag' })).toMatch(/group_not_in_scope/);

    const paused = await accept(book, [[petra, 'planner']], home.pause({ version: 9 }));
    expect(() => open()).toThrow(/paused/);
    expect(() => open(kNow + 48 * 3600_000 - 1)).toThrow(/paused/);
    expect(open(kNow + 48 * 3600_000).timezone).toBe('Europe/Stockholm');
    expect(await one({ version: 8 })).toBe('refused superseded');
    expect(await one({ version: 9, until: at(60) })).toBe('refused slot_taken');
    const resume = (more: JsonObject) => town.order([[vera, 'care_manager']], home.resume(more)).then((order) => word(book, order));
    expect(await resume({ version: 10 })).toBe('refused wrong_predecessor');
    expect(await resume({ version: 11, replaces: paused.hash })).toBe('waiting version_gap');
    expect(await resume({ version: 10, replaces: paused.hash, home: new HomeMaker(hub).home })).toBe('refused wrong_home');
    await accept(book, [[vera, 'care_manager']], home.resume({ version: 10, replaces: paused.hash }));
    expect(open().timezone).toBe('Europe/Stockholm');
  });
  it('a release takes the hub from the resident, and lets it move to another home [INS-7]', async () => {
    const { book, home, assignment, consent } = await furnished();
    const installer: Signing = [inga, 'installer'];
    const release = (who: Signing[], more: JsonObject = {}) => town.order(who, home.release(more)).then((order) => word(book, order));
    expect(await release([installer])).toBe('refused not_two_people');
    expect(await release([[vera, 'care_manager'], installer])).toBe('refused wrong_role');
    expect(await release([installer, [petra, 'planner']])).toBe('refused wrong_role');
    expect(await release([installer, [vera, 'care_manager']], { resident: new HomeMaker(hub).resident })).toBe('refused wrong_resident');
    const elsewhere = new HomeMaker(hub).home;
    const moved = (more: JsonObject) => town.order([installer], home.assignment({ home: elsewhere, ...more }));
    expect(await word(book, await moved({ version: 2, replaces: assignment.hash }))).toBe('refused wrong_home');
    const done = await accept(book, [installer, [vera, 'care_manager']], home.release({ version: 2 }));
    expect(() => book.scheduleInForce(hub.id, home.resident, kNow)).toThrow(/no_assignment/);
    expect(book.hubsOf(home.resident)).toEqual([]);
    const again = await moved({ version: 3, replaces: done.hash });
    expect(await word(book, again)).toBe('accepted');
    book.put(again);
    book.countersigned(again.hash);
    expect(() => book.scheduleInForce(hub.id, home.resident, kNow)).toThrow(/not_accepted/);
    await accept(book, [installer], home.acceptance(again.hash, { home: elsewhere, version: 2, replaces: book.at(`acceptance|${hub.id}`)!.hash }));
    expect(() => book.scheduleInForce(hub.id, home.resident, kNow)).toThrow(/wrong_home/);
    await accept(book, [[vera, 'care_manager'], [petra, 'planner']], await home.consent({ home: elsewhere, version: 2, replaces: consent.hash }));
    expect(() => book.scheduleInForce(hub.id, home.resident, kNow)).toThrow(/wrong_home/);
  });
  it('a test-view is the install team\'s [ENF-9]', async () => {
    const { book, home } = await furnished();
    const test = (who: Signing, more: JsonObject = {}) => town.order([who], home.view({ type: 'test-view', ...more })).then((order) => word(book, order));
    expect(await test([inga, 'installer'])).toBe('accepted');
    expect(await test([olle, 'operator'])).toBe('refused wrong_role');
    expect(await test([inga, 'installer'], { camera: 'cam2' })).toBe('refused wrong_camera');
    expect(await test([inga, 'installer'], { bundle: { root_list_version: 3, counter: 8 } })).toBe('waiting bundle_older');
    expect(await word(book, await town.order([[inga, 'installer']], home.view()))).toBe('refused wrong_role');
  });
  it('an assignment needs its device order, another person, and the countersign', async () => {
    const book = await staffed();
    const home = new HomeMaker(hub);
    const assignment = await town.order([[inga, 'installer']], home.assignment());
    expect(await word(book, assignment)).toBe('waiting no_device');
    await accept(book, [[teo, 'technician']], home.device());
    await accept(book, [[chef, 'manager'], [ratt, 'rights_admin']], grantBody('teo', [right('installer')], { version: 2, replaces: book.all().find((o) => o.payload.body.type === 'grant' && o.payload.body.person === 'teo')!.hash }));
    expect(await word(book, await town.order([[teo, 'installer']], home.assignment()))).toBe('refused not_two_people');
    expect(await word(book, assignment)).toBe('accepted');
    book.put(assignment);
    expect(book.assignmentOf(hub.id)).toBeUndefined();
    const acceptance = await town.order([[inga, 'installer']], home.acceptance(assignment.hash));
    expect(await word(book, acceptance)).toBe('waiting not_countersigned');
    book.countersigned(assignment.hash);
    expect(book.assignmentOf(hub.id)?.hash).toBe(assignment.hash);
    expect(await word(book, acceptance)).toBe('accepted');
    const elsewhere = await town.order([[inga, 'installer']], new HomeMaker(hub).assignment({ version: 2, replaces: assignment.hash }));
    expect(await word(book, elsewhere)).toBe('refused wrong_resident');
  });
  it('nothing opens without every order [ENF-5]', async () => {
    const { book, home } = await furnished();
    expect(book.scheduleInForce(hub.id, home.resident, kNow).timezone).toBe('Europe/Stockholm');
    expect(() => book.scheduleInForce(hub.id, new HomeMaker(hub).resident, kNow)).toThrow(/wrong_resident/);
    expect(() => book.scheduleInForce('x', home.resident, kNow)).toThrow(/no_assignment/);
    expect(() => book.scheduleInForce(hub.id, home.resident, kNow + 60 * 86_400_000)).toThrow(/consent_expired/);
  });
  it('a schedule keeps within the consent', async () => {
    const { book, home, schedule } = await furnished();
    const next = async (windows: JsonObject[], more: JsonObject = {}) =>
      word(book, await town.order([[petra, 'planner'], [vera, 'care_manager']], home.schedule({ version: 2, replaces: schedule.hash, windows, ...more })));
    const w = (id: string, start: string, minutes: number, days = ['mon']): JsonObject => ({ id, days, start, minutes });
    expect(await next([w('a', '21:00', 20), w('b', '06:40', 20), w('c', '00:00', 20)])).toBe('accepted');
    expect(await next([w('a', '20:59', 1)])).toBe('refused beyond_consent');
    expect(await next([w('a', '06:41', 20)])).toBe('refused beyond_consent');
    expect(await next([w('a', '22:00', 61)])).toBe('refused beyond_consent');
    expect(await next([1, 2, 3, 4].map((n) => w(`a${n}`, `2${n - 1}:00`.replace('24', '23'), 5)))).toBe('refused beyond_consent');
    expect(await next([], { timezone: 'Europe/Helsinki' })).toBe('refused beyond_consent');
    expect(await next([], { exceptions: [{ date: '2026-12-24', windows: [{ id: 'x', start: '12:00', minutes: 5 }] }] })).toBe('refused beyond_consent');
    expect(await next([], { group: 'dag' })).toMatch(/refused/);
    expect(await next([], { home: new HomeMaker(hub).home })).toBe('refused wrong_home');
  });
  it('a view is for the assigned resident, camera and group', async () => {
    const { book, home } = await furnished();
    const view = async (more: JsonObject) => word(book, await town.order([[olle, 'operator']], home.view(more)));
    expect(await view({})).toBe('accepted');
    expect(await view({ camera: 'cam2' })).toBe('refused wrong_camera');
    expect(await view({ resident: new HomeMaker(hub).resident })).toBe('refused wrong_resident');
    expect(await view({ group: 'dag' })).toBe('refused group_not_in_scope');
    expect(await view({ bundle: { root_list_version: 3, counter: 8 } })).toBe('waiting bundle_older');
    expect(await word(book, await town.order([[olle, 'operator']], home.view()), { now: kNow + 13 * 3600_000 })).toBe('refused auth_too_old');
  });
  it('the head covers a home\'s slots in their sequence', async () => {
    const { book, home, acceptance, assignment, consent, schedule } = await furnished();
    const device = book.at(`device|${hub.id}`)!;
    const parts = ([['acceptance', acceptance], ['assignment', assignment], ['consent', consent], ['device', device], ['schedule', schedule]] as [string, Order][])
      .flatMap(([slot, order]) => [utf8(slot), Uint8Array.of(0), u64(1), fromB64(order.hash)]);
    expect(await headOf(book.homeSlots(hub.id, home.resident))).toBe(b64(await sha256(concat(...parts))));
    expect(await headOf([])).toBe(b64(await sha256()));
  });
});

describe('what is beside an order', () => {
  it('a name is vouched for by its salted hash', async () => {
    const home = new HomeMaker(hub);
    const signed = (await home.consent()).name_hash;
    expect(await nameHash(home.salt, 'Ulla Lind', 'Storgatan 1')).toBe(signed);
    for (const [name, address] of [['Ulla Lund', 'Storgatan 1'], ['Ulla Lind', 'Storgatan 2'], ['Storgatan 1', 'Ulla Lind']]) {
      expect(await nameHash(home.salt, name!, address!)).not.toBe(signed);
    }
  });
  it('the leaf in the log follows from the order', async () => {
    const home = new HomeMaker(hub);
    const order = await town.order([[olle, 'operator']], home.completed());
    const text = canonicalJson({
      details: null, format: 1, hash: order.hash, hub: null, kind: 'order', provider: 'nord', reason: null, resident: home.resident, seq: 5,
      time: at(1), what: 'completed', who: [{ issuer: 'https://idp.example', person: 'olle' }],
    });
    expect(await orderLeaf(order, { seq: 5, time: at(1) })).toEqual(await leafHash(utf8(text)));
  });
});
