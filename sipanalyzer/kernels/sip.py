"""SIP messages to offsets and small integers: one pass over the bytes finds what grouping needs. Floor 1.

Comes in: messages that stand one after another in one array of bytes. Goes out: for each the spans (first byte, byte
after the last) of the start line's parts and of the headers that transactions, dialogs and calls are grouped on.
Nothing is decoded here. Grammar: RFC 3261 sections 7 and 25.1, read leniently (bare LF, folded lines, compact names in
any case, white space before the colon; the first occurrence of a header wins, and of Via its first value).

Bytes that are only compared are read without ``int()``, which costs as much as the rest of the interpreted loop: a
comparison gives the same either way.
"""

from __future__ import annotations

from typing import Any

from . import helper, kernel

# spans
METHOD = 0  # of a request; empty in a response
REQUEST_URI = 1
REASON = 2
CALL_ID = 3
FROM_URI = 4
FROM_TAG = 5
TO_URI = 6
TO_TAG = 7
BRANCH = 8
CSEQ_METHOD = 9
CONTACT = 10
AGENT = 11  # User-Agent
SERVER = 12
CONTENT_TYPE = 13
BODY = 14
WHOLE = 15
SPANS = 16

# numbers
STATUS = 0  # 0: request; -1: no start line
CSEQ = 1  # -1: missing, no number or above 2**32 - 1
CONTENT_LENGTH = 2  # the same
SEEN = 3  # one bit a header that stands there, below
FIT = 4  # how Content-Length fits the bytes, below
NUMBERS = 5

SEEN_CALL_ID = 1
SEEN_CSEQ = 2
SEEN_FROM = 4
SEEN_TO = 8
SEEN_VIA = 16
SEEN_CONTACT = 32
SEEN_CONTENT_LENGTH = 64
SEEN_CONTENT_TYPE = 128
SEEN_AGENT = 256
SEEN_SERVER = 512

FITS = 0
BODY_SHORT = 1  # fewer bytes than Content-Length says
BODY_LONG = 2  # more bytes: those after it are no part of the body (RFC 3261 18.3)

NUMBER_LIMIT = 2**32
"""Numbers in headers are below 2**31 (RFC 3261 8.1.1.5); some use the 32nd bit, and what is larger is no number."""

_NAME_CALL_ID = tuple(b"call-id")
_NAME_CSEQ = tuple(b"cseq")
_NAME_CONTACT = tuple(b"contact")
_NAME_CONTENT_LENGTH = tuple(b"content-length")
_NAME_CONTENT_TYPE = tuple(b"content-type")
_NAME_FROM = tuple(b"from")
_NAME_TO = tuple(b"to")
_NAME_VIA = tuple(b"via")
_NAME_AGENT = tuple(b"user-agent")
_NAME_SERVER = tuple(b"server")
_TAG = tuple(b"tag")
_PARAMETER_BRANCH = tuple(b"branch")


@helper
def _is_name(data: Any, at: int, length: int, name: tuple[int, ...]) -> bool:
    """Compare with a lower-case name, whatever the case."""
    if length != len(name):
        return False
    for k in range(length):
        c = int(data[at + k])
        if 65 <= c <= 90:
            c += 32
        if c != name[k]:
            return False
    return True


@helper
def _skip_space(data: Any, i: int, end: int) -> int:
    while i < end and (data[i] == 32 or data[i] == 9 or data[i] == 13 or data[i] == 10):
        i += 1
    return i


@helper
def _trim(data: Any, begin: int, end: int) -> int:
    while end > begin and (data[end - 1] == 32 or data[end - 1] == 9 or data[end - 1] == 13 or data[end - 1] == 10):
        end -= 1
    return end


@helper
def _ends_token(c: int) -> bool:
    return c == 59 or c == 44 or c == 32 or c == 9 or c == 13 or c == 10 or c == 62  # ; , space >


@helper
def _token(data: Any, i: int, end: int, quotes: bool) -> int:
    """End of a parameter's value: a quoted string, or up to the next delimiter."""
    if quotes and i < end and data[i] == 34:
        i += 1
        while i < end and data[i] != 34:
            if data[i] == 92:
                i += 1
            i += 1
        return min(i + 1, end)
    while i < end and not _ends_token(int(data[i])):
        i += 1
    return i


