"""Texts of a chart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.output.flow.words import lasting, later, shown


@given(
    st.text(st.characters(), max_size=300) | st.text(st.characters(categories=["Cs", "Cf", "Cc"])), st.integers(1, 80)
)
def test_what_is_shown_is_printable_and_bounded(text: str, most: int) -> None:
    found = shown(text, most)
    assert found.isprintable() and len(found) <= most
    assert found == text or not (text.isprintable() and len(text) <= most)


def test_what_is_left_out_is_marked() -> None:
    assert shown("alice", 5) == "alice" and shown("alicia", 5) == "alic\u2026" and shown("a\u202eb", 20) == "a\\u202eb"


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (0, "0 s later"), (42.4, "42 s later"), (59.6, "1 min later"), (192, "3 min 12 s later"),
        (7_500, "2 h 5 min later"), (3_600, "1 h later"), (90_000, "1 d 1 h later"),
    ],
)  # fmt: skip
def test_a_pause_as_people_say_it(seconds: float, wanted: str) -> None:
    assert later(round(seconds * 1e9)) == wanted


def test_times_have_as_many_places_as_mean_something() -> None:
    assert [lasting(round(value * 1e9)) for value in (0.418, 31.52, 1800.4)] == ["0.42 s", "31.5 s", "1800 s"]
