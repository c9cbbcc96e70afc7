"""Where captures come from: paths, folders, globs, URLs, standard input, file objects; compressed or not. Floor 2.

Comes in: what a person named. Goes out: a list of :class:`Input`, and from each a :class:`Source` of decompressed
bytes. Nothing is opened before it is asked for, so that a folder of a thousand files costs one open file at a time.
"""

from __future__ import annotations

import glob
import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sipanalyzer.capture.compression import Inflater, recognise
from sipanalyzer.capture.stopping import Stop
from sipanalyzer.capture.stored import READING, Stored, place, words
from sipanalyzer.errors import CaptureError
from sipanalyzer.options import Options

__all__ = ["Input", "Source", "expand"]

Opener = Callable[[], tuple[Any, bool]]
"""Gives a file object and whether it is ours to close."""


_DEFAULTS = Options()
_CLAIM = re.compile(r"\.(pcap|pcapng|cap|dmp)\d*(\.(gz|zst|lz4|xz|bz2))?$", re.ASCII | re.IGNORECASE)
"""Names that say a file is a capture; tcpdump numbers rotated ones behind the suffix."""


class Source:
    """Bytes of one capture, decompressed.

    Parameters
    ----------
    name : str
        As the user gave it.
    file : file object
        Opened in binary mode, at the capture's beginning.
    ours : bool
        Whether :meth:`close` closes it.
    size : int or None
        Bytes of the file as it is stored, where known.
    errors : tuple of exceptions
        What `file` may raise while it is read; it becomes damage.
    stop : Stop, optional
        Once it is asked, the bytes end.

    Raises
    ------
    CaptureError
        If not even its first bytes can be read.
    """

    beyond_limit = 0
    """Payloads that were left out of a redacted capture since it holds too many of them."""

    def __init__(
        self,
        name: str,
        file: Any,
        ours: bool = True,
        size: int | None = None,
        errors: tuple[type[Exception], ...] = READING,
        stop: Stop | None = None,
    ) -> None:
        self.name = name
        self.size = size
        self._raw = Stored(name, file, ours, errors, size, stop)
        self.compression = recognise(self._raw.peek(10))
        """Usual suffix (``gz``, ``zst``, ``lz4``, ``xz``, ``bz2``); empty where it is not compressed."""
        self._inflater = Inflater(self._raw, self.compression) if self.compression else None

    @property
    def consumed(self) -> int:
        """Bytes of the file as it is stored that were read so far."""
        return self._raw.consumed

    @property
    def damage(self) -> str | None:
        """What went wrong below the capture's own format; None as long as nothing did."""
        return self._raw.damage or (self._inflater.damage if self._inflater else None)

    @property
    def interrupted(self) -> bool:
        """Whether the bytes ended because they were not wanted any more; `damage` says where."""
        return self._raw.interrupted

    @property
    def asking(self) -> bool:
        """Whether some thread waits for the file just now."""
        return self._raw.asking

    def interrupt(self) -> None:
        """Say that the rest is not wanted any more."""
        self._raw.interrupt()

    @property
    def beyond_belief(self) -> bool:
        """Whether it was left since it inflated beyond what :meth:`limit` said."""
        return self._inflater is not None and self._inflater.beyond_belief

    def limit(self, most_bytes: int, most_ratio: int) -> None:
        """Say how far it may inflate: to `most_bytes` always, beyond them `most_ratio` times what is stored."""
        if self._inflater is not None:
            self._inflater.limit(most_bytes, most_ratio)

    def readinto(self, view: memoryview) -> int:
        """Read into the beginning of `view`; returns the number of bytes, 0 only at the end."""
        return self._raw.readinto(view) if self._inflater is None else self._inflater.readinto(view)

    @property
    def descriptor(self) -> int:
        """Of the file, where its bytes may be read from the system as they are; else -1."""
        return self._raw.descriptor if self._inflater is None else -1

    def was_read(self, size: int) -> None:
        """Take note that `size` bytes were read from `descriptor`."""
        self._raw.was_read(size)

    def read(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end."""
        buffer = bytearray(size)
        have = 0
        while have < size:
            count = self.readinto(memoryview(buffer)[have:])
            if count == 0:
                break
            have += count
        return bytes(buffer[:have])

    def close(self) -> None:
        """Close the file, if it is ours."""
        self._raw.close()


@dataclass(frozen=True, slots=True)
class Input:
    """One capture that can be opened."""

    name: str
    """As the user gave it, or as it stands in the folder; ``-`` for standard input."""
    opener: Opener
    size: int | None = None
    """Bytes of the file as it is stored, where known without opening it."""
    reopenable: bool = False
    """Whether it can be opened more than once."""
    errors: tuple[type[Exception], ...] = READING
    """What may be raised while it is read."""
    folder: str | None = None
    """The folder it was found in; None where it was named itself."""
    stop: Stop | None = None
    """Once it is asked, nothing more is read."""
    limits: tuple[int, int] = (_DEFAULTS.max_inflated_bytes, _DEFAULTS.max_inflated_ratio)
    """How far it may inflate: see :meth:`Source.limit`."""

    @property
    def passable(self) -> bool:
        """Whether nobody is surprised when it is no capture: found in a folder, under a name that claims nothing."""
        return self.folder is not None and _CLAIM.search(self.name) is None

    def open_(self) -> Source:
        """Open it.

        Raises
        ------
        CaptureError
            If the system refuses, with its words.
        """
        try:
            file, ours = self.opener()
        except OSError as error:
            raise CaptureError(self.name, words(error)) from error
        size = self.size
        if size is None:
            size = _size(file)
        try:
            source = Source(self.name, file, ours, size, self.errors, self.stop)
            source.limit(*self.limits)
            return source
        except BaseException:
            if ours:
                file.close()
            raise


def _size(file: Any) -> int | None:
    """Size of a file object where that is known for certain."""
    if isinstance(file, io.BytesIO):
        return file.getbuffer().nbytes - file.tell()
    if isinstance(file, (io.FileIO, io.BufferedReader)):
        try:
            status = os.fstat(file.fileno())
        except (OSError, ValueError):
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None
    size = getattr(file, "size", None)
    return size if isinstance(size, int) else None


def expand(captures: Any, options: Options | None = None) -> list[Input]:
    """Everything that `captures` names, as inputs in the order given; folders and globs by name.

    Parameters
    ----------
    captures : path, str, file object, or sequence of these
        A string is a file, a folder (its files, not those of folders in it), a URL (``scheme://``), ``-`` (standard
        input), or a glob where no file of that very name exists.
    options : Options, optional
        `max_inflated_bytes`, `max_inflated_ratio`; the defaults otherwise.

    Raises
    ------
    ValueError
        If there is nothing in it, or something that is none of these.

    Notes
    -----
    What does not exist is an input as well: it is refused with a :class:`CaptureError` when it is opened, so that the
    others can still be read.
    """
    if options is not None:
        limits = (options.max_inflated_bytes, options.max_inflated_ratio)
        return [replace(one, limits=limits) for one in expand(captures)]
    if isinstance(captures, (str, os.PathLike)) or hasattr(captures, "read") or hasattr(captures, "readinto"):
        return _expand_one(captures)
    if isinstance(captures, bytes) or not isinstance(captures, Iterable):
        raise ValueError(f"not a capture: {captures!r} (a path, URL, glob, file object, or a list of them)")
    inputs = [one for capture in captures for one in _expand_one(capture)]
    if not inputs:
        raise ValueError("no capture given")
    return inputs


def _from_here(file: Any) -> Callable[[], tuple[Any, bool]]:
    """Gives the file object where it stands now, each time: a capture may be read more than once."""
    here = place(file)

    def open_() -> tuple[Any, bool]:
        if here is not None:
            file.seek(here)
        return file, False

    return open_


def _expand_one(capture: Any) -> list[Input]:
    if hasattr(capture, "read") or hasattr(capture, "readinto"):
        if isinstance(capture, io.TextIOBase):
            raise ValueError("a capture's file object must be opened in binary mode")
        name = getattr(capture, "name", None)
        return [Input(name if isinstance(name, str) else "<file object>", _from_here(capture), _size(capture))]
    if not isinstance(capture, (str, os.PathLike)):
        raise ValueError(f"not a capture: {capture!r} (a path, URL, glob, file object, or a list of them)")
    name = os.fsdecode(capture)
    if isinstance(capture, str):
        if name == "-":
            return [Input("-", _standard_input)]
        if "://" in name:
            return _expand_url(name)
    return _expand_path(name)


def _standard_input() -> tuple[Any, bool]:
    if sys.stdin is None:
        raise CaptureError("-", "standard input is closed")
    return sys.stdin.buffer, False


def _expand_path(name: str) -> list[Input]:
    if not name:  # to the system it is the working directory; to a person, a variable that was not set
        return [_refused("''", "an empty name")]
    try:
        status = Path(name).stat()
    except OSError as error:
        matches = sorted(glob.glob(name, recursive=True)) if glob.has_magic(name) else []  # noqa: PTH207 (Path.glob wants a relative pattern)
        if matches:
            return [one for match in matches if not Path(match).is_dir() for one in _expand_path(match)] or [
                _refused(name, "no file matches")
            ]
        return [_refused(name, "no file matches" if glob.has_magic(name) else words(error))]
    except ValueError as error:  # a NUL in the name
        return [_refused(name, str(error))]
    if not stat.S_ISDIR(status.st_mode):
        regular = stat.S_ISREG(status.st_mode)
        return [
            Input(
                name, lambda: (Path(name).open("rb", buffering=0), True), status.st_size if regular else None, regular
            )
        ]
    try:
        files = sorted(str(entry) for entry in Path(name).iterdir() if entry.is_file())
    except OSError as error:
        return [_refused(name, words(error))]
    found = [replace(one, folder=name) for file in files for one in _expand_path(file)]
    return found or [_refused(name, "a folder without files (folders in it are not looked into)")]


def _expand_url(url: str) -> list[Input]:
    """A URL, through fsspec; a ``*`` in it makes it a glob (other glob characters have their meaning in URLs)."""

    def open_url(address: str) -> Opener:
        systems = []  # a chained one (zip://...::https://...) closes its file when it is thrown away

        def opener() -> tuple[Any, bool]:
            import fsspec

            try:
                system, path = fsspec.core.url_to_fs(address)
                systems.append(system)
                return system.open(path, "rb"), True
            except OSError:
                raise
            except (
                Exception
            ) as error:  # each file system behind fsspec has its own exceptions; none of them is a bug here
                raise CaptureError(address, f"cannot be opened: {error or type(error).__name__}") from error

        return opener

    if "*" not in url:
        return [Input(url, open_url(url), None, True, (Exception,))]
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(url)
        matches = sorted(system.unstrip_protocol(match) for match in system.glob(path))
    except Exception as error:  # as above
        return [_refused(url, f"cannot be listed: {error or type(error).__name__}")]
    return [Input(match, open_url(match), None, True, (Exception,)) for match in matches] or [
        _refused(url, "no file matches")
    ]


def _refused(name: str, reason: str) -> Input:
    """An input that says `reason` when it is opened."""

    def opener() -> tuple[Any, bool]:
        raise CaptureError(name, reason)

    return Input(name, opener, None, True)
