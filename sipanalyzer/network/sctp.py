"""SCTP packets become user messages. Floor 3.

Comes in: SCTP packets (common header and chunks) in order of capture time. Goes out: :class:`SctpMessage`, one user
message each, put together from its DATA or I-DATA chunks, once. RFC 9260 is the protocol, RFC 8260 has I-DATA,
RFC 4168 says what SIP makes of it: one SIP message a user message, with any payload protocol identifier.

Messages are given as they become whole, not in order of their streams: a message's time is that of the packet that
completes it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.options import Options

__all__ = ["DATA", "I_DATA", "SctpMessage", "SctpReassembler"]

DATA, I_DATA = 0, 64
"""Chunk types that carry user data (RFC 9260 3.3.1, RFC 8260 2.1)."""
END, BEGIN, UNORDERED = 1, 2, 4
"""Flag bits of both."""
_HEADER = {DATA: 16, I_DATA: 20}  # bytes before the user data

REORDERED = 1_024
"""Chunks that may have come before those missing; then the missing ones are not waited for."""
BEFORE = 64
"""Chunks so far before the first one seen are taken as captured late, not as sent again."""
RESTART = 1 << 20
"""A TSN further away than this is a new association with the same tag."""
OVERHEAD = 128
"""Bytes that a held fragment costs besides its data."""

_MASK = 0xFFFFFFFF
_HALF = 1 << 31

_Key = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class SctpMessage:
    """One user message."""

    ports: int
    """Source port << 16 | destination port."""
    data: bytes
    time: int
    """Time (ns) of the packet that completed it."""
    frame: int
    """Frame number of that packet."""
    truncated: bool = False
    """A chunk of it was cut, by the capture."""


class _Chunk(NamedTuple):
    kind: int
    flags: int
    tsn: int
    stream: tuple[int, ...]
    """What all fragments of one message share: stream and sequence number (DATA), or message identifier (I-DATA)."""
    fragment: int
    """Its number in the message (I-DATA); unused in DATA, where TSNs number the fragments."""
    data: bytes
    cut: bool


class _Association:
    """One direction of an association: what came, and the fragments that wait for others."""

    __slots__ = ("above", "before", "cumulative", "ends", "first", "fragments", "held_bytes", "interleaved", "lasts")

    def __init__(self, tsn: int) -> None:
        self.first = tsn  # TSNs are unwrapped: integers
        self.cumulative = tsn - 1  # all up to here came, or are not waited for
        self.above: set[int] = set()  # came, and one before them did not
        self.before: set[int] = set()  # came late, from before the first
        self.fragments: dict[int, _Chunk] = {}  # DATA by TSN
        self.ends: dict[int, int] = {}  # of each run of fragments of one message: first -> last and last -> first
        self.interleaved: dict[tuple[int, ...], dict[int, _Chunk]] = {}  # I-DATA by message and fragment number
        self.lasts: dict[tuple[int, ...], int] = {}  # number of the last fragment, where it came
        self.held_bytes = 0

    def is_new(self, tsn: int) -> bool:
        """Note that `tsn` came; false where it had come before."""
        if tsn > self.cumulative:
            if tsn in self.above:
                return False
            self.above.add(tsn)
            if len(self.above) > REORDERED:
                self.cumulative = min(self.above) - 1
            while self.cumulative + 1 in self.above:
                self.cumulative += 1
                self.above.discard(self.cumulative)
            return True
        if self.first - BEFORE <= tsn < self.first and tsn not in self.before:
            self.before.add(tsn)
            return True
        return False

    def incomplete(self) -> int:
        """How many messages wait for chunks."""
        waiting = {self.fragments[first].stream for first in self.ends}
        return len(waiting) + len(self.interleaved)


class SctpReassembler:
    """Puts user messages together.

    Parameters
    ----------
    options : Options
        `max_tcp_connections` (here: associations), `max_tcp_pending_bytes` (of one direction) and `max_pending_bytes`
        are used.
    anomalies : Anomalies
        Gets ``sctp-missing-chunk`` and ``malformed-transport``.

    Notes
    -----
    A direction is known by its addresses, ports and verification tag. So a chunk that a multi-homed peer sends again
    over another path is another message; that is rare, and told from a mixing of associations by nothing in the packet.
    """

    def __init__(self, options: Options, anomalies: Anomalies) -> None:
        self._max_associations = 2 * options.max_tcp_connections
        self._max_held = options.max_tcp_pending_bytes
        self._max_total = options.max_pending_bytes
        self._anomalies = anomalies
        self._associations: OrderedDict[_Key, _Association] = OrderedDict()
        self._total = 0

    def packet(
        self, src_hi: int, src_lo: int, dst_hi: int, dst_lo: int, time: int, frame: int, data: bytes
    ) -> list[SctpMessage]:
        """Take one packet, common header first; give the user messages that it completes."""
        if len(data) < 12:
            self._anomalies.add("malformed-transport", frame, "SCTP header cut")
            return []
        ports = int.from_bytes(data[:4], "big")
        key = (src_hi, src_lo, dst_hi, dst_lo, ports, int.from_bytes(data[4:8], "big"))
        out: list[SctpMessage] = []
        for chunk in self._chunks(data, frame):
            association = self._association(key, chunk.tsn)
            tsn = self._unwrap(association, chunk.tsn)
            if not association.is_new(tsn):
                continue
            if chunk.flags & (BEGIN | END) == BEGIN | END:
                out.append(SctpMessage(ports, chunk.data, time, frame, chunk.cut))
                continue
            association.held_bytes += len(chunk.data) + OVERHEAD
            self._total += len(chunk.data) + OVERHEAD
            whole = self._join(association, tsn, chunk) if chunk.kind == DATA else self._gather(association, chunk)
            if whole:
                self._release(association, whole)
                cut = next((i + 1 for i, part in enumerate(whole) if part.cut), 0)  # the bytes after it belong nowhere
                parts = whole[:cut] if cut else whole
                out.append(SctpMessage(ports, b"".join(part.data for part in parts), time, frame, bool(cut)))
            elif association.held_bytes > self._max_held:
                self._forget(association, frame)
            while self._total > self._max_total and self._associations:
                oldest = next(iter(self._associations))
                self._forget(self._associations.pop(oldest), frame)
        return out

    def finish(self) -> None:
        """Count the messages that wait for chunks; they will not come."""
        for association in self._associations.values():
            self._forget(association, None)
        self._associations.clear()

    def _chunks(self, data: bytes, frame: int) -> Iterator[_Chunk]:
        at = 12
        while at + 4 <= len(data):
            kind, flags = data[at], data[at + 1]
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            header = _HEADER.get(kind, 4)
            if length < header:
                self._anomalies.add("malformed-transport", frame, "SCTP chunk shorter than its header")
                return
            end = min(at + length, len(data))
            if kind in _HEADER and end >= at + header:
                tsn, stream = (
                    int.from_bytes(data[at + 4 : at + 8], "big"),
                    int.from_bytes(data[at + 8 : at + 10], "big"),
                )
                unordered = flags & UNORDERED
                if kind == DATA:
                    same: tuple[int, ...] = (stream, unordered, int.from_bytes(data[at + 10 : at + 12], "big"))
                    fragment = 0
                else:
                    same = (stream, unordered, int.from_bytes(data[at + 12 : at + 16], "big"))
                    fragment = 0 if flags & BEGIN else int.from_bytes(data[at + 16 : at + 20], "big")
                yield _Chunk(kind, flags, tsn, same, fragment, data[at + header : end], end < at + length)
            at += (length + 3) & ~3

    def _association(self, key: _Key, tsn: int) -> _Association:
        association = self._associations.get(key)
        if association is not None and abs(self._unwrap(association, tsn) - association.cumulative) > RESTART:
            self._forget(association, None)
            association = None
        if association is None:
            association = self._associations[key] = _Association(tsn)
            if len(self._associations) > self._max_associations:
                self._forget(self._associations.popitem(last=False)[1], None)
        self._associations.move_to_end(key)
        return association

    @staticmethod
    def _unwrap(association: _Association, tsn: int) -> int:
        return association.cumulative + ((tsn - association.cumulative + _HALF) & _MASK) - _HALF

    def _join(self, association: _Association, tsn: int, chunk: _Chunk) -> list[_Chunk]:
        """Add a DATA fragment to its neighbours; the fragments of its message, if it is whole now."""
        fragments, ends = association.fragments, association.ends
        fragments[tsn] = chunk
        first = last = tsn
        left, right = fragments.get(tsn - 1), fragments.get(tsn + 1)
        if left is not None and left.stream == chunk.stream and not left.flags & END and not chunk.flags & BEGIN:
            first = ends.pop(tsn - 1)
        if right is not None and right.stream == chunk.stream and not right.flags & BEGIN and not chunk.flags & END:
            last = ends.pop(tsn + 1)
        ends.pop(first, None)
        ends.pop(last, None)
        if not (fragments[first].flags & BEGIN and fragments[last].flags & END):
            ends[first], ends[last] = last, first
            return []
        return [fragments.pop(number) for number in range(first, last + 1)]

    def _gather(self, association: _Association, chunk: _Chunk) -> list[_Chunk]:
        """Add an I-DATA fragment to its message; all its fragments, if it is whole now."""
        parts = association.interleaved.setdefault(chunk.stream, {})
        if chunk.fragment in parts:
            self._release(association, [chunk])
            return []
        parts[chunk.fragment] = chunk
        if chunk.flags & END:
            association.lasts[chunk.stream] = chunk.fragment
        count = association.lasts.get(chunk.stream, -1) + 1
        if len(parts) != count or not all(number in parts for number in range(count)):
            return []
        del association.interleaved[chunk.stream], association.lasts[chunk.stream]
        return [parts[number] for number in range(count)]

    def _release(self, association: _Association, parts: list[_Chunk]) -> None:
        size = sum(len(part.data) + OVERHEAD for part in parts)
        association.held_bytes -= size
        self._total -= size

    def _forget(self, association: _Association, frame: int | None) -> None:
        """Drop the fragments held; their messages stay incomplete."""
        if missing := association.incomplete():
            self._anomalies.add("sctp-missing-chunk", frame, count=missing)
        self._total -= association.held_bytes
        association.held_bytes = 0
        association.fragments.clear()
        association.ends.clear()
        association.interleaved.clear()
        association.lasts.clear()
