"""Legs of one conversation: what joins them, and what looks like it and does not."""

from __future__ import annotations

import io
import pathlib
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.calls.calls import build_calls
from sipanalyzer.calls.dialogs import track_dialogs
from sipanalyzer.calls.sessions import join_sessions
from sipanalyzer.calls.transactions import match_transactions
from sipanalyzer.facts import Session
from sipanalyzer.options import Options
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Call, Messages, Stream
from tests.calls.words import seconds, table
from tests.tape import A, B, P, Tape, sdp

SDP = "v=0\\no={o}\\ns=-\\nc=IN IP4 10.0.0.1\\nt=0 0\\nm=audio 4000 RTP/AVP 8\\n"


def said(
    call: str,
    way: str,
    at: float = 0.0,
    *,
    numbers: tuple[str, str] | None = None,
    headers: Sequence[str] = (),
    body: str = "",
    answered: float | None = 2.0,
    end: float | None = 9.0,
    branch: str | None = None,
) -> str:
    """One call as lines: INVITE, 200 and BYE; without answer a 486 at the end. Times count from its INVITE."""
    caller, callee = numbers or (f"caller-of-{call}", f"callee-of-{call}")
    back = ">".join(reversed(way.split(">")))
    who = f"call={call} from=x{call} fu=sip:{caller}@here tu=sip:{callee}@there uri=sip:{callee}@there"
    more = "".join(f" | {header}" for header in headers) + (f" || {body}" if body else "")
    branch = branch or f"z9hG4bK{call}"
    lines = [f"{at} {way} INVITE {who} branch={branch}{more}"]
    if answered is not None:
        lines.append(f"{at + answered} {back} 200 OK {who} to=y{call} branch={branch}")
        lines.append(f"{at + answered + 0.05} {way} ACK {who} to=y{call} branch={branch}a")
        if end is not None:
            lines.append(f"{at + end} {way} BYE cseq=2 {who} to=y{call} branch={branch}b")
            lines.append(f"{at + end + 0.01} {back} 200 OK cseq=2,BYE {who} to=y{call} branch={branch}b")
    elif end is not None:
        lines.append(f"{at + end} {back} 486 Busy {who} to=y{call} branch={branch}")
    return "\n".join(lines)


def read(*scripts: str) -> tuple[Messages, list[Call]]:
    messages = table("\n".join(scripts))
    transactions = match_transactions(messages, Options())
    dialogs = track_dialogs(messages, transactions, Options())
    return messages, build_calls(messages, transactions, dialogs, int(messages.time[-1]), Options())


def joined(*scripts: str, streams: Sequence[Stream] = (), options: Options | None = None) -> list[Session]:
    messages, calls = read(*scripts)
    return join_sessions(messages, calls, streams, options or Options())


def groups(*scripts: str, **how: Any) -> list[tuple[str, ...]]:
    return [session.call_ids for session in joined(*scripts, **how)]


def kinds(*scripts: str, **how: Any) -> set[str]:
    """Kinds of evidence of the only session."""
    (only,) = joined(*scripts, **how)
    return {each.kind for each in only.evidence}


# ---- sessions themselves
def test_every_call_is_in_one_session_and_sessions_are_numbered_by_their_first_leg() -> None:
    found = joined(said("late", "C>D", 5.0), said("early", "A>B", 1.0))
    assert [(session.number, session.call_ids, session.score, session.evidence) for session in found] == [
        (1, ("early",), 0.0, ()),
        (2, ("late",), 0.0, ()),
    ]
    assert joined("0 A>B OPTIONS call=none") == []


def test_legs_are_joined_through_a_third_and_the_score_is_that_of_the_weakest_link() -> None:
    found = joined(
        said("one", "A>P", 0.0, headers=["X-CID: id-12345678-a"]),
        said("two", "P>Q", 0.1, headers=["X-CID: id-12345678-a", "Session-ID: 0123456789abcdef0123456789abcdef"]),
        said("three", "R>B", 0.2, headers=["Session-ID: 0123456789abcdef0123456789abcdef", "X-UCID: 00001234567890"]),
        said("four", "S>B", 0.3, headers=["X-UCID: 00001234567890", "X-Call-ID: three"]),
    )
    assert [(session.call_ids, session.score) for session in found] == [(("one", "two", "three", "four"), 1.0)]
    assert [(each.kind, each.calls) for each in found[0].evidence] == [
        ("X-CID", ("one", "two")),
        ("Session-ID", ("two", "three")),
        ("X-Call-ID", ("three", "four")),
        ("X-UCID", ("three", "four")),
    ]


