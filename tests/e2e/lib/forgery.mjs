// What an enemy makes by hand: ID tokens, offers without a log.
import {createHmac, createPrivateKey, createPublicKey, sign} from 'node:crypto';
import {b64, unb64} from './crypto.mjs';

export const claimsOf = (token) => JSON.parse(unb64(token.split('.')[1]));
export const headerOf = (token) => JSON.parse(unb64(token.split('.')[0]));

const part = (json) => b64(JSON.stringify(json));

// A token like `token`, with members of header and claims changed, signed (RS256) with a private JWK.
export function mintToken(token, {header = {}, claims = {}, key}) {
  const signed = `${part({...headerOf(token), ...header})}.${part({...claimsOf(token), ...claims})}`;
  return `${signed}.${b64(sign('sha256', Buffer.from(signed), createPrivateKey({key, format: 'jwk'})))}`;
}

// The same without a signature, and with the public key taken for a shared secret.
export function unsignedToken(token) {
  return `${part({...headerOf(token), alg: 'none'})}.${token.split('.')[1]}.`;
}
export function hmacToken(token, key) {
  const signed = `${part({...headerOf(token), alg: 'HS256'})}.${token.split('.')[1]}`;
  const pem = createPublicKey({key: {kty: key.kty, n: key.n, e: key.e}, format: 'jwk'}).export({type: 'spki', format: 'pem'});
  return `${signed}.${b64(createHmac('sha256', pem).update(signed).digest())}`;
}

// A person whose signatures carry another token, or another key.
export function disguised(person, {idToken = person.idToken, key = person.key, identity = person.identity} = {}) {
  return {
    identity, idToken, key,
    signature: (payload) => ({sig: key.sign('order', payload), key: key.jwk, salt: key.salt, proof: {id_token: idToken}}),
  };
}

// An offer whose proofs are nothing: a view that is refused for another reason never gets as far.
export const bareOffer = (order) => ({order, seq: 0, time: '2026-01-01T00:00:00Z', checkpoint: 'none', inclusion: [], consistency: {hub: [], viewer: [], bundle: []}});
