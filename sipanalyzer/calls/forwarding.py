"""Legs of which one looks like the other passed on: numbers and times, Call-ID. Floor 5.

In: legs in order of start. Out: hints. Nothing here is proof by itself: who received the first
leg must have sent the second while the first was being set up, and nothing else may be meant as well. Candidates are
looked up by number and place, a few at most; where there are more, they compete, and that says it all. Source:
RFC 7092 (what back-to-back user agents rewrite).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np

from ..options import Options
from .legs import MANY, SCORES, Hint, Leg, Legs, Place, same_number
from .rows import dense_pairs

__all__ = ["find_call_ids", "find_numbers"]

_STEP_NS = 2_000_000_000
"""A box passes ringing, answer and end on within this time."""
_AT_ONCE_NS = 200_000_000
"""A box that has nothing to ask calls on within this time."""
_Key = tuple[str, str, Place | None]


# ---- numbers and times
def find_numbers(legs: Legs, options: Options) -> list[Hint]:
    """Hints from numbers, times and places; of each leg the best kind only.

    Notes
    -----
    First both numbers at one box, then both numbers anywhere (a box with two addresses), then one number at one box. A
    pair counts as found where each is the other's only candidate. Legs that have a candidate of a better kind are left
    out of the rest, so that what competes once does not join by a weaker reason.
    """
    window = options.session_window_ns
    rounds: tuple[tuple[str, bool, bool, bool], ...] = (
        ("numbers, passed on", True, True, True),
        ("numbers, elsewhere", True, True, False),
        ("number, passed on", False, True, True),
        ("number, passed on", True, False, True),
    )
    boxes = set(np.intersect1d(legs.target, legs.source).tolist()) - {-1}
    before: set[int] = set()
    """Legs known to come from another."""
    after: set[int] = set()
    """Legs known to lead to another."""
    hints: list[Hint] = []
    for kind, by_caller, by_callee, at_box in rounds:
        if at_box and not boxes:
            continue
        near = _near_others(legs, window, by_caller, by_callee, at_box)
        pairs = _Candidates(legs, near, window, by_caller, by_callee, boxes if at_box else None, after, before)
        for first, second, alone in pairs.found():
            a, b = legs[first], legs[second]
            text = _tell(a, b, by_caller, by_callee, at_box)
            if not alone:
                score = min(SCORES["numbers, contested"], SCORES[kind])
                text += "; others could be meant"
            else:
                in_step = SCORES["numbers, in step"] if kind != "numbers, passed on" and _in_step(a, b) else 0.0
                score = SCORES[kind] + in_step
            hints.append(Hint("numbers", text, score, (first, second)))
        after |= pairs.leading
        before |= pairs.following
    return hints


class _Candidates:
    """Legs that may be what a box made of others, by one kind of likeness.

    Parameters
    ----------
    by_caller, by_callee : bool
        Which numbers must be equal.
    numbers : list of int
        Legs that can have a candidate at all (:func:`_near_others`).
    boxes : set of int or None
        Places where calls end and others begin: who received the first must have sent the second. None: both must pass
        elsewhere altogether.
    not_leading, not_following : set of int
        Legs that are no first or no second any more.
    """

    def __init__(
        self,
        legs: Legs,
        numbers: list[int],
        window: int,
        by_caller: bool,
        by_callee: bool,
        boxes: set[int] | None,
        not_leading: set[int],
        not_following: set[int],
    ) -> None:
        at_box = boxes is not None
        self._legs, self._window, self._at_box = legs, window, at_box
        self._by_caller, self._by_callee = by_caller, by_callee
        self.leading: set[int] = set()
        self.following: set[int] = set()
        self._first: dict[_Key, list[int]] = defaultdict(list)
        self._second: dict[_Key, list[int]] = defaultdict(list)
        for number in numbers:
            leads = (boxes is None or int(legs.target[number]) in boxes) and number not in not_leading
            follows = (boxes is None or int(legs.source[number]) in boxes) and number not in not_following
            if not (leads or follows):
                continue
            leg = legs[number]
            caller, callee = leg.keys[0] if by_caller else "", leg.keys[1] if by_callee else ""
            if (by_caller and not caller) or (by_callee and not callee):
                continue
            if leads:
                self._first[caller, callee, leg.target if at_box else None].append(number)
            if follows:
                self._second[caller, callee, leg.source if at_box else None].append(number)

    def found(self) -> Iterator[tuple[int, int, bool]]:
        """Pairs, and whether each is the other's only candidate."""
        for key, seconds in self._second.items():
            firsts = self._first.get(key)
            if firsts is None or (len(firsts) == 1 and firsts == seconds):
                continue
            if len(firsts) == len(seconds) == 1 and not self._fits(firsts[0], seconds[0]):
                continue  # most numbers
            leads_to = self._near(firsts, seconds, 0, self._window)
            comes_from = self._near(seconds, firsts, -self._window, 0)
            for second, candidates in comes_from.items():
                if candidates is None:
                    self.following.add(second)
                for first in candidates or ():
                    self.following.add(second)
                    if not self._spent(second):
                        self.leading.add(first)
                    yield first, second, candidates == [first] and self._in_turn(leads_to[first])

    def _spent(self, number: int) -> bool:
        """Whether a leg came to nothing: its first one may still try elsewhere."""
        call = self._legs[number].call
        return call.answered is None and call.end is not None

    def _in_turn(self, numbers: list[int] | None) -> bool:
        """Whether legs were tried one after the other: those do not compete."""
        return numbers is not None and all(
            self._spent(one) and self._legs[one].ended <= self._legs[next_].start for one, next_ in pairwise(numbers)
        )

    def _near(self, numbers: list[int], others: list[int], begin: int, end: int) -> dict[int, list[int] | None]:
        """For each of some legs, those of the others that begin around it and fit; None: too many to look at."""
        starts = [self._legs[number].start for number in others]
        near: dict[int, list[int] | None] = {}
        for number in numbers:
            at = self._legs[number].start
            first, last = bisect_left(starts, at + begin), bisect_right(starts, at + end)
            if last - first > MANY + 1:  # the leg itself may be among them
                near[number] = None
            else:
                near[number] = [other for other in others[first:last] if self._fits(*sorted((number, other)))]
        return near

    def _fits(self, first: int, second: int) -> bool:
        a, b = self._legs[first], self._legs[second]
        return (
            first < second
            and a.near(b, self._window)
            and (self._at_box or a.disjoint(b))
            and (not self._by_caller or same_number(a.caller, b.caller))
            and (not self._by_callee or same_number(a.callee, b.callee))
        )


