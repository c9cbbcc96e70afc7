"""How a call ended: with which message, by whom, and which messages say why.

Owns: the columns `end`, `released_by`, and the BYE that counts. In: the hop nearest to the caller, the rows of one
Call-ID and what became of it. Out: a `Release`, as rows: times and texts are read off them later.

The BYE that counts is the first at the caller's hop (at any, where none was seen there); a BYE that was challenged and
sent again is one release. A box between has ended the call (``network``) where BYEs with the caller's tag and with the
callee's both went out, and neither side was seen sending its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..result import Transaction
from .hops import CallerHop
from .outcome import Outcome
from .rows import Rows

__all__ = ["Release", "find_release", "find_release_of_partial"]


@dataclass(frozen=True, slots=True)
class Release:
    """How a call ended, and the messages (rows) that say so; None where not seen."""

    end: int | None
    first_bye: int | None
    bye_final: int | None
    by: str | None
    messages: list[int]
    """Rows that may name the cause, the most telling first."""


def find_release(
    hop: CallerHop, byes: list[int], transactions: list[Transaction], outcome: Outcome, rows: Rows
) -> Release:
    """Find the release of a call whose initial INVITE was captured; `byes` are its BYE requests at all hops."""
    bye = next((row for row in byes if hop.sees(rows, row)), byes[0] if byes else None)
    released_by = None
    if bye is not None:
        released_by = "network" if _by_network(hop, byes, rows) else _side(hop, rows, bye)
    elif outcome.state == "cancelled":
        released_by = "caller"
    return _make(bye, released_by, transactions, outcome, rows)


def find_release_of_partial(byes: list[int], transactions: list[Transaction], outcome: Outcome, rows: Rows) -> Release:
    """Find the release of a partial call: who sent what is not known."""
    return _make(byes[0] if byes else None, None, transactions, outcome, rows)


def _make(
    bye: int | None, released_by: str | None, transactions: list[Transaction], outcome: Outcome, rows: Rows
) -> Release:
    failure = outcome.final if outcome.final is not None and rows.status[outcome.final] >= 300 else None
    causes = (bye, outcome.cancel, failure) if outcome.state == "cancelled" else (bye, failure, outcome.cancel)
    last = failure if bye is None else bye
    return Release(
        end=last,
        first_bye=bye,
        bye_final=None if bye is None else _bye_final(bye, transactions, rows),
        by=released_by,
        messages=[row for row in causes if row is not None],
    )


def _side(hop: CallerHop, rows: Rows, bye: int) -> str | None:
    """Sender of a BYE, by its tags."""
    if rows.from_tag[bye] in hop.tags:
        return "caller"
    # a box that changes tags may show its far side's BYE only: then the tags name nobody
    return "callee" if rows.to_tag[bye] in hop.tags else None


def _by_network(hop: CallerHop, byes: list[int], rows: Rows) -> bool:
    of_caller = [row for row in byes if rows.from_tag[row] in hop.tags]
    of_callee = [row for row in byes if rows.from_tag[row] not in hop.tags and rows.to_tag[row] in hop.tags]
    if not of_caller or not of_callee:
        return False
    return not any(hop.place(rows.src[row]) == hop.caller for row in of_caller) and not any(
        hop.place(rows.src[row]) in hop.sinks for row in of_callee
    )


def _bye_final(bye: int, transactions: list[Transaction], rows: Rows) -> int | None:
    """The final response to a BYE, or to the same BYE with credentials.

    A BYE of another fork, and one that follows a BYE that nobody answered, are other BYEs.
    """
    for transaction in transactions:
        first = transaction.rows[0]
        if (
            transaction.method != "BYE"
            or first < bye
            or (rows.from_tag[first], rows.to_tag[first]) != (rows.from_tag[bye], rows.to_tag[bye])
            or transaction.src[0] != rows.messages.endpoints[rows.src[bye]][0]
            or transaction.dst[0] != rows.messages.endpoints[rows.dst[bye]][0]
        ):
            continue
        final = next((row for row in transaction.rows if rows.status[row] >= 200), None)
        if final is None or rows.status[final] not in (401, 407):
            return final
    return None
