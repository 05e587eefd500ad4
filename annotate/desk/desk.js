/**
 * The labelling desk. Items come by GET and lie ready before they are wanted; a key press shows the next one at once and
 * the label goes out behind it. This module joins the parts; each of them knows one thing.
 */
import { Answering } from "./answering.js";
import { Chooser } from "./chooser.js";
import { COMMANDS } from "./commands.js";
import { Drafts } from "./drafts.js";
import { Form } from "./form.js";
import { Frame, themeOf } from "./frame.js";
import { Help } from "./help.js";
import { JumpBar } from "./jump_bar.js";
import { listen } from "./keys.js";
import { Minimap } from "./minimap.js";
import { Notice } from "./notice.js";
import { Outbox } from "./outbox.js";
import { pageFor } from "./pages.js";
import { Reopening, differs } from "./pin.js";
import { watch } from "./presence.js";
import { Queue } from "./queue.js";
import { keepQuiet } from "./quiet.js";
import { Search } from "./search.js";
import { Showing } from "./showing.js";
import { StepList } from "./steps.js";
import { Task } from "./task.js";

/** How often the server is asked for the queue, by what is on the page. */
const BEATS = { item: 60_000, finished: 60_000, empty: 60_000, waiting: 15_000, opening: 1500, signedout: 15_000 };
/** How long unfinished work may hold up opening the page anew. */
const LAST_DRAFTS = 5000;
const NEW_PIN = "The question or its codebook page has changed. Please read both again.";
const STALE_PIN = "The question or its codebook page has changed. Reload this page to see both.";

class Desk {
  constructor(data, parent) {
    const command = (name, argument) => this.command(name, argument);
    const owner = data.owner ?? JSON.stringify([data.study, data.annotator]);
    this.parent = parent;
    this.queue = new Queue(data.base, { arrived: () => this.present(), gone: () => this.beat(), signedOut: () => this.beat() });
    this.outbox = new Outbox(data.base, owner, { state: (state) => this.adopt(state), status: () => this.status(), refused: (events, why) => this.refused(events, why) });
    this.drafts = new Drafts(data.base, { status: () => this.status(), held: (ref) => this.answering.undoing(ref), refresh: (ref) => this.queue.refresh(ref), dropped: (ref) => this.dropped(ref) });
    this.reopening = new Reopening(owner);
    this.notice = new Notice();
    this.chooser = new Chooser(() => this.steps.takeKeyboard());
    this.bar = new JumpBar(command);
    this.task = new Task(this.bar.node);
    this.steps = new StepList({ marked: () => command("mark"), changed: () => this.map?.draw() });
    this.map = new Minimap(this.steps, (index) => this.steps.go(index));
    this.search = new Search(this.steps, () => this.map.draw());
    this.form = new Form(command, { type: (rationale, how) => this.answering.edit((answer) => answer.type({ rationale }, how)) }, this.chooser.node);
    this.help = new Help(() => this.steps.takeKeyboard());
    this.frame = new Frame(command, { task: this.task.node, search: this.search.node, steps: this.steps.scroller, map: this.map.node, form: this.form.node, help: this.help.node });
    this.showing = new Showing(this);
    this.answering = new Answering(this);
    this.trouble = ""; // what stands in the notice because of the outbox
    this.beaten = performance.now();
    parent.append(this.frame.root);
    this.update(data);
    this.listen();
    this.adopt(data.state);
    this.status();
    if (this.reopening.arrived(this.pin)) this.say(NEW_PIN);
    if (this.outbox.pending.length) this.outbox.send();
  }

  /** What was done so far on the item that is on the page. */
  get shown() {
    return this.showing.work;
  }

  /** New data from the script: a theme switch, a server that was started again. The queue has moved on since; only the server knows it. */
  update(data) {
    this.frame.root.dataset.theme = themeOf(this.parent);
    this.map.recolour();
    const told = JSON.stringify(data);
    if (told === this.told) return;
    const again = this.told !== undefined;
    this.told = told;
    if (differs(this.pin, data.pin) && this.reopen(data.pin)) return;
    this.pin = data.pin;
    this.notice.takeBack(STALE_PIN);
    this.questions = data.questions;
    this.frame.name(data);
    this.form.setQuestions(data.questions);
    if (this.shown) this.showing.draw();
    if (again) this.beat();
  }

  listen() {
    const unlisten = listen({ command: (name, key) => this.key(name, key), typing: (key, event) => this.typing(key, event), tab: (back) => this.tab(back) });
    const unwatch = watch({
      touched: () => this.shown?.clock.touch(),
      hidden: () => this.hidden(),
      seen: () => this.seen(),
      left: () => this.drafts.flush(),
    });
    const unhush = keepQuiet();
    const ticking = setInterval(() => this.tick(), 500);
    this.stop = () => {
      unlisten();
      unwatch();
      unhush();
      clearInterval(ticking);
      for (const part of [this.outbox, this.drafts, this.queue, this.task, this.steps, this.map, this.search]) part.stop();
      this.frame.root.remove();
    };
  }

