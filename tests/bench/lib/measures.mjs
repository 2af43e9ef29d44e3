// The three measures; each takes what it needs of a town and gives plain figures.
import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {mark} from '../../e2e/lib/chromium.mjs';
import {until} from '../../e2e/lib/processes.mjs';
import {recording} from '../../e2e/lib/town.mjs';
import {look, row, untilPainted} from '../../e2e/lib/view_page.mjs';
import {cpuMs, median, pause, rawMinusPage} from './figures.mjs';
import {addProbe, ctrOf, delays, take} from './probe.mjs';

const run = promisify(execFile);

export async function open(page, resident, pictures) {
  await until('the hub is online', async () => (await row(page, resident).first().getAttribute('data-online')) === 'true', 30000);
  await look(page, resident);
  await untilPainted(page, pictures);
}

export async function close(page) {
  await mark(page, 'view-stop').click();
  await mark(page, 'view-close').click();
  await mark(page, 'tonight').waitFor();
}

// One view, watched for a while: CPU time of each program, and how old the pictures are when they are painted.
export async function watchOneView(town, page, seconds) {
  const [hub] = town.hubs;
  await open(page, hub.resident.resident, 10);
  const pids = {'tillsyn-gate': hub.gatePid(), 'tillsyn-fuse': hub.fuse.pid, 'tillsyn-link': hub.link.pid, 'tillsyn-relay': town.relayProcess.pid};
  const offset = [await rawMinusPage(page, town.bin)];
  await take(page);
  const before = Object.values(pids).map(cpuMs);
  await pause(seconds * 1000);
  const cpu = Object.fromEntries(Object.entries(pids).map(([name, pid], i) => [name, cpuMs(pid) - before[i]]));
  const noted = await take(page);
  offset.push(await rawMinusPage(page, town.bin));
  await close(page);
  const kbit = noted.frames.reduce((sum, {bytes}) => sum + bytes, 0) * 8 / 1000 / seconds;
  return {cpu, kbit, pictures: noted.frames.length, drift: offset[1] - offset[0],
    delays: delays(noted, (offset[0] + offset[1]) / 2, ({head}) => ctrOf(head))};
}

// The view's pipeline into a fakesink.
export async function pipelineAlone(town, seconds, kbit) {
  const {stdout} = await run(join(town.bin, 'bench-pipeline'), ['--recording', recording, '--seconds', String(seconds), '--kbit', String(Math.round(kbit))]);
  return JSON.parse(stdout);
}

// The same camera unencrypted through a trivial relay.
export async function plainChain(town, browser, seconds, kbit) {
  const {child, ready} = await town.processes.startServer('plain-relay', 'node', [fileURLToPath(new URL('plain_relay.mjs', import.meta.url))]);
  const page = await browser.newPage();
  await addProbe(page);
  await page.goto(`http://localhost:${ready.listening}/`);
  await page.locator('body[data-state=ready]').waitFor();
  const camera = run(join(town.bin, 'bench-plain-camera'), ['--recording', recording, '--port', String(ready.camera), '--seconds', String(seconds + 3), '--kbit', String(Math.round(kbit))]);
  await until('plain pictures', () => page.evaluate(() => document.getElementById('picture').width !== 1280));
  await pause(1000);
  const offset = [await rawMinusPage(page, town.bin)];
  await pause(seconds * 1000);
  offset.push(await rawMinusPage(page, town.bin));
  const noted = await take(page);
  const {open_to_first_ms} = JSON.parse((await camera).stdout);
  await page.close();
  await town.processes.stop(child);
  const all = delays(noted, (offset[0] + offset[1]) / 2, (_, index) => index);
  return {openToFirst: open_to_first_ms, drift: offset[1] - offset[0], delays: all.slice(10)};
}

// Where the time goes from the press to the first picture, `times` times.
export async function pressToPicture(town, page, times) {
  const [hub] = town.hubs;
  const phases = [];
  for (let i = 0; i < times; ++i) {
    await open(page, hub.resident.resident, 1);
    const offset = await rawMinusPage(page, town.bin);
    const {marks, frames, paints} = await take(page);
    await close(page);
    const judged = marks.judged_raw - offset;
    const captured = frames[0].capture - offset;
    phases.push({
      'press -> order signed and sent': marks.sent - marks.pressed,
      'order sent -> in the ledger, offered': marks.offered - marks.sent,
      'order sent -> judged by the gate': judged - marks.sent,
      'judged -> answer at the page': marks.answered - judged,
      'answer -> stream key open': marks.opened - marks.answered,
      'judged -> first picture captured': captured - judged,
      'captured -> at the page': frames[0].at - captured,
      'at the page -> painted': paints[0].at - frames[0].at,
      'press -> painted': paints[0].at - marks.pressed,
    });
  }
  return Object.fromEntries(Object.keys(phases[0]).map((name) => [name, median(phases.map((phase) => phase[name]))]));
}
