"""Bodies of several parts. Floor 4.

Comes in: a Content-Type and a body. Goes out: its parts, those of nested multiparts among them. Sources: RFC 2046
section 5.1, RFC 5621.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .header import SPACE, Header, parameters, read_headers, scan, split_head

__all__ = ["BodyPart", "media_type", "split_body"]

MAX_DEPTH = 4
"""Multiparts nested deeper stay whole."""
MAX_PARTS = 64
"""Parts of one body, nested ones included; what follows is left out."""

_FIRST_LINE = re.compile(rb"(?:\A|\n)--([^\r\n]{1,70})")


@dataclass(frozen=True, slots=True)
class BodyPart:
    """One part of a body (the whole body where it is no multipart)."""

    content_type: str | None
    """With parameters, as sent."""
    headers: tuple[Header, ...]
    """Of the part; empty for a body that is no multipart."""
    body: bytes

    @property
    def media_type(self) -> str | None:
        """``type/subtype`` in lower case, None without Content-Type."""
        return media_type(self.content_type)


def media_type(content_type: str | None) -> str | None:
    """``type/subtype`` of a Content-Type in lower case, without parameters and white space."""
    if content_type is None:
        return None
    return "".join(content_type.partition(";")[0].split()).lower() or None


def split_body(content_type: str | None, body: bytes) -> tuple[BodyPart, ...]:
    """Parts of a body, in order; one where it is no multipart, none where it is empty.

    Parameters
    ----------
    content_type : str or None
        As sent. A ``multipart`` without boundary takes that of its first delimiter line.
    body : bytes
        The whole body.
    """
    parts: list[BodyPart] = []
    if body:
        _split(BodyPart(content_type, (), body), MAX_DEPTH, parts)
    return tuple(parts)


def _split(part: BodyPart, depth: int, parts: list[BodyPart]) -> None:
    kind = part.media_type
    boundary = _boundary(part) if kind is not None and kind.startswith("multipart/") and depth else None
    if boundary is None:
        if len(parts) < MAX_PARTS:
            parts.append(part)
        return
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*+(?=\r?\n|\Z)")
    begin = None
    for match in delimiter.finditer(part.body):
        if begin is not None:
            _split(_read_part(part.body[begin : match.start()]), depth - 1, parts)
        begin = match.end()
        if match[1] or len(parts) >= MAX_PARTS:
            return
    if begin is not None:  # the closing delimiter is missing
        _split(_read_part(part.body[begin:]), depth - 1, parts)


def _boundary(part: BodyPart) -> bytes | None:
    found, _ = scan(part.content_type or "", is_list=False)
    text = part.content_type or ""
    cuts = [at for kind, at, _ in found if kind == ";"]
    segments = [text[begin + 1 : end] for begin, end in zip(cuts, [*cuts[1:], len(text)], strict=False)]
    boundary = parameters(segments).get("boundary")
    if boundary:
        if boundary[0] == '"':
            boundary = re.sub(r"\\(.)", r"\1", boundary.strip('"'), flags=re.DOTALL)
        return boundary.rstrip(SPACE).encode() or None
    match = _FIRST_LINE.search(part.body)
    return match[1].rstrip() if match else None


def _read_part(data: bytes) -> BodyPart:
    data = data.removeprefix(b"\r").removeprefix(b"\n")
    if data[:1] == b"\n" or data[:2] == b"\r\n":  # no headers
        return BodyPart(None, (), data.removeprefix(b"\r").removeprefix(b"\n"))
    head, body = split_head(data)
    headers, _ = read_headers(head.decode("utf-8", "backslashreplace").split("\n")[: -1 if body is not None else None])
    content_type = next((header.value for header in headers if header.name == "Content-Type"), None)
    return BodyPart(content_type, headers, body or b"")
