import { type Bytes, b64, fromB64, sha256, u64, utf8 } from './bytes';
import { checkWithin, isInForce, isPermittedHour } from './consent_bounds';
import { judge, type JudgeContext, kAccepted, type Verdict, verdictOf } from './judge';
import type { Order } from './order';
import {
  type Acceptance, type Assignment, type Body, type Consent, groupOf, homeOf, hubOf, isClosing, isOutcome, isStanding, type Release,
  residentOf, type ScheduleOrder, type View,
} from './payloads';
import { refused, waiting } from './problem';
import type { PersonRights } from './rights';
import type { Schedule } from './schedule';
import type { Instant } from './time';
import type { Person } from './trust';
import { isOpen } from './windows';

// The orders that stand at one provider, as common/orders/order_book.h keeps them. Judged before they are put.

export interface SlotEntry {
  slot: string;
  version: number;
  order: string;
}

const kHomeSlots = ['acceptance', 'assignment', 'consent', 'device', 'pause', 'schedule'] as const;
const kOfHub = ['acceptance', 'assignment', 'device'];

const personKey = ({ issuer, person }: Person): string => `person|${JSON.stringify([issuer, person])}`;

// Where a standing order belongs: slot and owner; null for acts and outcomes.
export function slotKey(body: Body): string | null {
  if (!isStanding(body)) return null;
  switch (body.type) {
    case 'grant':
    case 'revoke':
      return personKey(body);
    case 'release':
      return `assignment|${body.hub}`;
    case 'resume':
      return `pause|${body.resident}`;
    default:
      return `${body.type}|${kOfHub.includes(body.type) ? hubOf(body) : residentOf(body)}`;
  }
}

// The slot's name as receipts and heads write it.
export async function slotName(body: Body): Promise<string> {
  if (body.type === 'grant' || body.type === 'revoke') {
    return `person/${b64(await sha256(utf8(body.issuer), Uint8Array.of(0), utf8(body.person)))}`;
  }
  return slotKey(body)!.split('|')[0]!;
}

// SHA-256 over the entries in the sequence of their slots (PROTOCOL.md, "Head").
export async function headOf(entries: SlotEntry[]): Promise<string> {
  const parts: Bytes[] = [];
  for (const { slot, version, order } of entries) parts.push(utf8(slot), Uint8Array.of(0), u64(version), fromB64(order, 32));
  return b64(await sha256(...parts));
}

type Of<T extends Body> = Order & { payload: { body: T } };

export class OrderBook {
  private readonly slots = new Map<string, Order>();
  private readonly uncountersigned = new Map<string, Of<Assignment>>(); // by hub
  readonly countersigns = new Set<string>();

  // What the slot holds; for an assignment only what has been countersigned.
  at(key: string): Order | undefined {
    return this.slots.get(key);
  }

  // The order that the next version in this slot replaces.
  newestIn(key: string): Order | undefined {
    const [name, owner] = key.split('|') as [string, string];
    return (name === 'assignment' ? this.uncountersigned.get(owner) : undefined) ?? this.slots.get(key);
  }

  all(): Order[] {
    return [...this.slots.values(), ...this.uncountersigned.values()];
  }

  rightsOf = (person: Person): PersonRights => {
    const body = this.slots.get(personKey(person))?.payload.body;
    if (body?.type === 'revoke') return { revoked: true, rights: [] };
    return { revoked: false, rights: body?.type === 'grant' ? body.rights : [] };
  };

  // judge() with the book as the source of rights, then whether the order may take its place among those held.
  async judgeAndCheck(order: Order, context: Omit<JudgeContext, 'rightsOf'>): Promise<Verdict> {
    const verdict = await judge(order, { ...context, rightsOf: this.rightsOf });
    return verdict.kind === 'accepted' ? this.check(order) : verdict;
  }

  check(order: Order): Verdict {
    try {
      this.checkVersion(order);
      this.checkRelations(order);
      return kAccepted;
    } catch (error) {
      return verdictOf(error);
    }
  }

