"""Several batches as one sample: which strata there are, what each finished item stands for, and what is missing."""

import random
import shutil
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.sampling import DrawRequest, draw, equal_shares, plan, verdicts_meant
from data.answering import Answer
from data.errors import DrawRefused
from data.questions import Question, When
from data.store import Store
from data.store.batches import FrameItem
from data.store.draws import VerdictStrata
from data.store.factors import items_of_split
from data.store.pooling import Pool, pool
from data.store.tallying import tally
from data.study import Study, load_study
from data.tallies import PairTally, QuestionTally, StratumMissing
from data.verify import verify
from reports.document import agreement_document
from reports.of_study.agreement import agreement_of
from tests.study_maker import (
    MISALIGNED,
    SEVERITY,
    Sitting,
    draw_batch,
    import_lines,
    label,
    make_study,
    run_line,
    verdict,
    write_toml,
)

A, M = "aligned", "misaligned"
BY = VerdictStrata("judge-a", "misaligned")


def judged(counts: dict[str | None, int], run: str = "judge-a", begin: int = 0) -> list[dict[str, object]]:
    """Runs with so many of each verdict; `-`: none."""
    said = [choice for choice, count in counts.items() for _ in range(count)]
    return [run_line(f"r{begin + k:03}", verdicts=[] if choice == "-" else [verdict(choice, run)]) for k, choice in enumerate(said)]


def pooled(study: Study, split: str | None = None) -> Pool:
    with Store.open(study.database) as store:
        assert verify(store) == []
        return pool(store, items_of_split(store, split) if split else None)


def strata(found: Pool) -> dict[str, tuple[int, int]]:
    """Name to (items of the frame, drawn ones)."""
    return {each.name: (each.frame, each.drawn) for each in found.strata}


def in_batches(study: Study, of: str, *batches: str) -> Counter[str]:
    """How many items of the batches have which value of the SQL `of`, on trajectories t."""
    marks = ",".join("?" * len(batches))
    with Store.open(study.database) as store:
        rows = store.conn.execute(
            f"""SELECT {of} FROM batch_items i JOIN batches b ON b.code = i.batch JOIN trajectories t ON t.n = i.trajectory
                WHERE b.name IN ({marks})""",
            batches,
        )
        return Counter(row[0] for row in rows)


def verdict_of(run: str) -> str:
    return f"""(SELECT coalesce(c.name, 'unreadable') FROM verdicts v JOIN judge_runs r ON r.code = v.run
                LEFT JOIN choices c ON c.question = v.question AND c.code = v.choice
                WHERE v.trajectory = t.n AND r.name = '{run}')"""


def question_of(study: Study, source: str | None = None, split: str | None = None) -> QuestionTally:
    with Store.open(study.database) as store:
        return tally(store, study, None, source, items_of_split(store, split) if split else None)[0]


def pair_of(study: Study, rows: str = "human:consensus", source: str | None = None) -> PairTally:
    found = question_of(study, source)
    return next(pair for pair in (*found.judge_pairs, *found.human_pairs) if pair.rows == rows)


# Which strata


def test_two_simple_draws_are_one_simple_sample(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 30, M: 10}))
    draw_batch(study, 8)
    draw_batch(study, 12)
    found = pooled(study)
    assert strata(found) == {"all": (40, 20)} and found.design == "simple" and found.outside == 0


def test_a_stratified_draw_makes_strata_of_the_verdicts_unreadable_and_none_being_two(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 20, M: 10, None: 3, "-": 7}))
    draw_batch(study, 18, by="judge-a")
    found = pooled(study)
    assert strata(found) == {
        "judge-a: aligned": (20, 5),
        "judge-a: misaligned": (10, 5),
        "judge-a: unreadable": (3, 3),
        "judge-a: no verdict": (7, 5),
    }
    assert found.design == "stratified:judge-a"


def test_a_simple_and_a_stratified_draw_are_pooled_by_verdict(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 30, M: 10}))
    draw_batch(study, 8, name="simple")
    draw_batch(study, 6, name="by verdict", by="judge-a")
    drawn = in_batches(study, verdict_of("judge-a"), "simple", "by verdict")
    assert in_batches(study, verdict_of("judge-a"), "by verdict") == {A: 3, M: 3}
    assert strata(pooled(study)) == {"judge-a: aligned": (30, drawn[A]), "judge-a: misaligned": (10, drawn[M])}


