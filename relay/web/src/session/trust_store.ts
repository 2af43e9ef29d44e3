import { Problem, refused } from '../protocol/problem';
import type { TrustContext } from '../protocol/proof';
import type { Instant } from '../protocol/time';
import { type Bundle, isNewer, openBundle, openRootList, type Provider, type RootList } from '../protocol/trust';
import { type Config, ownFile } from './config';
import { rememberTrust, seenTrust } from './memory';

const kWarnAgeMs = 3_600_000;

// The newest root list and bundle, from the app's own origin only. Older ones than this browser has seen are refused; what
// cannot be refreshed stays until it runs out.
export class TrustStore {
  private rootList: RootList | null = null;
  private bundle: Bundle | null = null;
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
    this.bundle = next;
    rememberTrust({ ...seenTrust(), bundle: next.number });
  }

  // Everything to judge by. Throws Problem: "trust_missing" or why the documents were refused, "root_list_expired",
  // "bundle_expired", "wrong_provider", "unknown_relay".
  context(now: Instant): TrustContext & { provider: Provider } {
    const { rootList, bundle } = this;
    if (!rootList || !bundle) throw refused(this.problem || 'trust_missing');
    if (now >= rootList.expiresAt) throw refused('root_list_expired');
    if (now >= bundle.expiresAt) throw refused('bundle_expired');
    const provider = rootList.providers.find(({ id }) => id === this.config.provider);
    if (!provider) throw refused('wrong_provider');
    if (!rootList.relayHosts.includes(this.config.relayHost)) throw refused('unknown_relay');
    return { provider, rootList, bundle };
  }

  // What the page must say although all still works; empty if nothing.
  warning(now: Instant): string {
    if (this.problem) return this.problem;
    return this.bundle && now - this.bundle.issuedAt > kWarnAgeMs ? 'bundle_old' : '';
  }
}
