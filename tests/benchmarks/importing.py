"""How fast a file comes in: 10,000 and 100,000 trajectories of 6 KB with a verdict each, both passes included.

Beside it stands a bare reader of the same file in the same run (parse each line twice, nothing else),
because seconds on a shared machine mean little and the ratio means more.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from data.store import Store
from tests.served_study import TOML

ROOT = Path(__file__).parent.parent.parent
SIZES = (10_000, 100_000)
_CHILD = """
import resource, sys, time
sys.path.insert(0, sys.argv[1])
import rejudge
start = time.perf_counter()
status = rejudge.main(["import", sys.argv[3], "--study", sys.argv[2]])
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
sys.exit(status)
"""


def write_lines(path: Path, items: int, size: int = 6000) -> None:
    """A file of native lines of about `size` bytes each."""
    source = random.Random(1)
    words = ["".join(source.choices("abcdefghijklmnop", k=source.randint(2, 9))) for _ in range(3000)]
    steps = 10
    per_step = size // steps // 7
    with path.open("w", encoding="utf-8") as file:
        for number in range(items):
            texts = [" ".join(source.choices(words, k=per_step)) for _ in range(steps)]
            line = {
                "id": f"run-{number}",
                "task": "keep the sync healthy",
                "metadata": {"domain": "harbour", "model": "m"},
                "steps": [
                    {"kind": "tool_call", "speaker": "agent", "tool": "t", "arguments": {"q": text}, "call": f"c{at}"}
                    if at % 3 == 0
                    else {"kind": "message", "speaker": "agent", "text": text}
                    for at, text in enumerate(texts)
                ],
                "verdicts": [
                    {"question": "misaligned", "run": "judge-a", "choice": "aligned", "rationale": texts[0][:150], "cites": [1]}
                ],
            }
            file.write(json.dumps(line) + "\n")


def main() -> None:
    print("import of trajectories of 6.5 KB, a verdict each")
    print(f"{'items':>9}  {'':26}{'items/s':>10}{'seconds':>10}{'ratio to parsing twice':>26}{'growth':>10}")
    before: list[float] = []
    for items in SIZES:
        measured, memory = _measure(items)
        for place, (name, seconds) in enumerate(measured):
            growth = f"{seconds / before[place]:.1f} x" if before else ""
            ratio = seconds / measured[0][1]
            print(f"{items:>9,}  {name:26}{items / seconds:>10,.0f}{seconds:>10.2f}{ratio:>26.1f}{growth:>10}")
        print(f"{items:>9,}  peak memory {memory:,.0f} MB")
        before = [seconds for _, seconds in measured]


def _measure(items: int) -> tuple[list[tuple[str, float]], float]:
    """Seconds by what was done, and the peak memory of the import in MB."""
    with tempfile.TemporaryDirectory() as folder:
        path, study = Path(folder) / "runs.jsonl", Path(folder) / "study"
        write_lines(path, items)
        study.mkdir()
        (study / "study.toml").write_text(TOML, encoding="utf-8")
        Store.create(study / "study.db").close()
        bare = _bare(path)
        command = [sys.executable, "-c", _CHILD, str(ROOT), str(study), str(path)]
        first, memory = _run(command)
        again, _ = _run(command)
    return [("parsing twice, no more", bare), ("rejudge import", first), ("the same file again", again)], memory


def _bare(path: Path) -> float:
    start = time.perf_counter()
    for _ in range(2):
        with path.open("rb") as file:
            for raw in file:
                json.loads(raw)
    return time.perf_counter() - start


def _run(command: list[str]) -> tuple[float, float]:
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    seconds, memory = map(float, out.split())
    return seconds, memory
