"""A plot on a page of the lead's: an image, so that nothing in it can act, in the colours of the light that the page has.

Streamlit strips SVG out of HTML, and an image knows nothing of the page around it.
"""

import re
from base64 import b64encode
from html import escape, unescape

import streamlit as st

from reports.forest import COLOURS, FONT, INK, LINE, PALE, PAPER, SOFT

IN_THE_DARK = {
    INK: "#e6e4df", SOFT: "#9ea3ac", LINE: "#2f333a", PALE: "#747a84", PAPER: "#1c1f23",
    COLOURS["circle"]: "#8ab4dc", COLOURS["square"]: "#d9a566", COLOURS["diamond"]: "#9ea3ac",
}  # fmt: skip
"""The colours of print, and what stands for them on a dark page: those of lead.css."""


def plot_html(svg: str) -> str:
    """`svg`, made by `reports.forest`, as an image with its words; empty where it is."""
    if not svg:
        return ""
    words = [unescape(found) for found in re.findall(r"<(?:title|desc)[^>]*>(.*?)</(?:title|desc)>", svg, flags=re.DOTALL)]
    drawn = svg.replace(escape(FONT), "sans-serif").replace(FONT, "sans-serif")
    if st.context.theme.type == "dark":
        for colour, other in IN_THE_DARK.items():
            drawn = drawn.replace(f'"{colour}"', f'"{other}"')
    source = b64encode(drawn.encode()).decode()
    return f'<img class="rj-plot" data-rj="plot" alt="{escape(". ".join(words))}" src="data:image/svg+xml;base64,{source}">'
