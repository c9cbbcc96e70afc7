"""What did not get through, and what the network said about it."""

from __future__ import annotations

from dataclasses import replace

from ..words.connection import Connection
from ..words.media import Voice, deliver, noise
from ..words.network import (
    CHECKED,
    HANDSHAKE_FAILURE,
    MAPPED,
    check,
    dtls_handshake,
    dtls_record,
    stun,
    tls_alert,
    tls_hello,
    tls_record,
    unreachable,
)
from ..words.packets import ACK, RST, SYN, TCP, ip, tcp, udp
from ..words.scene import ALICE, BOB, Scene, Talk
from ..words.sip import Dialog, Message, Party, forward, sdp

G729 = ("18 G729/8000",)


def port_unreachable() -> Scene:
    scene = Scene(
        "unreachable.pcap",
        "Nothing listens at 198.51.100.66:5060: each of seven INVITEs is answered with ICMP port unreachable. The "
        "capture runs on with OPTIONS between others. A second call is well; bob's last RTP packet comes 40 ms after "
        "alice's BYE, and her host, which has closed the port, answers it with ICMP.",
        "2 calls: failed (timeout), explained by the ICMP errors; completed, with nothing wrong.",
    )
    nobody = Party("198.51.100.66", "carol")
    talk = Talk(scene, "unreachable-1@192.0.2.10", ALICE, nobody)
    invite = talk.dialog.request("INVITE", tagged=False, body=talk.offer())
    datagram = udp(invite.encode(), ALICE.host, 5060, nobody.host, 5060)
    for at_ms in (0, 500, 1500, 3500, 7500, 15_500, 31_500):
        scene.say(at_ms, invite, again=at_ms > 0)
        scene.put(at_ms + 9, unreachable(datagram, ALICE.host, nobody.host, nobody.host), nobody.host, ALICE.host)
    for number in range(8):
        ping = Dialog(Party("192.0.2.77", "ping"), BOB, f"unreachable-ping-{number}@192.0.2.77")
        request = scene.say(10_000 * number + 100, ping.request("OPTIONS", tagged=False))
        scene.answer(10_000 * number + 112, request, 200, tag="o1")
    scene.expect(
        "probes", src="192.0.2.77:5060", dst="198.51.100.20:5060", sent=8, answered=8, answered_percent=100.0,
        mean_response_ms=12.0, max_response_ms=12.0,
    )  # fmt: skip
    well = Talk(scene, "unreachable-2@192.0.2.10", formats=G729)
    well.set_up(40_000)
    alice = Voice(0x04EAC001, "G729", seq=77).talk(42_060, 48_060)
    well.hear(alice, deliver(alice.sent))
    bob = Voice(0x04EAC002, "G729", seq=990).talk(42_060, 48_160)
    well.hear(bob, deliver(bob.sent), from_callee=True)
    late = udp(bytes(32), *well.media[1], *well.media[0])
    scene.put(48_141, unreachable(late, BOB.host, ALICE.host, ALICE.host), ALICE.host, BOB.host)
    well.hang_up(48_100)
    scene.expect(
        "calls",
        **talk.facts(
            state="failed", status_code=None, reason="timeout", released_by=None, dialogs=0, setup_latency_ms=None
        ),
    )
    scene.expect("calls", **well.facts(duration_s=6.1, one_way=False))
    words = {"values": ["198.51.100.66", "7 times", "port unreachable"]}
    scene.finding("icmp-unreachable", "error", talk.call_id, **words)
    scene.finding("unanswered-request", "info", talk.call_id, causes="icmp-unreachable")
    scene.finding("icmp-unreachable", "info", well.call_id)
    scene.quiet = ("one-way-audio", "media-timeout", "retransmissions", "no-media", "no-rtp-captured", "call-rejected")
    return scene


