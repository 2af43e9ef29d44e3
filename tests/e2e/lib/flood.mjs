// A script gone wrong, or one that means it: so many requests at once, each again as soon as it has been answered, refused or
// not, until told to stop. A program of its own, so that it does not slow down whoever measures what it does to others.
//   node flood.mjs CONFIG.json    {url, ca, addresses: [local ones to come from], callers: [{method, path, headers, body, key, cert, parallel}]}
// Prints {"listening": true}, and at SIGTERM {"counts": {status: n}, "refusals": {status: {retryAfter, text}}, "served": [ms, …]}.
import {readFileSync} from 'node:fs';
import {Agent} from 'node:https';
import {call} from './https.mjs';

const {url, ca, addresses = [undefined], callers} = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const pause = 25;  // ms, after a refusal: the processor is wanted by others too
const counts = {};
const refusals = {};
const served = [];
let running = true;

async function ask({method, path, headers, body, key, cert}, agent, localAddress) {
  const began = performance.now();
  const answer = await call(url + path, {method, headers, body, ca, key, cert, agent, localAddress}).catch(() => ({status: 'lost'}));
  counts[answer.status] = (counts[answer.status] ?? 0) + 1;
  if (answer.status < 300) return served.push(Math.round(performance.now() - began));
  if (answer.status !== 'lost') refusals[answer.status] ??= {retryAfter: answer.headers['retry-after'], text: answer.text};
  await new Promise((done) => setTimeout(done, pause));
}

async function repeat(caller, localAddress) {
  const agent = new Agent({keepAlive: true, maxSockets: 1, ...(localAddress ? {localAddress, family: 4} : {})});
  while (running) await ask(caller, agent, localAddress);
  agent.destroy();
}

process.on('SIGTERM', () => {
  running = false;
  process.stdout.write(`${JSON.stringify({counts, refusals, served})}\n`, () => process.exit(0));
});
let n = 0;
for (const caller of callers) for (let i = 0; i < caller.parallel; ++i) repeat(caller, addresses[n++ % addresses.length]);
console.log(JSON.stringify({listening: true}));
