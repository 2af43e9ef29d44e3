// A real OpenID Connect provider for demo and tests: oidc-provider over TLS, with users for every role and a login page of
// its own that asks for a second factor. Configured by one JSON file (argv[2]); prints {"listening":port} when ready.
//
// {"port":0|n,"tls":{"key","cert"},"keys":[private JWK],"client_id","client_jwks":{"keys":[…]},"redirect_uris":[…],
//  "users":{"anna":{"acr":"…","tells":{"email":"…"}}}}      `tells`: claims that its ID tokens hold besides
import {createServer} from 'node:https';
import {readFileSync} from 'node:fs';
import Provider from 'oidc-provider';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const ttlSeconds = 300;  // ID tokens live five minutes by the Swedish profile

const escapeHtml = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const loginPage = (uid, problem) => `<!doctype html><html lang="sv"><meta charset="utf-8"><title>Inloggning</title>
<meta name="viewport" content="width=device-width"><style>body{font:18px sans-serif;max-width:22rem;margin:4rem auto;background:#eef1f4}
input,button{font:inherit;width:100%;padding:.6rem;margin:.3rem 0 1rem;box-sizing:border-box}</style>
<h1>Vårdgivarens inloggning</h1><p>${escapeHtml(problem)}</p><form method="post" action="/interaction/${escapeHtml(uid)}/login">
<label>Användarnamn<input name="user" autofocus autocomplete="username"></label>
<label>Engångskod<input name="code" value="123456" inputmode="numeric"></label>
<button>Logga in</button></form></html>`;

const body = (request) => new Promise((done) => {
  let text = '';
  request.on('data', (chunk) => { if (text.length < 4096) text += chunk; });
  request.on('end', () => done(new URLSearchParams(text)));
});

function makeProvider(issuer) {
  const acrs = [...new Set(Object.values(config.users).map((user) => user.acr))];
  return new Provider(issuer, {
    jwks: {keys: config.keys},
    clients: [{
      client_id: config.client_id,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: config.client_jwks,
      redirect_uris: config.redirect_uris,
      grant_types: ['authorization_code'],
      response_types: ['code'],
      require_auth_time: true,
      id_token_signed_response_alg: config.keys[0].alg,
    }],
    acrValues: acrs,
    enabledJWA: {clientAuthSigningAlgValues: ['ES256'], idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256']},
    features: {devInteractions: {enabled: false}, rpInitiatedLogout: {enabled: false}},
    pkce: {methods: ['S256'], required: () => true},
    ttl: {IdToken: ttlSeconds, AccessToken: ttlSeconds, AuthorizationCode: 60, Interaction: 600, Session: 12 * 3600, Grant: 12 * 3600},
    claims: {openid: ['sub', ...Object.values(config.users).flatMap(({tells}) => Object.keys(tells ?? {}))], acr: null, auth_time: null, iss: null, sid: null},
    conformIdTokenClaims: false,
    cookies: {keys: ['only-for-this-run']},
    interactions: {url: (_, interaction) => `/interaction/${interaction.uid}`},
    findAccount: (_, sub) => (config.users[sub] ? {accountId: sub, claims: async () => ({sub, ...config.users[sub].tells})} : undefined),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId});
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
  });
}

async function interact(provider, request, response) {
  const {uid} = await provider.interactionDetails(request, response);
  if (request.method === 'GET') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    return response.end(loginPage(uid, ''));
  }
  const form = await body(request);
  const user = form.get('user') ?? '';
  const known = Object.hasOwn(config.users, user) && /^\d{6}$/.test(form.get('code') ?? '');
  if (!known) {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    return response.end(loginPage(uid, 'Fel användarnamn eller kod.'));
  }
  const login = {accountId: user, acr: config.users[user].acr, amr: ['mfa'], remember: false, ts: Math.floor(Date.now() / 1000)};
  return provider.interactionFinished(request, response, {login}, {mergeWithLastSubmission: false});
}

const tls = {key: readFileSync(config.tls.key), cert: readFileSync(config.tls.cert)};
let provider;
const server = createServer(tls, (request, response) => {
  if (!request.url.startsWith('/interaction/')) return provider.callback()(request, response);
  interact(provider, request, response).catch(() => { response.statusCode = 400; response.end('ingen pågående inloggning'); });
});
server.listen(config.port, '127.0.0.1', () => {
  const {port} = server.address();
  provider = makeProvider(`https://localhost:${port}`);
  provider.on('server_error', (_, error) => console.error('server_error', error.message, error.error_description ?? ''));
  for (const event of ['authorization.error', 'grant.error', 'introspection.error']) {
    provider.on(event, (_, error) => console.error(event, error.message, error.error_description ?? '', error.error_detail ?? ''));
  }
  console.log(JSON.stringify({listening: port}));
});
process.on('SIGTERM', () => { server.closeAllConnections?.(); server.close(() => process.exit(0)); });
