"""Findings about media: for each code a capture in which it is raised, and one that looks alike in which it is not."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from tests.tape import PCMA, A, B, Tape, records, sdp, section

PUBLIC, INSIDE = "203.0.113.7", "192.168.1.10"
"""Where a client's packets come from, and what it believes its address to be."""
PLAIN = ("8 PCMA/8000",)
Made = Callable[[], Tape]


def codes(tape: Tape, **options: object) -> dict[str, str]:
    """Codes found, with their severities."""
    return {row["code"]: row["severity"] for row in records(tape.analyze(**options), "findings")}


def call(
    *,
    a: str = A,
    b: str = B,
    offer: bytes | None = None,
    answer: bytes | None = None,
    end: float = 13.0,
    name: str = "one",
    at: float = 0.0,
    tape: Tape | None = None,
) -> Tape:
    """A call answered after 2 s and ended by the caller, without media."""
    made = tape or Tape()
    made.set_up(offer or sdp(a, 4000), answer or sdp(b, 5000), src=a, dst=b, call=name, at=at)
    made.bye(at + end, a, b, call=name)
    return made


def there(tape: Tape, count: int = 500, at: float = 2.1, **words: object) -> Tape:
    """Media of the caller."""
    return tape.talk(at, A, 4000, B, 5000, count, ssrc=0xA, **words)  # type: ignore[arg-type]


def back(tape: Tape, count: int = 500, at: float = 2.1, **words: object) -> Tape:
    """Media of the callee."""
    return tape.talk(at, B, 5000, A, 4000, count, ssrc=0xB, **words)  # type: ignore[arg-type]


def report(tape: Tape, at: float, *, lost: int = 0, fraction: int = 0, highest: int = 1400) -> Tape:
    """A receiver report of the caller about the callee's media."""
    block = struct.pack("!IIIIII", 0xB, fraction << 24 | lost, highest, 10, 0, 0)
    tape.udp(at, A, 4001, B, 5001, struct.pack("!BBHI", 0x81, 201, 7, 0xA) + block)
    return tape


def with_other_call(tape: Tape) -> Tape:
    """The same, and another call between the same hosts that has media."""
    call(tape=tape, name="two", at=20, offer=sdp(A, 4100), answer=sdp(B, 5100))
    tape.talk(22.1, A, 4100, B, 5100, 400, ssrc=0xC)
    return tape.talk(22.1, B, 5100, A, 4100, 400, ssrc=0xD)


def marked(there_dscp: int, back_dscp: int) -> Tape:
    tape = call()
    tape.dscp = there_dscp
    there(tape)
    tape.dscp = back_dscp
    return back(tape)


def through_nat(*, answered: bool) -> Tape:
    """The caller's SDP has its inner address; media runs between its outer one and the callee."""
    tape = call(a=PUBLIC, offer=sdp(INSIDE, 4000))
    tape.talk(2.1, PUBLIC, 61000, B, 5000, 500, ssrc=0xA)
    return tape.talk(2.1, B, 5000, PUBLIC, 61000, 500, ssrc=0xB) if answered else tape


def rewritten(*, contact: str) -> Tape:
    """The caller's INVITE comes with its public address in SDP, and an inner one in Via."""
    tape = Tape()
    lines = [
        f"INVITE sip:x@{B} SIP/2.0", f"Via: SIP/2.0/UDP {INSIDE}:5060;branch=z9hG4bKone",
        "From: <sip:a@example.org>;tag=a", "To: <sip:b@example.org>", "Call-ID: one", "CSeq: 1 INVITE",
        f"Contact: <sip:x@{contact}:5060>",
    ]  # fmt: skip
    tape.sip(0, PUBLIC, B, lines, sdp(PUBLIC, 4000))
    tape.reply(1, B, PUBLIC, 200, sdp(B, 5000))
    tape.request(1.05, PUBLIC, B, "ACK")
    tape.bye(9, PUBLIC, B)
    return tape


