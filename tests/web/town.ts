import { b64, base64, type Bytes, concat, randomBytes, sha256, signedBytes, u32, u64, utf8, type Kind } from '@web/protocol/bytes';
import { keyId } from '@web/protocol/checkpoint';
import { canonicalJson, type Json, type JsonObject } from '@web/protocol/json';
import { nonceOf, type P256Jwk, thumbprint } from '@web/protocol/keys';
import { nameHash, orderHash, parseOrder, type Order } from '@web/protocol/order';
import { formatInstant, parseInstant } from '@web/protocol/time';
import { openBundle, openRootList, readFleetRoot, type Role } from '@web/protocol/trust';
import { parseJson } from '@web/protocol/json';

// A small municipality that signs everything for real: fleet root, root list, bundle, identity provider, staff and hubs.

export const kNow = parseInstant('2026-11-22T20:15:00Z');
export const at = (seconds: number): string => formatInstant(kNow + seconds * 1000);
export const kIssuer = 'https://idp.example';
export const kOtherIssuer = 'https://other.example';
export const kClient = 'tillsyn';

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' } as const;

export interface SigningKey {
  privateKey: CryptoKey;
  jwk: P256Jwk;
}

export async function makeKey(): Promise<SigningKey> {
  const pair = await crypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);
  const { x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  return { privateKey: pair.privateKey, jwk: { crv: 'P-256', kty: 'EC', x: x!, y: y! } };
}

export async function sign(key: CryptoKey, message: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, message));
}

export interface RootKey {
  privateKey: CryptoKey;
  publicKey: Bytes;
}

export async function makeRootKey(): Promise<RootKey> {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  return { privateKey: pair.privateKey, publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)) };
}

export async function ed25519(key: RootKey, message: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign('Ed25519', key.privateKey, message));
}

export async function sealTrust(kind: 'root-list' | 'bundle', payload: Json | string, keys: RootKey[]): Promise<string> {
  const text = typeof payload === 'string' ? payload : canonicalJson(payload);
  const signatures = await Promise.all(
    keys.map(async (key) => ({ key: b64(key.publicKey), sig: b64(await ed25519(key, signedBytes(kind, utf8(text)))) })),
  );
  return canonicalJson({ payload: text, signatures });
}

export interface TokenChange {
  claims?: JsonObject;
  header?: JsonObject;
  without?: string[];
  key?: CryptoKey;
}

export class Staff {
  readonly salt = randomBytes(32);
  token = '';

  constructor(
    readonly town: Town,
    readonly name: string,
    readonly key: SigningKey,
    readonly issuer = kIssuer,
  ) {}

  async logIn(change: TokenChange = {}): Promise<this> {
    const claims: JsonObject = {
      iss: this.issuer, sub: this.name, aud: kClient, acr: 'loa3', nonce: await nonceOf(this.key.jwk, this.salt), iat: kNow / 1000 - 50,
      auth_time: kNow / 1000 - 60, exp: kNow / 1000 + 300, ...change.claims,
    };
    for (const name of change.without ?? []) delete claims[name];
    const header = { alg: 'ES256', kid: 'k1', ...change.header };
    const input = `${b64(utf8(JSON.stringify(header)))}.${b64(utf8(JSON.stringify(claims)))}`;
    this.token = `${input}.${b64(await sign(change.key ?? this.town.idpKey.privateKey, utf8(input)))}`;
    return this;
  }

  async signature(payload: string): Promise<JsonObject> {
    const sig = b64(await sign(this.key.privateKey, signedBytes('order', utf8(payload))));
    return { sig, key: { ...this.key.jwk }, salt: b64(this.salt), proof: { id_token: this.token } };
  }
}

export class Hub {
  constructor(
    readonly key: SigningKey,
    readonly id: string,
  ) {}

  async seal(kind: Kind, payload: JsonObject): Promise<JsonObject> {
    const text = canonicalJson({ format: 1, type: kind, hub: this.id, ...payload });
    return { payload: text, sig: b64(await sign(this.key.privateKey, signedBytes(kind, utf8(text)))) };
  }
}

