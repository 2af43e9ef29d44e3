// What a server is seen to cost and what the relay says of itself.
import {readdirSync, readFileSync} from 'node:fs';
import {get} from 'node:http';

// How long a process has run so far, all threads, in ms: by the scheduler's own clock, which counts what is shorter than a tick.
export const ranMs = (pid) => readdirSync(`/proc/${pid}/task`).reduce((sum, task) =>
  sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6, 0);

export const anonymousKib = (pid) => Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// {online, lost} of all its hubs.
export async function hubsOf(town) {
  const text = await new Promise((done, fail) => {
    get(`http://127.0.0.1:${town.watchPort}/metrics`, {agent: false}, (response) => {
      let body = '';
      response.on('data', (chunk) => { body += chunk; });
      response.on('end', () => done(body));
    }).on('error', fail);
  });
  const sum = (state) => [...text.matchAll(new RegExp(`^tillsyn_hubs\\{.*state="${state}".*\\} (\\d+)`, 'gm'))].reduce((total, [, n]) => total + Number(n), 0);
  return {online: sum('online'), lost: sum('lost')};
}
