"""Calls: what is one, what is left of one that the capture missed the begin of, and the times of both."""

from __future__ import annotations

import dataclasses
import time as clock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.calls.calls import build_calls
from sipanalyzer.calls.dialogs import track_dialogs
from sipanalyzer.calls.transactions import match_transactions
from sipanalyzer.options import Options
from tests.calls.scripts import (
    ACK,
    ANSWER,
    BYE,
    BYE_OK,
    CANCEL,
    GONE,
    INVITE,
    OK,
    PLAIN,
    REFUSED,
    RINGING,
    TRYING,
    built,
    call,
)
from tests.calls.words import NS, seconds, table
from tests.naive.calls import naive_calls


# ---- what is a call
def test_no_messages_make_no_calls() -> None:
    assert built("") == []


def test_a_plain_call() -> None:
    only = call(PLAIN)
    assert (only.state, only.status_code, only.reason) == ("completed", 200, "OK")
    assert (only.start, only.ringing, only.answered, only.end) == (0, NS, 3 * NS, 9 * NS)
    assert (only.acknowledged, only.first_bye, only.bye_final) == (seconds(3.1), 9 * NS, seconds(9.2))
    assert (only.caller, only.callee, only.released_by) == ("alice", "bob", "caller")
    assert (only.src, only.dst, only.transport) == (("10.0.0.1", 5060), ("10.0.0.2", 5060), "UDP")
    assert (only.messages, only.retransmissions, only.dialogs, only.auth) == (7, 0, 1, "none")
    assert (only.first_frame, only.last_frame, only.rows, only.partial) == (1, 7, tuple(range(7)), False)
    assert (only.request_uri, only.from_uri, only.caller_tag) == ("sip:bob@example.com", "sip:alice@example.com", "x")


@pytest.mark.parametrize("method", ["REGISTER", "OPTIONS", "MESSAGE", "SUBSCRIBE", "PUBLISH", "NOTIFY", "REFER"])
def test_a_call_id_with_other_methods_only_is_no_call(method: str) -> None:
    assert built(f"0 A>B {method} from=x\n1 B>A 200 OK cseq=1,{method} from=x to=y") == []


def test_update_and_info_without_to_tag_are_no_call() -> None:
    assert built("0 A>B INFO from=x\n0 A>B UPDATE from=x call=d") == []


def test_each_call_id_is_a_call_and_they_are_in_order_of_start() -> None:
    found = built("2 A>B INVITE call=late\n1 A>B INVITE call=early\n0.5 A>B BYE call=partial from=x to=y\n")
    assert [each.call_id for each in found] == ["partial", "early", "late"]


def test_calls_that_start_together_are_in_order_of_frame() -> None:
    found = built("1 A>B INVITE call=b frame=9\n1 A>B INVITE call=a frame=4")
    assert [each.call_id for each in found] == ["a", "b"]


def test_a_message_without_call_id_is_in_no_call() -> None:
    assert built("0 A>B INVITE call=-") == []


def test_one_call_id_used_again_is_one_call() -> None:
    again = PLAIN.replace("\n", "\n").strip().splitlines()
    later = "\n".join(
        f"{float(line.split()[0]) + 100} " + line.split(" ", 1)[1].replace("A>B", "C>D").replace("B>A", "D>C")
        for line in again
    )
    only = call(PLAIN + later)
    assert (only.messages, only.start, only.end, only.src) == (14, 0, 9 * NS, ("10.0.0.1", 5060))


# ---- times
def test_only_180_to_183_are_ringing() -> None:
    assert call(
        INVITE + "0.5 B>A 199 Early from=x to=y\n" + "0.7 B>A 183 Progress from=x to=y\n" + OK
    ).ringing == seconds(0.7)
    assert call(INVITE + TRYING + "0.5 B>A 199 Early from=x to=y\n" + OK).ringing is None
    assert call(INVITE + "0.5 B>A 181 Forwarded from=x to=y\n" + RINGING).ringing == NS // 2


