import csv
import datetime
import io
import json
import zipfile

import pytest

from sipanalyzer.output import formats
from sipanalyzer.output.formats import MissingLibrary, json_text, write_table
from sipanalyzer.output.tables import Table, table
from tests.output.results import T0, make_call, make_result

HOSTILE = 'a,"b"\r\n\x1b[31m\u202e|`<b>\x00'
RESULT = make_result(calls=(make_call(user_agent=HOSTILE, start=T0 + 1),))


def written(format: str, rows: Table | None = None, **how) -> bytes:
    stream = io.BytesIO()
    write_table(table(RESULT, "calls") if rows is None else rows, format, stream, **how)
    return stream.getvalue()


def test_csv_is_rfc_4180_with_values_to_six_decimals() -> None:
    data = written("csv")
    assert data.startswith(b"call_id,session,state,") and data.endswith(b"\r\n")
    (row,) = csv.DictReader(io.StringIO(data.decode(), newline=""))
    assert row["user_agent"] == 'a,"b"\r\n\\x1b[31m\\u202e|`<b>\\x00'
    assert row["start"] == "2022-01-12T23:38:26.000000001Z"
    assert row["session"] == "" and row["mos"] == ""
    assert row["partial"] == "false"
    assert row["loss_percent"] == "0.990099"  # 100 * 2 / 202


def test_csv_on_a_terminal_carries_no_escape_sequence() -> None:
    data = written("csv", to_terminal=True)
    assert b"\x1b" not in data and b"\\x1b[31m" in data


def test_json_is_a_strict_array_of_objects() -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    (row,) = json.loads(written("json"), parse_constant=refuse)
    assert row["user_agent"] == HOSTILE
    assert row["start"] == "2022-01-12T23:38:26.000000001Z"
    assert row["mos"] is None and row["partial"] is False and row["status_code"] == 200
    assert list(row) == [each.name for each in table(RESULT, "calls").columns]


def test_json_has_nothing_that_disturbs_a_terminal() -> None:
    text = json_text({"x": HOSTILE + "\x9b31m\x7f"})
    assert text.replace("|", "").isprintable() and json.loads(text)["x"] == HOSTILE + "\x9b31m\x7f"


def test_a_number_that_is_none_is_null_in_json() -> None:
    rows = table(RESULT, "calls").only(["max_jitter_ms"])
    broken = Table("calls", rows.columns, ([float("nan")],))
    assert json.loads(written("json", broken)) == [{"max_jitter_ms": None}]


def test_an_empty_table_is_an_empty_array_and_a_lone_heading() -> None:
    empty = table(RESULT, "calls").take([])
    assert json.loads(written("json", empty)) == []
    assert written("jsonl", empty) == b""
    assert written("csv", empty).count(b"\r\n") == 1


def test_json_lines_are_one_object_a_line() -> None:
    twice = table(RESULT, "calls").take([0, 0])
    lines = written("jsonl", twice).decode().splitlines()
    assert len(lines) == 2 and json.loads(lines[1])["call_id"] == "one@10.0.0.1"


def test_markdown_keeps_its_cells_whatever_stands_in_them() -> None:
    text = written("md", table(RESULT, "calls").only(["user_agent", "packets"])).decode()
    head, line, row = text.splitlines()
    assert (head, line) == ("| user_agent | packets |", "| --- | ---: |")
    assert row.replace("\\|", "").count("|") == 3 and "\x1b" not in row and "`" in row and "<b>" in row


def test_parquet_has_types_units_and_nanoseconds() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    read = parquet.read_table(io.BytesIO(written("parquet")))
    assert read.schema.field("start").type == pyarrow.timestamp("ns", tz="UTC")
    assert read.schema.field("session").type == pyarrow.int64()
    assert read.schema.field("post_dial_delay_ms").metadata[b"unit"] == b"ms"
    assert read.column("start").cast(pyarrow.int64()).to_pylist() == [T0 + 1]
    assert read.column("user_agent").to_pylist() == [HOSTILE]


def test_a_workbook_has_dates_numbers_and_texts_and_no_formulas() -> None:
    pytest.importorskip("xlsxwriter")
    rows = table(make_result(calls=(make_call(user_agent="=1+1", start=T0),)), "calls")
    book = zipfile.ZipFile(io.BytesIO(written("xlsx", rows)))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "=1+1" in sheet
    days = (datetime.datetime(2022, 1, 12, 23, 38, 26) - datetime.datetime(1899, 12, 30)) / datetime.timedelta(days=1)
    assert f"<v>{days:.6f}"[:14] in sheet
    assert 'state="frozen"' in sheet


def test_a_workbook_takes_hostile_text() -> None:
    pytest.importorskip("xlsxwriter")
    import xml.etree.ElementTree as ElementTree

    book = zipfile.ZipFile(io.BytesIO(written("xlsx")))
    for name in book.namelist():
        if name.endswith(".xml"):
            ElementTree.fromstring(book.read(name))


@pytest.mark.parametrize(("format", "extra"), [("parquet", "parquet"), ("xlsx", "xlsx")])
def test_a_missing_library_is_told_with_the_extra_that_brings_it(
    format: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingLibrary, match=rf"pip install 'sipanalyzer\[{extra}\]'"):
        written(format)