  // Precondition: accepted. Acts and outcomes are not kept.
  put(order: Order): void {
    const key = slotKey(order.payload.body);
    if (key === null) return;
    if (order.payload.body.type === 'assignment' && !this.countersigns.has(order.hash)) {
      this.uncountersigned.set(order.payload.body.hub, order as Of<Assignment>);
      return;
    }
    this.slots.set(key, order);
    if (order.payload.body.type === 'release') this.uncountersigned.delete(order.payload.body.hub);
  }

  // The hub has signed that its button was held for this assignment.
  countersigned(assignment: string): void {
    this.countersigns.add(assignment);
    for (const [hub, order] of this.uncountersigned) {
      if (order.hash !== assignment) continue;
      this.uncountersigned.delete(hub);
      this.slots.set(`assignment|${hub}`, order);
    }
  }

  private body<T extends Body>(type: T['type'], owner: string): T | undefined {
    const body = this.slots.get(`${type}|${owner}`)?.payload.body;
    return body?.type === type ? (body as T) : undefined;
  }

  // The assignment that a hub serves under: countersigned, not released.
  assignmentOf(hub: string): Of<Assignment> | undefined {
    const order = this.slots.get(`assignment|${hub}`);
    return order?.payload.body.type === 'assignment' ? (order as Of<Assignment>) : undefined;
  }

  acceptanceOf(hub: string): Acceptance | undefined {
    return this.body<Acceptance>('acceptance', hub);
  }

  consentOf(resident: string): Consent | undefined {
    return this.body<Consent>('consent', resident);
  }

  scheduleOf(resident: string): ScheduleOrder | undefined {
    return this.body<ScheduleOrder>('schedule', resident);
  }

  hubsOf(resident: string): string[] {
    const hubs = [...this.slots.keys()].filter((key) => key.startsWith('assignment|')).map((key) => key.split('|')[1]!);
    return hubs.filter((hub) => this.assignmentOf(hub)?.payload.body.resident === resident);
  }

  residents(): string[] {
    const owners = ['consent', 'schedule'].flatMap((name) =>
      [...this.slots.keys()].filter((key) => key.startsWith(`${name}|`)).map((key) => key.split('|')[1]!),
    );
    return [...new Set(owners)].sort();
  }

  // The orders that count in one home, in the head's sequence.
  homeSlots(hub: string, resident: string): SlotEntry[] {
    const out: SlotEntry[] = [];
    for (const slot of kHomeSlots) {
      const order = this.slots.get(`${slot}|${kOfHub.includes(slot) ? hub : resident}`);
      if (order) out.push({ slot, version: order.payload.standing!.version, order: order.hash });
    }
    return out;
  }

  // The schedule by which the hub may open for its resident at `now`. Throws refused with the first reason that applies:
  // "no_assignment", "wrong_resident", "not_accepted", "no_consent", "consent_withdrawn", "wrong_home", "group_not_in_scope",
  // "consent_expired", "no_schedule", "beyond_consent", "paused", "outside_permitted_hours" (only if open at `now`).
  scheduleInForce(hub: string, resident: string, now: Instant): Schedule {
    const assignment = this.assignmentOf(hub);
    if (!assignment) throw refused('no_assignment');
    if (assignment.payload.body.resident !== resident) throw refused('wrong_resident');
    const home = assignment.payload.body;
    if (this.acceptanceOf(hub)?.assignment !== assignment.hash) throw refused('not_accepted');
    const consent = this.consentOf(resident);
    if (!consent) throw refused('no_consent');
    if (!consent.terms) throw refused('consent_withdrawn');
    const schedule = this.scheduleOf(resident);
    this.checkOneHome(home, consent, schedule);
    if (!isInForce(consent.terms, now)) throw refused('consent_expired');
    if (!schedule) throw refused('no_schedule');
    checkWithin(consent.terms, schedule.schedule);
    const pause = this.slots.get(`pause|${resident}`)?.payload.body;
    if (pause?.type === 'pause' && now < pause.until) throw refused('paused');
    if (isOpen(schedule.schedule, now) && !isPermittedHour(consent.terms, now)) throw refused('outside_permitted_hours');
    return schedule.schedule;
  }

