"""Rows of the packets of some streams, read once more. Floor 6, above the conductor.

In: captures and streams that were found in them. Out: their rows (:mod:`sipanalyzer.kernels.columns`). One pass over
the captures for any number of streams; it ends with the last packet that is wanted. Rows pass the same readers, in the
same order, as when the streams were found; of what is no plain RTP only that is unwrapped which may hold RTP.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ..capture.block import Block
from ..capture.order import Reading
from ..kernels import columns as row
from ..kernels.survey import find_few
from ..network.endpoints import address_words
from ..options import Options
from ..redaction.entrance import inputs_of
from ..result import Stream
from ..sip.spans import MessageStore
from ..unpacking import AnomaliesOfCaptures, Unpacker

__all__ = ["MOST_ROWS", "Rows", "read_packets", "read_packets_of"]

Rows = npt.NDArray[np.int64]

MOST_ROWS = 4_000_000
"""Rows that are kept of many streams, unless said otherwise: half a gigabyte."""
_WRAPPED = frozenset({row.FRAGMENT, row.HEP, row.ODD})
"""Kinds of packets that may hold RTP which the kernel did not see."""
_KEY = slice(row.SRC_HI, row.SSRC + 1)
"""Addresses, ports and SSRC."""
_LOW = 0xFFFF
"""Bits of an SSRC by which most packets of other streams are passed over."""


def read_packets(captures: Any, stream: Stream, options: Options | None = None) -> Rows:
    """Read captures once more for the packets of one stream.

    Parameters
    ----------
    captures : as for :func:`analyze`
        What the stream was found in.
    stream : Stream
        Which.
    options : Options, optional
        Settings of the analysis that found it.

    Returns
    -------
    int64[n, 16]
        Rows of kind RTP (:mod:`.kernels.columns`), in the order in which they came.

    Raises
    ------
    CaptureError
        Nothing could be read.
    """
    (rows,) = read_packets_of(captures, [stream], options, stream.packets)
    return cast(Rows, rows)


def read_packets_of(
    captures: Any, streams: Sequence[Stream], options: Options | None = None, most_rows: int = MOST_ROWS
) -> list[Rows | None]:
    """Read captures once more, in one pass, for the packets of several streams.

    Parameters
    ----------
    captures : as for :func:`analyze`
        What the streams were found in.
    streams : sequence of Stream
        Which; those named first are kept first.
    options : Options, optional
        Settings of the analysis that found them.
    most_rows : int
        Rows kept in all; a row is 128 bytes.

    Returns
    -------
    list of int64[n, 16] or None
        For each stream its rows of kind RTP (:mod:`.kernels.columns`), in the order in which they came; None for a
        stream whose rows would be beyond `most_rows`. Without rows where the captures do not hold it any more.

    Raises
    ------
    CaptureError
        Nothing could be read.
    """
    settings = options or Options()
    wanted: list[_Wanted | None] = []
    left = most_rows
    for stream in streams:
        fits = stream.packets <= left
        left -= stream.packets if fits else 0
        wanted.append(_Wanted(stream) if fits else None)
    collector = _Collector([each for each in wanted if each is not None])
    if not collector.complete:
        with contextlib.closing(_read(captures, settings)) as pieces:
            for rows in pieces:
                collector.take(rows)
                if collector.complete:
                    break
    return [None if each is None else each.rows() for each in wanted]


class _Wanted:
    """A stream whose rows are being collected."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        ports = stream.src[1] << 16 | stream.dst[1]
        self.key = (*address_words(stream.src[0]), *address_words(stream.dst[0]), ports, stream.ssrc)
        self.left = stream.packets
        self._begun = False
        self._parts: list[Rows] = []

    def take(self, rows: Rows) -> int:
        """Take what is its own of the next rows of its key; behind how many of them it ends, 0 if it has not begun.

        What came between the same sockets before and after it is another stream.
        """
        begin = 0
        if not self._begun:
            first = np.flatnonzero(
                (rows[:, row.TIME] == self.stream.start) & (rows[:, row.FRAME] == self.stream.first_frame)
            )
            if not len(first):
                return 0
            begin, self._begun = int(first[0]), True
        own = rows[begin : begin + self.left]
        self.left -= len(own)
        self._parts.append(own.copy())
        return begin + len(own)

    def rows(self) -> Rows:
        return np.concatenate(self._parts) if self._parts else np.empty((0, row.WIDTH), np.int64)


