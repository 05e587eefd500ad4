"""What a study as it stands says, one document a subject: counted by the store, figured in `reports`, the same for every reader.

- `agreement`    who agrees with whom: the document of `rejudge agree --json`
- `humans`       annotators beside each other, the rest and the judge, again, and over time
- `prevalence`   how often it truly happens
- `plan`         how many items to label: the document of `rejudge plan --json`
- `slices`       agreement by metadata, length and source
- `comparisons`  which of two judge runs agrees better, on the same items
- `baselines`    each judge run beside the baseline that counts words
- `disagreements`  where humans and judge differ, cell by cell, with the few open items that a report shows
- `hunts`        what the last closed hunt brought, beside a random draw
- `steps`        which steps annotators and judge runs point at
- `about`        what a study is made of: questions, judges, draws, people, what was shown, hashes
- `report`       all documents at one moment, for the written report
"""
