"""Finding a call by what a person types, and narrowing a result to some calls. Floor 8.

In: a result and a Call-ID, the beginning of one, or a row number; or a set of Call-IDs. Out: the call; a smaller
result whose indices are consistent.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Collection
from typing import Any

import numpy as np

from ..calls.probes import find_probes
from ..facts import Intervals
from ..result import Call, Messages, Result
from .cells import visible
from .derived import findings_of, without_derived
from .tables import row_order

__all__ = ["find_call", "narrow"]

_CANDIDATES = 5


def find_call(result: Result, wanted: str | int) -> Call:
    """The call that is meant.

    Parameters
    ----------
    result : Result
        Where to look.
    wanted : str or int
        A Call-ID, an unambiguous beginning of one (a ``…`` behind it, as tables cut long ones, is ignored), or the
        number of a row in the table `calls`, counted from 0; negative numbers count from the end.

    Raises
    ------
    ValueError
        If there is no such call, or several; the message names the first of them.
    """
    calls = result.calls
    if not calls:
        raise ValueError("there is no call in this capture")
    if not isinstance(wanted, str):
        if not hasattr(wanted, "__index__"):  # numpy's whole numbers have it too
            raise ValueError(f"a call is named by its Call-ID or row number, not by {wanted!r}")
        return _by_row(result, operator.index(wanted))
    meant = {wanted}
    if result.options.redact:
        from ..redaction.door import replaced_text

        meant.add(replaced_text(wanted.strip(), result.options)[0])
    for call in calls:
        if call.call_id in meant:
            return call
    beginning = wanted.strip().removesuffix("…").removesuffix("...")
    found = [call for call in calls if call.call_id.startswith(beginning)] if beginning else []
    if len(found) == 1:
        return found[0]
    number = int(beginning) if beginning.isascii() and beginning.isdigit() and len(beginning) < 10 else None
    if number is not None and (not found or number < len(calls)):  # the beginning of several calls names none of them
        return _by_row(result, number)
    if found:
        some = ", ".join(visible(call.call_id) for call in found[:_CANDIDATES])
        more = f" and {len(found) - _CANDIDATES} more" if len(found) > _CANDIDATES else ""
        raise ValueError(f"{len(found)} calls begin with {visible(beginning)!r}: {some}{more}")
    raise ValueError(
        f"no call has the Call-ID {visible(wanted)!r}; there are {len(calls)}, the first is "
        f"{visible(calls[row_order(result, 'calls')[0]].call_id)}"
    )


def _by_row(result: Result, row: int) -> Call:
    order = row_order(result, "calls")
    if not -len(order) <= row < len(order):
        raise ValueError(f"there is no call in row {row}; rows go from 0 to {len(order) - 1}")
    return result.calls[order[row]]


def narrow(result: Result, call_ids: Collection[str], *, number: str | None = None) -> Result:
    """The result of these Call-IDs alone: their messages, transactions, dialogs, calls, streams and so on.

    What is told of the captures and of the network stays as it is: they were read whole. Findings are those of the
    whole, since a rule that looks at many calls would not find the same in one of them. `number` is the number that
    chose the Call-IDs, if one did: the summary says so.
    """
    wanted = frozenset(call_ids)
    messages, rows = _narrow_messages(result.messages, wanted)
    kept = [
        number
        for number, stream in enumerate(result.streams)
        if stream.call_id in wanted or not wanted.isdisjoint(stream.also_call_ids)
    ]
    places = {number: place for place, number in enumerate(kept)}
    findings = tuple(
        dataclasses.replace(each, stream=places.get(each.stream) if each.stream is not None else None)
        for each in findings_of(result)
        if (each.call_id is None and each.stream is None) or each.call_id in wanted or each.stream in places
    )
    transactions = tuple(
        dataclasses.replace(each, rows=tuple(rows[row] for row in each.rows if row in rows))
        for each in result.transactions
        if each.call_id in wanted
    )
    return dataclasses.replace(
        result,
        messages=messages,
        transactions=transactions,
        dialogs=tuple(each for each in result.dialogs if each.call_id in wanted),
        calls=tuple(
            dataclasses.replace(
                each,
                rows=tuple(rows[row] for row in each.rows if row in rows),
                streams=tuple(places[number] for number in each.streams if number in places),
            )
            for each in result.calls
            if each.call_id in wanted
        ),
        streams=tuple(result.streams[number] for number in kept),
        sessions=tuple(each for each in result.sessions if not wanted.isdisjoint(each.call_ids)),
        registrations=tuple(
            dataclasses.replace(each, rows=tuple(rows[row] for row in each.rows if row in rows))
            for each in result.registrations
            if each.call_id in wanted
        ),
        pages=tuple(each for each in result.pages if each.call_id in wanted),
        subscriptions=tuple(each for each in result.subscriptions if each.call_id in wanted),
        probes=tuple(find_probes(messages, transactions)),
        rtcp=tuple(
            dataclasses.replace(each, stream=None if each.stream is None else places.get(each.stream))
            for each in result.rtcp
            if each.call_id in wanted or each.stream in places
        ),
        intervals=_narrow_intervals(result.intervals, places),
        outages=tuple(
            dataclasses.replace(each, stream=places[each.stream]) for each in result.outages if each.stream in places
        ),
        extra=without_derived(result.extra) | {"findings": findings} | _told_by_number(result, kept, number),
    )


def _told_by_number(result: Result, kept: list[int], number: str | None) -> dict[str, Any]:
    """What else is kept by a stream's number, and the number that was asked for."""
    turns = result.extra.get("turns")
    told: dict[str, Any] = {} if turns is None else {"turns": tuple(turns[each] for each in kept)}
    return told | ({"number": number} if number else {})


def _narrow_intervals(intervals: Intervals, places: dict[int, int]) -> Intervals:
    """The intervals of these streams, with the streams' new numbers."""
    kept = np.array([number in places for number in intervals.stream.tolist()], np.bool_)
    smaller = {each.name: getattr(intervals, each.name)[kept] for each in dataclasses.fields(intervals)}
    smaller["stream"] = np.array([places[number] for number in smaller["stream"].tolist()], np.int64)
    return Intervals(**smaller)


def _narrow_messages(messages: Messages, wanted: frozenset[str]) -> tuple[Messages, dict[int, int]]:
    """The messages of these Call-IDs, and the new row of each old one; bytes and texts stay shared."""
    if not len(messages):
        return messages, {}
    chosen = np.array([text in wanted for text in messages.texts["call_id"]] + [False])  # -1 finds the last: no Call-ID
    kept = np.flatnonzero(chosen[messages.call_id])
    smaller = {
        each.name: getattr(messages, each.name)[kept]
        for each in dataclasses.fields(messages)
        if each.name not in ("data", "endpoints", "texts")
    }
    rows = {int(old): new for new, old in enumerate(kept)}
    return dataclasses.replace(messages, **smaller), rows
