"""TCP connections that fail: refused, unanswered, reset, or stuck in their TLS handshake. Floor 3.

Comes in: TCP segments with payload, SYN, FIN or RST, in order of time. Goes out:
:class:`~sipanalyzer.facts.Connection`, attempts of one client at one server that failed alike counted together; and how
many segments were larger than a link carries.

Only a connection whose beginning was captured is judged, and what comes after it only where both directions were: a
capture that starts in mid-connection or shows one side says nothing here. Three things look like faults and are none:
a RST after a FIN, a RST by which a client closes once it has its answer, and one that ends what was long silent.
Sources: RFC 9293 3.5 and 3.10.7, RFC 5246, RFC 8446.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

import numpy as np
import numpy.typing as npt

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.facts import Connection, Endpoint
from sipanalyzer.kernels import columns as row
from sipanalyzer.network.endpoints import address_text
from sipanalyzer.network.handshake import CLIENT, SERVER, SIDES, Handshake
from sipanalyzer.network.tcpstate import MASK, Key, reverse
from sipanalyzer.options import Options

__all__ = ["SIP_PORTS", "ConnectionWatch", "Watched"]

SIP_PORTS = frozenset({5060, 5061, 5080})
"""Ports at which a server that never answered is taken for one of SIP (RFC 3261 19.1.2; 5080: a common second one)."""

_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_ENDS = _FIN | _SYN | _RST
_KEEP_ALIVE = 8
"""Payload up to so many bytes asks for nothing: CR LF (RFC 5626 4.4.1), a WebSocket ping, TCP's own probe."""
_CLOSE_NOTIFY = 24
"""Bytes of TLS 1.3's close_notify on the wire: record header, alert, content type, tag."""
_STRAY_NS = 3_000_000_000
"""A host answers a segment for a connection that it does not know within this."""

# phases
_ASKED, _UP, _TLS, _SECURE, _OPEN, _CLOSING, _FAILED = range(7)


class Watched:
    """One connection."""

    __slots__ = (
        "answered", "capture", "first_frame", "first_time", "isn", "key", "last_side", "last_syn", "last_time", "phase",
        "syns", "tls",
    )  # fmt: skip

    def __init__(self, key: Key, isn: int, time: int, frame: int, capture: int, phase: int = _ASKED) -> None:
        self.key = key  # of the client's direction
        self.isn = isn  # of the client
        self.first_time, self.first_frame, self.capture = time, frame, capture
        self.syns, self.last_syn = 1, time
        self.phase = phase
        self.answered = False  # a SYN of the server was seen
        self.last_side = -1  # who sent payload last, and when
        self.last_time = time
        self.tls: Handshake | None = None


class _Fault:
    """Attempts that failed alike."""

    __slots__ = ("capture", "count", "detail", "frame", "port", "syns", "time")

    def __init__(self, time: int, frame: int, capture: int, port: int, detail: str | None) -> None:
        self.time, self.frame, self.capture, self.port, self.detail = time, frame, capture, port, detail
        self.count = self.syns = 0


_FOREIGN = Watched((0, 0, 0, 0, 0), 0, 0, 0, 0, _OPEN)
"""Stands for every connection whose beginning was not captured."""

_Same = tuple[int, int, int, int, int, str]
"""Client's address, server's address and port, fault."""