def test_a_score_that_is_asked_for_and_not_reached_joins_nothing() -> None:
    scripts = (
        said("one", "A>P", headers=["X-CID: id-12345678-a"]),
        said("two", "P>B", 0.1, headers=["X-CID: id-12345678-a"]),
    )
    assert groups(*scripts) == [("one", "two")]
    assert groups(*scripts, options=Options(session_score=1.5)) == [("one",), ("two",)]


# ---- headers
@pytest.mark.parametrize(
    "kind, first, second",
    [
        ("X-CID", "X-CID: 7f3a9c2e-1111-4222", "x-cid:7f3a9c2e-1111-4222"),
        ("X-Call-ID", "X-Nothing: 1", "X-Call-ID: one"),
        ("Session-ID", "Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=" + "0" * 32,
         "Session-ID: 47755a9de7794ba387653f2099600ef2;remote=ab30317f1a784dc48ff824d0d3715d86"),
        ("icid", 'P-Charging-Vector: icid-value="AyretyU0dm+6O2IrT5tAFrbHLso";orig-ioi=a',
         "P-Charging-Vector: orig-ioi=b;icid-value=AyretyU0dm+6O2IrT5tAFrbHLso"),
        ("Replaces", "X-Nothing: 1", "Replaces: one;to-tag=yone;from-tag=xone"),
        ("Join", "X-Nothing: 1", "Join: one;to-tag=yone;from-tag=xone"),
        ("Target-Dialog", "X-Nothing: 1", "Target-Dialog: one;local-tag=a;remote-tag=b"),
        ("Cisco-Guid", "cisco-GUID: 1812978072-3518304733-3206414384-1215679368",
         "Cisco-Guid: 1812978072-3518304733-3206414384-1215679368"),
    ],
)  # fmt: skip
def test_a_header_joins_two_legs_that_share_nothing_else(kind: str, first: str, second: str) -> None:
    assert kinds(said("one", "A>B", headers=[first]), said("two", "C>D", 3.0, headers=[second])) == {kind}


@pytest.mark.parametrize(
    "header",
    [
        "Session-ID: " + "0" * 32,
        "Session-ID: " + "0" * 32 + ";remote=" + "0" * 32,
        "Session-ID: not-a-uuid-12345678",
        "P-Charging-Vector: orig-ioi=example.org",
        "Replaces: some-other-call;to-tag=1;from-tag=2",
        "X-Unknown: 7f3a9c2e-1111-4222",
        "X-CID: 1",
        "X-CID: constant",
        "X-CID:",
        "X-CID: aaaaaaaaaaaaaaaaaaaa",
        "X-CID: 00000000-0000-0000-0000-000000000000",
    ],
)
def test_an_equal_header_that_identifies_nothing_joins_nothing(header: str) -> None:
    assert len(groups(said("one", "A>B", headers=[header]), said("two", "C>D", 3.0, headers=[header]))) == 2


def test_a_short_value_counts_between_legs_that_a_box_could_have_joined() -> None:
    short = ["X-CID: 17"]
    assert len(groups(said("one", "A>P", headers=short), said("two", "P>B", 0.1, headers=short))) == 1
    # the same constant in every call that takes this way: different conversations
    scripts = [said(f"{way[0]}{k}", way, k / 10, headers=short) for k in range(2) for way in ("A>P", "P>B")]
    assert len(groups(*scripts)) == 4


def test_a_value_that_comes_back_much_later_is_another_conversation() -> None:
    value = ["X-CID: 7f3a9c2e-1111-4222"]
    assert len(groups(said("one", "A>P", headers=value), said("two", "P>B", 25.0, headers=value))) == 2
    assert len(groups(said("one", "A>P", headers=value), said("two", "P>B", 15.0, headers=value))) == 1
    # an answered call without BYE may well go on
    assert len(groups(said("one", "A>P", headers=value, end=None), said("two", "P>B", 25.0, headers=value))) == 1


def test_a_value_in_a_body_is_no_header() -> None:
    body = "v=0\\nX-CID: 7f3a9c2e-1111-4222\\n"
    assert len(groups(said("one", "A>P", body="v=0\\n"), said("two", "C>D", body="v=0\\n"))) == 2
    found = joined(said("one", "A>P", headers=["X-CID: 7f3a9c2e-1111-4222"]), said("two", "C>D", body=body))
    assert len(found) == 2


def test_a_value_shared_by_many_calls_joins_none_of_them() -> None:
    value = ["X-CID: 7f3a9c2e-1111-4222"]
    scripts = [said(f"call{k}", f"A{k}>B{k}", k / 100, headers=value) for k in range(9)]
    assert len(groups(*scripts[:8])) == 1
    assert len(groups(*scripts)) == 9


