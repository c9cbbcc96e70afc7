"""What stands on an arrow, and below it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import sipanalyzer
from sipanalyzer.output.flow.model import Message
from sipanalyzer.result import TRANSPORTS
from tests.output.flow.told import chart_of
from tests.tape import A, B, Tape, sdp


def details(tape: Tape) -> list[tuple[str, str | None]]:
    rows = chart_of(tape.analyze(), fold=False).rows
    return [(row.label, row.detail) for row in rows if isinstance(row, Message)]


def request(method: str, headers: Sequence[str], kind: str = "", body: bytes = b"") -> str | None:
    """Second line of a request within a call."""
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    lines = [
        f"{method} sip:b@x SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK77", "From: <sip:a@x>;tag=a",
        "To: <sip:b@x>;tag=b", "Call-ID: one", f"CSeq: 7 {method}", *headers,
        *([f"Content-Type: {kind}"] if kind else []),
        f"Content-Length: {len(body)}", "", "",
    ]  # fmt: skip
    tape.udp(5, A, 5060, B, 5060, "\r\n".join(lines).encode() + body)
    return details(tape)[-1][1]


@pytest.mark.parametrize(
    ("method", "headers", "wanted"),
    [
        ("BYE", [], None),
        ("BYE", ['Reason: Q.850;cause=16;text="All, well; done"'], "Q.850 16 All, well; done"),
        ("BYE", ["Reason: Q.850;cause=17"], "Q.850 17 User busy"),
        ("BYE", ["Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\""], "SIP 200 Call completed elsewhere"),
        ("REFER", ["Refer-To: <sip:carol@y>"], "refer to sip:carol@y"),
        ("REFER", ["Refer-To: \"C\" <sip:carol@y?Replaces=1%40x>"], "refer to sip:carol@y; in place of another call"),
        ("SUBSCRIBE", ["Event: dialog;id=1", "Expires: 60"], "dialog, for 60 s"),
        ("OPTIONS", ["Event: dialog"], None),
    ],
)  # fmt: skip
def test_what_matters_of_a_request(method: str, headers: list[str], wanted: str | None) -> None:
    assert request(method, headers) == wanted


def test_bodies_are_told_by_their_kind_and_size_and_a_fragment_by_its_status() -> None:
    assert request("MESSAGE", [], "text/plain;charset=utf-8", b"hello") == "text/plain, 5 bytes"
    assert request("MESSAGE", [], "", b"x") == "1 byte"
    headers = ["Event: refer;id=1", "Subscription-State: terminated;reason=noresource"]
    told = request("NOTIFY", headers, "message/sipfrag", b"SIP/2.0 486 Busy Here\r\n\r\n")
    assert told == "refer, 486 Busy Here, terminated"


def test_keys_in_info_are_named_when_they_are_sent_again_too() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    for at in (5.0, 5.5):
        lines = [
            "INFO sip:b@x SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK77", "From: <sip:a@x>;tag=a",
            "To: <sip:b@x>;tag=b", "Call-ID: one", "CSeq: 7 INFO", "Content-Type: application/dtmf-relay",
            "Content-Length: 9", "", "Signal=5\n",
        ]  # fmt: skip
        tape.udp(at, A, 5060, B, 5060, "\r\n".join(lines).encode())
    assert details(tape)[-2:] == [("INFO", "key 5"), ("INFO", "key 5")]


def test_the_method_of_a_response_is_told_where_it_is_not_plain() -> None:
    tape = Tape()
    tape.request(0, A, B, "INVITE", initial=True)
    tape.reply(0.1, B, A, 180)
    tape.request(0.2, A, B, "CANCEL")
    tape.reply(0.3, B, A, 200, method="CANCEL")
    tape.reply(0.4, B, A, 487)
    assert details(tape)[1:] == [
        ("180 Reason", None), ("CANCEL", None), ("200 Reason", "(CANCEL)"), ("487 Reason", "(INVITE)"),
    ]  # fmt: skip


def test_failures_say_why_and_redirects_where_to() -> None:
    def failed(status: int, *headers: str) -> str | None:
        tape = Tape()
        tape.request(0, A, B, "INVITE", initial=True)
        tape.reply(0.1, B, A, status, headers=headers)
        return details(tape)[-1][1]

    assert failed(503, "Retry-After: 120 (maintenance);duration=60") == "retry after 120 s"
    assert failed(480, "Reason: Q.850;cause=19") == "Q.850 19 No answer from user (user alerted)"
    assert failed(488, 'Warning: 305 pbx "Incompatible media format"') == 'warning 305 pbx "Incompatible media format"'
    assert failed(407, "Reason: SIP;cause=1") is None


def test_an_invite_in_a_dialog_is_called_so_and_one_tried_again_is_not() -> None:
    tape = Tape()
    tape.request(0, A, B, "INVITE", initial=True)
    tape.reply(0.1, B, A, 407)
    tape.request(0.2, A, B, "INVITE", cseq=2, headers=["Proxy-Authorization: Digest x"])  # with the To tag of the 407
    tape.reply(0.3, B, A, 200, cseq=2)
    tape.request(0.4, A, B, "ACK", cseq=2)
    tape.request(5, A, B, "INVITE", cseq=3)
    labels = details(tape)
    assert [label for label, _ in labels] == ["INVITE", "407 Reason", "INVITE", "200 Reason", "ACK", "re-INVITE"]
    assert labels[2][1] == "sip:x@10.0.0.2; with credentials"


def test_a_refresh_is_called_so() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    timer = ["Session-Expires: 90"]
    tape.request(30, A, B, "UPDATE", cseq=5, headers=timer)
    tape.request(60, A, B, "INVITE", sdp(A, 4000, version=2), cseq=6, headers=timer)
    tape.request(90, A, B, "INVITE", sdp(A, 4002, version=3), cseq=7, headers=timer)
    assert [detail for _, detail in details(tape)[-3:]] == [
        "session refresh", "session refresh; SDP offer unchanged", "SDP offer PCMA at 10.0.0.1:4002, ptime 20",
    ]  # fmt: skip


def test_what_is_missing_is_shown_as_missing() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    lines = ["SIP/2.0 200", "Via: SIP/2.0/UDP 10.0.0.1", "Call-ID: one", "Content-Length: 0", "", ""]
    tape.udp(5, B, 5060, A, 5060, "\r\n".join(lines).encode())
    last = [row for row in chart_of(tape.analyze()).rows if isinstance(row, Message)][-1]
    assert (last.label, last.detail, last.method, last.cseq) == ("200", None, None, None)


def test_of_a_call_over_several_transports_the_first_and_each_change_are_told() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.bye(9)
    analysis = tape.analyze()
    assert not any(" over " in f" {detail}" for _, detail in _drawn(analysis))
    analysis.result.messages.transport[-2:] = TRANSPORTS.index("TCP")
    told = [(label, detail.rpartition("; ")[2]) for label, detail in _drawn(analysis) if "over " in detail]
    assert told == [("INVITE", "over UDP"), ("BYE", "over TCP")]


def _drawn(analysis: sipanalyzer.Analysis) -> list[tuple[str, str]]:
    return [(row.label, row.detail or "") for row in chart_of(analysis).rows if isinstance(row, Message)]
