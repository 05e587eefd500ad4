"""Many p-values at once: Benjamini and Hochberg's adjustment for the false discovery rate.

For those who test many hypotheses in a notebook. Pages and reports show intervals and count what was looked
at; nothing there reads a p-value from here.

Source: Benjamini and Hochberg 1995.
"""

from collections.abc import Sequence


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The adjusted p-values, in the order of the input: min over larger ones of p·m/rank, at most 1.

    Rejecting those up to q keeps the expected share of false ones among the rejected at q, for independent
    (or positively dependent) tests. Raises ValueError for a p-value outside [0, 1].
    """
    for p in p_values:
        if not 0 <= p <= 1:
            raise ValueError(f"A p-value must lie between 0 and 1. Found {p}. Leave out the tests that gave none.")
    number = len(p_values)
    adjusted = [1.0] * number
    least = 1.0
    for rank, place in reversed(list(enumerate(sorted(range(number), key=lambda place: p_values[place]), start=1))):
        least = min(least, p_values[place] * number / rank)
        adjusted[place] = least
    return adjusted
