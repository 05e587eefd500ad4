/**
 * The whole trajectory in a strip: a block for each step, coloured by who speaks, with errors, evidence, citations, search hits, the
 * focus and what is in view. One canvas, so that two thousand steps cost what ten do; it is also a slider for keyboards.
 */
import { element } from "./element.js";
import { SORTS } from "./marks.js";
import { isError, nameOf, toneOf } from "./speakers.js";

/** A step's block in the middle of the sketch: this high, and this far from the next. */
const BLOCK = 9;
const GAP = 3;
const TOP = 14;
const COLOURS = ["agent", "user", "tool", "think", "soft", "mark", "err", "line", "line-strong", "ink", "accent", "found"];
const TONES = { agent: "agent", user: "user", reasoning: "think", tool_call: "tool", tool_result: "line-strong", observation: "line-strong", note: "soft", system: "soft", other: "soft" };
/** How strongly a tone shows: what was said and done before what came back. */
const STRENGTH = { tool_result: 0.45, observation: 0.45, system: 0.4, note: 0.4, reasoning: 0.5, tool_call: 0.75 };
const PAGE = 10;

/** Long steps are a little higher. */
const weightOf = (step) => 1 + Math.min(2, Math.log10(1 + (step.text ?? step.arguments ?? "").length / 400));

