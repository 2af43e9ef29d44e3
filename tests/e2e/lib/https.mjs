// HTTPS requests that trust one certificate authority: what a script needs where a person has a browser.
import {request} from 'node:https';

// -> {status, headers, text, json()}. Never follows redirects; fails on a wrong certificate.
export function call(url, {method = 'GET', headers = {}, body, ca, key, cert, agent = false, localAddress, timeoutMs = 40000} = {}) {
  return new Promise((done, fail) => {
    const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const sent = {...(payload === undefined ? {} : {'content-type': 'application/json', 'content-length': Buffer.byteLength(payload)}), ...headers};
    const outgoing = request(url, {method, headers: sent, ca, key, cert, agent, ...(localAddress ? {localAddress, family: 4} : {})}, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        done({status: response.statusCode, headers: response.headers, text, json: () => JSON.parse(text)});
      });
    });
    outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error(`no answer from ${method} ${new URL(url).pathname}`)));
    outgoing.on('error', fail);
    outgoing.end(payload);
  });
}
