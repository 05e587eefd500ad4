"""Text that somebody else wrote, in forms that show all of it and obey none of it."""

import unicodedata
from html import escape

from annotate.codebook_page import Block, Inline

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_LINE = {"\n", "\t"}
_TAGS = {"b": "strong", "i": "em", "code": "code"}


def html_of(text: str) -> str:
    """`text` escaped; characters that steer reading direction or cannot be seen become a visible mark."""
    return "".join(
        f'<span class="rj-mark">⟨U+{ord(sign):04X}⟩</span>'
        if unicodedata.category(sign) in _HIDDEN and sign not in _LINE
        else escape(sign)
        for sign in text.replace("\r\n", "\n")
    )


def without_markup(text: str) -> str:
    """`text` for what reads Markdown (messages, labels of widgets): it shows all of it and obeys none of it."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()#+-.!|~>$:<&" else sign for sign in text)


def seen(text: str) -> str:
    """`text` as plain text in which characters that steer reading direction or cannot be seen are a visible mark."""
    return "".join(_marked(sign) for sign in text.replace("\r\n", "\n"))


def _marked(sign: str) -> str:
    return f"⟨U+{ord(sign):04X}⟩" if unicodedata.category(sign) in _HIDDEN and sign not in _LINE else sign


def html_of_blocks(blocks: list[Block]) -> str:
    """A codebook page from the blocks of `annotate/codebook_page.py`; what was text stays text."""
    return "".join(map(_block, blocks))


def _block(block: Block) -> str:
    kind = block["t"]
    if kind == "h":
        level = min(6, block["level"] + 2)
        return f"<h{level}>{_inlines(block['c'])}</h{level}>"
    if kind in ("ul", "ol"):
        items = "".join(f"<li>{html_of_blocks(item)}</li>" for item in block["items"])
        return f"<{kind}>{items}</{kind}>"
    if kind == "quote":
        return f"<blockquote>{html_of_blocks(block['c'])}</blockquote>"
    if kind == "code":
        return f"<pre>{html_of(block['text'])}</pre>"
    return "<hr>" if kind == "hr" else f"<p>{_inlines(block['c'])}</p>"


def _inlines(inlines: list[Inline]) -> str:
    return "".join(map(_inline, inlines))


def _inline(inline: Inline) -> str:
    if isinstance(inline, str):
        return html_of(inline)
    tag = _TAGS[inline["t"]]
    return f"<{tag}>{_inlines(inline['c'])}</{tag}>"
