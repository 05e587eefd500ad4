/**
 * The form beside the trajectory: the question in work in full, and the others of the item in a line each. It draws an
 * Answer and says what was pressed; it decides nothing.
 */
import { asksForStep, inWords, missing } from "./asking.js";
import { controlFor } from "./controls.js";
import { element, keycap } from "./element.js";
import { visible } from "./text.js";

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
    this.before = element("div", { class: "others" });
    this.after = element("div", { class: "others" });
    this.ask = element("h2", { id: "rj-ask" });
    this.control = null;
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
    this.submitWords = element("span");
    this.submit = element("button", { class: "submit", type: "button", "data-rj": "submit", onclick: () => command("submit") }, this.submitWords, element("span", { "aria-hidden": "true" }, " ⏎"));
    this.place = element("div");
    this.panel = element("section", { class: "question", role: "group", "aria-labelledby": "rj-ask", "data-rj": "question" }, this.ask, this.place, this.evidence, this.rationale, this.confidence);
    this.acts = element("div", { class: "acts" }, this.unsure, this.skip, this.undo, this.submit);
    this.node = element("div", { class: "form" }, this.before, this.panel, this.after, this.said, chooser, element("div", { class: "foot" }, this.acts));
  }

  action(key, name) {
    return element("button", { class: "quiet", type: "button", "data-rj": name, onclick: () => this.command(name) }, keycap(key), name);
  }

  /** @param {object[]} questions */
  setQuestions(questions) {
    this.controls = new Map(questions.map((question) => [question.id, controlFor(question, this.command)]));
    this.question = null;
    this.node.classList.toggle("several", questions.length > 1);
    this.before.hidden = this.after.hidden = questions.length < 2;
    if (questions.length < 2) this.ask.removeAttribute("aria-live");
    else this.ask.setAttribute("aria-live", "polite");
  }

  /** Whether somebody is writing here. */
  get typing() {
    return this.node.contains(this.node.getRootNode().activeElement?.closest("textarea, input") ?? null);
  }

  /** Whether a score is being typed. */
  get scoring() {
    return this.control?.typing ?? false;
  }

  typed() {
    this.on.type(this.rationale.value, { first: this.firstLetter });
    this.firstLetter = false;
  }

  /** Another item: nothing of the one before stays in a field. */
  begin() {
    for (const control of this.controls.values()) control.begin();
    this.node.scrollTop = 0;
  }

  /** @param {import("./answer.js").Answer} answer */
  draw(answer) {
    if (this.question !== answer.question) this.open(answer.question);
    const { skip } = answer.value;
    const { unsure, rationale, confidence } = answer.given;
    this.control.draw(answer.given);
    this.unsure.classList.toggle("on", unsure);
    this.unsure.setAttribute("aria-pressed", String(unsure));
    this.skip.classList.toggle("on", skip !== null);
    this.skip.setAttribute("aria-pressed", String(skip !== null));
    this.levels.forEach((button, n) => {
      button.classList.toggle("on", confidence === n + 1);
      button.setAttribute("aria-checked", String(confidence === n + 1));
    });
    if (this.rationale.value !== rationale) this.rationale.value = rationale;
    this.drawEvidence(answer.given);
    const said = [skip !== null ? `skip: ${skip}` : null, answer.flagged !== null ? `flagged: ${answer.flagged}` : null].filter(Boolean);
    this.said.hidden = said.length === 0;
    this.said.replaceChildren(...said.map((line) => element("div", {}, line)));
    this.drawOthers(answer);
  }

  open(question) {
    this.question = question;
    this.ask.replaceChildren(visible(question.ask));
    this.control = this.controls.get(question.id);
    this.place.replaceChildren(this.control.node);
    this.evidence.hidden = question.evidence === "none";
    this.panel.setAttribute("data-id", question.id);
  }

  /** The questions before and after the one in work, each with its answer, and what Enter does now. */
  drawOthers(answer) {
    const more = answer.questions.length > 1;
    const last = !more || answer.value.skip !== null || !answer.asked.some((question) => question !== this.question && missing(question, answer.value.given[question.id]));
    const words = last ? "Submit" : "Next";
    if (this.submitWords.textContent !== words) this.submitWords.textContent = words;
    if (!more) return;
    const questions = answer.asked;
    const here = questions.indexOf(this.question);
    const line = (question, n) => {
      const given = answer.value.given[question.id];
      const state = missing(question, given) ? "open" : "answered";
      return element("button", { class: `other ${state}`, type: "button", "data-rj": "question", "data-id": question.id, "data-state": state, onclick: () => this.command("turn", question.id) },
        element("span", { class: "number" }, String(n + 1)), element("span", { class: "asked" }, visible(question.ask)), element("bdi", { class: "given" }, inWords(given) || "–"));
    };
    this.ask.setAttribute("data-number", here + 1);
    this.before.replaceChildren(...questions.slice(0, here).map(line));
    this.after.replaceChildren(...questions.slice(here + 1).map((question, n) => line(question, here + 1 + n)));
  }

  drawEvidence(given) {
    if (this.question.evidence === "none") return;
    const { choice, evidence } = given;
    const first = this.question.evidence === "first";
    const asked = asksForStep(this.question, given);
    const steps = evidence.flatMap((step, n) => [n ? ", " : "", element("button", { type: "button", onclick: () => this.command("goTo", step) }, String(step + 1))]);
    const name = first ? "first failing step" : evidence.length === 1 ? "evidence: step" : "evidence";
    this.evidence.classList.toggle("idle", !asked || evidence.length === 0);
    const hint = first && !asked && choice !== null ? `not asked for “${choice}”` : evidence.length ? "j k to move, e to mark" : "e marks a step";
    this.evidence.replaceChildren(element("span", { "aria-hidden": "true" }, "⚑"),
      element("span", {}, `${name}${asked && evidence.length ? (first ? ": " : " ") : ""}`, ...(asked ? steps : [])), element("span", { class: "soft" }, `· ${hint}`));
  }
}
