"""Charts made by hand, for the tests of what draws them: every kind of row, many participants, hostile texts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from sipanalyzer.output.flow.model import FlowChart, Fold, Keys, Leg, Media, Message, Note, Participant, Row
from sipanalyzer.output.flow.palette import message_kind

START = 1_772_442_000_000_000_000
"""2026-03-02T09:00:00Z."""
HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script><script>alert(2)</script>",
    "]]>&amp;--><!--", "</title></style></svg><b>", "\u202egnp.exe", "a\x00\x1b[31m\x07b", "\ud800\udfff \udc80",
    "x" * 10_000, "Z" + "\u0300" * 10_000, "電話" * 500, "line\nbreak\r\n", "\ufffe\uffff", "&#0;", "W" * 300, "",
    "\u2028\u2029", "style=\"x\" onclick='alert(3)'", "𐍈😀", "a\u00a0\u3000b",
)  # fmt: skip
_STATUS = {0: "", 100: "Trying", 180: "Ringing", 200: "OK", 302: "Moved Temporarily", 486: "Busy Here",
           407: "Proxy Authentication Required", 503: "Service Unavailable"}  # fmt: skip
_LONG = "9.8 % of 500 packets from 198.51.100.20:50000 to 192.0.2.10:40000 were missing for the listener: 49 lost."


def message(number: int, label: str = "INVITE", **more: Any) -> Message:
    values: dict[str, Any] = {
        "time": START + number * 20_000_000, "offset": number * 20_000_000, "gap": 20_000_000 if number else None,
        "source": 0, "target": 1, "kind": "invite", "detail": None, "method": "INVITE", "status": 0, "cseq": 1,
        "leg": 0, "frame": number + 1, "capture": 0, "message": number, "retransmission": False,
        "ports": (5060, 5060), "transport": "UDP",
    }  # fmt: skip
    return Message(label=label, **(values | more))


def media(number: int, **more: Any) -> Media:
    values: dict[str, Any] = {
        "time": START + number * 20_000_000, "offset": number * 20_000_000, "end": START + 10**10, "source": 0,
        "target": 1, "label": "RTP PCMA", "detail": "10.0 s, 451 packets, 9.8 % lost, jitter 3.0 ms, MOS 3.18 NB",
        "codec": "PCMA", "packets": 451, "loss_percent": 9.8, "max_jitter_ms": 3.0, "mos": 3.18, "mos_scale": "NB",
        "leg": 0, "stream": number, "ports": (4000, 5000), "frame": number + 1, "capture": 0,
        "shades": (0.0, 0.5, 2.0, 5.0, 50.0, 0.0),
    }  # fmt: skip
    return Media(**(values | more))


def chart(rows: Sequence[Row], people: int = 2, legs: int = 1, **more: Any) -> FlowChart:
    participants = tuple(
        Participant(f"192.0.2.{at}", f"host{at}", "Acme Phone 4.2, media at 192.0.2.99", "between")
        for at in range(people)
    )
    values: dict[str, Any] = {
        "title": "alice to bob, completed", "participants": participants,
        "legs": tuple(Leg(f"call-{at}", f"alice to bob {at}", "completed") for at in range(legs)),
    }  # fmt: skip
    return FlowChart(rows=tuple(rows), start=START, **(values | more))


def one_of_all(people: int, rows: int, legs: int = 1, seed: int = 0) -> FlowChart:
    """Rows of every kind, in an order that the seed decides."""
    pick = random.Random(seed)
    made: list[Row] = []
    for at in range(rows):
        ends = {"source": pick.randrange(people), "target": pick.randrange(people), "leg": pick.randrange(legs)}
        where = {"time": START + at * 20_000_000, "offset": at * 20_000_000}
        kind = pick.choice("mmmmmmbknnf")
        if kind == "m":
            status, method = pick.choice(list(_STATUS)), pick.choice(["INVITE", "BYE", "ACK", "OPTIONS"])
            severity = pick.choice([None, None, None, "error", "warning", "info"])
            detail = pick.choice([None, "sip:bob@example.com; SDP offer PCMA, PCMU at 192.0.2.10:40000, ptime 20"])
            label = f"{status} {_STATUS[status]}" if status else method
            made.append(
                message(at, label, status=status, kind=message_kind(status, method), severity=severity, detail=detail,
                        retransmission=pick.random() < 0.2, gap=pick.choice([None, 1, -5, 10**9, 10**13]), **ends)
            )  # fmt: skip
        elif kind == "b":
            made.append(media(at, until=pick.choice([None, "stops 12.0 s before the call ends"]), **ends))
        elif kind == "k":
            made.append(
                Keys(**where, keys="1234#*0", method=pick.choice(["rfc4733", "info"]), frame=at, capture=0, **ends)
            )
        elif kind == "n":
            severity = pick.choice([None, "error", "warning", "info"])
            first, last = sorted((ends["source"], ends["target"]))
            frame = pick.choice([None, at])
            text = pick.choice(["alice puts the call on hold", _LONG])
            made.append(Note(**where, text=text, severity=severity, code=None, first=first, last=last, leg=ends["leg"],
                             frame=frame, capture=0))  # fmt: skip
        else:
            made.append(Fold(**where, end=START, text="OPTIONS and its 200, 24 times more in 240 s", kind="request",
                             messages=(1_000 + at, 2_000 + at), **ends))  # fmt: skip
    return chart(made, people, legs, remarks=("The capture began after the call.", _LONG * 4))


def hostile() -> FlowChart:
    """Texts that try to break out, in every place that holds a text."""
    rows: list[Row] = []
    for at, text in enumerate(HOSTILE):
        where: dict[str, Any] = {"time": START, "offset": 0, "leg": 0}
        rows += [
            message(at, text, detail=text, method=text, transport=text, kind=text),
            message(at, text, detail=text, source=2, target=2),
            media(at, label=text, detail=text, until=text, codec=text, mos_scale=text),
            Keys(source=0, target=1, keys=text, method=text, frame=1, capture=0, **where),
            Note(text=text, severity=text, code=text, first=0, last=1, frame=1, capture=0, **where),
            Note(text=text, severity="error", code=text, first=1, last=1, frame=None, capture=None, **where),
            Note(text=text, severity=None, code=None, first=0, last=3, frame=None, capture=None, **where),
            Fold(end=START, text=text, source=0, target=1, kind=text, messages=(1, 2), **where),
        ]
    people = tuple(Participant(text, text, text, text) for text in HOSTILE[:6])
    legs = tuple(Leg(text, text, text) for text in HOSTILE)
    return FlowChart("".join(HOSTILE[:6]), legs, people, tuple(rows), START, HOSTILE)
