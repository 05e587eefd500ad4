"""How much richer in a judge's errors a hunt was than a random draw: a ratio of two shares.

A hunt is no sample: what its share is compared with is the random draw's, and the ratio speaks of these items, judge and
moment alone.

Source: Donner and Zou 2012, closed-form intervals for functions of parameters (MOVER-R): the limits of a ratio from those of
its parts.
"""

import math

from reports.estimate import Estimate

METHOD = "MOVER-R"
NO_ERROR = "no error was found in the random draw"


def ratio_of_shares(hunted: Estimate, random: Estimate) -> Estimate:
    """hunted / random, of two independent shares in [0, 1] with their intervals; n counts the items of both.

    Undefined where a share is, or where the random draw has no error; without an upper end where its interval reaches 0.
    """
    n = hunted.n + random.n
    if hunted.value is None or hunted.low is None or hunted.high is None:
        return Estimate.undefined(n, METHOD, hunted.reason)
    if random.value is None or random.low is None or random.high is None:
        return Estimate.undefined(n, METHOD, random.reason)
    p, q = hunted.value, random.value
    if q == 0:
        return Estimate.undefined(n, METHOD, NO_ERROR)
    value = p / q
    # above / (p·q + root) is (p·q - root) / below, also where `below` is 0.
    above, below = hunted.low * (2 * p - hunted.low), random.high * (2 * q - random.high)
    lower = above / (p * q + _root(p * q, above, below)) if p else 0.0
    if random.low == 0:
        return Estimate(value, min(lower, value), None, n, METHOD, "the share in the random draw may be 0")
    above, below = hunted.high * (2 * p - hunted.high), random.low * (2 * q - random.low)
    upper = (p * q + _root(p * q, above, below)) / below
    return Estimate(value, min(lower, value), max(upper, value), n, METHOD)


def _root(product: float, above: float, below: float) -> float:
    return math.sqrt(max(0.0, product**2 - above * below))


def share_of_errors(agreement: Estimate) -> Estimate:
    """1 - agreement: the share of items on which judge and humans differ."""
    if agreement.value is None or agreement.low is None or agreement.high is None:
        return Estimate.undefined(agreement.n, agreement.method, agreement.reason)
    return Estimate(1 - agreement.value, 1 - agreement.high, 1 - agreement.low, agreement.n, agreement.method)
