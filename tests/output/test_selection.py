import pytest

from sipanalyzer.facts import Finding
from sipanalyzer.output.selection import make_selection
from sipanalyzer.output.tables import table
from tests.output.results import MS, T0, make_call, make_capture, make_result

CALLS = make_result(
    calls=tuple(
        make_call(call_id=name, start=T0 + at, max_jitter_ms=jitter, caller=caller)
        for at, (name, jitter, caller) in enumerate(
            [("a", 3.0, "x"), ("b", None, "y"), ("c", 1.0, "x"), ("d", 3.0, None)]
        )
    )
)


def ids(**wish) -> list:
    return make_selection("calls", **wish).apply(table(CALLS, "calls"))["call_id"]


def test_missing_values_come_last_up_and_down_and_equal_ones_keep_their_order() -> None:
    assert ids(sort="max_jitter_ms") == ["c", "a", "d", "b"]
    assert ids(sort="-max_jitter_ms") == ["a", "d", "c", "b"]


def test_rows_are_chosen_then_sorted_then_cut() -> None:
    assert ids(where="caller == 'x'", sort="-start", limit=1) == ["c"]
    assert ids(limit=0) == []
    assert ids() == ["a", "b", "c", "d"]


def test_columns_come_in_the_order_asked_for() -> None:
    rows = make_selection("calls", columns="state, call_id", sort="-caller").apply(table(CALLS, "calls"))
    assert [each.name for each in rows.columns] == ["state", "call_id"]
    assert rows["call_id"] == ["b", "a", "c", "d"]


@pytest.mark.parametrize(
    "wish",
    [{"sort": "jitter"}, {"columns": "call_id,nope"}, {"columns": ","}, {"columns": "state,state"}, {"limit": -1},
     {"where": "nope == 1"}],
)  # fmt: skip
def test_a_wish_that_cannot_be_met_is_refused_before_anything_is_read(wish: dict) -> None:
    with pytest.raises(ValueError):
        make_selection("calls", **wish)


def test_a_delay_can_be_asked_for() -> None:
    result = make_result(calls=(make_call(), make_call(call_id="slow", ringing=T0 + 9_000 * MS, answered=None)))
    chosen = make_selection("calls", where="post_dial_delay_ms > 8000").apply(table(result, "calls"))
    assert chosen["call_id"] == ["slow"]


def test_severities_and_grades_are_sorted_by_weight_not_by_letter() -> None:
    found = tuple(Finding(severity, severity, "", "") for severity in ("info", "error", "warning", "error"))
    rows = table(make_result(extra={"findings": found}), "findings")
    up, down = (make_selection("findings", sort=sort).apply(rows)["severity"] for sort in ("severity", "-severity"))
    assert up == ["error", "error", "warning", "info"] and down == up[::-1]
    files = tuple(make_capture(file=grade or "-", grade=grade) for grade in ("good", None, "poor", "fair"))
    grades = make_selection("captures", sort="grade").apply(table(make_result(captures=files), "captures"))["grade"]
    assert grades == ["poor", "fair", "good", None]
