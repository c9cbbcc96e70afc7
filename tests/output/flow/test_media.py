"""Bars and keys."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sipanalyzer
from sipanalyzer.facts import Intervals, Outage
from sipanalyzer.options import Options
from sipanalyzer.output.flow.lookups import lookups_of
from sipanalyzer.output.flow.media import MOST_STREAMS, _shades
from sipanalyzer.output.flow.model import FlowChart, Keys, Media
from sipanalyzer.result import Stream
from tests.output.flow.told import chart_of
from tests.output.results import T0, make_result, make_stream
from tests.tape import PCMA, A, B, Tape, sdp, section

S = 1_000_000_000


def bars(chart: FlowChart) -> list[Media]:
    return [row for row in chart.rows if isinstance(row, Media)]


def test_a_bar_says_what_is_known_of_its_stream(samples: pathlib.Path) -> None:
    lossy = bars(chart_of(sipanalyzer.analyze(samples / "lossy.pcap")))[0]
    assert lossy.label == "RTP PCMA"
    assert lossy.detail == "10.0 s, 451 packets, 9.8 % lost, jitter 0.0 ms, MOS 3.18 NB"
    assert (lossy.packets, round(lossy.loss_percent, 1), lossy.severity) == (451, 9.8, "error")
    late = bars(chart_of(sipanalyzer.analyze(samples / "late.pcap")))
    assert [", 1.5 % too late" in late[0].detail, ", 3.0 % too late" in late[1].detail] == [True, True]
    far = bars(chart_of(sipanalyzer.analyze(samples / "rtcp.pcap")))
    assert far[0].detail.endswith("MOS 4.02 NB, 4.8 % lost at the far end")


def test_codecs_are_named_in_the_order_of_their_use(samples: pathlib.Path) -> None:
    assert [bar.label for bar in bars(chart_of(sipanalyzer.analyze(samples / "codec_change.pcap")))] == [
        "RTP PCMA, then PCMU",
        "RTP PCMA, then PCMU",
    ]
    assert bars(chart_of(sipanalyzer.analyze(samples / "websocket.pcap")))[0].label == "SRTP PCMU"


def test_video_keys_alone_and_the_unknown_are_named_as_what_they_are() -> None:
    video = section(4002, ("99 H264/90000",), media="video", ptime=None)
    tape = Tape()
    tape.set_up(sdp(A, 4000, PCMA, video), sdp(B, 5000, PCMA, [video[0].replace("4002", "5002"), *video[1:]]))
    tape.talk(3, A, 4002, B, 5002, 20, payload_type=99, ssrc=1, step=3000)
    tape.key(3.1, A, 4000, B, 5000, "5", seq=1, timestamp=1, ssrc=2)
    tape.talk(3.2, B, 5000, A, 4000, 20, payload_type=111, ssrc=3)
    assert {bar.label for bar in bars(chart_of(tape.analyze()))} == {
        "RTP video H264", "RTP telephone-event only", "RTP, codec unknown (payload type 111)",
    }  # fmt: skip


def test_media_that_stops_before_the_call_says_so_once_a_direction() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.talk(3, A, 4000, B, 5000, 50, ssrc=1)
    tape.talk(4, A, 4000, B, 5000, 51, ssrc=2)  # goes on under another SSRC, until 5 s
    tape.talk(3, B, 5000, A, 4000, 800, ssrc=3)
    tape.bye(20)
    found = {bar.stream: bar.until for bar in bars(chart_of(tape.analyze()))}
    assert sorted(map(str, found.values())) == ["None", "None", "stops 15.0 s before the call ends"]


def test_of_hundreds_of_streams_the_largest_are_drawn() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for k in range(60):
        tape.talk(3 + k * 0.5, A, 4000, B, 5000, 10 + k % 7, ssrc=k + 1)
    chart = chart_of(tape.analyze())
    assert len(bars(chart)) == MOST_STREAMS == 48
    left_out = 60 - MOST_STREAMS
    assert chart.remarks == (f"Not drawn one by one: {left_out} streams, those with the fewest packets.",)
    assert min(bar.packets for bar in bars(chart)) > 10


# ---- shades
def shades(
    stream: Stream, lengths: list[tuple[int, int, int]], outages: tuple[Outage, ...] = (), step: int = 10 * S
) -> tuple[float, ...]:
    """Shades of a stream with intervals of (expected, lost, discarded)."""
    rows = np.array(lengths, np.int64).reshape(-1, 3)
    count = len(rows)
    intervals = Intervals(
        stream=np.zeros(count, np.int64), start=stream.start + step * np.arange(count), packets=rows[:, 0],
        expected=rows[:, 0], lost=rows[:, 1], discarded=rows[:, 2], max_jitter_ms=np.zeros(count),
        whole=np.ones(count, np.bool_), r_factor=np.zeros(count), mos=np.zeros(count),
    )  # fmt: skip
    result = make_result(streams=(stream,), intervals=intervals, outages=outages, extra={"findings": ()})
    return _shades(result, stream, 0, lookups_of(result))


def lasting(duration: int, **words: int) -> Stream:
    return make_stream(start=T0, end=T0 + duration, **words)


def test_a_short_stream_has_one_shade() -> None:
    assert shades(lasting(5 * S, lost=10, expected=200, discarded=30), [(200, 10, 30)]) == (20.0,)
    assert shades(lasting(0, lost=0, expected=1), []) == (0.0,)


def test_a_shade_lasts_an_equal_part_of_the_time() -> None:
    found = shades(lasting(40 * S), [(500, 0, 0), (500, 50, 0), (500, 0, 25), (500, 500, 0)])
    assert len(found) == 24 and [round(each, 6) for each in found[::6]] == [0.0, 10.0, 5.0, 100.0]
    assert all(len({round(each, 6) for each in found[at : at + 6]}) == 1 for at in range(0, 24, 6))


def test_the_last_interval_counts_by_its_own_length() -> None:
    found = shades(lasting(15 * S), [(500, 0, 0), (250, 250, 0)])  # 12 parts of 1.25 s; the hole from 10 s on
    assert [round(each) for each in found] == [0] * 8 + [100] * 4


def test_a_hole_is_shaded_where_it_is() -> None:
    hole = Outage(0, T0 + 4 * S, T0 + 5 * S, 50)
    found = shades(lasting(10 * S, lost=50, expected=500), [(500, 50, 0)], (hole,))
    assert len(found) == 40 and [round(each) for each in found] == [0] * 16 + [100] * 4 + [0] * 20


@given(
    st.lists(st.tuples(st.integers(1, 600), st.integers(0, 600), st.integers(0, 50)), min_size=2, max_size=40),
    st.integers(1, 10 * S),
)
def test_a_part_takes_its_share_of_each_interval_that_it_touches(rows: list[tuple[int, int, int]], last: int) -> None:
    duration = 10 * S * (len(rows) - 1) + last
    found = shades(lasting(duration), rows)
    for part, shade in enumerate(found):
        begin, end = duration * part / len(found), duration * (part + 1) / len(found)
        bad = wanted = 0.0
        for number, (expected, lost, discarded) in enumerate(rows):
            length = last if number == len(rows) - 1 else 10 * S
            share = max(0.0, min(end, 10 * S * number + length) - max(begin, 10 * S * number)) / length
            bad += (lost + discarded) * share
            wanted += expected * share
        assert shade == pytest.approx(min(100.0, 100.0 * bad / wanted), rel=1e-4, abs=1e-4)


@given(st.lists(st.tuples(st.integers(1, 600), st.integers(0, 600)), min_size=2, max_size=100))
def test_shades_over_equal_packets_average_to_the_whole(rows: list[tuple[int, int]]) -> None:
    plain = [(500, min(lost, 500), 0) for _, lost in rows]
    found = shades(lasting(10 * S * len(plain)), plain)
    assert len(found) <= 60
    assert sum(found) / len(found) == pytest.approx(100 * sum(lost for _, lost, _ in plain) / (500 * len(plain)))


# ---- keys
def test_keys_of_a_side_within_five_seconds_are_one_row(samples: pathlib.Path) -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for at, key in ((3, "1"), (4, "2"), (8.8, "3"), (14, "#")):  # 4.8 s and 5.2 s of pause
        tape.key(at, A, 4000, B, 5000, key, seq=int(at * 50), timestamp=int(at * 8000))
    rows = [row for row in chart_of(tape.analyze()).rows if isinstance(row, Keys)]
    assert [(row.keys, row.method, row.source, row.target) for row in rows] == [
        ("123", "rfc4733", 0, 1),
        ("#", "rfc4733", 0, 1),
    ]
    info = chart_of(sipanalyzer.analyze(samples / "info_digits.pcap"))
    assert [(row.keys, row.source) for row in info.rows if isinstance(row, Keys)] == [("12#", 0), ("7*", 1)]


def test_the_default_interval_is_the_one_these_numbers_were_worked_out_for() -> None:
    assert Options().interval_ns == 10 * S
