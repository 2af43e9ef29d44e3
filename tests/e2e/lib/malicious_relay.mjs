// A relay in the hands of an enemy: it owns the relay's TLS keys and everything that passes, and stands where the real one is
// known to stand. What it does not bend it hands on to the real relay, towards which it also owns the hubs' link keys.
//
// Bend it by setting members of `bend`; each gets what passes and returns what is handed on (undefined: unchanged).
//   hubRequest(path, json)      hubAnswer(path, json, request)     between hub and relay; the answer may be a promise
//   staffRequest(method, path, json)   staffAnswer(method, path, json)   between page and relay
//   up(message)  down(message)                                      WebSocket texts, as objects; null swallows
//   lives(buffer)                                                   signs of life; false swallows
//   frames(buffer, send)                                            each frame for the viewer; call send(buffer) to let it go
//   reply(method, path, json)          answers a page or script, {status, json}, without the real relay; undefined passes
// What the hubs said is in `heard`; `tellHub` says something to a hub that the real relay never said.
import {readFileSync} from 'node:fs';
import {createServer, request as httpsRequest} from 'node:https';
import {WebSocket, WebSocketServer} from 'ws';
import {thumbprint} from './crypto.mjs';

export class MaliciousRelay {
  constructor(town) {
    this.town = town;
    this.bend = {};
    this.heard = [];  // {hub, path, json}: every body that a hub sent
    this.asked = [];  // {method, path, json}: every request that a page or script sent
    this.toSay = new Map();  // hub -> [{words, done}]
    this.held = new Map();  // hub -> ends the poll that it holds
    this.seen = [];  // every byte that passed, for a search afterwards: filled while `record` is set
    this.record = false;
    this.sockets = new Set();
  }

  async start(realPort) {
    this.real = {host: '127.0.0.1', port: realPort, servername: 'localhost'};
    const {key, cert} = this.town.relayTls;
    this.server = createServer({key: readFileSync(key), cert: readFileSync(cert), requestCert: true, rejectUnauthorized: false},
      (request, response) => this.#forward(request, response).catch((error) => { response.statusCode = 502; response.end(error.message); }));
    this.webSockets = new WebSocketServer({noServer: true});
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.server.on('connection', (socket) => { this.sockets.add(socket); socket.on('close', () => this.sockets.delete(socket)); });
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.port = this.server.address().port;
    return this;
  }

  stop() { for (const socket of this.sockets) socket.destroy(); this.server.close(); }

  #note(bytes) { if (this.record) this.seen.push(Buffer.from(bytes)); }

  // The hub that speaks, and its link key.
  #identity(request) {
    const peer = request.socket.getPeerX509Certificate();
    if (!peer) return {};
    const print = thumbprint(peer.publicKey.export({format: 'jwk'})).toString('hex');
    for (const hub of this.town.hubs) {
      const {key, cert, point} = hub.linkIdentity();
      if (point === print) return {hub, key, cert};
    }
    return {};
  }

  // Answers the hub's poll with `words`, a part of a poll's answer; done when the hub has been told.
  tellHub(hub, words) {
    return new Promise((done) => {
      this.toSay.set(hub, [...(this.toSay.get(hub) ?? []), {words, done}]);
      this.held.get(hub)?.();
    });
  }

