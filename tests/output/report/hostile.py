"""A capture whose names mean something to Markdown, HTML, trackers and terminals."""

from __future__ import annotations

from tests.tape import Tape

NAMES = (
    '<script>alert(1)</script>', "</script><img src=x onerror=alert(1)>", "| a | b |", "```", "`x` ``y``", "@everyone",
    "#123", "[link](https://evil.example)", "![p](x)", "*bold* _it_ ~~no~~", "\u202egnp.exe", "\x1b[31mred", "\\|",
    "1. one", "- item", "]]>", "$x^2$", "&lt;b&gt;", "https://evil.example/x", ":bomb:", "x" * 10_000, "end;loop",
    "%%{init}%%",
    "GH-1 org/repo#1", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "\u6f22\u5b57",
)  # fmt: skip
"""Each is a caller's name, the phrase that refuses him, and part of his call's Call-ID."""


def hostile_tape() -> Tape:
    """A call for each of :data:`NAMES`, refused."""
    tape = Tape()
    for at, name in enumerate(NAMES):
        word = "".join(name.split()) or "x"
        head = [
            f"Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK{at}",
            f'From: "{name}" <sip:{word}@a.example>;tag=a{at}',
            f"Call-ID: {at}-{word}",
            "CSeq: 1 INVITE",
            f"User-Agent: {name}",
            f'Authorization: Digest username="{at}", response="proof-of-{at}"',
        ]
        tape.sip(
            at * 2.0,
            "10.0.0.1",
            "10.0.0.2",
            [f"INVITE sip:{word}@b.example SIP/2.0", *head, f"To: <sip:{word}@b.example>"],
            b"",
        )
        answer = [f"SIP/2.0 503 {name}", *head[:4], f"To: <sip:{word}@b.example>;tag=b"]
        tape.sip(at * 2.0 + 0.1, "10.0.0.2", "10.0.0.1", answer, b"")
    return tape
