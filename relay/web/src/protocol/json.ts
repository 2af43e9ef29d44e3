import { type Bytes, fromB64, isWellFormed, utf8 } from './bytes';
import { malformed, Problem } from './problem';

// Strict JSON, the same reading as common/base/json.h: no duplicate members, integers within ±(2^53−1) without fraction,
// exponent or negative zero, well-formed Unicode, nothing after the value. A parser of our own, for JSON.parse keeps the
// last of two members and rounds what it cannot hold.

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

export interface JsonLimits {
  maxBytes?: number;
  maxDepth?: number;
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const kEscapes: Record<string, string> = {
  '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t',
};
const kNumber = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

class Parser {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly maxDepth: number,
    private readonly foreign: boolean,
  ) {}

  whole(): Json {
    const value = this.value();
    this.space();
    if (this.at !== this.text.length) throw this.fault('something after the value');
    return value;
  }

  private fault(message: string): Problem {
    return malformed('json', `${message} at ${this.at}`);
  }

  private space(): void {
    while (' \t\n\r'.includes(this.text.charAt(this.at)) && this.at < this.text.length) this.at++;
  }

  private take(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
  }

  private value(): Json {
    this.space();
    if (this.take('{')) return this.nested(() => this.object());
    if (this.take('[')) return this.nested(() => this.array());
    if (this.take('"')) return this.string();
    if (this.take('null')) return null;
    if (this.take('true')) return true;
    if (this.take('false')) return false;
    return this.number();
  }

  private nested<T>(read: () => T): T {
    if (++this.depth > this.maxDepth) throw this.fault('too deep');
    const value = read();
    this.depth--;
    return value;
  }

  private object(): JsonObject {
    const out: JsonObject = Object.create(null) as JsonObject;
    this.space();
    if (this.take('}')) return out;
    do {
      this.space();
      if (!this.take('"')) throw this.fault('no member name');
      const name = this.string();
      if (name in out) throw this.fault('duplicate member');
      this.space();
      if (!this.take(':')) throw this.fault('no colon');
      out[name] = this.value();
      this.space();
    } while (this.take(','));
    if (!this.take('}')) throw this.fault('object does not end');
    return out;
  }

  private array(): Json[] {
    const out: Json[] = [];
    this.space();
    if (this.take(']')) return out;
    do {
      out.push(this.value());
      this.space();
    } while (this.take(','));
    if (!this.take(']')) throw this.fault('array does not end');
    return out;
  }

  private string(): string {
    let out = '';
    for (;;) {
      const c = this.text.charAt(this.at);
      if (c === '' || c < ' ') throw this.fault('string does not end');
      this.at++;
      if (c === '"') break;
      out += c === '\\' ? this.escape() : c;
    }
    if (!isWellFormed(out)) throw this.fault('lone surrogate');
    return out;
  }

  private escape(): string {
    const c = this.text.charAt(this.at++);
    const plain = kEscapes[c];
    if (plain !== undefined) return plain;
    const digits = this.text.slice(this.at, this.at + 4);
    if (c !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) throw this.fault('unknown escape');
    this.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }

  private number(): number {
    kNumber.lastIndex = this.at;
    const found = kNumber.exec(this.text)?.[0];
    if (found === undefined) throw this.fault('no value');
    this.at += found.length;
    const value = Number(found);
    const isInteger = /^-?[0-9]+$/.test(found);
    if (isInteger && !Number.isSafeInteger(value)) throw this.fault('integer too large');
    if (!this.foreign && (!isInteger || Object.is(value, -0))) throw this.fault('not an integer');
    if (!Number.isFinite(value)) throw this.fault('number too large');
    return value;
  }
}

function parse(text: string, limits: JsonLimits, foreign: boolean): Json {
  const maxBytes = limits.maxBytes ?? 256 * 1024;
  if (text.length > maxBytes || utf8(text).length > maxBytes) throw malformed('json', 'too long');
  return new Parser(text, limits.maxDepth ?? 16, foreign).whole();
}

