/**
 * Text with colour: the stretches that a painter names get a class, what a search has found gets a mark, and every bit of
 * it goes through `visible`, so that colour never hides a sign.
 */
import { element } from "./element.js";
import { visible } from "./text.js";

/**
 * @typedef {object} Span a stretch of text, in offsets of the step's whole text
 * @property {number} from
 * @property {number} to
 * @property {string} look its class
 * @property {Span[]} [inner] stretches within it
 * @property {[number, number][][]} [rows] it is a table: from where to where each cell reaches
 *
 * @typedef {{from: number, to: number, now: boolean}} Hit
 */

/** The hits that touch a stretch. */
const touching = (hits, from, to) => hits.filter((hit) => hit.to > from && hit.from < to);

function marked(text, from, to, hits) {
  const nodes = document.createDocumentFragment();
  let at = from;
  for (const hit of touching(hits, from, to)) {
    const [first, last] = [Math.max(from, hit.from), Math.min(to, hit.to)];
    if (first > at) nodes.append(visible(text.slice(at, first)));
    nodes.append(element("mark", { class: hit.now ? "now" : null }, visible(text.slice(first, last))));
    at = last;
  }
  if (at < to) nodes.append(visible(text.slice(at, to)));
  return nodes;
}

function drawTable(text, { rows }, hits) {
  const draw = (tag) => (cells) => element("tr", {}, ...cells.map(([from, to]) => element(tag, { dir: "auto" }, marked(text, from, to, hits))));
  return element("table", {}, element("thead", {}, draw("th")(rows[0])), element("tbody", {}, ...rows.slice(1).map(draw("td"))));
}

/**
 * @param {string} text a step's whole text
 * @param {Span[]} spans in order, none over another
 * @param {Hit[]} hits in order
 * @returns {DocumentFragment} the nodes of the text from `from` to `to`
 */
export function painted(text, from, to, spans = [], hits = []) {
  const nodes = document.createDocumentFragment();
  let at = from;
  for (const span of spans) {
    if (span.to <= at || span.from >= to) continue;
    const [first, last] = [Math.max(at, span.from), Math.min(to, span.to)];
    if (first > at) nodes.append(marked(text, at, first, hits));
    if (span.rows) nodes.append(drawTable(text, span, hits));
    else nodes.append(element("span", { class: span.look }, span.inner ? painted(text, first, last, span.inner, hits) : marked(text, first, last, hits)));
    at = last;
  }
  if (at < to) nodes.append(marked(text, at, to, hits));
  return nodes;
}
