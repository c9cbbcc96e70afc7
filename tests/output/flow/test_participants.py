"""Who stands where, and whose media an address carries."""

from __future__ import annotations

import pathlib

import sipanalyzer
from sipanalyzer.output.flow.model import FlowChart, Fold, Media, Message
from sipanalyzer.output.flow.participants import MOST_PARTICIPANTS
from tests.output.flow.told import chart_of, people
from tests.tape import A, B, C, P, Tape, sdp


def bars(chart: FlowChart) -> list[tuple[int, int]]:
    return [(row.source, row.target) for row in chart.rows if isinstance(row, Media)]


def details(chart: FlowChart) -> list[str | None]:
    return [person.detail for person in chart.participants]


def test_media_at_an_address_of_its_own_belongs_to_who_announced_it() -> None:
    tape = Tape()
    tape.set_up(sdp("10.0.9.1", 4000), sdp(B, 5000))
    tape.talk(3, "10.0.9.1", 4000, B, 5000, 20)
    tape.talk(3, B, 5000, "10.0.9.1", 4000, 20, ssrc=2)
    chart = chart_of(tape.analyze())
    assert people(chart) == [(A, "a", "caller"), (B, "b", "callee")]
    assert details(chart) == ["media 10.0.9.1", None]
    assert bars(chart) == [(0, 1), (1, 0)]


def test_a_proxy_that_passes_sdp_on_is_not_its_author() -> None:
    tape = Tape()
    for src, dst, at in ((A, P, 0.0), (P, B, 0.01)):
        tape.request(at, src, dst, "INVITE", sdp("10.0.9.1", 4000), initial=True)
    for src, dst, at in ((B, P, 2.0), (P, A, 2.01)):
        tape.reply(at, src, dst, 200, sdp("10.0.9.2", 5000))
    tape.talk(3, "10.0.9.1", 4000, "10.0.9.2", 5000, 20)
    tape.talk(3, "10.0.9.2", 5000, "10.0.9.1", 4000, 20, ssrc=2)
    chart = chart_of(tape.analyze())
    assert [person.address for person in chart.participants] == [A, P, B]
    assert details(chart) == ["media 10.0.9.1", None, "media 10.0.9.2"]
    assert bars(chart) == [(0, 2), (2, 0)]


def test_a_relay_that_two_announce_stands_alone_beside_the_first() -> None:
    relay = "10.0.9.9"
    tape = Tape()
    tape.set_up(sdp(relay, 4000), sdp(relay, 5000))
    tape.talk(3, A, 7000, relay, 5000, 20)
    tape.talk(3, relay, 4000, A, 7000, 20, ssrc=2)
    chart = chart_of(tape.analyze())
    assert people(chart) == [(A, "a", "caller"), (relay, "media", "media"), (B, "b", "callee")]
    assert bars(chart) == [(0, 1), (1, 0)]


def test_behind_nat_the_address_that_nobody_announced_is_who_was_told_the_other_end() -> None:
    outside = "203.0.113.200"  # neither in SDP nor where alice's SIP comes from
    tape = Tape()
    tape.set_up(sdp("192.168.0.5", 4000), sdp(B, 5000))
    tape.talk(3, outside, 61000, B, 5000, 20)
    tape.talk(3.1, B, 5000, outside, 61000, 20, ssrc=2)
    chart = chart_of(tape.analyze())
    assert [person.address for person in chart.participants] == [A, B]
    assert details(chart)[0] == f"media {outside}"
    assert bars(chart) == [(0, 1), (1, 0)]


def test_a_host_that_talks_to_itself_is_told_apart_by_port(samples: pathlib.Path) -> None:
    chart = chart_of(sipanalyzer.analyze(samples / "baresip.pcap"))
    assert people(chart) == [("127.0.0.1:5060", "caller", "caller"), ("127.0.0.1:5070", "callee", "callee")]
    assert bars(chart) == [(1, 0), (0, 1)]


