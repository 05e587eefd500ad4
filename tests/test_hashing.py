"""One canonical form of JSON: whichever encoder writes it, the same value has the same text."""

import datetime
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.hashing import canonical_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=20,
)


@given(VALUES)
@settings(derandomize=True, max_examples=300, deadline=None)
def test_a_value_without_fractions_has_the_text_that_the_standard_library_gives(value: Any) -> None:
    assert canonical_json(value) == json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(derandomize=True, max_examples=300, deadline=None)
def test_a_fraction_comes_back_from_its_text(value: float) -> None:
    text = canonical_json([value])
    assert json.loads(text) == [value] and canonical_json(json.loads(text)) == text


def test_a_whole_number_of_any_size_is_kept() -> None:
    assert canonical_json({"n": 10**40}) == '{"n":1' + "0" * 40 + "}"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_in_json_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"deep": [None, {"value": value}]})


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical_json({"day": datetime.date(2020, 1, 1)})