CASES: dict[str, tuple[Made, Made]] = {
    "one-way-audio": (
        lambda: there(call()),
        lambda: back(there(call())),
    ),
    "one-way-audio ": (
        lambda: there(call()),
        lambda: report(there(call()), 8.0),  # the caller says that media reached it
    ),
    "one-way-audio  ": (
        lambda: there(call(answer=sdp(B, 5000, lines=["sendrecv"]))),
        lambda: there(call(answer=sdp(B, 5000, lines=["recvonly"]))),  # a media server that only listens
    ),
    "no-media": (
        lambda: with_other_call(call()),
        lambda: with_other_call(back(there(call()))),
    ),
    "no-media ": (
        lambda: with_other_call(call()),
        lambda: call(),  # nobody's media was captured
    ),
    "no-rtp-captured": (lambda: call(), lambda: back(there(call()))),
    "late-media": (
        lambda: back(there(call()), at=4.5, count=380),
        lambda: back(there(call()), at=3.4, count=430),
    ),
    "media-timeout": (
        lambda: back(there(call(end=30.0), count=1390), count=500),
        lambda: back(there(call(end=30.0), count=1390), count=1000),  # 8 s before the BYE
    ),
    "media-timeout ": (
        lambda: back(there(call(end=30.0), count=1390), count=500),
        lambda: back(there(call(end=30.0), count=500), count=500),  # both stopped
    ),
    "codec-mismatch": (
        lambda: back(there(call(answer=sdp(B, 5000, PLAIN)), payload_type=0)),
        lambda: back(there(call(answer=sdp(B, 5000, PLAIN)), payload_type=8)),
    ),
    "ptime-mismatch": (
        lambda: back(there(call(), gap=0.03, step=240, payload=bytes(240), count=300)),
        lambda: back(there(call())),
    ),
    "dtmf-not-negotiated": (
        lambda: back(there(call(answer=sdp(B, 5000, PLAIN)))),
        lambda: back(there(call(offer=sdp(A, 4000, PLAIN), answer=sdp(B, 5000, PLAIN)))),
    ),
    "dscp-mismatch": (lambda: marked(46, 0), lambda: marked(46, 46)),
    "dscp-mismatch ": (lambda: marked(46, 0), lambda: marked(0, 0)),
    "encrypted-media": (
        lambda: back(there(call(offer=_srtp(A, 4000), answer=_srtp(B, 5000)))),
        lambda: back(there(call())),
    ),
    "private-address-in-sdp": (
        lambda: through_nat(answered=False),
        lambda: back(there(call())),  # all of it inside one network
    ),
    "nat-mismatch": (lambda: through_nat(answered=False), lambda: back(there(call()))),
    "sip-alg": (lambda: rewritten(contact=INSIDE), lambda: rewritten(contact=PUBLIC)),
}


def _srtp(address: str, port: int) -> bytes:
    keys = ["crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"]
    return sdp(address, port, profile="RTP/SAVP", lines=keys)


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_with_media_is_found_and_what_looks_alike_is_not(case: str) -> None:
    code = case.strip()
    raised, quiet = CASES[case]
    assert code in codes(raised())
    assert code not in codes(quiet())


def test_a_clean_call_has_no_finding_at_all() -> None:
    assert codes(back(there(call()))) == {}


def test_symmetric_rtp_behind_nat_is_worth_a_note_and_no_error() -> None:
    assert codes(through_nat(answered=True))["nat-mismatch"] == "info"
    assert codes(through_nat(answered=False))["nat-mismatch"] == "error"


def test_one_way_audio_names_who_does_not_hear_and_shows_the_descriptions() -> None:
    (finding,) = records(there(call()).analyze(), "findings")
    assert finding["affects"] == "caller"
    assert "No RTP from the callee (10.0.0.2:5000) to the caller (10.0.0.1:4000)" in finding["explanation"]
    assert "500 packets went the other way" in finding["explanation"]
    assert finding["evidence"] == "1,3"  # the INVITE and the 200
    assert finding["call_id"] == "one"


def test_one_way_audio_of_a_short_call_is_no_blame() -> None:
    (finding,) = records(there(call(end=3.5), count=60).analyze(), "findings")
    assert (finding["code"], finding["severity"]) == ("one-way-audio", "info")
    assert "too shortly" in finding["doubtful"]


def test_a_report_that_media_arrived_makes_the_call_two_way() -> None:
    refuted, confirmed = (
        records(tape.analyze(), "calls")[0]["one_way"]
        for tape in (report(there(call()), 8.0), report(there(call()), 8.0, fraction=255))
    )
    assert (refuted, confirmed) == (False, True)


def test_a_media_relay_that_drops_one_direction_is_found_at_its_hop() -> None:
    relay = "10.0.0.9"
    tape = Tape()
    for at, src, dst, port in ((0.0, A, relay, 4000), (0.01, relay, B, 6000)):
        tape.request(at, src, dst, "INVITE", sdp(A if src == A else relay, port), initial=True)
    tape.reply(2.0, B, relay, 200, sdp(B, 5000))
    tape.reply(2.01, relay, A, 200, sdp(relay, 6002))
    tape.request(2.05, A, relay, "ACK")
    tape.request(2.06, relay, B, "ACK")
    tape.bye(13, A, relay)
    tape.talk(2.1, A, 4000, relay, 6002, 500, ssrc=0xA)
    tape.talk(2.1, relay, 6000, B, 5000, 500, ssrc=0xA)
    tape.talk(2.1, B, 5000, relay, 6000, 500, ssrc=0xB)
    assert "one-way-audio" in codes(tape)
    tape.talk(2.1, relay, 6002, A, 4000, 500, ssrc=0xB)
    assert "one-way-audio" not in codes(tape)


def test_a_held_call_is_not_silent() -> None:
    tape = call(end=30.0)
    there(tape, count=200)
    tape.reinvite(7, A, B, sdp(A, 4000, lines=["sendonly"], version=2), sdp(B, 5000, lines=["recvonly"], version=2))
    back(tape, count=200)
    assert not {"one-way-audio", "media-timeout", "no-media", "late-media"} & set(codes(tape))


def test_a_video_call_without_video_packets_is_judged_by_its_audio() -> None:
    video = section(4002, ["96 H264/90000"], media="video", ptime=None)
    tape = call(offer=sdp(A, 4000, PCMA, video), answer=sdp(B, 5000, PCMA, video))
    assert codes(back(there(tape))) == {}
