/**
 * Where the rows of the list are. Heights are guessed until they are measured; everything is reckoned from them, so a
 * list of thousands of steps has a scrollbar that means something before most of it was ever drawn.
 */

const TOP = 6;
const BOTTOM = 56;

/** A first guess of a step's height, from its length alone: a 5 MB step must not be read before it is seen. */
function guess(step) {
  const length = (step.text ?? step.arguments ?? "").length;
  return 46 + Math.min(20, Math.floor(length / 90)) * 22;
}

/** The same for one part of an opened step. */
function guessPart({ chunks }) {
  const lines = chunks.reduce((sum, chunk) => sum + (chunk.gap ? 1 : Math.ceil((chunk.to - chunk.from) / 90)), 0);
  return 16 + Math.min(64, lines) * 20;
}

export class Rows {
  /** @param {object[]} steps one row each, to begin with */
  constructor(steps) {
    this.rows = steps.map((_, index) => ({ index, part: 0, of: 1, id: "" }));
    this.heights = steps.map(guess);
    this.reckon();
  }

  get length() {
    return this.rows.length;
  }

  /** Height of the whole list. */
  get total() {
    return this.offsets[this.rows.length] + BOTTOM;
  }

  /** @returns {{index: number, part: number, of: number, id: string}} which part of which step a row shows */
  at(row) {
    return this.rows[row];
  }

  reckon() {
    const offsets = new Float64Array(this.rows.length + 1);
    offsets[0] = TOP;
    for (let row = 0; row < this.rows.length; row++) offsets[row + 1] = offsets[row] + this.heights[row];
    this.offsets = offsets;
  }

  /** Take measured heights; true if any differs from what was reckoned with. */
  measured(heights) {
    let changed = false;
    for (const [row, height] of heights) {
      if (Math.abs(height - this.heights[row]) < 0.5) continue;
      this.heights[row] = height;
      changed = true;
    }
    if (changed) this.reckon();
    return changed;
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
  of(index) {
    let low = index;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].index < index) low = middle + 1;
      else high = middle;
    }
    return [low, low + this.rows[low].of];
  }

  /** From where to where a step reaches. */
  extent(index) {
    const [from, to] = this.of(index);
    return { top: this.offsets[from], bottom: this.offsets[to] };
  }

  /** A step is shown in other parts now; a part that is as it was keeps its height. */
  replace(index, parts) {
    const [from, to] = this.of(index);
    const known = new Map(this.rows.slice(from, to).map(({ id }, n) => [id, this.heights[from + n]]));
    const rows = parts.map(({ id }, part) => ({ index, part, of: parts.length, id }));
    // concat, not splice: an opened step may have more parts than a call takes arguments.
    this.rows = this.rows.slice(0, from).concat(rows, this.rows.slice(to));
    this.heights = this.heights.slice(0, from).concat(parts.map((part) => known.get(part.id) ?? guessPart(part)), this.heights.slice(to));
    this.reckon();
  }
}
