// A member of staff without a browser: logs in with the identity provider, signs orders, talks to the relay.
import {createHash} from 'node:crypto';
import {b64, hashOf, now, random, signedBytes, StaffKey, unb64} from './crypto.mjs';
import {call} from './https.mjs';

export class Person {
  // `town` gives {ca, issuer (the root list's entry), provider, relay (URL), appOrigin}.
  constructor(town, name) {
    this.town = town;
    this.name = name;
    this.key = new StaffKey();
  }

  get identity() { return {issuer: this.town.issuer.issuer, person: this.name}; }

  // The whole code flow, as a browser would do it; then opens a session unless told not to.
  async logIn({openSession = true, nonce = this.key.nonce} = {}) {
    const verifier = random(32);
    const redirect = `${this.town.appOrigin}/callback.html`;
    const ask = new URL(this.town.issuer.authorization_endpoint);
    ask.search = new URLSearchParams({
      client_id: this.town.issuer.client_id, response_type: 'code', scope: 'openid', state: random(16), nonce, redirect_uri: redirect,
      code_challenge: b64(createHash('sha256').update(verifier).digest()), code_challenge_method: 'S256', prompt: 'login',
      max_age: '0', acr_values: this.town.issuer.acr.join(' '),
    });
    const code = await this.#throughLoginPage(ask, redirect);
    const token = await this.post('/v1/oidc/token', {issuer: this.town.issuer.issuer, code, code_verifier: verifier, redirect_uri: redirect});
    if (token.status !== 200) throw new Error(`${this.name}: token: ${token.status} ${token.text}`);
    this.idToken = token.json().id_token;
    if (openSession) await this.openSession();
    return this;
  }

  async #throughLoginPage(ask, redirect) {
    const cookies = new Map();
    let url = ask.href;
    let options = {};
    for (let hop = 0; hop < 8; ++hop) {
      const answer = await call(url, {...options, ca: this.town.ca.pem, headers: {...options.headers, cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join('; ')}});
      for (const line of answer.headers['set-cookie'] ?? []) {
        const [, key, value] = /^([^=]+)=([^;]*)/.exec(line);
        if (value) cookies.set(key, value); else cookies.delete(key);
      }
      if (answer.headers.location) {
        url = new URL(answer.headers.location, url).href;
        options = {};
        if (url.startsWith(redirect)) {
          const code = new URL(url).searchParams.get('code');
          if (!code) throw new Error(`${this.name}: identity provider: ${url}`);
          return code;
        }
        continue;
      }
      const action = /action="([^"]+)"/.exec(answer.text)?.[1];
      if (!action) throw new Error(`${this.name}: identity provider answered ${answer.status}`);
      url = new URL(action, url).href;
      options = {method: 'POST', headers: {'content-type': 'application/x-www-form-urlencoded'}, body: `user=${this.name}&code=123456`};
    }
    throw new Error(`${this.name}: no end to the login`);
  }

  async openSession() {
    const answer = await this.tryOpenSession();
    if (answer.status !== 200) throw new Error(`${this.name}: session: ${answer.status} ${answer.text}`);
    this.token = answer.json().token;
    return answer.json();
  }

  async tryOpenSession(change = {}) {
    const {challenge} = (await this.post('/v1/session/challenge', {})).json();
    const body = Buffer.concat([Buffer.from(`${new URL(this.town.relay).host}\0`), unb64(challenge)]);
    return this.post('/v1/session', {
      challenge, provider: this.town.provider, key: this.key.jwk, salt: this.key.salt, id_token: this.idToken,
      sig: this.key.sign('session', body), ...change,
    });
  }

  call(method, path, body, headers = {}) {
    return call(this.town.relay + path, {
      method, body, ca: this.town.ca.pem,
      headers: {...headers, origin: this.town.appOrigin, ...(this.token ? {authorization: `Bearer ${this.token}`} : {})},
    });
  }
  get(path) { return this.call('GET', path); }
  post(path, body, headers) { return this.call('POST', path, body, headers); }
  put(path, body, headers) { return this.call('PUT', path, body, headers); }

  // This person's signature under a payload text.
  signature(payload) {
    return {sig: this.key.sign('order', payload), key: this.key.jwk, salt: this.key.salt, proof: {id_token: this.idToken}};
  }
}

// An order by `people` [[Person, role], …] with the body's members; -> {order, hash, payload}.
export function makeOrder(town, people, body) {
  const payload = JSON.stringify({
    format: 1, provider: town.provider, id: random(16), signed_at: now(),
    signers: people.map(([person, role]) => ({...person.identity, role})), ...body,
  });
  return {order: {payload, signatures: people.map(([person]) => person.signature(payload))}, hash: hashOf('order', payload), payload};
}

// The same, posted by the first of them; -> {hash, entry}; throws what the relay refused.
export async function postOrder(town, people, body) {
  const {order, hash} = makeOrder(town, people, body);
  const answer = await people[0][0].post('/v1/orders', {order, note: null});
  // 200: it was accepted before, and the answer was lost on its way.
  if (answer.status !== 201 && answer.status !== 200) throw new Error(`${body.type}: ${answer.status} ${answer.text}`);
  return {order, hash, ...answer.json()};
}

export {signedBytes};
