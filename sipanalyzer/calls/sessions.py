"""Legs of one conversation, joined by scored evidence. Floor 5.

In: the message table, calls and streams. Out: sessions; every call is in exactly one. Each kind of evidence is looked
for in its own module (:mod:`.correlation`, :mod:`.origins`, :mod:`.forwarding`, :mod:`.crossing`) and weighs what
:data:`~.legs.SCORES` says; two calls are joined where the sum reaches `Options.session_score`, and calls joined to one
call are one session.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..facts import Evidence, Session
from ..options import Options
from ..result import Call, Messages, Stream
from .correlation import find_named, find_transfers, find_vias
from .crossing import find_crossings
from .forwarding import find_call_ids, find_numbers
from .legs import Hint, Legs, read_legs
from .origins import find_origins

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

    root: dict[int, int] = {}
    weakest: dict[int, float] = {}
    for score, (first, second), _ in accepted:
        a, b = _find(root, first), _find(root, second)
        if a != b:
            a, b = min(a, b), max(a, b)
            root[b] = a
            weakest[a] = min(score, weakest.get(a, score), weakest.get(b, score))
    joined: dict[int, list[int]] = defaultdict(list)
    for number in sorted({number for _, pair, _ in accepted for number in pair}):
        joined[_find(root, number)].append(number)
    later = {number for group in joined.values() for number in group[1:]}
    ids = legs.call_ids
    evidence: dict[int, list[Evidence]] = defaultdict(list)
    for _, (first, second), hints in sorted(accepted, key=lambda link: link[1]):
        evidence[_find(root, first)] += [
            Evidence(hint.kind, _shortened(hint.text), round(hint.score, 3), (ids[first], ids[second]))
            for hint in sorted(hints.values(), key=lambda hint: (-hint.score, hint.kind))
        ]
    return [
        Session(number, (ids[first],), 0.0, ())
        if first not in joined
        else Session(
            number=number,
            call_ids=tuple(ids[each] for each in joined[first]),
            score=round(weakest[first], 3),
            evidence=tuple(evidence[first]),
        )
        for number, first in enumerate((each for each in range(len(legs)) if each not in later), start=1)
    ]


def _all_hints(messages: Messages, legs: Legs, streams: Sequence[Stream], options: Options) -> Iterable[Hint]:
    if len(messages):
        yield from find_named(messages, legs, options)
        yield from find_vias(messages, legs)
        yield from find_transfers(messages, legs, options)
        yield from find_origins(messages, legs, options)
    yield from find_numbers(legs, options)
    yield from find_call_ids(legs, options)
    yield from find_crossings(legs, streams)


def _find(root: dict[int, int], number: int) -> int:
    """The first leg of its session, as far as joined."""
    while root.get(number, number) != number:
        root[number] = root.get(root[number], root[number])
        number = root[number]
    return number


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
