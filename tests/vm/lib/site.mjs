// A town, and in it one hub on a machine of its own.
import {mkdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {hashOf} from '../../e2e/lib/crypto.mjs';
import {until} from '../../e2e/lib/processes.mjs';
import {enrolHub, localTime, moveIn, schedule, staffTown} from '../../e2e/lib/provision.mjs';
import {ScriptedViewer} from '../../e2e/lib/scripted_viewer.mjs';
import {root, Town} from '../../e2e/lib/town.mjs';
import {verifiedPayloads} from '../../e2e/lib/verified_log.mjs';
import {imageInto, install, pack} from './install.mjs';
import {Machine} from './machine.mjs';
import {startTimeServer} from './time_server.mjs';
import {VmHub} from './vm_hub.mjs';

const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const hubLog = readFileSync(join(root, 'tests/fault/hub_log.py'));

export class Site {
  // Up to where a technician has installed the hub and not yet enrolled it.
  static async start() {
    const site = new Site();
    site.dir = join(tmpdir(), `tillsyn-vm-${process.pid}`);
    const build = process.env.TILLSYN_BUILD ?? join(root, 'build/pc-x86_64');
    site.town = new Town(site.dir, {build});
    try {
      await site.#start(build);
    } catch (error) {
      await site.stop();
      throw error;
    }
    return site;
  }

  async #start(build) {
    await this.town.start();
    await staffTown(this.town);
    const cd = await pack(this.town, build, await startTimeServer(this.town));
    const disk = this.town.path('machine');
    mkdirSync(disk);
    await imageInto(disk);
    this.machine = new Machine(this.town.processes, disk, cd);
    await this.machine.boot();
    await install(this.machine);
    this.hub = new VmHub(this.town, this.machine, 'one');
  }

  async stop() {
    await this.town.stop();
    if (!process.env.TILLSYN_KEEP) rmSync(this.dir, {recursive: true, force: true});
  }

  enrol() { return enrolHub(this.town, this.hub); }

  // A resident with an open window of four hours.
  async moveIn() {
    await this.town.makeBundle();
    await moveIn(this.town, this.hub, {name: 'Astrid Testsson', address: 'Provgatan 1'});
    await schedule(this.town, this.hub, [{id: 'w1', days: every, start: localTime(-2).time, minutes: 240}]);
    await this.town.makeBundle();
  }

  // Of somebody who logs in anew: a session without use does not outlive the machine's slow starts.
  async viewer(name = 'anna.berg') { return new ScriptedViewer(this.town, await this.town.staff[name].logIn()).connect(); }

  async #ask(name, path) {
    const answer = await this.town.staff[name].get(path);
    if (answer.status !== 401) return answer.json();
    return (await (await this.town.staff[name].logIn()).get(path)).json();
  }

  // Looks until there are pictures, as a person does who presses again; -> the viewer.
  async look() {
    const viewer = await this.viewer();
    const refusals = [];
    await until('pictures', async () => {
      try {
        const from = viewer.frames.length;
        const {answer, problem} = await viewer.view(this.hub);
        if (answer?.decision !== 'open') return void refusals.push(problem ?? answer.reason);
        await until('a picture', () => viewer.frames.length > from + 3, 12000, 10);
        return true;
      } catch (error) {
        refusals.push(error.message);  // the hub was not there, or not there any more
      }
    }, 180000, 500).catch((error) => { throw new Error(`${error.message}: ${refusals.slice(-5)}`); });
    return viewer;
  }

  async entries() {
    return (await this.#ask('granskare', '/v1/ledger/entries?limit=1000')).items.map((text) => JSON.parse(text));
  }

  entry(what, probe, ms = 60000) { return until(`ledger: ${what}`, async () => (await this.entries()).find(probe), ms, 500); }

  async countOf(what) { return (await this.entries()).filter((entry) => entry.what === what).length; }

  // What the hub's disk says, verified: {payloads, accepted}.
  async log() {
    const out = await this.machine.run(`base64 -d <<<${hubLog.toString('base64')} | python3 - /var/lib/tillsyn-gate/gate.db`);
    const {events, accepted} = JSON.parse(out);
    return {payloads: verifiedPayloads(events, await this.hub.deviceKey()), accepted};
  }

  // Hashes of what the hub has told the relay: its events, and the orders that it has said are accepted.
  async said() {
    const {items} = await this.#ask('chef', '/v1/orders');
    const receipts = items.flatMap((item) => item.receipts).map(({payload}) => JSON.parse(payload)).filter(({hub}) => hub === this.hub.id);
    const events = (await this.entries()).filter((entry) => entry.kind === 'event' && entry.hub === this.hub.id);
    return {events: events.map(({hash}) => hash), orders: receipts.filter(({verdict}) => verdict === 'accepted').map(({order}) => order)};
  }

  // Of which all must be on its disk still.
  async missing({events, orders}) {
    const {payloads, accepted} = await this.log();
    const kept = new Set(payloads.map((payload) => hashOf('event', payload)));
    return [...events.filter((hash) => !kept.has(hash)), ...orders.filter((hash) => !accepted.includes(hash))];
  }
}
