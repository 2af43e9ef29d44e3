import { acknowledge, type Alarm, loadAlarms, loadMaintenance, type Maintenance } from './care/alarms';
import { loadDrafts, type Draft } from './care/drafting';
import { LedgerWatch } from './care/ledger_watch';
import { type Mark, signMark } from './care/outcomes';
import { deviceKeyOf, Records } from './care/records';
import { loadResidents, type Resident } from './care/residents';
import { homeRow, type HubPresence, type Row, tonight, type TonightInput } from './care/tonight';
import type { Bytes } from './protocol/bytes';
import { type Json, isObject, type JsonObject } from './protocol/json';
import { orderHash } from './protocol/order';
import type { Assignment } from './protocol/payloads';
import { Problem } from './protocol/problem';
import type { TrustWithHomes } from './protocol/proof';
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
import { makeViewOrder, type ViewKind } from './view/ask';
import { Supervision } from './view/supervision';

// The whole app's state, and the one place that builds the parts. Pages read it and are drawn again when it changes.

// What is being looked at: the row it was begun from, and how its outcome is coming along.
export interface Looking {
  row: Row;
  kind: ViewKind;
  camera: string;
  hasRetried: boolean;
  mark: { state: '' | 'signing' | 'proving' | 'proven' | 'failed'; type: Mark['type'] | ''; reason: string; hash: string };
}

export type AppState = 'starting' | 'login' | 'ready' | 'failed';

const kTrustMs = 60_000;
const kRedrawMs = 5_000;
const kGatherMs = 150; // several "changed" in a row are one reload
const kRetryOnce = ['unknown_head', 'unknown_challenge'];

export class App {
  state: AppState = 'starting';
  reason = '';
  session: Session | null = null;
  records = new Records();
  residents = new Map<string, Resident>();
  hubs = new Map<string, HubPresence>();
  drafts: Draft[] = [];
  alarms: Alarm[] = [];
  maintenance: Maintenance[] = [];
  alarmProblem = ''; // why the alarms are not known
  ledger: LedgerWatch | null = null;
  view: Supervision | null = null;
  looking: Looking | null = null;
  isOnline = false;
  isLoaded = false;
  loadProblem = ''; // why the newest reload failed

  private config!: Config;
  private trust!: TrustStore;
  private live: Live | null = null;
  private activity: ActivityWatch | null = null;
  private readonly asked = new Set<string>(); // the views this page has asked for
  private readonly listeners = new Set<() => void>();
  private readonly viewListeners = new Set<() => void>();
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  private loading: Promise<void> | null = null;
  private leaving: Promise<void> | null = null;
  private isStale = false;
  api!: Api;

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // Changes of the running view alone, many a second.
  subscribeView(listener: () => void): () => void {
    this.viewListeners.add(listener);
    return () => this.viewListeners.delete(listener);
  }

  changed = (): void => this.listeners.forEach((listener) => listener());

  private set(state: AppState, reason = ''): void {
    this.state = state;
    this.reason = reason;
    this.changed();
  }

  // ---- from nothing to a session

  refuse(reason: string): void {
    this.set('failed', reason);
  }

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

  // Leaves nothing but what memory.ts keeps. Once for each session: what else notices meanwhile that it is over must not
  // take the key of the next login.
  logOut(reason = ''): Promise<void> {
    if (!this.session) return Promise.resolve();
    this.leaving ??= this.leave(reason).finally(() => void (this.leaving = null));
    return this.leaving;
  }

  private async leave(reason: string): Promise<void> {
    this.view?.stop();
    this.live?.close();
    this.activity?.stop();
    for (const timer of this.timers) clearInterval(timer);
    await deleteStaffKey();
    await this.api.call('DELETE', '/v1/session').catch(() => null);
    this.api.token = null;
    Object.assign(this, {
      session: null, records: new Records(), residents: new Map(), hubs: new Map(), drafts: [], alarms: [], maintenance: [], alarmProblem: '', ledger: null, view: null, looking: null, isLoaded: false, loadProblem: '',
    });
    this.timers.splice(0, this.timers.length, setInterval(() => void this.refreshTrust(), kTrustMs));
    this.set('login', reason);
  }

  // ---- what is known

  now = (): Instant => this.session?.now() ?? Date.now();

