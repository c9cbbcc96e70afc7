"""What codes, headers, methods, causes and figures mean: data files, and the lookup of a thing in them. Floor 0.

Owns the texts (``*.toml`` beside this file) of findings, SIP status codes, Q.850 causes, methods, headers and metrics.
Standard library only.
"""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from dataclasses import dataclass
from typing import Any

__all__ = ["KINDS", "Explanation", "explanations"]

KINDS = ("finding", "status", "cause", "method", "header", "metric")
"""What is explained; each kind has a file of its own name."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one thing means and what to do about it."""

    kind: str
    """One of :data:`KINDS`."""
    name: str
    """``one-way-audio``, ``486``, ``17``, ``INVITE``, ``Session-Expires``, ``max_jitter_ms``."""
    title: str
    """Half a line: the phrase that a status or cause has, else what the thing is."""
    meaning: str
    """A paragraph."""
    causes: tuple[str, ...] = ()
    """Likely causes, the likeliest first."""
    confirm: tuple[str, ...] = ()
    """How to confirm each in the capture: what to look at, with which command or Wireshark filter."""
    mend: tuple[str, ...] = ()
    """How to mend it; settings by product where that is the usual place."""
    source: str = ""
    """Standard and section."""
    see: tuple[str, ...] = ()
    """Names of other things worth reading."""
    severity: str | None = None
    """Of findings: the default, ``error``, ``warning`` or ``info``."""
    likelihood: int = 50
    """Of findings: how likely one explains a call's trouble, 0 to 100."""
    advice: str | None = None
    """Of findings: one or two sentences beside the finding in a table."""
    options: tuple[str, ...] = ()
    """Of findings: the thresholds (fields of Options) that decide."""


@functools.cache
def explanations(kind: str) -> dict[str, Explanation]:
    """All explanations of a kind, by name.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"nothing is explained of kind {kind!r}; there are {', '.join(KINDS)}")
    text = importlib.resources.files(__name__).joinpath(f"{kind}.toml").read_text(encoding="utf-8")
    return {name: Explanation(kind=kind, name=name, **_tuples(entry)) for name, entry in tomllib.loads(text).items()}


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(map(_folded, value)) if isinstance(value, list) else _folded(value) for key, value in entry.items()
    }


def _folded(value: Any) -> Any:
    """A text on one line; where its lines end in the file is of no meaning."""
    return " ".join(value.split()) if isinstance(value, str) else value
