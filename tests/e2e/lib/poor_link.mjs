// A network that is as poor as one says, for programs that are started `under` it: poor_link.py does it, packet by packet.
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {until} from './processes.mjs';

const script = fileURLToPath(new URL('poor_link.py', import.meta.url));

export const good = {rtt_ms: 20, loss: 0, kbit: 20000, queue_ms: 1000};
export const cut = {...good, loss: 1};
// A wired home, a mobile one, and one at the edge of a cell.
export const links = {
  wired: {rtt_ms: 60, loss: 0, kbit: 2000, queue_ms: 1000},
  mobile: {rtt_ms: 150, loss: 0.01, kbit: 1000, queue_ms: 1000},
  edge: {rtt_ms: 300, loss: 0.05, kbit: 500, queue_ms: 1000},
};

export class PoorLink {
  // What is lost follows from `seed`.
  static async start(processes, name, seed, shape = good) {
    const link = new PoorLink();
    const {child, ready} = await processes.startServer(name, 'python3', [script, String(seed)], {stdin: 'pipe'});
    createInterface({input: child.stdout}).on('line', (text) => { if (text) link.counted = JSON.parse(text); });
    link.child = child;
    link.under = ['nsenter', `--net=${join('/proc', String(ready.listening), 'ns/net')}`];
    link.set(shape);
    return link;
  }

  // How it is from now on, both ways; `queue_ms` is how long a packet may have to wait before it finds the queue full.
  set(shape) { this.child.stdin.write(`${JSON.stringify(shape)}\n`); }

  // -> {up, down: {packets, bytes, lost, overflowed}} since the start.
  count() {
    this.counted = null;
    this.child.stdin.write('count\n');
    return until('what has passed', () => this.counted, 5000, 10);
  }
}
