import { Records } from '@web/care/records';
import { loadResidents } from '@web/care/residents';
import type { LedgerWatch } from '@web/care/ledger_watch';
import { tonight, type TonightInput } from '@web/care/tonight';
import { b64, randomBytes, sha256, utf8 } from '@web/protocol/bytes';
import { canonicalJson, type JsonObject, parseJson } from '@web/protocol/json';
import { orderHash } from '@web/protocol/order';
import { headOf } from '@web/protocol/order_book';
import { readHomes } from '@web/protocol/homes';
import { leafHash, treeRoot } from '@web/protocol/merkle';
import type { TrustWithHomes } from '@web/protocol/proof';
import { parseInstant } from '@web/protocol/time';
import type { Api } from '@web/session/api';
import { at, checkpointNote, grantBody, HomeMaker, kNow, right, type Signing, Town } from './town';

const town = await Town.found();
const [chef, ratt, olle, petra, vera, inga, teo] = await Promise.all(['chef', 'ratt', 'olle', 'petra', 'vera', 'inga', 'teo'].map((name) => town.person(name)));
const kEmptyLog = await checkpointNote(town.ledgerKey, 'relay.example/nord', 0, await sha256());
const trust = await town.trust({ providers: [{ id: 'nord', epoch: 1, checkpoint: kEmptyLog, hubs: [], homes_root: b64(await sha256()) }] });

interface Listed extends JsonObject {
  order: JsonObject;
  entry: JsonObject;
  countersign: JsonObject | null;
  receipts: JsonObject[];
}

// What an honest relay lists for one home; each test bends it.
async function listing() {
  const hub = await town.hub();
  const home = new HomeMaker(hub);
  const items: Listed[] = [];
  const add = async (people: Signing[], body: JsonObject) => {
    const order = parseJson(await town.orderText(people, body)) as JsonObject;
    const item: Listed = { n: items.length + 1, order, entry: { seq: items.length, time: at(items.length) }, countersign: null, receipts: [] };
    items.push(item);
    return { item, hash: await orderHash(String(order.payload)) };
  };
  const grants: [string, Parameters<typeof right>[0]][] = [['olle', 'operator'], ['petra', 'planner'], ['vera', 'care_manager'], ['inga', 'installer'], ['teo', 'technician']];
  for (const [name, role] of grants) await add([[chef!, 'manager'], [ratt!, 'rights_admin']], grantBody(name, [right(role)]));
  await add([[teo!, 'technician']], home.device());
  const assignment = await add([[inga!, 'installer']], home.assignment());
  assignment.item.countersign = await hub.seal('countersign', { order: assignment.hash, time: at(10) });
  await add([[inga!, 'installer']], home.acceptance(assignment.hash));
  await add([[vera!, 'care_manager'], [petra!, 'planner']], await home.consent());
  const schedule = await add([[petra!, 'planner'], [vera!, 'care_manager']], home.schedule());
  const resident: JsonObject = { resident: home.resident, group: 'natt', name: 'Ulla Lind', address: 'Storgatan 1', salt: b64(home.salt) };
  return { hub, home, items, add, assignment, schedule, resident };
}

type Town1 = Awaited<ReturnType<typeof listing>>;

function apiOf({ items, resident }: Town1): Api {
  return { items: (path: string) => Promise.resolve(path === '/v1/orders' ? items : [resident]) } as unknown as Api;
}

async function look(listed: Town1, more: Partial<TonightInput> & { proven?: boolean; isOnline?: boolean; isPaused?: boolean; trust?: TrustWithHomes } = {}) {
  const api = apiOf(listed);
  const records = await Records.load(api, more.trust ?? { ...trust, homes: [] });
  const residents = await loadResidents(api, records.book);
  const hubs = new Map([[listed.hub.id, { isOnline: more.isOnline ?? true, challenge: null, state: '', isPausedByResident: more.isPaused ?? false }]]);
  const ledger = { isProven: () => more.proven ?? true } as unknown as LedgerWatch;
  const rows = tonight({ records, residents, hubs, ledger, mayView: () => true, now: kNow, ...more });
  return { records, rows, first: rows[0]!, states: rows.map((row) => row.state) };
}

