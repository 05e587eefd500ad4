/**
 * JSON, and the Python literals that many agents print instead, laid out to be read. The layout is made from the text
 * itself and not from parsed values, so that no digit, no repeated key and no order is lost: only the space between
 * tokens changes, escapes of letters are resolved, and a string of several lines stands as lines behind a bar.
 */

/** Characters that are laid out at most: a longer text stands as it came. */
export const MOST = 600_000;
/** Nesting; a deeper text stands as it came. */
const DEEPEST = 100;
const LINE = 76;
const TABLE = { rows: 2, columns: 10, cell: 44, line: 118 };
/** What stands before the lines of a string that has several: in the place of its quotation marks. */
const BARS = ["╭ ", "│ "];

const NUMBER = /-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /(?:true|false|null|None|True|False|NaN|-?Infinity|nan)\b/y;
const SPACE = /[ \t\r\n]*/y;
const CLOSES = { "{": "}", "[": "]", "(": ")" };

/** @typedef {{open: string, keys: string[]|null, items: (string|object)[]}} Branch */

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  take(pattern) {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match === null) return null;
    this.at = pattern.lastIndex;
    return match[0];
  }

  /** @returns {string|object|null} a scalar as it is written, a branch, or null where this is no JSON */
  value(depth) {
    const sign = this.text[this.at];
    if (CLOSES[sign]) return depth < DEEPEST ? this.branch(sign, depth) : null;
    if (sign === '"' || sign === "'") return this.string(sign);
    return this.take(WORD) ?? this.take(NUMBER);
  }

  // A pattern would have to remember every character of a string of megabytes.
  string(quote) {
    const from = this.at;
    for (let end = this.text.indexOf(quote, from + 1); end >= 0; end = this.text.indexOf(quote, end + 1)) {
      let slashes = 0;
      while (this.text[end - 1 - slashes] === "\\") slashes++;
      if (slashes % 2) continue;
      this.at = end + 1;
      return this.text.slice(from, this.at);
    }
    return null;
  }

  /** @returns {Branch|null} */
  branch(open, depth) {
    const close = CLOSES[open];
    const branch = { open, keys: open === "{" ? [] : null, items: [] };
    this.at++;
    this.take(SPACE);
    while (this.text[this.at] !== close) {
      if (branch.keys) {
        const key = this.value(DEEPEST);
        if (key === null || typeof key !== "string") return null;
        this.take(SPACE);
        // A Python set has no values.
        if (this.text[this.at] !== ":") return null;
        this.at++;
        this.take(SPACE);
        branch.keys.push(key);
      }
      const item = this.value(depth + 1);
      if (item === null) return null;
      branch.items.push(item);
      this.take(SPACE);
      if (this.text[this.at] === ",") {
        this.at++;
        this.take(SPACE);
      } else if (this.text[this.at] !== close) return null;
    }
    this.at++;
    return branch;
  }
}

/** @returns {Branch|null} the one object or list that the text is */
function read(text) {
  if (text.length > MOST) return null;
  const reader = new Reader(text);
  reader.take(SPACE);
  if (!CLOSES[text[reader.at]]) return null;
  const found = reader.value(0);
  reader.take(SPACE);
  return found !== null && reader.at === text.length ? found : null;
}

const HAS_BREAK = /(?<!\\)(?:\\\\)*\\n/;
const LETTER = /(?<!\\)((?:\\\\)*)\\u([0-9a-fA-F]{4})/g;
const SIMPLE = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v", a: "\x07", 0: "\0" };

/** What a string in quotation marks says. */
export function unquoted(literal) {
  const inside = literal.slice(1, -1);
  if (!inside.includes("\\")) return inside;
  return inside.replace(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([^]))/g, (_, four, two, one) =>
    one === undefined ? String.fromCharCode(parseInt(four ?? two, 16)) : SIMPLE[one] ?? (one === "\n" ? "" : one));
}

/** A scalar in one line: as it is written, but for escaped letters. */
function scalar(literal) {
  if (!literal.includes("\\u")) return literal;
  return literal.replace(LETTER, (all, before, code) => (parseInt(code, 16) < 0x80 ? all : before + String.fromCharCode(parseInt(code, 16))));
}

