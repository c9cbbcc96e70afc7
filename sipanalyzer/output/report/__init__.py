"""The report: one file to hand on, HTML or Markdown. Floor 8.

Way of the data: result -> :func:`.making.make_report` -> :class:`.data.Report` (plain data) -> :mod:`.page` or
:mod:`.markdown`. What a report says is decided in the data; a renderer only writes it.
"""

from __future__ import annotations

import datetime
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

from ...result import Result
from ..files import whole_file

__all__ = ["FORMATS", "report_bytes", "report_format", "write_report"]

FORMATS = ("html", "md")
"""What a report can be written as."""
_ENDS = {".html": "html", ".htm": "html", ".md": "md", ".markdown": "md"}


def report_format(path: str | os.PathLike[str], format: str | None = None) -> str:
    """What a report in that file is written as: `format` where it is given, else by the end of the file's name.

    Raises
    ------
    ValueError
        If there is no such format, or the name's end is none of ``.html``, ``.htm``, ``.md``, ``.markdown`` and nothing
        else says how.
    """
    if format is not None:
        if format not in FORMATS:
            raise ValueError(f"a report cannot be written as {format!r}; there are {', '.join(FORMATS)}")
        return format
    target = pathlib.Path(path)
    if target.suffix.lower() in _ENDS:
        return _ENDS[target.suffix.lower()]
    if not target.suffix or (target.exists() and not target.is_file()):  # /dev/stdout
        return "html"
    raise ValueError(f"a report is written to a file that ends in .html or .md, not to {path}; or name the format")


def report_bytes(
    result: Result,
    sources: Sequence[Any] | None,
    format: str,
    *,
    title: str | None = None,
    tz: datetime.tzinfo = datetime.UTC,
    processes: int = 1,
) -> Iterable[bytes]:
    """A report, piece by piece.

    Parameters
    ----------
    result : Result
        Of an analysis.
    sources : sequence or None
        What it was read from; None where that cannot be read once more.
    format : str
        One of :data:`FORMATS`.
    title : str, optional
        What stands above it.
    tz : datetime.tzinfo
        Zone in which times are shown.
    processes : int
        How many share the work on many calls; the report is the same (:mod:`.sharing`).
    """
    from .making import make_report

    report = make_report(result, sources, title=title, tz=tz)
    if format == "md":
        from .markdown import render_markdown

        return [render_markdown(result, report, tz).encode("utf-8", "replace")]
    from .page import render_html

    return render_html(report, processes)


def write_report(
    result: Result,
    sources: Sequence[Any] | None,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    title: str | None = None,
    tz: datetime.tzinfo = datetime.UTC,
    force: bool = False,
) -> pathlib.Path:
    """Write a report.

    Parameters
    ----------
    result : Result
        Of an analysis.
    sources : sequence or None
        What it was read from; None where that cannot be read once more.
    path : path
        Where to.
    format : str, optional
        ``html`` or ``md``; by the end of the file's name otherwise.
    title : str, optional
        What stands above it; the names of the captures otherwise.
    tz : datetime.tzinfo
        Zone in which times are shown.
    force : bool
        Overwrite a file that exists.

    Raises
    ------
    ValueError
        If there is no such format.
    OSError
        If the file exists (FileExistsError) or cannot be written.
    """
    written = report_format(path, format)
    with whole_file(path, force=force) as stream:
        for piece in report_bytes(result, sources, written, title=title, tz=tz):
            stream.write(piece)
    return pathlib.Path(path)
