/** The keys for reading a long run as buttons, above its steps: search, calls, errors, the final answer. */
import { element, keycap } from "./element.js";

export class JumpBar {
  /** @param {(command: string) => void} command */
  constructor(command) {
    this.command = command;
    this.calls = this.pair("call", "previousCall", "nextCall", "n");
    this.errors = this.pair("error", "previousError", "nextError", "x");
    this.answerKey = keycap("G");
    const link = (words, key, name, how = {}) => element("button", { class: "link", type: "button", ...how, onclick: () => command(name) }, `${words} `, key);
    this.node = element("span", { class: "task-links" },
      link("flag item", keycap("f"), "flag", { class: "link faint", "data-rj": "flag" }),
      this.errors.node, this.calls.node,
      link("search", keycap("/"), "search", { class: "link faint" }), link("final answer", this.answerKey, "answer"));
  }

  pair(name, back, on, key) {
    const arrow = (sign, command, words) => element("button", { class: "arrow", type: "button", title: words, "aria-label": words, onclick: () => this.command(command) }, sign);
    const words = element("span", {});
    const node = element("span", { class: `jump jump-${name}` }, arrow("‹", back, `previous ${name} (${key.toUpperCase()})`), words, keycap(key), arrow("›", on, `next ${name} (${key})`));
    return { node, say: (count) => {
      node.hidden = count === 0;
      words.textContent = `${count.toLocaleString("en")} ${name}${count === 1 ? "" : "s"}`;
    } };
  }

  /** @param {import("./jumps.js").Jumps} jumps */
  show(jumps) {
    this.calls.say(jumps.all("call").length);
    this.errors.say(jumps.all("error").length);
    this.answerKey.textContent = jumps.answer === jumps.steps.length - 1 ? "G" : "a";
  }
}
