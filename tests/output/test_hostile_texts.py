"""A capture that attacks whoever looks at it, in every output that is text: no attack is anything but text there."""

from __future__ import annotations

import csv
import datetime
import html.parser
import io
import json
import pathlib
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

import sipanalyzer
from sipanalyzer.output.columns import FILLED, column
from sipanalyzer.output.export import export_tables
from sipanalyzer.output.formats import write_table
from sipanalyzer.output.formulas import defused
from sipanalyzer.output.summary import summarize
from sipanalyzer.output.tables import Table, table
from sipanalyzer.output.terminal import draw_table, lay_out
from tests.output.hostile import ATTACKS, hostile_capture

OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal or a reader's eye obeys, but for ends of lines and tabs."""
STATEMENT = re.compile(r"    (participant p\d+ as |Note over p\d+(,p\d+)?: |p\d+(->>|-->>|--x|-x|-\))p\d+: )")
HARMLESS_TAGS = frozenset({"pre", "span", "table", "thead", "tbody", "tr", "th", "td", "img"})


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sipanalyzer.Analysis]:
    yield sipanalyzer.analyze(hostile_capture(tmp_path_factory.mktemp("hostile")))


def made(analysis: sipanalyzer.Analysis, name: str, format: str) -> str:
    stream = io.BytesIO()
    write_table(table(analysis.result, name), format, stream)
    return stream.getvalue().decode("utf-8")


