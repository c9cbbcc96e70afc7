"""Calls whose media went wrong, each in one way and by a number that is known."""

from __future__ import annotations

from dataclasses import replace

from ..words.media import Voice, chance, deliver
from ..words.scene import ALICE, BOB, Scene, Talk
from ..words.sip import Party


def one_way() -> Scene:
    scene = Scene(
        "one_way.pcap",
        "Both sides announce media both ways, but nothing comes from bob: a firewall drops it before the capture "
        "point. alice hangs up after 8 s.",
        "1 call, completed, one_way true; 1 stream, from the caller.",
    )
    talk = Talk(scene, "one-way-1@192.0.2.10")
    talk.set_up()
    voice = Voice(0x0E3A0001, seq=40).talk(2060, 10_060)
    talk.hear(voice, deliver(voice.sent))
    talk.hang_up(10_100)
    scene.expect("calls", **talk.facts(one_way=True, codecs="PCMA", duration_s=8.1))
    scene.finding("one-way-audio", "error", talk.call_id, values=["400", "8.1"])
    scene.quiet = ("no-media", "late-media", "media-timeout", "no-rtp-captured")
    return scene


def lossy() -> Scene:
    voice = Voice(0x105501CE, seq=500, tone_hz=600).talk(2060, 12_060)
    alone = {at for at in range(1, 499) if chance("lossy", at) < 0.05 and not 200 <= at < 220}
    burst = set(range(200, 220))
    scene = Scene(
        "lossy.pcap",
        f"bob's 500 packets lose {len(alone)} at random (each with a chance of 5 %) and 20 in a row; alice's "
        "arrive whole. bob hangs up.",
        f"1 call, completed; towards the caller expected 500, lost {len(alone | burst)}; towards the callee lost 0.",
    )
    talk = Talk(scene, "lossy-1@192.0.2.10")
    talk.set_up()
    talk.hear(voice, deliver(voice.sent, lost=alone | burst), from_callee=True, expected=500, lost=len(alone | burst))
    clean = Voice(0x105501CF, seq=9).talk(2060, 12_060)
    talk.hear(clean, deliver(clean.sent))
    talk.hang_up(12_100, by_callee=True)
    scene.expect("calls", **talk.facts(released_by="callee", lost=len(alone | burst), duration_s=10.1))
    scene.finding("high-loss", "error", talk.call_id, ssrc="0x105501ce", values=["9.8", str(len(alone | burst))])
    scene.finding("low-mos", "info", talk.call_id, ssrc="0x105501ce", causes="high-loss")
    scene.quiet = ("high-jitter", "capture-drops", "sequence-reset", "media-timeout")
    return scene


def jittery() -> Scene:
    known = Voice(0x117700AA, seq=65_000).talk(2060, 8060)
    wild = Voice(0x117700BB, seq=100, tone_hz=700).talk(2060, 8060)
    alternating = [10_000 * (at % 2) for at in range(len(known.sent))]
    random = [round(19_000 * chance("jittery", at)) for at in range(len(wild.sent))]
    scene = Scene(
        "jittery.pcap",
        "Every second packet of alice is 10 ms late, so each difference is 10 ms and the RFC 3550 estimate climbs to "
        "10 (1 - (15/16)^299) ms; bob's packets are late by 0 to 19 ms at random. Nobody's order changes.",
        "2 streams, nothing lost or out of order; maximum jitter towards the callee 10.00 ms, towards the caller "
        "as the formula gives it ({:.3f} ms).",
    )
    talk = Talk(scene, "jittery-1@192.0.2.10")
    talk.set_up()
    by_hand = 10.0 * (1 - (15 / 16) ** 299)
    talk.hear(known, deliver(known.sent, delay_us=alternating), max_jitter_ms=round(by_hand, 6))
    row = talk.hear(wild, deliver(wild.sent, delay_us=random), from_callee=True)
    scene.find = scene.find.format(row["max_jitter_ms"])
    talk.hang_up(8100)
    scene.expect("calls", **talk.facts(lost=0, max_jitter_ms=max(row["max_jitter_ms"], round(by_hand, 6))))
    scene.quiet = ("high-jitter", "high-loss", "clock-drift")
    return scene


def reordered() -> Scene:
    scene = Scene(
        "reordered.pcap",
        "alice's packets: 12 pairs are swapped, the last pair among them; 10 packets come twice. Her sequence numbers "
        "wrap from 65535 to 0. bob's are whole.",
        "2 streams, lost 0 in both; towards the callee 310 packets for 300 expected, 10 duplicates, 12 out of order.",
    )
    talk = Talk(scene, "reordered-1@192.0.2.10")
    talk.set_up()
    voice = Voice(0x5E05DE50, seq=65_400).talk(2060, 8060)
    late = dict.fromkeys((*range(10, 274, 24), 298), 25000)
    again = dict.fromkeys(range(20, 300, 28), 3000)
    row = talk.hear(voice, deliver(voice.sent, late_us=late, again_us=again))
    written = {"packets": 310, "expected": 300, "lost": 0, "duplicates": 10, "out_of_order": 12}
    if any(row[key] != value for key, value in written.items()):
        raise ValueError(f"the scene is not what its story says: {row}")
    clean = Voice(0x5E05DE51, seq=77).talk(2060, 8060)
    talk.hear(clean, deliver(clean.sent), from_callee=True)
    talk.hang_up(8100)
    scene.expect("calls", **talk.facts(lost=0))
    scene.quiet = ("high-loss", "sequence-reset", "high-jitter", "capture-duplicates")
    return scene


