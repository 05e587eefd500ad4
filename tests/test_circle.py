"""The whole circle on a judge with a planted flaw: label, judge, find causes, revise, compare on dev, certify on test."""

import re
from pathlib import Path

import pytest

from data.store import Store
from data.store.judging import judge_runs
from data.store.prompts import recorded_prompts
from data.store.test_looks import spent
from data.verify import verify
from judge.prompts import read_prompt
from tests.conftest import Run
from tests.openai_server import OpenAIServer
from tests.planted_flaw import CLAUSE, blame_the_judge, contents, judge_script, label_all, planted


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_the_reviser_finds_the_missing_clause_in_what_it_is_given_and_the_revision_is_promoted(tmp_path: Path, run: Run) -> None:
    study = planted(tmp_path / "study", rest="[split]\ntrain = 0.2\ndev = 0.3\n")
    label_all(study)
    with OpenAIServer(judge_script) as server:

        def judge(*argv: object) -> str:
            done = run("judge", *argv, "--study", study.folder)
            assert done.returncode == 0, done
            return done.stdout

        judge("run", "--base-url", server.url)
        with Store.open(study.database) as store:
            (first,) = judge_runs(store)
            split = dict(store.conn.execute("SELECT id, split FROM trajectories"))
        assert blame_the_judge(study, first.name) > 3
        paid = len(server.requests)
        told = judge("revise", "--by", "lead")

        revising = contents(server.requests)
        assert len(revising) == 4, "three candidates, the first of them asked for twice"
        sent = {id for id in split if any(f"Please do {id}." in text for text in revising)}
        assert 3 < len(sent) <= 16 and {split[id] for id in sent} == {"train"}
        dev = [request for request in server.requests[paid:] if request["messages"][0]["role"] != "system"]
        assert len(dev) == 3 * sum(each == "dev" for each in split.values()), "the parent's verdicts are not paid for again"
        assert "asked" not in told and "candidate 2 wins" in told

        files = [read_prompt(path) for path in sorted((study.folder / "prompts" / "misaligned").glob("*.md"))]
        parent, winner = files[0], files[-1]
        assert [CLAUSE in each.body for each in files] == [False, False, False, True]
        assert {each.parent for each in files[1:]} == {parent.hash}
        assert (winner.author, winner.note) == ("lead", "round 1: people go by it where the judge says too little")
        with Store.open(study.database) as store:
            assert spent(store) is None
            looked = store.conn.execute("SELECT count(*) FROM test_looks").fetchone()[0]
            revised = [each.code for each in recorded_prompts(store) if each.revised]
            of_test = store.conn.execute(
                f"""SELECT count(*) FROM verdicts v JOIN trajectories t ON t.n = v.trajectory JOIN judge_runs r ON r.code = v.run
                    WHERE t.split = 'test' AND r.prompt IN ({", ".join(map(str, revised))})"""
            ).fetchone()[0]
        assert (looked, of_test) == (0, 0), "a revision touches no test item"

        judge("run", "--base-url", server.url, "--prompt", winner.path, "--split", "test")
        assert re.match("PROMOTE", judge("certify", winner.path, "--against", parent.path))
    with Store.open(study.database) as store:
        assert verify(store) == []