  trustContext = (): TrustWithHomes => this.trust.context(this.now());

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
    return this.trust.warning(this.now()) || this.loadProblem || this.ledger?.problem || (this.records.withheld.size > 0 ? 'orders_withheld' : '') || (this.session && !this.session.maySign ? 'unknown_kid' : '');
  }

  rights(): { role: Role; groups: string[] }[] {
    if (!this.session) return [];
    return currentRights(this.session.me, { ...this.trustContext(), rightsOf: this.records.book.rightsOf }, this.now());
  }

  can = (role: Role, group?: string): boolean => hasRole(this.rights(), role, group);

  rows = (): Row[] => tonight(this.tonightInput());

  private tonightInput(): TonightInput {
    return {
      records: this.records, residents: this.residents, hubs: this.hubs, ledger: this.ledger, now: this.now(),
      mayView: (group) => this.can('operator', group) || this.can('planner', group) || this.can('care_manager', group),
    };
  }

  // ---- one supervision

  look(row: Row, camera: string, kind: ViewKind = 'view'): void {
    this.view?.stop();
    this.looking = { row, kind, camera, hasRetried: false, mark: { state: '', type: '', reason: '', hash: '' } };
    this.beginView();
  }

  // The install team's own look, before the home is accepted or under a pause; the hub wants its button held first.
  lookForTest(home: Assignment, camera: string): void {
    this.look(homeRow(this.tonightInput(), home), camera, 'test-view');
  }

  lookAgain(): void {
    if (this.looking) this.look(this.looking.row, this.looking.camera, this.looking.kind);
  }

  private beginView(): void {
    const { row, camera } = this.looking!;
    const home = row.home!;
    const view = new Supervision({
      hub: home.hub, deviceKey: deviceKeyOf(this.records.book, home.hub)!, resident: home.resident, camera,
      send: (message) => this.send(message),
      makeOrder: (viewerKey) => this.makeViewOrder(viewerKey),
      onChange: () => this.viewChanged(view),
      isEarlierOrder: (hash) => this.asked.has(hash),
    });
    this.view = view;
    this.changed();
    void view.start();
  }

  private makeViewOrder(viewerKey: Bytes) {
    const { row, kind, camera } = this.looking!;
    const home = this.records.book.assignmentOf(row.hub!)!.payload.body;
    const request = {
      session: this.session!, trust: this.trustContext(), records: this.records, ledger: this.ledger!, home, camera, kind,
      challenge: this.hubs.get(home.hub)?.challenge ?? null,
    };
    return makeViewOrder(request, viewerKey).then(async (made) => {
      this.asked.add(await orderHash(made.payloadText));
      return made;
    });
  }

  private viewChanged(view: Supervision): void {
    if (this.view !== view || !this.looking) return;
    const isToRetry = view.state === 'refused' && kRetryOnce.includes(view.reason) && !this.looking.hasRetried;
    if (isToRetry) {
      this.looking.hasRetried = true;
      void this.reload().then(() => this.view === view && this.beginView());
    }
    this.viewListeners.forEach((listener) => listener());
    if (!view.isRunning) this.changed();
  }

  closeView(): void {
    this.view?.stop();
    this.view = null;
    this.looking = null;
    this.changed();
  }

  // An operator goes there: the alarm of this window is taken.
  takeVisit(row: Row): Promise<void> {
    return this.sign('visit-taken', row, 'Åker dit', null, { state: '', type: '', reason: '', hash: '' });
  }

  // Somebody has spoken with the resident, who has paused.
  knowPause(row: Row): Promise<void> {
    return this.sign('pause-known', row, 'Har talat med den boende', null, { state: '', type: '', reason: '', hash: '' });
  }

  async takeAlarm(alarm: Alarm): Promise<void> {
    await acknowledge(this.api, alarm.id).catch(() => null); // the reload says who has it
    await this.reload();
  }

  mark(type: Mark['type'], text: string): Promise<void> {
    return this.sign(type, this.looking!.row, text, this.view?.answer?.hash ?? null, this.looking!.mark);
  }

  private async sign(type: Mark['type'], row: Row, text: string, answer: string | null, mark: Looking['mark']): Promise<void> {
    const tools = { api: this.api, session: this.session!, ledger: this.ledger!, book: this.records.book, provider: this.provider };
    const order = { type, resident: row.resident, group: row.group, window: row.window!, answer, text };
    Object.assign(mark, { state: 'signing', type, reason: '' });
    this.changed();
    try {
      mark.hash = await signMark(order, tools, () => {
        mark.state = 'proving';
        this.changed();
      });
      mark.state = 'proven';
    } catch (error) {
      Object.assign(mark, { state: 'failed', reason: error instanceof Problem ? error.reason : 'internal' });
    }
    this.changed();
    await this.reload();
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
      const isPausedByResident = status.paused_by_resident === true;
      this.hubs.set(value.hub, { isOnline: value.online === true, challenge, state: String(status.state ?? ''), isPausedByResident });
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
      const { session } = this;
      try {
        await this.loadOnce(session);
        this.loadProblem = '';
      } catch (error) {
        this.loadProblem = error instanceof Problem ? error.reason : 'internal';
        if (this.loadProblem === 'no_session' && this.session === session) await this.logOut('no_session');
      }
      this.changed();
    }
  }

  private async loadOnce(session: Session): Promise<void> {
    const [records] = await Promise.all([Records.load(this.api, this.trustContext()), this.ledger?.refresh()]);
    const residents = await loadResidents(this.api, records.book);
    const drafts = await loadDrafts(this.api);
    const alarms = await this.loadAlarms();
    if (this.session !== session) return; // logged out meanwhile
    Object.assign(this, { records, residents, drafts, ...alarms, isLoaded: true });
    if (this.looking && records.withheld.has(this.looking.row.resident)) this.view?.stop('orders_withheld');
    this.changed();
    await this.proveOutcomes();
  }

  // Without them the list still counts for itself, but the page must say so.
  private async loadAlarms(): Promise<Pick<App, 'alarms' | 'maintenance' | 'alarmProblem'>> {
    try {
      return { alarms: await loadAlarms(this.api), maintenance: await loadMaintenance(this.api), alarmProblem: '' };
    } catch {
      return { alarms: this.alarms, maintenance: this.maintenance, alarmProblem: 'alarms_unknown' };
    }
  }

  // An outcome counts once it has been found in the log.
  private async proveOutcomes(): Promise<void> {
    for (const { order, place } of this.records.outcomes) {
      await this.ledger?.prove(order, place).catch(() => undefined);
    }
    this.changed();
  }
}
