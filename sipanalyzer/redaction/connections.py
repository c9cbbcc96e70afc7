"""What needs several packets to be understood: TCP and IP fragments. Floor 3.

In, first: the payloads of all segments and fragments of all captures, in order. Then they are put together, replaced as
a whole and cut again. Out, as often as the captures are read once more: the same payloads replaced, in the same order.
Bytes that are kept: the originals while the first reading lasts, afterwards the replacements alone. Beyond a limit
nothing is kept any more; what follows has no replacement, and is wiped.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from .streams import Streams
from .walk import Deferred, FragmentKey, Key

__all__ = ["Connections", "Cursor"]

_SYN, _MASK, _HALF = 2, 0xFFFFFFFF, 1 << 31
_FAR = 1 << 28

_BEGIN, _END = 2, 1
"""Flags of an SCTP chunk (RFC 9260 3.3.1)."""
_APART = 20
"""Bits between the places of two chunks."""

_EACH, _OPENED = 320, 1_000
"""Bytes that it costs to remember a payload beside its own, and a connection or datagram, by measurement."""

Slot = tuple["_Pieces", int, int]
Datagram = Callable[[FragmentKey, bytes, bool, Deferred], bytes]
"""Replaces the payload of a datagram that was put together: its key, its bytes, whether all are there, its parts."""


class _Pieces:
    """Bytes with places, of one direction of a connection or of one datagram."""

    __slots__ = ("held", "outs", "starts")

    def __init__(self) -> None:
        self.held: list[tuple[int, bytes]] = []
        self.starts: list[int] = []
        self.outs: Sequence[bytes | bytearray] = []

    def runs(self) -> list[tuple[int, bytes]]:
        """Stretches without a hole; of bytes that came twice the first."""
        found: list[tuple[int, list[bytes]]] = []
        end = -1
        for at, data in sorted(self.held, key=lambda each: each[0]):
            if found and at <= end:
                found[-1][1].append(data[end - at :] if end > at else data)
            else:
                found.append((at, [data]))
            end = max(end, at + len(data))
        return [(at, b"".join(parts)) for at, parts in found]

    def beginning(self) -> bytes:
        """All from place 0 to the first hole."""
        runs = self.runs()
        return runs[0][1] if runs and runs[0][0] == 0 else b""

    def settle(self, starts: list[int], outs: Sequence[bytes | bytearray]) -> None:
        """Keep the replacements in place of the originals."""
        self.held, self.starts, self.outs = [], starts, outs

    def cut(self, at: int, size: int) -> bytes:
        """The replacement of some bytes; zeros where there is none."""
        which = bisect_right(self.starts, at) - 1
        if which < 0:
            return bytes(size)
        begin = at - self.starts[which]
        return bytes(self.outs[which][begin : begin + size].ljust(size, b"\0"))


def _whole(pieces: _Pieces, ends: list[int]) -> bool:
    """Whether a datagram is all there."""
    return bool(ends) and len(pieces.beginning()) >= max(ends)


class _Direction:
    """One direction of a TCP connection, as often as its ports were used."""

    __slots__ = ("next", "pieces")

    def __init__(self, seq: int) -> None:
        self.next, self.pieces = seq, _Pieces()


class Connections:
    """Segments and fragments of all captures.

    Parameters
    ----------
    datagram : callable
        Replaces a datagram that was put together.
    streams : Streams
        Replaces stretches of a TCP stream.
    most : int
        Bytes that may be kept.
    """

    def __init__(self, datagram: Datagram, streams: Streams, most: int) -> None:
        self._datagram, self._streams = datagram, streams
        self._room = most
        self._directions: dict[Key, _Direction] = {}
        self._every: list[_Pieces] = []
        self._datagrams: dict[FragmentKey, tuple[_Pieces, dict[int, bytes], list[int]]] = {}
        self._fragmented: list[tuple[FragmentKey, _Pieces, list[int]]] = []
        self._chunks: dict[Key, tuple[_Pieces, dict[int, tuple[int, bytes]]]] = {}
        self.slots: list[list[Slot]] = []
        """By capture: where each payload stands."""
        self.beyond: list[int] = []
        """By capture: payloads that were not kept."""

    def capture(self) -> None:
        """Begin with another capture."""
        self.slots.append([])
        self.beyond.append(0)

    def _has_room(self, size: int) -> bool:
        """Whether a payload may be kept; after one that may not none is, since they are given back in their order."""
        if self._room < size + _EACH:
            self._room = -1
            self.beyond[-1] += 1
            return False
        self._room -= size + _EACH
        return True

    def segment(self, key: Key, seq: int, flags: int, data: bytes, wire: int) -> bytes | None:
        """Take a segment; of what is asked for in the second reading, :class:`Cursor` gives it back."""
        direction = self._directions.get(key)
        if (data or direction is None) and not self._has_room(len(data)):
            return None
        if flags & _SYN:
            seq = seq + 1 & _MASK if not data else seq
        ahead = ((seq - direction.next + _HALF) & _MASK) - _HALF if direction else 0
        if direction is None or abs(ahead) > _FAR or (flags & _SYN and (direction.next & _MASK) != seq):
            self._room -= _OPENED
            direction = self._directions[key] = _Direction(seq)
            self._every.append(direction.pieces)
            ahead = 0
        place = direction.next + ahead
        if data:
            direction.pieces.held.append((place, data))
            self.slots[-1].append((direction.pieces, place, len(data)))
        direction.next = max(direction.next, place + wire)
        return None

    def fragment(self, key: FragmentKey, at: int, more: bool, data: bytes) -> bytes | None:
        """Take a fragment."""
        if not self._has_room(len(data)):
            return None
        known = self._datagrams.get(key)
        if known is None or known[1].get(at, data) != data:
            self._room -= _OPENED
            known = self._datagrams[key] = (_Pieces(), {}, [])
            self._fragmented.append((key, known[0], known[2]))
        pieces, parts, ends = known
        if at not in parts:
            parts[at] = data
            pieces.held.append((at, data))
        if not more:
            ends.append(at + len(data))
        self.slots[-1].append((pieces, at, len(data)))
        return None

    def chunk(self, key: Key, tsn: int, flags: int, data: bytes) -> bytes | None:
        """Take a part of an SCTP message."""
        if not self._has_room(len(data)):
            return None
        pieces, parts = self._chunks.setdefault(key, (_Pieces(), {}))
        parts.setdefault(tsn, (flags, data))
        self.slots[-1].append((pieces, tsn << _APART, len(data)))
        return None

    def settle(self, looked: Callable[[], None]) -> None:
        """After the last packet: replace all; tunnels whose packets came in fragments from the inside out.

        `looked` is called when the last of them has been looked into.
        """
        datagrams: list[tuple[FragmentKey, _Pieces, bytes, bool, list[Slot]]] = []
        waiting = list(range(len(self._fragmented)))
        while waiting:  # what is in a tunnel may complete others, and there may be more of them afterwards
            count = len(self._fragmented)
            whole = [each for each in waiting if _whole(*self._fragmented[each][1:])]
            for each in whole or waiting:
                key, pieces, ends = self._fragmented[each]
                complete, data = _whole(pieces, ends), pieces.beginning()
                pieces.held = []
                if (known := self._datagrams.get(key)) is not None and known[0] is pieces:
                    del self._datagrams[key]
                self.slots.append([])
                if data:
                    self._datagram(key, data, complete, self)
                datagrams.append((key, pieces, data, complete, self.slots.pop()))
            rest = sorted(set(waiting).difference(whole)) if whole else []
            waiting = [*rest, *range(count, len(self._fragmented))]
        looked()
        for pieces in self._every:
            runs = pieces.runs()
            pieces.held = []
            pieces.settle([at for at, _ in runs], self._streams.stretches([data for _, data in runs]))
        for pieces, parts in self._chunks.values():
            self._settle_chunks(pieces, parts)
        waiting_for = {id(each[1]): each for each in datagrams}

        def settle(key: FragmentKey, pieces: _Pieces, data: bytes, complete: bool, slots: list[Slot]) -> None:
            for inner, _, _ in slots:  # what is inside comes first
                if id(inner) in waiting_for:
                    settle(*waiting_for.pop(id(inner)))
            pieces.settle([0], [self._datagram(key, data, complete, Cursor(slots)) if data else b""])

        while waiting_for:
            settle(*waiting_for.popitem()[1])
        for kept in (self._directions, self._datagrams, self._chunks):
            kept.clear()
        self._every.clear()
        self._fragmented.clear()

    def _settle_chunks(self, pieces: _Pieces, parts: dict[int, tuple[int, bytes]]) -> None:
        """Replace messages whose chunks follow each other; parts of others are wiped."""
        starts, outs = [], []
        message: list[int] = []
        for tsn in sorted(parts):
            flags = parts[tsn][0]
            if flags & _BEGIN or (message and tsn != message[-1] + 1):
                message = []
            if flags & _BEGIN or message:
                message.append(tsn)
            if flags & _END and message:
                new = self._streams.message(b"".join(parts[each][1] for each in message))
                for each in message:
                    size = len(parts[each][1])
                    starts.append(each << _APART)
                    outs.append(new[:size])
                    new = new[size:]
                message = []
        pieces.settle(starts, outs)


class Cursor:
    """Gives the payloads of one capture back, replaced, in the order in which they stand there."""

    def __init__(self, slots: list[Slot]) -> None:
        self._slots, self._at = slots, 0

    def segment(self, key: Key, seq: int, flags: int, data: bytes, wire: int) -> bytes | None:
        """The payload of a segment, replaced."""
        return self._next(len(data)) if data else b""

    def fragment(self, key: FragmentKey, at: int, more: bool, data: bytes) -> bytes | None:
        """The payload of a fragment, replaced."""
        return self._next(len(data))

    def chunk(self, key: Key, tsn: int, flags: int, data: bytes) -> bytes | None:
        """A part of an SCTP message, replaced."""
        return self._next(len(data))

    def _next(self, size: int) -> bytes | None:
        if self._at >= len(self._slots):
            return None
        pieces, at, kept = self._slots[self._at]
        self._at += 1
        return pieces.cut(at, size) if kept == size else None
