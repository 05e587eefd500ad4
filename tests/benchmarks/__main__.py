"""Figures, not tests: nothing here can fail. `make bench`, or `python -m tests.benchmarks desk`.

`coverage` only when asked, alone, with the parts wanted behind it: `python -m tests.benchmarks coverage kappa`.
"""

import sys

from tests.benchmarks import agreeing, claiming, coverage, desk, first_page, importing, libraries

PARTS = {
    "import": importing.main, "agree": agreeing.main, "libraries": libraries.main, "claim": claiming.main,
    "desk": desk.main, "first-page": first_page.main,
}  # fmt: skip

if __name__ == "__main__":
    if sys.argv[1:2] == ["coverage"]:
        coverage.main(sys.argv[2:])
    else:
        for name in sys.argv[1:] or PARTS:
            PARTS[name]()
            print()
