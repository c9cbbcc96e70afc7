"""Calls that were answered, each with its own way there."""

from __future__ import annotations

from dataclasses import replace

from ..words.media import Voice, chance, deliver
from ..words.packets import ntp, report_block, sender_report, source_description
from ..words.scene import ALICE, BOB, Scene, Talk, statistics
from ..words.sip import Message, Party, forward, reply, sdp

PROXY = Party("203.0.113.5", "proxy")


def plain() -> Scene:
    """The simplest whole call, with RTCP."""
    scene = Scene(
        "plain.pcap",
        "alice calls bob, it rings, bob answers, both talk for 8 s, bob hangs up. RTCP both ways every 2.5 s. The "
        "network delays each packet a little differently.",
        "1 call, completed, 180 after 300 ms, 200 after 2000 ms, 8.1 s long, released by the callee; 2 PCMA streams of "
        "400 packets, none lost, jitter under 3 ms.",
    )
    talk = Talk(scene, "plain-1@192.0.2.10")
    talk.set_up()
    voices = []
    for from_callee in (False, True):
        voice = Voice(0xB0B00001 if from_callee else 0xA11CE001, seq=65_400 if from_callee else 1_000)
        voice.talk(2060, 10_060)
        delays = [round(3000 * chance(f"plain {from_callee}", at)) for at in range(len(voice.sent))]
        far_end = {"rtcp_lost_percent": 0.0, "rtcp_jitter_ms": 0.0, "rtt_ms": None if from_callee else 10.0}
        talk.hear(voice, deliver(voice.sent, delay_us=delays), from_callee=from_callee, **far_end)
        voices.append(voice)
    ends = [(host, port + 1) for host, port in talk.media]
    for round_number in range(1, 4):
        for side in (0, 1):
            mine, other = voices[side], voices[1 - side]
            at_ms = 2060 + 2500 * round_number + 40 * side
            packets = 125 * round_number
            now = ntp(scene.start_ns + at_ms * 1_000_000)
            last = ntp(scene.start_ns + (at_ms - 40) * 1_000_000) >> 16 & 0xFFFFFFFF if side else 0
            block = report_block(
                other.ssrc, highest=other.sent[packets - 1].number, lsr=last, dlsr=65536 * 30 // 1000 if side else 0
            )
            report = sender_report(
                mine.ssrc, now, mine.sent[0].timestamp + packets * 160, packets, packets * 160, [block]
            )
            name = source_description(mine.ssrc, f"{('alice', 'bob')[side]}@example.com")
            scene.datagram(at_ms, report + name, ends[side], ends[1 - side], dscp=46)
            common = {"at_ms": float(at_ms), "ssrc": f"0x{mine.ssrc:08x}", "call_id": talk.call_id}
            scene.expect(
                "rtcp", **common, type="SR", reported_ssrc=f"0x{other.ssrc:08x}", fraction_lost_percent=0.0,
                cumulative_lost=0, jitter_ms=0.0, rtt_ms=10.0 if side else None,
            )  # fmt: skip
            scene.expect("rtcp", **common, type="SDES")
    talk.hang_up(10_100, by_callee=True)
    facts = talk.facts(
        released_by="callee", post_dial_delay_ms=300.0, setup_latency_ms=2000.0, answer_to_ack_ms=40.0,
        duration_s=8.1, disconnect_delay_ms=30.0, user_agent="Acme Phone 4.2", server="Bell Phone 7", codecs="PCMA",
        one_way=False,
    )  # fmt: skip
    scene.expect("calls", **facts)
    statistics(scene, 1, SER=100, SEER=100, ISA=0, SCR=100, ASR=100, NER=100, ACD=8.1, **{"SRD mean": 0.3})
    scene.quiet = ("far-end-loss", "high-jitter", "clock-drift", "one-way-audio")
    return scene


