"""Legs that name each other: correlation headers, Session-ID, icid, Replaces, transfers, copied Via. Floor 5.

In: legs and the message table. Out: hints. The first requests of all calls are searched for one pattern, many at a
time; a header is taken apart only where the pattern found it. Values are looked up, never compared pair by pair.
Sources: RFC 7989 (Session-ID), RFC 7315 4.6 (P-Charging-Vector), RFC 3891 (Replaces), RFC 3911 (Join), RFC 4538
(Target-Dialog), RFC 3515 and 3892 (REFER, Referred-By), RFC 5359 2.5 (transfers), RFC 3261 8.1.1.7 (branch).
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from urllib.parse import unquote

import numpy as np

from ..errors import ParseError
from ..options import Options
from ..result import Ints, Messages
from ..sip.header import SPACE, find_header, find_headers, parameters
from ..sip.text import decode_text
from ..sip.uri import number_of, parse_uri, parse_via, split_address
from .legs import MANY, SCORES, Hint, Leg, Legs, number_key, same_number
from .screening import count_matches

__all__ = ["find_named", "find_transfers", "find_vias"]

_MOST_NAMING = 64
"""Legs that may name one Call-ID (groups of phones that ring at once), and INVITEs that may have one branch on top."""
_DIALOGS = ("Replaces", "Join", "Target-Dialog")
_COOKIE = b"z9hG4bK"
"""Only branches that begin with it are unique (RFC 3261 8.1.1.7)."""
_HEX = re.compile(r"[0-9a-f]{32}")
_SAID_OF_TRANSFER = re.compile(r"(?:^|&)replaces=([^&]*)", re.IGNORECASE)


# ---- headers whose values are equal, or name the other call
def find_named(messages: Messages, legs: Legs, options: Options) -> list[Hint]:
    """Hints from headers of the first request of each leg.

    Notes
    -----
    A value must tell conversations apart: one that more than :data:`~.legs.MANY` legs share does not, nor one shared by
    legs that lie apart in time. A short one (``1``, ``pbx``) counts only between legs that also share a place or a
    number, and not at all where two legs with different numbers go the same way with it.
    """
    values: dict[tuple[str, str], list[int]] = defaultdict(list)
    named: dict[str, list[tuple[int, str]]] = defaultdict(list)
    pattern, names = _pattern(options.correlation_headers)
    with_row = np.flatnonzero(legs.row >= 0)
    naming = with_row[count_matches(messages, legs.row[with_row], pattern) > 0].tolist()
    by_call_id = _by_call_id(legs) if naming else {}
    for number in naming:
        leg = legs[number]
        for match in pattern.finditer(messages.raw(leg.row)):
            if messages.body_length[leg.row] and match.start() >= messages.body_at[leg.row] - messages.at[leg.row] - 1:
                break  # what follows is the body
            name = names[match[1].lower()]
            text = decode_text(match[2].strip(SPACE.encode()))
            if name in _DIALOGS:
                named[text.partition(";")[0].strip(SPACE)].append((number, name))
                continue
            for kind, value in _values(name, text):
                if not values[kind, value] or values[kind, value][-1] != number:
                    values[kind, value].append(number)
                if value in by_call_id:
                    named[value].append((number, kind))
    hints = []
    for (kind, value), numbers in values.items():
        score = SCORES.get(kind, SCORES["header"])
        hints += [Hint(kind, value, score, pair) for pair in _linked(value, numbers, legs, options.session_window_ns)]
    for call_id, namers in named.items():
        other = by_call_id.get(call_id)
        if other is None or len(namers) > _MOST_NAMING:
            continue
        for number, kind in namers:
            if number != other:
                score = SCORES["dialog" if kind in _DIALOGS else "header"]
                hints.append(Hint(kind, call_id, score, (min(number, other), max(number, other))))
    return hints


def _by_call_id(legs: Legs) -> dict[str, int]:
    return dict(zip(legs.call_ids, range(len(legs)), strict=True))


@functools.lru_cache(maxsize=16)
def _pattern(wanted: tuple[str, ...]) -> tuple[re.Pattern[bytes], Mapping[bytes, str]]:
    """What finds the headers of interest (name, value), and their names as options and standards write them."""
    listed = [*_DIALOGS, "Session-ID", "P-Charging-Vector", *(name for name in wanted if name.strip())]
    names = {name.strip().lower().encode(): name.strip() for name in listed}
    by_letter: dict[bytes, list[bytes]] = defaultdict(list)
    for name in names:
        by_letter[name[:1]].append(re.escape(name[1:]))
    either = b"|".join(re.escape(letter) + b"(?:" + b"|".join(rests) + b")" for letter, rests in by_letter.items())
    letters = b"".join(re.escape(letter + letter.upper()) for letter in sorted(by_letter))
    head = rb"\n(?=[" + letters + rb"])(" + either + rb")[ \t\r]*+:((?:[^\n]|\n[ \t])*+)"
    return re.compile(head, re.IGNORECASE), names


def _values(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Kind and value of what a header says that may be the same in another leg."""
    if name == "Session-ID":
        local, *rest = text.split(";")
        for uuid in (local, parameters(rest).get("remote") or ""):
            uuid = uuid.strip(SPACE).replace("-", "").lower()
            if _HEX.fullmatch(uuid) and len(set(uuid)) > 2:  # all zeros: not known yet (RFC 7989 section 5)
                yield name, uuid
    elif name == "P-Charging-Vector":
        value = (parameters(text.split(";")).get("icid-value") or "").strip('"')
        if value:
            yield "icid", value
    elif text:
        yield name, text


