"""A progress bar on standard error, for work over a second and only on a terminal. Floor 10.

In: the pipeline's reports (``bytes_read``, ``bytes_total``, ``packets``, ``calls``). Out: one line that is drawn over
itself and gone at the end. rich is loaded when the bar first shows.
"""

from __future__ import annotations

import sys
import time
from typing import Any

__all__ = ["PATIENCE_S", "ProgressBar"]

PATIENCE_S = 1.0
"""Work shorter than this shows no bar."""
_EVERY_S = 0.1


class ProgressBar:
    """Hand its :meth:`update` to the analysis; leave the ``with`` block and the bar is gone."""

    def __init__(self, *, shown: bool | None = None) -> None:
        self._shown = sys.stderr.isatty() if shown is None else shown
        self._began = time.monotonic()
        self._next = self._began + PATIENCE_S
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, report: Any) -> None:
        """Show where the work stands, ten times a second at most."""
        if not self._shown or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_S
        total = report.bytes_total or None
        if self._bar is None:
            self._start(total)
        calls = f"{report.calls:,} calls" if report.calls else f"{report.packets:,} packets"
        self._bar.update(self._task, completed=report.bytes_read, total=total, calls=calls)

    def _start(self, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bar = Progress(
            TextColumn("reading"), BarColumn(bar_width=20), DownloadColumn(), TransferSpeedColumn(),
            TextColumn("{task.fields[calls]}"), TimeRemainingColumn(compact=True),
            console=Console(file=sys.stderr), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("reading", total=total, calls="")
        self._bar.start()
