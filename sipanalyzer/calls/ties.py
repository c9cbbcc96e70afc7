"""Which calls a stream belongs to, and by which rule. Floor 5.

Comes in: figures of streams, bindings of sockets to calls (:mod:`.bindings`), calls. Goes out: for each stream its
:class:`Tie` to each call that it fits, the earliest call first. Rules, first that fits:

``sdp``
    the stream's destination is a socket that the call's SDP announced, at that time (or a little before: RTP may
    overtake its SDP);
``nat``
    the source is such a socket (symmetric RTP, RFC 4961), or the stream runs opposite to a stream already tied, or the
    port is the announced one and the address that of the side's signalling, or both addresses are those of the sides
    of one call that lacks media in this direction;
``rtp-only``
    neither.

Where a socket stands in several calls, those of which the other end fits too come before the others.
"""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..network.endpoints import address_words
from ..result import Call, Endpoint
from ..rtp.figures import Figures, Socket, main_use
from .bindings import CALLEE, CALLER, Binding

__all__ = ["OTHER_SIDE", "Tie", "tie_streams"]

OTHER_SIDE = {CALLER: CALLEE, CALLEE: CALLER}

_BEFORE_NS = 30_000_000_000
"""RTP may be this much older than the SDP that announces its destination (it was captured before, or overtook it)."""
_AHEAD_NS = 1_000_000_000
"""But it ended at most this long before the first message of a call that was captured from its beginning."""
_AFTER_NS = 2_000_000_000
"""RTP may begin this long after the call's end (packets under way when the BYE passed)."""
_MOST_BINDINGS = 64
"""Bindings of one socket at one time that are looked at."""

_Address = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tie:
    """Why a stream belongs to a call."""

    call: int
    """Index into the calls."""
    matched: str
    towards: str | None
    """Side that receives it."""
    binding: Binding
    """The one that fitted: the receiver's, or the sender's."""


class _Place:
    """The bindings of one socket, to be asked which of them held when."""

    def __init__(self) -> None:
        self.bound: list[tuple[int, Binding]] = []
        """Index of the call, binding; by `since`."""
        self.since: list[int] = []
        self.until: list[float] = []
        """The latest end of this binding and all before it."""

    def settle(self) -> None:
        """All bindings are here: sort them."""
        if len(self.bound) > 1:
            self.bound.sort(key=lambda entry: entry[1].since)
        self.since = [binding.since for _, binding in self.bound]
        latest = -math.inf
        for _, binding in self.bound:
            latest = max(latest, _end(binding))
            self.until.append(latest)

    def holding(self, start: int, end: int, after: int = 0) -> list[tuple[int, Binding]]:
        """Bindings that held between two times, or ended at most `after` before; the latest first."""
        found: list[tuple[int, Binding]] = []
        k = bisect.bisect_right(self.since, end) - 1
        while k >= 0 and self.until[k] + after >= start and len(found) < _MOST_BINDINGS:
            if _end(self.bound[k][1]) + after >= start:
                found.append(self.bound[k])
            k -= 1
        return found

    def following(self, end: int, within: int) -> list[tuple[int, Binding]]:
        """Bindings that began at most `within` after a time; the earliest first."""
        k = bisect.bisect_right(self.since, end)
        return self.bound[k : min(bisect.bisect_right(self.since, end + within), k + _MOST_BINDINGS)]


def _end(binding: Binding) -> float:
    return math.inf if binding.until is None else binding.until


@dataclass
class _Sides:
    """What is known of a call's two ends."""

    sockets: dict[Socket, set[str | None]] = field(default_factory=dict)
    """Announced sockets, and of which sides."""
    addresses: dict[_Address, set[str | None]] = field(default_factory=dict)
    """Addresses of its media and signalling, and of which sides."""
    nearest: tuple[Socket | None, Socket | None] = (None, None)
    """Sender and receiver of its first INVITE."""


def tie_streams(
    order: Sequence[Figures], known: Mapping[int, Sequence[Binding]], calls: Sequence[Call]
) -> list[tuple[Tie, ...]]:
    """Tie streams to calls.

    Parameters
    ----------
    order : sequence of Figures
        By start.
    known : mapping
        Index of a call to its bindings.
    calls : sequence of Call
        In the order of the table.

    Returns
    -------
    list of tuple of Tie
        For each stream its ties, one a call, the earliest call first.
    """
    return _Tying(order, known, calls).run() if order else []


