// A whole small municipality on one machine: certificate authority, staff app's origin, identity provider, relay, the
// municipality's trust machine, hubs. Everything real; every port given by the system.
import {execFile} from 'node:child_process';
import {generateKeyPairSync} from 'node:crypto';
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {CertificateAuthority} from './certs.mjs';
import {call} from './https.mjs';
import {Hub} from './hub.mjs';
import {Processes} from './processes.mjs';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
export const root = resolve(here, '../../..');
export const acr = 'http://id.sambi.se/loa/loa3';
export const recording = '/usr/share/doc/opencv-doc/examples/data/vtest.avi';

const allRoles = ['operator', 'planner', 'care_manager', 'manager', 'rights_admin', 'installer', 'technician', 'log_reviewer', 'system_admin'];

// One person for every role. `vikarie` logs in below the assurance level that is asked for; `p-7f3k9q` has protected identity and
// so a user name that says nothing; of `talare` the identity provider tells more than it should.
const users = Object.fromEntries(['chef', 'rattighet', 'tekniker', 'larmteam', 'bistand', 'planerare', 'anna.berg', 'bo.ek', 'granskare']
  .map((name) => [name, {acr}]).concat([['vikarie', {acr: 'http://id.sambi.se/loa/loa2'}], ['p-7f3k9q', {acr}],
    ['talare', {acr, tells: {name: 'Tage Talare', email: 'tage.talare@nord.example', birthdate: '1971-03-04'}}]]));

export class Town {
  // `front` may put something where the relay is known to stand: async (town) => {port}.
  constructor(dir, {build = process.env.TILLSYN_BUILD ?? join(root, 'build/dev'), front} = {}) {
    this.front = front;
    this.dir = resolve(dir);
    this.bin = join(resolve(build), 'bin');
    this.provider = 'nord';
    this.hubs = [];
    mkdirSync(this.dir, {recursive: true});
    this.processes = new Processes(this.dir);
  }

  path(...parts) { return join(this.dir, ...parts); }

  async admin(...args) {
    try {
      return (await run(join(this.bin, 'tillsyn-admin'), args, {timeout: 60000})).stdout;
    } catch (error) {
      throw new Error(`tillsyn-admin ${args.slice(0, 2).join(' ')}: ${error.stderr || error.message}`);
    }
  }

  async start() {
    this.ca = new CertificateAuthority(this.path('ca'));
    await this.#startApp();
    await this.#makeKeys();
    await this.startRelay();
    if (this.front) {
      await this.front(this).then((front) => { this.front = front; });
      this.relay = `https://localhost:${this.front.port}`;
    }
    await this.startIdentityProvider();
    await this.makeRootList(1);
    await this.publish('root-list');
    await this.makeBundle();
    this.#configureApp();
    return this;
  }