def test_a_stratified_draw_at_one_rate_adds_no_stratum(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 10, M: 10}))
    draw_batch(study, 10, by="judge-a")
    assert strata(pooled(study)) == {"all": (20, 10)} and pooled(study).design == "simple"


def test_a_draw_from_one_split_tells_that_split_from_the_others(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 60}), rest="[split]\ntrain = 0.3\ndev = 0.4\n")
    draw_batch(study, 10, name="all")
    draw_batch(study, 5, name="dev", split="dev")
    sizes = Counter(split for (split,) in rows_of(study, "SELECT split FROM trajectories"))
    drawn = in_batches(study, "t.split", "all", "dev")
    assert strata(pooled(study)) == {
        "train or test": (sizes["train"] + sizes["test"], drawn["train"] + drawn["test"]),
        "dev": (sizes["dev"], drawn["dev"]),
    }
    assert strata(pooled(study, "dev")) == {"dev": (sizes["dev"], drawn["dev"])}
    assert strata(pooled(study, "test")) == {"train or test": (sizes["test"], drawn["test"])}


def test_draws_from_one_split_alone_say_nothing_of_the_others(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 60}), rest="[split]\ntrain = 0.3\ndev = 0.4\n")
    draw_batch(study, 6, split="dev")
    (dev,) = rows_of(study, "SELECT count(*) FROM trajectories WHERE split = 'dev'")[0]
    found = pooled(study)
    assert strata(found) == {"dev": (dev, 6)}
    assert (found.stratum_of >= 0).sum() == dev and found.outside == 0


def test_what_came_in_between_two_draws_is_a_wave_of_its_own(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 20}))
    draw_batch(study, 5, name="first")
    import_lines(study, judged({A: 10}, begin=20), "more.jsonl")
    assert strata(pooled(study)) == {"all": (20, 5)} and pooled(study).outside == 10
    draw_batch(study, 10, name="second")
    late = in_batches(study, "t.n > 20", "first", "second")
    found = pooled(study)
    assert strata(found) == {"imported before first": (20, late[0]), "imported after first": (10, late[1])}
    assert found.design == "simple" and found.outside == 0
    import_lines(study, judged({A: 3}, begin=30), "last.jsonl")
    assert strata(pooled(study)) == strata(found) and pooled(study).outside == 3


def test_two_draws_with_nothing_imported_in_between_are_one_wave(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 20}))
    draw_batch(study, 5)
    import_lines(study, [run_line("r000", verdicts=[verdict(M, "judge-b")])], "verdicts.jsonl")
    draw_batch(study, 5)
    assert strata(pooled(study)) == {"all": (20, 10)}


def test_draws_by_the_verdicts_of_two_runs_cross_them(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 30, M: 10}))
    draw_batch(study, 8, name="a", by="judge-a")
    second = [run_line(f"r{k:03}", verdicts=[verdict(M if k % 8 == 0 else A, "judge-b")]) for k in range(40)]
    import_lines(study, second, "second.jsonl")
    draw_batch(study, 6, name="b", by="judge-b")
    both = f"{verdict_of('judge-a')} || ' ' || {verdict_of('judge-b')}"
    drawn = in_batches(study, both, "a", "b")
    found = pooled(study)
    assert strata(found) == {
        f"judge-a: {a}, judge-b: {b}": (frame, drawn[f"{a} {b}"]) for a, b, frame in ((A, A, 26), (A, M, 4), (M, A, 9), (M, M, 1))
    }
    assert found.design == "stratified:judge-a + judge-b"


def test_strata_are_the_verdicts_as_they_stood_at_the_draw(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 10, "-": 10}))
    draw_batch(study, 6, by="judge-a", name="first")
    before = strata(pooled(study))
    assert before == {"all": (20, 6)}, "three of ten and three of ten"
    import_lines(study, [run_line(f"r{k:03}", verdicts=[verdict(M)]) for k in range(10, 15)], "late.jsonl")
    assert strata(pooled(study)) == before
    draw_batch(study, 6, by="judge-a", name="second")
    found = strata(pooled(study))
    assert {name: frame for name, (frame, _) in found.items()} == {
        "judge-a: aligned": 10,
        "judge-a: misaligned (no verdict at first)": 5,
        "judge-a: no verdict": 5,
    }


