/**
 * What a reading marks: the steps that annotators named as evidence, and those that a judge cites. Each sort has a sign and
 * words of its own; its colour says nothing more.
 */
import { element } from "./element.js";

/** @type {Object<string, {sign: string, step: string, words: string}>} `step`: of one step; `words`: before the links to all */
export const SORTS = {
  cites: { sign: "◆", step: "cited by the judge", words: "judge cites" },
  evidence: { sign: "⚑", step: "evidence", words: "annotators’ evidence" },
};

/** The signs of one step. @param {string[]} sorts */
export const signsOf = (sorts) => sorts.map((sort) => element("span", { class: `sign-${sort}`, role: "img", title: SORTS[sort].step, "aria-label": SORTS[sort].step }, SORTS[sort].sign));

/** A line of links to the marked steps; nothing where none is marked. */
export class MarkLinks {
  /** @param {(index: number) => void} go */
  constructor(go) {
    this.go = go;
    this.node = element("div", { class: "mark-links", "data-rj": "marks", hidden: true });
  }

  /** @param {Object<string, number[]>} marked by sort */
  show(marked) {
    const sorts = Object.keys(SORTS).filter((sort) => marked[sort].length);
    this.node.hidden = sorts.length === 0;
    this.node.replaceChildren(...sorts.map((sort) => element("span", { class: `sign-${sort}`, "data-sort": sort },
      element("span", { "aria-hidden": "true" }, SORTS[sort].sign), ` ${SORTS[sort].words} `,
      ...marked[sort].map((index) => element("button", { class: "link", type: "button", "aria-label": `step ${index + 1}, ${SORTS[sort].step}`, onclick: () => this.go(index) }, String(index + 1))))));
  }
}
