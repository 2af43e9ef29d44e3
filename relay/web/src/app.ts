import { loadDrafts, type Draft } from './care/drafting';
import { LedgerWatch } from './care/ledger_watch';
import { Records } from './care/records';
import { loadResidents, type Resident } from './care/residents';
import { type HubPresence, type Row, tonight } from './care/tonight';
import { type Json, isObject, type JsonObject } from './protocol/json';
import { Problem } from './protocol/problem';
import type { TrustContext } from './protocol/proof';
import { currentRights, hasRole } from './protocol/rights';
import type { Instant } from './protocol/time';
import type { Issuer, Role } from './protocol/trust';
import { ActivityWatch } from './session/activity';
import { Api } from './session/api';
import { appBase, type Config, loadConfig } from './session/config';
import { Live } from './session/live';
import { beginLogin, redeem, renewLogin, takeCallback } from './session/login';
import { openSession, type Session } from './session/session';
import { deleteStaffKey, findStaffKey, touchStaffKey } from './session/staff_key';
import { TrustStore } from './session/trust_store';
import type { Supervision } from './view/supervision';

// The whole app's state, and the one place that builds the parts. Pages read it and are drawn again when it changes.

export type AppState = 'starting' | 'login' | 'ready' | 'failed';

const kTrustMs = 60_000;
const kRedrawMs = 5_000;
const kGatherMs = 150; // several "changed" in a row are one reload

export class App {
  state: AppState = 'starting';
  reason = '';
  session: Session | null = null;
  records = new Records();
  residents = new Map<string, Resident>();
  hubs = new Map<string, HubPresence>();
  drafts: Draft[] = [];
  ledger: LedgerWatch | null = null;
  view: Supervision | null = null;
  isOnline = false;
  isLoaded = false;

  private config!: Config;
  private trust!: TrustStore;
  private live: Live | null = null;
  private activity: ActivityWatch | null = null;
  private readonly listeners = new Set<() => void>();
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  private loading: Promise<void> | null = null;
  private isStale = false;
  api!: Api;

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed = (): void => this.listeners.forEach((listener) => listener());

  private set(state: AppState, reason = ''): void {
    this.state = state;
    this.reason = reason;
    this.changed();
  }

  // ---- from nothing to a session

  async start(): Promise<void> {
    try {
      this.config = await loadConfig();
      this.api = new Api(this.config.relay);
      this.trust = new TrustStore(this.config);
      await this.trust.refresh();
      this.timers.push(setInterval(() => void this.refreshTrust(), kTrustMs), setInterval(this.changed, kRedrawMs));
      this.trust.context(Date.now());
    } catch (error) {
      return this.set('failed', error instanceof Problem ? error.reason : 'config_missing');
    }
    await this.resume();
  }

  // What the address and the kept key say: come back from the identity provider, reloaded, or new.
  private async resume(): Promise<void> {
    const url = new URL(location.href);
    history.replaceState(null, '', appBase());
    try {
      if (url.pathname.endsWith('/callback.html')) return await this.finishLogin(url);
      const key = await findStaffKey(this.config.inactivityMs);
      const issuer = this.issuers().find((candidate) => candidate.issuer === key?.issuer);
      if (key && issuer) return await renewLogin(issuer, key);
      this.set('login');
    } catch (error) {
      await deleteStaffKey();
      this.set('login', error instanceof Problem ? error.reason : 'internal');
    }
  }

  private async finishLogin(url: URL): Promise<void> {
    const callback = await takeCallback(url);
    const login = await redeem(this.api, callback, this.config.inactivityMs);
    this.session = await openSession(this.api, this.config, login, this.trustContext());
    this.ledger = new LedgerWatch(this.api, () => this.trustContext());
    this.activity = new ActivityWatch(
      this.config.inactivityMs, () => this.view?.state === 'live', () => void touchStaffKey(), () => void this.logOut('inactive'),
    );
    this.timers.push(setInterval(() => this.checkSessionAge(), kTrustMs / 4));
    this.connect();
    await this.reload();
    this.set('ready');
  }

  private checkSessionAge(): void {
    if (this.session && this.session.now() >= this.session.endsAt) void this.logOut('auth_too_old');
  }

  issuers(): Issuer[] {
    const { provider, rootList } = this.trust.context(Date.now());
    return rootList.issuers.filter((issuer) => provider.issuers.includes(issuer.issuer));
  }

  logIn = (issuer: Issuer): Promise<void> => beginLogin(issuer);