def delayed_offer() -> Scene:
    """The INVITE has no SDP: the 200 offers, the ACK answers."""
    scene = Scene(
        "delayed_offer.pcap",
        "The INVITE carries no SDP; the 200 makes the offer and the ACK the answer (RFC 3264, 3261 section 13.2.1).",
        "1 call, completed; 2 G729 streams tied to it through the 200's and the ACK's SDP.",
    )
    talk = Talk(scene, "delayed-offer-1@192.0.2.10", formats=("18 G729/8000", "101 telephone-event/8000"))
    invite = scene.say(0, talk.dialog.request("INVITE", tagged=False))
    scene.answer(20, invite, 100)
    scene.answer(400, invite, 180, tag="b1")
    ok = scene.answer(1900, invite, 200, tag="b1", body=talk.reply_sdp())
    scene.say(1950, talk.dialog.ack(ok, body=talk.offer()))
    for from_callee in (False, True):
        voice = Voice(0xDE1A0001 + from_callee, "G729", seq=300).talk(2000, 8000)
        talk.hear(voice, deliver(voice.sent), from_callee=from_callee)
    talk.hang_up(8100)
    scene.expect(
        "calls",
        **talk.facts(
            post_dial_delay_ms=400.0, setup_latency_ms=1900.0, answer_to_ack_ms=50.0, duration_s=6.2, codecs="G729"
        ),
    )
    return scene


def held() -> Scene:
    """On hold and back."""
    scene = Scene(
        "held.pcap",
        "alice puts bob on hold 4 s into the call (re-INVITE with a=sendonly, answered recvonly) and takes him "
        "back 3 s later; nobody sends meanwhile. Sequence numbers go on without a gap, timestamps follow the "
        "clock.",
        "1 call with 2 re-INVITEs, not 3 calls; 2 streams, each whole: nothing lost, no restart, jitter 0 (the "
        "hold is a break in timing, not jitter).",
    )
    formats = ("18 G729/8000", "101 telephone-event/8000")
    talk = Talk(scene, "held-1@192.0.2.10", formats=formats)
    talk.set_up()
    for at_ms, mine, theirs, version in ((6000, "sendonly", "recvonly", 2), (9000, "sendrecv", "sendrecv", 3)):
        body = talk.offer(direction=mine, version=version)
        again = scene.say(at_ms, talk.dialog.request("INVITE", body=body))
        ok = scene.answer(at_ms + 25, again, 200, body=talk.reply_sdp(direction=theirs, version=version))
        scene.say(at_ms + 50, talk.dialog.ack(ok))
    for from_callee in (False, True):
        voice = Voice(0x401D0001 + from_callee, "G729", seq=9_000, timestamp=77).talk(2060, 6000).talk(9060, 13_060)
        talk.hear(voice, deliver(voice.sent), from_callee=from_callee)
    talk.hang_up(13_100)
    scene.expect("calls", **talk.facts(setup_latency_ms=2000.0, duration_s=11.1, codecs="G729"))
    scene.finding("held", "info", talk.call_id, values=["3.0"])
    scene.quiet = ("one-way-audio", "media-timeout", "high-jitter", "high-loss", "late-media", "reinvite-failed")
    return scene


def codec_change() -> Scene:
    """PCMA to PCMU in mid-call."""
    scene = Scene(
        "codec_change.pcap",
        "bob changes the codec from PCMA to PCMU with a re-INVITE after 4 s. Both go on with the same SSRC and "
        "sequence numbers under another payload type.",
        "1 call, 2 streams (not 4), nothing lost; codecs PCMA,PCMU.",
    )
    talk = Talk(scene, "codec-change-1@192.0.2.10", formats=("8 PCMA/8000",))
    talk.set_up()
    fewer = ("0 PCMU/8000",)
    again = scene.say(6000, talk.dialog.request("INVITE", by_callee=True, body=sdp(BOB.host, 50000, fewer, version=2)))
    ok = scene.answer(6030, again, 200, body=sdp(ALICE.host, 40000, fewer, version=2))
    scene.say(6060, talk.dialog.request("ACK", by_callee=True, cseq=int(ok.header("CSeq").split()[0])))
    for from_callee in (False, True):
        voice = Voice(0xC0DEC001 + from_callee, seq=65_500).talk(2060, 6060).switch("PCMU").talk(6060, 9060)
        talk.hear(voice, deliver(voice.sent), from_callee=from_callee, codec=..., payload_types="8,0")
    talk.hang_up(9100)
    scene.expect("calls", **talk.facts(setup_latency_ms=2000.0, duration_s=7.1, codecs="PCMA,PCMU"))
    scene.quiet = ("codec-mismatch", "ssrc-change", "high-loss", "reinvite-failed")
    return scene