def _near_others(legs: Legs, window: int, by_caller: bool, by_callee: bool, at_box: bool) -> list[int]:
    """Legs with both places known near which another of the same numbers (and place) begins: a few of many."""
    known = np.flatnonzero((legs.source >= 0) & (legs.target >= 0) & legs.begun)
    if len(known) < 2:
        return []
    callers, callees = legs.number_groups
    same = np.zeros(len(known), np.int64)
    for wanted, groups in ((by_caller, callers), (by_callee, callees)):
        same = dense_pairs(same, groups[known]) if wanted else same
    if at_box:  # each leg under the place where it ends and under the one where it begins
        same = dense_pairs(np.tile(same, 2), np.concatenate([legs.target[known], legs.source[known]]))
        known = np.tile(known, 2)
    order = np.lexsort((known, same))  # legs stand in order of start
    next_to = (np.diff(same[order]) == 0) & (np.diff(legs.start[known[order]]) <= window)
    near = np.zeros(len(legs), np.bool_)
    near[known[order[:-1][next_to]]] = near[known[order[1:][next_to]]] = True
    found: list[int] = np.flatnonzero(near).tolist()
    return found


def _tell(a: Leg, b: Leg, by_caller: bool, by_callee: bool, at_box: bool) -> str:
    """What the numbers and times say, for people."""
    who = " to ".join([a.call.caller or ""] * by_caller + [a.call.callee or ""] * by_callee)
    how = f"sent on by {_shown(b.source)}" if at_box else f"sent by {_shown(b.source)}"
    return f"{who}, {(b.start - a.start) / 1e6:.0f} ms later, {how}"


