"""Who took part in a call, and what its messages say about why it ended: headers beside the ones that group.

Owns: asserted identity, diversion, products, cause of release. In: rows of the message table. Out: text, as it stands
in the headers; None where there is none. Sources: RFC 3325 (P-Asserted-Identity), RFC 5806 (Diversion), RFC 7044
(History-Info), RFC 3326 and 6432 (Reason), RFC 3261 20.43 (Warning).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..sip.header import find_headers
from .rows import Rows

__all__ = ["ASSERTED", "CAUSE", "DIVERTED", "find_first", "product_of_callee", "product_of_caller"]

ASSERTED = ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID")
DIVERTED = ("Diversion", "History-Info")
CAUSE = ("Reason", "Warning")
"""Headers that answer one question, the better one first."""

_WORDS = {name: name.lower().encode() for name in (*ASSERTED, *DIVERTED, *CAUSE)}


def find_first(rows: Rows, at: Sequence[int], *questions: tuple[str, ...]) -> list[str | None]:
    """Answer questions from the headers of some messages.

    Parameters
    ----------
    rows : Rows
        Message table.
    at : sequence of int
        Messages to look in, the best first.
    questions : tuple of str
        Each one of the above. A worse message with the better header wins.

    Returns
    -------
    list
        For each question the text of the header, several values joined with ``, ``; None where no message has any.
    """
    raws = [rows.messages.raw(row) for row in at]
    small = [raw.lower() for raw in raws]
    return [_search(raws, small, names) for names in questions]


def _search(raws: list[bytes], small: list[bytes], names: tuple[str, ...]) -> str | None:
    for name in names:
        word = _WORDS[name]
        for raw, lower in zip(raws, small, strict=True):
            # most messages have none of these headers: a search for the bytes spares reading all of theirs
            if word in lower:
                values = [value for value in find_headers(raw, name) if value]
                if values:
                    return ", ".join(values)
    return None


def product_of_caller(rows: Rows, first: int, requests: Iterable[int]) -> str | None:
    """User-Agent of the first INVITE, else of the caller's next request that has one."""
    product = rows.messages.text("user_agent", first)
    return product if product is not None else _first_product(rows, requests)


def product_of_callee(rows: Rows, responses: Sequence[int], requests: Iterable[int]) -> str | None:
    """Server or User-Agent of the callee.

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


def _first_product(rows: Rows, at: Iterable[int]) -> str | None:
    for row in at:
        product = rows.messages.text("user_agent", row)
        if product is not None:
            return product
    return None
