/** What each key or button does to the item on the page. */

/** @type {Object<string, (desk: object, argument?: any) => void>} */
export const COMMANDS = {
  choose: (desk, key) => {
    const choice = desk.question.choices[key - 1];
    if (choice !== undefined) desk.answering.edit((answer) => answer.choose(choice));
  },
  unsure: (desk) => desk.answering.edit((answer) => answer.unsure()),
  confidence: (desk) => desk.answering.edit((answer) => answer.nextConfidence()),
  setConfidence: (desk, level) => desk.answering.edit((answer) => answer.change({ confidence: answer.value.confidence === level ? null : level })),
  mark: (desk) => {
    if (desk.question.evidence === "none") desk.say("This question asks for no evidence.");
    else desk.answering.edit((answer) => answer.mark(desk.steps.focus, desk.question.evidence));
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
