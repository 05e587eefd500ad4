/**
 * What in a text gets which colour. A painter looks at the stretch that is being drawn and at a little of what stands
 * before it, never at the whole text; it changes nothing of what is read.
 */

/** @typedef {import("./paint.js").Span} Span */
/** @typedef {(text: string, from: number, to: number) => Span[]} Painter */

/** How far back a painter looks for where it is: in which hunk, in which fenced block. */
const BACK = 20_000;

function* linesOf(text, from, to) {
  for (let start = from; start <= to && start < text.length; ) {
    const end = text.indexOf("\n", start);
    const stop = end < 0 || end > to ? to : end;
    yield [start, stop];
    start = stop + 1;
  }
}

// JSON ---------------------------------------------------------------------------------------------------------------
// One line at a time: in what `layout.js` made, nothing but the lines behind a bar reaches over several.
const TOKEN = /("(?:[^"\\]|\\.){0,2000}"|'(?:[^'\\]|\\.){0,2000}')(\s*:)?|(?<![\w.])(-?\d+\.?\d*(?:[eE][+-]?\d+)?)(?![\w.])|(?<!\w)(true|false|null|None|True|False|NaN)(?!\w)/g;

/** @type {Painter} */
export function json(text, from, to) {
  const spans = [];
  for (const [start, stop] of linesOf(text, from, to)) {
    const line = text.slice(start, stop);
    const bar = /^\s*[╭│] /.exec(line);
    if (bar) {
      spans.push({ from: start, to: start + bar[0].length, look: "as-rule" });
      if (stop > start + bar[0].length) spans.push({ from: start + bar[0].length, to: stop, look: "as-string" });
      continue;
    }
    for (const match of line.matchAll(TOKEN)) {
      const [all, string, colon, number] = match;
      const at = start + match.index;
      const look = string ? (colon ? "as-name" : "as-string") : number ? "as-number" : "as-word";
      spans.push({ from: at, to: at + (string ?? all).length, look });
    }
  }
  return spans;
}

