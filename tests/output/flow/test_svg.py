"""Flow charts as SVG: well-formed whatever stands in them, nothing overlaps, all can be pointed at, all small."""

from __future__ import annotations

import datetime
import itertools
import pathlib
import re
import xml.etree.ElementTree as ET
import zoneinfo
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sipanalyzer
from sipanalyzer.output.flow.measure import MONO, text_width
from sipanalyzer.output.flow.model import FlowChart, Fold, Media, Message, Note, Participant
from sipanalyzer.output.flow.palette import INK, KINDS, LOSS_STEPS
from sipanalyzer.output.flow.svg import draw_svg, flow_css
from sipanalyzer.output.flow.svg_place import seconds
from tests.output.flow.charts import HOSTILE, START, chart, hostile, media, message, one_of_all
from tests.output.flow.work import lines_run

SVG = "{http://www.w3.org/2000/svg}"
_FONTS = {"t": 10, "f": 10, "l": 12.5, "d": 11, "a": 11, "w": 11, "q": 10, "z": 10, "y": 10, "n": 12.5, "c": 14}
_BOLD, _MIDDLE = "lnc", "ldnaqz"
Box = tuple[float, float, float, float, str]


def _parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg.encode("utf-8"))


def _boxes(root: ET.Element) -> list[Box]:
    """Where each text stands, by this test's own reckoning: left, top, right, bottom."""
    found = []
    for node in root.iter(f"{SVG}text"):
        words = node.attrib["class"].split()
        style, size, text = words[0], _FONTS[words[0]], node.text or ""
        wide = len(text) * size * MONO if style in "tf" else text_width(text, size, bold=style in _BOLD)
        x, y = float(node.attrib["x"]), float(node.attrib["y"])
        if style == "f" or words[-1] in ("le", "de"):
            x -= wide
        elif style in _MIDDLE and words[-1] not in ("ls", "ds"):
            x -= wide / 2
        found.append((x, y - 0.75 * size, x + wide, y + 0.2 * size, text))
    return found


def _arrows(root: ET.Element) -> Iterator[Box]:
    """The lines of arrows, and the bars."""
    for node in root.iter(f"{SVG}path"):
        line = re.fullmatch(r"M(\d+) (\d+)H(\d+)", node.attrib["d"])
        if line and int(line[2]):  # those of the legend begin at 0 0
            (left, right), y = sorted((int(line[1]), int(line[3]))), int(line[2])
            yield left, y - 1, right, y + 1, "arrow"
        if node.attrib.get("class") == "o" and not node.attrib["d"].startswith("M0"):
            left, y, right = map(int, re.match(r"M(\d+) (\d+)H(\d+)", node.attrib["d"]).groups())  # type: ignore[union-attr]
            yield left, y, right, y + 8, "bar"


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _assert_tidy(svg: str) -> None:
    root = _parsed(svg)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    boxes = _boxes(root)
    for box in boxes:
        assert box[0] >= 0 and box[2] <= width + 1 and box[1] >= 0 and box[3] <= height, box
    everything = sorted([*boxes, *_arrows(root)], key=lambda box: box[1])
    for at, box in enumerate(everything):
        for other in itertools.takewhile(lambda each: each[1] < box[3], everything[at + 1 :]):  # noqa: B023
            assert not _overlap(box, other), (box, other)


# ---- what stands where
@pytest.mark.parametrize(("people", "rows", "legs"), [(1, 12, 1), (2, 60, 1), (3, 60, 2), (5, 80, 3), (12, 90, 14)])
@pytest.mark.parametrize("standalone", [True, False])
def test_no_text_runs_into_another_or_into_an_arrow_or_out_of_the_picture(
    people: int, rows: int, legs: int, standalone: bool
) -> None:
    for seed in range(4):
        _assert_tidy(draw_svg(one_of_all(people, rows, legs, seed), standalone=standalone))


_TEXTS = st.text(max_size=60) | st.sampled_from(HOSTILE)


@settings(max_examples=60)
@given(st.lists(st.tuples(_TEXTS, _TEXTS, st.integers(0, 3), st.integers(0, 3)), max_size=8), _TEXTS, _TEXTS)
def test_any_text_stays_in_its_place(rows: list[tuple[str, str, int, int]], name: str, title: str) -> None:
    drawn = [
        message(at, label, detail=detail, source=source, target=target, retransmission=source == 0)
        for at, (label, detail, source, target) in enumerate(rows)
    ]
    people = tuple(Participant(f"{name}{at}", name, name, "media") for at in range(4))
    svg = draw_svg(chart(drawn, participants=people, title=title, remarks=(title, name)))
    _assert_tidy(svg)
    assert len(_parsed(svg).findall(f".//{SVG}g[@data-message]")) == len(rows)


