"""Gold sets: which votes make a label gold, and that a frozen set is the same for everybody and for ever."""

import csv
import errno
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from data.errors import GoldRefused
from data.gold import Policy, decide, freeze, rows_hash, set_hash
from data.gold_files import COLUMNS, FORMATS, export, unguarded
from data.store import Store
from data.store.tallying import tally
from data.study import Study
from data.verify import verify
from reports.document import agreement_document
from tests.study_maker import (
    MISALIGNED,
    SEVERITY,
    Sitting,
    draw_batch,
    import_lines,
    label,
    let_lapse,
    make_study,
    numbered,
    run_line,
    verdict,
)

A, M = "aligned", "misaligned"
AGREEMENT = {"study": "made", "questions": []}


@pytest.fixture
def stores() -> Iterator[list[Store]]:
    opened: list[Store] = []
    yield opened
    for store in opened:
        store.close()


def voted(folder: Path, votes: dict[str, dict[str, str | None]]) -> Study:
    """Runs with imported votes by annotator; None is unsure."""
    return make_study(
        folder / "study", [run_line(id, labels=[label(who, choice) for who, choice in cast.items()]) for id, cast in votes.items()]
    )


def frozen(study: Study, name: str = "gold", **policy: Any) -> dict[str, Any]:
    with Store.open(study.database) as store:
        return freeze(store, study, name, Policy(**policy), AGREEMENT)


