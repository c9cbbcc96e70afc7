"""What can be wrong with a message that is read all the same. Floor 4.

Comes in: a message's parts. Goes out: short codes from :data:`MEANING`. Sources: RFC 3261 sections 7, 8.1.1, 18.3, 20
and 25.1, and RFC 4475, which says of each of its messages what an element should do.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Sequence

from ..errors import ParseError
from .header import SPACE, Header, scan, split_list
from .uri import parse_address, parse_uri, parse_via

__all__ = ["MEANING", "ONCE", "REJECTED", "find_header_defects", "find_request_defects"]

MEANING = {
    # tolerated: nothing is lost
    "bare-lf": "line that ends with LF alone",
    "truncated": "bytes missing at the end",
    "malformed-header": "header line without a name; left out",
    "no-end-of-headers": "blank line after the headers missing",
    "missing-content-length": "body without Content-Length; it ends with the datagram",
    "body-long": "more bytes than Content-Length says; what follows is no part of the body",
    "bad-branch": "branch without anything behind the magic cookie",
    # an element by the book answers 400, 505 or drops it
    "start-line-space": "spaces too many in the start line",
    "bad-method": "method that is no token",
    "bad-version": "version that is not SIP/2.0",
    "bad-request-uri": "Request-URI that is no URI, in brackets, or with spaces",
    "request-uri-headers": "Request-URI with headers",
    "missing-call-id": "Call-ID missing",
    "missing-cseq": "CSeq missing",
    "missing-from": "From missing",
    "missing-to": "To missing",
    "missing-via": "Via missing",
    "repeated-header": "header that may stand once stands several times",
    "bad-cseq": "CSeq without number or method, or with a number of 2**31 and more",
    "cseq-method": "CSeq names another method than the request line",
    "bad-content-length": "Content-Length that is no number",
    "body-short": "fewer bytes than Content-Length says",
    "bad-max-forwards": "Max-Forwards that is no number up to 255",
    "bad-date": "Date that is not in GMT",
    "bad-from": "From that cannot be read",
    "bad-to": "To that cannot be read",
    "bad-contact": "Contact that cannot be read",
    "bad-via": "Via that cannot be read, or with empty parameters",
    "bad-display-name": "display name that needs quotes",
    "uri-space": "spaces inside the brackets of a URI",
    "unbracketed-uri": "URI with headers and without brackets",
    "unterminated-quote": "quote that is never closed",
    "unterminated-bracket": "bracket that is never closed",
}
"""Every code and what it means."""

REJECTED = frozenset(list(MEANING)[list(MEANING).index("start-line-space") :])
"""Codes for which an element by the book would not accept the message."""

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_DISPLAY = re.compile(r"[A-Za-z0-9\-.!%*_+`'~ \t\r\n]*|[ \t\r\n]*\"(?:[^\"\\]|\\.)*+\"[ \t\r\n]*", re.DOTALL)
_SPACE = re.compile(f"[{SPACE}]")
_DIGITS = re.compile(r"[0-9]+")
_CSEQ = re.compile(r"([0-9]{1,40})[ \t\r\n]+([^ \t\r\n]+)")
_DATE = re.compile(r"(?:[A-Za-z]{3},[ ]+)?[0-9]{1,2} +[A-Za-z]{3} +[0-9]{4} +[0-9:]{8} +(?:GMT|UTC)")
_SINGLE = """
    Call-ID CSeq From To Max-Forwards Content-Length Content-Type Expires Date Event Subscription-State
    Session-Expires Min-SE RSeq RAck Refer-To Referred-By Replaces