// What a log says of itself, signed (C2SP tlog-checkpoint).
export async function checkpointNote(key: RootKey, origin: string, size: number, root: Bytes): Promise<string> {
  const text = `${origin}\n${size}\n${base64(root)}\n`;
  const id = await keyId({ name: origin, publicKey: key.publicKey });
  return `${text}\n— ${origin} ${base64(concat(u32(id), await ed25519(key, utf8(text))))}\n`;
}

export type Signing = [Staff, Role];

export class Town {
  private constructor(
    readonly roots: RootKey[],
    readonly bundleKey: RootKey,
    readonly ledgerKey: RootKey,
    readonly idpKey: SigningKey,
  ) {}

  static async found(): Promise<Town> {
    return new Town([await makeRootKey(), await makeRootKey(), await makeRootKey()], await makeRootKey(), await makeRootKey(), await makeKey());
  }

  fleetRoot = (): JsonObject => ({ format: 1, threshold: 2, keys: this.roots.map((key) => b64(key.publicKey)) });

  rootListPayload(change: JsonObject = {}): JsonObject {
    const issuer = (url: string): JsonObject => ({
      issuer: url, client_id: kClient, authorization_endpoint: `${url}/auth`, token_endpoint: `${url}/token`, jwks_uri: `${url}/jwks`, ca: null,
      acr: ['loa3'], person_claim: 'sub', max_auth_age: 43200, new_key_delay: 86400,
      roles: ['operator', 'planner', 'care_manager', 'manager', 'rights_admin', 'installer', 'technician'],
    });
    return {
      format: 1, type: 'root-list', version: 3, issued_at: at(-86400), expires_at: at(200 * 86400),
      issuers: [issuer(kIssuer), { ...issuer(kOtherIssuer), roles: ['operator'] }],
      providers: [{
        id: 'nord', name: 'Nord', issuers: [kIssuer, kOtherIssuer],
        granters: [{ issuer: kIssuer, person: 'chef', role: 'manager' }, { issuer: kIssuer, person: 'ratt', role: 'rights_admin' }],
        ledger_origin: 'relay.example/nord', ledger_key: b64(this.ledgerKey.publicKey), app_origins: ['https://app.example'],
      }],
      relays: [{ host: 'relay.example:443', ca: null }], bundle_keys: [b64(this.bundleKey.publicKey)], floors: { order: 1, bundle: 1 }, ...change,
    };
  }

  bundlePayload(change: JsonObject = {}): JsonObject {
    const key = (kid: string): JsonObject => ({ jwk: { ...this.idpKey.jwk, kid, alg: 'ES256', use: 'sig' }, not_before: at(-86400 * 30), not_after: null });
    return {
      format: 1, type: 'bundle', root_list_version: 3, counter: 7, issued_at: at(-300), expires_at: at(6 * 86400),
      issuers: [{ issuer: kIssuer, keys: [key('k1'), { ...key('old'), not_after: at(-3600) }] }, { issuer: kOtherIssuer, keys: [key('k1')] }],
      revoked: { persons: [], keys: [], hubs: [] },
      providers: [{ id: 'nord', epoch: 1, checkpoint: null, hubs: [], homes_root: b64(new Uint8Array(32)) }], day_list: null, ...change,
    };
  }

  rootListEnvelope = (change: JsonObject = {}): Promise<string> => sealTrust('root-list', this.rootListPayload(change), this.roots.slice(0, 2));
  bundleEnvelope = (change: JsonObject = {}): Promise<string> => sealTrust('bundle', this.bundlePayload(change), [this.bundleKey]);

  async trust(bundleChange: JsonObject = {}, listChange: JsonObject = {}) {
    const rootList = await openRootList(await this.rootListEnvelope(listChange), readFleetRoot(parseJson(canonicalJson(this.fleetRoot()))));
    const bundle = await openBundle(await this.bundleEnvelope(bundleChange), rootList);
    return { rootList, bundle, provider: rootList.providers[0]! };
  }

  person = async (name: string, change: TokenChange = {}, issuer = kIssuer): Promise<Staff> =>
    new Staff(this, name, await makeKey(), issuer).logIn(change);

