"""A judge that needs no LLM: which words stand in a trajectory, weighed by how the humans answered on train and dev.

TF-IDF of words and pairs of words in the text that annotators see, and logistic regression: of several choices one for each,
by itself; of scores ridge regression, cut to the declared range. An item of train or dev that
taught the model is answered by a model of other groups alone (out of fold), every other item by the model of all of them:
so its agreement with the humans is held-out everywhere. What an LLM adds shows against it.

The vocabulary is hashed, so texts pass one by one; a model is taught on as many of them as `MOST_ENTRIES` allows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.errors import RejudgeError
from data.hashing import document_hash
from data.questions import Question
from data.records import CONSENSUS
from data.splits import SPLITS
from data.store import Store
from data.store.columns import Floats, Ints
from data.store.factors import items_of_split
from data.store.judging import JudgeRun, Reply, append_replies, ensure_run, to_judge, trajectories
from data.store.tallying import NO_RUN, read_answers
from data.store.versions import AskedQuestion, record_versions
from data.study import Study
from data.wording import amount
from judge.evidence import EvidenceView, record_text

TAUGHT_BY = ("train", "dev")
LEAST_ITEMS, LEAST_ANSWERS = 30, 2
FOLDS = 5
SEED = 0
FEATURES = 2**18
WORDS = (1, 2)
STRENGTH = 10.0
"""The inverse of the penalty: a baseline that is held back too much makes any judge look good."""
RIDGE = 0.4
"""The penalty of scores; as weak as that of choices, whose loss is at most a quarter as steep."""
LEAST_TEXTS = 3
"""A word that fewer texts have says nothing of others: with all of them a model of 100 items finds no planted phrase."""
MOST_ENTRIES = 30_000_000
"""Of the matrix that a model learns from: some 250 MB."""
MOST_CHARACTERS, MOST_TEXTS = 4_000_000, 500
"""Of the texts that are in memory at once."""
EVERYTHING = -1
"""In the place of a fold: the model of all labelled items."""


@dataclass(frozen=True, slots=True)
class Known:
    """L labelled items of train and dev."""

    items: Ints
    """L: trajectory numbers, ascending."""
    answer: Ints | Floats
    """L: the place of the consensus among the declared choices; of several a whole number whose bit i is choice i; a score."""
    group: Ints
    """L: from 0."""
    source: str
    """`batch` or `imported`."""
    by: str = "choice"
    """What an answer is: see `Question.answered_by`."""

    @property
    def kinds(self) -> Ints:
        """L x K: what folds spread evenly. The choice; each of several, and none of them; whether a score is above the median."""
        if self.by == "choices":
            return np.column_stack([self.answer == 0, *(_named(self.answer, place) for place in range(_labels(self.answer)))])
        kind = (self.answer > np.median(self.answer)).astype(np.int64) if self.by == "score" else self.answer
        return np.asarray(kind[:, None] == np.arange(int(kind.max()) + 1), dtype=np.int64)

    def fold(self) -> Ints:
        """L: which of up to `FOLDS` parts an item lies in. A group is never split, and kinds are spread evenly."""
        kinds = self.kinds
        groups, choices = int(self.group.max()) + 1, kinds.shape[1]
        counts = np.zeros((groups, choices))
        np.add.at(counts, self.group, kinds)
        share = counts / np.maximum(counts.sum(axis=0), 1)
        drawn = np.random.default_rng(SEED).permutation(groups)
        load = np.zeros((min(FOLDS, groups), choices))
        fold_of = np.zeros(groups, dtype=np.int64)
        for group in drawn[np.argsort(-counts[drawn].sum(axis=1), kind="stable")].tolist():
            fold_of[group] = np.argmin((2 * load * share[group]).sum(axis=1) + 1e-9 * load.sum(axis=1))
            load[fold_of[group]] += share[group]
        return fold_of[self.group]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was done."""

    run: JudgeRun
    new: bool
    """Whether these labels had taught no baseline before."""
    known: Known
    folds: int
    written: int
    """Verdicts that were not there yet."""


