/**
 * Build an element. Strings become text nodes, so nothing that comes from a trajectory can turn into markup.
 * @param {string} tag
 * @param {Object<string, any>} [attributes] `null` and `false` leave an attribute out; `onclick` and its like take a function
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A key cap, as it stands beside what the key does. */
export const keycap = (key) => element("kbd", {}, key);
