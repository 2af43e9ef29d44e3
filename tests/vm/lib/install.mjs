// Installs a hub as boards/pc-x86_64/README.md tells a technician, on a machine whose lamp, button and time are the test's.
import {execFile} from 'node:child_process';
import {copyFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {root} from '../../e2e/lib/town.mjs';

const run = promisify(execFile);

function change(file, edit) { writeFileSync(file, edit(readFileSync(file, 'utf8'))); }

function write(file, text) {
  mkdirSync(dirname(file), {recursive: true});
  writeFileSync(file, text);
}

// What a technician edits: this machine's parts, and whose hub it is.
function fitToMachine(town, stage, timeServer) {
  change(join(stage, 'etc/tillsyn/board.json'), (text) => {
    const board = JSON.parse(text);
    Object.assign(board.cameras[0], {width: 320, height: 180});  // emulation is slow
    board.light.path = '/run/tillsyn-test/lamp';
    board.button.path = '/dev/input/tillsyn-button';
    board.key = {kind: 'tpm', tcti: 'device:/dev/tpmrm0'};
    return JSON.stringify(board);
  });
  change(join(stage, 'usr/lib/udev/rules.d/70-tillsyn.rules'), (text) => text.replace('KERNEL=="tillsyn"', 'KERNEL=="*::misc"'));
  write(join(stage, 'etc/systemd/system/tillsyn-gate.service.d/lamp.conf'), '[Service]\nReadWritePaths=-/run/tillsyn-test/lamp\n');
  for (const name of ['fleet-root.json', 'root-list.json']) copyFileSync(town.path(name), join(stage, 'etc/tillsyn', name));
  const servers = readFileSync(join(stage, 'usr/share/tillsyn/chrony.conf'), 'utf8').replace(/^server .*$/gm, '').replace('minsources 2', 'minsources 1');
  write(join(stage, 'etc/chrony/chrony.conf'), servers + timeServer);
  copyFileSync(town.ca.cert, join(stage, 'etc/chrony/town.pem'));
}

// The town's relay is known as localhost: what is sent there goes to the machine outside.
function leadToRelay(stage, port) {
  const units = join(stage, 'etc/systemd/system');
  write(join(units, 'test-relay.socket'), `[Socket]\nListenStream=127.0.0.1:${port}\n\n[Install]\nWantedBy=sockets.target\n`);
  write(join(units, 'test-relay.service'), `[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd 10.0.2.2:${port}\n`);
}

// -> the file that is to be the machine's second disk.
export async function pack(town, build, timeServer) {
  const stage = town.path('stage');
  await run('cmake', ['--install', build, '--prefix', '/usr', '--component', 'hub'], {env: {...process.env, DESTDIR: stage}});
  fitToMachine(town, stage, timeServer);
  leadToRelay(stage, town.relayPort);
  const cd = town.path('hub.tar');
  await run('tar', ['--owner=0', '--group=0', '-cf', cd, '-C', stage, '.']);
  return cd;
}

export async function install(machine) {
  await machine.run('tar -xf /dev/vdb -C / --no-overwrite-dir && systemd-sysusers && systemd-tmpfiles --create');
  await machine.run('systemctl restart systemd-udevd && udevadm trigger --action=change --subsystem-match=leds --subsystem-match=watchdog --subsystem-match=tpmrm --subsystem-match=tpm --settle');
  await machine.run('systemctl daemon-reload && systemctl restart chrony && systemctl enable --now test-relay.socket');
  await machine.run('systemctl enable --now tillsyn-gate tillsyn-link');
}

export const imageInto = (folder) => run(join(root, 'tests/vm/image'), [folder], {maxBuffer: 1 << 26});
