"""What `rejudge leaks` says in a terminal: one finding per line, one field per line."""

from itertools import groupby

from annotate.leaks import KINDS, Leaks, Trace
from data.terminal import on_one_line
from data.wording import amount

_MOST = 12
"""Lines per kind; `--json` has them all."""


def leaks_text(leaks: Leaks) -> str:
    """The findings for a person to decide on."""
    lines = [f"{amount(leaks.items, 'item')}, searched as annotators see them. What is found may be harmless: a person decides."]
    found = {kind: list(traces) for kind, traces in groupby(leaks.traces, key=lambda trace: trace.kind)}
    for kind, traces in found.items():
        lines += ["", f"{kind}:", *(f"  {_trace(trace, leaks.items)}" for trace in traces[:_MOST])]
        if len(traces) > _MOST:
            lines.append(f"  and {len(traces) - _MOST} more; --json lists them")
        if kind == "judge's words":
            lines.append("  A judge that quotes the run looks the same as a run that holds the judge's words.")
    if len(found) < len(KINDS):
        lines += ["", f"Nothing found: {', '.join(kind for kind in KINDS if kind not in found)}."]
    lines += ["", *_fields(leaks)]
    return "\n".join(lines)


def _trace(trace: Trace, of: int) -> str:
    places = on_one_line(", ".join(place for place, _ in trace.places.most_common(3)))
    return (
        f"{on_one_line(trace.found)}: {_times(trace.occurrences)} in {amount(trace.items, 'item')} ({trace.items / of:.1%}), "
        f"in {places}; "
        f"{on_one_line(trace.where)}: “{trace.excerpt}”"
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _fields(leaks: Leaks) -> list[str]:
    if not leaks.fields:
        return ["There are no verdicts, so no field can predict them."]
    lines = [
        "How well one visible field alone predicts the verdict: AUC on groups that it was not trained on; 0.5 is chance, and",
        "`shuffled` is where it falls in 95 % of shuffles of the verdicts. A field may predict it because it is the subject.",
    ]
    for run, question, figures in leaks.fields:
        lines.append(f"{on_one_line(run)} · {question}")
        for figure in figures:
            field = on_one_line(figure.field)
            if figure.auc.value is None or figure.chance is None:
                lines.append(f"  {field}: n {figure.auc.n}, {figure.auc.reason}")
                continue
            low, high = figure.chance
            mark = f"; above the shuffled ones (p {figure.p:.3f})" if figure.stands_out else ""
            lines.append(f"  {field}: AUC {figure.auc.value:.2f}, shuffled {low:.2f} to {high:.2f}, n {figure.auc.n}{mark}")
    return lines