def _linked(value: str, numbers: list[int], legs: Sequence[Leg], window: int) -> Iterator[tuple[int, int]]:
    """Pairs of neighbours among legs that share a value, where it means something."""
    if not 2 <= len(numbers) <= MANY:
        return
    telling = len(value) >= 12 and len(set(value)) >= 6 and sum(map(str.isdigit, value)) >= 4
    if not telling and _goes_two_ways_at_once([legs[number] for number in numbers]):
        return
    until = legs[numbers[0]].until
    for at, number in enumerate(numbers[1:], start=1):
        leg = legs[number]
        before = [each for each in numbers[:at] if telling or _related(legs[each], leg)]
        if before and leg.start <= until + window:
            yield before[-1], number
        until = max(until, leg.until)


def _goes_two_ways_at_once(legs: list[Leg]) -> bool:
    """Whether two of a few legs go from one place to another with different numbers: different conversations."""
    return any(
        (a.source, a.target) == (b.source, b.target)
        and not same_number(a.caller, b.caller)
        and not same_number(a.callee, b.callee)
        for number, a in enumerate(legs)
        for b in legs[:number]
    )


def _related(a: Leg, b: Leg) -> bool:
    """Whether two legs share a place or a number."""
    return (
        not a.disjoint(b)
        or same_number(a.caller, b.caller)
        or same_number(a.callee, b.callee)
        or same_number(a.callee, b.caller)
    )


# ---- Via headers that a back-to-back user agent copied
def find_vias(messages: Messages, legs: Legs) -> list[Hint]:
    """Hints from Via headers below the top one: branch and sent-by that stand in another leg's INVITE too."""
    below: dict[tuple[str, str], list[int]] = defaultdict(list)
    whole = np.flatnonzero((legs.row >= 0) & ~legs.partial)
    for number in whole[count_matches(messages, legs.row[whole], re.compile(_COOKIE)) > 1].tolist():
        for via in _vias(messages.raw(int(legs.row[number])))[1:]:
            below[via].append(number)
    if not below:
        return []
    shared = {via: numbers for via, numbers in below.items() if len(numbers) <= MANY}
    groups = {via: set(numbers) for via, numbers in shared.items()}
    for number, via in _tops(messages, legs, {branch for branch, _ in shared}):
        if via in groups:
            groups[via].add(number)
    hints = []
    for (branch, sent_by), found in groups.items():
        numbers = sorted(found)
        if not 2 <= len(numbers) <= MANY:
            continue
        for before, number in pairwise(numbers):
            if legs[number].start <= legs[before].ended:  # forwarded while that INVITE was open
                hints.append(Hint("Via", f"{sent_by};branch={branch}", SCORES["Via"], (before, number)))
    return hints


def _vias(raw: bytes) -> list[tuple[str, str]]:
    """Branch and sent-by of each Via, the top one first; a branch without cookie is empty."""
    found = []
    for value in find_headers(raw, "Via"):
        try:
            via = parse_via(value)
        except ParseError:
            found.append(("", ""))
            continue
        branch = via.branch or ""
        found.append((branch if branch.startswith(_COOKIE.decode()) else "", _sent_by(via.host, via.port)))
    return [found[0], *(each for each in found[1:] if each[0])] if found else []


def _sent_by(host: str, port: int | None) -> str:
    return f"{host.lower()}:{port or 5060}"


