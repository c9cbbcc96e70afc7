"""Lists of what can be explained, and settings explained."""

from __future__ import annotations

import pytest

from sipanalyzer.output.explain_list import LISTS, find_things, list_data, list_lines, list_things, wanted_list
from sipanalyzer.output.explain_page import explain_lines
from sipanalyzer.output.terminal import width_of


def text_of(lines: list) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ([], ""),
        (["list"], ""),
        (["finding"], "finding"),
        (["Status"], "status"),
        (["list", "findings"], "finding"),
        (["list", "option"], "option"),
        (["options"], None),  # the method
        (["findings"], None),  # the column
        (["header", "reason"], None),
        (["one", "way", "audio"], None),
    ],
)
def test_a_list_is_asked_for_by_its_kind(words: list[str], kind: str | None) -> None:
    assert wanted_list(words) == kind


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_list_names_everything_and_keeps_its_width(kind: str, width: int) -> None:
    lines = list_lines(kind, width)
    assert max(sum(width_of(text) for text, _ in line) for line in lines) <= width
    text = text_of(lines)
    for each in list_things(kind):
        assert each.name[: width // 2 - 1] in text


@pytest.mark.parametrize("kind", LISTS)
def test_whatever_is_listed_is_explained(kind: str) -> None:
    for each in list_things(kind):
        found = find_things(f"cause {each.name}" if kind == "cause" else each.name)
        assert any((one.kind, one.name) == (kind, each.name) for one in found), each


def test_the_list_of_lists_names_every_kind_and_how_to_see_it() -> None:
    text = text_of(list_lines("", 80))
    for kind in LISTS:
        assert f"sipanalyzer explain {kind} " in text
    assert {each["kind"] for each in list_data("")} == set(LISTS)
    assert next(each["severity"] for each in list_data("finding")) == "error"


def test_a_setting_is_explained_with_what_rests_on_it() -> None:
    (found,) = find_things("playout-ms")
    assert (found.kind, found.name) == ("option", "playout_ms")
    text = text_of(explain_lines([found]))
    for words in ("playout_ms: 60.0 (60 ms)", "--set playout_ms=VALUE", "What rests on it", "high-loss"):
        assert words in text


@pytest.mark.parametrize(
    ("thing", "near"), [("hihg-loss", "high-loss"), ("playuot_ms", "playout_ms"), ("INVTE", "INVITE")]
)
def test_what_is_not_known_is_answered_with_near_names(thing: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"nothing is explained of '{thing}'; near it: .*{near}.*explain list"):
        find_things(thing)


def test_what_is_far_from_everything_is_told_how_to_list() -> None:
    with pytest.raises(ValueError, match=r"^nothing is explained of 'zzzzzz'; sipanalyzer explain list shows"):
        find_things("zzzzzz")
