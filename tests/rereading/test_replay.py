"""Each packet's figures: worked by hand, held to the slow twin, and adding up to their stream's."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sipanalyzer
from sipanalyzer.options import Options
from sipanalyzer.rereading.replay import PacketFigures, follow_packets
from sipanalyzer.rereading.rows import read_packets_of
from sipanalyzer.result import LATENESS_MS, Measures
from tests.naive.rtp import Packet, judge, playout
from tests.rtp.words import MS, rows_of, steady, streams, table_of


def known(values: np.ndarray) -> list[float]:
    return values[~np.isnan(values)].tolist()


def followed(packets: list[Packet], announced: bool = True, **words: Any) -> tuple[PacketFigures, Measures]:
    """Figures of each packet, and those of the stream."""
    rows = rows_of(packets, **words)
    table = table_of(rows, announced=announced)
    (figures,) = table.finish()
    return follow_packets(rows, table.turns()[0], Options()), figures


def agree(packets: PacketFigures, stream: Measures) -> None:
    """Nothing that is said of the stream is said otherwise by its packets."""
    jitters, deltas, skews = known(packets.jitter_ms), known(packets.delta_ms), known(packets.skew_ms)
    assert len(packets) == stream.packets
    assert int(packets.payload_bytes.sum()) == stream.bytes
    assert int(packets.lost_before.sum()) == stream.lost
    assert int(packets.duplicate.sum()) == stream.duplicates
    assert int(packets.out_of_order.sum()) == stream.out_of_order
    assert max(packets.segment.tolist(), default=0) == stream.restarts
    assert max(jitters, default=None) == stream.max_jitter_ms
    assert max(deltas, default=None) == stream.max_delta_ms
    assert (skews[int(np.argmax(np.abs(skews)))] if skews else None) == stream.max_skew_ms
    assert (float(np.cumsum(jitters)[-1]) / len(jitters) if jitters else None) == stream.mean_jitter_ms
    if deltas:
        assert sum(deltas) / len(deltas) == pytest.approx(stream.mean_delta_ms)
    if stream.discarded is not None:
        assert int(packets.late.sum()) == stream.discarded
        ns = np.floor(np.minimum(packets.lateness_ms, 1e6)[~np.isnan(packets.lateness_ms)] * 1e6 + 0.5)
        edges = [-np.inf, *(limit * 1e6 for limit in LATENESS_MS), np.inf]
        assert np.histogram(ns, edges)[0].tolist() == list(stream.lateness)


def test_worked_by_hand() -> None:
    first, second, third, fourth, fifth = steady(5)
    late = Packet(third.time + 16 * MS, third.seq, third.stamp)
    packets, _ = followed([first, second, second, late, fifth])
    assert packets.extended.tolist() == [66536, 66537, 66537, 66538, 66540]
    assert packets.delta_ms.tolist()[1:] == pytest.approx([20, np.nan, 36, 24], nan_ok=True)
    # |20 - 20| / 16; (|36 - 20| - 0) / 16 = 1; 1 + (|24 - 40| - 1) / 16 = 1.9375
    assert packets.jitter_ms.tolist() == pytest.approx([np.nan, 0, np.nan, 1, 1.9375], nan_ok=True)
    assert packets.skew_ms.tolist() == pytest.approx([np.nan, 0, np.nan, 16, 0], nan_ok=True)
    assert packets.duplicate.tolist() == [False, False, True, False, False]
    assert packets.lost_before.tolist() == [0, 0, 0, 0, 1]
    assert packets.breaks.tolist() == [True, False, False, False, False]
    del fourth


def test_a_number_that_comes_late_is_not_lost_and_what_is_lost_stands_before_the_next() -> None:
    all_of = steady(8)
    order = [all_of[k] for k in (0, 1, 5, 3, 7)]  # 2, 4 and 6 never come
    for k, packet in enumerate(order):
        packet.time = k * 20 * MS
    packets, stream = followed(order)
    assert packets.lost_before.tolist() == [0, 0, 1, 1, 1]
    assert packets.out_of_order.tolist() == [False, False, False, True, False]
    assert stream.lost == 3


def test_a_packet_before_the_first_moves_the_loss_to_where_it_belongs() -> None:
    all_of = steady(6)
    packets, stream = followed([all_of[3], all_of[0], all_of[4]])
    assert packets.lost_before.tolist() == [2, 0, 0]
    assert stream.lost == 2


def test_a_restart_begins_a_segment_with_the_packet_that_waited() -> None:
    before, after = steady(10), steady(10, first=30_000, stamp=900_000, start=200 * MS)
    packets, stream = followed(before + after)
    assert packets.segment.tolist() == [0] * 10 + [1] * 10
    assert packets.extended.tolist()[10:] == list(range(196_608 + 30_000, 196_608 + 30_010))
    assert packets.breaks.tolist() == [True] + [False] * 9 + [True] + [False] * 9
    assert packets.lost_before.sum() == stream.lost == 0


def test_a_stray_belongs_to_no_segment() -> None:
    regular = steady(10)
    stray = Packet(regular[4].time + MS, 30_000, 77)
    packets, stream = followed([*regular[:5], stray, *regular[5:]])
    assert packets.extended.tolist()[5] == 0
    assert np.isnan(packets.jitter_ms[5]) and stream.lost == 0


def test_an_outage_is_lost_before_the_packet_that_ends_it() -> None:
    regular = steady(5000)
    packets, stream = followed(regular[:100] + regular[4000:])
    assert packets.lost_before[100] == 3900 == stream.lost
    assert packets.delta_ms[100] == 3901 * 20


def test_key_presses_have_no_timing_and_what_follows_is_a_break() -> None:
    audio = steady(10)
    for k in (4, 5):
        audio[k].event, audio[k].payload, audio[k].size = True, 11 << 24, 4
    packets, _ = followed(audio)
    assert packets.event.tolist() == [-1] * 4 + [11, 11] + [-1] * 4
    assert np.isnan(packets.delta_ms[[4, 5, 6]]).all()
    assert packets.breaks.tolist() == [k in (0, 6) for k in range(10)]


def test_what_waited_for_its_clock_rate_has_its_own_figures_in_the_end() -> None:
    regular = [Packet(p.time + (k % 3) * MS, p.seq, p.stamp) for k, p in enumerate(steady(700))]
    unknown, stream = followed(regular, payload_type=97, announced=False)
    said, _ = followed(regular)
    assert stream.max_jitter_ms is not None
    assert np.array_equal(unknown.jitter_ms, said.jitter_ms, equal_nan=True)
    assert np.array_equal(unknown.skew_ms, said.skew_ms, equal_nan=True)
    agree(unknown, stream)


def test_a_stream_without_packets_has_no_figures() -> None:
    assert len(follow_packets(rows_of([]), (), Options())) == 0


@settings(max_examples=150)
@given(streams())
def test_each_packet_equals_its_obvious_version(packets: list[Packet]) -> None:
    found, stream = followed(packets)
    truth = judge(packets, 8000, 160)
    playout(truth)
    assert known(found.jitter_ms) == truth.jitters
    assert known(found.delta_ms) == [gap / 1e6 for gap in truth.deltas]
    assert known(found.skew_ms) == truth.skews
    rows = [taken.frame - 1 for taken in truth.taken]
    assert np.flatnonzero(found.extended > 0).tolist() == sorted(
        {*rows, *np.flatnonzero(found.duplicate & (found.extended > 0)).tolist(), *_reused(found)}
    )
    assert found.extended[rows].tolist() == [taken.extended for taken in truth.taken]
    assert found.segment[rows].tolist() == [taken.segment for taken in truth.taken]
    assert sorted(np.flatnonzero(found.late).tolist()) == sorted(t.frame - 1 for t in truth.taken if t.late)
    agree(found, stream)


def _reused(found: PacketFigures) -> list[int]:
    """Rows whose number an earlier row has, with another timestamp."""
    first: dict[int, int] = {}
    return [at for at, number in enumerate(found.extended.tolist()) if number and first.setdefault(number, at) != at]


@settings(max_examples=80)
@given(streams(), st.sampled_from([8, 97, 34]))
def test_packets_add_up_to_their_stream_without_any_sdp(packets: list[Packet], payload_type: int) -> None:
    rows = rows_of(packets, payload_type=payload_type)
    table = table_of(rows, describe=lambda *_: None)
    for stream, turns in zip(table.finish(), table.turns(), strict=True):
        if stream.packets == len(rows):
            agree(follow_packets(rows, turns, Options()), stream)


def add_up(paths: list[pathlib.Path]) -> int:
    seen = 0
    for path in paths:
        try:
            result = sipanalyzer.analyze(path).result
        except sipanalyzer.CaptureError:
            continue
        found = read_packets_of(str(path), result.streams, result.options, 200_000)
        for stream, rows, turns in zip(result.streams, found, result.extra["turns"], strict=True):
            if rows is not None:
                agree(follow_packets(rows, turns, result.options), stream)
                seen += 1
    return seen


def test_packets_of_every_sample_add_up_to_their_streams(samples: pathlib.Path) -> None:
    assert add_up(sorted(samples.glob("*.pcap*"))) > 80


@pytest.mark.filterwarnings("ignore::sipanalyzer.CaptureWarning")
def test_packets_of_captures_by_others_add_up_to_their_streams(corpus: pathlib.Path) -> None:
    paths = [path for path in sorted(corpus.glob("*.pcap*")) if path.stat().st_size < 400_000]
    assert add_up(paths) > 60