def test_a_stratum_that_was_drawn_whole_is_not_split_by_later_draws(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", rest="[split]\ntrain = 0.3\ndev = 0.4\n")
    with Store.open(study.database) as store, store.write():
        store.set_fact("salt", "salt 2")
    import_lines(study, judged({A: 40, M: 4}))
    draw_batch(study, 12, by="judge-a", seed="seed")
    draw_batch(study, 3, split="dev", seed="seed")
    found = strata(pooled(study))
    assert found["judge-a: misaligned"] == (4, 4)
    assert set(found) == {"judge-a: misaligned", "judge-a: aligned, train or test", "judge-a: aligned, dev"}


DRAWS = st.lists(
    st.tuples(st.integers(2, 12), st.sampled_from([None, "train", "dev", "test"]), st.sampled_from([None, "judge-a", "judge-b"])),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Study:
    chance = random.Random(3)
    lines = [
        run_line(
            f"r{k:03}",
            verdicts=[verdict(chance.choice([A, A, A, M, None]), run) for run in ("judge-a", "judge-b") if chance.random() < 0.9],
        )
        for k in range(90)
    ]
    folder = tmp_path_factory.mktemp("mixed") / "study"
    return make_study(folder, lines, rest="[split]\ntrain = 0.3\ndev = 0.4\n")


@settings(derandomize=True, max_examples=40, deadline=None)
@given(draws=DRAWS)
def test_within_a_stratum_every_draw_took_all_items_at_one_rate_and_the_strata_add_up_to_the_frame(
    mixed: Study, tmp_path_factory: pytest.TempPathFactory, draws: list[tuple[int, str | None, str | None]]
) -> None:
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(mixed.folder, folder, dirs_exist_ok=True)
    study = load_study(folder)
    rate_of: dict[int, list[Fraction]] = {}
    reached: set[int] = set()
    taken: set[int] = set()
    with Store.open(study.database) as store:
        where = dict(store.conn.execute("SELECT n, split FROM trajectories").fetchall())
        for place, (size, split, by) in enumerate(draws):
            try:
                drawn = draw(
                    store, DrawRequest(size, 1, split, None, str(place), verdicts_meant(store, study, by, None) if by else None)
                )
            except DrawRefused:
                continue
            said = verdict_codes_of(store, by) if by else {}
            rates = {each.verdict: Fraction(each.drawn, each.items) for each in drawn.strata}
            for n in where:
                there = split in (None, where[n])
                whole = Fraction(1) in rate_of.get(n, [])
                rate = rates.get(said.get(n, -2) if by else None, Fraction(0)) if there and not whole else Fraction(0)
                rate_of.setdefault(n, []).append(rate)
                reached |= {n} if there else set()
            taken |= {item.n for item in drawn.items}
        found = pool(store)
        assert verify(store) == []
    members: dict[int, set[int]] = {}
    for n in where:
        members.setdefault(int(found.stratum_of[n]), set()).add(n)
    assert members.pop(-1, set()) == set(where) - reached
    met = [{tuple(rate_of[n]) for n in members[k]} for k in range(len(found.strata))]
    assert all(len(rates) == 1 for rates in met), "one rate in every draw"
    assert len({next(iter(rates)) for rates in met}) == len(met), "and no finer than that"
    assert [each.frame for each in found.strata] == [len(members[k]) for k in range(len(met))]
    assert [each.drawn for each in found.strata] == [len(members[k] & taken) for k in range(len(met))]
    assert sum(each.frame for each in found.strata) == len(reached)
    assert len({each.name for each in found.strata}) == len(found.strata)


def verdict_codes_of(store: Store, run: str) -> dict[int, int]:
    return dict(
        store.conn.execute(
            "SELECT v.trajectory, coalesce(v.choice, -1) FROM verdicts v JOIN judge_runs r ON r.code = v.run WHERE r.name = ?",
            [run],
        ).fetchall()
    )


def rows_of(study: Study, query: str) -> list[tuple[object, ...]]:
    with Store.open(study.database) as store:
        return store.conn.execute(query).fetchall()


# What is counted


def test_the_weighted_table_recovers_the_truth_where_the_raw_one_does_not() -> None:
    """10 % judged +, PPV .91, 10 % of the others wrong: kappa .60, sensitivity .50, and .81 and .90 raw on half-and-half."""
    truth = [(k < 200, k < 182 or 200 <= k < 380) for k in range(2000)]  # (judge, human)
    items = [FrameItem(k, f"{k:04}", "test", int(judge)) for k, (judge, _) in enumerate(truth)]
    weighted, raw = np.zeros((2, 2)), np.zeros((2, 2))
    for seed in range(300):
        batch = plan(items, DrawRequest(200, by=BY), "b", str(seed), {0: A, 1: M})
        size = {stratum.verdict: stratum for stratum in batch.strata}
        for item in batch.items:
            judge, human = truth[item.n]
            raw[int(human), int(judge)] += 1
            weighted[int(human), int(judge)] += size[item.verdict].items / size[item.verdict].drawn
    expected = np.array([[sum(pair == (bool(j), bool(h)) for pair in truth) for j in range(2)] for h in range(2)])
    assert np.allclose(weighted / weighted.sum(), expected / 2000, atol=0.002)
    assert (round(kappa(weighted), 2), round(weighted[1, 1] / weighted[1].sum(), 2)) == pytest.approx((0.60, 0.50), abs=0.011)
    assert (round(kappa(raw), 2), round(raw[1, 1] / raw[1].sum(), 2)) == pytest.approx((0.81, 0.90), abs=0.011)


def kappa(table: np.ndarray) -> float:
    shares = table / table.sum()
    chance = float(shares.sum(axis=1) @ shares.sum(axis=0))
    return (float(np.trace(shares)) - chance) / (1 - chance)


def test_a_pair_has_the_strata_of_its_draws_with_what_was_finished_in_each(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 30, M: 6}))
    draw_batch(study, 12, by="judge-a", overlap=2)
    humans = {f"r{k:03}": (M if k % 5 == 0 else A) for k in range(36)}
    with Sitting(study, "ana") as ana:
        ana.label_all(humans)
    with Sitting(study, "ben") as ben:
        for _ in range(4):
            ref = ben.claim()[0]
            ben.label(ref, A)
    pair = pair_of(study)
    aligned, misaligned = pair.strata
    assert (pair.design, pair.weighted) == ("stratified:judge-a", True)
    assert [(each.name, each.frame, each.drawn, each.finished, each.column) for each in pair.strata] == [
        ("judge-a: aligned", 30, 6, 6, 0),
        ("judge-a: misaligned", 6, 6, 6, 1),
    ]
    assert all(row[1] == 0 for row in aligned.confusion) and all(row[0] == 0 for row in misaligned.confusion)
    assert np.array_equal(np.array(aligned.confusion) + np.array(misaligned.confusion), pair.confusion)
    humans_pair = next(pair for pair in question_of(study).human_pairs)
    assert sum(each.finished for each in humans_pair.strata) == 4 and humans_pair.design == "stratified:judge-a"
    assert [each.column for each in humans_pair.strata] == [None, None]


