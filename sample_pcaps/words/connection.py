"""One TCP connection of a scene: handshake, segments with right numbers in whatever order they are put, and the end.

Owns: sequence numbers. In: bytes by either side. Out: frames in the scene. Source: RFC 9293.
"""

from __future__ import annotations

from typing import NamedTuple

from .packets import ACK, FIN, PSH, SYN, TCP, ip, tcp
from .scene import SIGNALLING_DSCP, Scene

Socket = tuple[str, int]


class Segment(NamedTuple):
    """Bytes of one side with their place in its sequence space."""

    by_server: bool
    seq: int
    data: bytes


class Connection:
    """A TCP connection between two sockets; `first` is the initial sequence number of client and server."""

    def __init__(self, scene: Scene, client: Socket, server: Socket, first: tuple[int, int] = (1000, 9000)) -> None:
        self.scene, self.ends = scene, (client, server)
        self._next = list(first)
        self._seen = list(first)
        """Sequence number after the last byte put, by side: what the other one acknowledges."""

    def open(self, at_ms: float) -> None:
        """SYN, SYN-ACK and ACK, 1 ms apart."""
        size = b"\x02\x04\x05\xb4"  # maximum segment size 1460
        self._put(at_ms, False, b"", SYN, self._next[0], size)
        self._advance(False, 1)
        self._put(at_ms + 1, True, b"", SYN | ACK, self._next[1], size)
        self._advance(True, 1)
        self._put(at_ms + 2, False, b"", ACK, self._next[0])

    def close(self, at_ms: float) -> None:
        """FIN by the client, FIN by the server, ACK."""
        self._put(at_ms, False, b"", FIN | ACK, self._next[0])
        self._advance(False, 1)
        self._put(at_ms + 1, True, b"", FIN | ACK, self._next[1])
        self._advance(True, 1)
        self._put(at_ms + 2, False, b"", ACK, self._next[0])

    def cut(self, by_server: bool, data: bytes, *sizes: int) -> list[Segment]:
        """The side's next bytes as segments of the given sizes (the rest is the last one), not yet put."""
        segments = []
        for size in (*sizes, len(data)):
            piece, data = data[:size], data[size:]
            if piece:
                segments.append(Segment(by_server, self._next[by_server], piece))
                self._next[by_server] += len(piece)
        return segments

    def put(self, at_ms: float, segment: Segment) -> None:
        """Capture a segment."""
        end = segment.seq + len(segment.data)
        self._seen[segment.by_server] = max(self._seen[segment.by_server], end)
        self._put(at_ms, segment.by_server, segment.data, PSH | ACK, segment.seq)

    def send(self, at_ms: float, by_server: bool, data: bytes) -> None:
        """Capture the side's next bytes in one segment."""
        for segment in self.cut(by_server, data):
            self.put(at_ms, segment)

    def acknowledge(self, at_ms: float, by_server: bool) -> None:
        """Capture a segment without data."""
        self._put(at_ms, by_server, b"", ACK, self._next[by_server])

    def _advance(self, by_server: bool, count: int) -> None:
        self._next[by_server] += count
        self._seen[by_server] = self._next[by_server]

    def _put(self, at_ms: float, by_server: bool, data: bytes, flags: int, seq: int, options: bytes = b"") -> None:
        src, dst = self.ends[by_server], self.ends[not by_server]
        ack = self._seen[not by_server] if flags & ACK else 0
        segment = tcp(data, *src, *dst, seq=seq, ack=ack, flags=flags, options=options)
        self.scene.put(at_ms, ip(segment, src[0], dst[0], TCP, dscp=SIGNALLING_DSCP), src[0], dst[0])
