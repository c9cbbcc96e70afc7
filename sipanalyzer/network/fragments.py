"""IP fragments put together again, version 4 and 6, in any order and within limits. Floor 3.

Comes in: whole IP packets that are fragments, with the time and frame of each. Goes out: the whole datagram as one IP
packet, when its last missing piece has come. RFC 791 3.2, RFC 815 and RFC 8200 4.5; overlaps after RFC 5722.

The cost of a fragment is its length and the pieces that it overlaps, which are no more than its bytes; and what is
kept is counted with the cost of keeping it, so neither tiny fragments nor lonely ones make this slow or large.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass, field

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.errors import ParseError
from sipanalyzer.network.synthetic import internet_checksum
from sipanalyzer.options import Options

__all__ = ["FragmentReassembler", "Partial", "fragment_key"]

_PIECE_COST = 160
"""Bytes that Python takes for a piece besides its own."""

_EXTENSIONS = (0, 43, 60, 135)


@dataclass(frozen=True, slots=True)
class _Fragment:
    """What one fragment says."""

    key: tuple[bytes, int, int]
    """Addresses, protocol (0 for version 6), identification."""
    header: bytes
    """All that stands before the fragment's data; of version 6 without the fragment header."""
    start: int
    """Where its data belong in the datagram."""
    end: int
    """Where they end, on the wire."""
    more: bool
    data: bytes
    """The data as captured; shorter than ``end - start`` where the packet was cut."""
    protocol: int
    version: int


@dataclass(slots=True)
class _Datagram:
    """A datagram under reassembly: pieces that do not overlap, and where they begin."""

    time: int
    frame: int
    version: int
    protocol: int = 0
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    covered: int = 0
    total: int | None = None
    header: bytes | None = None
    cost: int = 0
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Partial:
    """The beginning of a datagram whose other fragments never came (a capture filter on ports drops them)."""

    packet: bytes
    """IP packet with as many bytes as there were without a gap; its lengths say how many there had been."""
    time: int
    """Of its first fragment seen, ns."""
    frame: int
    """Likewise."""


def _read_ipv4(packet: bytes) -> _Fragment:
    if len(packet) < 20:
        raise ParseError("ip", "header cut", len(packet))
    size = 4 * (packet[0] & 15)
    total, identification, place = struct.unpack_from(">2xHHH", packet)
    if size < 20 or len(packet) < size or total < size:
        raise ParseError("ip", f"header of {size} bytes in a packet of {total}")
    start = 8 * (place & 0x1FFF)
    key = (packet[12:20], packet[9], identification)
    more = bool(place & 0x2000)
    return _Fragment(key, packet[:size], start, start + total - size, more, packet[size:total], packet[9], 4)


def _read_ipv6(packet: bytes) -> _Fragment:
    if len(packet) < 40:
        raise ParseError("ip", "header cut", len(packet))
    wire = 40 + int.from_bytes(packet[4:6], "big")
    at, before, following = 40, 6, packet[6]
    while following in _EXTENSIONS:
        if at + 8 > len(packet):
            raise ParseError("ip", "extension header cut", at)
        before, following, at = at, packet[at], at + 8 + 8 * packet[at + 1]
    if following != 44 or at + 8 > min(wire, len(packet)):
        raise ParseError("ip", "no fragment header", at)
    protocol, place, identification = struct.unpack_from(">BxHI", packet, at)
    header = packet[:before] + bytes([protocol]) + packet[before + 1 : at]
    start = place & 0xFFF8
    key = (packet[8:40], 0, identification)
    return _Fragment(key, header, start, start + wire - at - 8, bool(place & 1), packet[at + 8 : wire], protocol, 6)


def fragment_key(packet: bytes) -> tuple[bytes, int, int] | None:
    """What all fragments of one datagram share: addresses, protocol (0 for version 6), identification.

    Parameters
    ----------
    packet : bytes
        A whole IP packet that is a fragment, as captured; None is given where it cannot be read.
    """
    try:
        return (_read_ipv6(packet) if packet[:1] and packet[0] >> 4 == 6 else _read_ipv4(packet)).key
    except ParseError:
        return None


