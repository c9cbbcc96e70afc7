"""Sheets: every table that has rows, as the tables have them."""

from __future__ import annotations

import datetime
import pathlib
import time

import sipanalyzer
from sipanalyzer.output.cells import visible
from sipanalyzer.output.report.clock import make_clock
from sipanalyzer.output.report.data import Limits
from sipanalyzer.output.report.sheets import make_sheets
from sipanalyzer.output.tables import COLUMNS, table
from sipanalyzer.result import Result
from tests.output.results import MS, T0, empty_result, make_call, make_result

UTC = datetime.UTC


def sheets(result: Result, **limits: int):  # type: ignore[no-untyped-def]
    return {each.name: each for each in make_sheets(result, make_clock(UTC), Limits(**limits))}


def test_every_table_with_rows_is_a_sheet_but_messages_and_intervals(samples: pathlib.Path) -> None:
    result = sipanalyzer.analyze(samples / "transfer.pcap").result
    expected = {name for name in COLUMNS if name not in ("messages", "intervals") and len(table(result, name))}
    found = sheets(result)
    assert set(found) == expected
    assert next(iter(found)) == "calls"


def test_cells_are_those_of_the_table(samples: pathlib.Path) -> None:
    result = sipanalyzer.analyze(samples / "lossy.pcap").result
    for sheet in sheets(result).values():
        made = table(result, sheet.name)
        assert len(sheet.rows) == len(made)
        for at, heading in enumerate(sheet.headings):
            for row, value in zip(sheet.rows, made[heading.name], strict=True):
                if value is None:
                    assert row[at] is None
                elif heading.dtype == "float":
                    assert abs(row[at] - value) <= 0.0005
                elif heading.dtype == "text":
                    assert row[at] == visible(value)
                elif heading.dtype != "time":
                    assert row[at] == value


def test_times_are_in_the_zone_and_sort_as_text() -> None:
    calls = tuple(make_call(call_id=f"c{at}", start=T0 + at * 333 * MS, streams=(), rows=()) for at in range(40))
    sheet = sheets(make_result(calls=calls))["calls"]
    at = [each.name for each in sheet.headings].index("start")
    starts = [row[at] for row in sheet.rows]
    assert starts[0] == "2022-01-12 23:38:26.000"
    assert starts[1] == "2022-01-12 23:38:26.333"
    assert starts == sorted(starts)


def test_columns_with_nothing_in_them_are_left_out_and_the_wanted_ones_come_first() -> None:
    sheet = sheets(make_result())["calls"]
    names = [each.name for each in sheet.headings]
    assert "diversion" not in names
    assert names[:4] == ["start", "caller", "callee", "state"]
    ranks = {each.name: each.rank for each in sheet.headings}
    assert ranks["state"] == 1
    assert ranks["retransmissions"] is None, "nothing was sent again"
    assert all(each.meaning for each in sheet.headings)


def test_rows_beyond_the_limit_are_counted() -> None:
    calls = tuple(make_call(call_id=f"c{at}", streams=(), rows=()) for at in range(12))
    sheet = sheets(make_result(calls=calls), rows=10)["calls"]
    assert (len(sheet.rows), sheet.more) == (10, 2)


def test_of_nothing_only_what_is_counted_over_all_is_told() -> None:
    assert set(sheets(empty_result())) <= {"captures", "statistics"}


def test_ten_thousand_calls_are_a_matter_of_a_second() -> None:
    calls = tuple(make_call(call_id=f"c{at}", start=T0 + at * MS, streams=(), rows=()) for at in range(10_000))
    result = make_result(calls=calls, streams=())
    begin = time.process_time()
    sheet = sheets(result)["calls"]
    assert len(sheet.rows) == 10_000
    assert time.process_time() - begin < 5
