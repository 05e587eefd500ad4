"""Text for a terminal: what files, annotators and judges wrote must not steer it.

A terminal obeys control characters: they can clear it, rename its window, write over what stands there, or fill the
clipboard. So each one, and each that turns the reading direction or cannot be seen, is written as its escape.
"""


def on_one_line(text: str) -> str:
    r"""`text` with every character that cannot be seen as its escape: an escape character as `\x1b`, a line's end as `\n`."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else _escape(sign) for sign in text)


def for_terminal(text: str) -> str:
    """`text` as `on_one_line` has it, but with its lines and tabs: for text that was put together here."""
    return "".join(sign if sign in "\n\t" or sign.isprintable() else _escape(sign) for sign in text)


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode()
