"""Files on disk: written beside and renamed, so a file is whole or not there; a folder of all tables. Floor 8.

In: a result, a folder. Out: files.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

from ..result import Result
from .formats import json_text, require_library, write_table
from .summary import summarize
from .tables import FILLED, table

__all__ = ["EXPORT_FORMATS", "check_target", "export_tables", "planned_files", "whole_file"]

EXPORT_FORMATS = ("csv", "parquet", "json", "xlsx")


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> pathlib.Path:
    """Make sure that a file may be written there.

    Raises
    ------
    FileExistsError
        If it exists and `force` is not given, or it is a folder.
    FileNotFoundError
        If its folder does not exist.
    """
    target = pathlib.Path(os.path.realpath(path))  # through a link: the file it names is replaced, not the link
    if target.is_dir():
        raise FileExistsError(f"{target} is a folder")
    if target.is_file() and not force:
        raise FileExistsError(f"{target} exists; only --force (from Python force=True) overwrites it")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent}")
    return target


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str], *, force: bool = False) -> Iterator[IO[bytes]]:
    """Open a file to write that takes its name only when all of it is written.

    A target that is no regular file (``/dev/stdout``, a named pipe) is written to directly.

    Raises
    ------
    OSError
        If it cannot be written; FileExistsError if it exists and `force` is not given.
    """
    target = check_target(path, force=force)
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:
            yield stream
        return
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    beside = pathlib.Path(name)
    try:
        with os.fdopen(handle, "w+b") as stream:
            yield stream
        mode = os.umask(0)
        os.umask(mode)
        beside.chmod(0o666 & ~mode)  # mkstemp lets nobody else read it
        check_target(target, force=force)  # a file that appeared meanwhile is not overwritten either
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def planned_files(folder: str | os.PathLike[str], format: str, tables: Sequence[str] = FILLED) -> list[pathlib.Path]:
    """What :func:`export_tables` writes: a file a table, and ``summary.json``."""
    return [pathlib.Path(folder) / f"{name}.{format}" for name in tables] + [pathlib.Path(folder) / "summary.json"]


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
    with whole_file(paths[-1], force=force) as stream:
        stream.write(json_text(summarize(result), indent=2).encode("utf-8", "replace") + b"\n")
    return paths