def run_baseline(store: Store, study: Study, question: Question) -> Baseline:
    """Teaches the baseline and writes its verdict on every trajectory that has none of it yet.

    The same labels make the same run, whatever was broken off. Raises RejudgeError where the labels are too few or too
    much alike to learn from.
    """
    asked = next(each for each in record_versions(store, study)[0] if each.question.id == question.id)
    known = labelled(store, study, question)
    fold = checked_folds(known, question)
    # Nothing is cut: the words of the middle weigh as much as others.
    view = EvidenceView(study.blind.reasoning, None, study.blind.show, None, study.blind.redact)
    name = "baseline" if len(study.questions) == 1 else f"baseline-{question.id}"
    run, new = ensure_run(store, name, "baseline", None, _document(asked, known, view), view.document())
    waiting = np.array(to_judge(store, run.code, asked.code, SPLITS), dtype=np.int64)
    if not len(waiting):
        return Baseline(run, new, known, int(fold.max()) + 1, 0)
    of_waiting = np.full(len(waiting), EVERYTHING)
    place = np.minimum(np.searchsorted(known.items, waiting), len(known.items) - 1)
    taught = known.items[place] == waiting
    of_waiting[taught] = fold[place[taught]]
    lesson = _Lesson.of(store, known, fold, view)
    written = 0
    for each in np.unique(of_waiting).tolist():
        model = _Model.taught(lesson, each)
        for replies in _answers(store, model, waiting[of_waiting == each].tolist(), question, view):
            written += len(append_replies(store, run.code, asked.code, replies))
    return Baseline(run, new, known, int(fold.max()) + 1, written)


def labelled(store: Store, study: Study, question: Question) -> Known:
    """The consensus of train and dev: of batches, and only where these have no label of imported ones."""
    with store.reading():
        answers = next(each for each in read_answers(store, study, NO_RUN, None) if each.ratings.question.id == question.id)
        open_to_it = np.logical_or.reduce([items_of_split(store, split) for split in TAUGHT_BY])
    ratings = answers.ratings
    before = ratings.condition.ratings.human(CONSENSUS) if ratings.condition else None
    human = ratings.consensus
    kept = (human.answers >= 0) & open_to_it[human.items] & ratings.asked(human.items, before)
    items = human.items[kept]
    _, group = np.unique(answers.frame.group_of[items], return_inverse=True)
    answer = ratings.levels[human.answers[kept]] if question.type == "score" else human.answers[kept]
    return Known(items, answer, group, "imported" if human.imported.any() else "batch", question.answered_by)


def checked_folds(known: Known, question: Question) -> Ints:
    """The fold of each labelled item. Raises RejudgeError where a baseline has too little to learn from."""
    groups = int(known.group.max()) + 1 if len(known.items) else 0
    items = amount(len(known.items), "labelled item")
    found = f"Found {items} of train and dev in {amount(groups, 'group')}: {_answered(known, question)}."
    do = "Label more of them: `rejudge draw --split train`, and dev. Test items never teach a baseline."
    if len(known.items) < LEAST_ITEMS:
        raise RejudgeError(f"Too few labels to teach a baseline: it takes {LEAST_ITEMS}.", found, do)
    if len(np.unique(known.answer)) < LEAST_ANSWERS:
        raise RejudgeError("A baseline cannot learn from items that are all answered alike.", found, do)
    fold = known.fold() if groups > 1 else np.zeros(len(known.items), dtype=np.int64)
    for each in range(int(fold.max()) + 1):
        if len(np.unique(known.answer[fold != each])) < LEAST_ANSWERS:
            raise RejudgeError(
                "A baseline cannot be held against groups that it has not seen.",
                f"{found} All items but those of one answer lie in groups that must be left out together.",
                do,
            )
    return fold


