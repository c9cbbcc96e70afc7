"""Calls that travelled or were captured in an unusual way."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

from ..words.connection import Connection
from ..words.files import RAW_IP
from ..words.media import Voice, deliver, noise
from ..words.packets import ethernet, udp_packet
from ..words.scene import ALICE, BOB, Scene, Talk, fragments_of
from ..words.sip import Message, Party, reply
from ..words.tunnels import gtp_u, hep3, vxlan, websocket

G729 = ("18 G729/8000",)


def both_talk(talk: Talk, from_ms: int, until_ms: int, ssrc: int, codec: str = "G729") -> None:
    """Media without flaw in both directions."""
    for from_callee in (False, True):
        voice = Voice(ssrc + from_callee, codec, seq=600).talk(from_ms, until_ms)
        talk.hear(voice, deliver(voice.sent), from_callee=from_callee)


def over_tcp() -> Scene:
    scene = Scene(
        "tcp.pcap",
        "SIP over TCP, with all that TCP may do: the INVITE in two segments; 100 and 180 together in one; the 200 in "
        "three, the third ahead of the second, and the first one sent again; keep-alives (CRLF) between.",
        "1 call over TCP, 7 messages, none a retransmission: INVITE, 100, 180, 200, ACK, BYE, 200. The INVITE "
        "counts from its second segment, the 200 from the one that completes it: 180 after 300 ms, 200 after 2010"
        " ms.",
    )
    alice = replace(ALICE, transport="TCP", port=45_678, says_port=45_678)
    bob = replace(BOB, transport="TCP")
    talk = Talk(scene, "tcp-1@192.0.2.10", alice, bob, formats=G729)
    line = Connection(scene, (alice.host, alice.port), (bob.host, bob.port), (4_294_967_000, 77_000))

    def told(message: Message) -> bytes:
        scene.tally(message)
        return message.encode()

    line.open(-30)
    invite = talk.dialog.request("INVITE", tagged=False, body=talk.offer())
    for at_ms, segment in zip((-4, 0), line.cut(False, told(invite), 200), strict=True):
        line.put(at_ms, segment)
    line.send(300, True, told(reply(invite, 100)) + told(reply(invite, 180, tag="b1")))
    line.send(1000, False, b"\r\n\r\n")
    line.send(1010, True, b"\r\n")
    ok = reply(invite, 200, tag="b1", body=talk.reply_sdp())
    first, second, third = line.cut(True, told(ok), 150, 200)
    line.put(2000, first)
    line.put(2002, third)
    line.put(2005, first)
    line.put(2010, second)
    line.send(2050, False, told(talk.dialog.ack(ok)))
    both_talk(talk, 2060, 8060, 0x7C900001)
    bye = talk.dialog.request("BYE")
    line.send(8100, False, told(bye))
    line.send(8130, True, told(reply(bye, 200)))
    line.close(8200)
    scene.expect(
        "calls",
        **talk.facts(
            post_dial_delay_ms=300.0, setup_latency_ms=2010.0, answer_to_ack_ms=40.0, duration_s=6.09, codecs="G729"
        ),
    )
    scene.quiet = ("tcp-connect-failed", "retransmissions", "malformed-sip", "one-sided-capture")
    return scene


def ipv6() -> Scene:
    scene = Scene(
        "ipv6.pcap",
        "A plain call over IPv6, signalling and media.",
        "1 call from [2001:db8:1::10]:5060 to [2001:db8:2::20]:5060, completed; 2 streams.",
    )
    alice = Party("2001:db8:1::10", "alice", agent="Acme Phone 4.2")
    bob = Party("2001:db8:2::20", "bob", agent="Bell Phone 7")
    talk = Talk(scene, "ipv6-1@[2001:db8:1::10]", alice, bob, formats=G729)
    talk.set_up()
    both_talk(talk, 2060, 8060, 0x19960001)
    talk.hang_up(8100)
    scene.expect(
        "calls", **talk.facts(post_dial_delay_ms=300.0, setup_latency_ms=2000.0, duration_s=6.1, codecs="G729")
    )
    return scene


def fragmented() -> Scene:
    scene = Scene(
        "fragmented.pcap",
        "An INVITE of more than 3000 bytes (many ICE candidates) comes in three IPv4 fragments: the "
        "last one first, then the first, then the middle one.",
        "1 call, completed; the INVITE counts from the fragment that completes it: 180 after 290 ms, 200 after "
        "1990 ms.",
    )
    talk = Talk(scene, "fragmented-1@192.0.2.10", formats=G729)
    candidates = [
        f"a=candidate:{at} 1 UDP {2130706431 - at} 192.0.2.{at + 10} {40_000 + 2 * at} typ host" for at in range(45)
    ]
    invite = talk.dialog.request("INVITE", tagged=False, body=talk.offer(extra=candidates))
    scene.tally(invite)
    one, two, three = fragments_of(invite, 0xF4A6, 1480)
    for at_ms, fragment in ((8, three), (9, one), (10, two)):
        scene.put(at_ms, fragment, ALICE.host, BOB.host)
    scene.answer(20, invite, 100)
    scene.answer(300, invite, 180, tag="b1")
    ok = scene.answer(2000, invite, 200, tag="b1", body=talk.reply_sdp())
    scene.say(2040, talk.dialog.ack(ok))
    both_talk(talk, 2060, 8060, 0xF4A60001)
    talk.hang_up(8100)
    scene.expect("calls", **talk.facts(post_dial_delay_ms=290.0, setup_latency_ms=1990.0, duration_s=6.1))
    scene.finding("fragmented-sip", "info", talk.call_id, values=[str(len(invite.encode()))])
    scene.quiet = ("malformed-sip", "truncated-capture")
    return scene


def mirror_port() -> Scene:
    scene = Scene(
        "mirror_port.pcap",
        "Captured at a mirror port that shows every frame on its way in and, 30 microseconds later, on its way out.",
        "1 call, 7 messages, no retransmission; 2 streams with 600 packets each, 300 of them duplicates, lost 0 (not "
        "-100 %).",
    )
    talk = Talk(scene, "mirror-1@192.0.2.10", formats=G729)
    talk.set_up()
    both_talk(talk, 2060, 8060, 0x3144A001)
    talk.hang_up(8100)
    scene.double(after_us=30)
    for row in scene.facts["streams"]:
        row |= {"packets": 2 * row["packets"], "bytes": 2 * row["bytes"], "duplicates": 300}
    scene.expect("calls", **talk.facts(post_dial_delay_ms=300.0, setup_latency_ms=2000.0, duration_s=6.1, lost=0))
    scene.finding("capture-duplicates", "info", values=["100"])
    scene.expect("captures", duplicated_percent=100.0, grade="good", clock_steps=0)
    scene.quiet = ("retransmissions", "high-loss", "high-jitter", "routing-loop")
    return scene


def over_websocket() -> Scene:
    scene = Scene(
        "websocket.pcap",
        "A browser speaks SIP over WebSocket (RFC 7118): HTTP upgrade, masked text frames from the client. The call "
        "is answered; its media is SRTP (SDES keys).",
        "1 call over WS, completed; 2 streams, encrypted.",
    )
    browser = Party("192.0.2.50", "dave", port=51_000, agent="WebPhone 1.0", domain="example.com", transport="WS",
                    says="df7jal23ls0d.invalid", says_port=5060)  # fmt: skip
    server = Party("203.0.113.80", "bob", port=8080, agent="Bell Phone 7", domain="example.com", transport="WS")
    talk = Talk(scene, "websocket-1@df7jal23ls0d.invalid", browser, server, ports=(40000, 50000))
    line = Connection(scene, (browser.host, browser.port), (server.host, server.port))
    key = base64.b64encode(noise("websocket key", 16)).decode()
    accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    line.open(-60)
    line.send(-50, False, (
        f"GET / HTTP/1.1\r\nHost: 203.0.113.80:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
    ).encode())  # fmt: skip
    line.send(-40, True, (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {base64.b64encode(accept).decode()}\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
    ).encode())  # fmt: skip

    def frame(at_ms: float, message: Message) -> Message:
        scene.tally(message)
        by_server = message.src is server
        mask = None if by_server else noise(f"mask {at_ms}", 4)
        line.send(at_ms, by_server, websocket(message.encode(), mask=mask))
        return message

    def session(host: str, port: int) -> bytes:
        secret = base64.b64encode(noise(f"srtp key {host}", 30)).decode()
        crypto = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{secret}"
        return (
            f"v=0\r\no=- 3976 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/SAVP 0\r\na=rtpmap:0 PCMU/8000\r\n{crypto}\r\n"
        ).encode()

    invite = frame(0, talk.dialog.request("INVITE", tagged=False, body=session(browser.host, 40000)))
    frame(15, reply(invite, 100))
    frame(250, reply(invite, 180, tag="b1"))
    ok = frame(1500, reply(invite, 200, tag="b1", body=session(server.host, 50000)))
    frame(1520, talk.dialog.ack(ok))
    for from_callee in (False, True):
        voice = Voice(0x5E470001 + from_callee, "PCMU", seq=90).talk(1540, 6740)
        secret = [  # nothing but noise, and the authentication tag of 10 bytes behind it (RFC 3711)
            packet._replace(payload=noise(f"{from_callee} {packet.number}", len(packet.payload) + 10))
            for packet in voice.sent
        ]
        talk.hear(voice, deliver(secret), from_callee=from_callee, encrypted=True, bytes=...)
    bye = frame(6800, talk.dialog.request("BYE"))
    frame(6820, reply(bye, 200))
    line.close(6900)
    scene.expect(
        "calls",
        **talk.facts(
            post_dial_delay_ms=250.0, setup_latency_ms=1500.0, answer_to_ack_ms=20.0, duration_s=5.3, codecs="PCMU"
        ),
    )
    scene.finding("encrypted-media", "info", talk.call_id)
    scene.quiet = ("private-address-in-sdp", "nat-mismatch", "ice-or-dtls-failed")
    return scene


def gtp_tunnel() -> Scene:
    scene = Scene(
        "gtp_vlan.pcap",
        "A call from a mobile network: IP inside GTP-U between base station and gateway, on VLAN 310; AMR-WB at "
        "16000 Hz.",
        "1 call between the inner addresses, completed; 2 AMR-WB streams, clock 16000.",
        nanoseconds=True,
    )
    phone = Party("10.45.0.7", "+491710001", domain="ims.example.org", agent="Handset 9")
    core = Party("10.50.1.2", "+491710002", domain="ims.example.org", agent="SBC 3")
    tunnels = {phone.host: ("172.16.0.1", "172.16.0.2", 0x1001), core.host: ("172.16.0.2", "172.16.0.1", 0x2002)}

    def tunnelled(packet: bytes, src: str, dst: str) -> bytes:
        outer_src, outer_dst, tunnel = tunnels[src]
        outer = udp_packet(gtp_u(packet, tunnel), outer_src, 2152, outer_dst, 2152)
        return ethernet(outer, outer_src, outer_dst, vlans=(310,))

    scene.frame = tunnelled
    talk = Talk(scene, "gtp-1@10.45.0.7", phone, core, formats=("97 AMR-WB/16000",))
    talk.set_up()
    both_talk(talk, 2060, 8060, 0x67770001, "AMR-WB")
    talk.hang_up(8100)
    scene.expect("calls", **talk.facts(setup_latency_ms=2000.0, duration_s=6.1, codecs="AMR-WB"))
    return scene


def vxlan_tunnel() -> Scene:
    scene = Scene(
        "vxlan.pcap",
        "A call mirrored out of a cloud: each frame inside VXLAN, network 5001.",
        "1 call between the inner addresses, completed; 2 streams.",
    )

    def tunnelled(packet: bytes, src: str, dst: str) -> bytes:
        inner = ethernet(packet, src, dst)
        return ethernet(udp_packet(vxlan(inner, 5001), "10.9.0.1", 55_555, "10.9.0.2", 4789), "10.9.0.1", "10.9.0.2")

    scene.frame = tunnelled
    talk = Talk(scene, "vxlan-1@192.0.2.10", formats=G729)
    talk.set_up()
    both_talk(talk, 2060, 7560, 0x0FC10001)
    talk.hang_up(7600)
    scene.expect("calls", **talk.facts(setup_latency_ms=2000.0, duration_s=5.6, codecs="G729"))
    return scene


def homer() -> Scene:
    scene = Scene(
        "hep3.pcap",
        "What a Homer agent sends to its collector: each SIP message of a call wrapped in HEP3 with its own "
        "addresses and time; the wrapped message is 1 ms older than its packet. No media.",
        "1 call from 192.0.2.10 to 198.51.100.20 (the wrapped addresses, not the collector's), completed, 180 after "
        "300 ms; no streams.",
    )
    agent, collector = "203.0.113.90", "203.0.113.91"
    inner = Scene("inner", "", "")
    talk = Talk(inner, "hep3-1@192.0.2.10", formats=G729)

    def wrap(at_ms: float, message: Message) -> Message:
        scene.tally(message)
        time_ns = scene.start_ns + round(at_ms * 1000) * 1000
        src, dst = message.src, message.dst
        wrapped = hep3(message.encode(), src.host, src.port, dst.host, dst.port, time_ns, correlation=message.call_id)
        scene.datagram(at_ms + 1, wrapped, (agent, 39_060), (collector, 9060))
        return message

    invite = wrap(0, talk.dialog.request("INVITE", tagged=False, body=talk.offer()))
    wrap(20, reply(invite, 100))
    wrap(300, reply(invite, 180, tag="b1"))
    ok = wrap(2000, reply(invite, 200, tag="b1", body=talk.reply_sdp()))
    wrap(2040, talk.dialog.ack(ok))
    bye = wrap(9000, talk.dialog.request("BYE", by_callee=True))
    wrap(9030, reply(bye, 200))
    scene.expect(
        "calls",
        **talk.facts(
            released_by="callee", post_dial_delay_ms=300.0, setup_latency_ms=2000.0, answer_to_ack_ms=40.0,
            duration_s=7.0, disconnect_delay_ms=30.0,
        ),
    )  # fmt: skip
    scene.finding("no-rtp-captured", "info")
    scene.quiet = ("no-media", "one-way-audio", "missing-bye")
    return scene


def two_interfaces() -> Scene:
    scene = Scene(
        "two_interfaces.pcapng",
        "One pcapng, two interfaces: signalling on an Ethernet with microseconds, media on a raw IP link with "
        "nanoseconds and a time offset.",
        "1 call, completed, 200 after 2000 ms; 2 streams, first media 60 ms after the 200.",
    )
    talk = Talk(scene, "two-interfaces-1@192.0.2.10", formats=G729)
    talk.set_up()
    talk.hang_up(8100)
    scene.interface, scene.frame = 1, lambda packet, src, dst: packet
    both_talk(talk, 2060, 8060, 0x21F00001)
    scene.interfaces = ((1, 6, 0, "eth0"), (RAW_IP, 9, 1_700_000_000, "tun0"))
    scene.expect("calls", **talk.facts(setup_latency_ms=2000.0, media_latency_ms=60.0, duration_s=6.1))
    return scene


def gzipped() -> Scene:
    scene = Scene(
        "gzipped.pcap.gz",
        "A plain call in a compressed capture.",
        "1 call, completed; 2 PCMU streams without loss.",
    )
    talk = Talk(scene, "gzipped-1@192.0.2.10", formats=("0 PCMU/8000",))
    talk.set_up()
    both_talk(talk, 2060, 8060, 0x67210001, "PCMU")
    talk.hang_up(8100)
    scene.expect("calls", **talk.facts(setup_latency_ms=2000.0, duration_s=6.1, codecs="PCMU"))
    return scene


SCENES = (
    over_tcp, ipv6, fragmented, mirror_port, over_websocket, gtp_tunnel, vxlan_tunnel, homer, two_interfaces, gzipped,
)  # fmt: skip
