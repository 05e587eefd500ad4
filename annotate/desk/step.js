/**
 * One step's elements. A step is drawn as one row, or, opened and long, as several rows that the list places one under
 * the other; `partsOf` says which, `drawRow` makes one of them.
 */
import { element } from "./element.js";
import { LIMITS, firstLine, fold, pieces } from "./fold.js";
import { plain, visible } from "./text.js";

/** @typedef {"shown"|"open"|"closed"} Mode */

const AGENT = new Set(["agent", "assistant", "ai", "model", "bot", "gpt"]);
const USER = new Set(["user", "human", "operator", "customer", "client", "principal"]);
const SYSTEM = new Set(["system", "developer", "profile"]);
const SIGNS = { agent: "■", user: "▲", system: "○", other: "●", reasoning: "◌", tool_call: "▸", tool_result: "◂", observation: "◇", note: "✎" };
const NAMES = { reasoning: "reasoning", tool_call: "tool call", tool_result: "result", observation: "observation", note: "note" };

/** Parsing a larger argument string would be felt when its step comes into view. */
const PARSED_AT_MOST = 200_000;
/** An opened call stays a grid up to this many characters; beyond, it is cut into pieces like any text. */
const GRID_AT_MOST = 12_000;
const ENTRIES_AT_MOST = 40;

const nameIn = (speaker) => (speaker ?? "").trim().toLowerCase();
const isSystem = (step) => SYSTEM.has(nameIn(step.speaker));

/** Who the agents of a trajectory are, whatever their names: whoever reasons or calls tools. */
export const castOf = (steps) => new Set(steps.filter(({ kind }) => kind === "tool_call" || kind === "reasoning").map(({ speaker }) => nameIn(speaker)));

function party(speaker, cast) {
  const name = nameIn(speaker);
  if (SYSTEM.has(name)) return "system";
  if (name === "" || AGENT.has(name) || cast.has(name)) return "agent";
  // Where the agent is known, whoever else speaks is somebody it works for or with.
  return USER.has(name) || cast.size > 0 ? "user" : "other";
}

/** The class that colours a step: by who speaks in messages, by kind elsewhere. */
const toneOf = (step, cast) => (isSystem(step) ? "system" : step.kind === "message" ? party(step.speaker, cast) : step.kind);

