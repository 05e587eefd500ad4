/** The codebook page, from the blocks into which the server has parsed it. Text stays text. */
import { element } from "./element.js";
import { visible } from "./text.js";

const INLINE = { b: "strong", i: "em", code: "code" };

function inline(part) {
  return typeof part === "string" ? visible(part) : element(INLINE[part.t] ?? "span", {}, ...part.c.map(inline));
}

function block(part) {
  if (part.t === "h") return element(`h${Math.min(6, part.level + 3)}`, { class: `level-${part.level}` }, ...part.c.map(inline));
  if (part.t === "ul" || part.t === "ol") return element(part.t, {}, ...part.items.map((item) => element("li", {}, ...item.map(block))));
  if (part.t === "quote") return element("blockquote", {}, ...part.c.map(block));
  if (part.t === "code") return element("pre", {}, visible(part.text));
  if (part.t === "hr") return element("hr");
  return element("p", {}, ...part.c.map(inline));
}

/** @param {{version: number, blocks: object[]}} codebook */
export function drawCodebook({ version, blocks }) {
  return [element("h3", { class: "caption" }, `Codebook · version ${version}`), ...blocks.map(block)];
}
