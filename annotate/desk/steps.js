/**
 * The list of steps. Only the rows in view (and a little more) are in the document, and whatever a row's true height does
 * to those above it, what the reader looks at stays where it is.
 */
import { element } from "./element.js";
import { Rows } from "./rows.js";
import { castOf, drawRow, modesOf, partsOf, sessionBegun } from "./step.js";

const AROUND = 320; // px drawn above and below the view
/** px of the neighbours that stay in view when a step takes the focus */
const context = (view) => Math.min(72, view * 0.12);

/** Calls and their results, each pointing at the other. */
function pairs(steps) {
  const calls = new Map();
  const partners = new Map();
  steps.forEach((step, index) => {
    if (step.call === null || step.call === undefined) return;
    if (step.kind === "tool_call") calls.set(step.call, index);
    else if (calls.has(step.call)) {
      partners.set(index, calls.get(step.call));
      partners.set(calls.get(step.call), index);
    }
  });
  return partners;
}

export class StepList {
  /** @param {{marked: (index: number) => void}} on */
  constructor(on) {
    this.on = on;
    this.list = element("div", { class: "steps", role: "list", "aria-label": "steps" });
    this.scroller = element("div", { class: "trajectory", tabindex: 0 }, this.list);
    this.scroller.addEventListener("scroll", () => this.draw(), { passive: true });
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.list.addEventListener("mouseover", (event) => this.link(this.indexOf(event.target)));
    this.list.addEventListener("mouseleave", () => this.link(this.focus));
    this.resized = new ResizeObserver(() => this.refit());
    this.resized.observe(this.scroller);
    this.live = new Map();
    this.show([]);
  }

  /**
   * @param {object[]} steps
   * @param {{focus?: number, evidence?: number[], markable?: boolean}} [how]
   */
  show(steps, { focus = 0, evidence = [], markable = false } = {}) {
    this.steps = steps;
    this.rows = new Rows(steps);
    this.markable = markable;
    this.evidence = new Set(evidence);
    this.modes = new Map();
    this.cuts = new Map();
    this.partners = pairs(steps);
    this.cast = castOf(steps);
    this.focus = Math.max(0, Math.min(focus, steps.length - 1));
    this.linked = this.partners.get(this.focus) ?? -1;
    this.drop(0);
    this.list.style.height = `${this.rows.total}px`;
    this.scroller.scrollTop = 0;
    if (this.focus > 0) this.reveal(this.focus);
    else this.draw();
  }

  // Drawing ----------------------------------------------------------------------------------------------------------
  draw() {
    if (this.rows.length === 0) return;
    // A drawn row may turn out smaller than guessed and leave room for more; a few rounds settle it.
    for (let round = 0; round < 8; round++) {
      const { scrollTop, clientHeight } = this.scroller;
      const from = this.rows.rowAt(scrollTop - AROUND);
      const to = this.rows.rowAt(scrollTop + clientHeight + AROUND) + 1;
      if (!this.place(from, to)) return;
    }
  }

  /** Make exactly these rows live; true if that changed any height. */
  place(from, to) {
    for (const [row, node] of this.live) if (row < from || row >= to) this.dropRow(row, node);
    this.list.style.paddingTop = `${this.rows.offsets[from]}px`;
    const fresh = [];
    let next = this.list.firstChild;
    for (let row = from; row < to; row++) {
      let node = this.live.get(row);
      if (node) next = node.nextSibling;
      else {
        node = this.make(row);
        this.list.insertBefore(node, next);
        this.live.set(row, node);
        fresh.push(row);
      }
    }
    return fresh.length > 0 && this.measure(fresh);
  }

  make(row) {
    const { index, part, of } = this.rows.at(row);
    const parts = this.cuts.get(index) ?? partsOf(this.steps[index], "shown");
    const node = drawRow(this.steps[index], index, parts[part], { first: part === 0, last: part === of - 1, total: this.steps.length, markable: this.markable, paired: this.partners.has(index), cast: this.cast, session: sessionBegun(this.steps, index) });
    this.dress(node, index);
    return node;
  }

  dropRow(row, node) {
    // Losing the row that has the keyboard's attention would send it to the page behind the desk.
    if (node.matches(":focus-within")) this.scroller.focus({ preventScroll: true });
    node.remove();
    this.live.delete(row);
  }

  /** Rows from here on are no longer what they were. */
  drop(from) {
    for (const [row, node] of this.live) if (row >= from) this.dropRow(row, node);
  }

  measure(rows) {
    const anchor = this.rows.rowAt(this.scroller.scrollTop);
    const before = this.rows.offsets[anchor];
    const heights = rows.map((row) => [row, this.live.get(row).getBoundingClientRect().height]);
    if (!this.rows.measured(heights)) return false;
    this.list.style.height = `${this.rows.total}px`;
    this.list.style.paddingTop = `${this.rows.offsets[Math.min(...this.live.keys())]}px`;
    const shift = this.rows.offsets[anchor] - before;
    if (shift) this.scroller.scrollTop += shift;
    return true;
  }

