"""Findings as the contract has them, seen from outside: each code raised by one capture and quiet in its look-alike.

The captures are told packet by packet and owe nothing to those of `tests/findings`. Only tables are looked at.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

import sipanalyzer
from sipanalyzer.explanations import explanations
from tests.builders import (
    ACK,
    FIN,
    PSH,
    RST,
    START_NS,
    SYN,
    UDP,
    Packet,
    ethernet,
    ipv4,
    ipv4_fragments,
    pcap_bytes,
    receiver_report,
    report_block,
    tcp_frame,
    udp,
)
from tests.tape import A, B, C, P, Tape, records, sdp, section

Rows = list[dict[str, Any]]
A6, B6 = "2001:db8::a", "2001:db8::b"
OUTER, INNER = "198.51.100.77", "10.20.30.40"
"""A client behind NAT: where its packets come from, and what it takes for its address."""
PLAIN = ("8 PCMA/8000",)

CONTRACT = re.findall(
    r"\S+",
    """
    one-way-audio no-media late-media media-timeout no-rtp-captured nat-mismatch private-address-in-sdp sip-alg
    codec-mismatch ptime-mismatch dtmf-not-negotiated dscp-mismatch
    high-loss high-jitter low-mos ssrc-change sequence-reset clock-drift early-media held transferred reinvite-failed
    t38-fax encrypted-media ice-or-dtls-failed
    retransmissions missing-ack missing-prack missing-bye unanswered-request high-post-dial-delay
    session-timer-expiry call-rejected server-error auth-failure
    registration-failure routing-loop fragmented-sip pager-limit-exceeded malformed-sip scanner icmp-unreachable
    tcp-connect-failed tls-handshake-failure
    truncated-capture capture-drops capture-duplicates one-sided-capture clock-step
    """,
)


class Scene(Tape):
    """A tape on which frames and whole messages can be put as they are."""

    def frame(self, at: float, data: bytes) -> None:
        self.packets.append(Packet(START_NS + round(at * 1e9), data, 0, len(data)))

    def until(self, at: float) -> Scene:
        """Something else, so that the capture goes on."""
        self.udp(at, "203.0.113.9", 9, "203.0.113.8", 9, b"something else")
        return self

    def tcp(
        self, at: float, way: tuple[str, int, str, int], flags: int, seq: int, ack: int = 0, data: bytes = b""
    ) -> None:
        self.frame(at, tcp_frame(data, *way, seq=seq, ack=ack, flags=flags))

    def unreachable(self, at: float, way: tuple[str, int, str, int], code: int = 3) -> Scene:
        """ICMP from the receiver of a UDP datagram."""
        src, _, dst, _ = way
        quoted = ipv4(udp(b"quoted", *way), src, dst, UDP)[:28]
        self.frame(at, ethernet(ipv4(struct.pack("!BBHI", 3, code, 0, 0) + quoted, dst, src, 1), dst, src))
        return self

    def refuse(self, at: float, code: int, **words: Any) -> None:
        """The callee's failure response and the ACK of it."""
        self.reply(at, B, A, code, **words)
        self.request(at + 0.01, A, B, "ACK", of="INVITE", **{k: v for k, v in words.items() if k != "headers"})


def analyze(made: Tape | bytes, **options: Any) -> sipanalyzer.Analysis:
    data = made if isinstance(made, bytes) else made.bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sipanalyzer.analyze(io.BytesIO(data), **options)


def found(made: Tape | bytes, **options: Any) -> Rows:
    return records(analyze(made, **options), "findings")


def codes(made: Tape | bytes, **options: Any) -> set[str]:
    return {row["code"] for row in found(made, **options)}


def the(made: Tape | bytes, code: str, **options: Any) -> dict[str, Any]:
    """The only finding of a code."""
    (row,) = [row for row in found(made, **options) if row["code"] == code]
    return row


# ---- media


def call(
    a: str = A, b: str = B, *, offer: bytes | None = None, answer: bytes | None = None, talked: float = 12.0,
    name: str = "one", at: float = 0.0, scene: Scene | None = None, bye: bool = True,
) -> Scene:  # fmt: skip
    """A call answered 2 s after its INVITE and ended by the callee; without media."""
    scene = scene or Scene()
    scene.set_up(offer or sdp(a, 4000), answer or sdp(b, 5000), src=a, dst=b, call=name, at=at)
    if bye:
        scene.bye(at + 2 + talked, b, a, call=name, tags=("b", "a"))
    return scene


