/**
 * Text of a trajectory is hostile. It enters the page as text nodes only, and what a reader could not see (direction
 * controls, zero-width and tag characters, escapes) is shown as a marked glyph, so that nobody labels what is not there.
 */
import { element } from "./element.js";

const INVISIBLE = "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\ufff9-\\ufffb";
// More marks on one letter than any script needs: they tower over the lines above and below.
const TOWER = "\\p{M}{9,}";
// A letter of one alphabet inside a word of another looks like what it is not.
const LOOKALIKE = "(?<=[A-Za-z])\\p{Script=Cyrillic}{1,24}|\\p{Script=Cyrillic}{1,24}(?=[A-Za-z])";
const ANY = new RegExp(`[${INVISIBLE}]|${TOWER}|${LOOKALIKE}`, "u");
// An emoji joined by U+200D or dressed by U+FE0F is one visible sign: it is matched first, and kept.
const EMOJI = "\\p{Extended_Pictographic}[\\ufe0f\\u{1f3fb}-\\u{1f3ff}]*(?:\\u200d\\p{Extended_Pictographic}[\\ufe0f\\u{1f3fb}-\\u{1f3ff}]*)*|[0-9#*]\\ufe0f\\u20e3";
const ESCAPE = "\\x1b\\[[0-?]{0,100}[ -/]{0,10}[@-~]|\\x1b\\][^\\x07\\x1b\\n]{0,400}(?:\\x07|\\x1b\\\\)";
const RUN = new RegExp(`(${EMOJI})|${ESCAPE}|[\\u{e0000}-\\u{e007f}]+|([${INVISIBLE}])\\2*|${TOWER}|(${LOOKALIKE})`, "gu");

const NAMES = {
  0x00: "null", 0x07: "bell", 0x08: "backspace", 0x0b: "vertical tab", 0x0c: "form feed", 0x0d: "carriage return",
  0x1b: "escape", 0x7f: "delete", 0x85: "next line", 0xad: "soft hyphen", 0x34f: "combining grapheme joiner",
  0x61c: "Arabic letter mark", 0x115f: "Hangul filler", 0x1160: "Hangul filler", 0x180e: "Mongolian vowel separator",
  0x200b: "zero-width space", 0x200c: "zero-width non-joiner", 0x200d: "zero-width joiner",
  0x200e: "left-to-right mark", 0x200f: "right-to-left mark", 0x2028: "line separator", 0x2029: "paragraph separator",
  0x202a: "left-to-right embedding", 0x202b: "right-to-left embedding", 0x202c: "pop directional formatting",
  0x202d: "left-to-right override", 0x202e: "right-to-left override", 0x2060: "word joiner",
  0x2061: "function application", 0x2062: "invisible times", 0x2063: "invisible separator", 0x2064: "invisible plus",
  0x2066: "left-to-right isolate", 0x2067: "right-to-left isolate", 0x2068: "first strong isolate",
  0x2069: "pop directional isolate", 0x3164: "Hangul filler", 0xfeff: "byte order mark", 0xffa0: "Hangul filler",
};

const codePoint = (code) => `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
const isTag = (code) => code >= 0xe0000 && code <= 0xe007f;

function nameOf(code) {
  if (NAMES[code]) return NAMES[code];
  if (isTag(code)) return "tag character";
  if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef)) return "variation selector";
  if (code >= 0xd800 && code <= 0xdfff) return "lone surrogate";
  return code < 0xa0 ? "control character" : "invisible character";
}

const COLOUR = /^\x1b\[[\d;:]*m$/;
const IS_MARK = /^\p{M}{9}/u;

/** What one run of invisible characters is called on the page: `[label, title]`, and a class where it is not a plain chip. */
function describe(run) {
  const code = run.codePointAt(0);
  if (COLOUR.test(run)) return [run.slice(1), "terminal escape sequence (ANSI): colour of what follows", "chip sgr"];
  if (code === 0x1b && run.length > 1) return [`⟨ESC${run.slice(1).replace(/[\x07\x1b]/g, "␇")}⟩`, "terminal escape sequence (ANSI)"];
  const count = [...run].length;
  if (IS_MARK.test(run)) return [`⟨${count} combining marks⟩`, "marks piled on the letter before"];
  if (isTag(code)) {
    // Tag characters mirror ASCII: this is how a message is hidden from a reader and given to a model.
    const hidden = [...run].map((sign) => String.fromCharCode(sign.codePointAt(0) - 0xe0000)).join("").replace(/[^ -~]/g, "");
    return [`⟨${codePoint(code)}${count > 1 ? ` ×${count}` : ""}${hidden ? ` “${hidden}”` : ""}⟩`, "invisible tag characters, and the text that they spell"];
  }
  return [`⟨${codePoint(code)}${count > 1 ? ` ×${count}` : ""}⟩`, nameOf(code)];
}

/** The text as nodes: text as it is, invisible characters as chips. */
export function visible(text) {
  const nodes = document.createDocumentFragment();
  if (text.includes("\r\n")) text = text.replaceAll("\r\n", "\n");
  if (!ANY.test(text)) {
    nodes.append(text);
    return nodes;
  }
  let from = 0;
  for (const match of text.matchAll(RUN)) {
    if (match[1]) continue;
    if (match.index > from) nodes.append(text.slice(from, match.index));
    if (match[3]) nodes.append(element("span", { class: "lookalike", title: "Cyrillic letters in a word of Latin ones" }, match[0]));
    else {
      const [label, title, look = "chip"] = describe(match[0]);
      nodes.append(element("span", { class: look, title, dir: "ltr" }, label));
    }
    from = match.index + match[0].length;
  }
  nodes.append(text.slice(from));
  return nodes;
}

/** The same for places that take a string only, such as a title. */
export function plain(text) {
  return ANY.test(text) ? text.replace(RUN, (run, emoji, same, lookalike) => emoji ?? lookalike ?? describe(run)[0]) : text;
}
