"""Legs of one conversation: what joins two calls of a capture, and what only looks like it. From outside.

A is the caller, P the box between, B and C who is called; times are in ms. The legs of each test share nothing but what
it names: other Call-IDs, tags, numbers and session descriptions unless given.
"""

from __future__ import annotations

import io
import itertools
from typing import Any

import pytest

import sipanalyzer
from tests.builders import START_NS, Packet, pcap_bytes, rtp, udp_frame
from tests.said import HOSTS, Said, invite, said, until


def read(*given: Said | list[Said], **options: Any) -> sipanalyzer.Analysis:
    flat = itertools.chain.from_iterable(each if isinstance(each, list) else [each] for each in given)
    packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in sorted(flat, key=lambda one: one[0])]
    return sipanalyzer.analyze(io.BytesIO(pcap_bytes(packets, nanoseconds=True)), **options)


def groups(analysis: sipanalyzer.Analysis) -> list[set[str]]:
    """Call-IDs of each session, by the public table alone."""
    calls = analysis.calls
    return [set(group) for _, group in sorted(calls.groupby("session").call_id)]


def joined(*given: Said | list[Said], **options: Any) -> list[set[str]]:
    return [group for group in groups(read(*given, **options)) if len(group) > 1]


def leg(
    at: float,
    way: str,
    call_id: str,
    caller: str,
    callee: str,
    *,
    h: tuple[str, ...] = (),
    body: bytes = b"",
    answer: bytes = b"",
    answers: float | None = 2000,
    talks: float | None = 20_000,
    status: int = 200,
    n: int = 1,
    to: str | None = None,
) -> list[Said]:
    """One leg: INVITE, 180, 200, ACK, BYE."""
    back = f"{way[2]}>{way[0]}"
    more: dict[str, Any] = {
        "call_id": call_id, "caller": f"sip:{caller}@x.example", "callee": f"sip:{callee}@y.example", "n": n,
    }  # fmt: skip
    tags = f"{call_id}a {to or call_id + 'b'}"
    uri = f"sip:{callee}@y.example"
    branch = f"z9hG4bK{call_id}{n}"
    more_in: dict[str, Any] = {**more, "tags": f"{call_id}a", "branch": branch}
    told = [said(at, way, "INVITE", h=h, body=body, uri=uri, **more_in)]
    told.append(said(at + 300, back, 180, tags=tags, branch=branch, **more))
    if answers is not None:
        told.append(said(at + answers, back, status, tags=tags, branch=branch, body=answer, **more))
        told.append(said(at + answers + 5, way, "ACK", tags=tags, branch=branch if status >= 300 else None, **more))
        if talks is not None and status < 300:
            more["n"] = n + 5
            told.append(said(at + answers + talks, way, "BYE", tags=tags, branch=branch + "bye", **more))
            told.append(said(at + answers + talks + 8, back, 200, "BYE", tags=tags, branch=branch + "bye", **more))
    return told


def near(**more: Any) -> list[Said]:
    return leg(0, "A>P", "one", "1001", "2001", **more)


def far(**more: Any) -> list[Said]:
    """What P makes of it: other numbers altogether."""
    return leg(more.pop("at", 20), more.pop("way", "P>B"), "two", "7777777", "8888888", **more)


BOTH = [{"one", "two"}]
LONG = "7f3a91c2d4e85b60"
UUID, OTHER = "ab30317f1a784dc48ff824d0d3715d86", "47755a9de7794ba387653f2099600ef2"


def test_legs_that_share_nothing_are_two_conversations() -> None:
    assert joined(near(), far()) == []


