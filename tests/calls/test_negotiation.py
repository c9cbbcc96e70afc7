"""Codecs of offer and answer, and digits."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.calls.negotiation import _TELLING, _without_port
from tests.calls.scripts import ACK, ANSWER, INVITE, OK, call


def sdp(*media: str) -> str:
    return "||v=0\\no=- 1 1 IN IP4 h\\ns=-\\nc=IN IP4 10.0.0.1\\nt=0 0\\n" + "\\n".join(media) + "\\n"


WIDE = sdp("m=audio 4000 RTP/AVP 96 8 0 13 101", "a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000")
NARROW = sdp("m=audio 6000 RTP/AVP 8 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000")


def test_codecs_are_those_of_offer_and_answer_in_order() -> None:
    only = call(INVITE.strip() + WIDE + "\n" + OK.strip() + NARROW)
    assert (only.codecs_offered, only.codecs_answered, only.dtmf_negotiated) == (
        ("opus", "PCMA", "PCMU"),
        ("PCMA",),
        True,
    )


def test_the_answer_may_come_in_a_183() -> None:
    only = call(INVITE.strip() + WIDE + "\n1 B>A 183 Progress from=x to=y" + NARROW + "\n" + OK + ACK)
    assert only.codecs_answered == ("PCMA",)
    assert call(INVITE.strip() + WIDE + "\n1 B>A 183 Progress from=x to=y" + NARROW).codecs_answered == ("PCMA",)


def test_a_delayed_offer_is_in_the_200_and_its_answer_in_the_ack() -> None:
    only = call(INVITE + OK.strip() + WIDE + "\n" + ACK.strip() + NARROW)
    assert (only.codecs_offered, only.codecs_answered) == (("opus", "PCMA", "PCMU"), ("PCMA",))


def test_a_delayed_offer_in_a_reliable_183_is_answered_in_the_prack() -> None:
    only = call(
        INVITE + "1 B>A 183 Progress from=x to=y" + WIDE + "\n1.1 A>B PRACK cseq=2 from=x to=y" + NARROW + "\n" + OK
    )
    assert (only.codecs_offered, only.codecs_answered) == (("opus", "PCMA", "PCMU"), ("PCMA",))


def test_the_answer_is_that_of_the_fork_that_answered() -> None:
    other = sdp("m=audio 6000 RTP/AVP 0")
    only = call(
        INVITE.strip()
        + WIDE
        + "\n0.5 B>A 183 Progress from=x to=z"
        + other
        + "\n1 B>A 183 Progress from=x to=y"
        + NARROW
        + "\n"
        + OK
    )
    assert only.codecs_answered == ("PCMA",)


def test_a_reinvite_changes_neither_offer_nor_answer() -> None:
    other = sdp("m=audio 6000 RTP/AVP 0")
    only = call(
        INVITE.strip()
        + WIDE
        + "\n"
        + OK.strip()
        + NARROW
        + "\n5 A>B INVITE cseq=2 from=x to=y"
        + other
        + "\n5.1 B>A 200 OK cseq=2,INVITE from=x to=y"
        + other
    )
    assert (only.codecs_offered, only.codecs_answered) == (("opus", "PCMA", "PCMU"), ("PCMA",))


def test_video_and_fax_are_codecs_and_refused_media_are_not() -> None:
    offer = sdp("m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 97", "a=rtpmap:97 H264/90000", "m=image 4004 udptl t38")
    answer = sdp("m=audio 4000 RTP/AVP 0", "m=video 0 RTP/AVP 97", "a=rtpmap:97 H264/90000", "m=image 0 udptl t38")
    only = call(INVITE.strip() + offer + "\n" + OK.strip() + answer)
    assert (only.codecs_offered, only.codecs_answered) == (("PCMU", "H264", "t38"), ("PCMU",))
    assert not only.dtmf_negotiated


def test_digits_in_info() -> None:
    info = "5 A>B INFO cseq=2 from=x to=y type=application/dtmf-relay||Signal=5\\n"
    assert call(INVITE + ANSWER + info).dtmf_info
    assert not call(INVITE + ANSWER + info.replace("application/dtmf-relay", "application/xml")).dtmf_info


def test_the_answer_in_the_2xx_counts_before_that_in_a_183() -> None:
    early = sdp("m=audio 6000 RTP/AVP 0")
    only = call(INVITE.strip() + WIDE + "\n1 B>A 183 Progress from=x to=y" + early + "\n" + OK.strip() + NARROW)
    assert only.codecs_answered == ("PCMA",)


def test_digits_are_negotiated_only_where_both_sides_name_them() -> None:
    silent = sdp("m=audio 6000 RTP/AVP 8")
    assert not call(INVITE.strip() + WIDE + "\n" + OK.strip() + silent).dtmf_negotiated
    assert not call(INVITE.strip() + silent + "\n" + OK.strip() + WIDE).dtmf_negotiated


def test_the_ack_of_the_callees_reinvite_does_not_answer_the_callers_offer() -> None:
    only = call(INVITE + OK.strip() + WIDE + "\n" + ACK + "5 B>A ACK cseq=9 from=y to=x branch=k2" + NARROW)
    assert (only.codecs_offered, only.codecs_answered) == (("opus", "PCMA", "PCMU"), ())


def test_an_offer_that_cannot_be_read_is_unknown_and_its_answer_is_no_offer() -> None:
    only = call(INVITE.strip() + "||nonsense\\n" + "\n" + OK.strip() + NARROW)
    assert (only.codecs_offered, only.codecs_answered) == ((), ("PCMA",))


def test_a_description_in_a_multipart_body_is_read() -> None:
    parts = "||--b\\nContent-Type: application/sdp\\n\\n" + NARROW[2:] + "--b\\nContent-Type: text/plain\\n\\nx\\n--b--"
    only = call(INVITE.strip() + " 'type=multipart/mixed;boundary=b'" + parts)
    assert only.codecs_offered == ("PCMA",)


BODIES = st.lists(
    st.sampled_from(
        [
            b"m=", b"audio", b"video", b" ", b"\n", b"\r\n", b"4000", b"5000", b"0", b"04", b"RTP/AVP 0", b"v=0",
            b"a=rtpmap:96 x/8000", b"a=rtpmap:96 y/8000", b"/2", b"\r",
        ]
    ),
    max_size=14,
).map(b"".join)  # fmt: skip


@settings(max_examples=500)
@given(BODIES, st.integers(1, 9), st.integers(1, 9))
def test_bodies_without_their_port_are_equal_only_where_all_that_tells_is(body: bytes, one: int, other: int) -> None:
    first, second = body.replace(b"4000", b"%d000" % one), body.replace(b"4000", b"%d000" % other)
    if _without_port(first) == _without_port(second):
        assert _TELLING.findall(first) == _TELLING.findall(second)


def test_bodies_that_differ_in_addresses_and_the_port_are_alike() -> None:
    body = b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 8\r\na=sendrecv\r\n"
    assert _without_port(body) == _without_port(body.replace(b"4000", b"50").replace(b"1.2.3.4", b"5.6.7.8"))
    assert _without_port(body) != _without_port(body.replace(b"4000", b"0"))
