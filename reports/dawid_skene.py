"""Dawid and Skene's model: each item has one true class, each rater errs at rates of her own, and EM finds both.

For exploring raters in a notebook. It assumes that raters err independently given the class, which people
who share a misreading do not; what it finds is a local optimum of the likelihood, found from the shares of
the votes; and nothing tells how far it is off. So no consensus, gold set or report uses it.

No smoothing: a rater whom the model never sees err gets an error rate of exactly 0. Rounds go on until no
posterior moves by 1e-10; stopping after a few is off in the second decimal.

Source: Dawid and Skene 1979.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.wording import amount
from reports.estimate import Estimate
from reports.sample import Floats

METHOD = "EM, no smoothing"
FEWEST_RATERS = 3
STILL = 1e-10
MOST_ROUNDS = 20_000
LOCAL = "a local optimum of the likelihood, found from the shares of the votes; no interval says how far it may be off"
NOT_STILL = f"the rounds did not come to rest within {MOST_ROUNDS:,}, so the values are those of the last one"

Rating = Hashable | Sequence[Hashable] | None
"""One rater's answer to an item: a choice, a list or tuple of several answers of hers, or None."""


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """What EM came to, or why it was refused. N items, J raters, K choices."""

    choices: tuple[Hashable, ...]
    posteriors: tuple[tuple[float, ...] | None, ...]
    """N: the chance of each choice being the true one; None for an item that nobody rated. Empty where refused."""
    prevalence: tuple[Estimate, ...]
    """K: the share of the items that are truly of a choice. Point values: `reason` of each says why no interval."""
    rater_confusions: tuple[tuple[tuple[Estimate, ...], ...], ...]
    """J x K x K: the chance that a rater answers the second choice where the first is true. Undefined for a
    choice that none of her items is true of. Empty where refused."""
    log_likelihood: float | None
    rounds: int
    converged: bool
    """Whether no posterior moved by 1e-10 in the last round."""
    refused: str = ""
    """Why there is nothing; empty where there is."""
    note: str = LOCAL

    def correct(self, rater: int, choice: Hashable) -> Estimate:
        """How often `rater` (her place) answers `choice` where it is true."""
        place = self.choices.index(choice)
        if self.refused:
            return Estimate.undefined(0, METHOD, self.refused)
        return self.rater_confusions[rater][place][place]


def dawid_skene(ratings: Sequence[Sequence[Rating]], choices: Sequence[Hashable]) -> DawidSkene:
    """EM over `ratings`, a row per item and a place per rater; `choices` are the declared ones.

    Refused, with the reason, where fewer than three raters answered and where a choice was never given.
    Raises ValueError for rows of unequal length, a rating that is no choice, and fewer than two choices.
    """
    votes = _Votes.of(ratings, choices)
    named = tuple(choices)
    if refused := votes.refusal(named):
        nothing = Estimate.undefined(len(ratings), METHOD, refused)
        return DawidSkene(named, (), (nothing,) * len(named), (), None, 0, False, refused)
    truth, rounds, moved = votes.shares(), 0, 1.0
    while moved >= STILL and rounds < MOST_ROUNDS:
        prevalence, errors = votes.rates(truth)
        better = votes.posteriors(prevalence, errors)[0]
        moved = float(np.abs(better - truth).max())
        truth, rounds = better, rounds + 1
    prevalence, errors = votes.rates(truth)
    reason = LOCAL if moved < STILL else f"{NOT_STILL}; {LOCAL}"
    return DawidSkene(
        choices=named,
        posteriors=votes.by_item(truth),
        prevalence=tuple(Estimate(share, None, None, votes.rated, METHOD, reason) for share in prevalence.tolist()),
        rater_confusions=_confusions(votes, truth, errors, named, reason),
        log_likelihood=votes.posteriors(prevalence, errors)[1],
        rounds=rounds,
        converged=moved < STILL,
        note=reason,
    )


