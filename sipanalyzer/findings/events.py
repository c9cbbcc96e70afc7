"""What happened in calls that is worth knowing though nothing is wrong with it. Floor 7.

Finds ``held``, ``transferred`` (RFC 3515, 3891), ``t38-fax`` and ``early-media`` (RFC 3960).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from ..facts import Finding
from ..result import Call, Transaction
from ..sip.header import find_header
from ..sip.sdp import find_sdp, sdp_limits
from .context import Context, Rule
from .offers import is_hold, wants_fax
from .phrases import listing, many, seconds

__all__ = ["RULES", "early_media", "held", "t38_fax", "transferred"]

_REPLACES = re.compile(rb"\nreplaces[ \t]*:", re.IGNORECASE)
_FAX = re.compile(rb"\nm=image ", re.IGNORECASE)
_PROGRESS = re.compile(rb"SIP/2\.0 (\d{3})")


def early_media(context: Context) -> Iterator[Finding]:
    """RTP towards the caller before the answer."""
    for call in context.result.calls:
        if call.media_latency_ns is None or call.media_latency_ns >= 0:
            continue
        towards = [each for each in context.streams(call) if each[1].direction == "callee-to-caller"]
        first = min(towards, key=lambda each: each[1].start, default=None)
        yield context.finding(
            "early-media",
            f"Media reached the caller {seconds(-call.media_latency_ns)} before the answer.",
            call=call,
            capture=call.capture if first is None else first[1].capture,
            time=call.start if first is None else first[1].start,
            frames=[] if first is None else [first[1].first_frame],
        )


def held(context: Context) -> Iterator[Finding]:
    """Calls in which one side put the other on hold."""
    for call_id, rows in context.offers_inside.items():
        call = context.calls.get(call_id)
        changes = list(_holds(context, rows, call_id)) if call is not None else []
        begun = [row for row, hold in changes if hold]
        if call is None or not begun:
            continue
        messages = context.messages
        sides = listing(sorted({_side(call, messages.text("from_tag", row)) for row in begun}))
        text = f"{sides[:1].upper()}{sides[1:]} put the other side on hold"
        text += f" {many(len(begun), 'time')}" if len(begun) > 1 else ""
        ended = next((row for row, hold in changes if not hold and row > begun[0]), None)
        if len(begun) == 1 and ended is not None:
            text += f", for {seconds(int(messages.time[ended]) - int(messages.time[begun[0]]))}"
        elif changes[-1][1]:
            text += ", which was not taken back"
        yield context.finding("held", text + ".", call=call, rows=[row for row, _ in changes])


def _holds(context: Context, rows: list[int], call_id: str) -> Iterator[tuple[int, bool]]:
    """Offers that began (True) or ended a hold and were not refused; the same offer at another hop is none."""
    messages = context.messages
    on: dict[int, bool] = {}
    refused: set[int] | None = None
    limits = sdp_limits(context.result.options)
    for row in rows:
        body = find_sdp(messages.text("content_type", row), messages.body(row), limits)
        if body is None:
            continue
        side, hold = int(messages.from_tag[row]), is_hold(body, limits)
        if on.get(side, False) == hold:
            continue
        if refused is None:
            refused = {
                each.rows[0]
                for each in context.transactions[call_id]
                if each.status_code is not None and each.status_code >= 300
            }
        if row not in refused:
            on[side] = hold
            yield row, hold


def _side(call: Call, tag: str | None) -> str:
    if call.caller_tag is None or tag is None:
        return "one side"
    return "the caller" if tag == call.caller_tag else "the callee"


def transferred(context: Context) -> Iterator[Finding]:
    """Calls that REFER sent elsewhere, and calls that took the place of another (Replaces)."""
    messages = context.messages
    if context.method("REFER") >= 0:
        refers: dict[str, list[Transaction]] = defaultdict(list)
        for each in context.result.transactions:
            if each.method == "REFER" and each.call_id in context.calls and 200 <= (each.status_code or 0) < 300:
                refers[each.call_id].append(each)
        for call_id, transactions in refers.items():
            yield _referred(context, context.calls[call_id], transactions[0])
    opening = np.flatnonzero(context.requests("INVITE") & (messages.to_tag < 0))
    for row, _ in context.search(_REPLACES, opening):
        replaced = (find_header(messages.raw(row), "Replaces") or "").split(";")[0].strip()
        call = context.calls.get(messages.text("call_id", row) or "")
        if call is not None and replaced and row == _first(context, call):
            yield context.finding(
                "transferred", f"This call was to take the place of call {replaced[:200]}.", call=call, rows=[row]
            )


def _first(context: Context, call: Call) -> int | None:
    """Row of the call's first INVITE with Replaces: the other hops and the retries say the same."""
    messages, invite = context.messages, context.method("INVITE")
    rows = (row for row in call.rows if int(messages.method[row]) == invite and not int(messages.status[row]))
    return next((row for row in rows if _REPLACES.search(messages.raw(row))), None)


