import { b64, equal } from '../protocol/bytes';
import { Problem, refused } from '../protocol/problem';
import { type HomeLeaf, readHomes } from '../protocol/homes';
import type { TrustWithHomes } from '../protocol/proof';
import type { Instant } from '../protocol/time';
import { type Bundle, isNewer, openBundle, openRootList, type RootList } from '../protocol/trust';
import { type Config, ownFile } from './config';
import { rememberTrust, seenTrust } from './memory';

const kWarnAgeMs = 3_600_000;

// The newest root list and bundle, from the app's own origin only. Older ones than this browser has seen are refused; what
// cannot be refreshed stays until it runs out.
export class TrustStore {
  private rootList: RootList | null = null;
  private bundle: Bundle | null = null;
  private homes: HomeLeaf[] = [];
  // Why the newest try gave nothing new: a machine word, empty if all is well.
  problem = '';

  constructor(private readonly config: Config) {}

  async refresh(): Promise<void> {
    try {
      await this.refreshRootList();
      await this.refreshBundle();
      this.problem = '';
    } catch (error) {
      this.problem = error instanceof Problem ? error.reason : 'trust_missing';
    }
  }

  private async refreshRootList(): Promise<void> {
    const next = await openRootList(await ownFile('trust/root-list.json'), this.config.fleetRoot);
    if (next.version < seenTrust().rootList) throw refused('root_list_older');
    this.rootList = next;
    rememberTrust({ ...seenTrust(), rootList: next.version });
  }

  private async refreshBundle(): Promise<void> {
    const next = await openBundle(await ownFile('trust/bundle.json'), this.rootList!);
    if (isNewer(seenTrust().bundle, next.number)) throw refused('bundle_older');
    this.homes = await this.homesOf(next);
    this.bundle = next;
    rememberTrust({ ...seenTrust(), bundle: next.number });
  }

  // A bundle without its homes is not taken: the one before stays until it runs out.
  private async homesOf(next: Bundle): Promise<HomeLeaf[]> {
    const root = next.providers.get(this.config.provider)?.homesRoot;
    if (!root) throw refused('wrong_provider');
    const held = this.bundle?.providers.get(this.config.provider)?.homesRoot;
    if (held && equal(held, root)) return this.homes;
    const text = await ownFile(`trust/homes-${b64(root)}.json`).catch(() => {
      throw refused('homes_missing');
    });
    return readHomes(text, root);
  }

  // Everything to judge by. Throws Problem: "trust_missing" or why the documents were refused, "root_list_expired",
  // "bundle_expired", "wrong_provider", "unknown_relay".
  context(now: Instant): TrustWithHomes {
    const { rootList, bundle } = this;
    if (!rootList || !bundle) throw refused(this.problem || 'trust_missing');
    if (now >= rootList.expiresAt) throw refused('root_list_expired');
    if (now >= bundle.expiresAt) throw refused('bundle_expired');
    const provider = rootList.providers.find(({ id }) => id === this.config.provider);
    if (!provider) throw refused('wrong_provider');
    if (!rootList.relayHosts.includes(this.config.relayHost)) throw refused('unknown_relay');
    return { provider, rootList, bundle, homes: this.homes };
  }

  // What the page must say although all still works; empty if nothing.
  warning(now: Instant): string {
    if (this.problem) return this.problem;
    return this.bundle && now - this.bundle.issuedAt > kWarnAgeMs ? 'bundle_old' : '';
  }
}
