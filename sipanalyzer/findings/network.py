"""Findings about the capture itself and about the network below SIP and RTP. Floor 7.

Owns: truncated-capture, capture-drops, capture-duplicates, one-sided-capture, clock-step; icmp-unreachable,
tcp-connect-failed, tls-handshake-failure, ice-or-dtls-failed. In: captures as graded, ICMP errors, TCP connections, ICE
and DTLS. What explains a call names it.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from ..errors import ParseError
from ..facts import Connection, Endpoint, Finding, IcmpError, MediaCheck
from ..result import Call, Capture, host_port
from ..sip.sdp import parse_sdp
from .context import MAX_FRAMES, Context, Rule

__all__ = ["RULES"]

_NEAR_NS = 35_000_000_000
"""A fault this long before or after a call's signalling still belongs to it (64 times T1, and some)."""
_MOST_CALLS = 20
"""Calls that one fault is tied to, each with a finding of its own."""
_UNREACHABLE = "unreachable"
_FORBIDDEN = "prohibited"


# ---- the capture
def find_capture_defects(context: Context) -> Iterator[Finding]:
    """What keeps a capture from being the truth: a finding a kind and file."""
    shown = _first_rows(context)
    for number, capture in enumerate(context.result.captures):
        for code, text in _defects(capture, context.options.duplicated_percent):
            time = capture.holes[0][0] if code == "capture-drops" and capture.holes else capture.first
            frames = _frames(capture, code)
            yield context.finding(code, f"{_name(capture)}: {text}.", capture=number, time=time, frames=frames)
        for sender, receiver in capture.one_sided[:_MOST_CALLS]:
            yield context.finding(
                "one-sided-capture",
                f"{_name(capture)}: SIP from {sender} to {receiver} was captured, and nothing the other way, though "
                f"{receiver} must have spoken.",
                capture=number,
                rows=shown[number, sender, receiver],
                time=None if shown[number, sender, receiver] else capture.first,
            )


