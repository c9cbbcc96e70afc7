"""Times of records in nanoseconds, and the clock that is followed through a file."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sipanalyzer.anomalies import EXAMPLES
from sipanalyzer.kernels import walkstate
from sipanalyzer.kernels.walkstate import NO_TIME, to_nanoseconds
from tests.naive import records as naive


@given(st.integers(0, 2**64 - 1), st.integers(0, 255), st.integers(-(2**40), 2**40))
@example(2**64 - 1, 0, 0)
@example(2**64 - 1, 19, 0)
@example(2**64 - 1, 0x80 | 63, 0)
@example(2**64 - 1, 0x80 | 32, 0)
@example(2**64 - 1, 0x80 | 33, 0)
@example(2**64 - 1, 0x80 | 127, 0)
@example(2**64 - 1, 127, 0)
@example(1_700_000_000_123_456_789, 9, -1)
@settings(max_examples=300)
def test_a_time_of_any_resolution_is_exact_and_every_step_fits_int64(
    ticks: int, resolution: int, offset_s: int
) -> None:
    expected = naive.nanoseconds(ticks, resolution, offset_s)
    found = to_nanoseconds(ticks >> 32, ticks & 0xFFFFFFFF, resolution >> 7, resolution & 0x7F, offset_s)
    assert found == (NO_TIME if expected is None else expected)


@given(st.integers(0, 2**32 * 10**9), st.sampled_from([*range(20), *range(0x80, 0x80 + 64)]))
@settings(max_examples=200)
def test_a_time_of_our_days_survives_every_resolution_that_can_hold_it(moment: int, resolution: int) -> None:
    power = resolution & 0x7F
    ticks = moment * (2**power if resolution & 0x80 else 10**power) // 10**9
    if ticks < 2**64:
        found = to_nanoseconds(ticks >> 32, ticks & 0xFFFFFFFF, resolution >> 7, power, 0)
        assert found == naive.nanoseconds(ticks, resolution, 0)
        assert 0 <= moment - found <= 10**9 // (2**power if resolution & 0x80 else 10**power) + 1


@given(
    st.lists(st.integers(-20, 20), max_size=40).map(lambda steps: np.cumsum(steps).tolist()),
    st.sampled_from([0, 5, 30, 2**63 - 1]),
)
@settings(max_examples=200)
def test_disorder_and_clock_steps_are_told_apart_as_by_the_twin(times: list[int], sort_ns: int) -> None:
    state = np.zeros(walkstate.STATE, np.int64)
    notes = np.zeros((walkstate.NOTES, 1 + EXAMPLES), np.int64)
    for frame, time in enumerate(times, 1):
        walkstate.tick(state, notes, time, frame, sort_ns)
    found = (int(notes[walkstate.NOTE_ORDER, 0]), int(notes[walkstate.NOTE_STEP, 0]))
    assert found == naive.clock(times, sort_ns)
    if times:
        assert (state[walkstate.FIRST], state[walkstate.LAST]) == (min(times), max(times))


def test_the_farthest_times_believed_differ_by_less_than_int64_holds() -> None:
    state = np.zeros(walkstate.STATE, np.int64)
    notes = np.zeros((walkstate.NOTES, 1 + EXAMPLES), np.int64)
    for time in (walkstate.MAX_SECONDS * 10**9 + 999_999_999, -walkstate.MAX_SECONDS * 10**9):
        walkstate.tick(state, notes, time, 1, 10**9)
    assert notes[walkstate.NOTE_STEP, 0] == 1


def test_only_the_first_frames_are_kept_as_examples() -> None:
    notes = np.zeros((walkstate.NOTES, 1 + EXAMPLES), np.int64)
    for frame in range(1, 100):
        walkstate.note(notes, walkstate.NOTE_CUT, frame)
    assert notes[walkstate.NOTE_CUT].tolist() == [99, *range(1, EXAMPLES + 1)]
