"""Reports of quality meet streams: RTCP as it passes, then all of it as lines and as figures of streams. Floor 5.

Comes in: RTCP datagrams in order of time (:meth:`ReportTable.add`); at the end streams, calls and messages. Goes out:
:class:`Reports`. Packets are read by :mod:`sipanalyzer.rtp.rtcp`, SIP's reports by
:mod:`sipanalyzer.sip.quality_reports`; which stream is meant says :mod:`.reported_streams`, what the far end makes of
it :mod:`.far_end`. Sources: RFC 3550 section 6, RFC 3611, RFC 6035.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..errors import ParseError
from ..facts import Rtcp
from ..options import Options
from ..result import Call, Endpoint, Messages, Stream
from ..rtp.departures import Departures
from ..rtp.rtcp import Packet, ReportBlock, parse_rtcp
from ..sip.multipart import part_limits
from ..sip.quality_reports import find_quality_reports
from .far_end import NOT_A_JITTER, Said, StreamReports, far_end, says_received, where_lost
from .quality_rows import quality_rows
from .reported_streams import StreamFinder

__all__ = ["ReportTable", "Reports", "StreamReports", "says_received", "where_lost"]

Values = tuple[tuple[str, float], ...]

_GENERATION_BYTES = 1 << 20
"""RTCP bytes remembered to know a copy by; each of two generations."""


@dataclass(frozen=True, slots=True)
class Reports:
    """What RTCP and SIP report of quality."""

    rows: tuple[Rtcp, ...] = ()
    """Lines of the table, in order of time."""
    by_stream: dict[int, StreamReports] = field(default_factory=dict)
    """By index of the stream reported on."""
    left_out: int = 0
    """Reports in SIP for which `Options.max_rtcp` left no line."""


class _Line(NamedTuple):
    """One line before its stream is known."""

    time: int
    frame: int
    capture: int
    src: Endpoint
    dst: Endpoint
    type: str
    ssrc: int | None
    reported_ssrc: int | None = None
    block: ReportBlock | None = None
    rtt_ns: int | None = None
    values: Values = ()
    sent: int | None = None
    """Packets sent, of a sender report."""
    doubtful: bool = False
    """Whether the packet could not be read in whole: without a stream that it suits, its figures may be ciphertext."""


class ReportTable:
    """Collects RTCP while packets stream past.

    Parameters
    ----------
    options : Options
        `max_rtcp` bounds everything that is kept; `duplicate_ns` is how soon the same bytes between the same sockets
        are a copy (mirror port), which is dropped.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lines: list[_Line] = []
        self._departures = Departures(options.max_rtcp)
        self._young: dict[tuple[Endpoint, Endpoint, bytes], int] = {}
        self._old: dict[tuple[Endpoint, Endpoint, bytes], int] = {}
        self._young_since = 0
        self._young_bytes = 0

    def add(self, src: Endpoint, dst: Endpoint, time: int, frame: int, capture: int, payload: bytes) -> str | None:
        """Take one RTCP datagram.

        Parameters
        ----------
        src : Endpoint
            Of the datagram.
        dst : Endpoint
            Likewise.
        time : int
            When it passed, ns.
        frame, capture : int
            Where it stands.
        payload : bytes
            Of the UDP datagram, as captured.

        Returns
        -------
        str or None
            Code of an anomaly: ``rtcp-malformed``, ``rtcp-limit``.
        """
        if len(self._lines) >= self._options.max_rtcp:
            return "rtcp-limit"
        if self._is_copy(src, dst, time, payload):
            return None
        try:
            packets = parse_rtcp(payload)
        except ParseError:
            return "rtcp-malformed"
        anomaly = None
        for packet in packets:
            for line in self._lines_of(packet, src, dst, time, frame, capture):
                if len(self._lines) >= self._options.max_rtcp:
                    return "rtcp-limit"
                self._lines.append(line)
            if packet.defects:
                anomaly = "rtcp-malformed"
        return anomaly

    def _is_copy(self, src: Endpoint, dst: Endpoint, time: int, payload: bytes) -> bool:
        key = (src, dst, payload)
        seen = self._young.get(key)
        if seen is None:
            seen = self._old.get(key)
        if seen is not None and abs(time - seen) <= self._options.duplicate_ns:
            return True
        if abs(time - self._young_since) > self._options.duplicate_ns or self._young_bytes > _GENERATION_BYTES:
            self._old, self._young, self._young_since, self._young_bytes = self._young, {}, time, 0
        self._young[key] = time
        self._young_bytes += len(payload) + 200
        return False

    def _lines_of(
        self, packet: Packet, src: Endpoint, dst: Endpoint, time: int, frame: int, capture: int
    ) -> Iterator[_Line]:
        """Lines of one packet; what it can be answered to is remembered."""
        place = (time, frame, capture, src, dst, packet.type, packet.ssrc)
        sender, sent, values, doubtful = packet.sender, None, packet.values, bool(packet.defects)
        if sender is not None:
            sent = sender.packets
            values = (("packets_sent", float(sent)), ("octets_sent", float(sender.octets)))
            if packet.ssrc is not None:
                self._departures.add(packet.ssrc, sender.ntp >> 16 & 0xFFFFFFFF, time, src, dst)
        if packet.reports:
            trip = self._departures.round_trip_ns
            for block in packet.reports:
                rtt = None
                if block.last_sr:
                    rtt = trip(block.ssrc, block.last_sr, block.delay_since_sr, time, src, dst)
                yield _Line(*place, block.ssrc, block, rtt, values, sent, doubtful)
                values, sent = (), None
        elif packet.extended:
            yield from self._lines_of_xr(packet, place)
        else:
            about = packet.sources[0] if packet.sources and packet.type in _FEEDBACK else None
            yield _Line(*place, about or None, None, None, values, sent, doubtful)

    def _lines_of_xr(
        self, packet: Packet, place: tuple[int, int, int, Endpoint, Endpoint, str, int | None]
    ) -> Iterator[_Line]:
        """One line for each source that an XR packet tells of; one without, where it tells of none."""
        time, _, _, src, dst, _, ssrc = place
        figures: dict[int, list[tuple[str, float]]] = defaultdict(list)
        trips: dict[int, int | None] = {}
        for block in packet.extended:
            if block.receiver_time is not None and ssrc is not None:
                self._departures.add(ssrc, block.receiver_time, time, src, dst)
            for receiver, stamp, delay in block.delays:
                trips[receiver] = self._departures.round_trip_ns(receiver, stamp, delay, time, src, dst)
            if block.ssrc is not None:
                figures[block.ssrc] += block.values
        for about in dict.fromkeys((*figures, *trips)):
            yield _Line(*place, about, None, trips.get(about), tuple(dict(figures.get(about, ())).items()))
        if not figures and not trips:
            yield _Line(*place)

    # ---- the end
    def finish(self, streams: Sequence[Stream], calls: Sequence[Call], messages: Messages) -> Reports:
        """All lines, and the figures of the streams that they are about.

        Parameters
        ----------
        streams, calls : sequence
            As in the result: indices of streams are kept.
        messages : Messages
            Searched for reports of quality.
        """
        ssrcs = {ssrc for line in self._lines for ssrc in (line.ssrc, line.reported_ssrc) if ssrc is not None}
        hosts = {end[0] for line in self._lines for end in (line.src, line.dst)}
        finder = StreamFinder(streams, self._options, ssrcs, hosts)
        rows: list[Rtcp] = []
        said: dict[int, list[Said]] = defaultdict(list)
        dlrr: dict[int, list[int]] = defaultdict(list)
        sent: dict[int, tuple[int, int]] = {}
        senders: set[tuple[int, Endpoint, Endpoint]] = set()
        place: tuple[object, ...] = ()
        between: int | None = None
        for line in self._lines:
            about = None
            if line.reported_ssrc is not None:
                about = finder.reported(line.reported_ssrc, line.src, line.dst, line.time)
            stream = None if about is None else about[0]
            near = stream
            if near is None:
                if place != line[:5]:  # of all packets of a datagram the same
                    place, between = line[:5], finder.between(line.src, line.dst, line.time)
                near = between
            rows.append(_row(line, streams, stream, near))
            if about is not None and stream is not None:
                if line.block is not None:
                    said[stream].append(_said(line, line.block, about[1]))
                elif line.rtt_ns is not None:
                    dlrr[stream].append(line.rtt_ns)
            if line.sent is not None and line.ssrc is not None and (line.ssrc, line.src, line.dst) not in senders:
                senders.add((line.ssrc, line.src, line.dst))
                # its sender stands where a receiver's report would be sent to
                own = finder.reported(line.ssrc, line.dst, line.src, line.time)
                if own is not None:
                    sent.setdefault(own[0], (line.time, line.sent))
        partial = {call.call_id for call in calls if call.partial}
        by_stream = {
            index: far_end(
                streams[index],
                said.get(index, ()),
                partial=streams[index].call_id in partial,
                sent=sent.get(index),
                other_trips=dlrr.get(index, ()),
            )
            for index in sorted(said.keys() | dlrr.keys())
        }
        found = quality_rows(find_quality_reports(messages, part_limits(self._options)), messages, calls, streams)
        room = max(0, self._options.max_rtcp - len(rows))
        for row in found:
            if row.stream is not None and row.type != "RTP-TxStat" and says_received(row):
                known = by_stream.get(row.stream, StreamReports())
                by_stream[row.stream] = dataclasses.replace(known, received=True)
        if found:
            rows = sorted(rows + found[:room], key=lambda row: row.time)
        return Reports(tuple(rows), by_stream, max(0, len(found) - room))


