"""What is said of media that end before their call does: only where they should have gone on."""

from __future__ import annotations

import pathlib

import pytest

import sipanalyzer
from sipanalyzer.output.flow.model import Media
from tests.output.flow.told import chart_of
from tests.tape import PCMA, A, B, Tape, sdp, section

T38 = section(5000, ("t38",), media="image", profile="udptl", ptime=None)


def talk(until: float) -> Tape:
    """A call from 2 s on whose media run both ways from 3 s to `until`."""
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.talk(3, A, 4000, B, 5000, round((until - 3) * 50) + 1, ssrc=1)
    tape.talk(3, B, 5000, A, 4000, round((until - 3) * 50) + 1, ssrc=2)
    return tape


def said(tape: Tape, leg: int | None = 0) -> list[str | None]:
    return [row.until for row in chart_of(tape.analyze(), leg).rows if isinstance(row, Media)]


def reinvite(tape: Tape, at: float, offer: bytes, answer: bytes, cseq: int, status: int = 200) -> None:
    tape.request(at, A, B, "INVITE", offer, cseq=cseq)
    tape.reply(at + 0.02, B, A, status, answer, cseq=cseq)
    tape.request(at + 0.04, A, B, "ACK", cseq=cseq)


HELD, FREE, OTHER = sdp(A, 4000, lines=["sendonly"]), sdp(A, 4000), sdp(A, 4444)
STOPS = "stops 10.0 s before the call ends"


def test_media_that_should_have_gone_on_are_missed() -> None:
    tape = talk(5)
    tape.bye(15)
    assert said(tape) == [STOPS] * 2


@pytest.mark.parametrize("hold", [["sendonly"], ["inactive"]])
def test_a_call_on_hold_misses_no_media(hold: list[str]) -> None:
    tape = talk(5)
    reinvite(tape, 5.0, sdp(A, 4000, lines=hold), sdp(B, 5000, lines=["recvonly"]), 7)
    tape.bye(15)
    assert said(tape) == [None] * 2


def test_a_hold_that_was_refused_is_none() -> None:
    tape = talk(5)
    reinvite(tape, 5.0, HELD, b"", 7, status=488)
    tape.bye(15)
    assert said(tape) == [STOPS] * 2


def test_after_a_hold_media_are_missed_again() -> None:
    tape = talk(5)
    reinvite(tape, 5.0, HELD, sdp(B, 5000, lines=["recvonly"]), 7)
    reinvite(tape, 8.0, FREE, sdp(B, 5000), 8)
    tape.bye(15)
    assert said(tape) == [STOPS] * 2
    tape = talk(5)
    reinvite(tape, 5.0, HELD, sdp(B, 5000, lines=["recvonly"]), 7)
    reinvite(tape, 12.5, FREE, sdp(B, 5000), 8)  # for 2.5 s before the end: too short to be missed
    tape.bye(15)
    assert said(tape) == [None] * 2


def test_media_sent_elsewhere_by_sdp_have_not_stopped() -> None:
    tape = talk(5)
    reinvite(tape, 5.0, OTHER, sdp(B, 5000), 7)
    tape.bye(15)
    assert said(tape) == [STOPS, None]  # what A sends is still wanted where it was


def test_what_fax_takes_the_place_of_has_not_stopped(samples: pathlib.Path) -> None:
    tape = talk(5)
    fax = [sdp(host, port).split(b"m=")[0] + "\r\n".join([*T38, ""]).encode() for host, port in ((A, 4000), (B, 5000))]
    reinvite(tape, 5.0, fax[0], fax[1], 7)
    tape.bye(15)
    assert said(tape) == [None] * 2
    chart = chart_of(sipanalyzer.analyze(samples / "t38.pcap"))
    assert [row.until for row in chart.rows if isinstance(row, Media)] == [None, None]


@pytest.mark.parametrize(("status", "wanted"), [(202, None), (603, STOPS)])
def test_a_transfer_that_was_accepted_ends_media(status: int, wanted: str | None) -> None:
    tape = talk(5)
    tape.request(5, A, B, "REFER", cseq=7, headers=["Refer-To: <sip:c@10.0.0.3>"])
    tape.reply(5.02, B, A, status, method="REFER", cseq=7)
    tape.bye(15)
    assert said(tape) == [wanted] * 2


def test_nothing_stops_in_the_sample_of_a_transfer(samples: pathlib.Path) -> None:
    analysis = sipanalyzer.analyze(samples / "transfer.pcap")
    for leg in (0, None):
        chart = chart_of(analysis, leg)
        assert [row.until for row in chart.rows if isinstance(row, Media) and row.until] == []


def test_video_added_and_taken_away_leaves_audio_to_be_missed() -> None:
    video = section(4002, ("99 H264/90000",), media="video", ptime=None)
    tape = talk(5)
    reinvite(tape, 4, sdp(A, 4000, PCMA, video), sdp(B, 5000), 7)
    reinvite(tape, 6, FREE, sdp(B, 5000), 8)
    tape.bye(15)
    assert said(tape) == [STOPS] * 2