def said(scene: Scene, count: int = 550, at: float = 2.1, a: str = A, b: str = B, **words: Any) -> Scene:
    """Media of the caller."""
    scene.talk(at, a, 4000, b, 5000, count, ssrc=0xA, **words)
    return scene


def heard(scene: Scene, count: int = 550, at: float = 2.1, a: str = A, b: str = B, **words: Any) -> Scene:
    """Media of the callee."""
    scene.talk(at, b, 5000, a, 4000, count, **{"ssrc": 0xB, **words})
    return scene


def whole(**words: Any) -> Scene:
    """A call as it should be."""
    return heard(said(call(**words)))


def second(scene: Scene) -> Scene:
    """Another call between the same hosts, whose media is there."""
    call(at=30, name="two", offer=sdp(A, 4400), answer=sdp(B, 5500), scene=scene)
    scene.talk(32.1, A, 4400, B, 5500, 400, ssrc=0x2A)
    scene.talk(32.1, B, 5500, A, 4400, 400, ssrc=0x2B)
    return scene


def report(scene: Scene, at: float) -> Scene:
    """A receiver report of the callee by which the caller's media arrived."""
    scene.udp(at, B, 5001, A, 4001, receiver_report(0xB, [report_block(0xA, highest=1400, jitter=5)]))
    return scene


def relayed(*, direct: bool) -> Scene:
    """Two legs across a box that passes SDP on unchanged (media goes past it), or that puts its own address there."""
    scene = Scene()
    own = (sdp(P, 6000), sdp(P, 7000))
    offer, answer = sdp(A, 4000), sdp(B, 5000)
    scene.set_up(offer, answer if direct else own[1], src=A, dst=P, call="leg-1")
    scene.set_up(offer if direct else own[0], answer, src=P, dst=B, call="leg-2", at=0.1, tags=("p", "q"))
    scene.bye(20, A, P, call="leg-1")
    scene.bye(20.1, P, B, call="leg-2", tags=("p", "q"))
    return scene


def behind_nat(*, back: bool, ice: bool = False) -> Scene:
    """The caller's SDP has its inner address; its media comes from the outer one."""
    lines = (
        ["ice-ufrag:abcd", "ice-pwd:" + "p" * 22, f"candidate:1 1 UDP 2130706431 {INNER} 4000 typ host"] if ice else []
    )
    scene = call(a=OUTER, offer=sdp(INNER, 4000, lines=lines))
    scene.talk(2.1, OUTER, 62000, B, 5000, 500, ssrc=0xA)
    if back:
        scene.talk(2.2, B, 5000, OUTER, 62000, 500, ssrc=0xB)
    return scene


def from_client(*, via: str, contact: str) -> Scene:
    """A call whose INVITE came from the outer address and has it in SDP."""
    scene = Scene()
    lines = [
        f"INVITE sip:bob@{B} SIP/2.0", f"Via: SIP/2.0/UDP {via}:5060;branch=z9hG4bKx;rport",
        "From: <sip:alice@example.org>;tag=a", "To: <sip:bob@example.org>", "Call-ID: one", "CSeq: 1 INVITE",
        f"Contact: <sip:alice@{contact}:5060>",
    ]  # fmt: skip
    scene.sip(0, OUTER, B, lines, sdp(OUTER, 4000))
    scene.reply(1, B, OUTER, 200, sdp(B, 5000))
    scene.request(1.1, OUTER, B, "ACK")
    scene.bye(8, OUTER, B)
    return scene


