"""Figures, not tests: nothing here can fail. `make bench`, or `python -m tests.benchmarks desk`.

`judge` takes parts of it behind its name: `speed`, `kills`, `memory`. `coverage` only when asked, alone, with the parts wanted
behind it: `python -m tests.benchmarks coverage kappa`.
"""

import sys

from tests.benchmarks import agreeing, claiming, coverage, desk, first_page, importing, judging, libraries

PARTS = {
    "import": importing.main, "agree": agreeing.main, "libraries": libraries.main, "claim": claiming.main,
    "desk": desk.main, "first-page": first_page.main, "judge": judging.main,
}  # fmt: skip

if __name__ == "__main__":
    if sys.argv[1:2] == ["coverage"]:
        coverage.main(sys.argv[2:])
    elif sys.argv[1:2] == ["judge"]:
        judging.main(sys.argv[2:])
    else:
        for name in sys.argv[1:] or PARTS:
            PARTS[name]()
            print()
