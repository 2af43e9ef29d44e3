import { type Bytes, viewOf } from './bytes';
import { decodeFrame, frameMetadata } from './frame';
import { Problem } from './problem';
import type { Opener } from './sframe';

// Turns what the relay hands over into pictures that may be decoded: authentic, in sequence, and after any gap nothing until
// a key frame, for a decoder fed across a gap shows a picture that never was and reports no error.

export interface Picture {
  ctr: bigint;
  isKey: boolean;
  isEnd: boolean;
  capture: number; // ms of the gate's monotonic clock
  echo: bigint; // newest sign of life that the gate had received; 0: none
  accessUnit: Bytes; // H.264, Annex B
  afterGap: boolean; // the decoder must be made anew before this one
}

export type Received = { picture: Picture } | { dropped: string };

export class Receiver {
  private expected = 0n;
  private needsKey = true;
  private captured = -1;

  constructor(
    private readonly opener: Opener,
    private readonly stream: Bytes,
  ) {}

  // One WebSocket message; calls must not overlap. `dropped` says why nothing may be shown of it: "frame", "sframe", "aead",
  // "replayed" (a counter that has been), "gap" (waiting for a key frame), "capture" (time ran backwards).
  async receive(message: Bytes): Promise<Received> {
    try {
      return await this.open(message);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { dropped: error.reason };
    }
  }

  // The decoder has given up: as after a gap.
  loseSync(): void {
    this.needsKey = true;
  }

  private async open(message: Bytes): Promise<Received> {
    const frame = decodeFrame(message);
    const { ctr, plaintext } = await this.opener.open(frame.object, frameMetadata(this.stream, frame));
    if (ctr < this.expected) return { dropped: 'replayed' };
    if (plaintext.length < 8) return { dropped: 'frame' };
    const isGap = ctr !== this.expected;
    this.expected = ctr + 1n;
    if (isGap) this.needsKey = true;
    const capture = Number(frame.capture);
    if (!Number.isSafeInteger(capture) || capture < this.captured) return { dropped: 'capture' };
    this.captured = capture;
    if (this.needsKey && !frame.isKey && !frame.isEnd) return { dropped: 'gap' };
    const afterGap = this.needsKey;
    if (frame.isKey) this.needsKey = false;
    const echo = viewOf(plaintext).getBigUint64(0);
    return { picture: { ctr, isKey: frame.isKey, isEnd: frame.isEnd, capture, echo, accessUnit: plaintext.slice(8), afterGap } };
  }
}
