"""Candidates on dev: who wins, what chance alone would give, and when to stop."""

import numpy as np
import pytest

from data.shared_items import SharedItems
from judge.competing import Step, contest, is_gain, optimism, rounds_without_gain
from reports.agreement import kappa
from reports.comparing import Comparison, compare
from reports.joint import Joint

RIGHT = 0.849
"""Share of right verdicts that makes kappa .66 at 30 % positives."""


def equal_prompts(dice: np.random.Generator, items: int, prompts: int, alike: float = 0.5) -> SharedItems:
    """Prompts of one true kappa (.66, 30 % positives), of which the errors of any two are correlated by `alike`."""
    human = (dice.random(items) < 0.3).astype(np.int64)
    common, own = dice.random(items) > RIGHT, dice.random((prompts, items)) > RIGHT
    wrong = np.where(dice.random((prompts, items)) < alike**0.5, common[None], own)
    return SharedItems(human, human[None] ^ wrong.astype(np.int64), 2, np.arange(items), np.ones(items))


def compared(first: list[int], second: list[int], human: list[int]) -> Comparison:
    table = np.zeros((2, 3, 3), dtype=int)
    np.add.at(table, (human, first, second), 1)
    return compare(Joint.of_table(table.tolist()))


class Prompts:
    """Prompts by the number of items, of 100, that they get wrong; each a stretch of its own, from `start` on."""

    def __init__(self, **wrong: tuple[int, int]) -> None:
        self.human = [place % 2 for place in range(100)]
        self.said = {
            name: [answer ^ (start <= place < start + many) for place, answer in enumerate(self.human)]
            for name, (start, many) in wrong.items()
        }

    def __call__(self, first: str, second: str) -> Comparison:
        return compared(self.said[first], self.said[second], self.human)


def test_the_candidate_that_is_clearly_better_wins() -> None:
    found = contest("old", {"old": 100, "good": 120, "bad": 90}, Prompts(old=(0, 20), good=(0, 4), bad=(0, 30)))
    assert (found.best, found.winner, found.gained) == ("good", "good", True)
    assert [(each.name, each.gained, each.tied) for each in found.standings] == [
        ("old", False, False),
        ("good", True, True),
        ("bad", False, False),
    ]


def test_of_two_within_one_standard_error_the_shorter_prompt_wins() -> None:
    prompts = Prompts(old=(0, 20), long=(0, 4), short=(50, 5))
    assert contest("old", {"old": 100, "long": 125, "short": 110}, prompts).winner == "short"
    assert contest("old", {"old": 100, "long": 105, "short": 110}, prompts).winner == "long"


def test_a_candidate_within_one_standard_error_of_its_parent_is_no_gain_and_the_parent_stays() -> None:
    prompts = Prompts(old=(0, 10), new=(50, 9))
    assert not is_gain(prompts("old", "new"))
    found = contest("old", {"old": 100, "new": 90}, prompts)
    assert (found.best, found.winner, found.gained) == ("new", "old", False)


def test_a_prompt_that_says_the_same_of_every_item_is_no_gain() -> None:
    found = contest("old", {"old": 100, "new": 90}, Prompts(old=(0, 10), new=(0, 10)))
    assert found.winner == "old"


def test_an_unreadable_reply_counts_against_a_candidate() -> None:
    human = [place % 2 for place in range(100)]
    unreadable = [2 if place < 30 else answer for place, answer in enumerate(human)]
    assert not is_gain(compared(human, unreadable, human))
    assert is_gain(compared(unreadable, human, human))


def test_a_prompt_whose_kappa_is_undefined_is_ahead_of_nobody() -> None:
    prompts = Prompts(old=(0, 0), new=(0, 0))
    prompts.human = [0] * 100
    prompts.said = {"old": [0] * 100, "new": [0] * 100}
    assert prompts("old", "new").difference.value is None
    assert contest("old", {"old": 9, "new": 8}, prompts).winner == "old"


def test_a_contest_without_its_parent_is_refused() -> None:
    with pytest.raises(ValueError, match="parent must be among"):
        contest("old", {"new": 8}, Prompts(new=(0, 1)))