// The window is 21:10-21:25 in Stockholm, kNow 21:15 there.
describe('tonight\'s list [SES-1]', async () => {
  const listed = await listing();

  it('tells now, upcoming, late and beyond reach', async () => {
    expect((await look(listed)).states).toEqual(['now']);
    expect((await look(listed, { now: parseInstant('2026-11-22T19:00:00Z') })).states).toEqual(['upcoming']);
    expect((await look(listed, { now: parseInstant('2026-11-22T20:25:00Z') })).states).toEqual(['late']);
    expect((await look(listed, { isOnline: false })).states).toEqual(['unreachable']);
    expect((await look(listed, { mayView: () => false })).states).toEqual([]);
  });
  it('tells the resident\'s own pause, whatever the time, and no pause of another hub [ENF-6]', async () => {
    for (const time of ['2026-11-22T19:00:00Z', '2026-11-22T20:15:00Z', '2026-11-22T20:25:00Z']) {
      const paused = await look(listed, { isPaused: true, now: parseInstant(time) });
      expect([paused.first.state, paused.first.reason]).toEqual(['blocked', 'paused_by_resident']);
    }
    const elsewhere = new Map([['other', { isOnline: true, challenge: null, state: '', isPausedByResident: true }]]);
    expect((await look(listed, { hubs: elsewhere })).first.reason).toBe('');
    const own = await listing();
    await own.add([[olle!, 'operator']], own.home.completed());
    expect((await look(own, { isPaused: true })).states).toEqual(['done']);
  });
  it('shows a name only where the consent vouches for it', async () => {
    const good = await look(listed);
    expect([good.first.nameProblem, good.first.person?.name]).toEqual(['', 'Ulla Lind']);
    const swapped = await look({ ...listed, resident: { ...listed.resident, name: 'Berta Alm' } });
    expect(swapped.first.nameProblem).toBe('name_mismatch');
    const missing = await look({ ...listed, resident: { ...listed.resident, resident: b64(randomBytes(16)) } });
    expect(missing.first.nameProblem).toBe('name_missing');
  });
  it('counts a window as done only by a signed outcome that stands in the log [SES-2]', async () => {
    const own = await listing();
    await own.add([[olle!, 'operator']], own.home.completed());
    expect((await look(own)).states).toEqual(['done']);
    expect((await look(own, { proven: false })).states).toEqual(['now']);
    const later = await own.add([[olle!, 'operator']], own.home.completed({ type: 'not-seen' }));
    expect((await look(own)).states).toEqual(['now']);
    later.item.order = { ...later.item.order, payload: String(later.item.order.payload).replace('not-seen', 'completed') };
    expect((await look(own)).states).toEqual(['done']);
  });
  it('is not moved by a schedule that the relay invents', async () => {
    const own = await listing();
    const relay = await town.person('relay');
    await own.add([[relay, 'planner'], [vera!, 'care_manager']], own.home.schedule({ version: 2, replaces: own.schedule.hash, windows: [] }));
    const forged = await own.add([[petra!, 'planner'], [vera!, 'care_manager']], own.home.schedule({ version: 2, replaces: own.schedule.hash }));
    forged.item.order = { ...forged.item.order, payload: String(forged.item.order.payload).replace('"21:10"', '"03:10"') };
    const { first, records } = await look(own);
    expect(first.window && first.window.start).toBe(parseInstant('2026-11-22T20:10:00Z'));
    expect(records.items.slice(-2).map((item) => item.verdict.kind)).toEqual(['waiting', 'refused']);
  });
  it('blocks a home whose assignment the device has not countersigned', async () => {
    const own = await listing();
    own.assignment.item.countersign = await (await town.hub()).seal('countersign', { order: own.assignment.hash, time: at(10) });
    const { first } = await look(own);
    expect([first.state, first.reason, first.home]).toEqual(['blocked', 'no_assignment', null]);
  });
  it('blocks after a withdrawn consent [ENF-5]', async () => {
    const own = await listing();
    await own.add([[vera!, 'care_manager']], own.home.withdrawal({ version: 2 }));
    const { first } = await look(own);
    expect([first.state, first.reason]).toEqual(['blocked', 'consent_withdrawn']);
  });
});

