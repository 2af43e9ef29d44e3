// The staff app's own origin: static files over TLS, nothing else. argv: directory, key, certificate[, port].
import {createServer} from 'node:https';
import {readFile} from 'node:fs/promises';
import {readFileSync} from 'node:fs';
import {extname, join, normalize} from 'node:path';

const [directory, key, cert, port = '0'] = process.argv.slice(2);
const types = {'.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml'};

const server = createServer({key: readFileSync(key), cert: readFileSync(cert)}, async (request, response) => {
  const path = normalize(new URL(request.url, 'https://app').pathname);
  try {
    const body = await readFile(join(directory, path.endsWith('/') ? `${path}index.html` : path));
    response.setHeader('content-type', types[extname(path)] ?? 'text/html; charset=utf-8');
    response.setHeader('cache-control', 'no-cache');
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('x-frame-options', 'DENY');
    response.end(body);
  } catch {
    response.statusCode = 404;
    response.end('finns inte');
  }
});
server.listen(Number(port), '127.0.0.1', () => console.log(JSON.stringify({listening: server.address().port})));
process.on('SIGTERM', () => { server.closeAllConnections?.(); server.close(() => process.exit(0)); });
