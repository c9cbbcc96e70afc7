import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.output.cells import (
    clean,
    clean_all,
    iso,
    iso_all,
    local_time,
    machine,
    parse_time,
    people,
    rounded,
    rounded_all,
    visible,
    zone,
)
from sipanalyzer.output.columns import Column
from tests.output.results import T0

UTC = datetime.UTC


def test_a_time_is_written_in_microseconds_and_in_nanoseconds_where_it_has_them() -> None:
    assert iso(T0) == "2022-01-12T23:38:26.000000Z"
    assert iso(T0 + 1_000) == "2022-01-12T23:38:26.000001Z"
    assert iso(T0 + 1) == "2022-01-12T23:38:26.000000001Z"
    assert iso(-1) == "1969-12-31T23:59:59.999999999Z"


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_written_time_is_read_back_exactly(ns: int) -> None:
    assert parse_time(iso(ns)) == ns


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2022-01-12T23:38:26Z", T0),
        ("2022-01-12 23:38:26", T0),
        ("2022-01-13T00:38:26+01:00", T0),
        ("2022-01-13T00:38:26.5 +0100", T0 + 500_000_000),
        ("2022-01-12T23:38:26.123456789", T0 + 123_456_789),
        ("2022-01-12 23:38", T0 - 26_000_000_000),
        ("2022-01-12", 1_641_945_600_000_000_000),
        ("1642030706.25", T0 + 250_000_000),
        ("1642030706", T0),
    ],
)
def test_times_are_read_as_people_write_them(text: str, ns: int) -> None:
    assert parse_time(text) == ns


@pytest.mark.parametrize("text", ["", "yesterday", "2022", "2022-13-01", "2022-01-12T25:00", "12:30", "9" * 5000])
def test_what_is_no_time_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        parse_time(text)


def test_a_time_without_a_zone_is_read_and_shown_in_the_users_zone() -> None:
    berlin = zone("Europe/Berlin")
    assert parse_time("2022-01-13 00:38:26", berlin) == T0
    assert local_time(T0 + 999_999, berlin) == "2022-01-13 00:38:26.000"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "", "Europe"])
def test_an_unknown_zone_is_refused_in_words(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zone(name)


def test_the_local_zone_knows_its_summer_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    local = zone("local")
    assert local_time(T0, local).endswith("00:38:26.000")
    assert local_time(parse_time("2022-07-01T00:00Z"), local) == "2022-07-01 02:00:00.000"


def test_what_could_disturb_a_terminal_stands_as_visible_text() -> None:
    assert visible("a\x1b[31mred\x07") == "a\\x1b[31mred\\x07"
    assert visible("\u202egnp.exe\u2066") == "\\u202egnp.exe\\u2066"
    assert visible("\x9b31m") == "\\x9b31m"
    assert visible("line\r\nfeed\u2028") == "line\\x0d\\x0afeed\\u2028"
    assert visible("Zoë 日本") == "Zoë 日本"


@given(st.text())
def test_visible_text_is_printable_whatever_came(text: str) -> None:
    assert visible(text).isprintable()


@given(st.text())
def test_clean_text_can_be_written_as_utf_8(text: str) -> None:
    clean(text).encode()
    assert clean("\udcff!") == "\ufffd!"


def test_cells_for_machines() -> None:
    assert machine([T0, None], Column("x", "time", "", "")) == ["2022-01-12T23:38:26.000000Z", None]
    assert machine([0.1, None, float("nan"), float("inf")], Column("x_ms", "float", "ms", "")) == [
        0.1,
        None,
        None,
        None,
    ]
    assert machine(["a", None], Column("x", "text", "", "")) == ["a", None]


def test_cells_for_people() -> None:
    assert people(None, Column("x", "int", "", ""), UTC) == "-"
    assert people(12.3456, Column("x_ms", "float", "ms", ""), UTC) == "12.35"
    assert people(7, Column("x", "int", "", ""), UTC) == "7"
    assert people(False, Column("x", "bool", "", ""), UTC) == "no"


@given(
    st.lists(
        st.none()
        | st.floats(allow_nan=False)
        | st.integers(-(10**15), 10**15)
        | st.integers(-(10**13), 10**13).map(lambda units: units / 1e6)
        | st.integers(-(10**9), 10**9).map(lambda units: (units + 0.5) / 1e6),
        max_size=30,
    ),
    st.sampled_from(["s", "ms", "%"]),
)
def test_a_column_is_rounded_as_each_of_its_numbers(values: list[Any], unit: str) -> None:
    expected = [None if value is None else rounded(float(value), unit) for value in values]
    assert list(map(repr, rounded_all(values, unit))) == list(map(repr, expected))
    assert list(map(repr, rounded_all(values * 100, unit))) == list(map(repr, expected * 100))


def test_a_number_halfway_between_two_is_rounded_to_what_it_is_nearer_to() -> None:
    values = [(2 * n + 1) / 2e6 for n in range(-5_000, 5_000)]
    assert rounded_all(values, "ms") == [rounded(value, "ms") for value in values]


@given(st.lists(st.none() | st.integers(-(2**62), 2**62) | st.integers(0, 10**15).map(lambda us: us * 1000)))
def test_a_column_of_times_is_written_as_each_of_them(times: list[int | None]) -> None:
    expected = [None if time is None else iso(time) for time in times]
    assert iso_all(times) == expected
    assert iso_all(times * 70) == expected * 70


def test_only_what_was_no_utf_8_is_cleaned_in_a_column() -> None:
    values = ["a", None, "ü", "b\udc80", 5, "c\x1b"]
    assert clean_all(values) == ["a", None, "ü", "b\ufffd", 5, "c\x1b"]
    assert clean_all(["ü", None]) == ["ü", None]
    assert clean_all(["ü", "b\udc80"]) == ["ü", "b\ufffd"]
