"""A folder of all tables, and of the summary; as XLSX all tables in one workbook too. Floor 8.

In: a result, a folder. Out: files.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence

from ..result import Result
from .files import check_target, whole_file
from .formats import json_text, require_library, write_table
from .summary import summarize
from .tables import FILLED, table

__all__ = ["EXPORT_FORMATS", "check_target", "export_tables", "planned_files", "whole_file"]

EXPORT_FORMATS = ("csv", "parquet", "json", "xlsx")
WORKBOOK = "tables.xlsx"
"""All tables in one file, a sheet each."""


def planned_files(folder: str | os.PathLike[str], format: str, tables: Sequence[str] = FILLED) -> list[pathlib.Path]:
    """What :func:`export_tables` writes: a file a table, as XLSX a workbook of all of them, and ``summary.json``."""
    names = [f"{name}.{format}" for name in tables] + [WORKBOOK] * (format == "xlsx") + ["summary.json"]
    return [pathlib.Path(folder) / name for name in names]


def export_tables(
    result: Result,
    folder: str | os.PathLike[str],
    format: str = "csv",
    *,
    tables: Sequence[str] = FILLED,
    force: bool = False,
) -> list[pathlib.Path]:
    """Write every table that holds something today, and the summary, into a folder, which is made.

    Parameters
    ----------
    result : Result
        What to write.
    folder : path
        Where to.
    format : str
        One of :data:`EXPORT_FORMATS`.
    tables : sequence of str
        Which tables.
    force : bool
        Overwrite files that exist.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    ValueError
        If there is no such format or table, or its library is missing.
    OSError
        If a file cannot be written, or (FileExistsError) exists; then none has been written.
    """
    if isinstance(tables, str):
        tables = (tables,)
    if format not in EXPORT_FORMATS:
        raise ValueError(f"there is no export format {format!r}; there are {', '.join(EXPORT_FORMATS)}")
    require_library(format)
    made = [table(result, name) for name in tables]
    paths = planned_files(folder, format, tables)
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    for path in paths:
        check_target(path, force=force)
    for path, rows in zip(paths, made, strict=False):
        with whole_file(path, force=force) as stream:
            write_table(rows, format, stream)
    if format == "xlsx":
        from .workbook import write_workbook

        with whole_file(paths[-2], force=force) as stream:
            write_workbook(made, stream)
    with whole_file(paths[-1], force=force) as stream:
        stream.write(json_text(summarize(result), indent=2).encode("utf-8", "replace") + b"\n")
    return paths
