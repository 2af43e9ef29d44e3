// Prints what the relay costs, each measure beside its baselines, measured in the same run. See README.md.
//
//   node tests/bench/run_relay.mjs [ledger] [fleet] [stream] [list] [proofs] [alarm]      those alone
import {mkdtempSync, rmSync} from 'node:fs';
import {loadavg, tmpdir} from 'node:os';
import {join} from 'node:path';
import {Town} from '../e2e/lib/town.mjs';
import {tonight, windowToAlarm} from './lib/care_measures.mjs';
import {enrolFleet} from './lib/fleet.mjs';
import {median, ratio} from './lib/figures.mjs';
import * as measure from './lib/relay_measures.mjs';
import {streams} from './lib/stream_measures.mjs';

const hubs = Number(process.env.TILLSYN_BENCH_HUBS ?? 6000);
const rate = hubs / 3;
const seconds = Number(process.env.TILLSYN_BENCH_SECONDS ?? 20);
const residents = Number(process.env.TILLSYN_BENCH_RESIDENTS ?? 2000);
const logEntries = Number(process.env.TILLSYN_BENCH_ENTRIES ?? 1e7);
const groups = 20;
const views = 12;
const slowDisk = ['strace', '-f', '--seccomp-bpf', '-qq', '-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:delay_exit=2ms', '-o', '/dev/null'];

const line = (name, value) => console.log(`  ${name.padEnd(44)} ${value}`);
const title = (text) => console.log(`\n${text}; load ${loadavg()[0].toFixed(1)}`);

async function inTown(work) {
  const dir = mkdtempSync(join(tmpdir(), 'tillsyn-bench-relay-'));
  const town = new Town(dir);
  try {
    await town.start();
    await work(town);
  } finally {
    await town.stop();
    if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
  }
}

function printLedger(words, {ours, entries, single, raw}) {
  title(`Durable ledger entries, 256 waiting, ${words} (${entries} entries, all there afterwards)`);
  line('relay: entries a second', ours);
  line('baseline: SQLite, one row a transaction', single);
  line('TIMES single inserts', ratio(ours, single));
  line('baseline: lines appended, 256 an fdatasync', raw);
  line('TIMES raw append', ratio(ours, raw));
}

async function ledger(town) {
  printLedger('this disk', await measure.ledger(town));
  printLedger('a disk that takes 2 ms more', await measure.ledger(town, slowDisk));
}

async function fleet(town) {
  const began = Date.now();
  const file = await enrolFleet(town, hubs);
  console.log(`\n${hubs} hubs enrolled in ${((Date.now() - began) / 1000).toFixed(0)} s`);

  const {down, back, refused, failed} = await measure.restart(town, file, hubs);
  title(`${hubs} hubs coming back after the relay was started again: none lost`);
  line('relay away', `${down} ms`);
  line('from its first moment until all are back', `${back} ms (${failed} handshakes not taken at first, ${refused} polls refused)`);

  const held = await measure.memory(town, file, hubs);
  title(`Memory of a held hub (${hubs} held)`);
  for (const [name, kib] of Object.entries(held)) line(name, `${kib.toFixed(1)} KiB`);
  for (const name of Object.keys(held).slice(1)) line(`RATIO memory, against ${name}`, ratio(held.relay, held[name]));

  const {relay, nginx} = await measure.heartbeats(town, file, hubs, rate, seconds);
  title(`CPU of ${hubs} connections asking ${rate.toFixed(0)} times a second in all`);
  line('relay', `${relay.cpu.toFixed(0)} ms a second (${relay.answers.toFixed(0)} answers, ${relay.refused.toFixed(0)} refused)`);
  line('baseline: nginx, a constant', `${nginx.cpu.toFixed(0)} ms a second (${nginx.answers.toFixed(0)} answers)`);
  line('RATIO CPU of a heartbeat', ratio(relay.cpu / relay.answers, nginx.cpu / nginx.answers));
}

async function stream(town) {
  const {relay, haproxy, copy} = await streams(town, views, seconds);
  title(`CPU of a forwarded stream: ${views} of 1 Mbit/s for ${seconds} s, every picture there`);
  const each = (cpu) => `${(cpu / views).toFixed(2)} ms a second`;
  line('relay', each(relay));
  line('baseline: haproxy, TLS to TLS in TCP mode', each(haproxy));
  line('RATIO CPU of a stream, against haproxy', ratio(relay, haproxy));
  line('limit: copied through AES-256-GCM', each(copy));
  line('RATIO CPU of a stream, against the limit', ratio(relay, copy));
}

async function proofs(town) {
  const {entries, lookup, inclusion, consistency} = await measure.proofs(town, logEntries);
  title(`Proofs from a log of ${entries} entries, each verified`);
  line('baseline: one hash looked up', `${lookup.toFixed(0)} us`);
  line('inclusion', `${inclusion.toFixed(0)} us, RATIO ${ratio(inclusion, lookup)}`);
  line('consistency', `${consistency.toFixed(0)} us, RATIO ${ratio(consistency, lookup)}`);
}

async function alarm(town) {
  const delays = await windowToAlarm(town, 20);
  title(`From a window's end until a staff page has the alarm (${delays.length} residents)`);
  line('median, longest', `${median(delays)} ms, ${Math.max(...delays)} ms`);
}

async function list(town) {
  const {list: tonights, page, constant, bytes, items} = await tonight(town, residents, groups, 20);
  title(`Tonight's list for a group of ${residents / groups} among ${residents} residents (${items} rows, ${bytes} bytes)`);
  line('relay: /v1/tonight', `${tonights.toFixed(1)} ms`);
  line('relay: /v1/supervisions', `${page.toFixed(1)} ms`);
  line('baseline: nginx, the same bytes', `${constant.toFixed(1)} ms`);
  line("RATIO tonight's list", ratio(tonights, constant));
}

const measures = {ledger, fleet, stream, list, proofs, alarm};
const asked = process.argv.slice(2);
console.log(`load ${loadavg().map((value) => value.toFixed(1)).join(' ')}; a ratio on a busy machine is a guess`);
for (const name of asked.length > 0 ? asked : Object.keys(measures)) await inTown(measures[name]);
