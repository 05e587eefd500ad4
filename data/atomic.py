"""Files that are replaced in one step: a crash leaves the old file or the new one, never half of one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of `path`, durably, once the block ends without an error."""
    temporary = temporary_beside(path)
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Replaces `path` with `text` as UTF-8."""
    with replacing(path) as file:
        file.write(text.encode())


def temporary_beside(path: Path) -> Path:
    """A hidden name in the folder of `path`, of this process alone."""
    return path.with_name(f".{path.name}.{os.getpid()}.new")


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` durable, where the system can open a folder."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
