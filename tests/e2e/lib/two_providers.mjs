// Two providers on one relay, each with an identity provider of its own at which everybody is named as at the other, and
// with a hub, a resident and a night: what isolation is tried on.
import {generateKeyPairSync} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {enrolHub, localTime, moveIn, schedule, staffTown} from './provision.mjs';
import {ScriptedHub} from './scripted_hub.mjs';
import {acr, Town} from './town.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const names = ['chef', 'rattighet', 'tekniker', 'larmteam', 'bistand', 'planerare', 'anna.berg', 'bo.ek', 'granskare'];

// The identity provider of the second.
async function startIssuer(town, id, clientJwks) {
  const jwk = generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey.export({format: 'jwk'});
  writeFileSync(town.path(`idp-${id}.json`), JSON.stringify({
    port: 0, tls: town.ca.issue(`idp-${id}`), keys: [{...jwk, kid: `${id}-1`, alg: 'RS256', use: 'sig'}], client_id: `tillsyn-${id}`, client_jwks: clientJwks,
    redirect_uris: [`${town.appOrigin}/callback.html`], users: Object.fromEntries(names.map((name) => [name, {acr}])),
  }), {mode: 0o600});
  const {ready} = await town.processes.startServer(`idp-${id}`, 'node', [join(here, 'identity_provider.mjs'), town.path(`idp-${id}.json`)]);
  const issuer = `https://localhost:${ready.listening}`;
  return {...town.issuer, issuer, client_id: `tillsyn-${id}`, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`};
}

async function fill(side, name, address) {
  await staffTown(side);
  side.hub = new ScriptedHub(side, side.provider);
  await enrolHub(side, side.hub);
  side.hub.start();
  await moveIn(side, side.hub, {name, address});
  await schedule(side, side.hub, [{id: 'w1', days: every, start: localTime(-2).time, minutes: 60}]);
  await side.hub.report({events: [side.hub.event('started', {resident: side.hub.resident.resident})]});
  side.front = {newestChallenge: () => side.hub.challenge};
}

// -> {town, nord, syd}; the two sides are towns to Person, provision and ScriptedHub.
export async function startTwoProviders(dir) {
  const town = new Town(dir);
  try {
    await town.start();
    const keys = JSON.parse(await town.admin('relay-keys', '--store', town.path('relay'), '--provider', 'syd'));
    const issuer = await startIssuer(town, 'syd', keys.client_jwks);
    const addSecond = (spec) => ({...spec, issuers: [...spec.issuers, issuer], providers: [...spec.providers, {
      ...spec.providers[0], id: 'syd', name: 'Sydvård', issuers: [issuer.issuer], ledger_origin: 'localhost/syd', ledger_key: keys.ledger_key,
      granters: spec.providers[0].granters.map((granter) => ({...granter, issuer: issuer.issuer}))}]});
    await town.makeRootList(2, addSecond);
    await town.publish('root-list');
    await town.makeBundle();
    const side = (id, by) => Object.assign(Object.create(town), {provider: id, issuer: by});
    const [nord, syd] = [side('nord', town.issuer), side('syd', issuer)];
    await fill(nord, 'Astrid Testsson', 'Provgatan 1');
    await fill(syd, 'Bror Testsson', 'Provgatan 2');
    await town.makeBundle();
    return {town, nord, syd, async stop() { for (const {hub} of [nord, syd]) hub.stop(); await town.stop(); }};
  } catch (error) {
    await town.stop();
    throw error;
  }
}