class _Tying:
    """The indices of one run."""

    def __init__(self, order: Sequence[Figures], known: Mapping[int, Sequence[Binding]], calls: Sequence[Call]) -> None:
        self.order, self.known, self.calls = order, known, calls
        sockets = {socket for f in order for socket in (f.src, f.dst)}
        self.at_socket: dict[Socket, _Place] = defaultdict(_Place)
        for c, bound in known.items():
            for binding in bound:
                if binding.socket in sockets:
                    self.at_socket[binding.socket].bound.append((c, binding))
        self._settle(self.at_socket)
        self._sides: dict[int, _Sides] = {}
        self.ties: list[tuple[Tie, ...]] = []

    def run(self) -> list[tuple[Tie, ...]]:
        """Rule after rule."""
        order = self.order
        self.ties = [self._by_binding(f, self.at_socket.get(f.dst), "sdp", receiver=True) for f in order]
        reverse: dict[tuple[Socket, Socket], list[int]] = defaultdict(list)
        for k, f in enumerate(order):
            if self.ties[k]:
                reverse[f.dst, f.src].append(k)
        left = [k for k in range(len(order)) if not self.ties[k]]
        at_signalling = self._at_signalling([order[k] for k in left])
        for k in left:
            f = order[k]
            self.ties[k] = (
                self._by_binding(f, self.at_socket.get(f.src), "nat", receiver=False)
                or self._by_reverse(f, reverse.get((f.src, f.dst), ()))
                or self._by_binding(f, at_signalling.get(f.dst), "nat", receiver=True)
                or self._by_binding(f, at_signalling.get(f.src), "nat", receiver=False)
            )
        self._by_addresses([k for k in left if not self.ties[k]])
        return self.ties

    def _at_signalling(self, left: Sequence[Figures]) -> dict[Socket, _Place]:
        """Bindings by their announced port at the address of their signalling, for the sockets of these streams."""
        places: dict[Socket, _Place] = defaultdict(_Place)
        if left:
            sockets = {socket for f in left for socket in (f.src, f.dst)}
            for c, bound in self.known.items():
                for binding in bound:
                    socket = (*binding.signalling[:2], binding.socket[2])
                    if socket in sockets:
                        places[socket].bound.append((c, binding))
        self._settle(places)
        return places

    @staticmethod
    def _settle(places: dict[Socket, _Place]) -> None:
        for place in places.values():
            place.settle()

    def sides(self, c: int) -> _Sides:
        """The two ends of a call."""
        sides = self._sides.get(c)
        if sides is None:
            sides = self._sides[c] = _Sides(nearest=(_socket(self.calls[c].src), _socket(self.calls[c].dst)))
            for binding in self.known[c]:
                sides.sockets.setdefault(binding.socket, set()).add(binding.side)
                for address in (binding.socket[:2], binding.signalling[:2]):
                    sides.addresses.setdefault(address, set()).add(binding.side)
        return sides

    def _by_binding(self, f: Figures, place: _Place | None, matched: str, receiver: bool) -> tuple[Tie, ...]:
        """By the bindings at one end of the stream: that of its receiver, or that of its sender."""
        found = [] if place is None else self._in_time(f, place)
        if not found:
            return ()
        if len(found) == 1:
            ((c, binding),) = found
            return (Tie(c, matched, binding.side if receiver else OTHER_SIDE.get(binding.side or ""), binding),)
        far = f.src if receiver else f.dst
        whole = [(c, binding) for c, binding in found if far in self.sides(c).sockets]
        by_call: dict[int, list[Binding]] = defaultdict(list)
        for c, binding in whole or found:
            by_call[c].append(binding)
        use = main_use(f.uses)
        media = use.format.media if use is not None else None
        ties = []
        for c, bound in by_call.items():
            binding = max(bound, key=lambda b: self._fit(c, b, far, media)) if len(bound) > 1 else bound[0]
            towards = binding.side if receiver else OTHER_SIDE.get(binding.side or "")
            ties.append(Tie(c, matched, towards, binding))
        return self._sorted(ties)

    def _fit(self, c: int, binding: Binding, far: Socket, media: str | None) -> tuple[bool, bool, bool, int]:
        """How well one of several bindings of one call at one socket fits: BUNDLE, multicast, hops, re-INVITE."""
        sides = self.sides(c)
        others = sides.sockets.get(far) or sides.addresses.get(far[:2]) or set()
        return (
            binding.kind == media,
            others != {binding.side},
            binding.signalling in sides.nearest,
            binding.since,
        )

    def _in_time(self, f: Figures, place: _Place) -> list[tuple[int, Binding]]:
        """The bindings that held while the stream ran; where there are none, the nearest that just missed it."""
        held = place.holding(f.start, f.end)
        if held:
            return held if len(held) == 1 else _not_in_turn(f, held)
        near = [(f.start - _end(entry[1]), entry) for entry in place.holding(f.start, f.end, _AFTER_NS)]
        near += [
            (binding.since - f.end, (c, binding))
            for c, binding in place.following(f.end, _BEFORE_NS)
            if self.calls[c].partial or f.end >= self.calls[c].first_time - _AHEAD_NS
        ]
        return [min(near, key=lambda entry: entry[0])[1]] if near else []

    def _by_reverse(self, f: Figures, others: Iterable[int]) -> tuple[Tie, ...]:
        """By streams that run the other way between the same sockets."""
        ties = [
            Tie(tie.call, "nat", OTHER_SIDE.get(tie.towards or ""), tie.binding)
            for k in others
            if self.order[k].start - _BEFORE_NS <= f.end and f.start <= self.order[k].end + _AFTER_NS
            for tie in self.ties[k]
        ]
        return self._sorted(ties)

    def _by_addresses(self, left: Sequence[int]) -> None:
        """By both addresses: media of two sides behind NAT, of whose ports none is the announced one."""
        if not left:
            return
        pairs: dict[tuple[_Address, _Address], list[int]] = defaultdict(list)
        for c in self.known:
            if self.calls[c].answered is not None:
                ends = [[a for a, of in self.sides(c).addresses.items() if of == {side}] for side in (CALLER, CALLEE)]
                for a in ends[0][:8]:
                    for b in ends[1][:8]:
                        pairs[a, b].append(c)
                        pairs[b, a].append(c)
        has = {(tie.call, tie.towards) for ties in self.ties for tie in ties}
        found = {}
        for k in left:
            f = self.order[k]
            fitting = [tie for c in pairs.get((f.src[:2], f.dst[:2]), ()) for tie in self._between(f, c)]
            if len(fitting) == 1 and (fitting[0].call, fitting[0].towards) not in has:
                found[k] = (fitting[0],)
        for k, ties in found.items():
            self.ties[k] = ties

    def _between(self, f: Figures, c: int) -> list[Tie]:
        """The tie of a stream that ran from one side of a call to the other within it."""
        (towards,) = self.sides(c).addresses[f.dst[:2]]
        for binding in reversed(self.known[c]):
            if binding.side == towards and binding.since - _AFTER_NS <= f.start and f.end <= _end(binding) + _AFTER_NS:
                return [Tie(c, "nat", towards, binding)]
        return []

    def _sorted(self, ties: Iterable[Tie]) -> tuple[Tie, ...]:
        """One tie a call, the earliest call first."""
        by_call = {tie.call: tie for tie in ties}
        return tuple(sorted(by_call.values(), key=lambda tie: (self.calls[tie.call].first_time, tie.call)))


def _not_in_turn(f: Figures, held: list[tuple[int, Binding]]) -> list[tuple[int, Binding]]:
    """Bindings without those of calls that only came after, or before, the one that had most of the stream."""
    kept: list[tuple[int, Binding]] = []
    for c, binding in sorted(held, key=lambda e: max(f.start, e[1].since) - min(f.end, _end(e[1]))):
        if all(c == other or (b.since < _end(binding) and binding.since < _end(b)) for other, b in kept):
            kept.append((c, binding))
    return kept


def _socket(endpoint: Endpoint | None) -> Socket | None:
    if endpoint is None:
        return None
    return (*address_words(endpoint[0]), endpoint[1])
