"""The settings, listed, typed and told: one source, the class Options."""

from __future__ import annotations

import pathlib
from dataclasses import fields

import pytest

from sipanalyzer.options import Options, parse_settings
from sipanalyzer.output.settings import changed_settings, list_settings, measured, sections, typed
from sipanalyzer.output.settings_page import options_page, settings_data, settings_lines
from sipanalyzer.output.terminal import width_of

ROOT = pathlib.Path(__file__).parents[2]


def test_every_setting_has_a_section_and_a_sentence_that_stands_alone() -> None:
    settings = list_settings()
    assert [each.name for each in settings] == [each.name for each in fields(Options)]
    for each in settings:
        assert each.section, each.name
        assert each.meaning.endswith((".", ")")) and not each.meaning.lower().startswith(("likewise", "...")), each.name
    assert "playout and quality" in sections()


def test_the_page_of_the_documentation_is_what_the_class_says() -> None:
    assert (ROOT / "docs" / "options.md").read_text(encoding="utf-8") == options_page()


def test_only_settings_that_differ_are_told() -> None:
    assert changed_settings(Options()) == {}
    changed = changed_settings(Options(playout_ms=40.0, correlation_headers=("X-A",), concealment=False))
    assert changed == {"playout_ms": 40.0, "concealment": False, "correlation_headers": ["X-A"]}


@pytest.mark.parametrize("name", [each.name for each in list_settings() if not each.name.endswith("_time_ns")])
def test_what_is_shown_can_be_typed(name: str) -> None:
    default = getattr(Options(), name)
    assert parse_settings([f"{name}={typed(name, default)}"]) == {name: default}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("interval_ns", 10_000_000_000, "10 s"),
        ("duplicate_ns", 50_000_000, "50 ms"),
        ("sort_ns", 1, "1 ns"),
        ("max_sip_bytes", 8 << 30, "8 GiB"),
        ("max_datagram_bytes", 65_535, ""),
        ("high_loss_error_percent", 5.0, "5 %"),
        ("gmin", 16, ""),
        ("concealment", True, ""),
        ("from_time_ns", 1, ""),
    ],
)
def test_a_value_is_told_with_its_unit(name: str, value: object, text: str) -> None:
    assert measured(name, value) == text


def test_a_moment_is_told_as_one() -> None:
    assert typed("from_time_ns", 1_642_030_706_000_000_000) == "2022-01-12T23:38:26.000000Z"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_list_keeps_its_width_and_has_every_setting(width: int) -> None:
    lines = ["".join(text for text, _ in line) for line in settings_lines(width)]
    assert max(map(width_of, lines)) <= width + 20  # the unit beside a long name
    text = "\n".join(lines)
    assert all(f"  {each.name}"[: width - 3] in text for each in list_settings())
    assert {each["name"] for each in settings_data()} == {each.name for each in fields(Options)}
