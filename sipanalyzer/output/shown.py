"""What a terminal shows of each table: which columns, in which order, how wide, in which colour. Floor 8.

In: nothing but names of tables and columns. Out: tables that :mod:`.terminal` goes by. Standard library only.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from .cells import Cell

__all__ = ["BENEATH", "ESSENTIAL", "HIDDEN_WHEN_ZERO", "NARROW", "WIDE", "Wish", "style_of", "wishes"]

WIDE = 60
"""Width beyond which a text is cut even where there is room, unless the column was asked for by name."""
NARROW = 14
"""Width that a text column shrinks to before columns are left out."""

ESSENTIAL = 7
"""Columns up to this rank are cut rather than left out; one of a later rank is shown where those need not be cut."""

_SHOWN = {
    "calls": "start:4 caller:2 callee:3 state:1 status_code:5 reason:13 post_dial_delay_ms:7 duration_s:6 codecs:10:9 "
    "streams:16 packets:14 loss_percent:11 max_jitter_ms:12 mos:8 findings:9 one_way:25 release_cause:20 "
    "src:17 dst:18 user_agent:21 server:22 retransmissions:23 transport:19 first_frame:24 call_id:15",
    "streams": "start:21 src:1 src_port:2 dst:3 dst_port:4 ssrc:11 codec:5 packets:9 lost:14 loss_percent:6 "
    "max_jitter_ms:8 mos:7 mean_jitter_ms:16 max_delta_ms:13 discarded_percent:10 duplicates:18 out_of_order:17 "
    "restarts:19 rtcp_lost_percent:25 rtt_ms:26 dtmf:27 findings:12 "
    "duration_s:15 direction:20 ptime_ms:28 kbit_s:29 dscp:22 matched:23 call_id:24",
    "streams of a call": "#:1 src:2 src_port:3 dst:4 dst_port:5 codec:6 packets:10 loss_percent:7 max_jitter_ms:9 "
    "mos:8 mos_min:12 discarded_percent:11 rtcp_lost_percent:13 rtt_ms:14 dtmf:15 direction:16:16 ssrc:17",
    "messages": "frame:3 time:1 src:4 dst:5 summary:2:24 transport:11 retransmission:8 cseq:10 call_id:9 user_agent:12",
    "dialogs": "start:1 state:2 local_uri:3 remote_uri:4 confirmed:8 end:9 call_id:5 from_tag:10 to_tag:11",
    "transactions": "start:1 method:2 src:3 dst:4 status_code:5 first_response_ms:6 final_response_ms:7 "
    "retransmissions:8 call_id:9 branch:10",
    "registrations": "start:3 aor:1:20 state:2 status_code:5 registrar:4 contact:9 expires_s:6 refresh:10 attempts:8 "
    "registration_delay_ms:7 source:11 call_id:12",
    "pages": "time:3 from_uri:1 to_uri:2 status_code:4 delivery_ms:6 size_bytes:7 request_bytes:8 over_limit:5 "
    "text:9:20 content_type:10 src:12 dst:13 call_id:11",
    "subscriptions": "start:5 event:1 subscriber:2 notifier:3 state:4 expires_s:7 notifies:6 status_code:8 call_id:9",
    "endpoints": "address:1:15 roles:2:20 products:9:20 messages_sent:3 messages_received:4 calls:5 answered:6 "
    "asr_percent:10 mean_response_ms:7 p95_response_ms:8 retransmissions:13 loss_percent_to:11 loss_percent_from:12",
    "probes": "src:1 dst:2 sent:3 answered:4 answered_percent:5 mean_response_ms:6 max_response_ms:7",
    "findings": "severity:2 code:1:20 call_id:3 frame:4 time:5 ssrc:6 affects:7",
    "statistics": "metric:1:20 value:2 unit:3 basis:4 scope:5 note:6:30:120",
    "intervals": "stream:1 start:2 packets:3 lost:4 discarded:5 max_jitter_ms:6 r_factor:8 mos:7 ssrc:9 call_id:10",
    "rtcp": "time:1 type:2 src:3 dst:4 ssrc:9 reported_ssrc:5 fraction_lost_percent:6 cumulative_lost:7 jitter_ms:8 "
    "rtt_ms:10 values:11:20 call_id:12",
    "captures": "file:1:24 format:4 link_types:6 packets:2 bytes:7 first:3 last:5 cut_packets:11 dropped:12 "
    "clock_steps:13 grade:8 doubts:9:30:120 duplicated_percent:15 anomalies:14:24:120 damage:10:24:120",
}
"""What a terminal shows: columns from left to right, each with its rank (1 is the last to be left out), the width that
it is not cut below (:data:`NARROW` where none is given) and the width that it does not exceed (:data:`WIDE`)."""

_COMFORT = {
    "src": 21, "dst": 21, "registrar": 21, "source": 21, "summary": 40, "caller": 20, "callee": 20, "aor": 30,
    "from_uri": 30, "to_uri": 30, "local_uri": 30, "remote_uri": 30, "call_id": 24, "findings": 24, "file": 40,
    "reason": 24,
}  # fmt: skip
"""Width of texts that are not cut further only to make room for a column of lesser rank."""

BENEATH = {"findings": ("explanation", "doubtful")}
"""Sentences that stand below their row, wrapped: cut in a cell they would say nothing."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a column would like to be shown."""

    rank: int
    least: int
    comfort: int
    widest: int


