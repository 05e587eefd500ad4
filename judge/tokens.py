"""How many tokens a prompt takes before anybody pays for them: an estimate, since tokenizers differ by a third and more."""

from dataclasses import dataclass
from statistics import median

from data.codebook import read_page
from data.splits import SPLITS
from data.store import Store
from data.store.judging import to_judge, trajectories
from data.study import Study
from data.wording import amount
from judge.evidence import view_of
from judge.examples import examples_shown
from judge.prompts import Prompt
from judge.template import estimated_tokens, rendered

LOOKED_AT = 200
"""Trajectories, spread evenly over all of them."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Of what is sent about an item, without the reply."""

    items: int
    looked_at: int
    usual: int
    """The median."""
    most: int
    total: int
    """For all items, once."""
    cost: float | None
    """In the unit of `[judge.price]`; None without a price."""

    def in_words(self) -> str:
        of = f", looking at {self.looked_at} of them" if self.looked_at < self.items else ""
        cost = "" if self.cost is None else f", {self.cost:.2f} by [judge.price] before any reply"
        return (
            f"about {self.usual:,} tokens an item and {self.most:,} at most, "
            f"{self.total:,} for {amount(self.items, 'item', form=',')}{of}{cost}"
        )


def tokens_of(store: Store, study: Study, prompt: Prompt) -> Tokens | None:
    """None where there is no trajectory; the study declares its question. Raises RejudgeError for a prompt that cannot be shown."""
    numbers = to_judge(store, None, 0, SPLITS)
    if not numbers:
        return None
    question = next(each for each in study.questions if each.id == prompt.question)
    view, page = view_of(study), read_page(study, question)
    examples = examples_shown(store, prompt, question, view)
    chosen = numbers[:: -(-len(numbers) // LOOKED_AT)]
    counts = [estimated_tokens(rendered(prompt, question, page, item, view, examples).text) for item in trajectories(store, chosen)]
    total = round(sum(counts) * len(numbers) / len(counts))
    cost = None if study.judge_price is None else study.judge_price.of(total, 0)
    return Tokens(len(numbers), len(counts), round(median(counts)), max(counts), total, cost)