def test_over_tcp_a_client_port_is_the_socket_that_its_via_names() -> None:
    tape, host = Tape(), "127.0.0.1"

    def say(at: float, source: int, target: int, first: str, via: int, cseq: str, tag: str, seq: int) -> None:
        lines = [
            first, f"Via: SIP/2.0/TCP {host}:{via};branch=z9hG4bK{cseq.replace(' ', '')}", "From: <sip:a@x>;tag=a",
            f"To: <sip:b@x>{tag}", "Call-ID: one", f"CSeq: {cseq}", "Content-Length: 0", "", "",
        ]  # fmt: skip
        from tests.builders import START_NS, Packet, tcp_frame

        data = "\r\n".join(lines).encode()
        frame = tcp_frame(data, host, source, host, target, seq=seq, flags=0x18)
        tape.packets.append(Packet(START_NS + round(at * 1e9), frame, 0, len(frame)))

    say(0, 41_000, 5060, "INVITE sip:b@x SIP/2.0", 5070, "1 INVITE", "", 1)
    say(1, 5060, 41_000, "SIP/2.0 200 OK", 5070, "1 INVITE", ";tag=b", 1)
    say(2, 42_000, 5070, "BYE sip:a@x SIP/2.0", 5060, "2 BYE", ";tag=b", 1)
    chart = chart_of(tape.analyze())
    assert [person.address for person in chart.participants] == ["127.0.0.1:5070", "127.0.0.1:5060"]
    assert [(row.source, row.target) for row in chart.rows if isinstance(row, Message)] == [(0, 1), (1, 0), (1, 0)]


def test_addresses_of_ipv6_are_compared_as_numbers_not_as_text() -> None:
    tape = Tape()
    tape.set_up(sdp("2001:DB8:0:0::5", 4000), sdp(B, 5000))
    tape.talk(3, "2001:db8::7", 4000, "2001:db8::5", 4000, 20)
    chart = chart_of(tape.analyze())
    assert "media 2001:db8::5" in (details(chart)[0] or "")


def test_the_first_hop_stands_left_even_where_a_later_one_was_captured_first() -> None:
    tape = Tape()
    tape.request(0.0, P, B, "INVITE", initial=True)
    tape.request(0.001, A, P, "INVITE", initial=True)
    tape.reply(1, B, P, 200)
    chart = chart_of(tape.analyze())
    assert [person.address for person in chart.participants] == [A, P, B]


def fork(phones: int) -> Tape:
    tape = Tape()
    tape.request(0, A, P, "INVITE", sdp(A, 4000), initial=True)
    for k in range(phones):
        tape.request(0.01 + k / 1000, P, f"10.0.1.{k + 1}", "INVITE", sdp(A, 4000), initial=True)
        tape.reply(0.3 + k / 100, f"10.0.1.{k + 1}", P, 180, tags=("a", f"b{k}"))
    tape.reply(2, f"10.0.1.{phones}", P, 200, sdp(f"10.0.1.{phones}", 5000), tags=("a", f"b{phones - 1}"))
    return tape


def test_a_fork_to_twelve_phones_is_drawn_whole() -> None:
    chart = chart_of(fork(12).analyze())
    assert len(chart.participants) == MOST_PARTICIPANTS == 14 and not chart.remarks


def test_of_a_fork_to_forty_the_one_who_answered_has_a_line_and_the_many_share_one() -> None:
    chart = chart_of(fork(40).analyze())
    addresses = [person.address for person in chart.participants]
    assert len(addresses) == MOST_PARTICIPANTS
    assert addresses[:2] == [A, P] and addresses[-2:] == ["10.0.1.40", "29 others"]
    assert chart.remarks == ("Not drawn one by one: 29 hosts, which share the last line.",)
    assert len(chart.rows) < 40  # what goes to those who share a line repeats, and is folded
    shared = [row for row in chart.rows if isinstance(row, Fold) and 13 in (row.source, row.target)]
    assert sorted(len(row.messages) for row in shared) == [28, 28]


def test_legs_share_their_hosts_and_the_middle_is_called_what_it_is() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(P, 6000), src=A, dst=P, call="left", answered=3)
    tape.set_up(sdp(P, 6002), sdp(B, 5000), at=0.1, src=P, dst=B, call="right", tags=("m", "b"))
    chart = chart_of(tape.analyze(), None)
    assert people(chart) == [(A, "a", "caller"), (P, "B2BUA", "between"), (B, "b", "callee")]


def test_who_was_called_and_calls_another_after_the_answer_is_no_pbx() -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000), call="first", tags=("a", "b"))
    tape.set_up(sdp(B, 5002), sdp(C, 6000), at=5, src=B, dst=C, call="second", tags=("b", "c"))
    chart = chart_of(tape.analyze(), None)
    assert people(chart) == [(A, "a", "caller"), (B, "b", "callee"), (C, "c", "callee")]
