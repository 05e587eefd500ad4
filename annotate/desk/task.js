/** What the agent was asked, pinned above its steps, with the metadata that the study lets annotators see. */
import { element } from "./element.js";
import { visible } from "./text.js";

/** Characters of a task in the page at once; a longer one is read in parts. */
const PART = 16_000;
const CLOSED = 1200;

export class Task {
  /** @param {Node} links */
  constructor(links) {
    this.text = element("div", { class: "task-text", dir: "auto" });
    this.more = element("button", { class: "link", type: "button", hidden: true, onclick: () => this.toggle() });
    this.next = element("button", { class: "link", type: "button", hidden: true, onclick: () => this.turn() });
    this.metadata = element("dl", { class: "metadata" });
    this.caption = element("span", { class: "caption" }, "Task");
    this.node = element("div", { class: "task", "data-rj": "task" },
      element("div", { class: "task-head" }, this.caption, links),
      this.text, element("div", { class: "task-more" }, this.more, this.next), this.metadata);
    this.resized = new ResizeObserver(() => this.task !== undefined && this.fit());
    this.resized.observe(this.text);
  }

  /**
   * @param {string|null} task
   * @param {[string, string][]} metadata
   */
  show(task, metadata) {
    this.task = task ?? "";
    this.part = 0;
    this.open = false;
    this.caption.textContent = task ? "Task" : "No task given";
    this.metadata.replaceChildren(...metadata.map(([key, value]) =>
      element("div", {}, element("dt", {}, visible(key)), element("dd", { dir: "auto" }, visible(value.length > 400 ? `${value.slice(0, 400)} …` : value)))));
    this.metadata.hidden = metadata.length === 0;
    this.text.hidden = !task;
    this.draw();
  }

  /** Whether three lines hold it is known only once it is laid out. */
  fit() {
    if (this.open) return;
    const cut = this.task.length > CLOSED || this.text.scrollHeight > this.text.clientHeight + 2;
    this.more.hidden = !cut;
  }

  draw() {
    this.text.classList.toggle("open", this.open);
    this.text.replaceChildren(visible(this.open ? this.task.slice(this.part * PART, (this.part + 1) * PART) : this.task.slice(0, CLOSED)));
    this.text.scrollTop = 0;
    this.more.textContent = this.open ? "less" : "more";
    this.more.setAttribute("aria-expanded", String(this.open));
    const parts = Math.ceil(this.task.length / PART);
    this.next.hidden = !this.open || parts < 2;
    this.next.textContent = `part ${this.part + 1} of ${parts}, next`;
    this.fit();
  }

  toggle() {
    this.open = !this.open;
    this.part = 0;
    this.draw();
  }

  turn() {
    this.part = (this.part + 1) % Math.ceil(this.task.length / PART);
    this.draw();
  }

  stop() {
    this.resized.disconnect();
  }
}
