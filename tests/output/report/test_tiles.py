"""Tiles say what the tables say."""

from __future__ import annotations

import pathlib

import pytest

import sipanalyzer
from sipanalyzer.facts import Quality
from sipanalyzer.options import Options
from sipanalyzer.output.report.data import Tile
from sipanalyzer.output.report.tiles import make_tiles, worse
from sipanalyzer.output.summary import summarize
from sipanalyzer.output.tables import table
from sipanalyzer.result import Result
from tests.output.results import MS, T0, empty_result, make_call, make_capture, make_result, make_stream

SAMPLES = sorted(path.name for path in (pathlib.Path(__file__).resolve().parents[3] / "sample_pcaps").glob("*.pcap*"))


def tiles(result: Result) -> dict[str, Tile]:
    return {each.key: each for each in make_tiles(result, summarize(result))}


def median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


@pytest.mark.parametrize("name", SAMPLES)
def test_tiles_equal_the_tables(samples: pathlib.Path, name: str) -> None:
    result = sipanalyzer.analyze(samples / name).result
    shown, calls, streams = tiles(result), table(result, "calls"), table(result, "streams")
    statistics = {
        metric: value
        for metric, value, scope in zip(
            *(table(result, "statistics")[each] for each in ("metric", "value", "scope")), strict=True
        )
        if scope == "all"
    }
    if len(calls):
        assert shown["calls"].value == f"{len(calls):,}"
        states = calls["state"]
        assert shown["failed"].value == str(states.count("failed") + states.count("rejected"))
        for key, metric in (("asr", "ASR"), ("ner", "NER")):
            value = statistics[metric]
            assert shown[key].value == ("-" if value is None else f"{value:.1f}")
        delays = [value for value in calls["post_dial_delay_ms"] if value is not None]
        if delays and 1 <= median(delays) < 1000:
            assert shown["pdd"].value == f"{median(delays):.0f}"
            assert shown["pdd"].unit == "ms"
            partial = any(calls["partial"]) if "partial" in [each.name for each in calls.columns] else False
            if not partial:
                assert statistics["PDD median"] == pytest.approx(median(delays), abs=1e-3)
        for scale in ("NB", "WB", "FB"):
            rated = [mos for mos, of in zip(calls["mos"], calls["mos_scale"], strict=True) if of == scale]
            assert (f"mos-{scale.lower()}" in shown) == bool(rated)
            if rated:
                assert shown[f"mos-{scale.lower()}"].value == f"{median(rated):.2f}"
    if len(streams) and sum(streams["expected"]):
        assert shown["loss"].value == f"{100 * sum(streams['lost']) / sum(streams['expected']):.2f}"
    (grade,) = set(table(result, "captures")["grade"])
    assert shown["grade"].value == grade
    assert all(each.meaning for each in shown.values())


def test_without_calls_other_figures_stand_there() -> None:
    shown = tiles(empty_result())
    assert shown["calls"].value == "0"
    result = make_result(calls=(), messages=empty_result().messages)
    assert "streams" in tiles(result)


def quality(relative: float, mos: float, scale: str = "NB") -> Quality:
    return Quality(relative, mos, scale, "published", 0.0, 1.0, 60.0, 0.0, 25.1, relative)


@pytest.mark.parametrize(("relative", "severity"), [(93.0, None), (70.0, None), (69.9, "warning"), (59.9, "error")])
def test_mos_has_a_colour_from_the_thresholds(relative: float, severity: str | None) -> None:
    stream = make_stream(quality=quality(relative, 3.0), start=T0, end=T0 + 6_000 * MS)
    assert tiles(make_result(streams=(stream,)))["mos-nb"].severity == severity


def test_a_threshold_that_was_set_counts() -> None:
    stream = make_stream(quality=quality(93.0, 4.4), start=T0, end=T0 + 6_000 * MS)
    result = make_result(streams=(stream,), options=Options(low_mos_warning_r=95.0))
    assert tiles(result)["mos-nb"].severity == "warning"


def test_scales_stand_apart() -> None:
    streams = tuple(
        make_stream(
            ssrc=at, call_id=f"c{at}", quality=quality(90.0, 4.0 + at / 10, scale), start=T0, end=T0 + 6_000 * MS
        )
        for at, scale in enumerate(("NB", "WB", "NB"))
    )
    calls = tuple(make_call(call_id=f"c{at}", streams=(at,), rows=()) for at in range(3))
    shown = tiles(make_result(streams=streams, calls=calls))
    assert (shown["mos-nb"].value, shown["mos-nb"].note) == ("4.10", "worst 4.00; 2 calls")
    assert (shown["mos-wb"].value, shown["mos-wb"].note) == ("4.10", "WB, 1 call")


@pytest.mark.parametrize(("delay_ms", "severity"), [(7_999, None), (8_000, "warning"), (11_000, "error")])
def test_post_dial_delay_has_a_colour_from_the_thresholds(delay_ms: int, severity: str | None) -> None:
    shown = tiles(make_result(calls=(make_call(ringing=T0 + delay_ms * MS, answered=T0 + 20_000 * MS),)))
    assert shown["pdd95"].severity == severity


@pytest.mark.parametrize(("grade", "severity"), [("good", None), ("fair", "warning"), ("poor", "error")])
def test_the_grade_has_a_colour(grade: str, severity: str | None) -> None:
    shown = tiles(make_result(captures=(make_capture(grade=grade, doubts=("cut",)),)))
    assert (shown["grade"].value, shown["grade"].severity) == (grade, severity)
    assert shown["grade"].note == ("" if grade == "good" else "cut")


def test_the_graver_of_two() -> None:
    assert worse(None, "info") == "info"
    assert worse("warning", "error") == "error"
    assert worse(None, None) is None


def test_a_call_whose_2xx_was_not_captured_is_answered_in_every_tile() -> None:
    """An ACK or BYE proves that it was: the tile of answered calls says the same as ASR."""
    busy = make_call(call_id="two", state="busy", status_code=486, answered=None)
    result = make_result(calls=(make_call(answered=None), busy))
    told = tiles(result)
    assert (told["answered"].value, told["answered"].note) == ("1", "50.0 % of 2")
    assert told["asr"].value == "50.0"
    assert [each["status_code"] for each in summarize(result)["calls"]["failures"]] == [486]
