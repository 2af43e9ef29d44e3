// How old the pictures were that somebody was shown, told from outside: from the capture times that travel in the clear, the
// clock that the hub's answer names, and this machine's, which is the hub's too.
import {fileURLToPath} from 'node:url';
import {painted, readFrame} from './paint_notes.mjs';
import {until} from './processes.mjs';

// Notes what a page is sent. To be called before it logs in; the page needs `notePaint`.
export function watchPage(page) {
  const seen = {answer: null, captures: new Map()};
  const take = (payload) => {
    if (typeof payload !== 'string') {
      const {ctr, capture} = readFrame(payload);
      return void seen.captures.set(ctr, capture);
    }
    const message = JSON.parse(payload);
    if (message.type === 'answer') Object.assign(seen, {answer: JSON.parse(message.answer.payload), captures: new Map()});
  };
  page.on('websocket', (socket) => socket.on('framereceived', ({payload}) => take(payload)));
  return seen;
}

// -> {pictures: [{at, age}], blanked: [at]} of the view that `seen` is about, since `forgetPaint`,
// which must have been after that view began.
export async function shown(page, {answer, captures}) {
  const noted = await painted(page);
  await until('each picture told here too', () => noted.painted.every(({ctr}) => captures.has(ctr)), 5000, 10);
  const age = ({ctr, at}) => at - (answer.utc_ms + captures.get(ctr) - answer.mono);
  return {pictures: noted.painted.map((picture) => ({at: picture.at, age: age(picture)})), blanked: noted.blanked};
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

// What it was like from `from` to `to`: ages and the longest time without a new picture, ms.
export function figures(pictures, from, to) {
  const inside = pictures.filter(({at}) => at >= from && at < to);
  const ages = inside.map(({age}) => age).sort((a, b) => a - b);
  const moments = [from, ...inside.map(({at}) => at), to];
  return {pictures: inside.length, perSecond: inside.length * 1000 / (to - from), median: quantile(ages, 0.5), p95: quantile(ages, 0.95), oldest: ages.at(-1),
    freeze: Math.max(...moments.slice(1).map((at, i) => at - moments[i]))};
}

export const words = ({pictures, perSecond, median, p95, oldest, freeze}) => `${pictures} pictures, ${perSecond.toFixed(1)}/s; delay ms: median ${Math.round(median)}, ` +
  `95 % ${Math.round(p95)}, most ${Math.round(oldest)}; longest freeze ${Math.round(freeze)} ms`;

// The greatest age that anything on the screen ever had: each picture stands until the next, or until it is blanked.
export function oldestOnScreen({pictures, blanked}, to) {
  const changes = [...pictures.map(({at}) => at), ...blanked, to].sort((a, b) => a - b);
  return Math.max(...pictures.map(({at, age}) => age + changes.find((change) => change > at) - at));
}

// A viewer behind a network of its own (watcher.mjs, by which also its figures are told).
export class Watcher {
  static async start(town, link, person, hub) {
    const watcher = new Watcher();
    const [command, ...args] = [...link.under, 'node', fileURLToPath(new URL('watcher.mjs', import.meta.url))];
    const {relay, provider, appOrigin, issuer, dir, ca} = town;
    const {name, token, idToken, key} = person;
    const input = {
      town: {relay, provider, appOrigin, issuer, dir, ca: ca.pem}, hub: {id: hub.id, name: hub.name, resident: hub.resident},
      person: {name, token, idToken, key: key.privateKey.export({format: 'jwk'}), jwk: key.jwk, salt: key.salt},
    };
    const {child} = await town.processes.startServer(`watcher-${link.child.title}`, command, args, {stdin: 'pipe', input});
    watcher.child = child;
    return watcher;
  }

  // Ends the view; -> {pictures: [{at, age}], unread}.
  async end() {
    let said = '';
    this.child.stdout.on('data', (text) => { said += text; });
    this.child.stdin.end();
    await this.child.ended;
    return JSON.parse(said);
  }
}
