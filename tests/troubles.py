"""Captures of calls in trouble, and of their look-alikes, told packet by packet (:mod:`tests.tape`).

Owe nothing to the captures of `tests/findings`, and know nothing of how findings are made. A scene is a tape on which
frames and whole messages can be put as they are; times are seconds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

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
from tests.tape import A, B, C, P, Tape, sdp, section

A6, B6 = "2001:db8::a", "2001:db8::b"
OUTER, INNER = "198.51.100.77", "10.20.30.40"
"""A client behind NAT: where its packets come from, and what it takes for its address."""
PLAIN = ("8 PCMA/8000",)


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


def asked(copies: Iterable[float]) -> Scene:
    scene = Scene()
    for at in (0.0, *copies):
        scene.request(at, A, B, "INVITE", sdp(A, 4000), initial=True)
    return scene


def cancelled_in_vain() -> Scene:
    """Nobody is there: neither INVITE nor CANCEL is answered."""
    scene = asked((0.5, 1.5, 3.5))
    for at in (5.0, 5.5, 6.5):
        scene.request(at, A, B, "CANCEL", initial=True, of="INVITE")
    return scene.until(60)


def drifting(gap: float) -> Scene:
    return heard(said(call(talked=75), 3300), 3300, gap=gap)


def silence() -> Scene:
    """A caller who is silent nearly all the time: AMR describes the noise every 160 ms (TS 26.093)."""
    amr = ("97 AMR/8000",)
    scene = call(offer=sdp(A, 4000, amr), answer=sdp(B, 5000, amr))
    words: dict[str, Any] = {"gap": 0.16, "step": 1280, "payload": bytes(7), "payload_type": 97}
    return heard(said(scene, 70, **words), 70, **words)


def only_fax() -> Scene:
    """The called fax whistles by RTP, and then both go over to T.38."""
    scene = heard(call(), 100)
    images = [sdp(host, 0, PLAIN, [f"m=image {port} udptl t38"], version=2) for host, port in ((B, 5010), (A, 4010))]
    scene.reinvite(4.2, B, A, *images, tags=("b", "a"))
    return scene


def moved() -> Scene:
    """A re-INVITE just before the end moves the caller's media, and nothing has come there yet."""
    scene = whole()
    scene.reinvite(13.8, A, B, sdp(C, 4100, version=2), sdp(B, 5000, version=2))
    return scene


def held_to_the_end() -> Scene:
    scene = said(heard(call(talked=24), 350), 1180)
    held_ = (sdp(A, 4000, lines=["sendonly"], version=2), sdp(B, 5000, lines=["recvonly"], version=2))
    scene.reinvite(9.1, A, B, *held_)
    return scene


def video(*, audio_back: bool) -> Scene:
    sections = (
        section(4002, ["96 H264/90000"], media="video", ptime=None),
        section(5002, ["96 H264/90000"], media="video", ptime=None),
    )
    scene = said(call(offer=sdp(A, 4000, PLAIN, sections[0]), answer=sdp(B, 5000, PLAIN, sections[1])))
    for src, port, dst, to in ((A, 4002, B, 5002), (B, 5002, A, 4002)):
        scene.talk(2.1, src, port, dst, to, 300, ssrc=port, gap=0.04, step=3600, payload_type=96)
    return heard(scene) if audio_back else scene


def direct() -> Scene:
    """Both legs name the phones; the box relays no media."""
    scene = relayed(direct=True)
    scene.talk(2.2, A, 4000, B, 5000, 500, ssrc=0xA)
    scene.talk(2.2, B, 5000, A, 4000, 500, ssrc=0xB)
    return scene
