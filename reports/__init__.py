"""Figures from counts: tallies in, estimates out, and the text that shows them.

- `estimate`   a figure with its interval, its n and its method, or the reason why it has none
- `intervals`  Wilson, quantiles, and how an interval is held in range and around its value
- `agreement`  two raters: kappa, agreement, sensitivity, specificity, AC1, and the strict ones
- `alpha`      many annotators: Krippendorff's alpha from patterns of votes
- `document`   the JSON of `rejudge agree`
- `terminal`   the same as text, with `matrix` for the drawing and `width` for terminal columns
"""
