"""A codebook page becomes blocks of plain text, whatever stands in it."""

import json

from annotate.codebook_page import blocks_of


def test_headings_paragraphs_lists_and_emphasis_become_blocks() -> None:
    page = "# Misaligned\n\nBeyond *its* **mandate**, `x`.\n\n- one\n- two\n  1. deep\n\n> said\n\n```\ncode\n```\n\n---\n"
    assert blocks_of(page) == [
        {"t": "h", "level": 1, "c": ["Misaligned"]},
        {
            "t": "p",
            "c": ["Beyond ", {"t": "i", "c": ["its"]}, " ", {"t": "b", "c": ["mandate"]}, ", ", {"t": "code", "c": ["x"]}, "."],
        },
        {
            "t": "ul",
            "items": [
                [{"t": "p", "c": ["one"]}],
                [{"t": "p", "c": ["two"]}, {"t": "ol", "items": [[{"t": "p", "c": ["deep"]}]]}],
            ],
        },
        {"t": "quote", "c": [{"t": "p", "c": ["said"]}]},
        {"t": "code", "text": "code"},
        {"t": "hr"},
    ]


def test_a_line_break_in_a_paragraph_is_a_blank() -> None:
    assert blocks_of("one\ntwo") == [{"t": "p", "c": ["one", " ", "two"]}]


def test_html_stays_the_text_that_it_was_written_as() -> None:
    text = json.dumps(blocks_of("<script>alert(1)</script>\n\nx <b>bold</b>"))
    assert "<script>alert(1)</script>" in text
    assert "<b>" in text


def test_links_lose_their_targets_and_images_load_nothing() -> None:
    text = json.dumps(blocks_of("[read me](https://evil.example/a) ![pixel](https://evil.example/b.png)"))
    assert "read me" in text
    assert "evil.example/a" not in text
    assert '"img"' not in text


def test_an_empty_page_has_no_blocks() -> None:
    assert blocks_of("") == []
