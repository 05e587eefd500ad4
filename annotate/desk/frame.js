/** The page around the item: header, the two columns, and the place for a page when there is no item. */
import { drawCodebook } from "./codebook.js";
import { element, keycap } from "./element.js";
import { BINDINGS } from "./keys.js";

const FOOTER = ["choose", "down", "mark", "rationale", "nextCall", "search", "open"];
const STATES = { saved: "saved", saving: "saving…", unsaved: "not saved, retrying" };

function footer() {
  const hints = BINDINGS.filter(({ command }) => FOOTER.includes(command)).sort((a, b) => FOOTER.indexOf(a.command) - FOOTER.indexOf(b.command));
  return element("footer", {}, ...hints.map(({ cap, command, short }) => element("span", {}, keycap(command === "down" ? "j k" : cap), command === "down" ? "step" : short)));
}

/** Light or dark, by the background that Streamlit's theme has now. */
export function themeOf(host) {
  const probe = element("span");
  probe.style.color = "var(--st-background-color, Canvas)";
  host.append(probe);
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128 ? "dark" : "light";
}

export class Frame {
  /**
   * @param {(command: string) => void} command
   * @param {{task: Node, search: Node, steps: Node, map: Node, form: Node, help: Node}} parts
   */
  constructor(command, parts) {
    this.study = element("b");
    this.position = element("span", { class: "position" });
    this.bar = element("i");
    this.state = element("span", { class: "state", "data-rj": "state", "aria-live": "polite" });
    this.who = element("span", { class: "annotator" });
    const help = element("button", { class: "quiet", type: "button", title: "keys", "aria-label": "keys", onclick: () => command("help") }, keycap("?"));
    this.pages = element("nav", { class: "pages", hidden: true, "aria-label": "pages" });
    this.header = element("header", {}, this.study, this.pages, this.position, element("span", { class: "bar", "aria-hidden": "true" }, this.bar), this.state, this.who, help);
    this.item = element("section", { class: "item", "data-rj": "item", "aria-label": "trajectory" }, parts.task, element("div", { class: "reading" }, parts.steps, parts.search), parts.map);
    this.book = element("div", { class: "book", "data-rj": "codebook", tabindex: 0, role: "region", "aria-label": "codebook" });
    this.side = element("aside", { class: "side", "aria-label": "answer" }, parts.form, this.book, footer());
    this.columns = element("main", { hidden: true }, this.item, this.side);
    this.page = element("div", { class: "page", hidden: true });
    this.root = element("div", { class: "desk" }, this.header, this.columns, this.page, parts.help);
    // A click must not take the keyboard away from the item: a button that was clicked would swallow the next Enter.
    this.root.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
  }

  name({ study, annotator, pages = [] }) {
    this.study.textContent = study;
    this.who.textContent = annotator;
    this.pages.hidden = pages.length === 0;
    this.pages.replaceChildren(...pages.map((name) => element("a", { href: `/${name}` }, name[0].toUpperCase() + name.slice(1))));
  }

  /** @param {import("./queue.js").Place} place */
  place({ ref, position, of }) {
    this.item.setAttribute("data-ref", ref);
    this.item.setAttribute("data-position", position);
    this.position.textContent = `${position} of ${of}`;
    this.bar.style.width = `${of ? (100 * position) / of : 0}%`;
  }

  /** The codebook page of the question in work, and marks on steps only where it takes some. */
  follow(question) {
    if (this.followed === question) return;
    this.followed = question;
    this.item.classList.toggle("unmarkable", question.evidence === "none");
    this.book.replaceChildren(...drawCodebook(question.codebook));
    this.book.scrollTop = 0;
  }

  /** @param {"saved"|"saving"|"unsaved"} status */
  status(status, words = STATES[status]) {
    if (this.state.dataset.state === status && this.state.textContent === words) return;
    this.state.dataset.state = status;
    this.state.textContent = words;
  }

  showItem() {
    this.page.hidden = true;
    this.page.replaceChildren();
    this.columns.hidden = false;
  }

  /** @param {Node} page */
  showPage(page, done) {
    this.columns.hidden = true;
    this.page.hidden = false;
    this.item.removeAttribute("data-position");
    this.item.removeAttribute("data-ref");
    this.position.textContent = "";
    this.bar.style.width = done ? "100%" : "0";
    this.page.replaceChildren(page);
  }
}
