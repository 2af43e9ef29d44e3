// The measures of many hubs; each takes a town with an enrolled fleet and gives plain figures. A wrong or missing answer ends it.
import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {until} from '../../e2e/lib/processes.mjs';
import {Fleet} from './fleet.mjs';
import {pause} from './figures.mjs';
import {anonymousKib, hubsOf, ranMs} from './relay_figures.mjs';
import {startBare, startHaproxyHolding, startNginx} from './servers.mjs';

const run = promisify(execFile);
const patience = 120000;
const watched = {options: ['--watch', '127.0.0.1:0']};

// A program that measures by itself in a folder of its own and prints its figures as one JSON line.
async function figuresOf(town, [command, ...args]) {
  const dir = mkdtempSync(town.path('alone-'));
  const {stdout} = await run(command, [...args, '--dir', dir]);
  rmSync(dir, {recursive: true});
  return JSON.parse(stdout);
}

export const ledger = (town, under = []) => figuresOf(town, [...under, join(town.bin, 'bench-ledger')]);
export const proofs = (town, entries) => figuresOf(town, [join(town.bin, 'bench-proofs'), '--entries', String(entries)]);

// A relay that nobody has spoken to yet, on the same store.
export async function freshRelay(town, port = 0) {
  await town.processes.stop(town.relayProcess);
  await town.startRelay(port, watched);
}

const theRelay = (town) => ({pid: town.relayProcess.pid, port: town.relayPort});
const allHeld = (fleet, count) => until(`${count} polls held`, async () => (await fleet.count()).held === count, patience, 100);
const allOnline = (town, count) => until(`${count} hubs online`, async () => (await hubsOf(town)).online === count, patience, 100);

// What a held hub takes of a server's own memory, KiB. `settled` waits for the server to have taken all in.
async function heldBy(town, {pid, port}, file, count, settled = async () => pause(1000)) {
  const before = anonymousKib(pid);
  const fleet = await Fleet.start(town, file, port);
  await allHeld(fleet, count);
  await settled();
  const each = (anonymousKib(pid) - before) / count;
  const {lost, refused} = await fleet.count();
  if (lost + refused > 0) throw new Error(`memory: ${lost} connections lost, ${refused} polls refused`);
  await fleet.end();
  return each;
}

export async function memory(town, file, count) {
  await freshRelay(town);
  const out = {relay: await heldBy(town, theRelay(town), file, count, () => allOnline(town, count))};
  const others = {bare: startBare, nginx: () => startNginx(town, 'echo_read_request_body; echo_sleep 600; echo "{}";'), haproxy: startHaproxyHolding};
  for (const [name, start] of Object.entries(others)) {
    const server = await start(town);
    out[name] = await heldBy(town, server, file, count);
    await town.processes.stop(server.child);
  }
  return out;
}

// CPU of a server while the fleet asks `rate` times a second in all, ms a second.
async function heartbeat(town, {pid, port}, file, count, rate, seconds) {
  const fleet = await Fleet.start(town, file, port, ['--rate', String(rate)]);
  await until('every hub connected', async () => (await fleet.count()).connected === count, patience, 100);
  await pause(2000 * count / rate);  // every hub has asked twice
  const before = await fleet.count();
  const cpu = ranMs(pid);
  const began = process.hrtime.bigint();
  await pause(seconds * 1000);
  const used = ranMs(pid) - cpu;
  const after = await fleet.count();
  const passed = Number(process.hrtime.bigint() - began) / 1e9;
  if (after.lost > 0) throw new Error(`heartbeat: ${after.lost} connections lost`);
  await fleet.end();
  return {cpu: used / passed, answers: (after.answers - before.answers) / passed, refused: (after.refused - before.refused) / passed};
}

export async function heartbeats(town, file, count, rate, seconds) {
  await freshRelay(town);
  const relay = await heartbeat(town, theRelay(town), file, count, rate, seconds);
  const server = await startNginx(town, `return 200 '{"root_list":null,"bundle":null,"orders":[],"views":[],"events_acked":0}';`);
  const nginx = await heartbeat(town, server, file, count, rate, seconds);
  await town.processes.stop(server.child);
  return {relay, nginx};
}

// From the relay's end until every hub is back, and from its first moment again.
export async function restart(town, file, count) {
  await freshRelay(town);
  const port = town.relayPort;
  const fleet = await Fleet.start(town, file, port);
  await allHeld(fleet, count);
  await allOnline(town, count);
  const before = await fleet.count();
  const ended = Date.now();
  await freshRelay(town, port);
  const ready = Date.now();
  await until('every hub back', async () => {
    const {online, lost} = await hubsOf(town);
    return online === count && lost === 0;
  }, patience, 50);
  const back = Date.now();
  await allHeld(fleet, count);
  const after = await fleet.count();
  await fleet.end();
  return {down: ready - ended, back: back - ready, refused: after.refused - before.refused, failed: after.failed - before.failed};
}
