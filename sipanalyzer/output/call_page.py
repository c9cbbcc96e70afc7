"""One call whole, for people and as data: what is wrong, facts, flow, streams, dialogs. Floor 8.

In: a result and one of its calls. Out: styled lines (see :mod:`.terminal`), or a dictionary for JSON. Its flow is drawn
by :mod:`.call_flow`, streams and keys by :mod:`.call_media`.
"""

from __future__ import annotations

import datetime
from collections import Counter
from typing import Any

from ..result import Call, Result
from .call_flow import flow_lines
from .call_media import digit_lines, stream_lines
from .cells import Cell, clean, iso, machine, people, visible
from .columns import column
from .lookup import narrow
from .settings import changed_settings, typed
from .tables import Table, table
from .terminal import Line, cut, draw_table, fit, lay_out, width_of, wrap

__all__ = ["call_data", "call_lines"]

_LEFT = 21
_FACTS = ("from_uri", "to_uri", "request_uri", "asserted_identity", "diversion")
"""Facts of which each has its line."""
_FIGURES = (
    ("state", "status_code", "reason", "released_by", "release_cause"),
    _FACTS,
    ("src", "dst", "transport", "user_agent", "server"),
    ("start", "ringing", "answered", "end"),
    (
        "post_dial_delay_ms", "setup_latency_ms", "answer_to_ack_ms", "media_latency_ms", "disconnect_delay_ms",
        "duration_s",
    ),
    ("messages", "retransmissions", "dialogs", "auth"),
    ("media", "codecs", "codecs_offered", "codecs_answered", "dtmf_method", "text_messages"),
    ("streams", "packets", "lost", "loss_percent", "max_jitter_ms", "mos", "mos_scale", "one_way"),
    ("capture", "first_frame", "last_frame"),
)  # fmt: skip
"""Facts that stand beside each other, each group from a new line."""
_ALIKE = 3
"""Findings of one code that have their sentences; the others are counted."""
_LEGS = 20
_EVIDENCE = 5


def call_data(result: Result, call: Call) -> dict[str, Any]:
    """The call as data for JSON: its row, and the rows of its messages, dialogs, transactions and streams."""
    own = narrow(result, {call.call_id})
    session = next((each for each in result.sessions if call.call_id in each.call_ids), None)
    return {
        "call": _objects(table(own, "calls"))[0],
        "settings": changed_settings(result.options),
        "findings": _objects(_findings(own, call)),
        "digits": [
            {
                "time": iso(digit.time), "key": digit.key, "duration_ms": digit.duration_ms, "method": digit.method,
                "direction": digit.direction, "frame": digit.frame,
            }
            for digit in call.digits
        ],
        "session": None if session is None or len(session.call_ids) < 2 else {
            "number": session.number,
            "score": session.score,
            "call_ids": [clean(each) for each in session.call_ids],
            "evidence": [
                {"kind": each.kind, "text": clean(each.text), "score": each.score, "calls": [*map(clean, each.calls)]}
                for each in session.evidence
            ],
        },
        **{
            name: _objects(table(own, name))
            for name in ("messages", "dialogs", "transactions", "streams", "intervals", "rtcp")
        },
    }  # fmt: skip


def _findings(own: Result, call: Call) -> Table:
    """The call's findings, the likeliest explanation first; what is told of the capture as a whole is left out."""
    rows = table(own, "findings")
    whose, codes = rows["call_id"], rows["ssrc"]
    call_id = clean(call.call_id)
    return rows.take([row for row in range(len(rows)) if whose[row] == call_id or codes[row] is not None])


def _objects(rows: Table) -> list[dict[str, Cell]]:
    keys = [each.name for each in rows.columns]
    cells = (machine(values, each) for values, each in zip(rows.data, rows.columns, strict=True))
    return [dict(zip(keys, row, strict=True)) for row in zip(*cells, strict=True)]


def call_lines(result: Result, call: Call, width: int = 80, tz: datetime.tzinfo = datetime.UTC) -> list[Line]:
    """The page of one call, `width` columns wide, times in zone `tz`."""
    own = narrow(result, {call.call_id})
    calls, streams, dialogs = (table(own, name) for name in ("calls", "streams", "dialogs"))
    facts = dict(zip((each.name for each in calls.columns), next(calls.rows()), strict=True))
    who = " to ".join(visible(str(facts[name] or "?")) for name in ("caller", "callee"))
    lines: list[Line] = [
        [("Call ", "bold"), (cut(visible(call.call_id), max(width - 5, 1)), "bold")],
        [(cut(who, width), "")],
    ]
    if call.partial:
        lines.append([("The capture began after this call did: its beginning is not known.", "yellow")])
    capture = result.captures[call.capture] if 0 <= call.capture < len(result.captures) else None
    if capture is not None and capture.grade not in (None, "good"):
        doubts = "; ".join(capture.doubts)
        lines += [[(line, "yellow")] for line in wrap(f"The capture is {capture.grade}: {doubts}.", width)]
    lines += finding_lines(_findings(own, call), width)
    lines += _session_lines(result, call, width)
    lines.append([])
    for figures in _FIGURES:
        known = [(name, facts[name]) for name in figures if facts.get(name) is not None]
        if figures is _FACTS:
            lines += [_fact(name, value, width, tz) for name, value in known]
        else:
            lines += _beside(known, width, tz)
    lines += digit_lines(call.digits, width, tz)
    lines += flow_lines(result, call, width, tz)
    if len(dialogs) > 1:
        lines += [[], [(f"Dialogs ({len(dialogs)})", "bold")]]
        lines += draw_table(dialogs, lay_out(dialogs, width, tz))
    lines += stream_lines(own, call, streams, width, tz)
    settings = changed_settings(result.options)
    if settings:
        told = ", ".join(f"{name}={typed(name, value)}" for name, value in settings.items())
        lines += [[], [("Settings", "bold")], *([("  " + line, "")] for line in wrap(told, width - 2))]
    lines = [fit(line, width) for line in [*lines, [], [("Wireshark filter", "bold")]]]
    return [*lines, [(visible(str(facts["wireshark_filter"])), "")]]  # to be copied: never cut


