"""One call whole, for people and as data: facts, findings, messages, dialogs, streams. Floor 8.

In: a result and one of its calls. Out: styled lines (see :mod:`.terminal`), or a dictionary for JSON.
"""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Sequence
from typing import Any

from ..result import Call, Result
from .cells import Cell, clean, iso, local_time, machine, people, visible
from .columns import column
from .lookup import narrow
from .tables import Table, table
from .terminal import Line, cut, draw_table, fit, lay_out, width_of

__all__ = ["call_data", "call_lines"]

_LEFT = 21
_FACTS = (
    ("state", "status_code", "reason", "released_by", "release_cause"),
    ("from_uri", "to_uri", "request_uri", "asserted_identity", "diversion"),
    ("src", "dst", "transport", "user_agent", "server"),
    ("start", "ringing", "answered", "end"),
)
"""Facts of which each has its line, in groups."""
_FIGURES = (
    (
        "post_dial_delay_ms",
        "setup_latency_ms",
        "answer_to_ack_ms",
        "media_latency_ms",
        "disconnect_delay_ms",
        "duration_s",
    ),
    ("messages", "retransmissions", "dialogs", "auth"),
    ("media", "codecs", "codecs_offered", "codecs_answered"),
    ("dtmf_method", "digits_from_caller", "digits_from_callee", "text_messages"),
    ("streams", "packets", "lost", "loss_percent", "max_jitter_ms", "mos", "mos_scale", "one_way"),
    ("capture", "first_frame", "last_frame"),
)
"""Facts that stand beside each other, each group from a new line."""
_STREAM_COLUMNS = (
    "src", "src_port", "dst", "dst_port", "codec", "packets", "loss_percent", "max_jitter_ms", "mos",
    "discarded_percent", "mos_min", "rtcp_lost_percent", "rtt_ms", "dtmf", "ssrc",
)  # fmt: skip


def call_data(result: Result, call: Call) -> dict[str, Any]:
    """The call as data for JSON: its row, and the rows of its messages, dialogs, transactions and streams."""
    own = narrow(result, {call.call_id})
    session = next((each for each in result.sessions if call.call_id in each.call_ids), None)
    return {
        "call": _objects(table(own, "calls"))[0],
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
    calls, messages, streams, dialogs = (table(own, name) for name in ("calls", "messages", "streams", "dialogs"))
    facts = dict(zip((each.name for each in calls.columns), next(calls.rows()), strict=True))
    who = " to ".join(visible(str(facts[name] or "?")) for name in ("caller", "callee"))
    lines: list[Line] = [
        [("Call ", "bold"), (cut(visible(call.call_id), max(width - 5, 1)), "bold")],
        [(cut(who, width), "")],
    ]
    if call.partial:
        lines.append([("The capture began after this call did: its beginning is not known.", "yellow")])
    lines += _finding_lines(_findings(own, call), width)
    lines += _session_lines(result, call, width)
    for group in _FACTS:
        known = [name for name in group if facts[name] is not None]
        lines += [[]] if known else []
        lines += [_fact(name, facts[name], width, tz) for name in known]
    lines.append([])
    for figures in _FIGURES:
        lines += _beside([(name, facts[name]) for name in figures if facts[name] is not None], width, tz)
    lines += [[], [(f"Messages ({len(messages)})", "bold"), *_day(messages, tz)], *_message_lines(messages, width, tz)]
    if len(dialogs) > 1:
        lines += [[], [(f"Dialogs ({len(dialogs)})", "bold")]]
        lines += draw_table(dialogs, lay_out(dialogs, width, tz))
    if len(streams):
        chosen = streams.only([name for name in _STREAM_COLUMNS if any(each is not None for each in streams[name])])
        lines += [[], [(f"Streams ({len(streams)})", "bold")]]
        lines += draw_table(chosen, lay_out(chosen, width, tz, chosen=True))
    lines = [fit(line, width) for line in [*lines, [], [("Wireshark filter", "bold")]]]
    return [*lines, [(visible(str(facts["wireshark_filter"])), "")]]  # to be copied: never cut


def _finding_lines(findings: Table, width: int) -> list[Line]:
    """What is wrong and what to do about it; of consequences and notes one line."""
    lines: list[Line] = []
    wanted = ("severity", "code", "explanation", "advice", "evidence", "doubtful")
    for severity, code, explanation, advice, evidence, doubtful in zip(
        *(findings[name] for name in wanted), strict=True
    ):
        style = {"error": "bold red", "warning": "bold yellow"}.get(str(severity), "bold")
        lines += [[], [(f"{severity}: {code}", style), (f"  frame {evidence}" if evidence else "", "dim")]]
        texts = [str(explanation), *([f"Doubtful: {doubtful}"] if doubtful else [])]
        for text in [*texts, *([str(advice)] if severity != "info" and advice else [])]:
            dim = "" if text in texts else "dim"
            lines += [[("  " + line, dim)] for line in textwrap.wrap(visible(text), max(width - 2, 20))]
    return lines


def _session_lines(result: Result, call: Call, width: int) -> list[Line]:
    """The other legs of its conversation, and why they are thought to be."""
    session = next((each for each in result.sessions if call.call_id in each.call_ids), None)
    if session is None or len(session.call_ids) < 2:
        return []
    lines: list[Line] = [[], [(f"Session {session.number}", "bold"), (f"  {len(session.call_ids)} legs", "")]]
    lines += [[("  " + cut(visible(each), max(width - 2, 1)), "")] for each in session.call_ids if each != call.call_id]
    kinds = dict.fromkeys(f"{each.kind}: {each.text}" for each in session.evidence if call.call_id in each.calls)
    return lines + [[("  by " + cut(visible(text), max(width - 5, 1)), "dim")] for text in list(kinds)[:5]]


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
    for name, value in facts:
        text = cut(people(value, column("calls", name), tz), max(width - len(name) - 1, 1))
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


def _day(messages: Table, tz: datetime.tzinfo) -> Line:
    times = [time for time in messages["time"] if time is not None]
    if not times:
        return []
    zone = "UTC" if tz is datetime.UTC else str(tz)
    return [(f"  times in seconds since {local_time(int(times[0]), tz)} {zone}", "dim")]


def _message_lines(messages: Table, width: int, tz: datetime.tzinfo) -> list[Line]:
    """One line a message: seconds since the first, frame, from, to, what."""
    wanted = ("time", "frame", "src", "dst", "summary", "retransmission")
    rows = list(zip(*(messages[name] for name in wanted), strict=True))
    if not rows:
        return []
    first = int(rows[0][0] or 0)
    texts = [
        (f"{(int(time or 0) - first) / 1e9:.3f}", str(frame), str(src), str(dst), visible(str(summary)), again is True)
        for time, frame, src, dst, summary, again in rows
    ]
    clock, number, source, target = (_widest([row[at] for row in texts]) for at in range(4))  # type: ignore[misc]
    room = max(width - clock - number - source - target - 9, 16)
    lines: list[Line] = []
    for time, frame, src, dst, summary, again in texts:
        line = [
            (f"{time:>{clock}}  ", ""),
            (f"{frame:>{number}}  ", "dim"),
            (f"{src:<{source}} > {dst:<{target}}  ", ""),
        ]
        line.append((cut(summary, room - (8 if again else 0)), _message_style(summary)))
        lines.append(fit([*line, (" (again)" if again else "", "yellow")], width))
    return lines


def _widest(texts: Sequence[str]) -> int:
    return max(map(width_of, texts))


def _message_style(summary: str) -> str:
    return {"2": "green", "3": "cyan", "4": "yellow", "5": "red", "6": "red"}.get(summary[:1], "")
