"""A TLS handshake as an onlooker sees it: whether it came to an end, and what alert broke it off. Floor 3.

Comes in: the segments of a TCP connection whose client began with a handshake record. Goes out: a fatal alert that was
sent in the clear, or whether the handshake is over.

An onlooker sees less of TLS 1.3: all but the two hellos is encrypted, so an alert shows only by its size. Missing bytes
end the judging. Sources: RFC 5246 7, RFC 8446 2 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence

from sipanalyzer.kernels import columns as row
from sipanalyzer.network.tls import (
    ALERT,
    APPLICATION,
    CHANGE_CIPHER,
    CLIENT_HELLO,
    FATAL,
    HANDSHAKE,
    RecordReader,
    alert_name,
)

__all__ = ["CLIENT", "SERVER", "SIDES", "Handshake"]

CLIENT, SERVER = 0, 1
SIDES = ("client", "server")

_SMALLEST_FINISHED = 40
"""Content bytes: an encrypted Finished of TLS 1.3 has 53 or 69, an encrypted alert 19."""


class Handshake:
    """What is known of one handshake.

    Parameters
    ----------
    client_seq, server_seq : int
        Sequence numbers of the first bytes of either side, 32 bits.
    """

    __slots__ = ("_changed", "_finished", "_readers", "_refused", "closing", "hello_frame", "hello_time", "over")

    def __init__(self, client_seq: int, server_seq: int) -> None:
        self._readers = RecordReader(client_seq), RecordReader(server_seq)
        self._changed = [False, False]  # ChangeCipherSpec was sent
        self._finished = [False, False]  # and after it the rest of the handshake
        self._refused = False  # the client's first encrypted record was an alert by its size
        self.hello_time: int | None = None
        """Time of the ClientHello."""
        self.hello_frame = 0
        self.closing = False
        """A side said that it closes: no fault."""
        self.over: bool | None = None
        """True: the handshake was done. False: it cannot be judged. None: under way."""

    @property
    def server_spoke(self) -> bool:
        """Whether the server sent anything."""
        return self._readers[SERVER].started

    def take(self, side: int, packet: Sequence[int], payload: bytes) -> str | None:
        """Take a segment; give what a fatal alert in it says.

        Parameters
        ----------
        side : int
            `CLIENT` or `SERVER`: who sent it.
        packet : sequence of int
            Its row.
        payload : bytes
            What was captured of its payload.
        """
        reader = self._readers[side]
        for record in reader.feed(packet[row.TCP_SEQ], payload, packet[row.TCP_WIRE]):
            if record.type == ALERT and not self._changed[side] and record.length == 2:
                level, number = record.content
                if level == FATAL:
                    return f"{alert_name(number)} from the {SIDES[side]}"
                self.closing = self.closing or number == 0
            elif record.type == ALERT:
                self.closing = True
            elif record.type == CHANGE_CIPHER:
                self._changed[side] = True
            elif record.type == HANDSHAKE:
                self._finished[side] = self._changed[side]
                if side == CLIENT and record.content[:1] == bytes([CLIENT_HELLO]) and self.hello_time is None:
                    self.hello_time, self.hello_frame = packet[row.TIME], packet[row.FRAME]
            elif record.type == APPLICATION and side == CLIENT:
                if record.length >= _SMALLEST_FINISHED:
                    self._finished = [True, True]
                else:
                    self._refused = True
        if all(self._finished):
            self.over = True
        elif reader.lost or (reader.alien and side == CLIENT):
            self.over = False
        return None

    def is_whole(self, side: int, end: int, ack: int) -> bool:
        """Whether all that was sent was captured, by what the segment says with which `side` closes.

        Parameters
        ----------
        side : int
            Who sent it.
        end : int
            Sequence number behind its payload, 32 bits.
        ack : int
            Its acknowledgement; 0 where it has none.
        """
        own, other = self._readers[side], self._readers[1 - side]
        return own.ahead(end) <= 0 and (ack == 0 or other.ahead(ack) <= 1)  # 1: the other side's FIN

    def told(self, side: int) -> str:
        """For people: how far it was when `side` closed the connection."""
        if self._readers[SERVER].alien:
            return f"by the {SIDES[side]}: the server does not speak TLS"
        if not self.server_spoke:
            return f"by the {SIDES[side]} after the ClientHello"
        if self._refused:
            return f"by the {SIDES[side]} after an encrypted alert from the client"
        return f"by the {SIDES[side]} after the ServerHello"
