import { type Bytes, b64, fromB64, signedBytes, utf8 } from './bytes';
import { parseJson, Reader, type Json } from './json';
import { type IssuerKey, issuerKeyOf } from './jws';
import { verifyEd25519 } from './keys';
import { malformed, refused, waiting } from './problem';
import { type Instant, kDayMs, readInstant } from './time';

// What everything else stands on (PROTOCOL.md, "Signing", "Root list", "Bundle"): fleet root → root list → bundle.

export const kRoles = [
  'operator', 'planner', 'care_manager', 'manager', 'rights_admin', 'installer', 'technician', 'log_reviewer', 'system_admin',
] as const;
export type Role = (typeof kRoles)[number];

export const kName = /^[a-z0-9-]{1,32}$/;

export interface Person {
  issuer: string;
  person: string;
}

export interface FleetRoot {
  threshold: number;
  keys: Bytes[];
}

export interface Issuer {
  issuer: string;
  clientId: string;
  authorizationEndpoint: string;
  acr: string[];
  personClaim: string;
  maxAuthAge: number; // seconds
  roles: Role[];
}

export interface Granter extends Person {
  role: 'manager' | 'rights_admin';
}

export interface Provider {
  id: string;
  name: string;
  issuers: string[];
  granters: Granter[];
  ledgerOrigin: string;
  ledgerKey: Bytes;
  appOrigins: string[];
}

export interface RootList {
  version: number;
  issuedAt: Instant;
  expiresAt: Instant;
  issuers: Issuer[];
  providers: Provider[];
  relayHosts: string[];
  bundleKeys: Bytes[];
}

export interface BundleNumber {
  root_list_version: number;
  counter: number;
}

export interface BundleKey {
  key: IssuerKey;
  notBefore: Instant;
  notAfter: Instant | null;
}

export interface Bundle {
  number: BundleNumber;
  issuedAt: Instant;
  expiresAt: Instant;
  keys: Map<string, BundleKey[]>; // by issuer
  revokedPersons: (Person & { from: Instant })[];
  revokedKeys: { issuer: string; kid: string }[];
  revokedHubs: string[];
  providers: Map<string, ProviderState>;
}

export interface ProviderState {
  epoch: number;
  checkpoint: string | null;
  homesRoot: Bytes;
}

export const isNewer = (a: BundleNumber, b: BundleNumber): boolean =>
  a.root_list_version !== b.root_list_version ? a.root_list_version > b.root_list_version : a.counter > b.counter;

// Throws malformed "member".
export function readFleetRoot(value: Json): FleetRoot {
  const in_ = new Reader(value, 'fleet_root');
  in_.integer('format', 1, 1);
  const threshold = in_.integer('threshold', 1, 16);
  const keys = in_.texts('keys', 16, 43).map((key) => fromB64(key, 32));
  in_.finish();
  if (new Set(keys.map(b64)).size !== keys.length || keys.length < threshold) throw malformed('member', 'fleet_root.keys');
  return { threshold, keys };
}

// The payload of a trust envelope signed by at least `threshold` different keys of `keys`. Other signatures are ignored.
// Throws malformed "member", refused "bad_signature".
async function openTrust(kind: 'root-list' | 'bundle', text: string, maxBytes: number, keys: Bytes[], threshold: number) {
  const in_ = new Reader(parseJson(text, { maxBytes: 2 * maxBytes }), kind);
  const payload = in_.text('payload', maxBytes);
  const signatures = in_.each('signatures', 32, (item) => ({ key: b64(item.bytes('key', 32)), sig: item.bytes('sig', 64) }));
  in_.finish();
  const signed = signedBytes(kind, utf8(payload));
  const good = new Set<string>();
  for (const key of keys) {
    for (const { key: name, sig } of signatures) {
      if (name === b64(key) && (await verifyEd25519(key, signed, sig))) good.add(name);
    }
  }
  if (good.size < threshold) throw refused('bad_signature', kind);
  return payload;
}

function openFormat(payload: string, type: string, maxBytes: number): Reader {
  const value = parseJson(payload, { maxBytes });
  const in_ = new Reader(value, type);
  if (in_.integer('format', 1) !== 1) throw refused('unknown_format', type);
  in_.oneOf('type', [type]);
  return in_;
}

function readValidity(in_: Reader, maxDays: number): { issuedAt: Instant; expiresAt: Instant } {
  const issuedAt = readInstant(in_, 'issued_at');
  const expiresAt = readInstant(in_, 'expires_at');
  if (expiresAt <= issuedAt || expiresAt - issuedAt > maxDays * kDayMs) throw in_.fail('expires_at', 'is out of bounds');
  return { issuedAt, expiresAt };
}

const pem = (in_: Reader): string | null => in_.optional('ca', (name) => in_.text(name, 16 * 1024));

