import { b64, type Bytes, fromB64 } from '../protocol/bytes';
import { type Checkpoint, openCheckpoint, type VerifierKey } from '../protocol/checkpoint';
import { type EntryPlace, orderLeaf } from '../protocol/entry';
import type { JsonObject } from '../protocol/json';
import { emptyRoot, verifyConsistency, verifyInclusion } from '../protocol/merkle';
import type { Order } from '../protocol/order';
import { Problem, refused } from '../protocol/problem';
import type { TrustContext } from '../protocol/proof';
import { type Api, numberOf, RelayProblem, textOf } from '../session/api';
import { rememberLog, seenLog } from '../session/memory';

function readProof(value: JsonObject, name: string): Bytes[] {
  const proof = value[name];
  if (!Array.isArray(proof) || proof.length > 64) throw new RelayProblem('malformed', 200);
  return proof.map((hash) => fromB64(String(hash), 32));
}

// Follows the provider's log: each newer checkpoint must be the old one's continuation, and the one that the municipality's
// machine put into the bundle its beginning. The newest survives logout.
export class LedgerWatch {
  // The newest checkpoint this app has verified; null before the first.
  checkpoint: Checkpoint | null = null;
  // "ledger_forked", "ledger_older" or why there is none; empty if all is well.
  problem = '';
  private coveredBundle: string | null = null; // the bundle's checkpoint last found consistent
  private running: Promise<void> | null = null;
  private readonly proven = new Set<string>(); // orders found in the log

  constructor(
    private readonly api: Api,
    private readonly trust: () => TrustContext,
  ) {
    const { provider, bundle } = trust();
    const seen = seenLog(provider.id);
    const epoch = bundle.providers.get(provider.id)?.epoch ?? 1;
    // A log of a new epoch begins anew; the bundle says so, not the relay.
    if (seen && seen.epoch >= epoch) this.checkpoint = { size: seen.size, root: fromB64(seen.root, 32) };
  }

  // Fetches and verifies the newest checkpoint. What goes wrong stays in `problem`; the last good one is kept.
  refresh(): Promise<void> {
    this.running ??= this.advance()
      .then(() => void (this.problem = ''))
      .catch((error: unknown) => void (this.problem = error instanceof Problem ? error.reason : 'ledger_forked'))
      .finally(() => void (this.running = null));
    return this.running;
  }

  private async advance(): Promise<void> {
    const { provider, bundle } = this.trust();
    const key: VerifierKey = { name: provider.ledgerOrigin, publicKey: provider.ledgerKey };
    const next = await openCheckpoint(textOf(await this.api.object('GET', '/v1/ledger/checkpoint'), 'checkpoint'), key);
    if (this.checkpoint && next.size < this.checkpoint.size) throw refused('ledger_older');
    await this.checkContinues(this.checkpoint, next);
    const state = bundle.providers.get(provider.id);
    if (state?.checkpoint && state.checkpoint !== this.coveredBundle) {
      await this.checkContinues(await openCheckpoint(state.checkpoint, key), next);
      this.coveredBundle = state.checkpoint;
    }
    this.checkpoint = next;
    rememberLog(provider.id, { epoch: state?.epoch ?? 1, size: next.size, root: b64(next.root) });
  }

  private async checkContinues(old: Checkpoint | null, next: Checkpoint): Promise<void> {
    if (!old || old.size === 0) return;
    if (old.size > next.size) throw refused('ledger_older');
    try {
      await verifyConsistency(old.size, next.size, await this.consistency(old.size, next.size), old.root, next.root);
    } catch (error) {
      throw error instanceof RelayProblem ? error : refused('ledger_forked');
    }
  }

  private async consistency(from: number, to: number): Promise<Bytes[]> {
    if (from === to) return [];
    return readProof(await this.api.object('GET', `/v1/ledger/consistency?from=${from}&to=${to}`), 'consistency');
  }

  // What a view names: the newest verified, or an empty log.
  async named(): Promise<{ size: number; root: string }> {
    const { size, root } = this.checkpoint ?? { size: 0, root: await emptyRoot() };
    return { size, root: b64(root) };
  }

  // Throws unless the order stands in the log, at `place`, under a checkpoint that this app has verified.
  async prove(order: Pick<Order, 'hash' | 'payload'>, place: EntryPlace): Promise<void> {
    if (this.proven.has(order.hash)) return;
    // The first may be one that was under way already, and have begun before the entry was made.
    for (let i = 0; i < 2 && !this.reaches(place); i++) await this.refresh();
    if (this.problem) throw refused(this.problem);
    if (!this.checkpoint || !this.reaches(place)) throw refused('no_ledger_entry');
    const { size, root } = this.checkpoint;
    const answer = await this.api.object('GET', `/v1/ledger/inclusion?hash=${order.hash}&size=${size}`);
    await verifyInclusion(await orderLeaf(order, place), place.seq, size, readProof(answer, 'inclusion'), root).catch(() => {
      throw refused('no_ledger_entry');
    });
    this.proven.add(order.hash);
  }

  private reaches(place: EntryPlace): boolean {
    return this.checkpoint !== null && this.checkpoint.size > place.seq;
  }

  isProven = (hash: string): boolean => this.proven.has(hash);
}

export const placeOf = (entry: JsonObject): EntryPlace => ({ seq: numberOf(entry, 'seq'), time: textOf(entry, 'time') });
