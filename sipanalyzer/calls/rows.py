"""The message table for loops over single messages.

Owns: nothing of its own; it looks at the integer columns of :class:`~sipanalyzer.result.Messages` through memoryviews
(an item of an array costs Python five times as much; lists would cost a million messages a third of a gigabyte), gives
From and To tags one numbering, and methods as text. In: `Messages`. Out: `Rows`. Law: row `i` here is row `i` there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..result import Messages

__all__ = [
    "Requests",
    "Rows",
    "dense_pairs",
    "distinct",
    "items",
    "number_hosts",
    "number_to_tags",
    "pick_rows",
    "read_rows",
    "sort_requests",
]

Ints = npt.NDArray[np.int64]
_LARGEST = 1 << 62


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of the message table; ids as in `Messages`, -1 where missing."""

    time: Sequence[int]
    src: Sequence[int]
    dst: Sequence[int]
    status: Sequence[int]
    """Status code; 0 for a request."""
    method: list[str]
    """Method of a request, CSeq method of a response; empty where missing."""
    cseq: Sequence[int]
    call_id: Sequence[int]
    from_tag: Sequence[int]
    to_tag: Sequence[int]
    """Numbered as `from_tag` is: equal numbers, equal tags."""
    branch: Sequence[int]
    user_agent: Sequence[int]
    messages: Messages


def items(column: Ints) -> Sequence[int]:
    """A column whose items are Python's integers."""
    return memoryview(np.ascontiguousarray(column))  # type: ignore[arg-type]


def read_rows(messages: Messages) -> Rows:
    """Look at the columns that matter to transactions, dialogs and calls."""
    methods = [*messages.texts["method"], ""]
    to_tag = number_to_tags(messages)
    return Rows(
        time=items(messages.time),
        src=items(messages.src),
        dst=items(messages.dst),
        status=items(messages.status),
        method=[methods[number] for number in messages.method.tolist()],
        cseq=items(messages.cseq),
        call_id=items(messages.call_id),
        from_tag=items(messages.from_tag),
        to_tag=items(to_tag),
        branch=items(messages.branch),
        user_agent=items(messages.user_agent),
        messages=messages,
    )


def number_to_tags(messages: Messages) -> Ints:
    """The column of To tags, numbered as From tags are: equal numbers, equal tags."""
    if messages.texts["from_tag"] is messages.texts["to_tag"]:
        return messages.to_tag
    number = {tag: place for place, tag in enumerate(messages.texts["from_tag"])}
    renumbered = np.full(len(messages.texts["to_tag"]) + 1, -1, np.int64)
    for place, tag in enumerate(messages.texts["to_tag"]):
        renumbered[place] = number.setdefault(tag, len(number))
    to_tag: Ints = renumbered[messages.to_tag]
    return to_tag


def number_hosts(messages: Messages) -> Ints:
    """A number for the host of each endpoint."""
    numbers: dict[str, int] = {}
    hosts = [numbers.setdefault(address, len(numbers)) for address, _ in messages.endpoints]
    return np.array(hosts, np.int64)


def pick_rows(messages: Messages, rows: Ints) -> Messages:
    """A message table of some rows of another, texts and bytes shared."""
    columns = {field.name: getattr(messages, field.name) for field in dataclasses.fields(messages)}
    picked: dict[str, Any] = {
        name: column[rows] for name, column in columns.items() if isinstance(column, np.ndarray) and name != "data"
    }
    return dataclasses.replace(messages, **picked)


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests of one Call-ID that end, confirm or answer something; rows in order of time."""

    byes: list[int]
    cancels: list[int]
    acks: list[int]
    pracks: list[int]


def sort_requests(members: list[int], rows: Rows) -> Requests:
    """Sort the requests among some messages by what they do."""
    found = Requests([], [], [], [])
    kinds = {"BYE": found.byes, "CANCEL": found.cancels, "ACK": found.acks, "PRACK": found.pracks}
    for row in members:
        if rows.status[row] == 0:
            kind = kinds.get(rows.method[row])
            if kind is not None:
                kind.append(row)
    return found


def distinct(values: Ints) -> Ints:
    """The different values, ascending: what `numpy.unique` gives, which loads numpy's masked arrays to do it."""
    ordered = np.sort(values)
    different: Ints = ordered[np.diff(ordered, prepend=ordered[:1] - 1) != 0]
    return different


def dense_pairs(first: Ints, second: Ints) -> Ints:
    """One small integer for each distinct pair of values.

    Parameters
    ----------
    first, second : int64[n]
        Any values.

    Returns
    -------
    int64[n]
        In 0..n-1; equal exactly where both values are equal, so that products of two such columns stay under n squared.
    """
    if not len(first):
        return np.zeros(0, np.int64)
    low, high = int(second.min()), int(second.max())
    if (int(first.max()) - int(first.min()) + 1) * (high - low + 1) < _LARGEST:
        pair = (first - first.min()) * (high - low + 1) + (second - low)
    else:
        _, a = np.unique(first, return_inverse=True)
        _, b = np.unique(second, return_inverse=True)
        pair = a.astype(np.int64) * (int(b.max()) + 1) + b
    _, dense = np.unique(pair, return_inverse=True)
    numbers: Ints = dense.astype(np.int64)
    return numbers