def tls_failed() -> Scene:
    scene = Scene(
        "tls_failed.pcap",
        "alice wants TLS to her registrar: its port 5061 first refuses the connection (RST), 5 s later it accepts, but "
        "answers her ClientHello with the alert handshake_failure. Her TLS to another server is well, and only a reset "
        "after the end; a web server that refuses her is no matter of SIP. At last she registers elsewhere over UDP.",
        "No call. 1 registration over UDP. A refused connection and a failed handshake with 203.0.113.5:5061.",
    )
    registrar, other, web = ("203.0.113.5", 5061), ("203.0.113.6", 5061), ("203.0.113.7", 443)

    def refused(at_ms: float, port: int, server: tuple[str, int]) -> None:
        client = (ALICE.host, port)
        asked = tcp(b"", *client, *server, seq=7000, flags=SYN, options=b"\x02\x04\x05\xb4")
        scene.put(at_ms, ip(asked, client[0], server[0], TCP), client[0], server[0])
        told = tcp(b"", *server, *client, seq=0, ack=7001, flags=RST | ACK, window=0)
        scene.put(at_ms + 11, ip(told, server[0], client[0], TCP), server[0], client[0])

    refused(0, 41_001, registrar)
    refused(100, 41_002, web)
    failed = Connection(scene, (ALICE.host, 41_003), registrar)
    failed.open(5000)
    failed.send(5010, False, tls_hello("alice to the registrar", client=True))
    failed.send(5025, True, tls_alert(HANDSHAKE_FAILURE))
    failed.close(5030)
    well = Connection(scene, (ALICE.host, 41_004), other)
    well.open(6000)
    well.send(6010, False, tls_hello("alice to the other", client=True))
    chain = b"\x0b" + (700).to_bytes(3, "big") + noise("certificate", 700)
    well.send(6025, True, tls_hello("the other", client=False) + tls_record(22, chain) + tls_record(22, b"\x0e\0\0\0"))
    change = tls_record(20, b"\x01")
    well.send(6040, False, tls_record(22, b"\x10" + noise("key", 69)) + change + tls_record(22, noise("finished", 40)))
    well.send(6055, True, change + tls_record(22, noise("also finished", 40)))
    for turn in range(3):
        well.send(6100 + 500 * turn, False, tls_record(23, noise(f"asked {turn}", 420)))
        well.send(6140 + 500 * turn, True, tls_record(23, noise(f"told {turn}", 380)))
    well.close(8000)
    reset = tcp(b"", *other, ALICE.host, 41_004, seq=9001 + 3000, flags=RST)
    scene.put(8010, ip(reset, other[0], ALICE.host, TCP), other[0], ALICE.host)
    third = Party("203.0.113.8", "", domain="pbx.example.com")
    line = Dialog(replace(ALICE, domain="pbx.example.com"), third, "tls-failed-1")
    request = line.request("REGISTER", tagged=False, uri="sip:pbx.example.com", headers=[("Expires", "600")])
    mine = tuple(
        ("To", "<sip:alice@pbx.example.com>") if name == "To" else (name, text) for name, text in request.headers
    )
    request = scene.say(9000, replace(request, headers=mine))
    bound = [("Contact", "<sip:alice@192.0.2.10:5060>;expires=600"), ("Expires", "600")]
    scene.answer(9020, request, 200, tag="r1", headers=bound)
    scene.expect(
        "registrations", aor="sip:alice@pbx.example.com", registrar="203.0.113.8:5060", state="registered",
        refresh=False, expires_s=600.0, attempts=1, registration_delay_ms=20.0, status_code=200,
    )  # fmt: skip
    scene.finding("tls-handshake-failure", "error", values=["203.0.113.5:5061", "handshake_failure"])
    scene.finding("tcp-connect-failed", "error", values=["203.0.113.5:5061", "192.0.2.10"])
    scene.quiet = ("icmp-unreachable", "one-sided-capture", "registration-failure", "malformed-sip")
    return scene


