"""How calls went in time: slow to ring, cut off by a timer, never ended. Floor 7.

Finds ``high-post-dial-delay`` (ITU-T E.721), ``session-timer-expiry`` (RFC 4028 section 10) and ``missing-bye``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter

import numpy as np

from ..facts import Finding
from ..result import Call, Ints
from ..sip.sdp import find_sdp, sdp_limits
from .context import Context, Rule
from .offers import is_hold
from .phrases import seconds
from .unanswered import is_unanswered

__all__ = ["RULES", "high_post_dial_delay", "missing_bye", "session_timer_expiry"]

TIMER_NS = 5_000_000_000
"""How far from a session's expiry a BYE may be and still be its consequence."""
LONGEST_NS = 600_000_000_000
"""No INVITE waits longer for ringing (RFC 3261 timer C is 3 min and more): the capture was put together."""
SHORTEST_NS = 15_000_000_000
"""Nobody refreshes a session more often (RFC 4028 section 5 wants 90 s and more)."""
_SESSION_EXPIRES = re.compile(rb"\n(?:session-expires|x)[ \t]*+:[ \t\r\n]*+(\d{1,9})\b", re.IGNORECASE)


def high_post_dial_delay(context: Context) -> Iterator[Finding]:
    """Calls that took long until the caller heard ringing (or an answer)."""
    options = context.options
    times = map(attrgetter("start", "ringing", "answered"), context.result.calls)
    for call, (start, ringing, answered) in zip(context.result.calls, times, strict=True):
        heard = answered if ringing is None or (answered is not None and answered < ringing) else ringing
        if start is None or heard is None:
            continue
        delay_ms = (heard - start) / 1e6
        if delay_ms < options.post_dial_delay_warning_ms or heard - start > LONGEST_NS:
            continue
        yield context.finding(
            "high-post-dial-delay",
            f"{seconds(heard - start)} passed from the first INVITE until "
            f"{'it rang' if heard == call.ringing else 'the answer'}.",
            call=call,
            rows=_until(context, call, heard),
            severity="error" if delay_ms >= options.post_dial_delay_error_ms else "warning",
            affects="caller",
            causes=_what_delayed(context, call, heard),
        )


def _what_delayed(context: Context, call: Call, heard: int) -> tuple[str, ...]:
    """Codes of what happened to the INVITE before it rang."""
    before = [each for each in context.transactions[call.call_id] if each.method == "INVITE" and each.start < heard]
    silent = any(is_unanswered(context, each) for each in before)
    resent = any(each.retransmissions >= max(1, context.options.retransmissions) for each in before)
    return ("unanswered-request",) * silent + ("retransmissions",) * resent


def _until(context: Context, call: Call, time: int) -> list[int]:
    """Row of the call's first message, and that of a certain time."""
    return [call.rows[0], *(row for row in call.rows[1:] if int(context.messages.time[row]) == time)][:2]


def session_timer_expiry(context: Context) -> Iterator[Finding]:
    """Calls ended by BYE just when their session expired, or when the side that waited for a refresh gives up."""
    messages = context.messages
    refreshes = _last_refreshes(context)
    for refresh, interval in context.search(_SESSION_EXPIRES, refreshes):
        call = context.calls[messages.texts["call_id"][messages.call_id[refresh]]]
        if call.first_bye is None:
            continue
        expires_ns = int(interval[1]) * 1_000_000_000
        early_ns = expires_ns - min(32_000_000_000, expires_ns // 3)
        lived = call.first_bye - int(messages.time[refresh])
        if min(abs(lived - expires_ns), abs(lived - early_ns)) > TIMER_NS:
            continue
        bye = context.method("BYE")
        ends = [row for row in call.rows if int(messages.method[row]) == bye][:1]
        yield context.finding(
            "session-timer-expiry",
            f"BYE{f' of the {call.released_by}' if call.released_by else ''} came {seconds(lived)} after the last "
            f"refresh, and the session was to expire after {int(interval[1])} s (Session-Expires).",
            call=call,
            rows=[refresh, *ends],
            affects="caller and callee",
        )


def _last_refreshes(context: Context) -> Ints:
    """Of each call that lived long enough, the last 2xx to INVITE or UPDATE before its BYE."""
    messages = context.messages
    ended = np.full(len(messages.texts.get("call_id", [])), -1, np.int64)
    ends = map(attrgetter("rows", "first_bye"), context.result.calls)
    closed = np.array([(rows[0], bye) for rows, bye in ends if rows and bye is not None], np.int64).reshape(-1, 2)
    ended[messages.call_id[closed[:, 0]]] = closed[:, 1]
    of_sessions = np.isin(messages.method, [context.method("INVITE"), context.method("UPDATE")])
    accepted = (messages.status >= 200) & (messages.status < 300) & of_sessions & ~messages.retransmission
    rows = np.flatnonzero(accepted & (messages.call_id >= 0))
    rows = rows[messages.time[rows] < ended[messages.call_id[rows]]]
    last = np.full(len(ended), -1, np.int64)
    last[messages.call_id[rows]] = rows  # in order of time: of several the last stays
    last = last[last >= 0]
    long_enough: Ints = last[ended[messages.call_id[last]] - messages.time[last] >= SHORTEST_NS]
    return long_enough


def missing_bye(context: Context) -> Iterator[Finding]:
    """Answered calls whose media ended long before the capture did, and no BYE."""
    least = context.options.missing_bye_ns
    for call in context.with_streams:
        if call.state != "in-call" or call.answered is None or call.first_bye is not None:
            continue
        streams = context.streams(call)
        last, number = max((stream.end, number) for number, stream in streams)
        captures = {call.capture, context.result.streams[number].capture}
        until = min((context.watched_until[capture] for capture in captures), default=0)
        if until - max(last, call.last_time) < least or _is_held(context, call):
            continue
        yield context.finding(
            "missing-bye",
            f"Media ended {seconds(until - last)} before the capture did, and no BYE ended the call.",
            call=call,
            capture=context.result.streams[number].capture,
            time=last,
            frames=[context.result.streams[number].last_frame],
            affects="caller and callee",
        )


def _is_held(context: Context, call: Call) -> bool:
    """Whether somebody was on hold at the end: then silence is as it should be."""
    messages = context.messages
    last: dict[int, bool] = {}
    limits = sdp_limits(context.result.options)
    for row in context.offers_inside.get(call.call_id, ()):
        body = find_sdp(messages.text("content_type", row), messages.body(row), limits)
        if body is not None:
            last[int(messages.from_tag[row])] = is_hold(body, limits)
    return any(last.values())


RULES: tuple[Rule, ...] = (high_post_dial_delay, session_timer_expiry, missing_bye)
