/** What is open and what is folded of each step of one trajectory, and the rows that follow from it. */
import { contentOf } from "./content.js";
import { atFirst, closedPart, gapsOf, opened, openedAround, openedMore, partsOf, wholly } from "./openings.js";

export class Unfolded {
  constructor(steps) {
    this.steps = steps;
    this.contents = new Map();
    this.cuts = new Map();
    this.opens = new Map(); // only of steps that are not as they were at first
    this.closed = new Set();
  }

  /** Read when it is first wanted: a step of megabytes must not be read before it is seen. */
  content(index) {
    let content = this.contents.get(index);
    if (!content) {
      content = contentOf(this.steps[index]);
      this.contents.set(index, content);
    }
    return content;
  }

  open(index) {
    return this.opens.get(index) ?? atFirst(this.content(index));
  }

  /** @returns {import("./openings.js").Part[]} */
  parts(index) {
    let parts = this.cuts.get(index);
    if (!parts) {
      const content = this.content(index);
      const changed = this.opens.has(index);
      parts = this.closed.has(index) ? closedPart(content) : partsOf(content, this.open(index), { inOne: !changed });
      if (changed && !this.closed.has(index)) parts[parts.length - 1].less = true;
      this.cuts.set(index, parts);
    }
    return parts;
  }

  set(index, open) {
    if (open) this.opens.set(index, open);
    else this.opens.delete(index);
    this.closed.delete(index);
    this.cuts.delete(index);
  }

  get(index) {
    return { gaps: gapsOf(this.content(index), this.open(index)), closed: this.closed.has(index), changed: this.opens.has(index) };
  }

  /** `o`: open what is hidden, bit by bit where it is much; then fold. @returns {"opened"|"folded"|null} null where nothing is hidden */
  next(index) {
    const { gaps, closed, changed } = this.get(index);
    if (closed) this.set(index, null);
    else if (gaps.length) this.set(index, openedMore(this.content(index), this.open(index)));
    else if (this.steps[index].kind === "reasoning") return this.close(index);
    else if (changed) return this.fold(index);
    else return null;
    return "opened";
  }

  /** `O`: all of it, or as it was at first. */
  all(index) {
    const { gaps, closed, changed } = this.get(index);
    if (gaps.length) this.set(index, wholly(this.content(index)));
    else if (changed) return this.fold(index);
    else if (closed) this.set(index, null);
    else return null;
    return "opened";
  }

  fold(index) {
    this.set(index, null);
    return "folded";
  }

  close(index) {
    this.set(index, null);
    this.closed.add(index);
    return "folded";
  }

  /** @param {import("./openings.js").Gap} gap */
  gap(index, gap) {
    const content = this.content(index);
    this.set(index, opened(content, this.open(index), gap));
    return "opened";
  }

  /** Open what hides the text from `from` to `to`. @returns {boolean} whether anything changed */
  around(index, from, to) {
    const before = this.open(index);
    const open = openedAround(this.content(index), before, from, to);
    if (open === before && !this.closed.has(index)) return false;
    this.set(index, open === before ? this.opens.get(index) : open);
    return true;
  }
}
