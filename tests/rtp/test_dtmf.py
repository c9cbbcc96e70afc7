"""Key presses from telephone events: the rules of RFC 4733, each by name, and a slow twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.kernels import streamstate
from sipanalyzer.rtp import dtmf
from sipanalyzer.rtp.dtmf import KEYS, KeyPress, merge_events

MS = 1_000_000
RATE = {0: 8000, 1: 16000}


def row(
    ms: float, stamp: int, event: int, ticks: int, *, stream: int = 0, end: bool = True, marker: bool = True,
    frame: int | None = None, lasts: float = 100,
) -> list[int]:  # fmt: skip
    """One row as the streaming kernel leaves it; `lasts`: ms from its first to its last packet."""
    first = round(ms * MS)
    number = round(ms) + 1 if frame is None else frame
    return [stream, first, stamp, event, ticks, int(end), int(marker), number, first + round(lasts * MS)]


def merged(*rows: list[int]) -> list[KeyPress]:
    return merge_events(np.array(rows, np.int64).reshape(-1, 9), RATE)


def keys(*rows: list[int]) -> list[tuple[str, float | None]]:
    return [(press.key, press.duration_ms) for press in merged(*rows)]


def test_a_press_has_its_key_time_frame_and_duration() -> None:
    assert merged(row(20, 5000, 5, 1280, frame=7)) == [KeyPress(0, 20 * MS, 120 * MS, "5", 160.0, 7)]


def test_10_is_star_11_is_pound_12_to_15_are_letters_and_16_is_flash() -> None:
    rows = [row(1000 * event, 8000 * event, event, 800) for event in range(17)]
    assert [press.key for press in merged(*rows)] == [*"0123456789*#ABCD", "flash"]


@pytest.mark.parametrize("event", [17, 32, 36, 52, 66, 99, 121, 159, 255])
def test_tones_and_states_are_no_keys(event: int) -> None:
    assert merged(row(0, 0, event, 800)) == []


def test_the_same_key_with_another_timestamp_is_pressed_again() -> None:
    assert keys(row(0, 0, 1, 800), row(200, 1600, 1, 400)) == [("1", 100.0), ("1", 50.0)]


def test_the_same_timestamp_with_another_event_or_in_another_stream_is_another_press() -> None:
    assert keys(row(0, 0, 1, 800), row(0, 0, 2, 800)) == [("1", 100.0), ("2", 100.0)]
    assert keys(row(0, 0, 1, 800), row(0, 0, 1, 800, stream=1)) == [("1", 100.0), ("1", 50.0)]


def test_a_late_packet_is_no_press_of_its_own() -> None:
    """A packet of the first key after the second one began opened a row of its own."""
    first, second = row(0, 0, 1, 640, end=False), row(200, 1600, 2, 800)
    assert keys(first, second, row(210, 0, 1, 800, marker=False, lasts=0)) == [("1", 100.0), ("2", 100.0)]


def test_the_same_timestamp_and_event_after_ten_seconds_is_another_press() -> None:
    assert len(merged(row(0, 0, 1, 800), row(10_100, 0, 1, 800))) == 1
    assert len(merged(row(0, 0, 1, 800), row(10_101, 0, 1, 800))) == 2


def test_zero_duration_is_ignored() -> None:
    assert merged(row(0, 0, 1, 0)) == []
    assert keys(row(0, 0, 1, 0, lasts=0), row(10, 0, 1, 160)) == [("1", 20.0)]


# ---- RFC 4733 2.5.1.3
FULL = 0xFFFF


def segment(n: int, ticks: int = FULL, start: int = 1000, **more: bool) -> list[int]:
    marks = {"end": ticks < FULL, "marker": n == 0, **more}
    return row(n * 8192, (start + n * FULL) & 0xFFFFFFFF, 4, ticks, lasts=8190, **marks)


def test_a_long_press_goes_on_in_segments_and_is_one() -> None:
    (press,) = merged(segment(0), segment(1), segment(2, 8000))
    assert press.duration_ms == pytest.approx((2 * FULL + 8000) / 8)
    assert (press.time, press.last, press.frame) == (0, (2 * 8192 + 8190) * MS, 1)


def test_segments_go_on_over_the_wrap_of_the_timestamp() -> None:
    assert len(merged(segment(0, start=0xFFFFFF00), segment(1, 8000, start=0xFFFFFF00))) == 1


def test_a_segment_goes_on_though_the_packet_that_says_0xffff_was_lost() -> None:
    (press,) = merged(segment(0, FULL - 160, end=False), segment(1, 8000))
    assert press.duration_ms == pytest.approx((FULL - 160 + 8000) / 8)


@pytest.mark.parametrize("what", ["marker", "end", "gap", "event"])
def test_what_is_no_next_segment_is_another_press(what: str) -> None:
    first, second = segment(0, end=what == "end"), segment(1, 8000, marker=what == "marker")
    second[2] += 160 if what == "gap" else 0
    second[3] += 1 if what == "event" else 0
    assert len(merged(first, second)) == 2


def test_a_late_packet_of_an_earlier_segment_belongs_to_the_press() -> None:
    late = row(8200, 1000, 4, FULL, end=False, marker=False, lasts=0)
    (press,) = merged(segment(0, FULL - 160, end=False), segment(1), late, segment(2, 8000))
    assert press.duration_ms == pytest.approx((2 * FULL + 8000) / 8)


# ---- the rest
def test_a_stream_without_clock_has_presses_without_duration() -> None:
    assert merged(row(0, 0, 1, 800, stream=2))[0].duration_ms is None
    assert merge_events(np.array([row(0, 0, 1, 800)]), {0: 0})[0].duration_ms is None


def test_no_event_gives_no_press_and_another_shape_is_refused() -> None:
    assert merge_events(np.empty((0, 9), np.int64), {}) == []
    for shape in ((0,), (1, 8), (1, 10)):
        with pytest.raises(ValueError, match="columns"):
            merge_events(np.zeros(shape, np.int64), {})


ROWS = st.lists(
    st.builds(
        row,
        st.integers(0, 40).map(lambda step: step * 700),
        st.sampled_from([0, 800, 1600, FULL, FULL + 800, 2 * FULL]),
        st.sampled_from([1, 2, 10, 40]),
        st.sampled_from([0, 800, FULL]),
        stream=st.integers(0, 1),
        end=st.booleans(),
        marker=st.booleans(),
        lasts=st.sampled_from([0, 90]),
    ),
    max_size=12,
)


def naive(rows: list[list[int]]) -> list[tuple[int, int, str, float]]:
    """Every row looks back at all presses before it."""
    presses: list[dict[str, object]] = []
    for stream, first, stamp, event, ticks, end, marker, _, last in sorted(rows, key=lambda r: (r[0], r[1], r[7])):
        if event > 16:
            continue
        mine = [p for p in presses if p["stream"] == stream]
        holding = [p for p in mine if p["event"] == event and stamp in p["ticks"]]  # type: ignore[operator]
        found = next((p for p in reversed(holding) if first - p["last"] <= 10_000 * MS), None)  # type: ignore[operator]
        if found is None and mine:
            p = max(mine, key=lambda p: p["touched"])  # type: ignore[arg-type, return-value]
            stamps = {(p["stamp"] + FULL) % 2**32, (p["stamp"] + p["ticks"][p["stamp"]]) % 2**32}  # type: ignore[index, operator]
            near = first - p["last"] <= 10_000 * MS  # type: ignore[operator]
            if not p["ended"] and not marker and p["event"] == event and stamp in stamps and near:
                found = p
                p["touched"], p["stamp"] = len(presses), stamp
        if found is None:
            found = {"stream": stream, "event": event, "ticks": {}, "stamp": stamp, "time": first, "last": last,
                     "ended": False, "touched": len(presses)}  # fmt: skip
            presses.append(found)
        times: dict[int, int] = found["ticks"]  # type: ignore[assignment]
        times[stamp] = max(ticks, times.get(stamp, 0))
        found["ended"] = bool(found["ended"]) or bool(end)
        found["last"] = max(found["last"], last)  # type: ignore[call-overload]
    return sorted(
        (p["time"], p["stream"], KEYS[p["event"]], 1000 * sum(p["ticks"].values()) / RATE[p["stream"]])  # type: ignore[misc, index, attr-defined]
        for p in presses
        if sum(p["ticks"].values())  # type: ignore[attr-defined]
    )


@given(ROWS)
@settings(max_examples=300)
def test_presses_are_as_the_naive_twin_finds_them(rows: list[list[int]]) -> None:
    for number, each in enumerate(rows):
        each[7] = number
    found = sorted((press.time, press.index, press.key, press.duration_ms) for press in merged(*rows))
    assert found == naive(rows)


@given(ROWS, st.randoms())
def test_the_order_of_rows_does_not_matter(rows: list[list[int]], random: object) -> None:
    for number, each in enumerate(rows):
        each[7] = number
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merged(*rows) == merged(*shuffled)


def test_the_columns_are_those_that_the_kernel_writes() -> None:
    names = ("STREAM", "FIRST", "STAMP", "EVENT", "DURATION", "ENDED", "MARKER", "FRAME", "LAST")
    written = [getattr(streamstate, f"E_{name}", None) for name in names]
    if None in written:
        pytest.skip("the kernel writes no events yet")
    mine = (dtmf.STREAM, dtmf.FIRST, dtmf.STAMP, dtmf.EVENT, dtmf.TICKS, dtmf.END, dtmf.MARKER, dtmf.FRAME, dtmf.LAST)
    assert tuple(written) == mine