class ConnectionWatch:
    """Finds the TCP connections that fail.

    Parameters
    ----------
    options : Options
        `max_tcp_connections`, `max_faults`, `large_segment_bytes`, `connect_timeout_ns`, `tls_timeout_ns`,
        `transaction_timeout_ns` and `duplicate_ns` are used.
    anomalies : Anomalies, optional
        Gets ``fault-limit`` where a fault, or a connection under way, is forgotten.
    """

    def __init__(self, options: Options, anomalies: Anomalies | None = None) -> None:
        self._options, self._anomalies = options, anomalies
        self._large_bytes = options.large_segment_bytes
        self._most = 2 * options.max_tcp_connections
        self._known: OrderedDict[Key, tuple[Watched, int]] = OrderedDict()
        self._heard: set[tuple[int, int]] = set()  # hosts that sent TCP segments
        self._faults: dict[_Same, _Fault] = {}
        self.before_dropping: Callable[[Key], None] | None = None
        """Called with a direction that is to be forgotten, since there are too many."""
        self.large_frames: dict[int, int] = {}
        """Segments larger than a link carries, by capture. `Options.large_segment_bytes` says what is large: more than
        Ethernet's 1,500 bytes by a margin. On links with jumbo frames all large segments count; a host that talks to
        itself (loopback) has no link, and is left out."""

    def add(self, key: Key, packet: Sequence[int], payload: bytes, capture: int) -> None:
        """Take a segment.

        Parameters
        ----------
        key : Key
            Its direction.
        packet : sequence of int
            Its row.
        payload : bytes
            What was captured of its payload.
        capture : int
            Index of the file.
        """
        wire = packet[row.TCP_WIRE]
        if wire > self._large_bytes and key[0:2] != key[2:4]:
            self.large_frames[capture] = self.large_frames.get(capture, 0) + 1
        flags = packet[row.TCP_FLAGS]
        entry = self._known.get(key)
        if entry is not None and not flags & _ENDS:
            watched, side = entry
            if watched.phase == _OPEN:
                if wire > _KEEP_ALIVE:
                    watched.last_side = side
                    watched.last_time = packet[row.TIME]
                return
        if flags & _SYN:
            self._syn(key, entry, packet, capture)
            entry = self._known.get(key)
        elif entry is None:
            if not flags & _ENDS:
                self._remember(key, _FOREIGN)
            return
        if entry is None:
            return
        watched, side = entry
        if wire and not flags & _SYN:
            self._payload(watched, side, packet, payload)
        over = bool(flags & (_RST | _FIN))
        if flags & _RST:
            over = self._rst(watched, side, packet)
        elif over:
            self._close(watched, side, packet)
        if over and watched.phase != _FAILED:
            self._known.pop(key, None)
            self._known.pop(reverse(key), None)

    def count_large(self, packets: npt.NDArray[np.int64], captures: int | npt.NDArray[np.int64]) -> None:
        """Take segments only as far as :attr:`large_frames` is concerned.

        Parameters
        ----------
        packets : int64[n, 16]
            Rows of kind TCP.
        captures : int or int64[n]
            Index of the file, or each one's.
        """
        same = (packets[:, row.SRC_HI] == packets[:, row.DST_HI]) & (packets[:, row.SRC_LO] == packets[:, row.DST_LO])
        large = np.flatnonzero((packets[:, row.TCP_WIRE] > self._large_bytes) & ~same)
        for capture in np.broadcast_to(np.asarray(captures), len(packets))[large].tolist():
            self.large_frames[capture] = self.large_frames.get(capture, 0) + 1

    def open_side(self, key: Key) -> tuple[Watched, int] | None:
        """Connection and side of a direction that is plainly open: of it, only who spoke last and when is noted."""
        entry = self._known.get(key)
        return entry if entry is not None and entry[0].phase == _OPEN else None

    def finish(self, sip_sockets: Collection[Endpoint] = (), capture_end: int = 0) -> tuple[Connection, ...]:
        """All faults, in order of time.

        Parameters
        ----------
        sip_sockets : collection of Endpoint
            Addresses and ports that spoke SIP, over whatever transport.
        capture_end : int
            Time (ns) of the last packet: what is unanswered may be so because the capture ends.
        """
        for watched, side in self._known.values():
            if side == CLIENT:
                self._settle(watched, capture_end)
        self._known.clear()
        sockets = frozenset(sip_sockets)
        hosts = {address for address, _ in sockets}
        out = []
        for (client_hi, client_lo, server_hi, server_lo, port, fault), found in self._faults.items():
            server = address_text(server_hi, server_lo), port
            detail = found.detail
            if fault == "no-answer":
                detail = f"{found.syns} SYNs"
                silent = (server_hi, server_lo) not in self._heard and server[0] not in hosts
                if silent and len(self._heard) < self._most:
                    detail += "; nothing else from that host was captured either"
            out.append(
                Connection(
                    time=found.time, frame=found.frame, capture=found.capture,
                    client=(address_text(client_hi, client_lo), found.port), server=server, fault=fault, detail=detail,
                    count=found.count, sip=port in SIP_PORTS or server in sockets,
                )
            )  # fmt: skip
        return tuple(sorted(out, key=lambda one: (one.time, one.capture, one.frame)))

    # ---- what comes

    def _syn(self, key: Key, entry: tuple[Watched, int] | None, packet: Sequence[int], capture: int) -> None:
        """A connection begins, or its beginning is answered or sent again."""
        time, seq = packet[row.TIME], packet[row.TCP_SEQ]
        if packet[row.TCP_FLAGS] & _ACK:
            if entry is None:
                self._remember(key, _FOREIGN)
                return
            watched, side = entry
            if side == SERVER and watched.phase == _ASKED and packet[row.TCP_ACK] - watched.isn - 1 & MASK <= 0xFFFF:
                watched.phase, watched.answered = _UP, True
                watched.tls = Handshake(watched.isn + 1 & MASK, seq + 1 & MASK)
                self._hear(key)
            return
        if entry is not None:
            watched, side = entry
            if side == CLIENT and watched.isn == seq and watched is not _FOREIGN:
                if watched.phase == _ASKED and time - watched.last_syn >= self._options.duplicate_ns:
                    watched.syns += 1
                    watched.last_syn = time
                return
            if side == SERVER and watched.phase == _ASKED:  # both ask at once (RFC 9293 3.5)
                watched.phase = _OPEN
                return
            if side == CLIENT:
                self._settle(watched, time)
        self._remember(key, Watched(key, seq, time, packet[row.FRAME], capture))

    def _payload(self, watched: Watched, side: int, packet: Sequence[int], payload: bytes) -> None:
        """Payload of a connection that is not plainly open."""
        time, wire = packet[row.TIME], packet[row.TCP_WIRE]
        phase = watched.phase
        if phase == _ASKED:  # the answer to the SYN is missing
            watched.phase = _OPEN
        elif phase == _UP:
            watched.phase = _TLS if side == CLIENT and payload[:1] == b"\x16" else _OPEN
            if watched.phase == _OPEN:
                watched.tls = None
        elif phase == _SECURE and (payload[:1] == b"\x15" or (payload[:1] == b"\x17" and wire == _CLOSE_NOTIFY)):
            watched.phase = _CLOSING
        if wire > _KEEP_ALIVE:
            watched.last_side, watched.last_time = side, time
        if watched.phase == _TLS and watched.tls is not None:
            fault = watched.tls.take(side, packet, payload)
            if fault is not None:
                self._note(watched, "tls-alert", time, packet[row.FRAME], fault)
                watched.phase, watched.tls = _FAILED, None
            elif watched.tls.over is not None:
                watched.phase, watched.tls = _SECURE if watched.tls.over else _OPEN, None

    def _rst(self, watched: Watched, side: int, packet: Sequence[int]) -> bool:
        """RST; whether it ends the connection."""
        time, frame, flags = packet[row.TIME], packet[row.FRAME], packet[row.TCP_FLAGS]
        if watched.phase == _ASKED and side == SERVER:
            if flags & _ACK and packet[row.TCP_ACK] - watched.isn - 1 & MASK <= 0xFFFF:
                self._note(watched, "refused", time, frame, None)
                self._hear(reverse(watched.key))
                watched.phase = _FAILED  # stays known: SYN and RST may be captured twice
                return True
            return False  # it is of an earlier connection (RFC 9293 3.10.7.3)
        if watched.phase in (_OPEN, _SECURE) and watched.answered:
            quiet = time - watched.last_time
            if not flags & _ACK:  # RFC 9293 3.10.7.1: answers a segment for a connection that is not known
                if watched.last_side == 1 - side and quiet <= _STRAY_NS:
                    detail = f"the {SIDES[side]} no longer knew the connection"
                    self._note(watched, "reset", time, frame, detail)
            elif quiet <= self._options.transaction_timeout_ns and (
                watched.last_side == CLIENT or (side == SERVER and watched.last_side == SERVER)
            ):
                self._note(watched, "reset", time, frame, f"by the {SIDES[side]}")
        self._close(watched, side, packet)
        return True

    def _close(self, watched: Watched, side: int, packet: Sequence[int]) -> None:
        """FIN or RST: the connection is over."""
        time, tls = packet[row.TIME], watched.tls
        if watched.phase == _ASKED:
            self._settle(watched, time)
        elif watched.phase == _TLS and tls is not None and tls.hello_time is not None and not tls.closing:
            end = packet[row.TCP_SEQ] + packet[row.TCP_WIRE] & MASK
            if tls.is_whole(side, end, packet[row.TCP_ACK]) and not self._unanswered_hello(watched, time):
                self._note(watched, "tls-closed", time, packet[row.FRAME], tls.told(side))

    # ---- verdicts

    def _settle(self, watched: Watched, now: int) -> None:
        """What is to be said where nothing more comes."""
        if watched.phase == _ASKED:
            again = watched.last_syn - watched.first_time >= self._options.duplicate_ns
            if again and now - watched.first_time >= self._options.connect_timeout_ns:
                self._note(watched, "no-answer", watched.first_time, watched.first_frame, None)
        elif watched.phase == _TLS:
            self._unanswered_hello(watched, now)

    def _unanswered_hello(self, watched: Watched, now: int) -> bool:
        """Whether a ClientHello was answered with nothing for too long; notes it."""
        tls = watched.tls
        if tls is None or tls.hello_time is None or tls.server_spoke:
            return False
        if now - tls.hello_time < self._options.tls_timeout_ns:
            return False
        self._note(watched, "tls-no-answer", tls.hello_time, tls.hello_frame, None)
        return True

    def _note(self, watched: Watched, fault: str, time: int, frame: int, detail: str | None) -> None:
        client_hi, client_lo, server_hi, server_lo, ports = watched.key
        same = client_hi, client_lo, server_hi, server_lo, ports & 0xFFFF, fault
        found = self._faults.get(same)
        if found is None:
            if len(self._faults) >= self._options.max_faults:
                self._forgotten(frame)
                return
            found = self._faults[same] = _Fault(time, frame, watched.capture, ports >> 16, detail)
        found.count += 1
        found.syns += watched.syns

    # ---- what is known

    def _hear(self, key: Key) -> None:
        if len(self._heard) < self._most:
            self._heard.add(key[0:2])

    def _remember(self, key: Key, watched: Watched) -> None:
        """Know both directions of a connection from now on."""
        if watched is _FOREIGN:
            self._hear(key)
        other = reverse(key)
        for old in (key, other):
            self._known.pop(old, None)
        while len(self._known) + 2 > self._most and self._known:
            if self.before_dropping is not None:
                self.before_dropping(next(iter(self._known)))
            _, (dropped, _) = self._known.popitem(last=False)
            if dropped.phase in (_ASKED, _TLS):
                self._forgotten(dropped.first_frame)
                dropped.phase = _OPEN  # its other direction says nothing more
        self._known[key] = watched, CLIENT
        self._known[other] = watched, SERVER

    def _forgotten(self, frame: int) -> None:
        if self._anomalies is not None:
            self._anomalies.add("fault-limit", frame)
