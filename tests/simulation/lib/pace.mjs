// How fast the simulated night goes: as fast as relay and hubs keep up with. A poll that is not answered long after it was
// due to be shows that they do not, and the clock waits for it.
const held = 25000;  // simulated ms, as the protocol says
const late = 1000;  // less than what makes the relay suspect that a hub is silent

export class Pace {
  constructor(clock, fastest) {
    Object.assign(this, {clock, fastest});
    this.waiting = new Map();  // hub -> when it asked, the longest first
    clock.mayGo = () => this.#isKept();
  }

  asks(hub) { this.waiting.set(hub, this.clock.steady()); }
  isAnswered(hub) { this.waiting.delete(hub); }

  #isKept() {
    const [longest] = this.waiting.values();
    return longest === undefined || this.clock.steady() - longest < held + late;
  }

  // At a rate of its own while `job` runs.
  async slowly(rate, job) {
    this.clock.setRate(rate);
    try { return await job(); } finally { this.clock.setRate(this.fastest); }
  }
}
