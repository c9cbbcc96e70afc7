"""Texts of a chart: clean, and bounded before anything is done with them. Floor 8.

In: what stood on the wire, durations. Out: short texts without control, bidirectional or surrogate characters.
"""

from __future__ import annotations

from ..cells import visible

__all__ = ["lasting", "later", "shown"]


def shown(text: str, most: int) -> str:
    """The text as it may be shown, at most `most` characters, an ellipsis for what is left out."""
    if len(text) > most:  # cut first: escaping a megabyte to show eighty characters is for nobody
        text = text[:most] + "…"
    text = visible(text)
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"


def lasting(duration_ns: int) -> str:
    """A measured time: ``0.32 s``, ``31.5 s``, ``1800 s``."""
    value = duration_ns / 1e9
    if value >= 100:
        return f"{value:.0f} s"
    return f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


def later(duration_ns: int) -> str:
    """A pause as people say it: ``42 s later``, ``3 min 12 s later``, ``2 h 5 min later``."""
    seconds = round(duration_ns / 1e9)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    first = next((at for at, (value, _) in enumerate(parts) if value), len(parts) - 1)
    told = [f"{value} {unit}" for value, unit in parts[first : first + 2] if value]
    return f"{' '.join(told) or '0 s'} later"