def _answered(known: Known, question: Question) -> str:
    """How often what was said."""
    if question.type == "score":
        return amount(len(np.unique(known.answer)), "different score")
    if question.type == "multilabel":
        counts = [int(_named(known.answer, place).sum()) for place in range(len(question.choices))]
    else:
        counts = np.bincount(known.answer, minlength=len(question.choices)).tolist()
    return ", ".join(f"{count} {choice!r}" for choice, count in zip(question.choices, counts, strict=True))


def _named(sets: Ints | Floats, place: int) -> Ints:
    """Whether the choice at `place` is among several, 1 or 0."""
    return sets.astype(np.int64) >> place & 1


def _labels(sets: Ints | Floats) -> int:
    """How many choices there are up to the last one that is named."""
    return int(sets.max()).bit_length()


def _model(question: Question) -> dict[str, Any]:
    """What is taught, for the document."""
    folds = {"folds": FOLDS, "by": "group", "seed": SEED}
    if question.type == "score":
        return {"ridge regression": RIDGE, "cut to": [question.min, question.max], **folds}
    each = {"each choice by itself": True} if question.type == "multilabel" else {}
    return {"logistic regression": STRENGTH, "classes": "balanced", **folds, **each}


def _document(asked: AskedQuestion, known: Known, view: EvidenceView) -> dict[str, Any]:
    """All that makes this baseline what it is; the same labels and versions give the same one."""
    import sklearn

    return {
        "kind": "baseline",
        "question": {"id": asked.question.id, "choices": list(asked.question.choices)},
        "view": view.document(),
        "features": {
            "words": list(WORDS),
            "hashed": FEATURES,
            "in_texts": LEAST_TEXTS,
            "weights": "sublinear tf-idf",
            "entries": MOST_ENTRIES,
        },
        "model": _model(asked.question),
        "labels": {
            "splits": list(TAUGHT_BY),
            "source": known.source,
            "items": len(known.items),
            "groups": int(known.group.max()) + 1,
            "hash": document_hash("labels", [known.items.tolist(), known.answer.tolist(), known.group.tolist()]),
        },
        "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    }


def _texts(store: Store, numbers: Sequence[int], view: EvidenceView) -> Iterator[tuple[list[int], list[str]]]:
    """The texts of trajectories, a bounded number at a time."""
    some: list[int] = []
    texts: list[str] = []
    length = 0
    for trajectory in trajectories(store, numbers):
        record = record_text(trajectory, view)
        text = f"{record.task or ''}\n{record.text}"
        if some and (length + len(text) > MOST_CHARACTERS or len(some) >= MOST_TEXTS):
            yield some, texts
            some, texts, length = [], [], 0
        some.append(trajectory.n)
        texts.append(text)
        length += len(text)
    if some:
        yield some, texts


def _counted(texts: Sequence[str]) -> Any:
    """A row of hashed word counts a text."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashed = HashingVectorizer(n_features=FEATURES, ngram_range=WORDS, alternate_sign=False, norm=None, dtype=np.float32)
    return hashed.transform(texts)


@dataclass(frozen=True, slots=True)
class _Lesson:
    """The labelled items that models learn from, in a drawn order, as many as there is room for."""

    counts: Any
    """A row of hashed word counts an item."""
    answer: Ints | Floats
    fold: Ints
    by: str

    @classmethod
    def of(cls, store: Store, known: Known, fold: Ints, view: EvidenceView) -> "_Lesson":
        from scipy.sparse import vstack

        order = np.random.default_rng(SEED).permutation(len(known.items))
        rows, entries = [], 0
        for _, texts in _texts(store, known.items[order].tolist(), view):
            rows.append(_counted(texts))
            entries += rows[-1].nnz
            if entries > MOST_ENTRIES:
                break
        taken = order[: sum(each.shape[0] for each in rows)]
        return cls(vstack(rows, format="csr"), known.answer[taken], fold[taken], known.by)


@dataclass(frozen=True, slots=True)
class _Model:
    """Which words count, and how much."""

    words: Ints
    """The columns of the matrix of counts that it reads."""
    weights: Any
    regressions: tuple[Any, ...]
    """One; of several choices one for each, and 0 or 1 where the items that taught it do not differ in that."""
    by: str

    @classmethod
    def taught(cls, lesson: _Lesson, left_out: int) -> "_Model":
        """The model of all folds but one."""
        from sklearn.feature_extraction.text import TfidfTransformer

        rows = np.flatnonzero(lesson.fold != left_out)
        counts, answer = lesson.counts[rows], lesson.answer[rows]
        words = np.flatnonzero(np.bincount(counts.indices, minlength=FEATURES) >= LEAST_TEXTS)
        if len(np.unique(answer)) < LEAST_ANSWERS or not len(words):
            raise RejudgeError(
                "A baseline finds nothing to learn from.",
                f"Found room for {amount(len(rows), 'labelled item')} with {amount(len(np.unique(answer)), 'answer')} and "
                f"{amount(len(words), 'word')} that {LEAST_TEXTS} of them share.",
                "Label more items of train and dev, of every choice.",
            )
        weights = TfidfTransformer(sublinear_tf=True)
        seen = weights.fit_transform(counts[:, words])
        if lesson.by == "choices":
            each = [_named(answer, place) for place in range(_labels(lesson.answer))]
            return cls(words, weights, tuple(_logistic(seen, named) for named in each), lesson.by)
        return cls(words, weights, (_ridge(seen, answer) if lesson.by == "score" else _logistic(seen, answer),), lesson.by)

    def replies(self, numbers: Sequence[int], texts: Sequence[str], question: Question) -> list[Reply]:
        """Its answer on each text: the likeliest choice, all that are likelier than not, or the score that is expected.

        The confidence of several choices is how likely all of them together are, were they independent; a score has none.
        """
        seen = self.weights.transform(_counted(texts)[:, self.words])
        if self.by == "score":
            scores = np.clip(self.regressions[0].predict(seen).astype(np.float64), question.min, question.max)
            return [Reply(number, score=score) for number, score in zip(numbers, scores.tolist(), strict=True)]
        if self.by == "choices":
            named = np.column_stack([_likely(each, seen) for each in self.regressions])
            sure = np.minimum(np.maximum(named, 1 - named).prod(axis=1), 1.0).tolist()
            return [
                Reply(number, choices=tuple(question.choices[place] for place in np.flatnonzero(row > 0.5)), confidence=together)
                for number, row, together in zip(numbers, named, sure, strict=True)
            ]
        likely = self.regressions[0].predict_proba(seen)
        places = self.regressions[0].classes_[likely.argmax(axis=1)].tolist()
        return [
            Reply(number, choice=question.choices[place], confidence=float(min(1.0, most)))
            for number, place, most in zip(numbers, places, likely.max(axis=1).tolist(), strict=True)
        ]


def _logistic(seen: Any, answer: Any) -> Any:
    """Taught to tell answers apart; the answer itself where there is only one."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(answer)) < LEAST_ANSWERS:
        return int(answer[0])
    return LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000, random_state=SEED).fit(seen, answer)


def _ridge(seen: Any, scores: Any) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=RIDGE, solver="sparse_cg", random_state=SEED).fit(seen, scores)


def _likely(regression: Any, seen: Any) -> Floats:
    """How likely a choice is named in each text."""
    if isinstance(regression, int):
        return np.full(seen.shape[0], float(regression))
    likely: Floats = regression.predict_proba(seen)[:, 1].astype(np.float64)
    return likely


def _answers(store: Store, model: _Model, numbers: Sequence[int], question: Question, view: EvidenceView) -> Iterator[list[Reply]]:
    for some, texts in _texts(store, numbers, view):
        yield model.replies(some, texts, question)
