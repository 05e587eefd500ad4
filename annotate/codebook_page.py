"""A codebook page as blocks that the desk can draw without ever reading HTML.

Markdown is parsed by a library; what comes out is a small tree of headings, paragraphs, lists, quotes
and code. Links lose their targets, and images and raw HTML stay the text that they were written as.
"""

from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

Block = dict[str, Any]
Inline = str | dict[str, Any]

_markdown = MarkdownIt("commonmark", {"html": False}).disable("image")


def blocks_of(page: str) -> list[Block]:
    """The page's blocks: h (with level), p, ul, ol, quote, code, hr."""
    return _blocks(SyntaxTreeNode(_markdown.parse(page)).children)


def _blocks(nodes: list[SyntaxTreeNode]) -> list[Block]:
    blocks: list[Block] = []
    for node in nodes:
        if node.type == "heading":
            blocks.append({"t": "h", "level": min(int(node.tag[1]), 4), "c": _inlines(node)})
        elif node.type == "paragraph":
            blocks.append({"t": "p", "c": _inlines(node)})
        elif node.type in ("bullet_list", "ordered_list"):
            kind = "ul" if node.type == "bullet_list" else "ol"
            blocks.append({"t": kind, "items": [_blocks(item.children) for item in node.children]})
        elif node.type == "blockquote":
            blocks.append({"t": "quote", "c": _blocks(node.children)})
        elif node.type in ("fence", "code_block"):
            blocks.append({"t": "code", "text": node.content.rstrip("\n")})
        elif node.type == "hr":
            blocks.append({"t": "hr"})
    return blocks


def _inlines(node: SyntaxTreeNode) -> list[Inline]:
    """The text of a heading or paragraph, whose one child is its inline node."""
    return _inline_nodes(node.children[0].children) if node.children else []


def _inline_nodes(nodes: list[SyntaxTreeNode]) -> list[Inline]:
    inlines: list[Inline] = []
    for node in nodes:
        if node.type == "text":
            inlines.append(node.content)
        elif node.type in ("softbreak", "hardbreak"):
            inlines.append(" ")
        elif node.type == "code_inline":
            inlines.append({"t": "code", "c": [node.content]})
        elif node.type in ("strong", "em"):
            inlines.append({"t": "b" if node.type == "strong" else "i", "c": _inline_nodes(node.children)})
        else:
            inlines += _inline_nodes(node.children)
    return inlines
