/**
 * The list of steps. Only the rows in view (and a little more) are in the document: heights are guessed until a row has
 * been drawn once and measured afterwards, and whatever a better height does to the rows above, what the reader looks at
 * stays where it is.
 */
import { element } from "./element.js";
import { drawRow, modesOf, partsOf } from "./step.js";

const AROUND = 320; // px drawn above and below the view
const TOP = 6;
const BOTTOM = 56;
const CONTEXT = 72; // px of the neighbours that stay in view when a step takes the focus

/** A first guess of a step's height, from its length alone: a 5 MB step must not be read before it is seen. */
function guess(step) {
  const length = step.text?.length ?? (typeof step.arguments === "string" ? step.arguments.length : 160);
  return 46 + Math.min(20, Math.floor(length / 90)) * 22;
}

export class StepList {
  /** @param {{focused: (index: number) => void, marked: (index: number) => void}} on */
  constructor(on) {
    this.on = on;
    this.list = element("div", { class: "steps", role: "list", "aria-label": "steps" });
    this.scroller = element("div", { class: "run", tabindex: 0 }, this.list);
    this.scroller.addEventListener("scroll", () => this.draw(), { passive: true });
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.list.addEventListener("mouseover", (event) => this.link(this.indexOf(event.target)));
    this.list.addEventListener("mouseleave", () => this.link(this.focus));
    this.width = 0;
    this.resized = new ResizeObserver(() => this.refit());
    this.resized.observe(this.scroller);
    this.clear();
  }

  clear() {
    this.steps = [];
    this.rows = [];
    this.heights = [];
    this.offsets = [TOP];
    this.live = new Map();
    this.modes = new Map();
    this.partners = new Map();
    this.evidence = new Set();
    this.focus = 0;
    this.linked = -1;
    this.list.replaceChildren();
  }

  /** @param {object[]} steps */
  show(steps, { focus = 0, evidence = [], markable = false } = {}) {
    this.clear();
    this.steps = steps;
    this.markable = markable;
    this.evidence = new Set(evidence);
    this.rows = steps.map((_, index) => ({ index, part: 0, of: 1 }));
    this.heights = steps.map(guess);
    this.pair();
    this.reckon();
    this.scroller.scrollTop = 0;
    this.focus = Math.min(focus, Math.max(0, steps.length - 1));
    if (this.focus > 0) this.reveal(this.focus);
    else this.draw();
    this.link(this.focus);
  }

  /** A result and its call point at each other. */
  pair() {
    const open = new Map();
    this.steps.forEach((step, index) => {
      if (step.call === null || step.call === undefined) return;
      if (step.kind === "tool_call") open.set(step.call, index);
      else if (open.has(step.call)) {
        this.partners.set(index, open.get(step.call));
        this.partners.set(open.get(step.call), index);
      }
    });
  }

  // Where rows are ---------------------------------------------------------------------------------------------------
  reckon() {
    const offsets = new Float64Array(this.rows.length + 1);
    offsets[0] = TOP;
    for (let row = 0; row < this.rows.length; row++) offsets[row + 1] = offsets[row] + this.heights[row];
    this.offsets = offsets;
    this.list.style.height = `${offsets[this.rows.length] + BOTTOM}px`;
  }

