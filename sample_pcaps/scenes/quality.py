"""How good media was: packets too late, what the other end says of it, and captures that cannot be trusted."""

from __future__ import annotations

from typing import Any

from ..words.media import Voice, chance, deliver
from ..words.packets import ntp, receiver_report, report_block, rtcp_bye, sender_report, source_description
from ..words.reports import session_report, voip_metrics
from ..words.scene import ALICE, BOB, Scene, Talk
from ..words.sip import Dialog, Party

G729 = ("18 G729/8000",)


def late() -> Scene:
    scene = Scene(
        "late.pcap",
        "Nothing is lost, but a jitter buffer of 60 ms has to discard. alice: 9 single packets are late by 61 to 141 "
        "ms, 3 by exactly 60 ms. bob: after 3 s the path becomes 40 ms longer for good; later 5 packets are late by 35 "
        "ms more; after 10 s nothing comes for 400 ms, then all at once: the first 18 are over 60 ms late.",
        "2 streams, lost 0 in both; towards the callee 1.5 % discarded, towards the caller 3 % in one burst (the "
        "longer path and what is 75 ms later than at the beginning cost nothing).",
    )
    talk = Talk(scene, "late-1@192.0.2.10", formats=G729)
    talk.set_up()
    alice = Voice(0x1A7E0001, "G729", seq=65_300).talk(2060, 14_060)
    single = {30 + 60 * at: 61_000 + 10_000 * at for at in range(9)} | dict.fromkeys((571, 580, 590), 60_000)
    talk.hear(alice, deliver(alice.sent, late_us=single))
    bob = Voice(0x1A7E0002, "G729", seq=10).talk(2060, 14_060)
    longer = [40_000 if at >= 150 else 0 for at in range(len(bob.sent))]
    delay = list(longer)
    for at in (380, 395, 410, 425, 440):
        delay[at] += 35_000
    for at in range(21):
        delay[497 + at] = 440_000 - 20_000 * at + 50 * at
    row = talk.hear(bob, deliver(bob.sent, delay_us=delay), from_callee=True, settled_us=longer)
    if (row["discarded_percent"], row["loss_bursts"]) != (3.0, 1):
        raise ValueError(f"the scene is not what its story says: {row}")
    talk.hang_up(14_100)
    scene.expect("calls", **talk.facts(lost=0, duration_s=12.1))
    scene.finding("high-loss", "warning", talk.call_id, ssrc="0x1a7e0001", values=["1.5", "9"])
    scene.finding("high-loss", "warning", talk.call_id, ssrc="0x1a7e0002", values=["3.0", "18"])
    scene.finding("low-mos", "info", talk.call_id, ssrc="0x1a7e0002", causes="high-loss")
    scene.quiet = ("high-jitter", "media-timeout", "capture-drops", "sequence-reset", "clock-drift", "late-media")
    return scene


