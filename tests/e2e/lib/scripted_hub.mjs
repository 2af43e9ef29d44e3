// A hub without a camera: a script that holds a device key and a link key, polls as a link does and signs what a gate signs
// (common/PROTOCOL.md, "Device payloads"). It accepts every order that it gets; for tests of the relay alone.
import {execFileSync} from 'node:child_process';
import {generateKeyPairSync} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {request} from 'node:https';
import {b64, hashOf, now, random, StaffKey, thumbprint, unb64} from './crypto.mjs';
import {call} from './https.mjs';
import {until} from './processes.mjs';

const noHead = b64(Buffer.alloc(32));
export const pointOf = ({x, y}) => b64(Buffer.concat([Buffer.of(4), unb64(x), unb64(y)]));

export class ScriptedHub {
  constructor(town, name) {
    this.town = town;
    this.name = name;
    this.device = new StaffKey();
    this.id = b64(thumbprint(this.device.jwk));
    this.newLinkKey();
    this.challenge = random(32);
    this.slots = new Map();
    this.offers = [];
    this.events = [];  // signed and not acknowledged yet
    this.n = 0;
    this.prev = null;
  }

  newLinkKey() {
    const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
    const file = this.town.path(`${this.name}.link.key`);
    this.key = privateKey.export({type: 'pkcs8', format: 'pem'});
    writeFileSync(file, this.key, {mode: 0o600});
    this.cert = execFileSync('openssl', ['req', '-x509', '-key', file, '-subj', '/CN=link', '-days', '30'], {stdio: ['ignore', 'pipe', 'ignore']}).toString();
    this.linkPoint = pointOf(publicKey.export({format: 'jwk'}));
  }

  async deviceKey() { return this.device.jwk; }

  call(method, path, body) { return call(this.town.relay + path, {method, body, ca: this.town.ca.pem, key: this.key, cert: this.cert}); }
  post(path, body) { return this.call('POST', path, body); }

  // What the device key signs: {payload, sig}.
  seal(kind, members) {
    const payload = JSON.stringify({format: 1, type: kind, hub: this.id, ...members});
    return {payload, sig: this.device.sign(kind, payload)};
  }

  linkKey() { return this.seal('link-key', {device_key: this.device.jwk, link_key: this.linkPoint, n: 1}); }
  tryEnrol(code) { return this.post('/hub/v1/enrol', {format: 1, code, link_key: this.linkKey()}); }
  async enrol(code) {
    const answer = await this.tryEnrol(code);
    if (answer.status !== 200) throw new Error(`enrol ${this.name}: ${answer.status} ${answer.text}`);
  }

  // What it holds, as documents name it: sorted.
  get held() { return [...this.slots.values()].sort((a, b) => (a.slot < b.slot ? -1 : 1)); }

  get status() {
    return {
      state: 'accepted', challenge: this.challenge, clock: 'trusted', mono: 1, root_list: 1000, bundle: {root_list_version: 1000, counter: 1}, resident: null,
      head: noHead, slots: this.held, ledger: {size: 0, root: noHead}, events: this.n, events_acked: this.n,
      formats: {order: [1], bundle: [1]}, views: 0, faults: [],
    };
  }

  poll(status = this.status) { return this.post('/hub/v1/poll', {format: 1, status}); }
  report({answers = [], receipts = [], countersigns = [], events = [], status = null} = {}) {
    return this.post('/hub/v1/report', {format: 1, status, answers, receipts, countersigns, events});
  }

  receipt(order, {verdict = 'accepted', reason = null} = {}) {
    return this.seal('receipt', {order, verdict, reason, head: noHead, slots: this.held, formats: {order: [1], bundle: [1]}, time: now()});
  }
  countersign(order) { return this.seal('countersign', {order, time: now()}); }

  // The next event of this hub's chain.
  event(kind, members = {}) {
    const made = this.seal('event', {n: ++this.n, prev: this.prev, time: now(), mono: this.n, clock: 'trusted', kind, resident: null, camera: null,
      window: null, order: null, who: null, reason: null, count: 1, ...members});
    this.prev = hashOf('event', made.payload);
    return made;
  }

  answer(view, members) {
    const {resident, camera, viewer_key} = JSON.parse(view.payload);
    return this.seal('answer', {order: hashOf('order', view.payload), resident, camera, viewer_key, mono: 1, utc_ms: Date.now(), clock: 'trusted', head: noHead,
      bundle: null, until_ms: null, next_ms: null, stream: null, enc: null, sealed: null, reason: null, slots: [], ...members});
  }
  open(view, stream) {
    return this.answer(view, {decision: 'open', until_ms: Date.now() + 600000, stream, enc: b64(Buffer.concat([Buffer.of(4), Buffer.alloc(64)])), sealed: b64(Buffer.alloc(48))});
  }

  // A poll's orders, accepted all and assignments countersigned as if somebody held the button.
  async accept(orders) {
    const hashes = orders.map((order) => [order, hashOf('order', order.payload), JSON.parse(order.payload)]);
    const slots = {device: 'device', assignment: 'assignment', release: 'assignment', acceptance: 'acceptance', consent: 'consent', schedule: 'schedule', pause: 'pause'};
    for (const [, order, {type, version}] of hashes) if (slots[type]) this.slots.set(slots[type], {slot: slots[type], version, order});
    await this.report({
      countersigns: hashes.filter(([, , {type}]) => type === 'assignment').map(([, hash]) => this.countersign(hash)),
      receipts: hashes.map(([, hash]) => this.receipt(hash)),
    });
  }

  // Polls until told to stop, as a link does; offers are kept for the test.
  start() {
    this.running = true;
    this.loop = (async () => {
      while (this.running) {
        const answer = await this.poll().catch(() => null);
        if (!answer || answer.status !== 200) {
          await new Promise((done) => setTimeout(done, 50));
          continue;
        }
        const {orders, views} = answer.json();
        this.offers.push(...views);
        if (orders.length > 0) await this.accept(orders).catch(() => {});
      }
    })();
    return this;
  }
  stop() { this.running = false; }
  holdButton() {}
  offered(hash) { return until('the offer', () => this.offers.find(({order}) => hashOf('order', order.payload) === hash)); }

  // An upload of frames; -> {request, response (once it has begun), send(bytes), end()}.
  stream(id, options = {}) {
    const outgoing = request(`${this.town.relay}/hub/v1/streams/${id}`, {
      method: 'POST', ca: this.town.ca.pem, key: this.key, cert: this.cert, agent: false, headers: {'transfer-encoding': 'chunked'}, ...options});
    outgoing.on('error', () => {});
    outgoing.flushHeaders();
    const response = new Promise((done, fail) => {
      outgoing.once('response', (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('error', () => {});
        const ended = new Promise((over) => answer.once('close', () => over(Buffer.concat(chunks))));
        done({status: answer.statusCode, headers: answer.headers, chunks, ended});
      });
      outgoing.once('error', fail);
    });
    return {response, send: (bytes) => outgoing.write(bytes), end: () => outgoing.end()};
  }
}

// One frame on the wire (PROTOCOL.md, "A view's key and frames"); the relay cannot look inside.
export function frame(flags = 1, object = Buffer.alloc(64, 7)) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(9 + object.length, 0);
  head.writeUInt8(flags, 4);
  return Buffer.concat([head, object]);
}
