"""From a result to its findings: runs the rules, settles what explains what, and puts them in order. Floor 7.

In: a :class:`~sipanalyzer.result.Result`. Out: findings, those about captures and hosts first, then call by call; one
call's by how likely they explain its trouble.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from ..facts import SEVERITIES, Finding
from ..result import Result
from .consequences import settle_consequences
from .context import Context
from .doubts import mark_doubtful
from .rules import ALL

__all__ = ["codes_of_call", "codes_of_stream", "find_findings", "order_findings"]


def find_findings(result: Result) -> tuple[Finding, ...]:
    """Say what is wrong, or worth knowing, in a result.

    Parameters
    ----------
    result : Result
        Of one analysis.

    Returns
    -------
    tuple of Finding
        Those of no call first (captures, hosts, peers; the worst first), then by start of the call that each is about
        (of a stream without call: of the stream); within a call by likelihood, then severity.

    Notes
    -----
    Rules are our own code and take any result: an exception in one is a mistake in it, and is not hidden.
    """
    context = Context(result)
    found = [finding for rule in ALL for finding in rule(context)]
    answered = {call.call_id for call in result.calls if call.state in ("in-call", "completed")} if found else set()
    settled = settle_consequences(mark_doubtful(found, context), answered)
    return tuple(sorted(_behind_causes(settled), key=lambda finding: _rank(finding, context)))


def order_findings(findings: Iterable[Finding], result: Result) -> tuple[Finding, ...]:
    """The findings in the order of :func:`find_findings`, whoever made them."""
    context = Context(result)
    return tuple(sorted(findings, key=lambda finding: _rank(finding, context)))


_LONGEST_CHAIN = 3
"""Consequences of consequences are followed this far."""


def _behind_causes(findings: Iterable[Finding]) -> list[Finding]:
    """Make what another finding of its call explains less likely to explain the trouble than that one is."""
    found = list(findings)
    explained = [place for place, each in enumerate(found) if each.causes and each.severity == "info" and each.call_id]
    for _ in range(_LONGEST_CHAIN if explained else 0):
        likelihood: dict[tuple[str | None, str], int] = {}
        for each in found:
            key = each.call_id, each.code
            likelihood[key] = max(each.likelihood, likelihood.get(key, 0))
        for place in explained:
            each = found[place]
            causes = [likelihood[each.call_id, code] for code in each.causes if (each.call_id, code) in likelihood]
            least = min(causes, default=each.likelihood + 1) - 1
            found[place] = replace(each, likelihood=max(0, min(each.likelihood, least)))
    return found


_Rank = tuple[int, int, int, str, int, int, int, str]


def _rank(finding: Finding, context: Context) -> _Rank:
    severity = SEVERITIES.index(finding.severity)
    time = finding.time or 0
    last = (-1 if finding.stream is None else finding.stream, finding.code)
    call = context.calls.get(finding.call_id or "")
    if call is not None:
        start = call.first_time if call.start is None else call.start
        return 1, start, call.first_frame, call.call_id, -finding.likelihood, severity, *last
    if finding.stream is not None:
        stream = context.result.streams[finding.stream]
        return 1, stream.start, stream.first_frame, "", -finding.likelihood, severity, *last
    return 0, severity, -1 if finding.capture is None else finding.capture, "", time, -finding.likelihood, *last


def codes_of_call(findings: Iterable[Finding]) -> dict[str, list[str]]:
    """Codes of each call's findings, by Call-ID, each code once, in the order of the findings."""
    codes: dict[str, dict[str, None]] = defaultdict(dict)
    for each in findings:
        if each.call_id is not None:
            codes[each.call_id][each.code] = None
    return {call_id: list(each) for call_id, each in codes.items()}


def codes_of_stream(findings: Iterable[Finding]) -> dict[int, list[str]]:
    """Codes of each stream's findings, by its number, each code once, in the order of the findings."""
    codes: dict[int, dict[str, None]] = defaultdict(dict)
    for each in findings:
        if each.stream is not None:
            codes[each.stream][each.code] = None
    return {number: list(each) for number, each in codes.items()}