@helper
def _scan_address(
    data: Any, i: int, end: int, honour: int, is_list: bool, name: tuple[int, ...]
) -> tuple[int, int, int, int, int]:
    """URI and one parameter of the first value: (URI begin, end, parameter begin, end, what was left open).

    `honour` is 2 for quotes and ``<>``, 1 for ``<>`` only, 0 for neither; left open may be a quote (2) or a ``<`` (1).
    """
    uri = i
    uri_end = -1
    value = 0
    value_end = 0
    found = False
    quoted = False
    inside = False
    closed = False
    while i < end:
        c = data[i]
        if quoted:
            if c == 92:
                i += 1
            elif c == 34:
                quoted = False
        elif inside:
            if c == 62:
                inside = False
                if not closed:
                    uri_end = i
                    closed = True
        elif c == 34:
            quoted = honour == 2
        elif c == 60:
            inside = honour > 0
            if not closed:
                uri = i + 1
                uri_end = -1
                value = 0
                value_end = 0
                found = False
                closed = honour == 0
        elif c == 44:
            if is_list:
                break
        elif c == 59:
            if uri_end < 0:
                uri_end = i
            if not found:
                j = _skip_space(data, i + 1, end)
                k = j + len(name)
                if k < end and _is_name(data, j, len(name), name):
                    k = _skip_space(data, k, end)
                    if k < end and data[k] == 61:
                        value = _skip_space(data, k + 1, end)
                        value_end = _token(data, value, end, honour == 2)
                        found = True
        i += 1
    if uri_end < 0:
        uri_end = min(i, end)
    uri = _skip_space(data, uri, uri_end)
    left_open = 2 if quoted else 1 if inside and not closed else 0
    return uri, _trim(data, uri, uri_end), value, value_end, left_open


@helper
def _address(data: Any, i: int, end: int, is_list: bool, name: tuple[int, ...]) -> tuple[int, int, int, int]:
    """URI and one parameter of the first value: (URI begin, end, parameter begin, end).

    Without ``<>`` the parameters are the header's, not the URI's (RFC 3261 section 20). A quote that is never closed
    is no quote, and a ``<`` that is never closed no bracket.
    """
    uri, uri_end, value, value_end, left_open = _scan_address(data, i, end, 2, is_list, name)
    if left_open == 2:
        uri, uri_end, value, value_end, left_open = _scan_address(data, i, end, 1, is_list, name)
    if left_open == 1:
        uri, uri_end, value, value_end, left_open = _scan_address(data, i, end, 0, is_list, name)
    return uri, uri_end, value, value_end


@helper
def _number(data: Any, i: int, end: int) -> tuple[int, int]:
    """Digits at `i`: (value, byte after them); value -1 where there are none or too many."""
    value = 0
    begin = i
    while i < end and 48 <= data[i] <= 57:
        if value < NUMBER_LIMIT:
            value = value * 10 + int(data[i]) - 48
        i += 1
    if i == begin or value >= NUMBER_LIMIT:
        value = -1
    return value, i


@helper
def _start_line(data: Any, begin: int, end: int, m: int, spans: Any) -> int:
    """Spans of the start line's parts; returns the status code, 0 for a request, -1 for neither."""
    end = _trim(data, begin, end)
    i = begin
    while i < end and data[i] != 32 and data[i] != 9:
        i += 1
    word = i
    i = _skip_space(data, i, end)
    if i >= end or word == begin:
        return -1
    if (
        word - begin > 4
        and (data[begin] == 83 or data[begin] == 115)
        and (data[begin + 1] == 73 or data[begin + 1] == 105)
        and (data[begin + 2] == 80 or data[begin + 2] == 112)
        and data[begin + 3] == 47
    ):
        status, after = _number(data, i, end)
        if after - i != 3 or status < 100 or (after < end and data[after] != 32 and data[after] != 9):
            return -1
        spans[m, REASON, 0] = _skip_space(data, after, end)
        spans[m, REASON, 1] = end
        return status
    last = end
    while last > i and data[last - 1] != 32 and data[last - 1] != 9:
        last -= 1
    if last <= i:  # no version
        last = end
    spans[m, METHOD, 0] = begin
    spans[m, METHOD, 1] = word
    spans[m, REQUEST_URI, 0] = i
    spans[m, REQUEST_URI, 1] = _trim(data, i, last)
    return 0


@helper
def _plain_header(data: Any, name: int, length: int, value: int, end: int, m: int, spans: Any, numbers: Any) -> int:
    """Headers that begin with c, i, l, m, s or u; returns the bit of the header, 0 for one of no interest."""
    c = int(data[name]) | 32
    seen = numbers[m, SEEN]
    bit = 0
    if (length == 1 and c == 105) or _is_name(data, name, length, _NAME_CALL_ID):
        bit = SEEN_CALL_ID
        if seen & bit == 0:
            spans[m, CALL_ID, 0] = value
            spans[m, CALL_ID, 1] = end
    elif _is_name(data, name, length, _NAME_CSEQ):
        bit = SEEN_CSEQ
        if seen & bit == 0:
            number, i = _number(data, value, end)
            numbers[m, CSEQ] = number
            spans[m, CSEQ_METHOD, 0] = _skip_space(data, i, end)
            spans[m, CSEQ_METHOD, 1] = end
    elif (length == 1 and c == 108) or _is_name(data, name, length, _NAME_CONTENT_LENGTH):
        bit = SEEN_CONTENT_LENGTH
        if seen & bit == 0:
            number, i = _number(data, value, end)
            if i == end:
                numbers[m, CONTENT_LENGTH] = number
    elif (length == 1 and c == 99) or _is_name(data, name, length, _NAME_CONTENT_TYPE):
        bit = SEEN_CONTENT_TYPE
        if seen & bit == 0:
            spans[m, CONTENT_TYPE, 0] = value
            spans[m, CONTENT_TYPE, 1] = end
    elif (length == 1 and c == 109) or _is_name(data, name, length, _NAME_CONTACT):
        bit = SEEN_CONTACT
        if seen & bit == 0:
            uri, uri_end, _, _ = _address(data, value, end, True, _TAG)
            spans[m, CONTACT, 0] = uri
            spans[m, CONTACT, 1] = uri_end
    elif _is_name(data, name, length, _NAME_AGENT):
        bit = SEEN_AGENT
        if seen & bit == 0:
            spans[m, AGENT, 0] = value
            spans[m, AGENT, 1] = end
    elif _is_name(data, name, length, _NAME_SERVER):
        bit = SEEN_SERVER
        if seen & bit == 0:
            spans[m, SERVER, 0] = value
            spans[m, SERVER, 1] = end
    return bit