@dataclass(frozen=True, slots=True)
class _Votes:
    """One entry per item, rater and answer that occurs; items without any are left out."""

    item: NDArray[np.int64]
    """The place among the rated items."""
    rater: NDArray[np.int64]
    choice: NDArray[np.int64]
    times: Floats
    rated_of: NDArray[np.int64]
    """By item: the place among the rated ones, or -1."""
    raters: int
    size: int

    @classmethod
    def of(cls, ratings: Sequence[Sequence[Rating]], choices: Sequence[Hashable]) -> "_Votes":
        widths = sorted({len(row) for row in ratings})
        if len(widths) > 1 or len(set(choices)) < max(2, len(choices)):
            raise ValueError(
                "Ratings must be rows of one length, with a place for each rater and None where she did not answer, over two or "
                f"more different choices. Found lengths {widths} and choices {list(choices)}."
            )
        place = {choice: k for k, choice in enumerate(choices)}
        entries = []
        for item, row in enumerate(ratings):
            for rater, rating in enumerate(row):
                for answer in rating if isinstance(rating, list | tuple) else [rating]:
                    if answer is None:
                        continue
                    if answer not in place:
                        raise ValueError(f"Item {item} has the rating {answer!r}, which is none of the choices {list(choices)}.")
                    entries.append((item, rater, place[answer]))
        found, times = np.unique(np.array(entries, dtype=np.int64).reshape(-1, 3), axis=0, return_counts=True)
        rated_of = np.full(len(ratings), -1)
        rated = np.unique(found[:, 0])
        rated_of[rated] = np.arange(len(rated))
        return cls(
            rated_of[found[:, 0]],
            found[:, 1],
            found[:, 2],
            times.astype(np.float64),
            rated_of,
            max(widths, default=0),
            len(choices),
        )

    @property
    def rated(self) -> int:
        return int((self.rated_of >= 0).sum())

    def refusal(self, choices: Sequence[Hashable]) -> str:
        raters = len(np.unique(self.rater))
        if raters < FEWEST_RATERS:
            return f"{amount(raters, 'rater')} answered; with fewer than {FEWEST_RATERS} whose errors are whose cannot be told"
        never = [str(choices[k]) for k in range(self.size) if k not in self.choice]
        return f"nobody ever answered {', '.join(never)}, so nothing tells when that is true" if never else ""

    def shares(self) -> Floats:
        """N x K: where EM starts."""
        votes = np.zeros((self.rated, self.size))
        np.add.at(votes, (self.item, self.choice), self.times)
        started: Floats = votes / votes.sum(axis=1, keepdims=True)
        return started

    def rates(self, truth: Floats) -> tuple[Floats, Floats]:
        """K prevalences and J x K x K errors, from N x K posteriors; 0 for a choice that a rater never met."""
        errors = np.zeros((self.raters, self.size, self.size))
        for k in range(self.size):
            np.add.at(errors[:, k], (self.rater, self.choice), self.times * truth[self.item, k])
        met = errors.sum(axis=2, keepdims=True)
        return truth.mean(axis=0), errors / np.where(met > 0, met, 1.0)

    def posteriors(self, prevalence: Floats, errors: Floats) -> tuple[Floats, float]:
        """N x K posteriors, and the log-likelihood. In logs: a product of hundreds of ratings would vanish."""
        with np.errstate(divide="ignore"):
            log_prevalence, log_errors = np.log(prevalence), np.log(errors)
        logs = np.tile(log_prevalence, (self.rated, 1))
        for k in range(self.size):
            np.add.at(logs[:, k], self.item, self.times * log_errors[self.rater, k, self.choice])
        top = logs.max(axis=1, keepdims=True)
        relative = np.exp(logs - top)
        whole = relative.sum(axis=1, keepdims=True)
        return relative / whole, float((top + np.log(whole)).sum())

    def by_item(self, truth: Floats) -> tuple[tuple[float, ...] | None, ...]:
        rows = [tuple(row) for row in truth.tolist()]
        return tuple(rows[place] if place >= 0 else None for place in self.rated_of.tolist())


def _confusions(
    votes: _Votes, truth: Floats, errors: Floats, choices: Sequence[Hashable], reason: str
) -> tuple[tuple[tuple[Estimate, ...], ...], ...]:
    met = np.zeros((votes.raters, votes.size))
    np.add.at(met, votes.rater, truth[votes.item] * votes.times[:, None])
    answered = np.bincount(votes.rater, weights=votes.times, minlength=votes.raters)

    def row(rater: int, k: int) -> tuple[Estimate, ...]:
        n = round(float(answered[rater]))
        if met[rater, k] == 0:
            why = f"no item that this rater answered is {choices[k]} by the model" if n else "this rater answered nothing"
            return (Estimate.undefined(n, METHOD, why),) * votes.size
        return tuple(Estimate(share, None, None, n, METHOD, reason) for share in errors[rater, k].tolist())

    return tuple(tuple(row(rater, k) for k in range(votes.size)) for rater in range(votes.raters))
