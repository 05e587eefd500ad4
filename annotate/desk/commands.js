/** What each key or button does to the item on the page. */
import { NO_ANSWER } from "./asking.js";

const jump = (what, direction, words) => (desk) => {
  const next = desk.showing.jumps.next(what, desk.steps.focus, direction);
  if (next !== null) desk.steps.go(next);
  else desk.say(`No ${words} ${direction > 0 ? "after" : "before"} this step.`);
};

/** @type {Object<string, (desk: object, argument?: any) => void>} */
export const COMMANDS = {
  choose: (desk, key) => desk.form.control.press(key),
  moreChoices: (desk) => desk.form.control.turn?.(),
  less: (desk) => desk.form.control.step?.(-1),
  greater: (desk) => desk.form.control.step?.(1),
  say: (desk, said) => desk.answering.edit((answer) => answer.say(said)),
  toggle: (desk, choice) => desk.answering.edit((answer) => answer.toggle(choice)),
  typeScore: (desk, { score, first }) => desk.answering.edit((answer) => answer.type({ ...NO_ANSWER, score }, { first })),
  unsure: (desk) => desk.answering.edit((answer) => answer.say({ unsure: true })),
  turn: (desk, id) => desk.answering.turn(id),
  confidence: (desk) => desk.answering.edit((answer) => answer.nextConfidence()),
  setConfidence: (desk, level) => desk.answering.edit((answer) => answer.change({ confidence: answer.given.confidence === level ? null : level })),
  mark: (desk) => {
    if (desk.shown.answer.question.evidence === "none") desk.say("This question asks for no evidence.");
    else desk.answering.edit((answer) => answer.mark(desk.steps.focus));
  },
  skip: (desk) => desk.answering.ask("skip", (reason) => desk.answering.edit((answer) => answer.skip(reason))),
  flag: (desk) => desk.answering.ask("flag", (reason) => desk.answering.flag(reason)),
  submit: (desk) => desk.answering.submit(),
  rationale: (desk) => desk.form.rationale.focus(),
  down: (desk) => desk.steps.move(1),
  up: (desk) => desk.steps.move(-1),
  first: (desk) => desk.steps.go(0),
  last: (desk) => desk.steps.go(desk.steps.steps.length - 1),
  nextCall: jump("call", 1, "tool call"),
  previousCall: jump("call", -1, "tool call"),
  nextError: jump("error", 1, "error"),
  previousError: jump("error", -1, "error"),
  nextMessage: jump("message", 1, "message"),
  previousMessage: jump("message", -1, "message"),
  goTo: (desk, index) => desk.steps.go(index),
  answer: (desk) => desk.steps.go(desk.showing.jumps.answer),
  partner: (desk) => desk.steps.goToPartner() || desk.say("This step has no call or result to go to."),
  search: (desk) => desk.search.show(),
  escape: (desk) => desk.search.close(),
  open: (desk) => desk.steps.unfold(desk.steps.focus, "next"),
  openAll: (desk) => desk.steps.unfold(desk.steps.focus, "all"),
};