def rtcp() -> Scene:
    scene = Scene(
        "rtcp.pcap",
        "alice and bob report on each other every 2.5 s. From the capture to bob and back it takes 60 ms, to alice and "
        "back 10 ms. 18 of the first 375 packets of alice pass the capture and never reach bob, who says so in his "
        "report blocks and in an XR with VoIP metrics; alice ends with an RR, and both send an RTCP BYE.",
        "2 streams without loss here; bob reports 4.8 % lost and 5 ms of jitter, rtt 60 ms; alice 0 % and 1 ms, rtt "
        "10 ms. One-way delay of the E-model 95 ms: half of 70 ms, and the jitter buffer's 60 ms.",
    )
    talk = Talk(scene, "rtcp-1@192.0.2.10", formats=G729)
    talk.set_up()
    alice = Voice(0x27C90001, "G729", seq=65_500).talk(2060, 12_060)
    bob = Voice(0x27C90002, "G729", seq=300).talk(2060, 12_060)
    talk.hear(alice, deliver(alice.sent), rtcp_lost_percent=4.8, rtcp_jitter_ms=5.0, rtt_ms=60.0, delay_ms=95.0)
    talk.hear(
        bob, deliver(bob.sent), from_callee=True, rtcp_lost_percent=0.0, rtcp_jitter_ms=1.0, rtt_ms=10.0, delay_ms=95.0
    )
    near, far = ((host, port + 1) for host, port in talk.media)

    def clock(at_ms: float) -> int:
        return ntp(scene.start_ns + round(at_ms * 1_000_000))

    def seen(of: Voice, heard_ms: float | None, held_ms: float, packets: int, **figures: int) -> bytes:
        """A report block; `heard_ms`: when the sender's report passed here, `held_ms`: how long it was kept."""
        lsr = 0 if heard_ms is None else clock(heard_ms) >> 16 & 0xFFFFFFFF
        highest = of.sent[0].number + packets - 1
        return report_block(of.ssrc, highest=highest, lsr=lsr, dlsr=round(held_ms * 65.536), **figures)

    def report(at_ms: float, mine: Voice, other: Voice, kind: str, **columns: Any) -> None:
        scene.expect(
            "rtcp", at_ms=float(at_ms), type=kind, ssrc=f"0x{mine.ssrc:08x}", reported_ssrc=f"0x{other.ssrc:08x}",
            call_id=talk.call_id, **columns,
        )  # fmt: skip

    def rest(at_ms: float, mine: Voice, *kinds: str) -> None:
        for kind in kinds:
            scene.expect("rtcp", at_ms=float(at_ms), type=kind, ssrc=f"0x{mine.ssrc:08x}", call_id=talk.call_id)

    none = {"fraction_lost_percent": 0.0, "cumulative_lost": 0, "jitter_ms": 1.0}
    for turn in (1, 2, 3):
        at_ms, packets = 2060 + 2500 * turn, 125 * turn
        answered = None if turn == 1 else at_ms - 2500 + 80
        block = seen(bob, answered, 2500 - 80 - 10 if answered else 0, packets, jitter=8)
        info = (clock(at_ms), alice.sent[0].timestamp + packets * 160, packets, packets * 20)
        compound = sender_report(alice.ssrc, *info, [block]) + source_description(alice.ssrc, "alice@example.com")
        scene.datagram(at_ms, compound, near, far, dscp=46)
        report(at_ms, alice, bob, "SR", **none, rtt_ms=None if answered is None else 10.0)
        rest(at_ms, alice, "SDES")
        at_ms += 80
        block = seen(alice, at_ms - 80, 20, packets, fraction=13, lost=6 * turn, jitter=40)
        info = (clock(at_ms), bob.sent[0].timestamp + packets * 160, packets, packets * 20)
        compound = sender_report(bob.ssrc, *info, [block]) + source_description(bob.ssrc, "bob@example.com")
        lost = {"fraction_lost_percent": 100 * 13 / 256, "cumulative_lost": 6 * turn, "jitter_ms": 5.0}
        report(at_ms, bob, alice, "SR", **lost, rtt_ms=60.0)
        rest(at_ms, bob, "SDES")
        if turn == 3:
            compound += voip_metrics(
                bob.ssrc, alice.ssrc, loss=12, discard=3, burst=(128, 240), gap=(5, 7000), round_trip=70, end_system=80,
                r_factor=70, mos_lq=36, mos_cq=35,
            )  # fmt: skip
            told = ["loss_percent=4.6875", "r_factor=70", "mos_lq=3.6", "mos_cq=3.5", "round_trip_ms=70", "gmin=16"]
            report(at_ms, bob, alice, "XR", values=told)
        scene.datagram(at_ms, compound, far, near, dscp=46)
    last = 2060 + 2500 * 3 + 80
    block = seen(bob, last, 11_060 - last - 10, 450, jitter=8)
    scene.datagram(11_060, receiver_report(alice.ssrc, [block]), near, far, dscp=46)
    report(11_060, alice, bob, "RR", **none, rtt_ms=10.0)
    for voice, ends in ((alice, (near, far)), (bob, (far, near))):
        scene.datagram(12_080, receiver_report(voice.ssrc) + rtcp_bye(voice.ssrc), *ends, dscp=46)
        rest(12_080, voice, "RR", "BYE")
    talk.hang_up(12_100)
    scene.expect("calls", **talk.facts(lost=0, duration_s=10.1, one_way=False))
    scene.finding("far-end-loss", "warning", talk.call_id, ssrc="0x27c90001", values=["4.8", "0.0"])
    scene.quiet = ("high-loss", "high-jitter", "low-mos", "one-way-audio")
    return scene


