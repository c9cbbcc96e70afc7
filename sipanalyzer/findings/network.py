"""Findings about the network below SIP and RTP, tied to the calls that they explain. Floor 7.

Owns: icmp-unreachable, tcp-connect-failed, tls-handshake-failure, ice-or-dtls-failed. In: ICMP errors, TCP connections,
ICE and DTLS. Which calls are near a fault is :mod:`.nearby`'s.
"""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from ..errors import ParseError
from ..facts import Connection, Endpoint, Finding, IcmpError, MediaCheck
from ..result import Call, host_port
from ..sip.sdp import parse_sdp, sdp_limits
from .context import Context, Rule
from .nearby import NEAR_NS, CallIndex, call_hosts, media_sockets

__all__ = ["RULES"]

_UNREACHABLE = "unreachable"
_FORBIDDEN = "prohibited"
_MOST_DESCRIPTIONS = 20
"""Descriptions of a call that are looked into for ICE candidates."""


# ---- ICMP
def find_unreachables(context: Context) -> Iterator[Finding]:
    """Packets of SIP or RTP that a host or router sent back as undeliverable (RFC 792, RFC 1812 5.2.7, RFC 4443)."""
    errors = [each for each in context.result.icmp if _UNREACHABLE in each.kind or _FORBIDDEN in each.kind]
    if not errors:
        return
    signalling = set(context.messages.endpoints)
    unanswered, passing, media = _indexes(context, {each.dst for each in errors})
    for error in errors:
        span = error.time, error.last
        calls = media.find((error.src[0], error.dst), *span)
        what = "media" if calls else "SIP"
        if not calls:
            key = error.src[0], error.dst[0]
            calls = unanswered.find(key, *span) or (passing.find(key, *span) if error.src in signalling else [])
        if not calls and error.dst not in signalling and not _spoke_sip(context, error):
            continue
        text = _unreachable_text(error, what)
        for call in calls or (None,):
            when = _harmless(context, call, error) if call is not None and what == "media" else None
            yield context.finding(
                "icmp-unreachable",
                f"{text}{when or ''}.",
                call=call,
                time=error.time,
                capture=error.capture,
                frames=(error.frame,),
                affects=host_port(error.src),
                severity="info" if when else None,
            )


def _indexes(context: Context, sockets: set[Endpoint]) -> tuple[CallIndex, CallIndex, CallIndex]:
    """Calls by two hosts between which a request drew no response, by two hosts, and by host and media socket."""
    unanswered, passing, media = CallIndex(), CallIndex(), CallIndex()
    silent: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for each in context.trouble.silent:
        silent[each.call_id].add((each.src[0], each.dst[0]))
    concerned = {address for address, _ in sockets}
    for call in context.result.calls:
        unanswered.add(silent.get(call.call_id, ()), call)
        hosts = call_hosts(context, call)
        far = hosts & concerned
        passing.add(((host, to) for to in far for host in hosts if host != to), call)
        ends = media_sockets(context, call)
        towards = ends & sockets
        media.add({(end[0], to) for to in towards for end in ends if end != to}, call)
    return unanswered, passing, media


def _harmless(context: Context, call: Call, error: IcmpError) -> str | None:
    """Why a call suffered nothing from media that was sent back: it was over, or had not begun."""
    if call.end is not None and error.time >= call.end:
        return ", after the call had ended"
    came_through = any(stream.dst == error.dst and stream.end > error.last for _, stream in context.streams(call))
    if call.answered is not None and error.last < call.answered and came_through:
        return ", before the answer, and no more after it"
    return None


def _unreachable_text(error: IcmpError, what: str) -> str:
    times = "once" if error.count == 1 else f"{error.count:,} times"
    return (
        f"{error.sender} answered {what} over {error.protocol} from {host_port(error.src)} to {host_port(error.dst)} "
        f"with ICMP {error.kind.replace('-', ' ')} {times}"
    )


def _spoke_sip(context: Context, error: IcmpError) -> bool:
    """Whether the packet quoted was SIP outside any call: its sender's socket speaks SIP."""
    return error.src in context.messages.endpoints or 5060 in (error.src[1], error.dst[1])


# ---- TCP and TLS
_FAULTS = {
    "refused": ("tcp-connect-failed", "refused the connection (RST to its SYN)"),
    "no-answer": ("tcp-connect-failed", "did not answer its SYN"),
    "reset": ("tcp-connect-failed", "lost its connection to a reset"),
    "tls-alert": ("tls-handshake-failure", "ended the TLS handshake with an alert"),
    "tls-no-answer": ("tls-handshake-failure", "did not answer its TLS ClientHello"),
    "tls-closed": ("tls-handshake-failure", "closed the connection during the TLS handshake"),
}


