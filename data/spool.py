"""A file's entries between the two passes of an import: checked once, kept on disk, read back once.

The spool lies beside the database, whose disk must hold as much anyway, under no name: a process that
is killed leaves nothing.
"""

import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path

from data.arrivals import Arrival
from data.errors import ImportRefused


class Spool:
    """Chunks of arrivals in the order in which they were added. A context manager; reading it back empties nothing."""

    def __init__(self, folder: Path) -> None:
        try:
            self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by __exit__
        except OSError as error:
            raise _refusal(folder, error) from None
        self.folder = folder
        self.entries = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def add(self, chunk: list[Arrival]) -> None:
        """Raises ImportRefused where the disk is full."""
        try:
            pickle.dump(chunk, self.file, pickle.HIGHEST_PROTOCOL)
            self.file.flush()
        except OSError as error:
            raise _refusal(self.folder, error) from None
        self.entries += len(chunk)

    def arrivals(self) -> Iterator[Arrival]:
        """All of them, one chunk in memory at a time."""
        self.file.seek(0)
        left = self.entries
        while left:
            chunk: list[Arrival] = pickle.load(self.file)
            left -= len(chunk)
            yield from chunk


def _refusal(folder: Path, error: OSError) -> ImportRefused:
    return ImportRefused(
        f"{folder} has no room to check the file in.",
        f"Found: {error.strerror or error}.",
        "Make room for once more the size of the file, or make the folder writable; nothing was written to the study.",
    )