def test_hostile_texts_neither_break_the_picture_nor_become_part_of_it() -> None:
    svg = draw_svg(hostile())
    root = _parsed(svg)
    tags = {node.tag.removeprefix(SVG) for node in root.iter()}
    assert tags == {"svg", "title", "style", "rect", "path", "g", "text"}
    names = {name for node in root.iter() for name in node.attrib}
    assert not {name for name in names if name.startswith("on") or "href" in name or name == "id"}
    assert "\u202e" not in svg and "\x1b" not in svg and "\\u202egnp.exe" in svg
    assert len(svg) < 150_000  # 10 kB texts are cut
    _assert_tidy(svg)


def test_a_long_text_is_cut_and_whole_in_the_tooltip() -> None:
    label = "480 " + "Temporarily " * 12 + "Unavailable"
    root = _parsed(draw_svg(chart([message(0, label)])))
    group = root.find(f".//{SVG}g[@data-message]")
    assert group is not None
    texts = [node.text or "" for node in group.iter(f"{SVG}text")]
    assert any(text.startswith("480 Temp") and text.endswith("…") for text in texts)
    assert label in (group.findtext(f"{SVG}title") or "")


def test_the_picture_is_as_wide_as_its_participants_need() -> None:
    widths = [int(_parsed(draw_svg(chart([message(0)], people))).attrib["width"]) for people in (2, 5, 12, 30)]
    assert widths == sorted(widths) and widths[0] < 700 and widths[-1] < 6_500


def test_heads_are_repeated_at_the_foot_of_a_long_chart_only() -> None:
    def heads(rows: int) -> int:
        return draw_svg(chart([message(at) for at in range(rows)])).count('class="hd"')

    assert heads(5) == 2 and heads(60) == 4


# ---- what is said
def test_times_gaps_and_frames_stand_beside_each_arrow() -> None:
    rows = [message(0), message(1, "100 Trying", gap=20_000_000, frame=77), message(2, gap=-1_500_000, frame=8)]
    texts = [(text or "").replace("\u00a0", " ").split() for *_, text in _boxes(_parsed(draw_svg(chart(rows))))]
    assert ["09:00:00.000", "0.000"] in texts
    assert ["09:00:00.020", "0.020", "+0.020"] in texts
    assert ["09:00:00.040", "0.040", "-0.001"] in texts
    assert ["77"] in texts and ["8"] in texts


def test_times_are_shown_in_the_zone_asked_for() -> None:
    svg = draw_svg(chart([message(0)]), zoneinfo.ZoneInfo("Asia/Kolkata"))
    assert "14:30:00.000" in svg and "Asia/Kolkata" in svg


def test_frames_of_several_captures_are_told_apart() -> None:
    svg = draw_svg(chart([message(0, frame=5), message(1, frame=5, capture=1)]))
    assert ">1:5</text>" in svg and ">2:5</text>" in svg


def test_a_long_silence_breaks_the_lifelines_and_says_how_long() -> None:
    times = (2_300_000_000, 3_000_000_000, 90_000_000_000)
    rows = [message(0), *(message(at, time=START + time, gap=10**12) for at, time in enumerate(times, 1))]
    assert _pauses(rows) == ["2.3 s later", "1 min 27 s later"]


def _pauses(rows: list[Any]) -> list[str]:
    return [text for *_, text in _boxes(_parsed(draw_svg(chart(rows)))) if text.endswith(" later")]


def test_a_pause_counts_from_the_last_message_folded_and_is_told_once() -> None:
    """A fold may last beyond rows that follow it; the layout's own note of a pause stands for the same pause."""
    second = 1_000_000_000
    fold = Fold(START, 0, START + 60 * second, "OPTIONS 9 times more", 0, 1, "request", (5, 6), 0)
    rows = [fold, message(1, time=START + 30 * second, gap=4 * second), message(2, time=START + 65 * second, gap=None)]
    assert _pauses(rows) == ["5.0 s later"]
    middle = message(3, time=START + 95 * second, gap=2 * second)  # the layout knows of messages in between
    assert _pauses([*rows, middle]) == ["5.0 s later", "2.0 s later"]
    note = Note(START + 95 * second, 0, "30 s later", None, None, 0, 1, None, None, None)
    assert _pauses([*rows, note, message(4, time=START + 95 * second, gap=30 * second)]) == [
        "5.0 s later", "30 s later",
    ]  # fmt: skip


def test_a_bar_is_shaded_by_loss_from_left_to_right_whichever_way_it_goes() -> None:
    for ends in ({"source": 0, "target": 1}, {"source": 1, "target": 0}):
        root = _parsed(draw_svg(chart([media(0, shades=(0.0, 0.0, 2.0, 99.0), **ends)]), standalone=False))
        group = root.find(f".//{SVG}g[@data-stream]")
        assert group is not None
        parts = {node.attrib["class"]: node.attrib["d"] for node in group.iter(f"{SVG}path")}
        begins = {name: int(re.match(r"M(\d+)", path)[1]) for name, path in parts.items()}  # type: ignore[index]
        assert set(parts) == {"s0", "s2", "s4", "o", "p"}
        assert begins["s0"] < begins["s2"] < begins["s4"]
        assert parts["s0"].count("M") == 1  # neighbours that are alike are one


