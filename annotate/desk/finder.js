/** Finds a text in the steps, a few milliseconds at a time, so that typing a search into megabytes stays smooth. */

/** Hits that are kept; a search that finds more was not meant to be walked through. */
export const MOST = 5000;
const SLICE = 8; // ms

/** Letters in either case; positions stay those of the text as it is. */
const patternOf = (words) => new RegExp(words.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu");

/** @typedef {{index: number, from: number, to: number}} Found a step, and from where to where in its text */

export class Finder {
  /**
   * @param {number} count of steps
   * @param {(index: number) => string} textOf
   * @param {(found: Found[], done: boolean) => void} on told after every slice, with all that was found so far
   */
  constructor(count, textOf, on) {
    this.count = count;
    this.textOf = textOf;
    this.on = on;
    this.run = 0;
  }

  find(words) {
    const run = ++this.run;
    const found = [];
    if (words === "") {
      this.on(found, true);
      return;
    }
    const pattern = patternOf(words);
    let index = 0;
    const slice = () => {
      if (run !== this.run) return;
      const until = performance.now() + SLICE;
      for (; index < this.count && found.length < MOST && performance.now() < until; index++) this.look(pattern, index, found);
      const done = index >= this.count || found.length >= MOST;
      this.on(found, done);
      if (!done) setTimeout(slice);
    };
    slice();
  }

  look(pattern, index, found) {
    for (const match of this.textOf(index).matchAll(pattern)) {
      found.push({ index, from: match.index, to: match.index + match[0].length });
      if (found.length >= MOST) return;
    }
  }

  stop() {
    this.run++;
  }
}
