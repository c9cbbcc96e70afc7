"""The frames of some calls, found by reading the captures once more. Floor 6, above the conductor.

In: an analysis, what it was read from, Call-IDs. Out: :class:`Chosen`, the numbers of the frames in each capture. What
belongs says :mod:`.wanted`; what is wrapped, in pieces or on a connection goes through :mod:`.tracking`. Packets go the
way of an analysis (in order of time, out of tunnels and fragments), but nothing is kept of what does not belong.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.block import Block
from ..capture.order import Reading
from ..capture.source import Input
from ..kernels import columns as row
from ..kernels.row import row_hash
from ..kernels.survey import find_few
from ..network.endpoints import address_words
from ..redaction.entrance import inputs_of
from ..result import Result, Stream
from ..rtp.figures import Socket
from ..unpacking import AnomaliesOfCaptures
from .datagrams import find_datagrams
from .tracking import Tracker
from .wanted import Wanted

__all__ = ["Chosen", "find_frames"]

Ints = npt.NDArray[np.int64]
_Key = tuple[int, ...]

_DROPPED = (row.UNKNOWN, row.MALFORMED)
_KEPT = frozenset({row.TCP, row.FRAGMENT, row.SCTP, row.HEP, row.ODD, row.ICMP})
"""Kinds whose bytes wait for their turn in order of time."""
_UNPACKED = _KEPT | {row.RTCP, row.STUN, row.DTLS}
_KEY = slice(row.SRC_HI, row.SSRC + 1)
"""Addresses, ports and SSRC."""
_LATER_NS = 60_000_000_000
"""Reading ends when so much time has passed after the calls."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Frames of one capture."""

    input: Input
    """The capture, to be opened."""
    frames: Ints
    """Numbers, ascending."""
    times: Ints
    """Their times, ns."""
    media: npt.NDArray[np.bool_]
    """Which of them are RTP and nothing else."""


def find_frames(result: Result, sources: Any, call_ids: Collection[str]) -> list[Chosen]:
    """Find the frames of some calls.

    Parameters
    ----------
    result : Result
        The analysis.
    sources : as for :func:`analyze`
        What it was read from.
    call_ids : collection of str
        Which calls.

    Returns
    -------
    list of Chosen
        One a capture that has any, in the order of ``result.captures``.

    Raises
    ------
    CaptureError
        Nothing could be read.
    """
    wanted = Wanted(result, call_ids)
    numbers, inputs = _of_interest(result, wanted, _inputs(result, sources))
    search = _Search(result, wanted, numbers)
    search.run(inputs)
    return search.chosen(inputs)


def _inputs(result: Result, sources: Any) -> list[Input]:
    """What each capture of the result was read from: those that could not be read are none."""
    found: list[Input] = []
    for each in inputs_of(sources, result.options):
        if len(found) < len(result.captures) and each.name == result.captures[len(found)].file:
            found.append(each)
    return found


def _of_interest(result: Result, wanted: Wanted, inputs: Sequence[Input]) -> tuple[list[int], list[Input]]:
    """Numbers of the captures in which something may be, and these; a connection may have begun in any of them."""
    kept = []
    for number, _ in enumerate(inputs):
        capture = result.captures[number]
        near = capture.first is not None and capture.last is not None
        near = near and capture.first <= wanted.end and wanted.begin <= capture.last  # type: ignore[operator]
        if near or number in wanted.captures or wanted.connected or wanted.paths:
            kept.append(number)
    return kept, [inputs[number] for number in kept]


