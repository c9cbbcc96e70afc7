"""OPTIONS that asks whether somebody is there (RFC 3261 section 11). Floor 5.

Owns: the table of probes. In: messages and transactions. Out: one `Probe` for each pair of endpoints, in order of the
first. An OPTIONS with a To tag asks inside a dialog, and is none. Any final response is an answer: who says 404 is
there.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..facts import Probe
from ..result import Endpoint, Messages, Transaction
from .nearest import first_rows, transactions_of

__all__ = ["find_probes"]


def find_probes(messages: Messages, transactions: Sequence[Transaction]) -> list[Probe]:
    """Count OPTIONS outside a dialog, and their answers.

    Parameters
    ----------
    messages : Messages
        In order of time.
    transactions : sequence of Transaction
        All, in order of their first request.

    Returns
    -------
    list of Probe
        One a sender and receiver (address and port), in order of the first probe.
    """
    asked = transactions_of(messages, transactions, ("OPTIONS",))
    inside = (messages.to_tag[first_rows(asked)] >= 0).tolist()
    by_peer: dict[tuple[Endpoint, Endpoint], list[Transaction]] = {}
    for transaction, in_dialog in zip(asked, inside, strict=True):
        if not in_dialog:
            by_peer.setdefault((transaction.src, transaction.dst), []).append(transaction)
    return [_probe(sent) for sent in by_peer.values()]


def _probe(sent: list[Transaction]) -> Probe:
    times = [each.final_response - each.start for each in sent if each.final_response is not None]
    first = sent[0]
    return Probe(
        src=first.src,
        dst=first.dst,
        sent=len(sent),
        answered=len(times),
        answered_percent=100.0 * len(times) / len(sent),
        mean_response_ms=sum(times) / len(times) / 1e6 if times else None,
        max_response_ms=max(times) / 1e6 if times else None,
        start=first.start,
        capture=first.capture,
        first_frame=first.first_frame,
    )
