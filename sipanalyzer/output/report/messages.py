"""The messages of one call, for its detail. Floor 8.

In: rows of ``Result.messages``. Out: :class:`~.data.MessageItem` of each, with its text (credentials and keys blanked),
what is wrong with it, and the message that it is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...errors import ParseError
from ...result import TRANSPORTS, Messages, host_port
from ...sip.defects import MEANING
from ...sip.parser import parse_message
from ...sip.plain import is_plain
from ..cells import visible
from ..flow.palette import message_kind
from ..flow.raw_message import earlier_alike, message_text
from ..messages_table import summary_line
from ..secrets import without_secrets
from .data import Limits, MessageItem

__all__ = ["choose_messages", "message_items"]

_LAST = 4
"""Of a long call's messages every fourth that is shown is of its end."""


def choose_messages(rows: Sequence[int], most: int) -> list[int]:
    """The messages that are shown: all, or those of the beginning and some of the end."""
    if len(rows) <= most:
        return list(rows)
    last = most // _LAST
    return [*rows[: most - last], *rows[len(rows) - last :]]


def message_items(
    messages: Messages,
    rows: Sequence[int],
    begin: int,
    clock: Callable[[int], str],
    files: Sequence[str],
    limits: Limits,
    *,
    secrets: bool = False,
) -> list[MessageItem]:
    """Messages of one detail.

    Parameters
    ----------
    messages : Messages
        Of the result.
    rows : sequence of int
        Which, in order of time.
    begin : int
        Time that offsets count from, ns.
    clock : callable
        Writes a time.
    files : sequence of str
        Name of each capture; empty where there is one only.
    limits : Limits
        `message_bytes`.
    secrets : bool
        Whether answers to challenges and keys are shown.
    """
    places = {row: at for at, row in enumerate(rows)}
    earlier = earlier_alike(messages, rows)
    items: list[MessageItem] = []
    for row in rows:
        raw, status, method = messages.raw(row), int(messages.status[row]), messages.text("method", row)
        reason, uri = messages.text("reason", row), messages.text("request_uri", row)
        time, capture, before = int(messages.time[row]), int(messages.capture[row]), earlier.get(row)
        items.append(
            {
                "time": clock(time),
                "offset_s": round((time - begin) / 1e9, 6),
                "frame": int(messages.frame[row]),
                "file": files[capture] if files else None,
                "src": host_port(messages.endpoints[int(messages.src[row])]),
                "dst": host_port(messages.endpoints[int(messages.dst[row])]),
                "transport": TRANSPORTS[int(messages.transport[row])],
                "label": visible(summary_line(status, reason, method, uri)),
                "kind": message_kind(status, method),
                "method": None if method is None else visible(method),
                "status": status,
                "retransmission": bool(messages.retransmission[row]),
                "defects": _defects(raw, bool(messages.truncated[row])),
                "raw": message_text(raw if secrets else without_secrets(raw), limits.message_bytes),
                "cut": max(0, len(raw) - limits.message_bytes),
                "previous": None if before is None else places[before],
            }
        )
    return items


def _defects(raw: bytes, truncated: bool) -> list[list[str]]:
    if not truncated and is_plain(raw):
        return []
    try:
        found = parse_message(raw, truncated=truncated).defects
    except ParseError as error:
        return [["unreadable", str(error)]]
    return [[code, MEANING.get(code, "")] for code in found]