class _Track:
    """Streams with one key, one after the other."""

    __slots__ = ("left", "streams")

    def __init__(self) -> None:
        self.streams: list[Stream] = []  # to come
        self.left = 0  # packets to come of the one that has begun

    def take(self, rows: Ints, captures: Ints) -> npt.NDArray[np.bool_]:
        """Which of these rows are packets of the streams: each from its first packet on, so many."""
        mine = np.zeros(len(rows), np.bool_)
        at = 0
        while at < len(rows):
            if not self.left:
                if not self.streams:
                    break
                first = self.streams[0]
                begins = (rows[at:, row.TIME] == first.start) & (rows[at:, row.FRAME] == first.first_frame)
                found = np.flatnonzero(begins & (captures[at:] == first.capture))
                if not len(found):
                    break
                at += int(found[0])
                self.left = self.streams.pop(0).packets
            count = min(self.left, len(rows) - at)
            mine[at : at + count] = True
            self.left -= count
            at += count
        return mine


class _Nobody(AnomaliesOfCaptures):
    """Says which capture the packet at hand is from, and counts nothing: all of it was told before."""

    def add(self, code: str, frame: int | None = None, detail: str | None = None, count: int = 1) -> None:
        """Count nothing."""


class _Search:
    """One reading."""

    def __init__(self, result: Result, wanted: Wanted, numbers: Sequence[int]) -> None:
        self._options, self._wanted = result.options, wanted
        self._numbers = np.array(numbers, np.int64)
        self._anomalies = _Nobody()
        self._tracker = Tracker(result.options, self._anomalies, wanted)
        self._kept: dict[int, bytes] = {}
        self._keys = 0
        self._few = np.empty(0, np.int64)
        self._tracks: dict[int, dict[_Key, _Track]] = defaultdict(dict)
        for stream in wanted.streams:
            (src, src_port), (dst, dst_port) = stream.src, stream.dst
            key = (*address_words(src), *address_words(dst), src_port << 16 | dst_port, stream.ssrc)
            self._tracks[row_hash(*key)].setdefault(key, _Track()).streams.append(stream)
        self._hashes = np.array(sorted(self._tracks), np.int64)
        self._parts: list[tuple[Ints, bool]] = []  # capture, frame, time of what was found; whether it is RTP
        steps = any(capture.clock_steps for capture in result.captures)
        self._ends = not steps and not result.packets_by_kind.get("hep")

    def run(self, inputs: Sequence[Input]) -> None:
        """Read."""
        reading = Reading(inputs, self._options, self._intake)
        batches = iter(reading)
        with contextlib.closing(batches):  # type: ignore[type-var]
            for rows, which in batches:
                captures = np.full(len(rows), which, np.int64) if isinstance(which, int) else which
                self._take(rows, self._numbers[captures])
                if self._ends and len(rows) and int(rows[0, row.TIME]) > self._wanted.end + _LATER_NS:
                    break
        self._tracker.finish()
        self._settle(np.empty((0, row.WIDTH), np.int64), np.empty(0, np.int64))
        for number, one in zip(self._numbers.tolist(), inputs, strict=True) if self._wanted.datagrams else ():
            found = list(find_datagrams(one, number, self._wanted.datagrams, self._within, self._options))
            if found:
                self._parts.append((np.array(found, np.int64), True))

    def _within(self, src: Socket, dst: Socket, time: int) -> bool:
        """Whether a datagram belongs, and was analysed."""
        since, until = self._options.from_time_ns, self._options.to_time_ns
        return (
            (since is None or time >= since)
            and (until is None or time <= until)
            and self._wanted.packet(src, dst, time)
        )

    def chosen(self, inputs: Sequence[Input]) -> list[Chosen]:
        """What was found."""
        if not self._parts:
            return []
        every = np.concatenate([places for places, _ in self._parts])
        media = np.repeat([media for _, media in self._parts], [len(places) for places, _ in self._parts])
        order = np.lexsort((media, every[:, 1], every[:, 0]))  # what is RTP and something else counts as that
        every, media = every[order], media[order]
        first = np.ones(len(every), np.bool_)
        first[1:] = (every[1:, :2] != every[:-1, :2]).any(axis=1)
        every, media = every[first], media[first]
        out = []
        for number, one in zip(self._numbers.tolist(), inputs, strict=True):
            mine = every[:, 0] == number
            if mine.any():
                out.append(Chosen(one, every[mine, 1], every[mine, 2], media[mine]))
        return out

    # ---- block by block
    def _intake(self, block: Block) -> Ints:
        """Rows that refer to the block no more; messages in datagrams of their own are looked at here."""
        rows, number = block.rows, int(self._numbers[block.capture])
        if len(self._few) < len(rows):
            self._few = np.empty(len(rows), np.int64)
        few = self._few[: find_few(rows, self._few)]
        if not len(few):
            return rows
        kinds = rows[few, row.KIND]
        places = []
        for at, length, frame, time in rows[few[kinds == row.SIP]][
            :, [row.AT, row.LENGTH, row.FRAME, row.TIME]
        ].tolist():
            if self._wanted.message(block.data[at : at + length].tobytes()):
                places.append((number, frame, time))
        if places:
            self._parts.append((np.array(places, np.int64), False))
        for i in few[np.isin(kinds, list(_KEPT))].tolist():
            at = int(rows[i, row.AT])
            self._kept[self._keys] = block.data[at : at + int(rows[i, row.LENGTH])].tobytes()
            rows[i, row.AT] = self._keys
            self._keys += 1
        dropped = few[np.isin(kinds, _DROPPED)]
        if not len(dropped):
            return rows
        wanted = np.ones(len(rows), np.bool_)
        wanted[dropped] = False
        return rows[wanted]

    # ---- in order of time
    def _take(self, rows: Ints, captures: Ints) -> None:
        tracker = self._tracker
        tracker.begin()
        if len(self._few) < len(rows):
            self._few = np.empty(len(rows), np.int64)
        few = self._few[: find_few(rows, self._few)]
        for i in few.tolist():
            packet = rows[i].tolist()
            kind = packet[row.KIND]
            if kind in _UNPACKED:
                payload = self._kept.pop(packet[row.AT]) if kind in _KEPT else b""
                self._anomalies.capture = number = int(captures[i])
                tracker.places = ((number, packet[row.FRAME], packet[row.TIME]),)
                tracker.unpack(i, 0, packet, payload)
        self._settle(rows, captures)

    def _settle(self, rows: Ints, captures: Ints) -> None:
        """Take what the tracker found, and the RTP of these rows."""
        tracker = self._tracker
        if tracker.taken:
            self._parts.append((np.array(tracker.taken, np.int64), False))
            tracker.taken = []
        if not len(self._hashes):
            return
        plain = np.flatnonzero(np.isin(rows[:, row.HASH], self._hashes))
        plain = plain[rows[plain, row.KIND] == row.RTP]
        found, places = rows[plain], np.stack([captures[plain], rows[plain, row.FRAME], rows[plain, row.TIME]], axis=1)
        origins: list[Any] = []
        if tracker.events:  # what was wrapped comes before the row that it stands at
            at = [2 * i for i, _, _ in tracker.events]
            order = np.argsort(np.concatenate([at, plain * 2 + 1]), kind="stable")
            wrapped = np.concatenate([event for _, _, event in tracker.events if not isinstance(event, int)])
            origins = [tracker.origins[i] if i < len(wrapped) else None for i in order.tolist()]
            first = np.array([origin[-1] for origin in tracker.origins], np.int64)
            found, places = np.concatenate([wrapped, found])[order], np.concatenate([first, places])[order]
        if not len(found):
            return
        mine = np.zeros(len(found), np.bool_)
        hashes = found[:, row.HASH]
        for value in np.unique(hashes).tolist():
            for key, track in self._tracks.get(value, {}).items():
                where = np.flatnonzero((hashes == value) & (found[:, _KEY] == np.array(key)).all(axis=1))
                mine[where] = track.take(found[where], places[where, 0])
        if mine.any():
            self._parts.append((places[mine], True))
        for i in np.flatnonzero(mine).tolist() if origins else ():
            if origins[i] is not None and len(origins[i]) > 1:
                self._parts.append((np.array(origins[i], np.int64), True))