def holes() -> Scene:
    scene = Scene(
        "holes.pcap",
        "Two calls at once. At two moments, for 400 and for 200 ms, all four streams miss their packets: the capture "
        "lost them, not the network.",
        "2 calls of two conversations; 4 streams, each 30 of 300 packets lost, up to 20 in a row; the capture is "
        "graded poor, and the loss is doubtful.",
    )
    carol, dave = Party("192.0.2.30", "carol"), Party("198.51.100.40", "dave")
    gone = {*range(100, 120), *range(200, 210)}
    ends = (("holes-1@192.0.2.10", ALICE, BOB), ("holes-2@192.0.2.30", carol, dave))
    talks = [Talk(scene, call_id, caller, callee, formats=G729) for call_id, caller, callee in ends]
    for number, talk in enumerate(talks):
        talk.set_up(7 * number)
        for from_callee in (False, True):
            voice = Voice(0x801E0001 + 16 * number + from_callee, "G729", seq=1000 * number + 50 + from_callee)
            voice.talk(2060, 8060)
            talk.hear(voice, deliver(voice.sent, delay_us=500 * number, lost=gone), from_callee=from_callee)
        talk.hang_up(8100 + 5 * number)
        scene.expect("calls", **talk.facts(lost=60))
    scene.finding("capture-drops", "warning", values=["2 times"])
    for talk in talks:
        for row in scene.facts["streams"]:
            if row["call_id"] == talk.call_id:
                words = {"values": ["10.0", "30"], "doubtful": True}
                scene.finding("high-loss", "warning", talk.call_id, ssrc=row["ssrc"], **words)
    scene.expect("captures", grade="poor")
    scene.quiet = ("high-jitter", "media-timeout", "one-way-audio", "sequence-reset", "one-sided-capture")
    return scene


def one_sided() -> Scene:
    scene = Scene(
        "one_sided.pcap",
        "A whole call, captured where only what alice sends passes: INVITE, ACK, BYE and her media; nothing of bob.",
        "1 call, completed (its ACK proves the answer); 1 stream; no status code, no answer time, and whether audio "
        "was one-way cannot be judged. No alarm but the capture's own.",
    )
    talk = Talk(scene, "one-sided-1@192.0.2.10", formats=G729)
    invite = scene.say(0, talk.dialog.request("INVITE", tagged=False, body=talk.offer()))
    number = int(invite.header("CSeq").split()[0])
    scene.say(2040, talk.dialog.request("ACK", cseq=number))
    voice = Voice(0x04E51DED, "G729", seq=20).talk(2060, 10_060)
    talk.hear(voice, deliver(voice.sent), matched=...)
    scene.say(10_100, talk.dialog.request("BYE"))
    ping = Dialog(ALICE, Party("203.0.113.5", "ping"), "ping-after@192.0.2.10")
    for turn in range(5):  # the capture goes on: nobody's silence is for want of time
        scene.say(20_000 + 10_000 * turn, ping.request("OPTIONS", tagged=False))
    scene.expect(
        "calls",
        **talk.facts(
            status_code=None,
            reason=None,
            answered=None,
            setup_latency_ms=None,
            duration_s=None,
            one_way=None,
            dialogs=...,
        ),
    )
    scene.expect("probes", src="192.0.2.10:5060", dst="203.0.113.5:5060", sent=5, answered=0, answered_percent=0.0)
    scene.finding("one-sided-capture", "warning", values=["192.0.2.10", "198.51.100.20"])
    scene.expect("captures", grade="poor")
    scene.quiet = (
        "one-way-audio", "no-media", "no-rtp-captured", "missing-ack", "media-timeout", "late-media", "auth-failure",
        "nat-mismatch", "missing-bye",
    )  # fmt: skip
    return scene


