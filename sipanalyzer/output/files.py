"""Files on disk: written beside and renamed, so that a file is whole or not there. Floor 8, standard library only.

In: a path. Out: an open file.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import IO

__all__ = ["check_target", "clear_away", "scratch_folder", "whole_file"]

_unfinished: set[pathlib.Path] = set()
"""Files that are being written, under the name that they have until they are whole; folders of such that libraries
need meanwhile."""
_LONGEST_BEGINNING = 60
"""Characters that the file beside has of the target's name: file systems take 255 bytes."""
_ONLY = "only --force (from Python force=True) overwrites it"


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> pathlib.Path:
    """Make sure that a file may be written there.

    Raises
    ------
    FileExistsError
        If it exists and `force` is not given, or it is a folder. A link to nowhere exists: whoever can write to the
        same folder could have laid it, and would choose what is written.
    FileNotFoundError
        If its folder does not exist.
    """
    target = pathlib.Path(os.path.realpath(path))  # through a link: the file it names is replaced, not the link
    if target.is_dir():
        raise FileExistsError(f"{target} is a folder")
    named = pathlib.Path(path)
    if not force and (target.is_file() or (named.is_symlink() and not named.exists())):
        raise FileExistsError(f"{target if target.is_file() else named} exists; {_ONLY}")
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
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:_LONGEST_BEGINNING]}.", suffix=".part")
    beside = pathlib.Path(name)
    _unfinished.add(beside)
    try:
        with os.fdopen(handle, "w+b") as stream:
            yield stream
        mode = os.umask(0)
        os.umask(mode)
        beside.chmod(0o666 & ~mode)  # mkstemp lets nobody else read it
        if force or not _named(beside, target):
            check_target(target, force=force)  # a file that appeared meanwhile is not overwritten either
            beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
        _unfinished.discard(beside)


def clear_away() -> None:
    """Take away what is half written: for whoever ends the process without unwinding it."""
    for each in list(_unfinished):
        with contextlib.suppress(OSError):
            shutil.rmtree(each) if each.is_dir() else each.unlink()


@contextlib.contextmanager
def scratch_folder() -> Iterator[str]:
    """A folder for files of the moment, which goes with all that is in it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sipanalyzer-"))
    _unfinished.add(folder)
    try:
        yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unfinished.discard(folder)


def _named(beside: pathlib.Path, target: pathlib.Path) -> bool:
    """Give the file its name unless something has it, in one step; False where the file system has no links."""
    try:
        target.hardlink_to(beside)
    except FileExistsError:
        raise FileExistsError(f"{target} exists; {_ONLY}") from None
    except OSError:
        return False
    return True
