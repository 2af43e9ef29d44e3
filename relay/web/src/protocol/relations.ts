import { checkWithin } from './consent_bounds';
import type { Order } from './order';
import type { OrderBook } from './order_book';
import type { Acceptance, Assignment, Body, Consent, Home, Release, ScheduleOrder, View } from './payloads';
import { refused, waiting } from './problem';

// How an order must fit the others that stand (PROTOCOL.md, "Relations").

type Place = Pick<Home, 'home' | 'group'>;

function checkGroup(group: string, expected: string): void {
  if (group !== expected) throw refused('group_not_in_scope');
}

function checkPlace(body: Place, expected: Place): void {
  checkGroup(body.group, expected.group);
  if (body.home !== expected.home) throw refused('wrong_home');
}

function serving(book: OrderBook, resident: string): Assignment | undefined {
  const [hub] = book.hubsOf(resident);
  return hub === undefined ? undefined : book.assignmentOf(hub)?.payload.body;
}

// Where the resident is, by the assignment in force, else by the consent.
const placeOf = (book: OrderBook, resident: string): Place | undefined => serving(book, resident) ?? book.consentOf(resident);

function checkAssignment(order: Order, body: Assignment, book: OrderBook): void {
  const device = book.at(`device|${body.hub}`);
  if (!device) throw waiting('no_device');
  const people = device.payload.signers.map((signer) => signer.person);
  if (order.payload.signers.some((signer) => people.includes(signer.person))) throw refused('not_two_people');
  const current = book.assignmentOf(body.hub)?.payload.body;
  if (current && current.resident !== body.resident) throw refused('wrong_resident');
  const other = serving(book, body.resident);
  if (other) checkPlace(body, other);
}

function checkAcceptance(body: Acceptance, book: OrderBook): void {
  if (book.isUncountersigned(body.assignment)) throw waiting('not_countersigned');
  const assignment = book.assignmentOf(body.hub);
  if (assignment?.hash !== body.assignment) throw waiting('no_assignment');
  if (body.resident !== assignment.payload.body.resident) throw refused('wrong_resident');
  checkPlace(body, assignment.payload.body);
}

function checkRelease(body: Release, book: OrderBook): void {
  const assignment = book.assignmentOf(body.hub)?.payload.body;
  if (!assignment) return;
  if (body.resident !== assignment.resident) throw refused('wrong_resident');
  checkGroup(body.group, assignment.group);
}

function checkConsent(body: Consent, book: OrderBook): void {
  const assignment = serving(book, body.resident);
  if (!assignment) return;
  if (body.terms) checkPlace(body, assignment);
  else checkGroup(body.group, assignment.group);
}

function checkSchedule(body: ScheduleOrder, book: OrderBook): void {
  const place = placeOf(book, body.resident);
  if (place) checkPlace(body, place);
  const consent = book.consentOf(body.resident);
  if (!consent) throw waiting('no_consent');
  if (!consent.terms) throw refused('consent_withdrawn');
  checkPlace(body, consent);
  checkWithin(consent.terms, body.schedule);
}

function checkView(body: View, book: OrderBook): void {
  const assignment = book.assignmentOf(body.hub)?.payload.body;
  if (!assignment) throw waiting('no_assignment');
  if (body.resident !== assignment.resident) throw refused('wrong_resident');
  if (!assignment.cameras.some((camera) => camera.id === body.camera)) throw refused('wrong_camera');
  checkGroup(body.group, assignment.group);
}

function checkOutcome(resident: string, group: string, book: OrderBook): void {
  const place = placeOf(book, resident);
  if (!place) throw waiting('no_consent');
  checkGroup(group, place.group);
}

function checkPause(body: Body & Home, book: OrderBook): void {
  const place = placeOf(book, body.resident);
  if (!place) return;
  if (body.type === 'resume') checkPlace(body, place);
  else checkGroup(body.group, place.group);
}

// Throws Problem, the first reason that applies.
export function checkRelations(order: Order, book: OrderBook): void {
  const { body } = order.payload;
  switch (body.type) {
    case 'grant':
    case 'revoke':
    case 'device':
      return;
    case 'assignment':
      return checkAssignment(order, body, book);
    case 'acceptance':
      return checkAcceptance(body, book);
    case 'release':
      return checkRelease(body, book);
    case 'consent':
      return checkConsent(body, book);
    case 'schedule':
      return checkSchedule(body, book);
    case 'pause':
    case 'resume':
      return checkPause(body, book);
    case 'view':
    case 'test-view':
      return checkView(body, book);
    default:
      return checkOutcome(body.resident, body.group, book);
  }
}
