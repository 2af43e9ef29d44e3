// One night, driven: operators look or do not, faults are planted and mended, alarms that ask for a visit get one.
import {random} from '../../e2e/lib/crypto.mjs';
import {postOrder} from '../../e2e/lib/person.mjs';
import {night} from './plan.mjs';

const minute = 60000;
const iso = (ms) => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
const slow = 4;  // a relay that is started again takes some seconds of the night, as it does in truth

// What the provider's system has been told since it was asked last; a message that was sent again is the same one.
function newMessages(side) {
  const {tries} = side.receiver;
  const told = (side.told ??= new Set());
  const fresh = tries.splice(0).filter(({id}) => !told.has(id) && told.add(id));
  return fresh.map(({body}) => body);
}

export class Night {
  constructor(municipality, dice, {begin, date, faults, windows}) {
    Object.assign(this, {municipality, dice, begin, date, faults, windows, clock: municipality.clock});
    this.steps = [];
    this.running = new Set();
    this.failed = [];
  }

  // Ends when the night has, with all that was planted mended and all that was due done; `heard` gets every alarm raised.
  async run(heard) {
    this.heard = heard;
    for (const one of this.windows) this.#planLook(one);
    for (const fault of this.faults) this.#planFault(fault);
    for (let at = 0; at < night.ends; at += 0.25) this.#at(at, () => this.#readAlarms());
    this.steps.sort((a, b) => a.at - b.at);
    for (const {at, act} of this.steps) {
      await this.clock.until(this.begin + at * minute);
      this.#start(act);
    }
    await Promise.all(this.running);
    if (this.failed.length > 0) throw this.failed[0];
  }

  #at(minutes, act) { this.steps.push({at: minutes, act}); }
  #start(act) {
    const task = Promise.resolve().then(act).catch((error) => this.failed.push(error)).finally(() => this.running.delete(task));
    this.running.add(task);
  }

  #operator(side) { return side.staff[`operator${Math.floor(this.dice.next() * side.operators)}`]; }

  #planLook({home, window, becomes}) {
    if (becomes !== 'completed') return;
    const operator = this.#operator(home.side);
    this.#at(window.offset + this.dice.between(0.1, window.minutes - 1), () => this.#sign(home, window, operator, {type: 'completed', answer: random(32), note: null}));
  }

  #sign({side, at: {resident, group}}, {id}, operator, members) {
    return postOrder(side, [[operator, 'operator']], {resident, group, window: {id, date: this.date}, ...members});
  }

  // The provider's own system has been told; whoever is on duty drives there.
  #readAlarms() {
    for (const side of this.municipality.sides) {
      for (const {type, data} of newMessages(side)) if (type === 'alarm_raised') this.#take(side, data);
    }
  }

  #take(side, data) {
    this.heard(side.provider, data);
    const asksForVisit = data.kind === 'missing_outcome' || (data.kind === 'hub_missing' && data.reason !== 'hub_lost');
    const home = side.homes.find(({at}) => at.resident === data.resident);
    if (!asksForVisit || !home || data.window.date !== this.date) return;
    this.#start(async () => {
      await this.clock.until(this.clock.now() + 20000);
      await this.#sign(home, data.window, this.#operator(side), {type: 'visit-taken', reason: 'åker dit'});
    });
  }

  #planFault(fault) {
    const [home] = fault.homes;
    switch (fault.kind) {
      case 'hub_lost':
      case 'area_lost':
      case 'maintained':
        this.#at(fault.during[0], () => this.#silence(fault));
        return this.#at(fault.during[1], () => { for (const {hub} of fault.homes) hub.start(); });
      case 'no_receipt':
        this.#at(fault.during[0], () => this.#withhold(fault, home));
        return this.#at(fault.during[1], () => { home.hub.deaf = false; });
      case 'released': return this.#at(fault.at, () => this.#release(home));
      case 'paused': return this.#at(fault.at, () => this.#pause(home));
      case 'no_windows': return this.#at(10, () => this.#withdraw(fault));
      case 'restart': return this.#at(fault.at, () => this.#restart());
    }
  }

  #silence(fault) {
    for (const {hub} of fault.homes) hub.silence();
    fault.since = this.clock.now();
  }

  // The hub hears of nothing new for a while; a schedule that says the same is signed meanwhile.
  async #withhold(fault, home) {
    home.hub.deaf = true;
    const signed = await this.municipality.plan(home);
    home.schedule = signed;
    Object.assign(fault, {order: signed.hash, since: this.clock.now()});
  }

  async #release(home) {
    const {side, hub, at, assignment} = home;
    home.released = true;
    await postOrder(side, [[side.staff.larmteam, 'installer'], [side.staff.bistand, 'care_manager']], {
      type: 'release', version: 2, replaces: assignment.hash, hub: hub.id, ...at, reason: 'flyttat'});
    home.releasedAt = this.clock.now();
  }

  async #pause(home) {
    const {side, at} = home;
    const pause = {type: 'pause', version: (home.pause?.version ?? 0) + 1, replaces: home.pause?.hash ?? null, ...at, until: iso(this.begin + 70 * minute), reason: 'sjukhus'};
    home.pause = {...(await postOrder(side, [[side.staff.planerare, 'planner']], pause)), version: pause.version};
  }

  #withdraw({side, at, consent}) {
    return postOrder(side, [[side.staff.bistand, 'care_manager']], {type: 'consent', version: 2, replaces: consent.hash, ...at, withdrawn: true});
  }

  async #restart() {
    const {town, pace} = this.municipality;
    await pace.slowly(slow, async () => {
      await town.processes.stop(town.relayProcess, 'SIGKILL');
      await town.startRelay(town.relayPort);
    });
  }
}