export class Minimap {
  /**
   * @param {object} steps the list
   * @param {(index: number, how: {drag: boolean}) => void} go
   */
  constructor(steps, go) {
    this.list = steps;
    this.go = go;
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.tip = element("div", { class: "map-tip", hidden: true, "aria-hidden": "true" });
    this.node = element("div", { class: "map", "data-rj": "map", role: "slider", tabindex: 0, "aria-label": "steps", "aria-orientation": "vertical", "aria-valuemin": 1 }, this.canvas, this.tip);
    this.node.addEventListener("pointerdown", (event) => this.grab(event));
    this.node.addEventListener("pointermove", (event) => this.over(event));
    this.node.addEventListener("pointerleave", () => (this.tip.hidden = true));
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.node);
  }

  /** Another trajectory. */
  show() {
    const { steps, cast } = this.list;
    this.tones = steps.map((step) => toneOf(step, cast));
    this.errors = steps.map(isError);
    const weights = steps.map(weightOf);
    this.ends = new Float64Array(steps.length + 1);
    weights.forEach((weight, n) => (this.ends[n + 1] = this.ends[n] + weight));
    this.node.setAttribute("aria-valuemax", Math.max(1, steps.length));
    this.tip.hidden = true;
    this.draw();
  }

  /** Draw once before the next frame, however much has changed. */
  draw() {
    this.asked ??= requestAnimationFrame(() => {
      this.asked = undefined;
      this.paint();
    });
  }

  /** Colours are the theme's: asked for anew with every theme. */
  recolour() {
    this.colours = null;
    this.draw();
  }

  palette() {
    if (!this.colours) {
      const style = getComputedStyle(this.node);
      this.colours = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    }
    return this.colours;
  }

  /** Pixels of one unit of weight: as in the sketch, or less where the strip would not hold them. */
  get unit() {
    const all = this.ends?.[this.ends.length - 1] || 1;
    return Math.min(BLOCK + GAP, (this.node.clientHeight - 2 * TOP) / all);
  }

  stepAt(y) {
    const at = (y - TOP) / this.unit;
    let low = 0;
    let high = this.list.steps.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle + 1] > at) high = middle;
      else low = middle + 1;
    }
    return Math.max(0, low);
  }

  paint() {
    const { steps, focus } = this.list;
    const [width, height] = [this.node.clientWidth, this.node.clientHeight];
    if (!width || !height || !this.ends || steps.length === 0) return;
    const scale = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.paintBlocks(pen, width);
    this.paintMarks(pen, width);
    this.paintView(pen, width, focus);
    this.say(focus);
  }

  /** From where to where the block of a step reaches. */
  block(index) {
    const { unit } = this;
    const gap = unit >= 5 ? GAP : unit >= 2.5 ? 1 : 0;
    return [TOP + this.ends[index] * unit, Math.max(1, (this.ends[index + 1] - this.ends[index]) * unit - gap)];
  }

  paintBlocks(pen, width) {
    const colours = this.palette();
    const left = Math.round(width / 2) - 5;
    this.tones.forEach((tone, index) => {
      const [top, height] = this.block(index);
      pen.globalAlpha = this.errors[index] ? 0.9 : STRENGTH[tone] ?? 0.6;
      pen.fillStyle = this.errors[index] ? colours.err : colours[TONES[tone] ?? "soft"];
      if (height >= 4) {
        pen.beginPath();
        pen.roundRect(left, top, 11, height, 2);
        pen.fill();
      } else pen.fillRect(left, top, 11, height);
    });
    pen.globalAlpha = 1;
  }

  paintMarks(pen, width) {
    const { evidence, cites, hits } = this.list;
    const colours = this.palette();
    const middle = Math.round(width / 2);
    pen.fillStyle = colours.found;
    for (const index of hits.keys()) {
      const [top, height] = this.block(index);
      pen.fillRect(middle - 10, top, 3, Math.max(2, height));
    }
    pen.fillStyle = colours.mark;
    for (const index of evidence) {
      const [top, height] = this.block(index);
      pen.fillRect(middle + 1, top - Math.max(0, 3 - height) / 2, 9, Math.max(3, height));
    }
    pen.fillStyle = colours.think;
    for (const index of cites) {
      const [top, height] = this.block(index);
      const centre = top + height / 2;
      pen.beginPath();
      for (const [x, y] of [[-3, 0], [0, -3.5], [3, 0], [0, 3.5]]) pen.lineTo(middle - 9 + x, centre + y);
      pen.fill();
    }
  }

  paintView(pen, width, focus) {
    const colours = this.palette();
    const [first, last] = this.list.inView();
    const top = this.block(first)[0] - 2;
    const [lastTop, lastHeight] = this.block(last);
    pen.fillStyle = colours.ink;
    pen.globalAlpha = 0.07;
    pen.fillRect(0, top, width, Math.max(6, lastTop + lastHeight + 2 - top));
    pen.globalAlpha = 1;
    const [at, height] = this.block(focus);
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.roundRect(Math.round(width / 2) - 7, at - 2, 15, Math.max(3, height) + 4, 3);
    pen.stroke();
  }

  say(focus) {
    this.node.setAttribute("aria-valuenow", focus + 1);
    this.node.setAttribute("aria-valuetext", this.words(focus));
  }

  words(index) {
    const step = this.list.steps[index];
    return `step ${index + 1}: ${this.errors[index] ? "error, " : ""}${nameOf(step)}${Object.keys(SORTS).map((sort) => (this.list[sort].has(index) ? `, ${SORTS[sort].step}` : "")).join("")}`;
  }

  grab(event) {
    if (event.button !== 0 || this.list.steps.length === 0) return;
    event.preventDefault();
    this.node.setPointerCapture(event.pointerId);
    this.go(this.stepAt(event.offsetY), { drag: false });
  }

  over(event) {
    if (this.list.steps.length === 0) return;
    const index = this.stepAt(event.offsetY);
    if (this.node.hasPointerCapture(event.pointerId) && index !== this.list.focus) this.go(index, { drag: true });
    this.tip.hidden = false;
    this.tip.textContent = this.words(index);
    this.tip.style.top = `${Math.max(4, Math.min(this.node.clientHeight - 28, event.offsetY - 12))}px`;
  }

  /** Arrows, Home and End are keys of the desk and have done their work before. */
  key(event) {
    const pages = { PageDown: 1, PageUp: -1 }[event.key];
    if (!pages) return;
    event.preventDefault();
    const by = Math.max(1, Math.round(this.list.steps.length / PAGE));
    this.go(Math.max(0, Math.min(this.list.steps.length - 1, this.list.focus + pages * by)), { drag: true });
  }

  stop() {
    this.resized.disconnect();
    cancelAnimationFrame(this.asked);
  }
}
