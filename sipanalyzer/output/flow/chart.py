"""The layout of a flow chart is made. Floor 8.

In: a result and some of its calls. Out: a :class:`~.model.FlowChart`. Who stands where says :mod:`.participants`, what
stands on an arrow :mod:`.messages`, which messages are folded :mod:`.folding`, the bars are :mod:`.media`, what is told
between the rows :mod:`.notes`; here they are put in order.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence

from ...result import Call, Result
from ...sip.sdp import sdp_limits
from ...sip.uri import user_part
from .descriptions import Said, read_descriptions
from .endings import Wanted
from .folding import Traits, Unit, cap_units, fold_messages
from .lookups import lookups_of, worse
from .media import choose_streams, make_keys, make_media
from .messages import Arrows
from .model import FlowChart, Fold, Keys, Leg, Media, Message, Note, Row
from .notes import add_silences, make_notes
from .palette import message_kind
from .participants import Cast, make_cast
from .seen import Exchange, Seen, read_seen
from .words import shown

__all__ = ["make_chart"]

_RANK: dict[type[Row], int] = {Message: 0, Fold: 0, Media: 1, Keys: 2, Note: 3}
"""Order of rows of one time: what happened before what is said of it."""
_LONGEST_USER, _LONGEST_CALL_ID, _LONGEST_REMARK = 60, 120, 400
_MOST_LEGS_TOLD = 4


def make_chart(result: Result, calls: Sequence[Call], *, fold: bool = True) -> FlowChart:
    """Lay out calls on one page.

    Parameters
    ----------
    result : Result
        What they were found in.
    calls : sequence of Call
        One, or all legs of a session; the first one says who stands leftmost.
    fold : bool
        Whether exchanges that repeat are drawn once and counted.

    Returns
    -------
    FlowChart
        Rows in order of time. All messages are in it, drawn or folded.

    Raises
    ------
    ValueError
        If there is no call.
    """
    if not calls:
        raise ValueError("there is no call to draw")
    lookups = lookups_of(result)
    seen = read_seen(result.messages, calls)
    said = read_descriptions(result.messages, seen, sdp_limits(result.options))
    streams, streams_left_out = choose_streams(result, calls)
    cast = make_cast(result, calls, seen, said, streams)
    span = _span(result, calls, seen, streams)
    arrows = Arrows(result, calls, seen, said, cast, lookups, span[0])
    units = fold_messages(seen, _traits(arrows, said, cast)) if fold else [Unit((each,)) for each in seen]
    units, messages_left_out = cap_units(units)
    keys, keys_left_out = make_keys(result, calls, cast, seen, span[0])
    notes, note_remarks = make_notes(result, calls, seen, said, cast, lookups, span)
    if not cast.participants:  # nothing was captured that a note could stand over
        notes = []
    rows: list[Row] = [
        *_draw(units, seen, arrows, cast),
        *make_media(result, calls, cast, streams, lookups, Wanted(seen, said), span[0]),
        *keys,
        *notes,
    ]
    rows.sort(key=lambda row: (row.time, _RANK[type(row)]))
    who, legs = _legs(result, calls, seen)
    left_out = {
        "messages in the middle": messages_left_out,
        "streams, those with the fewest packets": streams_left_out,
        "rows of keys": keys_left_out,
        "hosts, which share the last line": cast.left_out,
    }
    remarks = [
        *_about_calls(calls, legs),
        *_about_captures(result, calls),
        *note_remarks,
        *(f"Not drawn one by one: {number:,} {what}." for what, number in left_out.items() if number),
    ]
    return FlowChart(
        title=legs[0].title if len(legs) == 1 else f"{who}, {legs[0].state}, {len(legs)} legs",
        legs=legs,
        participants=cast.participants,
        rows=tuple(add_silences(rows, len(cast.participants))),
        start=span[0],
        remarks=tuple(shown(remark, _LONGEST_REMARK) for remark in remarks),
    )


def _span(result: Result, calls: Sequence[Call], seen: Sequence[Seen], streams: Sequence[int]) -> tuple[int, int]:
    """First and last time of what happened."""
    times = [seen[0].time, seen[-1].time] if seen else []
    times += [result.streams[number].start for number in streams]
    times += [digit.time for call in calls for digit in call.digits]
    times = times or [call.first_time for call in calls]
    return min(times), max(times)


def _legs(result: Result, calls: Sequence[Call], seen: Sequence[Seen]) -> tuple[str, tuple[Leg, ...]]:
    """Who talks, and the legs with titles that tell them apart: where users do not, the hosts that they run between."""
    first: dict[int, Seen] = {}
    for each in seen:
        first.setdefault(each.leg, each)
    who = [_who(result, call, first.get(leg)) for leg, call in enumerate(calls)]
    often = Counter(who)
    ways = [
        f", {shown(call.src[0], 60)} to {shown(call.dst[0], 60)}" if call.src and call.dst and often[name] > 1 else ""
        for call, name in zip(calls, who, strict=True)
    ]
    return who[0], tuple(
        Leg(shown(call.call_id, _LONGEST_CALL_ID), f"{name}{way}, {call.state}", call.state)
        for call, name, way in zip(calls, who, ways, strict=True)
    )


def _who(result: Result, call: Call, first: Seen | None) -> str:
    """``alice to bob``; of a call whose beginning is not known, who called whom is not either: ``alice and bob``."""
    users = [call.caller, call.callee]
    if call.caller is None and call.callee is None and call.partial and first is not None:
        uris = [result.messages.text(name, first.row) for name in ("from_uri", "to_uri")]
        users = [None if uri is None else user_part(uri) for uri in uris]
    return (" and " if call.partial else " to ").join(
        shown((user or "?").partition(";")[0] or "?", _LONGEST_USER) for user in users
    )


# ---- messages
def _traits(arrows: Arrows, said: Mapping[int, Said], cast: Cast) -> Traits:
    """What folding asks of messages, answered; hosts that share a line are not told apart."""
    shared = len(cast.participants) - 1 if cast.left_out else None

    known: dict[int, Hashable] = {}

    def likeness(each: Seen) -> Hashable:
        alike = known.get(each.row)
        if alike is None:
            alike = known[each.row] = reckoned(each)
        return alike

    def reckoned(each: Seen) -> Hashable:
        what = said.get(each.row)
        words = None if what is None else what.described.words
        way = cast.sockets[each.src], cast.sockets[each.dst]
        gist = () if shared in way else arrows.gist(each)
        return way, each.status, each.method, words, each.retransmission, gist

    def odd(each: Seen) -> bool:
        what = said.get(each.row)
        return (what is not None and what.changed) or arrows.severity(each) is not None

    return Traits(likeness, odd, arrows.label)


def _draw(units: Sequence[Unit], seen: Sequence[Seen], arrows: Arrows, cast: Cast) -> Iterator[Message | Fold]:
    """Rows of units; a gap counts from the message before, drawn or folded."""
    gaps: dict[int, int] = {}
    if any(unit.text is not None for unit in units):
        gaps = {each.row: each.time - seen[at].time for at, each in enumerate(seen[1:])}
    before: Exchange | None = None
    last: int | None = None
    for unit in units:
        first = unit.messages[0]
        if unit.text is None:
            gap = gaps.get(first.row) if gaps else None if last is None else first.time - last
            yield arrows.draw(first, gap, before)
            last = first.time
        else:
            yield Fold(
                time=first.time,
                offset=first.time - arrows.start,
                end=unit.messages[-1].time,
                text=unit.text,
                source=cast.sockets[first.src],
                target=cast.sockets[first.dst],
                kind=message_kind(first.status, first.method or None),
                messages=tuple(each.row for each in unit.messages),
                leg=first.leg,
                severity=functools.reduce(worse, map(arrows.severity, unit.messages)),
            )
        before = first.exchange


# ---- remarks
def _about_calls(calls: Sequence[Call], legs: Sequence[Leg]) -> list[str]:
    partial = [leg.title for call, leg in zip(calls, legs, strict=True) if call.partial]
    if not partial:
        return []
    if len(calls) == 1:
        return ["The capture began after this call did: its beginning is not known."]
    named = "; ".join(partial[:_MOST_LEGS_TOLD]) + (" and others" if len(partial) > _MOST_LEGS_TOLD else "")
    return [f"The capture began after these legs did, whose beginning is not known: {named}."]


def _about_captures(result: Result, calls: Sequence[Call]) -> list[str]:
    remarks = []
    for number in sorted({call.capture for call in calls}):
        capture = result.captures[number] if 0 <= number < len(result.captures) else None
        if capture is not None and capture.grade not in (None, "good"):
            doubts = "; ".join(capture.doubts)
            which = "The capture" if len(result.captures) == 1 else f"The capture {shown(capture.file, 80)}"
            remarks.append(f"{which} is {capture.grade}: {doubts}.")
    return remarks
