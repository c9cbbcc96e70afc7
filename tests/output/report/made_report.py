"""Reports made by hand, of any size, with hostile words in every place that the wire can fill."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from sipanalyzer.output.report.data import Detail, Heading, Member, Method, Report, Sheet, Tile, Timeline, Verdict

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>&',
    "\\u202egnp.exe",
    "javascript:alert(1)",
    "__proto__",
    "{{ 7*7 }}<!--",
    "<svg onload=alert(1)>",
    "'-alert(1)-'&lt;b&gt;",
)
FLOW = (
    '<svg xmlns="http://www.w3.org/2000/svg" class="sf" width="300">'
    '<g class="m" data-message="0"><rect class="b" width="290" height="9"/><text y="15">INVITE</text></g>'
    '<g class="m" data-message="1"><rect class="b" y="25" width="290" height="9"/><text y="40">200 OK</text></g>'
    '<g class="s" data-stream="0"><rect class="b" y="50" width="290" height="9"/><text y="65">RTP</text></g></svg>'
)
HOSTILE_FLOW = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" class="sf" width="300"'
    ' height="90" onload="alert(1)"><script>alert(1)</script>'
    '<foreignObject><b xmlns="http://www.w3.org/1999/xhtml">no</b></foreignObject>'
    '<a xlink:href="javascript:alert(1)"><text>no</text></a><image href="http://192.0.2.1/x.png"/>'
    '<g class="m" data-message="0" onclick="alert(1)"><rect class="b" x="1" y="1" width="290" height="20"/>'
    '<text x="20" y="15" style="background:url(http://192.0.2.1/)">INVITE &lt;script&gt;</text></g>'
    '<g class="m" data-message="1"><rect class="b" y="25" width="290" height="9"/><text y="40">INVITE</text></g>'
    '<g class="s" data-stream="0"><rect class="b" x="1" y="50" width="290" height="20"/>'
    '<text x="20" y="65" fill="url(http://192.0.2.1/)">RTP</text></g></svg>'
)
_STATES = ("completed", "completed", "completed", "busy", "failed", "in-call", "cancelled")
_CALLS = (
    Heading("call_id", "", "Call-ID header", "text", None),
    Heading("start", "", "first INVITE", "time", 1),
    Heading("caller", "", "user part of From", "text", 2),
    Heading("callee", "", "user part of To", "text", 3),
    Heading("state", "", "what became of it", "text", 4),
    Heading("status_code", "", "status", "int", 5),
    Heading("duration_s", "s", "first 2xx to the first BYE", "float", 6),
    Heading("mos", "", "worst stream's MOS", "float", 7),
    Heading("findings", "", "codes of its findings", "text", 8),
    Heading("user_agent", "", "product of the caller", "text", None),
)
_FINDINGS = tuple(
    Heading(name, "", name, "text", at)
    for at, name in enumerate(("severity", "code", "call_id", "explanation", "advice", "doubtful"), 1)
)


def call_rows(count: int) -> list[list[Any]]:
    """Calls 0 to `count` - 1: the first ones hostile, every seventh failed, every tenth with high loss."""
    rows: list[list[Any]] = []
    for at in range(count):
        state = _STATES[at % len(_STATES)]
        hostile = HOSTILE[at] if at < len(HOSTILE) else None
        answered = state == "completed"
        rows.append(
            [
                hostile or f"call-{at}@example.com",
                f"2026-03-02 {at // 3600 % 24:02}:{at // 60 % 60:02}:{at % 60:02}.000",
                hostile or f"alice{at:05}",
                hostile or f"bob{at % 17}",
                state,
                200 if answered else {"busy": 486, "failed": 503}.get(state),
                float(at % 100) + 0.25 if answered else None,
                round(4.4 - at % 10 / 10, 1) if answered else None,
                "high-loss,low-mos" if at % 10 == 0 else None,
                hostile or "Phone/1.0",
            ]
        )
    return rows


def noise(seed: str, length: int) -> str:
    """Text that hardly compresses, the same for the same seed."""
    return hashlib.shake_256(seed.encode()).hexdigest(length // 2 + 1)[:length]


def detail(row: int, cells: list[Any], messages: int = 3, size: int = 0) -> Detail:
    """A call whole; every message is padded to `size` characters."""
    name = str(cells[0])

    def message(at: int) -> Any:
        status = 0 if at % 2 == 0 else 200
        line = f"INVITE sip:{name}@example.com SIP/2.0" if not status else "SIP/2.0 200 OK"
        raw = f"{line}\nVia: SIP/2.0/UDP 192.0.2.1;branch={at}\nCall-ID: {name}\nSubject: {HOSTILE[0]}\n\n"
        raw += f"v=0\ns={HOSTILE[1]}\n"
        return {
            "time": cells[1], "offset_s": at / 10, "frame": 1 + at, "file": None, "src": "192.0.2.1:5060",
            "dst": "192.0.2.2:5060", "transport": "UDP", "label": line, "kind": "invite", "method": "INVITE",
            "status": status, "retransmission": False, "defects": [["bare-lf", "lines end with LF alone"]], "cut": 0,
            "raw": raw + noise(f"{row}/{at}", max(size - len(raw), 0)), "previous": at - 2 if at >= 2 else None,
        }  # fmt: skip

    def stream(at: int) -> Any:
        times = [0.5 + each for each in range(10)]
        return {
            "row": at, "title": f"192.0.2.{1 + at}:4000 to 192.0.2.{2 - at}:4000, {name}",
            "severity": "error" if at else None,
            "direction": ("caller-to-callee", "callee-to-caller")[at], "start_s": 0.0, "end_s": 10.0, "remarks": [name],
            "facts": [["codec", name, "codec"], ["loss_percent", "9.80 %", "lost over expected"]],
            "series": {
                "step_s": 1.0, "t": times, "loss": [0.0, 10.0, None, 100.0, 0, 0, 0, 0, 0, 0], "discarded": [0.0] * 10,
                "jitter": [1.5] * 10, "mos": [4.1] * 9 + [None], "delta": [],
            },
            "outages": [{"start_s": 3.0, "end_s": 4.0, "lost": 50}],
        }  # fmt: skip

    return Detail(
        call_id=name,
        row=row,
        title=f"{cells[2]} to {cells[3]}",
        subtitle=f"{cells[4]}, 200 OK",
        severity="error" if row % 10 == 0 else None,
        facts=[["src", "192.0.2.1:5060", "address"], ["duration_s", "1.00 s", "time"], ["user_agent", name, "product"]],
        findings=[
            {
                "severity": "error", "code": "high-loss", "title": "Too many packets were lost", "explanation": name,
                "advice": "Find the hop.", "evidence": [1, 99], "more_evidence": 3, "file": None, "time": "12:00:00",
                "affects": "caller", "doubtful": name, "causes": ["capture-drops"], "stream": 0,
            }
        ],
        remarks=[name],
        flow=HOSTILE_FLOW if row == 50 else FLOW,  # no renderer of ours writes such a thing
        session=[Member(row, name, name, True), Member(row + 1, name, name, False)],
        messages=[message(at) for at in range(messages)],
        messages_left_out=2,
        streams=[stream(0), stream(1)],
        streams_left_out=1,
        digits=[["12:00:00", "12#", "caller-to-callee", "rfc4733"]],
        filter=f'sip.Call-ID == "{name}"',
    )  # fmt: skip


def make_report(calls: int = 40, details: int = 12, *, size: int = 0, messages: int = 3) -> Report:
    """A report of `calls` calls, the first `details` of them whole."""
    rows = call_rows(calls)
    findings: list[list[Any]] = [
        [
            "error",
            "high-loss",
            row[0],
            f"9.8 % of 500 packets from {row[2]} were missing.",
            "Find the hop that loses.",
            None,
        ]
        for row in rows
        if row[8]
    ]
    findings += [["info", "early-media", row[0], HOSTILE[0], "Nothing to do.", HOSTILE[1]] for row in rows[1:2]]
    captures = (Heading("file", "", "file", "text", 1), Heading("grade", "", "how far to trust it", "text", 2))

    def each() -> Iterator[Detail]:
        return (detail(row, rows[row], messages, size) for row in range(details))

    return Report(
        title=f"Calls of {HOSTILE[1]}",
        made="2026-03-02 12:00:00",
        version="0.1.0",
        zone="UTC",
        command="sipanalyzer call x.pcap --id ID",
        settings=(("playout_ms", "80", "depth of the jitter buffer"),),
        verdict=Verdict("error", f"1 of {calls} calls failed; {HOSTILE[0]}", tuple(HOSTILE)),
        tiles=(
            Tile("calls", "Calls", f"{calls:,}", "", "", None, "calls"),
            Tile("failed", "Failed", "1", "", "1 failed", "error", "calls that failed"),
            Tile("mos", "MOS", "-", "NB", HOSTILE[1], "warning", HOSTILE[1]),
        ),
        timeline=Timeline(
            "2026-03-02 00:00:00", 60.0, ("00:00", "00:01", "00:02"),
            answered=(3, 0, 1), unanswered=(1, 0, 0), failed=(0, 0, 1), unknown=(0, 1, 0), concurrent=(2, 2, 0),
        ),
        sheets=(
            Sheet("calls", "Calls", "One row a call.", _CALLS, rows),
            Sheet("findings", "Findings", "One row a finding.", _FINDINGS, findings),
            Sheet("captures", "Captures", "One row a file.", captures, [[HOSTILE[0], "good"]]),
        ),
        anomalies=(("sip-junk", "bytes that are no SIP", 3, "1, 2, 3"),),
        methods=(
            Method(title="MOS", paragraphs=["ITU-T G.107.", HOSTILE[0]], tables=[{"headings": ["a"], "rows": [["b"]]}]),
        ),
        details=each(),
        detailed=tuple(range(details)),
        details_left_out=calls - details,
    )  # fmt: skip
