// What a poor link does to a view, and to the same camera at a constant rate with nobody who minds the delay; and how long a hub
// needs to tell what happened in a month alone. See README.md. Needs root.
import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {loadavg, tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {good, links, PoorLink} from '../e2e/lib/poor_link.mjs';
import {until} from '../e2e/lib/processes.mjs';
import {enrolHub, localTime, moveIn, schedule, staffTown} from '../e2e/lib/provision.mjs';
import {recording, Town} from '../e2e/lib/town.mjs';
import {figures, Watcher, words} from '../e2e/lib/watching.mjs';
import {pause, ratio, wallMinusRaw} from './lib/figures.mjs';

const {WebSocket} = createRequire(new URL('../e2e/package.json', import.meta.url))('ws');
const here = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);
const seconds = Number(process.env.TILLSYN_BENCH_LINK_SECONDS ?? 30);
const constantKbit = 800;  // what a view begins with
const month = Number(process.env.TILLSYN_BENCH_EVENTS ?? 6000);  // 200 a day: windows, views, and a link that comes and goes
const seed = 1;
const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const line = (name, value) => console.log(`  ${name.padEnd(44)} ${value}`);

// One view while its hub's link is so for a while, from when it has become so.
async function ours(town, way, near, hub, shape) {
  way.set(good);
  const watcher = await Watcher.start(town, near, town.staff['anna.berg'], hub);
  way.set(shape);
  const from = Date.now();
  await pause(seconds * 1000);
  const to = Date.now();
  const {pictures} = await watcher.end();
  return figures(pictures, from, to);
}

// The same pictures, at a constant rate, unencrypted, through the same link.
async function constant(town, way, shape) {
  const {child, ready} = await town.processes.startServer('plain-relay', 'node', [join(here, 'lib/plain_relay.mjs')]);
  const offset = await wallMinusRaw(town.bin);
  const viewer = new WebSocket(`ws://127.0.0.1:${ready.listening}/`);
  const pictures = [];
  viewer.on('message', (frame) => {
    const capture = Number(frame.readBigUInt64BE(5));
    pictures.push({at: Date.now(), age: Date.now() - (capture + offset)});
  });
  await new Promise((done) => viewer.on('open', done));
  way.set(good);
  const [command, ...args] = [...way.under, join(town.bin, 'bench-plain-camera'), '--recording', recording, '--port', String(ready.camera), '--seconds', '3600', '--kbit', String(constantKbit)];
  const camera = town.processes.start('plain-camera', command, args);
  await until('plain pictures', () => pictures.length > 10, 20000, 10);
  way.set(shape);
  const from = Date.now();
  await pause(seconds * 1000);
  const result = figures(pictures, from, Date.now());
  await town.processes.stop(camera, 'SIGKILL');
  viewer.terminate();
  await town.processes.stop(child);
  return result;
}

async function poorLinks(town, way, hub) {
  const near = await PoorLink.start(town.processes, 'near', seed);
  for (const [name, shape] of Object.entries(links)) {
    console.log(`\nLink "${name}": ${shape.rtt_ms} ms there and back, ${shape.loss * 100} % lost each way, ${shape.kbit} kbit/s; ${seconds} s`);
    const controlled = await ours(town, way, near, hub, shape);
    const alone = await constant(town, way, shape);
    line('one view', words(controlled));
    line(`baseline: ${constantKbit} kbit/s, whatever comes`, words(alone));
    line('RATIO delay, median and 95th percentile', `${ratio(controlled.median, alone.median)}, ${ratio(controlled.p95, alone.p95)}`);
    line('RATIO longest freeze', ratio(controlled.freeze, alone.freeze));
  }
}

// The number of the hub's last event, and of the last that the relay has made durable.
async function told(hub) {
  const sql = "SELECT (SELECT max(n) FROM event), (SELECT value FROM number WHERE name = 'events_acknowledged')";
  const read = 'import json,sqlite3,sys; print(json.dumps(sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute(sys.argv[2]).fetchone()))';
  return JSON.parse((await run('python3', ['-c', read, hub.path('gate/gate.db'), sql])).stdout);
}

// A month's events made while the hub stands still, and told once it runs again.
async function backlog(town, way, hub) {
  way.set(links.mobile);
  await hub.stop();
  const {stdout} = await run(join(town.bin, 'bench-backlog'), ['--state', hub.path('gate'), '--events', String(month)]);
  const made = JSON.parse(stdout.trim().split('\n').at(-1)).ms;  // below what the log says of itself
  const [last] = await told(hub);
  const before = await way.count();
  const began = Date.now();
  hub.startGate();
  hub.startLink();
  await until("everything told", async () => { const now = await told(hub); return now[1] >= last; }, 1800000, 2000);
  const took = Date.now() - began;
  const after = await way.count();
  console.log(`\nA month alone: ${month} events, told over the "mobile" link`);
  line('until the relay has made all durable', `${(took / 1000).toFixed(1)} s, ${((after.up.bytes - before.up.bytes) / 2 ** 20).toFixed(1)} MiB up`);
  line('baseline: to make them, one commit each', `${(made / 1000).toFixed(1)} s`);
  line('RATIO', ratio(took, made));
}

console.log(`load ${loadavg().map((value) => value.toFixed(1)).join(' ')}`);
const dir = mkdtempSync(join(tmpdir(), 'tillsyn-bench-links-'));
const town = new Town(dir);
try {
  await town.start();
  await staffTown(town);
  const way = await PoorLink.start(town.processes, 'way', seed);
  const hub = await town.addHub('one', undefined, {linkUnder: way.under});
  await enrolHub(town, hub);
  await town.makeBundle();
  await moveIn(town, hub, {name: 'Astrid Testsson', address: 'Provgatan 1'});
  await schedule(town, hub, [{id: 'w1', days: every, start: localTime(-2).time, minutes: 60}]);
  if (seconds > 0) await poorLinks(town, way, hub);
  await backlog(town, way, hub);
} finally {
  await town.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
}
