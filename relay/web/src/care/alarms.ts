import { isObject, type JsonObject } from '../protocol/json';
import type { Api } from '../session/api';

// What the relay has found wrong, and what is announced. It may keep alarms back as it may anything: so tonight's list counts
// for itself, and these stand above it.

export interface Alarm {
  id: string;
  kind: string;
  since: string;
  level: number;
  resident: string | null;
  reason: string | null;
  window: { id: string; date: string } | null;
  takenBy: string | null;
}

export interface Maintenance {
  from: string;
  to: string;
  reason: string;
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const member = (value: unknown, name: string): unknown => (isObject(value as JsonObject) ? (value as JsonObject)[name] : undefined);

function readWindow(value: unknown): Alarm['window'] {
  const id = member(value, 'id');
  const date = member(value, 'date');
  return typeof id === 'string' && typeof date === 'string' ? { id, date } : null;
}

function readAlarm(value: JsonObject): Alarm | null {
  const { id, kind, since, level } = value;
  if (typeof id !== 'string' || typeof kind !== 'string' || typeof since !== 'string' || typeof level !== 'number') return null;
  return {
    id, kind, since, level, resident: textOrNull(value.resident), reason: textOrNull(value.reason), window: readWindow(value.window),
    takenBy: textOrNull(member(member(value.acknowledged, 'who'), 'person')),
  };
}

// The highest level and then the oldest first.
export async function loadAlarms(api: Api): Promise<Alarm[]> {
  const alarms = (await api.items('/v1/alarms')).flatMap((value) => readAlarm(value) ?? []);
  return alarms.sort((a, b) => b.level - a.level || (a.since < b.since ? -1 : 1));
}

export async function loadMaintenance(api: Api): Promise<Maintenance[]> {
  return (await api.items('/v1/maintenance')).flatMap(({ from, to, reason }) =>
    typeof from === 'string' && typeof to === 'string' && typeof reason === 'string' ? [{ from, to, reason }] : [],
  );
}

export const acknowledge = (api: Api, id: string) => api.call('POST', `/v1/alarms/${encodeURIComponent(id)}/acknowledgement`, {});
