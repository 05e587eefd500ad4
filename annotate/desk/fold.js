/**
 * Where a long text is cut: into the head and tail that are shown of it at first, and into pieces small enough that the
 * few in view are all that the document ever holds. Everything is reckoned in offsets; no text is copied.
 */

/** @typedef {{head: number, tail: number, headChars: number, tailChars: number}} Limits lines and characters */

/** Prose is what annotators came to read and is hidden late; output is skimmed, a system prompt is mostly boilerplate. */
export const LIMITS = {
  output: { head: 14, tail: 6, headChars: 1800, tailChars: 700 },
  prose: { head: 28, tail: 8, headChars: 3600, tailChars: 1200 },
  argument: { head: 10, tail: 4, headChars: 900, tailChars: 300 },
  system: { head: 3, tail: 0, headChars: 260, tailChars: 0 },
};
/** Less than this is not worth hiding. */
const WORTH_HIDING = { lines: 4, chars: 320 };
/** One row of an opened step. */
export const PIECE = { lines: 60, chars: 4000 };
/** What one press on `o` opens of a gap. */
const PART = { lines: 400, chars: 30_000 };

/** Never cut a surrogate pair in two. */
function whole(text, at) {
  const before = text.charCodeAt(at - 1);
  return before >= 0xd800 && before <= 0xdbff ? at - 1 : at;
}

// Both ends look at a window of the text only: a search for a line break in a long line would run through all of it.
function headEnd(text, from, to, lines, chars) {
  const window = text.slice(from, Math.min(to, from + chars));
  let end = -1;
  for (let n = 0; n < lines; n++) {
    const next = window.indexOf("\n", end + 1);
    if (next < 0) {
      const space = window.lastIndexOf(" ");
      return end > chars / 2 ? from + end : whole(text, from + (space > chars * 0.8 ? space : window.length));
    }
    end = next;
  }
  return from + end;
}

function tailStart(text, from, to, lines, chars) {
  if (lines === 0) return to;
  const offset = Math.max(from, to - chars);
  const window = text.slice(offset, to);
  let start = window.length;
  for (let n = 0; n < lines; n++) {
    const previous = start > 0 ? window.lastIndexOf("\n", start - 1) : -1;
    if (previous < 0) return n > 0 && start < chars / 2 ? offset + start + 1 : whole(text, offset);
    start = previous;
  }
  return offset + start + 1;
}

/** Lines between two offsets, counted up to `most`. */
export function countLines(text, from, to, most = Infinity) {
  let lines = 1;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to && lines < most; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

/** What a gap hides, without the line breaks at its ends: those the cut itself takes the place of. */
function within(text, from, to) {
  return [text[from] === "\n" ? from + 1 : from, text[to - 1] === "\n" && to - 1 > from ? to - 1 : to];
}

/** @returns {boolean} */
export function worthHiding(text, from, to) {
  return to - from >= WORTH_HIDING.chars || countLines(text, from, to, WORTH_HIDING.lines + 2) - 2 >= WORTH_HIDING.lines;
}

/** "214 lines", or characters where there are few lines. */
export function hiddenWords(text, from, to) {
  const [first, last] = within(text, from, to);
  const lines = countLines(text, first, last);
  return lines > 3 ? `${lines.toLocaleString("en")} lines` : `${(last - first).toLocaleString("en")} characters`;
}

/**
 * What is shown at first of the text from `from` to `to`.
 * @param {Limits} limits
 * @returns {[number, number][]} one range where there is nothing worth hiding, else head and tail
 */
export function headAndTail(text, from, to, limits) {
  const head = headEnd(text, from, to, limits.head, limits.headChars);
  const tail = Math.max(head, tailStart(text, from, to, limits.tail, limits.tailChars));
  if (!worthHiding(text, head, tail)) return [[from, to]];
  return tail < to ? [[from, head], [tail, to]] : [[from, head]];
}

/** Where a part of a gap ends that is opened from its start. */
export function partEnd(text, from, to) {
  const end = headEnd(text, from + 1, to, PART.lines, PART.chars);
  return end <= from + 1 || !worthHiding(text, end, to) ? to : end;
}

/** Whether one press opens all of it. */
export const opensAtOnce = (text, from, to) => partEnd(text, from, to) === to;

/** A few lines on both sides of a place in the text: `[from, to]`. */
export function surroundings(text, from, to, at) {
  const { head, tail, headChars, tailChars } = LIMITS.output;
  return [tailStart(text, from, at, head, headChars), headEnd(text, at, to, tail + 1, tailChars * 2)];
}

/**
 * @returns {{from: number, to: number, continues: boolean}[]} pieces; `continues`: it goes on in the middle of a line
 */
export function piecesOf(text, from, to) {
  const out = [];
  let continues = false;
  for (let start = from; start < to; ) {
    const window = text.slice(start, Math.min(to, start + PIECE.chars));
    let end = -1;
    let lines = 0;
    for (; lines < PIECE.lines; lines++) {
      const next = window.indexOf("\n", end + 1);
      if (next < 0) break;
      end = next;
    }
    const last = start + window.length >= to && lines < PIECE.lines;
    const atBreak = !last && end >= 0;
    const stop = last ? to : atBreak ? start + end : whole(text, start + window.length);
    out.push({ from: start, to: stop, continues });
    continues = !last && !atBreak;
    start = atBreak ? stop + 1 : stop;
  }
  return out.length ? out : [{ from, to, continues: false }];
}

/** Where the first line ends, for a step that is folded away. */
export function firstLineEnd(text) {
  const end = text.slice(0, 90).indexOf("\n", text.length - text.trimStart().length);
  return whole(text, end < 0 ? Math.min(90, text.length) : end);
}