def test_skipped_unfinished_and_unsure_items_are_told_apart_by_stratum(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 6, M: 2}))
    draw_batch(study, 4, by="judge-a")
    with Sitting(study, "ana") as ana:
        held = {ana.id_of(ref): ref for ref in ana.claim()}
        first, second, third = sorted(held)  # two of either verdict were drawn, and r006 and r007 are the misaligned ones
        ana.do("skip", held[first])
        ana.do("unsure", held[second])
    found = question_of(study)
    kinds = {name: ("misaligned" if name >= "r006" else "aligned") for name in (first, second)}
    skipped, unsure = Counter([kinds[first]]), Counter([kinds[second]])
    assert third
    assert found.missing == tuple(
        StratumMissing(f"judge-a: {choice}", 2, 2 - skipped[choice] - unsure[choice], skipped[choice]) for choice in (A, M)
    )
    (pair,) = [pair for pair in found.judge_pairs if pair.rows == "human:ana"]
    assert [each.finished for each in pair.strata] == [unsure[A], unsure[M]]


def test_imported_labels_have_no_strata_and_say_so(tmp_path: Path) -> None:
    lines = judged({A: 10, M: 4})
    study = make_study(tmp_path / "study", [{**lines[0], "labels": [label("old", A)]}, *lines[1:]])
    draw_batch(study, 6, by="judge-a")
    with Sitting(study, "ana") as ana:
        ana.label_all({})
    by_source = {source: question_of(study, source) for source in ("batch", "imported", "all")}
    designs = {
        source: {pair.rows: (pair.design, len(pair.strata)) for pair in found.judge_pairs} for source, found in by_source.items()
    }
    drawn, imported = ("stratified:judge-a", 2), ("imported", 0)
    assert designs["batch"] == {"human:consensus": drawn, "human:ana": drawn}
    assert designs["imported"] == {"human:consensus": imported, "human:old": imported}
    assert designs["all"] == {"human:consensus": imported, "human:ana": drawn, "human:old": imported}
    assert by_source["all"].vote_strata == () and by_source["batch"].vote_strata != ()


