"""A label that was acknowledged survives `kill -9` at any moment."""

import json
import subprocess
import sys
from pathlib import Path

from data.store import Store
from data.verify import verify
from tests.study_maker import draw_batch, make_study, numbered

PROCESSES, LIVES = 2, 150


def test_no_acknowledged_label_is_lost_in_300_kills(tmp_path: Path) -> None:
    studies = [make_study(tmp_path / f"study-{k}", numbered(900)) for k in range(PROCESSES)]
    for study in studies:
        draw_batch(study, 900)
    worker = [sys.executable, "-m", "tests.label_worker", "lives"]
    commands = [[*worker, str(study.folder), str(seed), str(LIVES)] for seed, study in enumerate(studies, 1)]
    repository = Path(__file__).parents[1]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=repository) for command in commands]
    for process, study in zip(running, studies, strict=True):
        output = process.communicate(timeout=120)[0]
        assert process.returncode == 0
        acknowledged = {tuple(pair) for pair in json.loads(output)}
        # Two lives of three end after an acknowledgement, however slow the machine.
        assert len(acknowledged) >= LIVES * 2 // 3
        with Store.open(study.database) as store:
            written = set(store.conn.execute("SELECT outbox, outbox_seq FROM label_events"))
            assert acknowledged <= written, "an acknowledged label is lost"
            assert len(written - acknowledged) <= LIVES, "at most the one in flight was not acknowledged yet"
            assert verify(store) == []