describe('the head that a view names', () => {
  it('leaves out what the hub has refused by its own signature, and nothing else', async () => {
    const own = await listing();
    const next = await own.add([[petra!, 'planner'], [vera!, 'care_manager']], own.home.schedule({ version: 2, replaces: own.schedule.hash }));
    const slotsWith = async () => {
      const { records } = await look(own);
      return { head: records.headFor(own.hub.id, own.home.resident), pending: records.pendingIn(own.hub.id, own.home.resident).length, records };
    };
    const receipt = (verdict: string, from = own.hub, order = next.hash) => from.seal('receipt', {
      order, verdict, reason: verdict === 'accepted' ? null : 'late', head: order, slots: [], formats: { order: [1], bundle: [1] }, time: at(20),
    });
    const before = await slotsWith();
    expect(before.head).toBe(await headOf(before.records.book.homeSlots(own.hub.id, own.home.resident)));
    next.item.receipts = [await receipt('refused', await town.hub())];
    expect((await slotsWith()).head).toBe(before.head);
    next.item.receipts = [await receipt('refused', own.hub, own.schedule.hash)];
    expect((await slotsWith()).head).toBe(before.head);
    next.item.receipts = [await receipt('waiting')];
    expect((await slotsWith()).head).toBe(before.head);
    next.item.receipts = [await receipt('refused')];
    const after = await slotsWith();
    expect(after.head).not.toBe(before.head);
    const older = after.records.book.homeSlots(own.hub.id, own.home.resident).map((slot) => (slot.slot === 'schedule' ? { slot: 'schedule', version: 1, order: own.schedule.hash } : slot));
    expect(after.head).toBe(await headOf(older));
  });
});

describe('orders that the relay keeps back, against the homes that the bundle counts [AUD-1] [ENF-5]', () => {
  // What the municipality's machine counts with all that is in the log now.
  async function counted(own: Town1) {
    const { records } = await look(own);
    const { id } = own.hub;
    const leaf = {
      assignment: own.assignment.hash, group: 'natt', head: await headOf(records.book.homeSlots(id, own.home.resident)), hub: id, resident: own.home.resident,
    };
    const text = canonicalJson([leaf]);
    const root = await treeRoot([await leafHash(utf8(canonicalJson(leaf)))]);
    const checkpoint = await checkpointNote(town.ledgerKey, 'relay.example/nord', own.items.length, await sha256());
    const told = await town.trust({ providers: [{ id: 'nord', epoch: 1, checkpoint, hubs: [{ group: 'natt', count: 1 }], homes_root: b64(root) }] });
    return { ...told, homes: await readHomes(text, told.bundle.providers.get('nord')!.homesRoot) };
  }

  it('is calm when all is there, and when more has come since', async () => {
    const own = await listing();
    const told = await counted(own);
    expect((await look(own, { trust: told })).states).toEqual(['now']);
    await own.add([[petra!, 'planner'], [vera!, 'care_manager']], own.home.schedule({ version: 2, replaces: own.schedule.hash }));
    expect((await look(own, { trust: told })).records.withheld.size).toBe(0);
  });
  it('shows nothing from a home whose withdrawn consent is missing, whatever else has come', async () => {
    const own = await listing();
    await own.add([[vera!, 'care_manager']], own.home.withdrawal({ version: 2 }));
    const told = await counted(own);
    const kept = own.items.splice(-1);
    const { first, records } = await look(own, { trust: told });
    expect([first.state, first.reason, [...records.withheld]]).toEqual(['blocked', 'orders_withheld', [own.home.resident]]);
    kept[0]!.entry = { seq: own.items.length + 1, time: at(99) }; // handed out after all, as if newer than the bundle
    own.items.push(...kept);
    expect((await look(own, { trust: told })).first.reason).toBe('consent_withdrawn');
  });
  it('shows nothing while the bundle has no checkpoint to compare by', async () => {
    const own = await listing();
    const { first } = await look(own, { trust: { ...(await town.trust()), homes: [] } });
    expect([first.state, first.reason]).toEqual(['blocked', 'orders_withheld']);
  });
  it('notices a home that is left out altogether', async () => {
    const own = await listing();
    const told = await counted(own);
    own.items.length = 0;
    const { rows, records } = await look(own, { trust: told });
    expect([rows.length, records.withheld.size]).toEqual([0, 1]);
  });
  it('takes no other list of homes than the one under the bundle\'s root', async () => {
    const own = await listing();
    const told = await counted(own);
    const root = told.bundle.providers.get('nord')!.homesRoot;
    await expect(readHomes('[]', root)).rejects.toMatchObject({ reason: 'homes_mismatch' });
    await expect(readHomes('{}', root)).rejects.toMatchObject({ reason: 'malformed' });
    await expect(readHomes('[{"hub":"x"}]', root)).rejects.toMatchObject({ code: 'malformed' });
  });
});