def _first_rows(context: Context) -> dict[tuple[int, str, str], list[int]]:
    """The first messages between hosts of which one was not captured: by capture, sender and receiver."""
    captures = context.result.captures
    wanted = {(number, *pair) for number, capture in enumerate(captures) for pair in capture.one_sided}
    found: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    messages, ends = context.messages, context.messages.endpoints
    if not wanted:
        return found
    count = len(ends)
    ways, at = np.unique((messages.capture * count + messages.src) * count + messages.dst, return_inverse=True)
    keys = [(way // count**2, ends[way // count % count][0], ends[way % count][0]) for way in ways.tolist()]
    rows = np.flatnonzero(np.array([key in wanted for key in keys])[at])
    for row, way in zip(rows.tolist(), at[rows].tolist(), strict=True):
        if len(found[keys[way]]) < MAX_FRAMES:
            found[keys[way]].append(row)
    return found


def _defects(capture: Capture, duplicated_percent: float) -> Iterator[tuple[str, str]]:
    if capture.damage is not None:
        yield "truncated-capture", "the file breaks off, and what came after is missing"
    if capture.cut_packets:
        share = 100.0 * capture.cut_packets / capture.packets
        yield "truncated-capture", f"{capture.cut_packets:,} packets ({share:.1f} %) were cut by the snapshot length"
    if capture.dropped:
        yield "capture-drops", f"{capture.dropped:,} packets were dropped while capturing, as the file itself says"
    if capture.holes:
        longest = max(end - begin for begin, end in capture.holes) / 1e6
        times = "once" if len(capture.holes) == 1 else f"{len(capture.holes)} times"
        yield (
            "capture-drops",
            f"all streams, in both directions, miss packets at the same moment {times} (up to {longest:.0f} ms): "
            "the capture lost them, not the network",
        )
    if (capture.duplicated_percent or 0.0) >= duplicated_percent:
        yield (
            "capture-duplicates",
            f"{capture.duplicated_percent:.0f} % of the SIP and RTP packets stand twice, as at a mirror port that "
            "shows every frame on its way in and out; copies are not counted",
        )
    if capture.clock_steps:
        times = "once" if capture.clock_steps == 1 else f"{capture.clock_steps} times"
        yield "clock-step", f"the clock of the capture was set back {times}; durations across a step are wrong"


def _name(capture: Capture) -> str:
    return capture.file.replace("\\", "/").rsplit("/", 1)[-1] or "the capture"


_ANOMALIES = {
    "truncated-capture": "cut-packet",
    "clock-step": "clock-step",
    "capture-duplicates": "sip-capture-duplicate",
}
"""The anomaly whose frames show a defect."""


def _frames(capture: Capture, code: str) -> tuple[int, ...]:
    anomaly = _ANOMALIES.get(code)
    if anomaly is None or anomaly not in capture.anomalies.counts():
        return ()
    return tuple(capture.anomalies[anomaly].frames)


# ---- which calls a socket belongs to
class _Sockets:
    """Who used which socket, when: built only where a fault is to be tied to a call."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.signalling: Mapping[Endpoint, list[Call]] = defaultdict(list)
        self.media: Mapping[Endpoint, list[Call]] = defaultdict(list)
        messages, calls = context.messages, context.result.calls
        for call in calls:
            ends = {int(messages.src[row]) for row in call.rows} | {int(messages.dst[row]) for row in call.rows}
            for end in ends:
                self.signalling[messages.endpoints[end]].append(call)
            for _, stream in context.streams(call):
                self.media[stream.src].append(call)
                self.media[stream.dst].append(call)

    def announced(self) -> dict[Endpoint, list[Call]]:
        """Media sockets that the SDP of calls names, ICE candidates among them."""
        found: dict[Endpoint, list[Call]] = defaultdict(list)
        messages = self._context.messages
        for call in self._context.result.calls:
            for row in call.rows:
                if not messages.body_length[row]:
                    continue
                try:
                    sdp = parse_sdp(messages.body(row))
                except ParseError:
                    continue
                for media in sdp.media:
                    sockets = {(media.address or "", media.port)}
                    sockets |= {(candidate.address, candidate.port) for candidate in media.candidates}
                    for socket in sockets:
                        if call not in found[socket][-1:]:
                            found[socket].append(call)
        return found


def _during(calls: Iterable[Call], begin: int, end: int) -> list[Call]:
    return [call for call in calls if call.first_time - _NEAR_NS <= end and begin <= call.last_time + _NEAR_NS]


# ---- ICMP
def find_unreachables(context: Context) -> Iterator[Finding]:
    """Packets of SIP or RTP that a host or router sent back as undeliverable (RFC 792, RFC 1812 5.2.7, RFC 4443)."""
    errors = [each for each in context.result.icmp if _UNREACHABLE in each.kind or _FORBIDDEN in each.kind]
    if not errors:
        return
    sockets = _Sockets(context)
    for error in errors:
        signalling = sockets.signalling.get(error.dst, []) if error.src in sockets.signalling else []
        media = sockets.media.get(error.dst, [])
        calls = _during([*signalling, *media], error.time, error.last)
        what = "media" if media and not signalling else "SIP"
        if not calls and error.dst not in sockets.signalling and not _spoke_sip(context, error):
            continue
        text = _unreachable_text(error, what)
        named = list({call.call_id: call for call in calls}.values())[:_MOST_CALLS]
        for call in named or (None,):
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
    by_host: dict[str, list[Call]] = defaultdict(list)
    for call in context.result.calls:
        for host in {end[0] for end in (call.src, call.dst) if end is not None}:
            by_host[host].append(call)
    later = _later_messages(context, {(each.client[0], each.server[0]) for each in faults})
    for fault in faults:
        code, what = _FAULTS[fault.fault]
        spoken = later.get((fault.client[0], fault.server[0]), [])
        place = bisect.bisect_right(spoken, fault.time)
        mended = place < len(spoken) and spoken[place] - fault.time <= _NEAR_NS
        near = {call.call_id: call for call in _during(by_host.get(fault.server[0], ()), fault.time, fault.time)}
        calls = [call for call in near.values() if _could_explain(call, fault)][:_MOST_CALLS]
        for whom in calls or (None,):
            yield context.finding(
                code,
                _connection_text(fault, what) + (" SIP passed between them soon after all the same." if mended else ""),
                call=whom,
                time=fault.time,
                capture=fault.capture,
                frames=(fault.frame,),
                affects=fault.client[0],
                severity="info" if mended else "warning" if fault.fault == "reset" else None,
            )


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


def _could_explain(call: Call, fault: Connection) -> bool:
    """Whether a call failed, or ended unseen, between the two hosts."""
    hosts = {end[0] for end in (call.src, call.dst) if end is not None}
    return fault.client[0] in hosts and (call.answered is None or call.end is None)


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
    sockets = _Sockets(context)
    announced = sockets.announced()
    by_call: dict[str, list[MediaCheck]] = defaultdict(list)
    calls: dict[str, Call] = {}
    for check in checks:
        near = [*announced.get(check.src, ()), *announced.get(check.dst, ()), *sockets.media.get(check.dst, ())]
        for call in _during(near, check.time, check.time)[:_MOST_CALLS]:
            if check not in by_call[call.call_id]:
                by_call[call.call_id].append(check)
                calls[call.call_id] = call
    for call_id, mine in by_call.items():
        call = calls[call_id]
        text = _failed_text(mine)
        if text is not None and call.answered is not None and not call.streams:
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
    return f"None of {requests} ICE checks over {len(checks)} pairs of sockets had an answer{told}."


RULES: tuple[Rule, ...] = (find_capture_defects, find_unreachables, find_failed_connections, find_failed_checks)
