// A viewer without a page: a member of staff's own session and keys on the WebSocket, doing what no page would do.
import {createECDH} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {WebSocket} from 'ws';
import {b64, sha256} from './crypto.mjs';
import {makeOrder} from './person.mjs';
import {until} from './processes.mjs';

export class ScriptedViewer {
  constructor(town, person) {
    this.town = town;
    this.person = person;
    this.hubs = new Map();  // id -> {online, status}
    this.texts = [];
    this.frames = [];  // {frame, at}
    this.onFrame = (came) => this.frames.push(came);
  }

  async connect() {
    this.socket = new WebSocket(`${this.town.relay.replace('https:', 'wss:')}/v1/live`, {ca: this.town.ca.pem, headers: {origin: this.town.appOrigin}, perMessageDeflate: false});
    this.socket.on('error', () => {});
    this.socket.on('message', (data, binary) => (binary ? this.onFrame({frame: data, at: Date.now()}) : this.#hear(JSON.parse(data.toString()))));
    await new Promise((done, fail) => { this.socket.once('open', done); this.socket.once('error', fail); });
    this.send({type: 'authenticate', token: this.person.token});
    await until('session on the WebSocket', () => this.texts.some(({type}) => type === 'ready'));
    return this;
  }

  #hear(message) {
    if (message.type === 'hubs') for (const {hub, online, status} of message.hubs) this.hubs.set(hub, {online, status});
    else this.texts.push(message);
  }

  send(message) { this.socket.send(JSON.stringify(message)); }
  sendLife(bytes) { this.socket.send(bytes); }
  close() { this.socket.close(); }

  // A view order that would be right, with `change` made to its body before it is signed.
  async makeView(hub, change = {}) {
    const {status} = await until(`hub ${hub.name} online`, () => {
      const known = this.hubs.get(hub.id);
      const newest = this.town.front?.newestChallenge(hub) ?? known?.status?.challenge;
      return known?.online && newest && known.status?.challenge === newest ? known : null;
    }, 40000);
    const {root_list_version, counter} = JSON.parse(JSON.parse(readFileSync(this.town.path('bundle.json'), 'utf8')).payload);
    const key = createECDH('prime256v1');
    key.generateKeys();
    this.viewerKey = key;
    const {resident, group} = hub.resident;
    return makeOrder(this.town, [[this.person, 'operator']], {
      type: 'view', hub: hub.id, resident, group, camera: 'cam1', viewer_key: b64(key.getPublicKey()), challenge: status.challenge,
      bundle: {root_list_version, counter}, head: status.head, checkpoint: {size: 0, root: b64(sha256())}, ...change});
  }

  // Asks, and waits for what comes of it: {answer} as the hub signed it (read), or {problem: code}.
  async ask(order, ms = 20000) {
    const from = this.texts.length;
    this.send({type: 'view', order});
    const told = await until('an answer or a problem', () => this.texts.slice(from).find(({type}) => type === 'answer' || type === 'problem'), ms);
    return told.type === 'problem' ? {problem: told.code} : {answer: JSON.parse(told.answer.payload)};
  }

  async view(hub, change = {}) { return this.ask((await this.makeView(hub, change)).order); }
  end() { this.send({type: 'end'}); }
}