const isQuoted = (item) => typeof item === "string" && (item[0] === '"' || item[0] === "'");

/** In one line, or null where it would be longer than `room`. */
function inOneLine(item, room) {
  if (typeof item === "string") {
    if (item.length > room * 6 || (isQuoted(item) && HAS_BREAK.test(item))) return null;
    const line = scalar(item);
    return line.length <= room ? line : null;
  }
  const words = [];
  let used = 2;
  for (let n = 0; n < item.items.length; n++) {
    const line = inOneLine(item.items[n], room - used);
    if (line === null) return null;
    const word = item.keys ? `${scalar(item.keys[n])}: ${line}` : line;
    used += word.length + 2;
    if (used > room + 2) return null;
    words.push(word);
  }
  return item.open + words.join(", ") + CLOSES[item.open];
}

/** Lines of a list of flat objects with the same keys, in columns; null where the list is none. */
function inColumns({ items }) {
  const [first] = items;
  if (items.length < TABLE.rows || !first.keys || first.keys.length < 2 || first.keys.length > TABLE.columns) return null;
  const keys = first.keys.join("\n");
  const rows = [];
  const widths = first.keys.map(() => 0);
  for (const item of items) {
    if (item.keys?.join("\n") !== keys) return null;
    const cells = [];
    for (let n = 0; n < item.items.length; n++) {
      const value = typeof item.items[n] === "string" ? inOneLine(item.items[n], TABLE.cell) : null;
      if (value === null) return null;
      cells.push(`${scalar(item.keys[n])}: ${value}`);
      widths[n] = Math.max(widths[n], cells[n].length + 2);
    }
    rows.push(cells);
  }
  if (widths.reduce((sum, width) => sum + width, 0) > TABLE.line) return null;
  return rows.map((cells) => `{${cells.map((cell, n) => (n < cells.length - 1 ? `${cell}, `.padEnd(widths[n]) : cell)).join("")}}`);
}

function put(item, indent, lead, tail, out) {
  const line = inOneLine(item, Math.max(24, LINE - indent.length - lead.length));
  if (line !== null) {
    out.push(indent + lead + line + tail);
    return;
  }
  const inner = `${indent}  `;
  if (typeof item === "string") {
    if (!isQuoted(item) || !HAS_BREAK.test(item)) {
      out.push(indent + lead + scalar(item) + tail);
      return;
    }
    if (lead) out.push(indent + lead.trimEnd());
    unquoted(item).split("\n").forEach((own, n) => out.push((lead ? inner : indent) + BARS[n ? 1 : 0] + own));
    return;
  }
  out.push(indent + lead + item.open);
  const columns = item.open === "[" ? inColumns(item) : null;
  item.items.forEach((one, n) => {
    const comma = n < item.items.length - 1 ? "," : "";
    if (columns) out.push(inner + columns[n] + comma);
    else put(one, inner, item.keys ? `${scalar(item.keys[n])}: ` : "", comma, out);
  });
  out.push(indent + CLOSES[item.open] + tail);
}

function lay(item) {
  const out = [];
  put(item, "", "", "", out);
  return out.join("\n");
}

/** @returns {string|null} the text laid out; null where it is no object or list, or is too long */
export function laidOut(text) {
  const found = read(text);
  return found === null ? null : lay(found);
}

/**
 * The entries of an object: what an argument is called and how it reads.
 * @returns {{key: string, value: string, json: boolean}[]|null} `json`: laid out; else a string's own text
 */
export function entriesOf(text) {
  const found = read(text);
  if (!found?.keys) return null;
  return found.items.map((item, n) => {
    const key = isQuoted(found.keys[n]) ? unquoted(found.keys[n]) : found.keys[n];
    if (!isQuoted(item)) return { key, value: lay(item), json: true };
    const own = unquoted(item);
    // Without its quotation marks it would read as a number, as `true`, or as nothing; lines are lines all the same.
    const bare = own.trim() !== "" && (own === own.trim() || own.includes("\n")) && !/^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.test(own);
    return bare ? { key, value: own, json: false } : { key, value: scalar(item), json: true };
  });
}
