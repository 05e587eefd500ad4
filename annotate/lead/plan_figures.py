"""The plan document as HTML: enough or not, how many items, and what either draw would bring."""

from collections.abc import Mapping
from typing import Any

from annotate.lead.text import html_of
from data.wording import amount, two_places
from reports.plan_document import Wish
from reports.plan_text import DRAWS, FIGURES, more_words, plan_words, refusal, show_words

Json = Mapping[str, Any]


def status(part: Json, half_width: float) -> str:
    """Large: enough, or how many more; below it the interval that says so, and how far the labelling is."""
    now, n = part["now"], part["labelled"]
    enough = now["status"] == "enough"
    head = "Enough" if enough else "Not yet"
    told = f"kappa is known to within ± {half_width:.2f}" if enough else more_words(now)
    bar = ""
    if not enough and now["more"] is not None:
        done = 100 * n / (n + now["more"])
        bar = f'<span class="rj-bar" aria-hidden="true"><i style="width:{done:.1f}%"></i></span>'
    return (
        f'<div class="rj-lead-figure" data-rj="status" data-status="{html_of(now["status"])}"><b>{head}</b>'
        f'<span class="rj-soft">{html_of(told)}</span></div>{bar}<p class="rj-soft">{html_of(_seen(part))}</p>'
    )


def _seen(part: Json) -> str:
    """The interval as it is."""
    now, items = part["now"], amount(part["labelled"], "labelled item", form=",")
    if now["half_width"] is None:
        reason = part["kappa"]["reason"] if part["kappa"] else ""
        return f"{items} so far: {reason}." if reason else f"{items} so far."
    strict = ", strict (more than 2 % of the verdicts are unreadable)" if part["strict"] else ""
    interval = f"{two_places(part['kappa']['low'])} to {two_places(part['kappa']['high'])}"
    return f"{items} so far{strict}: the 95 % interval of kappa is {interval}, that is ± {now['half_width']:.2f}."


def plans(part: Json, wish: Wish, there: int) -> str:
    """How many items each draw takes."""
    rows = _rows(f"kappa to ± {wish.half_width:.2f}", part["width"], there)
    if "show" in part:
        rows += _rows(f"kappa above {two_places(part['show']['kappa0'])}, {show_words(part['show'])}", part["show"], there)
    return (
        '<h2>How many items</h2><div class="rj-scroll"><table class="rj-wide" data-rj="plans"><thead><tr><th scope="col">for</th>'
        f'<th scope="col">drawn</th><th scope="col">items to label</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _rows(wanted: str, plans: Json, there: int) -> str:
    names = [name for name in DRAWS if name in plans]
    if refused := refusal(plans):
        return f'<tr><th scope="row">{html_of(wanted)}</th><td colspan="2" class="rj-undefined">{html_of(refused)}</td></tr>'
    rows = ""
    for place, name in enumerate(names):
        head = f'<th scope="rowgroup" rowspan="{len(names)}">{html_of(wanted)}</th>' if not place else ""
        kind = ' class="rj-undefined"' if plans[name]["n"] is None else ' class="rj-number"'
        rows += (
            f"<tr>{head}<td>{DRAWS[name].removeprefix('drawn ')}</td><td{kind}>{html_of(plan_words(plans[name], there))}</td></tr>"
        )
    return rows


def expected(part: Json) -> str:
    """The half-widths that the same number of items would bring by either draw, where there are two."""
    found = part["expected"]
    keys = list(found["simple"])
    heads = "".join(f'<th scope="col" class="rj-num">{FIGURES[key]}</th>' for key in keys)
    rows = ""
    for name in DRAWS:
        cells = "".join(f'<td class="rj-num">{_width(found[name][key])}</td>' for key in keys)
        rows += f'<tr><th scope="row">{DRAWS[name].removeprefix("drawn ")}</th>{cells}</tr>'
    title = f"<h2>What {amount(found['n'], 'item', form=',')} would bring</h2>"
    head = f'<thead><tr><th scope="col">drawn</th>{heads}</tr></thead>'
    return f'{title}<div class="rj-scroll"><table data-rj="expected">{head}<tbody>{rows}</tbody></table></div>'


def _width(width: float | None) -> str:
    return "–" if width is None else f"± {width:.3f}"
