"""The final response that counts: retries, re-INVITEs, and what happens inside the dialog."""

from __future__ import annotations

from tests.calls.scripts import ACK, ANSWER, CANCEL, GONE, INVITE, OK, REFUSED, RINGING, call
from tests.calls.words import NS, seconds


# ---- retries that are no authentication
def test_the_last_of_several_failures_counts() -> None:
    only = call(
        "0 A>B INVITE from=x\n1 B>A 302 Moved from=x to=p\n1.1 A>B ACK from=x to=p\n2 A>C INVITE cseq=2 from=x\n"
        "3 C>A 486 Busy cseq=2,INVITE from=x to=q"
    )
    assert (only.state, only.status_code, only.dst, only.end) == ("busy", 486, ("10.0.0.2", 5060), 3 * NS)


def test_a_failure_that_was_tried_again_elsewhere_does_not_count_while_that_is_pending() -> None:
    script = (
        "0 A>B INVITE from=x\n1 B>A 503 No from=x to=p\n1.1 A>B ACK from=x to=p\n2 A>C INVITE branch=z9hG4bKn from=x\n"
    )
    assert call(script + "3 C>A 180 Ringing branch=z9hG4bKn from=x to=q").state == "ringing"
    assert call(script + "3 C>A 200 OK branch=z9hG4bKn from=x to=q").state == "in-call"


def test_a_cancel_of_an_earlier_try_does_not_cancel_the_next() -> None:
    only = call(
        INVITE + RINGING + CANCEL + GONE + "6 A>B INVITE cseq=2 from=x\n7 B>A 486 Busy cseq=2,INVITE from=x to=q"
    )
    assert (only.state, only.status_code) == ("busy", 486)


# ---- inside the dialog


def test_a_reinvite_is_no_new_call_and_its_status_never_counts() -> None:
    only = call(INVITE + ANSWER + REFUSED)
    assert (only.state, only.status_code, only.start, only.answered, only.end) == ("in-call", 200, 0, 3 * NS, None)
    glare = (
        "6.0 B>A INVITE cseq=9 from=y to=x\n6.1 A>B 491 Pending cseq=9,INVITE from=y to=x\n"
        "6.2 B>A ACK cseq=9 from=y to=x\n"
    )
    held = (
        "7.0 B>A INVITE cseq=10 from=y to=x\n7.1 A>B 200 OK cseq=10,INVITE from=y to=x\n"
        "7.2 B>A ACK cseq=10 from=y to=x branch=k9\n"
    )
    ended = call(INVITE + ANSWER + REFUSED + glare + held + "9 B>A BYE cseq=11 from=y to=x")
    assert (ended.state, ended.status_code, ended.answered, ended.released_by) == ("completed", 200, 3 * NS, "callee")
    assert ended.dialogs == 1


def test_update_prack_info_and_refer_change_nothing() -> None:
    only = call(
        INVITE + RINGING + "1.1 A>B PRACK cseq=2 from=x to=y\n1.2 B>A 200 OK cseq=2,PRACK from=x to=y\n"
        "1.3 A>B UPDATE cseq=3 from=x to=y\n1.4 B>A 200 OK cseq=3,UPDATE from=x to=y\n" + OK + ACK
        + "5 A>B REFER cseq=4 from=x to=y\n5.1 B>A 202 Accepted cseq=4,REFER from=x to=y\n"
        "5.2 B>A NOTIFY cseq=1 from=y to=x | Subscription-State: terminated\n5.3 A>B 200 OK cseq=1,NOTIFY from=y to=x\n"
        "6 A>B INFO cseq=5 from=x to=y\n"
    )  # fmt: skip
    assert (only.state, only.answered, only.dialogs, only.messages) == ("in-call", 3 * NS, 1, 13)


def test_bye_glare_is_one_release_by_the_first() -> None:
    only = call(
        INVITE + ANSWER + "9.00 B>A BYE cseq=7 from=y to=x\n9.01 A>B BYE cseq=2 from=x to=y\n"
        "9.1 A>B 200 OK cseq=7,BYE from=y to=x\n9.2 B>A 200 OK cseq=2,BYE from=x to=y"
    )
    assert (only.released_by, only.first_bye, only.bye_final) == ("callee", 9 * NS, seconds(9.1))


def test_the_answer_to_the_first_bye_counts_though_the_other_was_answered_sooner() -> None:
    only = call(
        INVITE + ANSWER + "9.00 B>A BYE cseq=7 from=y to=x\n9.01 A>B BYE cseq=2 from=x to=y\n"
        "9.02 B>A 200 OK cseq=2,BYE from=x to=y\n9.1 A>B 200 OK cseq=7,BYE from=y to=x"
    )
    assert only.bye_final == seconds(9.1)


def test_a_reinvite_is_none_of_the_tries_even_where_the_challenge_had_the_same_to_tag() -> None:
    only = call(
        "0 A>B INVITE from=x\n0.1 B>A 401 No from=x to=p\n0.3 A>B INVITE cseq=2 from=x | Authorization: D\n"
        "2 B>A 200 OK cseq=2,INVITE from=x to=p\n5 A>B INVITE cseq=3 from=x to=p\n"
        "5.1 B>A 180 Ringing cseq=3,INVITE from=x to=p"
    )
    assert (only.ringing, only.answered) == (None, 2 * NS)
