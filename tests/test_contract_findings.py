"""Findings as the contract has them, seen from outside: each code raised by one capture and quiet in its look-alike.

The captures are told packet by packet and owe nothing to those of `tests/findings`. Only tables are looked at.
"""

from __future__ import annotations

import io
import pathlib
import re
import struct
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import sipanalyzer
from sipanalyzer import cli
from sipanalyzer.explanations import explanations
from sipanalyzer.findings.engine import find_findings
from sipanalyzer.pipeline import analyze as read
from tests.builders import ACK, RST, SYN
from tests.tape import A, B, C, P, Tape, records, sdp
from tests.troubles import (
    A6,
    B6,
    INNER,
    OUTER,
    PLAIN,
    Scene,
    answered_again,
    as_recorded,
    asked,
    behind_nat,
    call,
    cancelled_in_vain,
    challenged,
    changed_ssrc,
    connected,
    direct,
    drifting,
    dtls,
    fax,
    from_client,
    heard,
    held,
    held_to_the_end,
    holes,
    looped,
    marked,
    message,
    moved,
    of_host,
    only_fax,
    raw,
    refused,
    registered,
    reinvited,
    reliable,
    report,
    ringing,
    said,
    second,
    sent_again,
    shaken,
    silence,
    srtp,
    timed,
    transferred,
    tried,
    video,
    whole,
)

Rows = list[dict[str, Any]]
STRAY = (A, 5353, "10.0.0.77", 53)
INVITE = (A, 5060, B, 5060)
TIMER_A = (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)
LATE = {k: 0.05 * (k % 2) for k in range(550)}

CONTRACT = re.findall(
    r"\S+",
    """
    one-way-audio no-media late-media media-timeout no-rtp-captured nat-mismatch private-address-in-sdp sip-alg
    codec-mismatch ptime-mismatch dtmf-not-negotiated dscp-mismatch
    high-loss high-jitter low-mos ssrc-change sequence-reset clock-drift early-media held transferred reinvite-failed
    t38-fax encrypted-media ice-or-dtls-failed
    retransmissions missing-ack missing-prack missing-bye unanswered-request high-post-dial-delay
    session-timer-expiry call-rejected server-error auth-failure
    registration-failure routing-loop fragmented-sip pager-limit-exceeded malformed-sip scanner icmp-unreachable
    tcp-connect-failed tls-handshake-failure
    truncated-capture capture-drops capture-duplicates one-sided-capture clock-step
    """,
)


def analyze(made: Tape | bytes, **options: Any) -> sipanalyzer.Analysis:
    data = made if isinstance(made, bytes) else made.bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sipanalyzer.analyze(io.BytesIO(data), **options)


def found(made: Tape | bytes, **options: Any) -> Rows:
    return records(analyze(made, **options), "findings")


def codes(made: Tape | bytes, **options: Any) -> set[str]:
    return {row["code"] for row in found(made, **options)}


def the(made: Tape | bytes, code: str, **options: Any) -> dict[str, Any]:
    """The only finding of a code."""
    (row,) = [row for row in found(made, **options) if row["code"] == code]
    return row