# ---- named on purpose
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"X-Call-ID: {LONG}", f"X-Call-ID: {LONG}"),
        (f"X-CID: {LONG}", f"x-cid:{LONG}"),
        ("Subject: x", "X-CID: one"),
        (f"Session-ID: {UUID};remote={'0' * 32}", f"Session-ID: {UUID};remote={OTHER}"),
        (f"Session-ID: {UUID}", f"Session-ID: {OTHER};remote={UUID.upper()}"),
        ("P-Charging-Vector: icid-value=AyretyU0dm+6O2IrT5tAFrbHLso=023551024;orig-ioi=home",
         'P-Charging-Vector: orig-ioi=x; icid-value="AyretyU0dm+6O2IrT5tAFrbHLso=023551024"'),
        ("Subject: x", "Replaces: one;to-tag=oneb;from-tag=onea"),
    ],
)  # fmt: skip
def test_a_header_that_names_the_conversation_joins_its_legs(first: str, second: str) -> None:
    assert joined(near(h=(first,)), far(h=(second,))) == BOTH


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"X-Call-ID: {LONG}", f"X-Call-ID: {LONG}0"),
        (f"X-Other: {LONG}", f"X-Other: {LONG}"),
        (f"Session-ID: {'0' * 32}", f"Session-ID: {'0' * 32}"),
        (f"Session-ID: {UUID};remote={'0' * 32}", f"Session-ID: {OTHER};remote={'0' * 32}"),
        ("P-Charging-Vector: icid-value=a1;orig-ioi=home", "P-Charging-Vector: icid-value=a2;orig-ioi=home"),
        ("Subject: Replaces: one", "Subject: one"),
        ("X-CID: nobody", "Replaces: nobody;to-tag=1;from-tag=2"),
    ],
)
def test_a_header_that_only_looks_like_it_joins_nothing(first: str, second: str) -> None:
    assert joined(near(h=(first,)), far(h=(second,))) == []


def test_the_headers_are_a_setting() -> None:
    given = near(h=(f"X-Mine: {LONG}",)), far(h=(f"X-Mine: {LONG}",))
    assert joined(*given) == []
    assert joined(*given, correlation_headers=("X-Mine",)) == BOTH


def test_a_via_that_the_box_copied_joins() -> None:
    above = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKone1"
    assert joined(near(), far(h=(above,))) == BOTH
    assert joined(near(), far(h=(above.replace("one1", "other"),))) == []
    assert joined(near(), far(h=(above.replace("z9hG4bKone1", "1"),))) == []


def sdp(origin: str, host: str, port: int) -> bytes:
    return f"v=0\r\no={origin}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n".encode()


def test_a_description_passed_on_joins_calls_that_follow_each_other() -> None:
    origin = "alice 3747823648 1 IN IP4 192.0.2.1"
    assert joined(near(body=sdp(origin, HOSTS["A"], 4000)), far(body=sdp(origin, HOSTS["P"], 6000))) == BOTH
    other = origin.replace("3747823648", "3747823649")
    assert joined(near(body=sdp(origin, HOSTS["A"], 4000)), far(body=sdp(other, HOSTS["P"], 6000))) == []
    common = "- 0 0 IN IP4 127.0.0.1"
    assert joined(near(body=sdp(common, HOSTS["A"], 4000)), far(body=sdp(common, HOSTS["P"], 6000))) == []


def test_an_equal_origin_long_after_is_another_call() -> None:
    origin = "alice 3747823648 1 IN IP4 192.0.2.1"
    given = near(body=sdp(origin, HOSTS["A"], 4000)), far(at=600_000, body=sdp(origin, HOSTS["P"], 6000))
    assert joined(*given) == []


# ---- numbers and time
def test_a_call_passed_on_at_once_to_the_same_number_is_one_conversation() -> None:
    assert joined(near(), leg(20, "P>B", "two", "1001", "2001")) == BOTH


@pytest.mark.parametrize("written", ["+49301234567", "0049301234567", "49-30-1234567", "(0)301234567"])
def test_numbers_are_the_same_however_they_are_written(written: str) -> None:
    one = leg(0, "A>P", "one", "49309999999", "49301234567")
    assert joined(one, leg(20, "P>B", "two", "49309999999", written.replace(" ", ""))) == BOTH


@pytest.mark.parametrize(
    "second",
    [
        leg(20, "C>B", "two", "1001", "2009"),  # another callee from elsewhere
        leg(20, "P>B", "two", "1009", "2009"),
        leg(60_000, "P>B", "two", "1001", "2001"),  # the first was long over
        leg(-500, "P>B", "two", "1001", "2001"),  # before it
        leg(3000, "A>P", "two", "1001", "2001"),  # the same caller once more
    ],
)
def test_what_resembles_a_call_passed_on_and_is_none(second: list[Said]) -> None:
    assert joined(near(), second) == []