"""
ONCE = frozenset(_SINGLE.split())
"""Headers that may stand once."""
_SHORT = 512
"""Characters of a value whose defects are kept in mind."""
_NEEDED = {"Call-ID": "call-id", "CSeq": "cseq", "From": "from", "To": "to", "Via": "via"}


def find_request_defects(method: str, uri: str, version: str, spaced: bool) -> list[str]:
    """Defects of a request line; `spaced` where it has spaces too many."""
    defects = []
    if spaced:
        defects.append("start-line-space")
    if not _TOKEN.fullmatch(method):
        defects.append("bad-method")
    if version.upper() != "SIP/2.0":
        defects.append("bad-version")
    try:
        parsed = parse_uri(uri)
        if parsed.headers:
            defects.append("request-uri-headers")
        if any(c in uri for c in " \t<>"):
            defects.append("bad-request-uri")
    except ParseError:
        defects.append("bad-request-uri")
    return defects


def find_header_defects(headers: tuple[Header, ...], method: str | None) -> list[str]:
    """Defects of the headers; `method` is that of a request line."""
    defects = []
    counts = Counter(header.name for header in headers)
    defects += [f"missing-{code}" for name, code in _NEEDED.items() if not counts[name]]
    if len(counts) < len(headers) and any(counts[name] > 1 for name in ONCE):
        defects.append("repeated-header")
    for header in headers:
        if header.name in _CHECKS:
            defects += _of_value(header.name, header.value)
    if method is not None:
        match = _CSEQ.fullmatch(next((header.value for header in headers if header.name == "CSeq"), ""))
        if match and match[2] != method:
            defects.append("cseq-method")
    return defects


def _of_value(name: str, value: str) -> Sequence[str]:
    """Defects of one value: From, To, Via and Contact come again in message after message of a call."""
    return _of_short_value(name, value) if len(value) <= _SHORT else _CHECKS[name](value)


@functools.lru_cache(maxsize=1_024)
def _of_short_value(name: str, value: str) -> tuple[str, ...]:
    return tuple(_CHECKS[name](value))


def _cseq(value: str) -> list[str]:
    match = _CSEQ.fullmatch(value)
    return [] if match and int(match[1]) < 2**31 and _TOKEN.fullmatch(match[2]) else ["bad-cseq"]


def _content_length(value: str) -> list[str]:
    return [] if _DIGITS.fullmatch(value) and len(value.lstrip("0")) <= 10 else ["bad-content-length"]


def _max_forwards(value: str) -> list[str]:
    small = _DIGITS.fullmatch(value) and len(value.lstrip("0")) <= 3 and int(value[-20:]) <= 255
    return [] if small else ["bad-max-forwards"]


def _date(value: str) -> list[str]:
    return [] if _DATE.fullmatch(value) else ["bad-date"]


def _address(value: str, code: str) -> list[str]:
    try:
        address = parse_address(value)
    except ParseError:
        return [code]
    defects = list(address.defects)
    found, _ = scan(value, is_list=False)
    bracket = next((item for item in found if item[0] == "<"), None)
    if bracket is None:
        if "?" in address.uri.partition("@")[2]:
            defects.append("unbracketed-uri")
    elif not defects:
        if not _DISPLAY.fullmatch(value[: bracket[1]]):
            defects.append("bad-display-name")
        if _SPACE.search(value, bracket[1], bracket[2]):
            defects.append("uri-space")
    try:
        if address.uri != "*":
            parse_uri(address.uri)
    except ParseError:
        defects.append(code)
    return defects


def _from(value: str) -> list[str]:
    return _address(value, "bad-from")


def _to(value: str) -> list[str]:
    return _address(value, "bad-to")


def _contact(value: str) -> list[str]:
    return [code for item in split_list(value) for code in _address(item, "bad-contact")]


def _via(value: str) -> list[str]:
    defects = []
    found, defective = scan(value, is_list=False)
    begin = 0
    for at in [*(at for kind, at, _ in found if kind == ","), len(value)]:
        item = value[begin:at].strip(SPACE)
        begin = at + 1
        try:
            via = parse_via(item)
            empty = any(not segment.strip(SPACE) for segment in item.split(";")) and not defective and '"' not in item
            if empty or via.protocol.upper() not in ("SIP/2.0", "SIP/7.0"):
                defects.append("bad-via")
            if (via.branch or "").lower() == "z9hg4bk":
                defects.append("bad-branch")
        except ParseError:
            defects.append("bad-via")
    return [*defective, *defects]


_CHECKS: dict[str, Callable[[str], list[str]]] = {
    "CSeq": _cseq, "Content-Length": _content_length, "Max-Forwards": _max_forwards, "Date": _date,
    "From": _from, "To": _to, "Contact": _contact, "Via": _via,
}  # fmt: skip
