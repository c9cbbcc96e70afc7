"""What became of a call: the state rules of the public contract.

Owns: the words of the column `state`. In: the few facts of one call that decide it. Out: a word. The first rule that
fits wins, in the order in which they stand here.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Facts", "decide_state", "state_of_failure"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides the state of a call; only the initial INVITE's transactions at the caller's hop count."""

    answered: bool
    """A 2xx, or an in-dialog ACK or BYE that proves one."""
    ended: bool
    """Every confirmed dialog has a BYE."""
    withdrawn: bool
    """CANCEL, or BYE before the 2xx."""
    final: int | None
    """Final response that is not a 2xx."""
    rang: bool
    """A 180-183 came (before the final response)."""
    unanswered: bool
    """No response at all, and the capture ran on for 64*T1."""
    provisional: bool
    """A 101-199 came."""


_BY_STATUS = {486: "busy", 600: "busy", 480: "no-answer", 487: "no-answer"}
_BY_CLASS = {3: "redirected", 4: "rejected", 5: "failed", 6: "rejected"}


def decide_state(facts: Facts) -> str:
    """The state of a call."""
    if facts.answered:
        return "completed" if facts.ended else "in-call"
    if facts.withdrawn and facts.final in (None, 487):
        return "cancelled"
    if facts.final is not None:
        return state_of_failure(facts.final, facts.rang)
    if facts.unanswered:
        return "failed"
    return "ringing" if facts.provisional else "setup"


def state_of_failure(status: int, rang: bool) -> str:
    """The state after a final response of 300 or more, where nobody cancelled.

    Parameters
    ----------
    status : int
        Status code.
    rang : bool
        Whether a 180-183 came before it: then a 408 means that nobody took up the phone, else that nobody was reached.
    """
    if status == 408:
        return "no-answer" if rang else "failed"
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, "failed")