def quality_report() -> Scene:
    scene = Scene(
        "quality_report.pcap",
        "Nobody sends RTCP, but the phones report in SIP: alice in her BYE (`X-RTP-Stat`), bob in his 200 "
        "(`P-RTP-Stat`), and bob once more in a PUBLISH to a collector (RFC 6035): 4 % of 300 packets never came.",
        "1 call; 3 rows of reports, the last two about alice's stream, which had no loss here.",
    )
    talk = Talk(scene, "quality-report-1@192.0.2.10", formats=G729)
    talk.set_up()
    voices = []
    for from_callee in (False, True):
        voice = Voice(0x9BA11001 + from_callee, "G729", seq=70).talk(2060, 8060)
        delays = [round(2000 * chance(f"report {from_callee}", at)) for at in range(len(voice.sent))]
        talk.hear(voice, deliver(voice.sent, delay_us=delays), from_callee=from_callee, rtcp_lost_percent=None)
        voices.append(voice)
    mine = "CS=0;PS=300;ES=300;OS=6000;PR=300;ER=300;OR=6000;PL=0,0;EN=G729;DE=G729;JI=1,1;DL=2,2,2"
    theirs = "PS=300,OS=6000,PR=288,OR=5760,PL=12,JI=4,LA=35,DU=6,EN=G729,DE=G729"
    bye = scene.say(8100, talk.dialog.request("BYE", headers=[("X-RTP-Stat", mine)]))
    scene.answer(8130, bye, 200, headers=[("P-RTP-Stat", theirs)])
    figures = {
        "loss": 4.0, "discard": 0.0, "round_trip": 70, "end_system": 80, "jitter": 4, "r_factor": 66, "mos_lq": 3.5,
        "mos_cq": 3.4,
    }  # fmt: skip
    body = session_report(
        talk.call_id,
        (*talk.media[1], voices[1].ssrc),
        (*talk.media[0], voices[0].ssrc),
        (BOB.uri, ALICE.uri),
        **figures,
    )
    collector = Party("203.0.113.70", "collector", agent="Quality Collector 1")
    line = Dialog(BOB, collector, "publish-1@198.51.100.20")
    headers = [("Event", "vq-rtcpxr"), ("Content-Type", "application/vq-rtcpxr")]
    publish = scene.say(8200, line.request("PUBLISH", tagged=False, headers=headers, body=body))
    scene.answer(8215, publish, 200, tag="q1")
    common = {"call_id": talk.call_id}
    scene.expect(
        "rtcp", at_ms=8100.0, type="X-RTP-Stat", **common, cumulative_lost=0,
        values=["packets_sent=300", "packets_received=300", "packets_lost=0"],
    )  # fmt: skip
    scene.expect(
        "rtcp", at_ms=8130.0, type="P-RTP-Stat", **common, cumulative_lost=12, jitter_ms=4.0,
        values=["packets_sent=300", "packets_received=288", "packets_lost=12", "delay_ms=35"],
    )  # fmt: skip
    scene.expect(
        "rtcp", at_ms=8200.0, type="vq-rtcpxr", **common, reported_ssrc="0x9ba11001", jitter_ms=4.0,
        values=["loss_percent=4", "discard_percent=0", "r_factor=66", "mos_lq=3.5", "mos_cq=3.4", "round_trip_ms=70"],
    )  # fmt: skip
    scene.expect("calls", **talk.facts(lost=0, one_way=False, duration_s=6.1))
    scene.quiet = ("high-loss", "one-way-audio", "unanswered-request", "malformed-sip")
    return scene


SCENES = (late, rtcp, holes, one_sided, quality_report)