  // What the server says ---------------------------------------------------------------------------------------------
  adopt(state) {
    const before = this.shown?.place;
    this.queue.adopt(state, this.outbox.pending);
    this.present();
    const now = this.queue.current;
    if (before && now && now.ref !== before.ref && now.ref !== this.answering.wanted && !this.refusing) this.say(`Item ${before.position} is no longer with you. This is your current item.`);
    this.refusing = false;
    this.drafts.adopt(state.queue.map(({ ref }) => ref));
    if (differs(this.pin, state.pin) && !this.reopen(state.pin)) this.say(STALE_PIN, { stays: true });
  }

  /** @returns {boolean} whether this page is about to be opened anew; pending labels wait in the tab, drafts are sent first */
  reopen(pin) {
    return this.reopening.begin(pin, () => this.drafts.finish(LAST_DRAFTS));
  }

  /** These events were not taken: their items are still to be answered, perhaps as something else than what was read. */
  refused(events, why) {
    this.refusing = true;
    const refs = events.map(({ ref }) => ref);
    for (const ref of refs) this.queue.forget(ref);
    this.answering.forget(refs);
    if (refs.includes(this.shown?.place.ref)) this.showing.leave();
    this.say(`Your last answer was not taken. ${why}`, { error: true, stays: true });
  }

  /** A draft had to be given up, because its item is gone. */
  dropped(ref) {
    const position = this.showing.positionOf(ref);
    this.say(`What you had begun on ${position ? `item ${position}` : "an item"} was not kept: it is no longer with you.`, { stays: true });
  }

  beat() {
    this.beaten = performance.now();
    this.outbox.send();
  }

  /** Twice a second: is it time to ask the server, and has a notice been there long enough? */
  tick() {
    const now = performance.now();
    const every = BEATS[this.outbox.signedOut ? "signedout" : this.showing.page ?? "item"];
    if (!document.hidden && every && now - this.beaten > every) this.beat();
    this.notice.tick();
  }

  hidden() {
    this.shown?.clock.stop();
    this.drafts.flush();
  }

  seen() {
    this.shown?.clock.start();
    if (this.showing.page || this.outbox.signedOut || performance.now() - this.beaten > BEATS.item) this.beat();
  }

  status() {
    const both = [this.outbox.status, this.drafts.status];
    const status = both.includes("unsaved") ? "unsaved" : both.includes("saving") ? "saving" : "saved";
    this.frame.status(status, this.outbox.signedOut ? "not saved, signed out" : undefined);
    const trouble = this.outbox.signedOut ? this.outbox.signedOut : this.outbox.trouble === null ? "" : `Not saved yet. ${this.outbox.trouble}`;
    if (this.trouble && this.trouble !== trouble) this.notice.takeBack(this.trouble);
    if (trouble) this.say(trouble, { error: true, stays: true });
    this.trouble = trouble;
    if (this.showing.page) this.present();
  }

  /** Show what the queue has first, if it is not on the page already. */
  present() {
    const place = this.queue.current;
    const item = place && this.queue.item(place.ref);
    if (!item) {
      const saved = this.outbox.pending.length === 0;
      const name = pageFor({ place, state: this.queue.state, saved, worked: this.answering.history.length > 0 });
      const back = name !== "opening" && (this.answering.history.length || this.queue.state.last) ? () => this.answering.undo() : null;
      this.showing.turnTo(name, { saved, back });
    } else if (this.showing.has(place, item)) {
      this.showing.move(place);
    } else {
      this.show(place, item);
    }
  }

  show(place, item) {
    const again = this.shown?.place.ref === place.ref;
    const typing = again && this.form.typing;
    this.showing.show(place, item, { questions: this.questions, takeKeyboard: !this.help.open && !typing });
    if (again) this.say("What is shown of this item has changed: please read it again.");
    if (this.answering.wanted === place.ref) this.say("Back at your last item. Submit it again when it is right.");
    this.answering.wanted = null;
  }

  say(words, how) {
    this.notice.say(words, how);
  }

  // Keys and buttons ------------------------------------------------------------------------------------------------
  key(name, key) {
    if (this.help.open) {
      if (name === "escape" || name === "help") this.help.close();
    } else if (this.chooser.open && name !== "help") {
      // The field of the chooser has lost the focus; the keys still mean the chooser.
      if (!this.chooser.key(name === "escape" ? "Escape" : key, { repeat: false })) this.chooser.field.focus();
    } else this.command(name, key);
  }

  typing(key, event) {
    const field = event.composedPath()[0];
    if (field === this.chooser.field) return this.chooser.key(key, event);
    if (field === this.search.field) return this.search.key(key, event);
    if (key === "Ctrl+f") return this.command("search") ?? true;
    if (key === "Escape") this.steps.takeKeyboard();
    else if (key === "Ctrl+Enter" || (key === "Enter" && this.form.scoring)) {
      if (!event.repeat) this.command("submit");
    } else if (this.form.scoring && (key === "ArrowUp" || key === "ArrowDown")) this.command(key === "ArrowUp" ? "greater" : "less");
    else if (this.form.scoring && key === "Tab") return this.tab(event.shiftKey);
    else return false;
    return true;
  }

  /** @returns {boolean} whether there was a question to turn to; at the ends Tab goes where it always does */
  tab(back) {
    return !this.help.open && !this.chooser.open && this.answering.step(back ? -1 : 1);
  }

  command(name, argument) {
    if (name === "help") this.help.show();
    else if (name === "undo") this.answering.undo();
    else if (this.shown && COMMANDS[name]) COMMANDS[name](this, argument);
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
