"""Calls that did not come about, and those that had to prove who they are first."""

from __future__ import annotations

from ..words.media import Voice, deliver
from ..words.scene import ALICE, BOB, Scene, Talk, statistics
from ..words.sip import Party, digest, reply

REALM, NONCE = "pbx.example.com", "dcd98b7102dd2f0e"
CHALLENGE = f'Digest realm="{REALM}", nonce="{NONCE}", algorithm=MD5'


def busy() -> Scene:
    scene = Scene(
        "busy.pcap",
        "bob's line is busy: 486 after 220 ms, acknowledged.",
        "1 call, busy, status 486; no dialog, no media, no duration.",
    )
    talk = Talk(scene, "busy-1@192.0.2.10")
    invite = scene.say(0, talk.dialog.request("INVITE", tagged=False, body=talk.offer()))
    scene.answer(20, invite, 100)
    scene.answer(220, invite, 486, tag="b1", headers=[("Reason", 'Q.850;cause=17;text="User busy"')])
    scene.say(240, talk.dialog.ack_failure(invite))
    scene.expect(
        "calls",
        **talk.facts(
            state="busy", status_code=486, reason="Busy Here", released_by=None, dialogs=0, duration_s=None,
            post_dial_delay_ms=None, setup_latency_ms=None,
        ),
    )  # fmt: skip
    scene.quiet = ("call-rejected", "no-media", "no-rtp-captured", "server-error")
    statistics(scene, 1, SER=0, SEER=100, ISA=0, SCR=0, ASR=0, NER=100)
    return scene


def cancelled() -> Scene:
    scene = Scene(
        "cancelled.pcap",
        "alice hangs up while it rings: CANCEL after 5 s, 200 for it, 487 for the INVITE.",
        "1 call, cancelled, status 487, released by the caller; rang after 250 ms.",
    )
    talk = Talk(scene, "cancelled-1@192.0.2.10")
    invite = scene.say(0, talk.dialog.request("INVITE", tagged=False, body=talk.offer()))
    scene.answer(20, invite, 100)
    scene.answer(250, invite, 180, tag="b1")
    cancel = scene.say(5000, talk.dialog.cancel(invite))
    scene.answer(5020, cancel, 200, tag="b1")
    scene.answer(5025, invite, 487, tag="b1")
    scene.say(5045, talk.dialog.ack_failure(invite))
    scene.expect(
        "calls",
        **talk.facts(
            state="cancelled", status_code=487, reason="Request Terminated", post_dial_delay_ms=250.0,
            setup_latency_ms=None, duration_s=None,
        ),
    )  # fmt: skip
    scene.quiet = ("missing-bye", "unanswered-request", "no-media", "call-rejected")
    statistics(scene, 1, SER=0, SEER=0, ISA=0, SCR=0, ASR=0, NER=100)
    return scene


def no_answer() -> Scene:
    scene = Scene(
        "no_answer.pcap",
        "bob's phone rings and nobody answers: 480 after 30 s. bob repeats his 480, as if the first ACK had not "
        "reached him.",
        "1 call, no-answer, status 480; 2 retransmissions (the 480 and its ACK).",
    )
    talk = Talk(scene, "no-answer-1@192.0.2.10")
    invite = scene.say(0, talk.dialog.request("INVITE", tagged=False, body=talk.offer()))
    scene.answer(20, invite, 100)
    scene.answer(310, invite, 180, tag="b1")
    refusal = scene.answer(30_000, invite, 480, tag="b1")
    ack = scene.say(30_020, talk.dialog.ack_failure(invite))
    scene.say(30_500, refusal, again=True)
    scene.say(30_520, ack, again=True)
    scene.expect(
        "calls",
        **talk.facts(
            state="no-answer", status_code=480, reason="Temporarily Unavailable", released_by=None,
            post_dial_delay_ms=310.0, setup_latency_ms=None,
        ),
    )  # fmt: skip
    scene.finding("retransmissions", "warning", talk.call_id, values=["480"])
    scene.quiet = ("missing-ack", "call-rejected", "no-media")
    statistics(scene, 1, SER=0, SEER=100, ISA=0, SCR=0, ASR=0, NER=100)
    return scene


