"""The cells of the table of calls that are not simply fields of a call. Floor 8.

In: a :class:`~sipanalyzer.result.Call` and its result. Out: one value a column.

Sources: RFC 6076 (session request delay, section 4.3; that authentication counts, section 5.3).
"""

from __future__ import annotations

from collections.abc import Callable

from ..result import Call, Result, host_port
from .cells import Cell
from .derived import finding_codes, session_numbers
from .display_filter import call_filter

__all__ = ["CALL_CELLS", "call_order"]


def call_order(call: Call) -> tuple[int, int]:
    """Sorting key: start (of a partial call its first message), then first frame."""
    return call.first_time if call.start is None else call.start, call.first_frame


def _ms(after: int | None, before: int | None) -> float | None:
    """Milliseconds between two times; missing where one is, or where they stand the wrong way round."""
    return None if after is None or before is None or after < before else (after - before) / 1e6


def _post_dial_delay_ms(call: Call) -> float | None:
    heard = [each for each in (call.ringing, call.answered) if each is not None]
    return _ms(min(heard), call.start) if heard else None


def _duration_s(call: Call) -> float | None:
    milliseconds = _ms(call.first_bye, call.answered)
    return (
        None
        if milliseconds is None or call.first_bye is None or call.answered is None
        else ((call.first_bye - call.answered) / 1e9)
    )


def _loss_percent(call: Call) -> float | None:
    return None if call.lost is None or not call.expected else 100.0 * call.lost / call.expected


def _filter(call: Call, result: Result) -> str:
    return call_filter(call.call_id, [result.streams[number] for number in call.streams])


def _file(call: Call, result: Result) -> str | None:
    return result.captures[call.capture].file if 0 <= call.capture < len(result.captures) else None


def _digits(call: Call, direction: str) -> str | None:
    """Keys in a row, a hook flash as ``!`` (as RFC 2833's successors and INFO write it)."""
    keys = (digit.key for digit in call.digits if digit.direction == direction)
    return "".join("!" if key == "flash" else key for key in keys) or None


def _joined(texts: tuple[str, ...]) -> str | None:
    return ",".join(texts) or None


CALL_CELLS: dict[str, Callable[[Call, Result], Cell]] = {
    "src": lambda call, _: None if call.src is None else host_port(call.src),
    "dst": lambda call, _: None if call.dst is None else host_port(call.dst),
    "post_dial_delay_ms": lambda call, _: _post_dial_delay_ms(call),
    "setup_latency_ms": lambda call, _: _ms(call.answered, call.start),
    "answer_to_ack_ms": lambda call, _: _ms(call.acknowledged, call.answered),
    "media_latency_ms": lambda call, _: None if call.media_latency_ns is None else call.media_latency_ns / 1e6,
    "disconnect_delay_ms": lambda call, _: _ms(call.bye_final, call.first_bye),
    "duration_s": lambda call, _: _duration_s(call),
    "codecs": lambda call, _: _joined(call.codecs),
    "codecs_offered": lambda call, _: _joined(call.codecs_offered),
    "codecs_answered": lambda call, _: _joined(call.codecs_answered),
    "streams": lambda call, _: len(call.streams),
    "loss_percent": lambda call, _: _loss_percent(call),
    "session": lambda call, result: session_numbers(result).get(call.call_id),
    "mode": lambda call, _: "session",
    "findings": lambda call, result: finding_codes(result)[0].get(call.call_id),
    "digits_from_caller": lambda call, _: _digits(call, "caller-to-callee"),
    "digits_from_callee": lambda call, _: _digits(call, "callee-to-caller"),
    "media": lambda call, _: _joined(call.media),
    "wireshark_filter": _filter,
    "capture": _file,
}
"""How to make each column that is no field of the same name; what has neither is missing."""
