"""The words of each command that the judge page starts: options as one word each, names from the study's own lists after `--`.

Free text (a model, the address of a server) is refused where it could be taken for anything else.
"""

import os
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from annotate.lead.jobs import SECRETS
from data.errors import LeadRefused
from judge.endpoint import OPENAI

LONGEST = 300


def free_text(what: str, value: str) -> str | None:
    """`value` without blanks at its ends, None for an empty one. Raises LeadRefused for what is no plain word or two."""
    text = value.strip()
    if text.startswith("-") or not text.isprintable() or len(text) > LONGEST:
        raise LeadRefused(
            f"{what} cannot be passed on as it is.",
            f"Found {value[:40]!r}.",
            f"Write up to {LONGEST} characters that can be seen, not beginning with a dash.",
        )
    return text or None


def address(value: str) -> str | None:
    """The address of a server, None for an empty one. Raises LeadRefused for what is none."""
    text = free_text("The address of the server", value)
    if text is None:
        return None
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise LeadRefused(
            "That is no address of a server.", f"Found {text[:60]!r}.", "Write http:// or https:// and a host, without a password."
        )
    return text


def environment(addresses: Iterable[str | None]) -> Mapping[str, str]:
    """What a job finds around it: the server's own, but no key where it asks at another address than the server's.

    `addresses`: those that were typed on a page or stand in a run's document; None for the server's own. A key belongs to
    the address that was set beside it; sent anywhere else it would be anybody's.
    """
    own = (os.environ.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")
    if all(address is None or address.rstrip("/") == own for address in addresses):
        return dict(os.environ)
    return {name: value for name, value in os.environ.items() if not any(key in name.upper() for key in SECRETS)}


def options(**given: str | int | None) -> list[str]:
    """`--max-tokens=7` for `max_tokens=7`; what is None is left out."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value is not None]
