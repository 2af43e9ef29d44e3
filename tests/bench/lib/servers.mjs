// The servers that the relay is held against, under the relay's own certificate, each on a port given by the system.
import {readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {until} from '../../e2e/lib/processes.mjs';
import {root} from '../../e2e/lib/town.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const unpacked = join(root, 'build/bench-servers');
const libraries = join(unpacked, 'usr/lib/x86_64-linux-gnu');

async function start(town, name, config, program, args) {
  const file = town.path(`${name}.conf`);
  writeFileSync(file, config);
  const {child, ready} = await town.processes.startServer(name, 'python3', [join(here, 'on_any_port.py'), file, join(unpacked, program), ...args(file)],
    {env: {LD_LIBRARY_PATH: libraries}});
  return {child, pid: child.pid, port: ready.listening};
}

// `location` says what it does with a poll.
export async function startNginx(town, location) {
  const dir = town.path('nginx');
  const worker = (pid) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${dir}-${kind};`).join(' ');
  const server = await start(town, 'nginx', `
daemon off; worker_processes 1; user root; pid ${dir}.pid; worker_rlimit_nofile 20000;
load_module ${unpacked}/usr/lib/nginx/modules/ngx_http_echo_module.so;
events { worker_connections 16000; }
http {
  access_log off; ${temp} keepalive_timeout 300; keepalive_requests 1000000;
  server {
    listen 127.0.0.1:@PORT@ ssl backlog=4096;
    ssl_certificate ${town.relayTls.cert}; ssl_certificate_key ${town.relayTls.key};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client optional_no_ca; ssl_session_cache off; ssl_session_tickets off;
    location = /hub/v1/poll { default_type application/json; ${location} }
  }
}
`, 'usr/sbin/nginx', (file) => ['-p', town.dir, '-e', `${dir}-error.log`, '-c', file]);
  return {...server, pid: await until('nginx\'s worker', () => worker(server.child.pid))};
}

const haproxyDefaults = `
global
  maxconn 8000
  nbthread 1
  tune.ssl.cachesize 0
  ssl-default-bind-options no-tls-tickets
defaults
  timeout connect 5s
  timeout client 600s
  timeout server 600s
`;

const haproxyCertificate = (town) => {
  const file = town.path('haproxy.pem');
  writeFileSync(file, readFileSync(town.relayTls.cert, 'utf8') + readFileSync(town.relayTls.key, 'utf8'), {mode: 0o600});
  return `${file} ca-file ${town.ca.cert} verify optional crt-ignore-err all ca-ignore-err all`;
};

// Holds every request.
export const startHaproxyHolding = (town) => start(town, 'haproxy', `${haproxyDefaults}
  mode http
  timeout tarpit 600s
frontend polls
  bind fd@3 ssl crt ${haproxyCertificate(town)}
  http-request tarpit
`, 'usr/sbin/haproxy', (file) => ['-db', '-f', file]);

// Carries bytes from TLS to TLS.
export const startHaproxyForwarding = (town, to) => start(town, 'haproxy', `${haproxyDefaults}
  mode tcp
listen streams
  bind fd@3 ssl crt ${haproxyCertificate(town)}
  server viewer 127.0.0.1:${to} ssl ca-file ${town.ca.cert} no-ssl-reuse
`, 'usr/sbin/haproxy', (file) => ['-db', '-f', file]);

export async function startBare(town) {
  const {child, ready} = await town.processes.startServer('bare', join(town.bin, 'bench-bare-server'), ['--tls-cert', town.relayTls.cert, '--tls-key', town.relayTls.key]);
  return {child, pid: child.pid, port: ready.listening};
}
