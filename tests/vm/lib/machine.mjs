// A PC: a disk that stays, and a new QEMU process for each boot. Emulated, as not every place that runs tests can virtualise.
import {randomBytes} from 'node:crypto';
import {existsSync, mkdirSync, rmSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {until} from '../../e2e/lib/processes.mjs';

export class Machine {
  // `disk`: a folder made by ../image. `cd`: a file that the machine has as its second disk.
  constructor(processes, disk, cd) {
    Object.assign(this, {processes, disk, cd});
    this.boots = 0;
  }

  path(name) { return join(this.disk, name); }

  // Until the agent in it answers.
  async boot() {
    this.control = join(tmpdir(), `tillsyn-vm-${randomBytes(6).toString('hex')}`);  // a socket's name may not be long
    await this.#startTpm();
    this.qemu = this.processes.start(`qemu-${++this.boots}`, 'qemu-system-x86_64', this.#arguments());
    this.waiting = new Map();
    this.lastId = 0;
    await new Promise((done, fail) => {
      this.qemu.ended.then(({code, signal}) => fail(new Error(`the machine ended while booting: ${code ?? signal}`)));
      this.#listen(done).catch(fail);
    });
  }

  // What it keeps outlives the machine's power, as a TPM's does.
  async #startTpm() {
    const [state, socket] = [this.path('tpm'), `${this.control}-tpm`];
    mkdirSync(state, {recursive: true});
    this.processes.start(`tpm-${this.boots + 1}`, 'swtpm', ['socket', '--tpm2', '--tpmstate', `dir=${state}`, '--ctrl', `type=unixio,path=${socket}`, '--terminate']);
    await until('TPM', () => existsSync(socket));
  }

  #arguments() {
    return ['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max,la57=off', '-smp', '2', '-m', '1536', '-nodefaults', '-display', 'none', '-no-reboot',
      '-kernel', this.path('vmlinuz'), '-initrd', this.path('initrd.img'), '-append', 'root=/dev/vda rw console=ttyS0 panic=1 net.ifnames=0 module_blacklist=kvm,kvm_amd,cfg80211,psmouse,bochs,snd_pcm,iTCO_wdt',
      '-drive', `file=${this.path('disk.img')},if=virtio,format=raw`, '-drive', `file=${this.cd},if=virtio,format=raw,readonly=on`,
      '-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net', '-device', 'virtio-rng-pci',
      '-chardev', `socket,id=tpm,path=${this.control}-tpm`, '-tpmdev', 'emulator,id=tpm0,chardev=tpm', '-device', 'tpm-tis,tpmdev=tpm0',
      '-serial', `file:${this.path(`console-${this.boots}.log`)}`, '-device', 'virtio-serial-pci',
      '-chardev', `socket,path=${this.control},server=on,wait=off,id=agent`, '-device', 'virtserialport,chardev=agent,name=tillsyn.test'];
  }

  async #listen(ready) {
    this.socket = await until('QEMU', () => new Promise((done) => {
      const socket = connect(this.control, () => done(socket)).on('error', () => done(null));
    }));
    rmSync(this.control);
    this.socket.on('error', () => {}).on('close', () => this.#hangUp());
    let rest = '';
    this.socket.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) this.#hear(JSON.parse(line), ready);
    });
  }

  #hear(message, ready) {
    if (message.ready) return void ready();
    this.waiting.get(message.id)?.done(message);
    this.waiting.delete(message.id);
  }

  #hangUp() {
    for (const {fail} of this.waiting.values()) fail(new Error('the machine is off'));
    this.waiting.clear();
  }

  // Runs a command line as root; -> {code, out}.
  ask(line) {
    const id = ++this.lastId;
    return new Promise((done, fail) => {
      this.waiting.set(id, {done, fail});
      this.socket.write(`${JSON.stringify({id, run: line})}\n`);
    });
  }

  // The same, for a command that must succeed; -> what it said.
  async run(line) {
    const {code, out} = await this.ask(line);
    if (code !== 0) throw new Error(`in the machine: ${line}: ${code}: ${out}`);
    return out.trim();
  }

  // What only an unplugged mains does.
  async cutPower() { await this.processes.stop(this.qemu, 'SIGKILL'); }
}
