"""All rules of findings, in one list. Floor 7. A module of rules has its own, `RULES`."""

from __future__ import annotations

from . import (
    addresses,
    captures,
    course,
    events,
    failures,
    intruders,
    loops,
    media,
    network,
    quality,
    registrars,
    resent,
    unanswered,
    wire,
)
from .context import Rule

__all__ = ["ALL"]

ALL: tuple[Rule, ...] = (
    *unanswered.RULES,
    *resent.RULES,
    *failures.RULES,
    *loops.RULES,
    *course.RULES,
    *events.RULES,
    *registrars.RULES,
    *wire.RULES,
    *intruders.RULES,
    *media.RULES,
    *addresses.RULES,
    *quality.RULES,
    *network.RULES,
    *captures.RULES,
)