def test_headers_can_be_chosen() -> None:
    value = ["My-Own-Id: 7f3a9c2e-1111-4222"]
    scripts = said("one", "A>B", headers=value), said("two", "C>D", headers=value)
    assert len(groups(*scripts)) == 2
    assert len(groups(*scripts, options=Options(correlation_headers=("my-own-ID", "")))) == 1


def test_a_partial_call_is_joined_by_the_session_id_of_its_requests() -> None:
    uuid = " | Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2"
    back = " | Session-ID: 47755a9de7794ba387653f2099600ef2;remote=ab30317f1a784dc48ff824d0d3715d86"
    assert kinds(
        f"1.0 A>P BYE call=one cseq=2 from=x to=y branch=z9hG4bK1{uuid}",
        f"1.01 P>B BYE call=two cseq=2 from=v to=w branch=z9hG4bK2{back}",
    ) == {"Session-ID"}


# ---- Via
def test_a_copied_via_joins_whatever_hop_it_was_copied_from() -> None:
    hop = "0.01 Q>P INVITE call=one from=xone branch=z9hG4bKhop2"
    copied = ["Via: SIP/2.0/UDP host;branch=z9hG4bKhop2;received=10.0.0.17, SIP/2.0/UDP host;branch=z9hG4bKone"]
    assert kinds(said("one", "A>Q"), hop, said("two", "R>B", 0.05, headers=copied)) == {"Via"}


@pytest.mark.parametrize(
    "via, at",
    [
        ("Via: SIP/2.0/UDP elsewhere;branch=z9hG4bKone", 0.05),  # equal branch, sent by another
        ("Via: SIP/2.0/UDP host;branch=z9hG4bKone", 40.0),  # long after that call was over
        ("Via: SIP/2.0/UDP host;branch=another", 0.05),
    ],
)
def test_a_via_that_only_looks_copied_joins_nothing(via: str, at: float) -> None:
    branch = "another" if "another" in via else None
    assert len(groups(said("one", "A>Q", branch=branch), said("two", "R>B", at, headers=[via]))) == 2


# ---- transfers
REFER = "{at} {way} REFER call=one cseq=5 from=xone to=yone branch=z9hG4bKrefer | Refer-To: {to}"


def test_an_attended_transfer_is_one_conversation() -> None:
    refer = REFER.format(at=4, way="A>B", to="<sip:carol@c?Replaces=two%3Bto-tag%3Dytwo%3Bfrom-tag%3Dxtwo>")
    found = joined(
        said("one", "A>B"),
        said("two", "A>C", 3.0),
        refer,
        said("three", "B>C", 4.2, headers=["Replaces: two;to-tag=ytwo;from-tag=xtwo"]),
    )
    assert [session.call_ids for session in found] == [("one", "two", "three")]
    assert {(each.kind, each.calls) for each in found[0].evidence} == {
        ("REFER", ("one", "two")),
        ("Replaces", ("two", "three")),
    }


def test_a_blind_transfer_is_one_conversation_where_only_one_call_is_meant() -> None:
    refer = REFER.format(at=4, way="A>B", to="<sip:+49-30-1234567@c>")
    brought = said("three", "B>C", 4.2, numbers=("bob", "0049301234567"))
    assert kinds(said("one", "A>B"), refer, brought) == {"REFER"}
    # two such calls; a call to somebody else; one from somebody else; one much later
    other = said("four", "B>C", 4.3, numbers=("bob", "0049301234567"))
    assert len(groups(said("one", "A>B"), refer, brought, other)) == 3
    assert len(groups(said("one", "A>B"), refer, said("three", "B>C", 4.2, numbers=("bob", "555")))) == 2
    assert len(groups(said("one", "A>B"), refer, said("three", "D>C", 4.2, numbers=("bob", "0049301234567")))) == 2
    assert len(groups(said("one", "A>B"), refer, said("three", "B>C", 20, numbers=("bob", "0049301234567")))) == 2


# ---- SDP
ORIGIN = "- 3724394400 3724394405 IN IP4 10.0.0.1"


def test_an_origin_relayed_unchanged_joins_calls_of_about_the_same_time() -> None:
    first = said("one", "A>S", body=SDP.format(o=ORIGIN))
    second = SDP.format(o=ORIGIN.replace("4405", "4406"))  # the version counts up
    assert kinds(first, said("two", "T>B", 0.1, body=second)) == {"SDP origin"}


@pytest.mark.parametrize(
    "origin, way, at",
    [
        (ORIGIN, "T>B", 30.0),  # the same phone, another day
        (ORIGIN, "A>B", 0.1),  # it always sends this
        ("- 0 0 IN IP4 10.0.0.1", "T>B", 0.1),
        ("user1 53655765 2353687637 IN IP4 127.0.1.1", "T>B", 0.1),
    ],
)
def test_an_equal_origin_alone_proves_nothing(origin: str, way: str, at: float) -> None:
    body = SDP.format(o=origin)
    assert len(groups(said("one", "A>S", body=body), said("two", way, at, body=body))) == 2


