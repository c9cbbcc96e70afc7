"""What happens within and around calls: keys, transfers, subscriptions, session timers, fax, messages."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from ..words.connection import Connection
from ..words.media import Voice, deliver, noise
from ..words.scene import ALICE, BOB, Scene, Talk
from ..words.sip import Dialog, Header, Party

G729 = ("18 G729/8000",)
CAROL = Party("198.51.100.60", "carol", agent="Clear Phone 1")


def both_talk(talk: Talk, from_ms: int, until_ms: int, ssrc: int, codec: str = "G729", seq: int = 600) -> None:
    """Media without flaw in both directions."""
    for from_callee in (False, True):
        voice = Voice(ssrc + from_callee, codec, seq=seq + 777 * from_callee).talk(from_ms, until_ms)
        talk.hear(voice, deliver(voice.sent), from_callee=from_callee)


def info_digits() -> Scene:
    scene = Scene(
        "info_digits.pcap",
        "Neither side has telephone-event; keys go in INFO requests: alice presses `12#` (application/dtmf-relay, with "
        "durations; the INFO of the `2` is sent again after 500 ms), bob `7*` (application/dtmf, the bare key). One "
        "more INFO asks for a video picture and is no key.",
        "1 call; digits `12#` from the caller, `7*` from the callee, DTMF method info.",
    )
    talk = Talk(scene, "info-digits-1@192.0.2.10", formats=G729)
    talk.set_up()
    both_talk(talk, 2060, 6060, 0x01F00001)
    pressed = (
        (2500, "1", 160, False), (3000, "2", 240, False), (4000, "7", None, True), (4300, "#", 100, False),
        (4600, "*", None, True),
    )  # fmt: skip
    for at_ms, key, duration_ms, by_callee in pressed:
        kind, text = "application/dtmf", key
        if duration_ms:
            kind, text = "application/dtmf-relay", f"Signal={key}\r\nDuration={duration_ms}\r\n"
        typed = [("Content-Type", kind)]
        info = scene.say(at_ms, talk.dialog.request("INFO", by_callee=by_callee, headers=typed, body=text.encode()))
        if key == "2":
            scene.say(at_ms + 500, info, again=True)
            at_ms += 500
        scene.answer(at_ms + 20, info, 200)
        scene.expect(
            "digits", at_ms=float(3000 if key == "2" else at_ms), key=key, method="info", call_id=talk.call_id,
            duration_ms=None if duration_ms is None else float(duration_ms),
            direction="callee-to-caller" if by_callee else "caller-to-callee",
        )  # fmt: skip
    picture = [("Content-Type", "application/media_control+xml")]
    refresh = (
        b"<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>"
    )
    info = scene.say(5000, talk.dialog.request("INFO", headers=picture, body=refresh))
    scene.answer(5020, info, 200)
    talk.hang_up(6100)
    scene.expect(
        "calls", **talk.facts(digits_from_caller="12#", digits_from_callee="7*", dtmf_method="info", duration_s=4.1)
    )
    scene.quiet = ("dtmf-not-negotiated", "retransmissions", "unanswered-request")
    return scene


def transfer() -> Scene:
    scene = Scene(
        "transfer.pcap",
        "An attended transfer (RFC 5589): alice talks with bob, holds him, calls carol, and sends bob to carol with "
        "REFER; bob calls carol with Replaces, tells alice in two NOTIFYs (100, then 200), carol ends her call with "
        "alice, and alice hers with bob.",
        "3 calls of one conversation, all completed; 1 subscription to `refer`, terminated after 2 NOTIFYs.",
    )
    first = Talk(scene, "transfer-1@192.0.2.10", formats=G729)
    second = Talk(scene, "transfer-2@192.0.2.10", ALICE, CAROL, formats=G729, ports=(40_002, 42_000), from_tag="a2",
                  to_tag="c2")  # fmt: skip
    third = Talk(scene, "transfer-3@198.51.100.20", BOB, CAROL, formats=G729, ports=(50_002, 42_002), from_tag="b3",
                 to_tag="c3")  # fmt: skip
    first.set_up()
    both_talk(first, 2060, 4000, 0x74A50001)
    hold = scene.say(4000, first.dialog.request("INVITE", body=first.offer(direction="sendonly", version=2)))
    ok = scene.answer(4020, hold, 200, body=first.reply_sdp(direction="recvonly", version=2))
    scene.say(4040, first.dialog.ack(ok))
    second.set_up(4500, answer_ms=1000)
    both_talk(second, 5560, 7100, 0x74A50011, seq=2000)
    target = "Replaces=transfer-2%40192.0.2.10%3Bto-tag%3Dc2%3Bfrom-tag%3Da2"
    refer = [("Refer-To", f"<sip:carol@{CAROL.host}?{target}>"), ("Referred-By", f"<{ALICE.uri}>")]
    request = scene.say(7200, first.dialog.request("REFER", headers=refer))
    scene.answer(7220, request, 202)
    notify(scene, 7250, first.dialog, "refer", "active;expires=60", b"SIP/2.0 100 Trying\r\n", by_callee=True)
    takes = [("Replaces", "transfer-2@192.0.2.10;to-tag=c2;from-tag=a2"), ("Referred-By", f"<{ALICE.uri}>")]
    invite = scene.say(7300, third.dialog.request("INVITE", tagged=False, headers=takes, body=third.offer()))
    scene.answer(7310, invite, 100)
    ok = scene.answer(7400, invite, 200, tag="c3", body=third.reply_sdp())
    scene.say(7420, third.dialog.ack(ok))
    both_talk(third, 7460, 12_460, 0x74A50021, seq=4000)
    second.hang_up(7430, by_callee=True)
    ended = "terminated;reason=noresource"
    notify(scene, 7450, first.dialog, "refer", ended, b"SIP/2.0 200 OK\r\n", by_callee=True)
    first.hang_up(7600)
    third.hang_up(12_500)
    scene.expect("calls", **first.facts(duration_s=5.6, post_dial_delay_ms=300.0))
    scene.expect("calls", **second.facts(duration_s=1.93, released_by="callee", post_dial_delay_ms=300.0))
    scene.expect("calls", **third.facts(duration_s=5.1, post_dial_delay_ms=100.0))
    scene.join(first.call_id, second.call_id, third.call_id)
    scene.expect(
        "subscriptions", event="refer", state="terminated", notifies=2, status_code=202, call_id=first.call_id,
        expires_s=60.0,
    )  # fmt: skip
    scene.finding("transferred", "info", first.call_id, values=["carol@198.51.100.60"])
    scene.finding("held", "info", first.call_id)
    scene.finding("transferred", "info", third.call_id, values=[second.call_id])
    scene.quiet = (
        "one-way-audio",
        "ssrc-change",
        "media-timeout",
        "reinvite-failed",
        "unanswered-request",
        "late-media",
    )
    return scene


def notify(
    scene: Scene, at_ms: float, line: Dialog, event: str, state: str, body: bytes = b"", *, by_callee: bool = True
) -> None:
    """NOTIFY, and 200 after 15 ms."""
    kinds = {"refer": "message/sipfrag;version=2.0", "presence": "application/pidf+xml"}
    headers = [("Event", event), ("Subscription-State", state)]
    headers += [("Content-Type", kinds[event])] if body else []
    request = scene.say(at_ms, line.request("NOTIFY", by_callee=by_callee, headers=headers, body=body))
    scene.answer(at_ms + 15, request, 200)


def subscribe() -> Scene:
    scene = Scene(
        "subscribe.pcap",
        "alice subscribes to bob's presence (600 s asked, 300 granted), is told at once and again after 60 s, "
        "refreshes after 120 s, and ends it after 200 s with Expires 0; the last NOTIFY says terminated. Her "
        "subscription to a mailbox is refused (489).",
        "No call. 2 subscriptions: presence, terminated, 4 NOTIFYs, 300 s; message-summary, rejected with 489.",
    )
    server = Party("203.0.113.5", "bob", agent="Middle PBX 12", domain="pbx.example.com")
    line = Dialog(ALICE, server, "subscribe-1@192.0.2.10", to_tag="s1")
    pidf = b'<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:bob@pbx.example.com"><tuple id="t"><status>'
    pidf += b"<basic>%s</basic></status></tuple></presence>"

    def ask(at_ms: float, expires: int, granted: int, *, tagged: bool) -> None:
        headers = [("Event", "presence"), ("Expires", str(expires)), ("Accept", "application/pidf+xml")]
        request = scene.say(at_ms, line.request("SUBSCRIBE", tagged=tagged, headers=headers))
        scene.answer(
            at_ms + 20, request, 200, tag="s1", headers=[("Expires", str(granted)), ("Contact", server.contact)]
        )

    ask(0, 600, 300, tagged=False)
    notify(scene, 40, line, "presence", "active;expires=300", pidf % b"closed")
    notify(scene, 60_000, line, "presence", "active;expires=240", pidf % b"open")
    ask(120_000, 600, 300, tagged=True)
    notify(scene, 120_040, line, "presence", "active;expires=300", pidf % b"open")
    ask(200_000, 0, 0, tagged=True)
    notify(scene, 200_040, line, "presence", "terminated;reason=timeout")
    box = Dialog(ALICE, server, "subscribe-2@192.0.2.10", to_tag="s2", from_tag="a9")
    headers = [("Event", "message-summary"), ("Expires", "3600")]
    request = scene.say(5000, box.request("SUBSCRIBE", tagged=False, headers=headers))
    scene.answer(5015, request, 489, "Bad Event", tag="s2", headers=[("Allow-Events", "presence")])
    scene.expect(
        "subscriptions", event="presence", state="terminated", expires_s=300.0, notifies=4, status_code=200,
        call_id="subscribe-1@192.0.2.10", subscriber=ALICE.uri, notifier=server.uri, at_ms=0.0,
    )  # fmt: skip
    scene.expect(
        "subscriptions", event="message-summary", state="rejected", notifies=0, status_code=489,
        call_id="subscribe-2@192.0.2.10", subscriber=ALICE.uri, notifier=server.uri, at_ms=5000.0,
    )  # fmt: skip
    scene.quiet = ("unanswered-request", "call-rejected", "retransmissions", "registration-failure")
    return scene


def session_timer() -> Scene:
    scene = Scene(
        "session_timer.pcap",
        "Two calls with Session-Expires 90 (RFC 4028). Nobody refreshes the first: 60 s after the answer (90 s less a "
        "third) bob gives it up with BYE. The second is refreshed with UPDATE after 45 s; alice hangs up 20 s later.",
        "2 calls, completed, 60 s and 65 s long; only the first ended by its timer.",
    )
    timer: list[Header] = [("Supported", "timer"), ("Session-Expires", "90;refresher=uac"), ("Min-SE", "90")]
    accepted: list[Header] = [("Require", "timer"), ("Session-Expires", "90;refresher=uac")]
    for number, start in enumerate((0, 100_000)):
        ports = (40_000 + 2 * number, 50_000 + 2 * number)
        talk = Talk(scene, f"session-timer-{number + 1}@192.0.2.10", formats=G729, ports=ports)
        invite = scene.say(start, talk.dialog.request("INVITE", tagged=False, headers=timer, body=talk.offer()))
        scene.answer(start + 20, invite, 100)
        scene.answer(start + 300, invite, 180, tag="b1")
        ok = scene.answer(start + 2000, invite, 200, tag="b1", headers=accepted, body=talk.reply_sdp())
        scene.say(start + 2040, talk.dialog.ack(ok))
        both_talk(talk, start + 2060, start + 6060, 0x5E570001 + 16 * number, seq=100 + 5000 * number)
        if number:
            update = scene.say(start + 47_000, talk.dialog.request("UPDATE", headers=timer[:2]))
            scene.answer(start + 47_030, update, 200, headers=accepted)
            talk.hang_up(start + 67_030)
            scene.expect("calls", **talk.facts(duration_s=65.03))
        else:
            talk.hang_up(start + 62_000, by_callee=True)
            scene.expect("calls", **talk.facts(duration_s=60.0, released_by="callee"))
            scene.finding("session-timer-expiry", "error", talk.call_id, values=["60", "90"])
    scene.quiet = ("media-timeout", "missing-bye", "one-way-audio", "no-media")
    return scene


def t38() -> Scene:
    scene = Scene(
        "t38.pcap",
        "Two faxes that begin as PCMA. The first changes to T.38 (re-INVITE by bob with image/udptl, accepted) and "
        "sends UDPTL both ways. In the second alice's side refuses T.38 with 488, and bob goes on in PCMA.",
        "2 calls, completed; 4 streams of PCMA; UDPTL is no RTP.",
    )
    for number, start in enumerate((0, 20_000)):
        ports = (40_000 + 2 * number, 50_000 + 2 * number)
        talk = Talk(scene, f"t38-{number + 1}@192.0.2.10", formats=("8 PCMA/8000",), ports=ports)
        talk.set_up(start)
        again = talk.dialog.request("INVITE", by_callee=True, body=fax(BOB.host, ports[1]))
        scene.say(start + 4000, again)
        if number == 0:
            both_talk(talk, 2060, 4000, 0x73800001, "PCMA")
            ok = scene.answer(4030, again, 200, body=fax(ALICE.host, ports[0]))
            scene.say(4060, talk.dialog.request("ACK", by_callee=True, cseq=int(ok.header("CSeq").split()[0])))
            for index in range(100):
                for side in (0, 1):
                    datagram = struct.pack("!HB", index, 20) + noise(f"fax {index} {side}", 20) + b"\x00\x00"
                    scene.datagram(4100 + 30 * index + 7 * side, datagram, talk.media[side], talk.media[1 - side], 46)
        else:
            both_talk(talk, start + 2060, start + 7060, 0x73800011, "PCMA", seq=3000)
            scene.answer(start + 4030, again, 488)
            scene.say(start + 4060, talk.dialog.ack_failure(again, "a1"))
        talk.hang_up(start + 7100, by_callee=True)
        scene.expect("calls", **talk.facts(released_by="callee", duration_s=5.1, lost=0))
        if number:
            scene.finding("reinvite-failed", "warning", talk.call_id, values=["488"])
        scene.finding("t38-fax", "info", talk.call_id)
    scene.quiet = (
        "one-way-audio",
        "no-media",
        "codec-mismatch",
        "media-timeout",
        "held",
        "call-rejected",
        "missing-bye",
    )
    return scene


def fax(host: str, port: int) -> bytes:
    """A description of T.38 over UDPTL (ITU-T T.38 annex D)."""
    lines = (
        "v=0", f"o=- 3976 2 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=image {port} udptl t38",
        "a=T38FaxVersion:0", "a=T38MaxBitRate:14400", "a=T38FaxRateManagement:transferredTCF",
        "a=T38FaxMaxDatagram:400", "a=T38FaxUdpEC:t38UDPRedundancy", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def msrp() -> Scene:
    scene = Scene(
        "msrp.pcap",
        "The session model of messaging (RFC 4975): an INVITE agrees on `m=message` over TCP, alice connects to bob, "
        "and they exchange four messages, the third in two chunks. Each chunk is acknowledged; bob hangs up.",
        "1 call, completed, media `message`, 4 text messages; no RTP, and none was wanted.",
    )
    talk = Talk(scene, "msrp-1@192.0.2.10")
    near, far = (f"msrp://{host}:{port}/{name};tcp" for host, port, name in
                 ((ALICE.host, 40_100, "kjhd37s2s2"), (BOB.host, 2855, "jshA7weztas")))  # fmt: skip

    def session(party: Party, port: int, path: str) -> bytes:
        lines = ("v=0", f"o=- 3976 1 IN IP4 {party.host}", "s=-", f"c=IN IP4 {party.host}", "t=0 0",
                 f"m=message {port} TCP/MSRP *", "a=accept-types:text/plain", f"a=path:{path}", "")  # fmt: skip
        return "\r\n".join(lines).encode()

    invite = scene.say(0, talk.dialog.request("INVITE", tagged=False, body=session(ALICE, 40_100, near)))
    scene.answer(20, invite, 100)
    scene.answer(250, invite, 180, tag="b1")
    ok = scene.answer(1500, invite, 200, tag="b1", body=session(BOB, 2855, far))
    scene.say(1540, talk.dialog.ack(ok))
    line = Connection(scene, (ALICE.host, 40_100), (BOB.host, 2855))
    line.open(1600)
    whole = "Is the bridge open today? I have a lorry of 18 tons."
    told: Sequence[tuple[int, bool, str, str, str, str]] = (
        (2000, False, "d93kswow", "m1", "Hello bob.", "$"), (3000, True, "a7w3kqp1", "m2", "Hello alice.", "$"),
        (4000, False, "dkei38sd", "m3", whole[:26], "+"), (4040, False, "dkei38se", "m3", whole[26:], "$"),
        (5500, True, "b8x4lrq2", "m4", "It is, up to 20.", "$"),
    )  # fmt: skip
    for at_ms, by_bob, number, message, text, flag in told:
        paths = (near, far) if by_bob else (far, near)
        first = 27 if number == "dkei38se" else 1
        size = len(whole) if message == "m3" else len(text)
        lines = (f"MSRP {number} SEND", f"To-Path: {paths[0]}", f"From-Path: {paths[1]}", f"Message-ID: {message}",
                 f"Byte-Range: {first}-{first + len(text) - 1}/{size}", "Content-Type: text/plain", "", text,
                 f"-------{number}{flag}", "")  # fmt: skip
        line.send(at_ms, by_bob, "\r\n".join(lines).encode())
        done = (f"MSRP {number} 200 OK", f"To-Path: {paths[1]}", f"From-Path: {paths[0]}", f"-------{number}$", "")
        line.send(at_ms + 25, not by_bob, "\r\n".join(done).encode())
    talk.hang_up(7000, by_callee=True)
    line.close(7100)
    scene.expect(
        "calls", **talk.facts(released_by="callee", duration_s=5.5, media="message", text_messages=4, one_way=None)
    )
    scene.quiet = (
        "no-media",
        "no-rtp-captured",
        "one-way-audio",
        "tcp-connect-failed",
        "malformed-sip",
        "codec-mismatch",
    )
    return scene


SCENES = (info_digits, transfer, subscribe, session_timer, t38, msrp)
