/** The calm pages for when there is no item: what each says, and when it is its turn. */
import { element, keycap } from "./element.js";

/**
 * @param {{place: object|undefined, state: object, saved: boolean, worked: boolean}} situation
 * @returns {"opening"|"waiting"|"empty"|"finished"}
 */
export function pageFor({ place, state, saved, worked }) {
  if (place || (!saved && !state.finished)) return "opening";
  if (state.waiting) return "waiting";
  return state.last === null && !worked ? "empty" : "finished";
}

const TEXTS = {
  finished: (saved) => ["Nothing more for you to label", saved ? "Every answer is saved. Thank you." : "Your last answers are still on their way. Please leave this page open until they are saved."],
  waiting: () => ["Nothing to label at the moment", "This page looks again by itself."],
  empty: () => ["No batch is open for you", "This page looks again by itself. The lead can tell you more."],
  opening: () => ["Opening the next item …"],
};

/**
 * @param {string} name
 * @param {{saved: boolean, back: (() => void)|null}} how `back` goes to the last item, where there is one
 * @param {Node} notice
 */
export function drawPage(name, { saved, back }, notice) {
  const [title, ...lines] = TEXTS[name](saved);
  const button = back && element("button", { class: "quiet", type: "button", "data-rj": "undo", onclick: back }, keycap("z"), "go back to the last item");
  return element("div", { class: "page-body", "data-rj": name, role: "status" }, element("h1", {}, title), ...lines.map((line) => element("p", {}, line)), button, notice);
}
