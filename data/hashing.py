"""Identity by content: one canonical form of JSON and one tagged hash over it.

The tag names what is hashed, so that equal bytes of two kinds never share an identity.
"""

import hashlib
import json
from typing import Any

import orjson

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode
# Dates and dataclasses are no JSON, whatever orjson makes of them.
_STRICT = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def canonical_json(value: Any) -> str:
    """`value` as JSON with sorted keys, no spaces and no escapes beyond the needed ones.

    Raises ValueError for NaN and infinite numbers.
    """
    try:
        text = orjson.dumps(value, option=_STRICT).decode()
    except TypeError:  # whole numbers beyond 64 bits, lone surrogates, keys that are no texts
        return _encode(value)
    if "null" in text:  # orjson writes null for NaN and infinity; the slower encoder refuses them
        _encode(value)
    return text


def tagged_hash(tag: str, text: str) -> str:
    """SHA-256 of `tag`, a line break and `text` in UTF-8; 64 hexadecimal digits."""
    return hashlib.sha256(f"{tag}\n{text}".encode()).hexdigest()


def document_hash(tag: str, document: Any) -> str:
    """The tagged hash of a document's canonical JSON."""
    return tagged_hash(tag, canonical_json(document))


def content_hash(task: str | None, steps: str) -> str:
    """The identity of a trajectory's content; `steps` is canonical JSON."""
    return tagged_hash("trajectory", f'{{"steps":{steps},"task":{json.dumps(task, ensure_ascii=False)}}}')
