"""Kinds of media of a call: what two parties wanted, port by port, and what was seen."""

from __future__ import annotations

import pytest

from tests.tape import A, B, Tape, sdp


def many(host: str, **ports: int) -> bytes:
    """A description with one m= line a kind."""
    lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    words = {
        "audio": "RTP/AVP 8", "video": "RTP/AVP 96", "image": "udptl t38", "message": "TCP/MSRP *",
        "application": "UDP/BFCP *", "text": "RTP/AVP 98", "smell": "X *",
    }  # fmt: skip
    return "\r\n".join([*lines, *(f"m={kind} {port} {words[kind]}" for kind, port in ports.items()), ""]).encode()


def media(tape: Tape) -> str | None:
    (call,) = tape.both()[0]
    found: str | None = call["media"]
    return found


@pytest.mark.parametrize(
    ("offer", "answer", "expected"),
    [
        (many(A, audio=4000), many(B, audio=5000), "audio"),
        (many(A, video=4002, audio=4000), many(B, video=5002, audio=5000), "audio,video"),
        (many(A, audio=4000, video=4002), many(B, audio=5000, video=0), "audio"),
        (many(A, audio=0, application=4002), many(B, audio=0, application=9), "application"),
        (many(A, audio=4000, text=4, message=5), many(B, audio=5000, text=4, message=5), "audio,text,message"),
        (many(A, audio=4000, smell=7), many(B, audio=5000, smell=7), "audio"),
        (many(A, audio=4000, image=4002), b"", "audio,image"),
        (b"", many(B, audio=5000), "audio"),
        (b"", b"", None),
        (many(A, audio=10, video=0).replace(b"m=video", b"a=x\r\nm=video") + b"a=bundle-only\r\n",
         many(B, audio=10, video=10), "audio,video"),
        (many(A, audio=4000).replace(b"\r\n", b"\n"), many(B, audio=5000), "audio"),
    ],
)  # fmt: skip
def test_what_both_want_is_negotiated(offer: bytes, answer: bytes, expected: str | None) -> None:
    tape = Tape()
    tape.set_up(offer, answer)
    tape.bye(9)
    assert media(tape) == expected


def test_a_fax_comes_by_a_later_offer_and_a_refused_one_does_not() -> None:
    tape = Tape()
    tape.set_up(many(A, audio=4000), many(B, audio=5000))
    tape.reinvite(5, B, A, many(B, image=5000), many(A, image=4000), tags=("b", "a"))
    assert media(tape) == "audio,image"
    tape = Tape()
    tape.set_up(many(A, audio=4000), many(B, audio=5000))
    tape.request(5, B, A, "INVITE", many(B, image=5000), cseq=5, tags=("b", "a"))
    tape.reply(5.1, A, B, 488, many(A, audio=0, image=4000), cseq=5, tags=("b", "a"))
    tape.request(5.2, B, A, "ACK", cseq=5, tags=("b", "a"), of="INVITE")
    assert media(tape) == "audio"


def test_what_is_seen_counts_without_a_sdp() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), b"")
    tape.talk(3, B, 5000, A, 4000, 50)
    tape.bye(9)
    assert media(tape) == "audio"


def test_an_answer_to_options_is_no_media() -> None:
    tape = Tape()
    tape.set_up(many(A, audio=4000), many(B, audio=5000))
    tape.request(5, A, B, "OPTIONS", many(A, video=2), cseq=7)
    tape.reply(5.1, B, A, 200, many(B, video=2), method="OPTIONS", cseq=7)
    assert media(tape) == "audio"


def test_a_description_among_other_parts_counts() -> None:
    offer = b"--x\r\nContent-Type: application/sdp\r\n\r\n" + many(A, audio=4000, video=4002) + b"\r\n--x--\r\n"
    tape = Tape()
    tape.request(0, A, B, "INVITE", offer, initial=True)
    whole = tape.packets[0].data.replace(b"Content-Type: application/sdp", b"Content-Type: multipart/mixed", 1)
    tape.packets[0] = tape.packets[0]._replace(data=whole)
    assert media(tape) == "audio,video"
