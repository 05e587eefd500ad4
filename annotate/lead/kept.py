"""What was counted for a page, kept until the study has moved on."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from data.store import Store
from data.store.changes import Moment, moment_of

Counted = TypeVar("Counted")

_known: dict[tuple[Path, str], tuple[Moment, Any]] = {}
_guard = threading.Lock()


def kept(store: Store, what: str, count: Callable[[Store], Counted]) -> Counted:
    """`count(store)` as it was when last asked for as `what`; counted again where the study has moved on since.

    An unchanged study costs one small query. What is kept is shared between sessions: do not change it.
    """
    moment, key = moment_of(store), (store.path, what)
    with _guard:
        known = _known.get(key)
    if known is None or known[0] != moment:
        known = (moment, count(store))
        with _guard:
            _known[key] = known
    counted: Counted = known[1]
    return counted
