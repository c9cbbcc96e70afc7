"""Challenges, and whether credentials were taken."""

from __future__ import annotations

import pytest

from tests.calls.scripts import call
from tests.calls.words import NS, seconds

RETRY = """
0.0 A>B INVITE from=x
0.1 B>A 407 Auth from=x to=p
0.2 A>B ACK from=x to=p
0.3 A>B INVITE cseq=2 from=x | Proxy-Authorization: Digest username="a"
"""


def test_an_authenticated_retry_is_the_same_call_and_its_time_counts() -> None:
    only = call(
        RETRY + "1 B>A 180 Ringing cseq=2,INVITE from=x to=y\n3 B>A 200 OK cseq=2,INVITE from=x to=y\n"
        "3.1 A>B ACK cseq=2 from=x to=y branch=k\n9 B>A BYE cseq=5 from=y to=x"
    )
    assert (only.state, only.status_code, only.auth, only.released_by) == ("completed", 200, "challenged", "callee")
    assert (only.start, only.ringing, only.answered, only.acknowledged) == (0, NS, 3 * NS, seconds(3.1))


def test_a_retried_challenge_is_no_final_response() -> None:
    only = call(RETRY + "1 B>A 180 Ringing cseq=2,INVITE from=x to=y")
    assert (only.state, only.status_code, only.end) == ("ringing", None, None)


@pytest.mark.parametrize(
    ("status", "auth"),
    [(401, "failed"), (407, "failed"), (403, "failed"), (404, "challenged"), (486, "challenged"), (503, "challenged")],
)
def test_what_credentials_drew_says_whether_they_were_taken(status: int, auth: str) -> None:
    only = call(RETRY + f"0.4 B>A 100 Trying cseq=2,INVITE from=x\n0.5 B>A {status} Reason cseq=2,INVITE from=x to=q")
    assert (only.auth, only.status_code) == (auth, status)


def test_a_challenge_without_retry_is_a_failure() -> None:
    script = "0.0 A>B INVITE from=x\n0.1 B>A 401 No from=x to=p\n0.2 A>B ACK from=x to=p"
    only = call(script, end=60)
    assert (only.auth, only.state, only.status_code) == ("failed", "rejected", 401)


def test_two_proxies_that_challenge_one_after_the_other_are_no_failure() -> None:
    only = call(
        RETRY + "0.4 B>A 407 Auth cseq=2,INVITE from=x to=q\n0.5 A>B INVITE cseq=3 from=x | Proxy-Authorization: both\n"
        "2 B>A 200 OK cseq=3,INVITE from=x to=y"
    )
    assert (only.auth, only.state) == ("challenged", "in-call")


def test_a_stale_nonce_is_no_failure() -> None:
    stale = RETRY + '0.4 B>A 407 Auth cseq=2,INVITE from=x to=q | Proxy-Authenticate: Digest realm="r", stale=TRUE\n'
    assert call(stale).auth == "challenged"
    assert call(stale, end=60).auth == "failed"  # nobody tried again
    retried = (
        stale
        + "0.5 A>B INVITE cseq=3 from=x | Proxy-Authorization: Digest\n1 B>A 180 Ringing cseq=3,INVITE from=x to=y"
    )
    assert call(retried, end=60).auth == "challenged"


def test_credentials_that_nobody_asked_for_are_no_challenge() -> None:
    only = call("0 A>B INVITE from=x | Authorization: Digest\n1 B>A 200 OK from=x to=y")
    assert only.auth == "none"


def test_a_challenge_behind_the_proxy_is_not_the_callers() -> None:
    only = call("""
    0.00 A>P INVITE from=x branch=a
    0.01 P>T INVITE from=x branch=p1 vias=2
    0.02 T>P 407 Auth from=x to=t branch=p1
    0.03 P>T ACK from=x to=t branch=p1
    0.04 P>T INVITE cseq=1 from=x branch=p2 vias=2 | Proxy-Authorization: D
    0.05 T>P 200 OK from=x to=y branch=p2
    0.06 P>A 200 OK from=x to=y branch=a
    """)
    assert (only.auth, only.status_code, only.answered) == ("none", 200, seconds(0.06))


def test_a_client_that_keeps_the_to_tag_of_the_challenge_still_retries() -> None:
    only = call(
        "0.0 A>B INVITE from=x\n0.1 B>A 401 No from=x to=p\n0.2 A>B ACK from=x to=p\n"
        "0.3 A>B INVITE cseq=2 from=x to=p | Authorization: D\n2 B>A 200 OK cseq=2,INVITE from=x to=p\n"
        "2.1 A>B ACK cseq=2 from=x to=p branch=k\n"
        "5 A>B INVITE cseq=3 from=x to=p\n5.1 B>A 488 No cseq=3,INVITE from=x to=p\n5.2 A>B ACK cseq=3 from=x to=p"
    )
    assert (only.state, only.status_code, only.answered) == ("in-call", 200, 2 * NS)


def test_a_registration_under_the_same_call_id_is_not_the_calls_authentication() -> None:
    only = call(
        "0 A>B REGISTER cseq=1 from=x\n0.1 B>A 401 No cseq=1,REGISTER from=x to=r\n"
        "1 A>B INVITE cseq=2 from=x\n2 B>A 200 OK cseq=2,INVITE from=x to=y"
    )
    assert (only.auth, only.start, only.messages) == ("none", NS, 4)
