"""Calls from scripts (:mod:`tests.calls.words`), and the pieces that many scripts share."""

from __future__ import annotations

import re

from sipanalyzer.calls.calls import build_calls
from sipanalyzer.calls.dialogs import track_dialogs
from sipanalyzer.calls.transactions import match_transactions
from sipanalyzer.options import Options
from sipanalyzer.result import Call
from tests.calls.words import seconds, table


def built(script: str, end: float | None = None, **how: str) -> list[Call]:
    messages = table(script, **how)  # type: ignore[arg-type]
    transactions = match_transactions(messages, Options())
    dialogs = track_dialogs(messages, transactions, Options())
    last = seconds(end) if end is not None else int(messages.time[-1]) if len(messages) else 0
    return build_calls(messages, transactions, dialogs, last, Options())


def call(script: str, end: float | None = None, **how: str) -> Call:
    (only,) = built(script, end, **how)
    return only


def again(script: str, name: str, later: float, hosts: dict[str, str] | None = None) -> str:
    """The same script as another call: another Call-ID, other tags, branches, parties, hosts and times."""
    lines = []
    for line in script.strip().splitlines():
        time, ends, rest = line.strip().split(" ", 2)
        for old, new in (hosts or {}).items():
            ends = re.sub(rf"\b{old}\b", new, ends)
        rest = re.sub(r"\b(from|to)=(?!-)(\w+)", rf"\1=\2{name}", rest)
        rest = re.sub(r"\bbranch=(?!-)(\w+)", rf"branch=\1{name}", rest)
        rest = re.sub(r"\bcseq=(\d+)", lambda found: f"cseq={int(found[1]) + 70}", rest)
        lines.append(f"{float(time) + later:.3f} {ends} call={name} {rest}")
    return "\n".join(lines)


INVITE = "0.0 A>B INVITE from=x\n"
TRYING = "0.1 B>A 100 Trying from=x\n"
RINGING = "1.0 B>A 180 Ringing from=x to=y\n"
OK = "3.0 B>A 200 OK from=x to=y\n"
ACK = "3.1 A>B ACK from=x to=y branch=z9hG4bKack\n"
ANSWER = RINGING + OK + ACK
BYE = "9.0 A>B BYE cseq=2 from=x to=y\n"
BYE_OK = "9.2 B>A 200 OK cseq=2,BYE from=x to=y\n"
PLAIN = INVITE + TRYING + ANSWER + BYE + BYE_OK


CANCEL = "5.0 A>B CANCEL from=x branch=z9hG4bKINVITE1\n5.1 B>A 200 OK cseq=1,CANCEL from=x to=y\n"
GONE = "5.2 B>A 487 Terminated from=x to=y\n5.3 A>B ACK from=x to=y\n"
REFUSED = (
    "5.0 A>B INVITE cseq=2 from=x to=y\n5.1 B>A 488 No cseq=2,INVITE from=x to=y\n5.2 A>B ACK cseq=2 from=x to=y\n"
)
PROXY = """
0.00 A>P INVITE from=x branch=a
0.01 P>A 100 Trying from=x branch=a
0.02 P>B INVITE from=x branch=p vias=2
0.90 B>P 180 Ringing from=x to=y branch=p
1.00 P>A 180 Ringing from=x to=y branch=a
2.90 B>P 200 OK from=x to=y branch=p
3.00 P>A 200 OK from=x to=y branch=a
3.10 A>P ACK from=x to=y branch=k1
3.20 P>B ACK from=x to=y branch=k2
8.90 B>P BYE cseq=7 from=y to=x branch=b1
9.00 P>A BYE cseq=7 from=y to=x branch=b2
9.10 A>P 200 OK cseq=7,BYE from=y to=x branch=b2
9.30 P>B 200 OK cseq=7,BYE from=y to=x branch=b1
"""
