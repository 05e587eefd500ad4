/**
 * The list of steps. Only the rows in view (and a little more) are in the document, and whatever a row's true height does
 * to those above it, what the reader looks at stays where it is.
 */
import { element } from "./element.js";
import { SORTS, signsOf } from "./marks.js";
import { nameWidth } from "./name_width.js";
import { pairsOf } from "./pairs.js";
import { Rows } from "./rows.js";
import { castOf } from "./speakers.js";
import { drawRow, sessionBegun } from "./step.js";
import { Unfolded } from "./unfolded.js";

const AROUND = 320; // px drawn above and below the view
/** px of the neighbours that stay in view when a step takes the focus */
const context = (view) => Math.min(72, view * 0.12);
const NO_HITS = [];

export class StepList {
  /** @param {{marked: (index: number) => void, changed: () => void}} on `changed`: what is in view, or how it is marked */
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
   * @param {{focus?: number, evidence?: number[], cites?: number[], markable?: boolean}} [how] `cites`: what a judge cites
   */
  show(steps, { focus = 0, evidence = [], cites = [], markable = false } = {}) {
    this.steps = steps;
    this.rows = new Rows(steps);
    this.markable = markable;
    this.evidence = new Set(evidence);
    this.cites = new Set(cites);
    this.unfolded = new Unfolded(steps);
    this.hits = new Map();
    this.partners = pairsOf(steps);
    this.cast = castOf(steps);
    this.list.style.setProperty("--name", `${nameWidth(steps, this.cast)}px`);
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
      if (!this.place(from, to)) break;
    }
    this.on.changed();
  }

  /** Draw what is in view anew. */
  redraw() {
    this.drop(0);
    this.draw();
  }

  /** First and last step in view. */
  inView() {
    const { scrollTop, clientHeight } = this.scroller;
    return [this.rows.at(this.rows.rowAt(scrollTop)).index, this.rows.at(this.rows.rowAt(scrollTop + clientHeight - 1)).index];
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
    const partner = this.partners.get(index) ?? null;
    const place = { first: part === 0, last: part === of - 1, total: this.steps.length, markable: this.markable, partner, cast: this.cast, session: sessionBegun(this.steps, index), hits: this.hits.get(index) ?? NO_HITS };
    const node = drawRow(this.steps[index], index, this.unfolded.content(index), this.unfolded.parts(index)[part], place);
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
    node.classList.toggle("cited", this.cites.has(index));
    node.classList.toggle("linked", index === this.linked);
    node.querySelector(".signs")?.replaceChildren(...signsOf(Object.keys(SORTS).filter((sort) => this[sort].has(index))));
    if (focused) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
    node.querySelector(".marker")?.setAttribute("aria-pressed", String(this.evidence.has(index)));
  }

  dressAll() {
    for (const [row, node] of this.live) this.dress(node, this.rows.at(row).index);
  }

  // Focus ------------------------------------------------------------------------------------------------------------
  /** @param {{keyboard?: boolean}} [how] whether the keyboard goes there too: not while somebody types a search */
  setFocus(index, { keyboard = true } = {}) {
    this.focus = index;
    this.linked = this.partners.get(index) ?? -1;
    this.dressAll();
    if (keyboard) this.takeKeyboard();
    this.on.changed();
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

  /** From a call to its result or back. @returns {boolean} whether there is one */
  goToPartner(index = this.focus) {
    const partner = this.partners.get(index);
    if (partner !== undefined) this.go(partner);
    return partner !== undefined;
  }

  // Search -----------------------------------------------------------------------------------------------------------
  /** @param {Map<number, import("./paint.js").Hit[]>} hits by step, each in order */
  setHits(hits) {
    if (hits.size === 0 && this.hits.size === 0) return;
    this.hits = hits;
    this.redraw();
  }

  /** Bring a place of a step's text into view, opening what hides it. The search has marked it. */
  showPlace(index, from, to) {
    if (this.unfolded.around(index, from, to)) this.recut(index);
    const parts = this.unfolded.parts(index);
    const part = parts.findIndex(({ chunks }) => chunks.some((chunk) => !chunk.gap && chunk.to >= to));
    const row = this.rows.of(index)[0] + Math.max(0, part);
    const { clientHeight } = this.scroller;
    for (let round = 0; round < 4; round++) {
      const top = this.rows.offsets[row];
      const { scrollTop } = this.scroller;
      if (top < scrollTop || top > scrollTop + clientHeight * 0.7) this.scroller.scrollTop = top - clientHeight * 0.3;
      this.draw();
      if (this.rows.offsets[row] === top) break;
    }
    this.setFocus(index, { keyboard: false });
    this.redraw();
    const mark = this.live.get(row)?.querySelector("mark.now")?.getBoundingClientRect();
    if (!mark) return;
    const view = this.scroller.getBoundingClientRect();
    const at = mark.top - view.top;
    if (at < clientHeight * 0.12 || at > clientHeight * 0.75) this.scroller.scrollTop += at - clientHeight * 0.35;
    this.draw();
  }

  // Marks, links, folds ----------------------------------------------------------------------------------------------
  /** @param {number[]} evidence @param {number[]} [cites] */
  setEvidence(evidence, cites = []) {
    this.evidence = new Set(evidence);
    this.cites = new Set(cites);
    this.dressAll();
    this.on.changed();
  }

  link(index) {
    const partner = this.partners.get(index) ?? -1;
    if (partner === this.linked) return;
    this.linked = partner;
    this.dressAll();
  }

  /** Take over how a step is cut now; rows that are as they were keep their heights. */
  recut(index) {
    const [from] = this.rows.of(index);
    this.drop(from);
    this.rows.replace(index, this.unfolded.parts(index));
    this.list.style.height = `${this.rows.total}px`;
  }

  /**
   * Open or fold a step. What was above the opened text stays where it is; the head of a folded step comes back into view
   * when the reader was far down in it.
   * @param {"next"|"all"|"fold"|"gap"} how
   * @param {import("./openings.js").Gap} [gap]
   * @returns {boolean} whether there was anything to open or fold
   */
  unfold(index, how, gap) {
    if (!this.steps[index]) return false;
    const [from] = this.rows.of(index);
    const { scrollTop } = this.scroller;
    const above = this.rows.offsets[from] - scrollTop;
    const did = this.unfolded[how](index, gap);
    if (!did) return false;
    this.recut(index);
    this.scroller.scrollTop = did === "opened" ? scrollTop : this.rows.offsets[from] - Math.max(above, 14);
    this.draw();
    this.setFocus(index);
    return true;
  }

  indexOf(target) {
    const row = target.closest?.(".step");
    return row ? Number(row.dataset.index) : -1;
  }

  clicked(event) {
    const index = this.indexOf(event.target);
    if (index < 0) return;
    const button = event.target.closest("[data-act]");
    const act = button?.dataset.act;
    if (act === "more") this.unfold(index, "gap", { field: Number(button.dataset.field), from: Number(button.dataset.from), to: Number(button.dataset.to) });
    else if (act === "toggle") this.unfold(index, "next");
    else if (act === "all" || act === "fold") this.unfold(index, act);
    else if (act === "partner") this.goToPartner(index);
    else this.setFocus(index);
    if (act === "mark") this.on.marked(index);
  }

  stop() {
    this.resized.disconnect();
  }
}
