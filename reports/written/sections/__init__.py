"""The sections of the report, each from the documents of the study."""
