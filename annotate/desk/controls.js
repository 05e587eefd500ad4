/**
 * What a question is answered with, by its type: choices, of which one or several hold, a short scale, or a number.
 * Each has a `node`, draws what was said, and takes the keys that mean an answer.
 */
import { element, keycap } from "./element.js";
import { visible } from "./text.js";

/** Choices that have a digit at a time. */
const KEYED = 9;
/** Digits that follow each other this fast are one number. */
const TOGETHER = 900;

/**
 * @param {object} question
 * @param {(name: string, argument: any) => void} command
 * @returns {Choices|Scale|NumberField}
 */
export function controlFor(question, command) {
  if (question.type !== "score") return new Choices(question, command);
  return question.scale.length ? new Scale(question, command) : new NumberField(question, command);
}

class Choices {
  constructor(question, command) {
    this.question = question;
    this.command = command;
    this.several = question.type === "multilabel";
    this.from = 0;
    const role = this.several ? "checkbox" : "radio";
    const end = (n) => question.type === "ordinal" && question.choices.length > 2 && ({ 0: "lowest", [question.choices.length - 1]: "highest" })[n];
    this.buttons = question.choices.map((choice, n) =>
      element("button", { class: "choice", type: "button", role, "data-rj": "choice", onclick: () => this.choose(n) },
        element("kbd", { "aria-hidden": "true" }), element("bdi", {}, visible(choice)), end(n) ? element("span", { class: "end", "aria-hidden": "true" }, end(n)) : null));
    this.none = element("button", { class: "choice none", type: "button", role, "data-rj": "none", "data-key": 0, onclick: () => this.choose(null) }, keycap("0"), element("bdi", {}, "none of them"));
    this.more = element("button", { class: "link", type: "button", "data-rj": "more-choices", onclick: () => this.turn() });
    const paged = question.choices.length > KEYED;
    const attributes = { class: `choices${question.choices.length > 5 ? " many" : ""}${paged ? " paged" : ""}`, role: this.several ? "group" : "radiogroup", "aria-labelledby": "rj-ask" };
    this.node = element("div", attributes, paged ? this.more : null, ...this.buttons, this.several ? this.none : null);
    this.dress();
  }

  draw({ choice, choices }) {
    this.buttons.forEach((button, n) => mark(button, this.several ? (choices ?? []).includes(this.question.choices[n]) : this.question.choices[n] === choice));
    mark(this.none, choices?.length === 0);
    this.isNone = choices?.length === 0;
  }

  press(key) {
    if (key === "0" && this.several) this.choose(null);
    else if (/^[1-9]$/.test(key) && this.from + Number(key) <= this.buttons.length) this.choose(this.from + Number(key) - 1);
  }

  choose(n) {
    if (n === null) this.command("say", { choices: this.isNone ? null : [] });
    else if (this.several) this.command("toggle", this.question.choices[n]);
    else this.command("say", { choice: this.question.choices[n] });
  }

  /** The digits mean the next nine. */
  turn() {
    if (this.buttons.length <= KEYED) return;
    this.from = this.from + KEYED < this.buttons.length ? this.from + KEYED : 0;
    this.dress();
    this.buttons[Math.min(this.from + KEYED, this.buttons.length) - 1].scrollIntoView({ block: "nearest" });
    this.buttons[this.from].scrollIntoView({ block: "nearest" });
  }

  /** The first nine again: a new item begins as every item does. */
  begin() {
    if (this.from === 0) return;
    this.from = 0;
    this.dress();
  }

  dress() {
    this.buttons.forEach((button, n) => {
      const key = n - this.from + 1;
      const keyed = key >= 1 && key <= KEYED;
      button.firstChild.textContent = keyed ? key : "";
      button.classList.toggle("unkeyed", !keyed);
      for (const name of ["data-key", "aria-keyshortcuts"]) {
        if (keyed) button.setAttribute(name, key);
        else button.removeAttribute(name);
      }
    });
    const next = this.from + KEYED < this.buttons.length ? this.from + KEYED : 0;
    this.more.replaceChildren(keycap("p"), ` digits for ${next + 1}–${Math.min(next + KEYED, this.buttons.length)}`);
  }

