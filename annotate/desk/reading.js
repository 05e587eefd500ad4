/**
 * A trajectory to read, with nothing to answer: the lead's pages show it beside what was said of it, with the steps marked that
 * annotators named and a judge cites. It is the desk's own list of steps with its map, its search and its keys, so that a lead reads what annotators read, and text stays text here too.
 */
import { COMMANDS } from "./commands.js";
import { element } from "./element.js";
import { themeOf } from "./frame.js";
import { JumpBar } from "./jump_bar.js";
import { Jumps } from "./jumps.js";
import { BINDINGS } from "./keys.js";
import { MarkLinks } from "./marks.js";
import { Minimap } from "./minimap.js";
import { Search } from "./search.js";
import { StepList } from "./steps.js";
import { Task } from "./task.js";

/** What one does to read, of all that the desk's keys do. */
const TO_READ = new Set(["down", "up", "first", "last", "answer", "nextCall", "previousCall", "nextError", "previousError", "nextMessage", "previousMessage", "partner", "search", "open", "openAll"]);
const BY_KEY = new Map(BINDINGS.filter(({ command }) => TO_READ.has(command)).flatMap(({ keys, command }) => keys.map((key) => [key, command])));

class Reading {
  constructor(parent) {
    this.parent = parent;
    const command = (name) => this.command(name);
    this.bar = new JumpBar(command);
    this.bar.node.querySelector('[data-rj="flag"]').remove();
    this.task = new Task(this.bar.node);
    this.steps = new StepList({ marked: () => {}, changed: () => this.map?.draw() });
    this.map = new Minimap(this.steps, (index) => this.steps.go(index));
    this.marks = new MarkLinks((index) => this.steps.go(index));
    this.task.node.append(this.marks.node);
    this.search = new Search(this.steps, () => this.map.draw());
    this.showing = { jumps: null };
    this.notice = element("div", { class: "soft reading-notice", role: "status" }, "Opening …");
    this.root = element("section", { class: "desk reading-panel", "aria-label": "trajectory", "data-rj": "reading" },
      element("div", { class: "item" }, this.task.node, element("div", { class: "reading" }, this.steps.scroller, this.search.node), this.map.node), this.notice);
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
    parent.append(this.root);
  }

  /** @param {{address: string, evidence: number[], cites: number[]}} data */
  async update({ address, evidence, cites }) {
    const theme = themeOf(this.parent);
    if (this.root.dataset.theme !== theme) {
      this.root.dataset.theme = theme;
      this.map.recolour();
    }
    if (this.address === address) {
      this.steps.setEvidence(evidence, cites);
      this.marks.show({ evidence, cites });
      return;
    }
    this.address = address;
    this.search.leave();
    this.notice.hidden = false;
    this.notice.textContent = "Opening …";
    const item = await fetch(address).then((answer) => (answer.ok ? answer.json() : null), () => null);
    if (this.address !== address) return; // another one was opened meanwhile
    if (!item) {
      this.address = null;
      this.notice.textContent = "This item could not be read. Reload the page.";
      return;
    }
    this.notice.hidden = true;
    this.task.show(item.task, item.metadata);
    this.marks.show({ evidence, cites });
    this.steps.show(item.steps, { evidence, cites });
    this.showing.jumps = new Jumps(item.steps, this.steps.cast);
    this.bar.show(this.showing.jumps);
    this.map.show();
  }

  command(name) {
    if (this.showing.jumps && TO_READ.has(name)) COMMANDS[name](this);
  }

  /** Nothing further in that direction: the desk says so in its form, here it shows. */
  say() {}

  key(event) {
    const typing = event.composedPath()[0] === this.search.field;
    if (event.altKey || ((event.ctrlKey || event.metaKey) && !typing)) return;
    const command = BY_KEY.get(event.key);
    if (typing ? this.search.key(event.key, event) : command) event.preventDefault();
    // Streamlit has keys of its own, which mean nothing here.
    event.stopPropagation();
    if (!typing && command) this.command(command);
  }

  stop() {
    for (const part of [this.task, this.steps, this.map, this.search]) part.stop();
    this.root.remove();
  }
}

const readings = new WeakMap();

/** Mount the reading, or tell the one that is there which item it shows now. */
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
