// One hub: tillsyn-fuse, its gate, and tillsyn-link, on the bench board in a folder of its own.
import {execFile, execFileSync} from 'node:child_process';
import {createPublicKey} from 'node:crypto';
import {closeSync, constants, copyFileSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, writeFileSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {thumbprint} from './crypto.mjs';
import {until} from './processes.mjs';

const run = promisify(execFile);

export class Hub {
  // `camera`: {source: 'recording', path} or {source: 'room'}. `linkUnder`: a program and its arguments that link is run by.
  // `gateEnv`, `linkEnv`: what is in their environment besides.
  constructor(town, name, camera, {linkUnder = [], gateEnv = {}, linkEnv = {}} = {}) {
    Object.assign(this, {town, linkUnder, gateEnv, linkEnv});
    this.name = name;
    this.dir = town.path(`hub-${name}`);
    this.camera = camera;
  }

  path(...parts) { return join(this.dir, ...parts); }

  async start() {
    for (const folder of ['gate', 'link']) mkdirSync(this.path(folder), {recursive: true, mode: 0o700});
    this.#describeBoard();
    copyFileSync(this.town.path('fleet-root.json'), this.path('fleet-root.json'));
    copyFileSync(this.town.path('root-list.json'), this.path('root-list.json'));
    this.setClock(0);
    this.startGate();
    await until('device key', () => { try { return readFileSync(this.path('gate/device.key')); } catch { return null; } });
    this.startLink();
    await until('control socket', () => readdirSync(this.path('link')).includes('control.sock'));
    this.id = (await this.deviceKeyAndName()).hub;
  }

  #describeBoard() {
    const room = this.camera.source === 'room';
    writeFileSync(this.path('camera'), 'held open while the room is looked at\n');
    const camera = {id: 'cam1', source: this.camera.source, path: room ? 'camera' : this.camera.path, width: 0, height: 0, frame_rate: 0};
    this.cameraPath = room ? this.path('camera') : this.camera.path;
    if (room) Object.assign(camera, {width: 1280, height: 720, frame_rate: 15});
    const device = this.camera.source === 'v4l2';
    writeFileSync(this.path('board.json'), JSON.stringify({
      format: 1, name: 'bench', cameras: [camera], camera_paths: device ? [] : [this.cameraPath],
      light: {kind: 'file', path: 'light', wired: false}, button: {kind: 'fifo', path: 'button', key: 0}, clock: {kind: 'file', path: 'clock.json'},
    }));
    try { execFileSync('mkfifo', [this.path('button')], {stdio: 'ignore'}); } catch { /* there already */ }
  }

  startGate() {
    this.fuse = this.town.processes.start(`fuse-${this.name}`, join(this.town.bin, 'tillsyn-fuse'), ['--board', this.path('board.json'), '--',
      join(this.town.bin, 'tillsyn-gate'), '--board', this.path('board.json'), '--state', this.path('gate'), '--socket', this.path('gate.sock'),
      '--fleet-root', this.path('fleet-root.json'), '--root-list', this.path('root-list.json')], {env: {GST_REGISTRY: this.town.path('gst-registry.bin'), ...this.gateEnv}});
  }

  startLink() {
    const [command, ...args] = [...this.linkUnder, join(this.town.bin, 'tillsyn-link'), '--state-dir', this.path('link'),
      '--gate-socket', this.path('gate.sock'), '--control-socket', this.path('link/control.sock')];
    this.link = this.town.processes.start(`link-${this.name}`, command, args, {env: this.linkEnv});
  }

  async stop() { await Promise.all([this.fuse, this.link].map((child) => this.town.processes.stop(child))); }

  // What the label says: {hub, device_key}.
  async deviceKeyAndName() {
    const {stdout} = await run(join(this.town.bin, 'tillsyn-hub'), ['label', '--board', this.path('board.json'), '--gate-state', this.path('gate'), '--json']);
    return JSON.parse(stdout);
  }
  async deviceKey() { return (await this.deviceKeyAndName()).device_key; }

  async tryEnrol(code) {
    try {
      const {stdout} = await run(join(this.town.bin, 'tillsyn-hub'), ['enrol', '--code', code, '--control-socket', this.path('link/control.sock')], {timeout: 30000});
      return {code: 0, text: stdout};
    } catch (error) {
      return {code: error.code ?? 1, text: `${error.stdout}${error.stderr}`};
    }
  }

  async enrol(code) {
    this.usedCode = code;
    const result = await until('gate and link together', async () => {
      const tried = await this.tryEnrol(code);
      return /gate_away/.test(tried.text) ? null : tried;
    });
    if (result.code !== 0) throw new Error(`enrol ${this.name}: ${result.text}`);
  }

  // The clock's source: how far the hub's time is from the machine's.
  setClock(offset_ms, synchronised = true) { writeFileSync(this.path('clock.json'), JSON.stringify({offset_ms, synchronised})); }

  async #button(word) {
    const fd = await until('button', () => { try { return openSync(this.path('button'), constants.O_WRONLY | constants.O_NONBLOCK); } catch { return null; } });
    writeSync(fd, `${word}\n`);
    closeSync(fd);
  }
  holdButton() { return this.#button('hold'); }
  pressButton() { return this.#button('press'); }

  light() { return readFileSync(this.path('light'), 'utf8').trim(); }

  gatePid() {
    for (const pid of readFileSync(`/proc/${this.fuse.pid}/task/${this.fuse.pid}/children`, 'utf8').trim().split(' ')) if (pid) return Number(pid);
    return null;
  }

  // The descriptors by which gate holds the camera open, as seen from outside.
  cameraDescriptors() {
    const pid = this.gatePid();
    if (!pid) return [];
    return readdirSync(`/proc/${pid}/fd`).filter((fd) => { try { return readlinkSync(`/proc/${pid}/fd/${fd}`) === this.cameraPath; } catch { return false; } });
  }

  // What an enemy who owns the hub's network program has: its TLS key, and a certificate around it.
  linkIdentity() {
    const key = readFileSync(this.path('link/link.key'), 'utf8');
    this.stolenCertificate ??= execFileSync('openssl', ['req', '-x509', '-key', this.path('link/link.key'), '-subj', '/CN=link', '-days', '30']).toString();
    return {key, cert: this.stolenCertificate, point: thumbprint(createPublicKey(key).export({format: 'jwk'})).toString('hex')};
  }
}