  refit() {
    if (this.live.size && this.scroller.clientWidth !== this.width) this.measure([...this.live.keys()]);
    this.width = this.scroller.clientWidth;
    this.draw();
  }

  dress(node, index) {
    const focused = index === this.focus;
    node.classList.toggle("focus", focused);
    node.classList.toggle("mark", this.evidence.has(index));
    node.classList.toggle("linked", index === this.linked);
    if (focused) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
    node.querySelector(".marker")?.setAttribute("aria-pressed", String(this.evidence.has(index)));
  }

  dressAll() {
    for (const [row, node] of this.live) this.dress(node, this.rows.at(row).index);
  }

  // Focus ------------------------------------------------------------------------------------------------------------
  setFocus(index) {
    this.focus = index;
    this.linked = this.partners.get(index) ?? -1;
    this.dressAll();
    this.takeKeyboard();
  }

  /** The focused step's row gets the browser's focus too: a screen reader reads it, and Page Down scrolls the list. */
  takeKeyboard() {
    const row = this.rows.length ? this.live.get(this.rows.of(this.focus)[0]) : null;
    (row ?? this.scroller).focus({ preventScroll: true });
  }

  /** Scroll until the step is in view with something of its neighbours. */
  reveal(index) {
    for (let round = 0; round < 6; round++) {
      const { top, bottom } = this.rows.extent(index);
      const { scrollTop, clientHeight } = this.scroller;
      let target = scrollTop;
      const around = context(clientHeight);
      if (bottom - top > clientHeight - 2 * around) target = index === 0 ? 0 : top - around / 2;
      else if (top < scrollTop + around) target = top - around;
      else if (bottom > scrollTop + clientHeight - around) target = bottom - clientHeight + around;
      this.scroller.scrollTop = target;
      this.draw();
      const settled = this.rows.extent(index);
      if (settled.top === top && settled.bottom === bottom) return;
    }
  }

  /** One step on or back; within a step taller than the view, by most of a view first. */
  move(direction) {
    if (this.rows.length === 0) return;
    const { scrollTop, clientHeight } = this.scroller;
    const { top, bottom } = this.rows.extent(this.focus);
    const end = scrollTop + clientHeight;
    if (bottom <= scrollTop || top >= end) {
      // The wheel has left the focus behind: go on from what is being read.
      this.setFocus(this.rows.at(this.rows.rowAt(direction > 0 ? scrollTop + 8 : end - 8)).index);
      return;
    }
    const around = context(clientHeight);
    const tall = bottom - top > clientHeight - around;
    const page = clientHeight * 0.82;
    if (tall && direction > 0 && bottom > end + 4) this.scroller.scrollTop = Math.min(scrollTop + page, bottom - clientHeight + around);
    else if (tall && direction < 0 && top < scrollTop - 4) this.scroller.scrollTop = Math.max(scrollTop - page, top - around / 2);
    else this.go(this.focus + direction);
  }

  go(index) {
    if (this.rows.length === 0) return;
    const target = Math.max(0, Math.min(this.steps.length - 1, index));
    this.reveal(target);
    this.setFocus(target);
  }

  /** @returns {boolean} whether there was one */
  nextCall() {
    const next = this.steps.findIndex((step, index) => index > this.focus && step.kind === "tool_call");
    if (next >= 0) this.go(next);
    return next >= 0;
  }

  // Marks, links, folds ----------------------------------------------------------------------------------------------
  setEvidence(evidence) {
    this.evidence = new Set(evidence);
    this.dressAll();
  }

  link(index) {
    const partner = this.partners.get(index) ?? -1;
    if (partner === this.linked) return;
    this.linked = partner;
    this.dressAll();
  }

  /** Open or fold a step. Its head stays where it is, or comes back into view when the reader was far down in it. */
  toggle(index) {
    if (!this.steps[index]) return;
    const modes = modesOf(this.steps[index]);
    if (modes.length === 1) return;
    const mode = modes[(modes.indexOf(this.modes.get(index) ?? "shown") + 1) % modes.length];
    const [from] = this.rows.of(index);
    const above = this.rows.offsets[from] - this.scroller.scrollTop;
    this.modes.set(index, mode);
    this.cuts.set(index, partsOf(this.steps[index], mode));
    this.drop(from);
    this.rows.replace(index, this.cuts.get(index));
    this.list.style.height = `${this.rows.total}px`;
    this.scroller.scrollTop = this.rows.offsets[from] - Math.max(above, 14);
    this.draw();
    this.setFocus(index);
  }

  indexOf(target) {
    const row = target.closest?.(".step");
    return row ? Number(row.dataset.index) : -1;
  }

  clicked(event) {
    const index = this.indexOf(event.target);
    if (index < 0) return;
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (act === "toggle") this.toggle(index);
    else this.setFocus(index);
    if (act === "mark") this.on.marked(index);
  }

  stop() {
    this.resized.disconnect();
  }
}
