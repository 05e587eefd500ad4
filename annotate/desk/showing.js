/** What is on the page: an item with all that was done on it, or a calm page where there is none. */
import { Answer } from "./answer.js";
import { Clock } from "./clock.js";
import { Jumps } from "./jumps.js";
import { drawPage } from "./pages.js";

/**
 * @typedef {object} Work
 * @property {Answer} answer
 * @property {Clock} clock
 * @property {number} focus the step that was read last
 * @property {import("./queue.js").Place} place
 * @property {object|null} item only while it is on the page: the queue decides how long an item of megabytes is kept
 * @property {string} hash names what was shown of it
 */

export class Showing {
  /** @param {{frame: object, task: object, steps: object, map: object, search: object, bar: object, form: object, notice: object, chooser: object}} parts */
  constructor(parts) {
    Object.assign(this, parts);
    /** @type {Work|null} */
    this.work = null;
    /** @type {string|null} the name of the page that stands there instead */
    this.page = null;
    this.kept = new Map(); // ref → work, for going back
    this.since = 0; // when this item came up
  }

  /** @returns {boolean} whether exactly this is on the page */
  has(place, item) {
    return this.work?.place.ref === place.ref && this.work.hash === item.item_hash;
  }

  positionOf(ref) {
    return this.kept.get(ref)?.place.position;
  }

  show(place, item, { questions, takeKeyboard }) {
    this.leave();
    this.page = null;
    let work = this.kept.get(place.ref);
    if (!work) {
      work = { answer: new Answer(questions, item.draft), clock: new Clock(item.draft?.active_ms ?? 0), focus: 0 };
      this.kept.set(place.ref, work);
    }
    Object.assign(work, { place, item, hash: item.item_hash });
    work.answer.at = work.answer.asked[0].id;
    this.work = work;
    this.form.acts.before(this.notice.node);
    this.frame.showItem();
    this.task.show(item.task, item.metadata ?? []);
    this.steps.show(item.steps, { focus: work.focus, evidence: work.answer.given.evidence, markable: questions.some(({ evidence }) => evidence !== "none") });
    this.jumps = new Jumps(item.steps, this.steps.cast);
    this.bar.show(this.jumps);
    this.map.show();
    this.move(place);
    this.form.begin();
    this.draw();
    if (takeKeyboard) this.steps.takeKeyboard();
    work.clock.start();
    this.since = performance.now();
  }

  /** The item is the same, its place in the batch may not be. */
  move(place) {
    this.work.place = place;
    this.frame.place(place);
  }

  draw() {
    const { answer } = this.work;
    this.form.draw(answer);
    this.frame.follow(answer.question);
    this.steps.setEvidence(answer.given.evidence);
  }

  /** Put the present item away, with all that was done on it. */
  leave() {
    if (!this.work) return;
    this.work.clock.stop();
    this.work.focus = this.steps.focus;
    this.work.item = null;
    this.search.leave();
    if (this.chooser.open) this.chooser.close();
    this.work = null;
  }

  /** @param {{saved: boolean, back: (() => void)|null}} how */
  turnTo(name, { saved, back }) {
    if (this.page === name && this.pageSaved === saved) return;
    this.leave();
    this.page = name;
    this.pageSaved = saved;
    this.frame.showPage(drawPage(name, { saved, back }, this.notice.node), name === "finished");
  }
}
