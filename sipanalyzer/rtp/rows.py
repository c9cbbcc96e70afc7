"""The rows of streams: memory for them, and what stands in one when it begins. Floor 4."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..kernels import columns as row
from ..kernels import streamstate as state
from ..kernels.playout import LIMITS_MS, UNSEEN
from ..options import Options
from .figures import Socket

__all__ = ["aligned_rows", "beginning", "sockets_of"]


def sockets_of(key: Sequence[int]) -> tuple[Socket, Socket]:
    """Source and destination of a row of packets."""
    ports = key[row.PORTS]
    return (key[row.SRC_HI], key[row.SRC_LO], ports >> 16), (key[row.DST_HI], key[row.DST_LO], ports & 0xFFFF)


def beginning(options: Options) -> npt.NDArray[np.int64]:
    """The row that a stream begins with."""
    ints = aligned_rows(1, state.WIDTH)
    reals = ints.view(np.float64)[0]
    first: npt.NDArray[np.int64] = ints[0]
    first[state.RING_AT : state.RING_AT + state.RING] = -1
    first[[state.PENDING, state.EARLY, state.PLAIN, state.LAST_BAD, state.EVENT_ROW, state.EVENT_KEY]] = -1
    first[[state.BREAK, state.GROUP_FROM]] = 1
    first[[state.OPEN_BAD, state.WINDOW_END, state.INTERVAL_END, state.FIRST_EXT]] = state.NEVER
    first[state.NEXT_TIME] = state.AT_ONCE
    depth = round(options.playout_ms * 1e6)
    adaptive = options.playout_mode == "adaptive"
    first[[state.DEPTH, state.DEPTH_LEAST]] = depth
    first[state.DEPTH_MOST] = max(depth, round(options.playout_most_ms * 1e6)) if adaptive else depth
    reals[state.LEAST] = UNSEEN
    reals[state.NOTABLE_LEAST] = min(LIMITS_MS[0], options.playout_ms) - 1e-5  # a margin for rounding
    return first


def aligned_rows(rows: int, width: int) -> npt.NDArray[np.int64]:
    """Zeros, int64[rows, width], that begin where a cache line does."""
    words = np.zeros(rows * width + 7, np.int64)
    first = -(words.ctypes.data // 8) % 8
    return words[first : first + rows * width].reshape(rows, width)
