"""Bursts and gaps, with the pattern that RFC 3611 4.7.2 prints."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.metrics.bursts import (
    burst_density_percent,
    gap_density_percent,
    mean_burst_packets,
    mean_loss_run,
)
from sipanalyzer.result import Stream
from tests.naive.bursts import classify
from tests.output.results import make_stream

RFC_3611 = "11110111111111111111111X111X1011110111111111111111111X111111111"
"""1: received, 0: lost, X: discarded. The text says 64 packets; these are 63."""


def measured(pattern: str, gmin: int = 16) -> Stream:
    truth = classify(pattern, gmin)
    return make_stream(
        expected=truth.expected, lost=pattern.count("0"), discarded=pattern.count("X"), bad=truth.bad,
        bad_runs=truth.bad_runs, bursts=len(truth.bursts), burst_packets=truth.burst_packets, burst_bad=truth.burst_bad,
    )  # fmt: skip


def test_the_pattern_of_rfc_3611() -> None:
    stream = measured(RFC_3611)
    assert (stream.expected, stream.lost, stream.discarded, stream.bad) == (63, 3, 3, 6)
    assert classify(RFC_3611).bursts == ["X111X1011110"]
    assert RFC_3611.index("X111X1011110") + 1 == 24
    assert burst_density_percent(stream) == pytest.approx(100 * 4 / 12)
    assert gap_density_percent(stream) == pytest.approx(100 * 2 / 51)
    assert mean_burst_packets(stream) == 12
    assert mean_loss_run(stream) == 1


def test_the_pattern_with_the_64_packets_that_the_text_claims() -> None:
    stream = measured(RFC_3611 + "1")
    assert burst_density_percent(stream) == pytest.approx(100 * 4 / 12)
    assert gap_density_percent(stream) == pytest.approx(100 * 2 / 52)


@pytest.mark.parametrize(
    ("pattern", "burst", "gap"),
    [
        ("1" * 40, 0.0, 0.0),
        ("1" * 20 + "0" + "1" * 20, 0.0, 100 / 41),
        ("0" + "1" * 16 + "0", 0.0, 100 * 2 / 18),
        ("0" + "1" * 15 + "0", 100 * 2 / 17, 0.0),
        ("00", 100.0, 0.0),
        ("0", 0.0, 100.0),
    ],
)
def test_densities_by_hand(pattern: str, burst: float, gap: float) -> None:
    """16 good packets end a burst, 15 do not; one bad packet alone is of the gap; all lost is one burst."""
    stream = measured(pattern)
    assert burst_density_percent(stream) == pytest.approx(burst)
    assert gap_density_percent(stream) == pytest.approx(gap)


def test_nothing_expected_has_no_densities() -> None:
    empty = dataclasses.replace(make_stream(), expected=0, lost=0)
    assert burst_density_percent(empty) is None
    assert gap_density_percent(empty) is None
    assert mean_burst_packets(empty) is None
    assert mean_loss_run(empty) is None


@given(st.text("110X", min_size=1, max_size=120), st.integers(1, 20))
def test_all_bad_packets_are_in_bursts_or_gaps(pattern: str, gmin: int) -> None:
    stream = measured(pattern, gmin)
    burst, gap = burst_density_percent(stream), gap_density_percent(stream)
    assert burst is not None
    assert gap is not None
    assert 0 <= gap <= 100
    assert 0 <= burst <= 100
    in_all = burst * stream.burst_packets / 100 + gap * (stream.expected - stream.burst_packets) / 100
    assert in_all == pytest.approx(stream.lost + (stream.discarded or 0))
    if stream.bursts:
        assert burst > 100 / gmin - 1e-9  # k bad packets have at most (k - 1) (gmin - 1) good ones between them
