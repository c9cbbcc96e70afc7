"""Which TCP segments carry what is looked for. Floor 6, above the conductor.

In: the segments of one direction of a connection, where each stands in the stream of bytes, and which stretches of it
became messages that are looked for, or others. Out: the places (:data:`Place`) of the segments to be taken.

A segment is taken when a byte of a message that is looked for is in it, however often it was sent; and where it holds
no message at all (a keep-alive, the upgrade of a WebSocket), when it stands between two such messages, or between the
beginning of the connection and the first: without it there were a hole. What only other messages are in is not taken.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..network.tcp import Chunk, TcpReassembler
from ..network.tcpstate import Direction, Key

__all__ = ["Place", "PlacedChunk", "PlacingReassembler", "Way"]

Place = tuple[int, int, int]
"""Capture, frame, time (ns)."""

_REMEMBERED = 1_000
"""Stretches without a message that are remembered; where there are more, none of them is."""
_LEAST = 64

START, MINE, OTHER = range(3)
"""What the last message of a direction was: there was none yet, one that is looked for, another."""


@dataclass(frozen=True, slots=True)
class PlacedChunk(Chunk):
    """Bytes of one direction, with where they stand in it."""

    begin: int = 0
    """Unwrapped sequence number of the first."""
    fresh: bool = False
    """Nothing but a mark: sequence numbers of this direction begin anew."""


class PlacingReassembler(TcpReassembler):
    """Says of each chunk where it stands."""

    def direction(self, key: Key) -> Direction | None:
        """What is known of a direction."""
        return self.directions.get(key)

    def _deliver(self, key: Key, direction: Direction, data: bytes, time: int, frame: int, out: list[Chunk]) -> None:
        begin, before = direction.next, len(out)
        super()._deliver(key, direction, data, time, frame, out)
        if len(out) > before:
            made = out[-1]
            out[-1] = PlacedChunk(key, made.data, time, frame, made.gap, made.end, begin)

    def _open(self, key: Key, first: int, isn: int | None, time: int, frame: int, out: list[Chunk]) -> Direction:
        direction = super()._open(key, first, isn, time, frame, out)
        out.append(PlacedChunk(key, b"", time, frame, False, False, 0, True))
        return direction

    def _restart(self, key: Key, direction: Direction, time: int, frame: int, seq: int, out: list[Chunk]) -> Direction:
        fresh = super()._restart(key, direction, time, frame, seq, out)
        out.append(PlacedChunk(key, b"", time, frame, False, False, 0, True))
        return fresh


class _Piece(NamedTuple):
    begin: int
    end: int
    places: tuple[Place, ...]
    """Of its frame; of several where they were IP fragments."""


class Way:
    """One direction of a connection."""

    __slots__ = ("_end", "_limit", "_neutral", "_opening", "_pending", "_pieces", "_taken", "last", "syns")

    def __init__(self) -> None:
        self.last = START
        self.syns: list[Place] = []
        """Places of its SYNs; empty once they were taken, or are of no use."""
        self._pieces: list[_Piece] = []
        self._taken: list[tuple[int, int]] = []  # stretches, in order
        self._neutral: list[tuple[int, int]] = []  # stretches without a message since the last one
        self._opening: list[tuple[Place, ...]] = []  # pieces before the first message
        self._pending: int | None = None  # where what waits for more bytes begins
        self._end = 0  # of the bytes that were looked at
        self._limit = _LEAST

    def log(self, begin: int, end: int, places: tuple[Place, ...]) -> tuple[Place, ...]:
        """Note a segment; its places, where bytes in it were taken before."""
        self._pieces.append(_Piece(begin, end, places))
        at = bisect.bisect_left(self._taken, (begin, begin))
        near = self._taken[max(0, at - 1) : at + 1]
        return places if any(first < end and begin < last for first, last in near) else ()

    def edges(self, begin: int, end: int) -> list[int]:
        """Where segments begin or end between two places, both included."""
        inner = {edge for piece in self._pieces for edge in piece[:2] if begin < edge < end}
        return sorted(inner | {begin, end})

    def settle(
        self, begin: int, end: int, verdicts: Sequence[bool], waits: bool, *, all_of_it: bool = False
    ) -> list[Place]:
        """Take in what a stretch of bytes became; the places to be taken.

        Parameters
        ----------
        begin, end : int
            The stretch, which holds the edge of no segment inside.
        verdicts : sequence of bool
            Of each message that it completed: whether it is looked for.
        waits : bool
            Whether some of the bytes wait for more.
        all_of_it : bool
            Whether messages cannot be read without all that was sent before them.
        """
        self._end = end
        since = begin if self._pending is None else self._pending
        taken: list[Place] = []
        for number, mine in enumerate(verdicts):
            if mine:
                first = since if number == 0 else begin
                taken += self._before(first)
                if all_of_it:
                    first = min((piece.begin for piece in self._pieces), default=first)
                taken += self._take((first, end))
            self.last = MINE if mine else OTHER
            self._neutral.clear()
        if not waits:
            self._pending = None
            if not verdicts and begin < end:
                self._pass((since, end))
        elif verdicts:
            self._pending = begin
        else:
            self._pending = since
        if not all_of_it:
            self._prune(end)
        return taken

    def lose(self, verdicts: Sequence[bool]) -> list[Place]:
        """The next bytes are missing: what was under way ends here; `verdicts`: of what that became, as above."""
        taken: list[Place] = []
        if self._pending is not None and any(verdicts):
            taken = self._take((self._pending, self._end))
        if verdicts:
            self.last = MINE if verdicts[-1] else OTHER
        self._pending = None
        return taken

    def _before(self, begin: int) -> list[Place]:
        """What stands before a message that is looked for, and holds none."""
        taken: list[Place] = []
        if self.last == START or (not self._taken and self._swapped(begin)):
            taken, self.syns = self.syns, []
        for stretch in self._neutral if self.last != OTHER else ():
            taken += self._take(stretch)
        return taken

    def _swapped(self, begin: int) -> bool:
        """Whether a segment came before one that it follows: then where the direction begins must be known."""
        came = [piece.begin for piece in self._pieces if piece.end > begin]
        return came != sorted(came)

    def upgrade(self) -> list[Place]:
        """The beginning of a connection, which says what language is spoken on it."""
        taken, self.syns = self.syns, []
        for places in self._opening:
            taken += places
        self._opening = []
        return taken

    def _pass(self, stretch: tuple[int, int]) -> None:
        if self.last == START and len(self._opening) < _LEAST:
            self._opening += [piece.places for piece in self._pieces if _overlap(piece, stretch)]
        self._neutral.append(stretch)
        if len(self._neutral) > _REMEMBERED:
            self._neutral.clear()

    def _take(self, stretch: tuple[int, int]) -> list[Place]:
        if self._taken and self._taken[-1][1] >= stretch[0]:
            self._taken[-1] = min(self._taken[-1][0], stretch[0]), max(self._taken[-1][1], stretch[1])
        else:
            self._taken.append(stretch)
        return [place for piece in self._pieces if _overlap(piece, stretch) for place in piece.places]

    def _prune(self, end: int) -> None:
        """Forget segments that nothing can be made of any more."""
        if len(self._pieces) <= self._limit:
            return
        since = min(end if self._pending is None else self._pending, *(first for first, _ in self._neutral), end)
        self._pieces = [piece for piece in self._pieces if piece.end > since]
        self._limit = max(_LEAST, 2 * len(self._pieces))


def _overlap(piece: _Piece, stretch: tuple[int, int]) -> bool:
    return piece.begin < stretch[1] and stretch[0] < piece.end
