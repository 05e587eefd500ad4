/**
 * A table some of whose cells can be picked. Every text enters it as text. It wears the style of the lead's pages, so it stands
 * in the page itself and not in a shadow of its own.
 */
function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  node.append(...children);
  return node;
}

const lines = ({ text, below }) => [make("b", {}, text), ...(below ?? []).map((line) => make("span", {}, line))];

/** @param {{text: string, below?: string[], look?: string, head?: "row"|"col", span?: number, share?: number, pick?: string, say?: string, on?: boolean}} cell */
function draw(cell, pick) {
  const node = make(cell.head ? "th" : "td", { scope: cell.head, colspan: cell.span, class: cell.look });
  if (cell.share !== undefined) node.style.setProperty("--share", cell.share);
  if (!cell.pick) {
    if (cell.below) node.append(...lines(cell));
    else node.textContent = cell.text;
    return node;
  }
  const button = make("button", { type: "button", class: "rj-pick", "aria-label": cell.say, "aria-pressed": cell.on === undefined ? null : String(cell.on), "data-pick": cell.pick });
  if (cell.below) button.append(...lines(cell));
  else button.textContent = cell.text;
  button.addEventListener("click", () => pick(cell.pick));
  node.append(button);
  return node;
}

/** @param {{data: {label: string, look: string, handle: string, head: object[][], rows: object[][]}}} component */
export default function ({ data, parentElement, setTriggerValue }) {
  const pick = (value) => setTriggerValue("picked", value);
  const section = (tag, rows) => make(tag, {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell) => draw(cell, pick)))));
  const table = make("table", { class: data.look, "aria-label": data.label, "data-rj": data.handle }, section("thead", data.head), section("tbody", data.rows));
  // The button that was pressed keeps the keyboard when the table comes anew.
  const held = parentElement.contains(document.activeElement) ? document.activeElement.dataset.pick : null;
  parentElement.replaceChildren(make("div", { class: "stHtml" }, make("div", { class: "rj-scroll" }, table)));
  if (held) parentElement.querySelector(`[data-pick="${CSS.escape(held)}"]`)?.focus();
}
