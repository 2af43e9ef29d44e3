// Hubs by the thousand: enrolled for good, each with keys and an address of its own, and the program that plays them all.
import {execFile} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {postOrder} from '../../e2e/lib/person.mjs';
import {grant, right} from '../../e2e/lib/provision.mjs';
import {call} from '../../e2e/lib/https.mjs';
import {ScriptedHub} from '../../e2e/lib/scripted_hub.mjs';
import {Staff} from '../../simulation/lib/staff.mjs';
import {inParallel} from '../../simulation/lib/municipality.mjs';

const run = promisify(execFile);
const technicians = 16;  // what one address may ask for in a second is limited

class FleetHub extends ScriptedHub {
  constructor(town, i, {key, cert, point}) {
    super(town, `fleet-${i}`);
    Object.assign(this, {key, cert, linkPoint: point, address: `127.${20 + (i >> 14)}.${(i >> 7) & 127}.${1 + (i & 127)}`});
  }
  newLinkKey() {}
  call(method, path, body) {
    return call(this.town.relay + path, {method, body, ca: this.town.ca.pem, key: this.key, cert: this.cert, localAddress: this.address});
  }

  // It holds its device order and has receipted what that stands on, so that the relay has nothing to say to it.
  get line() {
    const body = JSON.stringify({format: 1, status: this.status});
    const head = ['POST /hub/v1/poll HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
    return JSON.stringify({address: this.address, key: this.key, cert: this.cert, request: `${head.join('\r\n')}\r\n\r\n${body}`});
  }
}

async function hire(town) {
  const office = (name, n) => new Staff(town, name, `127.3.0.${n}`);
  town.staff = {chef: await office('chef', 1).logIn(), rattighet: await office('rattighet', 2).logIn()};
  const people = Array.from({length: technicians}, (_, i) => office(`tekniker${i}`, 10 + i));
  for (const person of people) {
    await grant(town, person.name, [right('technician')]);
    await person.logIn();
  }
  return people;
}

async function enrol(town, technician, hub) {
  const order = await postOrder(town, [[technician, 'technician']], {type: 'device', version: 1, replaces: null, hub: hub.id, device_key: hub.device.jwk, board: 'bench'});
  hub.slots.set('device', {slot: 'device', version: 1, order: order.hash});
  const answer = await technician.post(`/v1/hubs/${hub.id}/code`, {});
  if (answer.status >= 300) throw new Error(`enrolment code: ${answer.status} ${answer.text}`);
  await hub.enrol(answer.json().code);
  await hub.accept((await hub.poll()).json().orders);
}

// -> a file of what the fleet's program needs of `count` hubs.
export async function enrolFleet(town, count) {
  const people = await hire(town);
  const {stdout} = await run(join(town.bin, 'bench-hubs'), ['--make', String(count)], {maxBuffer: 1 << 28});
  const hubs = stdout.trim().split('\n').map((line, i) => new FleetHub(town, i, JSON.parse(line)));
  await inParallel(hubs, technicians, (hub, i) => enrol(town, people[i % technicians], hub));
  for (const person of people) person.close();
  const file = town.path('fleet.jsonl');
  writeFileSync(file, hubs.map((hub) => hub.line).join('\n') + '\n', {mode: 0o600});
  return file;
}

export class Fleet {
  static async start(town, file, port, options = []) {
    const fleet = new Fleet();
    fleet.town = town;
    fleet.child = town.processes.start('bench-hubs', join(town.bin, 'bench-hubs'), ['--hubs', file, '--port', String(port), ...options],
      {stdin: 'pipe', onLine: (line) => fleet.heard?.(JSON.parse(line))});
    await new Promise((done) => { fleet.heard = done; });
    return fleet;
  }

  // What has come of it so far: {held, answers, refused, connected, lost, failed}.
  count() {
    return new Promise((done, fail) => {
      this.heard = done;
      this.child.ended.then(() => fail(new Error('bench-hubs has ended; see bench-hubs.log')));
      this.child.stdin.write('count\n');
    });
  }

  async end() {
    this.child.stdin.end();
    await this.child.ended;
  }
}
