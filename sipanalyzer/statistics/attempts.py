"""Each call as RFC 6076 counts it: one session request, its outcome, its delays. Floor 7.

In: a :class:`~sipanalyzer.result.Result`. Out: an :class:`Attempt` for each call whose initial INVITE was captured.
A call is one Call-ID, so forks, credentials after a challenge and the detour of a redirection count once (5.3, 5.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..result import Call, Result

__all__ = ["Attempt", "capture_end", "read_attempts"]

_ANSWERED = ("completed", "in-call")
_UNDECIDED = ("setup", "ringing")
_CHALLENGES = (401, 402, 407)
"""RFC 6076 4.3.2: no failures."""


@dataclass(slots=True)
class Attempt:
    """A session request. Delays are None where they do not apply or were not seen.

    Never changed once it is made; not frozen, since that makes making one five times slower.
    """

    pair: tuple[str, str] | None
    """Addresses of the first INVITE's sender and receiver."""
    start: int
    """ns."""
    answered: bool
    """A 2xx, or what proves one."""
    decided: bool
    """Whether its outcome was captured."""
    cancelled: bool
    status: int | None
    """Final response as the caller saw it."""
    completed: bool
    """Answered and ended by a BYE that did not go without a response."""
    pdd_ms: float | None
    """INVITE to the first 180-183, or to the answer where none came before."""
    srd_s: float | None
    """4.3.1: the same, of a session that was established."""
    srd_failed_s: float | None
    """4.3.2: INVITE to the first 180-183, or to the failure where none came."""
    sdt_s: float | None
    """4.5.1: answer to BYE."""
    sdt_failed_s: float | None
    """4.5.2: answer to the expiry of timer F, where nobody responded to the BYE."""
    sdd_ms: float | None
    """4.4: BYE to its 2xx."""
    duration_s: float | None
    """Answer to BYE, of every call that ended."""


def read_attempts(result: Result) -> Iterator[Attempt]:
    """Session requests, in order of calls; partial calls are none."""
    refused = _refused_byes(result)
    end = capture_end(result)
    for call in result.calls:
        if not call.partial and call.start is not None:
            yield _read(call, call.start, refused, end, result.options.transaction_timeout_ns)


def capture_end(result: Result) -> int:
    """Time of the last packet, ns; that of the last message where the captures do not say."""
    lasts = [capture.last for capture in result.captures if capture.last is not None]
    return max(lasts, default=max((call.last_time for call in result.calls), default=0))


def _refused_byes(result: Result) -> set[tuple[str, int]]:
    """Call-ID and time of final responses to a BYE that are no 2xx."""
    return {
        (each.call_id, each.final_response)
        for each in result.transactions
        if each.method == "BYE" and each.final_response is not None and (each.status_code or 0) >= 300
    }


def _read(call: Call, start: int, refused: set[tuple[str, int]], end: int, timeout_ns: int) -> Attempt:
    status = call.status_code
    answered = call.state in _ANSWERED
    failed = not answered and status is not None and status >= 400 and status not in _CHALLENGES
    heard = [each for each in (call.ringing, call.answered) if each is not None]
    first_sign = _since(start, min(heard)) if heard else None
    setup = first_sign
    if failed and setup is None:
        setup = _since(start, call.end)
    talked = _since(call.answered, call.first_bye)
    expired = call.first_bye is not None and call.bye_final is None and end - call.first_bye >= timeout_ns
    disconnected = _since(call.first_bye, call.bye_final)
    if call.bye_final is not None and (call.call_id, call.bye_final) in refused:
        disconnected = None
    return Attempt(
        pair=None if call.src is None or call.dst is None else (call.src[0], call.dst[0]),
        start=start,
        answered=answered,
        decided=call.state not in _UNDECIDED,
        cancelled=call.state == "cancelled",
        status=status,
        completed=call.state == "completed" and not expired,
        pdd_ms=None if first_sign is None else first_sign / 1e6,
        srd_s=setup / 1e9 if answered and setup is not None else None,
        srd_failed_s=setup / 1e9 if failed and setup is not None else None,
        sdt_s=talked / 1e9 if talked is not None and not expired else None,
        sdt_failed_s=(talked + timeout_ns) / 1e9 if talked is not None and expired else None,
        sdd_ms=None if disconnected is None else disconnected / 1e6,
        duration_s=talked / 1e9 if talked is not None and call.state == "completed" else None,
    )


def _since(before: int | None, after: int | None) -> int | None:
    """Nanoseconds between two times; None where one is not known, or where a stepping clock turned them round."""
    return None if before is None or after is None or after < before else after - before
