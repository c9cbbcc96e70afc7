"""Calls of captures made by others, against what tshark found in them (an outside witness)."""

from __future__ import annotations

import json
import pathlib
from decimal import Decimal

import pytest

from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Call, Result

FUZZED = "fuzz"
TLS = "over-TLS"
COPIES = ("open5gs", "FAX-Call-t38", "b2bua-asterisk")
"""Captures that hold messages twice within 50 ms: tshark counts both."""
OTHER_HOP = ("sip-proxy", "SIP_DTMF2", "profuzz", "open5gs")
"""Calls seen at several hops: tshark's times are those of whichever came first, ours those of the caller's."""
OVERFLOW = "sip_ipv6_udp"
"""Times after 2038: tshark's are negative there."""


@pytest.fixture(scope="module")
def analyses(corpus: pathlib.Path) -> dict[str, tuple[Result, list[dict[str, object]]]]:
    """Analysis and truth of the small captures with calls in them."""
    found = {}
    for path in sorted((corpus / "truth").glob("*.json")):
        capture = corpus / path.name.removesuffix(".json")
        truth = json.loads(path.read_text())
        skipped = FUZZED in path.name or TLS in path.name or capture.stat().st_size > 700_000
        if truth.get("calls_derived") and not skipped:
            found[capture.name] = analyze(str(capture)), truth["calls_derived"]
    assert len(found) > 40
    return found


def named(name: str, kinds: tuple[str, ...]) -> bool:
    return any(kind in name for kind in kinds)


def test_every_call_id_has_the_messages_that_tshark_counts(
    analyses: dict[str, tuple[Result, list[dict[str, object]]]],
) -> None:
    for name, (result, truth) in analyses.items():
        if named(name, COPIES):
            continue
        messages = result.messages
        counts: dict[str | None, int] = {}
        for row in range(len(messages)):
            counts[messages.text("call_id", row)] = counts.get(messages.text("call_id", row), 0) + 1
        assert {each["call_id"]: each["messages"] for each in truth} == counts, name


def test_every_call_id_with_a_call_method_is_a_call(
    analyses: dict[str, tuple[Result, list[dict[str, object]]]],
) -> None:
    for name, (result, truth) in analyses.items():
        wanted = {each["call_id"] for each in truth if {"INVITE", "ACK", "BYE", "CANCEL"} & set(each["methods"])}  # type: ignore[call-overload]
        found = {call.call_id for call in result.calls}
        assert wanted <= found, name
        # what tshark's summary calls no call, since it holds responses only
        assert all(call.partial for call in result.calls if call.call_id not in wanted), name


def test_times_and_status_are_tsharks(analyses: dict[str, tuple[Result, list[dict[str, object]]]]) -> None:
    compared = 0
    for name, (result, truth) in analyses.items():
        if named(name, OTHER_HOP):
            continue
        calls = {call.call_id: call for call in result.calls}
        for each in truth:
            call = calls.get(str(each["call_id"]))
            if call is None:
                continue
            pairs = {"invite_time": call.start, "first_180_183": call.ringing, "answer_200": call.answered}
            for key, ours in pairs.items():
                theirs = each.get(key)
                if theirs is None or OVERFLOW in name:
                    assert theirs is not None or ours is None, (name, key)
                    continue
                assert ours == int(Decimal(str(theirs)) * 10**9), (name, key)
                compared += 1
            assert call.status_code == each.get("final_status"), name
            assert not each.get("had_auth_challenge") or call.auth != "none", name
    assert compared > 100


def test_the_hop_of_the_phone_is_taken_where_a_proxy_shows_two(
    analyses: dict[str, tuple[Result, list[dict[str, object]]]],
) -> None:
    def only(part: str) -> Call:
        (found,) = [
            max(result.calls, key=lambda call: call.messages) for name, (result, _) in analyses.items() if part in name
        ]
        return found

    proxy = only("sip-proxy")
    assert (proxy.src, proxy.released_by) == (("10.33.6.101", 5060), "callee")
    # a phone that calls another line on itself through its PBX
    itself = only("SIP_DTMF2")
    assert itself.src is not None and itself.src[0] == "192.168.105.110" and itself.answered is not None
