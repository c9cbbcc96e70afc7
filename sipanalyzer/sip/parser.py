"""Bytes of one SIP message to a frozen object. Floor 4.

Comes in: one whole message (framing is :mod:`sipanalyzer.sip.framer`'s part). Goes out: a
:class:`~sipanalyzer.sip.message.Request` or :class:`~sipanalyzer.sip.message.Response`, or
:class:`~sipanalyzer.errors.ParseError`. Reads what :mod:`sipanalyzer.kernels.sip` reads in the same way, and is its
twin in the tests. Sources: RFC 3261 sections 7, 18.3 and 25.1.
"""

from __future__ import annotations

import re

from ..errors import ParseError
from .defects import find_header_defects, find_request_defects
from .header import SPACE, Header, find_header, find_headers, read_headers, split_head
from .message import Message, Request, Response, read_number
from .text import printable
from .uri import number_of, parse_address, parse_uri, parse_via, user_part

__all__ = [
    "find_header",
    "find_headers",
    "number_of",
    "parse_address",
    "parse_message",
    "parse_uri",
    "parse_via",
    "user_part",
]

_START = re.compile(r"([^ \t]++)[ \t\r]+(.*)", re.DOTALL)
_STATUS = re.compile(r"([0-9]{3})(?:[ \t](.*))?", re.DOTALL)
_ANY_KEY = frozenset(("Call-ID", "CSeq", "From", "To"))


def parse_message(data: bytes, *, truncated: bool = False) -> Message:
    """Parse one message.

    Parameters
    ----------
    data : bytes
        The message; line ends before it are skipped (RFC 3261 7.5), and what stands behind its body is left out.
    truncated : bool
        Whether bytes are missing at the end: a last header without its line end is then left out, and a short body is
        no fault of the sender's.

    Raises
    ------
    ParseError
        If there is no start line with a method and a URI or a status code of three digits, or none of Call-ID, CSeq,
        From and To. Everything else is read, and noted in `defects`.
    """
    data = data.lstrip(b"\r\n")
    head, rest = split_head(data)
    lines = head.decode("utf-8", "backslashreplace").split("\n")
    start = lines[0].rstrip(SPACE)
    match = _START.fullmatch(start)
    if match is None:
        raise ParseError("sip", "no start line")
    defects = ["truncated"] if truncated else []
    if head.count(b"\n") != head.count(b"\r\n"):
        defects.append("bare-lf")
    if rest is None:
        defects.append("no-end-of-headers")
    if len(lines) > 1:
        last = lines.pop()
        if last and not truncated:
            lines.append(last)
        elif last and last[0] in " \t":  # the header that it continues is incomplete
            while len(lines) > 1 and lines[-1][:1] in (" ", "\t"):
                lines.pop()
            if len(lines) > 1:
                lines.pop()
    headers, found = read_headers(lines[1:])
    defects += found
    if not _ANY_KEY.intersection(header.name for header in headers):
        raise ParseError("sip", "none of Call-ID, CSeq, From and To", len(lines[0]))
    body, found = _read_body(headers, rest or b"", truncated)
    word, rest_of_line = match[1], match[2].lstrip(SPACE)
    if len(word) > 4 and word[:4].upper() == "SIP/":
        status = _STATUS.fullmatch(rest_of_line)
        if status is None or status[1] < "100":
            raise ParseError("sip", "status code that is not three digits", len(word))
        defects += found
        if word.upper() != "SIP/2.0":
            defects.append("bad-version")
        defects += find_header_defects(headers, None)
        reason = printable((status[2] or "").lstrip(SPACE))
        return Response(int(status[1]), reason, word, headers, body, tuple(dict.fromkeys(defects)), data)
    uri, version = _split_version(rest_of_line)
    method, uri = printable(word), printable(uri)
    spaced = lines[0].removesuffix("\r") != f"{word} {uri} {version}".rstrip()
    defects += [*found, *find_request_defects(method, uri, version, spaced), *find_header_defects(headers, method)]
    return Request(method, uri, version, headers, body, tuple(dict.fromkeys(defects)), data)


def _split_version(text: str) -> tuple[str, str]:
    """Request-URI and version, which is the last word of several."""
    cut = max(text.rfind(" "), text.rfind("\t"))
    return (text, "") if cut < 0 else (text[:cut].rstrip(SPACE), text[cut + 1 :])


def _read_body(headers: tuple[Header, ...], rest: bytes, truncated: bool) -> tuple[bytes, tuple[str, ...]]:
    """The body as Content-Length has it, as far as it is there (RFC 3261 18.3)."""
    value = next((header.value for header in headers if header.name == "Content-Length"), None)
    length = None if value is None else read_number(value)
    if length is None:
        return rest, ("missing-content-length",) if value is None and rest else ()
    if length < len(rest):
        return rest[:length], ("body-long",)
    if length > len(rest) and not truncated:
        return rest, ("body-short",)
    return rest, ()
