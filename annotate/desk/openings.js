/**
 * How much of a step is open: for each of its fields the ranges of its text that are shown. What lies between them is
 * said in a line, opens piece by piece, and opens around a place that a search has found.
 */
import { PIECE, countLines, firstLineEnd, headAndTail, hiddenWords, opensAtOnce, partEnd, piecesOf, surroundings, worthHiding } from "./fold.js";

/**
 * @typedef {[number, number][][]} Open ranges by field
 * @typedef {{field: number, from: number, to: number}} Gap
 * @typedef {{field: number, from: number, to: number, continues: boolean}|{gap: Gap, words: string, atOnce: boolean}} Chunk
 * @typedef {{id: string, chunks: Chunk[], closed?: boolean, less?: boolean}} Part one row of the list
 */

/** What is shown of a step at first, in all its fields. */
const FIRST = { chars: 6000, fields: 40 };

const sizeOf = (ranges) => ranges.reduce((sum, [from, to]) => sum + to - from, 0);

/** @returns {Open} */
export function atFirst({ text, fields }) {
  let used = 0;
  return fields.map(({ kind, from, to, limits }, n) => {
    if (kind === "image") return [[from, to]];
    if (n > 0 && (used > FIRST.chars || n > FIRST.fields)) return [];
    const ranges = kind === "name" ? [[from, Math.min(to, from + 400)]] : headAndTail(text, from, to, limits);
    used += sizeOf(ranges);
    return ranges;
  });
}

/** @returns {Open} all of it */
export const wholly = ({ fields }) => fields.map(({ from, to }) => [[from, to]]);

/** @returns {Gap[]} in order */
export function gapsOf({ fields }, open) {
  const gaps = [];
  fields.forEach((field, n) => {
    let at = field.from;
    for (const [from, to] of open[n]) {
      if (from > at) gaps.push({ field: n, from: at, to: from });
      at = to;
    }
    if (at < field.to || (open[n].length === 0 && field.to === field.from)) gaps.push({ field: n, from: at, to: field.to });
  });
  return gaps;
}

function joined(text, ranges) {
  const out = [];
  for (const [from, to] of ranges.toSorted((one, other) => one[0] - other[0])) {
    const last = out[out.length - 1];
    if (last && (from <= last[1] || !worthHiding(text, last[1], from))) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  return out;
}

const withRange = ({ text }, open, field, range) => open.map((ranges, n) => (n === field ? joined(text, [...ranges, range]) : ranges));

/** A gap opened from its start, by as much as can be read in one go. */
export function opened(content, open, { field, from, to }) {
  if (open[field].length === 0) {
    const { text, fields } = content;
    return open.map((ranges, n) => (n >= field && n < field + FIRST.fields && ranges.length === 0 ? headAndTail(text, fields[n].from, fields[n].to, fields[n].limits) : ranges));
  }
  return withRange(content, open, field, [from, partEnd(content.text, from, to)]);
}

/** Everything, where one press can show it; else more of the first gap. */
export function openedMore(content, open) {
  const gaps = gapsOf(content, open);
  const hidden = gaps.reduce((sum, { from, to }) => sum + to - from, 0);
  const little = hidden < 30_000 && gaps.every(({ from, to }) => opensAtOnce(content.text, from, to));
  return little ? wholly(content) : opened(content, open, gaps[0]);
}

/** Opened around what lies from `from` to `to`, if that is hidden; the same object if it is not. */
export function openedAround(content, open, from, to) {
  const field = content.fields.findIndex((one) => from < one.to && to > (one.key?.[0] ?? one.from));
  if (field < 0) return open;
  const { from: start, to: end } = content.fields[field];
  if (open[field].length === 0) open = opened(content, open, { field, from: start, to: end });
  // The name of an argument stands before its field.
  if (to <= start || open[field].some(([first, last]) => from >= first && to <= last)) return open;
  const around = surroundings(content.text, start, end, from);
  return withRange(content, open, field, [Math.max(start, Math.min(from, around[0])), Math.min(end, Math.max(to, around[1]))]);
}

/** @returns {Part[]} a step that is folded away */
export function closedPart({ text, fields }) {
  const to = firstLineEnd(text.slice(0, 2000));
  return [{ id: "closed", closed: true, chunks: [{ field: fields.length - 1, from: 0, to, continues: false }] }];
}

class Packer {
  constructor(content, inOne) {
    this.content = content;
    this.inOne = inOne;
    this.parts = [];
    this.lines = this.chars = Infinity;
  }

  put(chunk, lines, chars) {
    const last = this.parts[this.parts.length - 1];
    if (last && (this.inOne || (this.lines + lines <= PIECE.lines + 4 && this.chars + chars <= PIECE.chars))) {
      last.chunks.push(chunk);
      this.lines += lines;
      this.chars += chars;
    } else {
      this.parts.push({ id: "", chunks: [chunk] });
      [this.lines, this.chars] = [lines, chars];
    }
  }

  text(field, from, to) {
    const { text, fields } = this.content;
    if (fields[field].kind === "image") {
      this.put({ field, from, to, continues: false }, 16, 0);
      return;
    }
    for (const piece of piecesOf(text, from, to)) this.put({ field, ...piece }, countLines(text, piece.from, piece.to), piece.to - piece.from);
  }

  gap(gap, words) {
    this.put({ gap, words, atOnce: opensAtOnce(this.content.text, gap.from, gap.to) }, 1, 0);
  }
}

/**
 * The rows of a step: chunks of its text and, between them, what is hidden.
 * @param {boolean} inOne whether it has to be one row, as every step is at first
 * @returns {Part[]}
 */
export function partsOf(content, open, { inOne }) {
  const packer = new Packer(content, inOne);
  let absent = [];
  const sayAbsent = () => {
    if (!absent.length) return;
    const names = new Set(absent.map((n) => content.fields[n].key?.[0] ?? n)).size;
    packer.gap({ field: absent[0], from: content.fields[absent[0]].from, to: content.fields[absent[absent.length - 1]].to }, `${names} more argument${names === 1 ? "" : "s"}`);
    absent = [];
  };
  content.fields.forEach((field, n) => {
    if (open[n].length === 0) {
      absent.push(n);
      return;
    }
    sayAbsent();
    let at = field.from;
    for (const [from, to] of open[n]) {
      if (from > at) packer.gap({ field: n, from: at, to: from }, hiddenWords(content.text, at, from));
      // The line break at the seam is the seam itself.
      packer.text(n, from > at && from > field.from && content.text[from] === "\n" ? from + 1 : from, to);
      at = to;
    }
    if (at < field.to) packer.gap({ field: n, from: at, to: field.to }, hiddenWords(content.text, at, field.to));
  });
  sayAbsent();
  for (const part of packer.parts) part.id = part.chunks.map((chunk) => (chunk.gap ? `-${chunk.gap.from}` : `${chunk.from}+${chunk.to}`)).join(" ");
  return packer.parts;
}
