"""Packets that are neither plain RTP nor SIP in a datagram of its own become messages, or RTP. Floor 5.

Comes in: rows of everything but plain RTP and SIP, with their bytes, in order of time. Goes out: events, each at its
row: the index of a message that was stored, or a row of RTP. What is unwrapped or put together is decoded by the kernel
as if it had been captured so. RTCP, ICMP, STUN, DTLS, TCP's own events and MSRP go to those who collect them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .anomalies import Anomalies
from .errors import ParseError
from .facts import Endpoint, MsrpSession
from .kernels import columns as row
from .kernels import compiled
from .kernels.packet import decode_one
from .kernels.sipstart import looks_like_sip
from .network.checks import MediaChecks
from .network.connections import ConnectionWatch
from .network.encapsulation import hep_packet, parse_hep, unwrap
from .network.endpoints import address_text
from .network.fragments import FragmentReassembler
from .network.icmp import IcmpErrors
from .network.sctp import SctpReassembler
from .network.tcp import Chunk, Key, TcpReassembler
from .options import Options
from .result import TRANSPORTS, Ints
from .sip.framer import TOO_LARGE, Framed, StreamFramer
from .sip.msrp import START as MSRP_START
from .sip.msrp import MsrpReader, MsrpSessions
from .sip.plain_streams import PlainStreams
from .sip.spans import MessageStore

__all__ = ["MALFORMED", "AnomaliesOfCaptures", "Event", "RtcpSink", "Unpacker"]

_RAW_IP = 101
MALFORMED = {
    row.BAD_LINK: "malformed-link",
    row.BAD_IP: "malformed-ip",
    row.BAD_TRANSPORT: "malformed-transport",
    row.BAD_TUNNEL: "malformed-tunnel",
    row.TOO_DEEP: "tunnel-depth",
    row.BAD_RTP: "rtp-malformed",
}
"""Anomaly of each code that a row of kind MALFORMED may have."""

Event = tuple[int, int, int | Ints]
"""At which row, after how many rows of RTP, what: a message's index, or RTP that was wrapped."""

RtcpSink = Callable[[Endpoint, Endpoint, int, int, int, bytes], None]
"""Takes an RTCP packet: source, destination, time (ns), frame, capture, and what was captured of its bytes."""
_ENDPOINTS = 65_536
"""Endpoints whose texts are remembered."""


class AnomaliesOfCaptures(Anomalies):
    """Anomalies of whichever file the packet at hand is from."""

    def __init__(self) -> None:
        super().__init__()
        self.each: list[Anomalies] = []
        self.capture = 0

    def add(self, code: str, frame: int | None = None, detail: str | None = None, count: int = 1) -> None:
        """Count it there."""
        self.each[self.capture].add(code, frame, detail, count)


def _key(packet: Sequence[int]) -> Key:
    """Source, destination and ports of a packet."""
    return packet[row.SRC_HI], packet[row.SRC_LO], packet[row.DST_HI], packet[row.DST_LO], packet[row.PORTS]


