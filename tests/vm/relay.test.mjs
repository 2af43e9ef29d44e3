// The relay as systemd runs it: our unit, on a machine of its own. Killed it comes back by itself, a full disk is tried until there
// is room, an end that is asked for is one, and what it says to the journal holds no secret.
import assert from 'node:assert/strict';
import {readFileSync, readdirSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {random} from '../e2e/lib/crypto.mjs';
import {until} from '../e2e/lib/processes.mjs';
import {RelaySite} from './lib/relay_site.mjs';

const minute = 60000;
let site, machine;

before(async () => {
  site = await RelaySite.start();
  ({machine} = site);
}, {timeout: 15 * minute});
after(() => site?.stop());

test('the unit runs as a user of its own, serves, and is ready [AVA-7]', {timeout: 5 * minute}, async () => {
  await machine.run('systemctl enable --now tillsyn-relay');
  await site.untilReady('first start');
  assert.equal(await machine.run('systemctl is-active tillsyn-relay'), 'active');
  const pid = await site.shown('MainPID');
  assert.equal(await machine.run(`stat -c %U /proc/${pid}`), 'tillsyn-relay');
  assert.equal((await site.ask('http://127.0.0.1:9464/livez')).status, 200);
  const {text} = await site.ask('https://localhost/hub/v1/trust');
  assert.equal(JSON.parse(text).root_list.payload, JSON.parse(readFileSync(site.town.path('root-list.json'), 'utf8')).payload);
});

test('what an intruder would find: the right to its port and no other, no swap, no core dump, nothing of the machine\'s to write [IAM-14]', {timeout: 5 * minute}, async () => {
  const pid = await site.shown('MainPID');
  await machine.run('systemd-analyze security --threshold=15 tillsyn-relay');
  const port = '0000000000000400';  // CAP_NET_BIND_SERVICE
  assert.deepEqual((await machine.run(`awk '/^Cap/ {print $2}' /proc/${pid}/status`)).split('\n'), Array(5).fill(port));
  assert.equal(await machine.run('cat /sys/fs/cgroup/system.slice/tillsyn-relay.service/memory.swap.max'), '0');
  assert.match(await machine.run(`grep core /proc/${pid}/limits`), /\b0 +0 +bytes/);
  assert.match(await machine.run(`grep 'open files' /proc/${pid}/limits`), /\b65536 +65536 /);
  const inside = (what) => machine.ask(`nsenter -t ${pid} -m setpriv --reuid tillsyn-relay --regid tillsyn-relay --clear-groups ${what}`);
  assert.equal((await inside('cat /var/lib/tillsyn-relay/relay.client-key')).code, 0);
  for (const what of ['cat /etc/tillsyn-relay/tls.key', 'touch /etc/x', 'touch /usr/x', 'touch /var/x', 'ls /root', 'cat /dev/vda']) assert.notEqual((await inside(what)).code, 0, what);
});

test('a second relay on the same store refuses, and the first goes on [AVA-3]', {timeout: 5 * minute}, async () => {
  const pid = await site.shown('MainPID');
  await machine.run('install -d -o tillsyn-relay /run/second && install -o tillsyn-relay -t /run/second /etc/tillsyn-relay/tls.*');
  const {code, out} = await machine.ask('setpriv --reuid tillsyn-relay --regid tillsyn-relay --clear-groups /usr/lib/tillsyn/tillsyn-relay --listen 127.0.0.1:0 ' +
    '--tls-cert /run/second/tls.pem --tls-key /run/second/tls.key --fleet-root /etc/tillsyn-relay/fleet-root.json --store /var/lib/tillsyn-relay');
  assert.equal(code, 1, out);
  assert.match(out, /cannot start: .*another relay|cannot start: .*store/i);
  assert.equal(await site.shown('MainPID'), pid);
  assert.equal((await site.readyz()).status, 200);
});

test('kill -9, by whomever: it is back by itself, with all that it had [AVA-3]', {timeout: 5 * minute}, async () => {
  const {text} = await site.ask('https://localhost/hub/v1/trust');
  for (let i = 0; i < 3; ++i) {
    const pid = await site.shown('MainPID');
    await machine.run('systemctl kill -s KILL tillsyn-relay');
    await until('another process', async () => !['0', pid].includes(await site.shown('MainPID')), minute, 250);
    await site.untilReady('after the kill');
  }
  assert.equal((await site.ask('https://localhost/hub/v1/trust')).text, text);
});

test('a full disk: it ends with 75, is tried again and again, and is well when there is room [AVA-3] [AVA-6]', {timeout: 8 * minute}, async () => {
  const ended = async () => (await machine.run('journalctl --no-pager -o cat UNIT=tillsyn-relay.service + _PID=1 UNIT=tillsyn-relay.service')).match(/status=75/g)?.length ?? 0;
  assert.equal(await ended(), 0);
  await machine.ask('dd if=/dev/zero of=/var/lib/tillsyn-relay/filler bs=4k 2>/dev/null; true');
  await until('ended with 75', async () => await ended() > 0, 2 * minute, 1000);
  assert.match(await site.journal(), /event=store_failed/);
  const restarts = Number(await site.shown('NRestarts'));
  await until('tried again, and again', async () => Number(await site.shown('NRestarts')) >= restarts + 2, 3 * minute, 1000);
  await machine.run('rm /var/lib/tillsyn-relay/filler');
  await site.untilReady('with room', 2 * minute);
  const {text} = await site.ask('https://localhost/hub/v1/trust');
  assert.ok(JSON.parse(text).bundle, 'it has all that it had');
});

// What a person may hand to a relay, and what of it lies on its disk, each as it could be written.
function spellings(bytes) {
  const base64 = bytes.toString('base64');
  return [bytes.toString('hex'), base64, base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')];
}

test('the journal holds no secret: no key, no token, no code, no name, no query [IAM-14] [AVA-7]', {timeout: 5 * minute}, async () => {
  const {town} = site;
  const given = {code: random(16), verifier: random(32), token: random(32), id_token: random(40), query: random(16), person: 'anna.berg'};
  const bearer = {authorization: `Bearer ${given.token}`};
  const json = {'content-type': 'application/json', origin: town.appOrigin};
  const logIn = (body) => site.ask('https://localhost/v1/session', {method: 'POST', headers: json, body});
  assert.equal((await site.ask(`https://localhost/v1/residents?name=${given.query}`, {headers: bearer})).status, 401);
  const exchanged = await site.ask('https://localhost/v1/oidc/token', {method: 'POST', headers: json,
    body: {issuer: town.issuer.issuer, code: given.code, code_verifier: given.verifier, redirect_uri: `${town.appOrigin}/callback.html`}});
  assert.equal(exchanged.status, 503, exchanged.text);  // there is no identity provider in the machine
  const {challenge} = JSON.parse((await site.ask('https://localhost/v1/session/challenge', {method: 'POST', headers: json, body: {}})).text);
  const anna = town.staff['anna.berg'];
  const refused = await logIn({challenge, provider: town.provider, key: anna.key.jwk, salt: anna.key.salt, id_token: anna.idToken, sig: random(64)});
  assert.equal(refused.status, 403, refused.text);
  const journal = await site.journal();
  assert.ok(journal.includes('event='), 'something is said');
  const keys = readdirSync(town.path('relay')).filter((name) => name.endsWith('-key')).flatMap((name) => {
    const bytes = readFileSync(town.path('relay', name));
    return [...spellings(bytes), ...(bytes.includes('-----BEGIN') || bytes.includes('{') ? [bytes.toString('utf8').trim()] : [])];
  });
  assert.ok(keys.length >= 9);
  const tls = readFileSync(town.relayTls.key, 'utf8').split('\n').filter((line) => line.length > 40);
  for (const secret of [...keys, ...tls, ...Object.values(given), anna.idToken, anna.token, challenge]) assert.ok(!journal.includes(secret), 'in the journal');
  assert.doesNotMatch(journal, /PRIVATE KEY|Bearer|eyJ/);
});

test('systemctl stop ends it at once, with 0, and start begins it again [AVA-3]', {timeout: 5 * minute}, async () => {
  const began = Date.now();
  await machine.run('systemctl stop tillsyn-relay');
  assert.ok(Date.now() - began < 15000, `${Date.now() - began} ms`);
  assert.deepEqual([await site.shown('Result'), await site.shown('ExecMainCode'), await site.shown('ExecMainStatus')], ['success', '1', '0']);
  assert.equal((await site.readyz()).status, 0);
  assert.match(await site.journal(), /event=stopping/);
  await machine.run('systemctl start tillsyn-relay');
  await site.untilReady('begun again');
});
