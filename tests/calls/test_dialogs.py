"""Dialogs: which there are, and their states (RFC 3261 section 12, RFC 6665 section 4)."""

from __future__ import annotations

import pytest

from sipanalyzer.calls.dialogs import TRANSITIONS, track_dialogs
from sipanalyzer.calls.transactions import match_transactions
from sipanalyzer.options import Options
from sipanalyzer.result import Dialog
from tests.calls.words import NS, table


def tracked(script: str) -> list[Dialog]:
    messages = table(script)
    return track_dialogs(messages, match_transactions(messages, Options()), Options())


INVITE = "0.0 A>B INVITE from=x\n"
RINGING = "1.0 B>A 180 Ringing from=x to=y\n"
ANSWER = "2.0 B>A 200 OK from=x to=y\n2.1 A>B ACK branch=z9hG4bKack from=x to=y\n"
BYE = "9.0 A>B BYE cseq=2 from=x to=y\n9.1 B>A 200 OK cseq=2,BYE from=x to=y\n"


def test_a_dialog_is_early_then_confirmed_then_terminated() -> None:
    (early,) = tracked(INVITE + RINGING)
    assert (early.state, early.start, early.confirmed, early.end) == ("early", NS, None, None)
    (confirmed,) = tracked(INVITE + RINGING + ANSWER)
    assert (confirmed.state, confirmed.start, confirmed.confirmed, confirmed.end) == ("confirmed", NS, 2 * NS, None)
    (ended,) = tracked(INVITE + RINGING + ANSWER + BYE)
    assert (ended.state, ended.confirmed, ended.end) == ("terminated", 2 * NS, 9 * NS)
    assert (ended.from_tag, ended.to_tag) == ("x", "y")
    assert (ended.local_uri, ended.remote_uri) == ("sip:alice@example.com", "sip:bob@example.com")


def test_a_100_and_a_provisional_without_tag_make_no_dialog() -> None:
    assert tracked(INVITE + "0.1 B>A 100 Trying from=x to=y\n0.2 B>A 180 Ringing from=x") == []


def test_the_pair_of_tags_is_unordered() -> None:
    (only,) = tracked(INVITE + ANSWER + "9.0 B>A BYE cseq=7 from=y to=x\n")
    assert only.state == "terminated" and (only.from_tag, only.to_tag) == ("x", "y")


def test_both_hops_of_a_proxy_show_one_dialog() -> None:
    (only,) = tracked("""
    0.0 A>P INVITE from=x branch=z9hG4bK1
    0.1 P>B INVITE from=x branch=z9hG4bK2
    1.0 B>P 200 OK from=x to=y branch=z9hG4bK2
    1.1 P>A 200 OK from=x to=y branch=z9hG4bK1
    """)
    assert only.start == NS


def test_forks_make_several_dialogs_and_one_answer_confirms_one() -> None:
    script = """
    0.0 A>P INVITE from=x
    1.0 P>A 180 Ringing from=x to=b
    1.1 P>A 180 Ringing from=x to=c
    2.0 P>A 200 OK from=x to=c
    """
    assert [(d.to_tag, d.state) for d in tracked(script)] == [("b", "early"), ("c", "confirmed")]
    later = tracked(script + "40.0 A>P OPTIONS from=x branch=o call=o")
    assert [(d.to_tag, d.state, d.end) for d in later] == [("b", "terminated", 34 * NS), ("c", "confirmed", None)]


def test_a_failure_ends_the_early_dialogs_of_its_branch_only() -> None:
    found = tracked("""
    0.0 P>B INVITE from=x branch=z9hG4bKb
    0.0 P>C INVITE from=x branch=z9hG4bKc
    1.0 B>P 180 Ringing from=x to=b branch=z9hG4bKb
    1.1 C>P 180 Ringing from=x to=c branch=z9hG4bKc
    2.0 B>P 486 Busy from=x to=b branch=z9hG4bKb
    """)
    assert [(d.to_tag, d.state, d.end) for d in found] == [("b", "terminated", 2 * NS), ("c", "early", None)]


