"""Tables and ratings that hypothesis makes, the same ones in every run, and the items behind a table."""

from hypothesis import assume, settings
from hypothesis import strategies as st

Table = list[list[int]]

same_every_time = settings(derandomize=True, max_examples=150, deadline=None)
same_few_times = settings(derandomize=True, max_examples=60, deadline=None)
"""For what is slow."""


@st.composite
def tables(draw: st.DrawFn, least: int = 2, most: int = 5, largest: int = 60) -> Table:
    """K x K counts, some of them 0, at least one item."""
    size = draw(st.integers(least, most))
    row = st.lists(st.integers(0, largest), min_size=size, max_size=size)
    table = draw(st.lists(row, min_size=size, max_size=size))
    assume(sum(map(sum, table)) > 0)
    return table


@st.composite
def ratings(draw: st.DrawFn, gaps: bool) -> list[list[int | None]]:
    """Items x raters, choices 0 to 2."""
    raters = draw(st.integers(2, 4))
    answer = st.sampled_from([0, 1, 2, None] if gaps else [0, 1, 2])
    return draw(st.lists(st.lists(answer, min_size=raters, max_size=raters), min_size=2, max_size=25))


def items_of(table: Table) -> tuple[list[int], list[int]]:
    """Both sides' answers, item by item."""
    cells = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return [i for i, _ in cells], [j for _, j in cells]


def transposed(table: Table) -> Table:
    return [list(column) for column in zip(*table, strict=True)]


def times(table: Table, factor: int) -> Table:
    return [[factor * count for count in row] for row in table]
