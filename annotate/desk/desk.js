/**
 * The labelling desk. Items come by GET and lie ready before they are wanted; a key press shows the next one at once and
 * the label goes out behind it. This module joins the parts; each of them knows one thing.
 */
import { Answer } from "./answer.js";
import { Chooser } from "./chooser.js";
import { Clock } from "./clock.js";
import { drawCodebook } from "./codebook.js";
import { Drafts } from "./drafts.js";
import { element, keycap } from "./element.js";
import { Form } from "./form.js";
import { Frame, themeOf } from "./frame.js";
import { Help } from "./help.js";
import { listen } from "./keys.js";
import { Outbox } from "./outbox.js";
import { Queue } from "./queue.js";
import { StepList } from "./steps.js";
import { Task } from "./task.js";

/** A press this soon after an item came up was meant for the one before. */
const GUARD = 350;
/** How often the server is asked for the queue, by what is on the page. */
const BEATS = { item: 60_000, waiting: 15_000, opening: 1500, signedout: 15_000 };
const NOTICE = 9000;
const SIGNED_OUT = "Signed out: open your sign-in link again";
const INPUT = ["keydown", "pointerdown", "pointermove", "wheel"];

class Desk {
  constructor(data, parent) {
    const command = (name, argument) => this.command(name, argument);
    this.parent = parent;
    this.queue = new Queue(data.base, { arrived: () => this.present(), gone: () => this.beat(), signedOut: () => this.beat() });
    this.outbox = new Outbox(data.base, `${data.study} ${data.annotator}`, { state: (state) => this.adopt(state), status: () => this.status(), refused: (why) => this.refused(why) });
    this.drafts = new Drafts(data.base, () => this.status());
    this.chooser = new Chooser(() => this.steps.takeKeyboard());
    this.task = new Task(command);
    this.steps = new StepList({ marked: () => command("mark") });
    this.form = new Form(command, { type: (text, how) => this.edit((answer) => answer.type(text, how)) }, this.chooser.node);
    this.help = new Help(() => this.steps.takeKeyboard());
    this.frame = new Frame(command, { task: this.task.node, steps: this.steps.scroller, form: this.form.node, help: this.help.node });
    this.work = new Map(); // ref → what was answered so far, kept for going back
    this.history = []; // refs submitted in this page, latest last
    this.shown = null;
    this.page = null;
    parent.append(this.frame.root);
    this.update(data);
    this.listen();
    this.adopt(data.state);
    this.status();
    if (this.outbox.pending.length) this.outbox.send();
  }

  /** New data from the script: a theme switch, an edited codebook. The queue has moved on since; only the server knows it. */
  update(data) {
    this.frame.root.dataset.theme = themeOf(this.parent);
    const told = JSON.stringify(data);
    if (told === this.told) return;
    const again = this.told !== undefined;
    this.told = told;
    this.question = data.question;
    this.frame.name(data);
    this.form.setQuestion(data.question);
    this.frame.book.replaceChildren(...drawCodebook(data.codebook));
    if (this.shown) this.draw();
    if (again) this.beat();
  }

  listen() {
    const stop = listen({ command: (name, key) => this.key(name, key), typing: (key, event) => this.typing(key, event) });
    const touch = () => this.shown?.clock.touch();
    const seen = () => this.visibility();
    const left = () => this.drafts.flush();
    for (const name of INPUT) window.addEventListener(name, touch, { capture: true, passive: true });
    document.addEventListener("visibilitychange", seen);
    window.addEventListener("pagehide", left);
    const tick = setInterval(() => this.tick(), 500);
    this.stop = () => {
      stop();
      for (const name of INPUT) window.removeEventListener(name, touch, { capture: true });
      document.removeEventListener("visibilitychange", seen);
      window.removeEventListener("pagehide", left);
      clearInterval(tick);
      for (const part of [this.outbox, this.drafts, this.queue]) part.stop();
      this.steps.remove();
      this.frame.root.remove();
    };
  }

  // What the server says ---------------------------------------------------------------------------------------------
  adopt(state) {
    const before = this.shown?.place;
    this.queue.adopt(state, this.outbox.pending);
    this.present();
    const now = this.queue.current;
    if (before && now && now.ref !== before.ref && !this.refusing) this.say(`Item ${before.position} is no longer with you. This is your current item.`);
    this.refusing = false;
  }

  refused(why) {
    this.refusing = true;
    this.history = this.history.filter((ref) => !this.queue.state.queue.some((place) => place.ref === ref));
    this.say(`Your last answer was not taken: ${why}`, { error: true, stays: true });
  }

  beat() {
    this.beaten = performance.now();
    this.outbox.send();
  }