def finding_lines(findings: Table, width: int) -> list[Line]:
    """What is wrong and what to do about it, in the order given; of what is only worth knowing no advice."""
    lines: list[Line] = []
    wanted = ("severity", "code", "explanation", "advice", "evidence", "doubtful", "causes")
    seen: Counter[Cell] = Counter()
    for severity, code, explanation, advice, evidence, doubtful, causes in zip(
        *(findings[name] for name in wanted), strict=True
    ):
        seen[code] += 1
        if seen[code] > _ALIKE:
            continue
        style = {"error": "bold red", "warning": "bold yellow"}.get(str(severity), "bold")
        because = f", a consequence of {str(causes).replace(',', ', ')}" if causes else ""
        frames = [each for each in str(evidence or "").split(",") if each]
        shown = f"  frame{'' if len(frames) == 1 else 's'} {', '.join(frames[:6])}" if frames else ""
        more = ", ..." if len(frames) > 6 else ""
        lines += [[], [(f"{severity}: {code}", style), (because, ""), (shown + more, "dim")]]
        lines += _indented(str(explanation), width)
        if doubtful:
            lines += _indented(f"Doubtful: {doubtful}.", width, "yellow")
        if severity != "info" and advice and seen[code] == 1:
            lines += _indented(f"What to do: {advice}", width, "dim")
    more_of = [f"{count - _ALIKE} more {code}" for code, count in seen.items() if count > _ALIKE]
    return [*lines, [], *_indented(f"And {', '.join(more_of)}.", width, "dim")] if more_of else lines


def _indented(text: str, width: int, style: str = "") -> list[Line]:
    return [[("  " + line, style)] for line in wrap(text, width - 2)]


def _session_lines(result: Result, call: Call, width: int) -> list[Line]:
    """The other legs of its conversation, and why they are thought to be."""
    session = next((each for each in result.sessions if call.call_id in each.call_ids), None)
    if session is None or len(session.call_ids) < 2:
        return []
    wanted = frozenset(session.call_ids)
    legs = {each.call_id: each for each in result.calls if each.call_id in wanted}
    others = [each for each in session.call_ids if each != call.call_id]
    lines: list[Line] = [[], [(f"Session {session.number}", "bold"), (f"  {len(session.call_ids)} legs", "")]]
    for call_id in others[:_LEGS]:
        leg = legs.get(call_id)
        who = "" if leg is None else f"{leg.caller or '?'} to {leg.callee or '?'}, {leg.state}  "
        lines.append([("  " + cut(visible(f"{who}{call_id}"), max(width - 2, 1)), "")])
    if len(others) > _LEGS:
        lines.append([(f"  and {len(others) - _LEGS} more", "dim")])
    kinds = dict.fromkeys(f"{each.kind}: {each.text}" for each in session.evidence if call.call_id in each.calls)
    return lines + [[("  by " + cut(visible(text), max(width - 5, 1)), "dim")] for text in list(kinds)[:_EVIDENCE]]


def _fact(name: str, value: Cell, width: int, tz: datetime.tzinfo) -> Line:
    about = column("calls", name)
    text = people(value, about, tz)
    if about.unit and about.unit not in name:
        text += f" {about.unit}"
    return [(f"{name:<{_LEFT}}", "dim"), (cut(text, max(width - _LEFT, 1)), "")]


def _beside(facts: list[tuple[str, Cell]], width: int, tz: datetime.tzinfo) -> list[Line]:
    """Names and values one after another, from a new line where there is no more room."""
    lines: list[Line] = []
    room = 0
    day = ""
    for name, value in facts:
        text = people(value, column("calls", name), tz)
        if column("calls", name).dtype == "time":  # the day once
            day, text = text[:10], text if text[:10] != day else text[11:]
        text = cut(text, max(width - len(name) - 1, 1))
        need = len(name) + 1 + width_of(text)
        if need + 3 > room or not lines:
            lines.append([])
            room = width
        else:
            lines[-1].append(("   ", ""))
            room -= 3
        lines[-1] += [(f"{name} ", "dim"), (text, "")]
        room -= need
    return lines
