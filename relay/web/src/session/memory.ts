// What survives logout: numbers and hashes that nobody can be known by, so that an older trust document or a shorter ledger
// than this browser has seen is refused.

import type { BundleNumber } from '../protocol/trust';

export interface Seen {
  rootList: number;
  bundle: BundleNumber;
}

export interface SeenLog {
  epoch: number;
  size: number;
  root: string;
}

function read<T>(name: string): T | null {
  try {
    return JSON.parse(localStorage.getItem(name) ?? 'null') as T | null;
  } catch {
    return null;
  }
}

const write = (name: string, value: unknown): void => localStorage.setItem(name, JSON.stringify(value));

export const seenTrust = (): Seen => read<Seen>('tillsyn.trust') ?? { rootList: 0, bundle: { root_list_version: 0, counter: 0 } };
export const rememberTrust = (seen: Seen): void => write('tillsyn.trust', seen);
export const seenLog = (provider: string): SeenLog | null => read<SeenLog>(`tillsyn.ledger.${provider}`);
export const rememberLog = (provider: string, seen: SeenLog): void => write(`tillsyn.ledger.${provider}`, seen);
