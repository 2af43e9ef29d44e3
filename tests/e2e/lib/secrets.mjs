// What a viewer's browser decrypted, noted from outside for a search afterwards, and the search itself (tests/tools).
import {execFile} from 'node:child_process';
import {createHmac} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';

const run = promisify(execFile);

// Notes every 32-byte AES-GCM plaintext (stream keys) and every chunk given to a video decoder. Changes nothing.
export function noteSecrets(page) {
  return page.addInitScript(() => {
    const noted = {keys: [], chunks: []};
    const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
    const decrypt = SubtleCrypto.prototype.decrypt;
    SubtleCrypto.prototype.decrypt = async function (...args) {
      const out = await decrypt.apply(this, args);
      if (out.byteLength === 32) noted.keys.push(text(out));
      return out;
    };
    const decode = VideoDecoder.prototype.decode;
    VideoDecoder.prototype.decode = function (chunk) {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      noted.chunks.push(bytes);
      return decode.call(this, chunk);
    };
    globalThis.__noted = () => ({keys: noted.keys, chunks: noted.chunks.map((bytes) => {
      let out = '';
      for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192));
      return btoa(out);
    })});
  });
}

// -> {keys: [Buffer], chunks: [Buffer]}
export async function notedSecrets(page) {
  const {keys, chunks} = await page.evaluate(() => globalThis.__noted());
  return {keys: keys.map((key) => Buffer.from(key, 'base64')), chunks: chunks.map((chunk) => Buffer.from(chunk, 'base64'))};
}

// The AES key that a stream key becomes (RFC 9605 §4.4.2, suite 5, KID 0): what seals frames, once the stream key is wiped.
export function frameKey(streamKey) {
  const secret = createHmac('sha512', Buffer.alloc(64)).update(streamKey).digest();
  const info = Buffer.concat([Buffer.from('SFrame 1.0 Secret key '), Buffer.alloc(8), Buffer.from([0, 5]), Buffer.from([1])]);
  return createHmac('sha512', secret).update(info).digest().subarray(0, 32);
}

// -> {slices, searched, hits}
export async function search(town, secrets, {files = [], pids = []}) {
  const needles = town.path(`needles-${Date.now()}`);
  writeFileSync(needles, Buffer.concat(secrets.flatMap((secret) => { const size = Buffer.alloc(4); size.writeUInt32BE(secret.length); return [size, secret]; })), {mode: 0o600});
  const args = [needles, ...files.flatMap((file) => ['--file', file]), ...pids.flatMap((pid) => ['--pid', String(pid)])];
  return JSON.parse((await run(join(town.bin, 'slice-search'), args, {timeout: 120000})).stdout);
}

// A core dump of a running process, which goes on running; all of it, also what it has excluded from dumps. -> [path], or []
// where a sanitizer's address space of terabytes can only be searched where it is.
export async function coreDump(pid, path) {
  const kilobytes = Number(/^VmSize:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  if (kilobytes > 2 ** 30) return [];
  await run('gdb', ['-p', String(pid), '-batch', '-nx', '-ex', 'set use-coredump-filter off', '-ex', 'set dump-excluded-mappings on', '-ex', `generate-core-file ${path}`], {timeout: 60000});
  return [path];
}