@pytest.mark.parametrize(("items", "known"), [(50, 0.105), (100, 0.077), (200, 0.058)])
def test_the_best_of_ten_equal_prompts_gains_by_chance_what_simulations_say(items: int, known: float) -> None:
    """`known`: figures of another simulation of ten equal prompts at kappa .66 and 30 % positives."""
    dice = np.random.default_rng(11)
    truly, told = [], []
    for _ in range(40):
        drawn = equal_prompts(dice, items, 11)
        table = [[[int(((drawn.human == h) & (said == v)).sum()) for v in (0, 1)] for h in (0, 1)] for said in drawn.verdicts]
        values = [kappa(each).value or 0.0 for each in table]
        truly.append(max(values[1:]) - float(np.mean(values)))
        told.append(optimism(drawn, times=60).expected or 0.0)
    assert abs(np.mean(told) - known) < 0.02
    assert abs(np.mean(told) - np.mean(truly)) < 0.012


def test_identical_prompts_gain_nothing_by_chance() -> None:
    drawn = equal_prompts(np.random.default_rng(3), 80, 1)
    same = SharedItems(drawn.human, np.repeat(drawn.verdicts, 4, axis=0), 2, drawn.groups, drawn.weights)
    found = optimism(same, times=50)
    assert found.expected == pytest.approx(0, abs=1e-12)
    assert found.often_below == pytest.approx(0, abs=1e-12)


def test_more_candidates_gain_more_by_chance_and_more_items_less() -> None:
    few = optimism(equal_prompts(np.random.default_rng(5), 100, 3), times=200).expected or 0.0
    many = optimism(equal_prompts(np.random.default_rng(5), 100, 12), times=200).expected or 0.0
    larger = optimism(equal_prompts(np.random.default_rng(5), 1000, 12), times=200).expected or 0.0
    assert few < many
    assert larger < many / 2


def test_items_of_one_group_are_exchanged_together() -> None:
    """Twenty copies of each item tell no more than one of each."""
    drawn = equal_prompts(np.random.default_rng(7), 60, 5)
    copies = SharedItems(np.tile(drawn.human, 20), np.tile(drawn.verdicts, 20), 2, np.tile(drawn.groups, 20), np.ones(1200))
    once, apart = optimism(drawn, times=300), optimism(copies, times=300)
    assert apart.expected == pytest.approx(once.expected or 0.0, abs=0.01)
    loose = SharedItems(copies.human, copies.verdicts, 2, np.arange(1200), copies.weights)
    assert (optimism(loose, times=300).expected or 0.0) < (once.expected or 0.0) / 2


def test_what_cannot_be_told_has_a_reason() -> None:
    nothing = SharedItems(np.empty(0, np.int64), np.empty((3, 0), np.int64), 2, np.empty(0, np.int64), np.empty(0))
    assert optimism(nothing).expected is None
    assert "no item" in optimism(nothing).reason
    alike = SharedItems(np.zeros(9, np.int64), np.zeros((3, 9), np.int64), 2, np.arange(9), np.ones(9))
    assert "undefined" in optimism(alike).reason


def step(prompt: str, parent: str | None, round: int | None, gained: bool | None) -> Step:
    return Step(prompt, parent, round, gained)


def test_two_rounds_from_one_prompt_that_brought_nothing_are_two() -> None:
    tree = [step("a", None, None, None), step("b", "a", 1, False), step("c", "a", 1, False)]
    assert rounds_without_gain("a", tree) == 1
    assert rounds_without_gain("a", [*tree, step("d", "a", 2, False)]) == 2


def test_going_on_from_a_revision_that_brought_nothing_counts_the_way_to_it() -> None:
    tree = [step("a", None, None, None), step("b", "a", 1, False), step("c", "b", 1, False)]
    assert rounds_without_gain("b", tree) == 2
    assert rounds_without_gain("c", tree) == 2


def test_a_gain_begins_the_count_anew() -> None:
    tree = [step("a", None, None, None), step("b", "a", 1, True), step("c", "b", 1, False)]
    assert rounds_without_gain("b", tree) == 1
    assert rounds_without_gain("a", tree) == 0
    assert rounds_without_gain("c", tree) == 1


def test_what_never_ran_on_dev_is_no_round() -> None:
    assert rounds_without_gain("a", [step("a", None, None, None), step("b", "a", 1, None)]) == 0
    assert rounds_without_gain("nobody knows it", []) == 0
