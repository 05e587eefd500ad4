/**
 * The items that are leased to this annotator, fetched as soon as the queue names them, so that the next one is here when
 * it is wanted. The server's queue is the truth; events that it has not seen yet are laid over it.
 */
const RETRY = 1500;
/** Items of the past that are kept for going back: this many, and not over this many characters of them. */
const KEPT = 12;
const KEPT_CHARS = 12_000_000;
const FINISHING = new Set(["submit", "skip"]);

/** @typedef {{ref: string, position: number, of: number}} Place */

export class Queue {
  /**
   * @param {string} base
   * @param {{arrived: () => void, gone: () => void, signedOut: () => void}} on
   */
  constructor(base, on) {
    this.base = base;
    this.on = on;
    this.items = new Map();
    this.sizes = new Map(); // characters of each item as it came
    this.fetching = new Map();
    this.places = new Map();
    this.state = { queue: [], last: null, finished: false, waiting: false };
    /** @type {Place[]} */
    this.entries = [];
  }

  /** @returns {Place|undefined} */
  get current() {
    return this.entries[0];
  }

  item(ref) {
    return this.items.get(ref);
  }

  /**
   * @param {object} state the server's
   * @param {object[]} pending events that it did not have when it said so
   */
  adopt(state, pending) {
    this.state = state;
    for (const place of state.queue) this.places.set(place.ref, place);
    this.entries = state.queue;
    for (const event of pending) this.apply(event);
    this.prefetch();
  }

  /** What an event will do to the queue, done at once. */
  apply({ kind, ref }) {
    if (FINISHING.has(kind)) this.entries = this.entries.filter((place) => place.ref !== ref);
    // An undo of an item that this page never had in its queue has to wait for the server.
    else if (kind === "undo" && this.places.has(ref)) this.entries = [this.places.get(ref), ...this.entries.filter((place) => place.ref !== ref)];
  }

  prefetch() {
    for (const { ref } of this.entries) if (!this.items.has(ref) && !this.fetching.has(ref)) this.fetch(ref);
  }

  async fetch(ref) {
    this.fetching.set(ref, null);
    const { item, status, size } = await this.get(ref);
    this.fetching.delete(ref);
    if (item) {
      this.keep(ref, item, size);
      return;
    }
    if (status === 404) this.on.gone();
    if (status === 401 || status === 403) this.on.signedOut();
    // Also after a 404: the server may name this item again, and must not be asked in a circle.
    this.fetching.set(ref, setTimeout(() => this.retry(ref), RETRY));
  }

  /**
   * Ask for an item that is here already: what the server shows of it may have changed.
   * @returns {Promise<"fresh"|"gone"|"later">}
   */
  async refresh(ref) {
    const { item, status, size } = await this.get(ref);
    if (item) this.keep(ref, item, size);
    return item ? "fresh" : status === 404 ? "gone" : "later";
  }

  /** @returns {Promise<{item: object|null, status: number, size: number}>} status 0: no server, or half an answer */
  async get(ref) {
    try {
      const response = await fetch(`${this.base}/items/${encodeURIComponent(ref)}`, { cache: "no-store" });
      const text = response.ok ? await response.text() : null;
      return { item: text === null ? null : JSON.parse(text), status: response.status, size: text?.length ?? 0 };
    } catch {
      return { item: null, status: 0, size: 0 };
    }
  }

  keep(ref, item, size) {
    this.items.set(ref, item);
    this.sizes.set(ref, size);
    this.forgetOld();
    this.on.arrived();
  }

  retry(ref) {
    this.fetching.delete(ref);
    if (this.entries.some((place) => place.ref === ref)) this.fetch(ref);
  }

  /** What is held of this item is no longer what the server shows of it. */
  forget(ref) {
    this.items.delete(ref);
  }

  forgetOld() {
    let chars = [...this.items.keys()].reduce((sum, ref) => sum + this.sizes.get(ref), 0);
    for (const ref of this.items.keys()) {
      if (this.items.size <= KEPT && chars <= KEPT_CHARS) return;
      if (this.entries.some((place) => place.ref === ref)) continue;
      chars -= this.sizes.get(ref);
      this.items.delete(ref);
    }
  }

  stop() {
    for (const timer of this.fetching.values()) clearTimeout(timer);
  }
}
