"""Figures, not tests: nothing here can fail. `make bench`, or `python -m tests.benchmarks desk`."""

import sys

from tests.benchmarks import desk, first_page, importing

PARTS = {"import": importing.main, "desk": desk.main, "first-page": first_page.main}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
        print()
