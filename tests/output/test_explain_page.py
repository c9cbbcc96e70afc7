"""The page of an explanation."""

from __future__ import annotations

import io
import json
import re

import pytest

from sipanalyzer.explanations import KINDS, Explanation, explanations
from sipanalyzer.explanations.lookup import explain
from sipanalyzer.options import Options
from sipanalyzer.output.explain_page import explain_data, explain_lines
from sipanalyzer.output.terminal import Line, write_lines

ALL = [each for kind in KINDS for each in explanations(kind).values()]


def plain(lines: list[Line]) -> str:
    stream = io.StringIO()
    write_lines(lines, stream, colour=False)
    return stream.getvalue()


def page(thing: str, width: int = 80) -> str:
    return plain(explain_lines(explain(thing), width))


SMALL = Explanation(
    kind="finding", name="odd-thing", title="Something odd",
    meaning="It is odd and that is all that can be said of it.",
    causes=("The first and likeliest cause of it.", "Another."),
    confirm=('Look: `sipanalyzer findings CAPTURE --where "code == 1"`.',), mend=("Do nothing.",),
    source="RFC 1", see=("486", "17"), severity="warning", likelihood=7, advice="Wait.", options=("late_media_ms",),
)  # fmt: skip


def test_the_page_is_laid_out_in_its_parts() -> None:
    assert plain(explain_lines([SMALL], 44)) == (
        "odd-thing: Something odd\n"
        "finding, warning\n"
        "\n"
        "It is odd and that is all that can be said\n"
        "of it.\n"
        "\n"
        "In short\n"
        "  Wait.\n"
        "\n"
        "Likely causes\n"
        "  1. The first and likeliest cause of it.\n"
        "  2. Another.\n"
        "\n"
        "How to confirm it\n"
        "  - Look:\n"
        '    `sipanalyzer findings CAPTURE --where "code == 1"`.\n'
        "\n"
        "How to mend it\n"
        "  - Do nothing.\n"
        "\n"
        "Settings that decide (OPTION=default)\n"
        "  late_media_ms=1500.0  1500 ms\n"
        "\n"
        "Source\n"
        "  RFC 1\n"
        "\n"
        "See also\n"
        "  486       Busy Here\n"
        "  cause 17  User busy\n"
    )


@pytest.mark.parametrize(
    ("thing", "beginning"),
    [
        ("486", "486 Busy Here\nSIP status\n"),
        ("17", "cause 17 User busy\nQ.850 cause\n"),
        ("BYE", "BYE: Ends a call\nSIP method\n"),
        ("i", "Call-ID: Names the call\nSIP header\n"),
        ("mos", "mos: Mean opinion score, estimated\nmetric\n"),
    ],
)
def test_the_first_lines_say_what_is_explained(thing: str, beginning: str) -> None:
    assert page(thing).startswith(beginning)


def test_two_that_fit_stand_below_each_other() -> None:
    text = page("100")
    first, _, second = text.partition("\n" + "-" * 80 + "\n")
    assert first.startswith("100 Trying") and second.startswith("\ncause 100 ")


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_only_what_is_quoted_is_wider_than_the_page(width: int) -> None:
    for each in ALL:
        for line in plain(explain_lines([each], width)).splitlines():
            assert len(line) <= width or re.fullmatch(r"\s*(\d+\. |- )?[(]?`[^`]+`\S*", line), line


def test_no_word_is_lost_in_wrapping() -> None:
    for each in ALL:
        words = plain(explain_lines([each], 50)).split()
        for text in (each.meaning, *each.causes, *each.confirm, *each.mend, each.source):
            assert " ".join(text.split()) in " ".join(words)


def test_every_quoted_command_stands_on_one_line() -> None:
    for each in ALL:
        lines = plain(explain_lines([each], 60)).splitlines()
        for quoted in re.findall(r"`[^`]+`", " ".join((*each.confirm, *each.mend))):
            assert any(quoted in line for line in lines), quoted


def test_thresholds_are_shown_as_options_have_them() -> None:
    text = page("high-loss")
    assert f"high_loss_warning_percent={Options().high_loss_warning_percent}  1 %" in text
    assert "min_quality_ns=5000000000      5 s" in text
    assert "one_way_delay_ms=none" in page("r_factor")
    assert "concealment=yes" in page("r_factor")


def test_a_narrow_page_and_odd_widths_do_no_harm() -> None:
    for width in (0, 1, 5, 21):
        assert page("one-way-audio", width)


def test_the_page_is_plain_when_piped_and_styled_when_asked() -> None:
    assert "\x1b" not in page("one-way-audio")
    styles = {style for line in explain_lines(explain("one-way-audio")) for _, style in line}
    assert {"bold", "red", "cyan", "dim"} <= styles


def test_data_are_the_whole_explanation() -> None:
    (data,) = explain_data([SMALL])
    assert data == {
        "kind": "finding", "name": "odd-thing", "title": "Something odd", "severity": "warning",
        "meaning": SMALL.meaning, "causes": list(SMALL.causes), "confirm": list(SMALL.confirm), "mend": ["Do nothing."],
        "advice": "Wait.", "settings": {"late_media_ms": 1500.0}, "source": "RFC 1", "see": ["486", "17"],
    }  # fmt: skip
    assert json.loads(json.dumps(explain_data(ALL)))[0]["name"] == "one-way-audio"


def test_data_of_several_keep_their_order() -> None:
    assert [(each["kind"], each["name"]) for each in explain_data(explain("100"))] == [
        ("status", "100"),
        ("cause", "100"),
    ]
