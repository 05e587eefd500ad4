/** Search in the trajectory: a field over the steps, how many were found, and the way from one to the next. */
import { element, keycap } from "./element.js";
import { Finder, MOST } from "./finder.js";

/** While a search goes on, what it has found so far is marked this often. */
const MARKED_EVERY = 150; // ms

export class Search {
  /**
   * @param {object} steps the list
   * @param {() => void} changed what was found, for the map
   */
  constructor(steps, changed) {
    this.steps = steps;
    this.changed = changed;
    this.field = element("input", { type: "text", "data-rj": "search", "aria-label": "search in the trajectory", placeholder: "Search the steps", spellcheck: "false", autocomplete: "off", maxlength: 200, oninput: () => this.find() });
    this.count = element("span", { class: "count", "data-rj": "search-count", "aria-live": "polite" });
    const button = (label, title, onclick) => element("button", { class: "quiet", type: "button", title, "aria-label": title, onclick }, label);
    this.node = element("div", { class: "search", role: "search", hidden: true }, this.field, this.count,
      button("↑", "previous (Shift ⏎)", () => this.step(-1)), button("↓", "next (⏎)", () => this.step(1)), button(keycap("Esc"), "Esc: close the search", () => this.close()));
    this.clear();
  }

  get open() {
    return !this.node.hidden;
  }

  clear() {
    this.found = [];
    this.at = -1;
    this.done = true;
  }

  show() {
    this.node.hidden = false;
    this.field.focus({ preventScroll: true });
    this.field.select();
    if (this.field.value) this.find();
  }

  /** @param {{keyboard?: boolean}} [how] whether the keyboard goes back to the steps */
  close({ keyboard = true } = {}) {
    if (!this.open) return;
    this.node.hidden = true;
    this.finder?.stop();
    this.clear();
    this.steps.setHits(new Map());
    this.changed();
    if (keyboard) this.steps.takeKeyboard();
  }

  /** Another trajectory: what was looked for stays in the field, the search is over. */
  leave() {
    this.close({ keyboard: false });
    this.finder = null;
  }

  find() {
    this.finder?.stop();
    this.clear();
    this.done = false;
    this.from = this.steps.focus;
    const { unfolded } = this.steps;
    this.finder = new Finder(unfolded.steps.length, (index) => unfolded.content(index).text, (found, done) => this.take(found, done));
    this.finder.find(this.field.value.trim() === "" ? "" : this.field.value);
  }

  take(found, done) {
    // Pictures are shown, not read.
    this.found = found.filter(({ index, from }) => !this.steps.unfolded.content(index).fields.some((field) => field.kind === "image" && from >= field.from && from < field.to));
    this.done = done;
    const first = this.at < 0 ? this.found.findIndex(({ index }) => index >= this.from) : -1;
    if (first >= 0 || (done && this.at < 0 && this.found.length)) this.go(Math.max(0, first));
    else if (done || performance.now() - this.marked > MARKED_EVERY) this.mark();
    this.say();
  }

  /** To the next hit or back, round the ends. */
  step(direction) {
    if (!this.found.length) return;
    this.go((this.at + direction + this.found.length) % this.found.length);
    this.say();
  }

  go(at) {
    this.at = at;
    const { index, from, to } = this.found[at];
    this.mark({ draw: false });
    this.steps.showPlace(index, from, to);
  }

  mark({ draw = true } = {}) {
    const hits = new Map();
    this.found.forEach(({ index, from, to }, n) => {
      const hit = { from, to, now: n === this.at };
      if (hits.has(index)) hits.get(index).push(hit);
      else hits.set(index, [hit]);
    });
    if (draw) this.steps.setHits(hits);
    else this.steps.hits = hits;
    this.marked = performance.now();
    this.changed();
  }

  say() {
    const all = `${this.found.length.toLocaleString("en")}${this.found.length >= MOST ? "+" : ""}`;
    const words = this.field.value.trim() === "" ? "" : this.found.length ? `${(this.at + 1).toLocaleString("en")} of ${all}` : this.done ? "not found" : "";
    this.count.textContent = words;
    this.count.classList.toggle("none", words === "not found");
  }

  /** @returns {boolean} whether the key meant the search */
  key(key, event) {
    if (key === "Escape") this.close();
    else if (key === "Enter") this.step(event.shiftKey ? -1 : 1);
    else if (key === "ArrowDown") this.step(1);
    else if (key === "ArrowUp") this.step(-1);
    else return key === "Ctrl+Enter";
    return true;
  }

  stop() {
    this.finder?.stop();
  }
}
