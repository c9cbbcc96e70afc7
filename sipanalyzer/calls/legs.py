"""What joining calls into conversations looks at in each of them. Floor 5.

Owns: :class:`Leg` (one call, cut down to what evidence is made of), :class:`Hint` (something that speaks for two legs
being one conversation), the weights of all kinds of evidence, and places. In: the message table and the calls. Out:
legs in order of start. Law: the order of the calls does not matter.

A place is a host, since a box speaks from several ports; only where a call begins and ends on one host (all on
loopback) its places are address and port.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import overload

import numpy as np
import numpy.typing as npt

from ..result import Bools, Call, Endpoint, Ints, Messages
from ..sip.uri import number_of

__all__ = [
    "MANY",
    "OPEN",
    "SCORES",
    "Hint",
    "Leg",
    "Legs",
    "Place",
    "number_key",
    "places_of",
    "read_legs",
    "same_number",
]

Place = str | Endpoint

OPEN = 1 << 62
"""Later than everything."""
MANY = 8
"""A value that more calls than this share says nothing about any two of them (a constant, a default, a crafted one)."""

SCORES = {
    # named or passed on on purpose: one is enough
    "header": 1.0,  # a correlation header with the same value, or with the other's Call-ID
    "Session-ID": 1.0,  # RFC 7989: the same UUID
    "icid": 1.0,  # RFC 7315 4.6: one charging identity for the whole dialog
    "dialog": 1.0,  # Replaces (RFC 3891), Join (RFC 3911), Target-Dialog (RFC 4538) naming the other's Call-ID
    "REFER": 1.0,  # the call that a transfer asked for
    "Via": 1.0,  # a branch is unique in space and time (RFC 3261 8.1.1.7); only copying puts it into another call
    "media": 1.0,  # the same packets on both sides of the box
    # likely, but alone only where the times fit as well
    "SDP origin": 0.7,  # user, session id and address identify a session (RFC 8866 5.2), but many always send the same
    "SDP origin, common": 0.3,  # a session id of a few digits or an address of the loopback interface
    "SDP origin, near": 0.3,  # ... and the second begins while the first is set up, sent by somebody else
    "Call-ID": 0.6,  # one is the other with something added, or with another host
    "Call-ID, near": 0.4,
    # numbers and times: enough where nothing else could be meant
    "numbers, passed on": 1.0,  # both equal, and who received the first sent the second
    "numbers, elsewhere": 0.6,  # both equal, at other hosts (a border controller with two addresses)
    "number, passed on": 0.6,  # one equal, the other rewritten, and who received the first sent the second
    "numbers, in step": 0.4,  # ... and it began at once, or ringing, answer or end are passed on as well
    "numbers, contested": 0.5,  # two candidates: never enough alone
}
"""Weight of each kind of evidence; calls are joined from `Options.session_score` on."""

_NAMELESS = frozenset({"", "anonymous", "unknown", "restricted", "unavailable", "private", "invalid"})
_PLAIN = re.compile(r"(?:(?!00)\+?[0-9]++(?:\n(?!\Z)|\Z))*+")
"""Telephone numbers, one a line, whose digits are their number as they stand."""
_SIGNIFICANT = 7
"""Digits by which numbers are looked up; what stands before them is country and area."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One call. Times are int ns."""

    call: Call
    start: int
    until: int
    """Its last message; :data:`OPEN` where it was still up then."""
    ended: int
    """Its end; :data:`OPEN` where that is not known."""
    source: Place | None
    """Who sent its first INVITE."""
    target: Place | None
    """Who received it at the last hop seen, and did not send it on."""
    caller: str
    """Number or name as :func:`~sipanalyzer.sip.uri.number_of` has it; empty where it says nothing."""
    callee: str
    keys: tuple[str, str]
    """Both as :func:`number_key` has them."""
    row: int
    """Its first INVITE, else its first request, else its first message; -1 where it has none."""
    call_number: int
    """Number of its Call-ID in the message table, -1 where it has no message."""

    def disjoint(self, other: Leg) -> bool:
        """Whether they pass between different places altogether."""
        ends = {self.source, self.target}
        return None not in ends and other.source not in ends and other.target not in ends

    def near(self, later: Leg, window: int) -> bool:
        """Whether `later` may be what a box did with this call: begun soon after it and before its end, elsewhere."""
        return (
            self.start <= later.start <= min(self.start + window, self.ended)
            and later.source is not None
            and later.source != self.source
        )


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that speaks for two legs being one conversation."""

    kind: str
    text: str
    score: float
    pair: tuple[int, int]
    """Indices of the legs, the earlier first."""


def places_of(pairs: Sequence[tuple[Endpoint | None, Endpoint | None]]) -> list[tuple[Place | None, Place | None]]:
    """Places of pairs of endpoints: hosts, or endpoints on hosts that speak with themselves."""
    crowded = {src[0] for src, dst in pairs if src is not None and dst is not None and src[0] == dst[0]}

    def place(endpoint: Endpoint | None) -> Place | None:
        if endpoint is None:
            return None
        return endpoint if endpoint[0] in crowded else endpoint[0]

    return [(place(src), place(dst)) for src, dst in pairs]


class Legs(Sequence[Leg]):
    """Legs in order of start, then of first frame and Call-ID, as columns; a :class:`Leg` is made when it is asked for.

    Nearly all calls of a large capture are alone: columns say so of all of them at once.
    """

    def __init__(self, messages: Messages, calls: Sequence[Call]) -> None:
        starts, frames, captures = _starts(calls), _column(calls, "first_frame"), _column(calls, "capture")
        order = np.lexsort((frames, captures, starts))
        same = [column[order][1:] == column[order][:-1] for column in (starts, frames, captures)]
        if np.logical_and.reduce(same).any():  # then the Call-ID decides
            keys = list(zip(starts.tolist(), captures.tolist(), frames.tolist(), _ids(calls), strict=True))
            order = np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
        self.calls = [calls[number] for number in order.tolist()]
        self.call_ids = _ids(self.calls)
        self.start: Ints = starts[order]
        self.partial: Bools = np.array(list(map(attrgetter("partial"), self.calls)), np.bool_)
        self.begun: Bools = np.array([start is not None for start in map(attrgetter("start"), self.calls)], np.bool_)
        """Whether the start of the call itself was seen."""
        self.callers: list[str | None] = list(map(attrgetter("caller"), self.calls))
        self.callees: list[str | None] = list(map(attrgetter("callee"), self.calls))
        self.row, self.call_number = _rows(messages, self.calls)
        self.source, self.target, self._places = _ends(messages, self.calls, self.call_number)
        self._legs: dict[int, Leg] = {}
        self._numbers: dict[str | None, tuple[str, str]] = {None: ("", "")}

    def __len__(self) -> int:
        return len(self.calls)

    @overload
    def __getitem__(self, number: int) -> Leg: ...
    @overload
    def __getitem__(self, number: slice) -> list[Leg]: ...
    def __getitem__(self, number: int | slice) -> Leg | list[Leg]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if number not in self._legs:
            self._legs[number] = self._made(number)
        return self._legs[number]

    def _made(self, number: int) -> Leg:
        call = self.calls[number]
        (caller, caller_key), (callee, callee_key) = self._number(call.caller), self._number(call.callee)
        return Leg(
            call=call,
            start=int(self.start[number]),
            until=OPEN if call.state == "in-call" else call.last_time,
            ended=OPEN if call.end is None else call.end,
            source=self._places[int(self.source[number])],
            target=self._places[int(self.target[number])],
            caller=caller,
            callee=callee,
            keys=(caller_key, callee_key),
            row=int(self.row[number]),
            call_number=int(self.call_number[number]),
        )

    def _number(self, text: str | None) -> tuple[str, str]:
        if text not in self._numbers:  # few different texts, many calls
            found = (text or "").removeprefix("+")
            if not (found.isascii() and found.isdigit()) or (found.startswith("00") and found == text):
                found = number_of(text or "")  # most are plain digits
            self._numbers[text] = ("", "") if found in _NAMELESS else (found, number_key(found))
        return self._numbers[text]

    @cached_property
    def number_groups(self) -> tuple[Ints, Ints]:
        """Hashes of the caller's and the callee's number: equal wherever :attr:`Leg.keys` are."""
        return self._grouped(self.callers), self._grouped(self.callees)

    def _grouped(self, texts: list[str | None]) -> Ints:
        written = list(filter(None, texts))
        lines = "\n".join(written)
        if lines.count("\n") == len(written) - 1 and _PLAIN.fullmatch(lines):  # the last digits are enough to tell
            return np.array([hash((text or "").lstrip("+")[-_SIGNIFICANT:]) for text in texts], np.int64)
        return np.array([hash(self._number(text)[1]) for text in texts], np.int64)


def read_legs(messages: Messages, calls: Sequence[Call]) -> Legs:
    """Legs in order of start, then of first frame and Call-ID."""
    return Legs(messages, calls)


def _column(calls: Sequence[Call], name: str) -> Ints:
    return np.array(list(map(attrgetter(name), calls)), np.int64)


def _ids(calls: Sequence[Call]) -> list[str]:
    return list(map(attrgetter("call_id"), calls))


def _starts(calls: Sequence[Call]) -> Ints:
    times = map(attrgetter("start", "first_time"), calls)
    return np.array([first if start is None else start for start, first in times], np.int64)


def _rows(messages: Messages, calls: Sequence[Call]) -> tuple[Ints, Ints]:
    """Of each call its first INVITE, else its first request, else its first message; and the number of its Call-ID."""
    first: Ints = np.array([rows[0] if rows else -1 for rows in map(attrgetter("rows"), calls)], np.int64)
    if not len(messages):
        return first, np.full(len(calls), -1, np.int64)
    ids = np.where(first >= 0, messages.call_id[first], -1)
    invites, requests = _first_requests(messages)
    best = np.where(ids >= 0, invites[ids], -1)
    best = np.where((best < 0) & (ids >= 0), requests[ids], best)
    return np.where(best < 0, first, best), ids


def _ends(messages: Messages, calls: Sequence[Call], ids: Ints) -> tuple[Ints, Ints, list[Place | None]]:
    """Number of the place where each call begins and ends, and the places; the last is None, and -1 its number."""
    numbers: dict[Endpoint | None, int] = {None: -1}
    for endpoint in messages.endpoints:
        numbers.setdefault(endpoint, len(numbers) - 1)
    listed = np.array([numbers[endpoint] for endpoint in messages.endpoints], np.int64)
    ends = []
    for name in ("src", "dst"):
        mine = list(map(attrgetter(name), calls))
        for endpoint in set(mine):
            numbers.setdefault(endpoint, len(numbers) - 1)
        ends.append(np.array([numbers[endpoint] for endpoint in mine], np.int64))
    src, dst = ends
    last = _last_hops(messages)[ids]
    if len(listed):
        dst = np.where(last < 0, dst, listed[last])
    endpoints = [endpoint for endpoint in numbers if endpoint is not None]
    hosts: dict[str, int] = {}
    host: Ints = np.array([hosts.setdefault(address, len(hosts)) for address, _ in endpoints], np.int64)
    crowded = np.zeros(len(hosts), np.bool_)
    both = (src >= 0) & (dst >= 0)
    here, there = host[src[both]], host[dst[both]]
    crowded[here[here == there]] = True
    place = np.append(np.where(crowded[host], len(hosts) + np.arange(len(endpoints)), host), -1)  # -1 stays -1
    return place[src], place[dst], [*hosts, *endpoints, None]


def _first_requests(messages: Messages) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first INVITE and the first request of each Call-ID, -1 where there is none."""
    methods = messages.texts["method"]
    request = (messages.status == 0) & (messages.call_id >= 0)
    invite = request & (messages.method == (methods.index("INVITE") if "INVITE" in methods else -2))
    found = []
    for wanted in (invite, request):
        rows = np.flatnonzero(wanted)[::-1]  # the last assignment stays: the first row
        firsts = np.full(len(messages.texts["call_id"]) + 1, -1, np.int64)
        firsts[messages.call_id[rows]] = rows
        found.append(firsts)
    return found[0], found[1]


