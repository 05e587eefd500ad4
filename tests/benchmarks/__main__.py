"""Figures, not tests: nothing here can fail. `make bench`, or `python -m tests.benchmarks desk`."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent.parent)]

from tests.benchmarks import desk, importing  # noqa: E402  the path is set above

PARTS = {"import": importing.main, "desk": desk.main}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
        print()
