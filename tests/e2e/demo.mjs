// The demo: a municipality from nothing, every order signed in the staff app by the person whose task it is.
import {accessSync, existsSync, mkdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {spkiHash} from './lib/certs.mjs';
import {launch, logIn, mark, newPage} from './lib/chromium.mjs';
import {now, random} from './lib/crypto.mjs';
import {until} from './lib/processes.mjs';
import {code, localTime, right} from './lib/provision.mjs';
import {asPerson, compose, signDrafts} from './lib/signing_page.mjs';
import {recording, root, Town} from './lib/town.mjs';
import {look, row, untilPainted, untilRefused, untilView} from './lib/view_page.mjs';

const play = process.argv.includes('--play');
const file = process.argv.slice(2).find((word) => !word.startsWith('--'));
const pictures = join(root, 'build/demo');
const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const started = Date.now();
const say = (text) => console.log(`${String(Math.round((Date.now() - started) / 1000)).padStart(4)} s  ${text}`);

const staff = {
  'tekniker': 'technician', 'larmteam': 'installer', 'bistand': 'care_manager', 'planerare': 'planner', 'anna.berg': 'operator',
  'bo.ek': 'operator', 'granskare': 'log_reviewer',
};
const homes = {
  ett: {name: 'Astrid Exempelsson', address: 'Påhittade gatan 1', group: 'natt'},
  tva: {name: 'Bror Exempelsson', address: 'Påhittade gatan 2', group: 'natt'},
};

function camera() {
  if (file) return {source: 'recording', path: file};
  if (play) return {source: 'recording', path: recording};
  const webcam = ['/dev/video0', '/dev/video1'].find((path) => { try { accessSync(path); return true; } catch { return false; } });
  return webcam ? {source: 'v4l2', path: webcam} : {source: 'room'};
}

// The order in which a provider comes to life; a line says who signs what.
async function firstDay(town, browser) {
  const sign = (name, tasks) => asPerson(browser, town, name, tasks);
  const [ett, tva] = [await town.addHub('ett', camera()), await town.addHub('tva', {source: 'room'})];
  const hubs = {ett, tva};
  for (const [key, home] of Object.entries(homes)) {
    Object.assign(home, {resident: random(16), home: random(16), code: code(4), identifier: code(6)});
    hubs[key].resident = home;
  }

  await sign('chef', async (page) => {
    for (const [person, role] of Object.entries(staff)) {
      await compose(page, {type: 'grant', issuer: town.issuer.issuer, person, rights: [right(role)], reason: 'anställd'}, {second: {person: 'rattighet', role: 'rights_admin'}});
    }
  });
  await sign('rattighet', (page) => signDrafts(page, Object.keys(staff).length));
  say('rights: ordered by the manager, granted by the rights administrator');

  for (const hub of [ett, tva]) {
    await sign('tekniker', async (page) => {
      await compose(page, {type: 'device', hub: hub.id, device_key: await hub.deviceKey(), board: 'bench'});
      await mark(page, 'nav-hubs').click();
      const card = page.locator(`[data-testid=hub][data-hub="${hub.id}"]`);
      await card.getByTestId('hub-code-make').click();
      await hub.enrol((await card.getByTestId('hub-code').innerText()).trim());
    });
  }
  say('hubs: named by the technician, enrolled with a one-time code each');

  for (const [key, home] of Object.entries(homes)) {
    await sign('larmteam', async (page) => {
      home.assignment = (await compose(page, {type: 'assignment', hub: hubs[key].id, resident: home.resident, home: home.home, group: home.group, code: home.code,
        cameras: [{id: 'cam1', identifier: home.identifier}]})).hash;
      await hubs[key].holdButton();
      await page.locator('[data-testid=sign-status][data-receipt=accepted]').waitFor();
    });
  }
  say('installed: each hub assigned on site, its button held');

  const day = now().slice(0, 10);
  await sign('bistand', async (page) => {
    for (const home of Object.values(homes)) {
      await compose(page, {type: 'consent', resident: home.resident, home: home.home, group: home.group, withdrawn: false, decision: {from: day, to: null},
        consent: {from: day, to: null}, informed: {by: 'bistand', how: 'muntligt, på plats'}, permitted: {start: '00:00', minutes: 1440}, supervisions_per_day: 4,
        max_minutes_per_day: 120, name_hash: random(32), timezone: 'Europe/Stockholm'}, {resident: home, second: {person: 'planerare', role: 'planner'}});
    }
  });
  await sign('planerare', (page) => signDrafts(page, 2));
  say('consent: signed by the care manager and a second person');

  await sign('larmteam', async (page) => {
    for (const [key, home] of Object.entries(homes)) {
      await compose(page, {type: 'acceptance', hub: hubs[key].id, resident: home.resident, home: home.home, group: home.group, assignment: home.assignment,
        checklist: [{item: 'Rätt bild, rätt beteckning', passed: true}, {item: 'Rätt person', passed: true}]});
    }
  });
  say('tested: the install team accepts both installations');

  const windows = {
    ett: [{id: 'kvall', days: every, start: localTime(-1).time, minutes: play ? 20 : 60}],
    tva: [{id: 'natt', days: every, start: localTime(150).time, minutes: 15}],
  };
  await sign('planerare', async (page) => {
    for (const [key, home] of Object.entries(homes)) {
      await compose(page, {type: 'schedule', resident: home.resident, home: home.home, group: home.group, timezone: 'Europe/Stockholm', valid_from: localTime(-1).date,
        valid_to: null, windows: windows[key], exceptions: []}, {second: {person: 'bistand', role: 'care_manager'}});
    }
  });
  await sign('bistand', (page) => signDrafts(page, 2));
  say('schedule: by the planner, seen by a second person');
  await town.makeBundle();
  return hubs;
}

async function night(town, browser) {
  const page = await newPage(browser);
  const shoot = (name) => page.screenshot({path: join(pictures, `${name}.png`)});
  const online = (home) => until('the hub has all orders', () => row(page, home.resident).first().evaluate((element) =>
    element.dataset.online === 'true' && !element.querySelector('[data-testid=row-pending]')), 30000);
  await logIn(page, town, 'anna.berg');
  await row(page, homes.ett.resident).waitFor();
  await online(homes.ett);
  await shoot('1-list');
  const pressed = Date.now();
  await look(page, homes.ett.resident);
  await untilPainted(page, 1);
  say(`live picture ${Date.now() - pressed} ms after the press`);
  await untilPainted(page, 40);
  await shoot('2-live');
  await mark(page, 'mark-completed').click();
  await page.locator('[data-testid=mark-status][data-state=proven]').waitFor();
  await shoot('3-completed');
  say('Tillsyn utförd, with a proof from the log');
  await mark(page, 'view-close').click();
  await online(homes.tva);
  await look(page, homes.tva.resident);
  const refused = await untilRefused(page);
  await shoot('4-refused');
  say(`outside the window: ${refused.reason}`);
  await mark(page, 'view-close').click();
  await row(page, homes.ett.resident).waitFor();
  await untilDone(page);
  await shoot('5-list-after');
  await page.context().close();
}

const untilDone = (page) => until('the row is done', async () => (await row(page, homes.ett.resident).first().getAttribute('data-state')) === 'done', 15000);

async function printLog(town) {
  const log = town.path('log.jsonl');
  await town.admin('ledger', 'export', '--relay', town.relay, '--fleet-root', town.path('fleet-root.json'), '--root-list', town.path('root-list.json'),
    '--bundle-key', town.path('bundle.key'), '--provider', town.provider, '--out', log);
  console.log(`\n${await town.admin('ledger', 'show', log)}`);
  console.log(await town.admin('ledger', 'verify', '--fleet-root', town.path('fleet-root.json'), '--root-list', town.path('root-list.json'), '--provider', town.provider, log));
}

function printWelcome(town) {
  const pins = [town.appTls, town.relayTls, town.idpTls].map(({cert}) => spkiHash(cert)).join(',');
  console.log(`
The staff app:  ${town.appOrigin}/
Its certificates are this run's own. Either trust ${town.ca.cert}, or start a browser that knows them:

  chromium ${process.getuid() === 0 ? '--no-sandbox ' : ''}--user-data-dir=$(mktemp -d) --ignore-certificate-errors-spki-list=${pins} ${town.appOrigin}/

Log in (any six digits as code):
  anna.berg, bo.ek     operators: tonight's list, Titta, Tillsyn utförd
  planerare, bistand   planner, care manager: schedules, consent, on "Underteckna"
  larmteam, tekniker   install team, technician
  chef, rattighet      manager, rights administrator
Hubs and logs lie in ${town.dir}. The hub's button: echo hold > ${town.path('hub-ett/button')}
Ctrl-C ends it all.`);
}

mkdirSync(pictures, {recursive: true});
if (file && !existsSync(file)) { console.error(`no such file: ${file}`); process.exit(2); }
const directory = join(pictures, 'town');
rmSync(directory, {recursive: true, force: true});
const town = new Town(directory);
let status = 0;
const end = async () => { await town.stop(); process.exit(status); };
process.once('SIGINT', end);
process.once('SIGTERM', end);
let browser;
try {
  await town.start();
  say('identity provider, relay, staff app and trust machine are up');
  browser = await launch(town);
  await firstDay(town, browser);
  if (play) {
    await night(town, browser);
    await printLog(town);
    say(`pictures in ${pictures}`);
  } else {
    await browser.close();
    printWelcome(town);
    setInterval(() => town.makeBundle().catch((error) => console.error(`bundle: ${error.message}`)), 600000);
    await new Promise(() => {});
  }
} catch (error) {
  console.error(`demo: ${error.message}\nThe programs' logs lie in ${directory}.`);
  status = 1;
}
await browser?.close();
await end();
