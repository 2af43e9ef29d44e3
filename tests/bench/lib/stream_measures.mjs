// What carrying streams costs: some hubs' uploads to as many viewers, and the same bytes through servers that only copy.
import {connect as connectPlain, createServer as createPlainServer} from 'node:net';
import {join} from 'node:path';
import {connect as connectTls, createServer as createTlsServer} from 'node:tls';
import {readFileSync} from 'node:fs';
import {random} from '../../e2e/lib/crypto.mjs';
import {Person} from '../../e2e/lib/person.mjs';
import {until} from '../../e2e/lib/processes.mjs';
import {enrolHub, localTime, moveIn, schedule, staffTown} from '../../e2e/lib/provision.mjs';
import {frame, ScriptedHub} from '../../e2e/lib/scripted_hub.mjs';
import {ScriptedViewer} from '../../e2e/lib/scripted_viewer.mjs';
import {pause} from './figures.mjs';
import {ranMs} from './relay_figures.mjs';
import {startHaproxyForwarding} from './servers.mjs';

const picturesASecond = 15;
const pictureBytes = Math.round(1e6 / 8 / picturesASecond);
const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

function picture(n) {
  const bytes = frame(n % picturesASecond === 0 ? 1 : 0, Buffer.alloc(pictureBytes - 13, n));
  bytes.writeBigUInt64BE(BigInt(Math.round(n * 1000 / picturesASecond)), 5);
  return bytes;
}

// Sends a picture to each at its time, and what a viewer says in between; -> the server's CPU, ms a second.
async function play(pid, streams, viewers, seconds) {
  const cpu = ranMs(pid);
  const began = performance.now();
  for (let n = 0; n < seconds * picturesASecond; ++n) {
    for (const stream of streams) stream.write(picture(n));
    if (n % (2 * picturesASecond) === 0) for (const viewer of viewers) viewer.sendLife(Buffer.alloc(64, 1));
    await pause(Math.max(0, began + (n + 1) * 1000 / picturesASecond - performance.now()));
  }
  const passed = (performance.now() - began) / 1000;
  return (ranMs(pid) - cpu) / passed;
}

async function oneView(town, hub) {
  const person = await new Person(town, 'anna.berg').logIn();
  const viewer = await new ScriptedViewer(town, person).connect();
  const {order, hash} = await viewer.makeView(hub);
  const asked = viewer.ask(order);
  await hub.offered(hash);
  const stream = random(16);
  await hub.report({answers: [hub.open(order, stream)]});
  await asked;
  let seen = 0;
  viewer.onFrame = () => { seen += 1; };
  const upload = hub.stream(stream);
  await upload.response;
  return {viewer, write: upload.send, seen: () => seen};
}

async function throughRelay(town, count, seconds) {
  await staffTown(town);
  const hub = new ScriptedHub(town, 'one');
  await enrolHub(town, hub);
  hub.start();
  await town.makeBundle();
  await moveIn(town, hub, {name: 'Astrid Testsson', address: 'Provgatan 1'});
  await schedule(town, hub, [{id: 'w1', days: every, start: localTime(-2).time, minutes: 60}]);
  const views = [];
  for (let i = 0; i < count; ++i) views.push(await oneView(town, hub));
  const cpu = await play(town.relayProcess.pid, views, views.map(({viewer}) => viewer), seconds);
  await until('every picture at its viewer', () => views.every(({seen}) => seen() === seconds * picturesASecond));
  hub.stop();
  for (const {viewer} of views) viewer.close();
  return {cpu, key: hub.key, cert: hub.cert};
}

// The same pictures from `connect` through a server to a socket at its other side.
async function throughServer(pid, connect, sink, count, seconds) {
  const streams = await Promise.all(Array.from({length: count}, connect));
  const cpu = await play(pid, streams, [], seconds);
  await until('every byte at the other side', () => sink.bytes === count * seconds * picturesASecond * pictureBytes);
  for (const stream of streams) stream.destroy();
  return cpu;
}

const opened = (socket, event) => new Promise((done, fail) => { socket.once(event, () => done(socket)); socket.once('error', fail); });

async function startSink(create, options) {
  const sink = {bytes: 0};
  sink.server = create(options, (socket) => {
    socket.on('data', (chunk) => { sink.bytes += chunk.length; });
    socket.on('error', () => {});
  });
  await new Promise((done) => { sink.server.listen(0, '127.0.0.1', done); });
  sink.port = sink.server.address().port;
  return sink;
}

async function throughHaproxy(town, {key, cert}, count, seconds) {
  const sink = await startSink(createTlsServer, {key: readFileSync(town.relayTls.key), cert: readFileSync(town.relayTls.cert)});
  const {child, pid, port} = await startHaproxyForwarding(town, sink.port);
  const connect = () => opened(connectTls({port, host: '127.0.0.1', ca: town.ca.pem, key, cert, servername: 'localhost'}), 'secureConnect');
  const cpu = await throughServer(pid, connect, sink, count, seconds);
  await town.processes.stop(child);
  sink.server.close();
  return cpu;
}

async function throughCopy(town, count, seconds) {
  const sink = await startSink(createPlainServer, {});
  const {child, ready} = await town.processes.startServer('copy', join(town.bin, 'bench-copy'), ['--to', String(sink.port)]);
  const connect = () => opened(connectPlain({port: ready.listening, host: '127.0.0.1', noDelay: true}), 'connect');
  const cpu = await throughServer(child.pid, connect, sink, count, seconds);
  await town.processes.stop(child);
  sink.server.close();
  return cpu;
}

export async function streams(town, count, seconds) {
  const relay = await throughRelay(town, count, seconds);
  return {relay: relay.cpu, haproxy: await throughHaproxy(town, relay, count, seconds), copy: await throughCopy(town, count, seconds)};
}
