import { openCountersign, openReceipt, type Receipt } from '../protocol/device';
import type { EntryPlace } from '../protocol/entry';
import { isObject, type Json, type JsonObject } from '../protocol/json';
import { type Verdict } from '../protocol/judge';
import type { P256Jwk } from '../protocol/keys';
import { type Order, readOrder } from '../protocol/order';
import { headOf, OrderBook } from '../protocol/order_book';
import { hubOf, isOutcome, isStanding, type Outcome, residentOf } from '../protocol/payloads';
import { Problem } from '../protocol/problem';
import { openCheckpoint } from '../protocol/checkpoint';
import type { TrustContext, TrustWithHomes } from '../protocol/proof';
import { parseInstant } from '../protocol/time';
import type { Api } from '../session/api';
import { placeOf } from './ledger_watch';

// An order of the provider as the relay listed it, with this app's own verdict.
export interface Item {
  order: Order;
  place: EntryPlace;
  verdict: Verdict;
  countersign: Json;
  receipts: Json[];
  receipt: Receipt | null; // the hub's newest, its signature verified
}

export interface Outcomes {
  order: Order;
  outcome: Outcome;
  place: EntryPlace;
}

async function readItem(value: JsonObject): Promise<Item | null> {
  try {
    if (!isObject(value.entry)) return null;
    return {
      order: await readOrder(value.order ?? null), place: placeOf(value.entry), verdict: { kind: 'waiting', reason: '' },
      countersign: value.countersign ?? null, receipts: Array.isArray(value.receipts) ? value.receipts : [], receipt: null,
    };
  } catch (error) {
    // Of a format or type that this app does not know: it cannot count here.
    if (error instanceof Problem) return null;
    throw error;
  }
}

async function fetchItems(api: Api): Promise<Item[]> {
  const found = new Map<string, Item>();
  for (const value of await api.items('/v1/orders')) {
    const item = await readItem(value);
    if (item) found.set(item.order.hash, item);
  }
  return [...found.values()].sort((a, b) => a.place.seq - b.place.seq);
}

// Every order of the provider, judged here: what the relay left out is missing, what it invented is refused.
export class Records {
  book = new OrderBook();
  items: Item[] = [];
  outcomes: Outcomes[] = [];
  // Residents of whom the municipality's machine has seen orders in the log that the relay does not hand out here.
  readonly withheld = new Set<string>();
  private readonly heads = new Map<string, string>();

  static async load(api: Api, trust: TrustWithHomes): Promise<Records> {
    const records = new Records();
    records.items = await fetchItems(api);
    records.book = await records.replay(trust, (item, verdict) => void (item.verdict = verdict));
    await records.readReceipts();
    await records.readHeads(trust);
    await records.compareHomes(trust);
    return records;
  }

  // Every home that the bundle counts must come to the same head here, by the orders up to the bundle's checkpoint.
  private async compareHomes({ homes, ...trust }: TrustWithHomes): Promise<void> {
    const note = trust.bundle.providers.get(trust.provider.id)?.checkpoint;
    if (!note) return this.book.residents().forEach((resident) => this.withheld.add(resident)); // nothing to compare with
    const { size } = await openCheckpoint(note, { name: trust.provider.ledgerOrigin, publicKey: trust.provider.ledgerKey });
    let then: OrderBook | null = null;
    for (const { hub, resident, head } of homes) {
      if ((await headOf(this.book.homeSlots(hub, resident))) === head) continue;
      then ??= await this.replay(trust, () => undefined, this.items.filter((item) => item.place.seq < size));
      if ((await headOf(then.homeSlots(hub, resident))) !== head) this.withheld.add(resident);
    }
  }

  // Puts the orders into a book as they were entered, each judged as of its entry; what waits is tried again while others
  // come to stand.
  private async replay(
    trust: TrustContext, tell: (item: Item, verdict: Verdict) => void, items: Item[] = this.items,
  ): Promise<OrderBook> {
    const book = new OrderBook();
    let left = items;
    for (let before = -1; before !== left.length; ) {
      before = left.length;
      const waiting: Item[] = [];
      for (const item of left) {
        const verdict = await book.judgeAndCheck(item.order, { ...trust, now: parseInstant(item.place.time) });
        tell(item, verdict);
        if (verdict.kind === 'accepted') await this.put(book, item);
        if (verdict.kind === 'waiting') waiting.push(item);
      }
      left = waiting;
    }
    return book;
  }

  private async put(book: OrderBook, item: Item): Promise<void> {
    const { body } = item.order.payload;
    if (isOutcome(body)) this.note({ order: item.order, outcome: body, place: item.place });
    book.put(item.order);
    if (body.type === 'assignment' && item.countersign !== null && (await this.isCountersigned(book, item, body.hub))) {
      book.countersigned(item.order.hash);
    }
  }

  private note(outcome: Outcomes): void {
    if (!this.outcomes.some((known) => known.order.hash === outcome.order.hash)) this.outcomes.push(outcome);
  }

  private async isCountersigned(book: OrderBook, item: Item, hub: string): Promise<boolean> {
    const key = deviceKeyOf(book, hub);
    if (!key) return false;
    const found = await openCountersign(item.countersign, hub, key).catch(() => null);
    return found?.order === item.order.hash;
  }

  // The newest receipt of the hub that the order concerns; what does not verify is as if it were not there.
  private async readReceipts(): Promise<void> {
    for (const item of this.items) {
      for (const hub of this.hubsFor(item.order)) {
        const key = deviceKeyOf(this.book, hub);
        if (!key) continue;
        for (const envelope of item.receipts) {
          const receipt = await openReceipt(envelope, hub, key).catch(() => null);
          if (receipt?.order !== item.order.hash) continue;
          if (!item.receipt || receipt.time >= item.receipt.time) item.receipt = receipt;
        }
      }
    }
  }

  private hubsFor(order: Order): string[] {
    const hub = hubOf(order.payload.body);
    const resident = residentOf(order.payload.body);
    if (hub !== null) return [hub];
    return resident === null ? [] : this.book.hubsOf(resident);
  }

  // For each home the head from the orders verified here, less those that its hub has refused by signed receipt.
  private async readHeads(trust: TrustContext): Promise<void> {
    for (const resident of this.book.residents()) {
      for (const hub of this.book.hubsOf(resident)) {
        const isRefused = (item: Item): boolean => item.receipt?.verdict === 'refused' && this.hubsFor(item.order).includes(hub);
        const left = this.items.filter((item) => !isRefused(item));
        const book = left.length === this.items.length ? this.book : await this.replay(trust, () => undefined, left);
        this.heads.set(`${hub} ${resident}`, await headOf(book.homeSlots(hub, resident)));
      }
    }
  }

  headFor = (hub: string, resident: string): string | undefined => this.heads.get(`${hub} ${resident}`);

  // The orders of a home that the hub has not said it accepts.
  pendingIn(hub: string, resident: string): Item[] {
    const hashes = new Set(this.book.homeSlots(hub, resident).map((slot) => slot.order));
    return this.items.filter((item) => hashes.has(item.order.hash) && isStanding(item.order.payload.body) && item.receipt?.verdict !== 'accepted');
  }

  find = (hash: string): Item | undefined => this.items.find((item) => item.order.hash === hash);
}

// The key that a hub signs with: its thumbprint is the hub's name, and a technician has signed it.
export function deviceKeyOf(book: OrderBook, hub: string): P256Jwk | null {
  const body = book.at(`device|${hub}`)?.payload.body;
  return body?.type === 'device' ? body.deviceKey : null;
}
