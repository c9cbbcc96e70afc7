"""Rows of streams begin where a cache line does, and each begins alike."""

from __future__ import annotations

import numpy as np
import pytest

from sipanalyzer.kernels import columns as row
from sipanalyzer.kernels import streamstate as state
from sipanalyzer.options import Options
from sipanalyzer.rtp.rows import aligned_rows, beginning, sockets_of
from tests.rtp.words import rows_of, steady, table_of


@pytest.mark.parametrize("rows", [1, 2, 3, 256, 1001])
def test_memory_for_rows_is_zero_and_begins_a_cache_line(rows: int) -> None:
    made = aligned_rows(rows, state.WIDTH)
    assert made.shape == (rows, state.WIDTH) and not made.any()
    assert made.ctypes.data % 64 == 0 and made.flags.c_contiguous


def test_a_row_begins_with_nothing_seen() -> None:
    first = beginning(Options())
    assert set(first[state.RING_AT : state.RING_AT + state.RING].tolist()) == {-1}
    assert first[[state.PACKETS, state.PLAIN_COUNT, state.BYTES, state.DISCARDED]].tolist() == [0, 0, 0, 0]
    assert first[[state.PLAIN, state.PENDING, state.EARLY]].tolist() == [-1, -1, -1]


def test_rows_of_streams_survive_the_growth_of_their_table() -> None:
    streams = [rows_of(steady(3), ssrc=s, port=4000 + s) for s in range(1, 1400)]
    table = table_of(np.concatenate([np.stack([s[k] for s in streams]) for k in range(3)]))
    figures = table.finish()
    assert [(f.ssrc, f.packets, f.lost) for f in figures] == [(s, 3, 0) for s in range(1, 1400)]


def test_sockets_of_a_row_are_its_source_and_destination() -> None:
    key = rows_of(steady(1))[0].tolist()
    assert sockets_of(key) == ((0, key[row.SRC_LO], 5000), (0, key[row.DST_LO], 4000))
