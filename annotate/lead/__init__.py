"""The lead's pages: batches, agreement, adjudication. Never imported by what runs for annotators."""
