"""Calls of a number, however it is written. Floor 8.

In: a result and a number as a person types it. Out: the Call-IDs whose From, To, Request-URI, asserted identity or
diversion is that number, whatever the ``+``, ``00``, separators or parameters.
"""

from __future__ import annotations

from ..result import Result
from ..sip.uri import number_of

__all__ = ["call_ids_of", "shown_number"]

_CALL_FIELDS = ("caller", "callee", "from_uri", "to_uri", "request_uri", "asserted_identity", "diversion")
_MESSAGE_FIELDS = ("from_uri", "to_uri", "request_uri")


def call_ids_of(result: Result, number: str) -> set[str]:
    """Call-IDs of `number`: of calls, and of what is no call (REGISTER, MESSAGE) by From, To and Request-URI.

    Raises
    ------
    ValueError
        If `number` is no number and no name either.
    """
    typed = number_of(_addresses(number)[0])  # a header's value may have been pasted whole
    if not typed:
        raise ValueError(f"{number!r} is no number")
    wanted = {typed, number_of(shown_number(result, typed))}  # of a redacted result: as it was, and as it is shown
    known: dict[str, bool] = {}

    def fits(text: str | None) -> bool:
        if not text:
            return False
        if text not in known:  # few different texts, many messages
            known[text] = any(number_of(part) in wanted for part in _addresses(text))
        return known[text]

    found = {call.call_id for call in result.calls if any(fits(getattr(call, field)) for field in _CALL_FIELDS)}
    messages = result.messages
    if not len(messages):
        return found
    import numpy as np

    chosen = np.zeros(len(messages), dtype=bool)
    for field in _MESSAGE_FIELDS:
        answers = np.array([fits(text) for text in messages.texts[field]] + [False])  # -1 finds the last: missing
        chosen |= answers[getattr(messages, field)]
    ids = messages.texts["call_id"]
    return found | {ids[each] for each in np.unique(messages.call_id[chosen]).tolist() if each >= 0}


def shown_number(result: Result, number: str) -> str:
    """A number as this result shows it: another one where it is redacted."""
    if not result.options.redact:
        return number
    from ..redaction.door import replaced_text

    return replaced_text(number_of(_addresses(number)[0]), result.options)[1]


def _addresses(text: str) -> list[str]:
    """What stands in angle brackets (a header value may have several, as Diversion does), else the text itself."""
    parts = [part.partition(">")[0] for part in text.split("<")[1:]]
    return parts or [text]
