"""How well one field alone predicts a verdict: a cross-validated AUC, beside what shuffled verdicts give.

A linear classifier (ridge regression on indicators) is trained on four fifths of the groups and ranks the
items of the last fifth; the AUC is the mean over folds, weighted by their pairs of unlike items. Siblings
never stand on both sides. The same is done with the verdicts shuffled between groups, whole groups at a
time: where 95 % of those AUCs fall is what chance gives for this field, these groups and this n.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reports.estimate import Estimate

METHOD = "5 folds by group, ridge, 199 shuffles"
FOLDS, SHUFFLES = 5, 199
LEAST_ITEMS, LEAST_GROUPS, LEAST_OF_A_KIND = 20, 5, 5
MOST_ITEMS = 2000
"""Enough to tell .55 from chance; more would only take longer."""
_BINS, _MOST_KINDS, _MOST_WORDS = 10, 50, 300
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FieldAuc:
    """What one field alone says about the verdict."""

    field: str
    auc: Estimate
    """0.5 is chance. With more than two kinds of verdict: the mean over each kind against the rest."""
    chance: tuple[float, float] | None
    """Where 95 % of the AUCs with shuffled verdicts fall."""
    p: float | None
    """Share of shuffles that reach the AUC, by (1 + count) / (1 + shuffles)."""

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "auc": self.auc.as_json(), "chance": list(self.chance) if self.chance else None, "p": self.p}

    @property
    def stands_out(self) -> bool:
        return self.chance is not None and self.auc.value is not None and self.auc.value > self.chance[1]


def field_auc(field: str, values: Sequence[Any], kinds: npt.NDArray[np.bool_], groups: Sequence[str], seed: int = 0) -> FieldAuc:
    """The AUC of `field` for one run and question.

    values: one per item; numbers, texts, truth values, None where it is missing. kinds: items x kinds of
    verdict, True where the item's verdict is (or holds) that kind; a binary verdict needs one column.
    """
    chosen = _sample(groups, seed)
    n, names = len(chosen), [groups[item] for item in chosen]
    kinds = kinds[chosen]
    kinds = kinds[:, (kinds.sum(axis=0) >= LEAST_OF_A_KIND) & ((~kinds).sum(axis=0) >= LEAST_OF_A_KIND)]
    _, codes = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    if n < LEAST_ITEMS or len(set(names)) < LEAST_GROUPS or not kinds.shape[1]:
        return FieldAuc(field, Estimate.undefined(n, METHOD, "too few items, groups or unlike verdicts to tell"), None, None)
    features = _features([values[item] for item in chosen])
    aucs = _aucs(features, _shuffled(kinds, codes, seed), codes, seed)
    if not np.isfinite(aucs[0]):
        return FieldAuc(field, Estimate.undefined(n, METHOD, "no fold holds unlike verdicts"), None, None)
    seen, chance = float(aucs[0]), aucs[1:][np.isfinite(aucs[1:])]
    low, high = (float(end) for end in np.quantile(chance, [0.025, 0.975]))
    p = float((1 + (chance >= seen - 1e-12).sum()) / (1 + len(chance)))
    return FieldAuc(field, Estimate(seen, None, None, n, METHOD, "no interval: see what shuffled verdicts give"), (low, high), p)


def _sample(groups: Sequence[str], seed: int) -> npt.NDArray[np.int64]:
    """The items that are used: all, or whole groups by chance up to `MOST_ITEMS`."""
    if len(groups) <= MOST_ITEMS:
        return np.arange(len(groups))
    _, codes = np.unique(np.array(groups, dtype=object).astype(str), return_inverse=True)
    order = np.random.default_rng(seed).permutation(codes.max() + 1)
    sizes = np.bincount(codes)[order]
    taken = order[: max(1, int(np.searchsorted(np.cumsum(sizes), MOST_ITEMS, side="right")))]
    return np.flatnonzero(np.isin(codes, taken))[:MOST_ITEMS]


def _features(values: Sequence[Any]) -> Floats:
    """Indicators: tenths of numbers, kinds of a category, or words of a text; and whether there is a value."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    there = np.array([value is not None for value in values])
    missing = (~there).astype(float)[:, None]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values if value is not None)
    texts = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True) for value in values]
    known, codes = np.unique(np.array(texts, dtype=object).astype(str), return_inverse=True)
    if numbers and len(known) > _BINS:
        found = np.array([float(value) if value is not None else np.nan for value in values])
        edges = np.unique(np.nanquantile(found, np.linspace(0, 1, _BINS + 1)[1:-1]))
        place = np.searchsorted(edges, np.nan_to_num(found), side="right")
        return np.hstack([np.eye(len(edges) + 1)[place] * there[:, None], missing])
    if len(known) <= _MOST_KINDS:
        return np.asarray(np.eye(len(known))[codes], dtype=np.float64)
    try:
        words = TfidfVectorizer(max_features=_MOST_WORDS, min_df=2, token_pattern=r"(?u)\w+").fit_transform(texts).toarray()
    except ValueError:
        # No word stands in two items: nothing could be learned from it.
        words = np.zeros((len(texts), 1))
    return np.hstack([words, missing])


def _shuffled(kinds: npt.NDArray[np.bool_], codes: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.bool_]:
    """Items x kinds x (1 + shuffles): the verdicts, and the verdicts laid over the groups in another order of groups."""
    chance = np.random.default_rng(seed + 1)
    by_group = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    blocks = np.split(by_group, ends[:-1])
    drawn = np.repeat(kinds[:, :, None], 1 + SHUFFLES, axis=2)
    for shuffle in range(1, 1 + SHUFFLES):
        order = np.concatenate([blocks[group] for group in chance.permutation(len(blocks))])
        drawn[by_group, :, shuffle] = kinds[order]
    return drawn


def _aucs(features: Floats, kinds: npt.NDArray[np.bool_], codes: npt.NDArray[np.int64], seed: int) -> Floats:
    """One AUC for the verdicts, and one for each shuffle; nan where no fold has unlike items."""
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GroupKFold

    flat = kinds.reshape(len(features), -1)
    total, weight = np.zeros(flat.shape[1]), np.zeros(flat.shape[1])
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=seed).split(features, groups=codes):
        model = Ridge(alpha=1.0, solver="cholesky").fit(features[train], flat[train].astype(float))
        auc, pairs = _rank_auc(model.predict(features[test]).reshape(len(test), -1), flat[test])
        total += auc * pairs
        weight += pairs
    with np.errstate(invalid="ignore", divide="ignore"):
        by_kind = (total / weight).reshape(kinds.shape[1], kinds.shape[2])
    defined = np.isfinite(by_kind)
    counts = defined.sum(axis=0)
    return np.where(counts > 0, np.where(defined, by_kind, 0).sum(axis=0) / np.maximum(counts, 1), np.nan)


def _rank_auc(scores: Floats, kinds: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Column by column the AUC (0 where it is undefined) and the number of pairs of unlike items; ties count half."""
    from scipy.stats import rankdata

    # The same prediction may differ in its last bits by the order of a sum.
    ranks = rankdata(np.round(scores, 9), axis=0)
    ones = kinds.sum(axis=0).astype(float)
    pairs = ones * (len(kinds) - ones)
    above = (ranks * kinds).sum(axis=0) - ones * (ones + 1) / 2
    return np.divide(above, pairs, out=np.zeros_like(above), where=pairs > 0), pairs
