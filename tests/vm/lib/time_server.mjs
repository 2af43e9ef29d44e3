// chronyd as a server with NTS on the loopback, which a machine under QEMU reaches as time.test.
import {writeFileSync, mkdirSync} from 'node:fs';
import {createSocket} from 'node:dgram';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {root} from '../../e2e/lib/town.mjs';

const freeTcp = () => new Promise((done) => { const s = createServer().listen(0, '127.0.0.1', () => { const {port} = s.address(); s.close(() => done(port)); }); });
const freeUdp = () => new Promise((done) => { const s = createSocket('udp4').bind(0, '127.0.0.1', () => { const {port} = s.address(); s.close(() => done(port)); }); });

// -> the lines of chrony.conf that name it, and trust the town's authority at /etc/chrony/town.pem.
export async function startTimeServer(town) {
  const {key, cert} = town.ca.issue('time.test', ['DNS:time.test']);
  const [ntp, nts] = [await freeUdp(), await freeTcp()];
  const dir = town.path('time');
  mkdirSync(dir);
  writeFileSync(join(dir, 'chrony.conf'), ['local stratum 1', 'allow 127.0.0.1', 'bindaddress 127.0.0.1', 'ntsprocesses 0', `port ${ntp}`, `ntsport ${nts}`,
    `ntsserverkey ${key}`, `ntsservercert ${cert}`, 'cmdport 0', `bindcmdaddress ${dir}/chronyd.sock`, `pidfile ${dir}/pid`, ''].join('\n'));
  town.processes.start('time', join(root, 'build/chrony/usr/sbin/chronyd'), ['-x', '-U', '-d', '-u', process.env.USER ?? 'root', '-f', join(dir, 'chrony.conf')]);
  return `server time.test port ${ntp} nts ntsport ${nts} iburst maxpoll 4\nntstrustedcerts /etc/chrony/town.pem\n`;
}
