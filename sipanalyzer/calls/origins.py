"""SDP that was relayed unchanged: legs whose session descriptions have one origin. Floor 5.

In: legs in order of start, and the message table. Out: hints. Who relays a description may change its addresses, and
leaves its origin. Sources: RFC 8866 5.2 (origin), RFC 7092 (what back-to-back user agents rewrite).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from ..options import Options
from ..result import Bools, Ints, Messages
from ..sip.text import decode_text
from .legs import MANY, SCORES, Hint, Legs

__all__ = ["find_origins"]

_ORIGIN = re.compile(rb"\no=([^ \r\n]*) ([^ \r\n]+) [^ \r\n]* (IN IP[46] [^ \r\n]+)", re.IGNORECASE)
_NOWHERE = (b"127.", b"0.0.0.0", b"::1", b"::", b"localhost")
_BEGIN = b"v=0\r\no="
"""How nearly all descriptions begin."""
_ADDRESS = np.frombuffer(b"IN IP4 ", np.uint8)
_WINDOW = 96
"""Bytes in which an origin's address begins, mostly."""
_ROWS = 2_048


def find_origins(messages: Messages, legs: Legs, options: Options) -> list[Hint]:
    """Hints from the origin of the first INVITE's session description: user, session id and address."""
    with_body = np.flatnonzero((legs.row >= 0) & ~legs.partial)
    with_body = with_body[messages.body_length[legs.row[with_body]] > 0]
    origins: dict[tuple[bytes, ...], list[int]] = defaultdict(list)
    for number in _sharing(messages, legs.row, with_body):
        match = _ORIGIN.search(messages.body(int(legs.row[number])))
        if match is not None:
            origins[match.groups()].append(number)
    hints = []
    for origin, numbers in origins.items():
        if not 2 <= len(numbers) <= MANY:
            continue
        user, session, address = origin
        ways = {(legs[number].source, legs[number].target) for number in numbers}
        short = len(session.strip(b"0")) < 5 or address.split(b" ")[-1].startswith(_NOWHERE)
        common = short or len(ways) < len(numbers)  # who sends it twice the same way does not mean one session by it
        text = decode_text(b" ".join((user, session, address)))
        for first, second in combinations(numbers, 2):
            a, b = legs[first], legs[second]
            score = SCORES["SDP origin, common" if common else "SDP origin"]
            if not common and a.near(b, options.session_window_ns):
                score += SCORES["SDP origin, near"]
            hints.append(Hint("SDP origin", text, score, (first, second)))
    return hints


def _sharing(messages: Messages, row: Ints, numbers: Ints) -> Sequence[int]:
    """Legs whose origin may be another one's too: those of one user and session id, by a hash of both.

    Notes
    -----
    Most sessions have an id of their own. What a description begins with up to its session id is hashed in blocks;
    where it does not begin as usual its origin is read and hashed likewise. Equal origins have equal hashes.
    """
    hashes = np.zeros(len(numbers), np.uint64)
    has_one = np.ones(len(numbers), np.bool_)
    for begin in range(0, len(numbers), _ROWS):
        rows = row[numbers[begin : begin + _ROWS]]
        letters, usual = _beginnings(messages, rows)
        for place in np.flatnonzero(~usual).tolist():
            match = _ORIGIN.search(messages.body(int(rows[place])))
            has_one[begin + place] = match is not None
            key = b"" if match is None else (_BEGIN + match[1] + b" " + match[2])[:_WINDOW]
            letters[place] = np.frombuffer(key.ljust(_WINDOW, b"\0"), np.uint8)
        words = letters.view(np.uint64)
        odd = (np.arange(_WINDOW // 8, dtype=np.uint64) * np.uint64(2) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = words * odd
        hashes[begin : begin + len(rows)] = (mixed ^ (mixed >> np.uint64(29))).sum(axis=1, dtype=np.uint64)
    numbers, hashes = numbers[has_one], hashes[has_one]
    _, which, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
    shared: list[int] = numbers[sizes[which] > 1].tolist()
    return shared


def _beginnings(messages: Messages, rows: Ints) -> tuple[npt.NDArray[np.uint8], Bools]:
    """First bytes of bodies up to the session id, zeros behind; and where that is what :data:`_ORIGIN` finds first."""
    place = np.arange(_WINDOW)
    at, length = messages.body_at[rows], messages.body_length[rows]
    inside = at <= len(messages.data) - _WINDOW
    if not inside.any():
        return np.zeros((len(rows), _WINDOW), np.uint8), inside
    letters = sliding_window_view(messages.data, _WINDOW)[np.where(inside, at, 0)]
    letters[place >= length[:, None]] = 0
    spaces = np.cumsum(letters == ord(" "), axis=1, dtype=np.uint8)
    third = np.argmax(spaces == 3, axis=1)
    usual = inside & (letters[:, : len(_BEGIN)] == np.frombuffer(_BEGIN, np.uint8)).all(axis=1)
    usual &= (third > 0) & (third < _WINDOW - len(_ADDRESS) - 1)
    third = np.where(usual, third, 0)
    behind = letters[np.arange(len(rows))[:, None], third[:, None] + 1 + np.arange(len(_ADDRESS) + 1)]
    usual &= (behind[:, :-1] == _ADDRESS).all(axis=1) & (behind[:, -1] > ord(" "))
    ends = (letters == ord("\r")) | (letters == ord("\n"))
    usual &= ~(ends & (place >= len(_BEGIN)) & (place < third[:, None])).any(axis=1)
    user_ends, session_ends = np.argmax(spaces == 1, axis=1), np.argmax(spaces == 2, axis=1)
    usual &= session_ends > user_ends + 1  # a session id has a character at least
    letters[spaces >= 2] = 0
    return letters, usual
