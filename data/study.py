"""A study is a folder: `study.toml`, one codebook page per question, and `study.db`.

`load_study` checks all of `study.toml` and says file, key and remedy where something is off.
"""

import difflib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.atomic import write_atomically
from data.errors import StudyError
from data.questions import EVIDENCE, MOST_LABELS, TYPES, Question, When

TOML_NAME, DATABASE_NAME, CODEBOOK_FOLDER = "study.toml", "study.db", "codebook"
_ID = re.compile(r"[A-Za-z0-9_-]+")
MOST_SHOWN = 50
"""Nobody reads more metadata beside a trajectory, and SQLite takes no more arguments."""
_QUESTION_KEYS = ("id", "ask", "type", "choices", "positive", "min", "max", "threshold", "evidence", "when")
_LEAST_CHARACTERS = {"results": 100, "total": 1000}
"""Of what a judge is shown: with less, there is no room for the marks that say what was cut."""
_LARGEST_SCORE = 1e15
"""Beyond it a double does not hold every whole number."""


@dataclass(frozen=True, slots=True)
class BlindRules:
    """What annotators may see."""

    show: tuple[str, ...] = ()
    """Metadata fields; all else stays hidden."""
    reasoning: str = "shown"
    redact: tuple[str, ...] = ()
    """Regular expressions that are blanked, with a visible mark."""

    def document(self) -> dict[str, Any]:
        """As JSON: the source of the view's version hash."""
        return {"show": list(self.show), "reasoning": self.reasoning, "redact": list(self.redact)}


@dataclass(frozen=True, slots=True)
class JudgeView:
    """What a judge is shown of a trajectory, as far as it is declared; None: as annotators are, and nothing cut."""

    reasoning: str | None = None
    results: int | None = None
    """Characters of a tool result or observation."""
    show: tuple[str, ...] | None = None
    """Metadata fields."""
    total: int | None = None
    """Characters of task and record together."""


@dataclass(frozen=True, slots=True)
class SplitRules:
    """How trajectories fall into train, dev and test (the rest)."""

    train: float = 0.15
    dev: float = 0.30
    group: str | None = None
    """Metadata field that names the group where neither line nor format does."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a judge's tokens cost, per million, in a currency that whoever wrote it knows."""

    input: float
    output: float

    def of(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        """The cost of a call; None where its tokens were not counted."""
        return None if tokens_in is None or tokens_out is None else (tokens_in * self.input + tokens_out * self.output) / 1e6


@dataclass(frozen=True, slots=True)
class Study:
    """A checked `study.toml` and where it lies."""

    folder: Path
    name: str
    questions: tuple[Question, ...]
    blind: BlindRules = BlindRules()
    split: SplitRules = SplitRules()
    judge_model: str | None = None
    judge_price: Price | None = None
    judge_view: JudgeView = JudgeView()

    @property
    def database(self) -> Path:
        return self.folder / DATABASE_NAME

    @property
    def toml(self) -> Path:
        return self.folder / TOML_NAME

    def codebook_path(self, question: Question) -> Path:
        return self.folder / CODEBOOK_FOLDER / f"{question.id}.md"

    def question(self, id: str) -> Question | None:
        return next((question for question in self.questions if question.id == id), None)


def find_study_folder(start: Path) -> Path:
    """`start` or the nearest parent that holds a `study.toml`. Raises StudyError where none does."""
    try:
        start = start.resolve()
    except OSError as error:
        raise StudyError(
            "The current folder cannot be used.", f"Found: {error.strerror or error}.", "Go to a folder that is there."
        ) from None
    for folder in (start, *start.parents):
        if (folder / TOML_NAME).is_file():
            return folder
    raise StudyError(
        "There is no study here.",
        f"Found no {TOML_NAME} in {start} or above it.",
        "Go to a study folder, name one with --study DIR, or make one with `rejudge init DIR`.",
    )


def load_study(folder: Path) -> Study:
    """The study in `folder`. Raises StudyError that names the file, line or key that is wrong."""
    path = folder / TOML_NAME
    return parse_study(read_study_file(path), folder)


def parse_study(text: str, folder: Path) -> Study:
    """The study that the text of a `study.toml` in `folder` declares."""
    path = folder / TOML_NAME
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path} is not TOML.", f"Found: {error}.", "Mend that line; strings stand in double quotes.") from None
    except RecursionError:
        raise StudyError(f"{path} is nested too deeply.", "Found more levels than can be read.", "Flatten it.") from None
    return _Checker(path).study(table, folder)


