"""Figures of one choice among several: where a question has more than two, one kappa hides which of them fails.

Sensitivity and precision of a choice are those of `agreement` and `binary` with that choice as the positive one.
"""

from reports.binary import f1_for
from reports.estimate import Estimate
from reports.sample import Sample, Table

NOT_GIVEN = "neither side gave this choice"


def specific_agreement(of: Table | Sample, choice: int) -> Estimate:
    """Specific agreement of the choice at place `choice`, in [0, 1]: 2 p_kk / (r_k + c_k), the F1 of that choice.

    The probability that one side gives the choice where the other, picked at random, did (Cicchetti and Feinstein
    1990). n counts the items with the choice on either side.
    """
    return f1_for(of, choice, NOT_GIVEN)