def test_an_origin_that_two_calls_of_one_way_have_says_nothing_about_the_others() -> None:
    body = SDP.format(o=ORIGIN)
    scripts = [said(f"{way[0]}{k}", way, k / 10, body=body) for k in range(2) for way in ("A>P", "P>B")]
    assert len(groups(*scripts)) == 4


# ---- numbers and times
def test_who_received_a_call_and_at_once_calls_the_same_number_passed_it_on() -> None:
    first = said("one", "A>P", numbers=("+49 30 1234567", "+1-212-555-0100"))
    (only,) = joined(first, said("two", "P>B", 0.2, numbers=("0301234567", "0012125550100")))
    assert only.call_ids == ("one", "two")
    assert [(each.kind, each.score) for each in only.evidence] == [("numbers", 1.0)]
    assert "10.0.0.16" in only.evidence[0].text and "200 ms" in only.evidence[0].text


@pytest.mark.parametrize(
    "second",
    [
        said("two", "P>B", 12.0, numbers=("alice", "bob")),  # too late
        said("two", "P>B", 0.2, numbers=("alice", "carol"), answered=5.0, end=30.0),  # another number, its own course
        said("two", "P>B", 0.2, numbers=("dave", "carol")),
        said("two", "A>Q", 0.2, numbers=("alice", "bob")),  # alice tries another way
        said("two", "Q>B", 3.0, numbers=("alice", "bob"), answered=None, end=15.0),  # elsewhere, and its own course
    ],
)
def test_calls_that_only_resemble_each_other_are_not_joined(second: str) -> None:
    assert len(groups(said("one", "A>P", numbers=("alice", "bob")), second)) == 2


def test_a_box_behind_a_proxy_that_both_legs_pass_is_the_one_that_passed_it_on() -> None:
    first = "\n".join(
        [
            said("one", "A>K", numbers=("alice", "bob")),
            "0.01 K>P INVITE call=one from=xone fu=sip:alice@here tu=sip:bob@there branch=z9hG4bKk1",
            said("two", "P>K", 0.1, numbers=("alice", "bob")),
            "0.11 K>B INVITE call=two from=xtwo fu=sip:alice@here tu=sip:bob@there branch=z9hG4bKk2",
        ]
    )
    assert groups(first) == [("one", "two")]
    assert len(groups(first.replace("P>K INVITE", "A>K INVITE"))) == 2


def test_a_call_that_was_over_is_not_passed_on() -> None:
    first = said("one", "A>P", numbers=("alice", "bob"), answered=None, end=1.0)
    assert len(groups(first, said("two", "P>B", 1.5, numbers=("alice", "bob")))) == 2


def test_two_candidates_that_compete_are_not_joined_either_way_round() -> None:
    numbers = ("alice", "bob")
    first, rival = said("one", "A>P", numbers=numbers), said("rival", "C>P", 0.05, numbers=numbers)
    second, other = said("two", "P>B", 0.1, numbers=numbers), said("other", "P>D", 0.15, numbers=numbers)
    assert len(groups(first, second)) == 1
    assert len(groups(first, rival, second)) == 3
    assert len(groups(first, second, other)) == 3
    assert len(groups(first, rival, second, other)) == 4
    # the same where the box has two addresses
    second, other = said("two", "Q>B", 0.1, numbers=numbers), said("other", "R>D", 0.15, numbers=numbers)
    assert len(groups(first, second)) == 1
    assert len(groups(first, rival, second)) == 3
    assert len(groups(first, second, other)) == 3


def test_what_competes_is_settled_by_other_evidence() -> None:
    numbers, value = ("alice", "bob"), ["X-CID: 7f3a9c2e-1111-4222"]
    scripts = (
        said("one", "A>P", numbers=numbers, headers=value),
        said("rival", "C>P", 0.05, numbers=numbers),
        said("two", "P>B", 0.1, numbers=numbers, headers=value),
    )
    assert groups(*scripts) == [("one", "two"), ("rival",)]


def test_attempts_one_after_the_other_do_not_compete() -> None:
    numbers = ("alice", "bob")
    found = groups(
        said("one", "A>P", numbers=numbers, answered=4.0),
        said("busy", "P>B", 0.1, numbers=numbers, answered=None, end=1.0),
        said("taken", "P>C", 1.2, numbers=numbers, answered=2.7, end=7.8),
    )
    assert found == [("one", "busy", "taken")]


