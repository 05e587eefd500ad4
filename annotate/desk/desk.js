/**
 * The labelling desk. Items come by GET and lie ready before they are wanted; a key press shows the next one at once and
 * the label goes out behind it. This module joins the parts; each of them knows one thing.
 */
import { Answer } from "./answer.js";
import { Chooser } from "./chooser.js";
import { Clock } from "./clock.js";
import { drawCodebook } from "./codebook.js";
import { COMMANDS } from "./commands.js";
import { Drafts } from "./drafts.js";
import { Form } from "./form.js";
import { Frame, themeOf } from "./frame.js";
import { Help } from "./help.js";
import { listen } from "./keys.js";
import { Outbox } from "./outbox.js";
import { drawPage, pageFor } from "./pages.js";
import { watch } from "./presence.js";
import { Queue } from "./queue.js";
import { StepList } from "./steps.js";
import { Task } from "./task.js";

/** A press this soon after an item came up was meant for the one before. */
const GUARD = 350;
/** How often the server is asked for the queue, by what is on the page. */
const BEATS = { item: 60_000, waiting: 15_000, opening: 1500, signedout: 15_000 };
const NOTICE = 9000;
const NO_ANSWER = { choice: null, evidence: [], rationale: "", confidence: null, reason: null };
const SIGNED_OUT = "Signed out: open your sign-in link again";

class Desk {
  constructor(data, parent) {
    const command = (name, argument) => this.command(name, argument);
    this.parent = parent;
    this.queue = new Queue(data.base, { arrived: () => this.present(), gone: () => this.beat(), signedOut: () => this.beat() });
    this.outbox = new Outbox(data.base, `${data.study} ${data.annotator}`, { state: (state) => this.adopt(state), status: () => this.status(), refused: (events, why) => this.refused(events, why) });
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
    this.beaten = performance.now();
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
    const unlisten = listen({ command: (name, key) => this.key(name, key), typing: (key, event) => this.typing(key, event) });
    const unwatch = watch({
      touched: () => this.shown?.clock.touch(),
      hidden: () => this.hidden(),
      seen: () => this.seen(),
      left: () => this.drafts.flush(),
    });
    const ticking = setInterval(() => this.tick(), 500);
    this.stop = () => {
      unlisten();
      unwatch();
      clearInterval(ticking);
      for (const part of [this.outbox, this.drafts, this.queue, this.steps]) part.stop();
      this.frame.root.remove();
    };
  }

  // What the server says ---------------------------------------------------------------------------------------------
  adopt(state) {
    const before = this.shown?.place;
    this.queue.adopt(state, this.outbox.pending);
    this.present();
    const now = this.queue.current;
    if (before && now && now.ref !== before.ref && now.ref !== this.wanted && !this.refusing) this.say(`Item ${before.position} is no longer with you. This is your current item.`);
    this.refusing = false;
  }

  /** These events were not taken: their items are still to be answered, perhaps as something else than what was read. */
  refused(events, why) {
    this.refusing = true;
    for (const { ref } of events) this.queue.forget(ref);
    this.history = this.history.filter((ref) => !events.some((event) => event.ref === ref));
    if (events.some((event) => event.ref === this.shown?.place.ref)) this.leave();
    this.say(`Your last answer was not taken. ${why}`, { error: true, stays: true });
  }

  beat() {
    this.beaten = performance.now();
    this.outbox.send();
  }

  /** Twice a second: is it time to ask the server, and has a notice been there long enough? */
  tick() {
    const now = performance.now();
    const every = BEATS[this.outbox.signedOut ? "signedout" : this.page ?? "item"];
    if (!document.hidden && every && now - this.beaten > every) this.beat();
    if (this.noticeUntil && now > this.noticeUntil) this.say("");
  }

  hidden() {
    this.shown?.clock.stop();
    this.drafts.flush();
  }

  seen() {
    this.shown?.clock.start();
    if (this.page || this.outbox.signedOut || performance.now() - this.beaten > BEATS.item) this.beat();
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
    } else if (item) {
      this.show(place, item);
    } else {
      const saved = this.outbox.pending.length === 0;
      this.turnTo(pageFor({ place, state: this.queue.state, saved, worked: this.history.length > 0 }), saved);
    }
  }

  turnTo(name, saved) {
    if (this.page === name && this.pageSaved === saved) return;
    this.leave();
    this.page = name;
    this.pageSaved = saved;
    const back = name !== "opening" && (this.history.length || this.queue.state.last) ? () => this.undo() : null;
    this.frame.showPage(drawPage(name, { saved, back }, this.form.notice), name === "finished");
  }

  /** Put the present item away, with all that was done on it. */
  leave() {
    if (!this.shown) return;
    this.shown.clock.stop();
    this.shown.focus = this.steps.focus;
    this.shown.item = null; // the queue decides how long an item of megabytes is kept
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
    if (this.wanted === place.ref) this.say("Back at your last item. Submit it again when it is right.");
    this.wanted = null;
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
    const event = { ...NO_ANSWER, kind: "undo", ref, item_hash: item?.item_hash ?? null, active_ms: 0 };
    this.queue.apply(event);
    this.outbox.add(event);
    this.queue.prefetch();
    this.wanted = ref;
    if (!item) this.say("Going back to your last item …");
    this.present();
  }

  ask(kind, chosen) {
    this.chooser.ask(kind, (reason) => this.shown && chosen(reason));
  }

  flag(reason) {
    this.shown.answer.flagged = reason;
    this.send({ ...NO_ANSWER, kind: "flag", reason });
    this.draw();
    this.say("Reported. Now label the item, or skip it.");
  }
}

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
