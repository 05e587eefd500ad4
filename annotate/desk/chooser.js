/** Why an item is skipped or flagged: one key for a usual reason, or a few words. */
import { element, keycap } from "./element.js";

const REASONS = {
  skip: { title: "Skip this item because", reasons: ["it cannot be judged from what is shown", "it needs knowledge that I lack", "I know this trajectory already", "I would rather not read this"] },
  flag: { title: "What is broken? Label or skip the item afterwards", reasons: ["steps are missing or cut off", "text is garbled or unreadable", "task and steps do not belong together", "it shows who made it or what was decided"] },
};

export class Chooser {
  /** @param {() => void} closed */
  constructor(closed) {
    this.closed = closed;
    this.node = element("div", { class: "chooser", role: "group", hidden: true });
  }

  get open() {
    return !this.node.hidden;
  }

  /**
   * @param {"skip"|"flag"} kind
   * @param {(reason: string) => void} chosen
   */
  ask(kind, chosen) {
    const { title, reasons } = REASONS[kind];
    this.reasons = reasons;
    this.chosen = chosen;
    this.field = element("input", { type: "text", maxlength: 400, placeholder: "or type a reason and press ⏎", "aria-label": title, autocomplete: "off" });
    const buttons = reasons.map((reason, n) => element("button", { type: "button", onclick: () => this.choose(reason) }, keycap(String(n + 1)), reason));
    this.node.replaceChildren(element("div", { class: "chooser-head" }, element("span", {}, title),
      element("button", { class: "quiet", type: "button", onclick: () => this.close() }, keycap("Esc"))), ...buttons, this.field);
    this.node.setAttribute("aria-label", title);
    this.node.setAttribute("data-kind", kind);
    this.node.hidden = false;
    this.field.focus({ preventScroll: true });
    this.node.scrollIntoView({ block: "nearest" });
  }

  /** A key while the field has the focus; a digit picks a reason as long as nothing has been typed. */
  key(name, { repeat }) {
    if (name === "Escape") this.close();
    else if (name === "Enter" || name === "Ctrl+Enter") {
      if (!repeat && this.field.value.trim()) this.choose(this.field.value.trim());
    } else if (/^[1-9]$/.test(name) && this.field.value === "" && this.reasons[name - 1]) {
      if (!repeat) this.choose(this.reasons[name - 1]);
    } else return false;
    return true;
  }

  choose(reason) {
    this.close();
    this.chosen(reason);
  }

  close() {
    this.node.hidden = true;
    this.closed();
  }
}
