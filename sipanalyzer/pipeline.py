"""The one conductor: captures go in, a :class:`~sipanalyzer.result.Result` comes out.

Floor 6, the only file that imports floors 2 to 5 together. Rows of packets arrive in order of time. The many (RTP) go
to the stream table as they are; the few (SIP, TCP segments, fragments, odd encapsulations) are taken out one by one. A
session description acts from its own frame on: before it is told to the timeline, the RTP before it is fed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .anomalies import Anomalies
from .calls.calls import build_calls
from .calls.dialogs import track_dialogs
from .calls.media import match_streams
from .calls.timeline import MediaTimeline, Signal
from .calls.transactions import classify_copies, match_transactions
from .capture.block import Block
from .capture.order import Reading
from .capture.source import expand
from .errors import ParseError
from .kernels import columns as row
from .kernels.packet import decode_one
from .kernels.sipstart import looks_like_sip
from .kernels.survey import find_few
from .network.encapsulation import hep_packet, parse_hep, unwrap
from .network.fragments import FragmentReassembler
from .network.sctp import SctpReassembler
from .network.tcp import Chunk, Key, TcpReassembler
from .options import Options
from .result import TRANSPORTS, Messages, Result
from .sip.framer import TOO_LARGE, Framed, StreamFramer
from .sip.sdp import Sdp, find_sdp, parse_sdp
from .sip.spans import MessageStore

__all__ = ["Progress", "analyze"]

Rows = npt.NDArray[np.int64]

_RAW_IP = 101
_OFFERING = frozenset({"INVITE", "ACK", "PRACK", "UPDATE"})
"""Methods whose requests and responses carry offers and answers (RFC 3261 13.2.1, RFC 3262, RFC 3311)."""
_MALFORMED = {
    row.BAD_LINK: "malformed-link",
    row.BAD_IP: "malformed-ip",
    row.BAD_TRANSPORT: "malformed-transport",
    row.BAD_TUNNEL: "malformed-tunnel",
    row.TOO_DEEP: "tunnel-depth",
    row.BAD_RTP: "rtp-malformed",
}
_KIND_NAMES = {
    row.RTP: "rtp", row.RTCP: "rtcp", row.STUN: "stun", row.SIP: "sip", row.TCP: "tcp", row.FRAGMENT: "fragment",
    row.SCTP: "sctp", row.HEP: "hep", row.DTLS: "dtls", row.TURN: "turn", row.ICMP: "icmp", row.OTHER: "other",
    row.UNKNOWN: "unknown", row.MALFORMED: "malformed", row.ODD: "odd",
}  # fmt: skip
_LOST_LINES = frozenset(
    {"too-long", "malformed-line", "bad-connection", "bad-media", "bad-rtpmap", "missing-connection"}
)
"""Defects of a session description by which something that it said is lost."""
_KEPT = frozenset({row.TCP, row.FRAGMENT, row.SCTP, row.HEP, row.ODD})
"""Kinds whose bytes wait for their turn in order of time."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an analysis is."""

    bytes_read: int
    """Of the files as they lie there (compressed, if they are)."""
    bytes_total: int
    """0 where it is not known (standard input)."""
    packets: int
    calls: int
    """Call-IDs seen so far."""


class _Counting(Anomalies):
    """Anomalies of whichever file the packet at hand is from."""

    def __init__(self) -> None:
        super().__init__()
        self.each: list[Anomalies] = []
        self.capture = 0

    def add(self, code: str, frame: int | None = None, detail: str | None = None, count: int = 1) -> None:
        """Count it there."""
        self.each[self.capture].add(code, frame, detail, count)


def analyze(
    captures: Any, options: Options | None = None, progress: Callable[[Progress], None] | None = None
) -> Result:
    """Read captures and say what happened in them.

    Parameters
    ----------
    captures : path, URL, directory, glob, ``-``, binary file object, or a sequence of these
        Several are one capture, in order of time.
    options : Options, optional
        Settings; the defaults otherwise.
    progress : callable, optional
        Told after every block.

    Returns
    -------
    Result

    Raises
    ------
    CaptureError
        Nothing could be read.
    """
    collecting = gc.isenabled()
    gc.disable()  # millions of small objects, none of them in a cycle
    try:
        return _Conductor(options or Options(), progress).run(captures)
    finally:
        if collecting:
            gc.enable()


def _key(packet: Sequence[int]) -> Key:
    """Source, destination and ports of a packet."""
    return packet[row.SRC_HI], packet[row.SRC_LO], packet[row.DST_HI], packet[row.DST_LO], packet[row.PORTS]