Made = Callable[[], "Scene | bytes"]
PAIRS: dict[str, tuple[Made, Made]] = {
    "one-way-audio": (lambda: heard(call()), lambda: report(heard(call()), 9.0)),
    "one-way-audio IPv6": (
        lambda: said(call(A6, B6), a=A6, b=B6),
        lambda: said(call(A6, B6, answer=sdp(B6, 5000, lines=["recvonly"])), a=A6, b=B6),
    ),
    "one-way-audio early": (
        lambda: heard(call(), at=1.0),
        lambda: heard(call(answer=sdp(B, 5000, lines=["sendonly"])), at=1.0),  # an announcement
    ),
    "one-way-audio port 0": (
        lambda: heard(call()),
        lambda: heard(call(answer=sdp(B, 0))),  # the answer takes no audio
    ),
    "one-way-audio turned": (
        lambda: said(call()),
        lambda: said(call()).talk(2.1, B, 5000, A, 4002, 400, ssrc=0xC),  # it comes back, to another port
    ),
    "one-way-audio fax": (lambda: said(call()), lambda: only_fax()),
    "one-way-audio moved": (lambda: said(call()), lambda: moved()),
    "one-way-audio video": (
        lambda: video(audio_back=False),
        lambda: video(audio_back=True),
    ),
    "no-media": (lambda: second(call()), lambda: second(whole())),
    "no-media cut": (
        lambda: second(call(bye=False)),
        lambda: call(bye=False).until(60),  # SIP alone
    ),
    "no-media direct": (
        lambda: second(call()),
        lambda: direct(),  # media goes past the box, whose own addresses carry none
    ),
    "no-rtp-captured": (lambda: call(), lambda: whole()),
    "no-rtp-captured refused": (lambda: call(), lambda: refused(488)),
    "late-media": (lambda: heard(said(call(), at=4.2, count=400)), lambda: heard(said(call(), at=3.2, count=450))),
    "media-timeout": (
        lambda: said(heard(call(talked=24), 350), 1180),
        lambda: said(heard(call(talked=24), 900), 1180),
    ),
    "media-timeout held": (lambda: said(heard(call(talked=24), 350), 1180), lambda: held_to_the_end()),
    "nat-mismatch": (lambda: behind_nat(back=False), lambda: whole()),
    "private-address-in-sdp": (lambda: behind_nat(back=False), lambda: behind_nat(back=False, ice=True)),
    "private-address-in-sdp loopback": (
        lambda: call(a=OUTER, offer=sdp(INNER, 4000)),
        lambda: call(a="127.0.0.1", offer=sdp(INNER, 4000)),
    ),
    "sip-alg": (
        lambda: from_client(via=INNER, contact=INNER),
        lambda: from_client(via=INNER, contact=OUTER),  # a client that knows its outer address
    ),
    "codec-mismatch": (
        lambda: heard(said(call(), payload_type=3)),
        lambda: heard(said(call(), payload_type=13, count=40, payload=b"\x40", gap=0.2), at=2.1),  # comfort noise
    ),
    "ptime-mismatch": (
        lambda: heard(said(call(), 300, gap=0.04, step=320, payload=bytes(320))),
        lambda: heard(said(call())),
    ),
    "ptime-mismatch silence": (
        lambda: heard(said(call(), 300, gap=0.04, step=320, payload=bytes(320))),
        lambda: silence(),
    ),
    "dtmf-not-negotiated": (
        lambda: whole(offer=sdp(A, 4000, PLAIN)),
        lambda: whole(offer=sdp(A, 4000, PLAIN), answer=sdp(B, 5000, PLAIN)),
    ),
    "dscp-mismatch": (lambda: marked(0, 46), lambda: marked(8, 46)),
    "high-loss": (
        lambda: heard(said(call()), lost=range(0, 550, 40)),
        lambda: heard(said(call()), twice=range(0, 550, 20)),
    ),
    "high-loss restart": (
        lambda: heard(said(call()), lost=range(100, 130)),
        lambda: heard(heard(said(call()), 250), 250, at=7.1, seq=31000, timestamp=9_000_000),
    ),
    "high-jitter": (
        lambda: heard(said(call()), late=LATE),
        lambda: heard(said(call()), late=dict.fromkeys(LATE, 0.01)),
    ),
    "low-mos": (
        lambda: heard(said(call()), lost=range(3, 550, 3)),
        lambda: heard(said(call()), lost=range(3, 550, 90)),
    ),
    "ssrc-change": (lambda: changed_ssrc(reinvited=False), lambda: changed_ssrc(reinvited=True)),
    "sequence-reset": (
        lambda: heard(heard(said(call()), 250), 250, at=7.1, seq=31000, timestamp=9_000_000),
        lambda: heard(said(call()), seq=65_400),  # sixteen bits are full
    ),
    "clock-drift": (lambda: drifting(0.01999), lambda: drifting(0.0200005)),
    "early-media": (lambda: heard(said(call()), at=0.8), lambda: whole()),
    "held": (lambda: held("sendonly"), lambda: held("sendrecv")),
    "held inactive": (lambda: held("inactive"), lambda: held("sendrecv")),
    "transferred": (lambda: transferred(202), lambda: transferred(603)),
    "reinvite-failed": (lambda: reinvited(488), lambda: reinvited(491, again=True)),
    "t38-fax": (lambda: fax(changed=True), lambda: fax(changed=False)),
    "encrypted-media": (lambda: srtp(encrypted=True), lambda: srtp(encrypted=False)),
    "ice-or-dtls-failed": (lambda: dtls(answered=False), lambda: dtls(answered=True)),
    "retransmissions": (lambda: sent_again((0.5, 1.5), 2.0), lambda: sent_again((0.5,), 2.0)),
    "retransmissions mirror": (lambda: sent_again((0.5, 1.5), 2.0), lambda: sent_again((0.001, 0.002), 2.0)),
    "missing-ack": (
        lambda: answered_again((1, 1.5, 2.5, 4.5), acknowledged=False),
        lambda: answered_again((1, 1.5, 2.5, 4.5), acknowledged=True),
    ),
    "missing-prack": (lambda: reliable(acknowledged=False), lambda: reliable(acknowledged=True)),
    "missing-bye": (
        lambda: heard(said(call(bye=False))).until(90),
        lambda: heard(said(call(bye=False))).until(40),
    ),
    "unanswered-request": (
        lambda: asked(TIMER_A).until(70),
        lambda: asked(()).until(20),  # the capture ends too soon
    ),
    "high-post-dial-delay": (lambda: ringing(9), lambda: ringing(2, 183, answered=14)),
    "session-timer-expiry": (lambda: timed(90), lambda: timed(40)),
    "session-timer-expiry early": (lambda: timed(60), lambda: timed(75)),
    "call-rejected": (lambda: refused(404), lambda: refused(486)),
    "server-error": (lambda: refused(503), lambda: refused(480)),
    "auth-failure": (lambda: challenged(stale=False), lambda: challenged(stale=True)),
    "registration-failure": (lambda: registered(403), lambda: registered(200)),
    "routing-loop": (lambda: refused(483), lambda: refused(480)),
    "routing-loop seen": (lambda: looped(changed=False), lambda: looped(changed=True)),
    "fragmented-sip": (lambda: message(1440, fragments=True), lambda: message(1440)),
    "pager-limit-exceeded": (lambda: message(1301), lambda: message(1300)),
    "malformed-sip": (
        lambda: raw("INVITE sip:b@example.org SIP/2.0\r\nSubject: nothing else\r\n\r\n"),
        lambda: raw("SIPHON sip:b@example.org SIP/2.0\r\nContent-Length: 0\r\n\r\n"),  # another protocol's start line
    ),
    "scanner": (lambda: tried(403), lambda: tried(401, then=200)),
    "icmp-unreachable": (
        lambda: asked(()).unreachable(0.01, INVITE),
        lambda: asked(()).unreachable(0.01, STRAY),
    ),
    "tcp-connect-failed": (lambda: connected(refused=True), lambda: connected(refused=False)),
    "tcp-connect-failed web": (lambda: connected(refused=True), lambda: connected(refused=True, port=8080)),
    "tls-handshake-failure": (lambda: shaken(closed=True), lambda: shaken(closed=False)),
    "truncated-capture": (lambda: whole().bytes()[:-7], lambda: whole().bytes()),
    "capture-drops": (lambda: holes(together=True), lambda: holes(together=False)),
    "capture-duplicates": (lambda: whole().doubled(), lambda: sent_again((0.5, 1.5), 2.0)),
    "one-sided-capture": (lambda: of_host(whole(), B), lambda: whole()),
    "one-sided-capture dead": (
        lambda: of_host(whole(), B),
        lambda: cancelled_in_vain(),
    ),
    "clock-step": (lambda: as_recorded(whole(), 5.0), lambda: as_recorded(whole(), 0.4)),
}  # fmt: skip
"""By code (and what the look-alike is about): a capture in which it is raised, and one in which it is not."""