def find_failed_connections(context: Context) -> Iterator[Finding]:
    """TCP connections for SIP that were refused, ignored or reset, and TLS handshakes that failed."""
    faults = [each for each in context.result.connections if each.sip and each.fault in _FAULTS]
    if not faults:
        return
    failed = CallIndex()
    for call in context.result.calls:
        if call.answered is None or call.end is None:  # it failed, or ended unseen
            hosts = sorted({end[0] for end in (call.src, call.dst) if end is not None})
            failed.add(itertools.product(hosts, hosts), call)
    later = _later_messages(context, {(each.client[0], each.server[0]) for each in faults})
    for fault in faults:
        code, what = _FAULTS[fault.fault]
        spoken = later.get((fault.client[0], fault.server[0]), [])
        place = bisect.bisect_right(spoken, fault.time)
        mended = place < len(spoken) and spoken[place] - fault.time <= NEAR_NS
        calls = failed.find((fault.client[0], fault.server[0]), fault.time, fault.time)
        for whom in calls or (None,):
            yield context.finding(
                code,
                _connection_text(fault, what) + (" SIP passed between them soon after all the same." if mended else ""),
                call=whom,
                time=fault.time,
                capture=fault.capture,
                frames=(fault.frame,),
                affects=fault.client[0],
                severity=_severity(fault, code, mended=mended),
            )


def _severity(fault: Connection, code: str, *, mended: bool) -> str | None:
    """What found another way did no harm, but where that was TLS, it may have found one in the clear."""
    if mended:
        return "info" if code == "tcp-connect-failed" else "warning"
    return "warning" if fault.fault == "reset" else None


def _later_messages(context: Context, pairs: set[tuple[str, str]]) -> dict[tuple[str, str], list[int]]:
    """By client and server: when the server spoke SIP to the client, which shows that another way was found."""
    messages = context.messages
    ends = messages.endpoints
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    if not len(messages):
        return found
    count = len(ends)
    ways, at = np.unique(messages.src * count + messages.dst, return_inverse=True)
    wanted = np.array([(ends[way % count][0], ends[way // count][0]) in pairs for way in ways.tolist()])
    rows = np.flatnonzero(wanted[at])
    for time, way in zip(messages.time[rows].tolist(), ways[at[rows]].tolist(), strict=True):
        found[ends[way % count][0], ends[way // count][0]].append(time)
    for times in found.values():
        times.sort()
    return found


def _connection_text(fault: Connection, what: str) -> str:
    times = "" if fault.count == 1 else f" ({fault.count:,} attempts)"
    detail = "" if fault.detail is None else f": {fault.detail}"
    return f"{host_port(fault.server)} {what}, asked by {fault.client[0]}{times}{detail}."


# ---- ICE and DTLS
def find_failed_checks(context: Context) -> Iterator[Finding]:
    """Calls whose ICE checks all stayed unanswered, or whose DTLS handshake did not end (RFC 8445, RFC 5763)."""
    checks = [each for each in context.result.checks if each.stun_requests or each.dtls_hellos]
    if not checks:
        return
    index = _checked_calls(context)
    by_call: dict[str, list[MediaCheck]] = defaultdict(list)
    calls: dict[str, Call] = {}
    for check in checks:
        near = (call for end in (check.src, check.dst) for call in index.find(end, check.time, check.time))
        for call_id, call in {call.call_id: call for call in near}.items():
            by_call[call_id].append(check)
            calls[call_id] = call
    for call_id, mine in by_call.items():
        call = calls[call_id]
        text = _failed_text(mine)
        if text is not None:
            first = min(mine, key=lambda each: each.time)
            yield context.finding(
                "ice-or-dtls-failed",
                text,
                call=call,
                time=first.time,
                capture=first.capture,
                frames=[each.frame for each in mine],
                affects=first.src[0],
            )


def _checked_calls(context: Context) -> CallIndex:
    """Answered calls without media, by the sockets that their SDP names, ICE candidates among them."""
    index = CallIndex()
    messages = context.messages
    for call in context.result.calls:
        if call.answered is None or call.streams:
            continue
        sockets: set[Endpoint] = set()
        described = [row for row in call.rows if messages.body_length[row]]
        for row in described[:_MOST_DESCRIPTIONS]:
            try:
                sdp = parse_sdp(messages.body(row), sdp_limits(context.result.options))
            except ParseError:
                continue
            for media in sdp.media:
                sockets.add((media.address or "", media.port))
                sockets |= {(candidate.address, candidate.port) for candidate in media.candidates}
        index.add(sockets, call)
    return index


def _failed_text(checks: list[MediaCheck]) -> str | None:
    """What failed of a call's checks; None where one way through was found."""
    hellos = sum(each.dtls_hellos for each in checks)
    if any(each.dtls_finished for each in checks):
        return None
    alert = next((each.dtls_alert for each in checks if each.dtls_alert is not None), None)
    if alert is not None:
        return f"The DTLS handshake for the media ended with the alert {alert}."
    if hellos:
        answers = sum(each.dtls_answers for each in checks)
        told = "no answer" if not answers else f"{answers} records in answer, and no end"
        return f"The DTLS handshake for the media did not end: {hellos} ClientHellos, {told}."
    requests = sum(each.stun_requests for each in checks)
    if requests < 3 or any(each.stun_successes for each in checks):
        return None
    error = next((each.last_error for each in checks if each.last_error is not None), None)
    told = "" if error is None else f" (the last was refused with {error})"
    pairs = "one pair" if len(checks) == 1 else f"{len(checks)} pairs"
    return f"None of {requests} ICE checks over {pairs} of sockets had an answer{told}."


RULES: tuple[Rule, ...] = (find_unreachables, find_failed_connections, find_failed_checks)
