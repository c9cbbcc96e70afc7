"""Header fields: names, compact names, lists of values, parameters, and a quick look into raw bytes. Floor 4.

Comes in: text of header values (unfolded), or a whole message's bytes. Goes out: :class:`Header`, values, parameters.
Sources: RFC 3261 sections 7.3 and 20, the IANA registry of SIP header fields (compact forms).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .text import decode_text, printable

__all__ = [
    "Header",
    "canonical_name",
    "find_header",
    "find_headers",
    "parameters",
    "read_headers",
    "scan",
    "split_head",
    "split_list",
]

SPACE = " \t\r\n"
"""White space of RFC 3261 (LWS), and no other."""

COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "n": "Identity-Info", "o": "Event", "r": "Refer-To", "s": "Subject",
    "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}  # fmt: skip
"""Compact forms (RFC 3261 7.3.3 and the extensions that registered one)."""

_LIST_NAMES = """
    Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Call-Info Contact
    Content-Encoding Content-Language Diversion Error-Info Feature-Caps Geolocation History-Info In-Reply-To Path
    P-Access-Network-Info P-Asserted-Identity P-Associated-URI P-Called-Party-ID P-Early-Media P-Media-Authorization
    P-Preferred-Identity P-Visited-Network-ID Permission-Missing Privacy Proxy-Require Reason Record-Route Recv-Info
    Reject-Contact Remote-Party-ID Request-Disposition Require Resource-Priority Accept-Resource-Priority Route
    Security-Client Security-Server Security-Verify Service-Route Supported Suppress-If-Match Trigger-Consent
    Unsupported Via Warning
"""
LISTS = frozenset(name.lower() for name in _LIST_NAMES.split())
"""Headers whose value is a comma-separated list (RFC 3261 table 2 and the RFCs that define the others)."""

_REGISTERED = """
    Accept Accept-Encoding Accept-Language Alert-Info Allow Authentication-Info Authorization Call-Info
    Content-Disposition Content-Language CSeq Date Diversion Error-Info Expires Feature-Caps Flow-Timer Geolocation
    History-Info In-Reply-To Info-Package Join Max-Expires Max-Forwards MIME-Version Min-Expires Min-SE Organization
    P-Access-Network-Info P-Asserted-Identity P-Associated-URI P-Called-Party-ID P-Charging-Function-Addresses
    P-Charging-Vector P-Early-Media P-Preferred-Identity P-Visited-Network-ID Path Permission-Missing Priority
    Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require RAck Reason Record-Route Recv-Info Remote-Party-ID
    Replaces Reply-To Require Resource-Priority Retry-After Route RSeq Security-Client Security-Server
    Security-Verify Server Service-Route Session-ID SIP-ETag SIP-If-Match Subscription-State Target-Dialog Timestamp
    Unsupported User-Agent Warning WWW-Authenticate
"""
_CANONICAL = {name.lower(): name for name in COMPACT.values()} | {name.lower(): name for name in _REGISTERED.split()}

_STRICT = re.compile(r'"(?:[^"\\]|\\.)*+(?P<quote>"?)|<[^>]*+(?P<angle>>?)|[;,]', re.DOTALL)
_NO_QUOTES = re.compile(r"<[^>]*+(?P<angle>>?)|[;,]")
_BARE = re.compile(r"[<;,]")
_TOKEN = re.compile(r"[^;, \t\r\n>]*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Header:
    """One header field as it stood in the message."""

    name: str
    """Canonical: as the registry writes it; as sent where the registry (as known here) has no such name."""
    value: str
    """Unfolded, printable."""
    raw_name: str
    """As sent."""


def canonical_name(name: str) -> str:
    """The registry's spelling of a name, compact forms included; an unknown name as it is."""
    if not name.isascii():  # lower() would make a K of the Kelvin sign
        return name
    lower = name.lower()
    return COMPACT.get(lower) or _CANONICAL.get(lower, name)


def scan(text: str, *, is_list: bool) -> tuple[list[tuple[str, int, int]], tuple[str, ...]]:
    """Delimiters and bracketed parts of the first value of a header.

    Returns
    -------
    list of (kind, begin, end)
        Kind is ``;``, ``,``, ``<`` (the whole part in brackets) or ``"`` (the whole string), in order. With `is_list`
        it ends with the first ``,``.
    defects : tuple of str
        ``unterminated-quote``: then no quote counts; ``unterminated-bracket``: then no ``<`` brackets anything.
    """
    found, left_open = _tokens(_STRICT, text, is_list)
    defects: tuple[str, ...] = ()
    if left_open == '"':
        defects += ("unterminated-quote",)
        found, left_open = _tokens(_NO_QUOTES, text, is_list)
    if left_open == "<":
        defects += ("unterminated-bracket",)
        found, _ = _tokens(_BARE, text, is_list)
    return found, defects


