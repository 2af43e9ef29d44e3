// A hub on a machine of its own: Debian's kernel and systemd, our units, a camera, button, lamp and watchdog of the kernel's.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launch, logIn, mark, newPage} from '../e2e/lib/chromium.mjs';
import {until} from '../e2e/lib/processes.mjs';
import {look, pixels, row, untilPainted, untilView} from '../e2e/lib/view_page.mjs';
import {Site} from './lib/site.mjs';

const minute = 60000;
let site, machine, hub;

before(async () => {
  site = await Site.start();
  ({machine, hub} = site);
}, {timeout: 15 * minute});
after(() => site?.stop());

const dark = (what, ms = 5000) => until(`camera closed, light out: ${what}`, () => hub.isDark(), ms);
const kill = async (program, signal = 'KILL') => machine.run(`kill -${signal} ${await hub.pidOf(program)}`);

test('both units run, as users of their own, and the hub says how it is [INS-1]', {timeout: 5 * minute}, async () => {
  await hub.learnName();
  assert.match(hub.id, /^[\w-]{43}$/);
  assert.equal(await machine.run('systemctl is-active tillsyn-gate tillsyn-link'), 'active\nactive');
  for (const [program, user] of [['fuse', 'tillsyn-gate'], ['gate', 'tillsyn-gate'], ['link', 'tillsyn-link']])
    assert.equal(await machine.run(`stat -c %U /proc/${await hub.pidOf(program)}`), user, program);
  await until('trusted clock', async () => (await hub.status()).check?.clock === 'trusted', 2 * minute, 500);
  const {out} = await machine.ask('tillsyn-hub selftest');
  for (const part of ['gate', 'clock', 'trust', 'camera', 'light', 'disk']) assert.match(out, new RegExp(`^ok +${part}$`, 'm'), out);
  assert.match(out, /not_enrolled/);
});

test('the device key is in the TPM, and nowhere else: the gate\'s user alone may ask it to sign [INS-2]', {timeout: 5 * minute}, async () => {
  assert.equal(await machine.run('stat -c "%U %a" /dev/tpmrm0'), 'tillsyn-gate 600');
  assert.equal(await machine.run('stat -c "%U %a" /dev/tpm0'), 'root 600');
  for (const user of ['tss', 'tillsyn-link']) for (const device of ['/dev/tpmrm0', '/dev/tpm0'])
    assert.notEqual((await machine.ask(`setpriv --reuid ${user} --regid tss --clear-groups head -c 0 ${device}`)).code, 0, `${user}: ${device}`);
  assert.notEqual((await machine.ask('ls /var/lib/tillsyn-gate/device.key')).code, 0);
  assert.match(await machine.run(`ls -l /proc/${await hub.pidOf('gate')}/fd`), /\/dev\/tpmrm0/);
});

test('what an intruder would find: no capability, no network, no swap, no core dump, nothing of the other\'s [VID-1]', {timeout: 5 * minute}, async () => {
  const [gate, link] = [await hub.pidOf('gate'), await hub.pidOf('link')];
  for (const unit of ['tillsyn-gate', 'tillsyn-link']) await machine.run(`systemd-analyze security --threshold=15 ${unit}`);
  for (const pid of [gate, await hub.pidOf('fuse'), link]) assert.doesNotMatch(await machine.run(`grep ^Cap /proc/${pid}/status`), /[1-9a-f]$/m);
  assert.equal(await machine.run(`nsenter -t ${gate} -n ip -br link | cut -d' ' -f1`), 'lo');
  assert.doesNotMatch(await machine.run(`nsenter -t ${gate} -n ip -br link`), /\bUP\b/);
  assert.equal(await machine.run(`nsenter -t ${gate} -n ip route show`), '');
  assert.equal(await machine.run('cat /sys/fs/cgroup/system.slice/tillsyn-{gate,link}.service/memory.swap.max'), '0\n0');
  assert.match(await machine.run(`grep core /proc/${gate}/limits`), /\b1 +1 +bytes/);
  assert.match(await machine.run(`grep core /proc/${link}/limits`), /\b0 +0 +bytes/);
  const asLink = (what) => machine.ask(`nsenter -t ${link} -m setpriv --reuid tillsyn-link --regid tillsyn --clear-groups ${what}`);
  assert.equal((await asLink('cat /etc/hostname')).code, 0);
  for (const path of ['/dev/video0', '/dev/tpmrm0', '/var/lib/tillsyn-gate/gate.db']) assert.notEqual((await asLink(`cat ${path}`)).code, 0, path);
});

