// A hub on a machine of its own, installed as boards/pc-x86_64/README.md tells a technician; for provision.mjs as lib/hub.mjs is.
import {until} from '../../e2e/lib/processes.mjs';

export class VmHub {
  constructor(town, machine, name) { Object.assign(this, {town, machine, name}); }

  async learnName() { this.id = (await this.label()).hub; }
  async label() { return JSON.parse(await until('label', async () => {
    const {code, out} = await this.machine.ask('tillsyn-hub label --json');
    return code === 0 && out;
  }, 180000, 200)); }
  async deviceKey() { return (await this.label()).device_key; }

  async enrol(code) {
    await until('gate and link together', async () => {
      const {code: failed, out} = await this.machine.ask(`tillsyn-hub enrol --code ${code}`);
      if (failed && !/gate_away/.test(out)) throw new Error(`enrol: ${out}`);
      return !failed;
    }, 60000, 500);
  }

  async status() { return JSON.parse(await this.machine.run('tillsyn-hub status --json')); }

  holdButton() { return this.machine.run('echo hold > /run/tillsyn-test/button'); }
  light() { return this.machine.run('cat /run/tillsyn-test/lamp/brightness'); }

  // The process ids of a program of ours.
  async pidOf(program) {
    const {out} = await this.machine.ask(`pgrep -f ^/usr/lib/tillsyn/tillsyn-${program}`);
    return out.trim().split('\n').filter(Boolean).map(Number)[0] ?? null;
  }

  // Every descriptor of any process that leads to a V4L2 device: "pid fd", a line each.
  async camerasOpen() {
    const {out} = await this.machine.ask('find /proc/[0-9]*/fd -lname "/dev/video*" 2>/dev/null');
    return out.trim().split('\n').filter(Boolean);
  }

  async isDark() { return (await this.camerasOpen()).length === 0 && await this.light() === '0'; }
}
