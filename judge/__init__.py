"""The judge's side of a study. Today that is the runs whose verdicts were imported."""