def test_a_figure_on_one_split_uses_that_splits_frame(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 50, M: 10}), rest="[split]\ntrain = 0.3\ndev = 0.4\n")
    draw_batch(study, 20, by="judge-a")
    with Sitting(study, "ana") as ana:
        ana.label_all({})
    whole = question_of(study)
    parts = [question_of(study, split=split) for split in ("train", "dev", "test")]
    for stratum, name in enumerate(("judge-a: aligned", "judge-a: misaligned")):
        listed = [each for part in parts for each in part.judge_pairs[0].strata if each.name == name]
        assert sum(each.frame for each in listed) == whole.judge_pairs[0].strata[stratum].frame
        assert sum(each.finished for each in listed) == whole.judge_pairs[0].strata[stratum].finished
    assert sum(sum(map(sum, part.judge_pairs[0].confusion)) for part in parts) == 20


def test_groups_are_counted_by_what_they_hold(tmp_path: Path) -> None:
    said = [A, A, A, A, M, M, None, A]
    lines = [
        run_line(f"r{k}", group=f"g{k // 2}", verdicts=[verdict(choice)], labels=[label("ana", A)]) for k, choice in enumerate(said)
    ]
    study = make_study(tmp_path / "study", lines)
    pair = pair_of(study, "human:ana")
    assert pair.clusters == {((0, 0, 0, 2),): 2, ((0, 0, 1, 2),): 1, ((0, 0, 0, 1), (0, 0, 2, 1)): 1}
    assert pair.groups == 4 and pair.unreadable == (1, 0)
    assert question_of(study).vote_clusters == {((0, (1, 0), 2),): 4}
    alone = make_study(tmp_path / "alone", [{**line, "group": line["id"]} for line in lines])
    assert pair_of(alone, "human:ana").clusters == {} and question_of(alone).vote_clusters == {}


