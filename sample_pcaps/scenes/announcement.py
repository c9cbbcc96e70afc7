"""The call of the notes that the project began with."""

from __future__ import annotations

from ..words.media import Voice, deliver
from ..words.scene import Scene
from ..words.sip import Party, literal


def announcement() -> Scene:
    """The call of the notes that the project began with, header by header."""
    scene = Scene(
        "announcement.pcap",
        "A caller dials a hidden number; the platform answers `100 Connecting`, sends early media after its 183, "
        "picks up, announces that an extension is to be dialled, and the caller dials `8001#` (RFC 4733). The "
        "caller hangs up.",
        "1 call, completed: 59333141 calls 017821589701, 183 after 620 ms, 200 after 2400 ms, 9.1 s long, released by "
        "the caller. 2 PCMA streams without loss; media reaches the caller 1760 ms before the answer (early media). "
        "Digits 8001#.",
    )
    caller = Party("10.38.17.11", "59333141", port=5080)
    platform = Party("10.224.0.92", "017821589701")
    call_id = "a3f93810-eec3-123a-0ca9-0242ac110002"
    via = "SIP/2.0/UDP 10.38.17.11:5080;rport{}branch={}"
    common = """\
Via: SIP/2.0/UDP 10.38.17.11:5080;rport=5080;branch=z9hG4bKFUmH6FKDBU8HQ
From: <sip:59333141@10.38.17.11>;tag=DUSpe36F2ZH1K
"""
    tagged = "<sip:017821589701@10.224.0.92:5060>;tag=727C7DE6-61DF9C3C00036919-A6BFD700"
    allow = "INVITE,ACK,OPTIONS,BYE,CANCEL,REGISTER,INFO,PRACK,SUBSCRIBE,NOTIFY,UPDATE,MESSAGE,REFER"
    offer = b"""\
v=0
o=FreeSWITCH 1642028306 1642028307 IN IP4 10.38.17.11
s=FreeSWITCH
c=IN IP4 10.38.17.11
t=0 0
m=audio 16170 RTP/AVP 8 0 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
""".replace(b"\n", b"\r\n")
    answer = b"""\
v=0
o=- 290046927 290046927 IN IP4 10.224.0.92
s=-
c=IN IP4 10.224.0.92
t=0 0
m=audio 10082 RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
a=direction:both
""".replace(b"\n", b"\r\n")
    invite = f"""\
INVITE sip:017821589701@10.224.0.92:5060 SIP/2.0
Via: SIP/2.0/UDP 10.38.17.11:5080;rport;branch=z9hG4bKFUmH6FKDBU8HQ
Max-Forwards: 70
From: <sip:59333141@10.38.17.11>;tag=DUSpe36F2ZH1K
To: <sip:017821589701@10.224.0.92:5060>
Call-ID: {call_id}
CSeq: 46468446 INVITE
Contact: <sip:59333141@10.38.17.11:5080>
User-Agent: FreeSwitch
Allow: INVITE
Supported: linknat
Allow-Events: talk, hold, conference, refer
Content-Type: application/sdp
Content-Disposition: session
Content-Length: 242
X-FS-Support: update_display,send_info
Remote-Party-ID: <sip:59333141@10.38.17.11>;party=calling;screen=yes;privacy=off
"""
    connecting = f"""\
SIP/2.0 100 Connecting
{common}To: <sip:017821589701@10.224.0.92:5060>
Call-ID: {call_id}
CSeq: 46468446 INVITE
Content-Length: 0
"""
    progress = f"""\
SIP/2.0 183 Session Progress
{common}To:  {tagged}
Call-ID: {call_id}
CSeq: 46468446 INVITE
Allow: {allow}
Contact: <sip:017821589701@10.224.0.92:5060;transport=udp>
Content-Type: application/sdp
Content-Length: 216
"""
    ok = progress.replace("183 Session Progress", "200 OK")
    ack = f"""\
ACK sip:017821589701@10.224.0.92:5060;transport=udp SIP/2.0
Via: {via.format(";", "z9hG4bKc0eQ4Z5pS3Q2N")}
Max-Forwards: 70
From: <sip:59333141@10.38.17.11>;tag=DUSpe36F2ZH1K
To: {tagged}
Call-ID: {call_id}
CSeq: 46468446 ACK
Contact: <sip:59333141@10.38.17.11:5080>
Content-Length: 0
"""
    bye = f"""\
BYE sip:017821589701@10.224.0.92:5060;transport=udp SIP/2.0
Via: {via.format(";", "z9hG4bK5Qg6m2vBtKDrj")}
Max-Forwards: 70
From: <sip:59333141@10.38.17.11>;tag=DUSpe36F2ZH1K
To: {tagged}
Call-ID: {call_id}
CSeq: 46468447 BYE
User-Agent: FreeSwitch
Reason: Q.850;cause=16;text="NORMAL_CLEARING"
Content-Length: 0
"""
    gone = f"""\
SIP/2.0 200 OK
Via: {via.format("=5080;", "z9hG4bK5Qg6m2vBtKDrj")}
From: <sip:59333141@10.38.17.11>;tag=DUSpe36F2ZH1K
To: {tagged}
Call-ID: {call_id}
CSeq: 46468447 BYE
Content-Length: 0
"""
    for at_ms, text, body in (
        (0, invite, offer), (15, connecting, b""), (620, progress, answer), (2400, ok, answer), (2420, ack, b""),
        (11_500, bye, b""), (11_530, gone, b""),
    ):  # fmt: skip
        ends = (platform, caller) if text.startswith("SIP/2.0") else (caller, platform)
        scene.say(at_ms, literal(text, *ends, body=body))
    # ringing tone until the answer, then the announcement: the three tones of E.180, then a melody for the voice
    prompt = Voice(0x6B1F02C4, seq=18_204, timestamp=160, tone_hz=425)
    prompt.talk(640, 2420).talk(2420, 11_480, tones=(950, 1400, 1800, 0, 350, 440, 480, 620))
    extension = Voice(0x24C1A907, seq=40_961, timestamp=88_000, tone_hz=300).talk(2440, 5000)
    for number, digit in enumerate("8001#"):
        extension.dial(5000 + 300 * number, digit).talk(5100 + 300 * number, 5300 + 300 * number)
    extension.talk(6500, 11_480)
    near, far = ("10.38.17.11", 16170), ("10.224.0.92", 10082)
    scene.stream(prompt, deliver(prompt.sent), far, near, call_id=call_id, direction="callee-to-caller")
    scene.stream(
        extension, deliver(extension.sent), near, far, call_id=call_id, direction="caller-to-callee", dtmf="8001#"
    )
    scene.expect(
        "calls", call_id=call_id, state="completed", status_code=200, reason="OK", caller="59333141",
        callee="017821589701", from_uri="sip:59333141@10.38.17.11", to_uri="sip:017821589701@10.224.0.92:5060",
        request_uri="sip:017821589701@10.224.0.92:5060", src="10.38.17.11:5080", dst="10.224.0.92:5060",
        transport="UDP", user_agent="FreeSwitch", post_dial_delay_ms=620.0, setup_latency_ms=2400.0,
        answer_to_ack_ms=20.0, media_latency_ms=-1760.0, disconnect_delay_ms=30.0, duration_s=9.1,
        released_by="caller", auth="none", dialogs=1, codecs="PCMA", dtmf_method="rfc4733", one_way=False,
        partial=False,
    )  # fmt: skip
    for number, digit in enumerate("8001#"):
        scene.expect(
            "digits", at_ms=5000.0 + 300 * number, key=digit, duration_ms=100.0, method="rfc4733",
            direction="caller-to-callee", call_id=call_id,
        )  # fmt: skip
    scene.finding("early-media", "info", call_id, values=["1.8"])
    scene.quiet = ("late-media", "one-way-audio", "dtmf-not-negotiated", "ptime-mismatch")
    return scene


SCENES = (announcement,)
