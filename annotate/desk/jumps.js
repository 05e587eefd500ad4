/** Where to jump in a trajectory: the steps of each sort that one looks for. */
import { isError, partyOf } from "./speakers.js";

/** What can be jumped to, by name: which key goes on and which back is in `keys.js`. */
const WANTED = {
  call: (step) => step.kind === "tool_call",
  error: isError,
  message: (step) => step.kind === "message",
};

export class Jumps {
  /** @param {object[]} steps @param {Set<string>} cast */
  constructor(steps, cast) {
    this.steps = steps;
    this.cast = cast;
    this.found = {};
  }

  /** @returns {number[]} the steps of this sort */
  all(what) {
    this.found[what] ??= this.steps.flatMap((step, index) => (WANTED[what](step) ? [index] : []));
    return this.found[what];
  }

  /** @returns {number|null} the next one after `from`, or before it */
  next(what, from, direction) {
    const all = this.all(what);
    const found = direction > 0 ? all.find((index) => index > from) : all.findLast((index) => index < from);
    return found ?? null;
  }

  /** What the agent said last: mostly the last step, but a run may end with somebody else's word or with a result. */
  get answer() {
    const found = this.steps.findLastIndex((step) => step.kind === "message" && partyOf(step.speaker, this.cast) === "agent");
    return found < 0 ? this.steps.length - 1 : found;
  }
}
