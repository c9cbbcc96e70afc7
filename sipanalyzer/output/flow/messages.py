"""Arrows of a chart: what stands on them. Floor 8.

In: messages as :class:`~.seen.Seen`, their descriptions, who stands where. Out: rows :class:`~.model.Message`. Headers
are looked for in the bytes of the rows that are drawn, and of no others.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence

from ...result import TRANSPORTS, Call, Messages, Result
from ...sip.header import find_header
from .descriptions import Said
from .lookups import Lookups
from .model import Message
from .palette import message_kind
from .participants import Cast
from .seen import Exchange, Seen
from .words import shown

__all__ = ["Arrows", "find_reinvites"]

_LONGEST_METHOD, _LONGEST_REASON, _LONGEST_URI = 24, 60, 100
_LONGEST_READ = 2_000
"""Of a header's value."""
_FRAGMENT = re.compile(rb"SIP/2\.0[ \t]+(\d{3})([^\r\n]{0,60})")
_PARAMETER = re.compile(r';[ \t]*(cause|text)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;,\s]*))', re.IGNORECASE)


def find_reinvites(messages: Messages, seen: Sequence[Seen]) -> set[int]:
    """Rows of the INVITEs inside a dialog, and of those that repeat the To tag of a failure none (RFC 3261 8.1.3.5).

    The tags of requests and of responses stand in one column, so their numbers can be compared.
    """
    found: set[int] = set()
    refused: set[tuple[int, int]] = set()
    accepted: set[tuple[int, int]] = set()
    for each in seen:
        if each.method != "INVITE" or each.to_tag < 0:
            continue
        tag = each.leg, each.to_tag
        if each.status >= 300:
            refused.add(tag)
        elif each.status >= 200:
            accepted.add(tag)
        elif not each.status and (tag not in refused or tag in accepted):
            found.add(each.row)
    return found


class Arrows:
    """Makes the arrows of one chart."""

    def __init__(
        self,
        result: Result,
        calls: Sequence[Call],
        seen: Sequence[Seen],
        said: Mapping[int, Said],
        cast: Cast,
        lookups: Lookups,
        start: int,
    ) -> None:
        self.messages, self.calls, self.said, self.cast, self.lookups = result.messages, calls, said, cast, lookups
        self.reinvites = find_reinvites(result.messages, seen)
        self.start = start
        self._told: dict[int, list[str]] = {}
        pressed = {
            (digit.capture, digit.frame): digit.key for call in calls for digit in call.digits if digit.method == "info"
        }
        self._keys = {
            each.whole: shown(pressed[each.capture, each.frame], 8)
            for each in seen
            if pressed and each.method == "INFO" and (each.capture, each.frame) in pressed
        }
        """Keys in INFO requests, by the request's bytes: it is the same key when it is sent again."""
        self._several = len({each.transport for each in seen}) > 1
        self._transports: dict[frozenset[int], int] = {}
        """Of a call that uses several: what was drawn last between two participants."""

    def label(self, each: Seen) -> str:
        """``INVITE``, ``re-INVITE``, ``180 Ringing``."""
        if not each.status:
            name = shown(each.method, _LONGEST_METHOD) or "?"
            return f"re-{name}" if each.row in self.reinvites else name
        reason = (self.messages.text("reason", each.row) or "").strip()
        return shown(f"{each.status} {reason}" if reason else str(each.status), _LONGEST_REASON)

    def gist(self, each: Seen) -> tuple[str, ...]:
        """What tells two requests of one method apart that look alike."""
        if each.status or each.method not in ("NOTIFY", "INVITE", "REFER"):
            return ()
        return tuple(self._of_request(each))

    def _of_request(self, each: Seen) -> list[str]:
        """What matters of it besides its method, read once."""
        parts = self._told.get(each.row)
        if parts is None:
            parts = self._told[each.row] = _REQUESTS.get(each.method, _nothing)(self._header, self.messages, each)
        return parts

    def severity(self, each: Seen) -> str | None:
        """Of the worst finding that has it as evidence."""
        return self.lookups.severity_of(each.capture, each.frame, self.calls[each.leg].call_id)

    def draw(self, each: Seen, gap: int | None, before: Exchange | None) -> Message:
        """The arrow of a message.

        Parameters
        ----------
        each : Seen
            The message.
        gap : int or None
            ns since the message before it.
        before : tuple or None
            What the message drawn before it was part of.
        """
        endpoints = self.messages.endpoints
        return Message(
            time=each.time,
            offset=each.time - self.start,
            gap=gap,
            source=self.cast.sockets[each.src],
            target=self.cast.sockets[each.dst],
            kind=message_kind(each.status, each.method or None),
            label=self.label(each),
            detail=self._detail(each, before),
            method=shown(each.method, _LONGEST_METHOD) or None,
            status=each.status,
            cseq=each.cseq if each.cseq >= 0 else None,
            leg=each.leg,
            frame=each.frame,
            capture=each.capture,
            message=each.row,
            retransmission=each.retransmission,
            ports=(endpoints[each.src][1], endpoints[each.dst][1]),
            transport=TRANSPORTS[each.transport],
            severity=self.severity(each),
        )

    # ---- second lines
    def _detail(self, each: Seen, before: Exchange | None) -> str | None:
        parts: list[str] = []
        if each.status:
            if each.method and (200 <= each.status < 300 or before != each.exchange):
                parts.append(f"({shown(each.method, _LONGEST_METHOD)})")
            if each.status >= 300:
                parts += _failure(self._header, each)
        else:
            if each.row not in self.reinvites:
                parts += self._of_request(each)
            if each.method == "INFO" and each.whole in self._keys:
                parts = [f"key {self._keys[each.whole]}"]
        said = self.said.get(each.row)
        refreshing = each.row in self.reinvites or (each.method == "UPDATE" and not each.status)
        if refreshing and (said is None or said.again) and self._header(each, "Session-Expires"):
            parts.append("session refresh")
        if said is not None:
            parts.append(_description(said, in_dialog=each.row in self.reinvites or each.method == "UPDATE"))
        if self._several and self._changes_transport(each):
            parts.append(f"over {TRANSPORTS[each.transport]}")
        return shown("; ".join(parts), 400) or None

    def _changes_transport(self, each: Seen) -> bool:
        """Whether the message before it between these two went over another transport; the first one does too."""
        pair = frozenset((self.cast.sockets[each.src], self.cast.sockets[each.dst]))
        before = self._transports.get(pair)
        self._transports[pair] = each.transport
        return before != each.transport

    def _header(self, each: Seen, name: str) -> str | None:
        return find_header(self.messages.raw(each.row), name)


