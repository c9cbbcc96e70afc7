"""Packets are unpacked once more, and of each it is remembered in which frames it came. Floor 6, above the conductor.

In: rows of everything but plain RTP and SIP, with their bytes, in order of time. Out: the places (capture, frame, time)
of those that are looked for (:class:`~.wanted.Wanted`); RTP that was wrapped, with the places of what it came in.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..kernels import columns as row
from ..network.fragments import fragment_key
from ..network.icmp import ip_version, parse_icmp
from ..network.sctp import SctpReassembler
from ..network.tcp import FIN, RST, SYN, Chunk
from ..network.tcpstate import MASK, Key, reverse
from ..options import Options
from ..result import Endpoint
from ..rtp.figures import Socket
from ..sip.framer import Framed
from ..sip.msrp import MsrpSessions, Transaction
from ..sip.spans import MessageStore
from ..unpacking import AnomaliesOfCaptures, Unpacker
from .segments import MINE, OTHER, START, Place, PlacedChunk, PlacingReassembler, Way
from .wanted import Wanted

__all__ = ["Tracker"]

_RAW_IP = 101
_SYNS = 16
"""SYNs of one direction that are remembered."""
_CHUNKS = 65_536
"""SCTP fragments whose places are remembered."""


@dataclass(slots=True)
class _Datagram:
    """IP fragments of one datagram."""

    begin: int
    places: list[Place] = field(default_factory=list)
    done: int | None = None
    """When it was whole."""
    mine: bool = False


class _Associations(SctpReassembler):
    """Remembers in which frames the fragments of a user message came."""

    def __init__(self, options: Options, anomalies: AnomaliesOfCaptures) -> None:
        super().__init__(options, anomalies)
        self.places: tuple[Place, ...] = ()
        """Of the packet at hand."""
        self.parts: list[Place] = []
        """Of what was completed."""
        self._held: OrderedDict[tuple[int, int], tuple[Place, ...]] = OrderedDict()

    def _join(self, association: Any, tsn: int, chunk: Any) -> list[Any]:
        self._remember(association, chunk)
        return self._completed(association, super()._join(association, tsn, chunk))

    def _gather(self, association: Any, chunk: Any) -> list[Any]:
        self._remember(association, chunk)
        return self._completed(association, super()._gather(association, chunk))

    def _remember(self, association: Any, chunk: Any) -> None:
        self._held[id(association), chunk.tsn] = self.places
        if len(self._held) > _CHUNKS:
            self._held.popitem(last=False)

    def _completed(self, association: Any, whole: list[Any]) -> list[Any]:
        for chunk in whole:
            self.parts += self._held.pop((id(association), chunk.tsn), ())
        return whole


class _Chats(MsrpSessions):
    """Says of each MSRP transaction whether it is looked for."""

    def __init__(self, options: Options, paths: set[str]) -> None:
        super().__init__(options)
        self._paths = paths
        self.verdicts: list[tuple[bool, bool, bool]] = []

    def add(self, transaction: Transaction, src: Endpoint, dst: Endpoint, capture: int) -> None:
        mine = transaction.from_path in self._paths or transaction.to_path in self._paths
        self.verdicts.append((mine, False, False))


class Tracker(Unpacker):
    """Finds the frames of what is looked for.

    Parameters
    ----------
    options : Options
        Of the analysis.
    anomalies : AnomaliesOfCaptures
        Its `capture` is that of the packet at hand; what is counted there interests nobody.
    wanted : Wanted
        What is looked for.
    """

    def __init__(self, options: Options, anomalies: AnomaliesOfCaptures, wanted: Wanted) -> None:
        super().__init__(options, MessageStore(options), anomalies)
        self._wanted = wanted
        self._tcp = self._placing = PlacingReassembler(options, anomalies)
        self._sctp = self._associations = _Associations(options, anomalies)
        self._msrp = self._chats = _Chats(options, wanted.paths)
        self._verdicts = self._chats.verdicts  # mine, truncated, from a WebSocket: of each message just completed
        self._ways: dict[Key, Way] = {}
        self._datagrams: OrderedDict[tuple[bytes, int, int], _Datagram] = OrderedDict()
        self._unfinished: OrderedDict[tuple[int, int], _Datagram] = OrderedDict()
        self.places: tuple[Place, ...] = ()
        """Of the packet at hand: its frame, or those of its fragments."""
        self.taken: list[Place] = []
        """Of what is looked for, since :meth:`begin`."""
        self.origins: list[tuple[Place, ...]] = []
        """Of each event (RTP that was wrapped), since :meth:`begin`."""

    def begin(self) -> None:
        """Start new lists."""
        super().begin()
        self.taken, self.origins = [], []

    def finish(self) -> None:
        """After the last packet: what is still held."""
        self.begin()
        for chunk in self._placing.finish():
            self._frame(chunk)
        for key, framer in list(self._framers.items()):
            self._keep_framed(key, framer.finish())
            self._lost(key)
        for partial in self._fragments.finish():
            datagram = self._unfinished.get((partial.time, partial.frame))
            if datagram is not None:
                self.places = tuple(datagram.places)
                outer = [partial.time, partial.frame, *[0] * (row.WIDTH - 2)]
                missing = self._options.max_datagram_bytes
                self._decode(partial.packet, _RAW_IP, outer, 0, missing=missing, fragmented=True)

    # ---- one packet
    def _dispatch(
        self, packet: list[int], payload: bytes, depth: int, transport: str = "UDP", fragmented: bool = False
    ) -> None:
        kind = packet[row.KIND]
        if kind == row.RTCP:
            place = self._anomalies.capture, packet[row.FRAME]
            if self._wanted.report(*_ends(packet), packet[row.TIME], *place):
                self.taken += self.places
        elif kind == row.STUN or kind == row.DTLS:
            if self._wanted.packet(*_ends(packet), packet[row.TIME]):
                self.taken += self.places
        elif kind == row.ICMP:
            quoted = parse_icmp(payload, ip_version(packet[row.SRC_HI], packet[row.SRC_LO]))
            if quoted is not None and self._wanted.complaint(quoted, payload, packet[row.TIME]):
                self.taken += self.places
        elif kind == row.FRAGMENT:
            self._fragment(packet, payload, depth)
        else:
            super()._dispatch(packet, payload, depth, transport, fragmented)

    def _decode(self, *arguments: Any, **words: Any) -> None:
        super()._decode(*arguments, **words)
        while len(self.origins) < len(self.events):
            self.origins.append(self.places)

    def _keep(self, data: bytes, time: int, frame: int, key: Key, transport: str, truncated: bool) -> int:
        if self._wanted.message(data):
            self.taken += self.places
        return -1

    def _fragment(self, packet: list[int], payload: bytes, depth: int) -> None:
        key, time = fragment_key(payload), packet[row.TIME]
        if key is None or depth >= self._options.max_tunnel_depth:
            return
        datagram = self._datagrams.get(key)
        if datagram is None or self._is_over(datagram, time):
            self._datagrams.pop(key, None)
            datagram = self._datagrams[key] = self._unfinished[time, packet[row.FRAME]] = _Datagram(time)
            for known in (self._datagrams, self._unfinished):
                if len(known) > 2 * self._options.max_fragments:
                    known.popitem(last=False)
        datagram.places += self.places
        whole = self._fragments.add(payload, time, packet[row.FRAME])
        if whole is not None:
            before, own, self.places = len(self.taken), self.places, tuple(datagram.places)
            self._decode(whole, _RAW_IP, packet, depth, fragmented=True)
            self.places = own
            datagram.done, datagram.mine = time, len(self.taken) > before
        elif datagram.mine:  # captured twice
            self.taken += self.places

    def _is_over(self, datagram: _Datagram, time: int) -> bool:
        if datagram.done is not None:
            return abs(time - datagram.done) >= self._options.duplicate_ns
        return time - datagram.begin > self._options.fragment_timeout_ns

    def _sctp_packet(self, packet: list[int], payload: bytes) -> None:
        addresses = packet[row.SRC_HI], packet[row.SRC_LO], packet[row.DST_HI], packet[row.DST_LO]
        associations = self._associations
        associations.places, associations.parts = self.places, []
        for message in associations.packet(*addresses, packet[row.TIME], packet[row.FRAME], payload):
            if self._wanted.message(message.data):
                self.taken += (*associations.parts, *self.places)

    # ---- TCP
    def _segment(self, packet: list[int], payload: bytes) -> None:
        key: Key = (
            packet[row.SRC_HI], packet[row.SRC_LO], packet[row.DST_HI], packet[row.DST_LO], packet[row.PORTS],
        )  # fmt: skip
        flags, wire = packet[row.TCP_FLAGS], max(packet[row.TCP_WIRE], len(payload))
        chunks = self._placing.segment(
            key, packet[row.TIME], packet[row.FRAME], packet[row.TCP_SEQ], packet[row.TCP_ACK], flags, payload, wire,
        )  # fmt: skip
        fresh = [n for n, chunk in enumerate(chunks) if isinstance(chunk, PlacedChunk) and chunk.fresh]
        split = fresh[-1] + 1 if fresh else 0
        for chunk in chunks[:split]:
            self._frame(chunk)
        direction = self._placing.direction(key)
        if direction is None:
            self._ways.pop(key, None)
            return
        if fresh or key not in self._ways:
            self._ways[key] = Way()
        way = self._ways[key]
        if flags & SYN and len(way.syns) < _SYNS and way.last == START:
            way.syns += self.places
        if wire:
            begin = direction.unwrap(packet[row.TCP_SEQ] + bool(flags & SYN) & MASK)
            self.taken += way.log(begin, begin + wire, self.places)
        for chunk in chunks[split:]:
            self._frame(chunk)
        if flags & (FIN | RST):
            other = self._ways.get(reverse(key))
            lasts = {way.last, START if other is None else other.last}
            if MINE in lasts and OTHER not in lasts:
                self.taken += self.places
        if self._placing.direction(key) is None:
            self._ways.pop(key, None)

    def _frame(self, chunk: Chunk) -> None:
        if isinstance(chunk, PlacedChunk) and chunk.fresh:
            return
        key, time, frame = chunk.key, chunk.time, chunk.frame
        if chunk.gap or chunk.end:
            super()._frame(Chunk(key, b"", time, frame, chunk.gap, chunk.end))
            self._lost(key)
        if not chunk.data or not isinstance(chunk, PlacedChunk):
            return
        way = self._ways.setdefault(key, Way())
        edges = way.edges(chunk.begin, chunk.begin + len(chunk.data))
        for begin, end in itertools.pairwise(edges):
            piece = chunk.data[begin - chunk.begin : end - chunk.begin]
            super()._frame(Chunk(key, piece, time, frame, False, False))
            self._settle(key, way, begin, end)
            if self._placing.direction(key) is None:  # it is not SIP
                return

    def _settle(self, key: Key, way: Way, begin: int, end: int) -> None:
        """What some bytes became: messages, some of which may be looked for."""
        framer, reader = self._framers.get(key), self._msrp_readers.get(key)
        waits = (framer is not None and framer.pending) or (reader is not None and reader.pending)
        mine = [verdict for verdict, _, _ in self._verdicts]
        if any(mine):
            other = self._ways.get(reverse(key))
            if way.last == START and other is not None and other.last == START:
                self.taken += other.syns
                other.syns = []
            if any(web and verdict for verdict, _, web in self._verdicts):
                self.taken += way.upgrade() + ([] if other is None else other.upgrade())
        all_of_it = framer is not None and framer.inflates
        self.taken += way.settle(begin, end, mine, waits, all_of_it=all_of_it)
        self._verdicts.clear()

    def _lost(self, key: Key) -> None:
        """Bytes are missing, or nothing more comes: what was under way is given, cut."""
        way = self._ways.get(key)
        if way is not None:
            self.taken += way.lose([mine for mine, _, _ in self._verdicts])
        self._verdicts.clear()

    def _keep_framed(self, key: Key, framed: Sequence[Framed]) -> None:
        for each in framed:
            self._verdicts.append((self._wanted.message(each.data), each.truncated, each.transport == "WS"))


def _ends(packet: Sequence[int]) -> tuple[Socket, Socket]:
    """Source and destination of a packet."""
    ports = packet[row.PORTS]
    return (
        (packet[row.SRC_HI], packet[row.SRC_LO], ports >> 16),
        (packet[row.DST_HI], packet[row.DST_LO], ports & 0xFFFF),
    )
