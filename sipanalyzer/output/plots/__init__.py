"""Plots of streams, calls and captures with matplotlib. Floor 8.

Each ``draw_*`` takes DataFrames as an analysis has them, whole or filtered, and gives matplotlib's Figure or Axes.
Nothing here uses pyplot or changes matplotlib's settings. matplotlib is loaded with the first function that is asked
for; :mod:`.series` needs none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .calls import draw_calls
    from .distributions import draw_mos, draw_post_dial_delay
    from .heat_map import draw_heat_map
    from .histograms import draw_delay, draw_jitter
    from .stream import draw_call, draw_stream
    from .sweep import draw_sweep

__all__ = [
    "draw_call",
    "draw_calls",
    "draw_delay",
    "draw_heat_map",
    "draw_jitter",
    "draw_mos",
    "draw_post_dial_delay",
    "draw_stream",
    "draw_sweep",
]

_HOMES = {
    "draw_call": "stream",
    "draw_calls": "calls",
    "draw_delay": "histograms",
    "draw_heat_map": "heat_map",
    "draw_jitter": "histograms",
    "draw_mos": "distributions",
    "draw_post_dial_delay": "distributions",
    "draw_stream": "stream",
    "draw_sweep": "sweep",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
