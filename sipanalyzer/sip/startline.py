"""The head of a SIP message on a byte stream: where one starts, how long it is, and whether it is one. Floor 4.

Comes in: bytes. Goes out: matches and lengths, for :mod:`sipanalyzer.sip.framer`. Headers are read here only as far as
cutting a stream needs it; the grammar is RFC 3261 25.1, the rules about Content-Length 18.3 and 20.14. All expressions
are linear in what they read: repetitions are possessive or bounded.
"""

from __future__ import annotations

import re

__all__ = [
    "ANYWHERE",
    "AT_LINE",
    "BAD_LENGTH",
    "HEAD_END",
    "INNER_START",
    "NO_LENGTH",
    "SEVERAL_LENGTHS",
    "START",
    "STRICT_START",
    "SURE",
    "TOKEN",
    "content_length",
    "message_begin",
]

NO_LENGTH, BAD_LENGTH, SEVERAL_LENGTHS = "missing-content-length", "bad-content-length", "repeated-header"
"""Defects in what says how long a message is, by the codes of :mod:`sipanalyzer.sip.defects`."""

SURE, AT_LINE, ANYWHERE = range(3)
"""Where a start line was found: where it must stand; at the beginning of a line; within a line."""

TOKEN = rb"[A-Za-z0-9\-.!%*_+`'~]"  # RFC 3261 25.1
_STATUS_LINE = rb"SIP/\d++\.\d++[ \t]++\d{3}(?=[ \t\r\n])"
START = re.compile(rb"(?i:" + _STATUS_LINE + rb"|" + TOKEN + rb"{1,64}+[ \t]++\S[^\n]*?[ \t]SIP/\d++\.\d++[ \t\r]*+\n)")
"""Start line where one must stand: spaces too many and a space in the URI are let pass (RFC 4475 3.1.1.1, 3.1.2.7)."""
_STRICT = _STATUS_LINE + rb"|" + TOKEN + rb"{1,64}+ [^\s]++ SIP/\d\.\d\r?\n"
STRICT_START = re.compile(_STRICT)
"""Start line where anything may stand. A body need not end with a line, so it may stand anywhere in one."""
INNER_START = re.compile(rb"\n(?=" + _STRICT + rb")")
"""Start line where a header should stand."""
HEAD_END = re.compile(rb"\n\r?\n")
"""The empty line behind the headers; lines may end with LF alone."""

_STATUS = re.compile(_STATUS_LINE, re.IGNORECASE)
_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.IGNORECASE)
_CALL_ID = re.compile(rb"\n(?:call-id|i)[ \t]*+:", re.IGNORECASE)
_CSEQ = re.compile(rb"\ncseq[ \t]*+:\s*+\d++\s++(" + TOKEN + rb"++)", re.IGNORECASE)
_QUOTING = b" \t:\"'<("  # before a start line that is no start line


def content_length(head: bytes) -> tuple[int, tuple[str, ...]]:
    """Content-Length in a message head (0 where it tells none), and the defects met."""
    values = [found.group(1).strip() for found in _LENGTH.finditer(head)]
    valid = [int(value) for value in values if value.isdigit() and len(value) <= 10]
    if not valid:
        return 0, (BAD_LENGTH,) if values else (NO_LENGTH,)
    defects = [BAD_LENGTH] if len(valid) < len(values) else []
    if len(set(valid)) > 1:
        defects.append(SEVERAL_LENGTHS)
    return valid[0], tuple(defects)


def message_begin(head: bytes, found: int, before: int) -> int:
    """Where in `head` the message begins whose start line was searched for; -1: it was none.

    A status line in a body (``message/sipfrag``) has no Call-ID behind it. ``VITE``, the rest of a method whose
    beginning is missing, is not the method in CSeq; ``helloINVITE`` ends with it, behind a body without end of line.
    A start line quoted in a header has a space or the like before it.
    """
    if found == SURE:
        return 0
    if not _CALL_ID.search(head):
        return -1
    begin = 0
    if not _STATUS.match(head):
        method, cseq = head.split(None, 1)[0], _CSEQ.search(head)
        if cseq is not None and method.endswith(cseq.group(1)):
            begin = len(method) - len(cseq.group(1))
        elif found == ANYWHERE:
            return -1
    if found == AT_LINE:
        return begin
    return begin if begin or before not in _QUOTING else -1