  /** Twice a second: is it time to ask the server, and has a notice been there long enough? */
  tick() {
    const now = performance.now();
    const every = BEATS[this.outbox.signedOut ? "signedout" : this.page ?? "item"];
    if (!document.hidden && every && now - (this.beaten ?? 0) > every) this.beat();
    if (this.noticeUntil && now > this.noticeUntil) this.say("");
  }

  visibility() {
    if (document.hidden) {
      this.shown?.clock.stop();
      this.drafts.flush();
    } else {
      this.shown?.clock.start();
      if (this.page || performance.now() - (this.beaten ?? 0) > BEATS.item) this.beat();
    }
  }

  status() {
    const both = [this.outbox.status, this.drafts.status];
    const status = both.includes("unsaved") ? "unsaved" : both.includes("saving") ? "saving" : "saved";
    this.frame.status(status, this.outbox.signedOut ? "not saved, signed out" : undefined);
    if (this.outbox.signedOut) this.say(SIGNED_OUT, { error: true, stays: true });
    else if (this.form.notice.textContent === SIGNED_OUT) this.say("");
    if (this.page) this.present();
  }

  // What is on the page ----------------------------------------------------------------------------------------------
  /** Show what the queue has first, if it is not on the page already. */
  present() {
    const place = this.queue.current;
    const item = place && this.queue.item(place.ref);
    if (item && this.shown?.place.ref === place.ref) {
      this.shown.place = place;
      this.frame.place(place);
    } else if (item) this.show(place, item);
    else this.turnTo(this.pageFor(place));
  }

  pageFor(place) {
    const { finished, waiting, last } = this.queue.state;
    const saved = this.outbox.pending.length === 0;
    if (place || (!saved && !finished)) return "opening";
    if (waiting) return "waiting";
    return last === null && this.history.length === 0 ? "empty" : "finished";
  }

  turnTo(name) {
    const saved = this.outbox.pending.length === 0;
    if (this.page === name && this.pageSaved === saved) return;
    this.leave();
    this.page = name;
    this.pageSaved = saved;
    const back = element("button", { class: "quiet", type: "button", "data-rj": "undo", onclick: () => this.command("undo") }, keycap("z"), "go back to the last item");
    const pages = {
      finished: { title: "This batch is done", lines: [saved ? "Every answer is saved. Thank you." : "Your last answers are still on their way; please leave this page open until they are saved."], button: back },
      waiting: { title: "Nothing to label at the moment", lines: ["Others hold the last items. This page looks again by itself."], button: this.history.length || this.queue.state.last ? back : null },
      empty: { title: "No batch is open for you", lines: ["There is nothing to label yet. Whoever runs the study can tell you when there is."] },
      opening: { title: "Opening the next item …", lines: [] },
    };
    this.frame.showPage({ name, ...pages[name] }, this.form.notice);
  }

  /** Put the present item away, with all that was done on it. */
  leave() {
    if (!this.shown) return;
    this.shown.clock.stop();
    this.shown.focus = this.steps.focus;
    if (this.chooser.open) this.chooser.close();
    this.shown = null;
  }

  show(place, item) {
    this.leave();
    this.page = null;
    let work = this.work.get(place.ref);
    if (!work) {
      work = { answer: new Answer(item.draft), clock: new Clock(item.draft?.active_ms ?? 0), focus: 0 };
      this.work.set(place.ref, work);
    }
    work.place = place;
    work.item = item;
    this.shown = work;
    this.form.node.querySelector(".acts").before(this.form.notice);
    this.frame.showItem();
    this.task.show(item.task, item.metadata ?? []);
    this.steps.show(item.steps, { focus: work.focus, evidence: work.answer.value.evidence, markable: this.question.evidence !== "none" });
    this.frame.place(place);
    this.form.node.scrollTop = 0;
    this.draw();
    if (!this.help.open) this.steps.takeKeyboard();
    work.clock.start();
    this.since = performance.now();
  }

  draw() {
    this.form.draw(this.shown.answer);
    this.steps.setEvidence(this.shown.answer.value.evidence);
  }

  /** @param {{error?: boolean, stays?: boolean}} [how] `stays`: until something is done about it */
  say(words, { error = false, stays = false } = {}) {
    this.form.say(words, { error });
    this.noticeUntil = words && !stays ? performance.now() + NOTICE : 0;
  }

  // What the annotator does ------------------------------------------------------------------------------------------
  key(name, key) {
    if (this.help.open) {
      if (name === "escape" || name === "help") this.help.close();
    } else if (this.chooser.open && name !== "help") {
      // The field of the chooser has lost the focus; the keys still mean the chooser.
      if (!this.chooser.key(name === "escape" ? "Escape" : key, { repeat: false })) this.chooser.field.focus();
    } else this.command(name, key);
  }

  typing(key, event) {
    if (event.composedPath()[0] === this.chooser.field) return this.chooser.key(key, event);
    if (key === "Escape") this.steps.takeKeyboard();
    else if (key === "Ctrl+Enter") {
      if (!event.repeat) this.command("submit");
    } else return false;
    return true;
  }

