/**
 * Work in progress, saved a moment after the last change, so that it can be taken up again on another machine. A draft
 * counts as saved when the server has said so. One that it refuses is kept, its item is asked for again, and it is
 * written again under what the server shows of the item now; it is given up only when the item is gone.
 */
const DEBOUNCE = 600;
const RETRY = 1500;
const RETRY_AT_MOST = 60_000;
/** Somebody who types without a pause is saved nevertheless. */
const AT_LATEST = 2000;
const PATIENCE = 8000;
/** Browsers refuse keepalive, which outlives the tab, for larger bodies. */
const KEEPALIVE_AT_MOST = 50_000;

/** Not the answer of somebody who is signed out or of a server in trouble, but a no to this draft. */
const isRefusal = (status) => status >= 400 && status < 500 && status !== 401;

/**
 * @typedef {object} Entry
 * @property {() => object} write makes the body when it is sent, not when it is noted: the newest draft is the one that counts
 * @property {(() => object)|null} sending the one that is on its way
 * @property {number} since when it was first not saved
 * @property {number} due when it is to be sent
 * @property {number} notBefore after a failure
 * @property {number} refusals since the last success
 * @property {boolean} failed the last attempt
 */

export class Drafts {
  /**
   * @param {string} base
   * @param {{
   *   status: () => void, held: (ref: string) => boolean,
   *   refresh: (ref: string) => Promise<"fresh"|"gone"|"later">, dropped: (ref: string) => void,
   * }} on `held`: an undo of this item is on its way, which the draft must not overtake
   */
  constructor(base, on) {
    this.url = `${base}/drafts`;
    this.on = on;
    /** @type {Map<string, Entry>} */
    this.waiting = new Map();
    this.status = "saved";
  }

  /**
   * @param {string} ref
   * @param {() => object} write
   */
  note(ref, write) {
    const now = performance.now();
    const entry = this.waiting.get(ref) ?? { sending: null, since: now, notBefore: 0, refusals: 0, failed: false };
    entry.write = write;
    entry.due = Math.max(entry.notBefore, Math.min(now + DEBOUNCE, entry.since + AT_LATEST));
    this.waiting.set(ref, entry);
    this.settle();
  }

  /** The item was submitted: its draft has no say any more. */
  forget(ref) {
    this.waiting.delete(ref);
    this.settle();
  }

  /**
   * What the server says about the queue, when it has acknowledged something.
   * @param {string[]} refs of the items that are still with this annotator
   */
  adopt(refs) {
    for (const [ref, entry] of this.waiting) {
      if (this.on.held(ref)) continue;
      if (entry.refusals && !refs.includes(ref)) this.drop(ref);
      else if (entry.held) Object.assign(entry, { held: false, due: 0 });
    }
    this.settle();
  }

  /** Send all now, without asking for anything first: the page may be going. */
  async flush() {
    await Promise.all([...this.waiting].filter(([, entry]) => entry.sending !== entry.write).map(([ref, entry]) => this.send(ref, entry, false)));
    this.settle();
  }

  /** Send all, and wait until all are saved or given up, but not for long. */
  async finish(milliseconds) {
    const until = performance.now() + milliseconds;
    this.flush();
    while (this.waiting.size && performance.now() < until) await new Promise((done) => setTimeout(done, 40));
  }

  async sendDue() {
    const now = performance.now();
    const due = [...this.waiting].filter(([, entry]) => !entry.sending && entry.due <= now);
    await Promise.all(due.map(([ref, entry]) => this.send(ref, entry, entry.refusals > 0)));
    this.settle();
  }

  /** @param {boolean} ask for the item first */
  async send(ref, entry, ask) {
    if (this.on.held(ref)) {
      entry.held = true;
      entry.due = performance.now() + RETRY;
      return;
    }
    entry.sending = entry.write;
    const found = ask ? await this.on.refresh(ref) : "fresh";
    // While the item was asked for, it may have been submitted, and more may have been written.
    if (this.waiting.get(ref) !== entry) return;
    const write = (entry.sending = entry.write);
    const status = found === "fresh" ? await this.post(write()) : 0;
    entry.sending = null;
    if (this.waiting.get(ref) !== entry) return;
    if (found === "gone") this.drop(ref);
    else if (status >= 200 && status < 300) this.saved(ref, entry, write);
    else this.refused(entry, status);
  }

  /** @returns {Promise<number>} the status; 0 where there was no answer */
  async post(draft) {
    const body = JSON.stringify(draft);
    try {
      const response = await fetch(this.url, {
        method: "POST", body, headers: { "Content-Type": "application/json" },
        keepalive: body.length < KEEPALIVE_AT_MOST, signal: AbortSignal.timeout(PATIENCE),
      });
      return response.status;
    } catch {
      return 0;
    }
  }

  saved(ref, entry, write) {
    if (entry.write === write) this.waiting.delete(ref);
    else Object.assign(entry, { since: performance.now(), notBefore: 0, refusals: 0, failed: false });
  }

  refused(entry, status) {
    if (isRefusal(status)) entry.refusals++;
    entry.failed = true;
    entry.notBefore = entry.due = performance.now() + Math.min(RETRY * 2 ** Math.max(0, entry.refusals - 1), RETRY_AT_MOST);
  }

  drop(ref) {
    this.waiting.delete(ref);
    this.on.dropped(ref);
  }

  /** Say how things stand, and come back when the next one is due. */
  settle() {
    const entries = [...this.waiting.values()];
    clearTimeout(this.timer);
    const idle = entries.filter((entry) => !entry.sending);
    if (idle.length) this.timer = setTimeout(() => this.sendDue(), Math.max(0, Math.min(...idle.map(({ due }) => due)) - performance.now()));
    const status = entries.some(({ failed }) => failed) ? "unsaved" : entries.length ? "saving" : "saved";
    if (this.status === status) return;
    this.status = status;
    this.on.status();
  }

  stop() {
    clearTimeout(this.timer);
  }
}
