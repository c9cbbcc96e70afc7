"""The workbook, read back by openpyxl."""

from __future__ import annotations

import datetime
import io
import pathlib
import zipfile
from typing import Any

import pytest

from sipanalyzer.output import workbook
from sipanalyzer.output.columns import COLUMNS
from sipanalyzer.output.export import export_tables
from sipanalyzer.output.tables import table
from sipanalyzer.output.workbook import write_workbook
from sipanalyzer.pipeline import analyze
from tests.output.results import T0, make_call, make_result

pytest.importorskip("xlsxwriter")
openpyxl = pytest.importorskip("openpyxl")


def sheet_of(**words: Any) -> Any:
    """The sheet of a call with some fields, as openpyxl reads it."""
    stream = io.BytesIO()
    write_workbook([table(make_result(calls=(make_call(**words),)), "calls")], stream)
    return openpyxl.load_workbook(stream)["calls"]


def cell(sheet: Any, name: str, row: int = 2) -> Any:
    (at,) = [each.column for each in sheet[1] if each.value == name]
    return sheet.cell(row, at)


def test_a_heading_is_bold_and_frozen_and_filters_and_says_what_it_means() -> None:
    sheet = sheet_of()
    assert [each.value for each in sheet[1]] == [column.name for column in COLUMNS["calls"]]
    assert all(each.font.bold for each in sheet[1])
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref.startswith("A1:")
    assert cell(sheet, "setup_latency_ms", 1).comment.text == (
        "first INVITE to the first 2xx; authentication counts (RFC 6076 5.3) (ms)"
    )


@pytest.mark.parametrize("text", ["=1+1", "+4930123456", "-5", "@SUM(A1)", "http://example.org", "12345", "\t=1"])
def test_text_stays_text_whatever_it_begins_with(text: str) -> None:
    found = cell(sheet_of(caller=text), "caller")
    assert (found.value, found.data_type, found.hyperlink) == (text, "s", None)


def test_times_are_dates_to_the_millisecond_and_numbers_have_their_units_decimals() -> None:
    sheet = sheet_of(start=T0 + 123_000_000, mos=4.405)
    start = cell(sheet, "start")
    assert start.is_date
    assert start.number_format == "yyyy-mm-dd hh:mm:ss.000"
    expected = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=(T0 + 123_000_000) // 1_000)
    assert abs(start.value - expected) < datetime.timedelta(milliseconds=1)
    assert (cell(sheet, "mos").value, cell(sheet, "mos").number_format) == (4.405, "0.00")
    assert cell(sheet, "first_frame").number_format == "0"


def test_a_time_before_1900_stays_text() -> None:
    assert cell(sheet_of(start=-(2**62)), "start").value.startswith("1823-")


def test_what_a_cell_cannot_hold_is_cut() -> None:
    assert len(cell(sheet_of(caller="x" * 40_000), "caller").value) == 32_767


def test_columns_are_wide_enough_for_heading_and_content_and_not_endless() -> None:
    sheet = sheet_of(caller="x" * 5_000, state="completed")
    widths = {each.value: sheet.column_dimensions[each.column_letter].width for each in sheet[1]}
    assert widths["caller"] == pytest.approx(60, abs=1)
    assert widths["state"] >= len("completed")
    assert widths["start"] >= 23


def test_a_sheet_that_is_full_goes_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    calls = tuple(make_call(call_id=f"call {n}") for n in range(5))
    stream = io.BytesIO()
    write_workbook([table(make_result(calls=calls), "calls"), table(make_result(), "probes")], stream)
    book = openpyxl.load_workbook(stream)
    assert book.sheetnames == ["calls", "calls 2", "calls 3", "probes"]
    found = [row[0].value for name in book.sheetnames[:3] for row in book[name].iter_rows(min_row=2)]
    assert sorted(found) == [f"call {n}" for n in range(5)]
    assert book["probes"].max_row == 1


def test_control_characters_make_no_broken_file() -> None:
    assert cell(sheet_of(caller="a\x1b[31m\x00\u202eb\ud800"), "caller").value is not None


def test_an_export_has_all_tables_in_one_file(samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    result = analyze(samples / "lossy.pcap")
    written = export_tables(result, tmp_path, "xlsx")
    assert [path.name for path in written[-2:]] == ["tables.xlsx", "summary.json"]
    book = openpyxl.load_workbook(tmp_path / "tables.xlsx")
    assert book.sheetnames == [path.stem for path in written[:-2]]
    streams = table(result, "streams")
    rows = [[each.value for each in row] for row in book["streams"].iter_rows(min_row=2)]
    texts = [at for at, column in enumerate(streams.columns) if column.dtype == "text"]
    assert [[row[at] for at in texts] for row in rows] == [[row[at] for at in texts] for row in streams.rows()]
    numbers = [at for at, column in enumerate(streams.columns) if column.dtype in ("int", "float")]
    for row, original in zip(rows, streams.rows(), strict=True):
        assert [row[at] for at in numbers] == pytest.approx([original[at] for at in numbers], nan_ok=True)
    assert not any(b"<f>" in zipfile.ZipFile(tmp_path / "tables.xlsx").read(name)
                   for name in zipfile.ZipFile(tmp_path / "tables.xlsx").namelist() if "sheet" in name)  # fmt: skip