def test_every_code_of_the_contract_is_raised_and_quiet_here() -> None:
    assert len(CONTRACT) == 49
    assert {name.split()[0] for name in PAIRS} >= set(CONTRACT)
    assert set(CONTRACT) <= set(explanations("finding"))


@pytest.mark.parametrize("name", PAIRS)
def test_a_code_is_raised_and_its_look_alike_is_not(name: str) -> None:
    code = name.split()[0]
    raised, quiet = PAIRS[name]
    rows = [row for row in found(raised()) if row["code"] == code]
    assert rows
    for row in rows:
        assert row["severity"] in ("error", "warning", "info")
        assert row["explanation"].endswith(".")
        assert row["advice"]
        assert row["time"] is not None
    assert code not in codes(quiet())


@pytest.mark.parametrize("name", PAIRS)
def test_evidence_is_in_the_capture_and_of_the_call(name: str) -> None:
    """A frame of evidence that carries SIP carries it of the finding's call, and lies in the call's time or later."""
    analysis = analyze(PAIRS[name][0]())
    said_in = {row["frame"]: row["call_id"] for row in records(analysis, "messages")}
    (capture,) = records(analysis, "captures")
    for row in records(analysis, "findings"):
        frames = [int(each) for each in (row["evidence"] or "").split(",") if each]
        assert frames[:1] == ([] if row["frame"] is None else [row["frame"]])
        assert all(1 <= frame <= capture["packets"] for frame in frames)
        if row["call_id"] is not None:
            assert frames
            assert {said_in[frame] for frame in frames if frame in said_in} <= {row["call_id"]}


