"""What was dialled in a call: telephone events in its streams (RFC 4733) and digits in INFO requests. Floor 5.

Owns: the digits of calls, and the column `dtmf` of streams. In: key presses of streams, streams, messages, calls. Out:
for each Call-ID its digits in order of time, by either method and in both directions; for each stream its digits as a
text. Sources: RFC 4733; application/dtmf-relay and application/dtmf as Cisco and others write them (no standard).

A call may be captured at several hops, each with the same press: a press of the same key in the same direction on
another path (other sockets), from the first press to 2 s after its end, is a copy of it, and the earliest counts.
Streams of one path are different presses, whatever their SSRC. INFO is known by Call-ID, From tag and CSeq; one that
was challenged and sent again is one press. Who sends a press both as event and in INFO has it listed twice: the far end
may well hear it twice.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence

import numpy as np

from ..facts import Digit
from ..result import Call, Messages, Stream
from ..rtp.dtmf import KEYS, KeyPress
from .authentication import RETRY_NS

__all__ = ["find_digits"]

_RELAY, _PLAIN = "application/dtmf-relay", "application/dtmf"
_COPY_NS = 2_000_000_000
"""A box that makes the tone anew may wait for the press to end."""
_RECENT = 32
"""Presses of one key that a copy is looked for among."""
_MOST_KEYS = 32
"""Digits that one INFO may have."""
_SIGNAL = re.compile(r"(?:^|[\r\n])[ \t]*signal[ \t]*[=:][ \t]*([^\s;,]{1,8})", re.IGNORECASE)
_DURATION = re.compile(r"(?:^|[\r\n])[ \t]*duration[ \t]*[=:][ \t]*([0-9]{1,9})", re.IGNORECASE)
_WORDS = {
    **{key.lower(): key for key in KEYS},
    **{str(code): KEYS[code] for code in range(10, len(KEYS))},
    "!": "flash",
    "hf": "flash",
    "star": "*",
    "pound": "#",
}
"""Keys by what an INFO calls them: themselves, or their event code."""
_ALONE = {key: "!" if key == "flash" else key for key in KEYS}
"""One character a key, for the text of a stream."""

CALLER_TO_CALLEE, CALLEE_TO_CALLER = "caller-to-callee", "callee-to-caller"


def find_digits(
    events: Sequence[KeyPress], streams: Sequence[Stream], messages: Messages, calls: Sequence[Call]
) -> tuple[dict[str, tuple[Digit, ...]], dict[int, str]]:
    """Find what was dialled.

    Parameters
    ----------
    events : sequence of KeyPress
        Key presses; `index` is a stream's place in `streams`.
    streams : sequence of Stream
        All streams. Events of an encrypted one are noise, and left out.
    messages : Messages
        In order of time.
    calls : sequence of Call
        With their streams.

    Returns
    -------
    digits : dict
        By Call-ID, in order of time; calls without any are not there.
    texts : dict
        By number of stream, its keys in order, ``!`` for the hook flash; streams without any are not there.
    """
    by_stream: dict[int, list[KeyPress]] = {}
    for press in sorted(events, key=lambda press: (press.time, press.index, press.frame)):
        if not streams[press.index].encrypted:
            by_stream.setdefault(press.index, []).append(press)
    texts = {number: "".join(_ALONE[press.key] for press in presses) for number, presses in by_stream.items()}
    digits = _in_messages(messages, calls)
    if by_stream:
        for call in calls:
            mine = [press for number in call.streams for press in by_stream.get(number, ())]
            if mine:
                digits.setdefault(call.call_id, []).extend(_in_streams(mine, streams, call))
    return {
        call_id: tuple(sorted(found, key=lambda digit: (digit.time, digit.capture, digit.frame)))
        for call_id, found in digits.items()
    }, texts


# ---- telephone events
def _in_streams(presses: list[KeyPress], streams: Sequence[Stream], call: Call) -> list[Digit]:
    """Presses of one call, each once."""
    digits = []
    recent: dict[tuple[str, str | None], deque[tuple[KeyPress, set[int]]]] = {}
    for press in sorted(presses, key=lambda press: (press.time, press.index, press.frame)):
        stream = streams[press.index]
        # the column speaks of the first of the calls that a stream belongs to
        direction = stream.direction if stream.call_id == call.call_id else None
        same = recent.setdefault((press.key, direction), deque(maxlen=_RECENT))
        original = next(
            (
                copies
                for kept, copies in same
                if press.time <= kept.last + _COPY_NS
                and press.index not in copies
                and _other_path(streams[kept.index], stream, known=direction is not None)
            ),
            None,
        )
        if original is not None:
            original.add(press.index)
            continue
        same.append((press, {press.index}))
        digits.append(
            Digit(
                time=press.time,
                key=press.key,
                duration_ms=press.duration_ms,
                method="rfc4733",
                direction=direction,
                stream=press.index,
                capture=stream.capture,
                frame=press.frame,
            )
        )
    return digits


def _other_path(one: Stream, other: Stream, *, known: bool) -> bool:
    """Whether two streams may be the same media at two hops; `known`: they run in the same direction."""
    if (one.src, one.dst) == (other.src, other.dst):
        return False
    return known or (one.src[0], one.dst[0]) != (other.dst[0], other.src[0])


# ---- INFO
def _in_messages(messages: Messages, calls: Sequence[Call]) -> dict[str, list[Digit]]:
    """Digits in INFO requests by Call-ID."""
    digits: dict[str, list[Digit]] = {}
    methods = messages.texts["method"]
    kinds = {
        number: kind
        for number, text in enumerate(messages.texts["content_type"])
        if (kind := text.partition(";")[0].strip().lower()) in (_RELAY, _PLAIN)
    }
    if "INFO" not in methods or not kinds:
        return digits
    info = messages.method == methods.index("INFO")
    rows = np.flatnonzero(info & (messages.status == 0) & np.isin(messages.content_type, list(kinds))).tolist()
    if not rows:
        return digits
    refused = np.flatnonzero(info & np.isin(messages.status, (401, 407)))
    columns = (messages.call_id, messages.from_tag, messages.cseq)
    challenged = set(zip(*(column[refused].tolist() for column in columns), strict=True))
    by_call_id = {call.call_id: call for call in calls}
    seen: set[tuple[int, int, int]] = set()
    waiting: dict[tuple[int, int, tuple[str, ...]], int] = {}
    for row, *key in zip(rows, *(column[rows].tolist() for column in columns), strict=True):
        call_id, from_tag, cseq = key
        call = by_call_id.get(messages.texts["call_id"][call_id]) if call_id >= 0 else None
        if call is None or (call_id, from_tag, cseq) in seen:
            continue
        seen.add((call_id, from_tag, cseq))
        keys, duration_ms = _read(kinds[int(messages.content_type[row])], messages.body(row))
        time = int(messages.time[row])
        since = waiting.pop((call_id, from_tag, keys), None)
        if (call_id, from_tag, cseq) in challenged:
            waiting[call_id, from_tag, keys] = time
        if since is not None and time - since <= RETRY_NS:
            continue
        direction = _direction(messages, row, call)
        found = digits.setdefault(call.call_id, []) if keys else []
        found += [
            Digit(
                time, name, duration_ms, "info", direction, None, int(messages.capture[row]), int(messages.frame[row])
            )
            for name in keys
        ]
    return digits


def _direction(messages: Messages, row: int, call: Call) -> str | None:
    if call.caller_tag is None:
        return None
    if messages.text("from_tag", row) == call.caller_tag:
        return CALLER_TO_CALLEE
    return CALLEE_TO_CALLER if messages.text("to_tag", row) == call.caller_tag else None


def _read(kind: str, body: bytes) -> tuple[tuple[str, ...], float | None]:
    """Keys of an INFO's body and how long each was pressed, ms.

    ``Signal=5`` and ``Duration=160`` in lines, or the digits alone; either form is read under either type.
    """
    text = body[:1024].decode("utf-8", "replace")
    signal = _SIGNAL.search(text)
    word = (signal[1] if signal else text).strip(" \t\r\n\0\"'").lower()
    key = _WORDS.get(word)
    if key is not None:
        keys: tuple[str, ...] = (key,)
    elif len(word) <= _MOST_KEYS and all(letter in _WORDS for letter in word):
        keys = tuple(_WORDS[letter] for letter in word)
    else:
        keys = ()
    duration = _DURATION.search(text)
    milliseconds = float(duration[1]) if duration else 0.0
    return keys, milliseconds or None
