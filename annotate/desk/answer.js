/**
 * What an annotator has said about one item so far, question by question. Every change can be taken back one by one; what
 * may be submitted is decided here, and the form only shows it.
 */
import { BLANK, NO_ANSWER, asked, missing, outgoing } from "./asking.js";

const same = (one, other) => one === other || (Array.isArray(one) && Array.isArray(other) && one.length === other.length && one.every((value, n) => value === other[n]));

export class Answer {
  /**
   * @param {object[]} questions
   * @param {object|null} draft as the server keeps it
   */
  constructor(questions, draft) {
    this.questions = questions;
    const kept = draft?.answers ?? {};
    // What is said to a question stays while its condition does not hold, but it is neither shown nor sent.
    this.value = { given: Object.fromEntries(questions.map(({ id }) => [id, { ...BLANK, ...kept[id] }])), skip: draft?.skip ?? null };
    this.at = questions[0].id;
    this.past = [];
    this.flagged = null;
  }

  /** The questions that this item is asked, as it is answered now. */
  get asked() {
    return asked(this.questions, this.value.given);
  }

  /** The question that keys and buttons mean. */
  get question() {
    return this.questions.find(({ id }) => id === this.at);
  }

  /** What is said to it. */
  get given() {
    return this.value.given[this.at];
  }

  /** @returns {boolean} whether anything changed */
  change(patch, { skip = this.value.skip } = {}) {
    const { given } = this;
    if (skip === this.value.skip && Object.keys(patch).every((key) => same(given[key], patch[key]))) return false;
    this.past.push({ value: this.value, at: this.at });
    this.set(patch, skip);
    return true;
  }

  set(patch, skip) {
    this.value = { given: { ...this.value.given, [this.at]: { ...this.given, ...patch } }, skip };
  }

  /** Typing is one change from the first letter to leaving the field. */
  type(patch, { first }) {
    if (first) this.past.push({ value: this.value, at: this.at });
    this.set(patch, "rationale" in patch ? this.value.skip : null);
  }

  /** It was submitted: coming back to it, `z` goes on to the item before and does not take it apart. */
  settle() {
    this.past = [];
  }

  undo() {
    const before = this.past.pop();
    if (before) Object.assign(this, before);
    return Boolean(before);
  }

  /** @param {object} patch the answer: `choice`, `choices`, `score` or `unsure`; anything else that was said goes */
  say(patch) {
    return this.change({ ...NO_ANSWER, ...patch }, { skip: null });
  }

  /** One of several choices, marked or taken back; the last one taken back leaves no answer, and not "none of them". */
  toggle(choice) {
    const on = new Set(this.given.choices ?? []);
    if (!on.delete(choice)) on.add(choice);
    const choices = this.question.choices.filter((name) => on.has(name));
    return this.say({ choices: choices.length ? choices : null });
  }

  skip(reason) {
    return this.change({}, { skip: reason });
  }

  nextConfidence() {
    const { confidence } = this.given;
    return this.change({ confidence: confidence === 3 ? null : (confidence ?? 0) + 1 });
  }

  /** Mark a step or take the mark back; "first" has room for one, so a second mark moves it. */
  mark(index) {
    const { evidence } = this.given;
    if (evidence.includes(index)) return this.change({ evidence: evidence.filter((step) => step !== index) });
    return this.change({ evidence: this.question.evidence === "first" ? [index] : [...evidence, index].sort((a, b) => a - b) });
  }

  /** @returns {boolean} whether there is a question that far on */
  step(by) {
    const ids = this.asked.map(({ id }) => id);
    const next = ids[ids.indexOf(this.at) + by];
    if (next !== undefined) this.at = next;
    return next !== undefined;
  }

  /**
   * What stands in the way of submitting: of the question in work, else of the next that lacks something.
   * @returns {{question: object, what: "answer"|"evidence", words: string} | null}
   */
  get missing() {
    if (this.value.skip !== null) return null;
    const questions = this.asked;
    const here = questions.findIndex(({ id }) => id === this.at);
    for (const question of [...questions.slice(here), ...questions.slice(0, here)]) {
      const lack = missing(question, this.value.given[question.id]);
      if (lack) return { question, ...lack };
    }
    return null;
  }

  draft(activeMs) {
    return { answers: this.value.given, skip: this.value.skip, active_ms: activeMs };
  }

  event() {
    const { given, skip } = this.value;
    if (skip === null) return { kind: "submit", answers: Object.fromEntries(this.asked.map((question) => [question.id, outgoing(question, given[question.id])])) };
    // What was written beside the answers is kept with a skip, so that going back to it brings it back.
    const beside = this.asked.map(({ id }) => [id, { rationale: given[id].rationale, confidence: given[id].confidence }]);
    return { kind: "skip", reason: skip, answers: Object.fromEntries(beside) };
  }
}