def relay_drops() -> Scene:
    scene = Scene(
        "relay_drops.pcap",
        "Captured at a proxy with a media relay, which puts itself into the SDP of both hops. alice's media comes to "
        "it and goes on to bob; bob's comes to it and goes nowhere.",
        "1 call, completed; 3 streams, 2 of them one direction at two hops; one_way true: the relay keeps bob's media.",
    )
    relay = Party("203.0.113.40", "relay")
    talk = Talk(scene, "relay-drops-1@192.0.2.10", formats=G729, next_hop=relay)
    talk.dialog.route = f"<sip:{relay.sent_by};lr>"
    to_alice, to_bob = (relay.host, 30_000), (relay.host, 30_002)
    hops: dict[str, Message] = {}

    def request(at_ms: float, message: Message, body: bytes = b"") -> Message:
        scene.say(at_ms, message)
        onward = forward(message, relay, BOB, f"z9hG4bKrelay{len(hops)}", BOB.contact[1:-1])
        hops[message.method] = scene.say(at_ms + 2, replace(onward, body=body))
        return message

    def response(at_ms: float, method: str, code: int, bodies: tuple[bytes, bytes] = (b"", b"")) -> None:
        answer = scene.answer(at_ms, hops[method], code, tag="b1", body=bodies[0])
        scene.say(at_ms + 2, replace(forward(answer, relay, ALICE, ""), body=bodies[1]))

    offer = sdp(*to_bob, G729)
    invite = request(0, talk.dialog.request("INVITE", tagged=False, body=talk.offer()), offer)
    scene.answer(3, invite, 100)
    response(302, "INVITE", 180)
    response(2002, "INVITE", 200, (talk.reply_sdp(), sdp(*to_alice, G729)))
    request(2040, talk.dialog.request("ACK", cseq=1))
    alice = Voice(0x4E1A0001, "G729", seq=40).talk(2060, 8060)
    bob = Voice(0x4E1A0002, "G729", seq=65_000).talk(2060, 8060)
    for passing, arrivals, src, dst in (
        ("caller-to-callee", deliver(alice.sent), talk.media[0], to_alice),
        ("caller-to-callee", deliver(alice.sent, delay_us=1200), to_bob, talk.media[1]),
        ("callee-to-caller", deliver(bob.sent), talk.media[1], to_bob),
    ):
        voice = bob if passing == "callee-to-caller" else alice
        scene.stream(voice, arrivals, src, dst, call_id=talk.call_id, direction=passing)
    request(8100, talk.dialog.request("BYE"))
    response(8130, "BYE", 200)
    scene.expect(
        "calls",
        **talk.facts(
            dst="203.0.113.40:5060", one_way=True, packets=600, lost=0, duration_s=6.096, post_dial_delay_ms=304.0,
            setup_latency_ms=2004.0,
        ),
    )  # fmt: skip
    scene.finding(
        "one-way-audio", "error", talk.call_id, values=["203.0.113.40:30000", "192.0.2.10:40000", " 300 packets"]
    )
    scene.quiet = ("no-media", "retransmissions", "routing-loop", "media-timeout", "nat-mismatch", "no-rtp-captured")
    return scene