@pytest.mark.parametrize("name", PAIRS)
def test_the_column_one_way_and_the_finding_agree(name: str) -> None:
    for made in PAIRS[name]:
        analysis = analyze(made())
        blamed = {row["call_id"] for row in records(analysis, "findings") if row["code"] == "one-way-audio"}
        assert {row["call_id"] for row in records(analysis, "calls") if row["one_way"] is True} == blamed


# ---- whom it concerns


def test_a_fault_is_tied_to_the_call_that_it_explains_and_to_no_other() -> None:
    """Three calls to one server at the same time; what the network says is about the second one's caller."""
    scene = Scene()
    for name, caller in (("first", A), ("second", C), ("third", P)):
        scene.request(0, caller, B, "INVITE", sdp(caller, 4000), initial=True, call=name)
        if caller != C:
            scene.reply(0.2, B, caller, 486, call=name)
            scene.request(0.3, caller, B, "ACK", of="INVITE", call=name)
    scene.unreachable(0.01, (C, 5060, B, 5060)).until(60)
    row = the(scene, "icmp-unreachable")
    assert (row["call_id"], row["affects"], row["frame"]) == ("second", f"{C}:5060", 4)


def test_media_that_nobody_took_before_the_answer_is_no_fault() -> None:
    """A phone opens its port when it is answered."""
    scene = said(heard(call(), 650, at=0.8))
    scene.unreachable(0.81, (B, 5000, A, 4000))
    row = the(scene, "icmp-unreachable")
    assert (row["severity"], row["call_id"]) == ("info", "one")
    assert "before the answer" in row["explanation"]
    lasting = heard(said(call()), 100).unreachable(3.0, (B, 5000, A, 4000))
    assert the(lasting, "icmp-unreachable")["severity"] == "warning"


def test_a_connection_that_was_refused_and_not_needed_is_information() -> None:
    assert the(connected(refused=True), "tcp-connect-failed")["severity"] == "error"
    row = the(connected(refused=True, mended=True), "tcp-connect-failed")
    assert row["severity"] == "info"
    assert "all the same" in row["explanation"]


# ---- severities


def test_nat_that_cannot_be_judged_is_no_error() -> None:
    """The callee's SDP has another address than its media, and the caller only listens."""
    scene = call(offer=sdp(A, 4000, lines=["recvonly"]), answer=sdp(INNER, 5000, lines=["sendonly"]))
    assert {row["code"]: row["severity"] for row in found(heard(scene))}.get("nat-mismatch") in (None, "info")
    assert the(behind_nat(back=True), "nat-mismatch")["severity"] == "info"
    assert the(behind_nat(back=False), "nat-mismatch")["severity"] == "error"


def test_a_strange_payload_type_is_an_error_where_it_is_what_was_said() -> None:
    assert the(heard(said(call(), payload_type=3)), "codec-mismatch")["severity"] == "error"
    beside = heard(said(call())).talk(
        13.2, A, 4000, B, 5000, 12, ssrc=0xA, seq=1550, timestamp=93_000, payload_type=100
    )
    assert the(beside, "codec-mismatch")["severity"] == "warning"


def test_silence_is_doubtful_where_media_of_no_call_passed_meanwhile() -> None:
    scene = call(offer=sdp(A, 4000), answer=sdp(B, 5000))
    scene.talk(2.5, B, 7777, "10.0.0.66", 8888, 400, ssrc=0xE)
    row = the(scene, "no-media")
    assert (row["severity"], "fits no call" in row["doubtful"]) == ("warning", True)
    assert the(second(call()), "no-media")["severity"] == "error"


def test_who_hears_nothing_over_udp_sends_again() -> None:
    """One INVITE and never another: its sender has heard something that the capture lacks."""
    scene = asked(()).until(60)
    scene.request(1, B, A, "OPTIONS", call="other", initial=True)
    scene.reply(1.1, A, B, 200, method="OPTIONS", call="other")
    row = the(scene, "unanswered-request")
    assert (row["severity"], "not sent again" in row["doubtful"]) == ("warning", True)
    assert the(asked(TIMER_A).until(70), "unanswered-request")["severity"] == "error"


