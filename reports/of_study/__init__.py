"""What a study as it stands says, one document a subject: counted by the store, figured in `reports`, the same for every reader.

- `agreement`  who agrees with whom: the document of `rejudge agree --json`
- `slices`     the same by metadata, length and source
"""
