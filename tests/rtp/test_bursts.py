"""Bursts and gaps of RFC 3611 4.7.2, runs of lost packets, holes: the RFC's own pattern, and numbers worked by hand."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from sipanalyzer.options import Options
from sipanalyzer.rtp.figures import Figures
from tests.naive.rtp import Packet, bursts, judge, playout
from tests.rtp.words import MS, figures, rows_of, steady, table_of

PATTERN = "11110111111111111111111X111X1011110111111111111111111X111111111"
"""RFC 3611 4.7.2: 1 received, 0 lost, X discarded. The RFC says 64 packets and prints 63."""


def told(pattern: str, gmin: int = 16) -> Figures:
    """The figures of a stream of such packets."""
    packets = []
    for k, what in enumerate(pattern):
        if what != "0":
            packets.append(Packet(k * 20 * MS + (100 * MS if what == "X" else 0), k, k * 160))
    packets.sort(key=lambda p: p.time)
    (only,) = table_of(rows_of(packets), options=Options(gmin=gmin)).finish()
    return only


def test_the_pattern_of_the_rfc() -> None:
    f = told(PATTERN)
    assert (f.expected, f.lost, f.discarded, f.bad) == (63, 3, 3, 6)
    assert (f.bursts, f.burst_packets, f.burst_bad) == (1, 12, 4)
    assert Fraction(f.burst_bad, f.burst_packets) == Fraction(4, 12)
    assert Fraction(f.bad - f.burst_bad, f.expected - f.burst_packets) == Fraction(2, 51)
    longer = told(PATTERN.replace("011110111", "0111101111"))  # 64 packets, as the text has it
    assert Fraction(longer.bad - longer.burst_bad, longer.expected - longer.burst_packets) == Fraction(2, 52)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("111011110111", (1, 6, 2)),  # four good ones between: fewer than five
        ("1110111110111", (0, 0, 0)),  # five: each stands alone, in the gap
        ("1110011111111", (1, 2, 2)),
        ("11100111110111101", (2, 8, 4)),
        ("1" * 40, (0, 0, 0)),
    ],
)
def test_good_packets_in_a_row_end_a_burst(pattern: str, expected: tuple[int, int, int]) -> None:
    f = told(pattern, gmin=5)
    assert (f.bursts, f.burst_packets, f.burst_bad) == expected


def test_runs_of_lost_packets_are_told_by_length() -> None:
    lengths = [1, 1, 1, 2, 3, 3, 4, 5, 9, 10, 19, 20, 49, 50, 2999]
    pattern = "1" * 10 + "".join("0" * length + "1" * 120 for length in lengths)
    f = told(pattern)
    assert f.loss_runs == (3, 1, 2, 1, 2, 2, 2, 2)
    assert (f.max_consecutive_lost, f.bad_runs, f.lost) == (2999, 15, sum(lengths))
    assert (f.bursts, f.burst_packets) == (12, sum(lengths) - 3)


def test_a_discarded_packet_ends_a_run_of_lost_ones_and_no_run_of_bad_ones() -> None:
    f = told("1" * 30 + "00X000" + "1" * 30)
    assert (f.bad_runs, f.max_consecutive_lost, f.loss_runs[:3], f.bad) == (1, 3, (0, 1, 1), 6)


def test_an_outage_of_minutes_is_one_run() -> None:
    packets = [p for k, p in enumerate(steady(10_000)) if not 50 <= k < 9_000]
    f = figures(packets)
    assert (f.bursts, f.burst_packets, f.burst_bad, f.bad_runs) == (1, 8950, 8950, 1)
    assert f.max_consecutive_lost == 8950
    beyond = [p for k, p in enumerate(steady(80_000)) if not 50 <= k < 79_900]
    assert figures(beyond).max_consecutive_lost == 79_850


def test_a_hole_that_is_filled_later_is_none() -> None:
    packets = steady(300)
    moved = packets[50:100]
    del packets[50:100]
    packets[95:95] = moved  # fifty packets come 45 packets late
    for k, p in enumerate(packets):
        p.time = 20 * MS * k
    f = figures(packets)
    assert (f.lost, f.max_consecutive_lost, sum(f.loss_runs)) == (0, 0, 0)
    assert (f.discarded, f.bad_runs, f.bursts, f.burst_packets) == (50, 1, 1, 50)  # they come 900 ms too late
    assert figures(packets[:95] + packets[145:]).lost == 50


def test_a_restart_ends_a_burst() -> None:
    packets = [p for k, p in enumerate(steady(50)) if k != 47]
    packets += [p for k, p in enumerate(steady(50, first=30_000, stamp=99, start=1000 * MS)) if k != 3]
    f = figures(packets)
    assert (f.restarts, f.lost, f.bursts, f.bad_runs) == (1, 2, 0, 2)


def test_holes_of_five_and_more_are_remembered_with_their_times() -> None:
    gone = {*range(20, 24), *range(50, 55), *range(100, 180)}
    table = table_of(rows_of([p for k, p in enumerate(steady(300)) if k not in gone]))
    table.finish()
    assert table.outages().tolist() == [[0, 49 * 20 * MS, 55 * 20 * MS, 5], [0, 99 * 20 * MS, 180 * 20 * MS, 80]]


def test_the_limit_of_holes_leaves_a_count_of_those_missed() -> None:
    packets = [p for k, p in enumerate(steady(2000)) if k % 10 < 4]
    table = table_of(rows_of(packets), options=Options(max_outages=30))
    table.finish()
    assert len(table.outages()) == 30
    assert table.missed() == {"rtp-outage-limit": 169}


@pytest.mark.parametrize("seed", range(6))
def test_long_streams_equal_the_obvious_version(seed: int) -> None:
    rng = random.Random(seed)
    packets, lose = [], False
    for p in steady(3000, first=65_000):
        if rng.random() < (0.3 if lose else 0.01):
            lose = not lose
        if rng.random() > (0.6 if lose else 0.002):
            p.time += rng.choice([0, 0, 0, 0, 90, 150, 1900]) * MS if rng.random() < 0.1 else 0
            packets.append(p)
    packets.sort(key=lambda p: p.time)
    f = figures(packets)
    truth = judge(packets, 8000, 160)
    playout(truth)
    for name, value in bursts(truth).items():
        assert getattr(f, name) == value, name
    assert f.bursts > 5
    assert f.discarded