/** Strings stand without quotation marks unless they would then read as a number, `true` or nothing. */
function argumentText(value) {
  if (typeof value !== "string") {
    const lines = JSON.stringify(value, null, 2);
    // Line breaks inside strings are escaped, so these are the layout's own: a short plain list reads better in one line.
    const line = lines.replace(/,\n\s*/g, ", ").replace(/\n\s*/g, "");
    return Array.isArray(value) && line.length <= 72 && !line.includes("{") ? line : lines;
  }
  return value === "" || value !== value.trim() || /^(true|false|null|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/.test(value) ? JSON.stringify(value) : value;
}

function entriesOf(given) {
  let value = given;
  if (typeof value === "string" && value.length <= PARSED_AT_MOST && value.trimStart().startsWith("{")) {
    try {
      value = JSON.parse(value);
    } catch {
      return null;
    }
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  return Object.entries(value).map(([key, argument]) => [key, argumentText(argument)]);
}

function readContent(step) {
  if (step.kind !== "tool_call") {
    const limits = isSystem(step) ? LIMITS.system : step.kind === "message" || step.kind === "reasoning" ? LIMITS.prose : LIMITS.output;
    return { text: step.text ?? "", entries: null, limits };
  }
  const entries = entriesOf(step.arguments);
  if (entries) return { text: entries.map(([key, value]) => `${key}: ${value}`).join("\n"), entries, limits: LIMITS.output };
  const given = step.arguments ?? "";
  return { text: typeof given === "string" ? given : JSON.stringify(given, null, 2), entries: null, limits: LIMITS.output };
}

const contents = new WeakMap();
function contentOf(step) {
  let content = contents.get(step);
  if (!content) {
    content = readContent(step);
    content.long = content.entries
      ? content.entries.length > ENTRIES_AT_MOST || content.entries.some(([, value]) => fold(value, LIMITS.argument))
      : fold(content.text, content.limits) !== null;
    contents.set(step, content);
  }
  return content;
}

/** The ways in which a step can be shown, in the order in which `o` goes through them. */
export function modesOf(step) {
  const modes = ["shown"];
  if (contentOf(step).long) modes.push("open");
  if (step.kind === "reasoning") modes.push("closed");
  return modes;
}

/** The session that begins with this step, where the step before it was in another one. */
export function sessionBegun(steps, index) {
  const session = steps[index].session ?? null;
  return index > 0 && session !== null && session !== (steps[index - 1].session ?? null) ? String(session).slice(0, 40) : null;
}

/** The parts of a step, one row each. */
export function partsOf(step, mode) {
  const { text, entries, limits, long } = contentOf(step);
  if (mode === "closed") return [{ text: firstLine(text), more: "folded, o to open" }];
  if (entries && (mode === "shown" || text.length <= GRID_AT_MOST)) return [{ entries, clipped: mode === "shown", less: mode === "open" }];
  if (mode === "open") {
    const parts = pieces(text);
    parts[parts.length - 1].less = true;
    return parts;
  }
  if (!long) return [{ text }];
  const { head, tail, hidden } = fold(text, limits);
  return [{ text: head, more: `… ${hidden} hidden, o to open`, tail }];
}

const opener = (words) => element("button", { class: "more", type: "button", tabindex: -1, "data-act": "toggle" }, words);

function drawGrid(tool, part) {
  const grid = element("div", { class: "call" }, element("b", {}, visible(tool)));
  const shown = part.clipped ? part.entries.slice(0, ENTRIES_AT_MOST) : part.entries;
  for (const [key, value] of shown) {
    const folded = part.clipped ? fold(value, LIMITS.argument) : null;
    const cell = element("div", { class: "value" }, visible(folded ? folded.head : value));
    if (folded) cell.append(opener(`… ${folded.hidden} hidden, o to open`), visible(folded.tail));
    grid.append(element("span", { class: "key" }, visible(key)), cell);
  }
  if (shown.length < part.entries.length) grid.append(opener(`… ${part.entries.length - shown.length} more arguments, o to open`));
  if (part.less) grid.append(opener("opened, o to fold"));
  return grid;
}

function drawText(step, part, first) {
  const prose = step.kind === "message" || step.kind === "reasoning";
  const box = prose ? "prose" : step.kind === "tool_call" ? "call raw" : "out";
  const body = element("div", { class: box, dir: prose ? "auto" : "ltr" });
  if (first && step.kind === "tool_call") body.append(element("b", {}, visible(step.tool ?? "")));
  if (part.continues) body.append(element("span", { class: "continues", "aria-hidden": "true" }));
  body.append(visible(part.text));
  if (part.more) body.append(opener(part.more));
  if (part.tail) body.append(visible(part.tail));
  if (part.less) body.append(opener("opened, o to fold"));
  return body;
}

function drawSpeaker(step, tone, { paired, cast }) {
  const failed = step.kind === "tool_result" && step.error;
  const speaker = plain((step.speaker ?? "").slice(0, 80));
  const name = failed ? "error" : NAMES[step.kind] ?? (speaker || "agent");
  const cell = element("div", { class: "who" }, element("span", { class: "sign", "aria-hidden": "true" }, SIGNS[tone] ?? "●"), element("bdi", { title: name }, name));
  // Who reasons, calls or answers is worth a line only where it is not plainly the one agent or the tool it called.
  const plainly = step.kind === "tool_result" ? paired : cast.size < 2 && party(step.speaker, cast) === "agent";
  if (NAMES[step.kind] && speaker && !plainly) cell.append(element("bdi", { class: "speaker", title: speaker }, speaker));
  return cell;
}

/**
 * @param {object} step
 * @param {number} index
 * @param {object} part one of `partsOf(step, mode)`
 * @param {{first: boolean, last: boolean, total: number, markable: boolean, paired: boolean, cast: Set<string>, session: string|null}} place
 *   `session`: the one that begins with this step
 */
export function drawRow(step, index, part, place) {
  const { first, last, total, markable, cast, session } = place;
  const tone = toneOf(step, cast);
  const row = element("div", { class: `step ${tone}`, "data-index": index, tabindex: -1 });
  row.classList.toggle("error", Boolean(step.error));
  row.classList.toggle("goes-on", !last);
  row.classList.toggle("goes-back", !first);
  const side = element("div", { class: "n" });
  if (first) {
    row.setAttribute("data-rj", "step");
    row.setAttribute("role", "listitem");
    row.setAttribute("aria-posinset", index + 1);
    row.setAttribute("aria-setsize", total);
    side.append(String(index + 1));
    if (markable) side.append(element("button", { class: "marker", type: "button", tabindex: -1, "data-act": "mark", title: "mark as evidence (e)", "aria-label": `mark step ${index + 1} as evidence` }, "⚑"));
  } else {
    row.setAttribute("role", "none");
  }
  const begins = first && session !== null;
  row.classList.toggle("begins", begins);
  if (begins) row.append(element("div", { class: "session", "data-rj": "session" }, element("span", {}, "session ", visible(session))));
  const body = part.entries ? drawGrid(step.tool ?? "", part) : drawText(step, part, first);
  row.append(side, first ? drawSpeaker(step, tone, place) : element("div", { class: "who" }), body);
  return row;
}