def prack_update() -> Scene:
    """Reliable provisional responses, and an UPDATE before the answer."""
    scene = Scene(
        "prack_update.pcap",
        "The 183 is sent reliably and acknowledged by PRACK (RFC 3262); an UPDATE (RFC 3311) then moves the caller's "
        "media to another port before bob answers.",
        "1 call, completed, 183 after 250 ms, 200 after 3000 ms; 2 streams, the one towards the caller on the port of "
        "the UPDATE.",
    )
    talk = Talk(scene, "prack-update-1@192.0.2.10", formats=("18 G729/8000",), ports=(40000, 50000))
    dialog = talk.dialog
    supported = [("Supported", "100rel, timer"), ("Allow", "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE")]
    invite = scene.say(0, dialog.request("INVITE", tagged=False, headers=supported, body=talk.offer()))
    scene.answer(20, invite, 100)
    reliable = [("Require", "100rel"), ("RSeq", "4711")]
    scene.answer(250, invite, 183, tag="b1", headers=reliable, body=talk.reply_sdp())
    prack = scene.say(290, dialog.request("PRACK", headers=[("RAck", "4711 1 INVITE")]))
    scene.answer(320, prack, 200)
    update = scene.say(400, dialog.request("UPDATE", body=sdp(ALICE.host, 40010, talk.formats, version=2)))
    scene.answer(430, update, 200, body=talk.reply_sdp(version=2))
    scene.answer(900, invite, 180, tag="b1", headers=[("Require", "100rel"), ("RSeq", "4712")])
    prack = scene.say(940, dialog.request("PRACK", headers=[("RAck", "4712 1 INVITE")]))
    scene.answer(970, prack, 200)
    ok = scene.answer(3000, invite, 200, tag="b1")
    scene.say(3040, dialog.request("ACK", cseq=int(ok.header("CSeq").split()[0])))
    talk.media = ((ALICE.host, 40010), (BOB.host, 50000))
    for from_callee in (False, True):
        voice = Voice(0x9AC40001 + from_callee, "G729", seq=20).talk(3060, 9060)
        talk.hear(voice, deliver(voice.sent), from_callee=from_callee)
    talk.hang_up(9100)
    scene.expect(
        "calls",
        **talk.facts(
            post_dial_delay_ms=250.0, setup_latency_ms=3000.0, answer_to_ack_ms=40.0, duration_s=6.1, codecs="G729"
        ),
    )
    scene.quiet = ("missing-prack", "late-media", "nat-mismatch", "retransmissions")
    return scene


