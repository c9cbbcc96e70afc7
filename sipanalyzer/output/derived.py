"""What is derived from a result when a table asks for it, once: findings, endpoints, statistics, lookups. Floor 8.

In: a result. Out: what floor 7 finds in it, kept in ``Result.extra`` so that ten tables cost one reckoning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..facts import Finding
from ..result import Result

if TYPE_CHECKING:
    from ..statistics.endpoints import EndpointRow
    from ..statistics.rfc6076 import Statistic

__all__ = [
    "DERIVED",
    "endpoints_of",
    "finding_codes",
    "findings_of",
    "once",
    "session_numbers",
    "statistics_of",
    "without_derived",
]

_T = TypeVar("_T")

DERIVED = (
    "findings", "endpoints", "statistics", "finding codes", "session numbers", "stream numbers", "flow lookups",
)  # fmt: skip
"""Keys of ``Result.extra`` that this module fills, and those who use :func:`once`."""


def once(result: Result, name: str, make: Callable[[Result], _T]) -> _T:
    """What `make` gives for a result, made when it is first asked for; `name` is one of :data:`DERIVED`."""
    if name not in result.extra:
        result.extra[name] = make(result)
    found: _T = result.extra[name]
    return found


def findings_of(result: Result) -> tuple[Finding, ...]:
    """All findings, in the order in which they are shown."""
    from ..findings.engine import find_findings

    return once(result, "findings", find_findings)


def endpoints_of(result: Result) -> tuple[EndpointRow, ...]:
    """Rows of the table `endpoints`."""
    from ..statistics.endpoints import list_endpoints

    return once(result, "endpoints", list_endpoints)


def statistics_of(result: Result) -> tuple[Statistic, ...]:
    """Rows of the table `statistics`."""
    from ..statistics.rfc6076 import summarize_statistics

    return once(result, "statistics", summarize_statistics)


def finding_codes(result: Result) -> tuple[dict[str, str], dict[int, str]]:
    """Codes of the findings of each call (by Call-ID) and of each stream (by number), comma separated."""
    return once(result, "finding codes", _codes)


def _codes(result: Result) -> tuple[dict[str, str], dict[int, str]]:
    calls: dict[str, dict[str, None]] = defaultdict(dict)
    streams: dict[int, dict[str, None]] = defaultdict(dict)
    for finding in findings_of(result):
        if finding.call_id is not None:
            calls[finding.call_id][finding.code] = None
        if finding.stream is not None:
            streams[finding.stream][finding.code] = None
            for call_id in _calls_of(result, finding.stream):
                calls[call_id][finding.code] = None
    return {key: ",".join(codes) for key, codes in calls.items()}, {key: ",".join(c) for key, c in streams.items()}


def _calls_of(result: Result, stream: int) -> Sequence[str]:
    """Every call that counts a stream."""
    seen = result.streams[stream]
    return (seen.call_id, *seen.also_call_ids) if seen.call_id is not None else ()


def session_numbers(result: Result) -> dict[str, int]:
    """Number of the session of each call, by Call-ID."""
    return once(
        result,
        "session numbers",
        lambda result: {call_id: session.number for session in result.sessions for call_id in session.call_ids},
    )


def without_derived(extra: dict[str, Any]) -> dict[str, Any]:
    """What a result has beside what is derived from it."""
    return {key: value for key, value in extra.items() if key not in DERIVED}
