"""What every rule reads: one result, indexed once, and the making of a finding. Floor 7.

In: a :class:`~sipanalyzer.result.Result`. Out: :class:`Context`, which rules look things up in, and which knows the
default severity, likelihood and advice of each code (:mod:`sipanalyzer.explanations`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TypeVar

from ..explanations import explanations
from ..facts import Finding
from ..options import Options
from ..result import Call, Dialog, Messages, Result, Stream, Transaction

__all__ = ["Context", "Rule"]

_T = TypeVar("_T", Transaction, Dialog)

Rule = Callable[["Context"], Iterable[Finding]]
"""A rule reads a result and finds one thing (or a family of things) wrong with it."""


class Context:
    """One result, indexed.

    Parameters
    ----------
    result : Result
    """

    def __init__(self, result: Result) -> None:
        self.result = result
        self.options: Options = result.options
        self.messages: Messages = result.messages
        self.calls: dict[str, Call] = {call.call_id: call for call in result.calls}

    @cached_property
    def transactions(self) -> dict[str, list[Transaction]]:
        """By Call-ID, in order of time."""
        return _grouped(self.result.transactions)

    @cached_property
    def dialogs(self) -> dict[str, list[Dialog]]:
        """By Call-ID, in order of time."""
        return _grouped(self.result.dialogs)

    def streams(self, call: Call) -> list[tuple[int, Stream]]:
        """A call's streams with their numbers."""
        return [(number, self.result.streams[number]) for number in call.streams]

    def finding(
        self,
        code: str,
        explanation: str,
        *,
        call: Call | str | None = None,
        stream: int | None = None,
        rows: Iterable[int] = (),
        frames: Iterable[int] = (),
        capture: int | None = None,
        time: int | None = None,
        severity: str | None = None,
        affects: str | None = None,
        doubtful: str | None = None,
        causes: tuple[str, ...] = (),
        likelihood: int | None = None,
        advice: str | None = None,
    ) -> Finding:
        """A finding, completed.

        Parameters
        ----------
        code : str
            One that ``explanations/finding.toml`` has.
        explanation : str
            One sentence with the measured values.
        call : Call or str, optional
            The call it concerns, or its Call-ID.
        stream : int, optional
            The stream it concerns (index into `Result.streams`); names the call where `call` does not.
        rows : iterable of int
            Messages that show it; time, capture and frames are theirs.
        frames, capture, time
            Likewise, where it is no message that shows it.
        severity, likelihood, advice
            Where the case differs from the code's default.
        affects : str, optional
            Who notices.
        doubtful : str, optional
            Why the severity is lower than the code's.
        causes : tuple of str
            Codes that it is a consequence of.
        """
        text = explanations("finding")[code]
        shown = sorted(rows)
        if shown:
            messages = self.messages
            capture = int(messages.capture[shown[0]]) if capture is None else capture
            time = int(messages.time[shown[0]]) if time is None else time
            frames = [*frames, *(int(messages.frame[row]) for row in shown if int(messages.capture[row]) == capture)]
        if stream is not None:
            seen = self.result.streams[stream]
            call = seen.call_id if call is None else call
            capture = seen.capture if capture is None else capture
            time = seen.start if time is None else time
            frames = list(frames) or [seen.first_frame]
        numbers = tuple(dict.fromkeys(frames))
        return Finding(
            code=code,
            severity=severity or text.severity or "info",
            explanation=explanation,
            advice=advice or text.advice or "",
            call_id=call.call_id if isinstance(call, Call) else call,
            stream=stream,
            time=time,
            capture=capture,
            frame=numbers[0] if numbers else None,
            frames=numbers,
            affects=affects,
            doubtful=doubtful,
            causes=causes,
            likelihood=text.likelihood if likelihood is None else likelihood,
        )


def _grouped(things: Iterable[_T]) -> dict[str, list[_T]]:
    groups: dict[str, list[_T]] = defaultdict(list)
    for thing in things:
        groups[thing.call_id].append(thing)
    return groups
