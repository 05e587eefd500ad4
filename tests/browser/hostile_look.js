// What is in the document now, and what of it must not be there. The desk stands in an open shadow root.
() => {
  const find = (root, selector) => {
    const found = root.querySelector(selector);
    if (found) return found;
    for (const node of root.querySelectorAll("*")) {
      const inner = node.shadowRoot && find(node.shadowRoot, selector);
      if (inner) return inner;
    }
    return null;
  };
  const desk = find(document, ".desk");
  const wrong = new Set();

  const FORBIDDEN = "script, iframe, object, embed, form, link, meta, base, svg, math, style, video, audio, a, template, dialog, details, picture, marquee";
  for (const node of desk.querySelectorAll(FORBIDDEN)) wrong.add(`element ${node.localName}`);
  for (const node of desk.querySelectorAll("input, textarea")) if (!node.closest(".form, .search")) wrong.add(`field ${node.localName}`);
  for (const { src } of desk.querySelectorAll("img")) if (!/^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*$/.test(src)) wrong.add(`image ${src.slice(0, 80)}`);

  const UNSEEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e001f}\u{e0080}-\u{e01ef}]|\p{M}{9}/u;
  for (const node of desk.querySelectorAll("*")) {
    for (const { name, value } of node.attributes) {
      if (name.startsWith("on")) wrong.add(`handler ${name}`);
      if (UNSEEN.test(value)) wrong.add(`unseen in ${name} of ${node.className}`);
    }
  }
  const walker = document.createTreeWalker(desk, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement, data } = walker.currentNode;
    if (UNSEEN.test(data)) wrong.add(`unseen in ${parentElement.className || parentElement.localName}: ${JSON.stringify(data.slice(0, 60))}`);
  }

  const scroller = desk.querySelector(".trajectory");
  if (document.documentElement.scrollWidth > innerWidth) wrong.add("the page scrolls sideways");
  for (const node of [desk, ...desk.querySelectorAll("header, .task, .trajectory, .side, .form, .book")]) {
    if (node.scrollWidth > node.clientWidth + 1) wrong.add(`${node.className || node.localName} is ${node.scrollWidth} wide in ${node.clientWidth}`);
  }
  const edge = scroller.getBoundingClientRect().right;
  for (const node of desk.querySelectorAll(".step > *")) if (node.getBoundingClientRect().right > edge + 1) wrong.add(`a step reaches out: ${node.className}`);
  const rows = desk.querySelectorAll(".step").length;
  if (rows > 200) wrong.add(`too many rows: ${rows}`);
  const elements = scroller.querySelectorAll("*").length;
  if (elements > 20_000) wrong.add(`too many elements: ${elements}`);

  const place = (selector) => {
    const { x, y, width, height } = desk.querySelector(selector).getBoundingClientRect();
    return `${selector} ${[x, y, width, height].map(Math.round).join(" ")}`;
  };
  return {
    wrong: [...wrong],
    places: ["header", "main", ".item", ".side", ".map"].map(place).join(" | "),
    end: scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2,
    owned: window.owned ?? null,
    chips: [...desk.querySelectorAll(".step .chip")].map((chip) => chip.textContent),
  };
};