def test_a_183_that_comes_after_the_2xx_is_the_first_183_all_the_same() -> None:
    only = call(INVITE + OK + "4.0 B>A 183 Progress from=x to=y\n")
    assert (only.ringing, only.answered) == (4 * NS, 3 * NS)


def test_retransmissions_move_no_time() -> None:
    only = call(
        INVITE + "0.5 A>B INVITE from=x\n" + ANSWER + "3.5 B>A 200 OK from=x to=y\n"
        "3.6 A>B ACK from=x to=y branch=z9hG4bKack\n"
        + BYE
        + "9.5 A>B BYE cseq=2 from=x to=y\n"
        + "9.6 B>A 200 OK cseq=2,BYE from=x to=y"
    )
    assert (only.start, only.answered, only.acknowledged, only.end) == (0, 3 * NS, seconds(3.1), 9 * NS)
    assert (only.retransmissions, only.bye_final, only.state) == (4, seconds(9.6), "completed")


def test_capture_duplicates_are_not_counted() -> None:
    doubled = "".join(
        f"{line}\n{float(line.split()[0]) + 0.0001:.4f} {line.split(' ', 1)[1]}\n" for line in PLAIN.splitlines()
    )
    only = call(doubled)
    assert (only.messages, only.retransmissions) == (7, 0)


def test_a_bye_that_is_challenged_and_sent_again_is_one_release() -> None:
    only = call(
        INVITE + ANSWER + BYE + "9.1 B>A 401 Unauthorized cseq=2,BYE from=x to=y\n"
        "9.2 A>B BYE cseq=3 from=x to=y | Authorization: Digest\n9.4 B>A 200 OK cseq=3,BYE from=x to=y"
    )
    assert (only.first_bye, only.bye_final, only.end, only.released_by) == (9 * NS, seconds(9.4), 9 * NS, "caller")
    assert only.auth == "challenged"


def test_a_bye_without_answer_has_no_final_response() -> None:
    only = call(INVITE + ANSWER + BYE)
    assert (only.state, only.bye_final) == ("completed", None)


def test_the_ack_of_a_reinvite_is_not_the_first_ack() -> None:
    only = call(
        INVITE
        + OK
        + "5 A>B INVITE cseq=2 from=x to=y\n5.1 B>A 200 OK cseq=2,INVITE from=x to=y\n5.2 A>B ACK cseq=2 from=x to=y"
    )
    assert only.acknowledged is None


# ---- partial calls
def test_a_call_up_before_the_capture_is_partial() -> None:
    only = call("0 B>A BYE cseq=7 from=y to=x\n0.1 A>B 200 OK cseq=7,BYE from=y to=x", end=60)
    assert (only.partial, only.state) == (True, "completed")
    assert (only.start, only.caller, only.callee, only.src, only.dst, only.released_by) == (None,) * 6
    assert (only.status_code, only.answered, only.end, only.first_bye, only.bye_final) == (
        None,
        None,
        0,
        0,
        seconds(0.1),
    )
    assert (only.messages, only.dialogs, only.first_time) == (2, 1, 0)


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("0 A>B ACK from=x to=y", "in-call"),
        ("0 A>B ACK from=x", "setup"),
        ("0 A>B CANCEL cseq=5 from=x to=y", "in-call"),
        ("0 A>B BYE from=x to=y", "completed"),
        ("0 A>B INFO from=x to=y", "in-call"),
        ("0 A>B UPDATE from=x to=y", "in-call"),
        ("0 A>B INVITE cseq=5 from=x to=y", "in-call"),
        (
            "0 A>B INVITE cseq=5 from=x to=y\n1 B>A 488 No cseq=5,INVITE from=x to=y\n1.1 A>B ACK cseq=5 from=x to=y",
            "in-call",
        ),
        ("0 A>B CANCEL from=x", "cancelled"),
        ("0 A>B CANCEL from=x\n1 B>A 487 Gone from=x to=y\n1.1 A>B ACK from=x to=y", "cancelled"),
        ("0 A>B PRACK from=x to=y", "ringing"),
        ("0 B>A 180 Ringing from=x to=y", "ringing"),
        ("0 B>A 200 OK from=x to=y", "in-call"),
        ("0 B>A 486 Busy from=x to=y\n0.1 A>B ACK from=x to=y", "busy"),
        ("0 A>B 200 OK cseq=7,BYE from=y to=x", "completed"),
        ("0 A>B ACK from=x to=y\n1 A>B ACK from=x to=z\n2 A>B BYE cseq=2 from=x to=y", "in-call"),
    ],
)
def test_what_is_left_of_a_partial_call_says_its_state(script: str, state: str) -> None:
    only = call(script)
    assert (only.partial, only.state, only.start) == (True, state, None)


