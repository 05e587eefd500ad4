/** What each key or button does to the item on the page. */
import { NO_ANSWER } from "./asking.js";

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
  goTo: (desk, index) => desk.steps.go(index),
  nextCall: (desk) => desk.steps.nextCall() || desk.say("No tool call after this step."),
  open: (desk) => desk.steps.toggle(desk.steps.focus),
};