def forked() -> Scene:
    """One INVITE rings two phones."""
    scene = Scene(
        "forked.pcap",
        "A proxy forks the INVITE to two phones of bob (captured on the caller's side): two 180 with different To"
        " tags, the second phone answers; its 200 ends the other branch.",
        "1 call with 2 dialogs, completed, 180 after 200 ms, 200 after 2500 ms; 2 streams.",
    )
    talk = Talk(scene, "forked-1@192.0.2.10", formats=("18 G729/8000",), to_tag="phone2", next_hop=PROXY)
    talk.dialog.route = f"<sip:{PROXY.sent_by};lr>"
    phones = (replace(BOB, host="198.51.100.21"), BOB)
    record = [("Record-Route", f"<sip:{PROXY.sent_by};lr>")]
    invite = scene.say(0, talk.dialog.request("INVITE", tagged=False, body=talk.offer()))
    scene.answer(10, invite, 100)
    for at_ms, phone, tag in ((200, phones[0], "phone1"), (350, phones[1], "phone2")):
        ringing = reply(invite, 180, tag=tag, contact=False, headers=[*record, ("Contact", phone.contact)])
        scene.say(at_ms, ringing)
    ok = reply(
        invite, 200, tag="phone2", contact=False, body=talk.reply_sdp(), headers=[*record, ("Contact", BOB.contact)]
    )
    scene.say(2500, ok)
    scene.say(2540, talk.dialog.ack(ok))
    for from_callee in (False, True):
        voice = Voice(0xF0240001 + from_callee, "G729", seq=50).talk(2560, 8560)
        talk.hear(voice, deliver(voice.sent), from_callee=from_callee)
    talk.hang_up(8600)
    scene.expect(
        "calls",
        **talk.facts(
            dst="203.0.113.5:5060", dialogs=2, post_dial_delay_ms=200.0, setup_latency_ms=2500.0, duration_s=6.1
        ),
    )
    scene.quiet = ("nat-mismatch", "missing-ack", "missing-bye")
    return scene


def proxy_hops() -> Scene:
    """Both hops of a proxy in one capture."""
    scene = Scene(
        "proxy_hops.pcap",
        "Captured at a record-routing proxy: every message stands twice in the file, once a hop, 1.5 ms apart, with "
        "other endpoints and Via. Media flows directly.",
        "1 call, completed; nothing is a retransmission; times are those of the caller's hop: 180 after 306 ms, "
        "200 after 2006 ms; 2 streams.",
    )
    talk = Talk(scene, "proxy-hops-1@192.0.2.10", formats=("18 G729/8000",), next_hop=PROXY)
    talk.dialog.route = f"<sip:{PROXY.sent_by};lr>"
    hops: dict[str, Message] = {}

    def request(at_ms: float, message: Message) -> Message:
        scene.say(at_ms, message)
        hops[message.method] = forward(message, PROXY, BOB, f"z9hG4bKproxy{len(hops)}", BOB.contact[1:-1])
        scene.say(at_ms + 1.5, hops[message.method])
        return message

    def response(at_ms: float, method: str, code: int, body: bytes = b"") -> None:
        answer = scene.answer(at_ms, hops[method], code, tag="b1", body=body)
        scene.say(at_ms + 1.5, forward(answer, PROXY, ALICE, ""))

    invite = request(0, talk.dialog.request("INVITE", tagged=False, body=talk.offer()))
    scene.answer(2, invite, 100)
    response(304.5, "INVITE", 180)
    response(2004.5, "INVITE", 200, body=talk.reply_sdp())
    request(2040, talk.dialog.request("ACK", cseq=1))
    request(8100, talk.dialog.request("BYE"))
    response(8130, "BYE", 200)
    for from_callee in (False, True):
        voice = Voice(0x94060001 + from_callee, "G729", seq=80).talk(2060, 8060)
        talk.hear(voice, deliver(voice.sent), from_callee=from_callee)
    scene.expect(
        "calls",
        **talk.facts(
            dst="203.0.113.5:5060", post_dial_delay_ms=306.0, setup_latency_ms=2006.0, answer_to_ack_ms=34.0,
            duration_s=6.094, disconnect_delay_ms=31.5,
        ),
    )  # fmt: skip
    scene.expect("endpoints", address=PROXY.host, roles="proxy", calls=1)
    scene.quiet = ("retransmissions", "routing-loop", "capture-duplicates", "no-rtp-captured")
    return scene