@functools.cache
def wishes(table: str) -> dict[str, Wish]:
    """The columns that a terminal shows of a table, from left to right; empty where nothing is said of it."""
    found = {}
    for item in _SHOWN.get(table, "").split():
        name, rank, *widths = item.split(":")
        least, widest, *_ = (*map(int, widths), *(NARROW, WIDE)[len(widths) :])
        found[name] = Wish(int(rank), least, _COMFORT.get(name, least), widest)
    return found


HIDDEN_WHEN_ZERO = frozenset({
    "cut_packets", "dropped", "clock_steps", "retransmission", "retransmissions", "duplicates", "out_of_order",
    "restarts",
})  # fmt: skip
"""Columns that say something only where one row has something."""

_GOOD, _FAIR, _BAD, _DIM = "green", "yellow", "red", "dim"
_STATES = {
    "completed": _GOOD, "in-call": _GOOD, "confirmed": _GOOD, "cancelled": _FAIR, "busy": _FAIR, "no-answer": _FAIR,
    "registered": _GOOD, "active": _GOOD, "no-response": _BAD, "challenged": _FAIR,
    "redirected": _FAIR, "rejected": _BAD, "failed": _BAD, "ringing": "cyan", "setup": "cyan", "early": "cyan",
}  # fmt: skip
_LIMITS = {
    "loss_percent": (1.0, 5.0), "max_jitter_ms": (30.0, 60.0), "post_dial_delay_ms": (8_000.0, 11_000.0),
    "discarded_percent": (1.0, 5.0), "effective_loss_percent": (1.0, 5.0), "rtcp_lost_percent": (1.0, 5.0),
}  # fmt: skip
"""From here a figure is shown as fair, and as bad: the thresholds of the findings."""
_BAD_IF_ANY = frozenset({"damage", "one_way", "dropped", "cut_packets", "restarts", "over_limit"})


def style_of(name: str, value: Cell) -> str:
    """Colour of a cell: how good what stands in it is."""
    if value is None:
        return _DIM
    if name == "state":
        return _STATES.get(str(value), "")
    if name in ("severity", "grade"):
        return {"error": _BAD, "poor": _BAD, "warning": _FAIR, "fair": _FAIR, "good": _GOOD}.get(str(value), "")
    if name == "status_code":
        return {2: _GOOD, 3: "cyan", 4: _FAIR, 5: _BAD, 6: _BAD}.get(int(value) // 100, "")
    if name in _LIMITS:
        fair, bad = _LIMITS[name]
        return _BAD if float(value) >= bad else _FAIR if float(value) >= fair else ""
    if name in _BAD_IF_ANY:
        return _BAD if value else ""
    return _FAIR if name == "retransmission" and value else ""
