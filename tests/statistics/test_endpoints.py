"""One row an address: what it is, by what it does, and its figures worked by hand."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.calls.calls import build_calls
from sipanalyzer.calls.dialogs import track_dialogs
from sipanalyzer.calls.sessions import join_sessions
from sipanalyzer.calls.transactions import match_transactions
from sipanalyzer.options import Options
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Messages, Result, Stream
from sipanalyzer.statistics.endpoints import EndpointRow, list_endpoints
from tests.calls.scripts import PLAIN, PROXY
from tests.calls.words import seconds, table

A, B, C, P, Q = (f"10.0.0.{ord(letter) - 64}" for letter in "ABCPQ")


def result(script: str, streams: Sequence[Stream] = (), **how: Any) -> Result:
    messages = table(script, **how)
    transactions = match_transactions(messages, Options())
    dialogs = track_dialogs(messages, transactions, Options())
    end = int(messages.time[-1]) if len(messages) else 0
    calls = build_calls(messages, transactions, dialogs, end, Options())
    return Result(
        options=Options(),
        captures=(),
        messages=messages,
        transactions=tuple(transactions),
        dialogs=tuple(dialogs),
        calls=tuple(calls),
        streams=tuple(streams),
        packets_by_kind={},
        sessions=tuple(join_sessions(messages, calls, streams, Options())),
    )


def rows(script: str, streams: Sequence[Stream] = (), **how: Any) -> dict[str, EndpointRow]:
    return {row.address: row for row in list_endpoints(result(script, streams, **how))}


def roles(script: str, streams: Sequence[Stream] = (), **how: Any) -> dict[str, str]:
    return {address: ",".join(row.roles) for address, row in rows(script, streams, **how).items()}


def stream(call: str | None, way: str, *, lost: int = 0, expected: int = 100, **words: Any) -> Stream:
    """A stream from 3 s to 9 s between hosts given as in ``A>B``."""
    src, dst = ((f"10.0.0.{ord(end[0]) - 64}", 4000) for end in way.split(">"))
    known: dict[str, Any] = {
        name: None
        for name, field in Stream.__dataclass_fields__.items()
        if "None" in str(field.type) or name in ("dscp", "vlan")
    }
    known |= dict.fromkeys(("bytes", "duplicates", "out_of_order", "restarts", "capture", "ssrc_changes"), 0)
    known |= {
        "start": seconds(3), "end": seconds(9), "packets": expected - lost, "expected": expected, "lost": lost,
        "first_frame": 1, "last_frame": 2, "ssrc": 1, "src": src, "dst": dst, "call_id": call, "also_call_ids": (),
        "matched": "sdp", "media": "audio", "payload_types": (8,), "codecs": ("PCMA",),
    }  # fmt: skip
    return Stream(**{**known, **words})


# ---- figures by hand
def test_a_plain_call() -> None:
    found = rows(PLAIN.replace("INVITE from=x", 'INVITE from=x ua="Phone 1"'))
    assert list(found) == [A, B]
    assert found[A] == EndpointRow(
        address=A, roles=("UAC",), products=("Phone 1",), messages_sent=3, messages_received=4, calls=1, answered=1,
        asr_percent=100.0, mean_response_ms=None, p95_response_ms=None, retransmissions=0, loss_percent_to=None,
        loss_percent_from=None,
    )  # fmt: skip
    # INVITE to 100: 100 ms; BYE to 200: 200 ms; 95th percentile between them: 100 + 0.95 * 100
    assert (found[B].roles, found[B].mean_response_ms) == (("UAS",), 150.0)
    assert found[B].p95_response_ms == pytest.approx(195.0)
    assert (found[B].messages_sent, found[B].messages_received) == (4, 3)


def test_answered_calls_over_those_with_an_outcome() -> None:
    script = PLAIN + "\n".join(
        [
            "20 A>B INVITE call=busy from=p branch=z9hG4bKp",
            "21 B>A 486 Busy call=busy from=p to=q branch=z9hG4bKp",
            "30 A>B INVITE call=still from=r branch=z9hG4bKr",
            "31 B>A 180 Ringing call=still from=r to=s branch=z9hG4bKr",
            "32 C>B BYE call=half cseq=7 from=t to=u branch=z9hG4bKt",
            "32.1 B>C 200 OK call=half cseq=7,BYE from=t to=u branch=z9hG4bKt",
        ]
    )
    found = rows(script)
    # ringing still: no outcome yet; the half one began before the capture: answered, but no attempt
    assert (found[A].calls, found[A].answered, found[A].asr_percent) == (3, 1, 50.0)
    assert (found[B].calls, found[B].answered, found[B].asr_percent) == (4, 2, 50.0)
    assert (found[C].calls, found[C].answered, found[C].asr_percent) == (1, 1, None)


def test_retransmissions_count_for_who_sent_them() -> None:
    found = rows("0 A>B INVITE from=x\n0.5 A>B INVITE from=x\n1.5 A>B INVITE from=x\n1.6 B>A 180 Ringing from=x to=y")
    assert (found[A].retransmissions, found[B].retransmissions) == (2, 0)
    assert found[B].mean_response_ms == 1600.0


def test_loss_is_weighted_by_packets() -> None:
    streams = [stream("c", "A>B", lost=10), stream("c", "A>B", lost=0, expected=300), stream("c", "B>A", lost=1)]
    found = rows(PLAIN, streams)
    assert (found[B].loss_percent_to, found[B].loss_percent_from) == (2.5, 1.0)
    assert (found[A].loss_percent_to, found[A].loss_percent_from) == (1.0, 2.5)


def test_streams_without_packets_that_were_expected_say_nothing_of_loss() -> None:
    assert rows(PLAIN, [stream("c", "A>B", expected=0)])[B].loss_percent_to is None


def test_products_are_listed_once_in_order_of_use_and_a_few_only() -> None:
    script = "\n".join(f'{k} A>B OPTIONS call=o{k} from=f{k} branch=z9hG4bK{k} ua="Phone {k // 2}"' for k in range(20))
    assert rows(script)[A].products == ("Phone 0", "Phone 1", "Phone 2")


# ---- roles
def test_a_proxy_forwards_and_its_neighbours_are_user_agents() -> None:
    script = PROXY.replace("INVITE from=x", 'INVITE from=x ua="Phone 1"')
    found = rows(script)
    assert {address: row.roles for address, row in found.items()} == {A: ("UAC",), P: ("proxy",), B: ("UAS",)}
    assert (found[A].products, found[P].products) == (("Phone 1",), ())  # what it passes on is not its own


def test_a_proxy_of_which_only_one_side_was_captured_is_known_by_the_via_below_its_own() -> None:
    via = "| Via: SIP/2.0/UDP phone;branch=z9hG4bKphone"
    script = f"0 P>B INVITE from=x branch=z9hG4bKp {via}\n1 B>P 200 OK from=x to=y branch=z9hG4bKp"
    assert roles(script) == {P: "proxy", B: "UAS"}
    # a To tag taken from the branch, as pjsip does it, is no second Via
    ack = "0 A>B INVITE from=x\n1 B>A 486 No from=x to=z9hG4bKINVITE1\n2 A>B ACK from=x to=z9hG4bKINVITE1"
    assert roles(ack) == {A: "UAC", B: "UAS"}


def test_a_phone_that_calls_itself_through_its_pbx_is_no_proxy() -> None:
    script = """
    0.00 A>P INVITE from=x branch=a
    0.01 P>A INVITE from=x branch=p vias=2
    1.00 A>P 180 Ringing from=x to=y branch=p
    1.01 P>A 180 Ringing from=x to=y branch=a
    """
    assert roles(script) == {A: "UAC,UAS", P: "proxy"}


def test_a_registrar_answers_or_challenges_and_who_passes_registrations_on_is_none() -> None:
    script = """
    0.00 A>P REGISTER from=x branch=a
    0.01 P>Q REGISTER from=x branch=p vias=2
    0.02 Q>P 401 No cseq=1,REGISTER from=x to=y branch=p
    0.03 P>A 401 No cseq=1,REGISTER from=x to=y branch=a
    """
    assert roles(script) == {A: "UAC", P: "proxy", Q: "registrar"}
    assert roles("0 A>B REGISTER from=x\n1 B>A 200 OK cseq=1,REGISTER from=x to=y")[B] == "registrar"
    assert roles("0 A>B REGISTER from=x\n1 B>A 404 No cseq=1,REGISTER from=x to=y")[B] == ""
    assert roles("0 A>B REGISTER from=x\n")[B] == ""


def test_a_redirect_server_and_one_that_only_refuses() -> None:
    refer = "0 A>B INVITE from=x\n1 B>A {} X from=x to=y\n1.1 A>B ACK from=x to=y"
    assert roles(refer.format(302))[B] == "redirect"
    assert roles(refer.format(404))[B] == "UAS"
    assert roles(refer.format(407))[B] == ""  # a proxy's challenge, or a user agent's: nothing says which


def test_a_proxy_that_pings_is_still_no_user_agent() -> None:
    ping = "\n20 P>B OPTIONS call=ping from=o branch=z9hG4bKo\n20.1 B>P 200 OK call=ping cseq=1,OPTIONS from=o to=p"
    back = "\n21 A>P OPTIONS call=back from=q branch=z9hG4bKq\n21.1 P>A 200 OK call=back cseq=1,OPTIONS from=q to=r"
    assert roles(PROXY + ping + back)[P] == "proxy"
    assert roles(ping) == {P: "UAC", B: "UAS"}


LEGS = """
0.00 A>P INVITE call=in from=x fu=sip:alice@a tu=sip:bob@b branch=z9hG4bKa
0.02 {out}>B INVITE call=out from=v fu=sip:alice@a tu=sip:bob@b branch=z9hG4bKb
2.00 B>{out} 200 OK call=out from=v to=w branch=z9hG4bKb
2.01 P>A 200 OK call=in from=x to=y branch=z9hG4bKa
"""


def test_a_b2bua_ends_one_leg_and_begins_the_other() -> None:
    assert roles(LEGS.format(out="P")) == {A: "UAC", P: "UAC,UAS,B2BUA", B: "UAS"}
    assert roles(LEGS.format(out="Q")) == {A: "UAC", P: "UAS,B2BUA", Q: "UAC,B2BUA", B: "UAS"}
    apart = LEGS.format(out="P").replace("fu=sip:alice@a tu=sip:bob@b branch=z9hG4bKb", "fu=sip:c@c branch=z9hG4bKb")
    assert "B2BUA" not in roles(apart.replace("tu=sip:bob@b branch=z9hG4bKa", "tu=sip:d@d branch=z9hG4bKa"))[P]


def test_a_phone_that_was_transferred_is_no_b2bua() -> None:
    script = """
    0.0 A>B INVITE call=one from=x fu=sip:a@h tu=sip:b@h branch=z9hG4bKa
    1.0 B>A 200 OK call=one from=x to=y branch=z9hG4bKa
    30.0 A>B BYE call=one cseq=2 from=x to=y branch=z9hG4bKb
    20.0 B>C INVITE call=two from=v fu=sip:b@h tu=sip:c@h branch=z9hG4bKc | Replaces: one;to-tag=x;from-tag=y
    21.0 C>B 200 OK call=two from=v to=w branch=z9hG4bKc
    """
    assert [len(session.call_ids) for session in result(script).sessions] == [2]
    assert roles(script) == {A: "UAC", B: "UAC,UAS", C: "UAS"}


def test_loopback_has_one_row_with_all_its_roles() -> None:
    ports = {"A>P": "L:5080>L:5060", "P>A": "L:5060>L:5080", "P>B": "L:5060>L:5090", "B>P": "L:5090>L:5060"}
    script = PROXY
    for words, ends in ports.items():
        script = script.replace(words, ends)
    assert roles(script, hosts={"L": "127.0.0.1"}) == {"127.0.0.1": "UAC,UAS,proxy"}


@pytest.mark.parametrize(
    "streams, relay",
    [
        ([("A>P", {}), ("P>B", {})], True),  # one SSRC goes in and out
        ([("A>P", {}), ("P>B", {"ssrc": 2})], False),
        ([("A>P", {"direction": "caller-to-callee"}), ("P>B", {"ssrc": 2, "direction": "caller-to-callee"})], True),
        ([("A>P", {"direction": "caller-to-callee"}), ("P>B", {"ssrc": 2, "direction": "callee-to-caller"})], False),
        ([("A>P", {}), ("P>A", {})], False),  # an echo
        ([("A>P", {}), ("P>B", {"start": seconds(9.5), "end": seconds(12)})], False),  # one after the other
        ([("A>P", {}), ("P>B", {"media": "video"})], False),
    ],
)
def test_a_media_relay_passes_the_same_medium_on(streams: list[tuple[str, dict[str, Any]]], relay: bool) -> None:
    made = [stream("c", way, **words) for way, words in streams]
    assert ("media-relay" in roles(PROXY, made)[P]) == relay


def test_media_without_sip_are_a_relays_unless_a_user_agent_says_that_it_is_there() -> None:
    made = [stream("c", "A>Q"), stream("c", "Q>A")]
    assert roles(PLAIN, made)[Q] == "media-relay"
    named = PLAIN.replace("200 OK from", f"200 OK contact=sip:bob@{Q}:5060 from", 1)
    assert roles(named, made)[Q] == ""
    assert roles(PLAIN, [stream(None, "A>Q")])[Q] == ""  # of no call


def test_both_legs_of_a_b2bua_that_mixes_make_it_a_relay() -> None:
    made = [stream("in", "A>P"), stream("out", "P>B", ssrc=2)]
    assert roles(LEGS.format(out="P"), made)[P] == "UAC,UAS,B2BUA,media-relay"


# ---- laws
LINES = (PROXY + PLAIN.replace("from=", "call=d from=")).strip().splitlines()


@settings(max_examples=40)
@given(st.sets(st.integers(0, len(LINES) - 1)))
def test_sums_agree_whatever_part_of_the_calls_was_captured(kept: set[int]) -> None:
    script = "\n".join(LINES[k] for k in sorted(kept))
    if not kept:
        return
    made = result(script)
    found = list_endpoints(made)
    assert sum(row.messages_sent for row in found) == sum(row.messages_received for row in found) == len(made.messages)
    assert sum(row.retransmissions for row in found) == int(made.messages.retransmission.sum())
    ends = {(call.call_id, made.messages.endpoints[int(end)][0]) for call in made.calls for row in call.rows
            for end in (made.messages.src[row], made.messages.dst[row])}  # fmt: skip
    assert sum(row.calls for row in found) == len(ends)
    assert all(row.answered <= row.calls for row in found)


def test_nothing_is_listed_of_nothing() -> None:
    empty = replace(result(PLAIN), messages=none(), transactions=(), dialogs=(), calls=(), sessions=())
    assert list_endpoints(empty) == ()
    (row,) = list_endpoints(replace(empty, streams=(stream(None, "A>A", lost=50),)))
    assert (row.address, row.roles, row.messages_sent, row.loss_percent_to) == (A, (), 0, 50.0)


def none() -> Messages:
    messages = table(PLAIN)
    columns = {
        name: getattr(messages, name)[:0]
        for name in Messages.__dataclass_fields__
        if isinstance(getattr(messages, name), np.ndarray)
    }
    return replace(messages, **columns, endpoints=[], texts={name: [] for name in messages.texts})


def test_many_messages_take_little_time() -> None:
    times = 5_000
    one = result(PROXY)
    messages, count = one.messages, len(one.messages)
    columns = {
        name: np.tile(getattr(messages, name), times)
        for name in Messages.__dataclass_fields__
        if isinstance(getattr(messages, name), np.ndarray) and name != "data"
    }
    columns["call_id"] = np.repeat(np.arange(times), count)
    texts = {**messages.texts, "call_id": [f"c{k}" for k in range(times)]}
    calls = tuple(
        replace(one.calls[0], call_id=f"c{k}", rows=tuple(range(k * count, (k + 1) * count))) for k in range(times)
    )
    many = replace(one, messages=replace(messages, **columns, texts=texts), calls=calls, sessions=())
    begin = time.process_time()
    found = {row.address: row for row in list_endpoints(many)}
    assert time.process_time() - begin < 3.0  # 65,000 messages; 0.06 s alone
    (few,) = [row for row in list_endpoints(one) if row.address == P]
    assert found[P].messages_sent == few.messages_sent * times
    assert (found[P].roles, found[P].calls, found[P].asr_percent) == (few.roles, times, few.asr_percent)


# ---- whole captures
@pytest.mark.parametrize(
    "name, wanted",
    [
        ("two_legs", {"192.0.2.10": "UAC", "203.0.113.40": "UAC,UAS,B2BUA,media-relay", "198.51.100.20": "UAS"}),
        ("proxy_hops", {"192.0.2.10": "UAC", "203.0.113.5": "proxy", "198.51.100.20": "UAS"}),
        ("register", {"192.0.2.10": "UAC", "203.0.113.5": "registrar"}),
        ("refused", {"192.0.2.10": "UAC", "198.51.100.20": "UAS,redirect"}),
        ("nat", {"203.0.113.7": "UAC", "198.51.100.20": "UAS"}),
        ("timeout", {"192.0.2.10": "UAC", "198.51.100.99": ""}),
    ],
)
def test_samples(samples: pathlib.Path, name: str, wanted: dict[str, str]) -> None:
    made = analyze(str(samples / f"{name}.pcap"))
    sessions = join_sessions(made.messages, made.calls, made.streams, made.options)
    found = {row.address: ",".join(row.roles) for row in list_endpoints(replace(made, sessions=tuple(sessions)))}
    assert {address: found.get(address) for address in wanted} == wanted


def test_figures_of_samples_are_those_of_their_stories(samples: pathlib.Path) -> None:
    """OPTIONS answered after 12 and 30 ms with 3 retransmissions; 49 of 500 packets lost towards the caller."""
    pinged = {row.address: row for row in list_endpoints(analyze(str(samples / "options.pcap")))}
    assert pinged["198.51.100.31"].mean_response_ms == pytest.approx(12.0)
    assert pinged["198.51.100.32"].p95_response_ms == pytest.approx(30.0)
    assert pinged["192.0.2.77"].retransmissions == 3
    lossy = {row.address: row for row in list_endpoints(analyze(str(samples / "lossy.pcap")))}
    assert lossy["192.0.2.10"].loss_percent_to == pytest.approx(9.8)
    assert lossy["192.0.2.10"].loss_percent_from == 0.0


def test_a_real_b2bua_is_one(corpus: pathlib.Path) -> None:
    """Asterisk 11 as registrar and B2BUA that lets the phones send media to each other."""
    (capture,) = corpus.glob("*b2bua-asterisk.pcapng")
    made = analyze(str(capture))
    sessions = join_sessions(made.messages, made.calls, made.streams, made.options)
    found = {row.address: row for row in list_endpoints(replace(made, sessions=tuple(sessions)))}
    assert found["172.16.98.101"].roles == ("UAC", "UAS", "registrar", "B2BUA")
    assert found["172.16.98.101"].products == ("Asterisk PBX 11.7.0~dfsg-1ubuntu1",)
    assert found["172.16.98.1"].roles == ("UAC",)
