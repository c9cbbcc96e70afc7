"""What the far end reported, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.calls.far_end import Said, StreamReports, far_end, says_received, where_lost
from sipanalyzer.facts import Rtcp
from tests.output.results import make_stream

S = 1_000_000_000
MS = 1_000_000
FAR, OTHER = ("10.0.0.2", 5001), ("10.0.0.3", 5001)


def stream(seconds: int = 100, **words: Any) -> Any:
    """50 packets/s from second 0 on, sequence from 1000 on."""
    plain = {"start": 0, "end": seconds * S, "expected": 50 * seconds, "lost": 0, "first_sequence": 1000}
    return make_stream(**({"clock_rate": 8000} | plain | words))


def said(at: float, highest: int, lost: int = 0, fraction: int = 0, **words: Any) -> Said:
    """A block at `at` seconds."""
    plain = {"src": FAR, "ssrc": 5, "fit": 15, "jitter": 0, "rtt_ns": None}
    return Said(
        time=round(at * S), extended_highest=highest, cumulative_lost=lost, fraction_lost=fraction, **(plain | words)
    )


# ---- loss
def test_the_last_report_counts_from_the_first_packet_on():
    figures = far_end(stream(), [said(5, 1249, 10, 10), said(10, 1499, 25, 15)])
    assert (figures.lost, figures.expected) == (25, 500)
    assert figures.rtcp_lost_percent == pytest.approx(5.0)


def test_one_report_is_enough():
    assert far_end(stream(), [said(5, 1249, 10)]).rtcp_lost_percent == pytest.approx(4.0)


def test_duplicates_are_no_negative_loss():
    assert far_end(stream(), [said(5, 1249, -4), said(10, 1499, -4)]).rtcp_lost_percent == 0.0


def test_cycles_of_the_reporter_start_wherever_it_began():
    early = stream(first_sequence=65530)
    for cycle in (0, 65536):  # 6 packets before the wrap, 244 behind it; some count the wrap, some joined later
        assert far_end(early, [said(5, cycle + 243, 5)]).expected == 250
    long = stream(3000, first_sequence=10)  # 150,000 packets: the first report came after the first wrap
    assert far_end(long, [said(1400, 10 + 69_999 - 65536, 700)]).expected == 70_000


def test_a_report_across_the_wrap_moves_on_by_its_cycles():
    reports = [said(5, 65_000), said(100, 65536 + 4213, 47)]
    assert far_end(stream(first_sequence=64_751), reports).expected == 5000 - 1


def test_of_a_call_that_began_before_the_capture_only_differences_count():
    reports = [said(5, 90_000, 4_000, 3), said(55, 92_500, 4_025, 3)]
    figures = far_end(stream(), reports, partial=True)
    assert (figures.lost, figures.expected) == (25, 2_500)
    late = [said(5, 1249, 40, 3), said(55, 3749, 65, 3)]
    assert far_end(stream(), late, partial=True).lost == 25
    assert far_end(stream(), late).lost == 65  # nothing says that it began before
    assert far_end(stream(), late, sent=(1 * S, 90_000)).lost == 25  # its sender does
    assert far_end(stream(), late, sent=(1 * S, 60)).lost == 65


def test_more_lost_than_sent_by_then_shows_that_it_began_before():
    figures = far_end(stream(), [said(5, 1249, 300), said(10, 1499, 310)])
    assert (figures.lost, figures.expected) == (10, 250)


def test_a_single_report_of_such_a_call_gives_its_fraction():
    figures = far_end(stream(), [said(5, 90_000, 4_000, 64)], partial=True)
    assert (figures.rtcp_lost_percent, figures.lost) == (25.0, None)


def test_a_reporter_that_begins_anew_is_added_up():
    reports = [said(10, 1499, 20), said(20, 1999, 40), said(30, 2499, 3), said(40, 2999, 8)]
    figures = far_end(stream(), reports)
    assert (figures.lost, figures.expected) == (40 + 3 + 5, 2000)  # the sender went on
    restarted = [said(10, 1499, 20), said(20, 1999, 40), said(30, 10, 1), said(40, 510, 11)]
    assert far_end(stream(), restarted).lost == 50


def test_reports_out_of_order_change_nothing():
    reports = [said(10, 1499, 20), said(20, 1999, 40), said(20.001, 1749, 40), said(30, 2499, 50)]
    assert far_end(stream(), reports).lost == 50


def test_blocks_of_zeros_tell_nothing():
    figures = far_end(stream(), [said(1, 0), said(2, 0)])
    assert (figures.rtcp_lost_percent, figures.rtcp_jitter_ms, figures.received) == (None, None, False)
    assert far_end(stream(), [said(1, 0), said(5, 1249, 10)]).rtcp_lost_percent == pytest.approx(4.0)


def test_several_reporters_are_not_mixed():
    other = [said(k, 1000 + 50 * k - 1, 30 * k, src=OTHER, fit=12) for k in range(1, 9)]
    assert far_end(stream(), [*other, said(10, 1499, 5)]).lost == 5
    same = [said(k, 1000 + 50 * k - 1, k, ssrc=6) for k in range(1, 9)]
    assert far_end(stream(), [said(5, 1249, 200), *same]).lost == 8


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(-(2**23), 2**23 - 1), st.integers(0, 255)), max_size=20),
    st.booleans(),
    st.integers(0, 65535),
)
def test_whatever_is_reported_loss_is_a_share(blocks, partial, first):
    reports = [said(k, highest, lost, fraction) for k, (highest, lost, fraction) in enumerate(blocks)]
    percent = far_end(stream(first_sequence=first), reports, partial=partial).rtcp_lost_percent
    assert percent is None or 0.0 <= percent <= 100.0


@given(
    st.integers(0, 65535),
    st.lists(st.tuples(st.integers(10, 500), st.floats(0, 0.5)), min_size=1, max_size=12),
)
def test_a_receiver_that_counts_by_the_book_is_read_back(first, steps):
    """RFC 3550 A.3, by the highest sequence number and what came."""
    highest, came, now, reports = first - 1, 0, 0, []
    for packets, share in steps:
        highest, came, now = highest + packets, came + packets - round(packets * share), now + packets / 50
        reports.append(said(now, highest, highest - first + 1 - came))
    length = highest - first + 1
    whole = stream(first_sequence=first, expected=length, end=round(now * S))
    figures = far_end(whole, reports)
    assert (figures.lost, figures.expected) == (length - came, length)


# ---- jitter, round trip, received
def test_jitter_is_the_highest_by_the_clock_of_the_stream():
    reports = [said(5, 1249, jitter=80), said(10, 1499, jitter=240), said(15, 1749, jitter=2**32 - 5)]
    assert far_end(stream(), reports).rtcp_jitter_ms == 30.0
    assert far_end(stream(clock_rate=48000), reports).rtcp_jitter_ms == 5.0
    assert far_end(stream(clock_rate=None), reports).rtcp_jitter_ms is None


def test_the_round_trip_is_the_median_of_receiver_reports():
    reports = [said(k, 1000 + 50 * k, rtt_ns=trip) for k, trip in enumerate((40 * MS, None, 90 * MS, 50 * MS))]
    assert far_end(stream(), reports, other_trips=[1]).rtt_ms == 50.0
    assert far_end(stream(), [said(5, 1249)], other_trips=[20 * MS, 30 * MS]).rtt_ms == 25.0
    assert far_end(stream(), []) == StreamReports()


@pytest.mark.parametrize(
    ("highest", "lost", "fraction", "received"), [(1249, 0, 0, True), (1249, 250, 255, False), (0, 0, 0, False)]
)
def test_received_is_what_a_highest_number_and_a_fraction_say(highest, lost, fraction, received):
    assert far_end(stream(), [said(5, highest, lost, fraction)]).received is received
    row = Rtcp(0, 1, 0, FAR, OTHER, "RR", 5, 7, 100 * fraction / 256, lost, highest)
    assert says_received(row) is received


def test_a_report_in_sip_says_it_by_its_packets():
    row = Rtcp(0, 1, 0, FAR, OTHER, "X-RTP-Stat", None, values=(("packets_received", 3.0),))
    assert says_received(row)
    assert not says_received(Rtcp(0, 1, 0, FAR, OTHER, "X-RTP-Stat", None, values=(("packets_received", 0.0),)))
    assert not says_received(Rtcp(0, 1, 0, FAR, OTHER, "SDES", 3))


# ---- on which side
@pytest.mark.parametrize(
    ("near", "far", "side"),
    [
        (0, 0, None),
        (0, 5, None),  # 0.1 %: of no account
        (250, 250, "before"),
        (250, 240, "before"),  # the last report came before the end
        (0, 250, "after"),
        (5, 250, "after"),
        (100, 400, "both"),
        (250, 0, None),  # the capture dropped packets
        (250, 100, None),
    ],
)
def test_where_packets_were_lost(near, far, side):
    reports = StreamReports(far / 50, lost=far, expected=5000, received=True)
    assert where_lost(stream(lost=near), reports) == side
    assert where_lost(stream(lost=near), far / 50) == side


def test_little_or_contradictory_evidence_tells_no_side():
    assert where_lost(stream(), StreamReports(25.0)) is None  # a fraction only
    assert where_lost(stream(), StreamReports()) is None
    counted = far_end(stream(), [said(5, 1249, 50), said(10, 1499, 100)])  # and yet no fraction was ever lost
    assert counted.contradictory
    assert where_lost(stream(), counted) is None
    honest = far_end(stream(), [said(5, 1249, 50, 51), said(10, 1499, 100, 51)])
    assert where_lost(stream(), honest) == "after"


def test_a_loss_up_to_no_sequence_number_is_none():
    figures = far_end(stream(), [said(5, 0, 229), said(10, 3296, 539)], partial=True)
    assert figures.rtcp_lost_percent == 0.0