def strict(text: str) -> object:
    """JSON without the words that Python allows beside it."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


class Tags(html.parser.HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_the_capture_is_read_with_a_call_for_each_attack(analysis: sipanalyzer.Analysis) -> None:
    assert len(analysis.result.calls) == len(ATTACKS) and len(analysis.result.streams) >= len(ATTACKS)
    assert {each.call_id for each in analysis.result.calls} > {"javascript:alert(1)-5", "=cmd|'/Ccalc'!A0-17"}


@pytest.mark.parametrize("name", FILLED)
def test_a_csv_has_no_formula_and_nothing_that_a_terminal_obeys(analysis: sipanalyzer.Analysis, name: str) -> None:
    text = made(analysis, name, "csv")
    assert OBEYED.search(text) is None and re.search("\r(?!\n)", text) is None
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len(rows) == len(table(analysis.result, name)) + 1
    assert {len(row) for row in rows} == {len(rows[0])}
    columns = table(analysis.result, name).columns
    for row in rows[1:]:
        assert [cell for cell, each in zip(row, columns, strict=True)
                if each.dtype == "text" and cell != defused(cell)] == []  # fmt: skip


def test_numbers_of_a_csv_stay_numbers() -> None:
    columns = tuple(column("calls", name) for name in ("caller", "callee", "media_latency_ms"))
    rows = Table("calls", columns, (["+4930123"], ["-"], [-12.5]))
    stream = io.BytesIO()
    write_table(rows, "csv", stream)
    assert stream.getvalue().split(b"\r\n")[1] == b"+4930123,-,-12.5"


@pytest.mark.parametrize("name", FILLED)
def test_json_is_strict_and_has_nothing_that_a_terminal_obeys(analysis: sipanalyzer.Analysis, name: str) -> None:
    text = made(analysis, name, "json")
    assert OBEYED.search(text) is None
    assert len(strict(text)) == len(table(analysis.result, name))  # type: ignore[arg-type]
    lines = made(analysis, name, "jsonl").splitlines()
    assert [strict(line) for line in lines] == strict(text)


def test_jq_reads_every_table_and_the_summary(analysis: sipanalyzer.Analysis, tmp_path: pathlib.Path) -> None:
    jq = shutil.which("jq")
    if jq is None:
        pytest.skip("no jq")
    for path in export_tables(analysis.result, tmp_path, "json"):
        assert OBEYED.search(path.read_text("utf-8")) is None
        subprocess.run([jq, "-e", ".", path], check=True, stdout=subprocess.DEVNULL)
    assert summarize(analysis.result)["calls"]["count"] == len(ATTACKS)


@pytest.mark.parametrize("name", FILLED)
def test_a_terminals_table_has_one_line_a_row_and_no_escape(analysis: sipanalyzer.Analysis, name: str) -> None:
    rows = table(analysis.result, name)
    for width in (60, 160, None):
        lines = ["".join(text for text, _ in line) for line in draw_table(rows, lay_out(rows, width, datetime.UTC))]
        assert all(OBEYED.search(line) is None and "\n" not in line and "\t" not in line for line in lines)


def test_a_workbook_has_texts_and_neither_formulas_nor_links(
    analysis: sipanalyzer.Analysis, tmp_path: pathlib.Path
) -> None:
    pytest.importorskip("xlsxwriter")
    openpyxl = pytest.importorskip("openpyxl")
    paths = export_tables(analysis.result, tmp_path, "xlsx")
    book = openpyxl.load_workbook(next(path for path in paths if path.name == "tables.xlsx"))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "d", "b", "inlineStr"}
    assert not any(cell.hyperlink for sheet in book for row in sheet.iter_rows() for cell in row)
    agents = {row[0].value for row in book["calls"].iter_rows(min_col=1, max_col=1)}
    assert "=cmd|'/Ccalc'!A0-17" in agents


def test_parquet_holds_every_text(analysis: sipanalyzer.Analysis, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow.parquet

    for path in export_tables(analysis.result, tmp_path, "parquet"):
        if path.suffix == ".parquet":
            assert len(pyarrow.parquet.read_table(path)) == len(table(analysis.result, path.stem))


def test_what_a_notebook_shows_has_no_element_of_the_wire(analysis: sipanalyzer.Analysis) -> None:
    pages = [analysis._repr_html_(), analysis.calls.head(40)._repr_html_()]
    for number in range(len(ATTACKS)):
        call = analysis.call(number)
        pages += [call._repr_html_(), call.flow()._repr_html_()]
    for page in pages:
        seen = Tags(page)
        assert seen.tags - HARMLESS_TAGS <= {"div", "style", "p"}, seen.tags
        assert seen.attributes <= {"style", "class", "border", "alt", "src", "scoped"}
    assert [page for page in pages if "dataframe" not in page and OBEYED.search(page)] == []  # that one is pandas's own


def test_what_python_prints_has_nothing_that_a_terminal_obeys(analysis: sipanalyzer.Analysis) -> None:
    texts = [repr(analysis), str(analysis)]
    for number in range(len(ATTACKS)):
        call = analysis.call(number)
        for each in (call, *call.streams, *call.messages[:3], call.flow()):
            texts += [repr(each), str(each)]
    assert [text for text in texts if OBEYED.search(text)] == []


def test_a_report_as_markdown_has_no_element_link_or_image(
    analysis: sipanalyzer.Analysis, tmp_path: pathlib.Path
) -> None:
    text = analysis.report(tmp_path / "r.md").read_text("utf-8")
    assert OBEYED.search(text) is None
    bare = re.sub(r"(?s)```mermaid.*?\n```", "", text)
    bare = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", bare)
    assert "<" not in bare.replace("&lt;", "") and "](" not in bare and "@" not in bare and "://" not in bare


def test_every_chart_is_drawn_as_text_svg_and_mermaid(analysis: sipanalyzer.Analysis) -> None:
    import xml.etree.ElementTree as ElementTree

    for number in range(len(ATTACKS)):
        flow = analysis.call(number).flow()
        tree = ElementTree.fromstring(flow.svg())
        names = {each.tag.rpartition("}")[2] for each in tree.iter()}
        assert not names & {"script", "foreignObject", "a", "image", "use", "animate", "set", "iframe"}
        attributes = {name.rpartition("}")[2] for each in tree.iter() for name in each.attrib}
        assert not [name for name in attributes if name.startswith("on") or name == "href"]
        assert OBEYED.search(flow.svg()) is None and OBEYED.search(str(flow)) is None
        mermaid = flow.mermaid()
        assert OBEYED.search(mermaid) is None and mermaid.startswith("sequenceDiagram\n")
        for line in mermaid.splitlines()[1:]:
            assert re.match(
                r"    (participant p\d+ as |Note over p\d+(,p\d+)?: |p\d+(->>|-->>|--x|-x|-\))p\d+: )", line
            )
            assert not re.search(r"%%|<(?!br/>)|\"", line)
            assert re.fullmatch(r"(?:[^;]|#\d+;)*", line), line


@pytest.mark.parametrize("end", ["png", "pdf"])
def test_charts_are_drawn_as_pictures(analysis: sipanalyzer.Analysis, end: str, tmp_path: pathlib.Path) -> None:
    for number in range(len(ATTACKS)):
        content = analysis.call(number).flow().save(tmp_path / f"{number}.{end}").read_bytes()
        assert content[:4] in (b"\x89PNG", b"%PDF")
        assert not [word for word in (b"/JavaScript", b"/URI", b"/Launch", b"/OpenAction") if word in content]