def test_every_loss_step_and_kind_has_its_look_on_both_grounds() -> None:
    alone = draw_svg(chart([message(0)]))
    for css in (flow_css(), alone):
        for look in (*KINDS.values(), *INK.values()):
            assert look.light in css and look.dark in css
        for _, light, dark in LOSS_STEPS:
            assert light in css and dark in css
        assert "prefers-color-scheme:dark" in css
    assert "var(" not in alone  # drawing programs do not know it


def test_every_rule_of_the_style_is_kept_to_charts() -> None:
    bare = re.sub(r"@(media|supports)[^{]*\{", "", flow_css())
    selectors = [each for rule in re.findall(r"([^{}]+)\{", bare) for each in rule.split(",")]
    assert selectors and all(".sf" in each for each in selectors)


def test_a_message_sent_again_is_said_to_be() -> None:
    svg = draw_svg(chart([message(0), message(1, retransmission=True)]))
    assert svg.count("(again)") == 1 and 'class="ki r"' in svg


def test_legs_are_told_apart_by_number_and_margin() -> None:
    svg = draw_svg(chart([message(0, leg=0), message(1, leg=1), message(2, leg=1)], legs=2), standalone=False)
    texts = [text for *_, text in _boxes(_parsed(svg))]
    assert [text[0] for text in texts if "09:00" in text] == ["1", "2", "2"]
    assert 'class="g0"' in svg and 'class="g1"' in svg


# ---- what a page uses
def test_arrows_and_bars_say_what_they_are_of() -> None:
    made = one_of_all(4, 80, 2, seed=3)
    root = _parsed(draw_svg(made))
    assert _numbers(root, "message") == [
        row.message if isinstance(row, Message) else row.messages[0]
        for row in made.rows
        if isinstance(row, Message | Fold)
    ]
    assert _numbers(root, "stream") == [row.stream for row in made.rows if isinstance(row, Media)]
    assert "tabindex" not in draw_svg(made)


def _numbers(root: ET.Element, name: str) -> list[int]:
    return [int(node.attrib[f"data-{name}"]) for node in root.iter() if f"data-{name}" in node.attrib]


def test_other_numbers_can_be_written_and_what_has_none_cannot_be_opened() -> None:
    made = chart([message(7), message(8), media(9), media(10)])
    root = _parsed(draw_svg(made, interactive=True, numbers={7: 0}, stream_numbers={10: 4}))
    assert _numbers(root, "message") == [0] and _numbers(root, "stream") == [4]
    buttons = [node for node in root.iter() if node.attrib.get("role") == "button"]
    assert [node.attrib["class"].split()[0] for node in buttons] == ["m", "s"]
    assert all(node.attrib["tabindex"] == "0" for node in buttons)


# ---- size and speed
def _plain() -> FlowChart:
    made = sipanalyzer.analyze(pathlib.Path(__file__).parents[3] / "sample_pcaps" / "plain.pcap").call(0).flow()
    return made.chart


def test_a_plain_call_is_small_and_quick() -> None:
    made = _plain()
    assert len(draw_svg(made, standalone=False)) < 6_000
    assert len(draw_svg(made, standalone=False, interactive=True)) < 7_000
    draw_svg(made, standalone=False)  # what is kept of texts and styles is made now
    assert lines_run(lambda: draw_svg(made, standalone=False)) < 10_000  # a report draws thousands


def test_work_grows_as_the_rows_do() -> None:
    def work(rows: int) -> int:
        made = chart([message(at, source=at % 3, target=(at + 1) % 3, leg=at % 2) for at in range(rows)], 3, 2)
        return lines_run(lambda: draw_svg(made))

    assert work(1_200) < 4.2 * work(300)


@pytest.mark.parametrize("people", [0, 1, 2])
def test_a_chart_without_rows_is_drawn(people: int) -> None:
    _assert_tidy(draw_svg(chart([], people)))


@pytest.mark.parametrize(
    ("ns", "told"), [(0, "0.000"), (1_999_999, "0.001"), (-5, "0.000"), (-1_500_000_000, "-1.500")]
)
def test_seconds_are_rounded_down_to_the_millisecond(ns: int, told: str) -> None:
    assert seconds(ns) == told


def test_every_sample_is_drawn_tidily(samples: pathlib.Path) -> None:
    for name in ("transfer", "forked", "held", "timeout", "refused", "two_legs", "proxy_hops", "announcement"):
        analysis = sipanalyzer.analyze(samples / f"{name}.pcap")
        for call in range(len(analysis.result.calls)):
            _assert_tidy(draw_svg(analysis.call(call).flow(session=True).chart, datetime.UTC))
