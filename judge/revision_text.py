"""A round of revision in words, for a terminal."""

from collections.abc import Mapping, Sequence
from shlex import quote

from data.wording import amount
from judge.certify import WEIGHTS
from judge.competing import Standing
from judge.edits import Part, diff_parts
from judge.prompts import Prompt
from judge.reviser import Material, Proposal, Unusable
from judge.revising import Result
from reports.written.numerals import two_places

_SIGNS = {"same": " ", "gone": "-", "new": "+"}
_AROUND = 2
"""Lines that stay the same and are shown on both sides of a change."""


def sent_text(material: Material, model: str, base_url: str) -> str:
    """What goes where."""
    wrong = sum(case.wrong for case in material.cases)
    return (
        f"{amount(wrong, 'train item')} on which the judge is wrong and {len(material.cases) - wrong} on which it is right, "
        f"with what humans and judge wrote of them, go to {model} at {base_url}."
    )


def candidate_text(place: int, count: int, prompt: Prompt, found: Proposal | Unusable) -> str:
    """One answer of the reviser: diagnosis, reasons and the diff, or what is wrong with it."""
    title = f"Candidate {place} of {count}"
    if isinstance(found, Unusable):
        wrong = [f"  {problem}" for problem in found.problems]
        return "\n".join([f"{title}: none, for both replies do not hold. Of the second:", *wrong])
    lines = [title, *(f"  Diagnosis: {each}" for each in found.diagnosis)]
    lines += [f"  Edit {number}: {edit.reason}" for number, edit in enumerate(found.edits, 1)]
    return "\n".join([*lines, f"  Risk: {found.risk}", *_diff_lines(diff_parts(prompt.body, found.body))])


def _diff_lines(parts: Sequence[Part]) -> list[str]:
    lines = []
    for place, part in enumerate(parts):
        shown: list[str | None] = list(part.lines)
        if part.kind == "same":
            before, after = (0 if place == 0 else _AROUND), (0 if place == len(parts) - 1 else _AROUND)
            if len(shown) > before + after:
                shown = [*shown[:before], None, *shown[len(shown) - after :]]
        lines += ["    …" if line is None else f"  {_SIGNS[part.kind]} {line}" for line in shown]
    return lines


def result_text(found: Result, names: Mapping[str, str]) -> str:
    """The dev table, what chance alone would give, and who wins; `names`: hash to what to call a prompt."""
    called = {run: names[hash] for run, hash in found.runs.items()}
    width = max(map(len, called.values()))
    first, *rest = found.contest.standings
    lines = [f"On dev, {amount(first.comparison.n, 'labelled item')}; an unreadable reply counts as a disagreement."]

    def line(each: Standing, said: str) -> str:
        figure = f"{found.figure} {_two(each.comparison.second.value)}"
        return f"  {called[each.name]:{width}}  {figure}  {each.characters:,} characters, {said}"

    lines.append(line(first, "the parent"))
    for each in rest:
        difference, error = each.comparison.difference, each.comparison.error.value
        said = "difference unknown" if difference.value is None else f"{_signed(difference.value)}"
        if difference.low is not None and difference.high is not None:
            said += f" ({_signed(difference.low)} to {_signed(difference.high)})"
        said += "" if error is None else f", standard error {_two(error)}"
        lines.append(line(each, said))
    return "\n".join([*lines, _chance(found), _winner(found, called)])


def _chance(found: Result) -> str:
    chance = found.optimism
    if chance.expected is None or chance.often_below is None:
        return f"What the best would gain by chance is unknown: {chance.reason}."
    if chance.candidates == 1:
        return f"An equal prompt is ahead on these {chance.n} items by up to {_two(chance.often_below)} in 95 of 100 cases."
    return (
        f"If all were equal, the best of {chance.candidates} prompts would still be ahead by {_two(chance.expected)} on "
        f"average on these {chance.n} items, and in 95 of 100 cases by up to {_two(chance.often_below)}: "
        "dev flatters whoever wins on it."
    )


def _winner(found: Result, called: Mapping[str, str]) -> str:
    contest, parent = found.contest, found.contest.standings[0]
    name = called[contest.winner]
    if not contest.gained:
        return f"No gain: no candidate is ahead of {name} by more than one standard error. {name} stays."
    ahead = next(each for each in contest.standings if each.name == contest.winner).comparison.difference.value or 0.0
    tied = [called[each.name] for each in contest.standings if each.tied and each.name != contest.winner and each is not parent]
    why = f", the shortest within one standard error of the best ({', '.join(tied)} tied with it)" if tied else ""
    corrected = "" if found.optimism.expected is None else f", of which {_two(found.optimism.expected)} may be chance"
    return f"{name} wins, ahead by {_signed(ahead)}{corrected}{why}."


def next_text(winner: Prompt, old: Prompt, judge: Sequence[str], type_: str) -> str:
    """How to go on with a prompt that won.

    `judge`: the options by which `judge run` asks the same judge; `type_`: the question's.
    """
    named, before = (quote(str(each.path) if each.path else each.hash[:12]) for each in (winner, old))
    run = " ".join(["rejudge judge run --prompt", named, *map(quote, judge)])
    if type_ not in WEIGHTS:
        answers = "Scores" if type_ == "score" else "Several choices"
        return f"Go on: `{run} --split train` for another round. {answers} are compared on dev, not certified."
    return (
        f"Go on: `{run} --split train` for another round; or, to prove it, run it on test "
        f"(`--split test`), then `rejudge judge certify {named} --against {before}`."
    )


def _two(figure: float | None) -> str:
    return "undefined" if figure is None else two_places(figure)


def _signed(figure: float) -> str:
    return _two(figure) if round(figure, 2) < 0 else f"+{_two(figure)}"