def refused() -> Scene:
    scene = Scene(
        "refused.pcap",
        "Four calls from alice, one after the other: 404, 603, 503 with Retry-After, and 302 to another number.",
        "4 calls without dialog: rejected (404), rejected (603), failed (503), redirected (302).",
    )
    outcomes = (
        (404, "rejected", ()),
        (603, "rejected", ()),
        (503, "failed", (("Retry-After", "30"),)),
        (302, "redirected", (("Contact", "<sip:carol@198.51.100.30:5060>"),)),
    )
    for number, (code, state, headers) in enumerate(outcomes):
        talk = Talk(scene, f"refused-{code}@192.0.2.10")
        invite = scene.say(1000 * number, talk.dialog.request("INVITE", tagged=False, body=talk.offer()))
        scene.answer(1000 * number + 10, invite, 100)
        final = reply(invite, code, tag="b1", headers=headers, contact=False)
        scene.say(1000 * number + 150, final)
        scene.say(1000 * number + 170, talk.dialog.ack_failure(invite))
        reason = final.start_line.split(" ", 2)[2]
        scene.expect("calls", **talk.facts(state=state, status_code=code, reason=reason, released_by=None, dialogs=0))
    scene.finding("call-rejected", "warning", "refused-404@192.0.2.10", values=["404"])
    scene.finding("call-rejected", "info", "refused-603@192.0.2.10", values=["603"])
    scene.finding("server-error", "error", "refused-503@192.0.2.10", values=["503"])
    scene.expect("endpoints", address=BOB.host, roles="UAS,redirect", calls=4, answered=0, asr_percent=0.0)
    scene.quiet = ("auth-failure", "no-media", "routing-loop")
    statistics(scene, 4, ISA=25, SCR=0, ASR=0, NER=25)
    statistics(scene, 3, SER=0, SEER=100 / 3)
    return scene


def authenticated() -> Scene:
    scene = Scene(
        "authenticated.pcap",
        "The proxy asks for credentials (407); alice sends the INVITE again with them under the same Call-ID; bob"
        " answers.",
        "1 call, not 2, completed, auth challenged; set-up counts from the first INVITE: 180 after 400 ms, 200 after "
        "1800 ms.",
    )
    talk = Talk(scene, "authenticated-1@192.0.2.10", formats=("18 G729/8000",))
    invite = scene.say(0, talk.dialog.request("INVITE", tagged=False, body=talk.offer()))
    scene.answer(20, invite, 407, tag="p1", headers=[("Proxy-Authenticate", CHALLENGE)])
    scene.say(40, talk.dialog.ack_failure(invite, "p1"))
    proof = digest("Proxy-Authorization", "alice", REALM, NONCE, BOB.uri, "secret", "INVITE")
    invite = scene.say(60, talk.dialog.request("INVITE", tagged=False, headers=[proof], body=talk.offer()))
    scene.answer(80, invite, 100)
    scene.answer(400, invite, 180, tag="b1")
    ok = scene.answer(1800, invite, 200, tag="b1", body=talk.reply_sdp())
    scene.say(1840, talk.dialog.ack(ok))
    for from_callee in (False, True):
        voice = Voice(0xA0780001 + from_callee, "G729", seq=4).talk(1860, 7860)
        talk.hear(voice, deliver(voice.sent), from_callee=from_callee)
    talk.hang_up(7900)
    scene.expect(
        "calls",
        **talk.facts(auth="challenged", post_dial_delay_ms=400.0, setup_latency_ms=1800.0, duration_s=6.1),
    )
    scene.quiet = ("auth-failure", "call-rejected", "retransmissions")
    statistics(
        scene, 1, SER=100, SEER=100, ISA=0, SCR=100, ASR=100, NER=100, ACD=6.1, **{"SDD mean": 30, "PDD median": 400}
    )
    return scene


