// What an enemy's code could do in a hub's programs: system calls made by tests/tools/inside.cpp from within a running one.
import {readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {until} from './processes.mjs';

const errnos = {1: 'EPERM', 2: 'ENOENT', 13: 'EACCES', 38: 'ENOSYS'};

// What a program is started with so that it can be told. `folder`: one that it may write in.
export const insider = (town, program, folder) => ({TILLSYN_INSIDE_OF: program, LD_PRELOAD: join(town.bin, '../lib/libinside.so'), TILLSYN_INSIDE: join(folder, 'inside')});

// Has the calls made one after the other, as [name, number, ...arguments]; `log` is what the program has said so far.
// -> {name: 'EACCES' | … | the value}; the last is missing if it ended the program.
export async function callFromInside(folder, log, calls, ended) {
  const from = log().length;
  const line = (values) => values.map((value, i) => (i > 0 && typeof value === 'string' ? `=${value}` : value)).join(' ');
  writeFileSync(join(folder, 'inside.new'), `${calls.map(line).join('\n')}\n`);
  renameSync(join(folder, 'inside.new'), join(folder, 'inside'));
  const said = () => log().slice(from);
  await until('begun', () => /^inside \S+ begins$/m.test(said()), 20000, 10);
  await until('made', () => /^inside done$/m.test(said()) || ended(), 20000, 10);
  return Object.fromEntries([...said().matchAll(/^inside (\S+) (-?\d+) (\d+)$/gm)]
    .map(([, name, value, errno]) => [name, Number(value) >= 0 ? Number(value) : errnos[errno] ?? Number(errno)]));
}