_FEEDBACK = frozenset({"RTPFB", "PSFB"})


def _said(line: _Line, block: ReportBlock, fit: int) -> Said:
    return Said(
        line.time, line.src, line.ssrc, fit, block.fraction_lost, block.cumulative_lost, block.extended_highest,
        block.jitter, line.rtt_ns,
    )  # fmt: skip


def _row(line: _Line, streams: Sequence[Stream], index: int | None, near: int | None) -> Rtcp:
    """A line of the table: `index` is the stream reported on, `near` it or another between the same hosts."""
    block, reported, values = line.block, line.reported_ssrc, line.values
    clock = None if index is None else streams[index].clock_rate
    rtt_ms = None if line.rtt_ns is None else line.rtt_ns / 1e6
    call_id = None if near is None else streams[near].call_id
    sealed = line.doubtful or (near is not None and streams[near].encrypted)
    if index is None and rtt_ms is None and sealed:
        block = reported = None  # ciphertext of a kind that is not known, or whose end was cut off
        values = ()
    if clock and any(name.endswith("_ticks") for name, _ in values):
        values = tuple(
            (f"{name[:-6]}_ms", 1000.0 * value / clock) if name.endswith("_ticks") else (name, value)
            for name, value in values
        )
    if block is None:
        return Rtcp(
            line.time, line.frame, line.capture, line.src, line.dst, line.type, line.ssrc, reported, rtt_ms=rtt_ms,
            call_id=call_id, stream=index, values=values,
        )  # fmt: skip
    jitter = 1000.0 * block.jitter / clock if clock and block.jitter < NOT_A_JITTER else None
    return Rtcp(
        line.time, line.frame, line.capture, line.src, line.dst, line.type, line.ssrc, reported,
        100.0 * block.fraction_lost / 256, block.cumulative_lost, block.extended_highest, jitter, rtt_ms, call_id,
        index, values,
    )  # fmt: skip