def restart() -> Scene:
    scene = Scene(
        "restart.pcap",
        "In mid-call bob's gateway restarts its RTP under the same SSRC: the sequence number jumps from 1149 to 30000 "
        "within 20 ms, the timestamp too, the marker is set.",
        "2 streams; the one towards the caller has 300 packets, 1 restart and lost 0 (not 28850).",
    )
    talk = Talk(scene, "restart-1@192.0.2.10")
    talk.set_up()
    voice = Voice(0x4E57A470, seq=1_000, timestamp=5_000).talk(2060, 5060).restart(30_000, 3_000_000).talk(5060, 8060)
    at = next(index for index, packet in enumerate(voice.sent) if packet.segment)
    voice.sent[at] = voice.sent[at]._replace(marker=True)
    talk.hear(voice, deliver(voice.sent), from_callee=True, expected=300, lost=0, restarts=1)
    clean = Voice(0x4E57A471, seq=5).talk(2060, 8060)
    talk.hear(clean, deliver(clean.sent))
    talk.hang_up(8100)
    scene.expect("calls", **talk.facts(lost=0))
    scene.finding("sequence-reset", "warning", talk.call_id, ssrc="0x4e57a470")
    scene.quiet = ("high-loss", "ssrc-change", "high-jitter", "low-mos")
    return scene


def nat() -> Scene:
    scene = Scene(
        "nat.pcap",
        "alice sits behind NAT: her SDP and Contact name 10.0.0.5:4000, her packets come from 203.0.113.7 and other "
        "ports. bob sends his media to where hers comes from (symmetric RTP).",
        "1 call, completed, not one-way; 2 streams of this call: 203.0.113.7:61000 to bob by SDP, bob to "
        "203.0.113.7:61000 by NAT evidence.",
    )
    alice = replace(ALICE, host="203.0.113.7", port=45_060, says="10.0.0.5", says_port=5060, domain="pbx.example.com")
    talk = Talk(scene, "nat-1@10.0.0.5", alice, BOB, ports=(4000, 50000), formats=("18 G729/8000",))
    talk.set_up()
    talk.media = (("203.0.113.7", 61_000), (BOB.host, 50_000))
    for from_callee in (False, True):
        voice = Voice(0x4A700001 + from_callee, "G729", seq=31).talk(2060 + 100 * from_callee, 8060)
        talk.hear(voice, deliver(voice.sent), from_callee=from_callee, matched="nat" if from_callee else "sdp")
    talk.hang_up(8100)
    scene.expect("calls", **talk.facts(one_way=False))
    scene.finding("nat-mismatch", "info", talk.call_id, values=["203.0.113.7:61000", "10.0.0.5"])
    scene.finding("private-address-in-sdp", "info", talk.call_id, values=["10.0.0.5:4000", "203.0.113.7"])
    scene.quiet = ("one-way-audio", "no-media", "sip-alg")
    return scene


def wideband() -> Scene:
    scene = Scene(
        "wideband.pcapng",
        "Two calls: one in G.722, whose RTP clock is 8000 Hz although it samples at 16000, one in Opus at 48000 Hz.",
        "2 calls, completed; 4 streams without loss or jitter: 2 G722 with clock 8000, 2 opus with clock 48000.",
    )
    for number, (codec, entry) in enumerate((("G722", "9 G722/8000"), ("opus", "111 opus/48000/2"))):
        caller = Party("192.0.2.10", "alice")
        ports = (40_000 + 2 * number, 50_000 + 2 * number)
        talk = Talk(scene, f"wideband-{codec.lower()}@192.0.2.10", caller, BOB, formats=(entry,), ports=ports)
        start = 9000 * number
        talk.set_up(start)
        for from_callee in (False, True):
            voice = Voice(0x81DE0000 + 16 * number + from_callee, codec, seq=700).talk(start + 2060, start + 7560)
            talk.hear(voice, deliver(voice.sent), from_callee=from_callee)
        talk.hang_up(start + 7600)
        scene.expect("calls", **talk.facts(codecs=codec, duration_s=5.6))
    scene.quiet = ("high-jitter", "clock-drift", "codec-mismatch", "retransmissions")
    return scene


SCENES = (one_way, lossy, jittery, reordered, restart, nat, wideband)