def _referred(context: Context, call: Call, refer: Transaction) -> Finding:
    messages = context.messages
    row = refer.rows[0]
    raw = messages.raw(row)
    target = find_header(raw, "Refer-To") or "an unknown target"
    attended = "replaces=" in target.lower()
    text = f"{_side(call, messages.text('from_tag', row)).capitalize()} transferred the call to "
    text += target.partition("?")[0].strip("<> ")[:200]
    text += ", after a consultation" if attended else ""
    outcome = _outcome(context, call, row)
    if outcome is not None:
        status, told = outcome
        text += f"; the new call was told to end with {status}" if status >= 300 else "; the new call was answered"
        return context.finding(
            "transferred", text + ".", call=call, rows=[row, told], severity="warning" if status >= 300 else None
        )
    return context.finding("transferred", text + ".", call=call, rows=[row])


def _outcome(context: Context, call: Call, after: int) -> tuple[int, int] | None:
    """Last final status that NOTIFY told of the new call (RFC 3515 2.4.4), and its row."""
    messages, notify = context.messages, context.method("NOTIFY")
    found = None
    for row in call.rows:
        if row > after and int(messages.method[row]) == notify and not int(messages.status[row]):
            progress = _PROGRESS.match(messages.body(row)[:100].lstrip())
            if progress is not None and int(progress[1]) >= 200:
                found = int(progress[1]), row
    return found


def t38_fax(context: Context) -> Iterator[Finding]:
    """Calls that agreed on T.38, or in which one side wanted to change to it."""
    messages = context.messages
    told: set[str] = set()
    offers = np.flatnonzero(context.requests("INVITE") & (messages.body_length > 0))
    for row, _ in context.search(_FAX, offers, body=True):
        call_id = messages.text("call_id", row) or ""
        if call_id in told or call_id not in context.calls or not _has_fax(context, row):
            continue
        offer = next((each for each in context.transactions[call_id] if each.rows[0] == row), None)
        if offer is None:
            continue
        answers = [other for other in offer.rows if 200 <= int(messages.status[other]) < 300][:4]
        agreed = next((other for other in answers if _has_fax(context, other)), None)
        if agreed is None and int(messages.to_tag[row]) < 0:
            continue  # many gateways offer a fax beside the voice from the start
        told.add(call_id)
        text = "Both sides agreed on T.38: a fax."
        if agreed is None:
            text = "One side heard a fax and wanted T.38; the other did not agree."
        yield context.finding("t38-fax", text, call=call_id, rows=[row, *([] if agreed is None else [agreed])])


def _has_fax(context: Context, row: int) -> bool:
    messages, limits = context.messages, sdp_limits(context.result.options)
    body = find_sdp(messages.text("content_type", row), messages.body(row), limits)
    return body is not None and wants_fax(body, limits)


RULES: tuple[Rule, ...] = (early_media, held, transferred, t38_fax)
