/**
 * What an annotator does with the item on the page: change the answer, submit it, take it back, flag the item. Each
 * event names the pin of the page that is read while the key is pressed.
 */

/** A press this soon after an item came up was meant for the one before. */
const GUARD = 350;

export class Answering {
  /** @param {object} desk */
  constructor(desk) {
    this.desk = desk;
    this.history = []; // refs submitted in this page, latest last
    this.wanted = null; // ref of the item that an undo brings back
  }

  /** @returns {import("./showing.js").Work|null} */
  get shown() {
    return this.desk.showing.work;
  }

  /** Change the answer, show it, and have its draft saved. */
  edit(change) {
    if (!this.shown || change(this.shown.answer) === false) return;
    this.desk.notice.pass();
    this.desk.showing.draw();
    this.saveDraft();
  }

  saveDraft() {
    const { place, hash, answer, clock } = this.shown;
    const { ref } = place;
    this.desk.drafts.note(ref, () => ({ ref, item_hash: this.desk.queue.item(ref)?.item_hash ?? hash, draft: answer.draft(clock.read()) }));
  }

  submit() {
    if (performance.now() - this.desk.showing.since < GUARD) return;
    const { answer, place } = this.shown;
    const { missing } = answer;
    if (missing && missing.question !== answer.question) {
      this.turn(missing.question.id);
      return;
    }
    if (missing) {
      this.desk.say(missing.words);
      if (missing.what === "answer") this.desk.form.control.focus();
      else this.desk.steps.takeKeyboard();
      return;
    }
    this.desk.say("");
    this.desk.drafts.forget(place.ref);
    this.history.push(place.ref);
    this.send(answer.event());
    answer.settle();
    this.desk.present();
  }

  /**
   * Another question of the item. Nothing turns by itself when an answer is given: a key pressed twice would answer the
   * next question, and a rationale would land beside the wrong one.
   */
  turn(id) {
    this.shown.answer.at = id;
    this.turned();
  }

  /** @returns {boolean} whether there is a question that far on */
  step(by) {
    if (!this.shown?.answer.step(by)) return false;
    this.turned();
    return true;
  }

  turned() {
    this.desk.notice.pass();
    if (this.desk.form.typing) this.desk.steps.takeKeyboard();
    this.desk.showing.draw();
    // The whole question where there is room for it, and its words in any case.
    for (const node of [this.desk.form.panel, this.desk.form.ask]) node.scrollIntoView({ block: "nearest" });
  }

  /** An event about the item on the page, out and into the queue. */
  send(event) {
    const { place, item, clock } = this.shown;
    const whole = { ...event, ref: place.ref, item_hash: item.item_hash, active_ms: clock.read(), pin: this.desk.pin };
    this.desk.queue.apply(whole);
    this.desk.outbox.add(whole);
    this.desk.beaten = performance.now();
  }

  undo() {
    if (this.shown?.answer.undo()) {
      this.desk.showing.draw();
      this.saveDraft();
      return;
    }
    const ref = this.history.pop() ?? this.desk.queue.state.last;
    if (!ref) {
      this.desk.say("There is nothing to undo.");
      return;
    }
    if (this.shown?.place.ref === ref || this.undoing(ref)) return;
    const item = this.desk.queue.item(ref);
    const event = { kind: "undo", ref, item_hash: item?.item_hash ?? null, active_ms: 0, pin: this.desk.pin };
    this.desk.queue.apply(event);
    this.desk.outbox.add(event);
    this.desk.queue.prefetch();
    this.wanted = ref;
    if (!item) this.desk.say("Going back to your last item …");
    this.desk.present();
  }

  /** Whether an undo of this item is still on its way. */
  undoing(ref) {
    return this.desk.outbox.pending.some((event) => event.kind === "undo" && event.ref === ref);
  }

  ask(kind, chosen) {
    this.desk.chooser.ask(kind, (reason) => this.shown && chosen(reason));
  }

  flag(reason) {
    this.shown.answer.flagged = reason;
    this.send({ kind: "flag", reason });
    this.desk.showing.draw();
    this.desk.say("Flagged. Now label the item, or skip it.");
  }

  /** These events were not taken, so there is nothing to go back to. */
  forget(refs) {
    this.history = this.history.filter((ref) => !refs.includes(ref));
  }
}
