"""Who took part in a call, and what its messages say about why it ended: headers beside the ones that group.

Owns: asserted identity, diversion, products, cause of release. In: rows of the message table. Out: text, as it stands
in the headers, or the row that has it; None where there is none. Sources: RFC 3325 (P-Asserted-Identity), RFC
5806 (Diversion), RFC 7044 (History-Info), RFC 3326 and 6432 (Reason), RFC 3261 20.43 (Warning).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ..result import Messages
from ..sip.header import find_headers
from .bundles import Bundles
from .rows import Rows, distinct

__all__ = ["ASSERTED", "CAUSE", "DIVERTED", "find_first", "product_of_callee", "product_of_caller", "rows_naming"]

ASSERTED = ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID")
DIVERTED = ("Diversion", "History-Info")
CAUSE = ("Reason", "Warning")
"""Headers that answer one question, the better one first."""

_BLOCK = 1 << 20
"""Bytes that are searched at once."""


def find_first(messages: Messages, at: Bundles, *questions: tuple[str, ...]) -> list[list[str | None]]:
    """Answer questions from the headers of some messages.

    Parameters
    ----------
    messages : Messages
        Message table.
    at : Bundles
        Messages to look in, a bundle a call, the best first.
    questions : tuple of str
        Each one of the above. A worse message with the better header wins.

    Returns
    -------
    list of list
        For each question and bundle the text of the header, several values joined with ``, ``; None where no message
        has any.
    """
    names = list(dict.fromkeys(name for names in questions for name in names))
    naming = dict(zip(names, rows_naming(messages, at.rows, names), strict=True))
    return [_answer(messages, at, [(name, naming[name]) for name in names]) for names in questions]


def _answer(messages: Messages, at: Bundles, names: Sequence[tuple[str, frozenset[int]]]) -> list[str | None]:
    answers: list[str | None] = [None] * len(at)
    some = np.fromiter(frozenset().union(*(rows for _, rows in names)), np.int64)
    for place in distinct(at.owner()[np.isin(at.rows, some)]).tolist():
        answers[place] = _search(messages, at.of_one(place), names)
    return answers


def _search(messages: Messages, at: Sequence[int], names: Sequence[tuple[str, frozenset[int]]]) -> str | None:
    for name, naming in names:
        for row in at:
            if row in naming:
                values = [value for value in find_headers(messages.raw(row), name) if value]
                if values:
                    return ", ".join(values)
    return None


def rows_naming(messages: Messages, rows: npt.NDArray[np.int64], names: Sequence[str]) -> list[frozenset[int]]:
    """Which messages have the names of some headers anywhere in them, in any case.

    Most messages have none of these headers. Looking for their names in many messages laid end to end spares opening
    each of them; a name across the seam of two is found in the first, and reading its headers then finds nothing.

    Parameters
    ----------
    messages : Messages
        Message table.
    rows : int64[n]
        Messages to look in.
    names : sequence of str
        In any case; compact names are other names.

    Returns
    -------
    list of frozenset of int
        For each name the messages to look into.
    """
    words = [name.lower().encode() for name in names]
    found: list[set[int]] = [set() for _ in names]
    for block, begins, chosen in _blocks(messages, distinct(rows)):
        for word, mine in zip(words, found, strict=True):
            at = block.find(word)
            while at >= 0:
                place = int(np.searchsorted(begins, at, "right")) - 1
                mine.add(int(chosen[place]))
                at = block.find(word, int(begins[place + 1]))  # one is enough of a message
    return [frozenset(each) for each in found]


def _blocks(
    messages: Messages, rows: npt.NDArray[np.int64]
) -> Iterator[tuple[bytes, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Messages laid end to end in lower case, about a mebibyte at a time: bytes, where each begins (and the end), rows.

    Messages that stand side by side in the table's bytes are taken in one slice.
    """
    ends = np.cumsum(messages.length[rows])
    whole = memoryview(messages.data)  # type: ignore[arg-type]
    begin = 0
    while begin < len(rows):
        before = int(ends[begin - 1]) if begin else 0
        stop = max(int(np.searchsorted(ends, before + _BLOCK, "right")), begin + 1)
        chosen = rows[begin:stop]
        slices = zip(messages.at[chosen].tolist(), messages.length[chosen].tolist(), strict=True)
        block = b"".join([whole[at : at + length] for at, length in slices])
        yield block.lower(), np.concatenate(([0], ends[begin:stop] - before)), chosen
        begin = stop


def product_of_caller(rows: Rows, first: int, requests: Iterable[int]) -> int | None:
    """Row with the User-Agent of the caller: of the first INVITE, else of his next request that has one."""
    return _first_product(rows, itertools.chain((first,), requests))


def product_of_callee(rows: Rows, responses: Sequence[int], requests: Iterable[int]) -> int | None:
    """Row with the Server or User-Agent of the callee.

    Parameters
    ----------
    rows : Rows
        Message table.
    responses : sequence of int
        Responses to the initial INVITE at one hop. A 2xx speaks for the callee, then a 101-199, then the last failure
        that is no challenge, then a challenge; a 100 is the next proxy's.
    requests : iterable of int
        Requests that the callee sent, asked where the responses are silent.
    """
    status = rows.status
    accepted = [row for row in responses if 200 <= status[row] < 300]
    product = _first_product(rows, accepted)
    if product is None:
        product = _first_product(rows, (row for row in responses if 100 < status[row] < 200))
    if product is None and not accepted:
        failures = [row for row in responses if status[row] >= 300]
        telling = [row for row in failures if status[row] not in (401, 407)] or failures
        product = _first_product(rows, reversed(telling))
    return product if product is not None else _first_product(rows, requests)


def _first_product(rows: Rows, at: Iterable[int]) -> int | None:
    return next((row for row in at if rows.user_agent[row] >= 0), None)
