"""Times as a report writes them: in its zone, to the millisecond. Floor 8.

In: ns since 1970. Out: ``2022-01-12 23:38:26.123``.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

from ..cells import moment

__all__ = ["make_clock", "zone_name"]

_KEPT = 4_096
"""Seconds whose text is kept: a call's times are near each other."""


def make_clock(tz: datetime.tzinfo) -> Callable[[int], str]:
    """A function that writes times in a zone; the same second is put into words once."""
    known: dict[int, str] = {}

    def clock(ns: int) -> str:
        seconds, rest = divmod(ns, 1_000_000_000)
        text = known.get(seconds)
        if text is None:
            if len(known) >= _KEPT:
                known.clear()
            local = moment(seconds * 1_000_000_000, tz)
            text = known[seconds] = f"{local.year:04d}-{local:%m-%d %H:%M:%S}"
        return f"{text}.{rest // 1_000_000:03d}"

    return clock


def zone_name(tz: datetime.tzinfo) -> str:
    """``UTC``, ``Europe/Berlin``."""
    return "UTC" if tz is datetime.UTC else str(tz)
