/** Work in progress, saved a moment after the last change, so that it can be taken up again on another machine. */
const DEBOUNCE = 600;
const RETRY = 1500;
/** Somebody who types without a pause is saved nevertheless. */
const AT_LATEST = 2000;

export class Drafts {
  /**
   * @param {string} base
   * @param {() => void} changed the status may have changed
   */
  constructor(base, changed) {
    this.url = `${base}/drafts`;
    this.changed = changed;
    this.waiting = new Map(); // ref → how to write its draft now
    this.status = "saved";
  }

  /**
   * @param {string} ref
   * @param {() => object} write makes the body when it is sent, not now: the newest draft is the one that counts
   */
  note(ref, write) {
    if (this.waiting.size === 0) this.since = performance.now();
    this.waiting.set(ref, write);
    this.later(Math.max(0, Math.min(DEBOUNCE, this.since + AT_LATEST - performance.now())));
  }

  /** The item was submitted: its draft has no say any more. */
  forget(ref) {
    this.waiting.delete(ref);
    if (this.waiting.size === 0) this.become("saved");
  }

  later(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), wait);
  }

  async flush() {
    clearTimeout(this.timer);
    if (this.waiting.size === 0) return;
    const batch = [...this.waiting];
    this.since = performance.now();
    if (this.status === "saved") this.become("saving");
    const sent = await Promise.all(batch.map(([ref, write]) => this.post(ref, write)));
    if (sent.every(Boolean)) this.become(this.waiting.size ? this.status : "saved");
    else {
      this.become("unsaved");
      this.later(RETRY);
    }
  }

  /** @returns {Promise<boolean>} done with, one way or the other */
  async post(ref, write) {
    const body = JSON.stringify(write());
    try {
      const response = await fetch(this.url, {
        method: "POST", body, headers: { "Content-Type": "application/json" },
        keepalive: body.length < 50_000, signal: AbortSignal.timeout(8000),
      });
      // 4xx: not this annotator's item any more; the next answer about the queue says so.
      if (response.status >= 500 || response.status === 401) return !this.waiting.has(ref);
    } catch {
      return !this.waiting.has(ref);
    }
    if (this.waiting.get(ref) === write) this.waiting.delete(ref);
    return true;
  }

  become(status) {
    if (this.status === status) return;
    this.status = status;
    this.changed();
  }

  stop() {
    clearTimeout(this.timer);
  }
}