def test_two_candidates_with_the_same_numbers_are_never_joined() -> None:
    """Two calls arrive at the box with the same numbers, one leaves: it may be of either."""
    given = near(), leg(10, "C>P", "rival", "1001", "2001"), leg(30, "P>B", "two", "1001", "2001")
    assert joined(*given) == []


def test_two_that_arrive_and_two_that_leave_are_never_joined_by_numbers_alone() -> None:
    given = [
        near(), leg(5, "A>P", "three", "1001", "2001"), leg(30, "P>B", "two", "1001", "2001"),
        leg(35, "P>B", "four", "1001", "2001"),
    ]  # fmt: skip
    assert joined(*given) == []


def test_two_candidates_that_share_more_than_numbers_are_joined_each_with_its_own() -> None:
    one, two = f"X-CID: {LONG}", f"X-CID: {LONG[::-1]}"
    given = [
        near(h=(one,)), leg(5, "A>P", "three", "1001", "2001", h=(two,)),
        leg(30, "P>B", "two", "1001", "2001", h=(one,)), leg(35, "P>B", "four", "1001", "2001", h=(two,)),
    ]  # fmt: skip
    assert joined(*given) == [{"one", "two"}, {"three", "four"}]


def test_many_calls_to_one_hotline_through_one_box_stay_apart() -> None:
    given = []
    for k in range(20):
        given.append(leg(40 * k, "A>P", f"in{k}", "anonymous", "1800"))
        given.append(leg(40 * k + 15, "P>B", f"out{k}", "anonymous", "1800"))
    assert joined(*given) == []


def test_calls_one_after_the_other_from_one_to_another_are_calls_of_their_own() -> None:
    given = [leg(30_000 * k, "A>B", f"c{k}", "1001", "2001") for k in range(4)]
    assert joined(*given) == []


def test_three_legs_are_one_conversation() -> None:
    given = near(), leg(20, "P>C", "two", "1001", "2001"), leg(40, "C>B", "three", "1001", "2001")
    analysis = read(*given)
    assert groups(analysis) == [{"one", "two", "three"}]
    assert analysis.calls.session.tolist() == [1, 1, 1]


def test_a_box_that_tries_one_after_the_other_has_all_of_them() -> None:
    given = (
        near(answers=9000), leg(20, "P>B", "two", "1001", "2001", answers=3000, status=486),
        leg(3050, "P>C", "three", "1001", "2001", answers=5900),
    )  # fmt: skip
    assert joined(*given) == [{"one", "two", "three"}]


# ---- transfers
def test_an_attended_transfer_is_one_conversation_and_a_bystander_is_not() -> None:
    """A calls B, asks C in a second call, and hands B over to C; another call of C is none of it."""
    first = leg(0, "A>B", "one", "1001", "2001", talks=None)
    second = leg(5000, "A>C", "two", "1001", "3001", talks=None)
    refer = said(
        10_000, "A>B", "REFER", n=3, tags="onea oneb", call_id="one",
        h=["Refer-To: <sip:3001@y.example?Replaces=two%3Bto-tag%3Dtwob%3Bfrom-tag%3Dtwoa>"],
    )  # fmt: skip
    third = leg(10_100, "B>C", "three", "2001", "3001", h=("Replaces: two;to-tag=twob;from-tag=twoa",))
    other = leg(10_150, "C>P", "other", "3001", "4001")
    assert joined(first, second, refer, third, other) == [{"one", "two", "three"}]


def test_a_blind_transfer_brings_about_one_call() -> None:
    first = leg(0, "A>B", "one", "1001", "2001", talks=None)
    refer = said(
        5000, "A>B", "REFER", n=3, tags="onea oneb", call_id="one", h=["Refer-To: <sip:3001@y.example>"]
    )  # fmt: skip
    third = leg(5100, "B>C", "three", "2001", "3001")
    assert joined(first, refer, third) == [{"one", "three"}]
    assert joined(first, third) == []


