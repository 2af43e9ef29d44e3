import { type Bytes, concat, signedBytes, u64 } from './bytes';

// The viewer's signs of life (PROTOCOL.md, "life"): each tells how far it has painted, and its echo bounds a picture's age.

export const kNonePainted = 0xffff_ffff_ffff_ffffn;

export class LifeMaker {
  private counter = 0n;
  private readonly sentAt = new Map<bigint, number>();

  private constructor(
    private readonly key: CryptoKey,
    private readonly stream: Bytes,
  ) {}

  static async make(lifeKey: Bytes, stream: Bytes): Promise<LifeMaker> {
    const key = await crypto.subtle.importKey('raw', lifeKey, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    return new LifeMaker(key, stream);
  }

  // The next message, 64 bytes; `now` is when it is sent, on the clock that ages are reckoned by.
  async next(painted: bigint, now: number): Promise<Bytes> {
    const body = concat(this.stream, u64(++this.counter), u64(painted));
    this.sentAt.set(this.counter, now);
    this.sentAt.delete(this.counter - 256n);
    const mac = await crypto.subtle.sign('HMAC', this.key, signedBytes('life', body));
    return concat(body, new Uint8Array(mac));
  }

  // When sign of life `counter` was sent; undefined for one that never was, or long ago.
  sent(counter: bigint): number | undefined {
    return this.sentAt.get(counter);
  }
}