def _last_hops(messages: Messages) -> npt.NDArray[np.int64]:
    """Endpoint where the initial INVITE of each Call-ID arrived last and did not go on; -1 where there is none."""
    found = np.full(len(messages.texts["call_id"]) + 1, -1, np.int64)
    methods = messages.texts["method"]
    if "INVITE" not in methods:
        return found
    invite = (messages.status == 0) & (messages.method == methods.index("INVITE"))
    rows = np.flatnonzero(invite & (messages.to_tag < 0) & (messages.call_id >= 0))
    numbers: dict[str, int] = {}
    hosts = np.array([numbers.setdefault(host, len(numbers)) for host, _ in messages.endpoints], np.int64)
    src, dst = messages.src[rows], messages.dst[rows]
    crowded = np.zeros(len(hosts), np.bool_)
    crowded[hosts[src][hosts[src] == hosts[dst]]] = True
    place = np.where(crowded[hosts], len(hosts) + np.arange(len(hosts)), hosts)
    call = messages.call_id[rows] * (2 * len(hosts))
    final = ~np.isin(call + place[dst], call + place[src])
    found[messages.call_id[rows[final]]] = dst[final]
    return found


def number_key(number: str) -> str:
    """What equal numbers have in common however they are written: their last digits; a short one or a name whole."""
    bare = number.lstrip("0")
    return bare[-_SIGNIFICANT:] if len(bare) >= _SIGNIFICANT and bare.isdecimal() else number


def same_number(one: str, other: str) -> bool:
    """Whether two numbers of one key are equal but for country and area."""
    if one == other:
        return bool(one)
    short, long = sorted((one.lstrip("0"), other.lstrip("0")), key=len)
    return len(short) >= _SIGNIFICANT and short.isdecimal() and long.isdecimal() and long.endswith(short)
