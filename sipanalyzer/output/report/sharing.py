"""Work of a report shared among processes. Floor 8, standard library only.

In: a function that makes piece k, and how many pieces there are. Out: the pieces in order, the same bytes whoever made
them. A process that shares the work is a fork: it has the result already, so that nothing is copied or pickled but the
finished pieces, and starting it costs milliseconds. It is made only where that is safe (:func:`usable_processes`);
where it fails or is killed, what it owed is made here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

__all__ = ["make_in_order", "usable_processes"]

_MOST = 4
"""Processes: each has pages of memory of its own in the end, for Python counts references in all that it looks at."""
_PIPE_BYTES = 1 << 20
"""Room in a pipe, so that a process need not wait for each piece to be asked for."""
_HEAD = 8


def usable_processes() -> int:
    """How many processes may share work here: 1 where a fork is not safe, or there is one processor only.

    A fork has no threads but the one that made it: what another thread holds stays locked for good. So none is made
    where threads run, or beside a notebook's kernel; and only on Linux, since libraries of macOS do not stand it.
    """
    if not sys.platform.startswith("linux") or threading.active_count() > 1 or "ipykernel" in sys.modules:
        return 1
    return min(_MOST, len(os.sched_getaffinity(0)))


def make_in_order(count: int, make: Callable[[int], bytes], processes: int = 1) -> Iterator[bytes]:
    """Pieces 0 to `count` - 1.

    Parameters
    ----------
    count : int
        How many.
    make : callable
        Makes piece k.
    processes : int
        How many share the work; process p of n makes the pieces p, p + n, and so on. This one is 0.
    """
    helpers: list[_Helper | None] = []
    try:
        with contextlib.suppress(OSError):  # no more processes are allowed: their pieces are made here
            for which in range(1, min(processes, count)):
                helpers.append(_Helper(make, range(which, count, processes)))
        for k in range(count):
            which = k % processes
            piece = None
            if 0 < which <= len(helpers):
                helper = helpers[which - 1]
                piece = None if helper is None else helper.next()
                if helper is not None and piece is None:  # it is gone
                    helper.close()
                    helpers[which - 1] = None
            yield make(k) if piece is None else piece
    finally:
        for helper in helpers:
            if helper is not None:
                helper.close()


class _Helper:
    """A fork that makes some of the pieces."""

    def __init__(self, make: Callable[[int], bytes], pieces: range) -> None:
        reading, writing = os.pipe()
        with contextlib.suppress(ImportError, AttributeError, OSError):
            import fcntl

            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            self._process = os.fork()
        except OSError:  # no more processes are allowed
            os.close(writing)
            os.close(reading)
            raise
        if self._process == 0:
            status = 1
            try:
                os.close(reading)
                with os.fdopen(writing, "wb") as pipe:
                    for k in pieces:
                        piece = make(k)
                        pipe.write(len(piece).to_bytes(_HEAD, "big") + piece)
                        pipe.flush()
                status = 0
            finally:
                os._exit(status)  # nothing of the parent's is cleaned up or written here
        os.close(writing)
        self._pipe: BinaryIO = os.fdopen(reading, "rb")

    def next(self) -> bytes | None:
        """The next piece; None where there is none any more."""
        head = self._pipe.read(_HEAD)
        if len(head) < _HEAD:
            return None
        size = int.from_bytes(head, "big")
        piece = self._pipe.read(size)
        return piece if len(piece) == size else None

    def close(self) -> None:
        """End it."""
        self._pipe.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._process, 0)
