// A scripted hub with an address and kept connections of its own, as a home has, that can fall silent.
import {execFile} from 'node:child_process';
import {generateKeyPairSync} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {Agent} from 'node:https';
import {promisify} from 'node:util';
import {call} from '../../e2e/lib/https.mjs';
import {pointOf, ScriptedHub} from '../../e2e/lib/scripted_hub.mjs';

const run = promisify(execFile);
const backOffMs = 2000;  // simulated

export class CityHub extends ScriptedHub {
  // `pace` hears of every poll and its answer.
  constructor(side, name, address, clock, pace) {
    super(side, name);
    this.clock = clock;
    this.pace = pace;
    this.agent = new Agent({keepAlive: true, maxSockets: 2, localAddress: address, family: 4});
    this.deaf = false;  // orders do not arrive
    this.polls = 0;
  }

  newLinkKey() {}  // made by `makeLinkKey`, beside others

  async makeLinkKey() {
    const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
    const file = this.town.path(`${this.name}.link.key`);
    this.key = privateKey.export({type: 'pkcs8', format: 'pem'});
    await writeFile(file, this.key, {mode: 0o600});
    this.cert = (await run('openssl', ['req', '-x509', '-key', file, '-subj', '/CN=link', '-days', '30'])).stdout;
    this.linkPoint = pointOf(publicKey.export({format: 'jwk'}));
  }

  call(method, path, body) {
    return call(this.town.relay + path, {method, body, ca: this.town.ca.pem, key: this.key, cert: this.cert, agent: this.agent});
  }

  get status() { return {...super.status, events_acked: this.acked ?? 0}; }

  async accept(orders) {
    if (orders.length > 0 && !this.deaf) await super.accept(orders);
  }

  start() {
    this.running = true;
    this.loop = this.#run();
    return this;
  }

  async #run() {
    while (this.running) {
      this.pace.asks(this);
      const answer = await this.poll().catch(() => null);
      this.pace.isAnswered(this);
      if (!this.running) return;
      if (answer?.status !== 200) {
        await this.clock.until(this.clock.now() + backOffMs);
        continue;
      }
      this.polls += 1;
      await this.accept(answer.json().orders).catch(() => {});
    }
  }

  // Nothing more is heard of it.
  silence() {
    this.running = false;
    this.agent.destroy();
  }
}
