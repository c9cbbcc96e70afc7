"""Quality of streams and intervals: what goes into the E-model, and that both ways agree."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.facts import Quality
from sipanalyzer.metrics.quality import burst_ratio, rate_intervals, rate_stream, worst_intervals
from sipanalyzer.options import Options
from tests.output.results import make_stream

LOSSY = make_stream(codec="PCMU", expected=1000, lost=15, discarded=5, bad=20, bad_runs=20)


def rated(stream: object = LOSSY, options: Options | None = None, network: float | None = None) -> Quality:
    quality = rate_stream(stream, options or Options(), one_way_delay_ms=network)  # type: ignore[arg-type]
    assert quality is not None
    return quality


def test_a_lossy_call_in_g711_by_hand() -> None:
    """2 % after the buffer, Ie,eff 95*2/27.1 = 7.0111; 60 ms: Idte 1.2126..., R = 93.2062 - 7.0111 - 1.63."""
    quality = rated(options=Options(one_way_delay_ms=150.0))
    assert quality.r_factor == pytest.approx(89.5391 - 7.0111, abs=5e-4)
    assert quality.mos == pytest.approx(4.12, abs=0.005)
    assert (quality.scale, quality.basis) == ("NB", "published")
    assert (quality.equipment_impairment, quality.loss_robustness) == (0.0, 25.1)
    assert quality.loss_percent == pytest.approx(2.0)
    assert quality.relative == pytest.approx(quality.r_factor)


def test_loss_is_that_after_the_jitter_buffer() -> None:
    unknown = dataclasses.replace(LOSSY, discarded=None)
    assert rated(unknown).loss_percent == pytest.approx(1.5)
    assert "no packet could be judged late" in rated(unknown).notes
    assert rated(dataclasses.replace(LOSSY, lost=900, discarded=200)).loss_percent == 100.0


def test_without_concealment_loss_hurts_more() -> None:
    plain = rated(options=Options(concealment=False))
    assert plain.loss_robustness == 4.3
    assert plain.r_factor == pytest.approx(rated().r_factor + 95 * 2 / 27.1 - 95 * 2 / 6.3)
    assert "lost packets are not concealed" in plain.notes
    assert "lost packets are concealed (G.711 Appendix I)" in rated().notes


def test_where_the_delay_comes_from() -> None:
    assert rated().delay_ms == 60.0
    assert "one-way delay unknown: the jitter buffer's 60 ms alone" in rated().notes
    known = rated(network=45.0)
    assert known.delay_ms == 105.0
    assert "one-way delay: half the round trip, 45 ms, and the jitter buffer's 60 ms" in known.notes
    chosen = rated(options=Options(one_way_delay_ms=20.0), network=45.0)
    assert chosen.delay_ms == 20.0
    assert "one-way delay of 20 ms as set" in chosen.notes
    assert rated(network=-3.0).delay_ms == 60.0
    adaptive = rated(options=Options(playout_mode="adaptive", playout_ms=40.0))
    assert adaptive.delay_ms == 40.0
    assert "one-way delay unknown: the jitter buffer's 40 ms (the least that it adapts to) alone" in adaptive.notes


def test_runs_of_loss_make_the_burst_ratio() -> None:
    """20 bad in 5 runs of 4; random loss of 2 % has runs of 1/0.98: BurstR = 4 * 0.98."""
    bursty = rated(dataclasses.replace(LOSSY, bad_runs=5))
    assert bursty.burst_ratio == pytest.approx(3.92)
    assert bursty.r_factor == pytest.approx(rated().r_factor + 95 * 2 / 27.1 - 95 * 2 / (2 / 3.92 + 25.1))
    assert any("burst ratio of 3.9" in note for note in bursty.notes)
    few = rated(dataclasses.replace(LOSSY, lost=4, discarded=0, bad=4, bad_runs=1))
    assert few.burst_ratio > 2
    assert not any("burst ratio" in note for note in few.notes), "G.107 vouches for it under 2 %"
    assert rated().burst_ratio == 1.0, "20 runs of one are less bursty than chance; never under 1"


def test_burst_ratio_by_hand() -> None:
    assert burst_ratio(0, 0, 0.0) == 1.0
    assert burst_ratio(10, 10, 0.1) == 1.0
    assert burst_ratio(10, 2, 0.1) == pytest.approx(4.5)
    assert burst_ratio(100, 1, 1.0) == 1.0


def test_more_loss_than_g107_vouches_for_is_noted() -> None:
    half = dataclasses.replace(LOSSY, lost=500, discarded=0, bad=500, bad_runs=500)
    assert "50 % lost: G.107 vouches for no more than 20 %" in rated(half).notes


def test_echo_and_advantage_are_options_and_are_named() -> None:
    plain, advantaged = rated(), rated(options=Options(advantage=10.0))
    assert advantaged.r_factor == pytest.approx(plain.r_factor + 10)
    assert "advantage factor of 10" in advantaged.notes
    echoing = rated(options=Options(talker_echo_loudness_db=45.0))
    assert echoing.r_factor < plain.r_factor - 5
    assert "TELR of 45 dB" in echoing.notes


@pytest.mark.parametrize(
    ("codec", "clock", "scale", "highest"), [("G722", 8000, "WB", 129.0), ("opus", 48000, "FB", 148.0)]
)
def test_relative_r_puts_the_scales_side_by_side(codec: str, clock: int, scale: str, highest: float) -> None:
    quality = rated(dataclasses.replace(LOSSY, codec=codec, clock_rate=clock, lost=0, discarded=0, bad=0, bad_runs=0))
    assert quality.scale == scale
    assert quality.relative == pytest.approx(quality.r_factor / highest * 93.2062, abs=1e-4)
    assert quality.basis == "assumed"
    assert quality.notes[0].split(" ")[0].lower().replace(".", "") == codec.lower()


@pytest.mark.parametrize(
    "changes", [{"expected": 0}, {"codec": None}, {"codec": "red"}, {"codec": "nobody-knows"},
                {"media": "video", "codec": "H264"}, {"media": "video"}, {"media": "text", "codec": "t140"}],
)  # fmt: skip
def test_no_quality_where_it_cannot_be_said(changes: dict[str, object]) -> None:
    stream = dataclasses.replace(LOSSY, **changes)  # type: ignore[arg-type]
    assert rate_stream(stream, Options(), one_way_delay_ms=None) is None


def test_a_stream_without_sdp_is_rated_by_its_static_payload_type() -> None:
    assert rated(dataclasses.replace(LOSSY, media=None)).mos == rated().mos


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@given(
    st.integers(1, 5000), st.integers(0, 5000), st.integers(0, 300), st.integers(1, 50),
    st.sampled_from([("PCMU", 8000), ("AMR-WB", 16000), ("opus", 48000), ("G729", 8000)]),
    st.sampled_from([None, 20.0, 180.0]),
)  # fmt: skip
def test_a_stream_that_is_one_interval_has_its_figures(
    expected: int, lost: int, late: int, runs: int, codec: tuple[str, int], network: float | None
) -> None:
    lost = min(lost, expected)
    late = min(late, expected - lost)
    runs = min(runs, lost + late)
    stream = make_stream(
        codec=codec[0], clock_rate=codec[1], packets=expected - lost, expected=expected, lost=lost, discarded=late,
        bad=lost + late, bad_runs=runs,
    )  # fmt: skip
    quality = rated(stream, network=network)
    r, mos = rate_intervals(ints(expected), ints(lost), ints(late), ints(runs), ints(0), [quality])
    assert r[0] == pytest.approx(quality.r_factor, abs=1e-9)
    assert mos[0] == pytest.approx(quality.mos, abs=1e-9)


def test_packets_that_stand_in_no_sequence_say_nothing_of_loss() -> None:
    """99 of 200 are in a sequence: too few; copies do not count."""
    stream = make_stream(codec="PCMU", packets=230, duplicates=30, expected=100, lost=1)
    assert rate_stream(stream, Options(), one_way_delay_ms=None) is None
    assert rated(dataclasses.replace(stream, lost=0)).loss_percent == 0


def test_intervals_take_all_but_the_loss_from_their_stream() -> None:
    wide = rated(dataclasses.replace(LOSSY, codec="AMR-WB", clock_rate=16000))
    r, mos = rate_intervals(
        ints(500, 500, 500, 0, 500), ints(0, 10, 500, 0, 0), ints(0, 0, 0, 0, 0), ints(0, 10, 1, 0, 0),
        ints(1, 1, 2, 1, 0), [None, rated(), wide],
    )  # fmt: skip
    clean = rated(dataclasses.replace(LOSSY, lost=0, discarded=0, bad=0, bad_runs=0))
    assert r[0] == pytest.approx(clean.r_factor)
    assert r[1] == pytest.approx(rated().r_factor)
    silent = dataclasses.replace(LOSSY, codec="AMR-WB", clock_rate=16000, lost=0, discarded=0, bad=0, bad_runs=0)
    assert r[2] == pytest.approx(rated(silent).r_factor - 85 * 100 / 104.9), "Ie 10, Bpl 4.9, all lost"
    assert np.isnan(r[3:]).all()
    assert np.isnan(mos[3:]).all()


def test_no_intervals_and_no_streams() -> None:
    r, mos = rate_intervals(ints(), ints(), ints(), ints(), ints(), [])
    assert len(r) == len(mos) == 0
    assert len(worst_intervals(ints(), np.empty(0, bool), np.empty(0), 0)) == 0


def test_the_worst_whole_interval() -> None:
    mos = np.array([4.2, 3.1, 1.5, 4.0, math.nan, math.nan])
    whole = np.array([True, True, False, True, True, True])
    least = worst_intervals(ints(0, 0, 0, 2, 2, 3), whole, mos, 5)
    assert least[[0, 2]].tolist() == [3.1, 4.0]
    assert np.isnan(least[[1, 3, 4]]).all()