def test_a_rewritten_number_is_enough_where_the_calls_keep_step() -> None:
    first = said("one", "A>P", numbers=("1001", "902125550100"))
    assert len(groups(first, said("two", "P>B", 0.5, numbers=("5053493876", "2125550100"), answered=1.4, end=8.4))) == 1
    assert len(groups(first, said("two", "P>B", 0.5, numbers=("1001", "ivr"), answered=1.4, end=8.4))) == 1
    assert len(groups(first, said("two", "P>B", 0.5, numbers=("1001", "ivr"), answered=1.0, end=20.0))) == 2


def test_nobody_is_no_number() -> None:
    for name in ("anonymous", "Anonymous", "unavailable"):
        first = said("one", "A>P", numbers=(name, "1001"))
        assert len(groups(first, said("two", "P>B", 0.1, numbers=(name, "2002")))) == 2


def test_on_loopback_a_place_is_an_address_with_its_port() -> None:
    def here(name: str, ports: tuple[int, int], at: float) -> str:
        return said(name, f"h:{ports[0]}>h:{ports[1]}", at, numbers=("alice", "bob"))

    assert len(groups(here("one", (5080, 5060), 0.0), here("two", (5060, 5090), 0.1))) == 1
    assert len(groups(here("one", (5080, 5060), 0.0), here("two", (5080, 5090), 0.1))) == 2


# ---- Call-IDs
@pytest.mark.parametrize(
    "one, two",
    [
        ("a84b4c76e66710@pc33", "a84b4c76e66710_b2b-1@pc33"),
        ("a84b4c76e66710@pc33", "b2b_a84b4c76e66710@pc33"),
        ("a84b4c76e66710@pc33", "a84b4c76e66710@sbc"),
    ],
)
def test_a_decorated_call_id_joins_calls_that_follow_each_other(one: str, two: str) -> None:
    first, numbers = said(one, "A>P", numbers=("alice", "bob")), ("carol", "dave")
    assert kinds(first, said(two, "P>B", 0.3, numbers=numbers)) == {"Call-ID"}
    assert len(groups(first, said(two, "P>B", 30.0, numbers=numbers))) == 2
    assert len(groups(first, said(two, "A>P", 0.3, numbers=numbers))) == 2


def test_counted_call_ids_are_not_alike() -> None:
    assert len(groups(said("1-2345@pc33", "A>P"), said("1-2345-1@pc33", "P>B", 0.3))) == 2
    assert len(groups(said("a84b4c76-1@pc33", "A>P"), said("a84b4c76-2@pc33", "P>B", 0.3))) == 2


# ---- media
def stream(call: str | None, way: str, at: float = 2.0, count: int = 300, **words: Any) -> Stream:
    """PCMA of 20 ms packets; ports are given as in ``A:4000>P:5000``."""
    src, dst = ((f"10.0.0.{ord(end[0]) - 64}", int(end.partition(":")[2] or 4000)) for end in way.split(">"))
    sequence, stamp = words.pop("sequence", 40_000), words.pop("stamp", 3_000_000_000)
    known: dict[str, Any] = {
        "ptime_ms": 20.0, "dscp": None, "vlan": None, "start": seconds(at), "end": seconds(at + (count - 1) * 0.02),
        "packets": count, "bytes": 160 * count, "expected": count, "lost": 0, "duplicates": 0, "out_of_order": 0,
        "restarts": 0, "mean_jitter_ms": 0.0, "max_jitter_ms": 0.0, "mean_delta_ms": 20.0, "max_delta_ms": 20.0,
        "max_skew_ms": 0.0, "clock_drift_ppm": 0.0, "capture": 0, "first_frame": 1, "last_frame": 2, "ssrc": 0x1234,
        "src": src, "dst": dst, "call_id": call, "also_call_ids": (), "direction": None, "matched": "sdp",
        "media": "audio", "payload_types": (8,), "codec": "PCMA", "codecs": ("PCMA",), "clock_rate": 8000,
        "ptime_negotiated_ms": 20.0, "ssrc_changes": 0, "encrypted": False, "first_sequence": sequence,
        "first_stamp": stamp, "last_sequence": (sequence + count - 1) % (1 << 16),
        "last_stamp": (stamp + 160 * (count - 1)) % (1 << 32),
    }  # fmt: skip
    return Stream(**{**known, **words})


def speech(seed: int, count: int = 50) -> tuple[int, ...]:
    draw = random.Random(seed)
    return tuple(draw.getrandbits(32) for _ in range(count))


ONE, TWO = said("one", "A>P"), said("two", "Q>B", 3.0, answered=0.5, end=20.0)
"""Two calls that nothing of their signalling joins."""


def test_the_two_calls_share_nothing_but_media() -> None:
    assert len(groups(ONE, TWO)) == 2


