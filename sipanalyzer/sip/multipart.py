"""Bodies of several parts. Floor 4.

Comes in: a Content-Type and a body. Goes out: its parts, those of nested multiparts among them. Sources: RFC 2046
section 5.1, RFC 5621.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..options import Options
from .header import SPACE, Header, parameters, read_headers, scan, split_head

__all__ = ["PARTS", "BodyPart", "PartLimits", "media_type", "part_limits", "split_body", "take_apart", "texts_between"]


class PartLimits(NamedTuple):
    """How far a body is taken apart."""

    max_parts: int
    """Nested ones included; what follows is left out."""
    max_depth: int
    """Multiparts nested deeper stay whole."""


def part_limits(options: Options) -> PartLimits:
    """What `max_body_parts` and `max_body_depth` say."""
    return PartLimits(options.max_body_parts, options.max_body_depth)


PARTS = part_limits(Options())
"""Of the options' defaults."""

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


def split_body(content_type: str | None, body: bytes, limits: PartLimits = PARTS) -> tuple[BodyPart, ...]:
    """Parts of a body, in order; one where it is no multipart, none where it is empty.

    Parameters
    ----------
    content_type : str or None
        As sent. A ``multipart`` without boundary takes that of its first delimiter line.
    body : bytes
        The whole body.
    limits : PartLimits
        Of the options.
    """
    return take_apart(content_type, body, limits)[0]


def take_apart(content_type: str | None, body: bytes, limits: PartLimits = PARTS) -> tuple[tuple[BodyPart, ...], bool]:
    """The same parts, and whether a limit left some out or whole."""
    parts: list[BodyPart] = []
    cut = False
    inside = [iter((BodyPart(content_type, (), body),) if body else ())]  # no recursion: the options choose the depth
    while inside:
        part = next(inside[-1], None)
        if part is None:
            inside.pop()
            continue
        boundary = _boundary(part) if (part.media_type or "").startswith("multipart/") else None
        if boundary is not None and len(inside) <= limits.max_depth:
            inside.append(map(_read_part, texts_between(part.body, boundary)))
            continue
        if len(parts) >= limits.max_parts:
            return tuple(parts), True
        cut |= boundary is not None
        parts.append(part)
    return tuple(parts), cut


def texts_between(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What stands between the delimiter lines of a multipart, heads included (RFC 2046 5.1.1)."""
    delimiter = re.compile(rb"--" + re.escape(boundary) + rb"(--)?[ \t]*+(?=\r?\n|\Z)")
    begin = None
    for match in delimiter.finditer(body):  # which is ten times as fast where it need not look for line ends first
        at = match.start()
        if body[at - 1 : at] not in (b"", b"\n"):
            continue
        if begin is not None:
            yield body[begin : at - (2 if body[at - 2 : at] == b"\r\n" else 1)]
        begin = match.end()
        if match[1]:
            return
    if begin is not None:  # the closing delimiter is missing
        yield body[begin:]


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