/** Whether a text is lines of JSON, each a value of its own. */
export const isJsonLines = (text) => /^\{"[^\n]{1,4000}\}\s*\n\s*\{"/.test(text.slice(0, 8200));

// Differences --------------------------------------------------------------------------------------------------------
const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/;
const FILE = /^(?:diff --git |index [0-9a-f]{4,}|--- |\+\+\+ |(?:new|deleted) file mode |rename (?:from|to) |\*\*\* (?:Begin Patch|End Patch|(?:Update|Add|Delete) File: ))/;
const LOOKS = { "+": "as-added", "-": "as-removed" };

/** Whether there is a hunk of a unified diff, or a patch as agents write it, near the start. */
export function isDiff(text) {
  const start = text.slice(0, BACK);
  return /^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@/m.test(start) || start.startsWith("*** Begin Patch");
}

/**
 * Only lines that a hunk's header counts are coloured: a list with dashes after it is no difference.
 * @type {Painter}
 */
export function diff(text, from, to) {
  const spans = [];
  const back = Math.max(0, from - BACK);
  const hunk = text.lastIndexOf("\n@@ -", from);
  const header = text.startsWith("@@ -") && hunk < back ? 0 : hunk + 1;
  const patch = text.lastIndexOf("*** Begin Patch", from);
  let inPatch = patch >= 0 && patch < from && !text.slice(Math.max(patch, back), from).includes("*** End Patch");
  let left = 0;
  let right = 0;
  for (const [start, stop] of linesOf(text, header >= back && header < from ? header : from, to)) {
    const line = text.slice(start, Math.min(stop, start + 200));
    const counts = HUNK.exec(line);
    let look = null;
    if (counts) {
      [left, right] = [Number(counts[1] ?? 1), Number(counts[2] ?? 1)];
      look = "as-hunk";
    } else if ((left > 0 || right > 0) && /^[-+ \\]|^$/.test(line)) {
      look = LOOKS[line[0]] ?? null;
      if (line[0] !== "+" && line[0] !== "\\") left--;
      if (line[0] !== "-" && line[0] !== "\\") right--;
    } else {
      left = right = 0;
      if (line.startsWith("*** Begin Patch")) inPatch = true;
      if (line.startsWith("*** End Patch")) inPatch = false;
      if (FILE.test(line)) look = "as-file";
      else if (inPatch) look = line.startsWith("@@") ? "as-hunk" : LOOKS[line[0]] ?? null;
    }
    if (look && stop > from) spans.push({ from: Math.max(from, start), to: stop, look });
  }
  return spans;
}

// Terminals ----------------------------------------------------------------------------------------------------------
const SGR = /\x1b\[([\d;:]{0,40})m/g;
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

export const isTerminal = (text) => text.includes("\x1b[");

/** What codes do to how the text after them looks. Nothing that they ask for makes text vanish. */
function restyled(style, codes) {
  const numbers = codes === "" ? [0] : codes.split(/[;:]/).map(Number);
  let next = style;
  for (let n = 0; n < numbers.length; n++) {
    const code = numbers[n];
    if (code === 0) next = {};
    else if (code === 1) next = { ...next, bold: true };
    else if (code === 22) next = { ...next, bold: false };
    else if (code === 4) next = { ...next, underlined: true };
    else if (code === 24) next = { ...next, underlined: false };
    else if (code === 38 || code === 48) n += numbers[n + 1] === 5 ? 2 : 4;
    else if (code === 39) next = { ...next, colour: null };
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) next = { ...next, colour: COLOURS[code % 10] };
  }
  return next;
}

const looksOf = ({ bold, underlined, colour }) => [colour && `ansi-${colour}`, bold && "ansi-bold", underlined && "ansi-underlined"].filter(Boolean).join(" ");

/**
 * The codes themselves stay in the text, as marked signs.
 * @type {Painter}
 */
export function terminal(text, from, to) {
  const spans = [];
  const back = Math.max(0, from - BACK);
  let style = {};
  let at = from;
  const add = (until) => {
    const look = looksOf(style);
    if (look && until > at) spans.push({ from: at, to: until, look });
  };
  for (const match of text.slice(back, to).matchAll(SGR)) {
    const start = back + match.index;
    if (start >= from) {
      add(start);
      at = start + match[0].length;
    } else at = Math.max(from, start + match[0].length);
    style = restyled(style, match[1]);
  }
  add(to);
  return spans;
}

// Prose --------------------------------------------------------------------------------------------------------------
const FENCE = /^ {0,3}(```+|~~~+)\s*([\w+-]{0,20})/;
const INLINE = /`[^`\n]{1,400}`|\*\*(?=[^\s*])[^*\n]{1,400}\*\*/g;
const DIVIDER = /^\s*\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-{2,}:?\s*)?$/;
const CELLS = 12;

/** The fence that is open at `at`, if there is one. */
function fenceAt(text, at) {
  let open = null;
  for (const [start, stop] of linesOf(text, text.lastIndexOf("\n", Math.max(0, at - BACK)) + 1, at - 1)) {
    const fence = FENCE.exec(text.slice(start, Math.min(stop, start + 60)));
    if (!fence) continue;
    if (open === null) open = { mark: fence[1], name: fence[2] };
    else if (fence[1].startsWith(open.mark) && fence[2] === "") open = null;
  }
  return open;
}

function cellsOf(text, start, stop) {
  const cells = [];
  let from = start;
  for (let at = start; at <= stop; at++) {
    if (at < stop && (text[at] !== "|" || text[at - 1] === "\\")) continue;
    const cell = text.slice(from, at);
    const lead = cell.length - cell.trimStart().length;
    cells.push([from + lead, Math.max(from + lead, from + cell.trimEnd().length)]);
    from = at + 1;
  }
  if (cells.length && cells[0][0] === cells[0][1] && text.slice(start, stop).trimStart().startsWith("|")) cells.shift();
  if (cells.length && text.slice(start, stop).trimEnd().endsWith("|")) cells.pop();
  return cells;
}

/** The table that begins with line `n`: a row, a divider, and rows with as many cells. */
function tableAt(text, lines, n) {
  const line = ([start, stop]) => text.slice(start, stop);
  if (!lines[n + 1] || lines[n + 1][1] - lines[n + 1][0] > 400 || !DIVIDER.test(line(lines[n + 1])) || !line(lines[n]).includes("|")) return null;
  const rows = [cellsOf(text, ...lines[n])];
  if (rows[0].length < 2 || rows[0].length > CELLS || cellsOf(text, ...lines[n + 1]).length !== rows[0].length) return null;
  let last = n + 1;
  for (; lines[last + 1] && line(lines[last + 1]).includes("|"); last++) {
    const cells = cellsOf(text, ...lines[last + 1]);
    if (cells.length !== rows[0].length) break;
    rows.push(cells);
  }
  return { rows, last };
}

function inline(text, start, stop) {
  if (/^#{1,6} /.test(text.slice(start, start + 8))) return [{ from: start, to: stop, look: "as-heading" }];
  return [...text.slice(start, stop).matchAll(INLINE)].map((match) => ({
    from: start + match.index, to: start + match.index + match[0].length, look: match[0][0] === "`" ? "as-code" : "as-strong" }));
}

/** What stands in a fenced block, by what the fence says it is. */
const FENCED = { json, diff, patch: diff };

/**
 * Markdown as an editor shows it: every sign stays, code stands in its own type, and only a plain table becomes one.
 * @type {Painter}
 */
export function prose(text, from, to) {
  const spans = [];
  const lines = [...linesOf(text, from, to)];
  let fence = fenceAt(text, from);
  let begun = from;
  const close = (until) => {
    if (until > begun) spans.push({ from: begun, to: until, look: "as-fence", inner: FENCED[fence.name]?.(text, begun, until) });
  };
  for (let n = 0; n < lines.length; n++) {
    const [start, stop] = lines[n];
    const found = FENCE.exec(text.slice(start, Math.min(stop, start + 60)));
    if (fence) {
      if (!found || !found[1].startsWith(fence.mark) || found[2] !== "") continue;
      close(start);
      spans.push({ from: start, to: stop, look: "as-fence-mark" });
      fence = null;
    } else if (found) {
      fence = { mark: found[1], name: found[2] };
      spans.push({ from: start, to: stop, look: "as-fence-mark" });
      begun = Math.min(to, stop + 1);
    } else {
      const table = tableAt(text, lines, n);
      if (table) {
        // With the line break after it: the table stands in lines of its own.
        spans.push({ from: start, to: Math.min(to, lines[table.last][1] + 1), look: "as-table", rows: table.rows });
        n = table.last;
      } else spans.push(...inline(text, start, stop));
    }
  }
  if (fence) close(to);
  return spans;
}
