// How old a picture can be at most (DESIGN §4): two bounds that no delay of the relay and no wrong clock can hide, the
// smaller counts. `now`, `posted` and `echoSent` are on the browser's monotonic clock, `capture` and `mono` on the gate's.

export interface AgeInput {
  posted: number; // when the view order was sent
  mono: number; // the gate's clock in its answer, which came after that
  capture: number;
  echoSent: number | undefined; // when the sign of life that the picture echoes was sent
}

export function ageBound({ posted, mono, capture, echoSent }: AgeInput, now: number): number {
  const byAnswer = now - posted - (capture - mono);
  const byEcho = echoSent === undefined ? Infinity : now - echoSent;
  return Math.max(0, Math.min(byAnswer, byEcho));
}

export const kStaleMs = 2000;
export const kDivergenceMs = 1000;

// Wall and monotonic clock of a computer that slept, or whose clock was set, part.
export class ClockWatch {
  private readonly start: number;

  constructor(wall: number, monotonic: number) {
    this.start = wall - monotonic;
  }

  hasParted(wall: number, monotonic: number): boolean {
    return Math.abs(wall - monotonic - this.start) >= kDivergenceMs;
  }
}