def test_key_presses_that_were_not_agreed_on_weigh_more_than_none() -> None:
    assert the(whole(offer=sdp(A, 4000, PLAIN)), "dtmf-not-negotiated")["severity"] == "info"
    pressed = whole(answer=sdp(B, 5000, PLAIN))
    pressed.key(13.2, A, 4000, B, 5000, "5", seq=1550, timestamp=93_000, ssrc=0xA, parts=12)
    assert the(pressed, "dtmf-not-negotiated")["severity"] == "warning"


# ---- causes and doubts


def test_a_call_that_never_came_about_has_one_finding() -> None:
    rows = found(second(refused(488)))
    assert [row["code"] for row in rows if row["call_id"] == "one"] == ["call-rejected"]


def test_low_mos_stands_behind_the_loss_that_made_it() -> None:
    rows = [row for row in found(heard(said(call()), lost=range(3, 550, 3))) if row["call_id"] == "one"]
    assert [row["code"] for row in rows][:2] == ["high-loss", "low-mos"]
    assert [row["severity"] for row in rows][:2] == ["error", "info"]
    assert rows[1]["causes"] == "high-loss"


DOUBTS: dict[str, tuple[str, Made, str, str, str]] = {
    "holes": (
        "high-loss",
        lambda: holes(together=True),
        "the capture itself lost packets",
        "warning",
        "error",
    ),
    "mirror": (
        "missing-ack",
        lambda: answered_again((1, 1.5, 2.5, 4.5), acknowledged=False).doubled(),
        "packets stand twice in the capture",
        "warning",
        "error",
    ),
    "clock": (
        "missing-bye",
        lambda: as_recorded(heard(said(call(bye=False))).until(120), 9.0),
        "the capture's clock was set back",
        "info",
        "warning",
    ),
    "one side": (
        "retransmissions",
        lambda: of_host(sent_again((0.5, 1.5), 2.0), A),
        "one direction is missing in the capture",
        "info",
        "warning",
    ),
}
"""By defect: a code that rests on what is wrong, the capture, what is said of it, and the severity with and without."""


@pytest.mark.parametrize("name", DOUBTS)
def test_a_defect_of_the_capture_makes_doubtful_what_rests_on_it(name: str) -> None:
    code, made, clause, severity, _ = DOUBTS[name]
    rows = [row for row in found(made()) if row["code"] == code]
    assert {(row["severity"], row["doubtful"]) for row in rows} == {(severity, clause)}


def test_without_the_defect_it_is_as_grave_as_ever() -> None:
    lost = heard(said(call(), lost=range(200, 230)), lost=range(400, 430))
    assert {row["severity"] for row in found(lost) if row["code"] == "high-loss"} == {DOUBTS["holes"][-1]}
    plain = answered_again((1, 1.5, 2.5, 4.5), acknowledged=False)
    assert the(plain, "missing-ack")["severity"] == DOUBTS["mirror"][-1]
    assert the(heard(said(call(bye=False))).until(120), "missing-bye")["severity"] == DOUBTS["clock"][-1]


def test_a_capture_of_one_side_alone_blames_nobody() -> None:
    """Only the callee's packets: whoever misses the caller's media, ACK or BYE misses them in the capture."""
    for host in (A, B):
        rows = found(of_host(whole(), host))
        assert "one-sided-capture" in {row["code"] for row in rows}
        assert not [row for row in rows if row["severity"] == "error"]


def test_one_calls_findings_stand_in_order_of_likelihood() -> None:
    scene = heard(call(offer=sdp(A, 4000, PLAIN)), lost=range(0, 550, 8))
    mine = [row["code"] for row in found(scene) if row["call_id"] == "one"]
    likelihood = [explanations("finding")[code].likelihood for code in mine]
    assert len(mine) >= 3
    assert mine[0] == "one-way-audio"
    assert likelihood == sorted(likelihood, reverse=True)


# ---- hostile


