"""The columns of the table of calls that are not simply fields of a call. Floor 8.

In: :class:`~sipanalyzer.result.Call` objects and their result. Out: a list of values a column. A column is made whole:
fields are taken with ``map``, and what many calls share (a socket, a list of codecs) is written once.

Sources: RFC 6076 (session request delay, section 4.3; that authentication counts, section 5.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from ..result import Call, Result, host_port
from .cells import Cell
from .derived import finding_codes, session_numbers
from .display_filter import call_filter

__all__ = ["CALL_COLUMNS", "call_order", "mapped"]


def call_order(call: Call) -> tuple[int, int]:
    """Sorting key: start (of a partial call its first message), then first frame."""
    return call.first_time if call.start is None else call.start, call.first_frame


def mapped(values: Iterable[Any], make: Callable[[Any], Cell]) -> list[Cell]:
    """What `make` gives for each value, made once for each different one."""
    known: list[Any] = list(values)
    made = {value: make(value) for value in set(known)}
    return [made[value] for value in known]


def _fields(calls: Sequence[Call], name: str) -> list[Any]:
    return list(map(attrgetter(name), calls))


def _ms(after: int | None, before: int | None) -> float | None:
    """Milliseconds between two times; missing where one is, or where they stand the wrong way round."""
    return None if after is None or before is None or after < before else (after - before) / 1e6


def _between(calls: Sequence[Call], after: str, before: str) -> list[Cell]:
    return list(map(_ms, _fields(calls, after), _fields(calls, before)))


def _post_dial_delays_ms(calls: Sequence[Call], _: Result) -> list[Cell]:
    return [
        _ms(answered if ringing is None or (answered is not None and answered < ringing) else ringing, start)
        for ringing, answered, start in map(attrgetter("ringing", "answered", "start"), calls)
    ]


def _durations_s(calls: Sequence[Call], _: Result) -> list[Cell]:
    return [
        None if ended is None or answered is None or ended < answered else (ended - answered) / 1e9
        for ended, answered in map(attrgetter("first_bye", "answered"), calls)
    ]


def _loss_percents(calls: Sequence[Call], _: Result) -> list[Cell]:
    return [
        None if lost is None or not expected else 100.0 * lost / expected
        for lost, expected in map(attrgetter("lost", "expected"), calls)
    ]


def _filters(calls: Sequence[Call], result: Result) -> list[Cell]:
    return [call_filter(call.call_id, [result.streams[number] for number in call.streams]) for call in calls]


def _files(calls: Sequence[Call], result: Result) -> list[Cell]:
    files = [capture.file for capture in result.captures]
    return mapped(_fields(calls, "capture"), lambda number: files[number] if 0 <= number < len(files) else None)


def _digits(calls: Sequence[Call], direction: str) -> list[Cell]:
    """Keys in a row, a hook flash as ``!`` (as RFC 2833's successors and INFO write it)."""
    return [
        "".join("!" if digit.key == "flash" else digit.key for digit in digits if digit.direction == direction) or None
        if digits
        else None
        for digits in _fields(calls, "digits")
    ]


def _sockets(name: str) -> Callable[[Sequence[Call], Result], list[Cell]]:
    return lambda calls, _: mapped(_fields(calls, name), lambda end: None if end is None else host_port(end))


def _joined(name: str) -> Callable[[Sequence[Call], Result], list[Cell]]:
    return lambda calls, _: mapped(_fields(calls, name), lambda texts: ",".join(texts) or None)


CALL_COLUMNS: dict[str, Callable[[Sequence[Call], Result], list[Cell]]] = {
    "src": _sockets("src"),
    "dst": _sockets("dst"),
    "post_dial_delay_ms": _post_dial_delays_ms,
    "setup_latency_ms": lambda calls, _: _between(calls, "answered", "start"),
    "answer_to_ack_ms": lambda calls, _: _between(calls, "acknowledged", "answered"),
    "media_latency_ms": lambda calls, _: [
        None if latency is None else latency / 1e6 for latency in _fields(calls, "media_latency_ns")
    ],
    "disconnect_delay_ms": lambda calls, _: _between(calls, "bye_final", "first_bye"),
    "duration_s": _durations_s,
    "codecs": _joined("codecs"),
    "codecs_offered": _joined("codecs_offered"),
    "codecs_answered": _joined("codecs_answered"),
    "streams": lambda calls, _: list(map(len, _fields(calls, "streams"))),
    "loss_percent": _loss_percents,
    "session": lambda calls, result: list(map(session_numbers(result).get, _fields(calls, "call_id"))),
    "mode": lambda calls, _: ["session"] * len(calls),
    "findings": lambda calls, result: list(map(finding_codes(result)[0].get, _fields(calls, "call_id"))),
    "digits_from_caller": lambda calls, _: _digits(calls, "caller-to-callee"),
    "digits_from_callee": lambda calls, _: _digits(calls, "callee-to-caller"),
    "media": _joined("media"),
    "wireshark_filter": _filters,
    "capture": _files,
}
"""How to make each column that is no field of the same name; what has neither is missing."""
