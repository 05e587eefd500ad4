"""The body of an HTML file that rejudge wrote, to stand on a page: elements and attributes of a list, all else as text.

The file lies in a folder where anybody may have changed it, so nothing of it is taken as it stands.
"""

import re
from base64 import b64encode
from html import escape
from html.parser import HTMLParser

from annotate.lead.text import html_of, seen

_WRITTEN = (
    "section", "p", "b", "i", "span", "code", "ul", "li", "div", "figure", "figcaption", "blockquote",
    "table", "caption", "thead", "tbody", "tr", "th", "td",
)  # fmt: skip
_HEADINGS = {"h1": "h3", "h2": "h4", "h3": "h5"}
"""One heading stands above it on the page, and the page's own."""
_DRAWN = ("svg", "g", "path", "text", "title", "desc")
_ALLOWED = dict(zip(_WRITTEN + _DRAWN, _WRITTEN + _DRAWN, strict=True)) | _HEADINGS
_TOLD = ("title", "desc")
_UNHEARD = ("script", "style", "template", "iframe", "object", "noscript", "textarea", "select")
"""What stands inside these is no text for anybody to read."""
_LOOKS = frozenset({"sub", "note", "summary", "wide", "short", "w", "l", "n", "strong", "grey", "soft", "beside"})
_DRAWING = frozenset(
    {
        "d", "fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-miterlimit", "text-anchor", "transform",
        "font-size", "font-weight", "width", "height", "viewbox", "display",
    }
)  # fmt: skip
_AS_THEY_ARE = frozenset({("scope", "row"), ("scope", "col")})
_PLAIN = re.compile(r"[A-Za-z0-9 .,#()%-]*")
"""What the attributes of a drawing consist of; no address, for it has no colon and no slash."""


def shown(file: str) -> str | None:
    """HTML of what the file's body says; None where it has none."""
    reader = _Reader()
    reader.feed(file)
    reader.close()
    return "".join(reader.said) if reader.began else None


class _Reader(HTMLParser):
    """Writes down what is allowed of the body."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.began = False
        self.said: list[str] = []
        self.unheard = 0
        self.drawing: list[str] | None = None
        """A figure on its way: it becomes an image, which can run and load nothing."""
        self.words: list[str] = []
        """What stands in its title and description."""
        self.within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self.began = True
        elif tag in _UNHEARD:
            self.unheard += 1
        elif self.began and not self.unheard and tag in _ALLOWED:
            if tag == "svg" and self.drawing is None:
                self.drawing, self.words = [], []
            self.within = tag if tag in _TOLD else ""
            told = "".join(f' {name}="{escape(value)}"' for name, value in _attributes(tag, attrs))
            space = ' xmlns="http://www.w3.org/2000/svg"' if tag == "svg" else ""
            self._say(f"<{_ALLOWED[tag]}{space}{told}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNHEARD:
            self.unheard = max(0, self.unheard - 1)
        elif self.began and not self.unheard and tag in _ALLOWED:
            self.within = ""
            self._say(f"</{_ALLOWED[tag]}>")
            if tag == "svg" and self.drawing is not None:
                source = b64encode("".join(self.drawing).encode()).decode()
                self.drawing = None
                self._say(f'<img alt="{escape(" ".join(self.words))}" src="data:image/svg+xml;base64,{source}">')

    def handle_data(self, data: str) -> None:
        if not self.began or self.unheard:
            return
        if self.within:
            self.words.append(seen(data))
        self._say(html_of(data) if self.drawing is None else escape(seen(data)))

    def _say(self, html: str) -> None:
        (self.said if self.drawing is None else self.drawing).append(html)


def _attributes(tag: str, given: list[tuple[str, str | None]]) -> list[tuple[str, str]]:
    kept = []
    for name, value in given:
        if not value:
            continue
        if name == "class" and tag not in _DRAWN:
            kept.append((name, " ".join(look for look in value.split() if look in _LOOKS)))
        elif (name, value) in _AS_THEY_ARE or (tag in _DRAWN and name in _DRAWING and _PLAIN.fullmatch(value)):
            kept.append(("viewBox" if name == "viewbox" else name, value))
    return kept
