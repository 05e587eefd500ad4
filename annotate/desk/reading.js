/**
 * A trajectory to read, with nothing to answer: the lead's page shows it beside the votes. It is the desk's own list of steps,
 * so that a lead reads what annotators read, and text stays text here too.
 */
import { element } from "./element.js";
import { themeOf } from "./frame.js";
import { StepList } from "./steps.js";
import { Task } from "./task.js";

const MOVES = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

class Reading {
  constructor(parent) {
    this.parent = parent;
    this.task = new Task((command) => this.command(command));
    this.task.node.querySelector('[data-rj="flag"]').remove();
    this.steps = new StepList({ marked: () => {} });
    this.notice = element("div", { class: "soft reading-notice" }, "Opening …");
    this.root = element("section", { class: "desk reading", "aria-label": "trajectory", "data-rj": "reading" },
      element("div", { class: "item" }, this.task.node, this.steps.scroller), this.notice);
    this.root.addEventListener("keydown", (event) => this.key(event));
    parent.append(this.root);
  }

  /** @param {{address: string, evidence: number[]}} data */
  async update({ address, evidence }) {
    this.root.dataset.theme = themeOf(this.parent);
    const same = this.address === address;
    this.address = address;
    if (same) return this.steps.setEvidence(evidence);
    this.notice.hidden = false;
    this.notice.textContent = "Opening …";
    const item = await fetch(address).then((answer) => (answer.ok ? answer.json() : null), () => null);
    if (this.address !== address) return;
    if (!item) {
      this.address = null;
      this.notice.textContent = "This item could not be read. Reload the page.";
      return;
    }
    this.notice.hidden = true;
    this.root.dataset.address = address;
    this.task.show(item.task, item.metadata);
    this.steps.show(item.steps, { evidence });
    this.task.fit();
  }

  command(name) {
    if (name === "last") this.steps.go(this.steps.steps.length - 1);
  }

  /** The desk's keys for reading, while the reader is in the list. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (MOVES[key]) this.steps.move(MOVES[key]);
    else if (key === "g") this.steps.go(0);
    else if (key === "G") this.command("last");
    else if (key === "n") this.steps.nextCall();
    else if (key === "o") this.steps.toggle(this.steps.focus);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  stop() {
    this.steps.stop();
    this.root.remove();
  }
}

const readings = new WeakMap();

export default function ({ data, parentElement }) {
  let reading = readings.get(parentElement);
  if (!reading) readings.set(parentElement, (reading = new Reading(parentElement)));
  reading.update(data);
  return () =>
    setTimeout(() => {
      if (parentElement.isConnected) return;
      readings.get(parentElement)?.stop();
      readings.delete(parentElement);
    });
}
