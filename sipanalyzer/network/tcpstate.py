"""What is known of one direction of a TCP connection, and the pieces in which its bytes come and go. Floor 3.

Comes in and goes out through :mod:`sipanalyzer.network.tcp`, which has the rules; here are the nouns, the arithmetic of
sequence numbers (RFC 9293 3.4) and the resolution of overlaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Chunk", "Direction", "Held", "Key", "painted", "reverse"]

MASK = 0xFFFFFFFF
HALF = 1 << 31

Key = tuple[int, int, int, int, int]
"""One direction: src_hi, src_lo, dst_hi, dst_lo, source port << 16 | destination port."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of one direction, in sequence."""

    key: Key
    data: bytes
    """May be empty: then only `gap` or `end` says something."""
    time: int
    """Time (ns) of the packet that made these bytes deliverable."""
    frame: int
    """Frame number of that packet."""
    gap: bool
    """Bytes are missing before `data`; also where the capture starts in mid-stream."""
    end: bool
    """The stream is over (FIN, RST, a new SYN, or dropped by a limit); `data` is empty."""


def reverse(key: Key) -> Key:
    """Key of the other direction of the same connection."""
    src_hi, src_lo, dst_hi, dst_lo, ports = key
    return dst_hi, dst_lo, src_hi, src_lo, (ports << 16 | ports >> 16) & MASK


class Held(NamedTuple):
    """A segment behind a hole; ordered by where it begins, then by arrival (`order` is never equal)."""

    start: int
    order: int
    data: bytes
    wire_end: int
    time: int
    frame: int


class Direction:
    """What is known of one direction. Sequence numbers are unwrapped: integers that only grow.

    The comments below say what each attribute is.
    """

    __slots__ = (
        "acked", "acked_time", "behind", "fin", "first", "gap", "held", "held_bytes", "hole", "isn", "live", "next",
        "starts", "tail",
    )  # fmt: skip

    def __init__(self, first: int, isn: int | None, time: int) -> None:
        self.first = first
        self.next = first  # the next byte to deliver
        self.isn = isn  # of the SYN, 32 bits; None where none was seen
        self.gap = isn is None  # what is delivered next comes after missing bytes
        self.live = False  # something was delivered, and its end not yet
        self.fin: int | None = None  # where the stream ends
        self.tail = b""  # the last bytes delivered, ending at `next`
        self.held: list[Held] = []  # heap
        self.held_bytes = 0
        self.starts: dict[int, bytes] = {}  # held segments by where they begin
        self.hole = 0  # number of the hole at `next`; 0: there is none
        self.behind = 0  # segments held since the hole at `next` opened
        self.acked = first  # highest acknowledgement by the other side, and when it came
        self.acked_time = time

    @property
    def is_plain(self) -> bool:
        """Whether a segment that begins at `next` continues the stream, and nothing else has to be thought of."""
        return self.live and not self.gap and not self.held and self.fin is None

    def unwrap(self, seq: int) -> int:
        """Unwrapped sequence number: the one nearest to `next`."""
        return self.next + ((seq - self.next + HALF) & MASK) - HALF


def painted(run: list[Held], begin: int) -> tuple[list[bytes], list[Held]]:
    """Resolve the overlaps of a run without holes: the bytes that arrived first win.

    Parameters
    ----------
    run : list of Held
        In order of where they begin.
    begin : int
        Bytes before it were delivered, and are left out.

    Returns
    -------
    list of bytes
        What each item adds, in sequence.
    list of Held
        The items that said something else than what won.
    """
    origin = run[0].start
    canvas = bytearray(max(item.start + len(item.data) for item in run) - origin)
    for item in sorted(run, key=lambda item: -item.order):  # the first comes last, over all others
        canvas[item.start - origin : item.start - origin + len(item.data)] = item.data
    pieces, contradicted = [], []
    at = begin
    for item in run:
        end = item.start + len(item.data)
        if canvas[item.start - origin : end - origin] != item.data:
            contradicted.append(item)
        pieces.append(bytes(canvas[at - origin : end - origin]) if end > at else b"")
        at = max(at, end)
    return pieces, contradicted
