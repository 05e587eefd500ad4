"""How often the 95 % intervals hold the truth, by seeded simulation, beside what was published or measured before.

`python -m tests.benchmarks coverage` runs everything, `python -m tests.benchmarks coverage kappa alpha` two parts,
and `coverage --times 400 kappa` with fewer draws a cell. A cell is one truth and one size; its coverage is taken
over the draws whose figure is defined, and the share of the others is printed. Every design draws from a generator
seeded by its own name, so a part alone prints what it prints within the whole.
"""

import argparse
import math
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.estimate import Estimate

Integers = NDArray[np.int64]
TIMES = 4000
NOMINAL = 0.93
MOST_UNDER_PUBLISHED = 0.015
BINARY_KAPPA = 0.925
WORTH_KEEPING = 32
"""Numbers in a data set; larger ones hardly come twice, and would fill the memory."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One truth and the data sets drawn from it."""

    name: str
    truth: float
    draws: Integers
    """R x whatever one data set is."""


@dataclass(frozen=True, slots=True)
class Design:
    """One method on one way of drawing items."""

    name: str
    cells: Callable[[np.random.Generator, int], Iterable[Cell]]
    estimate: Callable[[Integers], Estimate]
    """From one data set of a cell."""
    published: float | None = None
    """The worst cell that facts or a paper gives for this method and design."""
    least: float | None = None
    """What the worst cell must reach within two of its standard errors."""


@dataclass(frozen=True, slots=True)
class Covered:
    """How one cell came out."""

    name: str
    share: float
    defined: int
    undefined: float
    """A share of the draws."""
    width: float

    @property
    def error(self) -> float:
        """Of `share`, by simulation."""
        return math.sqrt(BINARY_KAPPA * (1 - BINARY_KAPPA) / max(1, self.defined))


def covered(cell: Cell, estimate: Callable[[Integers], Estimate], known: dict[bytes, Estimate]) -> Covered | None:
    """None where no draw has an interval. `known` keeps the estimates of data sets that were met before."""
    draws = np.ascontiguousarray(cell.draws.reshape(len(cell.draws), -1))
    distinct, first, times = np.unique(draws, axis=0, return_index=True, return_counts=True)
    held = defined = 0
    width = 0.0
    keep = draws.shape[1] <= WORTH_KEEPING
    for data, place, number in zip(distinct, first, times, strict=True):
        key = data.tobytes()
        found = known.get(key)
        if found is None:
            found = estimate(cell.draws[place])
            if keep:
                known[key] = found
        if found.low is None or found.high is None:
            continue
        defined += int(number)
        held += int(number) * (found.low - 1e-9 <= cell.truth <= found.high + 1e-9)
        width += float(number) * (found.high - found.low)
    if not defined:
        return None
    return Covered(cell.name, held / defined, defined, 1 - defined / len(draws), width / defined)


def measure(design: Design, times: int) -> list[Covered]:
    """All cells of a design."""
    random = np.random.default_rng([20, zlib.crc32(design.name.encode())])
    known: dict[bytes, Estimate] = {}
    found = [covered(cell, design.estimate, known) for cell in design.cells(random, times)]
    return [cell for cell in found if cell is not None]


def line(design: Design, found: Sequence[Covered]) -> str:
    """What is printed of a design."""
    worst = min(found, key=lambda cell: cell.share)
    below, number = sum(cell.share < NOMINAL for cell in found), len(found)
    mean, width = (sum(getattr(cell, part) for cell in found) / number for part in ("share", "width"))
    undefined = max(cell.undefined for cell in found)
    said = (
        f"{design.name}: {number} cells, worst {worst.share:.3f} ({worst.name}), mean {mean:.3f}, below .93 in {below}, "
        f"undefined {undefined:.1%} at most, mean width {width:.3f}"
    )
    if design.published is not None:
        holds = worst.share >= design.published - MOST_UNDER_PUBLISHED
        said += f"; published {design.published:.3f}: {'ok' if holds else 'MORE THAN 1.5 POINTS UNDER'}"
    if design.least is not None:
        short = [cell for cell in found if cell.share < design.least - 2 * cell.error]
        said += f"; at least {design.least:.3f} less two errors: {'ok' if not short else f'{len(short)} CELLS SHORT'}"
    return said


def parts() -> tuple[dict[str, list[Design]], dict[str, list[Design]]]:
    """What runs, in its order, and what runs only when asked for."""
    from tests.benchmarks import (
        coverage_comparing,
        coverage_designs,
        coverage_many,
        coverage_pairs,
        coverage_people,
        coverage_prevalence,
        coverage_raters,
        coverage_rates,
    )

    always = coverage_pairs.PARTS | coverage_raters.PARTS | coverage_designs.PARTS | coverage_prevalence.PARTS
    always |= coverage_rates.PARTS
    return (
        always,
        coverage_pairs.WIDER | coverage_designs.WIDER | coverage_comparing.WIDER | coverage_people.PARTS | coverage_many.PARTS,
    )


def main(argv: Sequence[str] = ()) -> None:
    """Print the parts asked for; without any, those that have a published figure."""
    always, wider = parts()
    known = always | wider
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks coverage")
    parser.add_argument("--times", type=int, default=TIMES, help="draws a cell")
    parser.add_argument("part", nargs="*", choices=[*known, []], help=f"{', '.join(always)}; and when asked for {', '.join(wider)}")
    asked = parser.parse_args(argv)
    print(f"Coverage of nominal 95 % intervals, {asked.times:,} draws a cell", flush=True)
    for part in asked.part or always:
        begun = time.process_time()
        for design in known[part]:
            print(line(design, measure(design, asked.times)), flush=True)
        print(f"({part}: {time.process_time() - begun:.0f} s of the processor)", flush=True)
