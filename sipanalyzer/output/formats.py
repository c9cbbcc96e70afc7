"""A table as a file for machines: CSV, JSON, JSON lines, Markdown, Parquet, XLSX. Floor 8.

In: a table and an open binary file. Out: bytes in it. Text formats need the standard library only.
"""

from __future__ import annotations

import datetime
import importlib.util
import io
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any

from .cells import Cell, harmless, iso, people, visible
from .columns import Column
from .csv_rows import csv_blocks
from .json_rows import harmless_json, json_blocks
from .marks import grid, words

if TYPE_CHECKING:
    from .tables import Table  # loads numpy, which a page of words has no need of

__all__ = ["BINARY", "FORMATS", "SUFFIXES", "MissingLibrary", "json_text", "require_library", "write_table"]

FORMATS = ("table", "csv", "json", "jsonl", "md", "parquet", "xlsx")
BINARY = ("parquet", "xlsx")
SUFFIXES = {
    ".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".md": "md", ".parquet": "parquet",
    ".xlsx": "xlsx", ".txt": "table",
}  # fmt: skip
"""Format that a file's name asks for."""

_LIBRARIES = {"parquet": ("pyarrow", "parquet"), "xlsx": ("xlsxwriter", "xlsx")}


class MissingLibrary(ValueError):
    """A format needs a library that is not installed."""


def require_library(format: str) -> None:
    """Make sure that the library of a format can be imported.

    Raises
    ------
    MissingLibrary
        If it cannot; the message names the extra that brings it.
    """
    library, extra = _LIBRARIES.get(format, ("", ""))
    if library and importlib.util.find_spec(library) is None:
        raise MissingLibrary(f"{format} needs {library}: pip install 'sipanalyzer[{extra}]'")


def write_table(table: Table, format: str, stream: IO[bytes], *, to_terminal: bool = False) -> None:
    """Write a table.

    Parameters
    ----------
    table : Table
        What to write.
    format : str
        One of :data:`FORMATS`, except ``table``, which is for people (:mod:`.terminal`).
    stream : binary file
        Where to.
    to_terminal : bool
        Somebody looks at it on a terminal: ends of lines and tabs from the wire stand as visible text too.

    Raises
    ------
    MissingLibrary
        If the format needs a library that is not installed.
    """
    require_library(format)
    if format in BINARY:
        {"parquet": _write_parquet, "xlsx": _write_xlsx}[format](table, stream)
        return
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="")
    try:
        _WRITERS[format](table, text, visible if to_terminal else harmless)
        text.flush()
    finally:
        text.detach()


def _write_csv(table: Table, stream: IO[str], shown: Callable[[str], str]) -> None:
    for block in csv_blocks(table, shown):
        stream.write(block)


def _columns(table: Table) -> Iterable[tuple[Sequence[Cell], Column]]:
    return zip(table.data, table.columns, strict=True)


def json_text(value: Any, indent: int | None = None) -> str:
    """Strict JSON in UTF-8, with the characters that disturb a terminal written as escapes."""
    return harmless_json(json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=indent).encode(value))


def _write_json(table: Table, stream: IO[str], shown: Callable[[str], str]) -> None:
    stream.write("[")
    for number, block in enumerate(json_blocks(table, ",\n")):
        stream.write((",\n" if number else "\n") + block)
    stream.write("\n]\n")


def _write_jsonl(table: Table, stream: IO[str], shown: Callable[[str], str]) -> None:
    for block in json_blocks(table, "\n"):
        stream.write(block + "\n")


def _write_md(table: Table, stream: IO[str], shown: Callable[[str], str]) -> None:
    numbers = [at for at, column in enumerate(table.columns) if column.dtype in ("int", "float")]
    rows = ([_md_cell(*cell) for cell in zip(row, table.columns, strict=True)] for row in table.rows())
    for line in grid([column.name for column in table.columns], rows, numbers):
        stream.write(f"{line}\n")


def _md_cell(value: Cell, column: Column) -> str:
    if value is None:
        return ""
    text = iso(int(value)) if column.dtype == "time" else people(value, column, datetime.UTC)
    return words(text, sys.maxsize) if column.dtype == "text" else text


_WRITERS = {"csv": _write_csv, "json": _write_json, "jsonl": _write_jsonl, "md": _write_md}


def _write_parquet(table: Table, stream: IO[bytes]) -> None:
    import pyarrow
    import pyarrow.parquet

    types = {
        "text": pyarrow.string(), "int": pyarrow.int64(), "float": pyarrow.float64(), "bool": pyarrow.bool_(),
        "time": pyarrow.timestamp("ns", tz="UTC"),
    }  # fmt: skip
    fields = [
        pyarrow.field(column.name, types[column.dtype], metadata={"meaning": column.meaning, "unit": column.unit})
        for column in table.columns
    ]
    arrays = [pyarrow.array(values, type=each.type) for values, each in zip(table.data, fields, strict=True)]
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields)), stream)


def _write_xlsx(table: Table, stream: IO[bytes]) -> None:
    from .workbook import write_workbook

    write_workbook([table], stream)
