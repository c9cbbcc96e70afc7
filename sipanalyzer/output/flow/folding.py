"""Which messages are drawn, and which are counted in a row of their own. Floor 8.

In: the messages of a chart in order. Out: units, each a message to draw or a group of messages that is the same thing
again: retransmissions of one message in a row, or exchanges (a request, its responses, its ACK, at all hops) that
repeat. All units together are all messages, in order. What is odd is never folded away: a first answer, a changed SDP,
the evidence of a finding; of failures that repeat the first and the last stand. A retransmission is the exception: that
it came so often is what there is to say of it.

An exchange is folded between two odd ones only, so that what happened in its midst stands in its midst; one of its kind
is drawn before. Where that leaves a page too long, it is folded across odd ones too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from .seen import Seen
from .words import lasting

__all__ = ["LONG_PAGE", "MOST_ROWS", "Unit", "cap_units", "fold_messages"]

LONG_PAGE = 80
"""Rows of messages from which on exchanges are folded across odd ones too."""
MOST_ROWS = 2_000
"""Rows of messages on a chart at most."""
_FIRST_ROWS = 1_500
"""Of a chart with more: how many stand before the gap."""
_TIMES = 3
"""So often must an exchange come to be folded; a failing one once more."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A message to draw, or several that are folded; each in order of time."""

    messages: tuple[Seen, ...]
    text: str | None = None
    """What a fold says; None of a message that is drawn."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What folding asks of a message."""

    likeness: Callable[[Seen], Hashable]
    """Equal for messages that say the same."""
    odd: Callable[[Seen], bool]
    """Whether it must be seen for itself."""
    label: Callable[[Seen], str]


def fold_messages(seen: Sequence[Seen], traits: Traits) -> list[Unit]:
    """Fold what repeats.

    Parameters
    ----------
    seen : sequence of Seen
        In order of time.
    traits : Traits
        What the messages are like.

    Returns
    -------
    list of Unit
        By the first message of each.
    """
    units, rest = _fold_resent(seen, traits)
    exchanges = _exchanges(rest, traits)
    folded = _fold_exchanges(exchanges, traits, across=False)
    if len(units) + len(folded) > LONG_PAGE:
        folded = min(folded, _fold_exchanges(exchanges, traits, across=True), key=len)
    return sorted([*units, *folded], key=_place)


def _place(unit: Unit) -> Seen:
    return unit.messages[0]


# ---- retransmissions
def _fold_resent(seen: Sequence[Seen], traits: Traits) -> tuple[list[Unit], list[Seen]]:
    """Retransmissions with nothing new between them, a unit for each message; and all other messages."""
    first: dict[tuple[int, int, int], int] = {}
    units: list[Unit] = []
    rest: list[Seen] = []
    run: dict[tuple[int, int, int], list[Seen]] = defaultdict(list)

    def close() -> None:
        for key, again in run.items():
            if len(again) == 1:
                rest.append(again[0])
                continue
            since = lasting(again[-1].time - first.get(key, again[0].time))
            text = f"{traits.label(again[0])} {len(again)} times more in {since} (retransmissions)"
            units.append(Unit(tuple(again), text))
        run.clear()

    for each in seen:
        key = each.whole, each.src, each.dst
        if each.retransmission:
            run[key].append(each)
        else:
            close()
            first.setdefault(key, each.time)
            rest.append(each)
    close()
    rest.sort()
    return units, rest


# ---- exchanges
@dataclass(frozen=True, slots=True)
class _Exchange:
    messages: tuple[Seen, ...]
    likeness: Hashable
    odd: bool
    fails: bool
    again: bool
    """Whether it is one message, which one before it in its exchange said already."""


def _exchanges(rest: Sequence[Seen], traits: Traits) -> list[_Exchange]:
    """Messages by exchange, in order of the first of each; what one of them says again stands alone: a 180, a fork."""
    groups: dict[tuple[Hashable, ...], list[Seen]] = defaultdict(list)
    told: set[Hashable] = set()
    for each in rest:
        key: tuple[Hashable, ...] = each.exchange
        if not each.retransmission:
            mark = key, traits.likeness(each)
            if mark in told:
                key = "again", each.row
            told.add(mark)
        groups[key].append(each)
    return [
        _Exchange(
            tuple(group),
            (key[0] == "again", tuple(map(traits.likeness, group))),
            any(map(traits.odd, group)),
            any(each.status >= 300 and each.status not in (401, 407) for each in group),
            key[0] == "again",
        )
        for key, group in groups.items()
    ]


def _fold_exchanges(exchanges: Sequence[_Exchange], traits: Traits, *, across: bool) -> list[Unit]:
    """Units of all exchanges: those that come again fold between odd ones, or `across` them."""
    often = Counter(each.likeness for each in exchanges if not each.odd)
    open_: dict[Hashable, list[_Exchange]] = defaultdict(list)
    drawn: set[Hashable] = set()
    units: list[Unit] = []

    def close() -> None:
        for likeness, group in open_.items():
            units.extend(_folded(group, traits, known=group[0].again or likeness in drawn))
        drawn.update(open_)
        open_.clear()

    for each in exchanges:
        if not each.odd and often[each.likeness] >= _TIMES + each.fails:
            open_[each.likeness].append(each)
            continue
        if not across:
            close()
        units.extend(Unit((message,)) for message in each.messages)
    close()
    return units


def _folded(group: Sequence[_Exchange], traits: Traits, *, known: bool) -> list[Unit]:
    """Alike exchanges: the first as it is unless one is `known`, the others as one; of failures the last as it is."""
    fails = group[0].fails
    first = 0 if known and not fails else 1
    last = len(group) - fails
    if last - first < 2:
        return [Unit((message,)) for each in group for message in each.messages]
    drawn, folded = [*group[:first], *group[last:]], group[first:last]
    messages = sorted(message for each in folded for message in each.messages)
    since = lasting(folded[-1].messages[-1].time - group[0].messages[0].time)
    text = f"{_named(folded[0].messages, traits)}, {len(folded)} times more in {since}"
    return [*(Unit((message,)) for each in drawn for message in each.messages), Unit(tuple(messages), text)]


def _named(messages: Sequence[Seen], traits: Traits) -> str:
    """``UPDATE and its 200``, ``re-INVITE, its 100, 200 and ACK``."""
    names: dict[str, None] = {}
    for at, each in enumerate(messages):
        if each.status and at:
            names.setdefault(f"its {each.status}" if not any(name.startswith("its") for name in names) else "")
            names.pop("", None)
            if not any(name.endswith(str(each.status)) for name in names):
                names.setdefault(str(each.status))
        else:
            names.setdefault(traits.label(each))
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


# ---- bounds
def cap_units(units: Sequence[Unit]) -> tuple[list[Unit], int]:
    """At most :data:`MOST_ROWS` units, what is in the middle of more as one; and how many messages that is."""
    if len(units) <= MOST_ROWS:
        return list(units), 0
    until = len(units) - (MOST_ROWS - _FIRST_ROWS - 1)
    middle = sorted(message for unit in units[_FIRST_ROWS:until] for message in unit.messages)
    since = lasting(middle[-1].time - middle[0].time)
    gap = Unit(tuple(middle), f"{len(middle):,} messages in {since} that are not drawn")
    return [*units[:_FIRST_ROWS], gap, *units[until:]], len(middle)