def test_a_weighted_pair_knows_what_each_group_holds_of_the_frame(tmp_path: Path) -> None:
    lines = [run_line(f"r{k:02}", group=f"g{k // 10}", verdicts=[verdict(M if k % 10 < k // 10 else A)]) for k in range(40)]
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 8, by="judge-a")
    with Sitting(study, "ana") as ana:
        ana.label_all({})
    pair = pair_of(study)
    assert [each.name for each in pair.strata] == ["judge-a: aligned", "judge-a: misaligned"] and pair.weighted
    assert pair.frame_groups == {((0, 10),): 1, ((0, 9), (1, 1)): 1, ((0, 8), (1, 2)): 1, ((0, 7), (1, 3)): 1}


def test_items_whose_consensus_rests_on_one_label_are_counted(tmp_path: Path) -> None:
    votes = [[A], [A, A], [A, M], [A, None], [None], [M, M, A]]
    lines = [
        run_line(f"r{k}", verdicts=[verdict(A)], labels=[label(f"p{place}", choice) for place, choice in enumerate(each)])
        for k, each in enumerate(votes)
    ]
    study = make_study(tmp_path / "study", lines)
    assert pair_of(study).single == 2 and pair_of(study, "human:p0").single is None


# Drawing


@settings(derandomize=True, max_examples=200)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.data())
def test_shares_are_equal_but_for_strata_that_are_taken_whole(sizes: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(len(sizes), sum(sizes)))
    shares = equal_shares(sizes, total)
    assert sum(shares) == total and all(1 <= share <= size for share, size in zip(shares, sizes, strict=True))
    parts = [share for share, size in zip(shares, sizes, strict=True) if share < size]
    assert not parts or max(parts) - min(parts) <= 1
    assert all(share <= max(parts) + 1 for share, size in zip(shares, sizes, strict=True) if parts and share == size)


def test_a_stratified_draw_records_the_stratum_and_the_probability_of_every_item(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged({A: 20, M: 4, None: 1}))
    draw_batch(study, 11, by="judge-a")
    assert rows_of(study, "SELECT stratum, inclusion, count(*) FROM batch_items GROUP BY stratum, inclusion ORDER BY stratum") == [
        ("aligned", 6 / 20, 6),
        ("misaligned", 1.0, 4),
        ("unreadable", 1.0, 1),
    ]


def test_a_seed_gives_the_same_stratified_batch_whatever_the_order_of_import(tmp_path: Path) -> None:
    lines = judged({A: 20, M: 8, None: 3})
    drawn = []
    for name, order in (("a", lines), ("b", lines[::-1])):
        study = make_study(tmp_path / name, order)
        drawn.append([item.id for item in draw_batch(study, 12, by="judge-a", seed="same").items])
    assert drawn[0] == drawn[1]


def test_the_numbers_of_the_items_say_nothing_about_their_strata() -> None:
    """Over 200 seeds the mean place of the rare verdict is that of all items; numbers are what annotators' orders are made of."""
    items = [FrameItem(k, f"{k:03}", "test", int(k < 30)) for k in range(100)]
    means = []
    for seed in range(200):
        batch = plan(items, DrawRequest(40, by=BY), "b", str(seed), {0: A, 1: M})
        means.append(np.mean([number for number, item in enumerate(batch.items, 1) if item.verdict == 1]))
    # 20 of 40 numbers at random: standard deviation of their mean sqrt(20 * 41 / (12 * 20)), of 200 such means a 14th of it.
    assert abs(np.mean(means) - 20.5) < 3 * (20 * 41 / (12 * 20) / 200) ** 0.5


def test_a_choice_called_like_a_missing_verdict_is_another_stratum(tmp_path: Path) -> None:
    odd = replace(SEVERITY, id="misaligned", type="nominal", choices=("unreadable", "no verdict", "other"))
    said = ["unreadable"] * 4 + ["no verdict"] * 4 + ["other"] * 4 + [None] * 4 + ["-"] * 4
    lines = [run_line(f"r{k:02}", verdicts=[] if choice == "-" else [verdict(choice)]) for k, choice in enumerate(said)]
    study = make_study(tmp_path / "study", lines, [odd])
    draw_batch(study, 5, by="judge-a")
    names = {row[0] for row in rows_of(study, "SELECT stratum FROM batch_items")}
    assert names == {"unreadable", "no verdict", "other", "(unreadable)", "(no verdict)"}


@pytest.mark.parametrize(
    ("size", "by", "question", "says"),
    [
        (5, "nobody", None, "no judge run 'nobody'"),
        (5, "judge-a", "other", "no verdict on 'other'"),
        (1, "judge-a", None, "cannot cover 2 strata"),
        (99, "judge-a", None, "fewer than 99"),
    ],
)
def test_a_stratified_draw_that_cannot_be_is_refused(tmp_path: Path, size: int, by: str, question: str | None, says: str) -> None:
    study = make_study(tmp_path / "study", judged({A: 20, M: 4}))
    with pytest.raises(DrawRefused, match=says):
        draw_batch(study, size, by=by, question=question)
    assert rows_of(study, "SELECT count(*) FROM batches") == [(0,)]


def test_a_run_that_answers_several_questions_needs_one_named(tmp_path: Path) -> None:
    lines = [
        run_line(f"r{k}", verdicts=[verdict(A if k % 2 else M), {"run": "judge-a", "question": "severity", "choice": "some"}])
        for k in range(8)
    ]
    study = make_study(tmp_path / "study", lines, [replace(SEVERITY, id="severity"), MISALIGNED])
    with pytest.raises(DrawRefused, match="several questions"):
        draw_batch(study, 4, by="judge-a")
    draw_batch(study, 4, by="judge-a", question="severity")
    assert rows_of(study, "SELECT DISTINCT stratum FROM batch_items") == [("some",)]


def test_agree_weighs_a_stratified_sample_back_to_the_frame(tmp_path: Path) -> None:
    """90 judged not, 10 judged so, 10 of each drawn: a human yes among the judge's noes stands for nine."""
    study = make_study(tmp_path / "study", judged({A: 90, M: 10}))
    batch = draw_batch(study, 20, by="judge-a")
    noes = sorted(item.id for item in batch.items if item.id < "r090")
    with Sitting(study, "ana") as ana:
        ana.label_all({noes[0]: M, noes[1]: M, **{f"r{k:03}": M for k in range(90, 98)}})
    with Store.open(study.database) as store:
        document = agreement_document("s", tally(store, study, None, None))
    pair = document["questions"][0]["pairs"][0]
    assert pair["confusion"] == [[8, 2], [2, 8]]
    assert (pair["design"], pair["weighted"]) == ("stratified:judge-a", True)
    assert np.allclose(pair["confusion_weighted"], [[0.72, 0.02], [0.18, 0.08]])
    assert pair["sensitivity"]["value"] == pytest.approx(8 / 26) and pair["specificity"]["value"] == pytest.approx(72 / 74)


def test_answers_of_several_choices_and_scores_are_counted_by_stratum_too(tmp_path: Path) -> None:
    kinds = Question("kinds", "Which?", "multilabel", ("deceit", "sabotage", "other"))
    harm = Question("harm", "How much?", "score", (), min=0, max=10, threshold=5)

    def line(k: int) -> dict[str, object]:
        judge, human = [(), ("deceit",), ("deceit", "other")][k % 3], [(), ("deceit", "other"), ("other",)][k % 3]
        return run_line(
            f"r{k:02}",
            verdicts=[
                {"run": "j", "question": "kinds", "choices": list(judge)},
                {"run": "j", "question": "harm", "score": k % 8} if k else {"run": "j", "question": "harm", "error": "no"},
            ],
            labels=[{"annotator": who, "question": "kinds", "choices": list(human)} for who in ("ana", "ben")]
            + [
                {"annotator": "ana", "question": "harm", "score": k % 8 + 0.5},
                {"annotator": "ben", "question": "harm", "score": k % 8},
            ],
        )

    study = make_study(tmp_path / "study", [line(k) for k in range(12)], [kinds, harm])
    with Store.open(study.database) as store:
        several, score = tally(store, study, None, None)
        document = agreement_document("s", [several, score])
    pair = several.judge_pairs[0]
    assert pair.confusion == () and set(pair.by_label) == {"deceit", "sabotage", "other"}
    assert pair.by_label["deceit"].confusion == ((4, 4), (0, 4)), "not chosen, chosen"
    assert pair.by_label["other"].confusion == ((4, 0), (4, 4))
    assert several.units == {(0, 0): 4, (5, 5): 4, (4, 4): 4} and several.votes == {}
    pair = score.judge_pairs[0]
    assert pair.excluded.error == 1 and sum(pair.scores.values()) == 11
    assert pair.scores[(0, 3.25, 3.0)] == 2, "the consensus of scores is their median"
    assert pair.at_threshold is not None and pair.at_threshold.confusion == ((8, 0), (0, 3))
    assert score.units[(3.0, 3.5)] == 2
    assert [question["id"] for question in document["questions"]] == ["kinds", "harm"]


def test_scores_make_strata_at_their_threshold_and_several_choices_make_none(tmp_path: Path) -> None:
    kinds = Question("kinds", "Which?", "multilabel", ("deceit", "sabotage"))
    harm = Question("harm", "How much?", "score", (), min=0, max=10, threshold=5)
    verdicts = [
        [{"run": "j", "question": "harm", "score": k % 10}, {"run": "j", "question": "kinds", "choices": []}] for k in range(20)
    ]
    study = make_study(tmp_path / "study", [run_line(f"r{k:02}", verdicts=each) for k, each in enumerate(verdicts)], [kinds, harm])
    with pytest.raises(DrawRefused, match="'kinds' cannot make strata"):
        draw_batch(study, 4, by="j", question="kinds")
    draw_batch(study, 4, name="low", by="j", question="harm")
    assert {row[0] for row in rows_of(study, "SELECT stratum FROM batch_items")} == {"below 5", "5 or above"}
    assert strata(pooled(study)) == {"all": (20, 4)}
    without = write_toml(study.folder, [kinds, replace(harm, threshold=None)])
    with pytest.raises(DrawRefused, match="without a threshold"):
        draw_batch(without, 4, by="j", question="harm")


def test_an_item_that_the_question_is_not_asked_of_is_finished_all_the_same(tmp_path: Path) -> None:
    """Else the weights would grow where the condition seldom holds."""
    severity = replace(SEVERITY, when=When("misaligned", M))
    lines = [
        {**line, "verdicts": [*line["verdicts"], {"run": "judge-a", "question": "severity", "choice": "some"}]}  # type: ignore[misc]
        for line in judged({A: 12, M: 4})
    ]
    study = make_study(tmp_path / "study", lines, [MISALIGNED, severity])
    batch = draw_batch(study, 8, by="judge-a", question="misaligned")
    asked, unsure = sorted(item.id for item in batch.items)[:2], sorted(item.id for item in batch.items)[3]
    with Sitting(study, "ana") as ana:
        while held := ana.claim():
            said = {"misaligned": Answer(choice=A)}
            if ana.id_of(held[0]) in asked:
                said = {"misaligned": Answer(choice=M), "severity": Answer(choice="much")}
            if ana.id_of(held[0]) == unsure:
                said = {"misaligned": Answer(unsure=True)}
            assert not ana.send(ana.answer("submit", held[0], answers=said))
    with Store.open(study.database) as store:
        first, second = tally(store, study, None, None)
    for tallied in (first, second):
        assert [each.finished for each in tallied.judge_pairs[0].strata] == [4, 4]
        assert [(each.unfinished, each.skipped) for each in tallied.missing] == [(0, 0), (0, 0)]
    assert sum(map(sum, second.judge_pairs[0].confusion)) == len(asked) == 2


def test_strata_drawn_by_a_score_carry_the_figures_at_its_threshold_and_those_of_every_other_question(tmp_path: Path) -> None:
    grade = Question("grade", "How bad?", "score", (), min=0, max=10, threshold=7)
    scores = [9] * 5 + [1] * 25  # so that half a batch of each side of the threshold is far from the frame
    lines = [
        run_line(f"r{k:03}", verdicts=[verdict((A, M)[score > 6]), {"run": "judge-a", "question": "grade", "score": score}])
        for k, score in enumerate(scores)
    ]
    study = make_study(tmp_path / "study", lines, [MISALIGNED, grade])
    draw_batch(study, 10, by="judge-a", question="grade")
    with Sitting(study, "ana") as sitting:
        # She calls everything bad: right in all five items of the small stratum, wrong in all five of the large one.
        assert len(sitting.label_all_of({"misaligned": Answer(choice=M, evidence=(1,)), "grade": Answer(score=8)})) == 10
    with Store.open(study.database) as store:
        found = agreement_of(study, store, None, None)
    asked, graded = (question["pairs"][0] for question in found["questions"])
    for figures in (asked, graded["at_threshold"]):
        assert figures["observed_agreement"]["value"] == pytest.approx(5 / 30)
    assert [(each["name"], each["frame"], each["finished"]) for each in graded["strata"]] == [
        ("judge-a: below 7", 25, 5), ("judge-a: 7 or above", 5, 5)
    ]  # fmt: skip