def test_a_partial_call_that_begins_before_its_answer_knows_it() -> None:
    only = call(RINGING + OK + ACK + BYE + BYE_OK)
    assert (only.ringing, only.answered, only.acknowledged, only.status_code) == (NS, 3 * NS, seconds(3.1), 200)
    assert (only.state, only.end, only.start) == ("completed", 9 * NS, None)


def test_a_partial_call_takes_neither_answer_nor_status_from_a_reinvite() -> None:
    only = call("0 A>B INVITE cseq=5 from=x to=y\n1 B>A 200 OK cseq=5,INVITE from=x to=y")
    assert (only.state, only.status_code, only.answered) == ("in-call", None, None)
    refused = call("0 B>A 488 No cseq=5,INVITE from=x to=y\n1 A>B BYE cseq=6 from=x to=y")
    assert (refused.state, refused.status_code) == ("completed", None)


def test_frames_are_those_of_the_file_in_which_the_call_begins() -> None:
    messages = table(PLAIN)
    split = dataclasses.replace(
        messages, capture=np.array([0, 0, 0, 0, 1, 1, 1]), frame=np.array([5, 6, 7, 9, 1, 2, 3])
    )
    transactions = match_transactions(split, Options())
    (only,) = build_calls(split, transactions, track_dialogs(split, transactions, Options()), 0, Options())
    assert (only.capture, only.first_frame, only.last_frame) == (0, 5, 9)


# ---- RFC 3665 section 3, the flows as its figures show them (F numbers left out, times invented)
FLOWS: dict[str, tuple[str, str, int | None, str, int]] = {
    "3.1 successful session establishment": (PLAIN.replace(TRYING, ""), "completed", 200, "none", 1),
    "3.2 through two proxies": (
        """
        0.00 A>P INVITE from=x branch=a1
        0.01 P>A 407 Authorization from=x to=p branch=a1
        0.02 A>P ACK from=x to=p branch=a1
        0.03 A>P INVITE cseq=2 from=x branch=a2 | Proxy-Authorization: Digest
        0.04 P>A 100 Trying cseq=2,INVITE from=x branch=a2
        0.05 P>Q INVITE cseq=2 from=x branch=p vias=2 | Proxy-Authorization: Digest
        0.06 Q>B INVITE cseq=2 from=x branch=q vias=3
        0.50 B>Q 180 Ringing cseq=2,INVITE from=x to=y branch=q
        0.51 Q>P 180 Ringing cseq=2,INVITE from=x to=y branch=p
        0.52 P>A 180 Ringing cseq=2,INVITE from=x to=y branch=a2
        1.00 B>Q 200 OK cseq=2,INVITE from=x to=y branch=q
        1.01 Q>P 200 OK cseq=2,INVITE from=x to=y branch=p
        1.02 P>A 200 OK cseq=2,INVITE from=x to=y branch=a2
        1.03 A>P ACK cseq=2 from=x to=y branch=k1
        1.04 P>Q ACK cseq=2 from=x to=y branch=k2
        1.05 Q>B ACK cseq=2 from=x to=y branch=k3
        5.00 B>Q BYE cseq=1 from=y to=x branch=b1
        5.01 Q>P BYE cseq=1 from=y to=x branch=b2
        5.02 P>A BYE cseq=1 from=y to=x branch=b3
        5.03 A>P 200 OK cseq=1,BYE from=y to=x branch=b3
        """,
        "completed", 200, "challenged", 1,
    ),
    "3.8 unsuccessful no answer": (INVITE + RINGING + CANCEL + GONE, "cancelled", 487, "none", 1),
    "3.9 unsuccessful busy": (INVITE + "1 B>A 486 Busy from=x to=y\n1.1 A>B ACK from=x to=y", "busy", 486, "none", 0),
    "3.10 unsuccessful no response": (
        INVITE + TRYING + "32 B>A 408 Timeout from=x to=z\n32.1 A>B ACK from=x to=z", "failed", 408, "none", 0,
    ),
    "3.11 unsuccessful temporarily unavailable": (
        INVITE + RINGING + "9 B>A 480 Unavailable from=x to=y\n9.1 A>B ACK from=x to=y", "no-answer", 480, "none", 1,
    ),
    "3.6 session with re-INVITE": (INVITE + ANSWER + REFUSED + BYE + BYE_OK, "completed", 200, "none", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOWS)
def test_the_flows_of_rfc_3665(name: str) -> None:
    script, state, status, auth, dialogs = FLOWS[name]
    only = call(script)
    assert (only.state, only.status_code, only.auth, only.dialogs) == (state, status, auth, dialogs)


# ---- anything at all
METHODS = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "PRACK",
    "UPDATE",
    "INFO",
    "NOTIFY",
    "SUBSCRIBE",
    "REFER",
    "REGISTER",
    "ODD",
]


