"""What differs between two prompts, line by line, with the words that changed marked: no mark rests on its colour alone."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from annotate.lead.text import html_of
from data.wording import amount

AROUND = 3
"""Lines shown around a change; what lies between is told as a number."""
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_NEAR = 0.4
"""How much of two lines must be the same for their words to be compared."""
_LONGEST = 2_000
"""Characters of a line whose words are compared."""


def diff_html(old: str, new: str) -> str:
    """The lines of both, in one column: `+` before those that came, `−` before those that went."""
    before, after = old.split("\n"), new.split("\n")
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    groups = list(matcher.get_grouped_opcodes(AROUND))
    if not groups:
        return '<p class="rj-soft">Not a line differs.</p>'
    rows, seen = [], 0
    for group in groups:
        if group[0][1] > seen:
            rows.append(_gap(group[0][1] - seen))
        for kind, low, high, start, end in group:
            rows += _rows(kind, before[low:high], after[start:end])
        seen = group[-1][2]
    if seen < len(before):
        rows.append(_gap(len(before) - seen))
    head = '<thead class="rj-unseen"><tr><th scope="col">change</th><th scope="col">line</th></tr></thead>'
    return f'<div class="rj-scroll"><table class="rj-diff" data-rj="diff">{head}<tbody>{"".join(rows)}</tbody></table></div>'


def counted(old: str, new: str) -> tuple[int, int]:
    """How many lines came, and how many went."""
    codes = SequenceMatcher(None, old.split("\n"), new.split("\n"), autojunk=False).get_opcodes()
    changes = [(end - start, high - low) for kind, low, high, start, end in codes if kind != "equal"]
    return sum(came for came, _ in changes), sum(went for _, went in changes)


def _gap(lines: int) -> str:
    return f'<tr class="rj-gap"><td></td><td>{amount(lines, "line", form=",")} as before</td></tr>'


def _rows(kind: str, went: list[str], came: list[str]) -> Iterator[str]:
    if kind == "equal":
        yield from (_row("", " ", html_of(line)) for line in went)
        return
    # Each line that went stands for the one that came in its place.
    marked = [_marked(old, new) for old, new in zip(went, came, strict=False)]
    for place, old in enumerate(went):
        both = marked[place] if place < len(marked) else None
        yield _row("went", "−", both[0] if both else html_of(old))
    for place, new in enumerate(came):
        both = marked[place] if place < len(marked) else None
        yield _row("came", "+", both[1] if both else html_of(new))


def _row(kind: str, sign: str, line: str) -> str:
    said = {"went": "removed", "came": "added"}.get(kind, "")
    told = f'<span class="rj-unseen">{said}</span><span aria-hidden="true">{sign}</span>' if said else ""
    return f'<tr class="rj-{kind or "same"}"><td class="rj-sign">{told}</td><td class="rj-line-text">{line or "&nbsp;"}</td></tr>'


def _marked(old: str, new: str) -> tuple[str, str] | None:
    """Both lines with the words that differ marked; None where they have little in common."""
    if max(len(old), len(new)) > _LONGEST:
        return None
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _NEAR:
        return None
    one, two = [], []
    for kind, low, high, start, end in matcher.get_opcodes():
        went, came = html_of("".join(before[low:high])), html_of("".join(after[start:end]))
        one.append(went if kind == "equal" or not went else f"<del>{went}</del>")
        two.append(came if kind == "equal" or not came else f"<ins>{came}</ins>")
    return "".join(one), "".join(two)
