// What a hub costs where it stands: memory, wake-ups and bytes while nobody looks, memory while somebody does. See README.md.
import {execFile} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {loadavg, tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {PoorLink} from '../e2e/lib/poor_link.mjs';
import {enrolHub, localTime, moveIn, schedule, staffTown} from '../e2e/lib/provision.mjs';
import {Town} from '../e2e/lib/town.mjs';
import {Watcher} from '../e2e/lib/watching.mjs';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const idleSeconds = Number(process.env.TILLSYN_BENCH_IDLE_SECONDS ?? 60);
const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const line = (name, value) => console.log(`  ${name.padEnd(44)} ${value}`);

const rssKib = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const wakeUps = (pid) => readdirSync(`/proc/${pid}/task`).reduce((sum, task) =>
  sum + Number(/\nvoluntary_ctxt_switches:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))[1]), 0);
const pidsOf = (hub) => ({'tillsyn-gate': hub.gatePid(), 'tillsyn-link': hub.link.pid, 'tillsyn-fuse': hub.fuse.pid});

function printMemory(title, hub) {
  console.log(`\n${title}`);
  for (const [name, pid] of Object.entries(pidsOf(hub))) line(`${name}: resident memory`, `${(rssKib(pid) / 1024).toFixed(1)} MiB`);
}

async function idle(hub, way) {
  printMemory('Idle hub, enrolled and polling', hub);
  const pids = pidsOf(hub);
  const wakes = Object.values(pids).map(wakeUps);
  const before = await way.count();
  await pause(idleSeconds * 1000);
  const passed = await way.count();
  Object.entries(pids).forEach(([name, pid], i) => line(`${name}: wake-ups a second`, ((wakeUps(pid) - wakes[i]) / idleSeconds).toFixed(1)));
  const mib = (bytes) => (bytes * 86400 / idleSeconds / 2 ** 20).toFixed(1);
  line('IP bytes a day, to and from the relay', `${mib(passed.up.bytes - before.up.bytes)} + ${mib(passed.down.bytes - before.down.bytes)} MiB (counted for ${idleSeconds} s)`);
}

// A view, and beside it the memory of the same pipeline without a gate around it.
async function streaming(town, hub) {
  const near = await PoorLink.start(town.processes, 'near', 1);
  const watcher = await Watcher.start(town, near, town.staff['anna.berg'], hub);
  await pause(5000);
  printMemory('Hub with one view', hub);
  await watcher.end();
  const {stdout} = await run('python3', [join(here, 'lib/peak_memory.py'), join(town.bin, 'bench-pipeline'), '--recording', hub.cameraPath, '--seconds', '5', '--kbit', '800']);
  line('baseline for gate: same pipeline into a fakesink', `${(Number(stdout) / 1024).toFixed(1)} MiB at most`);
}

console.log(`load ${loadavg().map((value) => value.toFixed(1)).join(' ')}`);
const dir = mkdtempSync(join(tmpdir(), 'tillsyn-bench-hub-'));
const town = new Town(dir);
try {
  await town.start();
  await staffTown(town);
  const way = await PoorLink.start(town.processes, 'way', 1);
  const hub = await town.addHub('one', undefined, {linkUnder: way.under});
  await enrolHub(town, hub);
  await town.makeBundle();
  await moveIn(town, hub, {name: 'Astrid Testsson', address: 'Provgatan 1'});
  await schedule(town, hub, [{id: 'w1', days: every, start: localTime(-2).time, minutes: 60}]);
  await pause(5000);
  await idle(hub, way);
  await streaming(town, hub);
} finally {
  await town.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
}