  /** The row that covers this height of the list. */
  rowAt(y) {
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsets[middle + 1] > y) high = middle;
      else low = middle + 1;
    }
    return Math.max(0, low);
  }

  /** First row of a step, and the row after its last. Steps before it may be open, so it is never before `index`. */
  rowsOf(index) {
    let low = index;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].index < index) low = middle + 1;
      else high = middle;
    }
    return [low, low + (this.rows[low]?.of ?? 1)];
  }

  extent(index) {
    const [from, to] = this.rowsOf(index);
    return { top: this.offsets[from], bottom: this.offsets[to] };
  }

  // Drawing ----------------------------------------------------------------------------------------------------------
  draw() {
    if (this.rows.length === 0) return;
    // A drawn row may turn out smaller than guessed and leave room for more; a few rounds settle it.
    for (let round = 0; round < 8; round++) {
      const { scrollTop, clientHeight } = this.scroller;
      const from = this.rowAt(scrollTop - AROUND);
      const to = this.rowAt(scrollTop + clientHeight + AROUND) + 1;
      if (!this.place(from, to)) return;
    }
  }

  /** Make exactly these rows live; true if that changed any height. */
  place(from, to) {
    for (const [row, node] of this.live) {
      if (row >= from && row < to) continue;
      // Losing the row that has the keyboard's attention would send it to the page behind the desk.
      if (node.matches(":focus-within")) this.scroller.focus({ preventScroll: true });
      node.remove();
      this.live.delete(row);
    }
    this.list.style.paddingTop = `${this.offsets[from]}px`;
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
    const { index, part, of } = this.rows[row];
    const step = this.steps[index];
    const parts = of > 1 ? this.parts(index) : partsOf(step, this.modes.get(index) ?? "shown");
    const node = drawRow(step, index, parts[part], { first: part === 0, last: part === of - 1, total: this.steps.length, markable: this.markable });
    this.dress(node, index);
    return node;
  }

  /** The pieces of the step opened last; cutting 5 MB once for each row in view would be felt. */
  parts(index) {
    if (this.cut?.step !== this.steps[index]) this.cut = { step: this.steps[index], parts: partsOf(this.steps[index], "open") };
    return this.cut.parts;
  }

  dress(node, index) {
    const focused = index === this.focus;
    node.classList.toggle("focus", focused);
    node.classList.toggle("mark", this.evidence.has(index));
    node.classList.toggle("linked", index === this.linked);
    if (focused) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
    node.querySelector(".flag")?.setAttribute("aria-pressed", String(this.evidence.has(index)));
  }

  dressAll() {
    for (const [row, node] of this.live) this.dress(node, this.rows[row].index);
  }

  measure(rows) {
    const anchor = this.rowAt(this.scroller.scrollTop);
    const before = this.offsets[anchor];
    let changed = false;
    for (const row of rows) {
      const height = this.live.get(row).getBoundingClientRect().height;
      if (Math.abs(height - this.heights[row]) < 0.5) continue;
      this.heights[row] = height;
      changed = true;
    }
    if (!changed) return false;
    this.reckon();
    const shift = this.offsets[anchor] - before;
    if (shift) this.scroller.scrollTop += shift;
    return true;
  }

  refit() {
    if (this.scroller.clientWidth !== this.width) {
      this.width = this.scroller.clientWidth;
      if (this.live.size) this.measure([...this.live.keys()]);
    }
    this.draw();
  }

  // Focus ------------------------------------------------------------------------------------------------------------
  setFocus(index, { keyboard = true } = {}) {
    this.focus = index;
    this.linked = this.partners.get(index) ?? -1;
    this.dressAll();
    if (keyboard) this.live.get(this.rowsOf(index)[0])?.focus({ preventScroll: true });
    this.on.focused(index);
  }

  /** Scroll until the step is in view with something of its neighbours. */
  reveal(index, { toTop = false } = {}) {
    for (let round = 0; round < 6; round++) {
      const { top, bottom } = this.extent(index);
      const { scrollTop, clientHeight } = this.scroller;
      const tall = bottom - top > clientHeight - 2 * CONTEXT;
      let target = scrollTop;
      if (tall || toTop) target = top - (toTop ? 14 : 28);
      else if (top < scrollTop + CONTEXT) target = top - CONTEXT;
      else if (bottom > scrollTop + clientHeight - CONTEXT) target = bottom - clientHeight + CONTEXT;
      if (index === 0 && tall) target = 0;
      this.scroller.scrollTop = Math.max(0, target);
      this.draw();
      const settled = this.extent(index);
      if (settled.top === top && settled.bottom === bottom) return;
    }
  }

  /** One step on or back; within a step taller than the view, on or back by most of a view first. */
  move(direction) {
    const { scrollTop, clientHeight } = this.scroller;
    const { top, bottom } = this.extent(this.focus);
    const end = scrollTop + clientHeight;
    if (bottom <= scrollTop || top >= end) {
      // The wheel has left the focus behind: go on from what is being read.
      const row = this.rowAt(direction > 0 ? scrollTop + 8 : end - 8);
      this.setFocus(this.rows[row].index);
      return;
    }
    const page = clientHeight * 0.82;
    if (direction > 0 && bottom > end + 4 && bottom - top > clientHeight - CONTEXT) {
      this.scroller.scrollTop = Math.min(scrollTop + page, bottom - clientHeight + CONTEXT);
      return;
    }
    if (direction < 0 && top < scrollTop - 4 && bottom - top > clientHeight - CONTEXT) {
      this.scroller.scrollTop = Math.max(scrollTop - page, top - 28);
      return;
    }
    this.go(this.focus + direction);
  }

  go(index, options) {
    if (this.steps.length === 0) return;
    const target = Math.max(0, Math.min(this.steps.length - 1, index));
    this.reveal(target, options);
    this.setFocus(target);
  }

  first() {
    this.scroller.scrollTop = 0;
    this.go(0);
  }

  last() {
    this.go(this.steps.length - 1);
  }

  nextCall() {
    const next = this.steps.findIndex((step, index) => index > this.focus && step.kind === "tool_call");
    if (next < 0) return false;
    this.go(next);
    return true;
  }

  // Marks, folds, links ----------------------------------------------------------------------------------------------
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

  /** Open or fold a step; its head stays where it is, or comes back into view when the reader was far down in it. */
  toggle(index = this.focus) {
    if (!this.steps[index]) return;
    const modes = modesOf(this.steps[index]);
    if (modes.length === 1) return;
    const mode = modes[(modes.indexOf(this.modes.get(index) ?? "shown") + 1) % modes.length];
    this.modes.set(index, mode);
    const [from, to] = this.rowsOf(index);
    const above = this.offsets[from] - this.scroller.scrollTop;
    const parts = partsOf(this.steps[index], mode);
    if (mode === "open") this.cut = { step: this.steps[index], parts };
    this.rows.splice(from, to - from, ...parts.map((_, part) => ({ index, part, of: parts.length })));
    this.heights.splice(from, to - from, ...parts.map((part) => 40 + Math.min(60, Math.ceil((part.text?.length ?? 800) / 90)) * 20));
    for (const [row, node] of this.live) {
      if (row < from) continue;
      node.remove();
      this.live.delete(row);
    }
    this.reckon();
    this.scroller.scrollTop = this.offsets[from] - Math.max(above, 14);
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
    else this.setFocus(index, { keyboard: false });
    if (act === "mark") this.on.marked(index);
  }

  remove() {
    this.resized.disconnect();
  }
}
