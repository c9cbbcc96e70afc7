"""The timeline as bars."""

from __future__ import annotations

from sipanalyzer.output.report.bars import make_bars
from sipanalyzer.output.report.data import Timeline


def _timeline(
    answered: tuple[int, ...], failed: tuple[int, ...], concurrent: tuple[int, ...], step: float = 10
) -> Timeline:
    none = (0,) * len(answered)
    labels = tuple(f"12:00:{at:02}" for at in range(len(answered)))
    return Timeline("2026-03-02 12:00:00", step, labels, answered, none, failed, none, concurrent)


def test_failed_calls_stand_at_the_foot_and_heights_are_shares_of_the_highest_bar() -> None:
    bars = make_bars(_timeline((3, 1), (1, 0), (2, 0)))
    assert [(part.kind, part.y, part.height) for part in bars.bars[0].parts] == [
        ("failed", 75.0, 25.0),
        ("answered", 0.0, 75.0),
    ]
    assert [(part.kind, part.y, part.height) for part in bars.bars[1].parts] == [("answered", 75.0, 25.0)]
    assert (bars.top, bars.most) == (4, 2)


def test_the_line_shares_the_scale_of_the_bars_where_both_can_be_seen() -> None:
    assert make_bars(_timeline((4,), (0,), (2,))).line == "M0 100V50.75H1V100"
    assert make_bars(_timeline((1,), (0,), (100,))).top == 1  # else one call would be too small to see
    assert make_bars(_timeline((1,), (0,), (100,))).line == "M0 100V0.75H1V100"


def test_a_kind_without_a_call_has_no_place_in_the_legend() -> None:
    assert make_bars(_timeline((3,), (0,), (0,))).legend == (("answered", "answered", 3),)


def test_a_bar_says_what_it_counts() -> None:
    bars = make_bars(_timeline((3, 0), (1, 0), (2, 0)))
    assert bars.bars[0].tip == "12:00:00: 1 failed or rejected, 3 answered; up to 2 at once"
    assert bars.bars[1].tip == "12:00:01: no call begins; up to 0 at once"


def test_widths_of_bars_are_told_in_the_unit_that_fits() -> None:
    assert [make_bars(_timeline((1,), (0,), (0,), step)).step for step in (0.1, 10, 90, 7200, 86400)] == [
        "100 ms", "10 s", "1.5 min", "2 h", "1 d",
    ]  # fmt: skip
