"""Figures from counts: tallies in, estimates out, and the text that shows them.

- `estimate`         a figure with its interval, its n and its method, or the reason why it has none
- `intervals`        Wilson, quantiles, and how an interval is held in range and around its value
- `sample`           a pair's counts with their strata, weights and groups
- `credit`           how much credit a disagreement earns: weights by name, or as a table
- `agreement`        two raters: kappa, agreement, sensitivity, specificity, and the strict ones
- `chance`           other corrections for chance: Scott's pi, PABAK, AC1, AC2
- `binary`           one choice against the others: precision, NPV, F1, balanced accuracy, prevalence and bias
- `per_class`        specific agreement of a choice
- `correlation`      MCC
- `mcnemar`          whether two sides' margins differ: the exact test and mid-p
- `design`           intervals of kappa and AC1 under strata, weights and groups
- `jackknife`        how much wider the figures of a few groups spread, for these intervals
- `shares`           shares and their intervals under the same
- `square_and_add`   intervals of figures made of several shares, under the same
- `replicates`       intervals by seeded replicates, for what has no closed form
- `alpha`            many annotators: Krippendorff's alpha from patterns of votes
- `vote_sample`      their votes with strata, weights and groups, and intervals by leaving items out
- `alpha_by_design`  alpha of sets and scores, and under such designs, with `alpha_of_distances`
- `many_raters`      the same question by Fleiss' kappa, Gwet's AC1 and AC2
- `sets`             answers that are sets of choices: alpha with MASI and Jaccard, each choice by itself, two raters
- `vote_figures`     all of these for a question, as JSON
- `steps`            which steps a human and a judge point at, with `ratios` for their intervals
- `scores`           two raters who gave scores
- `prevalence`       how often it truly happens: post-stratified on the verdict, PPI++, and what they are compared with
- `planner`          how many items to label for a half-width or a power, and what no table can show
- `prevalence_by_design`  the same for what a store counts: strata, groups, and cells that chance left empty
- `plan_document`    what was seen and what is wished for, as a plan; `plan_text` says it
- `panels`           everybody beside the judge and each other on the same items, with `pair_tables` for their kappas
- `one_more_human`   whether the judge is as good as one more human; `one_more_scorer` for scores
- `human_side`       how long labelling took, and whether it got worse in the course of a sitting
- `slices`           figures slice by slice, and what so many looks are worth
- `joint`            the counts of two judges beside one human, with their strata, weights and groups
- `comparing`        which of two judges agrees better, paired, with `comparison_document` for the JSON and the words
- `shared_figures`   any number of judges on the items that all have, and the difference of two by leaving out groups
- `paired_power`     how likely such a comparison is to show an improvement, before anybody looks
- `against_baseline` whether a judge is better than a baseline that counts words
- `consistency`      whether a judge agrees with itself: flip rates over repeats
- `hunting`          how much richer in errors a hunt was than a random draw; `hunt_text` says it
- `forest`           estimates with their intervals below each other, as SVG text; `forests` those of slices and comparisons
- `pair_figures`     which figures a pair has, by type; by choice; means over labels
- `notebook`         the same for a pandas frame, with `frames` to read it, `frame_counts` to count it, `notebook_html` to draw it
- `auc`              how well one visible field alone predicts a verdict
- `parity`           whether a judge was shown what the annotators were shown
- `document`         the JSON of `rejudge agree`, and `human_document` that of the human side
- `terminal`         the same as text, with `notes`, `matrix` for the drawing and `width` for terminal columns

For notebooks alone, and behind nothing that a page, a report or a gold set says: `dawid_skene`, `alt_test`,
`false_discovery`.
"""
