"""Transactions and copies: numbers worked by hand, and a slow obvious twin."""

from __future__ import annotations

import time as clock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.calls.transactions import classify_copies, match_transactions
from sipanalyzer.options import Options
from sipanalyzer.result import Transaction
from tests.calls.words import NS, table
from tests.naive.calls import naive_copies, naive_transactions

MS = 1_000_000


def matched(script: str) -> list[Transaction]:
    return match_transactions(table(script), Options())


def copies(*entries: tuple[int, int, int, int]) -> tuple[list[bool], list[bool]]:
    whole, src, dst, ms = (np.array(column, np.int64) for column in zip(*entries, strict=True))
    again, duplicate = classify_copies(whole, src, dst, ms * MS, Options())
    return again.tolist(), duplicate.tolist()


def test_the_same_bytes_after_50_ms_are_a_retransmission_and_sooner_a_duplicate() -> None:
    assert copies((1, 0, 1, 0), (1, 0, 1, 49), (1, 0, 1, 99)) == ([False, False, True], [False, True, False])


def test_a_copy_is_measured_against_the_copy_before_it() -> None:
    # a mirror port doubles the message and its retransmission
    assert copies((1, 0, 1, 0), (1, 0, 1, 1), (1, 0, 1, 500), (1, 0, 1, 501)) == (
        [False, False, True, False],
        [False, True, False, True],
    )


def test_the_same_bytes_at_other_endpoints_are_another_hop() -> None:
    assert copies((1, 0, 1, 0), (1, 1, 2, 1), (1, 2, 1, 600), (2, 0, 1, 600)) == ([False] * 4, [False] * 4)


def test_no_message_and_one_message_have_no_copies() -> None:
    empty = np.zeros(0, np.int64)
    assert [len(column) for column in classify_copies(empty, empty, empty, empty, Options())] == [0, 0]
    assert copies((1, 0, 1, 0)) == ([False], [False])
    assert match_transactions(table(""), Options()) == []


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2), st.integers(0, 300)), max_size=40))
def test_copies_are_as_the_naive_twin_finds_them(entries: list[tuple[int, int, int, int]]) -> None:
    entries = sorted(entries, key=lambda entry: entry[3])
    if entries:
        assert copies(*entries) == naive_copies(entries, 50)


PLAIN = """
0.0 A>B INVITE cseq=1 branch=z9hG4bKa from=x
0.1 B>A 100 Trying cseq=1,INVITE branch=z9hG4bKa from=x
0.2 B>A 180 Ringing cseq=1,INVITE branch=z9hG4bKa from=x to=y
3.0 B>A 200 OK cseq=1,INVITE branch=z9hG4bKa from=x to=y
3.1 A>B ACK cseq=1 branch=z9hG4bKb from=x to=y
9.0 B>A BYE cseq=7 branch=z9hG4bKc from=y to=x
9.2 A>B 200 OK cseq=7,BYE branch=z9hG4bKc from=y to=x
"""


