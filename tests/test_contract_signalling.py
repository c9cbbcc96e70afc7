"""The public contract's words on signalling, checked from outside: captures written from scratch, tables read.

Every message is written by :mod:`tests.said`, which knows nothing of sipanalyzer; times are in ms.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import shutil
import subprocess
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
import pytest

import sipanalyzer
from sipanalyzer.cli import main
from tests.builders import START_NS, Packet, udp_frame, write_pcap
from tests.said import ALICE, BOB, HOSTS, Said, cancelled, gone, invite, refused, said, sdp, taken, until

Reader = Callable[..., sipanalyzer.Analysis]


@pytest.fixture
def read(tmp_path: pathlib.Path) -> Reader:
    def _read(*given: Said | list[Said]) -> sipanalyzer.Analysis:
        flat = itertools.chain.from_iterable(each if isinstance(each, list) else [each] for each in given)
        packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in sorted(flat, key=lambda one: one[0])]
        return sipanalyzer.analyze(write_pcap(tmp_path / "capture.pcap", packets))

    return _read


def plain(value: Any) -> Any:
    """A cell as a plain value: None where missing, ms since the beginning for a time."""
    if pd.isna(value):
        return None
    return (value.value - START_NS) / 1e6 if isinstance(value, pd.Timestamp) else value


def row(frame: pd.DataFrame, at: int = 0) -> dict[str, Any]:
    return {name: plain(value) for name, value in frame.iloc[at].items()}


def only(analysis: sipanalyzer.Analysis) -> dict[str, Any]:
    assert len(analysis.calls) == 1
    return row(analysis.calls)


def facts(given: dict[str, Any], names: str) -> list[Any]:
    return [given[name] for name in names.split()]


RING = said(500, "B>A", 180)
OFFER = sdp("8 PCMA/8000", "0 PCMU/8000", "101 telephone-event/8000")
ANSWER = sdp("0 PCMU/8000", "101 telephone-event/8000", host="192.0.2.2")
CREDENTIALS = ["Proxy-Authorization: Digest username=alice"]


# ---- calls: times, states, status
def test_a_plain_call_has_all_its_times_and_nothing_invented(read: Reader) -> None:
    call = only(read(invite(), said(10, "B>A", 100, tags="a"), RING, taken(3000), gone(9000)))
    assert facts(call, "state status_code reason caller callee src dst transport") == [
        "completed", 200, "Reason", "alice", "bob", "192.0.2.1:5060", "192.0.2.2:5060", "UDP",
    ]  # fmt: skip
    assert facts(call, "start ringing answered end") == [0, 500, 3000, 9000]
    assert facts(call, "post_dial_delay_ms setup_latency_ms answer_to_ack_ms disconnect_delay_ms duration_s") == [
        500, 3000, 20, 15, 6,
    ]  # fmt: skip
    assert facts(call, "released_by messages retransmissions dialogs auth partial first_frame last_frame mode") == [
        "caller", 7, 0, 1, "none", False, 1, 7, "session",
    ]  # fmt: skip
    missing = "asserted_identity diversion user_agent server release_cause media_latency_ms codecs dtmf_method one_way"
    assert set(facts(call, missing + " packets lost loss_percent max_jitter_ms")) == {None}


@pytest.mark.parametrize(
    ("status", "state", "after_ringing"),
    [
        (302, "redirected", "redirected"), (404, "rejected", "rejected"), (403, "rejected", "rejected"),
        (408, "failed", "no-answer"), (480, "no-answer", "no-answer"), (486, "busy", "busy"),
        (487, "no-answer", "no-answer"), (488, "rejected", "rejected"), (503, "failed", "failed"),
        (600, "busy", "busy"), (603, "rejected", "rejected"),
    ],
)  # fmt: skip
def test_a_failure_gives_the_state(read: Reader, status: int, state: str, after_ringing: str) -> None:
    for ringing, expected in (([], state), ([RING], after_ringing)):
        call = only(read(invite(), said(10, "B>A", 100, tags="a"), ringing, refused(900, status)))
        assert facts(call, "state status_code end answered duration_s released_by setup_latency_ms") == [
            expected, status, 900, None, None, None, None,
        ]  # fmt: skip
        assert call["post_dial_delay_ms"] == (500 if ringing else None)


@pytest.mark.parametrize(
    ("answers", "state", "ringing"),
    [([100], "setup", None), ([199], "ringing", None), ([100, 181], "ringing", 200), ([183, 180], "ringing", 100)],
)
def test_provisional_responses_give_the_state(read: Reader, answers: list[int], state: str, ringing: int) -> None:
    said_ = [said(100 * k, "B>A", status, tags="a b") for k, status in enumerate(answers, 1)]
    call = only(read(invite(), said_, until(90_000)))
    assert facts(call, "state ringing status_code reason end") == [state, ringing, None, None, None]


@pytest.mark.parametrize(("runs_on", "state"), [(31_999, "setup"), (32_000, "failed")])
def test_no_response_at_all_is_a_timeout_after_32_s(read: Reader, runs_on: int, state: str) -> None:
    call = only(read([invite(ms) for ms in (0, 500, 1500)], until(1500 + runs_on)))
    assert facts(call, "state reason") == [state, "timeout" if state == "failed" else None]
    assert facts(call, "status_code end messages retransmissions") == [None, None, 3, 2]


CANCELS: list[tuple[list[Said], list[Any]]] = [
    ([*cancelled(900), *refused(910, 487)], ["cancelled", 487, 910, None, "caller"]),
    ([*cancelled(900)], ["cancelled", None, None, None, "caller"]),
    ([*cancelled(900, 481), *taken(901), *gone(930)], ["completed", 200, 930, 901, "caller"]),
    ([*cancelled(900), *taken(901)], ["in-call", 200, None, 901, None]),
    ([*cancelled(900, 481), *refused(901, 486)], ["busy", 486, 901, None, None]),
    ([*gone(900), *refused(910, 487)], ["cancelled", 487, 900, None, "caller"]),
    ([*gone(900)], ["cancelled", None, 900, None, "caller"]),
]


@pytest.mark.parametrize(("end", "expected"), CANCELS)
def test_cancel_and_what_crosses_it(read: Reader, end: list[Said], expected: list[Any]) -> None:
    call = only(read(invite(), RING, end))
    assert facts(call, "state status_code end answered released_by") == expected


def test_in_dialog_requests_prove_an_answer_that_was_not_captured(read: Reader) -> None:
    ack = said(3000, "A>B", "ACK", tags="a b")
    called_back = said(5000, "B>A", "BYE", tags="b a", back=True)
    for end, state in (([ack], "in-call"), ([ack, *gone(5000)], "completed"), ([called_back], "completed")):
        call = only(read(invite(), RING, end))
        assert facts(call, "state status_code answered setup_latency_ms duration_s") == [state, *[None] * 4]


def test_in_dialog_requests_after_a_challenge_prove_the_retry_that_was_not_captured(read: Reader) -> None:
    challenged = [invite(), *refused(10, 407)]
    ack = said(3000, "A>B", "ACK", n=2, tags="a b2")
    called_back = said(5000, "B>A", "BYE", tags="b2 a", back=True)
    for end, state in (([ack], "in-call"), ([ack, *gone(5000, 3, "a b2")], "completed"), ([called_back], "completed")):
        call = only(read(challenged, end))
        assert facts(call, "state status_code reason answered auth") == [state, None, None, None, None]


@pytest.mark.parametrize("first", [302, 422, 488, 503])
def test_a_new_invite_after_a_failure_is_the_same_call(read: Reader, first: int) -> None:
    again = [invite(100, 2), said(110, "B>A", 180, n=2, tags="a b2"), *taken(200, 2, "a b2")]
    call = only(read(invite(), refused(10, first), again))
    assert facts(call, "state status_code start ringing answered messages auth dialogs") == [
        "in-call", 200, 0, 110, 200, 7, "none", 1,
    ]  # fmt: skip


@pytest.mark.parametrize("status", [401, 408, 481, 488, 491])
def test_a_failed_re_invite_never_counts(read: Reader, status: int) -> None:
    again = [said(2000, "A>B", "INVITE", n=2), *refused(2010, status, 2)]
    assert facts(only(read(invite(), taken(1000), again)), "state status_code end answered") == [
        "in-call", 200, None, 1000,
    ]  # fmt: skip
    assert facts(only(read(invite(), taken(1000), again, gone(5000, 3))), "state status_code end duration_s") == [
        "completed", 200, 5000, 4,
    ]  # fmt: skip


# ---- calls: the end
def test_the_callee_hangs_up_by_its_tags(read: Reader) -> None:
    end = [said(9000, "B>A", "BYE", tags="b a", back=True), said(9010, "A>B", 200, "BYE", tags="b a", back=True)]
    assert facts(only(read(invite(), taken(1000), end)), "state released_by end disconnect_delay_ms") == [
        "completed", "callee", 9000, 10,
    ]  # fmt: skip


def bye(ms: float, n: int, status: int = 0, tags: str = "a b", h: Iterable[str] = ()) -> list[Said]:
    branch = f"z9hG4bKbye{tags[-1]}{n}"
    answer = [said(ms + 10, "B>A", status, "BYE", n=n, tags=tags, branch=branch)] if status else []
    return [said(ms, "A>B", "BYE", n=n, tags=tags, h=h, branch=branch), *answer]


@pytest.mark.parametrize(
    ("byes", "delay"),
    [
        ([*bye(9000, 2, 481)], 10),
        ([*bye(9000, 2, 407), *bye(9020, 3, 200, h=CREDENTIALS)], 30),
        ([*bye(9000, 2, 401)], None),
        ([*bye(9000, 2), *bye(9500, 2), *bye(11_000, 2, 200)], 2010),
        ([*bye(9000, 2), *bye(12_000, 3, 200)], None),
    ],
)
def test_the_disconnect_delay_is_of_the_first_bye(read: Reader, byes: list[Said], delay: float | None) -> None:
    call = only(read(invite(), taken(1000), byes))
    assert facts(call, "state end duration_s disconnect_delay_ms") == ["completed", 9000, 8, delay]


def test_a_bye_of_another_fork_does_not_answer_the_first(read: Reader) -> None:
    answers = [*taken(1000, tags="a b1"), *taken(1100, tags="a b2")]
    call = only(read(invite(), answers, bye(1200, 2, tags="a b2"), bye(9000, 2, 200, "a b1")))
    assert facts(call, "state dialogs end disconnect_delay_ms duration_s") == ["completed", 2, 1200, None, 0.2]


def test_a_fork_without_bye_keeps_the_call_up(read: Reader) -> None:
    rings = [said(k, "B>A", 180, tags=f"a b{k}") for k in (1, 2, 3)]
    analysis = read(invite(), rings, taken(1000, tags="a b1"), taken(1100, tags="a b2"), gone(1200, 2, "a b2"))
    assert facts(only(analysis), "state dialogs ringing answered answer_to_ack_ms") == ["in-call", 3, 1, 1000, 20]
    assert analysis.dialogs[["to_tag", "state"]].values.tolist() == [
        ["b1", "confirmed"], ["b2", "terminated"], ["b3", "early"],
    ]  # fmt: skip


def test_the_release_cause_is_as_sent(read: Reader) -> None:
    reasons = ['Reason: Q.850;cause=16;text="Normal, clearing"', "Reason: SIP;cause=200"]
    call = only(read(invite(), taken(1000), bye(5000, 2, 200, h=reasons)))
    assert call["release_cause"] == 'Q.850;cause=16;text="Normal, clearing", SIP;cause=200'
    assert only(read(invite(), refused(10, 488, h=['Warning: 304 x "no, not"'])))["release_cause"] == '304 x "no, not"'


# ---- retransmissions, duplicates, hops
@pytest.mark.parametrize(("later", "messages", "again"), [(10, 1, 0), (49.999999, 1, 0), (50, 2, 1), (50.1, 2, 1)])
def test_a_copy_is_a_retransmission_from_50_ms_on(read: Reader, later: float, messages: int, again: int) -> None:
    analysis = read(invite(), invite(later))
    assert facts(only(analysis), "messages retransmissions") == [messages, again]
    assert analysis.messages["retransmission"].tolist() == [False, True][:messages]
    assert analysis.transactions["retransmissions"].tolist() == [again]


def test_resent_2xx_and_acks_count_and_move_no_time(read: Reader) -> None:
    call = only(read(invite(), taken(1000), taken(1500), gone(9000)))
    assert facts(call, "messages retransmissions answered answer_to_ack_ms") == [7, 2, 1000, 20]


def test_without_ack_its_delay_is_missing(read: Reader) -> None:
    call = only(read(invite(), [said(ms, "B>A", 200) for ms in (1000, 1500, 2500)], until(60_000)))
    assert facts(call, "state retransmissions answer_to_ack_ms end") == ["in-call", 2, None, None]


def through_proxy() -> list[Said]:
    p: dict[str, Any] = {"branch": "z9hG4bKp", "h": ["Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa"]}
    return [
        invite(0, way="A>P", branch="z9hG4bKa"), invite(5, way="P>B", **p), said(20, "B>P", 180, **p),
        said(24, "P>A", 180, branch="z9hG4bKa"), said(3000, "B>P", 200, **p), said(3004, "P>A", 200, branch="z9hG4bKa"),
    ]  # fmt: skip


def test_times_are_those_at_the_callers_hop_and_counts_those_of_all(read: Reader) -> None:
    inside = [
        said(3010, "A>P", "ACK"), said(3015, "P>B", "ACK"), said(9000, "A>P", "BYE", n=2),
        said(9004, "P>B", "BYE", n=2), said(9010, "B>P", 200, "BYE", n=2), said(9014, "P>A", 200, "BYE", n=2),
    ]  # fmt: skip
    resent = [invite(1000, way="A>P", branch="z9hG4bKa"), said(3100, "A>P", "ACK"), said(3105, "P>B", "ACK")]
    analysis = read(through_proxy(), inside, resent)
    call = only(analysis)
    assert facts(call, "src dst ringing answered answer_to_ack_ms end disconnect_delay_ms duration_s") == [
        "192.0.2.1:5060", "192.0.2.9:5060", 24, 3004, 6, 9000, 14, 5.996,
    ]  # fmt: skip
    assert facts(call, "messages retransmissions dialogs released_by") == [15, 3, 1, "caller"]
    of_invites = analysis.transactions[analysis.transactions["method"] == "INVITE"]
    assert of_invites[["src", "retransmissions", "first_response_ms", "final_response_ms"]].values.tolist() == [
        ["192.0.2.1:5060", 1, 24, 3004], ["192.0.2.9:5060", 0, 15, 2995],
    ]  # fmt: skip


def test_requests_that_pass_the_proxy_by_belong_to_the_call(read: Reader) -> None:
    inside = [said(3010, "A>B", "ACK"), said(9000, "B>A", "BYE", tags="b a", back=True)]
    call = only(read(through_proxy(), inside))
    assert facts(call, "state answer_to_ack_ms released_by messages") == ["completed", 6, "callee", 8]


def test_a_box_that_hangs_up_both_ways_is_the_network(read: Reader) -> None:
    both = [said(9000, "P>A", "BYE", tags="b a", back=True), said(9001, "P>B", "BYE", n=2)]
    assert only(read(through_proxy(), both))["released_by"] == "network"


def test_the_same_bytes_at_another_hop_are_no_copy(read: Reader) -> None:
    call = only(read(invite(0, way="A>P"), (10, udp_frame(invite()[1][42:], HOSTS["P"], 5060, HOSTS["B"], 5060))))
    assert facts(call, "messages retransmissions") == [2, 0]


def test_a_response_from_another_port_answers_all_the_same(read: Reader) -> None:
    analysis = read(invite(ports=(5060, 5070)), said(9, "B>A", 486, ports=(5099, 5060)))
    assert facts(row(analysis.transactions), "status_code final_response_ms dst") == [486, 9, "192.0.2.2:5070"]


# ---- credentials
def challenge(ms: float, n: int, status: int = 407, h: Iterable[str] = (), asked: Iterable[str] = ()) -> list[Said]:
    return [invite(ms, n, h=h), *refused(ms + 10, status, n, h=asked)]


STALE = ['Proxy-Authenticate: Digest realm="x", stale=true']
RETRY = [invite(20, 2, h=CREDENTIALS)]
ROUNDS: list[tuple[list[Said], list[Any]]] = [
    ([*RETRY, *taken(100, 2)], ["challenged", "in-call", 200]),
    ([*RETRY, *refused(30, 486, 2)], ["challenged", "busy", 486]),
    ([*RETRY, *refused(30, 403, 2)], ["failed", "rejected", 403]),
    ([*RETRY, *refused(30, 407, 2)], ["failed", "rejected", 407]),
    ([*challenge(20, 2, h=CREDENTIALS, asked=STALE), invite(40, 3, h=CREDENTIALS), *taken(50, 3)],
     ["challenged", "in-call", 200]),
    ([*challenge(20, 2, 401, CREDENTIALS), invite(40, 3, h=CREDENTIALS), *taken(50, 3)],
     ["challenged", "in-call", 200]),
    ([until(6000)], ["failed", "rejected", 407]),
    ([*RETRY, said(30, "B>A", 100, n=2, tags="a")], [None, "setup", None]),
    ([*RETRY, said(30, "B>A", 180, n=2)], ["challenged", "ringing", None]),
    ([*RETRY, until(31_000)], [None, "setup", None]),
    ([*RETRY, until(33_000)], ["failed", "failed", None]),
]  # fmt: skip


@pytest.mark.parametrize(("then", "expected"), ROUNDS)
def test_what_credentials_drew_is_the_authentication(read: Reader, then: list[Said], expected: list[Any]) -> None:
    assert facts(only(read(challenge(0, 1), then)), "auth state status_code") == expected


def test_authentication_time_counts(read: Reader) -> None:
    call = only(read(challenge(0, 1), RETRY, said(30, "B>A", 180, n=2), taken(100, 2)))
    assert facts(call, "start post_dial_delay_ms setup_latency_ms messages") == [0, 30, 100, 7]


def test_a_body_holds_no_credentials_and_a_realm_no_stale_nonce(read: Reader) -> None:
    body = invite(20, 2, body=b"\r\nAuthorization: x\r\n", kind="text/plain")
    realm = ['Proxy-Authenticate: Digest realm="x, stale=true"']
    assert only(read(challenge(0, 1), body, taken(100, 2)))["auth"] != "challenged"
    assert only(read(challenge(0, 1), challenge(20, 2, h=CREDENTIALS, asked=realm)))["auth"] == "failed"


# ---- partial calls
PARTIAL: list[tuple[list[Said], list[Any]]] = [
    (gone(0), ["completed", None, 0]),
    ([said(0, "A>B", "ACK")], ["in-call", None, None]),
    ([said(0, "A>B", "PRACK")], ["ringing", None, None]),
    ([said(0, "A>B", "UPDATE")], ["in-call", None, None]),
    ([said(0, "A>B", "INFO")], ["in-call", None, None]),
    ([*cancelled(0), *refused(6, 487)], ["cancelled", 487, 6]),
    ([said(0, "A>B", "INVITE", n=5), *refused(10, 488, 5)], ["in-call", None, None]),
    ([*taken(0), *gone(5000)], ["completed", 200, 5000]),
]


@pytest.mark.parametrize(("given", "expected"), PARTIAL)
def test_a_call_that_began_before_the_capture_is_partial(read: Reader, given: list[Said], expected: list[Any]) -> None:
    call = only(read(given))
    assert bool(call["partial"])
    assert facts(call, "state status_code end") == expected
    unknown = "start caller callee src dst request_uri released_by post_dial_delay_ms setup_latency_ms one_way"
    assert set(facts(call, unknown)) == {None}


@pytest.mark.parametrize("method", ["NOTIFY", "OPTIONS", "SUBSCRIBE", "REFER", "MESSAGE", "REGISTER", "PUBLISH"])
def test_other_methods_make_no_call(read: Reader, method: str) -> None:
    analysis = read(said(0, "A>B", method), said(5, "B>A", 200, method))
    assert len(analysis.calls) == 0
    assert len(analysis.messages) == 2


@pytest.mark.parametrize("method", ["UPDATE", "INFO"])
def test_update_and_info_outside_a_dialog_make_no_call(read: Reader, method: str) -> None:
    assert len(read(said(0, "A>B", method, tags="a"), said(5, "B>A", 200, method)).calls) == 0


# ---- who
@pytest.mark.parametrize(
    ("header", "number", "uri"),
    [
        ('"Doe, \\"J\\" <x@y>; tag=z" <sip:joe@a>', "joe", "sip:joe@a"),
        ("<tel:+49-30-12;phone-context=x>", "+49-30-12", "tel:+49-30-12;phone-context=x"),
        ("<sips:al:secret@x.example:5061;transport=tls>", "al", "sips:al:secret@x.example:5061;transport=tls"),
        ("<sip:pbx.example.com:5070>", "pbx.example.com", "sip:pbx.example.com:5070"),
        ("<sip:%2B49@x;user=phone>", "+49", "sip:%2B49@x;user=phone"),
        ("Anonymous <sip:anonymous@anonymous.invalid>", "anonymous", "sip:anonymous@anonymous.invalid"),
    ],
)
def test_caller_and_callee_are_user_parts(read: Reader, header: str, number: str, uri: str) -> None:
    call = only(read(invite(caller=header, callee=header)))
    assert facts(call, "caller callee from_uri to_uri request_uri") == [number, number, uri, uri, BOB]


def test_identities_are_whole_lists_in_order_of_preference(read: Reader) -> None:
    asserted = ['P-Asserted-Identity: "C, J" <sip:f@c>, <tel:+1>']
    preferred, remote = "P-Preferred-Identity: <sip:p@c>", "Remote-Party-ID: <sip:r@c>;party=calling"
    diverted, history = "Diversion: <sip:d@x>;reason=user-busy", ["History-Info: <sip:h@x>;index=1, <sip:i@x>;index=2"]
    call = only(read(invite(h=[remote, preferred, *asserted, *history, diverted])))
    assert facts(call, "asserted_identity diversion") == [
        '"C, J" <sip:f@c>, <tel:+1>', "<sip:d@x>;reason=user-busy",
    ]  # fmt: skip
    assert only(read(invite(h=[remote, preferred])))["asserted_identity"] == "<sip:p@c>"
    call = only(read(invite(h=[remote, *history])))
    assert facts(call, "asserted_identity diversion") == [
        "<sip:r@c>;party=calling", "<sip:h@x>;index=1, <sip:i@x>;index=2",
    ]  # fmt: skip


def test_products_are_those_of_caller_and_callee(read: Reader) -> None:
    rings = [said(5, "B>A", 100, tags="a", h=["Server: proxy"]), said(9, "B>A", 180, h=["User-Agent: phone"])]
    call = only(read(invite(h=["User-Agent: caller's"]), rings, taken(20, h=["Server: callee's"])))
    assert facts(call, "user_agent server") == ["caller's", "callee's"]


# ---- offer and answer
RELIABLE = ["Require: 100rel", "RSeq: 1"]
SHAPES: list[list[Said]] = [
    [invite(body=OFFER), *taken(1000, body=ANSWER)],
    [invite(), said(1000, "B>A", 200, body=OFFER), said(1020, "A>B", "ACK", body=ANSWER)],
    [invite(), said(9, "B>A", 183, h=RELIABLE, body=OFFER), said(15, "A>B", "PRACK", n=2, body=ANSWER), *taken(1000)],
    [invite(body=OFFER), said(9, "B>A", 183, h=RELIABLE, body=ANSWER), said(15, "A>B", "PRACK", n=2), *taken(1000)],
]


@pytest.mark.parametrize("given", SHAPES)
def test_offer_and_answer_are_found_wherever_they_are(read: Reader, given: list[Said]) -> None:
    call = only(read(given))
    assert facts(call, "codecs_offered codecs_answered codecs") == ["PCMA,PCMU", "PCMU", "PCMU"]


def test_what_was_only_offered_is_not_negotiated(read: Reader) -> None:
    call = only(read(invite(body=OFFER), refused(10, 488)))
    assert facts(call, "codecs_offered codecs_answered codecs") == ["PCMA,PCMU", None, None]


def test_digits_in_info_are_seen(read: Reader) -> None:
    digit = {"body": b"Signal=5\r\nDuration=160\r\n", "kind": "application/dtmf-relay"}
    assert only(read(invite(), taken(1000), said(2000, "A>B", "INFO", n=2, **digit)))["dtmf_method"] == "info"  # type: ignore[arg-type]


# ---- the other tables
def test_dialogs_begin_are_confirmed_and_end(read: Reader) -> None:
    ringing = read(invite(), RING, said(600, "B>A", 200, h=["Record-Route: <sip:p;lr>"]), gone(5000)).dialogs
    assert facts(row(ringing), "from_tag to_tag state start confirmed end local_uri remote_uri route_set") == [
        "a", "b", "terminated", 500, 600, 5000, ALICE, BOB, "<sip:p;lr>",
    ]  # fmt: skip
    assert facts(row(read(invite(), RING).dialogs), "state confirmed end") == ["early", None, None]
    assert facts(row(read(invite(), RING, refused(700, 486)).dialogs), "state confirmed end") == [
        "terminated", None, 700,
    ]  # fmt: skip
    assert len(read(invite(), said(9, "B>A", 100), said(10, "B>A", 180, tags="a"), refused(20, 486)).dialogs) == 0


def test_a_transaction_is_a_request_with_its_responses_at_one_hop(read: Reader) -> None:
    table = read(invite(), said(10, "B>A", 100, tags="a"), RING, refused(900, 486), until(2000)).transactions
    names = "method src dst first_response_ms final_response_ms status_code retransmissions"
    assert len(table) == 1
    assert facts(row(table), names) == ["INVITE", "192.0.2.1:5060", "192.0.2.2:5060", 10, 900, 486, 0]
    answered = read(invite(), taken(100)).transactions
    assert answered["method"].tolist() == ["INVITE", "ACK"]
    assert facts(row(answered, 1), "first_response_ms final_response_ms status_code") == [None] * 3


def test_messages_say_what_they_are(read: Reader) -> None:
    table = read(invite(h=["User-Agent: x"], body=OFFER), said(5, "B>A", 486, phrase="Busy, now")).messages
    names = "frame method status_code reason cseq cseq_method user_agent to_tag content_type content_length summary"
    assert facts(row(table), names) == [
        1, "INVITE", None, None, 1, "INVITE", "x", None, "application/sdp", len(OFFER), f"INVITE {BOB}",
    ]  # fmt: skip
    assert facts(row(table, 1), names) == [
        2, None, 486, "Busy, now", 1, "INVITE", None, "b", None, 0, "486 Busy, now (INVITE)",
    ]  # fmt: skip
    ms, frame = invite()
    unnamed = read((ms, udp_frame(frame[42:].replace(b"Content-Length: 0\r\n", b""), HOSTS["A"], 5060, HOSTS["B"])))
    assert row(unnamed.messages)["content_length"] is None


def test_equal_times_keep_the_order_of_frames(read: Reader) -> None:
    analysis = read(*[invite(0, call_id=name) for name in "zam"])
    assert analysis.calls["call_id"].tolist() == analysis.messages["call_id"].tolist() == ["z", "a", "m"]


def test_missing_tags_are_missing_in_every_format(
    read: Reader, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read(invite(), taken(100, tags="a"), gone(1000, tags="a"))
    command = ["dialogs", str(tmp_path / "capture.pcap"), "--format"]
    assert main([*command, "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["to_tag"] is None
    assert main([*command, "csv"]) == 0
    assert "c1,a,,terminated," in capsys.readouterr().out


@pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")
def test_the_display_filter_shows_the_call_in_wireshark(read: Reader, tmp_path: pathlib.Path) -> None:
    analysis = read(invite(call_id='we"ird\\x@y,;'), invite(1, call_id="other"))
    found = analysis.calls["wireshark_filter"][0]
    shown = subprocess.run(
        ["tshark", "-n", "-r", str(tmp_path / "capture.pcap"), "-Y", found, "-T", "fields", "-e", "frame.number"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.split() == ["1"]
