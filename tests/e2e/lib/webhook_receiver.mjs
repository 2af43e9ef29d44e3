// A provider's own system that is told of alarms: believes no message whose signature it has not checked itself
// (standardwebhooks.com), and keeps what it was told by webhook-id.
import {createHmac, timingSafeEqual} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:https';

export class WebhookReceiver {
  constructor({key, cert}) {
    this.secret = null;
    this.status = 204;      // what it answers; null: nothing at all
    this.tries = [];        // every request that came, {id, body, wasTaken}
    this.forged = 0;        // of these, with a wrong signature or a timestamp of another day
    this.server = createServer({key: readFileSync(key), cert: readFileSync(cert)}, (request, response) => this.#take(request, response));
  }

  async listen() {
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.url = `https://localhost:${this.server.address().port}/hook`;
    return this;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  #isSigned({headers}, body) {
    const id = headers['webhook-id'];
    const time = headers['webhook-timestamp'];
    const key = Buffer.from(this.secret.replace(/^whsec_/, ''), 'base64');
    const right = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest();
    const given = Buffer.from((headers['webhook-signature'] ?? '').replace(/^v1,/, ''), 'base64');
    return Math.abs(Date.now() / 1000 - Number(time)) < 300 && given.length === right.length && timingSafeEqual(given, right);
  }

  #take(request, response) {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      if (!this.#isSigned(request, body)) {
        this.forged += 1;
        response.writeHead(400).end();
        return;
      }
      const wasTaken = this.status !== null && this.status < 300;
      this.tries.push({id: request.headers['webhook-id'], body: JSON.parse(body), text: body, wasTaken});
      if (this.status !== null) response.writeHead(this.status).end();
    });
  }

  // What it has taken, each message once.
  get taken() { return [...new Map(this.tries.filter(({wasTaken}) => wasTaken).map((one) => [one.id, one])).values()]; }
  about(type, alarm) { return this.taken.filter(({body}) => body.type === type && body.data.id === alarm); }
}
