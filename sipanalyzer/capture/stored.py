"""Bytes of a capture as they are stored, before anything is decompressed. Floor 2.

Comes in: a file object of whatever kind. Goes out: its bytes, in reads of any length, looked at ahead or once more, and
one line of damage where the system fails to read on or nobody wants the rest.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any

from sipanalyzer.capture.stopping import INTERRUPTED, Stop
from sipanalyzer.errors import CaptureError

__all__ = ["READING", "Stored", "place", "words"]

READING: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error)
"""What file objects raise while they are read (the last two: those of :mod:`gzip`)."""


def words(error: Exception) -> str:
    """What the system says, as a clause."""
    if isinstance(error, FileNotFoundError) and not error.strerror:  # fsspec's own: the path alone
        return "No such file or directory"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def place(file: Any) -> int | None:
    """Where a file object stands, so that it can be set there again; None where it cannot."""
    try:
        return int(file.tell()) if file.seekable() else None
    except (AttributeError, OSError, ValueError):
        return None


class Stored:
    """A file object read as it is: short reads, pushed-back beginnings and the system's errors are dealt with here.

    Parameters
    ----------
    name : str
        As the user gave it.
    file : file object
        Opened in binary mode, at the capture's beginning.
    ours : bool
        Whether :meth:`close` closes it.
    errors : tuple of exceptions
        What `file` may raise while it is read; it becomes damage.
    size : int or None
        Bytes of the file, where known.
    stop : Stop or None
        Once it is asked, the bytes end.
    """

    def __init__(
        self, name: str, file: Any, ours: bool, errors: tuple[type[Exception], ...], size: int | None, stop: Stop | None
    ) -> None:
        self._given = file  # else its buffer would go, and close it
        if stop is not None and isinstance(file, io.BufferedReader):
            file = file.raw  # what stands in its buffer is not seen by those who wait for the system's file
        self._name, self._file, self._ours, self._errors = name, file, ours, errors
        self._size, self._stop = size, stop
        self._ahead = b""
        self._into: Callable[[memoryview], int | None] | None = getattr(file, "readinto", None)
        self.consumed = 0
        self._begin = place(file)
        self.damage: str | None = None
        self.interrupted = self.asking = False

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, or fewer where there are no more; they stay to be read."""
        while len(self._ahead) < size:
            data = self._ask(size - len(self._ahead))
            if not data:
                break
            self._ahead += data
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end and after damage."""
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        return self._ask(size)

    def again(self, offset: int, size: int) -> bytes:
        """At most `size` bytes that were read before; none where that cannot be. Nothing is read on after this."""
        if self._begin is None or offset >= self.consumed or (self._stop is not None and self._stop.asked):
            return b""
        try:
            self._file.seek(self._begin + offset)
            return bytes(self._file.read(min(size, self.consumed - offset)) or b"")
        except self._errors:
            return b""

    def readinto(self, view: memoryview) -> int:
        """Read into the beginning of `view`; returns the number of bytes, 0 at the end and after damage."""
        if self._ahead or self._into is None:
            data = self.read(len(view))
            view[: len(data)] = data
            return len(data)
        if self.damage is not None or self._stopped():
            return 0
        self.asking = True
        try:
            count = self._into(view)
        except self._errors as error:
            return len(self._failed(error))
        finally:
            self.asking = False
        if count is None:
            raise CaptureError(self._name, "cannot be read: it is in non-blocking mode")
        self.consumed += count
        self._tell()
        return count

    @property
    def descriptor(self) -> int:
        """Of a regular file that is read without a buffer, as long as the rest is wanted; else -1."""
        if type(self._file) is not io.FileIO or self._size is None or self._ahead or self.damage is not None:
            return -1
        return -1 if self._stop is not None and self._stop.asked else self._file.fileno()

    def was_read(self, size: int) -> None:
        """Take note that `size` bytes were read from `descriptor`."""
        self.consumed += size

    def _ask(self, size: int) -> bytes:
        if self.damage is not None or self._stopped():
            return b""
        self.asking = True
        try:
            data = self._file.read(size)
        except self._errors as error:
            return self._failed(error)
        finally:
            self.asking = False
        if data is None:
            raise CaptureError(self._name, "cannot be read: it is in non-blocking mode")
        if isinstance(data, str):
            raise ValueError("a capture's file object must be opened in binary mode")
        self.consumed += len(data)
        self._tell()
        return bytes(data)

    def _tell(self) -> None:
        if self._stop is not None:
            self._stop.began = True

    def _stopped(self) -> bool:
        """Whether the rest is not wanted any more: it is as if the file ended here."""
        if self._stop is None:
            return False
        if self._size is None:
            if self._stop.go_on(self._file):
                return False
        elif not self._stop.asked or self.consumed >= self._size:
            return False
        self.interrupt()
        return True

    def interrupt(self) -> None:
        """Say that the rest was not wanted any more."""
        if self.damage is None:
            of = f" of {self._size}" if self._size is not None else ""
            self.damage, self.interrupted = f"{INTERRUPTED} after {self.consumed}{of} bytes", True

    def _failed(self, error: Exception) -> bytes:
        if self.consumed == 0:
            raise CaptureError(self._name, words(error)) from error
        self.damage = f"reading failed after {self.consumed} bytes: {words(error)}"
        return b""

    def close(self) -> None:
        """Close the file, if it is ours."""
        if self._ours:
            self._file.close()