test('enrolled with its one-time code, assigned with the button held [INS-2] [INS-3]', {timeout: 5 * minute}, async () => {
  await site.enrol();
  await site.moveIn();
  const {check} = await hub.status();
  assert.equal(check.state, 'accepted');
  assert.equal(check.open, true);
  await machine.run('tillsyn-hub selftest');
});

test('a page shows what the machine\'s camera sees, with the light on and the camera open meanwhile and no longer [ENF-7] [VID-2]', {timeout: 5 * minute}, async () => {
  await dark('before');
  const browser = await launch(site.town);
  try {
    const page = await newPage(browser);
    await logIn(page, site.town, 'bo.ek');
    await until('online', async () => (await row(page, hub.resident.resident).first().getAttribute('data-online')) === 'true', minute);
    await look(page, hub.resident.resident);
    await untilPainted(page, 5, minute);
    const first = await pixels(page);
    assert.ok(first.lit > 0.05, `a picture, not black: ${JSON.stringify(first)}`);
    await until('the picture moves', async () => (await pixels(page)).sum !== first.sum, minute);
    assert.equal(await hub.light(), '1');
    const gate = await hub.pidOf('gate');
    const open = await hub.camerasOpen();
    assert.ok(open.length > 0 && open.every((path) => path.startsWith(`/proc/${gate}/fd/`)), open.join());
    await mark(page, 'view-close').click();
    await dark('after');
  } finally {
    await browser.close();
  }
});

test('the camera pulled out in the middle of a view and put back: told both times, and the next view works [ENF-5] [LOG-7] [LOG-8]', {timeout: 8 * minute}, async () => {
  const faults = await site.countOf('camera_fault');
  const viewer = await site.look();
  await machine.run('echo vivid.0 > /sys/bus/platform/drivers/vivid/unbind');
  await dark('unplugged');
  await until('camera_fault', async () => await site.countOf('camera_fault') > faults, minute, 500);
  viewer.close();
  const restored = await site.countOf('camera_restored');
  await machine.run('echo vivid.0 > /sys/bus/platform/drivers/vivid/bind');
  await until('camera_restored', async () => await site.countOf('camera_restored') > restored, 2 * minute, 500);
  (await site.look()).close();
});

for (const [program, who] of [['gate', 'the fuse'], ['fuse', 'systemd'], ['link', 'systemd']]) {
  test(`kill -9 of ${program} in the middle of a view: camera closed, light out, brought back by ${who} [ENF-7] [ENF-8]`, {timeout: 8 * minute}, async () => {
    const viewer = await site.look();
    const before = await hub.pidOf(program);
    await kill(program);
    await dark(`${program} killed`);
    viewer.close();
    await until(`another ${program}`, async () => ![null, before].includes(await hub.pidOf(program)), minute);
    (await site.look()).close();
  });
}

test('a fuse that hangs: the watchdog restarts the machine, and the hub is back by itself [ENF-1] [ENF-7]', {timeout: 10 * minute}, async () => {
  const viewer = await site.look();
  const hung = Date.now();
  await kill('fuse', 'STOP');
  await machine.qemu.ended;
  assert.ok(Date.now() - hung < minute, `${Date.now() - hung} ms`);
  viewer.close();
  await machine.boot();
  (await site.look()).close();
});

test('the power cut in the middle of a view: nothing said is lost, the log verifies, open again inside the window [ENF-8] [AUD-1]', {timeout: 10 * minute}, async () => {
  const viewer = await site.look();
  await machine.cutPower();
  const said = await site.said();
  assert.ok(said.events.length > 10 && said.orders.length >= 4);
  viewer.close();
  await machine.boot();
  await hub.learnName();
  assert.deepEqual(await site.missing(said), []);
  (await site.look()).close();
  console.log(`${said.events.length} events and ${said.orders.length} orders said before the cut, all there`);
});
