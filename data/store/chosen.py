"""Several choices as one whole number: bit i stands for the choice with code i, 0 for none of them."""

from collections.abc import Iterable

CHOSEN_NAMES = """CASE WHEN e.chosen IS NOT NULL THEN (SELECT json_group_array(name) FROM
    (SELECT k.name FROM main.choices k WHERE k.question = e.question AND (e.chosen >> k.code) & 1 ORDER BY k.code)) END"""
"""SQL: the several choices of an event `e` as a JSON list of names, in the order of their codes; else null."""


def chosen_bits(codes: dict[str, int], choices: Iterable[str]) -> int:
    """`choices` as they are stored; `codes`: every choice of the question, to its code."""
    return sum(1 << codes[choice] for choice in choices)


def chosen_names(codes: dict[str, int], bits: int) -> tuple[str, ...]:
    """The inverse of `chosen_bits`, in the order of `codes`."""
    return tuple(choice for choice, code in codes.items() if bits >> code & 1)
