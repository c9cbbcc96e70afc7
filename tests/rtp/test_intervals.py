"""Intervals of streams: numbers worked by hand, sums, the twin, limits, and the laws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.options import Options
from sipanalyzer.rtp.figures import Figures
from sipanalyzer.rtp.ledgers import RawIntervals
from sipanalyzer.rtp.streams import StreamTable
from tests.naive.rtp import Packet, intervals, judge, playout
from tests.rtp.words import MS, rows_of, steady, streams, table_of

SECOND = 1000 * MS


def told(packets: list[Packet], length_ns: int = 10 * SECOND, **options: object) -> tuple[Figures, RawIntervals]:
    table = table_of(rows_of(packets), options=Options(interval_ns=length_ns, **options))  # type: ignore[arg-type]
    (only,) = table.finish()
    return only, table.intervals()


def columns(found: RawIntervals, *names: str) -> list[tuple[object, ...]]:
    return list(zip(*(getattr(found, name).tolist() for name in names), strict=True))


def test_intervals_count_from_the_first_packet_and_the_last_is_whole_when_the_stream_fills_it() -> None:
    _, found = told(steady(1500, start=123 * MS))
    assert columns(found, "start", "packets", "expected", "lost", "whole") == [
        (123 * MS, 500, 500, 0, True), (123 * MS + 10 * SECOND, 500, 500, 0, True),
        (123 * MS + 20 * SECOND, 500, 500, 0, True),
    ]  # fmt: skip
    _, found = told(steady(1499))
    assert found.whole.tolist() == [True, True, False]
    assert found.max_jitter_ms.tolist() == [0, 0, 0]


def test_loss_counts_where_it_happens() -> None:
    packets = [p for k, p in enumerate(steady(1500)) if k not in {10, *range(600, 610), 620, 1400}]
    f, found = told(packets)
    assert f.lost == 13
    assert columns(found, "packets", "expected", "lost", "runs") == [
        (499, 500, 1, 1), (489, 500, 11, 2), (499, 500, 1, 1),
    ]  # fmt: skip


def test_a_hole_over_the_end_of_an_interval_is_shared_by_time() -> None:
    packets = [
        p for k, p in enumerate(steady(1000)) if not 480 <= k < 530
    ]  # twenty before the end at 500, thirty after
    _, found = told(packets)
    assert columns(found, "packets", "expected", "lost", "runs") == [(480, 500, 20, 1), (470, 500, 30, 1)]


def test_an_outage_over_several_intervals_is_theirs_each() -> None:
    packets = [p for k, p in enumerate(steady(20_000)) if not 750 <= k < 18_250]  # beyond 3000: the next confirms it
    f, found = told(packets)
    assert (f.lost, f.restarts, len(found)) == (17_500, 0, 40)
    assert found.lost.tolist() == [0, 250] + [500] * 34 + [250] + [0] * 3
    assert found.packets.tolist() == [500, 250] + [0] * 34 + [250] + [500] * 3
    assert np.isnan(found.max_jitter_ms[2:36]).all()
    assert found.runs.tolist() == [0] + [1] * 36 + [0] * 3
    assert found.whole.all()


def test_a_silence_has_rows_and_nothing_expected_in_them() -> None:
    packets = steady(100) + steady(100, first=1100, stamp=5000 + 1000 * 160, start=35 * SECOND)
    _, found = told(packets)
    assert columns(found, "packets", "expected", "lost", "runs") == [
        (100, 100, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (100, 100, 0, 0),
    ]  # fmt: skip


def test_a_long_silence_has_no_more_than_sixty_rows_and_the_last_of_them_stands_for_the_rest() -> None:
    gap = 3 * 3600 * SECOND
    packets = steady(100) + steady(100, first=1100, stamp=5000 + 100 * 160 + gap // SECOND * 8000, start=gap)
    _, found = told(packets)
    assert len(found) == 62
    assert found.start[-1] == gap
    assert found.start[-2] == 60 * 10 * SECOND
    out = [p for k, p in enumerate(steady(100_000)) if not 100 <= k < 99_000]
    f, found = told(out)
    assert (f.lost, int(found.lost.sum()), len(found)) == (98_900, 98_900, 1 + 60 + 2)
    assert found.lost[1:60].tolist() == [500] * 59
    assert found.lost[60] == 98_900 - 400 - 59 * 500


def test_a_packet_that_comes_an_interval_too_late_is_lost_in_none() -> None:
    packets = steady(1000)
    packets[499].time = packets[502].time + 1
    packets.sort(key=lambda p: p.time)
    f, found = told(packets, playout_ms=100.0)
    assert (f.lost, f.discarded) == (0, 0)
    assert columns(found, "packets", "expected", "lost", "discarded", "runs") == [
        (499, 500, 0, 0, 0), (501, 500, 0, 0, 0),
    ]  # fmt: skip


def test_what_is_too_late_counts_where_it_arrives() -> None:
    packets = steady(1000)
    for k in (100, 101, 700):
        packets[k].time += 70 * MS
    packets.sort(key=lambda p: p.time)
    _, found = told(packets)
    assert columns(found, "lost", "discarded", "runs") == [(0, 2, 1), (0, 1, 1)]


def test_jitter_is_the_highest_of_each_interval() -> None:
    packets = steady(1500)
    packets[200].time += 16 * MS
    packets[1400].time += 32 * MS
    packets.sort(key=lambda p: p.time)
    f, found = told(packets)
    assert found.max_jitter_ms[0] == pytest.approx(1 + 15 / 16)
    assert found.max_jitter_ms[1] < 0.01
    assert f.max_jitter_ms == found.max_jitter_ms.max() == found.max_jitter_ms[2]
    assert f.max_jitter_ms > 3


def test_a_stray_after_the_end_makes_the_intervals_up_to_it() -> None:
    packets = [*steady(100), Packet(25 * SECOND, 40_000, 7)]
    f, found = told(packets)
    assert (f.packets, f.strays) == (101, 1)
    assert found.packets.tolist() == [100, 0, 1]


def test_the_limit_of_intervals_leaves_a_count_of_those_missed() -> None:
    table = table_of(
        np.concatenate([rows_of(steady(1500), ssrc=s) for s in range(1, 30)]), options=Options(max_intervals=50)
    )
    figures = table.finish()
    assert len(table.intervals()) == 50
    assert table.missed() == {"rtp-interval-limit": 29 * 3 - 50}
    assert len(figures) == 29


def test_settings_beyond_all_bounds_are_bounded() -> None:
    packets = [p for k, p in enumerate(steady(900)) if k % 100]
    f, found = told(packets, 10**30, gmin=10**30, max_intervals=10**30, max_outages=0, max_digits=0)
    assert (f.lost, f.bursts, f.burst_packets, found.packets.tolist()) == (8, 1, 701, [891])
    assert told(packets, 1, max_intervals=10)[1].packets.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]


def test_tables_grow_while_streams_pass() -> None:
    rows = np.concatenate([rows_of(steady(300), ssrc=s) for s in range(1, 60)])
    table = table_of(rows, options=Options(interval_ns=100 * MS))
    table.finish()
    found = table.intervals()
    assert len(found) == 59 * 60
    assert columns(found, "index", "packets") == [(k // 60, 5) for k in range(59 * 60)]
    assert table.missed() == {}


def test_finishing_twice_changes_nothing() -> None:
    table = table_of(rows_of(steady(1500)))
    assert table.finish() == table.finish()
    assert len(table.intervals()) == 3


def test_an_unknown_clock_leaves_sums_exact() -> None:
    packets = [Packet(k * 20 * MS + (90 * MS if k % 7 == 3 else 0), k, k * 960) for k in range(1200)]
    packets.sort(key=lambda p: p.time)
    table = table_of(rows_of(packets, payload_type=111), describe=lambda *a: None, options=Options(interval_ns=SECOND))
    (f,) = table.finish()
    found = table.intervals()
    assert f.discarded == int(found.discarded.sum()) > 100
    assert (found.discarded <= found.expected - found.lost).all()


# ---- the twin and the laws


def same(packets: list[Packet], length_ns: int, announced: bool = True) -> None:
    f, found = told(packets, length_ns)
    truth = judge(packets, 8000, 160, interval_ns=length_ns)
    playout(truth)
    rows = intervals(truth)
    assert ((found.start - packets[0].time) // length_ns).tolist() == [row["number"] for row in rows]
    for name in ("packets", "expected", "lost", "discarded", "runs", "whole"):
        assert getattr(found, name).tolist() == [row[name] for row in rows], name
    jitter = [np.nan if row["max_jitter_ms"] is None else row["max_jitter_ms"] for row in rows]
    np.testing.assert_array_equal(found.max_jitter_ms, jitter)
    assert [int(getattr(found, name).sum()) for name in ("packets", "expected", "lost", "discarded")] == [
        f.packets, f.expected, f.lost, f.discarded or 0,
    ]  # fmt: skip
    assert min(found.lost.min(), found.discarded.min(), found.runs.min(), found.expected.min()) >= 0


@settings(max_examples=250)
@given(streams(), st.sampled_from([50 * MS, 300 * MS, SECOND, 2500 * MS, 7777 * MS]))
def test_intervals_equal_their_obvious_version(packets: list[Packet], length_ns: int) -> None:
    same(packets, length_ns)


def equal(a: RawIntervals, b: RawIntervals) -> None:
    for name in a.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), strict=True)


def all_of(table: StreamTable) -> tuple[object, ...]:
    return table.finish(), table.outages().tolist(), table.events().tolist(), table.missed()


@settings(max_examples=60)
@given(streams(), st.lists(st.integers(0, 300), max_size=5), st.integers(0, 40))
def test_any_cut_leaves_the_same_rows(packets: list[Packet], cuts: Sequence[int], limit: int) -> None:
    rows = rows_of(packets)
    options = Options(interval_ns=300 * MS, max_intervals=limit, max_outages=limit // 9, max_digits=limit // 9)
    whole = table_of(rows, options=options)
    cut = table_of(rows, options=options, cuts=[min(c, len(rows)) for c in cuts])
    assert all_of(whole) == all_of(cut)
    equal(whole.intervals(), cut.intervals())


@settings(max_examples=30)
@given(st.lists(streams(), min_size=2, max_size=3), st.randoms(use_true_random=False))
def test_interleaving_streams_changes_no_row(many: list[list[Packet]], rng) -> None:
    options = Options(interval_ns=300 * MS)
    each = [rows_of(packets, ssrc=k + 1) for k, packets in enumerate(many)]
    turns = [k for k, rows in enumerate(each) for _ in rows]
    rng.shuffle(turns)
    feeds = [iter(rows) for rows in each]
    together = table_of(np.stack([next(feeds[k]) for k in turns]), options=options)
    for f in together.finish():
        alone = table_of(each[f.ssrc - 1], options=options)
        alone.finish()
        here, there = together.intervals(), alone.intervals()
        mine = here.index == f.index
        for name in ("start", "packets", "expected", "lost", "discarded", "runs", "max_jitter_ms", "whole"):
            np.testing.assert_array_equal(getattr(here, name)[mine], getattr(there, name))
        holes, events = together.outages(), together.events()
        assert holes[holes[:, 0] == f.index][:, 1:].tolist() == alone.outages()[:, 1:].tolist()
        kept = [1, 2, 3, 4, 5, 6, 8]
        assert events[events[:, 0] == f.index][:, kept].tolist() == alone.events()[:, kept].tolist()