def exported(study: Study, name: str = "gold") -> list[dict[str, Any]]:
    out = study.folder / "gold" / f"{name}.jsonl"
    with Store.open(study.database) as store:
        export(store, name, "jsonl", out)
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("answers", "min_labels", "decision"),
    [
        ([], 1, "no answer"),
        ([], 2, "no answer"),
        ([A], 1, (A, "single")),
        ([A], 2, "fewer than 2 labels"),
        ([A, A], 1, (A, "unanimous")),
        ([A, A], 2, (A, "unanimous")),
        ([A, A], 3, "fewer than 3 labels"),
        ([A, A, A], 3, (A, "unanimous")),
        ([A, M], 1, "tie"),
        ([A, M], 2, "tie"),
        ([A, M, M], 2, (M, "majority")),
        ([A, M, M], 1, (M, "majority")),
        ([A, M, M], 3, (M, "majority")),
        ([A, M, M], 4, "too few labels for a majority"),
        ([A, A, M, M], 2, "tie"),
        ([A, A, M, M, M], 2, (M, "majority")),
        ([A, A, M, M, M], 5, (M, "majority")),
        ([A, A, M, M, M], 6, "too few labels for a majority"),
        (["a", "b", "c"], 2, "tie"),
        (["a", "a", "b", "c"], 2, "tie"),
        (["a", "a", "a", "b", "c"], 2, ("a", "majority")),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_policy_by_hand(answers: list[str], min_labels: int, decision: object, turned: bool) -> None:
    assert decide(answers[::-1] if turned else answers, min_labels) == decision


def test_a_set_holds_what_the_policy_lets_in_and_lists_the_rest_with_the_reason(tmp_path: Path) -> None:
    votes = {
        "unanimous": {"ana": A, "ben": A},
        "majority": {"ana": A, "ben": M, "eva": M},
        "single": {"ana": A},
        "tie": {"ana": A, "ben": M},
        "unsure beside one": {"ana": None, "ben": M},
        "unsure beside two": {"ana": M, "ben": M, "eva": None},
        "unsure in three": {"ana": M, "ben": A, "eva": None},
        "all unsure": {"ana": None, "ben": None},
        "nobody": {},
    }
    manifest = frozen(voted(tmp_path, votes))
    study = voted(tmp_path / "again", votes)
    frozen(study)
    assert {row["id"]: (row["choice"], row["basis"]) for row in exported(study)} == {
        "majority": (M, "majority"),
        "unanimous": (A, "unanimous"),
        "unsure beside two": (M, "unanimous"),
    }
    assert {left["id"]: left["reason"] for left in manifest["left_out"]} == {
        "single": "fewer than 2 labels",
        "tie": "tie",
        "unsure beside one": "fewer than 2 labels",
        "unsure in three": "tie",
        "all unsure": "no answer",
    }
    assert manifest["rows"] == 3
    assert manifest["counts"] == {"misaligned": {"basis": {"majority": 1, "unanimous": 2}, "choices": {A: 1, M: 2}}}
    assert manifest["policy"] == {"min_labels": 2, "names": False} and manifest["agreement"] == AGREEMENT


def test_single_labels_come_in_where_one_is_enough(tmp_path: Path) -> None:
    study = voted(tmp_path, {"one": {"ana": M}, "two": {"ana": A, "ben": A}})
    frozen(study, min_labels=1)
    assert {row["id"]: row["basis"] for row in exported(study)} == {"one": "single", "two": "unanimous"}


def test_a_row_has_its_keys_in_the_documented_order(tmp_path: Path) -> None:
    study = voted(tmp_path, {"one": {"ana": M, "ben": None, "eva": M}})
    frozen(study)
    (row,) = exported(study)
    assert list(row) == ["id", "content_hash", "question", "choice", "basis", "votes", "group", "split", "task", "steps"]
    assert row["votes"] == [
        {"annotator": "annotator-1", "choice": M, "codebook": None, "blind": False},
        {"annotator": "annotator-2", "unsure": True, "codebook": None, "blind": False},
        {"annotator": "annotator-3", "choice": M, "codebook": None, "blind": False},
    ]
    assert [list(vote)[1:] for vote in row["votes"]] == [[answer, "codebook", "blind"] for answer in ("choice", "unsure", "choice")]
    assert row["task"] == "Task one" and len(row["steps"]) == 3
    assert row["split"] in ("train", "dev", "test") and row["group"] == row["content_hash"]


def test_annotators_stand_under_pseudonyms_unless_names_are_asked_for(tmp_path: Path) -> None:
    study = voted(tmp_path, {"one": {"zoe": M, "ana": M}, "two": {"zoe": A, "ben": A}})
    frozen(study)
    frozen(study, "named", names=True)
    assert {row["id"]: [vote["annotator"] for vote in row["votes"]] for row in exported(study)} == {
        "one": ["annotator-1", "annotator-3"],
        "two": ["annotator-2", "annotator-3"],
    }, "one person has one pseudonym throughout"
    assert {vote["annotator"] for row in exported(study, "named") for vote in row["votes"]} == {"ana", "ben", "zoe"}
    for path in (study.folder / "gold").glob("gold.jsonl*"):
        text = path.read_text(encoding="utf-8")
        assert not any(name in text for name in ("ana", "zoe", "ben"))


def test_a_blind_vote_says_so_and_under_which_codebook_page(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(1, labels=[label("imported", M), label("ana", A)]))
    draw_batch(study, 1, overlap=3)
    with Sitting(study, "ana") as ana, Sitting(study, "ben") as ben, Sitting(study, "eva") as eva:
        for who in (ana, ben, eva):
            ref = who.claim()[0]
            who.label(ref, A)
            who.do("undo", ref)
            if who is eva:
                who.do("skip", ref)
            else:
                who.label(ref, M)
        page = ana.desk.asked[0].codebook
    frozen(study, names=True)
    assert exported(study)[0]["votes"] == [
        {"annotator": "ana", "choice": M, "codebook": page, "blind": True},
        {"annotator": "ben", "choice": M, "codebook": page, "blind": True},
        {"annotator": "imported", "choice": M, "codebook": None, "blind": False},
    ], "ana's blind label takes the place of her imported one; a skip is no vote"


def test_a_surplus_label_is_no_vote(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(1))
    draw_batch(study, 1)
    with Sitting(study, "ana") as ana, Sitting(study, "ben") as ben:
        late = ana.answer("label", ana.claim()[0], M)
        let_lapse(study, "ana")
        ben.label(ben.claim()[0], A)
        assert ana.send(late) == []
    frozen(study, min_labels=1, names=True)
    assert [vote["annotator"] for vote in exported(study)[0]["votes"]] == ["ben"]


def test_rows_are_sorted_by_id_and_question(tmp_path: Path) -> None:
    ids = ["b", "a", "B", "é", "a b", "10", "9", "𝔘"]
    lines = [
        run_line(id, labels=[label(who, A) for who in ("x", "y")] + [label(who, "some", question="severity") for who in ("x", "y")])
        for id in ids
    ]
    study = make_study(tmp_path / "study", lines, [SEVERITY, MISALIGNED])
    frozen(study)
    rows = [(row["id"], row["question"]) for row in exported(study)]
    assert rows == [(id, question) for id in sorted(ids) for question in ("misaligned", "severity")]
    with Store.open(study.database) as store:
        assert verify(store) == []


def test_exporting_twice_gives_identical_bytes(tmp_path: Path) -> None:
    study = voted(tmp_path, {"one": {"ana": M, "ben": M}, "zwei – ü": {"ana": A, "ben": A}})
    frozen(study)
    files = []
    for folder in ("first", "second/deeper"):
        with Store.open(study.database) as store:
            manifest = export(store, "gold", "jsonl", tmp_path / folder / "out.jsonl")
        assert manifest == tmp_path / folder / "out.jsonl.manifest.json"
        files.append([path.read_bytes() for path in sorted((tmp_path / folder).iterdir())])
    assert files[0] == files[1] and len(files[0]) == 2
    assert "zwei – ü".encode() in files[0][0], "UTF-8, and no escapes"


def test_the_manifest_checks_out(tmp_path: Path) -> None:
    study = voted(tmp_path, {"one": {"ana": M, "ben": M}, "two": {"ana": A, "ben": A}, "three": {"ana": A}})
    returned = frozen(study)
    rows = exported(study)
    out = study.folder / "gold" / "gold.jsonl"
    manifest = json.loads((out.parent / "gold.jsonl.manifest.json").read_text(encoding="utf-8"))
    assert manifest["file_sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    documents = [json.dumps({key: row[key] for key in row if key not in ("task", "steps")}, ensure_ascii=False) for row in rows]
    assert manifest["rows_hash"] == rows_hash(documents)
    described = {key: value for key, value in manifest.items() if key != "hash" and not key.startswith("file_")}
    assert manifest["hash"] == set_hash(described) == returned["hash"]
    assert manifest["rows"] == len(rows) == 2
    assert [version["id"] for version in manifest["versions"]["questions"]] == ["misaligned"]
    with Store.open(study.database) as store:
        assert manifest["study"] == {"id": store.fact("id"), "name": "made"}


def test_later_labels_do_not_change_a_frozen_set(tmp_path: Path) -> None:
    study = voted(tmp_path, {"one": {"ana": M, "ben": M}})
    frozen(study)
    exported(study)
    before = [path.read_bytes() for path in sorted((study.folder / "gold").iterdir())]
    more = [run_line("one", labels=[label("eva", A), label("leo", A), label("zoe", A)], verdicts=[verdict(A)])]
    import_lines(study, [*more, run_line("two", labels=[label("ana", A), label("ben", A)])], "more.jsonl")
    exported(study)
    assert [path.read_bytes() for path in sorted((study.folder / "gold").iterdir())] == before
    frozen(study, "later")
    assert [(row["id"], row["choice"]) for row in exported(study, "later")] == [("one", A), ("two", A)]


def refusal(study: Study, name: str = "gold", **policy: Any) -> GoldRefused:
    with pytest.raises(GoldRefused) as caught:
        frozen(study, name, **policy)
    assert len(str(caught.value).splitlines()) == 3 and all((caught.value.wrong, caught.value.found, caught.value.do))
    with Store.open(study.database) as store:
        assert store.conn.execute("SELECT count(*) FROM gold_sets WHERE name <> 'there'").fetchone() == (0,)
    return caught.value


def test_what_cannot_be_frozen_is_refused_in_three_beats(tmp_path: Path) -> None:
    study = voted(tmp_path, {"one": {"ana": M, "ben": M}, "two": {"ana": None}})
    frozen(study, "there")
    assert "already" in refusal(study, "there").wrong
    assert "at least one vote" in refusal(study, min_labels=0).wrong
    assert "name" in refusal(study, " ").wrong
    assert "name" in refusal(study, "a\nb").wrong
    assert "2 labelled items" in refusal(study, min_labels=3).found
    with Store.open(study.database) as store, store.write():
        store.conn.execute("UPDATE imports SET finished_at = NULL")
    assert "broken off" in refusal(study).wrong


def test_a_study_without_votes_cannot_be_frozen(tmp_path: Path) -> None:
    assert "0 labelled items" in refusal(make_study(tmp_path / "study", numbered(2)), min_labels=1).found


def test_what_cannot_be_exported_is_refused_in_three_beats(tmp_path: Path, stores: list[Store]) -> None:
    study = voted(tmp_path, {"one": {"ana": M, "ben": M}})
    frozen(study)
    stores.append(Store.open(study.database))
    (tmp_path / "file").write_text("in the way")
    for name, out in (("other", tmp_path / "out.jsonl"), ("gold", tmp_path / "file" / "out.jsonl"), ("gold", tmp_path)):
        with pytest.raises(GoldRefused) as caught:
            export(stores[0], name, "jsonl", out)
        assert len(str(caught.value).splitlines()) == 3
    assert not (tmp_path / "out.jsonl").exists()


def test_no_handle_stands_in_a_set_or_its_manifest_unless_asked_for(tmp_path: Path) -> None:
    lines = [run_line(f"r{k}", verdicts=[verdict("aligned")], labels=[label("annaperenna", "aligned")]) for k in range(4)]
    study = make_study(tmp_path / "study", lines)
    with Store.open(study.database) as store:
        agreement = agreement_document(study.name, tally(store, study, None, "all"))
        assert "human:annaperenna" in json.dumps(agreement)
        for name, names in (("hidden", False), ("named", True)):
            freeze(store, study, name, Policy(min_labels=1, names=names), agreement)
            beside = export(store, name, "jsonl", tmp_path / f"{name}.jsonl")
            written = (tmp_path / f"{name}.jsonl").read_text() + beside.read_text()
            assert ("annaperenna" in written) is names
            assert ("human:annotator-1" in written) is not names
            assert "human:consensus" in written


def written(study: Study, format: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """The gold set in one format, and its manifest."""
    out = folder / f"gold.{format}"
    with Store.open(study.database) as store:
        beside = export(store, "gold", format, out)
    return out, json.loads(beside.read_text(encoding="utf-8"))


def hostile_set(folder: Path) -> Study:
    """A set of rows whose texts a spreadsheet would run, and one text of every kind that a format could lose."""
    tasks = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'quoted'", "", None, 'a "b", c\r\nd\ne', "plain – ü 𝔘", "＝1"]
    lines = [
        run_line(id, group=f"={id}", labels=[label("ana", M), label("ben", M)]) | {"task": task}
        for id, task in zip(["=cmd|' /C calc'!A0", *(f"r{k:02}" for k in range(1, len(tasks)))], tasks, strict=True)
    ]
    study = make_study(folder / "study", [{key: value for key, value in line.items() if value is not None} for line in lines])
    frozen(study)
    return study


def test_every_format_holds_the_same_rows_under_the_same_hash(tmp_path: Path) -> None:
    study = hostile_set(tmp_path)
    expected = [{column: row.get(column) for column in COLUMNS} for row in exported(study)]
    assert [row["task"] for row in expected][:3] == ["=1+1", "+1", "-1"] and None in [row["task"] for row in expected]
    hashes = set()
    for format in FORMATS:
        out, manifest = written(study, format, tmp_path / "out")
        assert (manifest["file_format"], manifest["file_sha256"]) == (format, hashlib.sha256(out.read_bytes()).hexdigest())
        hashes.add(manifest["hash"])
    assert len(hashes) == 1
    with (tmp_path / "out" / "gold.csv").open(encoding="utf-8", newline="") as file:
        from_csv = [{column: unguarded(cell) for column, cell in row.items()} for row in csv.DictReader(file)]
    from_parquet = pq.read_table(tmp_path / "out" / "gold.parquet").to_pylist()
    for rows in (from_csv, from_parquet):
        assert [list(row) for row in rows] == [list(COLUMNS)] * len(expected)
        assert [row | {key: json.loads(row[key]) for key in ("votes", "steps")} for row in rows] == expected
    assert str(pq.read_schema(tmp_path / "out" / "gold.parquet").field("score").type) == "double"


def test_no_cell_of_the_csv_begins_with_what_a_spreadsheet_runs(tmp_path: Path) -> None:
    out, manifest = written(hostile_set(tmp_path), "csv", tmp_path / "out")
    with out.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in list(csv.reader(file))[1:] for cell in row]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@＝\t\r\n"))]
    assert manifest["file_guarded_cells"] == sum(cell.startswith("'") for cell in cells) == 22
    assert "'=1+1" in cells and "''quoted'" in cells and "'" in cells


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_two_exports_of_a_format_are_the_same_bytes_and_a_failed_one_leaves_the_old(
    tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = hostile_set(tmp_path)
    first, second = (written(study, format, tmp_path / folder)[0] for folder in ("a", "b"))
    assert [path.read_bytes() for path in sorted(first.parent.iterdir())] == [
        path.read_bytes() for path in sorted(second.parent.iterdir())
    ]
    before = first.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(GoldRefused, match="No space left"):
        written(study, format, tmp_path / "a")
    assert first.read_bytes() == before
    assert sorted(path.name for path in first.parent.iterdir()) == [first.name, f"{first.name}.manifest.json"]


def test_no_export_writes_over_the_study(tmp_path: Path) -> None:
    study = voted(tmp_path, {"one": {"ana": M, "ben": M}})
    frozen(study)
    for name in ("study.db", "study.db-wal"):
        with Store.open(study.database) as store, pytest.raises(GoldRefused, match="belongs to the study's database"):
            export(store, "gold", "csv", study.folder / "." / name)
