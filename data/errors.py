"""Everything that rejudge refuses, as one tree.

    RejudgeError
    ├── StudyError      study.toml, the codebook or the folder is not as it must be
    ├── ImportRefused   a file cannot come in
    ├── DrawRefused     a batch cannot be drawn
    ├── BatchRefused    a batch cannot be paused, opened or closed
    ├── DeskRefused     something that a browser sent cannot be taken
    ├── LeadRefused     a lead's page cannot do what was asked
    ├── FrameRefused    a notebook's frame cannot be read as asked; a ValueError too
    ├── CertifyRefused  two prompts cannot be certified
    ├── GoldRefused     a gold set cannot be frozen or exported
    └── StoreError      study.db cannot be opened or used

The message of each is what the user reads, in three beats: what is wrong, what was found, what to do.
"""


class RejudgeError(Exception):
    """What is wrong, what was found and what to do, a line each."""

    def __init__(self, wrong: str, found: str, do: str) -> None:
        super().__init__(f"{wrong}\n{found}\n{do}")
        self.wrong, self.found, self.do = wrong, found, do

    def at(self, place: str) -> "RejudgeError":
        """The same refusal with `place` (a file, a line) named in front."""
        return type(self)(f"{place}: {self.wrong}", self.found, self.do)


class StudyError(RejudgeError):
    """The study folder, its `study.toml` or its codebook is not as it must be."""


class ImportRefused(RejudgeError):
    """A file cannot come in; nothing of it was written."""


class DrawRefused(RejudgeError):
    """No batch can be drawn as asked."""


class BatchRefused(RejudgeError):
    """There is no such batch, or it cannot be put into that state."""


class DeskRefused(RejudgeError):
    """A label, draft or undo that a browser sent cannot be taken; nothing of it was written."""


class LeadRefused(RejudgeError):
    """A lead's page was asked for something that cannot be done; nothing of it was written."""


class FrameRefused(RejudgeError, ValueError):
    """A frame, or what was said about it, gives no answers to compare."""


class CertifyRefused(RejudgeError):
    """No look at the test items can be taken as asked; none was taken."""


class GoldRefused(RejudgeError):
    """A gold set cannot be frozen or exported as asked."""


class StoreError(RejudgeError):
    """The study's database cannot be opened or used."""
