"""Rows of the packets of one stream, read once more. Floor 6, above the conductor.

In: captures and a stream that was found in them. Out: its rows (:mod:`sipanalyzer.kernels.columns`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..kernels import columns as row
from ..network.endpoints import address_words
from ..options import Options
from ..pipeline import Conductor
from ..result import Stream

__all__ = ["read_packets"]

Rows = npt.NDArray[np.int64]


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
        Rows of kind RTP (:mod:`.kernels.columns`), in order of time.

    Raises
    ------
    CaptureError
        Nothing could be read.
    """
    collector = _Collector(options or Options(), stream)
    collector.read(captures)
    return collector.packets()


class _Collector(Conductor):
    """A run that keeps the packets of one stream and makes nothing of messages."""

    def __init__(self, options: Options, stream: Stream) -> None:
        super().__init__(options, None)
        ports = stream.src[1] << 16 | stream.dst[1]
        self._wanted = (*address_words(stream.src[0]), *address_words(stream.dst[0]), ports, stream.ssrc)
        self._stream = stream
        self._parts: list[Rows] = []

    def _apply(self, rows: Rows, captures: int | npt.NDArray[np.int64]) -> None:
        del captures
        parts = [(np.arange(len(rows)) * 2 + 1, rows)]  # what was wrapped comes before the row that it stands at
        parts += [(np.array([2 * i]), event) for i, _, event in self._unpacker.events if not isinstance(event, int)]
        places, chosen = [], []
        for place, part in parts:
            mine = (part[:, row.KIND] == row.RTP) & (part[:, row.SSRC] == self._wanted[-1])
            for column, value in zip(range(row.SRC_HI, row.PORTS + 1), self._wanted, strict=False):
                mine &= part[:, column] == value
            if mine.any():
                places.append(place[mine])
                chosen.append(part[mine])
        if chosen:
            self._parts.append(np.concatenate(chosen)[np.argsort(np.concatenate(places), kind="stable")])

    def packets(self) -> Rows:
        """The packets, in the order in which they came: a clock that was set back does not change it."""
        rows = np.concatenate(self._parts) if self._parts else np.empty((0, row.WIDTH), np.int64)
        stream = self._stream  # what was before and after it between the same sockets is another
        first = np.flatnonzero((rows[:, row.TIME] == stream.start) & (rows[:, row.FRAME] == stream.first_frame))
        begin = int(first[0]) if len(first) else 0
        return rows[begin : begin + stream.packets]