@helper
def _address_header(data: Any, name: int, length: int, value: int, end: int, m: int, spans: Any, numbers: Any) -> int:
    """Headers From, To and Via; returns the bit of the header, 0 for one of no interest."""
    c = int(data[name]) | 32
    seen = numbers[m, SEEN]
    bit = 0
    if c == 118:
        if length == 1 or _is_name(data, name, length, _NAME_VIA):
            bit = SEEN_VIA
            if seen & bit == 0:
                _, _, i, j = _address(data, value, end, True, _PARAMETER_BRANCH)
                spans[m, BRANCH, 0] = i
                spans[m, BRANCH, 1] = j
        return bit
    which = FROM_URI
    if c == 102 and (length == 1 or _is_name(data, name, length, _NAME_FROM)):
        bit = SEEN_FROM
    elif c == 116 and (length == 1 or _is_name(data, name, length, _NAME_TO)):
        bit = SEEN_TO
        which = TO_URI
    if bit != 0 and seen & bit == 0:
        uri, uri_end, i, j = _address(data, value, end, False, _TAG)
        spans[m, which, 0] = uri
        spans[m, which, 1] = uri_end
        spans[m, which + 1, 0] = i
        spans[m, which + 1, 1] = j
    return bit


@kernel
def find_spans(data: Any, at: Any, length: Any, cut: Any, n: int, spans: Any, numbers: Any) -> None:
    """Find the spans of `n` messages.

    Parameters
    ----------
    data : uint8[:]
        Bytes of all messages.
    at, length : int64[n]
        Where each begins, without leading line ends, and its bytes.
    cut : uint8[n]
        1 where bytes are missing at the end: a last line without its line end is then no header.
    n : int
        Messages.
    spans : int64[n, SPANS, 2]
        Out. Equal begin and end where there is nothing.
    numbers : int64[n, NUMBERS]
        Out.
    """
    for m in range(n):
        i = int(at[m])
        end = i + int(length[m])
        for k in range(SPANS):
            spans[m, k, 0] = 0
            spans[m, k, 1] = 0
        spans[m, WHOLE, 0] = i
        spans[m, WHOLE, 1] = end
        numbers[m, CSEQ] = -1
        numbers[m, CONTENT_LENGTH] = -1
        numbers[m, SEEN] = 0
        numbers[m, FIT] = FITS
        e = i
        while e < end and data[e] != 10:
            e += 1
        numbers[m, STATUS] = _start_line(data, i, e, m, spans)
        i = e + 1
        body = end
        while i < end:
            if data[i] == 10 or (data[i] == 13 and i + 1 < end and data[i + 1] == 10):
                body = i + 1 if data[i] == 10 else i + 2
                break
            colon = i
            while colon < end and data[colon] != 58 and data[colon] != 10:
                colon += 1
            e = colon
            while True:  # to the line's end, over folds (RFC 3261 7.3.1)
                while e < end and data[e] != 10:
                    e += 1
                if e + 1 < end and (data[e + 1] == 32 or data[e + 1] == 9):
                    e += 1
                else:
                    break
            if colon < e and data[colon] == 58 and (e < end or cut[m] == 0):
                c = int(data[i]) | 32
                if c == 99 or c == 105 or c == 108 or c == 109 or c == 115 or c == 117:
                    name_end = _trim(data, i, colon)
                    v = _skip_space(data, colon + 1, e)
                    v_end = _trim(data, v, e)
                    numbers[m, SEEN] |= _plain_header(data, i, name_end - i, v, v_end, m, spans, numbers)
                elif c == 102 or c == 116 or c == 118:
                    name_end = _trim(data, i, colon)
                    v = _skip_space(data, colon + 1, e)
                    v_end = _trim(data, v, e)
                    numbers[m, SEEN] |= _address_header(data, i, name_end - i, v, v_end, m, spans, numbers)
            i = e + 1
        says = numbers[m, CONTENT_LENGTH]
        body_end = end
        if says >= 0:
            if body + says < end:
                body_end = body + says
                numbers[m, FIT] = BODY_LONG
            elif body + says > end:
                numbers[m, FIT] = BODY_SHORT
        spans[m, BODY, 0] = body
        spans[m, BODY, 1] = body_end