class _Collector:
    """Rows on their way to the streams that they belong to."""

    def __init__(self, wanted: Sequence[_Wanted]) -> None:
        self._of: dict[tuple[int, ...], list[_Wanted]] = {}
        for each in sorted(wanted, key=lambda each: (each.stream.start, each.stream.first_frame)):
            if each.left:
                self._of.setdefault(each.key, []).append(each)
        self._low = np.zeros(_LOW + 1, np.bool_)
        for key in self._of:
            self._low[key[-1] & _LOW] = True
        self._order()

    @property
    def complete(self) -> bool:
        """Whether there is nothing more to wait for."""
        return not self._of

    def take(self, rows: Rows) -> None:
        """Take rows of all kinds, in order."""
        near = np.flatnonzero(self._low[rows[:, row.SSRC] & _LOW] & (rows[:, row.KIND] == row.RTP))
        if not len(near):
            return
        found = rows[near]
        if len(self._keys) == 1:
            (key,) = self._of
            self._give(key, found[(found[:, _KEY] == self._keys[0]).all(axis=1)])
            return
        which = np.minimum(np.searchsorted(self._mixes, _mix(found[:, _KEY])), len(self._mixes) - 1)
        ours = (found[:, _KEY] == self._keys[which]).all(axis=1)
        found, which = found[ours], which[ours]
        if not len(found):
            return
        order = np.argsort(which, kind="stable")
        found, which = found[order], which[order]
        keys = self._keys
        for part, number in zip(
            np.split(found, np.flatnonzero(np.diff(which)) + 1), np.unique(which).tolist(), strict=True
        ):
            self._give(tuple(keys[number].tolist()), part)

    def _give(self, key: tuple[int, ...], rows: Rows) -> None:
        waiting = self._of[key]
        while len(rows):
            for each in waiting:  # what has begun stands first; of the others one may be gone from the file
                ends = each.take(rows)
                if ends:
                    break
            else:
                break
            rows = rows[ends:]
            waiting.remove(each)
            if each.left:
                waiting.insert(0, each)
        if not waiting:
            del self._of[key]
            self._order()

    def _order(self) -> None:
        """Put the keys still wanted in order of their mixes, to be looked up."""
        keys = np.array(list(self._of) or np.empty((0, 6)), np.int64).reshape(-1, 6)
        mixes = _mix(keys)
        order = np.argsort(mixes, kind="stable")
        self._keys, self._mixes = keys[order], mixes[order]


def _mix(keys: Rows) -> npt.NDArray[np.uint64]:
    """Sixty-four bits of each key."""
    mixed = np.zeros(len(keys), np.uint64)
    for column in range(keys.shape[1]):
        mixed = (mixed ^ keys[:, column].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


class _RtpUnpacker(Unpacker):
    """An unpacker that looks for nothing but RTP."""

    def _dispatch(
        self, packet: list[int], payload: bytes, depth: int, transport: str = "UDP", fragmented: bool = False
    ) -> None:
        if packet[row.KIND] in _WRAPPED:
            super()._dispatch(packet, payload, depth, transport, fragmented)


def _read(captures: Any, options: Options) -> Generator[Rows]:
    """All rows in order, what was wrapped at its place among them."""
    anomalies = AnomaliesOfCaptures()
    unpacker = _RtpUnpacker(options, MessageStore(options, anomalies.each), anomalies)
    kept: dict[int, bytes] = {}
    numbers = np.empty(0, np.int64)

    def few_of(rows: Rows) -> npt.NDArray[np.int64]:
        nonlocal numbers
        if len(numbers) < len(rows):
            numbers = np.empty(len(rows), np.int64)
        return numbers[: find_few(rows, numbers)]

    def intake(block: Block) -> Rows:
        """As the conductor's: the same rows go on, so that they are put in the same order."""
        rows = block.rows
        few = few_of(rows)
        kinds = rows[few, row.KIND]
        for i in few[np.isin(kinds, tuple(_WRAPPED))].tolist():
            at = int(rows[i, row.AT])
            key = len(kept) and next(reversed(kept)) + 1
            kept[key] = block.data[at : at + int(rows[i, row.LENGTH])].tobytes()
            rows[i, row.AT] = key
        unwanted = few[~np.isin(kinds, _GO_ON)]
        return np.delete(rows, unwanted, axis=0) if len(unwanted) else rows

    reading = Reading(inputs_of(captures, options), options, intake, anomalies.each)
    with contextlib.closing(cast(Any, iter(reading))) as pieces:
        for rows, which in pieces:
            unpacker.begin()
            few = few_of(rows)
            for i in few[np.isin(rows[few, row.KIND], tuple(_WRAPPED))].tolist():
                anomalies.capture = which if isinstance(which, int) else int(which[i])
                unpacker.unpack(i, 0, rows[i].tolist(), kept.pop(int(rows[i, row.AT])))
            yield _with_wrapped(rows, unpacker)
    unpacker.finish()
    yield _with_wrapped(np.empty((0, row.WIDTH), np.int64), unpacker)


_GO_ON = (
    row.RTP, row.SIP, row.TCP, row.FRAGMENT, row.SCTP, row.HEP, row.ODD, row.RTCP, row.ICMP, row.STUN, row.DTLS,
)  # fmt: skip
"""Kinds of rows that go on from a block."""


def _with_wrapped(rows: Rows, unpacker: Unpacker) -> Rows:
    """The rows, with what was wrapped in place of what it came in."""
    found = [(i, event) for i, _, event in unpacker.events if not isinstance(event, int)]
    if not found:
        return rows
    return np.insert(rows, [i for i, _ in found], np.concatenate([event for _, event in found]), axis=0)
