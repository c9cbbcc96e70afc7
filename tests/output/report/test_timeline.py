"""Bars of calls over time: few enough, round, whole; one wrong clock spoils nothing."""

from __future__ import annotations

import datetime
import zoneinfo

from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.output.report.clock import make_clock
from sipanalyzer.output.report.timeline import STEPS_S, make_timeline, outcome_of
from sipanalyzer.result import Call
from tests.output.results import T0, make_call

S = 10**9
DAY = 86_400 * S
UTC = datetime.UTC


def call(at: float, talked: float | None = 10.0, state: str = "completed") -> Call:
    """A call that begins `at` seconds after T0, and is up for `talked` seconds from a second later on."""
    start = T0 + round(at * S)
    answered = None if talked is None else start + S
    end = start + S if talked is None else start + S + round(talked * S)
    return make_call(start=start, first_time=start, last_time=end, answered=answered, end=end, state=state)


def bars(calls: list[Call], most: int = 120, tz: datetime.tzinfo = UTC):  # type: ignore[no-untyped-def]
    made = make_timeline(calls, tz, make_clock(tz), most)
    assert made is not None
    return made


def test_without_calls_there_is_none() -> None:
    assert make_timeline([], UTC, make_clock(UTC), 120) is None


def test_calls_count_in_their_bar_by_outcome() -> None:
    made = bars([call(0), call(0.5, None, "busy"), call(1, None, "failed"), call(3, None, "ringing")])
    assert made.step_s == 1.0
    assert made.labels == ("2022-01-12 23:38:26", "23:38:27", "23:38:28", "23:38:29")
    assert made.answered == (1, 0, 0, 0)
    assert made.unanswered == (1, 0, 0, 0)
    assert made.failed == (0, 1, 0, 0)
    assert made.unknown == (0, 0, 0, 1)


def test_concurrency_is_the_most_that_were_up_at_once() -> None:
    made = bars([call(0, 2.5), call(1, 1.2), call(6, 1)])
    # up: 1.0-3.5, 2.0-3.2, 7.0-8.0; bars begin at 0, 1, ... 6
    assert made.concurrent == (0, 1, 2, 2, 0, 0, 0)


def test_who_hangs_up_as_another_is_answered_was_up_with_him() -> None:
    assert max(bars([call(0, 5), call(5, 1), call(9, None, "busy")]).concurrent) == 2


def test_a_record_far_in_the_future_presses_nothing_together_and_is_told() -> None:
    made = bars([*(call(at) for at in range(60)), call(16 * 365 * 86_400)])
    assert made.step_s == 1.0
    assert sum(made.answered) == 60
    assert made.remarks == (
        "1 call stands far from the others and not in this chart (2038-01-08 23:38:26): a clock may have been wrong.",
    )


def test_days_that_belong_together_stay_together() -> None:
    made = bars([*(call(at * 3600) for at in range(10)), *(call(72 * 3600 + at * 3600) for at in range(10))])
    assert sum(made.answered) == 20
    assert not made.remarks


def test_bars_begin_at_round_times_of_the_zone() -> None:
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    made = bars([call(at * 3600) for at in range(0, 24 * 60, 5)], 120, berlin)
    assert made.step_s == 43_200.0
    assert {label[-5:] for label in made.labels} == {"00:00", "12:00"}
    assert made.start == "2022-01-13 00:00:00.000"


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.floats(0, 1e4), st.sampled_from(["completed", "busy", "failed"])), min_size=1
    ),
    st.integers(2, 200),
)
def test_bars_are_few_and_hold_every_call(told: list[tuple[float, float, str]], most: int) -> None:
    calls = [call(at, talked if state == "completed" else None, state) for at, talked, state in told]
    made = bars(calls, most)
    count = len(made.labels)
    assert count <= most
    assert {len(each) for each in (made.answered, made.unanswered, made.failed, made.unknown, made.concurrent)} == {
        count
    }
    outside = 0 if not made.remarks else int(made.remarks[0].split()[0].replace(",", ""))
    assert sum(made.answered) + sum(made.unanswered) + sum(made.failed) + sum(made.unknown) == len(calls) - outside
    assert made.step_s in STEPS_S or made.step_s % 86_400 == 0
    for outcome in ("answered", "unanswered", "failed"):
        assert sum(getattr(made, outcome)) <= sum(outcome_of(each) == outcome for each in calls)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 50)), min_size=1, max_size=30))
def test_concurrency_equals_that_of_looking_at_every_moment(told: list[tuple[int, int]]) -> None:
    calls = [call(at, talked) for at, talked in told]
    made = bars(calls, 300)
    first = min(at for at, _ in told)
    for bar, most in enumerate(made.concurrent):
        begin = first + bar * made.step_s
        moments = [begin + each / 2 for each in range(round(made.step_s * 2))]
        assert most == max(sum(at + 1 <= now <= at + 1 + talked for at, talked in told) for now in moments)


def test_many_calls_cost_little() -> None:
    made = bars([call(at / 10, 60.0) for at in range(50_000)])
    assert sum(made.answered) == 50_000
    assert max(made.concurrent) == 601
