/**
 * What a step says, as one text with fields in it: the tool's name, arguments, pictures, or simply its text. Search looks
 * in this text, folding cuts it, drawing paints it, and all of them speak of places in it by offset.
 */
import { LIMITS } from "./fold.js";
import { imagesIn } from "./images.js";
import { entriesOf, laidOut } from "./layout.js";
import { diff, isDiff, isJsonLines, isTerminal, json, prose, terminal } from "./painters.js";
import { isSystem } from "./speakers.js";

/**
 * @typedef {object} Field
 * @property {"name"|"text"|"argument"|"image"} kind
 * @property {number} from
 * @property {number} to
 * @property {[number, number]|null} key where the argument's name stands
 * @property {import("./fold.js").Limits} limits
 * @property {import("./painters.js").Painter|null} painter
 * @property {string|null} look a class for the whole of it
 * @property {[number, number]|null} size a picture's width and height
 *
 * @typedef {object} Content
 * @property {string} text
 * @property {Field[]} fields in order
 * @property {"prose"|"out"|"call"} box
 * @property {number} keyWidth characters of the longest argument's name
 */

const KEY_AT_MOST = 40;
/** A name longer than this is no name: then the arguments are read as the text that they are. */
const LONGEST_KEY = 400;
/** Arguments that together say what an edit takes away and what it puts there. */
const EDITS = [["old_str", "new_str"], ["old_string", "new_string"], ["search", "replace"], ["old_text", "new_text"]];

class Builder {
  constructor(box) {
    this.parts = [];
    this.length = 0;
    /** @type {Content} */
    this.content = { text: "", fields: [], box, keyWidth: 0 };
  }

  put(text) {
    this.parts.push(text);
    this.length += text.length;
  }

  field(kind, text, { key = null, limits = LIMITS.output, painter = null, look = null, size = null } = {}) {
    this.content.fields.push({ kind, from: this.length, to: this.length + text.length, key, limits, painter, look, size });
    this.put(text);
  }

  /** A text, and the pictures in it as fields of their own. */
  text(kind, text, how) {
    let at = 0;
    for (const { from, to, size } of text.includes("data:image/") ? imagesIn(text) : []) {
      if (from > at) this.field(kind, text.slice(at, from), how);
      this.field("image", text.slice(from, to), { ...how, size });
      at = to;
    }
    if (at < text.length || at === 0) this.field(kind, at ? text.slice(at) : text, how);
  }

  argument({ key, value, json: isJson }, look) {
    if (this.length) this.put("\n");
    const from = this.length;
    this.put(`${key}: `);
    this.content.keyWidth = Math.max(this.content.keyWidth, Math.min(KEY_AT_MOST, key.length));
    this.text("argument", value, { key: [from, from + key.length], limits: LIMITS.argument, painter: isJson ? json : painterOf(value), look });
  }

  done() {
    this.content.text = this.parts.length === 1 ? this.parts[0] : this.parts.join("");
    return this.content;
  }
}

const painterOf = (text) => (isDiff(text) ? diff : isTerminal(text) ? terminal : isJsonLines(text) ? json : null);

const unbroken = (text) => (text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text);

/** Some environments print a value in quotation marks: what stands in them is laid out all the same. */
function quotedLayout(text) {
  if (!/^"[[{]/.test(text.slice(0, 2)) || !text.endsWith('"')) return null;
  const laid = laidOut(text.slice(1, -1));
  return laid === null ? null : `"${laid}"`;
}

function output(builder, given) {
  const text = unbroken(given);
  const trimmed = text.trim();
  const laid = laidOut(trimmed) ?? quotedLayout(trimmed);
  builder.text("text", laid ?? text, { painter: laid === null ? painterOf(text) : json });
}

function call(builder, step) {
  builder.field("name", step.tool ?? "");
  const given = step.arguments ?? "";
  const entries = entriesOf(given);
  if (!entries || entries.some(({ key }) => key.length > LONGEST_KEY)) {
    if (given === "") return;
    builder.put("\n");
    output(builder, given);
    return;
  }
  const edit = EDITS.find((keys) => keys.every((key) => entries.some((entry) => entry.key === key)));
  if (edit) {
    const [taken, put] = edit.map((key) => entries.findIndex((entry) => entry.key === key));
    if (taken > put) [entries[taken], entries[put]] = [entries[put], entries[taken]];
  }
  for (const entry of entries) builder.argument({ ...entry, value: unbroken(entry.value) }, edit?.includes(entry.key) ? ["removed-text", "added-text"][edit.indexOf(entry.key)] : null);
}

/** @returns {Content} */
export function contentOf(step) {
  const isProse = step.kind === "message" || step.kind === "reasoning";
  const builder = new Builder(step.kind === "tool_call" ? "call" : isProse ? "prose" : "out");
  if (step.kind === "tool_call") call(builder, step);
  else if (isProse) builder.text("text", unbroken(step.text ?? ""), { limits: isSystem(step) ? LIMITS.system : LIMITS.prose, painter: prose });
  else output(builder, step.text ?? "");
  return builder.done();
}