function readIssuer(in_: Reader): Issuer {
  const out: Issuer = {
    issuer: in_.text('issuer', 512),
    clientId: in_.text('client_id', 256),
    authorizationEndpoint: in_.text('authorization_endpoint', 512),
    acr: in_.texts('acr', 16, 256),
    personClaim: in_.text('person_claim', 200),
    maxAuthAge: in_.integer('max_auth_age', 1, 30 * 86400),
    roles: in_.array('roles', 16) as Role[],
  };
  in_.text('token_endpoint', 512);
  in_.text('jwks_uri', 512);
  in_.integer('new_key_delay', 0, 30 * 86400);
  pem(in_);
  if (out.roles.some((role) => !kRoles.includes(role))) throw in_.fail('roles', 'holds something else');
  return out;
}

function readProvider(in_: Reader): Provider {
  return {
    id: in_.matching('id', kName),
    name: in_.text('name', 256),
    issuers: in_.texts('issuers', 16, 512),
    granters: in_.each('granters', 64, (item) => ({
      issuer: item.text('issuer', 512),
      person: item.text('person', 128),
      role: item.oneOf('role', ['manager', 'rights_admin'] as const),
    })),
    ledgerOrigin: in_.text('ledger_origin', 200),
    ledgerKey: in_.bytes('ledger_key', 32),
    appOrigins: in_.texts('app_origins', 16, 256),
  };
}

const unique = (names: string[]): boolean => new Set(names).size === names.length;

// Throws malformed, or refused "bad_signature", "unknown_format". Expiry is the caller's to judge: it knows the time.
export async function openRootList(text: string, root: FleetRoot): Promise<RootList> {
  const kMaxBytes = 256 * 1024;
  const in_ = openFormat(await openTrust('root-list', text, kMaxBytes, root.keys, root.threshold), 'root-list', kMaxBytes);
  const out: RootList = {
    version: in_.integer('version', 1),
    ...readValidity(in_, 400),
    issuers: in_.each('issuers', 64, readIssuer),
    providers: in_.each('providers', 256, readProvider),
    relayHosts: in_.each('relays', 64, (item) => (pem(item), item.text('host', 256))),
    bundleKeys: in_.texts('bundle_keys', 16, 43).map((key) => fromB64(key, 32)),
  };
  in_.child('floors', (item) => [item.integer('order', 1), item.integer('bundle', 1)]);
  in_.finish();
  if (!unique(out.issuers.map((i) => i.issuer))) throw malformed('member', 'an issuer twice');
  if (!unique(out.providers.map((p) => p.id))) throw malformed('member', 'a provider twice');
  return out;
}

function readBundleIssuer(in_: Reader): [string, BundleKey[]] {
  const issuer = in_.text('issuer', 512);
  const keys = in_.each('keys', 64, (item) => ({
    key: issuerKeyOf(item.any('jwk')),
    notBefore: readInstant(item, 'not_before'),
    notAfter: item.optional('not_after', (name) => readInstant(item, name)),
  }));
  if (!unique(keys.map((k) => k.key.kid))) throw in_.fail('keys', 'has a kid twice');
  return [issuer, keys];
}

function readRevoked(in_: Reader): Pick<Bundle, 'revokedPersons' | 'revokedKeys' | 'revokedHubs'> {
  return {
    revokedPersons: in_.each('persons', 4096, (item) => ({
      issuer: item.text('issuer', 512),
      person: item.text('person', 128),
      from: readInstant(item, 'from'),
    })),
    revokedKeys: in_.each('keys', 1024, (item) => ({ issuer: item.text('issuer', 512), kid: item.text('kid', 256) })),
    revokedHubs: in_.texts('hubs', 4096, 43),
  };
}

function readBundleProvider(in_: Reader): [string, ProviderState] {
  const id = in_.matching('id', kName);
  const epoch = in_.integer('epoch', 1);
  const checkpoint = in_.optional('checkpoint', (name) => in_.text(name, 64 * 1024));
  in_.each('hubs', 4096, (item) => [item.matching('group', kName), item.integer('count', 0)]);
  const homesRoot = in_.bytes('homes_root', 32);
  return [id, { epoch, checkpoint, homesRoot }];
}

// A bundle under one of the root list's bundle keys. Throws as openRootList, and waiting "root_list_older" if it was made
// under a newer root list.
export async function openBundle(text: string, rootList: RootList): Promise<Bundle> {
  const kMaxBytes = 192 * 1024;
  const in_ = openFormat(await openTrust('bundle', text, kMaxBytes, rootList.bundleKeys, 1), 'bundle', kMaxBytes);
  const number = { root_list_version: in_.integer('root_list_version', 1), counter: in_.integer('counter', 1) };
  const validity = readValidity(in_, 7);
  const issuers = in_.each('issuers', 64, readBundleIssuer);
  const revoked = in_.child('revoked', readRevoked);
  const providers = in_.each('providers', 256, readBundleProvider);
  in_.optional('day_list', (name) => in_.bytes(name, 32));
  in_.finish();
  if (number.root_list_version > rootList.version) throw waiting('root_list_older');
  if (!unique(issuers.map(([issuer]) => issuer)) || !unique(providers.map(([id]) => id))) throw malformed('member', 'twice');
  return { number, ...validity, keys: new Map(issuers), ...revoked, providers: new Map(providers) };
}