  // Leaves nothing but what memory.ts keeps. The page is loaded anew, so nothing stays in memory either.
  async logOut(reason = ''): Promise<void> {
    this.view?.stop();
    this.live?.close();
    this.activity?.stop();
    for (const timer of this.timers) clearInterval(timer);
    await deleteStaffKey();
    await this.api.call('DELETE', '/v1/session').catch(() => null);
    this.api.token = null;
    Object.assign(this, {
      session: null, records: new Records(), residents: new Map(), hubs: new Map(), drafts: [], ledger: null, view: null, isLoaded: false,
    });
    this.timers.splice(0, this.timers.length, setInterval(() => void this.refreshTrust(), kTrustMs));
    this.set('login', reason);
  }

  // ---- what is known

  now = (): Instant => this.session?.now() ?? Date.now();

  trustContext = (): TrustContext => this.trust.context(this.now());

  get provider(): string {
    return this.config.provider;
  }

  get providerName(): string {
    try {
      return this.trustContext().provider.name;
    } catch {
      return '';
    }
  }

  // What the page must say although it works; empty if nothing.
  warning(): string {
    try {
      this.trustContext();
    } catch (error) {
      if (error instanceof Problem) return error.reason;
      throw error;
    }
    return this.trust.warning(this.now()) || this.ledger?.problem || (this.session && !this.session.maySign ? 'unknown_kid' : '');
  }

  rights(): { role: Role; groups: string[] }[] {
    if (!this.session) return [];
    return currentRights(this.session.me, { ...this.trustContext(), rightsOf: this.records.book.rightsOf }, this.now());
  }

  can = (role: Role, group?: string): boolean => hasRole(this.rights(), role, group);

  rows(): Row[] {
    return tonight({
      records: this.records, residents: this.residents, hubs: this.hubs, ledger: this.ledger, now: this.now(),
      mayView: (group) => this.can('operator', group) || this.can('planner', group) || this.can('care_manager', group),
    });
  }

  // ---- keeping it fresh

  private async refreshTrust(): Promise<void> {
    await this.trust.refresh();
    if (this.session) await this.reload();
    this.changed();
  }

  private connect(): void {
    this.live = new Live(`${this.config.relay.replace('https:', 'wss:')}/v1/live`, this.api.token!, {
      onMessage: (message) => this.hear(message),
      onFrame: (frame) => this.view?.receiveFrame(frame),
      onState: (isOnline) => this.setOnline(isOnline),
    });
  }

  send: Live['send'] = (message) => this.live?.send(message) ?? false;

  private setOnline(isOnline: boolean): void {
    this.isOnline = isOnline;
    if (!isOnline) {
      this.hubs.clear();
      this.view?.connectionLost();
    }
    this.changed();
  }

  private hear(message: JsonObject): void {
    if (message.type === 'hubs') this.hearHubs(message.hubs ?? null);
    else if (message.type === 'changed') void this.reload();
    else if (message.type === 'problem' && message.code === 'no_session') void this.logOut('no_session');
    else this.view?.receive(message);
  }

  private hearHubs(hubs: Json): void {
    for (const value of Array.isArray(hubs) ? hubs : []) {
      if (!isObject(value) || typeof value.hub !== 'string') continue;
      const status = isObject(value.status) ? value.status : {};
      const challenge = typeof status.challenge === 'string' ? status.challenge : null;
      this.hubs.set(value.hub, { isOnline: value.online === true, challenge, state: String(status.state ?? '') });
    }
    this.changed();
  }

  // Fetches and judges everything anew; calls while one runs are gathered into one more.
  reload(): Promise<void> {
    this.isStale = true;
    this.loading ??= this.loadWhileStale().finally(() => void (this.loading = null));
    return this.loading;
  }

  private async loadWhileStale(): Promise<void> {
    while (this.isStale && this.session) {
      await new Promise((done) => setTimeout(done, this.isLoaded ? kGatherMs : 0));
      this.isStale = false;
      await this.loadOnce().catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        if (error.reason === 'no_session') return this.logOut('no_session');
      });
    }
  }

  private async loadOnce(): Promise<void> {
    const [records] = await Promise.all([Records.load(this.api, this.trustContext()), this.ledger?.refresh()]);
    this.records = records;
    this.residents = await loadResidents(this.api, records.book);
    this.drafts = await loadDrafts(this.api);
    this.isLoaded = true;
    this.changed();
    await this.proveOutcomes();
  }

  // An outcome counts once it has been found in the log.
  private async proveOutcomes(): Promise<void> {
    for (const { order, place } of this.records.outcomes) {
      await this.ledger?.prove(order, place).catch(() => undefined);
    }
    this.changed();
  }
}