// Throws malformed "json" (or "utf8"). Objects have no prototype.
export const parseJson = (text: string, limits: JsonLimits = {}): Json => parse(text, limits, false);

// JSON from foreign programs (JWKS, JWT claims): as above but numbers may have fractions and exponents.
export const parseForeignJson = (text: string, limits: JsonLimits = {}): Json => parse(text, limits, true);

// RFC 8785 canonical form. Precondition: only integers, well-formed strings, booleans, null, arrays, objects.
// JSON.stringify writes strings and integers as the RFC asks, and the default sort is by UTF-16 code units.
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name]!)}`);
  return `{${members.join(',')}}`;
}

// Reads one object strictly, member by member; `finish` refuses members nobody asked for. Throws malformed "member".
export class Reader {
  private readonly seen = new Set<string>();
  private readonly value: JsonObject;

  constructor(
    value: Json | undefined,
    private readonly what: string,
  ) {
    if (!isObject(value)) throw malformed('member', `${what} is not an object`);
    this.value = value;
  }

  fail(name: string, message: string): Problem {
    return malformed('member', `${this.what}.${name} ${message}`);
  }

  has(name: string): boolean {
    return name in this.value;
  }

  any(name: string): Json {
    this.seen.add(name);
    const found = this.value[name];
    if (found === undefined) throw this.fail(name, 'is missing');
    return found;
  }

  text(name: string, maxBytes: number): string {
    const found = this.any(name);
    if (typeof found !== 'string') throw this.fail(name, 'is not a string');
    if (utf8(found).length > maxBytes) throw this.fail(name, `is longer than ${maxBytes} bytes`);
    return found;
  }

  matching(name: string, pattern: RegExp): string {
    const found = this.text(name, 4096);
    if (!pattern.test(found)) throw this.fail(name, 'has a wrong form');
    return found;
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const found = this.text(name, 64) as T;
    if (!choices.includes(found)) throw this.fail(name, 'is not a known word');
    return found;
  }

  integer(name: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
    const found = this.any(name);
    if (typeof found !== 'number' || !Number.isSafeInteger(found)) throw this.fail(name, 'is not an integer');
    if (found < min || found > max) throw this.fail(name, `is outside ${min}-${max}`);
    return found;
  }

  boolean(name: string): boolean {
    const found = this.any(name);
    if (typeof found !== 'boolean') throw this.fail(name, 'is not true or false');
    return found;
  }

  bytes(name: string, size: number): Bytes {
    const found = this.text(name, Math.ceil((size * 4) / 3) + 2);
    try {
      return fromB64(found, size);
    } catch {
      throw this.fail(name, `is not base64url of ${size} bytes`);
    }
  }

  array(name: string, maxItems: number): Json[] {
    const found = this.any(name);
    if (!Array.isArray(found)) throw this.fail(name, 'is not an array');
    if (found.length > maxItems) throw this.fail(name, `has more than ${maxItems} items`);
    return found;
  }

  texts(name: string, maxItems: number, maxBytes: number): string[] {
    return this.array(name, maxItems).map((item) => {
      if (typeof item !== 'string' || utf8(item).length > maxBytes) throw this.fail(name, 'holds something else');
      return item;
    });
  }

  // The member as `read` reads it, or null if it is null.
  optional<T>(name: string, read: (name: string) => T): T | null {
    if (this.any(name) === null) return null;
    return read.call(this, name);
  }

  // Each item of an array of objects.
  each<T>(name: string, maxItems: number, read: (item: Reader) => T): T[] {
    return this.array(name, maxItems).map((item) => this.nested(item, `${name}[]`, read));
  }

  child<T>(name: string, read: (item: Reader) => T): T {
    return this.nested(this.any(name), name, read);
  }

  private nested<T>(value: Json, name: string, read: (item: Reader) => T): T {
    const reader = new Reader(value, `${this.what}.${name}`);
    const out = read(reader);
    reader.finish();
    return out;
  }

  finish(): void {
    for (const name of Object.keys(this.value)) {
      if (!this.seen.has(name)) throw this.fail(name.slice(0, 40), 'is not known');
    }
  }
}
