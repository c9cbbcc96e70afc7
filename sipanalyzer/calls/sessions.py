"""Legs of one conversation, joined by scored evidence. Floor 5.

In: the message table, calls and streams. Out: sessions; every call is in exactly one. Each kind of evidence is looked
for in its own module (:mod:`.correlation`, :mod:`.forwarding`, :mod:`.crossing`) and weighs what :data:`~.legs.SCORES`
says; two calls are joined where the sum reaches `Options.session_score`, and calls joined to one call are one session.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..facts import Evidence, Session
from ..options import Options
from ..result import Call, Messages, Stream
from .correlation import find_named, find_transfers, find_vias
from .crossing import find_crossings
from .forwarding import find_call_ids, find_numbers, find_origins
from .legs import Hint, Leg, read_legs

__all__ = ["join_sessions"]

_LONGEST = 160
"""Characters of a text of evidence."""
_CLOSE = 1e-9
"""Sums of scores are compared to this."""


def join_sessions(
    messages: Messages, calls: Sequence[Call], streams: Sequence[Stream], options: Options
) -> list[Session]:
    """Join the legs of each conversation across back-to-back user agents.

    Parameters
    ----------
    messages : Messages
        All messages; `Call.rows` point into it.
    calls : sequence of Call
        In any order.
    streams : sequence of Stream
        With their calls.
    options : Options
        `session_score`, `session_window_ns` and `correlation_headers`.

    Returns
    -------
    list of Session
        Numbered from 1 by start of the first leg; each call in exactly one.
    """
    legs = read_legs(messages, calls)
    links: dict[tuple[int, int], dict[str, Hint]] = defaultdict(dict)
    for hint in _all_hints(messages, legs, streams, options) if len(legs) > 1 else ():
        of_pair = links[hint.pair]
        if hint.kind not in of_pair or (hint.score, hint.text) > (of_pair[hint.kind].score, of_pair[hint.kind].text):
            of_pair[hint.kind] = hint
    accepted = []
    for pair, hints in links.items():
        score = sum(hint.score for hint in hints.values())
        if score >= options.session_score - _CLOSE:
            accepted.append((score, pair, hints))
    accepted.sort(key=lambda link: (-link[0], link[1]))  # the strongest first: what is left out then is not needed

    root = list(range(len(legs)))
    weakest: dict[int, float] = {}
    for score, (first, second), _ in accepted:
        a, b = _find(root, first), _find(root, second)
        if a != b:
            a, b = min(a, b), max(a, b)
            root[b] = a
            weakest[a] = min(score, weakest.get(a, score), weakest.get(b, score))
    members: dict[int, list[Leg]] = defaultdict(list)
    for number, leg in enumerate(legs):
        members[_find(root, number)].append(leg)
    evidence: dict[int, list[Evidence]] = defaultdict(list)
    for _, (first, second), hints in sorted(accepted, key=lambda link: link[1]):
        ids = legs[first].call.call_id, legs[second].call.call_id
        evidence[_find(root, first)] += [
            Evidence(hint.kind, _shortened(hint.text), round(hint.score, 3), ids)
            for hint in sorted(hints.values(), key=lambda hint: (-hint.score, hint.kind))
        ]
    return [
        Session(
            number=number,
            call_ids=tuple(leg.call.call_id for leg in group),
            score=round(weakest[first], 3) if first in weakest else 0.0,
            evidence=tuple(evidence.get(first, ())),
        )
        for number, (first, group) in enumerate(members.items(), start=1)
    ]


def _all_hints(messages: Messages, legs: Sequence[Leg], streams: Sequence[Stream], options: Options) -> Iterable[Hint]:
    if len(messages):
        yield from find_named(messages, legs, options)
        yield from find_vias(messages, legs)
        yield from find_transfers(messages, legs, options)
        yield from find_origins(messages, legs, options)
    yield from find_numbers(legs, options)
    yield from find_call_ids(legs, options)
    yield from find_crossings(legs, streams)


def _find(root: list[int], number: int) -> int:
    """The first leg of its session, as far as joined."""
    while root[number] != number:
        root[number] = root[root[number]]
        number = root[number]
    return number


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
