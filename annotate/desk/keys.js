/**
 * The keys. They are caught in the capture phase on the window, before Streamlit's own `r` (rerun) and `c` (clear caches)
 * see them; while somebody types, they type.
 */

/** Every key of the desk: what it is called on the page, what it does, and whether holding it down repeats it. */
export const BINDINGS = [
  { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", ".", "-"], cap: "1–9", command: "choose", words: "choose an answer, or type a score; 0: none of them", short: "choose" },
  { keys: ["p"], cap: "p", command: "moreChoices", words: "where there are more than nine choices: the digits mean the next nine" },
  { keys: ["ArrowLeft"], cap: "← →", command: "less", words: "a lower or a higher score", repeats: true },
  { keys: ["ArrowRight"], cap: "→", command: "greater", words: "a higher score", repeats: true },
  { keys: ["u"], cap: "u", command: "unsure", words: "unsure: an answer, kept as such" },
  { keys: ["Enter"], cap: "⏎", command: "submit", words: "next open question; submit, and on to the next item" },
  { keys: [], cap: "Tab", command: "nextQuestion", words: "where several are asked, the next question; Shift Tab: the one before" },
  { keys: ["s"], cap: "s", command: "skip", words: "skip, with a reason" },
  { keys: ["z"], cap: "z", command: "undo", words: "undo: the last change, then the last submitted item" },
  { keys: ["j", "ArrowDown"], cap: "j ↓", command: "down", words: "next step", repeats: true },
  { keys: ["k", "ArrowUp"], cap: "k ↑", command: "up", words: "previous step", repeats: true },
  { keys: ["n"], cap: "n", command: "nextCall", words: "next tool call; N: the one before", short: "next call", repeats: true },
  { keys: ["N"], cap: "N", command: "previousCall", words: "previous tool call", repeats: true },
  { keys: ["x"], cap: "x", command: "nextError", words: "next error; X: the one before", repeats: true },
  { keys: ["X"], cap: "X", command: "previousError", words: "previous error", repeats: true },
  { keys: ["m"], cap: "m", command: "nextMessage", words: "next message; M: the one before", repeats: true },
  { keys: ["M"], cap: "M", command: "previousMessage", words: "previous message", repeats: true },
  { keys: ["l"], cap: "l", command: "partner", words: "from a call to its result, and back" },
  { keys: ["/"], cap: "/", command: "search", words: "search the steps; ⏎ and Shift ⏎ go on and back, Esc ends it", short: "search" },
  { keys: ["g", "Home"], cap: "g", command: "first", words: "first step" },
  { keys: ["G", "End"], cap: "G", command: "last", words: "last step" },
  { keys: ["a"], cap: "a", command: "answer", words: "final answer: the agent’s last message" },
  { keys: ["o"], cap: "o", command: "open", words: "open or fold what is hidden in a step; of much, the next part", short: "open" },
  { keys: ["O"], cap: "O", command: "openAll", words: "open all of a step, or fold it" },
  { keys: ["e"], cap: "e", command: "mark", words: "mark the step as evidence, or take the mark back", short: "evidence" },
  { keys: ["r"], cap: "r", command: "rationale", words: "write a rationale; Esc leaves it, Ctrl ⏎ submits", short: "rationale" },
  { keys: ["c"], cap: "c", command: "confidence", words: "confidence: low, medium, high, none" },
  { keys: ["f"], cap: "f", command: "flag", words: "flag a broken item, with a reason" },
  { keys: ["?"], cap: "?", command: "help", words: "this list" },
];

const BY_KEY = new Map(BINDINGS.flatMap((binding) => binding.keys.map((key) => [key, binding])));

/** The key's name: by what it prints, or by where it lies for layouts that print no Latin letter or digit there. */
function nameOf({ key, code, shiftKey, capsLock }) {
  if (/^[a-z]$/i.test(key)) {
    const letter = key.toLowerCase();
    // Caps lock left on must not turn g into G.
    const shifted = capsLock ? shiftKey : key !== letter;
    return shifted ? letter.toUpperCase() : letter;
  }
  if (BY_KEY.has(key)) return key;
  if (!shiftKey && /^Digit[0-9]$/.test(code)) return code.slice(5);
  if (key.length === 1 && key > "\x7f" && /^Key[A-Z]$/.test(code)) return nameOf({ key: shiftKey ? code[3] : code[3].toLowerCase(), code: "", shiftKey, capsLock: false });
  return null;
}

const isField = (node) => node instanceof Element && (node.matches("textarea, input, select") || node.isContentEditable);
/** A button that was reached with Tab keeps Enter and Space, as everywhere. */
const isButton = (node) => node instanceof Element && node.matches("button:not([role=radio], [role=checkbox])");
/** Where Tab may mean the next question: from a button, or from what is not the desk, it goes on as everywhere. */
const isReading = (node) => node === document.body || (node instanceof Element && !node.matches("button, a, [role=region]"));

/**
 * @param {{command: (name: string, key: string) => void, typing: (key: string, event: KeyboardEvent) => boolean, tab: (back: boolean) => boolean}} desk
 *   `typing` is asked about Escape, Ctrl+Enter and the like while a field has the focus; true = it was meant for the desk
 * @returns {() => void} stop listening
 */
export function listen(desk) {
  const take = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  let held = null; // the key whose command may have moved the focus into a field, where its repeats would be typed
  const pressed = (event) => {
    // A browser's autofill sends a keydown without a key.
    if (event.key === undefined) return;
    const target = event.composedPath()[0];
    if (event.isComposing || event.keyCode === 229) {
      event.stopImmediatePropagation();
      return;
    }
    const chord = event.ctrlKey || event.metaKey;
    if (!event.repeat) held = null;
    // The browser's own search sees only the steps that are in the document. In the search's field it is let through.
    if (chord && event.key === "f" && !event.altKey && !event.shiftKey && !isField(target)) {
      take(event);
      desk.command("search", "/");
      return;
    }
    if (isField(target)) {
      if (event.repeat && held === event.code) {
        take(event);
        return;
      }
      if (desk.typing(chord ? `Ctrl+${event.key}` : event.key, event)) take(event);
      // The letter still reaches the field; Streamlit, which sees the desk and not the field, must not take it for a key.
      else if (!chord && !event.altKey) event.stopImmediatePropagation();
      return;
    }
    if (chord && event.key === "Enter" && !event.altKey) {
      take(event);
      if (!event.repeat) desk.command("submit", "Enter");
      return;
    }
    if (chord || event.altKey) return;
    if (event.key === "Escape") {
      take(event);
      desk.command("escape", "Escape");
      return;
    }
    if (event.key === "Tab" && isReading(target)) {
      if (desk.tab(event.shiftKey)) take(event);
      return;
    }
    if (event.key === "Enter" && isButton(target) && !event.repeat) return;
    const { key, code, shiftKey } = event;
    const name = nameOf({ key, code, shiftKey, capsLock: event.getModifierState("CapsLock") });
    const binding = name && BY_KEY.get(name);
    if (!binding) return;
    take(event);
    if (!event.repeat) held = code;
    if (!event.repeat || binding.repeats) desk.command(binding.command, name);
  };
  window.addEventListener("keydown", pressed, { capture: true });
  return () => window.removeEventListener("keydown", pressed, { capture: true });
}
