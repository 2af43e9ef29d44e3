// The trivial relay of the unencrypted baseline: whatever frame a camera sends over TCP goes to every WebSocket; and the
// page that shows it. Says {"listening","camera"} when ready.
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {createRequire} from 'node:module';
import {createServer as createTcpServer} from 'node:net';

const {WebSocketServer} = createRequire(new URL('../../e2e/package.json', import.meta.url))('ws');
const page = readFileSync(new URL('plain_page.html', import.meta.url));

const http = createServer((_, response) => response.setHeader('content-type', 'text/html; charset=utf-8').end(page));
const viewers = new WebSocketServer({server: http, perMessageDeflate: false});
viewers.on('connection', (viewer) => viewer._socket.setNoDelay(true));

const cameras = createTcpServer((camera) => {
  let pending = Buffer.alloc(0);
  camera.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const end = 4 + pending.readUInt32BE(0);
      for (const viewer of viewers.clients) viewer.send(pending.subarray(0, end));
      pending = pending.subarray(end);
    }
  });
  camera.on('error', () => camera.destroy());
});

http.listen(0, '127.0.0.1', () => cameras.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({listening: http.address().port, camera: cameras.address().port}));
}));