  focus() {
    this.buttons[this.from].focus({ preventScroll: true });
  }
}

/** Whole numbers side by side. A digit picks its number; 1 and 0 in a row pick ten, - and 2 minus two. */
class Scale {
  constructor({ scale }, command) {
    this.scale = scale;
    this.command = command;
    this.typed = { text: "", at: 0 };
    this.buttons = scale.map((score) =>
      element("button", { class: "score", type: "button", role: "radio", "data-rj": "choice", "data-key": score, onclick: () => command("say", { score }) }, String(score)));
    this.node = element("div", { class: "scale", role: "radiogroup", "aria-labelledby": "rj-ask" }, ...this.buttons);
  }

  draw({ score }) {
    this.score = score;
    this.buttons.forEach((button, n) => mark(button, this.scale[n] === score));
  }

  press(key) {
    const now = performance.now();
    const longer = now - this.typed.at < TOGETHER ? this.typed.text + key : key;
    const text = this.scale.includes(Number(longer)) ? longer : key;
    this.typed = { text, at: now };
    if (text !== "-" && this.scale.includes(Number(text))) this.command("say", { score: Number(text) });
  }

  step(by) {
    const place = this.scale.indexOf(this.score);
    const next = place < 0 ? (by > 0 ? 0 : this.scale.length - 1) : Math.max(0, Math.min(place + by, this.scale.length - 1));
    this.command("say", { score: this.scale[next] });
  }

  begin() {
    this.typed.text = "";
  }

  focus() {
    this.buttons[0].focus({ preventScroll: true });
  }
}

/** A number that is typed; the first digit takes the keyboard into the field. */
class NumberField {
  constructor({ min, max }, command) {
    Object.assign(this, { min, max, command });
    this.field = element("input", {
      class: "number", type: "text", inputmode: "decimal", autocomplete: "off", maxlength: 24, role: "spinbutton", "data-rj": "score",
      "aria-labelledby": "rj-ask", "aria-describedby": "rj-range", "aria-valuemin": min, "aria-valuemax": max,
    });
    this.field.addEventListener("focus", () => (this.first = true));
    this.field.addEventListener("input", () => this.type());
    this.range = element("span", { class: "soft", id: "rj-range" }, `from ${min} to ${max}`);
    this.node = element("div", { class: "entry" }, this.field, this.range);
  }

  /** @returns {number|null} what stands in the field, where it is a score */
  get read() {
    const text = this.field.value.trim().replace(",", ".").replace("−", "-");
    const number = text === "" ? NaN : Number(text);
    return number >= this.min && number <= this.max ? number : null;
  }

  draw({ score }) {
    // What is being typed stays as it is typed, also where it is no score yet.
    if (!this.typing || this.read !== score) this.field.value = score ?? "";
    this.check(score);
  }

  get typing() {
    return this.field.getRootNode().activeElement === this.field;
  }

  check(score) {
    if (score === null) this.field.removeAttribute("aria-valuenow");
    else this.field.setAttribute("aria-valuenow", score);
    const wrong = score === null && this.field.value.trim() !== "";
    this.field.setAttribute("aria-invalid", String(wrong));
    this.node.classList.toggle("wrong", wrong);
  }

  type() {
    this.command("typeScore", { score: this.read, first: this.first });
    this.first = false;
  }

  press(key) {
    this.field.focus({ preventScroll: true });
    this.field.value = key;
    this.type();
  }

  step(by) {
    const width = Number.isInteger(this.min) && Number.isInteger(this.max) && this.max - this.min > 1 ? 1 : (this.max - this.min) / 20;
    const next = (this.read ?? (by > 0 ? this.min - width : this.max + width)) + by * width;
    this.command("say", { score: Math.max(this.min, Math.min(this.max, Number(next.toPrecision(12)))) });
  }

  begin() {
    this.field.value = "";
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }
}

function mark(button, on) {
  button.classList.toggle("on", on);
  button.setAttribute("aria-checked", String(on));
}