  async hub(): Promise<Hub> {
    const key = await makeKey();
    return new Hub(key, b64(await thumbprint(key.jwk)));
  }

  payload(people: Signing[], body: JsonObject): string {
    const signers = people.map(([{ issuer, name }, role]) => ({ issuer, person: name, role }));
    return canonicalJson({ format: 1, provider: 'nord', id: b64(randomBytes(16)), signed_at: at(0), signers, ...body });
  }

  async orderText(people: Signing[], body: JsonObject): Promise<string> {
    const payload = this.payload(people, body);
    return canonicalJson({ payload, signatures: await Promise.all(people.map(([person]) => person.signature(payload))) });
  }

  order = async (people: Signing[], body: JsonObject): Promise<Order> => parseOrder(await this.orderText(people, body));
}

export const right = (role: Role, groups = ['*'], from = at(-3600), to = at(86400)): JsonObject => ({ role, groups, from, to });

export const grantBody = (person: string, rights: JsonObject[], more: JsonObject = {}): JsonObject => ({
  type: 'grant', version: 1, replaces: null, issuer: kIssuer, person, rights, reason: 'ny', ...more,
});

// The members of a home's orders, one resident with one hub.
export class HomeMaker {
  readonly resident = b64(randomBytes(16));
  readonly home = b64(randomBytes(16));
  readonly salt = randomBytes(32);
  readonly group = 'natt';

  constructor(readonly hub: Hub) {}

  private place = (): JsonObject => ({ version: 1, replaces: null, resident: this.resident, home: this.home, group: this.group });

  device = (more: JsonObject = {}): JsonObject => ({
    type: 'device', version: 1, replaces: null, hub: this.hub.id, device_key: { ...this.hub.key.jwk }, board: 'bench', ...more,
  });
  assignment = (more: JsonObject = {}): JsonObject => ({
    type: 'assignment', ...this.place(), hub: this.hub.id, code: 'ACDE', cameras: [{ id: 'cam1', identifier: 'HJKMNP' }], ...more,
  });
  acceptance = (assignment: string, more: JsonObject = {}): JsonObject => ({
    type: 'acceptance', ...this.place(), hub: this.hub.id, assignment, checklist: [{ item: 'bild', passed: true }], ...more,
  });
  consent = async (more: JsonObject = {}): Promise<JsonObject> => ({
    type: 'consent', ...this.place(), withdrawn: false, decision: { from: '2026-01-01', to: null }, consent: { from: '2026-01-01', to: '2026-12-31' },
    informed: { by: 'vera', how: 'muntligt' }, permitted: { start: '21:00', minutes: 600 }, supervisions_per_day: 3, max_minutes_per_day: 60,
    name_hash: await nameHash(this.salt, 'Ulla Lind', 'Storgatan 1'), timezone: 'Europe/Stockholm', ...more,
  });
  withdrawal = (more: JsonObject = {}): JsonObject => ({ type: 'consent', ...this.place(), withdrawn: true, ...more });
  schedule = (more: JsonObject = {}): JsonObject => ({
    type: 'schedule', ...this.place(), timezone: 'Europe/Stockholm', valid_from: '2026-01-01', valid_to: null,
    windows: [{ id: 'w1', days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], start: '21:10', minutes: 15 }], exceptions: [], ...more,
  });
  pause = (more: JsonObject = {}): JsonObject => ({ type: 'pause', ...this.place(), until: at(48 * 3600), reason: 'sjukhus', ...more });
  resume = (more: JsonObject = {}): JsonObject => ({ type: 'resume', ...this.place(), ...more });
  release = (more: JsonObject = {}): JsonObject => ({ type: 'release', ...this.place(), hub: this.hub.id, reason: 'flyttar', ...more });
  view = (more: JsonObject = {}): JsonObject => ({
    type: 'view', hub: this.hub.id, resident: this.resident, group: this.group, camera: 'cam1', viewer_key: b64(concat(Uint8Array.of(4), randomBytes(64))),
    challenge: b64(randomBytes(32)), bundle: { root_list_version: 3, counter: 7 }, head: b64(randomBytes(32)),
    checkpoint: { size: 0, root: b64(randomBytes(32)) }, ...more,
  });
  completed = (more: JsonObject = {}): JsonObject => ({
    type: 'completed', resident: this.resident, group: this.group, window: { id: 'w1', date: '2026-11-22' }, answer: b64(randomBytes(32)), note: null, ...more,
  });
}