  // The words of our own for this hub's poll: now, or as soon as there are some.
  #ownWords(hub) {
    const next = () => {
      const [{words, done}, ...rest] = this.toSay.get(hub);
      this.toSay.set(hub, rest);
      setImmediate(done);
      return {words};
    };
    if (this.toSay.get(hub)?.length > 0) return Promise.resolve(next());
    return new Promise((done) => this.held.set(hub, () => { this.held.delete(hub); done(next()); }));
  }

  // The challenge that the hub told in its newest poll.
  newestChallenge(hub) {
    return this.heard.filter((said) => said.hub === hub && said.path === '/hub/v1/poll' && said.json.status).at(-1)?.json.status.challenge;
  }

  // A hub's signed documents of a kind ("receipts", "answers", "events", "countersigns"), newest first, read.
  documents(hub, kind) {
    return this.heard.filter((said) => said.hub === hub && said.path === '/hub/v1/report').flatMap(({json}) => json[kind])
      .map((envelope) => ({...JSON.parse(envelope.payload), envelope})).reverse();
  }

  async #forward(request, response) {
    const path = request.url;
    const {hub, key, cert} = this.#identity(request);
    const options = {...this.real, path, method: request.method, headers: request.headers, ca: this.town.ca.pem, agent: false, key, cert};
    if (path.startsWith('/hub/v1/streams/')) return this.#stream(request, response, options);
    let body = await collect(request);
    this.#note(body);
    const ofHub = path.startsWith('/hub/');
    const bendRequest = ofHub ? this.bend.hubRequest && ((json) => this.bend.hubRequest(path, json, hub)) : this.bend.staffRequest && ((json) => this.bend.staffRequest(request.method, path, json));
    if (body.length > 0 && bendRequest) body = rewrite(body, bendRequest);
    const said = this.#listen(hub, request.method, path, body);
    const own = !ofHub && this.bend.reply?.(request.method, path, said);
    if (own) {
      response.writeHead(own.status, {'content-type': 'application/json', 'access-control-allow-origin': request.headers.origin ?? '*'});
      return response.end(JSON.stringify(own.json));
    }
    const real = exchange({...options, headers: {...options.headers, 'content-length': body.length, 'transfer-encoding': undefined}}, body);
    const bend = ofHub ? (json) => this.bend.hubAnswer?.(path, json, body, hub) : (json) => this.bend.staffAnswer?.(request.method, path, json);
    const answer = await (hub && path === '/hub/v1/poll' ? this.#pollAnswer(hub, real, bend) : real.answer);
    this.#note(answer.body);
    const out = !answer.isOurs ? await rewriteLater(answer.body, bend) : answer.body;
    const headers = {...answer.headers, 'content-length': out.length};
    delete headers['transfer-encoding'];
    response.writeHead(answer.status, headers);
    response.end(out);
  }

  #listen(hub, method, path, body) {
    let json = null;
    try { json = JSON.parse(body.toString()); } catch { /* nothing, or not JSON */ }
    if (hub) this.heard.push({hub, path, json});
    else this.asked.push({method, path, json});
    return json;
  }

  // The real relay's answer to a poll, or ours. Ours comes when the real relay has heard the hub's status, has nobody left whom
  // it could say something to, and with what it had to say until then.
  async #pollAnswer(hub, real, bend) {
    const first = await Promise.race([real.answer, this.#ownWords(hub)]);
    this.held.delete(hub);
    if (!first.words) return first;
    const late = await Promise.race([real.answer.catch(() => null), pause(30)]);
    real.cancel();
    await pause(30);
    const theirs = late?.status === 200 ? JSON.parse(late.body.toString()) : {orders: [], views: [], events_acked: 0};
    const {orders, views, ...rest} = bend(theirs) ?? theirs;
    const words = {root_list: null, bundle: null, ...rest, ...first.words};
    Object.assign(words, {orders: [...(first.words.orders ?? []), ...orders], views: [...(first.words.views ?? []), ...views]});
    return {isOurs: true, status: 200, headers: {'content-type': 'application/json'}, body: Buffer.from(JSON.stringify(words))};
  }

  #stream(request, response, options) {
    const headers = Object.fromEntries(Object.entries(options.headers).filter(([name]) => name !== 'content-length'));
    const outgoing = httpsRequest({...options, headers}, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      answer.on('data', (chunk) => { this.#note(chunk); response.write(chunk); });
      answer.on('end', () => response.end());
      answer.on('error', () => response.destroy());
    });
    outgoing.setNoDelay(true);
    outgoing.flushHeaders();
    outgoing.on('error', () => response.destroy());
    request.on('data', (chunk) => { this.#note(chunk); outgoing.write(chunk); });
    request.on('end', () => outgoing.end());
    request.on('error', () => outgoing.destroy());
    response.on('close', () => outgoing.destroy());
  }

  #upgrade(request, socket, head) {
    this.webSockets.handleUpgrade(request, socket, head, (page) => {
      const relay = new WebSocket(`wss://127.0.0.1:${this.real.port}${request.url}`, {
        ca: this.town.ca.pem, servername: 'localhost', headers: {host: request.headers.host, origin: request.headers.origin}, perMessageDeflate: false});
      const waiting = [];
      const toRelay = (data, binary) => (relay.readyState === WebSocket.OPEN ? relay.send(data, {binary}) : waiting.push([data, binary]));
      relay.on('open', () => { for (const [data, binary] of waiting.splice(0)) relay.send(data, {binary}); });
      const toPage = (data, binary) => { if (page.readyState === WebSocket.OPEN) page.send(data, {binary}); };
      page.on('message', (data, binary) => {
        this.#note(data);
        if (binary && this.bend.lives?.(data) === false) return;
        this.#pass(data, binary, this.bend.up, toRelay);
      });
      relay.on('message', (data, binary) => {
        this.#note(data);
        if (binary && this.bend.frames) return this.bend.frames(data, (frame) => toPage(frame, true));
        return this.#pass(data, binary, this.bend.down, toPage);
      });
      for (const [one, other] of [[page, relay], [relay, page]]) {
        one.on('close', () => other.close());
        one.on('error', () => other.terminate());
      }
      this.say = (message) => toPage(JSON.stringify(message), false);
      this.show = (frame) => toPage(frame, true);
    });
  }

  #pass(data, binary, bend, send) {
    if (binary || !bend) return send(data, binary);
    const message = JSON.parse(data.toString());
    const bent = bend(message);
    if (bent === null) return undefined;
    return send(bent === undefined ? data : JSON.stringify(bent), false);
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function collect(stream) {
  return new Promise((done, fail) => {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => done(Buffer.concat(chunks)));
    stream.on('error', fail);
  });
}

// -> {answer: promise of {status, headers, body}, cancel()}
function exchange(options, body) {
  const headers = Object.fromEntries(Object.entries(options.headers).filter(([, value]) => value !== undefined));
  const outgoing = httpsRequest({...options, headers});
  const answer = new Promise((done, fail) => {
    outgoing.on('response', async (response) => {
      try { done({status: response.statusCode, headers: response.headers, body: await collect(response)}); } catch (error) { fail(error); }
    });
    outgoing.on('error', fail);
    outgoing.end(body);
  });
  return {answer, cancel: () => outgoing.destroy()};
}

function rewrite(body, bend) {
  const bent = bend(JSON.parse(body.toString()));
  return bent === undefined ? body : Buffer.from(JSON.stringify(bent));
}

async function rewriteLater(body, bend) {
  let json;
  try { json = JSON.parse(body.toString()); } catch { return body; }
  const bent = await bend(json);
  return bent === undefined ? body : Buffer.from(JSON.stringify(bent));
}
