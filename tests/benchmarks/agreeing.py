"""`rejudge agree` in a process of its own: ten annotators on 1,000, 10,000 and 100,000 items, verdicts on all.

Seconds of the processor stand beside those of the clock: on a shared machine only they mean something.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.bulk import Bulk, bulk_study

ROOT = Path(__file__).parent.parent.parent
ANNOTATORS = 10
SIZES = (1_000, 10_000, 100_000)
SHAPES = {"every item a group": 1, "groups of five": 5}
RUNS = 3
_CHILD = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import rejudge
status = rejudge.main(["agree", "--json", "--study", sys.argv[2]])
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, file=sys.stderr)
sys.exit(status)
"""


def main() -> None:
    print(f"agree, {ANNOTATORS} annotators, start of the process included; best of {RUNS}; budget 2 s at a million labels")
    print(f"{'labels':>12}{'seconds':>10}{'processor':>11}{'growth':>8}")
    for shape, group in SHAPES.items():
        print(shape)
        before = 0.0
        for items in SIZES:
            seconds, processor = measure(items, group)
            growth = f"{processor / before:.1f}" if before else ""
            print(f"{items * ANNOTATORS:>12,}{seconds:>10.2f}{processor:>11.2f}{growth:>8}")
            before = processor


def measure(items: int, group: int) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    with tempfile.TemporaryDirectory() as folder:
        study = bulk_study(Path(folder) / "study", Bulk(items, ANNOTATORS, group))
        return min(_run(study.folder) for _ in range(RUNS))


def _run(study: Path) -> tuple[float, float]:
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _CHILD, str(ROOT), str(study)], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    return seconds, float(done.stderr.splitlines()[-1])