def test_trouble_of_many_calls_costs_time_in_proportion(benchmark_ratio: float = 9.0) -> None:
    """Every fault is about the same two hosts, and every call too: four times the calls, about four times the time."""

    def took(calls: int) -> float:
        scene = Scene()
        for number in range(calls):
            at, name = number * 0.01, f"c{number}"
            scene.request(at, A, B, "INVITE", sdp(A, 4000), initial=True, call=name)
            if number % 2:
                scene.reply(at + 0.2, B, A, 200, sdp(B, 5000), call=name)
            scene.unreachable(at + 0.001, (A, 5060 + number % 2000, B, 5060))
            scene.tcp(at + 0.002, (A, 20_000 + number % 30_000, B, 5060), SYN, 1)
            scene.tcp(at + 0.003, (B, 5060, A, 20_000 + number % 30_000), RST | ACK, 0, 2)
            scene.udp(
                at + 0.004, A, 30_000 + number % 20_000, B, 5000, struct.pack("!HHI", 1, 0, 0x2112A442) + bytes(12)
            )
        result = read(io.BytesIO(scene.bytes()))
        best = float("inf")
        for _ in range(3):
            begun = time.perf_counter()
            find_findings(result)
            best = min(best, time.perf_counter() - begun)
        return best

    took(100)
    assert took(2_000) < benchmark_ratio * max(0.02, took(500))


def test_trouble_in_one_dialog_costs_time_in_proportion() -> None:
    """One Call-ID: refused offers, answers sent again and again, provisional responses that nobody acknowledges."""

    def took(rounds: int) -> float:
        scene = Scene()
        scene.set_up(sdp(A, 4000), sdp(B, 5000))
        for number in range(rounds):
            at, cseq = 3 + number * 0.1, 10 + number
            scene.request(at, A, B, "INVITE", sdp(A, 4000, version=number), cseq=cseq)
            for wait in (0.0, 0.6, 1.2, 1.8):
                scene.reply(at + 0.01 + wait, B, A, 183, cseq=cseq, headers=["Require: 100rel", f"RSeq: {cseq}"])
                scene.reply(at + 0.02 + wait, B, A, 200 if number % 2 else 491, cseq=cseq)
            scene.request(at + 3, A, B, "PRACK", cseq=50_000 + number, headers=[f"RAck: {cseq + 1} {cseq} INVITE"])
        result = read(io.BytesIO(scene.bytes()))
        best = float("inf")
        for _ in range(3):
            begun = time.perf_counter()
            find_findings(result)
            best = min(best, time.perf_counter() - begun)
        return best

    took(50)
    assert took(1_200) < 9.0 * max(0.02, took(300))


HOSTILE = "\x1b[31mred\x07\x9b\u202etxt\x00"


def test_names_from_the_wire_are_harmless_where_findings_are_printed(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:

    scene = Scene()
    name = HOSTILE.replace("\x00", "")
    lines = [
        f"INVITE sip:{name}@{B} SIP/2.0", f"Via: SIP/2.0/UDP {A}:5060;branch=z9hG4bKh",
        f'From: "{name}" <sip:{name}@example.org>;tag=a', f"To: <sip:{name}@example.org>", f"Call-ID: h{name}",
        "CSeq: 1 INVITE", f"User-Agent: friendly-scanner {name}",
    ]  # fmt: skip
    scene.sip(0, A, B, lines, b"")
    answer = [f"SIP/2.0 404 Not {name}", *lines[1:-1]]
    scene.sip(0.1, B, A, answer, b"")
    path = tmp_path / "hostile.pcap"
    path.write_bytes(scene.bytes())
    for words in (
        ["findings", "--format", "table"],
        ["summary"],
        ["calls", "--format", "table"],
        ["call", "--id", "0"],
    ):
        assert cli.main([words[0], str(path), *words[1:]]) == 0
        printed = capsys.readouterr().out
        assert "red" in printed
        assert not [char for char in printed if char != "\n" and (ord(char) < 32 or 127 <= ord(char) < 160)], words
        assert "\u202e" not in printed
    assert "call-rejected" in codes(scene)


# ---- --fail-on


@pytest.mark.parametrize(
    ("made", "wanted", "status"),
    [
        (lambda: refused(503), "server-error", 4),
        (lambda: refused(503), "high-loss, server-error", 4),
        (lambda: refused(503), "call-rejected", 0),
        (lambda: refused(503), "error", 4),
        (lambda: refused(503), "warning", 0),
        (lambda: refused(503), "no-such-code", 2),
        (whole, "error,warning,info", 0),
        (lambda: whole().bytes()[:-9], "high-loss", 1),
        (lambda: whole().bytes()[:-9], "truncated-capture", 4),
        (lambda: bytes(100), "error", 3),
    ],
)
def test_fail_on_is_an_exit_status(made: Made, wanted: str, status: int, tmp_path: pathlib.Path) -> None:

    capture = made()
    path = tmp_path / "some.pcap"
    path.write_bytes(capture if isinstance(capture, bytes) else capture.bytes())
    for command in ("findings", "summary", "calls"):
        assert cli.main([command, str(path), "--fail-on", wanted]) == status
