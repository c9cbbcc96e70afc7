"""The hop nearest to the caller."""

from __future__ import annotations

from tests.calls.scripts import PLAIN, PROXY, call
from tests.calls.words import NS, seconds


def test_times_are_taken_at_the_hop_nearest_to_the_caller() -> None:
    only = call(PROXY)
    assert (only.start, only.ringing, only.answered, only.end) == (0, NS, 3 * NS, 9 * NS)
    assert (only.acknowledged, only.bye_final, only.released_by) == (seconds(3.1), seconds(9.1), "callee")
    assert (only.src, only.dst) == (("10.0.0.1", 5060), ("10.0.0.16", 5060))
    assert (only.messages, only.retransmissions, only.dialogs, only.state) == (13, 0, 1, "completed")


def test_the_nearest_hop_is_found_whatever_comes_first_in_the_capture() -> None:
    late = PROXY.replace("0.00 A>P", "0.03 A>P").replace("0.01 P>A 100", "0.04 P>A 100")
    only = call(late)
    assert (only.src, only.start) == (("10.0.0.1", 5060), seconds(0.03))


def test_two_proxies_show_three_hops_and_one_call() -> None:
    only = call("""
    0.00 A>P INVITE from=x branch=a
    0.01 P>Q INVITE from=x branch=p vias=2
    0.02 Q>B INVITE from=x branch=q vias=3
    2.80 B>Q 200 OK from=x to=y branch=q
    2.90 Q>P 200 OK from=x to=y branch=p
    3.00 P>A 200 OK from=x to=y branch=a
    3.10 A>B ACK from=x to=y branch=k
    9.00 A>B BYE cseq=2 from=x to=y
    9.10 B>A 200 OK cseq=2,BYE from=x to=y
    """)
    assert (only.answered, only.acknowledged, only.bye_final) == (3 * NS, seconds(3.1), seconds(9.1))
    assert (only.dst, only.released_by, only.messages) == (("10.0.0.16", 5060), "caller", 9)


def test_a_hop_that_was_not_captured_leaves_the_one_with_fewest_vias() -> None:
    # the proxy has two addresses, so nothing ties its hops together
    only = call(
        "0.01 Q>B INVITE from=x branch=q vias=2\n0.02 A>P INVITE from=x branch=a\n2 P>A 486 Busy from=x to=y branch=a"
    )
    assert (only.src, only.status_code) == (("10.0.0.1", 5060), 486)


FORK = """
0.00 A>P INVITE from=x branch=a
0.01 P>B INVITE from=x branch=pb vias=2
0.01 P>C INVITE from=x branch=pc vias=2
0.50 B>P 180 Ringing from=x to=b branch=pb
0.51 P>A 180 Ringing from=x to=b branch=a
0.60 C>P 180 Ringing from=x to=c branch=pc
0.61 P>A 180 Ringing from=x to=c branch=a
2.00 C>P 200 OK from=x to=c branch=pc
2.01 P>A 200 OK from=x to=c branch=a
2.02 P>B CANCEL from=x branch=pb
2.03 B>P 200 OK cseq=1,CANCEL from=x to=b branch=pb
2.04 B>P 487 Gone from=x to=b branch=pb
2.05 P>B ACK from=x to=b branch=pb
2.10 A>C ACK from=x to=c branch=k
"""


def test_a_forked_call_is_one_call_with_several_dialogs() -> None:
    only = call(FORK + "9 C>A BYE cseq=7 from=c to=x")
    assert (only.state, only.dialogs, only.answered, only.released_by) == ("completed", 2, seconds(2.01), "callee")


def test_a_fork_that_refuses_is_not_what_the_caller_sees() -> None:
    only = call("""
    0.00 A>P INVITE from=x branch=a
    0.01 P>B INVITE from=x branch=pb vias=2
    0.01 P>C INVITE from=x branch=pc vias=2
    0.50 B>P 486 Busy from=x to=b branch=pb
    0.60 C>P 180 Ringing from=x to=c branch=pc
    0.61 P>A 180 Ringing from=x to=c branch=a
    """)
    assert (only.state, only.status_code) == ("ringing", None)


def test_forks_seen_behind_the_proxy_only_are_all_the_callers() -> None:
    only = call(
        "\n".join(
            line
            for line in FORK.splitlines()
            if "A" not in line.split(" ")[1:2][0:1] and ">A" not in line and "A>" not in line
        )
    )
    assert (only.state, only.status_code, only.answered) == ("in-call", 200, 2 * NS)


