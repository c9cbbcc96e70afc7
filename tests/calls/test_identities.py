"""Identities and products."""

from __future__ import annotations

from tests.calls.scripts import ANSWER, INVITE, TRYING, call


def test_the_asserted_identity_and_its_substitutes() -> None:
    headers = {
        "Remote-Party-ID": "<sip:3@h>;party=calling",
        "P-Preferred-Identity": "<sip:2@h>",
        "P-Asserted-Identity": "<sip:1@h>",
    }
    script = INVITE.strip()
    for name, value in headers.items():
        script += f" | {name}: {value}"
        assert call(script).asserted_identity == value
    assert call(INVITE).asserted_identity is None


def test_an_identity_that_the_network_asserts_is_found_at_its_hop() -> None:
    only = call(
        "0 A>P INVITE from=x branch=a | P-Preferred-Identity: <sip:2@h>\n"
        "0.1 P>B INVITE from=x branch=p vias=2 | P-Asserted-Identity: <sip:1@h>"
    )
    assert only.asserted_identity == "<sip:1@h>"


def test_diversion_and_history_info() -> None:
    both = (
        INVITE.strip()
        + " | History-Info: <sip:h@h>;index=1 | Diversion: <sip:d@h>;reason=unconditional | Diversion: <sip:e@h>"
    )
    assert call(both).diversion == "<sip:d@h>;reason=unconditional, <sip:e@h>"
    assert call(INVITE.strip() + " | History-Info: <sip:h@h>;index=1").diversion == "<sip:h@h>;index=1"


def test_caller_and_callee_are_user_parts_or_hosts_or_numbers() -> None:
    only = call("0 A>B INVITE from=x fu=sip:pbx.example.com tu=tel:+49-30-1")
    assert (only.caller, only.callee) == ("pbx.example.com", "+49-30-1")


def test_products_of_caller_and_callee() -> None:
    only = call(
        "0 A>P INVITE from=x ua=Phone/1\n0.1 P>A 100 Trying from=x server=Proxy/9\n"
        "0.2 P>A 407 Auth from=x to=p server=Proxy/9\n"
        "0.3 A>P INVITE cseq=2 from=x ua=Phone/1\n1 P>A 180 Ringing cseq=2,INVITE from=x to=y server=Desk/2\n"
        "2 P>A 200 OK cseq=2,INVITE from=x to=y\n"
    )
    assert (only.user_agent, only.server) == ("Phone/1", "Desk/2")


def test_the_product_of_a_callee_that_only_refuses_and_of_a_silent_one() -> None:
    assert (
        call(INVITE + TRYING.strip() + " server=Proxy/9\n" + "1 B>A 486 Busy from=x to=y server=Desk/2").server
        == "Desk/2"
    )
    assert call(INVITE + "0.1 B>A 100 Trying from=x server=Proxy/9").server is None
    assert call(INVITE + ANSWER + "9 B>A BYE cseq=1 from=y to=x ua=Desk/3").server == "Desk/3"


def test_the_product_of_a_proxy_that_challenged_is_not_the_callees() -> None:
    challenged = (
        "0 A>P INVITE from=x\n0.1 P>A 407 Auth from=x to=p server=Proxy/9\n"
        "0.2 A>P INVITE cseq=2 from=x | Proxy-Authorization: D\n"
    )
    assert call(challenged + "1 P>A 200 OK cseq=2,INVITE from=x to=y").server is None
    assert call(challenged + "1 P>A 486 Busy cseq=2,INVITE from=x to=y").server is None
