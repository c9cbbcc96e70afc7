"""The wish to read no further, which may come at any moment: what was read by then is told. Floor 2.

Comes in: a wish, from a signal handler or another thread (:meth:`Stop.ask`). Goes out: whether a file is to be read on
(:meth:`Stop.go_on`). A source that is not to be read on looks as if it ended there, so nothing above it needs to know.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from typing import Any

__all__ = ["INTERRUPTED", "NOT_READ", "PIPE_PATIENCE_S", "Stop", "is_interrupted"]

INTERRUPTED = "interrupted"
"""How the damage of a capture begins that was not wanted to its end."""
NOT_READ = "not read: interrupted before"
"""What is said of a capture that came after a wish to stop."""

PIPE_PATIENCE_S = 1.0
"""How long a pipe is read on: Ctrl-C goes to all of a pipeline, and a capturing program then writes its last packets
and ends, which takes it a moment."""


class Stop:
    """A wish that is made once and stays.

    A pipe of its own wakes whoever waits for another one to say something.
    """

    def __init__(self) -> None:
        self._asked: float | None = None
        self.began = False
        """Whether anything was read: before that, there is nothing to be told."""
        self._wake, self._ring = os.pipe()
        os.set_blocking(self._ring, False)

    def ask(self) -> None:
        """Wish that nothing more be read; may be called in a signal handler."""
        if self._asked is None:
            self._asked = time.monotonic()
            with contextlib.suppress(OSError):
                os.write(self._ring, b"!")

    @property
    def asked(self) -> bool:
        """Whether it is wished."""
        return self._asked is not None

    @property
    def overdue(self) -> bool:
        """Whether it was wished so long ago that whatever cannot be woken is given up."""
        return self._asked is not None and time.monotonic() > self._asked + 2 * PIPE_PATIENCE_S

    def go_on(self, file: Any) -> bool:
        """Whether to read `file` on; of a pipe, waits until there is something to read.

        Parameters
        ----------
        file : file object
            What is to be read next; a file without a descriptor of its own is not waited for.
        """
        if not hasattr(select, "poll"):
            return not self.asked
        try:
            number = file.fileno()
        except (AttributeError, OSError, ValueError):
            return not self.asked
        waiting = select.poll()
        waiting.register(number, select.POLLIN)
        if self._asked is None:
            waiting.register(self._wake, select.POLLIN)
            if any(ready == number for ready, _ in waiting.poll()) and self._asked is None:
                return True
            waiting.unregister(self._wake)
        if self._asked is None:  # a wish was made, and its ring came before its time stood
            self._asked = time.monotonic()
        left = self._asked + PIPE_PATIENCE_S - time.monotonic()
        return left > 0 and bool(waiting.poll(1000 * left))


def is_interrupted(damage: str | None) -> bool:
    """Whether what is said of a capture means that it was not wanted to its end, not that the file is damaged."""
    return damage is not None and (damage == NOT_READ or damage.startswith(INTERRUPTED))
