"""Tables as a workbook (XLSX), a sheet each, ready to be read and filtered. Floor 8.

In: tables and an open binary file. Out: bytes in it. xlsxwriter writes row after row through temporary files, so that a
table of a million rows costs no memory. Text is written as text, whatever it begins with: nothing from the wire becomes
a formula or a link.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any

from .cells import Cell, iso, moment, number
from .files import scratch_folder

if TYPE_CHECKING:
    from .columns import Column
    from .tables import Table  # loads numpy, which a page of words has no need of

__all__ = ["MOST_ROWS", "MOST_TEXT", "write_workbook"]

MOST_ROWS = 1_048_575
"""Rows that a sheet holds below its heading; what is more goes on another."""
MOST_TEXT = 32_767
"""Characters that a cell holds; what is more is cut."""

_WIDEST, _ARROW = 60, 3
"""Characters of the widest column; room for the filter's arrow."""
_LOOKED_AT = 1_000
"""Rows by which a column's width is fitted."""
_TIME = "yyyy-mm-dd hh:mm:ss.000"
_FORMATS = {"ms": "0.00", "s": "0.00", "%": "0.00", "ppm": "0.0", "kbit/s": "0.0", "B": "#,##0", "Hz": "#,##0"}
"""Number formats by unit; of other numbers 0.00, of other whole numbers 0."""

_Write = Callable[[int, int, Any], None]
"""Told row, column and value of a cell."""


def write_workbook(tables: Sequence[Table], stream: IO[bytes]) -> None:
    """Write tables as one workbook.

    Parameters
    ----------
    tables : sequence of Table
        A sheet each, named as the table; of one with more than :data:`MOST_ROWS` rows, several.
    stream : binary file
        Where to.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxWriterException

    taken = _Taken(stream)
    with scratch_folder() as folder:
        settings = {
            "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
            "strings_to_numbers": False, "nan_inf_to_errors": True, "default_date_format": _TIME, "tmpdir": folder,
        }  # fmt: skip
        try:
            with xlsxwriter.Workbook(taken, settings) as book:
                _write_sheets(book, tables)
        except XlsxWriterException as error:  # it hides what the system said, and its zip file is not closed
            cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else OSError(str(error))
            taken.error = taken.error or cause
        except OSError as error:
            taken.error = taken.error or error
    if taken.error is not None:
        raise taken.error


def _write_sheets(book: Any, tables: Sequence[Table]) -> None:
    heading = book.add_format({"bold": True, "bottom": 1})
    formats: dict[str, Any] = {}

    def format_of(text: str) -> Any:
        if text not in formats:
            formats[text] = book.add_format({"num_format": text})
        return formats[text]

    for table in tables:
        for part, begin in enumerate(range(0, max(1, len(table)), MOST_ROWS), start=1):
            end = min(len(table), begin + MOST_ROWS)
            sheet = book.add_worksheet(table.name if part == 1 else f"{table.name} {part}")
            _write_sheet(sheet, table, begin, end, heading, format_of)


class _Taken:
    """A file that takes everything, and remembers what went wrong.

    A zip file whose target fails complains once more when it is thrown away, where nobody can catch it.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._at = stream, 0
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        if self.error is None:
            try:
                self._stream.write(data)
            except OSError as error:
                self.error = error
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        if self.error is not None:
            self._at = offset
        else:
            try:
                self._at = self._stream.seek(offset, whence)
            except OSError as error:
                if isinstance(error, io.UnsupportedOperation):
                    raise
                self.error = error
                self._at = offset
        return self._at

    def flush(self) -> None:
        if self.error is None:
            try:
                self._stream.flush()
            except OSError as error:
                self.error = error


def _write_sheet(sheet: Any, table: Table, begin: int, end: int, heading: Any, format_of: Callable[[str], Any]) -> None:
    """Rows `begin` to `end` of a table, below their heading."""
    if not table.columns:
        return
    last = len(table.columns) - 1
    writers = [_writer(sheet, column, format_of) for column in table.columns]
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, end - begin), last)
    sheet.ignore_errors({"number_stored_as_text": f"A1:{_name(last)}{end - begin + 1}"})  # numbers of telephones
    for at, (column, values) in enumerate(zip(table.columns, table.data, strict=True)):
        sheet.set_column(at, at, _width(column, values[begin : min(end, begin + _LOOKED_AT)]))
        sheet.write_string(0, at, column.name, heading)
        sheet.write_comment(0, at, column.meaning + (f" ({column.unit})" if column.unit else ""))
    for row, cells in enumerate(zip(*(values[begin:end] for values in table.data), strict=True), start=1):
        for at, (write, value) in enumerate(zip(writers, cells, strict=True)):
            if value is not None:
                write(row, at, value)


def _writer(sheet: Any, column: Column, format_of: Callable[[str], Any]) -> _Write:
    """What writes the cells of a column."""
    if column.dtype == "text":
        return lambda row, at, value: sheet.write_string(row, at, str(value)[:MOST_TEXT])
    if column.dtype == "bool":
        return lambda row, at, value: sheet.write_boolean(row, at, value)
    if column.dtype == "time":
        shown = format_of(_TIME)

        def write_time(row: int, at: int, value: Any) -> None:
            """A date of the spreadsheet (UTC, to the millisecond); before 1900 it has none, and the time stays text."""
            when = moment(int(value)).replace(tzinfo=None)
            if when.year < 1900:
                sheet.write_string(row, at, iso(int(value)))
            else:
                sheet.write_datetime(row, at, when, shown)

        return write_time
    shown = format_of(_FORMATS.get(column.unit, "0" if column.dtype == "int" else "0.00"))
    return lambda row, at, value: sheet.write_number(row, at, value, shown)


def _width(column: Column, values: Sequence[Cell]) -> int:
    """Characters that a column needs for its heading and its first rows."""
    if column.dtype == "time":
        widest = len(_TIME)
    elif column.dtype == "float":
        widest = max((len(number(value, column.unit)) for value in values if isinstance(value, float)), default=0)
    else:
        widest = max((len(str(value)) for value in values if value is not None), default=0)
    return min(_WIDEST, max(len(column.name) + _ARROW, widest + 1))


def _name(at: int) -> str:
    """Letters of a column: A to Z, then AA."""
    return (_name(at // 26 - 1) if at >= 26 else "") + chr(65 + at % 26)