  private checkOneHome(home: Assignment, ...others: (Consent | ScheduleOrder | undefined)[]): void {
    for (const other of others) {
      if (other && other.home !== home.home) throw refused('wrong_home');
      if (other && other.group !== home.group) throw refused('group_not_in_scope');
    }
  }

  private checkVersion(order: Order): void {
    const key = slotKey(order.payload.body);
    const held = key === null ? undefined : this.newestIn(key);
    if (!held || held.hash === order.hash) return;
    const { version, replaces } = order.payload.standing!;
    const heldVersion = held.payload.standing!.version;
    if (isClosing(order.payload.body)) {
      if (version < heldVersion) throw refused('superseded');
      return;
    }
    if (version > heldVersion + 1) throw waiting('version_gap');
    if (version === heldVersion) throw refused('slot_taken');
    if (version < heldVersion) throw refused('superseded');
    if (replaces !== held.hash) throw refused('wrong_predecessor');
  }

  private checkRelations(order: Order): void {
    const { body } = order.payload;
    if (body.type === 'assignment') this.checkAssignment(order, body);
    if (body.type === 'acceptance') this.checkAcceptance(body);
    if (body.type === 'release') this.checkRelease(body);
    if (body.type === 'schedule') this.checkSchedule(body);
    if (body.type === 'view') this.checkView(body);
    this.checkHome(body);
  }

  private checkAssignment(order: Order, body: Assignment): void {
    const device = this.slots.get(`device|${body.hub}`);
    if (!device) throw waiting('no_device');
    const technician = device.payload.signers[0]!.person;
    if (order.payload.signers.some((signer) => signer.person === technician)) throw refused('not_two_people');
    const serving = this.assignmentOf(body.hub);
    if (serving && serving.payload.body.resident !== body.resident) throw refused('wrong_resident');
  }

  private checkAcceptance(body: Acceptance): void {
    if (this.uncountersigned.get(body.hub)?.hash === body.assignment) throw waiting('not_countersigned');
    if (this.assignmentOf(body.hub)?.hash !== body.assignment) throw waiting('no_assignment');
  }

  private checkRelease(body: Release): void {
    const serving = this.assignmentOf(body.hub)?.payload.body;
    if (!serving) throw refused('no_assignment');
    if (serving.resident !== body.resident) throw refused('wrong_resident');
    if (serving.home !== body.home) throw refused('wrong_home');
  }

  private checkSchedule(body: ScheduleOrder): void {
    const consent = this.consentOf(body.resident);
    if (!consent) throw waiting('no_consent');
    if (!consent.terms) throw refused('consent_withdrawn');
    checkWithin(consent.terms, body.schedule);
  }

  private checkView(body: View): void {
    const serving = this.assignmentOf(body.hub)?.payload.body;
    if (!serving) throw waiting('no_assignment');
    if (serving.resident !== body.resident) throw refused('wrong_resident');
    if (!serving.cameras.some((camera) => camera.id === body.camera)) throw refused('wrong_camera');
  }

  // Against the assignment in force and the consent: one group, and but for orders that only close one home.
  private checkHome(body: Body): void {
    const resident = residentOf(body);
    if (resident === null) return;
    const hub = hubOf(body);
    const consent = this.consentOf(resident);
    const assignments = (hub === null ? this.hubsOf(resident) : [hub]).map((id) => this.assignmentOf(id)?.payload.body);
    if (isOutcome(body) && !consent) throw waiting('no_consent');
    const others = [body.type === 'consent' ? undefined : consent, ...(body.type === 'assignment' ? [] : assignments)];
    for (const other of others) {
      if (!other || other.resident !== resident) continue;
      if (groupOf(body) !== other.group) throw refused('group_not_in_scope');
      const home = homeOf(body);
      if (home !== null && !isClosing(body) && home !== other.home) throw refused('wrong_home');
    }
  }
}