def _tokens(pattern: re.Pattern[str], text: str, is_list: bool) -> tuple[list[tuple[str, int, int]], str]:
    """Tokens of the first value, and ``"`` or ``<`` where that was never closed."""
    found = []
    left_open = ""
    bracketed = False
    for match in pattern.finditer(text):
        token = match.group()
        found.append((token[0], match.start(), match.end()))
        if token == "," and is_list:
            break
        if token[0] == '"' and not match["quote"]:
            left_open = '"'
        elif token[0] == "<" and pattern is not _BARE:
            if not match["angle"] and not bracketed:
                left_open = "<"
            bracketed = True
    return found, left_open


def split_list(value: str) -> list[str]:
    """Values of a comma-separated list, quoted strings and ``<>`` respected, empty ones left out."""
    values = []
    found, _ = scan(value, is_list=False)
    begin = 0
    for kind, at, end in found:
        if kind == ",":
            values.append(value[begin:at].strip(SPACE))
            begin = end
    values.append(value[begin:].strip(SPACE))
    return [item for item in values if item]


def parameters(segments: list[str], *, quotes: bool = True) -> dict[str, str | None]:
    """Parameters ``name=value`` by lower-case name, the first of each; None where there is no ``=``."""
    found: dict[str, str | None] = {}
    for segment in segments:
        name, equals, value = segment.partition("=")
        name = name.strip(SPACE)
        if not name:
            continue
        key = name.lower() if name.isascii() else name
        if equals:
            value = value.lstrip(SPACE)
            match = (_QUOTED if quotes and value.startswith('"') else _TOKEN).match(value)
            if found.get(key) is None:
                found[key] = match.group() if match else ""
        else:
            found.setdefault(key, None)
    return found


@functools.lru_cache(maxsize=256)
def _pattern(name: str) -> re.Pattern[bytes]:
    canonical = canonical_name(name)
    names = [canonical, *(short for short, long in COMPACT.items() if long == canonical)]
    either = "|".join(re.escape(n) for n in names).encode("utf-8", "replace")
    return re.compile(rb"\n(?:" + either + rb")[ \t\r]*+:((?:[^\n]|\n[ \t])*+)", re.IGNORECASE)


_BLANK_LINE = re.compile(rb"\n\r?\n")


def split_head(data: bytes) -> tuple[bytes, bytes | None]:
    """Head (up to its last line end) and body; no body where the blank line is missing."""
    blank = _BLANK_LINE.search(data)
    return (data, None) if blank is None else (data[: blank.start() + 1], data[blank.end() :])


def read_headers(lines: list[str]) -> tuple[tuple[Header, ...], tuple[str, ...]]:
    """Header fields of the lines of a head.

    Parameters
    ----------
    lines : list of str
        Without their LF.

    Returns
    -------
    headers : tuple of Header
    defects : tuple of str
        ``malformed-header``: a line without a name, left out.
    """
    fields: list[list[str]] = []
    for line in lines:
        if fields and line[:1] in (" ", "\t"):
            fields[-1].append(line)
        else:
            fields.append([line])
    headers = []
    defects: tuple[str, ...] = ()
    for field in fields:
        text = field[0] if len(field) == 1 else "\n".join(field)
        header = _read_short(text) if len(text) <= _SHORT else _read_header(text)
        if header is None:
            defects = ("malformed-header",)
        else:
            headers.append(header)
    return tuple(headers), defects


def _read_header(text: str) -> Header | None:
    """A header field, its folds after line feeds; None where it has no name."""
    raw_name, colon, value = text.partition(":")
    if not colon or "\n" in raw_name:  # a colon in a fold makes no name
        return None
    raw_name = raw_name.rstrip(SPACE)
    if not raw_name or raw_name[0] in SPACE:
        return None
    raw_name = printable(raw_name)
    return Header(canonical_name(raw_name), printable(value.strip(SPACE)), raw_name)


_SHORT = 512
"""Characters of a field that is kept: most come again in message after message of a call."""
_read_short = functools.lru_cache(maxsize=2_048)(_read_header)


def _values(raw: bytes, name: str) -> Iterator[str]:
    head, _ = split_head(raw.lstrip(b"\r\n"))
    for match in _pattern(name).finditer(head):
        yield decode_text(match.group(1).strip(SPACE.encode()))


def find_header(raw: bytes, name: str) -> str | None:
    """Whole value of the first header of that name in a message's bytes, without parsing the rest.

    Parameters
    ----------
    raw : bytes
        A message.
    name : str
        In any case; its compact form is found as well, and its long form for a compact one.

    Returns
    -------
    str or None
        Unfolded and printable; None where there is no such header.
    """
    return next(_values(raw, name), None)


def find_headers(raw: bytes, name: str) -> list[str]:
    """All values of a header in a message's bytes, in order; those of list headers apart (:data:`LISTS`)."""
    values = list(_values(raw, name))
    if canonical_name(name).lower() in LISTS:
        return [item for value in values for item in split_list(value)]
    return values