def webrtc_failed() -> Scene:
    scene = Scene(
        "webrtc_failed.pcap",
        "Two calls with ICE and DTLS-SRTP. In the first both sides check each other's address and no check is "
        "answered: no media, and bob gives up. In the second the first two checks are lost, then all goes well: ICE, "
        "DTLS, SRTP in Opus.",
        "2 calls, completed; the first without streams, its ICE failed; the second with 2 encrypted streams.",
    )
    for number, start in enumerate((0, 20_000)):
        ports = (40_000 + 2 * number, 50_000 + 2 * number)
        talk = Talk(scene, f"webrtc-{number + 1}@192.0.2.10", formats=("111 opus/48000/2",), ports=ports)
        names = (f"al{number}x", f"bo{number}y")
        bodies = [
            sdp(
                party.host, port, talk.formats, profile="UDP/TLS/RTP/SAVPF", ptime=None,
                extra=(
                    f"a=ice-ufrag:{name}", f"a=ice-pwd:{noise(name, 12).hex()}", f"a=setup:{role}", "a=rtcp-mux",
                    f"a=fingerprint:sha-256 {noise(f'print {name}', 32).hex(':').upper()}",
                    f"a=candidate:1 1 UDP 2130706431 {party.host} {port} typ host",
                ),
            )
            for party, port, name, role in ((ALICE, ports[0], names[0], "actpass"), (BOB, ports[1], names[1], "active"))
        ]  # fmt: skip
        invite = scene.say(start, talk.dialog.request("INVITE", tagged=False, body=bodies[0]))
        scene.answer(start + 20, invite, 100)
        scene.answer(start + 300, invite, 180, tag="b1")
        ok = scene.answer(start + 2000, invite, 200, tag="b1", body=bodies[1])
        scene.say(start + 2040, talk.dialog.ack(ok))
        for turn in range(8 if number == 0 else 4):
            for side in (0, 1):
                at_ms, transaction = start + 2050 + 500 * turn + 7 * side, 1000 * number + 10 * turn + side + 1
                src, dst = talk.media[side], talk.media[1 - side]
                scene.datagram(at_ms, check(transaction, f"{names[1 - side]}:{names[side]}"), src, dst, dscp=46)
                if number and turn:
                    mapped = b"\x00\x01" + noise(f"mapped {side}", 6)
                    scene.datagram(at_ms + 4, stun(CHECKED, transaction, (MAPPED, mapped)), dst, src, dscp=46)
        if number:
            shake_hands(scene, start + 2700, talk)
            for from_callee in (False, True):
                voice = Voice(0x3EB47C01 + from_callee, "opus", seq=9000).talk(start + 2800, start + 7800)
                secret = [  # noise, and the authentication tag of 10 bytes (RFC 3711)
                    packet._replace(payload=noise(f"{from_callee} {packet.number}", len(packet.payload) + 10))
                    for packet in voice.sent
                ]
                talk.hear(voice, deliver(secret), from_callee=from_callee, encrypted=True, bytes=...)
            talk.hang_up(start + 7900)
            scene.expect("calls", **talk.facts(duration_s=5.9, codecs="opus", one_way=False))
            scene.finding("encrypted-media", "info", talk.call_id)
        else:
            talk.hang_up(start + 10_000, by_callee=True)
            scene.expect("calls", **talk.facts(duration_s=8.0, released_by="callee"))
            scene.finding("ice-or-dtls-failed", "error", talk.call_id, values=["16"])
    scene.quiet = ("one-way-audio", "media-timeout", "icmp-unreachable", "no-rtp-captured", "late-media")
    return scene


def shake_hands(scene: Scene, at_ms: int, talk: Talk) -> None:
    """A DTLS handshake that bob begins (RFC 6347 section 4.2), each flight in one datagram."""
    near, far = talk.media
    random = noise(f"dtls {talk.call_id}", 32)
    hello = b"\xfe\xfd" + random + b"\0\0" + b"\x00\x02\xc0\x2b" + b"\x01\x00"
    chosen = b"\xfe\xfd" + random[::-1] + b"\0" + b"\xc0\x2b\x00"
    change = dtls_record(20, 9, b"\x01")
    flights = (
        (far, near, dtls_handshake(1, 0, hello)),
        (
            near,
            far,
            dtls_handshake(2, 0, chosen) + dtls_handshake(11, 1, noise("print", 300)) + dtls_handshake(14, 2, b""),
        ),
        (far, near, dtls_handshake(16, 1, noise("exchange", 66)) + change + dtls_record(22, 0, noise("done", 48), 1)),
        (near, far, change + dtls_record(22, 0, noise("done too", 48), 1)),
    )
    for turn, (src, dst, flight) in enumerate(flights):
        scene.datagram(at_ms + 15 * turn, flight, src, dst, dscp=46)


SCENES = (port_unreachable, tls_failed, relay_drops, webrtc_failed)