def _whole(header: bytes, version: int, data: bytes, length: int) -> bytes:
    """Header and data as one packet whose header says `length` bytes of data and no fragment."""
    if version == 6:
        return header[:4] + (len(header) - 40 + length).to_bytes(2, "big") + header[6:] + data
    mended = header[:2] + (len(header) + length).to_bytes(2, "big") + header[4:6] + bytes(2) + header[8:10]
    mended += bytes(2) + header[12:]
    return mended[:10] + internet_checksum(mended).to_bytes(2, "big") + mended[12:] + data


class FragmentReassembler:
    """Puts IP fragments together.

    Parameters
    ----------
    options : Options
        `max_fragments`, `max_fragment_bytes`, `max_datagram_bytes`, `fragment_timeout_ns`, `duplicate_ns`.
    anomalies : Anomalies
        Gets ``fragment-missing``, ``fragment-overlap``, ``fragment-limit`` and ``malformed-ip``.
    """

    def __init__(self, options: Options, anomalies: Anomalies) -> None:
        self._options, self._anomalies = options, anomalies
        self._open: dict[tuple[bytes, int, int], _Datagram] = {}
        self._done: dict[tuple[bytes, int, int], int] = {}
        self._cost = 0
        self._partial: list[Partial] = []

    def add(self, packet: bytes, time: int, frame: int) -> bytes | None:
        """Take a fragment.

        Parameters
        ----------
        packet : bytes
            The whole IP packet, of either version, as captured.
        time : int
            When it came, ns.
        frame : int
            Its number, for anomalies.

        Returns
        -------
        bytes or None
            The whole datagram, an IP packet with the first fragment's header, when this was the last piece missing.
            Where fragments were cut by the snapshot length it ends before the first byte missing, while its lengths say
            what there was.
        """
        try:
            fragment = _read_ipv6(packet) if packet[:1] and packet[0] >> 4 == 6 else _read_ipv4(packet)
            if fragment.end <= fragment.start:
                raise ParseError("ip", "fragment without data")
            if fragment.more and (fragment.end - fragment.start) % 8:
                raise ParseError("ip", "fragment whose length is no multiple of 8")
        except ParseError as error:
            self._anomalies.add("malformed-ip", frame, error.reason)
            return None
        headers = len(fragment.header) - (40 if fragment.version == 6 else 0)  # as far as the 16-bit length counts them
        if headers + fragment.end > min(self._options.max_datagram_bytes, 65_535):
            self._anomalies.add("fragment-limit", frame)
            return None
        self._expire(time, fragment.key)
        done = self._done.get(fragment.key)
        if done is not None and abs(time - done) < self._options.duplicate_ns:
            return None  # captured twice
        while self._open and self._cost >= self._options.max_fragment_bytes:
            self._drop_oldest(frame)
        datagram = self._open.get(fragment.key)
        if datagram is None:
            while self._open and len(self._open) >= self._options.max_fragments:
                self._drop_oldest(frame)
            datagram = self._open[fragment.key] = _Datagram(time, frame, fragment.version)
        if datagram.refused:
            return None
        if not self._insert(datagram, fragment):
            self._anomalies.add("fragment-overlap", frame)
            if fragment.version == 6:  # RFC 5722: not one of them, nor what comes yet
                self._cost -= datagram.cost
                self._open[fragment.key] = _Datagram(datagram.time, datagram.frame, 6, refused=True)
                return None
        if datagram.total is None or datagram.covered < datagram.total or datagram.header is None:
            return None
        self._forget(fragment.key)
        self._done.pop(fragment.key, None)
        self._done[fragment.key] = time
        if len(self._done) > self._options.max_fragments:
            del self._done[next(iter(self._done))]
        return _whole(datagram.header, datagram.version, self._beginning(datagram), datagram.total)

    def finish(self) -> list[Partial]:
        """Give up what is unfinished, counting each as ``fragment-missing``.

        Returns
        -------
        list of Partial
            The datagrams, given up now or before, whose beginning is there: `max_fragments` at most.
        """
        for key in list(self._open):
            self._give_up(key)
        partial, self._partial = self._partial, []
        return partial

    def _insert(self, datagram: _Datagram, fragment: _Fragment) -> bool:
        """Keep what is new of a fragment; False where it contradicts what is there."""
        agrees = True
        start, end = fragment.start, fragment.end
        if datagram.total is not None and (end > datagram.total or (not fragment.more and end != datagram.total)):
            return False
        if not fragment.more:
            if datagram.ends and end < datagram.ends[-1]:
                return False
            datagram.total = end
        if start == 0 and datagram.header is None:
            datagram.header, datagram.protocol = fragment.header, fragment.protocol
        i = max(bisect_right(datagram.starts, start) - 1, 0)
        while i < len(datagram.starts) and datagram.ends[i] <= start:
            i += 1
        overlaps = fresh = False
        at = start
        while at < end:
            if i < len(datagram.starts) and datagram.starts[i] <= at:  # overlapped: the first bytes stay
                overlaps = True
                stop = min(end, datagram.ends[i])
                old = datagram.pieces[i][at - datagram.starts[i] : stop - datagram.starts[i]]
                new = fragment.data[at - start : stop - start]
                both = min(len(old), len(new))  # either may have been cut
                agrees = agrees and old[:both] == new[:both]
                i += 1
            else:
                stop = min(end, datagram.starts[i]) if i < len(datagram.starts) else end
                fresh = True
                self._keep(datagram, i, at, stop, fragment.data[at - start : stop - start])
                i += 1
            at = stop
        if fragment.version == 6 and overlaps and fresh:
            return False
        return agrees

    def _keep(self, datagram: _Datagram, i: int, start: int, end: int, piece: bytes) -> None:
        datagram.starts.insert(i, start)
        datagram.ends.insert(i, end)
        datagram.pieces.insert(i, piece)
        datagram.covered += end - start
        datagram.cost += len(piece) + _PIECE_COST
        self._cost += len(piece) + _PIECE_COST

    @staticmethod
    def _beginning(datagram: _Datagram) -> bytes:
        """The bytes from 0 up to the first that is missing."""
        pieces: list[bytes] = []
        at = 0
        for start, end, piece in zip(datagram.starts, datagram.ends, datagram.pieces, strict=True):
            if start != at:
                break
            pieces.append(piece)
            at = start + len(piece)
            if at != end:
                break
        return b"".join(pieces)

    def _expire(self, time: int, key: tuple[bytes, int, int]) -> None:
        """Give up what is too old: the oldest ones, and one whose identification comes again."""
        timeout = self._options.fragment_timeout_ns
        datagram = self._open.get(key)
        if datagram is not None and time - datagram.time > timeout:
            self._give_up(key)
        while self._open:
            oldest = next(iter(self._open))
            if time - self._open[oldest].time <= timeout:
                break
            self._give_up(oldest)

    def _drop_oldest(self, frame: int) -> None:
        self._forget(next(iter(self._open)))
        self._anomalies.add("fragment-limit", frame)

    def _forget(self, key: tuple[bytes, int, int]) -> _Datagram:
        datagram = self._open.pop(key)
        self._cost -= datagram.cost
        return datagram

    def _give_up(self, key: tuple[bytes, int, int]) -> None:
        datagram = self._forget(key)
        if datagram.refused:
            return
        self._anomalies.add("fragment-missing", datagram.frame)
        if datagram.header is None or len(self._partial) >= self._options.max_fragments:
            return
        data = self._beginning(datagram)
        length = datagram.total or datagram.ends[-1]
        if datagram.protocol == 17 and len(data) >= 8:  # UDP says how much there was
            length = max(length, int.from_bytes(data[4:6], "big"))
        packet = _whole(datagram.header, datagram.version, data, min(length, 65_535 - len(datagram.header)))
        self._partial.append(Partial(packet, datagram.time, datagram.frame))