def srtp(*, encrypted: bool) -> Scene:
    words: dict[str, Any] = {}
    if encrypted:
        words = {"profile": "RTP/SAVP", "lines": ["crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40]}
    return whole(offer=sdp(A, 4000, **words), answer=sdp(B, 5000, **words))


def marked(caller: int, callee: int) -> Scene:
    scene = call()
    scene.dscp = caller
    said(scene)
    scene.dscp = callee
    return heard(scene)


def dtls(*, answered: bool) -> Scene:
    """Media over DTLS-SRTP, of which only the handshake is there."""
    words: dict[str, Any] = {"profile": "UDP/TLS/RTP/SAVPF", "lines": ["fingerprint:sha-256 AA:BB", "setup:actpass"]}
    scene = call(offer=sdp(A, 4000, **words), answer=sdp(B, 5000, **words))

    def record(kind: int, body: bytes, number: int) -> bytes:
        return struct.pack("!BHHHIH", kind, 0xFEFD, 0, 0, number, len(body)) + body

    hello = bytes([1]) + (30).to_bytes(3, "big") + bytes(2) + bytes(3) + (30).to_bytes(3, "big") + bytes(30)
    for number, at in enumerate((2.2, 3.2, 5.2, 9.2)):
        scene.udp(at, A, 4000, B, 5000, record(22, hello, number))
    if answered:
        scene.udp(2.3, B, 5000, A, 4000, record(22, bytes([2]) + hello[1:], 0) + record(20, b"\x01", 1))
        scene.udp(2.4, A, 4000, B, 5000, record(20, b"\x01", 9))
    return scene


def fax(*, changed: bool) -> Scene:
    """A re-INVITE to T.38; or a first offer of voice and fax, of which the answer takes the voice."""
    image = ["m=image 4010 udptl t38"]
    if not changed:
        return whole(offer=sdp(A, 4000, PLAIN, image), answer=sdp(B, 5000, PLAIN, ["m=image 0 udptl t38"]))
    scene = whole()
    only = sdp(B, 0, PLAIN, ["m=image 5010 udptl t38"], version=2)
    scene.reinvite(6, B, A, only, sdp(A, 0, PLAIN, image, version=2), tags=("b", "a"))
    return scene


def changed_ssrc(*, reinvited: bool) -> Scene:
    scene = heard(said(call(talked=20)), 250)
    if reinvited:
        scene.reinvite(7.0, B, A, sdp(B, 5000, version=2), sdp(A, 4000, version=2), tags=("b", "a"))
    return heard(scene, 250, at=7.2, ssrc=0x5EC0)


def held(direction: str) -> Scene:
    answer = {"sendonly": "recvonly", "inactive": "inactive", "sendrecv": "sendrecv"}[direction]
    scene = heard(said(call(), 200), 200)
    offers = (sdp(A, 4000, lines=[direction], version=2), sdp(B, 5000, lines=[answer], version=2))
    scene.reinvite(6.2, A, B, *offers)
    return scene


def reinvited(status: int, *, again: bool = False) -> Scene:
    scene = whole()
    scene.request(5, A, B, "INVITE", sdp(A, 4000, version=2), cseq=7)
    scene.refuse(5.1, status, cseq=7)
    if again:
        scene.reinvite(7, A, B, sdp(A, 4000, version=3), sdp(B, 5000, version=2), cseq=8)
    return scene


def transferred(status: int) -> Scene:
    scene = whole()
    scene.request(6, B, A, "REFER", cseq=3, tags=("b", "a"), headers=["Refer-To: <sip:carol@example.org>"])
    scene.reply(6.1, A, B, status, method="REFER", cseq=3, tags=("b", "a"))
    return scene


# ---- signalling


def ringing(after: float, status: int = 180, answered: float | None = None) -> Scene:
    """A call whose INVITE is taken on at once and rings later."""
    scene = Scene()
    scene.request(0, A, B, "INVITE", sdp(A, 4000), initial=True)
    scene.reply(0.05, B, A, 100)
    scene.reply(after, B, A, status)
    end = answered or after + 3
    scene.reply(end, B, A, 200, sdp(B, 5000))
    scene.request(end + 0.05, A, B, "ACK")
    scene.bye(end + 10)
    return heard(said(scene, 400, at=end + 0.1), 400, at=end + 0.1)


def refused(status: int, headers: Sequence[str] = ()) -> Scene:
    scene = Scene()
    scene.request(0, A, B, "INVITE", sdp(A, 4000), initial=True)
    scene.reply(0.05, B, A, 100)
    scene.refuse(0.4, status, headers=headers)
    return scene


def challenged(*, stale: bool) -> Scene:
    """Two challenges: the second one because the credentials were wrong, or only too old."""
    scene = Scene()
    digest = 'Digest realm="r", nonce="n"'
    for cseq, more in ((1, ""), (2, ", stale=true" if stale else "")):
        credentials = [f'Proxy-Authorization: {digest}, username="a", uri="u", response="r"'] * (cseq > 1)
        scene.request(cseq, A, B, "INVITE", sdp(A, 4000), cseq=cseq, initial=True, headers=credentials)
        scene.refuse(cseq + 0.1, 407, cseq=cseq, headers=[f"Proxy-Authenticate: {digest}{more}"])
    if stale:
        credentials = [f'Proxy-Authorization: {digest}, username="a", uri="u", response="s"']
        scene.request(3, A, B, "INVITE", sdp(A, 4000), cseq=3, initial=True, headers=credentials)
        scene.reply(3.1, B, A, 486, cseq=3)
        scene.request(3.2, A, B, "ACK", cseq=3, of="INVITE")
    return scene.until(60)


def registered(status: int) -> Scene:
    scene = Scene()
    credentials = ['Authorization: Digest username="a", realm="r", nonce="n", uri="u", response="r"']
    for cseq, answer, headers in ((1, 401, []), (2, status, credentials)):
        scene.request(
            cseq, A, B, "REGISTER", cseq=cseq, initial=True, tags=("a", "a"), headers=[*headers, "Expires: 600"]
        )
        asked = ['WWW-Authenticate: Digest realm="r", nonce="n"'] * (answer == 401)
        scene.reply(cseq + 0.1, B, A, answer, method="REGISTER", cseq=cseq, tags=("a", "a"), headers=asked)
    return scene.until(60)


def looped(*, changed: bool) -> Scene:
    """An INVITE that its proxy sends round to itself by another one; its Request-URI changed on the way, or not."""
    scene = Scene()
    vias: list[str] = []
    for number, (src, dst) in enumerate(((A, P), (P, C), (C, P))):
        vias.insert(0, f"Via: SIP/2.0/UDP {src}:5060;branch=z9hG4bKloop{number}")
        user = "bob" if number < 2 or not changed else "carol"
        lines = [
            f"INVITE sip:{user}@example.org SIP/2.0", *vias, "From: <sip:a@example.org>;tag=a",
            "To: <sip:bob@example.org>", "Call-ID: one", "CSeq: 1 INVITE", f"Max-Forwards: {70 - number}",
        ]  # fmt: skip
        scene.sip(number / 100, src, dst, lines, b"")
    return scene


def sent_again(copies: Iterable[float], then: float, status: int = 200) -> Scene:
    """An INVITE and its copies, and then an answer."""
    scene = Scene()
    for at in (0.0, *copies):
        scene.request(at, A, B, "INVITE", sdp(A, 4000), initial=True)
    scene.reply(then, B, A, status, sdp(B, 5000))
    scene.request(then + 0.05, A, B, "ACK")
    scene.bye(then + 10)
    return heard(said(scene, 400, at=then + 0.1), 400, at=then + 0.1)


def answered_again(times: Iterable[float], *, acknowledged: bool) -> Scene:
    scene = Scene()
    scene.request(0, A, B, "INVITE", sdp(A, 4000), initial=True)
    for at in times:
        scene.reply(at, B, A, 200, sdp(B, 5000))
        if acknowledged:
            scene.request(at + 0.04, A, B, "ACK")
    return scene.until(45)


def reliable(*, acknowledged: bool) -> Scene:
    scene = Scene()
    scene.request(0, A, B, "INVITE", sdp(A, 4000), initial=True, headers=["Supported: 100rel"])
    for at in (0.2, 0.7, 1.7, 3.7):
        scene.reply(at, B, A, 183, sdp(B, 5000), headers=["Require: 100rel", "RSeq: 711"])
    if acknowledged:
        scene.request(3.9, A, B, "PRACK", cseq=2, headers=["RAck: 711 1 INVITE"])
        scene.reply(4.0, B, A, 200, method="PRACK", cseq=2)
    return scene


def timed(ended: float) -> Scene:
    """A call with a session of 90 s, ended so long after its answer."""
    scene = Scene()
    scene.request(0, A, B, "INVITE", sdp(A, 4000), initial=True, headers=["Supported: timer"])
    scene.reply(1, B, A, 200, sdp(B, 5000), headers=["Session-Expires: 90;refresher=uac", "Require: timer"])
    scene.request(1.1, A, B, "ACK")
    scene.bye(1 + ended, B, A, tags=("b", "a"))
    return scene


def message(size: int, *, fragments: bool = False) -> Scene:
    """A MESSAGE request of so many bytes."""
    scene = Scene()
    head = (
        f"MESSAGE sip:b@{B} SIP/2.0\r\nVia: SIP/2.0/UDP {A}:5060;branch=z9hG4bKm\r\nFrom: <sip:a@example.org>;tag=a\r\n"
        "To: <sip:b@example.org>\r\nCall-ID: m\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: "
    )
    body = "x" * (size - len(head) - 8)
    data = f"{head}{len(body):04d}\r\n\r\n{body}".encode()
    assert len(data) == size
    if fragments:
        for packet in ipv4_fragments(udp(data, A, 5060, B, 5060), A, B, identification=7, size=800):
            scene.frame(0, ethernet(packet, A, B))
    else:
        scene.udp(0, A, 5060, B, 5060, data)
    scene.reply(0.1, B, A, 200, method="MESSAGE", call="m")
    return scene


def raw(*messages: str) -> Scene:
    scene = Scene()
    for number, text in enumerate(messages):
        scene.udp(number, A, 5060, B, 5060, text.encode())
    return scene.until(5)


def tried(status: int, then: int | None = None) -> Scene:
    """One host that registers 14 users in 14 s."""
    scene = Scene()
    for user in range(14):
        words: dict[str, Any] = {"call": f"r{user}", "tags": (f"u{user}", f"u{user}")}
        scene.request(user, C, B, "REGISTER", initial=True, **words)
        scene.reply(user + 0.01, B, C, status, method="REGISTER", **words)
        if then is not None:
            scene.request(user + 0.02, C, B, "REGISTER", cseq=2, initial=True, **words)
            scene.reply(user + 0.03, B, C, then, method="REGISTER", cseq=2, **words)
    return scene


def connected(*, port: int = 5060, refused: bool, mended: bool = False) -> Scene:
    scene = Scene()
    there, back = (A, 40123, B, port), (B, port, A, 40123)
    scene.tcp(0, there, SYN, 1000)
    if refused:
        scene.tcp(0.01, back, RST | ACK, 0, 1001)
    else:
        scene.tcp(0.01, back, SYN | ACK, 9000, 1001)
        scene.tcp(0.02, there, ACK, 1001, 9001)
        scene.tcp(0.03, there, PSH | ACK, 1001, 9001, b"\r\n\r\n")
    if mended:
        call(at=1, scene=scene)
        heard(said(scene, at=3.1), at=3.1)
    return scene.until(60)


def shaken(*, closed: bool) -> Scene:
    """TLS for SIP: a ClientHello that the server closes on, or that it goes on with."""
    scene = Scene()
    there, back = (A, 40123, B, 5061), (B, 5061, A, 40123)
    hello = b"\x16\x03\x01\x00\x2c\x01\x00\x00\x28" + bytes(40)
    scene.tcp(0, there, SYN, 1000)
    scene.tcp(0.01, back, SYN | ACK, 9000, 1001)
    scene.tcp(0.02, there, ACK, 1001, 9001)
    scene.tcp(0.03, there, PSH | ACK, 1001, 9001, hello)
    at = 1001 + len(hello)
    if closed:
        scene.tcp(0.05, back, FIN | ACK, 9001, at)
    else:
        answer = b"\x16\x03\x03\x00\x04\x02\x00\x00\x00\x14\x03\x03\x00\x01\x01\x17\x03\x03\x00\x40" + bytes(64)
        scene.tcp(0.05, back, PSH | ACK, 9001, at, answer)
        scene.tcp(0.06, there, PSH | ACK, at, 9001 + len(answer), b"\x17\x03\x03\x00\x40" + bytes(64))
    return scene.until(60)


# ---- the capture


def of_host(scene: Scene, address: str) -> Scene:
    """Only what one host sent."""
    wanted = bytes(map(int, address.split(".")))
    scene.packets = [each for each in scene.packets if each.data[26:30] == wanted]
    return scene


def as_recorded(scene: Scene, back: float) -> bytes:
    """The same capture, and at its end a packet that is so much earlier."""
    packets = sorted(scene.packets, key=lambda each: each.time_ns)
    late = packets[-1]._replace(time_ns=packets[-1].time_ns - round(back * 1e9))
    return pcap_bytes([*packets, late], nanoseconds=True)


def holes(*, together: bool) -> Scene:
    there, back = range(200, 230), range(201, 229) if together else range(400, 430)
    return heard(said(call(), lost=there), lost=back)


Made = Callable[[], "Scene | bytes"]
STRAY = (A, 5353, "10.0.0.77", 53)
INVITE = (A, 5060, B, 5060)
TIMER_A = (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)
LATE = {k: 0.05 * (k % 2) for k in range(550)}

PAIRS: dict[str, tuple[Made, Made]] = {
    "one-way-audio": (lambda: heard(call()), lambda: report(heard(call()), 9.0)),
    "one-way-audio IPv6": (
        lambda: said(call(A6, B6), a=A6, b=B6),
        lambda: said(call(A6, B6, answer=sdp(B6, 5000, lines=["recvonly"])), a=A6, b=B6),
    ),
    "one-way-audio early": (
        lambda: heard(call(), at=1.0),
        lambda: heard(call(answer=sdp(B, 5000, lines=["sendonly"])), at=1.0),  # an announcement
    ),
    "one-way-audio port 0": (
        lambda: heard(call()),
        lambda: heard(call(answer=sdp(B, 0))),  # the answer takes no audio
    ),
    "one-way-audio turned": (
        lambda: said(call()),
        lambda: said(call()).talk(2.1, B, 5000, A, 4002, 400, ssrc=0xC),  # it comes back, to another port
    ),
    "one-way-audio fax": (lambda: said(call()), lambda: _only_fax()),
    "one-way-audio moved": (lambda: said(call()), lambda: _moved()),
    "one-way-audio video": (
        lambda: _video(audio_back=False),
        lambda: _video(audio_back=True),
    ),
    "no-media": (lambda: second(call()), lambda: second(whole())),
    "no-media cut": (
        lambda: second(call(bye=False)),
        lambda: call(bye=False).until(60),  # SIP alone
    ),
    "no-media direct": (
        lambda: second(call()),
        lambda: _direct(),  # media goes past the box, whose own addresses carry none
    ),
    "no-rtp-captured": (lambda: call(), lambda: whole()),
    "no-rtp-captured refused": (lambda: call(), lambda: refused(488)),
    "late-media": (lambda: heard(said(call(), at=4.2, count=400)), lambda: heard(said(call(), at=3.2, count=450))),
    "media-timeout": (
        lambda: said(heard(call(talked=24), 350), 1180),
        lambda: said(heard(call(talked=24), 900), 1180),
    ),
    "media-timeout held": (lambda: said(heard(call(talked=24), 350), 1180), lambda: _held_to_the_end()),
    "nat-mismatch": (lambda: behind_nat(back=False), lambda: whole()),
    "private-address-in-sdp": (lambda: behind_nat(back=False), lambda: behind_nat(back=False, ice=True)),
    "private-address-in-sdp loopback": (
        lambda: call(a=OUTER, offer=sdp(INNER, 4000)),
        lambda: call(a="127.0.0.1", offer=sdp(INNER, 4000)),
    ),
    "sip-alg": (
        lambda: from_client(via=INNER, contact=INNER),
        lambda: from_client(via=INNER, contact=OUTER),  # a client that knows its outer address
    ),
    "codec-mismatch": (
        lambda: heard(said(call(), payload_type=3)),
        lambda: heard(said(call(), payload_type=13, count=40, payload=b"\x40", gap=0.2), at=2.1),  # comfort noise
    ),
    "ptime-mismatch": (
        lambda: heard(said(call(), 300, gap=0.04, step=320, payload=bytes(320))),
        lambda: heard(said(call())),
    ),
    "ptime-mismatch silence": (
        lambda: heard(said(call(), 300, gap=0.04, step=320, payload=bytes(320))),
        lambda: _silence(),
    ),
    "dtmf-not-negotiated": (
        lambda: whole(offer=sdp(A, 4000, PLAIN)),
        lambda: whole(offer=sdp(A, 4000, PLAIN), answer=sdp(B, 5000, PLAIN)),
    ),
    "dscp-mismatch": (lambda: marked(0, 46), lambda: marked(8, 46)),
    "high-loss": (
        lambda: heard(said(call()), lost=range(0, 550, 40)),
        lambda: heard(said(call()), twice=range(0, 550, 20)),
    ),
    "high-loss restart": (
        lambda: heard(said(call()), lost=range(100, 130)),
        lambda: heard(heard(said(call()), 250), 250, at=7.1, seq=31000, timestamp=9_000_000),
    ),
    "high-jitter": (
        lambda: heard(said(call()), late=LATE),
        lambda: heard(said(call()), late=dict.fromkeys(LATE, 0.01)),
    ),
    "low-mos": (
        lambda: heard(said(call()), lost=range(3, 550, 3)),
        lambda: heard(said(call()), lost=range(3, 550, 90)),
    ),
    "ssrc-change": (lambda: changed_ssrc(reinvited=False), lambda: changed_ssrc(reinvited=True)),
    "sequence-reset": (
        lambda: heard(heard(said(call()), 250), 250, at=7.1, seq=31000, timestamp=9_000_000),
        lambda: heard(said(call()), seq=65_400),  # sixteen bits are full
    ),
    "clock-drift": (lambda: _drifting(0.01999), lambda: _drifting(0.0200005)),
    "early-media": (lambda: heard(said(call()), at=0.8), lambda: whole()),
    "held": (lambda: held("sendonly"), lambda: held("sendrecv")),
    "held inactive": (lambda: held("inactive"), lambda: held("sendrecv")),
    "transferred": (lambda: transferred(202), lambda: transferred(603)),
    "reinvite-failed": (lambda: reinvited(488), lambda: reinvited(491, again=True)),
    "t38-fax": (lambda: fax(changed=True), lambda: fax(changed=False)),
    "encrypted-media": (lambda: srtp(encrypted=True), lambda: srtp(encrypted=False)),
    "ice-or-dtls-failed": (lambda: dtls(answered=False), lambda: dtls(answered=True)),
    "retransmissions": (lambda: sent_again((0.5, 1.5), 2.0), lambda: sent_again((0.5,), 2.0)),
    "retransmissions mirror": (lambda: sent_again((0.5, 1.5), 2.0), lambda: sent_again((0.001, 0.002), 2.0)),
    "missing-ack": (
        lambda: answered_again((1, 1.5, 2.5, 4.5), acknowledged=False),
        lambda: answered_again((1, 1.5, 2.5, 4.5), acknowledged=True),
    ),
    "missing-prack": (lambda: reliable(acknowledged=False), lambda: reliable(acknowledged=True)),
    "missing-bye": (
        lambda: heard(said(call(bye=False))).until(90),
        lambda: heard(said(call(bye=False))).until(40),
    ),
    "unanswered-request": (
        lambda: _asked(TIMER_A).until(70),
        lambda: _asked(()).until(20),  # the capture ends too soon
    ),
    "high-post-dial-delay": (lambda: ringing(9), lambda: ringing(2, 183, answered=14)),
    "session-timer-expiry": (lambda: timed(90), lambda: timed(40)),
    "session-timer-expiry early": (lambda: timed(60), lambda: timed(75)),
    "call-rejected": (lambda: refused(404), lambda: refused(486)),
    "server-error": (lambda: refused(503), lambda: refused(480)),
    "auth-failure": (lambda: challenged(stale=False), lambda: challenged(stale=True)),
    "registration-failure": (lambda: registered(403), lambda: registered(200)),
    "routing-loop": (lambda: refused(483), lambda: refused(480)),
    "routing-loop seen": (lambda: looped(changed=False), lambda: looped(changed=True)),
    "fragmented-sip": (lambda: message(1440, fragments=True), lambda: message(1440)),
    "pager-limit-exceeded": (lambda: message(1301), lambda: message(1300)),
    "malformed-sip": (
        lambda: raw("INVITE sip:b@example.org SIP/2.0\r\nSubject: nothing else\r\n\r\n"),
        lambda: raw("SIPHON sip:b@example.org SIP/2.0\r\nContent-Length: 0\r\n\r\n"),  # another protocol's start line
    ),
    "scanner": (lambda: tried(403), lambda: tried(401, then=200)),
    "icmp-unreachable": (
        lambda: _asked(()).unreachable(0.01, INVITE),
        lambda: _asked(()).unreachable(0.01, STRAY),
    ),
    "tcp-connect-failed": (lambda: connected(refused=True), lambda: connected(refused=False)),
    "tcp-connect-failed web": (lambda: connected(refused=True), lambda: connected(refused=True, port=8080)),
    "tls-handshake-failure": (lambda: shaken(closed=True), lambda: shaken(closed=False)),
    "truncated-capture": (lambda: whole().bytes()[:-7], lambda: whole().bytes()),
    "capture-drops": (lambda: holes(together=True), lambda: holes(together=False)),
    "capture-duplicates": (lambda: whole().doubled(), lambda: sent_again((0.5, 1.5), 2.0)),
    "one-sided-capture": (lambda: of_host(whole(), B), lambda: whole()),
    "one-sided-capture dead": (
        lambda: of_host(whole(), B),
        lambda: _cancelled_in_vain(),
    ),
    "clock-step": (lambda: as_recorded(whole(), 5.0), lambda: as_recorded(whole(), 0.4)),
}  # fmt: skip
"""By code (and what the look-alike is about): a capture in which it is raised, and one in which it is not."""


def _asked(copies: Iterable[float]) -> Scene:
    scene = Scene()
    for at in (0.0, *copies):
        scene.request(at, A, B, "INVITE", sdp(A, 4000), initial=True)
    return scene


def _cancelled_in_vain() -> Scene:
    """Nobody is there: neither INVITE nor CANCEL is answered."""
    scene = _asked((0.5, 1.5, 3.5))
    for at in (5.0, 5.5, 6.5):
        scene.request(at, A, B, "CANCEL", initial=True, of="INVITE")
    return scene.until(60)


def _drifting(gap: float) -> Scene:
    return heard(said(call(talked=75), 3300), 3300, gap=gap)


def _silence() -> Scene:
    """A caller who is silent nearly all the time: AMR describes the noise every 160 ms (TS 26.093)."""
    amr = ("97 AMR/8000",)
    scene = call(offer=sdp(A, 4000, amr), answer=sdp(B, 5000, amr))
    words: dict[str, Any] = {"gap": 0.16, "step": 1280, "payload": bytes(7), "payload_type": 97}
    return heard(said(scene, 70, **words), 70, **words)


def _only_fax() -> Scene:
    """The called fax whistles by RTP, and then both go over to T.38."""
    scene = heard(call(), 100)
    images = [sdp(host, 0, PLAIN, [f"m=image {port} udptl t38"], version=2) for host, port in ((B, 5010), (A, 4010))]
    scene.reinvite(4.2, B, A, *images, tags=("b", "a"))
    return scene


def _moved() -> Scene:
    """A re-INVITE just before the end moves the caller's media, and nothing has come there yet."""
    scene = whole()
    scene.reinvite(13.8, A, B, sdp(C, 4100, version=2), sdp(B, 5000, version=2))
    return scene


def _held_to_the_end() -> Scene:
    scene = said(heard(call(talked=24), 350), 1180)
    held_ = (sdp(A, 4000, lines=["sendonly"], version=2), sdp(B, 5000, lines=["recvonly"], version=2))
    scene.reinvite(9.1, A, B, *held_)
    return scene


def _video(*, audio_back: bool) -> Scene:
    video = (
        section(4002, ["96 H264/90000"], media="video", ptime=None),
        section(5002, ["96 H264/90000"], media="video", ptime=None),
    )
    scene = said(call(offer=sdp(A, 4000, PLAIN, video[0]), answer=sdp(B, 5000, PLAIN, video[1])))
    for src, port, dst, to in ((A, 4002, B, 5002), (B, 5002, A, 4002)):
        scene.talk(2.1, src, port, dst, to, 300, ssrc=port, gap=0.04, step=3600, payload_type=96)
    return heard(scene) if audio_back else scene


def _direct() -> Scene:
    """Both legs name the phones; the box relays no media."""
    scene = relayed(direct=True)
    scene.talk(2.2, A, 4000, B, 5000, 500, ssrc=0xA)
    scene.talk(2.2, B, 5000, A, 4000, 500, ssrc=0xB)
    return scene


def test_every_code_of_the_contract_is_raised_and_quiet_here() -> None:
    assert len(CONTRACT) == 49
    assert {name.split()[0] for name in PAIRS} >= set(CONTRACT)
    assert set(CONTRACT) <= set(explanations("finding"))


@pytest.mark.parametrize("name", PAIRS)
def test_a_code_is_raised_and_its_look_alike_is_not(name: str) -> None:
    code = name.split()[0]
    raised, quiet = PAIRS[name]
    rows = [row for row in found(raised()) if row["code"] == code]
    assert rows
    for row in rows:
        assert row["severity"] in ("error", "warning", "info")
        assert row["explanation"].endswith(".")
        assert row["advice"]
        assert row["time"] is not None
    assert code not in codes(quiet())


@pytest.mark.parametrize("name", PAIRS)
def test_evidence_is_in_the_capture_and_of_the_call(name: str) -> None:
    """A frame of evidence that carries SIP carries it of the finding's call, and lies in the call's time or later."""
    analysis = analyze(PAIRS[name][0]())
    said_in = {row["frame"]: row["call_id"] for row in records(analysis, "messages")}
    (capture,) = records(analysis, "captures")
    for row in records(analysis, "findings"):
        frames = [int(each) for each in (row["evidence"] or "").split(",") if each]
        assert frames[:1] == ([] if row["frame"] is None else [row["frame"]])
        assert all(1 <= frame <= capture["packets"] for frame in frames)
        if row["call_id"] is not None:
            assert frames
            assert {said_in[frame] for frame in frames if frame in said_in} <= {row["call_id"]}


@pytest.mark.parametrize("name", PAIRS)
def test_the_column_one_way_and_the_finding_agree(name: str) -> None:
    for made in PAIRS[name]:
        analysis = analyze(made())
        blamed = {row["call_id"] for row in records(analysis, "findings") if row["code"] == "one-way-audio"}
        assert {row["call_id"] for row in records(analysis, "calls") if row["one_way"] is True} == blamed
