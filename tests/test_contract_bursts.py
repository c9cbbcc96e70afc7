"""Bursts, gaps and intervals of whole captures, worked out by hand from RFC 3611 4.7.2 and the contract."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from tests.lossy import (
    BEGIN,
    SINCE,
    call,
    some,
    talk,
)
from tests.tape import A, B, Tape, records

# ---- bursts and gaps (RFC 3611 4.7.2, Gmin 16)

BURSTS = "lost loss_bursts burst_density_percent gap_density_percent max_consecutive_lost"


def pattern(bad: Iterable[int], count: int, too_late: Iterable[int] = (), **words: Any) -> Tape:
    return talk(count, lost=bad, late=dict.fromkeys(too_late, 0.07), **words)


def rounded(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(round(value, 3) if isinstance(value, float) else value for value in some(row, BURSTS))


# The RFC's picture: three lost and three discarded of 64 packets, 24 to 35 a burst with four bad ones, two alone.
RFC_LOST, RFC_LATE, RFC_COUNT = (5, 24, 35), (27, 30, 60), 64


def test_the_pattern_of_the_rfc_as_fractions() -> None:
    row = pattern(RFC_LOST, RFC_COUNT, RFC_LATE).stream()
    assert rounded(row) == (3, 1, round(100 * 4 / 12, 3), round(100 * 2 / 52, 3), 1)
    assert row["discarded_percent"] == pytest.approx(100 * 3 / 64, abs=1e-6)


# 200 packets. What stands for bad: alone at 20, a burst 60 to 80 (6 bad: 60, 61, 62, 70, 79, 80; runs of good 7 and 8),
# 97 (16 good between: 81 to 96) is alone again; 120 and 136 (15 good between) are a burst of 17 with 2 bad.
HAND = (20, 60, 61, 62, 70, 79, 80, 97, 120, 136)
HAND_ROW = (10, 2, round(100 * 8 / 38, 3), round(100 * 2 / 162, 3), 3)


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"seq": 65_536 - 70},  # the wrap is inside the first burst
        {"seq": 65_536 - 61},  # two of three in a row before it
        {"seq": 65_536 - 128},
        {"payload_type": 0, "formats": ("0 PCMU/8000",)},
    ],
)
def test_densities_by_hand(words: dict[str, Any]) -> None:
    assert rounded(pattern(HAND, 200, **words).stream()) == HAND_ROW


def test_discards_make_bursts_as_losses_do_and_no_run_of_lost_packets() -> None:
    row = pattern(HAND[::2], 200, HAND[1::2]).stream()
    assert rounded(row)[1:4] == HAND_ROW[1:4]
    assert some(row, "lost max_consecutive_lost") == (5, 1)


def test_mirrored_packets_and_copies_change_no_burst() -> None:
    assert rounded(pattern(HAND, 200).doubled(0.001).stream()) == HAND_ROW
    assert rounded(pattern(HAND, 200, twice=[k + 1 for k in HAND]).stream()) == HAND_ROW


def test_packets_out_of_order_by_up_to_a_hundred_change_no_burst_of_lost_ones() -> None:
    """They are too late for the buffer, so each is bad by itself; within its depth they are not."""
    row = pattern(HAND, 200, ()).stream()
    late_row = talk(200, lost=HAND, late={10: 0.055, 100: 0.05, 150: 0.058}).stream()
    assert rounded(late_row) == rounded(row)
    deep = talk(400, lost=HAND, late={10: 1.99, 100: 1.99, 150: 0.5}).stream(playout_ms=3000.0)
    assert rounded(deep)[:2] == (10, 2) and deep["out_of_order"] == 3
    assert rounded(deep)[2] == HAND_ROW[2]


@pytest.mark.parametrize(
    ("gmin", "bursts", "burst", "gap"),
    [
        (16, 2, 100 * 8 / 38, 100 * 2 / 162),
        (17, 2, 100 * 9 / 55, 100 * 1 / 145),  # 60 to 97 becomes one of 38; 120 to 136 (22 good before it) stays
        (7, 2, 100 * 5 / 5, 100 * 5 / 195),  # 60-62 and 79-80; all others alone
        (1, 2, 100 * 5 / 5, 100 * 5 / 195),
        (1000, 1, 100 * 10 / 117, 0.0),
    ],
)
def test_gmin_is_an_option(gmin: int, bursts: int, burst: float, gap: float) -> None:
    row = pattern(HAND, 200).stream(gmin=gmin)
    assert row["loss_bursts"] == bursts
    assert some(row, "burst_density_percent gap_density_percent") == (
        pytest.approx(burst, abs=1e-6), pytest.approx(gap, abs=1e-6),
    )  # fmt: skip


def test_loss_at_the_very_beginning_and_end_cannot_be_known() -> None:
    row = pattern([0, 1, 2, 197, 198, 199], 200).stream()
    assert some(row, "expected " + BURSTS) == (194, 0, 0, 0.0, 0.0, 0)


def test_a_burst_next_to_the_first_and_the_last_packet() -> None:
    row = pattern([1, 2, 197, 198], 200).stream()
    assert rounded(row) == (4, 2, 100.0, 0.0, 2)


def test_no_loss_no_bursts() -> None:
    assert some(talk(200).stream(), BURSTS) == (0, 0, 0.0, 0.0, 0)


def test_an_outage_of_ten_thousand_packets_is_one_run_and_one_burst() -> None:
    tape = call(400.0).talk(BEGIN, A, 4000, B, 5000, 500)
    tape.talk(BEGIN + 10_500 * 0.02, A, 4000, B, 5000, 500, seq=1000 + 10_500, timestamp=5000 + 10_500 * 160)
    row = tape.stream()
    assert some(row, "packets expected restarts") == (1000, 11_000, 0)
    assert some(row, BURSTS) == (10_000, 1, 100.0, 0.0, 10_000)
    assert row["loss_runs"] == ">=50=1"


def test_bursts_end_at_a_restart() -> None:
    """Two bad at each side of it, ten packets apart: two bursts, not one over the seam."""
    tape = call().talk(BEGIN, A, 4000, B, 5000, 200, lost=[190, 192])
    tape.talk(BEGIN + 4.0, A, 4000, B, 5000, 200, seq=40_000, timestamp=900_000, lost=[3, 5])
    row = tape.stream()
    assert some(row, "restarts expected lost loss_bursts") == (1, 400, 4, 2)
    assert row["burst_density_percent"] == pytest.approx(100 * 4 / 6, abs=1e-6)
    tape = call().talk(BEGIN, A, 4000, B, 5000, 200, lost=[196])
    tape.talk(BEGIN + 4.0, A, 4000, B, 5000, 200, seq=40_000, timestamp=900_000, lost=[3])
    assert some(tape.stream(), "lost loss_bursts burst_density_percent gap_density_percent") == (2, 0, 0.0, 0.5)


def densities(flags: Sequence[bool], gmin: int) -> tuple[int, float, float]:
    """Bursts, and bad packets within and between them in percent: RFC 3611 4.7.2 read slowly, from all positions."""
    bad = [k for k, flag in enumerate(flags) if flag]
    groups: list[list[int]] = []
    for k in bad:
        if groups and k - groups[-1][-1] - 1 < gmin:
            groups[-1].append(k)
        else:
            groups.append([k])
    found = [group for group in groups if len(group) > 1]
    inside, length = sum(map(len, found)), sum(group[-1] - group[0] + 1 for group in found)
    rest = len(flags) - length
    return len(found), 100 * inside / length if length else 0.0, 100 * (len(bad) - inside) / rest if rest else 0.0


@pytest.mark.parametrize("seed", range(8))
def test_random_loss_and_lateness_have_the_densities_of_a_slow_reading(seed: int) -> None:
    rng = random.Random(seed)
    chance = (0.02, 0.05, 0.2, 0.6)[seed % 4]
    count, gmin = 700, (16, 5)[seed % 2]
    gone = [k for k in range(1, count - 1) if rng.random() < chance]
    slow = [k for k in range(20, count - 20) if k not in gone and rng.random() < 0.03]
    row = pattern(gone, count, slow, seq=rng.randrange(65_536)).stream(gmin=gmin)
    flags = [k in set(gone) or k in set(slow) for k in range(count)]
    bursts, burst, gap = densities(flags, gmin)
    assert some(row, "lost loss_bursts") == (len(gone), bursts)
    assert some(row, "burst_density_percent gap_density_percent") == (
        pytest.approx(burst, abs=1e-6), pytest.approx(gap, abs=1e-6),
    )  # fmt: skip
    assert row["discarded_percent"] == pytest.approx(100 * len(slow) / count, abs=1e-6)
    runs = [len(run) for run in "".join("x" if k in set(gone) else " " for k in range(count)).split()]
    assert row["max_consecutive_lost"] == max(runs)
    bad_runs = "".join("x" if flag else " " for flag in flags).split()
    share = sum(flags) / count
    assert row["burst_ratio"] == pytest.approx(max(1.0, sum(flags) / len(bad_runs) * (1 - share)), abs=1e-6)


# ---- quality over time


@pytest.mark.parametrize(
    ("count", "rows", "whole"),
    [
        (250, [250], [False]),
        (499, [499], [False]),
        (500, [500], [True]),  # 9.98 s from the first to the last packet, which fills the twenty ms behind it
        (501, [500, 1], [True, False]),
        (1250, [500, 500, 250], [True, True, False]),
    ],
)
def test_intervals_are_ten_seconds_from_the_first_packet(count: int, rows: list[int], whole: list[bool]) -> None:
    found = records(talk(count).analyze(), "intervals")
    assert [row["packets"] for row in found] == rows
    assert [row["whole"] for row in found] == whole
    assert [row["start"] for row in found] == [SINCE + k * 10_000_000_000 for k in range(len(rows))]
    (stream,) = talk(count).streams()
    assert (stream["mos_min"] is not None) == any(whole)


def test_loss_in_one_interval_counts_there_and_mos_min_is_its_mos() -> None:
    tape = talk(2000, lost=range(1005, 1500, 10))  # 50 of the third interval's 500
    analysis = tape.analyze(one_way_delay_ms=0.0)
    found = records(analysis, "intervals")
    assert [some(row, "packets expected lost discarded") for row in found] == [
        (500, 500, 0, 0), (500, 500, 0, 0), (450, 500, 50, 0), (500, 500, 0, 0),
    ]  # fmt: skip
    assert [round(row["mos"], 2) for row in found] == [4.41, 4.41, 3.41, 4.41]  # the grid: 10 %, concealed
    (stream,) = records(analysis, "streams")
    assert stream["mos_min"] == found[2]["mos"]
    assert stream["mos"] > 4.1


def test_the_last_part_of_an_interval_sets_no_mos_min() -> None:
    tape = talk(1250, lost=[*range(105, 500, 50), *range(1010, 1200, 2)])
    analysis = tape.analyze()
    found = records(analysis, "intervals")
    assert found[2]["mos"] < found[0]["mos"]
    (stream,) = records(analysis, "streams")
    assert stream["mos_min"] == found[0]["mos"]


@pytest.mark.parametrize("interval_ns", [1_000_000_000, 7_000_000_000, 10_000_000_000, 3_600_000_000_000])
def test_intervals_sum_up_to_the_stream(interval_ns: int) -> None:
    rng = random.Random(3)
    count = 3000
    gone = [k for k in range(1, count - 1) if rng.random() < 0.05]
    slow = {k: rng.uniform(0.03, 0.4) for k in range(20, count - 20) if rng.random() < 0.05}
    tape = talk(count, end=100.0, lost=gone, late=slow, twice=range(7, count, 100))
    analysis = tape.analyze(interval_ns=interval_ns)
    (stream,) = records(analysis, "streams")
    found = records(analysis, "intervals")
    sums = [sum(row[name] for row in found) for name in ("packets", "expected", "lost", "discarded")]
    assert sums == [*some(stream, "packets expected lost"), round(stream["discarded_percent"] * count / 100)]
    assert max(row["max_jitter_ms"] for row in found) == stream["max_jitter_ms"]
    assert [row["start"] - found[0]["start"] for row in found] == [interval_ns * k for k in range(len(found))]


def test_a_stream_of_one_interval_has_its_figures() -> None:
    analysis = talk(500, lost=[100, 101, 102, 200, 300]).analyze()
    (stream,), (interval,) = records(analysis, "streams"), records(analysis, "intervals")
    assert some(interval, "mos r_factor max_jitter_ms") == some(stream, "mos r_factor max_jitter_ms")
    assert stream["mos_min"] == stream["mos"]


def test_an_outage_over_intervals_is_shared_by_when_each_packet_was_due() -> None:
    """Packets 400 to 1199 are missing: 100 of the first interval, 500 of the second, 200 of the third."""
    tape = talk(1500, lost=range(400, 1200))
    analysis = tape.analyze()
    found = records(analysis, "intervals")
    assert [some(row, "packets expected lost") for row in found] == [(400, 500, 100), (0, 500, 500), (300, 500, 200)]
    (stream,) = records(analysis, "streams")
    assert some(stream, "lost max_consecutive_lost") == (800, 800)
    assert stream["mos_min"] == min(row["mos"] for row in found) == 1.0
    assert found[1]["mos"] < 1.2


def test_each_stream_has_intervals_of_its_own_named_by_its_row() -> None:
    tape = talk(1000, lost=[700])
    tape.talk(BEGIN - 0.05, B, 5000, A, 4000, 600, ssrc=2, lost=[100])
    analysis = tape.analyze()
    streams, found = records(analysis, "streams"), records(analysis, "intervals")
    assert [row["ssrc"] for row in streams] == ["0x00000002", "0x00001234"]
    assert [some(row, "stream ssrc packets lost") for row in found] == [
        (0, "0x00000002", 499, 1), (0, "0x00000002", 100, 0), (1, "0x00001234", 500, 0), (1, "0x00001234", 499, 1)
    ]  # fmt: skip
    assert {row["call_id"] for row in found} == {"one"}


def test_silence_between_spurts_has_intervals_in_which_nothing_was_expected() -> None:
    tape = call().talk(BEGIN, A, 4000, B, 5000, 500)
    tape.talk(BEGIN + 30, A, 4000, B, 5000, 500, seq=1500, timestamp=5000 + 160 * 1500, marks=[0])
    analysis = tape.analyze()
    found = records(analysis, "intervals")
    assert [some(row, "packets lost") for row in found] == [(500, 0), (0, 0), (0, 0), (500, 0)]
    assert [row["mos"] is None for row in found] == [False, True, True, False]
    (stream,) = records(analysis, "streams")
    assert stream["mos_min"] == stream["mos"]
