/**
 * What an annotator has said about one item so far. Every change can be taken back one by one; what may be submitted is
 * decided here, and the form only shows it.
 */

const BLANK = { choice: null, unsure: false, skip: null, evidence: [], rationale: "", confidence: null };

export class Answer {
  /** @param {object|null} draft as the server keeps it */
  constructor(draft) {
    const { action = null, choice = null, evidence = [], rationale = "", confidence = null, reason = "" } = draft ?? {};
    this.value = { ...BLANK, choice, unsure: action === "unsure", skip: action === "skip" ? reason : null, evidence, rationale, confidence };
    this.past = [];
    this.flagged = null;
  }

  /** @returns {boolean} whether anything changed */
  change(patch) {
    if (Object.keys(patch).every((key) => this.value[key] === patch[key])) return false;
    this.past.push(this.value);
    this.value = { ...this.value, ...patch };
    return true;
  }

  /** Typing is one change from the first letter to leaving the field. */
  type(rationale, { first }) {
    if (first) this.past.push(this.value);
    this.value = { ...this.value, rationale };
  }

  /** It was submitted: coming back to it, `z` goes on to the item before and does not take it apart. */
  settle() {
    this.past = [];
  }

  undo() {
    const before = this.past.pop();
    if (before) this.value = before;
    return Boolean(before);
  }

  choose(choice) {
    return this.change({ choice, unsure: false, skip: null });
  }

  unsure() {
    return this.change({ choice: null, unsure: true, skip: null });
  }

  skip(reason) {
    return this.change({ choice: null, unsure: false, skip: reason });
  }

  nextConfidence() {
    return this.change({ confidence: { 1: 2, 2: 3, 3: null }[this.value.confidence] ?? (this.value.confidence === null ? 1 : null) });
  }

  /** Mark a step or take the mark back; "first" has room for one, so a second mark moves it. */
  mark(index, rule) {
    const { evidence } = this.value;
    if (evidence.includes(index)) return this.change({ evidence: evidence.filter((step) => step !== index) });
    return this.change({ evidence: rule === "first" ? [index] : [...evidence, index].sort((a, b) => a - b) });
  }

  /** @returns {"label"|"unsure"|"skip"|null} */
  get kind() {
    if (this.value.skip !== null) return "skip";
    if (this.value.unsure) return "unsure";
    return this.value.choice === null ? null : "label";
  }

  /** "First failing step" is asked for the positive choice alone. */
  asksForStep(question) {
    const { choice, unsure } = this.value;
    if (question.evidence === "first") return choice === question.positive || (unsure && this.value.evidence.length > 0);
    return question.evidence !== "none";
  }

  /** @returns {{what: "choice"|"evidence", words: string} | null} what stands in the way of submitting */
  missing(question) {
    if (this.kind === null) return { what: "choice", words: "Choose an answer first, or u for unsure." };
    if (this.kind !== "label" || this.value.evidence.length > 0) return null;
    if (question.evidence === "first" && this.value.choice === question.positive)
      return { what: "evidence", words: "Mark the first failing step: move with j k, mark with e." };
    if (question.evidence === "any") return { what: "evidence", words: "Mark at least one step: move with j k, mark with e." };
    return null;
  }

  draft(activeMs) {
    const { choice, evidence, rationale, confidence, skip } = this.value;
    return { action: this.kind, choice, evidence, rationale, confidence, reason: skip, active_ms: activeMs };
  }

  event(question) {
    const { choice, evidence, rationale, confidence, skip } = this.value;
    return { kind: this.kind, choice, evidence: this.asksForStep(question) ? evidence : [], rationale, confidence, reason: skip };
  }
}
