import { fromB64 } from '../protocol/bytes';
import type { JsonObject } from '../protocol/json';
import { nameHash } from '../protocol/order';
import type { OrderBook } from '../protocol/order_book';
import type { Api } from '../session/api';

// Names as the relay tells them; believed only where a signed consent holds their hash.
export interface Resident {
  resident: string;
  name: string;
  address: string;
  salt: string;
  isVerified: boolean; // the consent in force is about this name and address
}

function read(value: JsonObject): Omit<Resident, 'isVerified'> | null {
  const { resident, name, address, salt } = value;
  const texts = [resident, name, address, salt];
  if (!texts.every((text) => typeof text === 'string')) return null;
  const [r, n, a, s] = texts as [string, string, string, string];
  return { resident: r, name: n, address: a, salt: s };
}

export async function hashOf(resident: { name: string; address: string; salt: string }): Promise<string | null> {
  try {
    return await nameHash(fromB64(resident.salt, 32), resident.name, resident.address);
  } catch {
    return null;
  }
}

export async function loadResidents(api: Api, book: OrderBook): Promise<Map<string, Resident>> {
  const out = new Map<string, Resident>();
  for (const value of await api.items('/v1/residents')) {
    const found = read(value);
    if (!found) continue;
    const signed = book.consentOf(found.resident)?.terms?.nameHash;
    out.set(found.resident, { ...found, isVerified: signed !== undefined && signed === (await hashOf(found)) });
  }
  return out;
}
