import { parseJson, Reader } from '../protocol/json';
import { type FleetRoot, kName, readFleetRoot } from '../protocol/trust';

// What the provider lays beside the app, on the app's own origin. The fleet root in it is the one thing believed unverified.
export interface Config {
  fleetRoot: FleetRoot;
  provider: string;
  relay: string; // "https://host:port"
  relayHost: string; // "host:port"
  inactivityMs: number; // after which staff are logged out
}

// The folder that the app is served from, with a slash at its end.
export const appBase = (): URL => new URL('.', document.baseURI);

// A text file of the app's own origin. Throws if it is not there.
export async function ownFile(path: string): Promise<string> {
  const answer = await fetch(new URL(path, appBase()), { cache: 'no-store', credentials: 'omit', redirect: 'error' });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.text();
}

function hostOf(url: URL): string {
  return url.port === '' ? `${url.hostname}:443` : url.host;
}

// From here on the page can talk to its own origin and this relay, and to nobody else.
function confineTo(relay: string): void {
  const policy = document.createElement('meta');
  policy.httpEquiv = 'Content-Security-Policy';
  policy.content = `connect-src 'self' ${relay} ${relay.replace('https:', 'wss:')}`;
  document.head.append(policy);
}

export async function loadConfig(): Promise<Config> {
  const in_ = new Reader(parseJson(await ownFile('config.json')), 'config');
  const fleetRoot = readFleetRoot(in_.any('fleet_root'));
  const provider = in_.matching('provider', kName);
  const relay = new URL(in_.text('relay', 256));
  const minutes = in_.has('inactivity_minutes') ? in_.integer('inactivity_minutes', 1, 60) : 15;
  in_.finish();
  if (relay.protocol !== 'https:') throw new Error('relay: not https');
  confineTo(relay.origin);
  return { fleetRoot, provider, relay: relay.origin, relayHost: hostOf(relay), inactivityMs: minutes * 60_000 };
}
