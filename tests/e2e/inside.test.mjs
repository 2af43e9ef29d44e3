// An enemy's code inside the running programs of a hub: what it tries there fails, by what each program has given up for good.
import assert from 'node:assert/strict';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {callFromInside, insider} from './lib/inside.mjs';
import {until} from './lib/processes.mjs';
import {Town} from './lib/town.mjs';

const dir = join(tmpdir(), `tillsyn-inside-${process.pid}`);
const minute = 60000;
const here = -100, readOnly = 0, readWrite = 2;  // AT_FDCWD, O_RDONLY, O_RDWR
const seizing = 0x4206, attaching = 16;
const calls = {open: 257, execve: 59, ptrace: 101, socket: 41, connect: 42, readOther: 310, writeOther: 311, ioUring: 425, unshare: 272, mount: 165, kill: 62, fork: 57, vfork: 58};
const sigsys = 31;
let town, hub;

before(async () => {
  town = await new Town(dir).start();
  const folder = (name) => town.path('hub-one', name);
  hub = await town.addHub('one', {source: 'room'}, {gateEnv: insider(town, 'tillsyn-gate', folder('gate')), linkEnv: insider(town, 'tillsyn-link', folder('link'))});
  writeFileSync(town.path('foreign'), 'not a hub\'s');
}, {timeout: 2 * minute});
after(async () => {
  await town?.stop();
  if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
});

const log = (name) => readFileSync(town.path(name), 'utf8');

function isConfined(pid) {
  try { return /^Seccomp:\s+2$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')); } catch { return false; }
}

async function inGate(list) {
  const pid = await until('a confined gate', () => { const now = hub.gatePid(); return now && isConfined(now) && now; }, 20000);
  const answers = await callFromInside(hub.path('gate'), () => log('fuse-one.log'), list, () => hub.gatePid() !== pid);
  return {answers, pid};
}

async function inLink(list) {
  const link = hub.link;
  await until('confined', () => isConfined(link.pid), 20000);
  return callFromInside(hub.path('link'), () => log('link-one.log'), list, () => !town.processes.running.has(link));
}

test('inside the gate: no file but its own, no process, no namespace, no ring of calls past the filter [ENF-1] [VID-1] [UPD-3]', {timeout: minute}, async () => {
  const {answers} = await inGate([
    ['own_store', calls.open, here, hub.path('gate/gate.db'), readWrite],
    ['camera', calls.open, here, hub.cameraPath, readOnly],
    ['passwords', calls.open, here, '/etc/shadow', readOnly],
    ['foreign', calls.open, here, town.path('foreign'), readOnly],
    ['board_to_write', calls.open, here, hub.path('board.json'), readWrite],
    ['light', calls.open, here, hub.path('light'), readWrite],
    ['fuse_memory', calls.open, here, `/proc/${hub.fuse.pid}/mem`, readWrite],
    ['ring', calls.ioUring, 1, 0],
    ['namespace', calls.unshare, 0x40000000],
    ['fork', calls.fork],
    ['vfork', calls.vfork],
    ['kill', calls.kill, hub.fuse.pid, 9],
  ]);
  for (const name of ['own_store', 'camera']) assert.ok(answers[name] >= 0, `the control: ${name} opens`);
  for (const name of ['passwords', 'foreign', 'board_to_write', 'light', 'fuse_memory']) assert.equal(answers[name], 'EACCES', name);
  for (const name of ['ring', 'namespace', 'fork', 'vfork', 'kill']) assert.equal(answers[name], 'ENOSYS', name);
});

for (const [what, ...call] of [
  ['a socket', calls.socket, 2, 1, 0], ['a socket of the machine', calls.socket, 1, 1, 0], ['a connection', calls.connect, 0, 0, 0], ['a program', calls.execve, '/bin/true', 0, 0],
  ['a trace', calls.ptrace, seizing, 1, 0, 0], ['another\'s memory', calls.readOther, 1, 0, 0, 0, 0, 0], ['a mount', calls.mount, '/', '/', 0, 0, 0],
]) {
  test(`inside the gate: reaching for ${what} ends it, and the fuse begins another [ENF-1] [VID-1]`, {timeout: 3 * minute}, async () => {
    const from = log('fuse-one.log').length;
    const {answers, pid} = await inGate([['it', ...call]]);
    assert.deepEqual(answers, {}, 'it never came back');
    await until('the filter\'s signal', () => log('fuse-one.log').slice(from).includes(`gate has ended with status ${sigsys}`));
    await until('another gate', () => { const now = hub.gatePid(); return now && now !== pid; }, minute);  // more and more slowly
  });
}

test('inside the link: neither camera nor device key nor order store, nor a way into the gate [ENF-1] [VID-1]', {timeout: minute}, async () => {
  const gate = await until('a gate', () => hub.gatePid());
  const answers = await inLink([
    ['own_key', calls.open, here, hub.path('link/link.key'), readWrite],
    ['camera', calls.open, here, hub.cameraPath, readOnly],
    ['device_key', calls.open, here, hub.path('gate/device.key'), readOnly],
    ['order_store', calls.open, here, hub.path('gate/gate.db'), readOnly],
    ['board', calls.open, here, hub.path('board.json'), readOnly],
    ['gate_memory', calls.open, here, `/proc/${gate}/mem`, readWrite],
    ['gate_files', calls.open, here, `/proc/${gate}/root/etc/hostname`, readOnly],
  ]);
  assert.ok(answers.own_key >= 0, 'the control: its own key opens');
  for (const name of ['camera', 'device_key', 'order_store', 'board', 'gate_memory', 'gate_files']) assert.equal(answers[name], 'EACCES', name);
});

for (const [what, ...call] of [
  ['a program', calls.execve, '/bin/true', 0, 0], ['the gate\'s trace', calls.ptrace, attaching, 1, 0, 0], ['the gate\'s memory', calls.readOther, 1, 0, 0, 0, 0, 0],
  ['a change of it', calls.writeOther, 1, 0, 0, 0, 0, 0], ['a namespace', calls.unshare, 0x40000000], ['a mount', calls.mount, '/', '/', 0, 0, 0],
]) {
  test(`inside the link: reaching for ${what} ends it [ENF-1] [VID-1]`, {timeout: minute}, async () => {
    assert.deepEqual(await inLink([['it', ...call]]), {}, 'it never came back');
    assert.equal((await hub.link.ended).signal, 'SIGSYS');
    hub.startLink();  // as the service manager does
  });
}