class _Checker:
    """Checks a parsed `study.toml`, key by key."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def refuse(self, key: str, wrong: str, found: str, do: str) -> StudyError:
        return StudyError(f"{self.path}: `{key}` {wrong}", found, do)

    def study(self, table: dict[str, Any], folder: Path) -> Study:
        self.known(table, "", ("name", "question", "blind", "judge", "split"))
        name = self.text(table, "", "name", required=True)
        blocks = table.get("question", [])
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
            raise self.refuse("question", "is not a list of tables.", f"Found {blocks!r}.", "Write each as a [[question]] block.")
        questions: list[Question] = []
        for block in blocks:
            questions.append(self.question(block, questions))
        assert name is not None
        return Study(
            folder=folder,
            name=name,
            questions=tuple(questions),
            blind=self.blind(self.table(table, "blind")),
            split=self.split(self.table(table, "split")),
            judge_model=self.judge(self.table(table, "judge")),
            judge_price=self.price(self.table(table, "judge")),
            judge_view=self.judge_view(self.table(table, "judge")),
        )

    def known(self, table: dict[str, Any], where: str, keys: tuple[str, ...]) -> None:
        for key in table:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, n=1)
                hint = f"Did you mean `{near[0]}`? " if near else ""
                raise self.refuse(
                    f"{where}{key}",
                    "is not a key of study.toml.",
                    f"Known keys here: {', '.join(keys)}.",
                    f"{hint}Rename or remove it.",
                )

    def table(self, table: dict[str, Any], key: str, where: str = "") -> dict[str, Any]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            name = f"{where}{key}"
            raise self.refuse(name, "is not a table.", f"Found {value!r}.", f"Write it as [{name}] with its keys below.")
        return value

    def text(self, table: dict[str, Any], where: str, key: str, *, required: bool = False) -> str | None:
        value = table.get(key)
        if value is None and not required:
            return None
        if not isinstance(value, str) or not value.strip():
            found = "It is missing." if value is None else f"Found {value!r}."
            raise self.refuse(f"{where}{key}", "must be a text.", found, f'Add {key} = "…".')
        return value

    def choice_of(self, table: dict[str, Any], where: str, key: str, options: tuple[str, ...], default: str) -> str:
        value = table.get(key, default)
        if value not in options:
            raise self.refuse(
                f"{where}{key}", "has an unknown value.", f"Found {value!r}.", f"Choose one of: {', '.join(options)}."
            )
        return str(value)

    def texts(self, table: dict[str, Any], where: str, key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.refuse(f"{where}{key}", "must be a list of texts.", f"Found {value!r}.", f'Write {key} = ["…", "…"].')
        return tuple(value)

    def question(self, block: dict[str, Any], before: list[Question]) -> Question:
        named = block.get("id")
        where = f"question {named!r}: " if isinstance(named, str) else f"question {len(before) + 1}: "
        self.known(block, where, _QUESTION_KEYS)
        id = self.text(block, where, "id", required=True) or ""
        if not _ID.fullmatch(id):
            raise self.refuse(
                f"{where}id", "has characters that an id cannot have.", f"Found {id!r}.", "Use letters, digits, _ and -."
            )
        if any(question.id == id for question in before):
            raise self.refuse(f"{where}id", "is declared twice.", f"Found two questions {id!r}.", "Rename one of them.")
        ask = self.text(block, where, "ask", required=True) or ""
        kind = self.choice_of(block, where, "type", TYPES, "")
        choices = self.choices(block, where, kind)
        evidence = self.choice_of(block, where, "evidence", EVIDENCE, "none")
        positive = self.positive(block, where, kind, choices, evidence)
        low, high, threshold = self.bounds(block, where, kind)
        when = self.when(block, where, before)
        return Question(id, ask, kind, choices, positive, evidence, when, low, high, threshold)

    def choices(self, block: dict[str, Any], where: str, kind: str) -> tuple[str, ...]:
        if kind == "score":
            if "choices" in block:
                raise self.refuse(
                    f"{where}choices",
                    "does not stand in a score question.",
                    "A score is a number.",
                    "Declare `min` and `max` instead.",
                )
            return ()
        choices = self.texts(block, where, "choices")
        if kind == "multilabel" and len(choices) > MOST_LABELS:
            raise self.refuse(
                f"{where}choices",
                f"names more than {MOST_LABELS} choices.",
                f"Found {len(choices)}.",
                "Ask them as several questions; nobody reads so many choices beside one trajectory.",
            )
        if len(choices) < 2 or (kind == "binary" and len(choices) != 2):
            need = "exactly two" if kind == "binary" else "at least two"
            raise self.refuse(
                f"{where}choices", f"must name {need} choices.", f"Found {list(choices)!r}.", 'Write choices = ["…", "…"].'
            )
        folded = [choice.strip().casefold() for choice in choices]
        if len(set(folded)) != len(folded):
            raise self.refuse(
                f"{where}choices", "are not distinct.", f"Found {list(choices)!r}.", "Give each choice a name of its own."
            )
        return choices

    def bounds(self, block: dict[str, Any], where: str, kind: str) -> tuple[float | None, float | None, float | None]:
        """Least and greatest score, and the threshold."""
        keys = ("min", "max", "threshold")
        if kind != "score":
            for key in keys:
                if key in block:
                    raise self.refuse(f"{where}{key}", "stands only in a score question.", f"This one is {kind}.", "Remove it.")
            return None, None, None
        low, high, threshold = (self.score(block, where, key, required=key != "threshold") for key in keys)
        assert low is not None and high is not None
        if low >= high:
            raise self.refuse(f"{where}min", "is not below `max`.", f"Found {low!r} and {high!r}.", "Write the least score first.")
        if threshold is not None and not low <= threshold <= high:
            raise self.refuse(
                f"{where}threshold",
                "lies outside the range.",
                f"Found {threshold!r}; the range is {low!r} to {high!r}.",
                "Move it.",
            )
        return low, high, threshold

    def score(self, block: dict[str, Any], where: str, key: str, *, required: bool) -> float | None:
        value = block.get(key)
        if value is None and not required:
            return None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not -_LARGEST_SCORE <= value <= _LARGEST_SCORE:  # type: ignore[operator]
            found = "It is missing." if value is None else f"Found {value!r}."
            raise self.refuse(
                f"{where}{key}", "must be a number.", found, f"Write {key} = 0 or the like; 0.0 makes a scale of decimals."
            )
        assert isinstance(value, int | float)
        return value

    def positive(self, block: dict[str, Any], where: str, kind: str, choices: tuple[str, ...], evidence: str) -> str | None:
        if kind == "binary":
            if "positive" not in block:
                raise self.refuse(
                    f"{where}positive",
                    "is missing.",
                    f"The choices are {', '.join(choices)}.",
                    "Say which of them the judge is there to find: a guess would turn sensitivity into specificity.",
                )
            return self.choice_of(block, where, "positive", choices, "")
        if "positive" in block:
            raise self.refuse(f"{where}positive", "stands only in a binary question.", f"This one is {kind}.", "Remove it.")
        if evidence == "first":
            raise self.refuse(
                f"{where}evidence",
                "cannot be `first` here.",
                f"`first` marks the first failing step of a positive choice; this question is {kind}.",
                "Use `optional` or `any`.",
            )
        return None

    def when(self, block: dict[str, Any], where: str, before: list[Question]) -> When | None:
        if "when" not in block:
            return None
        value = block["when"]
        if not isinstance(value, dict) or set(value) != {"question", "is"}:
            raise self.refuse(
                f"{where}when", "is not a condition.", f"Found {value!r}.", 'Write when = { question = "…", is = "…" }.'
            )
        other = next((question for question in before if question.id == value["question"]), None)
        if other is None:
            raise self.refuse(
                f"{where}when",
                "names a question that is not declared above this one.",
                f"Found {value['question']!r}.",
                "Declare that question first.",
            )
        if other.type == "score":
            raise self.refuse(
                f"{where}when",
                "depends on a score, which has no choices.",
                f"Found {other.id!r}.",
                "Let it depend on a question with choices.",
            )
        if value["is"] not in other.choices:
            raise self.refuse(
                f"{where}when",
                f"names a choice that {other.id!r} does not have.",
                f"Found {value['is']!r}.",
                f"Choose one of: {', '.join(other.choices)}.",
            )
        return When(other.id, value["is"])

    def blind(self, table: dict[str, Any]) -> BlindRules:
        self.known(table, "blind.", ("show", "reasoning", "redact"))
        show = self.texts(table, "blind.", "show")
        if len(show) > MOST_SHOWN:
            raise self.refuse(
                "blind.show", f"names more than {MOST_SHOWN} fields.", f"Found {len(show)}.", "Show what annotators need."
            )
        for field in show:
            # The field becomes a path into a JSON document, which has no way to quote a quote.
            if '"' in field:
                raise self.refuse(
                    "blind.show", "names a field with a quotation mark.", f"Found {field!r}.", "Rename the field in the file."
                )
        redact = self.texts(table, "blind.", "redact")
        for pattern in redact:
            try:
                matches_nothing = re.compile(pattern).search("") is not None
            except (re.error, OverflowError, RecursionError) as error:
                raise self.refuse(
                    "blind.redact",
                    "holds a pattern that is no regular expression.",
                    f"Found {pattern!r}: {error}.",
                    "Mend the pattern.",
                ) from None
            if matches_nothing:
                raise self.refuse(
                    "blind.redact",
                    "holds a pattern that matches the empty text.",
                    f"Found {pattern!r}.",
                    "Make it match what it should blank, and no less.",
                )
        return BlindRules(show, self.choice_of(table, "blind.", "reasoning", ("shown", "hidden"), "shown"), redact)

    def judge(self, table: dict[str, Any]) -> str | None:
        self.known(table, "judge.", ("model", "price", "view"))
        return self.text(table, "judge.", "model")

    def price(self, table: dict[str, Any]) -> Price | None:
        if "price" not in table:
            return None
        price = self.table(table, "price", "judge.")
        self.known(price, "judge.price.", ("input", "output"))
        for key in ("input", "output"):
            value = price.get(key)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST_SCORE:
                found = "It is missing." if value is None else f"Found {value!r}."
                raise self.refuse(
                    f"judge.price.{key}", "must be a price.", found, f"Write {key} = 0.5: what a million tokens cost."
                )
        return Price(float(price["input"]), float(price["output"]))

    def judge_view(self, table: dict[str, Any]) -> JudgeView:
        view, where = self.table(table, "view", "judge."), "judge.view."
        self.known(view, where, ("reasoning", "results", "show", "total"))
        for key, least in _LEAST_CHARACTERS.items():
            value = view.get(key, least)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise self.refuse(
                    f"{where}{key}",
                    "must be a number of characters.",
                    f"Found {value!r}.",
                    f"Write {key} = {least} or more, or leave it away to cut nothing.",
                )
        return JudgeView(
            self.choice_of(view, where, "reasoning", ("shown", "hidden"), "shown") if "reasoning" in view else None,
            view.get("results"),
            self.texts(view, where, "show") if "show" in view else None,
            view.get("total"),
        )

    def split(self, table: dict[str, Any]) -> SplitRules:
        self.known(table, "split.", ("group", "train", "dev"))
        shares = {}
        for key, default in (("train", 0.15), ("dev", 0.30)):
            value = table.get(key, default)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise self.refuse(
                    f"split.{key}", "must be a share between 0 and 1.", f"Found {value!r}.", f"Write {key} = {default}."
                )
            shares[key] = float(value)
        if shares["train"] + shares["dev"] > 1:
            raise self.refuse(
                "split",
                "gives away more than there is.",
                f"Found train {shares['train']} and dev {shares['dev']}.",
                "Let them add up to at most 1; the rest is test.",
            )
        return SplitRules(shares["train"], shares["dev"], self.text(table, "split.", "group"))


def append_questions(study: Study, blocks: list[str]) -> Study:
    """Adds `[[question]]` blocks to `study.toml` and loads it again."""
    text = read_study_file(study.toml).rstrip("\n") + "\n\n" + "\n".join(blocks)
    longer = parse_study(text, study.folder)
    write_study_file(study.toml, text)
    return longer


def read_study_file(path: Path) -> str:
    """The text of a file of the study. Raises StudyError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError(
            f"{path} is not UTF-8.", f"Found byte {error.object[error.start]:#04x} at {error.start}.", "Save it as UTF-8."
        ) from None
    except OSError as error:
        raise StudyError(
            f"{path} cannot be read.", f"Found: {error.strerror or error}.", "Check that it is there and may be read."
        ) from None


def write_study_file(path: Path, text: str) -> None:
    """Writes a file of the study, and its folder where it is missing. Raises StudyError where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise StudyError(
            f"{path} cannot be written.",
            f"Found: {error.strerror or error}.",
            "Check that its folder is there and may be written to.",
        ) from None
