"""The table of messages, made column by column from the interned arrays. Floor 8.

In: :class:`~sipanalyzer.result.Messages`. Out: lists of plain values. Texts are looked up once for each different
one, so a capture of a million messages costs a million list entries a column and no more.
"""

from __future__ import annotations

import numpy as np

from ..calls.rows import dense_pairs
from ..result import TRANSPORTS, Bools, Ints, Messages, Result, host_port
from .cells import Cell, clean, clean_all

__all__ = ["message_columns", "summary_line"]

_TEXTS = ("call_id", "branch", "from_uri", "from_tag", "to_uri", "to_tag", "user_agent", "content_type")


def message_columns(result: Result) -> dict[str, list[Cell]]:
    """Every column of the table `messages`, by name."""
    messages = result.messages
    if not len(messages):
        return {}
    columns = {name: _mapped(getattr(messages, name), _texts(messages, name)) for name in _TEXTS}
    peers: list[Cell] = [host_port(endpoint) for endpoint in messages.endpoints]
    files: list[Cell] = [clean(capture.file) for capture in result.captures]
    methods, reasons = _texts(messages, "method"), _texts(messages, "reason")
    answers = messages.status != 0
    return columns | {
        "frame": messages.frame.tolist(),
        "time": messages.time.tolist(),
        "src": _mapped(messages.src, peers),
        "dst": _mapped(messages.dst, peers),
        "transport": _mapped(messages.transport, list(TRANSPORTS)),
        "method": _mapped(np.where(answers, -1, messages.method), methods),
        "status_code": _present(messages.status, answers),
        "reason": _mapped(np.where(answers, messages.reason, -1), reasons),
        "cseq": _present(messages.cseq, messages.cseq >= 0),
        "cseq_method": _mapped(np.where(messages.cseq >= 0, messages.method, -1), methods),
        "content_length": _present(messages.content_length, messages.content_length >= 0),
        "retransmission": messages.retransmission.tolist(),
        "summary": _summaries(messages, methods, reasons),
        "capture": _mapped(messages.capture, files),
    }


def summary_line(status: int, reason: Cell, method: Cell, request_uri: Cell) -> str:
    """``INVITE sip:bob@example.com``, or ``200 OK (INVITE)``."""
    if not status:
        return " ".join(str(part) for part in (method, request_uri) if part is not None)
    line = f"{status} {reason}" if reason else str(status)
    return f"{line} ({method})" if method is not None else line


def _summaries(messages: Messages, methods: list[Cell], reasons: list[Cell]) -> list[Cell]:
    """The line of each message, written once for each different one."""
    said = np.where(messages.status == 0, messages.request_uri, messages.reason)
    kinds = dense_pairs(messages.status * (len(methods) + 1) + messages.method, said)
    firsts = np.empty(int(kinds.max()) + 1, np.int64)
    firsts[kinds[::-1]] = np.arange(len(kinds))[::-1]  # the last assignment stays: the first row
    uris = [*_texts(messages, "request_uri"), None]  # -1 finds None
    methods, reasons = [*methods, None], [*reasons, None]
    lines: list[Cell] = [
        summary_line(status, reasons[reason], methods[method], uris[uri])
        for status, reason, method, uri in zip(
            *(column[firsts].tolist() for column in (messages.status, messages.reason, messages.method)),
            messages.request_uri[firsts].tolist(),
            strict=True,
        )
    ]
    return _mapped(kinds, lines)


def _texts(messages: Messages, name: str) -> list[Cell]:
    return clean_all(list(messages.texts.get(name, [])))


def _mapped(numbers: Ints, texts: list[Cell]) -> list[Cell]:
    """The text behind each number; None where the number is -1."""
    known = np.empty(len(texts) + 1, object)  # so that -1 finds None
    known[: len(texts)] = texts
    found: list[Cell] = known[numbers].tolist()
    return found


def _present(numbers: Ints, known: Bools) -> list[Cell]:
    """The numbers as objects, None where they are not known."""
    found = numbers.astype(object)
    found[~known] = None
    values: list[Cell] = found.tolist()
    return values