class Unpacker:
    """What is under way in transports and fragments.

    Parameters
    ----------
    options : Options
        Limits.
    store : MessageStore
        Where messages go.
    anomalies : AnomaliesOfCaptures
        Where anomalies are counted; its `capture` is set to that of the packet at hand.
    on_rtcp : callable, optional
        Told of every RTCP packet.
    """

    def __init__(
        self,
        options: Options,
        store: MessageStore,
        anomalies: AnomaliesOfCaptures,
        on_rtcp: RtcpSink | None = None,
    ) -> None:
        self._options, self._store, self._anomalies = options, store, anomalies
        self._on_rtcp = on_rtcp
        self._endpoints: dict[tuple[int, int, int], Endpoint] = {}
        self._msrp_readers: dict[Key, MsrpReader] = {}
        self._msrp = MsrpSessions(options, anomalies)
        self.icmp = IcmpErrors(options, anomalies)
        """ICMP errors."""
        self.connections = ConnectionWatch(options, anomalies)
        """TCP connections that fail."""
        self.checks = MediaChecks(options, anomalies)
        """ICE and DTLS."""
        self.fragmented: set[int] = set()
        """Indices of messages whose datagram came in IP fragments."""
        self._tcp = TcpReassembler(options, anomalies)
        self._framers: dict[Key, StreamFramer] = {}
        self._plain = PlainStreams(options, store, self._tcp, self.connections, self._framers)
        self._sctp = SctpReassembler(options, anomalies)
        self._fragments = FragmentReassembler(options, anomalies)
        self._one = np.zeros((1, row.WIDTH), np.int64)
        self._row = self._rtp_before = 0
        self.events: list[Event] = []
        """What happened since :meth:`begin`, but for `followed`."""
        self.followed: list[tuple[Ints, Ints, Ints]] = []
        """Messages that were found many at a time since then: as events, in arrays."""
        self.short_way: bool | None = None
        """Whether plain SIP over TCP is found many at a time; None: where kernels are compiled, without which it does
        not pay."""
        self.counts = np.zeros(row.COUNTERS, np.int64)
        """Kinds of what was unwrapped (`columns.COUNTERS`)."""

    def begin(self) -> None:
        """Start a new list of events."""
        self.events, self.followed = [], []
        self._row = self._rtp_before = 0

    def take(self, places: Ints, rtp_before: Ints, packets: Ints, data: bytearray, captures: int | Ints) -> None:
        """Take the packets of a batch.

        Parameters
        ----------
        places, rtp_before : int64[n]
            Go into the events.
        packets : int64[n, 16]
            The rows.
        data : bytearray
            What their `AT` counts in.
        captures : int or int64[n]
            Index of the file, or each one's.
        """
        plain, many = self._plain, len(packets)
        short = compiled() if self.short_way is None else self.short_way
        if short:
            plain.begin(data, packets, captures)
        else:
            plain.leave_all()
        tcp = (packets[:, row.KIND] == row.TCP).tolist()
        i = 0
        while i < many:
            if short and tcp[i]:
                i = plain.follow(i)
                if i == many:
                    break
            packet = packets[i].tolist()
            at = packet[row.AT]
            self._anomalies.capture = captures if isinstance(captures, int) else int(captures[i])
            payload = bytes(data[at : at + packet[row.LENGTH]])
            self.unpack(int(places[i]), int(rtp_before[i]), packet, payload)
            i += 1
        if short:
            self._anomalies.capture = captures if isinstance(captures, int) else int(captures[-1])
            plain.end()
            self.followed = [(places[rows], rtp_before[rows], indices) for rows, indices in plain.taken]

    def unpack(self, i: int, rtp_before: int, packet: list[int], payload: bytes) -> None:
        """Take a packet that came at row `i`, after `rtp_before` rows of RTP.

        Parameters
        ----------
        i, rtp_before : int
            Go into the events.
        packet : list of int
            The row.
        payload : bytes
            What its `AT` and `LENGTH` referred to.
        """
        self._row, self._rtp_before = i, rtp_before
        self._dispatch(packet, payload, 0)

    def finish(self) -> None:
        """After the last packet: what transports still hold becomes events."""
        self.begin()
        self._plain.leave_all()
        for chunk in self._tcp.finish():
            self._frame(chunk)
        for key, framer in self._framers.items():
            self._keep_framed(key, framer.finish())
        self._msrp_readers.clear()
        self._sctp.finish()
        for partial in self._fragments.finish():  # a capture filter on ports keeps first fragments only
            outer = [partial.time, partial.frame, *[0] * (row.WIDTH - 2)]
            self._decode(partial.packet, _RAW_IP, outer, 0, missing=self._options.max_datagram_bytes, fragmented=True)

    def msrp(self) -> tuple[MsrpSession, ...]:
        """Sessions of MSRP, in order of time."""
        return self._msrp.finish()

    def _dispatch(
        self, packet: list[int], payload: bytes, depth: int, transport: str = "UDP", fragmented: bool = False
    ) -> None:
        """Take a packet that is no plain RTP or SIP.

        `depth`: how often Python has unwrapped it so far; `fragmented`: it came in IP fragments just before that.
        """
        kind = packet[row.KIND]
        if kind == row.TCP:
            self._segment(packet, payload)
        elif kind == row.SIP:
            truncated = packet[row.WIRE_LENGTH] > packet[row.LENGTH]
            index = self._keep(payload, packet[row.TIME], packet[row.FRAME], _key(packet), transport, truncated)
            if fragmented:
                self.fragmented.add(index)
        elif kind == row.RTCP:
            self._rtcp(packet, payload)
        elif kind == row.STUN or kind == row.DTLS:
            self.checks.add(packet, payload, self._anomalies.capture)
        elif kind == row.ICMP:
            self.icmp.add(packet, payload, self._anomalies.capture)
        elif kind == row.SCTP:
            self._sctp_packet(packet, payload)
        elif kind == row.MALFORMED:
            self._anomalies.add(MALFORMED[packet[row.LAYER]], packet[row.FRAME])
        elif depth >= self._options.max_tunnel_depth:
            self._anomalies.add("tunnel-depth", packet[row.FRAME])
        elif kind == row.FRAGMENT:
            whole = self._fragments.add(payload, packet[row.TIME], packet[row.FRAME])
            if whole is not None:
                self._decode(whole, _RAW_IP, packet, depth, fragmented=True)
        elif kind == row.HEP:
            self._hep(packet, payload, depth)
        elif kind == row.ODD:
            self._odd(packet, payload, depth)

    def _decode(
        self,
        data: bytes,
        link: int,
        outer: list[int],
        depth: int,
        transport: str = "UDP",
        missing: int = 0,
        fragmented: bool = False,
    ) -> None:
        """Decode a packet that was unwrapped or put together, as if it had come in place of the outer one."""
        if not data:
            return
        buffer = np.frombuffer(bytearray(data), np.uint8)
        size, one = len(data), self._one
        if not decode_one(
            buffer, 0, size, size + missing, link, outer[row.TIME], outer[row.FRAME], self._options.max_tunnel_depth,
            one, self.counts,
        ):  # fmt: skip
            return
        if one[0, row.TRAFFIC] < 256:
            one[0, row.TRAFFIC] |= outer[row.TRAFFIC] & ~255  # the VLAN stood outside
        packet = one[0].tolist()
        if packet[row.KIND] == row.RTP:
            self.events.append((self._row, self._rtp_before, one.copy()))
        else:
            at = packet[row.AT]
            self._dispatch(packet, data[at : at + packet[row.LENGTH]], depth + 1, transport, fragmented)

    def _endpoint(self, hi: int, lo: int, port: int) -> Endpoint:
        """Address and port for people; each is written once."""
        endpoint = self._endpoints.get((hi, lo, port))
        if endpoint is None:
            if len(self._endpoints) >= _ENDPOINTS:
                self._endpoints.clear()
            endpoint = self._endpoints[hi, lo, port] = address_text(hi, lo), port
        return endpoint

    def _sockets(self, key: Key) -> tuple[Endpoint, Endpoint]:
        src_hi, src_lo, dst_hi, dst_lo, ports = key
        return self._endpoint(src_hi, src_lo, ports >> 16), self._endpoint(dst_hi, dst_lo, ports & 0xFFFF)

    def _rtcp(self, packet: list[int], payload: bytes) -> None:
        if self._on_rtcp is not None:
            src, dst = self._sockets(_key(packet))
            self._on_rtcp(src, dst, packet[row.TIME], packet[row.FRAME], self._anomalies.capture, payload)

    def _hep(self, packet: list[int], payload: bytes, depth: int) -> None:
        try:
            hep = parse_hep(payload, self._options.max_hep_inflated_bytes)
        except ParseError:
            self._anomalies.add("malformed-tunnel", packet[row.FRAME], "HEP")
            return
        if hep.time_ns is not None:
            packet = [hep.time_ns, *packet[1:]]
        self._decode(hep_packet(hep), _RAW_IP, packet, depth, "TCP" if hep.ip_protocol == 6 else "UDP")

    def _odd(self, packet: list[int], payload: bytes, depth: int) -> None:
        try:
            inner = unwrap(payload, packet[row.LAYER])
        except ParseError:
            self._anomalies.add("malformed-link", packet[row.FRAME])
            return
        if inner is not None:
            self._decode(*inner, packet, depth)

    def _segment(self, packet: list[int], payload: bytes) -> None:
        key, plain = _key(packet), self._plain
        plain.leave(key)
        self.connections.add(key, packet, payload, self._anomalies.capture)
        chunks = self._tcp.segment(
            key, packet[row.TIME], packet[row.FRAME], packet[row.TCP_SEQ], packet[row.TCP_ACK],
            packet[row.TCP_FLAGS], payload, packet[row.TCP_WIRE],
        )  # fmt: skip
        for chunk in chunks:
            self._frame(chunk)
        if plain.active:
            plain.note(key)
            plain.enter(key)

    def _frame(self, chunk: Chunk) -> None:
        """In-order bytes of one direction of a TCP connection."""
        key = chunk.key
        if key in self._msrp_readers:
            self._read_msrp(chunk)
            return
        framer = self._framers.get(key)
        if (framer is None or not framer.verdict) and chunk.data.startswith(MSRP_START):
            self._framers.pop(key, None)
            self._msrp_readers[key] = MsrpReader()
            self._read_msrp(chunk)
            return
        if framer is None:
            framer = self._framers[key] = StreamFramer(self._options, self._anomalies)
        framed = framer.feed(chunk.data, chunk.time, chunk.frame, chunk.gap)
        if chunk.end:
            framed += framer.finish()
            del self._framers[key]
        elif framer.verdict is False:
            self._tcp.ignore(key)
            del self._framers[key]
        self._keep_framed(key, framed)

    def _read_msrp(self, chunk: Chunk) -> None:
        """In-order bytes of a direction that speaks MSRP."""
        for transaction in self._msrp_readers[chunk.key].feed(chunk.data, chunk.time, chunk.frame, chunk.gap):
            self._msrp.add(transaction, *self._sockets(chunk.key), self._anomalies.capture)
        if chunk.end:
            del self._msrp_readers[chunk.key]

    def _keep_framed(self, key: Key, framed: Sequence[Framed]) -> None:
        for message in framed:
            if TOO_LARGE in message.defects:
                self._anomalies.add("sip-too-large", message.frame)
            self._keep(message.data, message.time, message.frame, key, message.transport, message.truncated)

    def _sctp_packet(self, packet: list[int], payload: bytes) -> None:
        addresses = packet[row.SRC_HI], packet[row.SRC_LO], packet[row.DST_HI], packet[row.DST_LO]
        for message in self._sctp.packet(*addresses, packet[row.TIME], packet[row.FRAME], payload):
            if looks_like_sip(np.frombuffer(message.data, np.uint8), 0, len(message.data)):
                key = (*addresses, message.ports)
                self._keep(message.data, message.time, message.frame, key, "SCTP", message.truncated)

    def _keep(self, data: bytes, time: int, frame: int, key: Key, transport: str, truncated: bool) -> int:
        """Keep a message that did not come in a datagram of its own; its index."""
        src_high, src_low, dst_high, dst_low, ports = key
        number, index = TRANSPORTS.index(transport), None
        if self._plain.active:
            index = self._plain.put(data, (time, frame, int(truncated), *key), number, self._anomalies.capture)
        if index is None:
            index = self._store.add(
                data, time, frame, src_high, src_low, ports >> 16, dst_high, dst_low, ports & 0xFFFF, number,
                self._anomalies.capture, truncated,
            )  # fmt: skip
        self.events.append((self._row, self._rtp_before, index))
        return index
