"""Measured values as people read them: for the sentences of findings. Floor 7.

In: nanoseconds, endpoints, counts. Out: text.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..facts import Endpoint
from ..result import host_port

__all__ = ["hop", "listing", "many", "seconds", "status_line"]


def seconds(duration_ns: int) -> str:
    """A duration: ``0.32 s``, ``31.5 s``, ``1800 s``."""
    value = duration_ns / 1e9
    if value >= 100:
        return f"{value:.0f} s"
    return f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


def hop(src: Endpoint, dst: Endpoint) -> str:
    """``from 192.0.2.1:5060 to 192.0.2.2:5060``."""
    return f"from {host_port(src)} to {host_port(dst)}"


def many(count: int, what: str, plural: str | None = None) -> str:
    """``1 message``, ``2 messages``."""
    return f"{count} {what}" if count == 1 else f"{count} {plural or what + 's'}"


def listing(things: Iterable[object], most: int = 3) -> str:
    """``a``, ``a and b``, ``a, b, c and 4 more``; each thing once."""
    texts = list(dict.fromkeys(str(each) for each in things))
    if len(texts) > most:
        return ", ".join(texts[:most]) + f" and {len(texts) - most} more"
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]])) if texts else ""


def status_line(status: int, reason: str | None) -> str:
    """``486 Busy Here``; the status alone where no reason phrase was sent."""
    return f"{status} {reason}" if reason else str(status)
