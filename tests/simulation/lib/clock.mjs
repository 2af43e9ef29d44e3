// The clock that the simulation, and every program it starts, goes by (simulated_clock.cpp). Its wall clock may jump, over
// a day in which nothing is simulated; its steady clock only goes faster or slower, and waits for whoever cannot keep up:
// it goes on by small steps then.
import {openSync, writeSync} from 'node:fs';

const realNow = () => process.hrtime.bigint();
const stride = 1000000000n;  // simulated ns that it goes without being let go on
const step = 50000000n;  // and while somebody has not kept up
const everyMs = 10;
const least = (a, b) => (a < b ? a : b);

export class SimulatedClock {
  // `mayGo`: whether everybody has kept up.
  constructor(file, startMs, rate) {
    this.file = openSync(file, 'w');
    this.sequence = 0n;
    this.base = {real: realNow(), wall: BigInt(startMs) * 1000000n, steady: realNow()};
    this.rate = rate;
    this.mayGo = () => true;
    this.most = stride;
    this.#write();
    this.timer = setInterval(() => this.#goOn(), everyMs);
  }

  close() { clearInterval(this.timer); }

  #write() {
    const page = Buffer.alloc(48);
    page.writeBigUInt64LE(++this.sequence, 0);
    writeSync(this.file, page.subarray(0, 8), 0, 8, 0);
    page.writeBigInt64LE(this.base.real, 8);
    page.writeBigInt64LE(this.base.wall, 16);
    page.writeBigInt64LE(this.base.steady, 24);
    page.writeDoubleLE(this.rate, 32);
    page.writeBigInt64LE(this.most, 40);
    writeSync(this.file, page.subarray(8), 0, 40, 8);
    page.writeBigUInt64LE(++this.sequence, 0);
    writeSync(this.file, page.subarray(0, 8), 0, 8, 0);
  }

  #passed(real) { return least(BigInt(Math.round(Number(real - this.base.real) * this.rate)), this.most); }

  #rebase() {
    const real = realNow();
    const passed = this.#passed(real);
    this.base = {real, wall: this.base.wall + passed, steady: this.base.steady + passed};
  }

  #goOn() {
    this.#rebase();
    this.most = this.mayGo() ? stride : step;
    this.#write();
  }

  // ms since 1970.
  now() { return Number(this.base.wall + this.#passed(realNow())) / 1e6; }

  // ms since no matter when, without jumps.
  steady() { return Number(this.base.steady + this.#passed(realNow())) / 1e6; }

  setRate(rate) {
    this.#rebase();
    this.rate = rate;
    this.#write();
  }

  jumpTo(ms) {
    this.#rebase();
    this.base.wall = BigInt(Math.round(ms)) * 1000000n;
    this.#write();
  }

  async until(ms) {
    for (let left = ms - this.now(); left > 0; left = ms - this.now()) {
      await new Promise((done) => setTimeout(done, Math.min(left / this.rate, 50)));
    }
  }
}
