// A relay on a machine of its own, installed as relay/README.md tells, with the store of a town's relay that has ended.
import {execFile} from 'node:child_process';
import {copyFileSync, cpSync, mkdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {until} from '../../e2e/lib/processes.mjs';
import {staffTown} from '../../e2e/lib/provision.mjs';
import {root, Town} from '../../e2e/lib/town.mjs';
import {imageInto} from './install.mjs';
import {Machine} from './machine.mjs';

const run = promisify(execFile);

// Asks an HTTP or HTTPS server in the machine: argv is URL, method and a JSON object {headers, body}; says {status, text}.
const asker = `
import json, ssl, sys, urllib.error, urllib.request
more = json.loads(sys.argv[3])
body = None if more["body"] is None else json.dumps(more["body"]).encode()
asked = urllib.request.Request(sys.argv[1], body, more["headers"], method=sys.argv[2])
try:
    answer = urllib.request.urlopen(asked, timeout=20, context=ssl.create_default_context(cafile="/etc/tillsyn-relay/town.pem"))
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps({"status": answer.status, "text": answer.read().decode()}))
`;

export class RelaySite {
  // Up to where the unit is installed and its store lies on a small disk; nothing has been started.
  static async start() {
    const site = new RelaySite();
    site.dir = join(tmpdir(), `tillsyn-vm-relay-${process.pid}`);
    site.build = process.env.TILLSYN_BUILD ?? join(root, 'build/pc-x86_64');
    site.town = new Town(site.dir, {build: site.build});
    try {
      await site.#start();
    } catch (error) {
      await site.stop();
      throw error;
    }
    return site;
  }

  async #start() {
    const {town} = this;
    await town.start();
    await staffTown(town);
    await town.processes.stop(town.relayProcess);
    const cd = await this.#pack();
    mkdirSync(town.path('machine'));
    await imageInto(town.path('machine'));
    this.machine = new Machine(town.processes, town.path('machine'), cd);
    await this.machine.boot();
    await this.#install();
  }

  async #pack() {
    const {town} = this;
    const stage = town.path('stage');
    await run('cmake', ['--install', this.build, '--prefix', '/usr', '--component', 'relay'], {env: {...process.env, DESTDIR: stage}});
    const settings = join(stage, 'etc/tillsyn-relay');
    mkdirSync(settings, {recursive: true});
    for (const [from, to] of [[town.relayTls.key, 'tls.key'], [town.relayTls.cert, 'tls.pem'], [town.ca.cert, 'town.pem'], [town.path('fleet-root.json'), 'fleet-root.json']]) {
      copyFileSync(from, join(settings, to));
    }
    cpSync(town.path('relay'), join(stage, 'root/store'), {recursive: true});
    await run('tar', ['--owner=0', '--group=0', '-cf', town.path('relay.tar'), '-C', stage, '.']);
    return town.path('relay.tar');
  }

  async #install() {
    await this.machine.run('tar -xf /dev/vdb -C / --no-overwrite-dir && systemd-sysusers && systemctl daemon-reload');
    await this.machine.run('chmod 600 /etc/tillsyn-relay/tls.key');
    await this.machine.run('truncate -s 32M /root/disk && mkfs.ext4 -q -m 0 /root/disk && mkdir -p /var/lib/tillsyn-relay && mount -o loop /root/disk /var/lib/tillsyn-relay');
    await this.machine.run('cp -a /root/store/. /var/lib/tillsyn-relay/ && rmdir /var/lib/tillsyn-relay/lost+found');
    await this.machine.run('chown -R tillsyn-relay: /var/lib/tillsyn-relay && chmod 700 /var/lib/tillsyn-relay');
  }

  async stop() {
    await this.town.stop();
    if (!process.env.TILLSYN_KEEP) rmSync(this.dir, {recursive: true, force: true});
  }

  // -> {status, text}; status 0: nobody answers.
  async ask(url, {method = 'GET', headers = {}, body = null} = {}) {
    const encoded = (text) => `"$(base64 -d <<<${Buffer.from(text).toString('base64')})"`;
    const {code, out} = await this.machine.ask(`python3 -c ${encoded(asker)} ${encoded(url)} ${method} ${encoded(JSON.stringify({headers, body}))} 2>/dev/null`);
    return code === 0 ? JSON.parse(out) : {status: 0, text: out};
  }

  readyz() { return this.ask('http://127.0.0.1:9464/readyz'); }
  untilReady(what, ms = 90000) { return until(`ready: ${what}`, async () => (await this.readyz()).status === 200, ms, 500); }

  // What systemd knows of the unit.
  async shown(property) { return this.machine.run(`systemctl show -P ${property} tillsyn-relay`); }
  journal() { return this.machine.run('journalctl --no-pager -o cat -u tillsyn-relay'); }
}
