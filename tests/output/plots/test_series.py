"""A stream in equal steps: sums are the stream's, and losses stand where they happened."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sipanalyzer
from sipanalyzer.options import Options
from sipanalyzer.output.plots.series import Series, make_series, series_of
from sipanalyzer.rereading.replay import follow_packets
from sipanalyzer.rereading.rows import read_packets_of
from tests.lossy import lossy
from tests.naive.rtp import Packet
from tests.rtp.words import MS, rows_of, steady, streams, table_of


def series(packets: list[Packet], most: int = 600) -> tuple[Series, Any]:
    rows = rows_of(packets)
    table = table_of(rows)
    (figures,) = table.finish()
    return series_of(follow_packets(rows, table.turns()[0], Options()), figures.start, figures.end, most), figures


def test_worked_by_hand() -> None:
    regular = steady(100)  # two seconds
    made, _ = series([packet for k, packet in enumerate(regular) if not 10 <= k < 14], most=25)
    assert (made.step_ns, len(made.received)) == (100 * MS, 20)
    assert made.received == [5, 5, 1, 5, *[5] * 16]
    assert made.lost == [0, 0, 4, *[0] * 17]
    assert made.max_delta_ms == [20.0, 20.0, 100.0, *[20.0] * 17]
    assert made.max_jitter_ms == [0.0] * 20


def test_an_outage_is_spread_over_its_time() -> None:
    regular = steady(400)
    made, _ = series(regular[:100] + regular[300:], most=8)
    assert made.step_ns == 1_000 * MS
    assert made.received == [50, 50, 0, 0, 0, 0, 50, 50]
    assert made.lost == [0, 0, 50, 50, 50, 50, 0, 0]
    assert made.max_delta_ms[2:6] == [None] * 4


@settings(max_examples=100)
@given(streams(), st.integers(1, 600))
def test_sums_are_those_of_the_stream(packets: list[Packet], most: int) -> None:
    made, stream = series(packets, most)
    assert 1 <= len(made.received) <= most
    assert sum(made.received) == stream.packets
    assert sum(made.lost) == stream.lost and min(made.lost) >= 0
    assert sum(made.discarded) == (stream.discarded or 0)
    assert max((v for v in made.max_jitter_ms if v is not None), default=None) == stream.max_jitter_ms
    assert max((v for v in made.max_delta_ms if v is not None), default=None) == stream.max_delta_ms


def test_it_is_made_from_what_the_report_has_at_hand() -> None:
    data = lossy().bytes()
    result = sipanalyzer.analyze(io.BytesIO(data)).result
    for stream, rows, turns in zip(
        result.streams, read_packets_of(io.BytesIO(data), result.streams), result.extra["turns"], strict=True
    ):
        assert rows is not None
        made = make_series(stream, rows, turns, result.options)
        assert sum(made.lost) == stream.lost > 50
        assert made.start_ns == stream.start and made.start_ns + made.step_ns * len(made.received) > stream.end
        assert len(made.received) == len(made.lost) == len(made.discarded) == len(made.max_jitter_ms) <= 600


def test_nothing_has_no_steps_and_none_is_refused() -> None:
    rows = rows_of([])
    assert series_of(follow_packets(rows, (), Options()), 0, 0).received == []
    with pytest.raises(ValueError, match="a step at least"):
        series_of(follow_packets(rows, (), Options()), 0, 0, 0)
