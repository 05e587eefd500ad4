"""Identity by content: one canonical form of JSON and one tagged hash over it.

The tag names what is hashed, so that equal bytes of two kinds never share an identity.
"""

import hashlib
import json
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical_json(value: Any) -> str:
    """`value` as JSON with sorted keys, no spaces and no escapes beyond the needed ones.

    Raises ValueError for NaN and infinite numbers.
    """
    return _encode(value)


def tagged_hash(tag: str, text: str) -> str:
    """SHA-256 of `tag`, a line break and `text` in UTF-8; 64 hexadecimal digits."""
    return hashlib.sha256(f"{tag}\n{text}".encode()).hexdigest()


def document_hash(tag: str, document: Any) -> str:
    """The tagged hash of a document's canonical JSON."""
    return tagged_hash(tag, canonical_json(document))
