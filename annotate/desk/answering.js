/**
 * What an annotator does with the item on the page: change the answer, submit it, take it back, flag the item. Each
 * event names the pin of the page that is read while the key is pressed.
 */

/** A press this soon after an item came up was meant for the one before. */
const GUARD = 350;
const NO_ANSWER = { choice: null, evidence: [], rationale: "", confidence: null, reason: null };

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
    const missing = answer.missing(this.desk.question);
    if (missing) {
      this.desk.say(missing.words);
      if (missing.what === "choice") this.desk.form.buttons[0].focus({ preventScroll: true });
      else this.desk.steps.takeKeyboard();
      return;
    }
    this.desk.say("");
    this.desk.drafts.forget(place.ref);
    this.history.push(place.ref);
    this.send(answer.event(this.desk.question));
    answer.settle();
    this.desk.present();
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
    const event = { ...NO_ANSWER, kind: "undo", ref, item_hash: item?.item_hash ?? null, active_ms: 0, pin: this.desk.pin };
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
    this.send({ ...NO_ANSWER, kind: "flag", reason });
    this.desk.showing.draw();
    this.desk.say("Flagged. Now label the item, or skip it.");
  }

  /** These events were not taken, so there is nothing to go back to. */
  forget(refs) {
    this.history = this.history.filter((ref) => !refs.includes(ref));
  }
}
