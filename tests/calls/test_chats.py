"""MSRP sessions find their calls: whole captures with SIP over UDP and MSRP over TCP, every count by hand."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.builders import START_NS, Packet, tcp_frame
from tests.tape import A, B, P, Tape, records, sdp

PATHS = {A: "msrp://10.0.0.1:7654/alice;tcp", B: "msrp://10.0.0.2:7655/bob;tcp"}


def chat_sdp(host: str, *more: list[str], path: str | None = None, port: int = 7654) -> bytes:
    """A description of one chat, and of what else is given."""
    lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    lines += [f"m=message {port} TCP/MSRP *", "a=accept-types:text/plain", f"a=path:{path or PATHS[host]}"]
    for each in more:
        lines += each
    return "\r\n".join([*lines, ""]).encode()


class Wire(Tape):
    """A tape with a TCP connection or two."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[tuple[str, int, str, int], int] = {}

    def msrp(
        self, time: float, src: str, dst: str, text: str | None = "hello", *, frm: str | None = None,
        to: str | None = None, flag: str = "$", ports: tuple[int, int] = (7654, 7655),
    ) -> None:  # fmt: skip
        """One SEND."""
        key = src, ports[0] if src < dst else ports[1], dst, ports[1] if src < dst else ports[0]
        tid = f"t{round(time * 1000)}"
        head = (
            f"MSRP {tid} SEND\r\nTo-Path: {to or PATHS[dst]}\r\nFrom-Path: {frm or PATHS[src]}\r\nMessage-ID: {tid}\r\n"
        )
        body = "" if text is None else f"Content-Type: text/plain\r\n\r\n{text}\r\n"
        data = f"{head}{body}-------{tid}{flag}\r\n".encode()
        seq = self.at.get(key, 1000)
        self.at[key] = seq + len(data)
        self.packets.append(Packet(START_NS + round(time * 1e9), tcp_frame(data, *key, seq=seq)))


def chat(call: str = "one", src: str = A, dst: str = B) -> Wire:
    wire = Wire()
    wire.set_up(chat_sdp(src), chat_sdp(dst, port=7655), call=call, src=src, dst=dst)
    return wire


def told(wire: Tape) -> list[tuple[Any, Any, Any]]:
    return [(row["call_id"], row["media"], row["text_messages"]) for row in wire.both()[0]]


def test_messages_of_both_ways_are_counted_and_empty_ones_and_parts_are_not() -> None:
    wire = chat()
    wire.msrp(3, A, B, None)  # binds the connection (RFC 4975 5.4)
    wire.msrp(4, A, B, "hello")
    wire.msrp(5, B, A, "part one ", flag="+")
    wire.msrp(5.1, B, A, "and two")
    wire.msrp(6, B, A, "given up", flag="#")
    wire.bye(9)
    assert told(wire) == [("one", "message", 2)]


def test_a_chat_whose_messages_were_not_captured_has_no_count() -> None:
    wire = chat()
    wire.bye(9)
    assert told(wire) == [("one", "message", None)]


def test_a_call_beside_it_has_none() -> None:
    wire = chat()
    wire.set_up(sdp(A, 4000), sdp(B, 5000), call="two", at=1, tags=("c", "d"))
    wire.msrp(4, A, B)
    assert sorted(told(wire)) == [("one", "message", 1), ("two", "audio", None)]


def test_a_chat_of_nobodys_is_no_calls() -> None:
    wire = chat()
    wire.msrp(4, A, B, frm="msrp://10.0.0.1:7654/other;tcp", to="msrp://10.0.0.2:7655/another;tcp")
    assert told(wire) == [("one", "message", None)]


@pytest.mark.parametrize("hops", [(P,), (P, "10.0.0.8")])
def test_relays_show_the_same_messages_again(hops: tuple[str, ...]) -> None:
    """RFC 4976: the endpoints stay, a path grows; each hop is a connection of its own."""
    wire = chat()
    stops = [A, *hops, B]
    for k in range(3):
        for n, (src, dst) in enumerate(itertools.pairwise(stops)):
            if k == 2 and n:
                continue  # the relay lost one
            wire.msrp(4 + k + n * 0.01, src, dst, frm=PATHS[A], to=PATHS[B], ports=(7000 + n, 7100 + n))
    assert told(wire) == [("one", "message", 3)]


def test_a_box_that_puts_itself_between_and_keeps_the_call_id_counts_once() -> None:
    """A border controller rewrites a=path; both hops of the description stand for one medium."""
    near, far = "msrp://10.0.0.9:1/near;tcp", "msrp://10.0.0.9:2/far;tcp"
    wire = Wire()
    for at, src, dst, offer, answer in (
        (0.0, A, P, PATHS[A], near), (0.1, P, B, far, PATHS[B]),
    ):  # fmt: skip
        wire.request(at, src, dst, "INVITE", chat_sdp(src, path=offer), initial=True)
        wire.reply(1.2 - at, dst, src, 200, chat_sdp(dst, path=answer))
        wire.request(1.3 + at, src, dst, "ACK")
    for k in range(4):
        wire.msrp(4 + k, A, P, frm=PATHS[A], to=near, ports=(7000, 7001))
        wire.msrp(4.01 + k, P, B, frm=far, to=PATHS[B], ports=(7002, 7003))
    assert told(wire) == [("one", "message", 4)]


def test_the_two_calls_of_a_box_count_their_own() -> None:
    near, far = "msrp://10.0.0.9:1/near;tcp", "msrp://10.0.0.9:2/far;tcp"
    wire = Wire()
    wire.set_up(chat_sdp(A), chat_sdp(P, path=near), dst=P)
    wire.set_up(chat_sdp(P, path=far), chat_sdp(B), src=P, call="two", at=0.1, tags=("c", "d"))
    for k in range(4):
        wire.msrp(4 + k, A, P, frm=PATHS[A], to=near, ports=(7000, 7001))
    wire.msrp(4.5, P, B, frm=far, to=PATHS[B], ports=(7002, 7003))
    assert told(wire) == [("one", "message", 4), ("two", "message", 1)]


def test_a_chat_that_a_later_offer_adds_belongs_to_the_call() -> None:
    wire = Wire()
    wire.set_up(sdp(A, 4000), sdp(B, 5000))
    audio = ["m=audio 4000 RTP/AVP 8"]
    wire.reinvite(5, A, B, chat_sdp(A, audio), chat_sdp(B, audio))
    wire.msrp(6, A, B)
    wire.bye(9)
    assert told(wire) == [("one", "audio,message", 1)]


def test_two_chats_of_one_call_add_up() -> None:
    wire = Wire()
    second = ["m=message 7654 TCP/MSRP *", "a=path:"]
    offer = chat_sdp(A, [second[0], second[1] + "msrp://10.0.0.1:7654/side;tcp"])
    wire.set_up(offer, chat_sdp(B, [second[0], second[1] + "msrp://10.0.0.2:7655/side;tcp"]))
    wire.msrp(4, A, B)
    wire.msrp(5, A, B)
    wire.msrp(6, A, B, frm="msrp://10.0.0.1:7654/side;tcp", to="msrp://10.0.0.2:7655/side;tcp")
    assert told(wire) == [("one", "message", 3)]


def test_a_description_that_cannot_be_read_does_no_harm() -> None:
    wire = Wire()
    wire.set_up(b"\nm=message 1 TCP/MSRP *\na=path:\n" + b"\xff" * 40, b"\nm=message 99999 x\na=path:a b c\n")
    wire.msrp(4, A, B)
    assert records(wire.analyze(), "calls")[0]["text_messages"] is None