def test_a_plain_call_is_three_transactions_and_the_ack_of_a_2xx_is_one_of_them() -> None:
    invite, ack, bye = matched(PLAIN)
    assert (invite.method, invite.rows, invite.status_code) == ("INVITE", (0, 1, 2, 3), 200)
    assert (invite.start, invite.first_response, invite.final_response) == (0, NS // 10, 3 * NS)
    assert (ack.method, ack.rows, ack.status_code, ack.first_response) == ("ACK", (4,), None, None)
    assert (bye.method, bye.rows, bye.src) == ("BYE", (5, 6), ("10.0.0.2", 5060))
    assert invite.branch == "z9hG4bKa" and invite.first_frame == 1


def test_the_ack_of_a_non_2xx_joins_its_invite() -> None:
    (only,) = matched("""
    0.0 A>B INVITE from=x branch=z9hG4bKa
    0.1 B>A 486 Busy from=x to=y branch=z9hG4bKa
    0.2 A>B ACK from=x to=y branch=z9hG4bKa
    """)
    assert only.rows == (0, 1, 2) and only.status_code == 486


def test_the_ack_of_a_non_2xx_joins_by_its_to_tag_where_its_branch_is_new() -> None:
    (only,) = matched("""
    0.0 A>B INVITE from=x branch=1
    0.1 B>A 486 Busy from=x to=y branch=1
    0.2 A>B ACK from=x to=y branch=2
    """)
    assert only.rows == (0, 1, 2)


def test_the_ack_of_a_2xx_is_its_own_even_with_the_branch_of_the_invite() -> None:
    invite, ack = matched("""
    0.0 A>B INVITE from=x branch=z9hG4bKa
    0.1 B>A 200 OK from=x to=y branch=z9hG4bKa
    0.2 A>B ACK from=x to=y branch=z9hG4bKa
    0.7 A>B ACK from=x to=y branch=z9hG4bKa
    """)
    assert invite.rows == (0, 1)
    assert ack.rows == (2, 3) and ack.retransmissions == 1


def test_a_cancel_is_its_own_transaction_on_the_branch_of_its_invite() -> None:
    invite, cancel = matched("""
    0.0 A>B INVITE from=x branch=z9hG4bKa
    0.1 B>A 180 Ringing from=x to=y branch=z9hG4bKa
    1.0 A>B CANCEL cseq=1 from=x branch=z9hG4bKa
    1.1 B>A 200 OK cseq=1,CANCEL from=x to=y branch=z9hG4bKa
    1.2 B>A 487 Terminated cseq=1,INVITE from=x to=y branch=z9hG4bKa
    1.3 A>B ACK cseq=1 from=x to=y branch=z9hG4bKa
    """)
    assert (invite.rows, invite.status_code) == ((0, 1, 4, 5), 487)
    assert (cancel.rows, cancel.status_code) == ((2, 3), 200)


def test_each_hop_of_a_proxy_is_a_transaction() -> None:
    first, second = matched("""
    0.00 A>P INVITE from=x branch=z9hG4bKa
    0.01 P>B INVITE from=x branch=z9hG4bKp vias=2
    0.10 B>P 200 OK from=x to=y branch=z9hG4bKp vias=2
    0.11 P>A 200 OK from=x to=y branch=z9hG4bKa
    """)
    assert first.rows == (0, 3) and second.rows == (1, 2)


def test_a_response_from_another_port_still_answers_its_request() -> None:
    (only,) = matched("""
    0.0 A:1350>B INVITE from=x branch=z9hG4bKa
    0.1 B:31000>A:5060 200 OK from=x to=y branch=z9hG4bKa
    """)
    assert only.rows == (0, 1)


def test_a_response_from_another_host_still_answers_its_request() -> None:
    (only,) = matched("""
    0.0 A>B INVITE from=x branch=z9hG4bKa
    0.1 C>A 200 OK from=x to=y branch=z9hG4bKa
    """)
    assert only.rows == (0, 1)


def test_both_sides_of_a_nat_stay_two_hops() -> None:
    inner, outer = matched("""
    0.000 A>B INVITE from=x branch=z9hG4bKa
    0.001 N:40000>B INVITE from=x branch=z9hG4bKa
    0.100 B>N:40000 200 OK from=x to=y branch=z9hG4bKa
    0.101 B>A 200 OK from=x to=y branch=z9hG4bKa
    """)
    assert inner.rows == (0, 3) and outer.rows == (1, 2)


def test_a_call_that_a_host_makes_to_itself_through_a_proxy_keeps_its_hops_apart() -> None:
    first, second = matched("""
    0.00 A:5060>P INVITE from=x branch=z9hG4bKa
    0.01 P>A:5062 INVITE from=x branch=z9hG4bKp
    0.10 A:5062>P 200 OK from=x to=y branch=z9hG4bKp
    0.11 P>A:5060 200 OK from=x to=y branch=z9hG4bKa
    """)
    assert first.rows == (0, 3) and second.rows == (1, 2)


def test_without_a_branch_call_id_cseq_tag_and_request_uri_are_the_key() -> None:
    first, second, third = matched("""
    0.0 A>B INVITE from=x branch=- uri=sip:1@h
    0.1 A>B INVITE from=x branch=- uri=sip:2@h
    0.2 A>B INVITE from=z branch=- uri=sip:1@h
    0.3 B>A 200 OK from=x to=y branch=-
    0.4 B>A 486 Busy from=z to=y branch=-
    """)
    assert first.rows == (0,) and second.rows == (1, 3) and third.rows == (2, 4)
    assert first.branch is None


def test_retransmissions_are_counted_in_their_transaction() -> None:
    (only,) = matched("""
    0.0 A>B INVITE from=x
    0.5 A>B INVITE from=x
    1.5 A>B INVITE from=x
    1.6 B>A 404 No from=x to=y
    2.1 B>A 404 No from=x to=y
    """)
    assert only.retransmissions == 3 and len(only.rows) == 5


def test_the_status_is_the_last_provisional_where_no_final_came() -> None:
    (only,) = matched("0 A>B INVITE\n1 B>A 100 Trying\n2 B>A 183 Progress to=y")
    assert (only.status_code, only.final_response, only.first_response) == (183, None, NS)


def test_a_response_without_request_is_in_no_transaction() -> None:
    assert matched("0 B>A 200 OK from=x to=y") == []


def test_the_same_key_in_another_call_is_another_transaction() -> None:
    assert len(matched("0 A>B OPTIONS call=1 branch=s\n1 A>B OPTIONS call=2 branch=s")) == 2


def test_a_message_without_call_id_is_in_no_transaction() -> None:
    assert matched("0 A>B OPTIONS call=-") == []


def test_hostile_messages_of_one_key_take_linear_time() -> None:
    lines = [f"{n * 0.06:.2f} h{n}>B INVITE from=x branch=z" for n in range(3000)]
    started = clock.perf_counter()
    assert len(matched("\n".join(lines))) == 3000
    assert clock.perf_counter() - started < 4


@st.composite
def scripts(draw: st.DrawFn) -> str:
    lines = []
    for number in range(draw(st.integers(1, 14))):
        ends = draw(st.sampled_from(["A>B", "B>A", "A:1>B", "B:7>A", "B>C", "C>B"]))
        what = draw(st.sampled_from(["INVITE", "ACK", "CANCEL", "BYE", "100 T", "180 R", "200 O", "486 B", "487 T"]))
        method = "," + draw(st.sampled_from(["INVITE", "BYE", "CANCEL"])) if what[0].isdigit() else ""
        lines.append(
            f"{number / 10} {ends} {what} cseq={draw(st.integers(1, 2))}{method} "
            f"branch={draw(st.sampled_from(['p', 'q', '-']))} to={draw(st.sampled_from(['-', 'y', 'z']))} from=x"
        )
    return "\n".join(lines)


@settings(max_examples=300)
@given(scripts())
def test_transactions_are_as_the_naive_twin_groups_them(script: str) -> None:
    messages = table(script)
    assert [found.rows for found in match_transactions(messages, Options())] == naive_transactions(messages)
