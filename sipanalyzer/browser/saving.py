"""What the browser saves to files: flow charts, packets, messages, lists, pages. Floor 9, no Textual.

In: what is to be saved and where to. Out: a file that is whole or not there.
"""

from __future__ import annotations

import datetime
import os
import pathlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..analysis import Analysis
from ..output.files import whole_file
from ..output.flow.picture import FORMATS as FLOW_FORMATS
from ..output.flow.picture import Flow
from ..output.formats import SUFFIXES, write_table
from ..output.markup import plain_text
from ..output.secrets import without_secrets
from ..output.tables import Table
from ..output.terminal import Line
from ..result import Call
from .charting import chart_of

__all__ = ["Saved", "calls_to_save", "file_name", "lines_to_save", "messages_to_save", "table_to_save"]


@dataclass(frozen=True, slots=True)
class Saved:
    """One thing that can be saved."""

    title: str
    ends: tuple[str, ...]
    """Ends of names, each a format; the first is proposed."""
    save: Callable[[pathlib.Path, bool], None]
    """Writes to a path; the second argument: overwrite."""


def file_name(text: str, end: str) -> str:
    """A harmless name for a file, from a Call-ID or a title."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._-")[:48] or "call"
    return f"{name}.{end}"


def calls_to_save(analysis: Analysis, calls: Sequence[Call], tz: datetime.tzinfo) -> list[Saved]:
    """Flow chart, packets and messages of some calls."""
    result = analysis.result

    def flow(path: pathlib.Path, force: bool) -> None:
        Flow(result, chart_of(result, calls), tz).save(path, force=force)

    def packets(path: pathlib.Path, force: bool) -> None:
        from ..output.extract import extract_calls

        extract_calls(result, analysis.sources(), [each.call_id for each in calls], path, force=force)

    rows = sorted(row for each in calls for row in each.rows)
    return [
        Saved("flow chart", FLOW_FORMATS, flow),
        Saved("packets for Wireshark", ("pcapng",), packets),
        messages_to_save(analysis, rows),
    ]


def messages_to_save(analysis: Analysis, rows: Sequence[int]) -> Saved:
    """The bytes of messages as they were on the wire, one after the other."""

    def save(path: pathlib.Path, force: bool) -> None:
        with whole_file(path, force=force) as stream:
            for at, row in enumerate(rows):
                raw = analysis.result.messages.raw(row)
                if not analysis.result.options.show_secrets:
                    raw = without_secrets(raw)
                stream.write((b"\r\n" if at else b"") + raw + (b"" if raw.endswith(b"\n") else b"\r\n"))

    return Saved("messages as they were on the wire", ("txt",), save)


def table_to_save(table: Table) -> Saved:
    """A list, with all columns of its table."""

    def save(path: pathlib.Path, force: bool) -> None:
        format = SUFFIXES.get(path.suffix.lower())
        if format is None or format == "table":
            raise ValueError(f"a list is saved to a file that ends in {', '.join(_TABLE_ENDS)}, not to {path.name}")
        with whole_file(path, force=force) as stream:
            write_table(table, format, stream)

    return Saved("this list", tuple(end.removeprefix(".") for end in _TABLE_ENDS), save)


_TABLE_ENDS = (".csv", ".json", ".jsonl", ".md", ".xlsx", ".parquet")


def lines_to_save(title: str, lines: Sequence[Line]) -> Saved:
    """A page, as plain text."""

    def save(path: pathlib.Path, force: bool) -> None:
        with whole_file(path, force=force) as stream:
            stream.write((plain_text(lines) + os.linesep).encode("utf-8", "replace"))

    return Saved(title, ("txt",), save)
