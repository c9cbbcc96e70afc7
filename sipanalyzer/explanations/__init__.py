"""What codes, headers, methods, causes and figures mean: data files, and the reading of them. Floor 0.

Owns the texts (``*.toml`` beside this file) of findings, SIP status codes, Q.850 causes, methods, headers and metrics.
In: a kind, and a name. Out: :class:`Explanation`. Whoever types freely is served by :mod:`.lookup`. Standard library
only. Where a text's lines end in a file is of no meaning: the reader folds them.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

__all__ = ["KINDS", "Explanation", "explanation", "explanations", "finding_title", "names", "titles"]

KINDS = ("finding", "status", "cause", "method", "header", "metric")
"""What is explained; each kind has a file of its own name."""

_HEADING = re.compile(r"^\[([A-Za-z0-9_-]+)\]$", re.MULTILINE)
_TITLE = re.compile(r'^title = "([^"\\]*)"$', re.MULTILINE)
"""Files keep to this much of TOML, so that names and titles are had without reading all of them; a test compares."""


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
    """Likely causes, the likeliest first; of headers what goes wrong with them, of metrics what moves them."""
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
    """The settings (fields of Options) that decide: a finding's thresholds, what a metric rests on."""


@functools.cache
def explanations(kind: str) -> dict[str, Explanation]:
    """All explanations of a kind, by name.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    import tomllib  # here and below: an analysis that finds nothing wrong reads no text

    return {name: _made(kind, name, entry) for name, entry in tomllib.loads(_text(kind)).items()}


@functools.cache
def explanation(kind: str, name: str) -> Explanation:
    """One explanation; its part of the file alone is read, which takes a hundredth of the time.

    Raises
    ------
    ValueError
        If there is no such kind.
    KeyError
        If the kind has no such name.
    """
    import tomllib

    return _made(kind, name, tomllib.loads(_sections(kind)[name])[name])


def finding_title(code: str) -> str:
    """Half a line for a finding; of one that a person made, its code in words."""
    try:
        return explanation("finding", code).title
    except KeyError:
        return code.replace("-", " ").capitalize()


def names(kind: str) -> tuple[str, ...]:
    """Names of what is explained of a kind, as they stand in its file.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    return tuple(_sections(kind))


def titles(kind: str) -> dict[str, str]:
    """Titles of what is explained of a kind, by name.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    found = {name: _TITLE.search(section) for name, section in _sections(kind).items()}
    return {name: "" if title is None else title[1] for name, title in found.items()}


@functools.cache
def _text(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"nothing is explained of kind {kind!r}; there are {', '.join(KINDS)}")
    import importlib.resources

    return importlib.resources.files(__name__).joinpath(f"{kind}.toml").read_text(encoding="utf-8")


@functools.cache
def _sections(kind: str) -> dict[str, str]:
    """The file's tables by name, not yet read."""
    text = _text(kind)
    headings = list(_HEADING.finditer(text))
    ends = [*(each.start() for each in headings[1:]), len(text)]
    return {each[1]: text[each.start() : end] for each, end in zip(headings, ends, strict=True)}


def _made(kind: str, name: str, entry: dict[str, Any]) -> Explanation:
    values: dict[str, Any] = {
        key: tuple(map(_folded, value)) if isinstance(value, list) else _folded(value) for key, value in entry.items()
    }
    return Explanation(kind=kind, name=name, **values)


def _folded(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value