def _tops(messages: Messages, legs: Legs, wanted: set[str]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Leg, branch and sent-by of the top Via of every INVITE, at every hop, whose branch is wanted."""
    if not wanted or "INVITE" not in messages.texts["method"]:
        return
    ids = [number for number, text in enumerate(messages.texts["branch"]) if text in wanted]
    invite = (messages.status == 0) & (messages.method == messages.texts["method"].index("INVITE"))
    rows = np.flatnonzero(invite & ~messages.retransmission & (messages.call_id >= 0) & np.isin(messages.branch, ids))
    branches = messages.branch[rows]
    rows = rows[np.bincount(branches)[branches] <= _MOST_NAMING] if len(rows) else rows
    by_number = dict(zip(legs.call_number.tolist(), range(len(legs)), strict=True))
    for row in rows.tolist():
        number = by_number.get(int(messages.call_id[row]))
        vias = _vias(messages.raw(row))
        if number is not None and vias:
            yield number, vias[0]


# ---- transfers
def find_transfers(messages: Messages, legs: Legs, options: Options) -> list[Hint]:
    """Hints from REFER: the call that it names (Replaces in Refer-To), or the one that it brought about.

    A blind transfer is the one call that the receiver of the REFER began to its target soon after; where two calls, or
    two transfers, could be meant, there is no hint.
    """
    if "REFER" not in messages.texts["method"]:
        return []
    refer = (messages.status == 0) & (messages.method == messages.texts["method"].index("REFER"))
    rows = np.flatnonzero(refer & ~messages.retransmission & (messages.call_id >= 0)).tolist()
    if not rows:
        return []
    by_call_id = _by_call_id(legs)
    began = _Beginnings(legs, messages.time[rows], options.session_window_ns)
    hints = []
    brought: dict[int, set[int]] = defaultdict(set)
    asked: dict[int, set[int]] = defaultdict(set)
    words: dict[tuple[int, int], str] = {}
    for row in rows:
        raw = messages.raw(row)
        number = by_call_id.get(messages.text("call_id", row) or "")
        target = find_header(raw, "Refer-To")
        if number is None or target is None:
            continue
        call_id, name = _meant(target)
        if call_id is not None:
            other = by_call_id.get(call_id)
            if other is not None and other != number:
                pair = min(number, other), max(number, other)
                hints.append(Hint("REFER", f"Refer-To with Replaces={call_id}", SCORES["REFER"], pair))
            continue
        time = int(messages.time[row])
        host = messages.endpoints[int(messages.dst[row])][0]
        for other in began.find(name, host, time, time + options.session_window_ns):
            if other != number:
                brought[number].add(other)
                asked[other].add(number)
                words[number, other] = f"Refer-To {name}"
    for number, others in brought.items():
        for other in others:
            if len(others) == 1 and len(asked[other]) == 1:
                pair = min(number, other), max(number, other)
                hints.append(Hint("REFER", words[number, other], SCORES["REFER"], pair))
    return hints


def _meant(refer_to: str) -> tuple[str | None, str]:
    """Call-ID that a Refer-To wants replaced, and the number or name that it points to."""
    uri = split_address(refer_to).uri
    try:
        parsed = parse_uri(uri)
    except ParseError:
        return None, ""
    match = _SAID_OF_TRANSFER.search(parsed.headers)
    call_id = unquote(match[1]).partition(";")[0].strip(SPACE) if match else None
    return call_id or None, number_of(uri)


class _Beginnings:
    """When somebody began a call to a number, soon after one of some times (ns, ascending)."""

    def __init__(self, legs: Legs, times: Ints, window: int) -> None:
        self._numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._legs = legs
        before = np.searchsorted(times, legs.start, side="right") - 1
        soon = (before >= 0) & (legs.start - times[before] <= window) & legs.begun
        for number in np.flatnonzero(soon).tolist():
            leg = legs[number]
            if leg.call.src is not None:
                uri = leg.call.request_uri
                for key in {number_key(name) for name in (leg.callee, number_of(uri) if uri else "") if name}:
                    self._numbers[key, leg.call.src[0]].append(number)
        self._starts = {key: [legs[number].start for number in numbers] for key, numbers in self._numbers.items()}

    def find(self, name: str, host: str, begin: int, end: int) -> Iterable[int]:
        """Calls from a host to a number that began between two times; a few too many are as good as none."""
        key = number_key(name), host
        starts = self._starts.get(key)
        if not name or starts is None:
            return ()
        first, last = bisect_left(starts, begin), bisect_right(starts, end)
        return self._numbers[key][first : min(last, first + MANY)]
