"""Ctrl-C, and the signals that end a process: the result so far, or an end at once, and no half file. Floor 10.

In: signals. Out: while captures are read, a wish to stop (:class:`~sipanalyzer.capture.stopping.Stop`). At any other
time, and the second time, the process ends on the spot: what is half written is taken away, and nobody is waited for.
Only where a terminal must be given back as it was, an :class:`Interrupted` is raised. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from ..capture.stopping import Stop

__all__ = ["Interrupted", "ends_early", "listen", "orderly", "reading", "status_of"]

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_GIVES_RESULT = frozenset(each for each in _SIGNALS if each.name != "SIGHUP")
"""Who hangs up is no longer there to see a result."""
_SHOW_CURSOR = b"\x1b[?25h"
"""The progress bar hides it."""
_process: int | None = None
"""The process that listens; its forks end without a word."""
_stop: Stop | None = None
_orderly = False
_last = 0
"""The signal that came last."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the process to end."""


def listen() -> None:
    """Take Ctrl-C, SIGTERM and SIGHUP, each where nobody decided otherwise (``nohup``, a shell's background)."""
    global _process
    for each in _SIGNALS:
        if signal.getsignal(each) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(each, _handle)
            _process = os.getpid()


def status_of() -> int:
    """Exit status for the signal that came last: 128 and its number, 130 for Ctrl-C."""
    return 128 + (_last or signal.SIGINT)


def ends_early(status: int) -> bool:
    """Whether an exit status is that of a process that was told to end."""
    return status in {128 + each for each in _SIGNALS}


@contextlib.contextmanager
def reading(*, partly: bool) -> Iterator[Stop | None]:
    """Captures are read meanwhile.

    Parameters
    ----------
    partly : bool
        Whether a result of what was read so far is of use; otherwise a signal ends the process at once.

    Yields
    ------
    Stop or None
        What a signal asks to stop; None where signals are left to others.
    """
    global _stop
    if _process is None or not partly:
        yield None
        return
    from ..capture.stopping import Stop

    _stop = Stop()
    try:
        yield _stop
    finally:
        _stop = None


@contextlib.contextmanager
def orderly() -> Iterator[None]:
    """A signal raises :class:`Interrupted` meanwhile; the second ends the process at once here too."""
    global _orderly
    _orderly = True
    try:
        yield
    finally:
        _orderly = False


def _handle(number: int, _frame: FrameType | None) -> None:
    global _last, _orderly
    asked_before, _last = _last, number
    if os.getpid() != _process:
        os._exit(status_of())
    if _stop is not None and _stop.began and not asked_before and number in _GIVES_RESULT:
        _stop.ask()
        if sys.stderr is not None and sys.stderr.isatty():
            _write("sipanalyzer: reading no further; once more ends at once\n")
    elif _orderly:
        _orderly = False
        raise Interrupted
    else:
        _end()


def _end() -> NoReturn:
    """End without waiting for anybody: a thread may hang in a file, or be compiling."""
    files = sys.modules.get("sipanalyzer.output.files")
    if files is not None:
        files.clear_away()
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None and sys.stderr.isatty():
            os.write(2, _SHOW_CURSOR)
    _write("sipanalyzer: interrupted\n")
    os._exit(status_of())


def _write(text: str) -> None:
    """Write to standard error past Python's own buffers, which may be in use just now."""
    with contextlib.suppress(OSError):
        os.write(2, text.encode())
