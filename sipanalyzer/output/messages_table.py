"""The table of messages, made column by column from the interned arrays. Floor 8.

In: :class:`~sipanalyzer.result.Messages`. Out: lists of plain values. Texts are looked up once for each different
one, so a capture of a million messages costs a million list entries a column and no more.
"""

from __future__ import annotations

from typing import Any

from ..result import TRANSPORTS, Messages, Result, host_port
from .cells import Cell, clean

__all__ = ["message_columns", "summary_line"]

_TEXTS = ("call_id", "branch", "from_uri", "from_tag", "to_uri", "to_tag", "user_agent", "content_type", "reason")


def message_columns(result: Result) -> dict[str, list[Cell]]:
    """Every column of the table `messages`, by name."""
    messages = result.messages
    if not len(messages):
        return {}
    columns: dict[str, list[Cell]] = {name: _looked_up(messages, name) for name in _TEXTS}
    methods, requests = _looked_up(messages, "method"), _looked_up(messages, "request_uri")
    statuses = messages.status.tolist()
    peers: list[Cell] = [host_port(endpoint) for endpoint in messages.endpoints]
    files: list[Cell] = [clean(capture.file) for capture in result.captures]
    cseqs = messages.cseq.tolist()
    columns |= {
        "frame": messages.frame.tolist(),
        "time": messages.time.tolist(),
        "src": _mapped(messages.src, peers),
        "dst": _mapped(messages.dst, peers),
        "transport": _mapped(messages.transport, list(TRANSPORTS)),
        "method": [None if status else method for status, method in zip(statuses, methods, strict=True)],
        "status_code": [status or None for status in statuses],
        "cseq": _present(cseqs),
        "cseq_method": [method if cseq >= 0 else None for cseq, method in zip(cseqs, methods, strict=True)],
        "content_length": _present(messages.content_length.tolist()),
        "retransmission": messages.retransmission.tolist(),
        "summary": [summary_line(*row) for row in zip(statuses, columns["reason"], methods, requests, strict=True)],
        "capture": _mapped(messages.capture, files),
    }
    columns["reason"] = [text if status else None for status, text in zip(statuses, columns["reason"], strict=True)]
    return columns


def summary_line(status: int, reason: Cell, method: Cell, request_uri: Cell) -> str:
    """``INVITE sip:bob@example.com``, or ``200 OK (INVITE)``."""
    if not status:
        return " ".join(str(part) for part in (method, request_uri) if part is not None)
    line = f"{status} {reason}" if reason else str(status)
    return f"{line} ({method})" if method is not None else line


def _looked_up(messages: Messages, name: str) -> list[Cell]:
    return _mapped(getattr(messages, name), [clean(text) for text in messages.texts.get(name, [])])


def _mapped(numbers: Any, texts: list[Any]) -> list[Cell]:
    """The text behind each number; None where the number is -1."""
    known = [*texts, None]  # so that -1 finds None
    return [known[number] for number in numbers.tolist()]


def _present(numbers: list[int]) -> list[Cell]:
    return [None if number < 0 else number for number in numbers]