@pytest.mark.parametrize("way", ["P:30000>B", "R:30000>B"])
def test_media_with_the_same_sequence_numbers_and_timestamps_go_on(way: str) -> None:
    relayed = stream("two", way, 2.012)
    (only,) = joined(ONE, TWO, streams=[stream("one", "A>P"), relayed])
    assert [each.kind for each in only.evidence] == ["media"]
    assert "sequence numbers" in only.evidence[0].text
    # it need not begin and end at the same packet, nor before the numbers wrap
    shorter = stream("two", way, 3.012, 100, sequence=40_050, stamp=3_000_008_000)
    assert len(groups(ONE, TWO, streams=[stream("one", "A>P"), shorter])) == 1
    wrapped = stream("two", way, 3.012, 100, sequence=14, stamp=(4_294_967_000 + 8_000) % (1 << 32))
    assert len(groups(ONE, TWO, streams=[stream("one", "A>P", sequence=65_500, stamp=4_294_967_000), wrapped])) == 1


@pytest.mark.parametrize(
    "other",
    [
        stream("two", "P:30000>B", 2.012, sequence=777, stamp=88_000_000),  # only the SSRC is equal
        stream("two", "P:30000>B", 2.012, sequence=40_001),  # the stamps fit, the numbers do not
        stream("two", "P:30000>B", 4.5),  # the same numbers, later: a file that is played again
        stream("two", "A:6000>B", 2.012),  # from the same host: that is not across a box
        stream("two", "C:6000>P", 2.012),  # to the same host
        stream("two", "P:30000>B", 40.0),
        stream(None, "P:30000>B", 2.012),  # of no call
    ],
)
def test_media_that_only_resemble_each_other_join_nothing(other: Stream) -> None:
    assert len(groups(ONE, TWO, streams=[stream("one", "A>P"), other])) == 2


def test_media_counted_from_a_low_number_are_taken_for_the_same_only_at_one_box() -> None:
    low = {"sequence": 1, "stamp": 160}
    first = stream("one", "A>P", **low)
    assert len(groups(ONE, TWO, streams=[first, stream("two", "P:30000>B", 2.012, **low)])) == 1
    assert len(groups(ONE, TWO, streams=[first, stream("two", "P:30000>B", 2.012, 290, **low)])) == 2
    assert len(groups(ONE, TWO, streams=[first, stream("two", "R:30000>B", 2.012, **low)])) == 2


def test_one_file_played_in_several_calls_at_once_joins_none() -> None:
    calls = [said(f"in{k}", "A>P", k) for k in range(2)] + [said(f"out{k}", "Q>B", k + 0.5, end=20.0) for k in range(2)]
    both = [stream(f"in{k}", f"A:{4000 + k}>P", 2 + k / 100) for k in range(2)]
    both += [stream(f"out{k}", f"P:{30000 + k}>B:{5000 + k}", 2.005 + k / 100) for k in range(2)]
    assert len(groups(*calls, streams=both)) == 4


def test_a_fork_of_the_media_is_no_competition() -> None:
    recorder = said("rec", "Q>R", 3.0, end=20.0)
    streams = [stream("one", "A>P"), stream("two", "P:30000>B", 2.01), stream("rec", "P:30004>R", 2.01)]
    assert groups(ONE, TWO, recorder, streams=streams) == [("one", "two", "rec")]


def test_equal_payload_goes_on_under_other_numbers() -> None:
    heard = speech(1)
    other = {"sequence": 9, "stamp": 5_000_000, "fingerprint": (*speech(2, 5), *heard[:40])}
    # the box began 5 packets of its own before: 2.0 - 5 * 0.02, and holds each packet for 40 ms
    second = stream("two", "P:30000>B", 1.94, **other)
    (only,) = joined(ONE, TWO, streams=[stream("one", "A>P", fingerprint=heard), second])
    assert "payload" in only.evidence[0].text


SILENCE, TONE = 0xD5D5D5D5, (1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    "one, two, at",
    [
        ((SILENCE,) * 50, (SILENCE,) * 50, 2.01),
        ((0xFFFFFFFF,) * 50, (0xFFFFFFFF,) * 50, 2.01),
        (TONE * 10, TONE * 10, 2.01),  # a ringing tone
        (speech(1), speech(2), 2.01),
        (speech(1), (*speech(1)[:19], *speech(2)[:31]), 2.01),  # nineteen are not twenty
        (speech(1)[:19], speech(1)[:19], 2.01),
        (speech(1), speech(1), 5.0),  # an announcement played again
        ((), (), 2.01),
    ],
)
def test_payload_that_says_nothing_joins_nothing(one: tuple[int, ...], two: tuple[int, ...], at: float) -> None:
    first = stream("one", "A>P", fingerprint=one)
    second = stream("two", "P:30000>B", at, sequence=9, stamp=5_000_000, fingerprint=two)
    assert len(groups(ONE, TWO, streams=[first, second])) == 2


