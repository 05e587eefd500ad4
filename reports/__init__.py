"""Figures from counts: tallies in, estimates out, and the text that shows them.

- `estimate`         a figure with its interval, its n and its method, or the reason why it has none
- `intervals`        Wilson, quantiles, and how an interval is held in range and around its value
- `sample`           a pair's counts with their strata, weights and groups
- `agreement`        two raters: kappa, agreement, sensitivity, specificity, AC1, and the strict ones
- `design`           intervals of kappa and AC1 under strata, weights and groups
- `shares`           intervals of shares under the same
- `alpha`            many annotators: Krippendorff's alpha from patterns of votes
- `alpha_by_design`  the same for sets and scores, and under strata, weights and groups
- `scores`           two raters who gave scores
- `document`         the JSON of `rejudge agree`
- `terminal`         the same as text, with `notes`, `matrix` for the drawing and `width` for terminal columns
"""
