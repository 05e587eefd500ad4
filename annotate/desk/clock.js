/**
 * How long an annotator has really been with an item: the page visible, and something done within the last two minutes.
 * Reading is work, so the pause that is still counted is long.
 */
const PAUSE = 120_000;

export class Clock {
  constructor(milliseconds = 0) {
    this.total = milliseconds;
    this.seen = this.touched = performance.now();
    this.running = false;
  }

  start() {
    this.seen = this.touched = performance.now();
    this.running = true;
  }

  stop() {
    this.settle();
    this.running = false;
  }

  /** Something was done. */
  touch() {
    this.settle();
    this.touched = performance.now();
  }

  settle() {
    const now = performance.now();
    const until = Math.min(now, this.touched + PAUSE);
    if (this.running && until > this.seen) this.total += until - this.seen;
    this.seen = now;
  }

  read() {
    this.settle();
    return Math.round(this.total);
  }
}