# ---- media
def talk(ms: float, src: tuple[str, int], dst: tuple[str, int], *, seq: int, stamp: int, ssrc: int, n: int = 100,
         salt: int = 1) -> list[Said]:  # fmt: skip
    return [
        (
            ms + 20 * k,
            udp_frame(
                rtp(bytes((k * 37 + j * 11 * salt + k * k * salt) % 251 for j in range(160)), seq=seq + k,
                    timestamp=stamp + 160 * k, ssrc=ssrc, payload_type=8),
                src[0], src[1], dst[0], dst[1],
            ),
        )
        for k in range(n)
    ]  # fmt: skip


def medium(second: dict[str, Any], *, at: float = 2500.0) -> list[list[Said]]:
    """A to P, and P to B with what is given; the descriptions of both calls share nothing."""
    one = near(
        body=sdp("a 11111 1 IN IP4 192.0.2.1", HOSTS["A"], 4000),
        answer=sdp("p 22222 1 IN IP4 192.0.2.9", HOSTS["P"], 6000),
    )
    two = far(
        body=sdp("p 33333 1 IN IP4 192.0.2.9", HOSTS["P"], 6002),
        answer=sdp("b 44444 1 IN IP4 192.0.2.2", HOSTS["B"], 5000),
    )
    arriving = talk(2500, (HOSTS["A"], 4000), (HOSTS["P"], 6000), seq=1000, stamp=3_000_000_000, ssrc=7)
    plain: dict[str, Any] = {"seq": 1000, "stamp": 3_000_000_000, "ssrc": 7}
    return [one, two, arriving, talk(at, (HOSTS["P"], 6002), (HOSTS["B"], 5000), **(plain | second))]  # fmt: skip


@pytest.mark.parametrize(
    ("second", "at"),
    [
        ({}, 2502.0),
        ({"ssrc": 99}, 2502.0),  # another SSRC, the same numbers
        ({"seq": 5, "stamp": 70_000, "ssrc": 99}, 2502.0),  # all rewritten, the same payload
    ],
)
def test_media_that_go_on_behind_the_box_join_the_calls(second: dict[str, Any], at: float) -> None:
    assert joined(*medium(second, at=at)) == BOTH


@pytest.mark.parametrize(
    ("second", "at"),
    [
        ({"seq": 5, "stamp": 70_000, "salt": 5}, 2502.0),  # an equal SSRC alone
        ({"seq": 5, "stamp": 70_000, "ssrc": 99, "salt": 5}, 2502.0),
        ({"ssrc": 99, "seq": 5, "stamp": 70_000}, 9000.0),  # the same announcement, played later
    ],
)
def test_media_that_only_resemble_each_other_join_nothing(second: dict[str, Any], at: float) -> None:
    assert joined(*medium(second, at=at)) == []


def echoed(
    k: int,
    at: float,
    way: str = "A>B",
    *,
    after: float = 1.0,
    stamp: int = 3_000_000_000,
    back: dict[str, Any] | None = None,
) -> list[list[Said]]:
    """Call `k`, whose caller plays a file, always the same, and hears it again; the description says nothing more."""
    near_end, far_end = way.split(">")
    own, other = (HOSTS[near_end], 6000 + 4 * k), (HOSTS[far_end], 7000 + 4 * k)
    told = leg(
        at, way, f"call{k}", f"tester{k}", "service", body=sdp(f"- {own[1]}1 1 IN IP4 {own[0]}", *own),
        answer=sdp(f"- {other[1]}2 1 IN IP4 {other[0]}", *other),
    )  # fmt: skip
    numbers: dict[str, Any] = {"seq": 100, "stamp": stamp, "ssrc": 7}
    return [
        told, talk(at + 2100, own, other, **numbers), talk(at + 2100 + after, other, own, **(numbers | (back or {}))),
    ]  # fmt: skip


@pytest.mark.parametrize("stamp", [3_000_000_000, 240])
@pytest.mark.parametrize("after", [1.0, 40.0, 150.0])
@pytest.mark.parametrize(("calls", "apart"), [(2, 300.0), (2, 100.0), (3, 160.0), (12, 70.0)])
def test_a_load_generator_that_plays_one_file_in_all_calls_joins_none(
    calls: int, apart: float, after: float, stamp: int
) -> None:
    """An echo of one call looks like the next call's file passed on."""
    given = [part for k in range(calls) for part in echoed(k, k * apart, after=after, stamp=stamp)]
    assert joined(*given) == []


