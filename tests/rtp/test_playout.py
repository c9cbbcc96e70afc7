"""What a jitter buffer would have discarded: numbers worked by hand, the twin, adaptive depth, unknown clocks."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings

from sipanalyzer.kernels.playout import LIMITS_MS
from sipanalyzer.options import Options
from sipanalyzer.result import LATENESS_MS
from sipanalyzer.rtp.figures import Figures
from sipanalyzer.rtp.formats import Format
from tests.naive.rtp import Packet, bursts, judge, playout
from tests.rtp.words import MS, figures, rows_of, steady, streams, table_of


def in_order_of_arrival(packets: list[Packet]) -> list[Packet]:
    return sorted(packets, key=lambda p: p.time)


def late(packets: list[Packet], by: dict[int, int]) -> list[Packet]:
    """`packets`, some of them so many ms late."""
    for k, ms in by.items():
        packets[k].time += ms * MS
    return in_order_of_arrival(packets)


def with_options(packets: list[Packet], **options: object) -> Figures:
    (only,) = table_of(rows_of(packets), options=Options(**options)).finish()  # type: ignore[arg-type]
    return only


def test_the_classes_are_those_of_the_result() -> None:
    assert LIMITS_MS == LATENESS_MS


def test_every_tenth_packet_100_ms_late_is_ten_percent_discarded() -> None:
    f = figures(late(steady(1000), dict.fromkeys(range(5, 1000, 10), 100)))
    assert (f.expected, f.lost, f.discarded) == (1000, 0, 100)
    assert f.lateness == (900, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0)
    assert (f.bad, f.bad_runs, f.max_consecutive_lost, sum(f.loss_runs)) == (100, 100, 0, 0)


def test_a_packet_is_too_late_when_it_comes_later_than_the_depth_to_the_nanosecond() -> None:
    packets = steady(100)
    packets[50].time += 60 * MS
    assert figures(in_order_of_arrival(packets)).discarded == 0
    packets = steady(100)
    packets[50].time += 60 * MS + 1
    assert figures(in_order_of_arrival(packets)).discarded == 1
    assert with_options(late(steady(100), {50: 61}), playout_ms=61.0).discarded == 0
    assert with_options(late(steady(100), {50: 3}), playout_ms=2.0).discarded == 1


def test_lateness_is_counted_below_each_limit() -> None:
    delays = [4, 5, 9, 10, 19, 20, 29, 30, 39, 40, 59, 60, 79, 80, 99, 100, 149, 150, 199, 200, 299, 300, 499, 500, 900]
    f = figures(late(steady(2000), {60 + 70 * k: ms for k, ms in enumerate(delays)}))
    assert f.lateness == (2000 - 24, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2)
    assert f.discarded == 13


def test_a_stall_discards_what_comes_later_than_the_buffer_holds() -> None:
    packets = steady(500)
    for k in range(200, 220):  # nothing for 400 ms, then twenty packets at once: 400, 380, ... 20 ms late
        packets[k].time = packets[220].time
    f = figures(packets)
    assert f.discarded == 17  # 400 down to 80; 60, 40 and 20 ms are in time
    assert (f.bad_runs, f.bursts, f.burst_packets, f.burst_bad) == (1, 1, 17, 17)


@pytest.mark.parametrize("at", [201, 250, 295])
def test_a_longer_path_costs_a_window_or_two_and_nothing_thereafter(at: int) -> None:
    packets = steady(3000)
    for p in packets[at:]:
        p.time += 80 * MS
    f = figures(packets)
    assert 100 <= (f.discarded or 0) <= 200  # two to four seconds of 50 packets
    assert f.discarded == sum(f.lateness[7:])


def test_a_shorter_path_costs_nothing() -> None:
    packets = steady(3000)
    for p in packets[1000:]:
        p.time -= 15 * MS
    assert figures(packets).discarded == 0


@pytest.mark.parametrize("ppm", [-500, -100, 100, 500])
def test_a_clock_that_drifts_for_twenty_minutes_discards_nothing(ppm: int) -> None:
    packets = [Packet(round(k * 20 * MS * (1 + ppm * 1e-6)), k % 65536, k * 160) for k in range(15_000)]  # 5 minutes
    f = figures(packets)
    assert f.discarded == 0
    assert f.lateness[0] == 15_000


def test_a_slow_clock_is_followed_so_that_a_late_packet_is_judged_by_what_is_usual_now() -> None:
    packets = [Packet(round(k * 20 * MS * 1.0004), k, k * 160) for k in range(10_000)]  # 80 ms in all
    packets[9_990].time += 50 * MS
    assert figures(in_order_of_arrival(packets)).discarded == 0
    packets = [Packet(round(k * 20 * MS * 0.9996), k, k * 160) for k in range(10_000)]
    packets[9_990].time += 70 * MS
    assert figures(in_order_of_arrival(packets)).discarded == 1


def test_a_window_that_a_stall_leaves_a_moment_of_is_no_longer_path() -> None:
    packets = steady(1000)
    for k in range(105, 200):  # a stall of nearly 2 s whose packets come just before the second window ends at 4 s
        packets[k].time = 3_995 * MS
    packets[400].time += 100 * MS
    f = figures(in_order_of_arrival(packets))
    judged_late = [3_995 - 20 * k for k in range(105, 200) if 3_995 - 20 * k > 60]
    assert f.discarded == len(judged_late) + 1


def test_a_talk_spurt_begins_a_schedule_of_its_own() -> None:
    packets = steady(100) + steady(100, first=1100, stamp=5000 + 100 * 160, start=100 * 20 * MS + 300 * MS)
    packets[100].marker = True
    assert figures(packets).discarded == 0
    packets[100].marker = False
    assert figures(packets).discarded == 85  # no talk spurt: 300 ms late, from 2.3 s to the end of the window at 4 s


def test_a_key_press_begins_a_schedule_of_its_own() -> None:
    packets = steady(200)
    for k in range(100, 110):
        packets[k] = Packet(packets[k].time, packets[k].seq, packets[100].stamp, event=True, size=4)
    for p in packets[110:]:
        p.time += 90 * MS
    assert figures(packets).discarded == 0


def test_duplicates_and_packets_out_of_order_in_time_are_not_late() -> None:
    packets = steady(100)
    packets[50:50] = [packets[40]] * 3
    packets[20].time, packets[21].time = packets[21].time, packets[20].time
    f = figures(in_order_of_arrival(packets))
    assert (f.duplicates, f.out_of_order, f.discarded, sum(f.lateness)) == (3, 1, 0, 100)
    doubled = [p for p in late(steady(100), dict.fromkeys(range(5, 100, 10), 100)) for _ in range(2)]
    assert (figures(doubled).discarded, figures(doubled).lost) == (10, 0)


def test_video_and_text_are_not_judged() -> None:
    packets = late(steady(200), dict.fromkeys(range(5, 200, 10), 100))
    for form in (Format("H264", 90000, "video", from_sdp=True), Format("t140", 1000, "text", from_sdp=True)):
        (f,) = table_of(rows_of(packets, payload_type=96), describe=lambda *a, form=form: form).finish()
        assert (f.discarded, f.lateness, f.bad) == (None, (), 0)


def test_an_adaptive_buffer_grows_to_what_was_late_and_falls_back() -> None:
    delays = {200: 100, 210: 100, 220: 150, 230: 260, 240: 190}
    fixed = with_options(late(steady(6000), dict(delays)))
    adaptive = with_options(late(steady(6000), dict(delays)), playout_mode="adaptive")
    assert (fixed.discarded, adaptive.discarded) == (5, 3)  # 100, 150, and 260, of which 200 are followed
    # 200 ms from 4.6 s on; a tenth of the excess falls away with each window without a late packet, from 8 s on
    for n in (0, 1, 5, 20):
        depth = 60 + 140 * 0.9 ** (n + 2)
        for ms in (int(depth), int(depth) + 1):
            found = with_options(late(steady(6000), {**delays, 500 + 100 * n: ms}), playout_mode="adaptive").discarded
            assert found == 3 + (ms > depth), (n, ms)


def test_a_clock_learnt_late_gives_the_figures_of_one_known_from_the_beginning() -> None:
    rng = random.Random(3)
    packets = [Packet(k * 20 * MS + rng.choice([0, 0, 0, 70, 30]) * MS, k, k * 960) for k in range(800)]
    packets = in_order_of_arrival(packets)
    known = table_of(rows_of(packets, payload_type=111), describe=lambda *a: Format("opus", 48000, "audio")).finish()[0]
    guessed = table_of(rows_of(packets, payload_type=111), describe=lambda *a: None).finish()[0]
    assert (guessed.discarded, guessed.lateness) == (known.discarded, known.lateness)
    assert guessed.discarded and guessed.bad <= guessed.discarded
    few = rows_of(packets[:90], payload_type=111)  # none is final when the clock is settled, so bursts have them all
    known = table_of(few, describe=lambda *a: Format("opus", 48000, "audio")).finish()[0]
    guessed = table_of(few, describe=lambda *a: None).finish()[0]
    assert guessed.discarded
    names = ("discarded", "lateness", "bad", "bad_runs", "bursts", "burst_packets", "burst_bad")
    assert [getattr(guessed, name) for name in names] == [getattr(known, name) for name in names]


@settings(max_examples=150)
@given(streams())
def test_an_adaptive_buffer_equals_its_obvious_version(packets: list[Packet]) -> None:
    f = with_options(packets, playout_mode="adaptive", playout_ms=40.0, playout_most_ms=150.0, gmin=4)
    truth = judge(packets, 8000, 160)
    classes = playout(truth, 40.0, 150.0)
    if truth.audio:
        assert (f.discarded, f.lateness) == (sum(t.late for t in truth.taken), tuple(classes))
    for name, value in bursts(truth, gmin=4).items():
        assert getattr(f, name) == value, name


def test_random_jitter_over_many_windows_equals_the_obvious_version() -> None:
    rng = np.random.default_rng(7)
    time = np.arange(4000) * 20 * MS + rng.gamma(1.5, 20, 4000).astype(np.int64) * MS
    time[1500:] += 70 * MS
    time[3000:] -= 40 * MS
    packets = in_order_of_arrival([Packet(int(t), k, k * 160) for k, t in enumerate(time.tolist())])
    packets = [p for k, p in enumerate(packets) if k % 97]
    f = figures(packets)
    truth = judge(packets, 8000, 160)
    classes = playout(truth)
    assert (f.discarded, f.lateness) == (sum(t.late for t in truth.taken), tuple(classes))
    assert f.discarded > 100
    for name, value in bursts(truth).items():
        assert getattr(f, name) == value, name
