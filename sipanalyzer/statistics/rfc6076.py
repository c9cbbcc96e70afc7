"""How it went altogether: RFC 6076, and what switches counted before it. Floor 7.

Owns: the table `statistics`. In: a :class:`~sipanalyzer.result.Result`. Out: :class:`Statistic`, over the capture, by
pair of hosts, and by hour of the first INVITE; counts of methods and status codes.

Choices. Ratios of RFC 6076 have all session requests below the line, as it says: those also whose outcome the capture
does not hold. ASR and NER leave these out: they judge what was decided. Partial calls are in neither. All delays are
those at the capture point, at the hop nearest to the caller; RFC 6076 measures at the originating user agent.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from ..facts import Registration
from ..result import Messages, Result
from .attempts import Attempt, capture_end, read_attempts
from .spread import mean, quantile

__all__ = ["Statistic", "summarize_statistics"]

_SEER = frozenset({480, 486, 600, 603})
_NER = frozenset({480, 486, 487, 600, 603})
_ISA = frozenset({408, 500, 503, 504})
_HOUR_NS = 3_600_000_000_000
_MAX_METHODS = 100
"""Names of methods come from the wire: no more than these are counted by name."""

_DELAY = "at the capture point; in mid-path less than at the originating user agent, where RFC 6076 measures"
_RATIO = "of what passed the capture point; an attempt that failed before it is not seen"


@dataclass(frozen=True, slots=True)
class Statistic:
    """One figure."""

    metric: str
    value: float | None
    """None where there is nothing to take it of."""
    unit: str
    basis: int
    """How many calls, registrations or messages it rests on: what is below the line of a ratio."""
    scope: str
    """``all``, ``pair 192.0.2.1 > 192.0.2.2`` or ``hour 2026-01-01T10:00Z``."""
    note: str | None = None


def summarize_statistics(result: Result) -> tuple[Statistic, ...]:
    """All statistics of an analysis.

    Parameters
    ----------
    result : Result
        Calls, transactions, registrations and messages are read.

    Returns
    -------
    tuple of Statistic
        Over all first, with every metric, also of a capture in which there is nothing to take it of; then by pair of
        hosts, the busiest first; then by hour (UTC); these only with metrics that rest on something. Beyond
        `Options.max_statistics_scopes` pairs, and as many hours, the others are taken together. Last the messages by
        method and by status code.

    Notes
    -----
    Percentiles are linear between neighbours.
    """
    whole, pairs, hours = _collect(result)
    limit = result.options.max_statistics_scopes
    found = list(_measure(whole, "all"))
    for scope, group in _limited(pairs, limit, "other pairs", by_size=True):
        found += [each for each in _measure(group, scope) if each.basis]
    for scope, group in _limited(hours, limit, "other hours", by_size=False):
        found += [each for each in _measure(group, scope) if each.basis]
    found += _count_messages(result.messages)
    return tuple(found)


# ---- scopes
@dataclass(slots=True)
class _Group:
    """What happened within one scope."""

    attempts: list[Attempt] = field(default_factory=list)
    registrations: list[Registration] = field(default_factory=list)
    ineffective: int = 0
    """Registrations that failed."""

    def add_registration(self, registration: Registration, failed: bool) -> None:
        self.registrations.append(registration)
        self.ineffective += failed

    def take(self, other: _Group) -> None:
        self.attempts += other.attempts
        self.registrations += other.registrations
        self.ineffective += other.ineffective

    @property
    def size(self) -> int:
        return len(self.attempts) + len(self.registrations)


def _collect(result: Result) -> tuple[_Group, dict[str, _Group], dict[str, _Group]]:
    """Everything once for the whole, once for its pair, once for its hour."""
    whole = _Group()
    pairs: dict[tuple[str, str], _Group] = defaultdict(_Group)
    hours: dict[int, _Group] = defaultdict(_Group)
    for attempt in read_attempts(result):
        whole.attempts.append(attempt)
        hours[attempt.start // _HOUR_NS].attempts.append(attempt)
        if attempt.pair is not None:
            pairs[attempt.pair].attempts.append(attempt)
    waits_since = capture_end(result) - result.options.transaction_timeout_ns
    for registration in result.registrations:
        failed = _is_ineffective(registration, waits_since)
        pair = registration.source[0], registration.registrar[0]
        for group in (whole, pairs[pair], hours[registration.start // _HOUR_NS]):
            group.add_registration(registration, failed)
    return (
        whole,
        {f"pair {source} > {target}": group for (source, target), group in pairs.items()},
        {_hour(hour): hours[hour] for hour in sorted(hours)},
    )


def _is_ineffective(registration: Registration, waits_since: int) -> bool:
    """RFC 6076 4.2: 4xx other than 401, 402 and 407, 5xx, 6xx, and the expiry of timer F."""
    status = registration.status_code
    if registration.state == "no-response":
        return registration.start <= waits_since
    return status is not None and status >= 400 and status not in (401, 402, 407)


def _hour(hour: int) -> str:
    return f"hour {datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour):%Y-%m-%dT%H:00Z}"


def _limited(groups: dict[str, _Group], limit: int, others: str, *, by_size: bool) -> Iterator[tuple[str, _Group]]:
    """The largest groups, and one of all others together."""
    names = sorted(groups, key=lambda name: (-groups[name].size, name))
    kept = set(names[:limit])
    yield from ((name, groups[name]) for name in (names if by_size else groups) if name in kept)
    rest = _Group()
    for name in names[limit:]:
        rest.take(groups[name])
    if rest.size:
        yield others, rest


# ---- metrics
def _measure(group: _Group, scope: str) -> Iterator[Statistic]:
    """Every metric of a group."""
    attempts = group.attempts
    yield Statistic("calls", float(len(attempts)), "", len(attempts), scope, "session requests: partial calls are none")
    yield from _ratios(attempts, scope)
    for metric, unit, read, measures in _DELAYS:
        values = [value for attempt in attempts if (value := read(attempt)) is not None]
        yield from _spread(metric, unit, values, measures, scope)
    delays = [each.registration_delay_ms for each in group.registrations if each.registration_delay_ms is not None]
    yield from _spread("RRD", "ms", delays, _MEAN_P95, scope)
    yield _ratio("IRA", group.ineffective, len(group.registrations), scope, _RATIO)


def _ratios(attempts: Sequence[Attempt], scope: str) -> Iterator[Statistic]:
    total = len(attempts)
    answered = completed = redirected = effective = ineffective = undecided = reached = 0
    for attempt in attempts:
        status = attempt.status
        completed += attempt.completed
        undecided += not attempt.decided
        if attempt.answered:
            answered += 1
        elif status is not None:
            redirected += 300 <= status < 400
            effective += status in _SEER
            ineffective += status in _ISA
            reached += status in _NER
        elif attempt.cancelled:
            reached += 1
    rfc = _RATIO
    if undecided:
        rfc += f"; {undecided} had no outcome yet when the capture ended, and count as requests"
    yield _ratio("SER", answered, total - redirected, scope, rfc)
    yield _ratio("SEER", answered + effective, total - redirected, scope, rfc)
    yield _ratio("ISA", ineffective, total, scope, rfc)
    yield _ratio("SCR", completed, total, scope, rfc)
    decided = "of calls whose outcome was captured"
    yield _ratio("ASR", answered, total - undecided, scope, decided)
    yield _ratio("NER", answered + reached, total - undecided, scope, decided)


def _ratio(metric: str, above: int, below: int, scope: str, note: str) -> Statistic:
    return Statistic(metric, 100.0 * above / below if below else None, "%", below, scope, note)


_Spread = tuple[tuple[str, Callable[[Sequence[float]], float | None]], ...]
_P95 = ("p95", lambda values: quantile(values, 0.95))
_MEAN: _Spread = (("mean", mean),)
_MEAN_P95: _Spread = (("mean", mean), _P95)
_MEDIAN_P95: _Spread = (("median", lambda values: quantile(values, 0.5)), _P95)

_DELAYS: tuple[tuple[str, str, Callable[[Attempt], float | None], _Spread], ...] = (
    ("SRD", "s", lambda attempt: attempt.srd_s, _MEAN_P95),
    ("SRD failed", "s", lambda attempt: attempt.srd_failed_s, _MEAN_P95),
    ("SDD", "ms", lambda attempt: attempt.sdd_ms, _MEAN_P95),
    ("SDT", "s", lambda attempt: attempt.sdt_s, _MEAN_P95),
    ("SDT failed", "s", lambda attempt: attempt.sdt_failed_s, _MEAN),
    ("ACD", "s", lambda attempt: attempt.duration_s, (("", mean),)),
    ("PDD", "ms", lambda attempt: attempt.pdd_ms, _MEDIAN_P95),
)
"""Metric, unit, what of an attempt, which figures of it."""


def _spread(metric: str, unit: str, values: Sequence[float], measures: _Spread, scope: str) -> Iterator[Statistic]:
    for name, measure in measures:
        title = f"{metric} {name}" if name else metric
        yield Statistic(title, measure(values), unit, len(values), scope, _DELAY)


# ---- messages
def _count_messages(messages: Messages) -> Iterable[Statistic]:
    """Requests by method and responses by status code, as captured: at every hop, retransmissions included."""
    requests = messages.method[(messages.status == 0) & (messages.method >= 0)]
    names = messages.texts["method"] if len(requests) else []
    methods = Counter({names[number]: int(count) for number, count in enumerate(np.bincount(requests)) if count})
    note = "messages as captured: at every hop, retransmissions included"
    total = int((messages.status == 0).sum())
    for name, count in sorted(methods.most_common(_MAX_METHODS), key=lambda item: (-item[1], item[0])):
        yield Statistic(f"method {name}", float(count), "", total, "all", note)
    if len(methods) > _MAX_METHODS:
        others = sum(methods.values()) - sum(count for _, count in methods.most_common(_MAX_METHODS))
        yield Statistic("other methods", float(others), "", total, "all", note)
    codes, counts = np.unique(messages.status[messages.status > 0], return_counts=True)
    for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
        yield Statistic(f"status {code}", float(count), "", int(counts.sum()), "all", note)
