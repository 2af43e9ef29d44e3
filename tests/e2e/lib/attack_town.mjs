// A town whose relay is in an enemy's hands: what every file of attacks begins with.
import {execFile} from 'node:child_process';
import {rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {launch, logIn, mark, newPage} from './chromium.mjs';
import {MaliciousRelay} from './malicious_relay.mjs';
import {notePaint} from './paint_notes.mjs';
import {until} from './processes.mjs';
import {enrolHub, localTime, moveIn, schedule, staffTown} from './provision.mjs';
import {Town} from './town.mjs';
import {look, row, untilPainted, viewState} from './view_page.mjs';

const run = promisify(execFile);
export const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

const people = [{name: 'Astrid Testsson', address: 'Provgatan 1'}, {name: 'Bror Testsson', address: 'Provgatan 2'}];

export class AttackTown {
  // Hubs by name, each with a resident and an open window of an hour, begun two minutes ago.
  static async start(name, {hubs = ['one']} = {}) {
    const made = new AttackTown();
    made.dir = join(tmpdir(), `tillsyn-${name}-${process.pid}`);
    made.town = new Town(made.dir, {front: (town) => new MaliciousRelay(town).start(town.relayPort)});
    try {
      await made.#provision(hubs);
    } catch (error) {
      await made.stop();
      throw error;
    }
    return made;
  }

  async #provision(names) {
    const {town} = this;
    await town.start();
    await staffTown(town);
    for (const name of names) this[name] = await town.addHub(name);
    for (const name of names) await enrolHub(town, this[name]);
    await town.makeBundle();
    for (const [i, name] of names.entries()) await moveIn(town, this[name], people[i]);
    for (const name of names) await schedule(town, this[name], [{id: 'w1', days: every, start: localTime(-2).time, minutes: 60}]);
    await town.makeBundle();
  }

  get front() { return this.town.front; }

  async stop() {
    this.honest();
    await this.browser?.close();
    await this.town.stop();
    this.front?.stop?.();
    if (!process.env.TILLSYN_KEEP) rmSync(this.dir, {recursive: true, force: true});
  }

  honest() { if (this.front?.bend) this.front.bend = {}; }

  // A page of an operator, logged in, that sees its hubs.
  async openPage({user = 'anna.berg', clockOffsetMs = 0} = {}) {
    this.browser ??= await launch(this.town);
    const page = await newPage(this.browser);
    await notePaint(page, {clockOffsetMs});
    await logIn(page, this.town, user);
    for (const hub of this.town.hubs) await this.online(page, hub);
    return page;
  }

  online(page, hub) {
    return until(`${hub.name} online`, async () => (await row(page, hub.resident.resident).first().getAttribute('data-online')) === 'true', 40000);
  }

  async closeView(page) { if (await mark(page, 'view-close').isVisible()) await mark(page, 'view-close').click(); }

  // Presses Titta at the list.
  async look(page, hub = this.one) {
    await this.closeView(page);
    await this.online(page, hub);
    await look(page, hub.resident.resident);
  }

  // The control: with an honest relay the same press gives a picture.
  async seesPicture(page, hub = this.one, pictures = 3) {
    this.honest();
    await this.look(page, hub);
    await untilPainted(page, pictures);
    return viewState(page);
  }

  // Makes and publishes the next bundle as the timer would; -> what tillsyn-admin said, alarms and all.
  async makeBundle(...more) {
    const {town} = this;
    const bundle = town.path('bundle.json');
    const {stderr} = await run(join(town.bin, 'tillsyn-admin'), ['trust', 'make', '--root-list', town.path('root-list.json'), '--fleet-root', town.path('fleet-root.json'),
      '--bundle-key', town.path('bundle.key'), '--previous', bundle, '--relay', town.relay, '--out', bundle, ...more]);
    await town.publish('bundle');
    return stderr;
  }

  async entries() {
    return (await this.town.staff.granskare.get('/v1/ledger/entries?limit=1000')).json().items.map((text) => JSON.parse(text));
  }
  entry(what, probe, ms = 45000) { return until(`ledger: ${what}`, async () => (await this.entries()).find(probe), ms, 200); }

  // The hub's own words, as they pass the relay: a receipt, an answer, an event.
  said(hub, kind, what, probe, ms = 15000) { return until(`${hub.name} ${kind}: ${what}`, () => this.front.documents(hub, kind).find(probe), ms); }
}
