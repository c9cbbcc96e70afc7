"""Who ended a call, and why."""

from __future__ import annotations

import pytest

from tests.calls.scripts import ANSWER, BYE, GONE, INVITE, PLAIN, RINGING, call
from tests.calls.words import NS, seconds


def test_released_by_the_callee_by_its_tags() -> None:
    assert call(INVITE + ANSWER + "9 B>A BYE cseq=7 from=y to=x").released_by == "callee"


BOTH_WAYS = """
0.00 A>P INVITE from=x branch=a
0.01 P>B INVITE from=x branch=p vias=2
1.00 B>P 200 OK from=x to=y branch=p
1.01 P>A 200 OK from=x to=y branch=a
1.10 A>P ACK from=x to=y branch=k1
1.11 P>B ACK from=x to=y branch=k2
9.00 P>A BYE cseq=50 from=y to=x branch=n1
9.01 P>B BYE cseq=50 from=x to=y branch=n2
9.10 A>P 200 OK cseq=50,BYE from=y to=x branch=n1
9.11 B>P 200 OK cseq=50,BYE from=x to=y branch=n2
"""


def test_a_box_between_that_sends_bye_both_ways_is_the_network() -> None:
    only = call(BOTH_WAYS)
    assert (only.released_by, only.end, only.state, only.bye_final) == ("network", 9 * NS, "completed", seconds(9.1))


def test_both_ends_that_hang_up_at_once_through_a_proxy_are_no_network() -> None:
    only = call(BOTH_WAYS.replace("9.01 P>B BYE", "8.99 A>P BYE cseq=50 from=x to=y branch=n0\n9.01 P>B BYE"))
    assert only.released_by == "caller"


@pytest.mark.parametrize("ending", ["bye", "cancel", "final"])
def test_the_release_cause_is_the_reason_header(ending: str) -> None:
    reason = ' | Reason: Q.850;cause=16;text="Normal"'
    script = {
        "bye": INVITE + ANSWER + BYE.strip() + reason,
        "cancel": INVITE + RINGING + "5.0 A>B CANCEL from=x branch=z9hG4bKINVITE1" + reason + "\n" + GONE,
        "final": INVITE + "5 B>A 480 Later from=x to=y" + reason,
    }[ending]
    assert call(script).release_cause == 'Q.850;cause=16;text="Normal"'


def test_the_release_cause_is_else_the_warning() -> None:
    warned = INVITE + '5 B>A 488 No from=x to=y | Warning: 305 host "Incompatible media format"'
    assert call(warned).release_cause == '305 host "Incompatible media format"'
    assert call(warned + " | Reason: SIP;cause=488").release_cause == "SIP;cause=488"
    assert call(PLAIN).release_cause is None


def test_a_callee_that_hangs_up_is_no_network_though_the_box_hangs_up_as_well() -> None:
    assert call(BOTH_WAYS + "8.99 B>P BYE cseq=50 from=y to=x branch=n0\n").released_by == "callee"