def two_legs() -> Scene:
    """A back-to-back user agent, both legs in one capture."""
    scene = Scene(
        "two_legs.pcap",
        "A B2BUA answers alice under one Call-ID and calls bob under another; media of both legs goes through it. "
        "alice hangs up.",
        "2 calls of one conversation: alice to the B2BUA (180 after 340 ms, 200 after 2030 ms), the B2BUA to bob; 4 "
        "streams, 2 a call.",
    )
    box = Party("203.0.113.40", "bob", agent="Middle PBX 12", domain="pbx.example.com")
    out = replace(box, user="alice")
    formats = ("18 G729/8000",)
    first = Talk(scene, "leg-a-77@192.0.2.10", ALICE, box, formats=formats, ports=(40000, 30000))
    second = Talk(
        scene, "leg-b-5f1c@203.0.113.40", out, BOB, formats=formats, ports=(30002, 50000), from_tag="x7", to_tag="y8"
    )
    invite = scene.say(0, first.dialog.request("INVITE", tagged=False, body=first.offer()))
    scene.answer(5, invite, 100)
    onward = scene.say(20, second.dialog.request("INVITE", tagged=False, body=second.offer()))
    scene.answer(45, onward, 100)
    scene.answer(320, onward, 180, tag="y8")
    scene.answer(340, invite, 180, tag="b1")
    ok = scene.answer(2010, onward, 200, tag="y8", body=second.reply_sdp())
    scene.say(2020, second.dialog.ack(ok))
    ok = scene.answer(2030, invite, 200, tag="b1", body=first.reply_sdp())
    scene.say(2060, first.dialog.ack(ok))
    for from_callee in (False, True):
        voice = Voice(0x1E600001 + from_callee, "G729", seq=600).talk(2100, 8100)
        relayed = Voice(0x1E610001 + from_callee, "G729", seq=3_000).talk(2100, 8100)
        entry, leaving = (second, first) if from_callee else (first, second)
        entry.hear(voice, deliver(voice.sent), from_callee=from_callee)
        leaving.hear(relayed, deliver(relayed.sent, delay_us=1200), from_callee=from_callee)
    bye = scene.say(8200, first.dialog.request("BYE"))
    other = scene.say(8210, second.dialog.request("BYE"))
    scene.answer(8215, bye, 200)
    scene.answer(8240, other, 200)
    shared = {"dialogs": 1, "codecs": "G729", "released_by": "caller"}
    scene.expect(
        "calls",
        **first.facts(
            **shared, post_dial_delay_ms=340.0, setup_latency_ms=2030.0, duration_s=6.17, disconnect_delay_ms=15.0
        ),
    )
    scene.expect(
        "calls",
        **second.facts(
            **shared, post_dial_delay_ms=300.0, setup_latency_ms=1990.0, duration_s=6.2, disconnect_delay_ms=30.0
        ),
    )
    scene.join(first.call_id, second.call_id)
    scene.expect("endpoints", address=box.host, roles="UAC,UAS,B2BUA,media-relay", products="Middle PBX 12")
    scene.quiet = ("retransmissions", "routing-loop", "sip-alg")
    return scene


def partial() -> Scene:
    """The capture begins in mid-call."""
    scene = Scene(
        "partial.pcap",
        "The capture begins in the middle of a call: 5 s of media both ways, then the BYE and its 200. No INVITE,"
        " no SDP.",
        "1 partial call, completed; no start, caller or duration; 2 streams of no call (nothing says whose they are).",
    )
    talk = Talk(scene, "partial-1@192.0.2.10")
    for from_callee in (False, True):
        voice = Voice(0x9A270001 + from_callee, seq=7_000, timestamp=999).talk(0, 5000, quiet_marker=True)
        words = {"call_id": None, "direction": None, "matched": "rtp-only"}
        talk.hear(voice, deliver(voice.sent), from_callee=from_callee, **words)
    talk.hang_up(5040, by_callee=True)
    scene.expect(
        "calls", call_id=talk.call_id, state="completed", partial=True, start=None, caller=None, released_by=None,
        duration_s=None, setup_latency_ms=None, status_code=None,
    )  # fmt: skip
    scene.quiet = ("missing-ack", "one-way-audio", "no-media", "no-rtp-captured")
    return scene


SCENES = (
    plain, delayed_offer, held, codec_change, prack_update, forked, proxy_hops, two_legs, partial,
)  # fmt: skip