_Header = Callable[[Seen, str], str | None]


def _description(said: Said, *, in_dialog: bool) -> str:
    named = f"SDP {said.part}".strip()
    if said.again and in_dialog:
        return f"{named} unchanged"
    hold = said.described.hold
    told = ", hold" if in_dialog and hold and said.part == "offer" else ""
    return f"{named} {said.described.words}{told}"


def _uri(text: str) -> str:
    """Scheme, user and host of the URI in a name-addr: its parameters and headers are in the message."""
    inside = text.partition("<")[2].partition(">")[0] if "<" in text else text
    user, at, host = inside[:_LONGEST_READ].strip().partition("?")[0].rpartition("@")
    return shown(f"{user.partition(';')[0]}{at}{host.partition(';')[0]}", _LONGEST_URI)


def _nothing(header: _Header, messages: Messages, each: Seen) -> list[str]:
    del header, messages, each
    return []


def _invite(header: _Header, messages: Messages, each: Seen) -> list[str]:
    uri = messages.text("request_uri", each.row)
    parts = [_uri(uri)] if uri else []
    replaced = header(each, "Replaces")
    if replaced:
        parts.append(f"replaces call {shown(replaced.partition(';')[0].strip(), 60)}")
    if header(each, "Proxy-Authorization") or header(each, "Authorization"):
        parts.append("with credentials")
    return parts


def _refer(header: _Header, messages: Messages, each: Seen) -> list[str]:
    del messages
    target = header(each, "Refer-To")
    if not target:
        return []
    return [f"refer to {_uri(target)}"] + ["in place of another call"] * ("replaces=" in target.lower())


def _notify(header: _Header, messages: Messages, each: Seen) -> list[str]:
    event = (header(each, "Event") or "").partition(";")[0].strip()
    state = (header(each, "Subscription-State") or "").partition(";")[0].strip()
    parts = [shown(event, 40)] if event else []
    fragment = _FRAGMENT.match(messages.body(each.row)[:120].lstrip()) if each.body else None
    if fragment is not None:
        reason = fragment[2].decode("utf-8", "replace").strip()
        parts.append(shown(f"{fragment[1].decode()} {reason}".strip(), _LONGEST_REASON))
    if state:
        parts.append(shown(state, 24))
    return [", ".join(parts)] if parts else []


def _subscribe(header: _Header, messages: Messages, each: Seen) -> list[str]:
    del messages
    event = (header(each, "Event") or "").partition(";")[0].strip()
    expires = (header(each, "Expires") or "").strip()
    parts = [shown(event, 40)] * bool(event) + [f"for {shown(expires, 12)} s"] * bool(expires)
    return [", ".join(parts)] if parts else []


def _content(header: _Header, messages: Messages, each: Seen) -> list[str]:
    del header
    kind = (messages.text("content_type", each.row) or "").partition(";")[0].strip()
    size = f"{each.body} byte{'s' * (each.body != 1)}"
    return [f"{shown(kind, 40)}, {size}" if kind else size] if each.body else []


def _reason(header: _Header, messages: Messages, each: Seen) -> list[str]:
    del messages
    value = header(each, "Reason")
    return [_cause(value)] if value else []


def _cause(value: str) -> str:
    """A Reason header (RFC 3326): ``Q.850 16 Normal call clearing``; the first of several."""
    protocol = value.partition(";")[0].strip()
    told = {match[1].lower(): match[2] or match[3] or "" for match in _PARAMETER.finditer(value[:500])}
    text = told.get("text", "")
    if not text and protocol.upper() == "Q.850":
        text = _cause_titles().get(told.get("cause", ""), "")
    return shown(" ".join(filter(None, (protocol, told.get("cause", ""), text))), 100)


@functools.cache
def _cause_titles() -> dict[str, str]:
    from ...explanations import titles

    return titles("cause")


def _failure(header: _Header, each: Seen) -> list[str]:
    parts = []
    if each.status < 400:
        contact = header(each, "Contact")
        parts += [f"try {_uri(contact)}"] if contact else []
        return parts
    if each.status in (401, 407):
        return parts
    reason, retry, warning = header(each, "Reason"), header(each, "Retry-After"), header(each, "Warning")
    if reason:
        parts.append(_cause(reason))
    if retry:
        parts.append(f"retry after {shown(retry.partition('(')[0].partition(';')[0].strip(), 12)} s")
    if warning:
        parts.append(f"warning {shown(warning, 100)}")
    return parts


_REQUESTS: dict[str, Callable[[_Header, Messages, Seen], list[str]]] = {
    "INVITE": _invite,
    "REFER": _refer,
    "NOTIFY": _notify,
    "SUBSCRIBE": _subscribe,
    "MESSAGE": _content,
    "INFO": _content,
    "BYE": _reason,
    "CANCEL": _reason,
}
"""What matters of a request."""