def test_cancel_ends_an_early_dialog_and_the_487_says_when() -> None:
    cancel = "3.0 A>B CANCEL branch=z9hG4bKINVITE1 from=x\n"
    (only,) = tracked(INVITE + RINGING + cancel)
    assert (only.state, only.end) == ("terminated", 3 * NS)
    (only,) = tracked(INVITE + RINGING + cancel + "3.5 B>A 487 Gone from=x to=y\n3.6 A>B ACK from=x to=y")
    assert (only.state, only.end) == ("terminated", 7 * NS // 2)


def test_a_cancel_that_crosses_the_2xx_ends_nothing() -> None:
    (only,) = tracked(INVITE + RINGING + "1.9 A>B CANCEL branch=z9hG4bKINVITE1 from=x\n" + ANSWER)
    assert (only.state, only.end, only.confirmed) == ("confirmed", None, 2 * NS)


def test_a_bye_ends_an_early_dialog() -> None:
    (only,) = tracked(INVITE + RINGING + BYE)
    assert (only.state, only.confirmed, only.end) == ("terminated", None, 9 * NS)


def test_a_failed_reinvite_leaves_the_dialog_confirmed() -> None:
    (only,) = tracked(
        INVITE + ANSWER + "5.0 A>B INVITE cseq=2 from=x to=y\n5.1 B>A 488 No cseq=2,INVITE from=x to=y\n"
        "5.2 A>B ACK cseq=2 from=x to=y"
    )
    assert only.state == "confirmed"


@pytest.mark.parametrize("method", ["INVITE", "ACK", "UPDATE", "INFO", "NOTIFY"])
def test_a_dialog_up_before_the_capture_is_confirmed_at_an_unknown_time(method: str) -> None:
    (only,) = tracked(f"5.0 A>B {method} cseq=9 from=x to=y")
    assert (only.state, only.start, only.confirmed) == ("confirmed", 5 * NS, None)


def test_a_dialog_first_seen_in_its_bye_is_terminated() -> None:
    (only,) = tracked("5.0 A>B BYE cseq=9 from=x to=y")
    assert (only.state, only.start, only.end) == ("terminated", 5 * NS, 5 * NS)


def test_the_ack_of_a_failure_makes_no_dialog() -> None:
    assert tracked(INVITE + "1 B>A 486 Busy from=x to=y\n1.1 A>B ACK from=x to=y") == []
    assert tracked("1 B>A 486 Busy from=x to=y\n1.1 A>B ACK from=x to=y") == []
    # its failure was not captured, but it has the branch of its INVITE
    assert tracked(INVITE + "1.1 A>B ACK from=x to=y branch=z9hG4bKINVITE1") == []


def test_register_options_and_message_make_no_dialog() -> None:
    for method in ("REGISTER", "OPTIONS", "MESSAGE", "PUBLISH"):
        assert tracked(f"0 A>B {method} from=x\n1 B>A 200 OK cseq=1,{method} from=x to=y") == []


def test_a_subscription_is_a_dialog_until_its_notify_says_terminated() -> None:
    script = """
    0.0 A>B SUBSCRIBE from=x
    0.1 B>A 200 OK cseq=1,SUBSCRIBE from=x to=y
    0.2 B>A NOTIFY cseq=1 from=y to=x | Subscription-State: active;expires=60
    """
    assert [d.state for d in tracked(script)] == ["confirmed"]
    (only,) = tracked(script + "9.0 B>A NOTIFY cseq=2 from=y to=x | Subscription-State: Terminated;reason=timeout")
    assert (only.state, only.end, only.from_tag) == ("terminated", 9 * NS, "x")


def test_a_notify_that_overtakes_the_2xx_makes_the_dialog_of_the_subscriber() -> None:
    (only,) = tracked("""
    0.0 A>B SUBSCRIBE from=x
    0.1 B>A NOTIFY cseq=1 from=y to=x fu=sip:bob@h tu=sip:alice@h | Subscription-State: active
    0.2 B>A 200 OK cseq=1,SUBSCRIBE from=x to=y
    """)
    assert (only.from_tag, only.to_tag, only.local_uri, only.start) == ("x", "y", "sip:alice@h", NS // 10)


def test_the_end_of_a_refer_subscription_leaves_the_call_up() -> None:
    (only,) = tracked(
        INVITE
        + ANSWER
        + """
    5.0 A>B REFER cseq=2 from=x to=y
    5.1 B>A 202 Accepted cseq=2,REFER from=x to=y
    5.2 B>A NOTIFY cseq=1 from=y to=x | Subscription-State: terminated;reason=noresource
    """
    )
    assert only.state == "confirmed"


def test_the_route_set_is_the_record_route_of_the_answer() -> None:
    (only,) = tracked(
        INVITE
        + "1.0 B>A 180 Ringing from=x to=y | Record-Route: <sip:p1;lr>\n"
        + "2.0 B>A 200 OK from=x to=y | Record-Route: <sip:p2;lr> | record-route: <sip:p3;lr>\n"
    )
    assert only.route_set == "<sip:p2;lr>, <sip:p3;lr>"
    (none,) = tracked(INVITE + ANSWER)
    assert none.route_set is None


def test_a_2xx_without_tag_makes_a_dialog_with_the_null_tag() -> None:
    (only,) = tracked(INVITE + "1 B>A 200 OK from=x")
    assert (only.to_tag, only.state) == ("", "confirmed")
    (only,) = tracked(INVITE + "1 B>A 200 OK from=x\n9 A>B BYE cseq=2 from=x to=-")
    assert only.state == "terminated"
    assert tracked("9 A>B BYE cseq=2 from=x to=-") == []


def test_calls_do_not_share_dialogs() -> None:
    assert len(tracked("0 B>A 200 OK from=x to=y call=1\n0 B>A 200 OK from=x to=y call=2\n0 B>A 200 OK call=-")) == 2


def test_no_state_leads_back_to_early() -> None:
    assert all(state == "none" for (state, _), target in TRANSITIONS.items() if target == "early")
    assert not any(state == "terminated" for state, _ in TRANSITIONS)


def test_a_refer_accepted_in_an_early_dialog_does_not_confirm_it() -> None:
    (only,) = tracked(INVITE + RINGING + "1.5 A>B REFER cseq=2 from=x to=y\n1.6 B>A 202 OK cseq=2,REFER from=x to=y")
    assert only.state == "early"
