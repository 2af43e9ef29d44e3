// CPU time, clocks and medians.
import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';

const run = promisify(execFile);
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// User and system time of a process so far, in ms, by the kernel's ticks of 10 ms.
export function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}
export const median = (values) => quantile(values, 0.5);

// How far the wall is ahead of CLOCK_MONOTONIC_RAW, in ms.
export async function wallMinusRaw(bin) {
  const {mono_raw_ms, wall_ms} = JSON.parse((await run(join(bin, 'bench-plain-camera'), ['--clocks'])).stdout);
  return wall_ms - mono_raw_ms;
}

// How far CLOCK_MONOTONIC_RAW is ahead of the page's performance.now(), in ms, over the wall clock that both can read.
export async function rawMinusPage(page, bin) {
  const wallMinusPage = await page.evaluate(() => {
    const start = Date.now();
    while (Date.now() === start);
    return Date.now() - performance.now();
  });
  return wallMinusPage - await wallMinusRaw(bin);
}

export const ratio = (ours, theirs) => (ours / theirs).toFixed(2);
