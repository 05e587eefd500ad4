/** The list of keys, over the page for as long as it is wanted. */
import { element, keycap } from "./element.js";
import { BINDINGS } from "./keys.js";

const GROUPS = [
  ["Answer", ["choose", "moreChoices", "less", "unsure", "mark", "rationale", "confidence", "nextQuestion", "submit"]],
  ["Read", ["down", "up", "first", "last", "answer", "open", "openAll"]],
  ["Find", ["search", "nextCall", "nextError", "nextMessage", "partner"]],
  ["Otherwise", ["undo", "skip", "flag", "help"]],
];

export class Help {
  /** @param {() => void} closed */
  constructor(closed) {
    this.closed = closed;
    this.button = element("button", { class: "quiet", type: "button", onclick: () => this.close() }, "close ", keycap("Esc"));
    const groups = GROUPS.map(([name, commands]) =>
      element("section", {}, element("h3", { class: "caption" }, name), element("dl", {}, ...commands.flatMap((command) => {
        const binding = BINDINGS.find((one) => one.command === command);
        return [element("dt", {}, ...binding.cap.split(" ").map(keycap)), element("dd", {}, binding.words)];
      }))));
    const sheet = element("div", { class: "sheet", role: "dialog", "aria-modal": "true", "aria-label": "Keys", "data-rj": "help" },
      element("div", { class: "sheet-head" }, element("h2", {}, "Keys"), this.button), element("div", { class: "groups" }, ...groups),
      element("p", { class: "soft" }, "Answers and unfinished work are saved as you go; the words at the top right say when they are."));
    this.node = element("div", { class: "veil", hidden: true, onclick: (event) => event.target === this.node && this.close() }, sheet);
  }

  get open() {
    return !this.node.hidden;
  }

  show() {
    this.node.hidden = false;
    this.button.focus({ preventScroll: true });
  }

  close() {
    this.node.hidden = true;
    this.closed();
  }
}