// ---- the hub's side of a view, made independently of the app's

const hmac = async (key: Bytes, data: Bytes): Promise<Bytes> => {
  const imported = await crypto.subtle.importKey('raw', key.length > 0 ? key : new Uint8Array(1), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data));
};

const kem = concat(utf8('KEM'), Uint8Array.of(0, 0x10));
const suite = concat(utf8('HPKE'), Uint8Array.of(0, 0x10, 0, 1, 0, 2));
const extract = (id: Bytes, salt: Bytes, label: string, ikm: Bytes) => hmac(salt, concat(utf8('HPKE-v1'), id, utf8(label), ikm));
const expand32 = (id: Bytes, prk: Bytes, label: string, info: Bytes, size = 32) =>
  hmac(prk, concat(Uint8Array.of(0, size), utf8('HPKE-v1'), id, utf8(label), info, Uint8Array.of(1))).then((out) => out.slice(0, size));

// RFC 9180 SealBase and SenderExport to a P-256 point.
export async function hpkeSeal(recipient: Bytes, info: Bytes, plaintext: Bytes) {
  const ecdh = { name: 'ECDH', namedCurve: 'P-256' };
  const pair = (await crypto.subtle.generateKey(ecdh, true, ['deriveBits'])) as CryptoKeyPair;
  const enc = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const peer = await crypto.subtle.importKey('raw', recipient, ecdh, false, []);
  const dh = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: peer }, pair.privateKey, 256));
  const none = new Uint8Array();
  const shared = await expand32(kem, await extract(kem, none, 'eae_prk', dh), 'shared_secret', concat(enc, recipient));
  const context = concat(Uint8Array.of(0), await extract(suite, none, 'psk_id_hash', none), await extract(suite, none, 'info_hash', info));
  const secret = await extract(suite, shared, 'secret', none);
  const key = await crypto.subtle.importKey('raw', await expand32(suite, secret, 'key', context), 'AES-GCM', false, ['encrypt']);
  const iv = await expand32(suite, secret, 'base_nonce', context, 12);
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plaintext));
  const exporter = await expand32(suite, secret, 'exp', context);
  return { enc, sealed, lifeKey: await expand32(suite, exporter, 'sec', utf8('tillsyn life v1')) };
}

async function hkdf512(ikm: Bytes, info: Bytes, size: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', ikm, 'HKDF', false, ['deriveBits']);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-512', salt: new Uint8Array(), info }, key, size * 8));
}

export interface FrameInput {
  ctr: number;
  flags: number;
  capture: number;
  echo?: number;
  data?: Bytes;
}

// One frame as the hub sends it. CTR up to 255.
export async function sealFrame(streamKey: Bytes, stream: Bytes, { ctr, flags, capture, echo = 0, data = utf8('picture') }: FrameInput): Promise<Bytes> {
  const suffix = concat(u64(0), Uint8Array.of(0, 5));
  const key = await crypto.subtle.importKey('raw', await hkdf512(streamKey, concat(utf8('SFrame 1.0 Secret key '), suffix), 32), 'AES-GCM', false, ['encrypt']);
  const iv = await hkdf512(streamKey, concat(utf8('SFrame 1.0 Secret salt '), suffix), 12);
  iv[11]! ^= ctr;
  const header = ctr < 8 ? Uint8Array.of(ctr) : Uint8Array.of(8, ctr);
  const additionalData = concat(header, stream, Uint8Array.of(flags), u64(capture));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, concat(u64(echo), data)));
  const rest = concat(Uint8Array.of(flags), u64(capture), header, sealed);
  return concat(u32(rest.length), rest);
}

export { b64, orderHash, sha256 };
