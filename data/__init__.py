"""What a study holds: its questions, trajectories, verdicts, labels and gold sets, and how they are kept."""
