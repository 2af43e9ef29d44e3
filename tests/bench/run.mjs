// Prints each measure beside its baseline, measured in the same run. See README.md.
import {mkdtempSync, rmSync} from 'node:fs';
import {loadavg, tmpdir} from 'node:os';
import {join} from 'node:path';
import {launch, logIn, newPage} from '../e2e/lib/chromium.mjs';
import {enrolHub, localTime, moveIn, schedule, staffTown} from '../e2e/lib/provision.mjs';
import {Town} from '../e2e/lib/town.mjs';
import {row} from '../e2e/lib/view_page.mjs';
import {farAway} from './lib/far_away.mjs';
import {median, quantile, ratio} from './lib/figures.mjs';
import {pipelineAlone, plainChain, pressToPicture, watchOneView} from './lib/measures.mjs';
import {addProbe} from './lib/probe.mjs';

const seconds = Number(process.env.TILLSYN_BENCH_SECONDS ?? 20);
const rounds = 2;
const presses = Number(process.env.TILLSYN_BENCH_PRESSES ?? 7);
const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const ms = (value) => `${value.toFixed(1)} ms`;
const line = (name, value) => console.log(`  ${name.padEnd(44)} ${value}`);

// One home with a window open now, and an operator's page on tonight's list.
async function inTown(front, measure) {
  const dir = mkdtempSync(join(tmpdir(), 'tillsyn-bench-'));
  const town = new Town(dir, {front});
  let browser;
  try {
    await town.start();
    await staffTown(town);
    const hub = await town.addHub('one');
    await enrolHub(town, hub);
    await town.makeBundle();
    await moveIn(town, hub, {name: 'Astrid Testsson', address: 'Provgatan 1'});
    await schedule(town, hub, [{id: 'w1', days: every, start: localTime(-2).time, minutes: 60}]);
    await town.makeBundle();
    browser = await launch(town);
    const page = await newPage(browser);
    await addProbe(page);
    await logIn(page, town, 'anna.berg');
    await row(page, hub.resident.resident).first().waitFor();
    await measure(town, browser, page);
  } finally {
    await browser?.close();
    await town.stop();
    if (!process.env.TILLSYN_KEEP) rmSync(dir, {recursive: true, force: true});
  }
}

function printCpu(views, alone) {
  const total = (list, of) => list.reduce((sum, item) => sum + of(item), 0);
  const gate = total(views, ({cpu}) => cpu['tillsyn-gate']);
  const baseline = total(alone, ({cpu_ms}) => cpu_ms);
  console.log(`\nHub CPU: one view, ${rounds} times ${seconds / rounds} s (${total(views, ({pictures}) => pictures)} pictures, ${median(views.map(({kbit}) => kbit)).toFixed(0)} kbit/s)`);
  line('tillsyn-gate', `${gate} ms`);
  line('baseline: same pipeline into a fakesink', `${baseline.toFixed(0)} ms (${total(alone, ({pictures}) => pictures)} pictures)`);
  line('RATIO hub CPU', ratio(gate, baseline));
  for (const name of ['tillsyn-fuse', 'tillsyn-link', 'tillsyn-relay']) line(`beside it: ${name}`, `${total(views, ({cpu}) => cpu[name])} ms`);
}

function printDelay(views, plain) {
  const [real, baseline] = [views, plain].map((list) => list.flatMap(({delays}) => delays));
  const words = (values) => `${ms(median(values))}, ${ms(quantile(values, 0.95))} (${values.length} pictures)`;
  console.log('\nCapture to canvas: (paint by drawImage) - (capture time in the frame)');
  line('real chain: median, 95th percentile', words(real));
  line('baseline: unencrypted, trivial relay', words(baseline));
  line('RATIO capture to canvas, median', ratio(median(real), median(baseline)));
  line('RATIO capture to canvas, 95th percentile', ratio(quantile(real, 0.95), quantile(baseline, 0.95)));
  const drift = Math.max(...[...views, ...plain].map((item) => Math.abs(item.drift)));
  line('clocks', `CLOCK_MONOTONIC_RAW and performance.now() each read beside the wall clock, before and after; drift ${ms(drift)}`);
}

// Ours and the baselines in turn, so that a busy moment of the machine falls on both.
async function cpuAndDelay(town, browser, page) {
  const [views, alone, plain] = [[], [], []];
  for (let i = 0; i < rounds; ++i) {
    views.push(await watchOneView(town, page, seconds / rounds));
    alone.push(await pipelineAlone(town, seconds / rounds, views[i].kbit));
    plain.push(await plainChain(town, browser, seconds / rounds, views[i].kbit));
  }
  printCpu(views, alone);
  printDelay(views, plain);
  return median(plain.map(({openToFirst}) => openToFirst));
}

function printPhases(phases, openToFirst) {
  console.log(`\nPress to first picture: medians of ${presses}`);
  for (const [name, value] of Object.entries(phases)) line(name, ms(value));
  line('baseline: camera start and one encode', ms(openToFirst));
  line('RATIO press to first picture', ratio(phases['press -> painted'], openToFirst));
}

// The same with a relay 0 and then `distance` ms away from hub and page: what it adds, in round trips.
async function roundTrips(town, page, setDistance, distance, openToFirst) {
  const near = await pressToPicture(town, page, presses);
  setDistance(distance);
  const far = await pressToPicture(town, page, presses);
  const added = far['press -> painted'] - near['press -> painted'];
  console.log(`\nRound trips: the relay ${distance} ms (there and back) from the page and from the hub`);
  line('press -> painted, near and far', `${ms(near['press -> painted'])}, ${ms(far['press -> painted'])}`);
  line('round trips to a relay, one after the other', (added / distance).toFixed(1));
  const budget = 3 * distance + openToFirst;
  line('budget: 3 round trips, camera start, one encode', ms(budget));
  line('RATIO press to first picture, far', ratio(far['press -> painted'], budget));
}

console.log(`load ${loadavg().map((value) => value.toFixed(1)).join(' ')}; a ratio on a busy machine is a guess`);
let openToFirst;
await inTown(undefined, async (town, browser, page) => {
  openToFirst = await cpuAndDelay(town, browser, page);
  printPhases(await pressToPicture(town, page, presses), openToFirst);
});
let distance = 0;
await inTown((town) => farAway(town.relayPort, () => distance), (town, browser, page) =>
  roundTrips(town, page, (value) => { distance = value; }, 60, openToFirst));
