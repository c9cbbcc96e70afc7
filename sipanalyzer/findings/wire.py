"""How messages stood on the wire: too large, in fragments, malformed. Floor 7.

Finds ``fragmented-sip`` (RFC 3261 18.1.1), ``pager-limit-exceeded`` (RFC 3428 section 8) and ``malformed-sip``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from ..anomalies import MEANING
from ..facts import Finding, Page
from ..result import Capture
from .context import Context, Rule
from .phrases import hop, listing, many
from .unanswered import is_unanswered

__all__ = ["RULES", "fragmented_sip", "malformed_sip", "pager_limit_exceeded"]

_MALFORMED = ("sip-malformed", "sip-content-length", "sip-no-call-id", "websocket-malformed")
_CUT = "sip-truncated"
"""Malformed only where the capture is not why."""


def fragmented_sip(context: Context) -> Iterator[Finding]:
    """Messages that came in several IP fragments, which firewalls and NAT like to drop."""
    fragmented = context.result.extra.get("fragmented")
    if not fragmented:
        return
    messages = context.messages
    of_calls: dict[str, list[int]] = defaultdict(list)
    of_peers: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for row in sorted(row for row in fragmented if 0 <= row < len(messages)):
        call_id = messages.text("call_id", row)
        if call_id in context.calls:
            of_calls[call_id or ""].append(row)
        else:
            src, dst = (messages.endpoints[int(end[row])] for end in (messages.src, messages.dst))
            of_peers[src[0], dst[0], int(messages.method[row])].append(row)
    unanswered = {row for each in context.trouble.silent if is_unanswered(context, each) for row in each.rows}
    for call_id, rows in of_calls.items():
        yield _fragmented(context, rows, call_id, unanswered)
    for rows in of_peers.values():
        yield _fragmented(context, rows, None, unanswered)


def _fragmented(context: Context, rows: list[int], call_id: str | None, unanswered: set[int]) -> Finding:
    messages = context.messages
    lost = [row for row in rows if row in unanswered]
    shown = (lost or rows)[0]
    status = int(messages.status[shown])
    what = (f"Response {status} to " if status else "") + (messages.text("method", shown) or "a request")
    src, dst = (messages.endpoints[int(end[shown])] for end in (messages.src, messages.dst))
    text = f"{what} {hop(src, dst)} has {int(messages.length[shown])} bytes and came in IP fragments"
    text += f", as did {many(len(rows) - 1, 'other message')}" if len(rows) > 1 else ""
    return context.finding(
        "fragmented-sip",
        text + ("; it drew no response." if lost else "."),
        call=call_id,
        rows=lost or rows,
        severity="warning" if lost else "info",
        affects=src[0],
    )


def pager_limit_exceeded(context: Context) -> Iterator[Finding]:
    """MESSAGE requests larger than UDP may carry: one finding a sender and receiver."""
    groups: dict[tuple[str, str], list[Page]] = defaultdict(list)
    for page in context.result.pages:
        if page.over_limit:
            groups[page.src[0], page.dst[0]].append(page)
    for pages in groups.values():
        first = pages[0]
        largest = max(page.request_bytes for page in pages)
        yield context.finding(
            "pager-limit-exceeded",
            f"MESSAGE {hop(first.src, first.dst)} has {largest} bytes, and 1300 are allowed over UDP"
            + (f"; {len(pages)} were too large." if len(pages) > 1 else "."),
            call=first.call_id if len(pages) == 1 else None,
            capture=first.capture,
            time=first.time,
            frames=[page.first_frame for page in pages if page.capture == first.capture],
            affects=first.from_uri,
        )


def malformed_sip(context: Context) -> Iterator[Finding]:
    """What looked like SIP and could not be read: one finding a capture."""
    found = [(number, capture, *_malformed(capture)) for number, capture in enumerate(context.result.captures)]
    found = [each for each in found if each[2]]
    messages = context.messages
    shown = np.flatnonzero(np.isin(messages.frame, [frame for *_, frames in found for frame in frames]))
    times = {(int(messages.capture[row]), int(messages.frame[row])): int(messages.time[row]) for row in shown.tolist()}
    for number, capture, counts, frames in found:
        time = next((times[number, frame] for frame in frames if (number, frame) in times), capture.first)
        yield context.finding(
            "malformed-sip",
            f"{many(sum(counts.values()), 'malformed message')}: "
            + listing(f"{many(count, 'time')} {MEANING[code]}" for code, count in counts.items())
            + ".",
            capture=number,
            frames=frames,
            time=time,
        )


def _malformed(capture: Capture) -> tuple[dict[str, int], list[int]]:
    """How often each kind of it was seen, and the frames."""
    seen = [code for code in _MALFORMED if code in capture.anomalies]
    if _CUT in capture.anomalies and not capture.cut_packets and "tcp-lost-segment" not in capture.anomalies:
        seen.append(_CUT)
    frames = sorted({frame for code in seen for frame in capture.anomalies[code].frames})
    return {code: capture.anomalies[code].count for code in seen}, frames


RULES: tuple[Rule, ...] = (fragmented_sip, pager_limit_exceeded, malformed_sip)
