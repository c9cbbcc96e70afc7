"""Results are written: to standard output or a file, in the format that was asked for. Floor 10.

In: a table or lines. Out: bytes on standard output or a file that is whole or not there.
"""

from __future__ import annotations

import io
import os
import pathlib
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import click

from .messages import CannotWrite, say
from .reading import usage_errors

if TYPE_CHECKING:
    import datetime

    from ..output.tables import Table
    from ..output.terminal import Line

__all__ = ["Target", "check_output", "make_target", "opened", "page_width", "write_json", "write_page", "write_rows"]


_NARROWEST, _WIDEST = 40, 1000
"""Columns of a page, whatever COLUMNS says: lines are filled up with spaces."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the result goes and how it is written."""

    format: str
    output: str | None
    force: bool

    @property
    def on_terminal(self) -> bool:
        """Whether somebody looks at it as it comes."""
        return self.output is None and sys.stdout.isatty()


def make_target(
    format: str | None, output: str | None, force: bool, *, people: str = "table", pipe: str = "csv"
) -> Target:
    """Check where the result is to go.

    Parameters
    ----------
    format, output, force
        What was typed.
    people, pipe : str
        Format on a terminal; format in a pipe or a file whose name does not tell.

    Raises
    ------
    click.UsageError
        If the file exists, its folder does not, a library is missing, or bytes would go to a terminal.
    """
    from ..output.formats import BINARY, SUFFIXES, require_library

    if output == "-":
        output = None
    if output == "":
        raise click.UsageError("no file is named to write to", click.get_current_context(silent=True))
    if format is None and output is not None and pipe == "csv":
        format = SUFFIXES.get(pathlib.Path(output).suffix.lower())
    if format is None:
        format = people if output is None and sys.stdout.isatty() else pipe
    with usage_errors():
        require_library(format)
        if format in BINARY and output is None and sys.stdout.isatty():
            raise ValueError(f"{format} is not for terminals; use -o FILE")
    if output is not None:
        check_output(output, force)
    return Target(format, output, force)


def check_output(path: str, force: bool) -> None:
    """Make sure, before a capture is read, that a file may be written there.

    Raises
    ------
    click.UsageError
        If it exists and `force` is not given, or its folder does not exist.
    """
    from ..output.files import check_target

    with usage_errors():
        if not path:
            raise ValueError("no file is named to write to")
        try:
            check_target(path, force=force)
        except OSError as error:
            raise ValueError(str(error)) from None


@contextmanager
def opened(output: str | None, force: bool) -> Iterator[IO[bytes]]:
    """A file that is whole or not there, or standard output (None), to write bytes to.

    Raises
    ------
    CannotWrite
        If it cannot be written.
    """
    from ..output.files import whole_file

    try:
        if output is None:
            sys.stdout.flush()
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        else:
            with whole_file(output, force=force) as stream:
                yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWrite(output or "standard output", error) from None


def page_width() -> int | None:
    """Columns of the terminal; None where the output is no terminal and nothing says how wide it should be."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST)
    return None


def write_rows(rows: Table, target: Target, tz: datetime.tzinfo, *, chosen: bool) -> None:
    """Write a table; `chosen`: the user named its columns."""
    from ..output.formats import BINARY, write_table

    if target.format == "table":
        _write_for_people(rows, target, tz, chosen=chosen)
        return
    with opened(target.output, target.force) as stream, usage_errors():
        if target.format in BINARY and target.output is None:  # a pipe cannot be written back and forth
            whole = io.BytesIO()
            write_table(rows, target.format, whole)
            stream.write(whole.getvalue())
        else:
            write_table(rows, target.format, stream, to_terminal=target.on_terminal)


def _write_for_people(rows: Table, target: Target, tz: datetime.tzinfo, *, chosen: bool) -> None:
    from ..output.terminal import draw_table, lay_out

    width = page_width() if target.output is None else None
    layout = lay_out(rows, width, tz, chosen=chosen)
    write_page(draw_table(rows, layout), target)
    if target.on_terminal and sys.stderr.isatty():
        sys.stdout.flush()
        notes = [f"{len(rows):,} row{'' if len(rows) == 1 else 's'}"]
        if len(rows) and any(column.dtype == "time" for column in layout.columns):
            notes.append(f"times in {'UTC' if str(tz) == 'UTC' else tz}")
        if len(rows) and layout.left_out:
            more = len(layout.left_out)
            notes.append(f"no room for {layout.left_out[0]}" + (f" and {more - 1} more columns" if more > 1 else ""))
        say("; ".join(notes))


def write_page(lines: Iterable[Line], target: Target) -> None:
    """Write styled lines, in colour on a terminal."""
    from ..output.terminal import write_lines

    if target.output is None:
        try:
            write_lines(lines, sys.stdout, colour=sys.stdout.isatty())
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CannotWrite("standard output", error) from None
        return
    with opened(target.output, target.force) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace")
        write_lines(lines, text, colour=False)
        text.flush()
        text.detach()


def write_json(data: Any, target: Target) -> None:
    """Write data as JSON."""
    from ..output.formats import json_text

    with opened(target.output, target.force) as stream:
        stream.write(json_text(data, indent=2).encode("utf-8", "replace") + b"\n")