class _Conductor:
    """State of one run."""

    def __init__(self, options: Options, progress: Callable[[Progress], None] | None) -> None:
        self._options, self._progress = options, progress
        self._anomalies = _Counting()
        self._store = MessageStore(options, self._anomalies.each)
        self._timeline = MediaTimeline(options)
        self._tcp = TcpReassembler(options, self._anomalies)
        self._framers: dict[Key, StreamFramer] = {}
        self._sctp = SctpReassembler(options, self._anomalies)
        self._fragments = FragmentReassembler(options, self._anomalies)
        self._kept: dict[int, bytes] = {}
        self._keys = 0
        self._order: list[int] = []
        self._events: list[tuple[int, int, int | Rows]] = []
        """What happened at which row, after how many rows of RTP: a message's index, or RTP that was wrapped."""
        self._row = self._rtp_before = 0
        self._methods: dict[int, str] = {}
        self._plain_sdp: dict[int, bool] = {}
        """By number of a content type: whether it says that the body is a session description and nothing else."""
        self._numbers = np.empty(0, np.int64)
        self._one = np.zeros((1, row.WIDTH), np.int64)
        self._counts = np.zeros(row.COUNTERS, np.int64)
        """Kinds found inside what Python unwrapped."""

    # ---- the run
    def run(self, captures: Any) -> Result:
        reading = Reading(expand(captures), self._options, self._intake, self._anomalies.each)
        for rows, which in reading:
            self._take(rows, which)
            if self._progress is not None:
                read, total = reading.progress()
                self._progress(Progress(read, total, reading.packets, self._store.calls()))
        self._finish_transports()
        found = reading.captures()
        messages = self._messages(clock_steps=any(capture.clock_steps for capture in found))
        transactions = match_transactions(messages, self._options)
        dialogs = track_dialogs(messages, transactions, self._options)
        end = max((capture.last for capture in found if capture.last is not None), default=0)
        calls = build_calls(messages, transactions, dialogs, end, self._options)
        bindings = {self._store.text("call_id", call_id): bound for call_id, bound in self._timeline.bindings().items()}
        streams, calls = match_streams(self._timeline.streams.finish(), bindings, calls, self._options)
        counts = reading.counts() + self._counts
        for stream in streams:
            for code in stream.anomalies:
                self._anomalies.each[stream.capture].add(code, stream.first_frame)
        if self._timeline.streams.not_tabled:
            self._anomalies.add("rtp-stream-limit", count=self._timeline.streams.not_tabled)
        return Result(
            options=self._options,
            captures=tuple(found),
            messages=messages,
            transactions=tuple(transactions),
            dialogs=tuple(dialogs),
            calls=tuple(calls),
            streams=tuple(streams),
            packets_by_kind={name: int(counts[kind]) for kind, name in _KIND_NAMES.items() if counts[kind]},
            extra={"unreadable": list(reading.unreadable)},
        )

    # ---- block by block: what rows point at is kept before the block goes
    def _few(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Numbers of the rows that are not RTP."""
        if len(self._numbers) < len(rows):
            self._numbers = np.empty(len(rows), np.int64)
        return self._numbers[: find_few(rows, self._numbers)]

    def _intake(self, block: Block) -> Rows:
        """Rows of a block that refer to it no more: `AT` of SIP is a message's index, of others a key of kept bytes."""
        rows = block.rows
        few = self._few(rows)
        if not len(few):
            return rows
        self._anomalies.capture = block.capture
        kinds = rows[few, row.KIND]
        sip = few[kinds == row.SIP]
        if len(sip):
            first = self._store.add_block(block.data, rows[sip], block.capture)
            rows[sip, row.AT] = np.arange(first, first + len(sip))
            if len(sip) == len(few):
                return rows
        wanted = np.ones(len(rows), np.bool_)
        for i, kind in zip(few.tolist(), kinds.tolist(), strict=True):
            if kind in _KEPT:
                at = int(rows[i, row.AT])
                self._kept[self._keys] = block.data[at : at + int(rows[i, row.LENGTH])].tobytes()
                rows[i, row.AT] = self._keys
                self._keys += 1
            elif kind != row.SIP:
                wanted[i] = False
                layer, frame = int(rows[i, row.LAYER]), int(rows[i, row.FRAME])
                if kind == row.UNKNOWN:
                    self._anomalies.add("unknown-link-type", frame, f"link type {layer}")
                elif kind == row.MALFORMED:
                    self._anomalies.add(_MALFORMED[layer], frame)
        return rows if wanted.all() else rows[wanted]

    # ---- row by row, in order of time
    def _take(self, rows: Rows, captures: int | npt.NDArray[np.int64]) -> None:
        """Move everything on by some rows.

        First the few become messages (and RTP, where it was wrapped), all of them; their headers are then found in one
        batch. Then messages and RTP take effect in order.
        """
        self._events = []
        for rank, i in enumerate(self._few(rows).tolist()):
            self._anomalies.capture = captures if isinstance(captures, int) else int(captures[i])
            self._row, self._rtp_before = i, i - rank
            if int(rows[i, row.KIND]) == row.SIP:
                self._events.append((i, i - rank, int(rows[i, row.AT])))
            else:
                self._dispatch(rows[i].tolist(), self._kept.pop(int(rows[i, row.AT])), 0)
        self._apply(rows, captures)

    def _apply(self, rows: Rows, captures: int | npt.NDArray[np.int64]) -> None:
        """Let what happened take effect, in order: each event after the RTP of the rows before it."""
        streams = self._timeline.streams
        signals = self._signals([event for _, _, event in self._events if isinstance(event, int)])
        fed = rtp_fed = 0
        for i, rtp_before, event in self._events:
            signal = None
            if isinstance(event, int):
                self._order.append(event)
                signal = signals.get(event)
                if signal is None:
                    continue
            if rtp_before > rtp_fed:
                streams.feed(rows, fed, i, captures)
                fed, rtp_fed = i, rtp_before
            if signal is not None:
                self._timeline.signal(signal)
            elif not isinstance(event, int):
                streams.feed(event, 0, 1, captures if isinstance(captures, int) else int(captures[i]))
        streams.feed(rows, fed, len(rows), captures)

    def _signals(self, indices: list[int]) -> dict[int, Signal]:
        """What messages say to the timeline; only those that say something."""
        store = self._store
        if not indices:
            return {}
        numbers = np.where(store.status[indices] > 0, store.cseq_method[indices], store.method[indices])
        told, methods = [], []
        for index, number, call_id in zip(indices, numbers.tolist(), store.call_id[indices].tolist(), strict=True):
            if number not in self._methods:
                method = store.text("method", number) if number >= 0 else ""
                self._methods[number] = method if method in _OFFERING or method == "BYE" else ""
            if self._methods[number] and call_id >= 0:
                told.append(index)
                methods.append(self._methods[number])
        columns = (store.time, store.call_id, store.status, store.from_tag, store.to_tag, store.body_length)
        values = zip(told, methods, *(column[told].tolist() for column in columns), strict=True) if told else ()
        signals = {}
        for index, method, time, call_id, status, from_tag, to_tag, body_length in values:
            sdp = self._description(index) if body_length and method in _OFFERING else None
            ends = method == "BYE" and status == 0
            if sdp is not None or ends or (method == "INVITE" and (status == 0 or status >= 200)):
                signals[index] = Signal(
                    time, call_id, status == 0, status, method, from_tag, to_tag, *store.sockets(index), sdp
                )
        return signals

    def _description(self, index: int) -> Sdp | None:
        """The session description of a message, if it has one that can be read."""
        store = self._store
        content_type = int(store.column("content_type")[index])
        if content_type not in self._plain_sdp:
            self._plain_sdp[content_type] = (store.content_type(index) or "").lower() == "application/sdp"
        body = store.body(index)
        description = body if self._plain_sdp[content_type] else find_sdp(store.content_type(index), body)
        if description is None:
            return None
        anomalies, frame = self._anomalies.each[int(store.capture[index])], int(store.frame[index])
        try:
            sdp = parse_sdp(description)
        except ParseError:
            anomalies.add("sdp-malformed", frame)
            return None
        lost = _LOST_LINES.intersection(sdp.defects)
        if lost:
            anomalies.add("sdp-malformed", frame, min(lost))
        return sdp

    # ---- the few
    def _dispatch(self, packet: list[int], payload: bytes, depth: int, transport: str = "UDP") -> None:
        """Take a packet that is no plain RTP or SIP; `depth`: how often Python has unwrapped it so far."""
        kind = packet[row.KIND]
        if kind == row.TCP:
            self._segment(packet, payload)
        elif kind == row.SIP:
            truncated = packet[row.WIRE_LENGTH] > packet[row.LENGTH]
            self._keep(payload, packet[row.TIME], packet[row.FRAME], _key(packet), transport, truncated)
        elif kind == row.SCTP:
            self._sctp_packet(packet, payload)
        elif kind == row.MALFORMED:
            self._anomalies.add(_MALFORMED[packet[row.LAYER]], packet[row.FRAME])
        elif depth >= self._options.max_tunnel_depth:
            self._anomalies.add("tunnel-depth", packet[row.FRAME])
        elif kind == row.FRAGMENT:
            whole = self._fragments.add(payload, packet[row.TIME], packet[row.FRAME])
            if whole is not None:
                self._decode(whole, _RAW_IP, packet, depth)
        elif kind == row.HEP:
            self._hep(packet, payload, depth)
        elif kind == row.ODD:
            self._odd(packet, payload, depth)

    def _decode(
        self, data: bytes, link: int, outer: list[int], depth: int, transport: str = "UDP", missing: int = 0
    ) -> None:
        """Decode a packet that was unwrapped or put together, as if it had come in place of the outer one."""
        if not data:
            return
        buffer = np.frombuffer(bytearray(data), np.uint8)
        size, one = len(data), self._one
        if not decode_one(
            buffer, 0, size, size + missing, link, outer[row.TIME], outer[row.FRAME], self._options.max_tunnel_depth,
            one, self._counts,
        ):  # fmt: skip
            return
        if one[0, row.TRAFFIC] < 256:
            one[0, row.TRAFFIC] |= outer[row.TRAFFIC] & ~255  # the VLAN stood outside
        packet = one[0].tolist()
        if packet[row.KIND] == row.RTP:
            self._events.append((self._row, self._rtp_before, one.copy()))
        else:
            at = packet[row.AT]
            self._dispatch(packet, data[at : at + packet[row.LENGTH]], depth + 1, transport)

    def _hep(self, packet: list[int], payload: bytes, depth: int) -> None:
        try:
            hep = parse_hep(payload)
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
        chunks = self._tcp.segment(
            _key(packet), packet[row.TIME], packet[row.FRAME], packet[row.TCP_SEQ], packet[row.TCP_ACK],
            packet[row.TCP_FLAGS], payload, packet[row.TCP_WIRE],
        )  # fmt: skip
        for chunk in chunks:
            self._frame(chunk)

    def _frame(self, chunk: Chunk) -> None:
        """In-order bytes of one direction of a TCP connection."""
        framer = self._framers.get(chunk.key)
        if framer is None:
            framer = self._framers[chunk.key] = StreamFramer(self._options, self._anomalies)
        framed = framer.feed(chunk.data, chunk.time, chunk.frame, chunk.gap)
        if chunk.end:
            framed += framer.finish()
            del self._framers[chunk.key]
        elif framer.verdict is False:
            self._tcp.ignore(chunk.key)
            del self._framers[chunk.key]
        self._keep_framed(chunk.key, framed)

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

    def _keep(self, data: bytes, time: int, frame: int, key: Key, transport: str, truncated: bool) -> None:
        """Keep a message that did not come in a datagram of its own."""
        src_high, src_low, dst_high, dst_low, ports = key
        index = self._store.add(
            data, time, frame, src_high, src_low, ports >> 16, dst_high, dst_low, ports & 0xFFFF,
            TRANSPORTS.index(transport), self._anomalies.capture, truncated,
        )  # fmt: skip
        self._events.append((self._row, self._rtp_before, index))

    # ---- the end
    def _finish_transports(self) -> None:
        """What transports still hold, after the last packet."""
        self._row, self._rtp_before, self._events = 0, 0, []
        for chunk in self._tcp.finish():
            self._frame(chunk)
        for key, framer in self._framers.items():
            self._keep_framed(key, framer.finish())
        self._sctp.finish()
        for partial in self._fragments.finish():  # a capture filter on ports keeps first fragments only
            outer = [partial.time, partial.frame, *[0] * (row.WIDTH - 2)]
            self._decode(partial.packet, _RAW_IP, outer, 0, missing=self._options.max_datagram_bytes)
        self._apply(self._one[:0], self._anomalies.capture)

    def _messages(self, clock_steps: bool) -> Messages:
        """All messages in order, capture duplicates left out."""
        store = self._store
        order = np.array(self._order, np.int64)
        if not clock_steps:  # what came out of a TCP hole came late; after a clock step times are no order
            order = order[np.lexsort((store.frame[order], store.capture[order], store.time[order]))]
        flags = np.zeros((2, len(store)), np.bool_)
        flags[:, order] = classify_copies(
            store.whole[order], store.src[order], store.dst[order], store.time[order], self._options
        )
        retransmission, duplicate = flags
        for i in np.flatnonzero(duplicate).tolist():
            self._anomalies.each[int(store.capture[i])].add("sip-capture-duplicate", int(store.frame[i]))
        return store.finish(order, retransmission, duplicate)