def test_twenty_equal_payloads_in_a_row_are_enough() -> None:
    first = stream("one", "A>P", fingerprint=speech(1))
    alike = (*speech(3, 15), *speech(1)[15:35], *speech(2)[:15])
    second = stream("two", "P:30000>B", 2.01, sequence=9, stamp=5_000_000, fingerprint=alike)
    assert len(groups(ONE, TWO, streams=[first, second])) == 1


def test_a_stream_of_two_calls_joins_them() -> None:
    direct = replace(stream("one", "A>B"), also_call_ids=("two",))
    (only,) = joined(ONE, TWO, streams=[direct])
    assert [(each.kind, each.score) for each in only.evidence] == [("media", 1.0)]


# ---- laws
SCRIPTS = (
    said("one", "A>P", headers=["X-CID: 7f3a9c2e-1111-4222"]),
    said("two", "P>B", 0.1, headers=["X-CID: 7f3a9c2e-1111-4222"]),
    said("in", "C>P", 0.5, numbers=("carol", "dave")),
    said("out", "P>D", 0.5, numbers=("carol", "dave")),
    said("alone", "A>P", 0.5),
    said("moved", "B>C", 5.0, headers=["Replaces: two;to-tag=1;from-tag=2"]),
)


@settings(max_examples=30)
@given(st.permutations(range(6)), st.permutations(range(3)))
def test_the_order_of_calls_and_streams_does_not_matter(order: list[int], media: list[int]) -> None:
    messages, calls = read(*SCRIPTS)
    streams = [stream("one", "A>P"), stream("alone", "P:3>B", 2.01), stream("out", "P:5>D", fingerprint=speech(3))]
    shuffled = join_sessions(messages, [calls[k] for k in order], [streams[k] for k in media], Options())
    assert shuffled == join_sessions(messages, calls, streams, Options())
    assert sorted(call_id for session in shuffled for call_id in session.call_ids) == sorted(c.call_id for c in calls)


def naive_groups(links: set[tuple[str, str]], names: Sequence[str]) -> set[frozenset[str]]:
    """Connected parts by going from neighbour to neighbour."""
    found = set()
    for name in names:
        part, grown = {name}, True
        while grown:
            more = {b for a, b in links if a in part} | {a for a, b in links if b in part}
            grown = not more <= part
            part |= more
        found.add(frozenset(part))
    return found


@settings(max_examples=30)
@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_sessions_are_the_connected_parts_of_what_names_each_other(links: set[tuple[int, int]]) -> None:
    links = {(a, b) for a, b in links if a != b}
    scripts = [
        said(f"call{a}", f"A{a}>B{a}", a / 10, headers=[f"Replaces: call{b}" for c, b in links if c == a])
        for a in range(10)
    ]
    found = {frozenset(ids) for ids in groups(*scripts)}
    assert found == naive_groups({(f"call{a}", f"call{b}") for a, b in links}, [f"call{a}" for a in range(10)])


# ---- hostile and large
def copies(one: Call, count: int, **changes: Any) -> list[Call]:
    """The same call many times under other Call-IDs, its messages and all."""
    return [replace(one, call_id=f"copy-{k:06d}", first_frame=k, **changes) for k in range(count)]


def timed(messages: Messages, calls: Sequence[Call], streams: Sequence[Stream] = ()) -> tuple[list[Session], float]:
    begin = time.process_time()
    return join_sessions(messages, calls, streams, Options()), time.process_time() - begin


@pytest.mark.parametrize(
    "script",
    [
        said("one", "A>P", headers=["X-CID: 7f3a9c2e-1111-4222", "Replaces: copy-000001", "X-Call-ID: copy-000002"]),
        said("one", "A>P", headers=["Via: SIP/2.0/UDP host;branch=z9hG4bKone"], body=SDP.format(o=ORIGIN)),
        said("one", "h:1>h:1", numbers=("alice", "bob")),
    ],
)
def test_ten_thousand_calls_that_all_say_the_same_are_told_apart_in_time(script: str) -> None:
    messages, (one,) = read(script)
    found, took = timed(messages, copies(one, 10_000))
    assert len(found) == 10_000
    assert took < 5.0


