/** How wide the column of names must be, so that no name of this trajectory breaks inside a word. */
import { nameOf, secondName } from "./speakers.js";
import { piecesOfName } from "./step.js";

const LEAST = 82; // px, the sketch's column without the sign before the name
const MOST = 138;
const NAMES = 200; // looked at, of a trajectory with very many
const FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const pen = document.createElement("canvas").getContext("2d");

/** @returns {number} px */
export function nameWidth(steps, cast) {
  const names = new Set();
  const seconds = new Set();
  for (const step of steps) {
    if (names.size + seconds.size > NAMES) break;
    names.add(nameOf(step));
    seconds.add(secondName(step, { paired: true, cast }));
  }
  let widest = LEAST;
  for (const [set, font] of [[names, `600 12.5px ${FONT}`], [seconds, `11.5px ${FONT}`]]) {
    pen.font = font;
    for (const name of set) for (const word of name.split(/\s+/)) for (const piece of piecesOfName(word)) widest = Math.max(widest, pen.measureText(piece).width + 2);
  }
  return Math.ceil(Math.min(MOST, widest));
}
