/**
 * Long texts. Closed, a text shows its head and its tail and says how much lies between; opened, it is cut into pieces
 * small enough that the few in view are all that the document ever holds.
 */

/** @typedef {{head: number, tail: number, headChars: number, tailChars: number}} Limits lines and characters */

/** Prose is what annotators came to read and is hidden late; output is skimmed, a system prompt is mostly boilerplate. */
export const LIMITS = {
  output: { head: 14, tail: 6, headChars: 1800, tailChars: 700 },
  prose: { head: 28, tail: 8, headChars: 3600, tailChars: 1200 },
  argument: { head: 10, tail: 4, headChars: 900, tailChars: 300 },
  system: { head: 3, tail: 0, headChars: 260, tailChars: 0 },
};
const WORTH_HIDING = { lines: 4, chars: 320 };
const PIECE = { lines: 60, chars: 4000 };

/** Never cut a surrogate pair in two. */
function whole(text, at) {
  const before = text.charCodeAt(at - 1);
  return before >= 0xd800 && before <= 0xdbff ? at - 1 : at;
}

// Both ends look at a window of the text only: a search for a line break in a long line would run through all of it.
function headEnd(text, lines, chars) {
  const window = text.slice(0, chars);
  let end = -1;
  for (let n = 0; n < lines; n++) {
    const next = window.indexOf("\n", end + 1);
    if (next < 0) {
      const space = window.lastIndexOf(" ");
      return end > chars / 2 ? end : whole(text, space > chars * 0.8 ? space : Math.min(chars, text.length));
    }
    end = next;
  }
  return end;
}

function tailStart(text, lines, chars) {
  if (lines === 0) return text.length;
  const offset = Math.max(0, text.length - chars);
  const window = text.slice(offset);
  let start = window.length;
  for (let n = 0; n < lines; n++) {
    const previous = start > 0 ? window.lastIndexOf("\n", start - 1) : -1;
    if (previous < 0) return n > 0 && start < chars / 2 ? offset + start + 1 : whole(text, offset);
    start = previous;
  }
  return offset + start + 1;
}

function countLines(text, from, to) {
  let lines = 1;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

/**
 * @param {string} text
 * @param {Limits} limits
 * @returns {{head: string, tail: string, hidden: string} | null} null where there is nothing worth hiding
 */
export function fold(text, limits) {
  const head = headEnd(text, limits.head, limits.headChars);
  const tail = Math.max(head, tailStart(text, limits.tail, limits.tailChars));
  if (tail - head < WORTH_HIDING.chars && countLines(text, head, tail) - 2 < WORTH_HIDING.lines) return null;
  const between = text.slice(head, tail).replace(/^\n|\n$/g, "");
  const lines = countLines(between, 0, between.length);
  const hidden = lines > 3 ? `${lines.toLocaleString("en")} lines` : `${between.length.toLocaleString("en")} characters`;
  return { head: text.slice(0, head), tail: text.slice(tail), hidden };
}

/**
 * @param {string} text
 * @returns {{text: string, continues: boolean}[]} pieces; `continues`: it goes on in the middle of a line
 */
export function pieces(text) {
  const out = [];
  let continues = false;
  for (let start = 0; start < text.length; ) {
    const window = text.slice(start, start + PIECE.chars);
    let end = -1;
    for (let n = 0; n < PIECE.lines; n++) {
      const next = window.indexOf("\n", end + 1);
      if (next < 0) break;
      end = next;
    }
    const last = start + window.length >= text.length && countLines(window, 0, window.length) <= PIECE.lines;
    const atBreak = !last && end >= 0;
    const length = last ? window.length : atBreak ? end + 1 : whole(text, start + window.length) - start;
    out.push({ text: text.slice(start, start + length - (atBreak ? 1 : 0)), continues });
    continues = !last && !atBreak;
    start += length;
  }
  return out.length ? out : [{ text: "", continues: false }];
}

/** The first line, for a step that is folded away. */
export function firstLine(text) {
  const line = text.slice(0, 200).trimStart().split("\n", 1)[0].slice(0, 90);
  return line.length < text.length ? `${line} …` : line;
}