  command(name, argument) {
    if (name === "help") this.help.show();
    else if (name === "undo") this.undo();
    else if (this.shown && COMMANDS[name]) COMMANDS[name](this, argument);
  }

  /** Change the answer, show it, and have its draft saved. */
  edit(change) {
    if (!this.shown || change(this.shown.answer) === false) return;
    if (this.noticeUntil) this.say("");
    this.draw();
    this.saveDraft();
  }

  saveDraft() {
    const { place, item, answer, clock } = this.shown;
    this.drafts.note(place.ref, () => ({ ref: place.ref, item_hash: item.item_hash, draft: answer.draft(clock.read()) }));
  }

  submit() {
    if (performance.now() - this.since < GUARD) return;
    const { answer, place } = this.shown;
    const missing = answer.missing(this.question);
    if (missing) {
      this.say(missing.words);
      if (missing.what === "choice") this.form.buttons[0].focus({ preventScroll: true });
      else this.steps.takeKeyboard();
      return;
    }
    this.say("");
    this.drafts.forget(place.ref);
    this.history.push(place.ref);
    this.send(answer.event(this.question));
    this.present();
  }

  /** An event about the item on the page, out and into the queue. */
  send(event) {
    const { place, item, clock } = this.shown;
    const whole = { ...event, ref: place.ref, item_hash: item.item_hash, active_ms: clock.read() };
    this.queue.apply(whole);
    this.outbox.add(whole);
    this.beaten = performance.now();
  }

  undo() {
    if (this.shown?.answer.undo()) {
      this.draw();
      this.saveDraft();
      return;
    }
    const ref = this.history.pop() ?? this.queue.state.last;
    if (!ref) {
      this.say("There is nothing to undo.");
      return;
    }
    if (this.shown?.place.ref === ref || this.outbox.pending.some((event) => event.kind === "undo" && event.ref === ref)) return;
    const item = this.queue.item(ref);
    const event = { kind: "undo", ref, item_hash: item?.item_hash ?? null, choice: null, evidence: [], rationale: "", confidence: null, reason: null, active_ms: 0 };
    this.queue.apply(event);
    this.outbox.add(event);
    this.queue.prefetch();
    this.present();
    this.say(item ? "Back at your last item. Submit it again when it is right." : "Going back to your last item …");
  }

  ask(kind, chosen) {
    this.chooser.ask(kind, (reason) => this.shown && chosen(reason));
  }

  flag(reason) {
    this.shown.answer.flagged = reason;
    this.send({ kind: "flag", choice: null, evidence: [], rationale: "", confidence: null, reason });
    this.draw();
    this.say("Reported. Now label the item, or skip it.");
  }
}

/** What each key or button does to the item on the page. */
const COMMANDS = {
  choose: (desk, key) => {
    const choice = desk.question.choices[key - 1];
    if (choice !== undefined) desk.edit((answer) => answer.choose(choice));
  },
  unsure: (desk) => desk.edit((answer) => answer.unsure()),
  confidence: (desk) => desk.edit((answer) => answer.nextConfidence()),
  setConfidence: (desk, level) => desk.edit((answer) => answer.change({ confidence: answer.value.confidence === level ? null : level })),
  mark: (desk) => {
    if (desk.question.evidence !== "none") desk.edit((answer) => answer.mark(desk.steps.focus, desk.question.evidence));
  },
  skip: (desk) => desk.ask("skip", (reason) => desk.edit((answer) => answer.skip(reason))),
  flag: (desk) => desk.ask("flag", (reason) => desk.flag(reason)),
  submit: (desk) => desk.submit(),
  rationale: (desk) => desk.form.rationale.focus(),
  down: (desk) => desk.steps.move(1),
  up: (desk) => desk.steps.move(-1),
  first: (desk) => desk.steps.go(0),
  last: (desk) => desk.steps.go(desk.steps.steps.length - 1),
  goTo: (desk, index) => desk.steps.go(index),
  nextCall: (desk) => desk.steps.nextCall() || desk.say("No tool call after this step."),
  open: (desk) => desk.steps.toggle(desk.steps.focus),
};

const desks = new WeakMap();

/** Mount the desk, or tell the one that is there what has changed. Streamlit calls this on every change of data or theme. */
export default function ({ data, parentElement }) {
  let desk = desks.get(parentElement);
  if (desk) desk.update(data);
  else {
    desk = new Desk(data, parentElement);
    desks.set(parentElement, desk);
  }
  return () =>
    setTimeout(() => {
      // Streamlit also cleans up after calls that were overtaken: only a desk that has left the page is taken down.
      if (parentElement.isConnected) return;
      desks.get(parentElement)?.stop();
      desks.delete(parentElement);
    });
}
