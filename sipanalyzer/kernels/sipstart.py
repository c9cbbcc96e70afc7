"""Does this begin like a SIP message? The test by which SIP is found on any port. Floor 1.

Comes in: bytes of a UDP payload, a TCP segment or the like. Goes out: yes or no. RFC 3261 25.1 is the grammar
(``Request-Line``, ``Status-Line``, ``token``); it is read leniently where it is clear that SIP was meant, as RFC 4475
wants it (spaces too many, SIP/7.0, a status code too large), so that the parser can say what is wrong with it.
"""

from __future__ import annotations

from sipanalyzer.kernels import helper, rare_helper
from sipanalyzer.kernels.octets import Octets

__all__ = ["LONGEST_METHOD", "METHODS", "is_token", "looks_like_sip", "packed_method"]

LONGEST_METHOD = 64
"""Longest method believed. RFC 4475 3.1.1.2 has one of 43 characters; the longest in use is SUBSCRIBE."""

LONGEST_LINE = 65_536
"""Bytes looked at for the end of the first line."""

METHODS = (
    "INVITE ACK BYE CANCEL REGISTER OPTIONS PRACK SUBSCRIBE NOTIFY PUBLISH INFO REFER MESSAGE UPDATE".split()
)  # RFC 3261, 3262, 3311, 3428, 3515, 3903, 6086, 6665


def packed_method(method: str) -> int:
    """A method of capitals as one integer, five bits a letter: nothing but numbers is compared in a kernel."""
    value = 0
    for letter in method:
        value = value << 5 | (ord(letter) & 31)
    return value


_KNOWN = tuple(packed_method(method) for method in METHODS)


@helper
def is_token(octet: int) -> bool:
    """Whether the octet may stand in a token (RFC 3261 25.1)."""
    return (
        (97 <= octet <= 122)
        or (65 <= octet <= 90)
        or (48 <= octet <= 57)
        or octet == 45  # -
        or octet == 46  # .
        or octet == 95  # _
        or octet == 33  # !
        or octet == 37  # %
        or octet == 39  # '
        or octet == 42  # *
        or octet == 43  # +
        or octet == 96  # `
        or octet == 126  # ~
    )


@helper
def _is_sip_slash(data: Octets, at: int) -> bool:
    """Whether ``SIP/`` stands at `at`, in any case; four bytes must be there."""
    return (
        (int(data[at]) | 32) == 115
        and (int(data[at + 1]) | 32) == 105
        and (int(data[at + 2]) | 32) == 112
        and int(data[at + 3]) == 47
    )


@helper
def _is_status_line(data: Octets, at: int, end: int) -> bool:
    """Whether ``d.d SP ddd`` stands at `at`, behind ``SIP/``; the code may be too long, the reason absent."""
    p = at
    while p < end and 48 <= int(data[p]) <= 57:
        p += 1
    if p == at or p >= end or int(data[p]) != 46:
        return False
    p += 1
    minor = p
    while p < end and 48 <= int(data[p]) <= 57:
        p += 1
    if p == minor:
        return False
    space = p
    while p < end and (int(data[p]) == 32 or int(data[p]) == 9):
        p += 1
    if p == space:
        return False
    code = p
    while p < end and 48 <= int(data[p]) <= 57:
        p += 1
    if p - code < 3:
        return False
    return p >= end or int(data[p]) == 32 or int(data[p]) == 9 or int(data[p]) == 13 or int(data[p]) == 10


@helper
def _is_known_method(data: Octets, at: int, end: int) -> bool:
    """Whether ``data[at:end]`` is one of `METHODS`, in capitals."""
    if end - at > 9:
        return False
    packed = 0
    for p in range(at, end):
        if not 65 <= int(data[p]) <= 90:
            return False
        packed = packed << 5 | (int(data[p]) & 31)
    known = False
    for method in _KNOWN:
        if packed == method:
            known = True
    return known