  async #startApp() {
    const built = join(root, 'relay/web/dist');
    if (!existsSync(join(built, 'index.html'))) throw new Error('the staff app is not built: npm ci && npm run build in relay/web');
    cpSync(built, this.path('app'), {recursive: true});
    mkdirSync(this.path('app/trust'), {recursive: true});
    this.appTls = this.ca.issue('app');
    const {ready} = await this.processes.startServer('app', 'node', [join(here, 'app_server.mjs'), this.path('app'), this.appTls.key, this.appTls.cert]);
    this.appOrigin = `https://localhost:${ready.listening}`;
  }

  async #makeKeys() {
    const keys = ['root1', 'root2', 'root3'];
    for (const name of keys) await this.admin('root-key', 'new', '--out', this.path(`${name}.key`));
    await this.admin('fleet-root', 'make', '--threshold', '2', ...keys.flatMap((name) => ['--key', this.path(`${name}.key.pub`)]), '--out', this.path('fleet-root.json'));
    await this.admin('bundle-key', 'new', '--out', this.path('bundle.key'));
    this.relayKeys = JSON.parse(await this.admin('relay-keys', '--store', this.path('relay'), '--provider', this.provider));
  }

  // `under`: a program and its arguments that the relay is run by; `options`: further ones of the relay's.
  async startRelay(port = 0, {under = [], options = []} = {}) {
    this.relayTls ??= this.ca.issue('relay');
    const [command, ...args] = [...under, join(this.bin, 'tillsyn-relay'), '--listen', `127.0.0.1:${port}`, '--tls-cert', this.relayTls.cert,
      '--tls-key', this.relayTls.key, '--fleet-root', this.path('fleet-root.json'), '--store', this.path('relay'), ...options];
    const {child, ready} = await this.processes.startServer('relay', command, args);
    this.relayProcess = child;
    this.watchPort = ready.watched;
    this.relayPort = ready.listening;
    this.relay = `https://localhost:${ready.listening}`;
  }

  // Starts the provider's identity provider; `rotate` puts a new key first and keeps the old ones.
  async startIdentityProvider({rotate = true} = {}) {
    if (this.idpProcess) await this.processes.stop(this.idpProcess);
    this.idpTls ??= this.ca.issue('idp');
    this.idpKeys ??= [];
    if (rotate || this.idpKeys.length === 0) {
      const jwk = generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey.export({format: 'jwk'});
      this.idpKeys.unshift({...jwk, kid: `idp-${this.idpKeys.length + 1}`, alg: 'RS256', use: 'sig'});
    }
    writeFileSync(this.path('idp.json'), JSON.stringify({
      port: this.idpPort ?? 0, tls: this.idpTls, keys: this.idpKeys, client_id: 'tillsyn-nord', client_jwks: this.relayKeys.client_jwks,
      redirect_uris: [`${this.appOrigin}/callback.html`], users,
    }), {mode: 0o600});
    const {child, ready} = await this.processes.startServer('idp', 'node', [join(here, 'identity_provider.mjs'), this.path('idp.json')]);
    this.idpProcess = child;
    this.idpPort = ready.listening;
    const issuer = `https://localhost:${this.idpPort}`;
    this.issuer = {
      issuer, client_id: 'tillsyn-nord', authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`,
      ca: this.ca.pem, acr: [acr], person_claim: 'sub', max_auth_age: 43200, new_key_delay: 86400, roles: allRoles,
    };
  }

  async makeRootList(version, change = (spec) => spec) {
    const spec = change({
      format: 1, type: 'root-list', version, issuers: [this.issuer],
      providers: [{
        id: this.provider, name: 'Nordvård', issuers: [this.issuer.issuer],
        granters: [{issuer: this.issuer.issuer, person: 'chef', role: 'manager'}, {issuer: this.issuer.issuer, person: 'rattighet', role: 'rights_admin'}],
        ledger_origin: `localhost/${this.provider}`, ledger_key: this.relayKeys.ledger_key, app_origins: [this.appOrigin],
      }],
      relays: [{host: new URL(this.relay).host, ca: this.ca.pem}],
      bundle_keys: [readFileSync(this.path('bundle.key.pub'), 'utf8').trim()],
      floors: {order: 1, bundle: 1},
    });
    writeFileSync(this.path('spec.json'), JSON.stringify(spec, null, 1));
    await this.admin('root', 'make', '--spec', this.path('spec.json'), '--key', this.path('root1.key'), '--key', this.path('root2.key'), '--out', this.path('root-list.json'));
  }

  // Hands a trust document to the relay and lays it on the app's origin.
  async publish(name) {
    const text = readFileSync(this.path(`${name}.json`), 'utf8');
    const answer = await call(`${this.relay}/v1/trust/${name}`, {method: 'PUT', body: text, headers: {'content-type': 'application/json'}, ca: this.ca.pem});
    if (answer.status >= 300) throw new Error(`publish ${name}: ${answer.status} ${answer.text}`);
    for (const file of readdirSync(this.path()).filter((found) => found.startsWith('homes-'))) cpSync(this.path(file), this.path('app/trust', file));
    writeFileSync(this.path('app/trust', `${name}.json`), text);
  }

  // What the municipality's timer does every ten minutes.
  async makeBundle() {
    const bundle = this.path('bundle.json');
    await this.admin('trust', 'make', '--root-list', this.path('root-list.json'), '--fleet-root', this.path('fleet-root.json'),
      '--bundle-key', this.path('bundle.key'), ...(existsSync(bundle) ? ['--previous', bundle] : []), '--relay', this.relay, '--out', bundle);
    await this.publish('bundle');
  }

  #configureApp() {
    const fleetRoot = JSON.parse(readFileSync(this.path('fleet-root.json'), 'utf8'));
    writeFileSync(this.path('app/config.json'), JSON.stringify({fleet_root: fleetRoot, provider: this.provider, relay: this.relay}));
  }

  async addHub(name, camera = {source: 'recording', path: recording}, options = {}) {
    const hub = new Hub(this, name, camera, options);
    await hub.start();
    this.hubs.push(hub);
    return hub;
  }

  async stop() { await this.processes.stopAll(); }
}
