"""Figures, not tests: nothing here can fail. `make bench`, or `python -m tests.benchmarks desk`; `coverage` only when asked."""

import sys

from tests.benchmarks import agreeing, claiming, coverage, desk, first_page, importing

PARTS = {"import": importing.main, "agree": agreeing.main, "claim": claiming.main, "desk": desk.main, "first-page": first_page.main}
ONLY_WHEN_ASKED = {"coverage": coverage.main}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        (PARTS | ONLY_WHEN_ASKED)[name]()
        print()
