import { b64, type Bytes } from '../protocol/bytes';
import type { JsonObject } from '../protocol/json';
import { newId, payloadText, signOrder } from '../protocol/order';
import { refused } from '../protocol/problem';
import type { TrustContext } from '../protocol/proof';
import { formatInstant } from '../protocol/time';
import type { Assignment } from '../protocol/payloads';
import type { LedgerWatch } from '../care/ledger_watch';
import type { Records } from '../care/records';
import type { Session } from '../session/session';

// An operator's, or the install team's.
export type ViewKind = 'view' | 'test-view';
const kRoles = { view: 'operator', 'test-view': 'installer' } as const;

export interface ViewRequest {
  kind: ViewKind;
  session: Session;
  trust: TrustContext;
  records: Records;
  ledger: LedgerWatch;
  home: Assignment;
  camera: string;
  challenge: string | null; // the newest that the hub's status named
}

// The signed view order: bound to one key, one challenge, and what this app has verified. Throws refused "unknown_kid",
// "orders_withheld", "unknown_head", "hub_offline".
export async function makeViewOrder(request: ViewRequest, viewerKey: Bytes): Promise<{ order: JsonObject; payloadText: string }> {
  const { kind, session, trust, records, ledger, home, camera, challenge } = request;
  const head = records.headFor(home.hub, home.resident);
  if (!session.maySign) throw refused('unknown_kid');
  if (records.withheld.has(home.resident)) throw refused('orders_withheld');
  if (head === undefined) throw refused('unknown_head');
  if (challenge === null) throw refused('hub_offline');
  const { root_list_version, counter } = trust.bundle.number;
  const text = payloadText({
    format: 1, type: kind, provider: trust.provider.id, id: newId(), signed_at: formatInstant(session.now()),
    signers: [{ issuer: session.me.issuer, person: session.me.person, role: kRoles[kind] }], hub: home.hub, resident: home.resident,
    group: home.group, camera, viewer_key: b64(viewerKey), challenge, bundle: { root_list_version, counter }, head,
    checkpoint: await ledger.named(),
  });
  return { order: { payload: text, signatures: [await signOrder(text, session.key, session.idToken)] }, payloadText: text };
}
