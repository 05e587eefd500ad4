"""The app that annotators and leads sit at, and how its batches are drawn."""
