"""Round trips from reports as they pass, worked by hand."""

from __future__ import annotations

import pytest

from sipanalyzer.rtp.departures import Departures

A, B, RELAY = ("192.0.2.1", 4001), ("192.0.2.2", 5001), ("192.0.2.9", 7001)
S = 1_000_000_000


def test_the_example_of_rfc_3550_6_4_1():
    # the sender report passed at 46853.125 s with that very time in it; the answer at 46864.500 s, delayed by 5.250 s
    departures = Departures(10)
    departures.add(0x1111, 0xB7052000, 46853_125_000_000, A, B)
    assert departures.round_trip_ns(0x1111, 0xB7052000, 0x0005_4000, 46864_500_000_000, B, A) == 6_125_000_000


def test_no_report_named_or_none_captured_gives_none():
    departures = Departures(10)
    departures.add(1, 77, 0, A, B)
    assert departures.round_trip_ns(1, 0, 0, S, B, A) is None
    assert departures.round_trip_ns(1, 78, 0, S, B, A) is None
    assert departures.round_trip_ns(2, 77, 0, S, B, A) is None
    assert departures.round_trip_ns(1, 77, 0, S, RELAY, RELAY) is None  # between other hosts


def test_rounding_is_forgiven_and_a_wait_longer_than_time_is_not():
    departures = Departures(10)
    departures.add(1, 77, 0, A, B)
    assert departures.round_trip_ns(1, 77, 65536, S - 20_000, B, A) == 0
    assert departures.round_trip_ns(1, 77, 65536, S - 40_000, B, A) is None
    assert departures.round_trip_ns(1, 77, 65536, S + 1_000_000, B, A) == 1_000_000


def test_over_a_relay_each_hop_has_its_own_round_trip():
    departures = Departures(10)
    departures.add(1, 77, 0, A, RELAY)
    departures.add(1, 77, 2_000_000, RELAY, B)
    assert departures.round_trip_ns(1, 77, 0, 50_000_000, B, RELAY) == 48_000_000
    assert departures.round_trip_ns(1, 77, 0, 55_000_000, RELAY, A) == 55_000_000


@pytest.mark.parametrize("order", [1, -1])
def test_the_last_64_of_a_source_are_remembered_and_only_so_many_sources(order):
    departures = Departures(2)
    for stamp in range(1, 66):
        departures.add(1, stamp, stamp, A, B)
    assert departures.round_trip_ns(1, 1, 0, S, B, A) is None
    assert departures.round_trip_ns(1, 2, 0, S, B, A) is not None
    for ssrc in (2, 3)[::order]:
        departures.add(ssrc, 5, 5, A, B)
    assert departures.round_trip_ns(1, 65, 0, S, B, A) is None
    assert departures.round_trip_ns(3, 5, 0, S, B, A) is not None
