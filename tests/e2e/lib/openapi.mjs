// The relay's answers held against relay/api/openapi.yaml, both ways: what is answered is documented, and what is documented
// is answered. Schemas are JSON Schema 2020-12, judged by ajv; in answers nothing may stand that the page does not name.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import addFormats from 'ajv-formats';
import Ajv from 'ajv/dist/2020.js';
import YAML from 'yaml';
import {root} from './town.mjs';

const methods = ['get', 'post', 'put', 'patch', 'delete'];

// A schema in which every object that lists its members has no others.
function closed(node) {
  if (Array.isArray(node)) return node.map(closed);
  if (node === null || typeof node !== 'object') return node;
  const out = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, name === 'allOf' ? value : closed(value)]));
  if (out.allOf) out.unevaluatedProperties = false;
  else if (out.properties && out.additionalProperties === undefined) out.additionalProperties = false;
  return out;
}

export class Contract {
  constructor() {
    this.page = YAML.parse(readFileSync(join(root, 'relay/api/openapi.yaml'), 'utf8'));
    this.ajv = new Ajv({strict: false, allErrors: true});
    addFormats(this.ajv);
    this.ajv.addSchema(closed(this.page), 'page');
    this.open = new Ajv({strict: false});
    addFormats(this.open);
    this.open.addSchema(this.page, 'page');
    this.seen = new Set();  // "GET /v1/orders 200", and of members "GET /v1/orders 200 items[].n"
  }

  operations() {
    return Object.entries(this.page.paths).flatMap(([path, item]) => methods.filter((method) => item[method])
      .map((method) => ({method: method.toUpperCase(), path, operation: item[method]})));
  }

  resolve(node) {
    if (!node?.$ref) return node;
    return this.resolve(node.$ref.slice(2).split('/').reduce((at, name) => at[name.replaceAll('~1', '/').replaceAll('~0', '~')], this.page));
  }

  find(method, path) {
    const is = (pattern) => new RegExp(`^${pattern.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(path);
    const fits = this.operations().filter((one) => one.method === method && is(one.path));
    return fits.sort((a, b) => a.path.split('{').length - b.path.split('{').length)[0];
  }

  // Judges one answer to `method` `url`; an undocumented one throws.
  check(method, url, answer) {
    const found = this.find(method, url.split('?')[0]);
    assert.ok(found, `${method} ${url} is not documented`);
    const name = `${method} ${found.path} ${answer.status}`;
    const listed = found.operation.responses[answer.status];
    const response = this.resolve(listed ?? found.operation.responses.default);
    this.seen.add(name);
    this.#checkHeaders(name, answer);
    if (answer.status >= 400) return this.#checkProblem(name, found, answer);
    assert.ok(listed, `${name} is not documented`);
    if (!response.content) return assert.equal(answer.text, '', `${name} has a body`);
    const [type, {schema}] = Object.entries(response.content)[0];
    assert.equal(answer.headers['content-type'], type, name);
    if (type !== 'application/json') return;
    this.#checkSchema(name, `#/paths/${found.path.replaceAll('~', '~0').replaceAll('/', '~1')}/${method.toLowerCase()}/responses/${answer.status}`, listed, answer.json());
    this.#note(name, schema, answer.json(), '');
  }

  #checkHeaders(name, {headers}) {
    assert.equal(headers['cache-control'], 'no-store', name);
    assert.equal(headers['set-cookie'], undefined, `${name} sets a cookie`);
  }

  // RFC 9457, with a code that the page lists for this status or for every route.
  #checkProblem(name, {operation}, answer) {
    assert.equal(answer.headers['content-type'], 'application/problem+json', `${name}: ${answer.text}`);
    const problem = answer.json();
    assert.equal(problem.status, answer.status, name);
    assert.ok(problem.detail.length >= 10, `${name} ${problem.code} says nothing to its reader`);
    const codes = [operation.responses[answer.status], operation.responses.default].flatMap((one) => this.resolve(one)?.['x-codes'] ?? []);
    assert.ok(codes.includes(problem.code), `${name}: the code ${problem.code} is not documented`);
    const listed = this.resolve(operation.responses[answer.status] ?? operation.responses.default);
    assert.ok(this.#fits(listed.content['application/problem+json'].schema, problem), `${name}: no problem: ${answer.text.slice(0, 400)}`);
    const others = Object.keys(problem).filter((member) => !['type', 'title', 'status', 'code', 'detail'].includes(member));
    assert.deepEqual(others.filter((member) => member !== 'order' || answer.status !== 409), [], name);
    this.seen.add(`${name} ${problem.code}`);
  }

  #checkSchema(name, pointer, listed, value) {
    const at = listed.$ref ? listed.$ref : pointer;
    const type = Object.keys(this.resolve(listed).content)[0].replaceAll('/', '~1');
    const validate = this.ajv.getSchema(`page${at}/content/${type}/schema`);
    assert.ok(validate(value), `${name}: ${this.ajv.errorsText(validate.errors)} in ${JSON.stringify(value).slice(0, 400)}`);
  }

  // Whether `value` is what `schema` says, loosely: for oneOf.
  #fits(schema, value) {
    const key = JSON.stringify(schema);
    this.loose ??= new Map();
    if (!this.loose.has(key)) this.loose.set(key, this.open.compile(JSON.parse(key.replaceAll('"#/', '"page#/'))));
    return this.loose.get(key)(value);
  }

  // Remembers the members that an answer had.
  #note(name, given, value, at) {
    const schema = this.resolve(given);
    for (const part of schema.allOf ?? []) this.#note(name, part, value, at);
    for (const part of schema.oneOf ?? []) if (value !== null && this.#fits(part, value)) this.#note(name, part, value, at);
    if (Array.isArray(value)) return schema.items && value.forEach((item) => this.#note(name, schema.items, item, `${at}[]`));
    if (value === null || typeof value !== 'object') return;
    for (const [member, part] of Object.entries(schema.properties ?? {})) {
      if (!(member in value)) continue;
      this.seen.add(`${name} ${at}.${member}`);
      this.#note(name, part, value[member], `${at}.${member}`);
    }
  }

  // Every member that the answers of an operation may have, as #note writes them.
  members({method, path, operation}) {
    const out = [];
    const walk = (name, given, at, depth) => {
      const schema = this.resolve(given);
      if (depth > 12) return;
      for (const part of [...(schema.allOf ?? []), ...(schema.oneOf ?? [])]) walk(name, part, at, depth + 1);
      if (schema.items) walk(name, schema.items, `${at}[]`, depth + 1);
      for (const [member, part] of Object.entries(schema.properties ?? {})) {
        out.push(`${name} ${at}.${member}`);
        walk(name, part, `${at}.${member}`, depth + 1);
      }
    };
    for (const [status, given] of Object.entries(operation.responses)) {
      const schema = this.resolve(given).content?.['application/json']?.schema;
      if (schema) walk(`${method} ${path} ${status}`, schema, '', 0);
    }
    return out;
  }
}