def _shown(place: Place | None) -> str:
    return f"{place[0]}:{place[1]}" if isinstance(place, tuple) else str(place)


def _in_step(a: Leg, b: Leg) -> bool:
    """Whether what became of the second leg became of the first too, a little apart; or it began at once."""
    over, ended = a.call.end, b.call.end
    up, onward = a.call.answered, b.call.answered
    if over is not None and ended is not None and abs(over - ended) > _STEP_NS and (up or onward):
        return False
    if onward is not None and up is None:
        return False
    return (
        b.start - a.start <= _AT_ONCE_NS
        or (over is not None and ended is not None and abs(over - ended) <= _STEP_NS)
        or _passed_on(onward, up)
        or _passed_on(b.call.ringing, a.call.ringing)
    )


def _passed_on(of: int | None, to: int | None) -> bool:
    return of is not None and to is not None and of <= to <= of + _STEP_NS


# ---- Call-IDs that are alike
_SEPARATORS = re.compile(r"[-_.;~*+=/|!]")
_SHORTEST = 8
"""Characters that a Call-ID must have in common with another to be more than chance (``1-2345`` is a counter)."""
_MOST_CUTS = 12


def find_call_ids(legs: Legs, options: Options) -> list[Hint]:
    """Hints from a Call-ID that is another one with something before or behind it, or with another host."""
    locals_ = [call_id.partition("@")[0] for call_id in legs.call_ids]
    place_of = dict(zip(reversed(locals_), range(len(legs) - 1, -1, -1), strict=True))
    several: dict[str, list[int]] = {}
    if len(place_of) < len(legs):
        for number, local in enumerate(locals_):
            if place_of[local] != number and len(local) >= _SHORTEST:
                several.setdefault(local, [place_of[local]]).append(number)
    pairs: dict[tuple[int, int], None] = {}
    for same in several.values():
        if len(same) <= MANY:
            pairs.update(dict.fromkeys(combinations(same, 2)))
    lengths = frozenset(map(len, locals_))
    least = min((length for length in lengths if length >= _SHORTEST), default=_SHORTEST)
    for number, local in enumerate(locals_):
        if len(local) <= least or local.isalnum():
            continue  # none is shorter, or nothing that separates: most
        for part in _parts(local, lengths):
            other = place_of.get(part)
            if other is not None and part not in several:
                pairs[min(number, other), max(number, other)] = None
    crowded: dict[int, int] = defaultdict(int)
    for first, second in pairs:
        crowded[first] += 1
        crowded[second] += 1
    hints = []
    for first, second in pairs:
        if crowded[first] <= MANY and crowded[second] <= MANY:
            a, b = legs[first], legs[second]
            score = SCORES["Call-ID"] + (SCORES["Call-ID, near"] if a.near(b, options.session_window_ns) else 0)
            hints.append(Hint("Call-ID", f"{a.call.call_id} and {b.call.call_id}", score, (first, second)))
    return hints


def _parts(local: str, lengths: frozenset[int]) -> Iterator[str]:
    """What is left of a Call-ID without what stands before its first or behind its last separators.

    `lengths` are those that another can have.
    """
    cuts = [match.start() for match in _SEPARATORS.finditer(local[:256])]
    for at in cuts[-_MOST_CUTS:]:
        if at >= _SHORTEST and at in lengths:
            yield local[:at]
    for at in cuts[:_MOST_CUTS]:
        if len(local) - at - 1 >= _SHORTEST and len(local) - at - 1 in lengths:
            yield local[at + 1 :]
