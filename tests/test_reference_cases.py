"""Every reference case, one test a case: published and independently checked values against our functions.

REJUDGE_CASES names another file in the format of `tests/cases/README.md`; without it the project's own copy is run.
Nothing is skipped: a name, a group or an input key that nobody decided about fails its case.
"""

import json
import os
from pathlib import Path

import pytest

from tests.reference_inputs import Case, Given, Unknown
from tests.reference_names import answer_of

OWN_COPY = Path(__file__).parent / "cases" / "reference_cases.json"
TOLERANCE = 1e-9


def cases_file() -> Path:
    return Path(os.environ.get("REJUDGE_CASES") or OWN_COPY)


def load_cases(file: Path) -> list[Case]:
    found = json.loads(file.read_text(encoding="utf-8"))
    if found.get("format") != 1:
        raise Unknown(f"{file} has format {found.get('format')!r}. These tests read format 1.")
    cases: list[Case] = found["cases"]
    return cases


def check(case: Case) -> int:
    """Compares everything that a case expects; how many names that were."""
    given = Given(case)
    for name, expected in case["expected"].items():
        got, reason = answer_of(given, name)
        where = f"{case['id']}: {name} should be {expected['value']!r}, found {got!r} ({reason})"
        if expected["value"] is None:
            assert got is None and reason.strip(), where
        else:
            assert got is not None and abs(got - expected["value"]) <= expected.get("tolerance", TOLERANCE), where
    return len(case["expected"])


@pytest.mark.parametrize("case", load_cases(cases_file()), ids=lambda case: case["id"])
def test_a_reference_case_is_met(case: Case) -> None:
    assert check(case) > 0, f"{case['id']} expects nothing"