def test_ten_thousand_calls_of_one_number_through_one_box_are_not_joined() -> None:
    messages, calls = read(said("one", "A>P", numbers=("a", "b")), said("two", "P>B", 0.1, numbers=("a", "b")))
    first, second = copies(calls[0], 5_000), copies(calls[1], 5_000)
    both = first + [replace(call, call_id="s" + call.call_id) for call in second]
    found, took = timed(messages, both)
    assert len(found) == 10_000
    assert took < 5.0


def test_ten_thousand_streams_alike_are_not_joined() -> None:
    messages, (one,) = read(said("one", "A>P"))
    calls = copies(one, 10_000)
    alike = [
        stream(call.call_id, f"{'AP'[k % 2]}:{k % 60_000}>{'PB'[k % 2]}", fingerprint=speech(1))
        for k, call in enumerate(calls)
    ]
    found, took = timed(messages, calls, alike)
    assert len(found) == 10_000
    assert took < 10.0


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["Session-ID", "P-Charging-Vector", "Replaces", "Refer-To", "X-CID", "Via", "User-to-User", "Join"]
            ),
            st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="|'\"\\"), max_size=40),
        ),
        max_size=6,
    )
)
def test_no_header_makes_it_stumble(headers: list[tuple[str, str]]) -> None:
    lines = [f"{name}: {value}" for name, value in headers]
    refer = "3 A>B REFER call=one cseq=9 from=xone to=yone" + "".join(f" | {line}" for line in lines)
    found = joined(said("one", "A>B", headers=lines), said("two", "C>D", headers=lines), refer)
    assert sum(len(session.call_ids) for session in found) == 2


# ---- whole captures
@pytest.mark.parametrize(
    "name, wanted", [("two_legs", [2]), ("proxy_hops", [1]), ("forked", [1]), ("refused", [1] * 4)]
)
def test_samples(samples: pathlib.Path, name: str, wanted: list[int]) -> None:
    result = analyze(str(samples / f"{name}.pcap"))
    found = join_sessions(result.messages, result.calls, result.streams, result.options)
    assert [len(session.call_ids) for session in found] == wanted


def across(second: dict[str, int], payloads: tuple[bytes, bytes]) -> list[tuple[str, ...]]:
    """Two calls through one box that only media can join: RTP arrives in one and leaves in the other 5 ms later."""
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(P, 30000), src=A, dst=P)
    tape.set_up(sdp(P, 30002), sdp(B, 5000), src=P, dst=B, at=12.0, call="two", tags=("c", "d"))
    for k in range(100):
        words = {"seq": 60_000 + k, "timestamp": 3_000_000_000 + 160 * k}
        heard, passed = (payload[k * 4 : k * 4 + 4] * 40 for payload in payloads)
        tape.rtp(14.5 + k * 0.02, A, 4000, P, 30000, payload=heard, **words)
        words = {"seq": second["seq"] + k, "timestamp": second["timestamp"] + 160 * k}
        tape.rtp(14.505 + k * 0.02, P, 30002, B, 5000, payload=passed, **words)
    result = analyze(io.BytesIO(tape.bytes()))
    assert len(result.streams) == 2
    return [s.call_ids for s in join_sessions(result.messages, result.calls, result.streams, result.options)]


def test_packets_that_cross_a_box_join_two_calls_of_a_capture() -> None:
    silence, one, other = b"\xd5" * 400, random.Random(1).randbytes(400), random.Random(2).randbytes(400)
    kept, new = {"seq": 60_000, "timestamp": 3_000_000_000}, {"seq": 7, "timestamp": 99_000_000}
    assert across(kept, (silence, silence)) == [("one", "two")]
    assert across(new, (one, one)) == [("one", "two")]
    assert across(new, (one, other)) == [("one",), ("two",)]  # their SSRC is the same
    assert across(new, (silence, silence)) == [("one",), ("two",)]


def test_real_conversations_and_no_others_are_joined(corpus: pathlib.Path) -> None:
    """Legs told apart by eye: Asterisk with direct media, a PBX, and a wholesale switch that tries two ways."""
    for part, wanted in (
        ("b2bua-asterisk", [("M2Q0", "3768")]),
        ("pentesteracademy__voipshark__SIP-RTP-Normal", [("3cfe", "54be")]),
        ("GRE199", [("4abf", "1505"), ("1324", "1506", "1507"), ("518f", "1508"), ("53c1", "1509")]),
        ("irontec__sngrep__aaa", []),
        ("sip-rtp-speex", []),
        ("SIP_DTMF2", []),
    ):
        (capture,) = [p for p in corpus.iterdir() if part in p.name and p.is_file() and p.suffix != ".json"]
        result = analyze(str(capture))
        sessions = join_sessions(result.messages, result.calls, result.streams, result.options)
        several = [tuple(call_id[:4] for call_id in s.call_ids) for s in sessions if len(s.call_ids) > 1]
        assert several == wanted, part
