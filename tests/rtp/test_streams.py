"""Streams: numbers worked by hand, published vectors, the obvious twin, and the laws."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.kernels import columns as row
from sipanalyzer.kernels import set_compiled
from sipanalyzer.options import Options
from sipanalyzer.rtp.clock import estimate_clock_rate
from sipanalyzer.rtp.figures import Figures
from sipanalyzer.rtp.formats import Format
from sipanalyzer.rtp.streams import StreamTable
from tests.naive.rtp import Packet, Truth, bursts, judge, playout
from tests.rtp.words import MS, describe, figures, rows_of, steady, streams, table_of


def test_the_published_jitter_vector_comes_out_to_the_last_digit() -> None:
    # wireshark-users, February 2007, message 249: PCMA, arrivals in s, timestamps
    arrivals, stamps = (25_348_411_000, 25_418_358_000, 25_421_891_000), (1240, 1400, 1560)
    f = figures([Packet(t, 10 + k, s) for k, (t, s) in enumerate(zip(arrivals, stamps, strict=True))])
    j1, j2 = 3.1216875, 3.95576953125
    assert f.max_jitter_ms == pytest.approx(j2, abs=1e-12)
    assert f.mean_jitter_ms == pytest.approx((j1 + j2) / 2, abs=1e-12)


def test_five_packets_dropped_of_a_hundred_are_five_lost() -> None:
    packets = [p for k, p in enumerate(steady(105)) if k not in (10, 30, 31, 60, 90)]
    f = figures(packets)
    assert (f.packets, f.expected, f.lost) == (100, 105, 5)


def test_duplicates_never_cancel_loss() -> None:
    packets = [p for k, p in enumerate(steady(100)) if k != 50]
    packets[20:20] = [packets[19]]
    f = figures(packets)
    assert (f.packets, f.expected, f.lost, f.duplicates) == (100, 100, 1, 1)


def test_a_swapped_last_pair_is_no_loss() -> None:
    packets = steady(100)
    packets[98].time, packets[99].time = packets[99].time, packets[98].time
    packets[98], packets[99] = packets[99], packets[98]
    f = figures(packets)
    assert (f.expected, f.lost, f.out_of_order, f.duplicates) == (100, 0, 1, 0)


def test_a_swapped_first_pair_is_no_loss() -> None:
    packets = steady(100)
    packets[0], packets[1] = packets[1], packets[0]
    f = figures(packets)
    assert (f.expected, f.lost, f.out_of_order) == (100, 0, 1)


def test_sequence_numbers_wrap_twice_without_loss() -> None:
    f = figures(steady(140_000, first=65_000))
    assert (f.expected, f.lost, f.restarts) == (140_000, 0, 0)


def test_a_sender_that_restarts_begins_a_segment_and_loses_nothing() -> None:
    packets = steady(50) + steady(50, first=30_000, stamp=99, start=50 * 20 * MS)
    f = figures(packets)
    assert (f.restarts, f.expected, f.lost) == (1, 100, 0)
    assert f.max_jitter_ms == 0


def test_a_jump_that_the_gap_explains_is_an_outage_and_all_of_it_loss() -> None:
    packets = [p for k, p in enumerate(steady(10_000)) if not 50 <= k < 9_000]
    f = figures(packets)
    assert (f.restarts, f.expected, f.lost) == (0, 10_000, 8_950)
    assert f.max_delta_ms == pytest.approx(8951 * 20)


def test_an_outage_longer_than_the_sequence_space_is_counted_whole() -> None:
    packets = [p for k, p in enumerate(steady(80_000)) if not 50 <= k < 79_900]
    assert figures(packets).lost == 79_850


def test_every_frame_captured_twice_is_no_loss_and_no_jitter() -> None:
    packets = [p for p in steady(100) for _ in range(2)]
    f = figures(packets)
    assert (f.packets, f.expected, f.lost, f.duplicates, f.max_jitter_ms) == (200, 100, 0, 100, 0)


def test_a_mirrored_restart_is_confirmed_too() -> None:
    packets = [p for p in steady(50) + steady(50, first=40_000, start=1000 * MS) for _ in range(2)]
    f = figures(packets)
    assert (f.restarts, f.expected, f.lost, f.duplicates) == (1, 100, 0, 100)


def test_a_key_press_is_no_jitter_and_no_loss() -> None:
    packets = steady(50)
    for k in range(15, 25):  # one event: its timestamp stands still
        packets[k] = Packet(packets[k].time, packets[k].seq, packets[15].stamp, marker=k == 15, event=True, size=4)
    f = figures(packets)
    assert (f.max_jitter_ms, f.lost, f.out_of_order) == (0, 0, 0)
    assert f.payload_types == (8, 101)


def test_a_hold_without_timestamps_is_no_jitter_when_a_marker_ends_it() -> None:
    packets = steady(50) + steady(50, first=1050, stamp=5000 + 50 * 160, start=50 * 20 * MS + 5000 * MS)
    packets[50].marker = True
    f = figures(packets)
    assert (f.max_jitter_ms, f.max_delta_ms, f.lost) == (0, 20.0, 0)


def test_a_timestamp_jump_is_a_break() -> None:
    packets = steady(50) + steady(50, first=1050, stamp=405_000, start=1000 * MS)
    assert figures(packets).max_jitter_ms == 0


def test_a_packet_that_is_merely_late_is_no_break() -> None:
    packets = steady(50)
    packets[25].time += 18 * MS
    f = figures(packets)
    d = 18 / 16
    after = d + (18 - d) / 16
    assert f.max_jitter_ms == pytest.approx(after)
    assert f.max_skew_ms == pytest.approx(18)


def test_packet_time_of_40_ms_is_seen_and_moves_no_jitter() -> None:
    f = figures(steady(100, step=320, gap=40 * MS))
    assert (f.ptime_ms, f.max_jitter_ms, f.mean_delta_ms) == (40.0, 0, 40.0)


def test_a_change_of_packet_time_is_learnt() -> None:
    packets = steady(50) + steady(200, first=1050, stamp=5000 + 50 * 160, start=50 * 20 * MS, step=480, gap=60 * MS)
    f = figures(packets)
    assert f.ptime_ms == 60.0
    assert f.max_jitter_ms < 3.0


def test_a_fast_clock_has_positive_drift_and_late_packets_positive_skew() -> None:
    packets = [Packet(round(k * 20 * MS / 1.0002), k, k * 160) for k in range(3000)]
    assert figures(packets).clock_drift_ppm == pytest.approx(200, abs=1)


def test_video_follows_the_rfc_to_the_letter() -> None:
    video = Format("H264", 90000, "video", from_sdp=True)
    packets = [Packet(k // 3 * 40 * MS + k % 3 * MS, k, k // 3 * 3600, marker=k % 3 == 2) for k in range(30)]
    table = table_of(rows_of(packets, payload_type=96), describe=lambda *a: video)
    (f,) = table.finish()
    jitter, worst = 0.0, 0.0
    for a, b in itertools.pairwise(packets):
        jitter += (abs((b.time - a.time) / MS - (b.stamp - a.stamp) / 90) - jitter) / 16
        worst = max(worst, jitter)
    assert f.max_jitter_ms == pytest.approx(worst)
    assert f.ptime_ms is None


def test_two_packets_in_sequence_make_a_stream_and_both_count() -> None:
    assert figures(steady(2), announced=False).packets == 2


def test_one_packet_makes_no_stream_without_sdp_and_one_with_it() -> None:
    assert table_of(rows_of(steady(1)), announced=False).finish() == []
    assert figures(steady(1)).packets == 1


def test_packets_before_the_sequence_was_proved_count_afterwards() -> None:
    packets = [p for k, p in enumerate(steady(20)) if k not in (1, 3)]
    f = figures(packets, announced=False)
    assert (f.packets, f.expected, f.lost) == (18, 20, 2)


def test_noise_with_random_numbers_makes_no_stream() -> None:
    rng = random.Random(1)
    rows = np.concatenate(
        [
            rows_of([Packet(k * MS, rng.randrange(65536), rng.randrange(2**32))], ssrc=rng.randrange(2**32))
            for k in range(300)
        ]
    )
    assert table_of(rows, announced=False).finish() == []


def test_four_thousand_interleaved_streams_all_pass_probation() -> None:
    streams = [rows_of(steady(4), ssrc=s) for s in range(1, 4001)]
    rows = np.concatenate([np.stack([s[k] for s in streams]) for k in range(4)])
    set_compiled(True)
    try:
        table = table_of(rows, announced=False)
    finally:
        set_compiled(False)
    assert table.count == 4000
    assert {f.packets for f in table.finish()} == {4}


def test_the_probation_table_forgets_the_oldest_and_stays_exact() -> None:
    options = Options(probation_candidates=64)
    noise = [rows_of([Packet(0, k, 0)], ssrc=1000 + k) for k in range(50)]
    pair = rows_of(steady(2), ssrc=7)
    rows = np.concatenate([pair[:1], *noise, pair[1:]])  # 51 keys between: still remembered
    assert table_of(rows, announced=False, options=options).count == 1
    many = [rows_of([Packet(0, k, 0)], ssrc=1000 + k) for k in range(500)]
    rows = np.concatenate([pair[:1], *many, pair[1:]])
    assert table_of(rows, announced=False, options=options).count == 0


def test_silence_with_a_restart_is_a_new_stream_where_no_sdp_speaks() -> None:
    packets = steady(50) + steady(50, first=20_000, start=100_000 * MS)
    table = table_of(rows_of(packets), announced=False)
    first, second = table.finish()
    assert (first.packets, second.packets, first.restarts, second.lost) == (50, 50, 0, 0)
    assert (first.last_frame, second.first_frame) == (50, 51)


def split_after_60(packets: list[Packet]) -> list[int]:
    rows = rows_of(packets)
    table = StreamTable(Options(), describe)
    table.announce((0, 0xFFFF0A000002, 4000))
    table.feed(rows, 0, 60, 0)
    table.split(0)
    table.feed(rows, 60, 100, 0)
    return [f.packets for f in table.finish()]


def test_a_key_told_to_split_begins_a_new_stream_after_a_pause_or_with_a_jump() -> None:
    assert split_after_60([*steady(60), *steady(40, first=1060, stamp=5000 + 60 * 160, start=1301 * MS)]) == [60, 40]
    assert split_after_60([*steady(60), *steady(40, first=1161, stamp=5000 + 60 * 160, start=1200 * MS)]) == [60, 40]


def test_packets_under_way_when_the_next_call_comes_stay_with_their_stream() -> None:
    assert split_after_60(steady(100)) == [100]
    late = [*steady(60), *steady(10, first=1060, stamp=5000 + 60 * 160, start=1200 * MS)]
    again = steady(30, first=1070, stamp=5000 + 70 * 160, start=3000 * MS)
    assert split_after_60([*late, *again]) == [70, 30]


def test_an_unknown_clock_is_estimated_and_the_early_packets_count() -> None:
    packets = [Packet(k * 20 * MS + (k % 3) * MS, k, k * 960) for k in range(800)]
    known = table_of(rows_of(packets, payload_type=111), describe=lambda *a: Format("opus", 48000, "audio")).finish()[0]
    guessed = table_of(rows_of(packets, payload_type=111), describe=lambda *a: None).finish()[0]
    assert guessed.clock_rate_hz == 48000
    assert guessed.max_jitter_ms == known.max_jitter_ms
    assert guessed.mean_jitter_ms == known.mean_jitter_ms
    short = table_of(rows_of(packets[:40], payload_type=111), describe=lambda *a: None).finish()[0]
    assert short.clock_rate_hz == 48000
    assert short.max_jitter_ms > 0


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 90000])
def test_clock_rates_are_told_apart(rate: int) -> None:
    rng = np.random.default_rng(rate)
    time = np.arange(200) * 20 * MS + rng.integers(0, 3 * MS, 200)
    stamp = (np.arange(200) * rate // 50 + 2**32 - 1000) % 2**32
    assert estimate_clock_rate(time, stamp) == rate


def test_a_few_packets_of_20_ms_are_opus_and_not_44100_hz() -> None:
    assert estimate_clock_rate(np.array([0, 21_500_000]), np.array([7, 967])) == 48000


def test_key_presses_without_sdp_are_told_by_their_payload() -> None:
    packets = [Packet(k * 20 * MS, k, 4000, event=True, size=4) for k in range(8)]
    rows = rows_of(packets)
    rows[:, row.EVENT] = [5 << 24 | 10 << 16 | k * 160 for k in range(8)]
    (f,) = table_of(rows, announced=False, describe=lambda *a: None).finish()
    assert (f.uses[0].format.name, f.clock_rate_hz, f.max_jitter_ms, f.lost) == ("telephone-event", 8000, None, 0)


def test_the_strays_belong_to_no_segment() -> None:
    packets = steady(50)
    packets.insert(25, Packet(packets[25].time, 40_000, 1))
    f = figures(packets)
    assert (f.packets, f.expected, f.lost, f.strays) == (51, 50, 0, 1)


# ---- the twin and the laws


def same(f: Figures, packets: list[Packet]) -> None:
    truth = judge(packets, 8000, 160)
    assert (f.packets, f.expected, f.lost) == (truth.packets, truth.expected, truth.lost)
    assert (f.duplicates, f.out_of_order, f.restarts, f.strays) == (
        truth.duplicates, truth.out_of_order, truth.restarts, truth.strays,
    )  # fmt: skip
    assert f.max_jitter_ms == (max(truth.jitters) if truth.jitters else None)
    if truth.jitters:
        assert f.mean_jitter_ms == pytest.approx(sum(truth.jitters) / len(truth.jitters))
        assert f.max_delta_ms == max(0, *truth.deltas, 0) / 1e6
        assert abs(f.max_skew_ms or 0) == max(map(abs, truth.skews))
    same_playout_and_bursts(f, truth)


def same_playout_and_bursts(f: Figures, truth: Truth) -> None:
    classes = playout(truth)
    if truth.audio:
        assert (f.discarded, f.lateness) == (sum(t.late for t in truth.taken), tuple(classes))
    else:
        assert (f.discarded, f.lateness) == (None, ())
    for name, value in bursts(truth).items():
        assert getattr(f, name) == value, name
    assert f.bad == f.lost + (f.discarded or 0)


@settings(max_examples=300)
@given(streams())
def test_the_kernel_equals_its_obvious_version(packets: list[Packet]) -> None:
    same(figures(packets), packets)


@settings(max_examples=60)
@given(streams(), st.lists(st.integers(0, 200), max_size=5))
def test_any_cut_gives_the_same_figures_bit_for_bit(packets: list[Packet], cuts: list[int]) -> None:
    rows = rows_of(packets)
    cuts = [min(c, len(rows)) for c in cuts]
    assert table_of(rows, cuts=cuts).finish() == table_of(rows).finish()
    assert table_of(rows, cuts=cuts, announced=False).finish() == table_of(rows, announced=False).finish()


@settings(max_examples=40)
@given(st.lists(streams(), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_interleaving_streams_changes_nothing(many: list[list[Packet]], rng: random.Random) -> None:
    each = [rows_of(packets, ssrc=k + 1) for k, packets in enumerate(many)]
    turns = [k for k, rows in enumerate(each) for _ in rows]
    rng.shuffle(turns)
    at = [0] * len(each)
    mixed = []
    for k in turns:
        mixed.append(each[k][at[k]])
        at[k] += 1
    together = {f.ssrc: f for f in table_of(np.stack(mixed)).finish()}
    for k, rows in enumerate(each):
        (alone,) = table_of(rows).finish()
        other = together[k + 1]
        assert {**vars_of(alone), "index": 0} == {**vars_of(other), "index": 0}


def vars_of(f: Figures) -> dict[str, object]:
    return {name: getattr(f, name) for name in f.__dataclass_fields__}


def test_both_ways_give_the_same_bits() -> None:
    rng = random.Random(5)
    mixed = []
    for ssrc in range(1, 30):
        packets = [p for p in steady(300, first=rng.randrange(65536)) if rng.random() > 0.05]
        if ssrc % 4 == 0:  # an outage that the next packet confirms, a restart, a stray
            packets = [*packets[:100], Packet(2100 * MS, 9, 9), *steady(99, first=60_000, start=2200 * MS)]
            packets += steady(99, first=63_900, stamp=5000 + 3900 * 160, start=2200 * MS + 3900 * 20 * MS)
        for k, p in enumerate(packets):
            p.time += rng.randrange(30 * MS) + (rng.random() < 0.05) * 90 * MS
            p.event = rng.random() < 0.02
            p.payload = rng.randrange(2**32) if k % 3 else 5 << 24
        packets[20:20] = [packets[19]] * (ssrc % 3)
        mixed.append(rows_of(packets, ssrc=ssrc, payload_type=rng.choice([8, 97])))
    rows = np.concatenate(mixed)
    rows = rows[np.argsort(rows[:, row.TIME], kind="stable")]
    options = Options(interval_ns=1000 * MS, playout_mode="adaptive", playout_ms=30.0, max_digits=90)

    def found() -> tuple[object, ...]:
        table = table_of(rows, announced=False, options=options)
        figures = table.finish()
        intervals = [getattr(table.intervals(), name).tobytes() for name in table.intervals().__dataclass_fields__]
        return figures, intervals, table.outages().tolist(), table.events().tolist(), table.missed()

    interpreted = found()
    set_compiled(True)
    try:
        compiled = found()
    finally:
        set_compiled(False)
    assert interpreted == compiled
    figures, _, holes, events, missed = interpreted
    assert sum(bool(f.discarded and f.bad_runs and f.bursts and len(f.fingerprint) == 50) for f in figures) > 20
    assert {f.restarts for f in figures} == {0, 1}
    assert len(holes) > 2
    assert (len(events), list(missed)) == (90, ["rtp-event-limit"])


@pytest.mark.parametrize("compiled", [False, True])
def test_a_clock_that_leaps_a_century_to_and_fro_leaves_every_sum_within_64_bits(compiled: bool) -> None:
    packets = steady(90)
    for number, packet in enumerate(packets):
        packet.time += number % 3 * 36_500 * 86_400 * 1_000_000_000
    set_compiled(compiled)
    try:
        f = figures(packets)
    finally:
        set_compiled(False)
    assert (f.packets, f.lost) == (90, 0)
    assert f.mean_delta_ms is None or 0 <= f.mean_delta_ms < 1e10
