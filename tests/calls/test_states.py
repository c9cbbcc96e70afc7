"""The state rules of the contract, in their order, and what must not disturb them."""

from __future__ import annotations

import pytest

from tests.calls.scripts import ACK, ANSWER, BYE, CANCEL, GONE, INVITE, OK, RINGING, TRYING, call
from tests.calls.words import NS, seconds


def test_rule_1_answered_and_not_released_is_in_call() -> None:
    only = call(INVITE + ANSWER)
    assert (only.state, only.status_code, only.end, only.released_by) == ("in-call", 200, None, None)


@pytest.mark.parametrize("status", [200, 202, 299])
def test_rule_1_any_2xx_answers(status: int) -> None:
    only = call(INVITE + f"3 B>A {status} Fine from=x to=y")
    assert (only.state, only.status_code, only.reason) == ("in-call", status, "Fine")


def test_rule_1_an_ack_inside_the_dialog_proves_a_2xx_that_was_not_captured() -> None:
    only = call(INVITE + RINGING + ACK)
    assert (only.state, only.status_code, only.answered) == ("in-call", None, None)
    assert call(INVITE + RINGING + ACK + BYE).state == "completed"


def test_rule_1_a_bye_of_the_callee_proves_a_2xx_since_he_may_not_end_an_early_dialog() -> None:
    only = call(INVITE + RINGING + "9 B>A BYE cseq=1 from=y to=x")
    assert (only.state, only.released_by, only.answered) == ("completed", "callee", None)


def test_rule_1_every_confirmed_dialog_needs_a_bye() -> None:
    forked = """
    0.0 A>P INVITE from=x
    1.0 P>A 200 OK from=x to=b
    1.1 A>P ACK from=x to=b branch=k1
    1.2 P>A 200 OK from=x to=c
    1.3 A>P ACK from=x to=c branch=k2
    1.4 A>P BYE cseq=2 from=x to=c
    """
    only = call(forked)
    assert (only.state, only.dialogs) == ("in-call", 2)
    assert call(forked + "9.0 P>A BYE cseq=1 from=b to=x").state == "completed"


def test_rule_1_an_early_fork_needs_no_bye() -> None:
    only = call(INVITE + "0.9 B>A 180 Ringing from=x to=z\n" + ANSWER + BYE)
    assert (only.state, only.dialogs) == ("completed", 2)


def test_rule_2_cancelled() -> None:
    only = call(INVITE + RINGING + CANCEL + GONE)
    assert (only.state, only.status_code, only.end, only.released_by) == ("cancelled", 487, seconds(5.2), "caller")


def test_rule_2_cancelled_without_final_response() -> None:
    only = call(INVITE + RINGING + CANCEL, end=100)
    assert (only.state, only.status_code, only.end, only.released_by) == ("cancelled", None, None, "caller")


def test_rule_2_a_bye_before_the_2xx_cancels() -> None:
    only = call(INVITE + RINGING + BYE + "9.1 B>A 200 OK cseq=2,BYE from=x to=y\n9.2 B>A 487 Gone from=x to=y")
    assert (only.state, only.released_by, only.end) == ("cancelled", "caller", 9 * NS)
    assert call(INVITE + RINGING + BYE).state == "cancelled"


def test_rule_2_a_cancel_that_crosses_the_2xx_leaves_the_call_answered() -> None:
    only = call(INVITE + RINGING + "2.9 A>B CANCEL from=x branch=z9hG4bKINVITE1\n" + OK + ACK + BYE)
    assert (only.state, only.released_by, only.answered) == ("completed", "caller", 3 * NS)


def test_rule_2_a_cancel_that_crosses_a_486_leaves_it_busy() -> None:
    only = call(INVITE + RINGING + CANCEL + "5.2 B>A 486 Busy from=x to=y")
    assert (only.state, only.released_by) == ("busy", None)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (486, "busy"), (600, "busy"), (480, "no-answer"), (487, "no-answer"), (300, "redirected"), (302, "redirected"),
        (500, "failed"), (503, "failed"), (400, "rejected"), (403, "rejected"), (404, "rejected"), (488, "rejected"),
        (603, "rejected"), (606, "rejected"), (401, "rejected"), (407, "rejected"),
    ],
)  # fmt: skip
def test_rule_3_the_final_response_decides(status: int, state: str) -> None:
    only = call(INVITE + RINGING + f"5 B>A {status} 'As sent' from=x to=y\n5.1 A>B ACK from=x to=y")
    assert (only.state, only.status_code, only.reason, only.end) == (state, status, "As sent", 5 * NS)
    assert only.answered is None and only.released_by is None


def test_rule_3_a_408_is_no_answer_after_ringing_and_failed_without() -> None:
    timeout = "30 B>A 408 Timeout from=x to=z\n"
    assert call(INVITE + RINGING + timeout).state == "no-answer"
    assert call(INVITE + "1 B>A 183 Progress from=x to=y\n" + timeout).state == "no-answer"
    assert call(INVITE + TRYING + timeout).state == "failed"
    assert call(INVITE + "1 B>A 199 Early from=x to=y\n" + timeout).state == "failed"


def test_rule_4_no_response_for_32_s_is_a_timeout() -> None:
    script = INVITE + "0.5 A>B INVITE from=x\n1.5 A>B INVITE from=x\n"
    only = call(script, end=33.5)
    assert (only.state, only.reason, only.status_code, only.retransmissions) == ("failed", "timeout", None, 2)
    only = call(script, end=33.4)
    assert (only.state, only.reason) == ("setup", None)


def test_rule_4_a_100_is_a_response() -> None:
    assert call(INVITE + TRYING, end=100).state == "setup"


def test_rule_4_a_retry_with_credentials_that_nobody_answers_times_out() -> None:
    script = (
        INVITE
        + "0.1 B>A 401 No from=x to=z\n0.2 A>B ACK from=x to=z\n0.3 A>B INVITE cseq=2 from=x | Authorization: D\n"
    )
    assert (call(script, end=40).state, call(script, end=40).reason) == ("failed", "timeout")
    assert call(script, end=20).state == "setup"


def test_rule_5_ringing_and_setup() -> None:
    assert call(INVITE).state == "setup"
    assert call(INVITE + TRYING).state == "setup"
    assert call(INVITE + "1 B>A 101 Dialog from=x to=y").state == "ringing"
    assert call(INVITE + RINGING, end=500).state == "ringing"


def test_rule_2_the_cancel_of_an_earlier_try_does_not_explain_a_487() -> None:
    only = call(
        INVITE + RINGING + CANCEL + GONE + "6 A>B INVITE cseq=2 from=x\n9 B>A 487 Gone cseq=2,INVITE from=x to=q"
    )
    assert (only.state, only.released_by) == ("no-answer", None)


def test_rule_2_the_cancel_of_a_proxy_is_not_the_callers() -> None:
    only = call("""
    0.00 A>P INVITE from=x branch=a
    0.01 P>B INVITE from=x branch=p vias=2
    30.0 P>B CANCEL from=x branch=p
    30.1 B>P 487 Gone from=x to=y branch=p
    30.2 P>A 487 Gone from=x to=y branch=a
    """)
    assert (only.state, only.released_by) == ("no-answer", None)


def test_rule_3_ringing_after_the_408_came_too_late() -> None:
    assert call(INVITE + TRYING + "30 B>A 408 Timeout from=x to=z\n30.5 B>A 180 Ringing from=x to=y").state == "failed"
