import { readFileSync } from 'node:fs';

const folder = new URL('../vectors/', import.meta.url);

export const readVectors = (path: string): string => readFileSync(new URL(path, folder), 'utf8');

// JSON vectors; whole numbers too large for a double are kept as bigint where `big` names the member.
export function vectors<T>(path: string, big: string[] = []): T {
  const text = big.reduce((t, name) => t.replaceAll(new RegExp(`"${name}": ?([0-9]{16,})`, 'g'), `"${name}": "$1"`), readVectors(path));
  return JSON.parse(text) as T;
}
