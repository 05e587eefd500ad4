/** The form beside the trajectory. It draws an Answer and says what was pressed; it decides nothing. */
import { element, keycap } from "./element.js";

const CONFIDENCE = ["low", "medium", "high"];

export class Form {
  /**
   * @param {(command: string, argument?: any) => void} command
   * @param {{type: (text: string, how: {first: boolean}) => void}} on
   * @param {Node} chooser
   */
  constructor(command, on, chooser) {
    this.command = command;
    this.on = on;
    this.ask = element("h2", { id: "rj-ask" });
    this.choices = element("div", { class: "choices", role: "radiogroup", "aria-labelledby": "rj-ask" });
    this.evidence = element("div", { class: "evidence", "data-rj": "evidence" });
    this.rationale = element("textarea", { "data-rj": "rationale", "aria-label": "rationale", placeholder: "Rationale (r)", rows: 3, maxlength: 20000, spellcheck: "true" });
    this.rationale.addEventListener("input", () => this.typed());
    this.rationale.addEventListener("focus", () => (this.firstLetter = true));
    this.levels = CONFIDENCE.map((word, n) => element("button", { type: "button", role: "radio", onclick: () => command("setConfidence", n + 1) }, word));
    this.confidence = element("div", { class: "confidence", role: "radiogroup", "aria-label": "confidence", "data-rj": "confidence" }, keycap("c"), "confidence", ...this.levels);
    this.said = element("div", { class: "said", hidden: true });
    this.unsure = this.action("u", "unsure");
    this.skip = this.action("s", "skip");
    this.undo = this.action("z", "undo");
    this.submit = element("button", { class: "submit", type: "button", "data-rj": "submit", onclick: () => command("submit") }, "Submit ", element("span", { "aria-hidden": "true" }, "⏎"));
    this.node = element("div", { class: "form" }, this.ask, this.choices, this.evidence, this.rationale, this.confidence, this.said, chooser, (this.acts = element("div", { class: "acts" }, this.unsure, this.skip, this.undo, this.submit)));
  }

  action(key, name) {
    return element("button", { class: "quiet", type: "button", "data-rj": name, onclick: () => this.command(name) }, keycap(key), name);
  }

  /** @param {object} question */
  setQuestion(question) {
    this.question = question;
    this.ask.textContent = question.ask;
    this.buttons = question.choices.map((choice, n) =>
      element("button", { class: "choice", type: "button", role: "radio", "data-rj": "choice", "data-key": n + 1, onclick: () => this.command("choose", String(n + 1)) }, keycap(String(n + 1)), element("bdi", {}, choice)));
    this.choices.replaceChildren(...this.buttons);
    this.evidence.hidden = question.evidence === "none";
  }

  /** Whether somebody is writing here. */
  get typing() {
    return this.node.contains(this.node.getRootNode().activeElement?.closest("textarea, input") ?? null);
  }

  typed() {
    this.on.type(this.rationale.value, { first: this.firstLetter });
    this.firstLetter = false;
  }

  /** @param {import("./answer.js").Answer} answer */
  draw(answer) {
    const { choice, unsure, skip, rationale, confidence } = answer.value;
    this.buttons.forEach((button, n) => {
      const on = this.question.choices[n] === choice;
      button.classList.toggle("on", on);
      button.setAttribute("aria-checked", String(on));
    });
    this.unsure.classList.toggle("on", unsure);
    this.unsure.setAttribute("aria-pressed", String(unsure));
    this.skip.classList.toggle("on", skip !== null);
    this.skip.setAttribute("aria-pressed", String(skip !== null));
    this.levels.forEach((button, n) => {
      button.classList.toggle("on", confidence === n + 1);
      button.setAttribute("aria-checked", String(confidence === n + 1));
    });
    if (this.rationale.value !== rationale) this.rationale.value = rationale;
    this.drawEvidence(answer);
    const said = [skip !== null ? `skip: ${skip}` : null, answer.flagged !== null ? `flagged: ${answer.flagged}` : null].filter(Boolean);
    this.said.hidden = said.length === 0;
    this.said.replaceChildren(...said.map((line) => element("div", {}, line)));
  }

  drawEvidence(answer) {
    if (this.question.evidence === "none") return;
    const { choice, evidence } = answer.value;
    const first = this.question.evidence === "first";
    const asked = answer.asksForStep(this.question);
    const steps = evidence.flatMap((step, n) => [n ? ", " : "", element("button", { type: "button", onclick: () => this.command("goTo", step) }, String(step + 1))]);
    const name = first ? "first failing step" : evidence.length === 1 ? "evidence: step" : "evidence";
    this.evidence.classList.toggle("idle", !asked || evidence.length === 0);
    const hint = first && !asked && choice !== null ? `not asked for “${choice}”` : evidence.length ? "j k to move, e to mark" : "e marks a step";
    this.evidence.replaceChildren(element("span", { "aria-hidden": "true" }, "⚑"),
      element("span", {}, `${name}${asked && evidence.length ? (first ? ": " : " ") : ""}`, ...(asked ? steps : [])), element("span", { class: "soft" }, `· ${hint}`));
  }
}
