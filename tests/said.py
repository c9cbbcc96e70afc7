"""Whole SIP calls in a line each, for tests from outside: who says what to whom, when.

`said` writes one message and knows nothing of sipanalyzer; the others are what it is used for most. Times are in ms
since the capture begins; `until` lets the capture run on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.builders import udp_frame

Said = tuple[float, bytes]
HOSTS = {"A": "192.0.2.1", "B": "192.0.2.2", "C": "192.0.2.3", "P": "192.0.2.9"}
ALICE, BOB = "sip:alice@a.example", "sip:bob@b.example"


def sdp(*formats: str, host: str = "192.0.2.1") -> bytes:
    lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    lines.append("m=audio 4000 RTP/AVP " + " ".join(each.split()[0] for each in formats))
    return ("\r\n".join(lines + [f"a=rtpmap:{each}" for each in formats]) + "\r\n").encode()


def said(
    ms: float,
    way: str,
    what: str | int,
    of: str = "INVITE",
    n: int = 1,
    *,
    tags: str = "a b",
    back: bool = False,
    branch: str | None = None,
    h: Iterable[str] = (),
    body: bytes = b"",
    kind: str = "application/sdp",
    call_id: str = "c1",
    uri: str = BOB,
    caller: str | None = None,
    callee: str | None = None,
    ports: tuple[int, int] = (5060, 5060),
    phrase: str = "Reason",
) -> Said:
    """One message: method or status, From and To tag (`a`: no To tag), `back` for requests of the callee."""
    src, dst = way.split(">")
    of = what if isinstance(what, str) else of
    own, _, far = tags.partition(" ")
    first, second = (callee or BOB, caller or ALICE) if back else (caller or ALICE, callee or BOB)
    via = HOSTS[dst if isinstance(what, int) else src]
    lines = [
        f"{what} {uri} SIP/2.0" if isinstance(what, str) else f"SIP/2.0 {what} {phrase}",
        f"Via: SIP/2.0/UDP {via}:5060;branch={branch or f'z9hG4bK{n}{of}' + ''.join(sorted((src, dst))) + 'r' * back}",
        f"From: {first if '<' in first else f'<{first}>'};tag={own}",
        f"To: {second if '<' in second else f'<{second}>'}" + (f";tag={far}" if far else ""),
        f"Call-ID: {call_id}",
        f"CSeq: {n} {of}",
        *h,
        *([f"Content-Type: {kind}"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    data = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
    return ms, udp_frame(data, HOSTS[src], ports[0], HOSTS[dst], ports[1])


def until(ms: float) -> Said:
    """A packet of something else: the capture runs on."""
    return ms, udp_frame(b"something else", "198.51.100.1", 9, "198.51.100.2", 9)


def invite(ms: float = 0, n: int = 1, **more: Any) -> Said:
    return said(ms, more.pop("way", "A>B"), "INVITE", n=n, **{"tags": "a", **more})


def refused(ms: float, status: int, n: int = 1, **more: Any) -> list[Said]:
    """A failure and its ACK."""
    return [
        said(ms, "B>A", status, n=n, **more),
        said(ms + 2, "A>B", "ACK", n=n, branch=f"z9hG4bK{n}INVITEAB"),
    ]


def taken(ms: float, n: int = 1, tags: str = "a b", **more: Any) -> list[Said]:
    """A 2xx and its ACK 20 ms later."""
    return [said(ms, "B>A", 200, n=n, tags=tags, **more), said(ms + 20, "A>B", "ACK", n=n, tags=tags)]


def gone(ms: float, n: int = 2, tags: str = "a b") -> list[Said]:
    """The caller's BYE, answered after 15 ms."""
    branch = f"z9hG4bKbye{tags[-1]}{n}"
    return [
        said(ms, "A>B", "BYE", n=n, tags=tags, branch=branch),
        said(ms + 15, "B>A", 200, "BYE", n=n, tags=tags, branch=branch),
    ]


def cancelled(ms: float, status: int = 200) -> list[Said]:
    branch = "z9hG4bK1INVITEAB"
    return [
        said(ms, "A>B", "CANCEL", tags="a", branch=branch),
        said(ms + 5, "B>A", status, "CANCEL", branch=branch),
    ]
