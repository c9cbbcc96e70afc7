"""Data and scripts as they lie in the report's page: compressed, as text that needs no escaping. Floor 8.

In: plain data (strict JSON holds it), or a script. Out: base64 of gzip, which the browser unpacks when wanted. The
alphabet of base64 has no character that HTML knows, so nothing from the wire can end an element early. Standard
library only.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["chunks", "packed", "packed_json", "script_hash"]

T = TypeVar("T")

_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))
_GZIP = 16 + zlib.MAX_WBITS


def packed(text: str, level: int = 6) -> str:
    """Text as base64 of gzip; the same text gives the same bytes (no time stands in it)."""
    press = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    return base64.b64encode(press.compress(text.encode("utf-8", "replace")) + press.flush()).decode("ascii")


def packed_json(data: object, level: int = 6) -> str:
    """Plain data likewise.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    return packed(_ENCODER.encode(data), level)


def script_hash(script: str) -> str:
    """What a Content-Security-Policy calls an inline script by: ``sha256-...`` of its UTF-8 bytes."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Items in lists of `size`, the last one shorter; no more than one list is held."""
    source = iter(items)
    while part := list(itertools.islice(source, size)):
        yield part