def test_an_echo_under_numbers_of_its_own_joins_no_other_call() -> None:
    given = [
        part
        for k in range(2)
        for part in echoed(k, 300.0 * k, back={"seq": 7000 * (k + 1), "stamp": 2_000_000_000 + k, "ssrc": 50 + k})
    ]
    assert joined(*given) == []


def test_two_hosts_that_play_one_file_to_a_server_that_echoes_are_not_joined() -> None:
    assert joined(*echoed(0, 0, "A>B"), *echoed(1, 300, "C>B")) == []


def test_an_echo_beyond_the_box_does_not_hide_that_media_go_on() -> None:
    given = medium({}, at=2502.0)
    back = [
        talk(2504, (HOSTS["B"], 5000), (HOSTS["P"], 6002), seq=1000, stamp=3_000_000_000, ssrc=7),
        talk(2506, (HOSTS["P"], 6000), (HOSTS["A"], 4000), seq=1000, stamp=3_000_000_000, ssrc=7),
    ]
    assert joined(*given, *back) == BOTH


def test_direct_media_behind_a_box_belong_to_both_calls_and_join_them() -> None:
    origin_a, origin_b = "a 11111 1 IN IP4 192.0.2.1", "b 44444 1 IN IP4 192.0.2.2"
    offer, answer = sdp(origin_a, HOSTS["A"], 4000), sdp(origin_b, HOSTS["B"], 5000)
    one = near(body=offer, answer=answer)
    two = far(body=offer.replace(b"11111", b"55555"), answer=answer.replace(b"44444", b"66666"))
    media = talk(2500, (HOSTS["A"], 4000), (HOSTS["B"], 5000), seq=1, stamp=3_000_000_000, ssrc=7)
    analysis = read(one, two, media)
    assert groups(analysis) == [{"one", "two"}]
    stream = analysis.streams.iloc[0]
    assert (stream.call_id, stream.also_call_ids, int(stream.session)) == ("one", "two", 1)
    assert analysis.calls.streams.tolist() == [1, 1]


# ---- one call is one call
def test_a_proxy_and_a_fork_stay_one_call_with_a_number_of_its_own() -> None:
    below = ["Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabove"]
    given = [
        invite(0, way="A>P"), said(3, "P>B", "INVITE", tags="a", h=below), said(4, "P>C", "INVITE", tags="a", h=below),
        said(300, "B>P", 180, tags="a b"), said(310, "C>P", 180, tags="a c"), said(302, "P>A", 180, tags="a b"),
        said(312, "P>A", 180, tags="a c"), said(900, "C>P", 200, tags="a c"), said(902, "P>A", 200, tags="a c"),
        said(910, "A>P", "ACK", tags="a c"), until(3000),
    ]  # fmt: skip
    analysis = read(given)
    assert groups(analysis) == [{"c1"}]
    assert len(analysis.calls) == 1


def test_every_call_has_a_number_and_numbers_follow_the_first_leg() -> None:
    given = near(), far(), leg(50, "C>P", "three", "5555", "6666"), leg(70, "P>A", "four", "5555", "6666")
    calls = read(*given).calls.set_index("call_id").session.to_dict()
    assert calls == {"one": 1, "two": 2, "three": 3, "four": 3}


def test_the_evidence_and_its_score_are_told_with_the_call() -> None:
    analysis = read(near(h=(f"X-CID: {LONG}",)), leg(20, "P>B", "two", "1001", "2001", h=(f"X-CID: {LONG}",)))
    (session,) = analysis.result.sessions
    assert {each.kind for each in session.evidence} == {"X-CID", "numbers"}
    assert session.score == sum(each.score for each in session.evidence) == 2.0
    assert analysis.call("two").session == ["one", "two"]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_calls_in_time_and_of_records_changes_no_session(seed: int) -> None:
    import random

    flat = list(
        itertools.chain(near(h=(f"X-CID: {LONG}",)), far(h=(f"X-CID: {LONG}",)), leg(40, "C>P", "three", "5", "6"))
    )
    packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in flat]
    random.Random(seed).shuffle(packets)
    data = pcap_bytes(packets, nanoseconds=True)
    assert groups(sipanalyzer.analyze(io.BytesIO(data), sort_ns=10**11)) == [{"one", "two"}, {"three"}]