def test_a_phone_that_calls_itself_through_its_pbx() -> None:
    only = call("""
    0.00 A>P INVITE from=x branch=a
    0.01 P>A INVITE from=x branch=p vias=2
    1.00 A>P 180 Ringing from=x to=y branch=p
    1.01 P>A 180 Ringing from=x to=y branch=a
    2.00 A>P 200 OK from=x to=y branch=p
    2.01 P>A 200 OK from=x to=y branch=a
    2.10 A>P ACK from=x to=y branch=k1
    2.11 P>A ACK from=x to=y branch=k2
    8.00 A>P BYE cseq=7 from=y to=x branch=b1
    8.01 P>A BYE cseq=7 from=y to=x branch=b2
    8.10 A>P 200 OK cseq=7,BYE from=y to=x branch=b2
    8.11 P>A 200 OK cseq=7,BYE from=y to=x branch=b1
    """)
    assert (only.ringing, only.answered, only.acknowledged) == (seconds(1.01), seconds(2.01), seconds(2.1))
    assert (only.first_bye, only.released_by, only.state) == (seconds(8.01), "callee", "completed")


def test_a_proxy_on_loopback_is_told_from_the_phones_by_its_port() -> None:
    ports = {"A>P": "L:5080>L:5060", "P>A": "L:5060>L:5080", "P>B": "L:5060>L:5090", "B>P": "L:5090>L:5060"}
    script = PROXY
    for words, ends in ports.items():
        script = script.replace(words, ends)
    only = call(script, hosts={"L": "127.0.0.1"})  # type: ignore[arg-type]
    assert (only.start, only.ringing, only.answered, only.end) == (0, NS, 3 * NS, 9 * NS)
    assert only.src == ("127.0.0.1", 5080)


def test_a_bye_on_a_new_connection_is_still_the_callers() -> None:
    only = call(
        "0 A:40000>B INVITE from=x\n1 B>A:40000 200 OK from=x to=y\n5 B:41000>A:5060 BYE cseq=7 from=y to=x",
        transport="TCP",
    )
    assert (only.end, only.released_by, only.transport) == (5 * NS, "callee", "TCP")


def test_ipv6() -> None:
    only = call(PLAIN, hosts={"A": "2001:db8::1", "B": "2001:db8::2"})  # type: ignore[arg-type]
    assert (only.src, only.state) == (("2001:db8::1", 5060), "completed")


def test_a_2xx_that_only_another_hop_shows_answers_the_call_at_an_unknown_time() -> None:
    only = call("""
    0.00 A>P INVITE from=x branch=a
    0.02 P>B INVITE from=x branch=p vias=2
    2.90 B>P 200 Fine from=x to=y branch=p
    3.10 P>B ACK from=x to=y branch=k2
    """)
    assert (only.state, only.status_code, only.reason, only.answered) == ("in-call", 200, "Fine", None)


def test_the_ack_of_the_caller_counts_even_where_another_hop_shows_it_first() -> None:
    only = call(PROXY.replace("3.20 P>B ACK", "3.05 P>B ACK"))
    assert only.acknowledged == seconds(3.1)


def test_who_received_the_invite_first_is_no_caller_whatever_its_vias() -> None:
    # a gateway that stacks two Via headers, and a border controller that hides them
    only = call(
        "0.00 A>P INVITE from=x branch=a vias=2\n0.01 P>B INVITE from=x branch=p\n1 P>A 486 Busy from=x to=y branch=a"
    )
    assert (only.src, only.state) == (("10.0.0.1", 5060), "busy")


def test_the_answer_to_a_bye_is_taken_at_the_callers_hop() -> None:
    only = call(
        "\n".join(PROXY.splitlines()[:-4])
        + """
    9.00 A>P BYE cseq=2 from=x to=y branch=b1
    9.01 P>B BYE cseq=2 from=x to=y branch=b2
    9.05 B>P 200 OK cseq=2,BYE from=x to=y branch=b2
    9.10 P>A 200 OK cseq=2,BYE from=x to=y branch=b1
    """
    )
    assert (only.released_by, only.first_bye, only.bye_final) == ("caller", 9 * NS, seconds(9.1))