@st.composite
def wild_scripts(draw: st.DrawFn) -> str:
    lines = []
    for number in range(draw(st.integers(1, 16))):
        ends = draw(st.sampled_from(["A>B", "B>A", "A>P", "P>B", "P>A", "B>P", "A:1>A:2", "A:2>A:1"]))
        method = draw(st.sampled_from(METHODS))
        status = draw(st.sampled_from([0, 0, 0, 100, 180, 183, 200, 202, 302, 401, 407, 408, 486, 487, 503, 603, 799]))
        what = f"{status} Reason cseq={draw(st.integers(1, 2))},{method}" if status else f"{method} cseq={number % 3}"
        tags = {side: draw(st.sampled_from(["-", "x", "y", "z"])) for side in ("from", "to")}
        lines.append(
            f"{number / 10} {ends} {what} from={tags['from']} to={tags['to']} "
            f"call={draw(st.sampled_from(['c', 'd', '-']))} branch={draw(st.sampled_from(['p', 'q', '-']))}"
        )
    return "\n".join(lines)


@settings(max_examples=300)
@given(wild_scripts())
def test_whatever_the_messages_say_calls_are_as_the_naive_twin_groups_them(script: str) -> None:
    messages = table(script)
    transactions = match_transactions(messages, Options())
    dialogs = track_dialogs(messages, transactions, Options())
    calls = build_calls(messages, transactions, dialogs, 0, Options())
    assert {call.call_id: (call.rows, call.partial) for call in calls} == naive_calls(messages)
    for found in calls:
        assert found.messages == len(found.rows)
        assert found.dialogs == len({id(each) for each in dialogs if each.call_id == found.call_id})
        assert not found.partial or (found.start, found.released_by, found.caller) == (None, None, None)
        assert (found.state == "completed") <= (found.first_bye is not None or found.partial)
        if found.answered is not None:
            assert found.state in ("in-call", "completed")
    pairs = [(each.call_id, frozenset((each.from_tag, each.to_tag))) for each in dialogs]
    assert len(pairs) == len(set(pairs))


# ---- size
def test_many_messages_of_one_call_id_take_linear_time() -> None:
    lines = [f"{n * 0.1:.1f} A:{1024 + n}>B INVITE cseq={n} from=x" for n in range(1500)]
    lines += [f"{n * 0.1 + 0.05:.2f} B>A:{1024 + n} 180 R cseq={n},INVITE from=x to=t{n}" for n in range(1500)]
    started = clock.perf_counter()
    assert call("\n".join(lines)).dialogs == 1500
    assert clock.perf_counter() - started < 4
