/** One calm line above the buttons, or on a page without an item, and how long it stays. */
import { element } from "./element.js";

const SHOWN_FOR = 9000;

export class Notice {
  constructor() {
    this.node = element("div", { class: "notice", role: "status", "data-rj": "notice" });
    this.until = 0;
  }

  /** @param {{error?: boolean, stays?: boolean}} [how] `stays`: until something else is said */
  say(words, { error = false, stays = false } = {}) {
    // The same words again would be read out again.
    if (this.node.textContent !== words) this.node.textContent = words;
    this.node.classList.toggle("error", error);
    this.until = words && !stays ? performance.now() + SHOWN_FOR : 0;
  }

  /** Something was done: what was said about the moment before it has passed. */
  pass() {
    if (this.until) this.say("");
  }

  /** These words are not true any more. */
  takeBack(words) {
    if (this.node.textContent === words) this.say("");
  }

  tick() {
    if (this.until && performance.now() > this.until) this.say("");
  }
}
