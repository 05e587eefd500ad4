"""A judge that needs no LLM: which words stand in a trajectory, weighed by how the humans answered on train and dev.

TF-IDF of words and pairs of words in the text that annotators see, and logistic regression. An item of train or dev that
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
from data.store.columns import Ints
from data.store.factors import items_of_split
from data.store.judging import JudgeRun, Reply, append_replies, ensure_run, to_judge, trajectories
from data.store.tallying import NO_RUN, read_answers
from data.store.versions import AskedQuestion, record_versions
from data.study import Study
from data.wording import amount
from judge.evidence import EvidenceView, record_text

TAUGHT_BY = ("train", "dev")
LEAST_ITEMS, LEAST_CHOICES = 30, 2
FOLDS = 5
SEED = 0
FEATURES = 2**18
WORDS = (1, 2)
STRENGTH = 10.0
"""The inverse of the penalty: a baseline that is held back too much makes any judge look good."""
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
    choice: Ints
    """L: the place of the consensus among the declared choices."""
    group: Ints
    """L: from 0."""
    source: str
    """`batch` or `imported`."""

    def fold(self) -> Ints:
        """L: which of up to `FOLDS` parts an item lies in. A group is never split, and choices are spread evenly."""
        groups, choices = int(self.group.max()) + 1, int(self.choice.max()) + 1
        counts = np.zeros((groups, choices))
        np.add.at(counts, (self.group, self.choice), 1)
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
    if question.answered_by != "choice":
        raise RejudgeError(
            f"There is no baseline for question {question.id!r}.",
            f"It is of type {question.type}; a baseline answers with one choice.",
            "Name another question with --question.",
        )
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
    return Known(items, human.answers[kept], group, "imported" if human.imported.any() else "batch")


def checked_folds(known: Known, question: Question) -> Ints:
    """The fold of each labelled item. Raises RejudgeError where a baseline has too little to learn from."""
    counts = np.bincount(known.choice, minlength=len(question.choices))
    said = ", ".join(f"{count} {choice!r}" for choice, count in zip(question.choices, counts.tolist(), strict=True))
    groups = int(known.group.max()) + 1 if len(known.items) else 0
    found = f"Found {amount(len(known.items), 'labelled item')} of train and dev in {amount(groups, 'group')}: {said}."
    do = "Label more of them: `rejudge draw --split train`, and dev. Test items never teach a baseline."
    if len(known.items) < LEAST_ITEMS:
        raise RejudgeError(f"Too few labels to teach a baseline: it takes {LEAST_ITEMS}.", found, do)
    if int((counts > 0).sum()) < LEAST_CHOICES:
        raise RejudgeError("A baseline cannot learn from items that are all answered alike.", found, do)
    fold = known.fold() if groups > 1 else np.zeros(len(known.items), dtype=np.int64)
    for each in range(int(fold.max()) + 1):
        if len(np.unique(known.choice[fold != each])) < LEAST_CHOICES:
            raise RejudgeError(
                "A baseline cannot be held against groups that it has not seen.",
                f"{found} All items but those of one choice lie in groups that must be left out together.",
                do,
            )
    return fold


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
        "model": {"logistic regression": STRENGTH, "classes": "balanced", "folds": FOLDS, "by": "group", "seed": SEED},
        "labels": {
            "splits": list(TAUGHT_BY),
            "source": known.source,
            "items": len(known.items),
            "groups": int(known.group.max()) + 1,
            "hash": document_hash("labels", [known.items.tolist(), known.choice.tolist(), known.group.tolist()]),
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
    choice: Ints
    fold: Ints

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
        return cls(vstack(rows, format="csr"), known.choice[taken], fold[taken])


@dataclass(frozen=True, slots=True)
class _Model:
    """Which words count, and how much."""

    words: Ints
    """The columns of the matrix of counts that it reads."""
    weights: Any
    regression: Any

    @classmethod
    def taught(cls, lesson: _Lesson, left_out: int) -> "_Model":
        """The model of all folds but one."""
        from sklearn.feature_extraction.text import TfidfTransformer
        from sklearn.linear_model import LogisticRegression

        rows = np.flatnonzero(lesson.fold != left_out)
        counts, choice = lesson.counts[rows], lesson.choice[rows]
        words = np.flatnonzero(np.bincount(counts.indices, minlength=FEATURES) >= LEAST_TEXTS)
        if len(np.unique(choice)) < LEAST_CHOICES or not len(words):
            raise RejudgeError(
                "A baseline finds nothing to learn from.",
                f"Found room for {amount(len(rows), 'labelled item')} with {amount(len(np.unique(choice)), 'choice')} and "
                f"{amount(len(words), 'word')} that {LEAST_TEXTS} of them share.",
                "Label more items of train and dev, of every choice.",
            )
        weights = TfidfTransformer(sublinear_tf=True)
        regression = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000, random_state=SEED)
        regression.fit(weights.fit_transform(counts[:, words]), choice)
        return cls(words, weights, regression)

    def answers(self, texts: Sequence[str]) -> list[tuple[int, float]]:
        """The place of the likeliest choice and how likely it is, of each text."""
        likely = self.regression.predict_proba(self.weights.transform(_counted(texts)[:, self.words]))
        best = likely.argmax(axis=1)
        return list(zip(self.regression.classes_[best].tolist(), likely.max(axis=1).tolist(), strict=True))


def _answers(store: Store, model: _Model, numbers: Sequence[int], question: Question, view: EvidenceView) -> Iterator[list[Reply]]:
    for some, texts in _texts(store, numbers, view):
        yield [
            Reply(number, choice=question.choices[place], confidence=float(min(1.0, likely)))
            for number, (place, likely) in zip(some, model.answers(texts), strict=True)
        ]
