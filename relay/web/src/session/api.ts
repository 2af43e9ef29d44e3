import { isObject, type Json, type JsonObject, parseForeignJson } from '../protocol/json';
import { Problem } from '../protocol/problem';

// The relay's HTTP API. What comes back is believed by nobody until it is verified; here only its form is read.

const kTimeoutMs = 20_000;
const kMaxBytes = 16 * 1024 * 1024;
const kMaxPages = 1000; // of a list

// A problem that the relay told (RFC 9457), or that nothing came back ("relay_unreachable").
export class RelayProblem extends Problem {
  constructor(
    reason: string,
    readonly status: number,
    readonly body: JsonObject = {},
  ) {
    super('refused', reason, String(status));
  }
}

export class Api {
  token: string | null = null;

  private readonly underWay = new Map<string, Promise<Json>>(); // writes, by what they are

  constructor(private readonly relay: string) {}

  private async exchange(method: string, path: string, body?: Json, key?: string): Promise<Response> {
    const headers: Record<string, string> = {};
    if (key !== undefined) headers['idempotency-key'] = key;
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (this.token !== null) headers.authorization = `Bearer ${this.token}`;
    try {
      return await fetch(this.relay + path, {
        method, headers, body: body === undefined ? null : JSON.stringify(body), credentials: 'omit', cache: 'no-store', redirect: 'error',
        referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(kTimeoutMs),
      });
    } catch {
      throw new RelayProblem('relay_unreachable', 0);
    }
  }

  // The answer's JSON; null for none. Throws RelayProblem. What writes is done once, however often the button was pressed
  // while it was under way, and though its answer was lost once.
  call(method: string, path: string, body?: Json): Promise<Json> {
    if (method === 'GET' || this.token === null) return this.ask(method, path, body);
    const what = JSON.stringify([method, path, body ?? null]);
    const held = this.underWay.get(what);
    if (held) return held;
    const made = this.write(method, path, body).finally(() => this.underWay.delete(what));
    this.underWay.set(what, made);
    return made;
  }

  private async write(method: string, path: string, body?: Json): Promise<Json> {
    const key = crypto.randomUUID();
    try {
      return await this.ask(method, path, body, key);
    } catch (error) {
      if (!(error instanceof RelayProblem) || error.reason !== 'relay_unreachable') throw error;
      return this.ask(method, path, body, key);
    }
  }

  private async ask(method: string, path: string, body?: Json, key?: string): Promise<Json> {
    const answer = await this.exchange(method, path, body, key);
    const text = await answer.text();
    let value: Json = null;
    try {
      value = text === '' ? null : parseForeignJson(text, { maxBytes: kMaxBytes, maxDepth: 24 });
    } catch {
      if (answer.ok) throw new RelayProblem('malformed', answer.status);
    }
    if (answer.ok) return value;
    const problem = isObject(value) ? value : {};
    throw new RelayProblem(typeof problem.code === 'string' ? problem.code : 'relay_error', answer.status, problem);
  }

  async object(method: string, path: string, body?: Json): Promise<JsonObject> {
    const value = await this.call(method, path, body);
    if (!isObject(value)) throw new RelayProblem('malformed', 200);
    return value;
  }

  // Everything in a list, page by page.
  async items(path: string): Promise<JsonObject[]> {
    const out: JsonObject[] = [];
    for (let pages = 0, query = ''; pages < kMaxPages; pages++) {
      const { items, next } = await this.object('GET', path + query);
      if (!Array.isArray(items) || !items.every(isObject)) throw new RelayProblem('malformed', 200);
      out.push(...items);
      if (next === null) return out;
      if (typeof next !== 'string') throw new RelayProblem('malformed', 200);
      query = `?cursor=${encodeURIComponent(next)}`;
    }
    throw new RelayProblem('malformed', 200); // a list without end
  }
}

export function textOf(value: JsonObject, name: string): string {
  const found = value[name];
  if (typeof found !== 'string') throw new RelayProblem('malformed', 200);
  return found;
}

export function numberOf(value: JsonObject, name: string): number {
  const found = value[name];
  if (typeof found !== 'number' || !Number.isSafeInteger(found)) throw new RelayProblem('malformed', 200);
  return found;
}
