"""The one conductor: captures go in, a :class:`~sipanalyzer.result.Result` comes out.

Floor 6, the only file that imports floors 2 to 5 together. Rows of packets arrive in order of time. The many (RTP) go
to the stream table as they are; the few (SIP, TCP segments, fragments, odd encapsulations) are taken out one by one. A
session description acts from its own frame on: before it is told to the timeline, the RTP before it is fed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

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
from .network.encapsulation import hep_packet, parse_hep, unwrap
from .network.fragments import FragmentReassembler
from .network.sctp import SctpReassembler
from .network.tcp import Chunk, TcpReassembler
from .options import Options
from .result import TRANSPORTS, Messages, Result
from .sip.framer import TOO_LARGE, Framed, StreamFramer
from .sip.sdp import find_sdp, parse_sdp
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
_KEPT = (row.TCP, row.FRAGMENT, row.SCTP, row.HEP, row.ODD)
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
    return _Conductor(options or Options(), progress).run(captures)


class _Conductor:
    """State of one run."""

    def __init__(self, options: Options, progress: Callable[[Progress], None] | None) -> None:
        self._options, self._progress = options, progress
        self._anomalies = _Counting()
        self._store = MessageStore(options, self._anomalies.each)
        self._timeline = MediaTimeline(options)
        self._tcp = TcpReassembler(options, self._anomalies)
        self._framers: dict[Any, StreamFramer] = {}
        self._sctp = SctpReassembler(options, self._anomalies)
        self._fragments = FragmentReassembler(options, self._anomalies)
        self._kept: dict[int, bytes] = {}
        self._keys = 0
        self._order: list[int] = []
        self._methods: dict[int, str | None] = {}
        self._one = np.zeros((1, row.WIDTH), np.int64)
        self._counts = np.zeros(row.COUNTERS, np.int64)
        """Kinds found inside what Python unwrapped."""
        self._rows: Rows = self._one
        self._captures: int | npt.NDArray[np.int64] = 0
        self._fed = 0
        self._packets = 0

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
    def _intake(self, block: Block) -> Rows:
        """Rows of a block that refer to it no more: `AT` of SIP is a message's index, of others a key of kept bytes."""
        rows = block.rows
        kinds = rows[:, row.KIND]
        if (kinds == row.RTP).all():
            return rows
        self._anomalies.capture = block.capture
        sip = np.flatnonzero(kinds == row.SIP)
        if len(sip):
            first = self._store.add_block(block.data, rows[sip], block.capture)
            rows[sip, row.AT] = np.arange(first, first + len(sip))
        for i in np.flatnonzero((kinds == row.UNKNOWN) | (kinds == row.MALFORMED)).tolist():
            layer, frame = int(rows[i, row.LAYER]), int(rows[i, row.FRAME])
            if int(kinds[i]) == row.UNKNOWN:
                self._anomalies.add("unknown-link-type", frame, f"link type {layer}")
            else:
                self._anomalies.add(_MALFORMED[layer], frame)
        kept = np.isin(kinds, _KEPT)
        for i in np.flatnonzero(kept).tolist():
            at = int(rows[i, row.AT])
            self._kept[self._keys] = block.data[at : at + int(rows[i, row.LENGTH])].tobytes()
            rows[i, row.AT] = self._keys
            self._keys += 1
        ours: Rows = rows[kept | (kinds == row.RTP) | (kinds == row.SIP)]
        return ours

    # ---- row by row, in order of time
    def _take(self, rows: Rows, captures: int | npt.NDArray[np.int64]) -> None:
        """Move everything on by some rows."""
        self._rows, self._captures, self._fed = rows, captures, 0
        few = np.flatnonzero(rows[:, row.KIND] != row.RTP).tolist()
        handlers = self._HANDLERS
        for i in few:
            self._anomalies.capture = captures if isinstance(captures, int) else int(captures[i])
            kind = int(rows[i, row.KIND])
            if kind == row.SIP:
                self._message(int(rows[i, row.AT]), i)
            else:
                handlers[kind](self, rows[i].tolist(), self._kept.pop(int(rows[i, row.AT])), i)
        self._feed(len(rows))

    def _feed(self, end: int) -> None:
        """Let the stream table have the RTP up to this row."""
        if end > self._fed:
            self._timeline.streams.feed(self._rows, self._fed, end, self._captures)
            self._fed = end

    def _message(self, index: int, i: int) -> None:
        """A SIP message has come, at row `i`."""
        self._order.append(index)
        store = self._store
        number = int(store.cseq_method[index]) if store.status[index] else int(store.method[index])
        if number not in self._methods:
            self._methods[number] = store.text("method", number) if number >= 0 else None
        method = self._methods[number]
        if method not in _OFFERING and method != "BYE":
            return
        call_id = int(store.call_id[index])
        if call_id < 0:
            return
        description = find_sdp(store.content_type(index), store.body(index)) if method in _OFFERING else None
        sdp = None
        if description is not None:
            try:
                sdp = parse_sdp(description)
            except ParseError:
                self._anomalies.add("sdp-malformed", int(store.frame[index]))
            else:
                lost = _LOST_LINES.intersection(sdp.defects)
                if lost:
                    self._anomalies.add("sdp-malformed", int(store.frame[index]), min(lost))
        self._feed(i)
        status = int(store.status[index])
        src, dst = store.sockets(index)
        self._timeline.signal(
            Signal(
                time=int(store.time[index]),
                call_id=call_id,
                request=status == 0,
                status=status,
                method=method or "",
                from_tag=int(store.from_tag[index]),
                to_tag=int(store.to_tag[index]),
                src=src,
                dst=dst,
                sdp=sdp,
            )
        )

    # ---- the few
    def _segment(self, packet: list[int], payload: bytes, i: int) -> None:
        key = (packet[row.SRC_HI], packet[row.SRC_LO], packet[row.DST_HI], packet[row.DST_LO], packet[row.PORTS])
        chunks = self._tcp.segment(
            key, packet[row.TIME], packet[row.FRAME], packet[row.TCP_SEQ], packet[row.TCP_ACK], packet[row.TCP_FLAGS],
            payload, packet[row.TCP_WIRE],
        )  # fmt: skip
        for chunk in chunks:
            self._frame(chunk, i)

    def _frame(self, chunk: Chunk, i: int) -> None:
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
        self._store_framed(chunk.key, framed, i)

    def _store_framed(self, key: Any, framed: Sequence[Framed], i: int) -> None:
        src_high, src_low, dst_high, dst_low, ports = key
        for message in framed:
            if message.truncated:
                self._anomalies.add("sip-truncated", message.frame)
            if TOO_LARGE in message.defects:
                self._anomalies.add("sip-too-large", message.frame)
            index = self._store.add(
                message.data, message.time, message.frame, src_high, src_low, ports >> 16, dst_high, dst_low,
                ports & 0xFFFF, TRANSPORTS.index(message.transport), self._anomalies.capture, message.truncated,
            )  # fmt: skip
            self._message(index, i)

    def _fragment(self, packet: list[int], payload: bytes, i: int) -> None:
        whole = self._fragments.add(payload, packet[row.TIME], packet[row.FRAME])
        if whole is not None:
            self._decode(whole, _RAW_IP, packet, i)

    def _sctp_packet(self, packet: list[int], payload: bytes, i: int) -> None:
        addresses = packet[row.SRC_HI], packet[row.SRC_LO], packet[row.DST_HI], packet[row.DST_LO]
        for message in self._sctp.packet(*addresses, packet[row.TIME], packet[row.FRAME], payload):
            if not looks_like_sip(np.frombuffer(message.data, np.uint8), 0, len(message.data)):
                continue
            index = self._store.add(
                message.data, message.time, message.frame, addresses[0], addresses[1], message.ports >> 16,
                addresses[2], addresses[3], message.ports & 0xFFFF, TRANSPORTS.index("SCTP"),
                self._anomalies.capture, message.truncated,
            )  # fmt: skip
            self._message(index, i)

    def _hep(self, packet: list[int], payload: bytes, i: int) -> None:
        try:
            hep = parse_hep(payload)
        except ParseError:
            self._anomalies.add("malformed-tunnel", packet[row.FRAME], "HEP")
            return
        if hep.time_ns is not None:
            packet = [hep.time_ns, *packet[1:]]
        self._decode(hep_packet(hep), _RAW_IP, packet, i, transport="TCP" if hep.ip_protocol == 6 else None)

    def _odd(self, packet: list[int], payload: bytes, i: int) -> None:
        try:
            inner = unwrap(payload, packet[row.LAYER])
        except ParseError:
            self._anomalies.add("malformed-link", packet[row.FRAME])
            return
        if inner is not None:
            self._decode(*inner, packet, i)

    def _decode(self, data: bytes, link: int, outer: list[int], i: int, transport: str | None = None) -> None:
        """Decode a packet that was unwrapped or put together, as if it had come in place of the outer one."""
        buffer = np.frombuffer(bytearray(data), np.uint8)
        inner = self._one
        size = len(data)
        time, frame = outer[row.TIME], outer[row.FRAME]
        if not size or not decode_one(
            buffer, 0, size, size, link, time, frame, self._options.max_tunnel_depth, inner, self._counts
        ):
            return
        packet = inner[0].tolist()
        kind = packet[row.KIND]
        payload = data[packet[row.AT] : packet[row.AT] + packet[row.LENGTH]] if kind != row.RTP else b""
        if kind == row.RTP:
            self._feed(i)
            self._timeline.streams.feed(inner.copy(), 0, 1, self._anomalies.capture)
        elif kind == row.SIP:
            index = self._store.add(
                payload, time, frame, packet[row.SRC_HI], packet[row.SRC_LO], packet[row.PORTS] >> 16,
                packet[row.DST_HI], packet[row.DST_LO], packet[row.PORTS] & 0xFFFF,
                TRANSPORTS.index(transport or "UDP"), self._anomalies.capture, False,
            )  # fmt: skip
            self._message(index, i)
        elif kind == row.MALFORMED:
            self._anomalies.add(_MALFORMED[packet[row.LAYER]], frame)
        elif kind in self._HANDLERS:
            self._HANDLERS[kind](self, packet, payload, i)

    _HANDLERS: ClassVar[dict[int, Callable[[_Conductor, list[int], bytes, int], None]]] = {
        row.TCP: _segment,
        row.FRAGMENT: _fragment,
        row.SCTP: _sctp_packet,
        row.HEP: _hep,
        row.ODD: _odd,
    }

    # ---- the end
    def _finish_transports(self) -> None:
        self._rows, self._fed = self._one, 0
        for chunk in self._tcp.finish():
            self._frame(chunk, 0)
        for key, framer in self._framers.items():
            self._store_framed(key, framer.finish(), 0)
        self._sctp.finish()
        self._fragments.finish()

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
