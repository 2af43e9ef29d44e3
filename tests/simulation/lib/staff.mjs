// Members of staff by the hundred: the simulation is their identity provider's login page too, and makes the ID tokens
// that it would have made. Whatever the relay is handed is signed and checked as ever.
import {createPrivateKey, sign} from 'node:crypto';
import {Agent} from 'node:https';
import {b64} from '../../e2e/lib/crypto.mjs';
import {call} from '../../e2e/lib/https.mjs';
import {Person} from '../../e2e/lib/person.mjs';
import {acr} from '../../e2e/lib/town.mjs';

const part = (value) => b64(JSON.stringify(value));
const isGone = ({code, message}) => code === 'ECONNRESET' || code === 'ECONNREFUSED' || code === 'EPIPE' || message === 'socket hang up';
const patience = 100;  // tries, while a relay is started again

export class Staff extends Person {
  // `address`: the loopback address that this provider's office calls from.
  constructor(side, name, address) {
    super(side, name);
    this.agent = new Agent({keepAlive: true, maxSockets: 4, localAddress: address, family: 4});
  }

  async logIn({openSession = true} = {}) {
    const [{kid, ...jwk}] = this.town.idpKeys;
    const time = Math.floor(Date.now() / 1000);
    const text = `${part({alg: 'RS256', kid})}.${part({
      iss: this.town.issuer.issuer, sub: this.name, aud: this.town.issuer.client_id, acr, nonce: this.key.nonce, auth_time: time, iat: time, exp: time + 300})}`;
    this.idToken = `${text}.${b64(sign('sha256', Buffer.from(text), createPrivateKey({key: jwk, format: 'jwk'})))}`;
    if (openSession) await this.openSession();
    return this;
  }

  // A connection that the relay has closed, or a relay that was killed: the same again, as a page would. A session that is
  // over is opened anew by the login that is held.
  async call(method, path, body, headers) {
    for (let tries = 0; ; ++tries) {
      const {token} = this;
      try {
        const answer = await this.#send(method, path, body, headers);
        if (answer.status !== 401 || !token || path.startsWith('/v1/session') || tries === patience) return answer;
        await this.#reopen(token);
      } catch (error) {
        if (!isGone(error) || tries === patience) throw error;
        await new Promise((done) => setTimeout(done, 50));
      }
    }
  }

  // Once, for all requests that found the session over.
  async #reopen(token) {
    if (this.token !== token) return;
    this.reopening ??= this.openSession().finally(() => { this.reopening = null; });
    await this.reopening;
  }

  #send(method, path, body, headers = {}) {
    return call(this.town.relay + path, {method, body, ca: this.town.ca.pem, agent: this.agent,
      headers: {...headers, origin: this.town.appOrigin, ...(this.token ? {authorization: `Bearer ${this.token}`} : {})}});
  }

  close() { this.agent.destroy(); }
}