@helper
def _is_sip_uri(data: Octets, at: int, end: int) -> bool:
    """Whether ``sip:``, ``sips:`` or ``tel:`` stands at `at`, in any case."""
    if at + 5 > end:
        return False
    first = int(data[at]) | 32
    second = int(data[at + 1]) | 32
    third = int(data[at + 2]) | 32
    fourth = int(data[at + 3])
    if first == 115 and second == 105 and third == 112:
        return fourth == 58 or ((fourth | 32) == 115 and int(data[at + 4]) == 58)
    return first == 116 and second == 101 and third == 108 and fourth == 58


@helper
def _has_sip_header(data: Octets, at: int, end: int) -> bool:
    """Whether a line of ``data[at:end]`` begins like Via, Call-ID, From or CSeq, whole or compact (RFC 3261 7.3.3)."""
    p = at
    while p + 2 < end:
        first = int(data[p]) | 32
        colon = int(data[p + 1])
        if (first == 118 or first == 105 or first == 102) and (colon == 58 or colon == 32 or colon == 9):  # v: i: f:
            return True
        second = colon | 32
        third = int(data[p + 2]) | 32
        if (
            (first == 118 and second == 105 and third == 97)  # via
            or (first == 102 and second == 114 and third == 111)  # fro
            or (first == 99 and second == 115 and third == 101)  # cse
            or (first == 99 and second == 97 and third == 108)  # cal
        ):
            return True
        while p < end and int(data[p]) != 10:
            p += 1
        p += 1
    return False


@rare_helper
def looks_like_sip(data: Octets, at: int, end: int) -> bool:
    """Whether ``data[at:end]`` begins like a SIP message.

    Parameters
    ----------
    data : uint8[:]
        Bytes of a capture.
    at, end : int
        Where the payload begins and ends.

    Returns
    -------
    bool
        True, behind any number of CR and LF (RFC 3261 7.5), for ``SIP/d.d SP ddd``; for a known method before a
        ``sip:``, ``sips:`` or ``tel:`` URI, even if the rest of the line is cut off or broken; and for ``token SP
        something SP SIP/d.d`` with its end of line, where the token is a known method or a header follows that SIP
        has (Yahoo's messenger sends ``YAHOOREF sip:... SIP/2.0`` with none). False for HTTP, RTSP and MSRP, whose
        first lines look much the same.
    """
    if end > at + LONGEST_LINE:
        end = at + LONGEST_LINE
    p = at
    while p < end and (int(data[p]) == 13 or int(data[p]) == 10):
        p += 1
    method = p
    if p + 4 <= end and _is_sip_slash(data, p):
        return _is_status_line(data, p + 4, end)
    while p < end and p - method <= LONGEST_METHOD and is_token(int(data[p])):
        p += 1
    method_end = p
    if p == method or p - method > LONGEST_METHOD:
        return False
    while p < end and (int(data[p]) == 32 or int(data[p]) == 9):
        p += 1
    uri = p
    if p == method_end or p >= end:
        return False
    known = _is_known_method(data, method, method_end)
    if known and _is_sip_uri(data, uri, end):
        return True  # whatever else is wrong with the line, or cut off
    while p < end and int(data[p]) != 10:
        if int(data[p]) < 32 and int(data[p]) != 9 and int(data[p]) != 13:
            return False  # no text
        p += 1
    if p >= end:
        return False
    line_end = p
    p -= 1
    while p > uri and (int(data[p]) == 13 or int(data[p]) == 32 or int(data[p]) == 9):
        p -= 1
    last = p
    while p > uri and 48 <= int(data[p]) <= 57:
        p -= 1
    if p == last or int(data[p]) != 46:
        return False
    p -= 1
    last = p
    while p > uri and 48 <= int(data[p]) <= 57:
        p -= 1
    if p == last or p - 4 <= uri:
        return False
    if not _is_sip_slash(data, p - 3) or (int(data[p - 4]) != 32 and int(data[p - 4]) != 9):
        return False
    return known or _has_sip_header(data, line_end + 1, end)
