// Logs out whoever has left: nothing touched for `limitMs` while no view was being looked at. A running view counts only
// while the page is visible.

const kEvents = ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const;
const kCheckMs = 5_000;

export class ActivityWatch {
  private last = Date.now();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly limitMs: number,
    private readonly isWatching: () => boolean,
    private readonly onTouched: () => void,
    private readonly onIdle: () => void,
  ) {
    for (const name of kEvents) document.addEventListener(name, this.touch, { capture: true, passive: true });
    this.timer = setInterval(() => this.check(), kCheckMs);
  }

  private touch = (): void => {
    if (Date.now() - this.last > kCheckMs) this.onTouched();
    this.last = Date.now();
  };

  private check(): void {
    const idle = Date.now() - this.last;
    if (idle > this.limitMs) return this.onIdle();
    if (this.isWatching() && document.visibilityState === 'visible') this.touch();
  }

  stop(): void {
    clearInterval(this.timer);
    for (const name of kEvents) document.removeEventListener(name, this.touch, { capture: true });
  }
}
