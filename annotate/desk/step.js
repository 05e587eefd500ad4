/** One row of the list: a step, or one of the parts in which a long one is drawn. Text enters it through `painted`. */
import { element } from "./element.js";
import { painted } from "./paint.js";
import { SIGNS, nameOf, secondName, toneOf } from "./speakers.js";
import { visible } from "./text.js";

/** Where a name may break: after a separator, and where a word begins in camelCase. */
const SEAM = /(?<=[_\-./:@])(?=[\p{L}\p{N}])|(?<=\p{Ll})(?=\p{Lu})/u;

/** A name in pieces between which a line may end, so that it does not end inside a word. */
export const piecesOfName = (name) => name.split(SEAM);

function breakable(name) {
  return piecesOfName(name).flatMap((piece, n) => (n ? [element("wbr"), piece] : [piece]));
}

/** The session that begins with this step, where the step before it was in another one. */
export function sessionBegun(steps, index) {
  const session = steps[index].session ?? null;
  return index > 0 && session !== null && session !== (steps[index - 1].session ?? null) ? String(session).slice(0, 40) : null;
}

const opener = (act, words, data = {}) => element("button", { class: "more", type: "button", tabindex: -1, "data-act": act, ...data }, words);

function drawGap({ gap, words, atOnce }) {
  if (atOnce) return opener("more", `… ${words} hidden, o to open`, { "data-field": gap.field, "data-from": gap.from, "data-to": gap.to });
  return element("div", { class: "gap" }, element("span", {}, `… ${words} hidden`), opener("more", "o to open more", { "data-field": gap.field, "data-from": gap.from, "data-to": gap.to }), opener("all", "O for all"));
}

const HIGHEST_IMAGE = 320; // px

function drawImage(text, from, to, [width, height]) {
  const kind = text.slice(from + 11, text.indexOf(";", from));
  const scale = Math.min(1, HIGHEST_IMAGE / height);
  const image = element("img", { src: text.slice(from, to), alt: "picture in the step", decoding: "async", draggable: "false" });
  // Its room is there before its pixels are, so that nothing moves when they come.
  image.style.width = `${width * scale}px`;
  image.style.aspectRatio = `${width} / ${height}`;
  return element("figure", {}, image, element("figcaption", {}, `${kind}, ${width} × ${height}`));
}

/** The nodes of one chunk. */
function drawChunk(content, chunk, hits) {
  if (chunk.gap) return [drawGap(chunk)];
  const { text } = content;
  const field = content.fields[chunk.field];
  if (field.kind === "image") return [drawImage(text, chunk.from, chunk.to, field.size)];
  const nodes = chunk.continues ? [element("span", { class: "continues", "aria-hidden": "true" })] : [];
  nodes.push(painted(text, chunk.from, chunk.to, field.painter?.(text, chunk.from, chunk.to), hits));
  return nodes;
}

/** Arguments: what each is called, and beside it what it says. */
function drawGrid(content, part, hits) {
  const grid = element("div", { class: "call" });
  grid.style.setProperty("--key", `${content.keyWidth}ch`);
  let cell = null;
  let key = null;
  for (const chunk of part.chunks) {
    const field = content.fields[chunk.field ?? chunk.gap.field];
    const nodes = drawChunk(content, chunk, hits);
    if (field.kind === "name") {
      grid.append(element("b", {}, ...nodes));
      continue;
    }
    if (chunk.gap && (!cell || field.key !== key)) {
      grid.append(...nodes);
      cell = null;
      continue;
    }
    if (!cell || field.key !== key) {
      key = field.key;
      // Of an argument that goes on from the row above, the name stands there.
      const begins = key && chunk.from <= key[1] + 2;
      cell = element("div", { class: field.look ? `value ${field.look}` : "value", dir: "ltr" });
      grid.append(element("span", { class: "key" }, begins ? painted(content.text, key[0], key[1], [], hits) : ""), cell);
    }
    cell.append(...nodes);
  }
  return grid;
}

function drawText(content, part, hits) {
  const raw = content.box === "call";
  const body = element("div", { class: raw ? "call raw" : content.box, dir: content.box === "prose" ? "auto" : "ltr" });
  for (const chunk of part.chunks) {
    const nodes = drawChunk(content, chunk, hits);
    if (!chunk.gap && content.fields[chunk.field].kind === "name") body.append(element("b", {}, ...nodes));
    else body.append(...nodes);
  }
  if (part.closed) body.append(opener("toggle", "folded, o to open"));
  return body;
}

function drawBody(content, part, hits) {
  const body = content.fields.some(({ kind }) => kind === "argument") ? drawGrid(content, part, hits) : drawText(content, part, hits);
  if (part.less) body.append(opener("fold", "opened, O to fold"));
  return body;
}

function drawPartner(step, index, partner) {
  const isCall = step.kind === "tool_call";
  const words = isCall ? `result: step ${partner + 1} (l)` : `call: step ${partner + 1} (l)`;
  const far = Math.abs(partner - index) > 1;
  return element("button", { class: far ? "partner far" : "partner", type: "button", tabindex: -1, "data-act": "partner", title: words, "aria-label": words }, isCall ? `→ ${partner + 1}` : `← ${partner + 1}`);
}

function drawSpeaker(step, index, tone, { partner, cast }) {
  const name = nameOf(step);
  const cell = element("div", { class: "who" }, element("span", { class: "sign", "aria-hidden": "true" }, SIGNS[tone] ?? "●"), element("bdi", { title: name }, ...breakable(name)));
  const second = secondName(step, { paired: partner !== null, cast });
  if (second) cell.append(element("bdi", { class: "speaker", title: second }, ...breakable(second)));
  if (partner !== null) cell.append(drawPartner(step, index, partner));
  return cell;
}

/**
 * @param {object} step
 * @param {number} index
 * @param {import("./content.js").Content} content
 * @param {import("./openings.js").Part} part
 * @param {{first: boolean, last: boolean, total: number, markable: boolean, partner: number|null, cast: Set<string>, session: string|null, hits: object[]}} place
 *   `session`: the one that begins with this step
 */
export function drawRow(step, index, content, part, place) {
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
    else side.append(element("div", { class: "signs" }));
  } else {
    row.setAttribute("role", "none");
  }
  const begins = first && session !== null;
  row.classList.toggle("begins", begins);
  if (begins) row.append(element("div", { class: "session", "data-rj": "session" }, element("span", {}, "session ", visible(session))));
  row.append(side, first ? drawSpeaker(step, index, tone, place) : element("div", { class: "who" }), drawBody(content, part, place.hits));
  return row;
}
