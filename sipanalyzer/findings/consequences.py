"""Findings that are the consequence of another one of the same call or stream. Floor 7.

Owns the table of what explains what. In: findings. Out: findings, where a consequence names its cause and no longer
stands beside it as an equal: it is left out, or told as information while its cause takes over its severity, or (where
the cause is but likely, or doubtful) keeps its severity and only names it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from ..facts import SEVERITIES, Finding

__all__ = ["CONSEQUENCES", "Consequence", "settle_consequences"]

_NETWORK = ("icmp-unreachable", "tcp-connect-failed", "tls-handshake-failure")
_REFUSED = ("call-rejected", "server-error", "auth-failure", "routing-loop", "unanswered-request")


@dataclass(frozen=True, slots=True)
class Consequence:
    """A code, and the codes that explain it."""

    code: str
    causes: tuple[str, ...]
    """The most telling first."""
    way: str
    """``dropped``: said by its cause; ``lowered``: told as information; ``named``: kept as it is."""
    only: str = ""
    """``stream``: both must be of one stream (else of one call). ``never-answered``: the call had no answer.
    ``marked``: the rule that found it named the cause, since it knows which message each is about."""


CONSEQUENCES: tuple[Consequence, ...] = (
    # a call that never came about has no media
    Consequence("no-media", _REFUSED, "dropped", "never-answered"),
    Consequence("one-way-audio", _REFUSED, "dropped", "never-answered"),
    Consequence("late-media", _REFUSED, "dropped", "never-answered"),
    # why media did not come: what is certain, then what is likely
    Consequence("no-media", ("ice-or-dtls-failed", "codec-mismatch"), "lowered"),
    Consequence("one-way-audio", ("ice-or-dtls-failed", "codec-mismatch"), "lowered"),
    Consequence("no-media", ("nat-mismatch", "private-address-in-sdp", "sip-alg", "icmp-unreachable"), "named"),
    Consequence("one-way-audio", ("nat-mismatch", "private-address-in-sdp", "sip-alg", "icmp-unreachable"), "named"),
    Consequence("late-media", ("ice-or-dtls-failed", "missing-ack"), "named"),
    Consequence("media-timeout", ("missing-ack", "reinvite-failed", "icmp-unreachable"), "named"),
    # why nobody answered, and what came of it
    Consequence("unanswered-request", _NETWORK, "lowered", "marked"),
    Consequence("unanswered-request", ("fragmented-sip",), "named", "marked"),
    Consequence("retransmissions", _NETWORK, "lowered", "marked"),
    Consequence("call-rejected", ("auth-failure", "routing-loop"), "dropped", "never-answered"),
    Consequence("call-rejected", (*_NETWORK, "unanswered-request"), "lowered", "never-answered"),
    Consequence("server-error", ("routing-loop",), "dropped", "never-answered"),
    Consequence("server-error", (*_NETWORK, "unanswered-request"), "lowered", "never-answered"),
    Consequence("registration-failure", _NETWORK, "lowered"),
    Consequence("high-post-dial-delay", ("unanswered-request", "retransmissions"), "lowered", "marked"),
    Consequence("session-timer-expiry", ("unanswered-request", "reinvite-failed"), "named"),
    Consequence("missing-bye", ("missing-ack",), "named"),
    # what a stream's figures come from
    Consequence("low-mos", ("high-loss", "high-jitter"), "lowered", "stream"),
    Consequence("high-loss", ("high-jitter",), "named", "stream"),
)
"""Which code explains which; the first entry that fits a finding decides."""

_BY_CODE: dict[str, list[Consequence]] = defaultdict(list)
for _each in CONSEQUENCES:
    _BY_CODE[_each.code].append(_each)
_MARKED = frozenset(each.code for each in CONSEQUENCES if each.only == "marked")


_Place = tuple[str | None, int | None, str]
"""Call-ID; stream, or None for the whole call; code."""


def settle_consequences(findings: Iterable[Finding], answered: Collection[str] = ()) -> list[Finding]:
    """Let each consequence name its cause.

    Parameters
    ----------
    findings : iterable of Finding
        As the rules found them.
    answered : collection of str
        Call-IDs of the calls that were answered.

    Returns
    -------
    list of Finding
        In the same order. What is dropped is not there, what is lowered is information, and the cause at the end of
        the chain has at least the severity that they had.
    """
    found = list(findings)
    places: dict[_Place, int] = {}
    for place, each in enumerate(found):
        if each.call_id is not None:
            places.setdefault((each.call_id, None, each.code), place)
        if each.stream is not None:
            places.setdefault((each.call_id, each.stream, each.code), place)
    kept: list[Finding | None] = list(found)
    cause_of: dict[int, int] = {}
    for place, each in enumerate(found):
        if each.code not in _BY_CODE:
            continue
        rule, causes, first = _explained(each, places, answered)
        marks = tuple(code for code in each.causes if each.code not in _MARKED or code == "scanner")
        named = tuple(dict.fromkeys((*marks, *causes)))
        if rule is None:
            kept[place] = replace(each, causes=named) if named != each.causes else each
            continue
        way = rule.way
        if way == "lowered" and found[first].doubtful is not None and each.doubtful is None:
            way = "named"  # what is certain does not hide behind what is doubtful
        if way != "named":
            cause_of[place] = first
        lowered = "info" if way == "lowered" else each.severity
        kept[place] = None if way == "dropped" else replace(each, causes=named, severity=lowered)
    for place, each in enumerate(found):
        if place in cause_of:
            _answer_for(kept, cause_of, place, each.severity)
    return [each for each in kept if each is not None]


def _explained(
    each: Finding, places: dict[_Place, int], answered: Collection[str]
) -> tuple[Consequence | None, tuple[str, ...], int]:
    """The entry that fits, the causes that are there, and the place of the most telling one."""
    for rule in _BY_CODE[each.code]:
        stream = each.stream if rule.only == "stream" else None
        if (rule.only == "stream" and stream is None) or (rule.only == "never-answered" and each.call_id in answered):
            continue
        causes = tuple(
            code
            for code in rule.causes
            if (each.call_id, stream, code) in places and (rule.only != "marked" or code in each.causes)
        )
        if causes:
            return rule, causes, places[each.call_id, stream, causes[0]]
    return None, (), -1


def _answer_for(kept: list[Finding | None], cause_of: dict[int, int], place: int, severity: str) -> None:
    """Give the severity of a consequence to the cause at the end of its chain."""
    passed = {place}
    while place in cause_of and cause_of[place] not in passed:
        place = cause_of[place]
        passed.add(place)
    cause = kept[place]
    if cause is not None and SEVERITIES.index(severity) < SEVERITIES.index(cause.severity):
        kept[place] = replace(cause, severity=severity)
