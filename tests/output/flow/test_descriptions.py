"""Session descriptions in a few words, and who offered."""

from __future__ import annotations

import pytest

from sipanalyzer.output.flow.model import Message
from tests.output.flow.told import chart_of
from tests.tape import PCMA, A, B, Tape, sdp, section


def words(body: bytes) -> str:
    """What the INVITE with this description says of it."""
    tape = Tape()
    tape.request(0, A, B, "INVITE", body, initial=True)
    detail = next(row for row in chart_of(tape.analyze()).rows if isinstance(row, Message)).detail
    return str(detail).partition("SDP ")[2]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (sdp(A, 4000), "offer PCMA at 10.0.0.1:4000, ptime 20"),
        (
            sdp(A, 4000, ("8 PCMA/8000", "0 PCMU/8000", "18 G729/8000"), ptime=None),
            "offer PCMA, PCMU, G729 at 10.0.0.1:4000",
        ),
        (sdp(A, 4000, ("8", "0", "18", "9", "3", "4"), ptime=None), "offer PCMA, PCMU, G729, 3 more at 10.0.0.1:4000"),
        (sdp(A, 4000, ("101 telephone-event/8000",), ptime=None), "offer telephone-event at 10.0.0.1:4000"),
        (sdp(A, 4000, ptime=None, lines=["sendonly"]), "offer PCMA at 10.0.0.1:4000, sendonly"),
        (sdp(A, 0), "offer audio off (port 0)"),
        (
            sdp(A, 4000, PCMA, section(4002, ("99 H264/90000",), media="video", ptime=None), ptime=None),
            "offer PCMA at 10.0.0.1:4000 + video H264 at 10.0.0.1:4002",
        ),
        (
            sdp(A, 4000, PCMA, section(0, ("99 H264/90000",), media="video", ptime=None), ptime=None),
            "offer PCMA at 10.0.0.1:4000 + video off (port 0)",
        ),
        (
            sdp(A, 4000, ("t38",), media="image", profile="udptl", ptime=None), "offer fax T.38 at 10.0.0.1:4000",
        ),
        (
            sdp(A, 4000, ("*",), media="message", profile="TCP/MSRP", ptime=None),
            "offer messages (MSRP) at 10.0.0.1:4000",
        ),
        (sdp(A, 4000, profile="RTP/SAVP", ptime=None), "offer PCMA at 10.0.0.1:4000, encrypted"),
        (sdp("2001:db8::1", 4000, ptime=None), "offer PCMA at [2001:db8::1]:4000"),
    ],
)  # fmt: skip
def test_what_a_description_says_in_a_few_words(body: bytes, wanted: str) -> None:
    assert words(body) == wanted


def parts(tape: Tape) -> list[tuple[str, str]]:
    """Label, and what its SDP is, of the messages that have SDP."""
    rows = [row for row in chart_of(tape.analyze(), fold=False).rows if isinstance(row, Message)]
    return [
        (row.label, row.detail.partition("SDP ")[2].split()[0]) for row in rows if row.detail and "SDP" in row.detail
    ]


def test_an_offer_in_the_200_is_answered_in_the_ack() -> None:
    tape = Tape()
    tape.request(0, A, B, "INVITE", initial=True)
    tape.reply(1, B, A, 200, sdp(B, 5000))
    tape.request(1.1, A, B, "ACK", sdp(A, 4000))
    assert parts(tape) == [("200 Reason", "offer"), ("ACK", "answer")]


def test_an_offer_in_a_183_is_answered_in_the_prack_and_a_prack_may_offer_anew() -> None:
    tape = Tape()
    tape.request(0, A, B, "INVITE", initial=True)
    tape.reply(1, B, A, 183, sdp(B, 5000))
    tape.request(1.1, A, B, "PRACK", sdp(A, 4000), cseq=2)
    assert parts(tape) == [("183 Reason", "offer"), ("PRACK", "answer")]
    tape = Tape()
    tape.request(0, A, B, "INVITE", sdp(A, 4000), initial=True)
    tape.reply(1, B, A, 183, sdp(B, 5000))
    tape.request(1.1, A, B, "PRACK", sdp(A, 4002), cseq=2)
    tape.reply(1.2, B, A, 200, sdp(B, 5000), method="PRACK", cseq=2)
    assert parts(tape) == [("INVITE", "offer"), ("183 Reason", "answer"), ("PRACK", "offer"), ("200 Reason", "answer")]


def test_both_sides_may_count_their_requests_alike() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.request(5, B, A, "INVITE", cseq=1, tags=("b", "a"))  # bob's CSeq 1, without an offer
    tape.reply(5.1, A, B, 200, sdp(A, 4002), cseq=1, tags=("b", "a"))
    tape.request(5.2, B, A, "ACK", sdp(B, 5002), cseq=1, tags=("b", "a"))
    assert parts(tape)[-2:] == [("200 Reason", "offer"), ("ACK", "answer")]


def test_an_offer_that_repeats_the_last_one_is_called_unchanged_whatever_its_version() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.reinvite(10, A, B, sdp(A, 4000, version=2), sdp(B, 5000, version=2))
    rows = [row for row in chart_of(tape.analyze()).rows if isinstance(row, Message)]
    again = next(row for row in rows if row.label == "re-INVITE")
    assert again.detail == "SDP offer unchanged"
