// Puts distance between a relay and everybody: each byte arrives half of `roundTripMs()` later, and a new connection costs a
// round trip before its first byte, as TCP's own handshake would.
import {connect, createServer} from 'node:net';

// Runs actions in the order given, each when it is due.
class Line {
  #waiting = [];
  add(ms, action) {
    this.#waiting.push({due: Math.max(performance.now() + ms, this.#waiting.at(-1)?.due ?? 0), action});
    if (this.#waiting.length === 1) this.#run();
  }
  #run() {
    while (this.#waiting.length > 0) {
      const left = this.#waiting[0].due - performance.now();
      if (left > 0) return setTimeout(() => this.#run(), left);
      this.#waiting.shift().action();
    }
  }
}

function carry(from, to, roundTripMs, connectMs) {
  const line = new Line();
  const opened = performance.now();
  from.setNoDelay(true);
  from.on('data', (chunk) => line.add(Math.max(roundTripMs() / 2, opened + connectMs + roundTripMs() / 2 - performance.now()), () => { if (to.writable) to.write(chunk); }));
  from.on('end', () => line.add(roundTripMs() / 2, () => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => line.add(roundTripMs() / 2, () => to.destroy()));
}

export function farAway(relayPort, roundTripMs) {
  const server = createServer({allowHalfOpen: true}, (near) => {
    const far = connect({port: relayPort, host: '127.0.0.1', allowHalfOpen: true});
    carry(near, far, roundTripMs, roundTripMs());
    carry(far, near, roundTripMs, 0);
  });
  return new Promise((done) => server.unref().listen(0, '127.0.0.1', () => done({port: server.address().port})));
}