def authentication_failed() -> Scene:
    scene = Scene(
        "authentication_failed.pcap",
        "The proxy asks for credentials (407), alice's are wrong, and the proxy asks once more; alice gives up. A"
        " second call never tries: after its 407 comes no other INVITE, and 10 s later an unrelated OPTIONS "
        "ends the capture.",
        "2 calls, both rejected with 407, auth failed.",
    )
    reason = "Proxy Authentication Required"
    talk = Talk(scene, "authentication-failed-1@192.0.2.10")
    for at_ms, nonce in ((0, None), (60, NONCE)):
        proof = []
        if nonce:
            proof = [digest("Proxy-Authorization", "alice", REALM, nonce, BOB.uri, "wrong", "INVITE")]
        invite = scene.say(at_ms, talk.dialog.request("INVITE", tagged=False, headers=proof, body=talk.offer()))
        challenge = CHALLENGE.replace(NONCE, "5ccc069c403ebaf9") if nonce else CHALLENGE
        scene.answer(at_ms + 20, invite, 407, tag=f"p{at_ms}", headers=[("Proxy-Authenticate", challenge)])
        scene.say(at_ms + 40, talk.dialog.ack_failure(invite, f"p{at_ms}"))
    other = Talk(scene, "authentication-failed-2@192.0.2.10")
    invite = scene.say(2000, other.dialog.request("INVITE", tagged=False, body=other.offer()))
    scene.answer(2020, invite, 407, tag="p9", headers=[("Proxy-Authenticate", CHALLENGE)])
    scene.say(2040, other.dialog.ack_failure(invite, "p9"))
    for failed in (talk, other):
        scene.expect(
            "calls",
            **failed.facts(
                state="rejected", status_code=407, reason=reason, released_by=None, auth="failed", dialogs=0
            ),
        )
    ping = scene.say(12_000, Talk(scene, "ping-1@192.0.2.10").dialog.request("OPTIONS", tagged=False))
    scene.answer(12_010, ping, 200, tag="o1")
    for failed in (talk, other):
        scene.finding("auth-failure", "error", failed.call_id, values=["407"])
    scene.expect(
        "probes", src="192.0.2.10:5060", dst="198.51.100.20:5060", sent=1, answered=1, answered_percent=100.0,
        mean_response_ms=10.0, max_response_ms=10.0,
    )  # fmt: skip
    scene.quiet = ("call-rejected", "unanswered-request", "no-media")
    return scene


def timeout() -> Scene:
    scene = Scene(
        "timeout.pcap",
        "Nobody answers at 198.51.100.99: the INVITE is sent again after 0.5, 1, 2, 4, 8 and 16 s (timer A) and "
        "given up (timer B). The capture goes on: OPTIONS between others every 10 s, up to 70 s.",
        "1 call, failed, reason `timeout`, no status code; 7 INVITEs, 6 of them retransmissions.",
    )
    nobody = Party("198.51.100.99", "carol")
    talk = Talk(scene, "timeout-1@192.0.2.10", ALICE, nobody)
    invite = talk.dialog.request("INVITE", tagged=False, body=talk.offer())
    for at_ms in (0, 500, 1500, 3500, 7500, 15_500, 31_500):
        scene.say(at_ms, invite, again=at_ms > 0)
    for number in range(8):
        ping = Talk(scene, f"other-ping-{number}@192.0.2.77", Party("192.0.2.77", "ping"), BOB)
        request = scene.say(10_000 * number + 100, ping.dialog.request("OPTIONS", tagged=False))
        scene.answer(10_000 * number + 112, request, 200, tag="o1")
    scene.expect(
        "calls",
        **talk.facts(
            state="failed", status_code=None, reason="timeout", released_by=None, dialogs=0,
            post_dial_delay_ms=None, setup_latency_ms=None,
        ),
    )  # fmt: skip
    scene.finding("unanswered-request", "error", talk.call_id, values=["7", "31.5"])
    scene.expect(
        "probes", src="192.0.2.77:5060", dst="198.51.100.20:5060", sent=8, answered=8, answered_percent=100.0,
        mean_response_ms=12.0, max_response_ms=12.0,
    )  # fmt: skip
    scene.quiet = ("retransmissions", "call-rejected", "server-error", "no-media", "one-sided-capture")
    return scene


SCENES = (busy, cancelled, no_answer, refused, authenticated, authentication_failed, timeout)
