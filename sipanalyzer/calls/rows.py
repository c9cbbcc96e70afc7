"""The message table as plain lists, for loops over single messages.

Owns: nothing of its own; it turns the integer columns of :class:`~sipanalyzer.result.Messages` into Python lists once
(reading one element of an array costs ten times as much), gives From and To tags one numbering, and methods as text.
In: `Messages`. Out: `Rows`. Law: row `i` here is row `i` there.
"""

from __future__ import annotations

import dataclasses
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
    """Columns of the message table as lists; ids as in `Messages`, -1 where missing."""

    time: list[int]
    src: list[int]
    dst: list[int]
    status: list[int]
    """Status code; 0 for a request."""
    method: list[str]
    """Method of a request, CSeq method of a response; empty where missing."""
    cseq: list[int]
    call_id: list[int]
    from_tag: list[int]
    to_tag: list[int]
    """Numbered as `from_tag` is: equal numbers, equal tags."""
    branch: list[int]
    user_agent: list[int]
    messages: Messages


def read_rows(messages: Messages) -> Rows:
    """Make lists of the columns that matter to transactions, dialogs and calls."""
    methods = [*messages.texts["method"], ""]
    to_tag = number_to_tags(messages)
    return Rows(
        time=messages.time.tolist(),
        src=messages.src.tolist(),
        dst=messages.dst.tolist(),
        status=messages.status.tolist(),
        method=[methods[number] for number in messages.method.tolist()],
        cseq=messages.cseq.tolist(),
        call_id=messages.call_id.tolist(),
        from_tag=messages.from_tag.tolist(),
        to_tag=to_tag.tolist(),
        branch=messages.branch.tolist(),
        user_agent=messages.user_agent.tolist(),
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
