"""Whether a message is plainly without defects, told from its bytes in a tenth of the time of parsing it. Floor 4.

Comes in: one whole message. Goes out: True where :func:`~sipanalyzer.sip.parser.parse_message` finds no defect in it;
False where it might. Most messages are written in one plain way (``Name: value``, one address a header, no comments,
folds or escapes); their lines come again in message after message of a call, so each is judged once. Whatever is
written otherwise is for the parser. A test holds every pattern here to :mod:`.defects`.
"""

from __future__ import annotations

import functools
import re

from .defects import ONCE
from .header import canonical_name

__all__ = ["is_plain"]

_TOKEN = rb"[A-Za-z0-9\-.!%*_+`'~]+"
_PARAMETERS = rb"(?:;" + _TOKEN + rb"(?:=[A-Za-z0-9\-.!%*_+`'~:/\[\]$&]+)?)*"
_HOST = rb"(?:[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_URI = rb"(?:sips?:(?:[A-Za-z0-9_.+*#%~\-]+@)?" + _HOST + rb"|tel:[0-9+*#.()\-]+)" + _PARAMETERS
_ADDRESS = re.compile(
    rb'(?:(?:"[A-Za-z0-9 _.+@:\-]*" ?|[A-Za-z0-9\-.!%*_+`\'~ ]*)<' + _URI + rb">" + _PARAMETERS + rb"|" + _URI + rb")"
)

PATTERNS = {
    "CSeq": re.compile(rb"[0-9]{1,9} (" + _TOKEN + rb")"),
    "Content-Length": re.compile(rb"([0-9]{1,9})"),
    "Max-Forwards": re.compile(rb"[0-9]{1,2}"),
    "Date": re.compile(rb"[A-Za-z]{3}, [0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9:]{8} GMT"),
    "From": _ADDRESS,
    "To": _ADDRESS,
    "Contact": _ADDRESS,
    "Via": re.compile(
        rb"SIP/2\.0/[A-Za-z]+ (?![^;]*(?:;[^;]*)*;[Bb][Rr][Aa][Nn][Cc][Hh]=[Zz]9[Hh][Gg]4[Bb][Kk](?:;|\Z))"
        + _HOST
        + _PARAMETERS
    ),
}
"""The plain way to write each header that may have defects; the group is what the message as a whole is held to."""

_LINE = re.compile(rb"([A-Za-z][A-Za-z0-9\-]*): *([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)? *")
_REQUEST = re.compile(rb"(" + _TOKEN + rb") " + _URI + rb" SIP/2\.0")
_RESPONSE = re.compile(rb"SIP/2\.0 [1-9][0-9]{2}(?: [\x20-\x7e]*)?")
_NEEDED = frozenset(("Call-ID", "CSeq", "From", "To", "Via"))
_LONGEST = 512
"""Bytes of a line that is judged here."""


def is_plain(message: bytes) -> bool:
    """Whether a message is written plainly, and has no defect.

    Parameters
    ----------
    message : bytes
        The whole message, nothing missing at its end.
    """
    head, blank, body = message.partition(b"\r\n\r\n")
    if not blank:
        return False
    start, *lines = head.split(b"\r\n")
    request = _REQUEST.fullmatch(start)
    if request is None and _RESPONSE.fullmatch(start) is None:
        return False
    names: list[str] = []
    length = 0  # without Content-Length a body is a defect
    for line in lines:
        read = _read_line(line) if len(line) <= _LONGEST else None
        if read is None:
            return False
        name, told = read
        names.append(name)
        if told is not None:
            if name == "Content-Length":
                length = int(told)
            elif request is not None and told != request[1]:  # of a CSeq the method
                return False
    return length == len(body) and _are_complete(tuple(names))


@functools.lru_cache(maxsize=4_096)
def _read_line(line: bytes) -> tuple[str, bytes | None] | None:
    """Canonical name of a plain header line, and what the message is held to; None of any other."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    name = canonical_name(match[1].decode("ascii"))
    pattern = PATTERNS.get(name)
    if pattern is None:
        return name, None
    value = pattern.fullmatch(match[2] or b"")
    if value is None:
        return None
    return name, value[1] if pattern.groups else None


@functools.lru_cache(maxsize=1_024)
def _are_complete(names: tuple[str, ...]) -> bool:
    """Whether nothing needed is missing, and what may stand once does."""
    single = [name for name in names if name in ONCE]
    return _NEEDED.issubset(names) and len(single) == len(set(single))
