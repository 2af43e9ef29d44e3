// Programs started by a run, each with its log, ended by id when the run ends.
import {spawn} from 'node:child_process';
import {createWriteStream} from 'node:fs';
import {join} from 'node:path';

export class Processes {
  constructor(logDir) {
    this.logDir = logDir;
    this.running = new Set();
  }

  // Starts a program. Its output goes to <name>.log; `onLine` gets every line of standard output as well.
  start(name, command, args, {env = {}, onLine, cwd, stdin = 'ignore'} = {}) {
    const log = createWriteStream(join(this.logDir, `${name}.log`), {flags: 'a'});
    const child = spawn(command, args, {stdio: [stdin, 'pipe', 'pipe'], env: {...process.env, ...env}, cwd});
    child.title = name;
    child.ended = new Promise((done) => child.once('exit', (code, signal) => done({code, signal})));
    child.once('error', (error) => log.write(`cannot start: ${error.message}\n`));
    let rest = '';
    child.stdout.on('data', (chunk) => {
      log.write(chunk);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) onLine?.(line);
    });
    child.stderr.on('data', (chunk) => log.write(chunk));
    this.running.add(child);
    child.ended.then(() => this.running.delete(child));
    return child;
  }

  // Starts a server that says when it is ready in one JSON line, having been told `input`; -> {child, ready: the line's object}.
  async startServer(name, command, args, {input, ...options} = {}) {
    let child;
    const ready = await new Promise((done, fail) => {
      child = this.start(name, command, args, {
        ...options,
        onLine: (line) => {
          if (!line.startsWith('{')) return;
          try { done(JSON.parse(line)); } catch { /* not the line meant */ }
        },
      });
      if (input !== undefined) child.stdin.write(`${JSON.stringify(input)}\n`);
      child.ended.then(({code, signal}) => fail(new Error(`${name} ended at once (${code ?? signal}); see ${name}.log`)));
    });
    return {child, ready};
  }

  async stop(child, signal = 'SIGTERM') {
    if (!this.running.has(child)) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await child.ended;
    clearTimeout(timer);
  }

  async stopAll() { await Promise.all([...this.running].reverse().map((child) => this.stop(child))); }
}

// Polls `probe` until it gives something truthy; throws what was waited for when `ms` have passed.
export async function until(what, probe, ms = 20000, everyMs = 50) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((done) => setTimeout(done, everyMs));
  }
}
