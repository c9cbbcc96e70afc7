"""Files on disk: written beside and renamed, so that a file is whole or not there. Floor 8, standard library only.

In: a path. Out: an open file.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator
from typing import IO

__all__ = ["check_target", "whole_file"]


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
