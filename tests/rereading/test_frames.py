"""Which frames belong to a call: what must be taken, and what must not."""

from __future__ import annotations

import itertools
import pathlib
import tempfile
import zlib
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sipanalyzer
from sipanalyzer.pipeline import analyze
from sipanalyzer.rereading.frames import find_frames
from sipanalyzer.result import Result
from tests.builders import (
    ACK,
    FIN,
    PSH,
    START_NS,
    SYN,
    Packet,
    ethernet,
    gre,
    ipv4,
    ipv4_fragments,
    pcap_bytes,
    receiver_report,
    report_block,
    sender_report,
    tcp_frame,
    websocket,
)
from tests.tape import A, B, C, Tape, sdp

S = 10**9


def frames_of(packets: Iterable[Packet], path: pathlib.Path, *call_ids: str) -> tuple[list[int], Result]:
    """Frames (from 0, as the packets are numbered) that are found for some calls."""
    path.write_bytes(pcap_bytes(list(packets), nanoseconds=True))
    result = analyze(path)
    chosen = find_frames(result, [path], call_ids or [result.calls[0].call_id])
    return [int(frame) - 1 for each in chosen for frame in each.frames], result


def taken(tape: Tape, path: pathlib.Path, *call_ids: str) -> set[int]:
    """As above, by the order in which the tape was told."""
    order = sorted(range(len(tape.packets)), key=lambda n: tape.packets[n].time_ns)
    found, _ = frames_of([tape.packets[n] for n in order], path, *call_ids)
    return {order[n] for n in found}


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "a.pcap"


class Noted(Tape):
    """Remembers which packets are said to belong."""

    def __init__(self) -> None:
        super().__init__()
        self.mine: set[int] = set()

    def own(self, tell: Callable[[], object]) -> None:
        before = len(self.packets)
        tell()
        self.mine |= set(range(before, len(self.packets)))


def two_calls() -> Noted:
    """Two calls at the same time between the same hosts."""
    tape = Noted()
    tape.own(lambda: tape.set_up(sdp(A, 4000), sdp(B, 5000)))
    tape.set_up(sdp(A, 4002), sdp(B, 5002), call="two", tags=("c", "d"))
    tape.own(lambda: tape.talk(2.1, A, 4000, B, 5000, 30).talk(2.1, B, 5000, A, 4000, 30, ssrc=9))
    tape.talk(2.1, A, 4002, B, 5002, 30, ssrc=7).talk(2.1, B, 5002, A, 4002, 30, ssrc=8)
    return tape


def test_of_two_calls_at_once_each_has_its_own(path: pathlib.Path) -> None:
    tape = two_calls()
    tape.own(lambda: tape.bye(5))
    tape.bye(5, call="two", tags=("c", "d"))
    assert taken(tape, path, "one") == tape.mine
    assert taken(tape, path, "two") == set(range(len(tape.packets))) - tape.mine
    assert taken(tape, path, "one", "two") == set(range(len(tape.packets)))


def test_what_a_mirror_port_shows_twice_is_taken_twice(path: pathlib.Path) -> None:
    tape = two_calls()
    once = len(tape.packets)
    tape.doubled()
    assert taken(tape, path, "one") == tape.mine | {n + once for n in tape.mine}


def test_media_before_its_description_belongs(path: pathlib.Path) -> None:
    tape = Noted()
    tape.own(lambda: tape.talk(0.0, B, 5000, A, 4000, 100, ssrc=9))
    tape.own(lambda: tape.set_up(sdp(A, 4000), sdp(B, 5000), at=0.5))
    assert taken(tape, path, "one") == tape.mine


def test_the_next_call_on_the_same_sockets_is_another(path: pathlib.Path) -> None:
    tape = Noted()
    for n, call in enumerate(("one", "two")):
        at = 10.0 * n

        def tell(at: float = at, call: str = call) -> None:
            tape.set_up(sdp(A, 4000), sdp(B, 5000), at=at, call=call, tags=(f"a{call}", f"b{call}"))
            tape.talk(at + 2.1, A, 4000, B, 5000, 100).talk(at + 2.1, B, 5000, A, 4000, 100, ssrc=9)
            tape.udp(at + 3, A, 4001, B, 5001, receiver_report(1, [report_block(9)]))
            tape.udp(at + 3, B, 5001, A, 4001, sender_report(9, START_NS, 5000, 1, 160))
            tape.bye(at + 5, call=call, tags=(f"a{call}", f"b{call}"))

        if call == "one":
            tape.own(tell)
        else:
            tell()
    assert taken(tape, path, "one") == tape.mine
    assert taken(tape, path, "two") == set(range(len(tape.packets))) - tape.mine


def test_rtcp_belongs_on_the_next_port_on_the_same_and_where_sdp_says(path: pathlib.Path) -> None:
    tape = two_calls()
    tape.own(lambda: tape.udp(2.5, A, 4001, B, 5001, sender_report(0x1234, START_NS, 5000, 1, 160)))
    tape.own(lambda: tape.udp(2.6, B, 5000, A, 4000, receiver_report(9, [report_block(0x1234)])))
    tape.udp(2.6, B, 5002, A, 4002, receiver_report(8, [report_block(7)]))
    tape.udp(2.6, A, 4003, B, 5003, receiver_report(7, [report_block(8)]))
    assert taken(tape, path, "one") == tape.mine
    other = Noted()
    other.own(lambda: other.set_up(sdp(A, 4000, lines=["rtcp:4900"]), sdp(B, 5000, lines=["rtcp:5900"])))
    other.own(lambda: other.udp(2.4, A, 4900, B, 5900, sender_report(0x1234, START_NS, 5000, 1, 160)))
    other.udp(2.4, A, 4902, B, 5902, sender_report(0x1234, START_NS, 5000, 1, 160))
    assert taken(other, path, "one") == other.mine


def binding(transaction: bytes) -> bytes:
    """A STUN connectivity check."""
    return b"\0\1\0\x08\x21\x12\xa4\x42" + transaction.ljust(12) + b"\0\x24\0\4\0\0\0\1"


def test_stun_of_its_sockets_belongs_while_it_lasts(path: pathlib.Path) -> None:
    tape = two_calls()
    tape.own(lambda: tape.udp(1.0, A, 4000, B, 5000, binding(b"1")))
    tape.own(lambda: tape.udp(1.0, A, 4000, C, 3478, binding(b"2")))
    tape.udp(1.0, A, 4002, B, 5002, binding(b"3"))
    tape.udp(1.0, A, 4000, B, 5002, binding(b"of both and of none"))
    tape.udp(90.0, A, 4000, B, 5000, binding(b"4"))
    assert taken(tape, path, "one") == tape.mine


def icmp(quoted: bytes, src: str, dst: str) -> bytes:
    """Port unreachable, about a packet."""
    return ethernet(ipv4(b"\3\3\0\0\0\0\0\0" + quoted, src, dst, 1), src, dst)


def test_icmp_errors_belong_by_what_they_quote(path: pathlib.Path) -> None:
    tape = two_calls()

    def error(at: float, quoted: bytes) -> None:
        tape.packets.append(Packet(START_NS + round(at * S), icmp(quoted, B, A)))

    of_one, of_two = (
        next(p.data[14:] for p in tape.packets if f"Call-ID: {call}\r".encode() in p.data) for call in ("one", "two")
    )
    media = next(p.data[14:] for n, p in enumerate(tape.packets) if n in tape.mine and b"Call-ID" not in p.data)
    tape.own(lambda: error(0.001, of_one))
    error(0.001, of_two)
    tape.own(lambda: error(0.001, of_one[:28]))  # too short to say which: both were sent just before
    error(60.0, of_one[:28])
    tape.own(lambda: error(2.2, media[:28]))
    assert taken(tape, path, "one") == tape.mine


# ---- fragments and tunnels
def test_all_fragments_belong_in_whatever_order_and_however_often(path: pathlib.Path) -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    tape.set_up(sdp(A, 4002), sdp(B, 5002), call="two", tags=("c", "d"), at=1)
    packets, mine = [], set()
    for number, packet in enumerate(sorted(tape.packets, key=lambda p: p.time_ns)):
        own = b"Call-ID: one\r" in packet.data
        pieces = ipv4_fragments(packet.data[34:], A, B, identification=number, size=160)
        assert len(pieces) > 1
        for n, piece in enumerate([*pieces[::-1], *pieces]):  # the second time as a mirror port shows them
            if own:
                mine.add(len(packets))
            packets.append(Packet(packet.time_ns + n * 10_000, ethernet(piece, A, B)))
    found, result = frames_of(packets, path, "one")
    assert set(found) == mine
    assert len(result.calls) == 2


def test_fragments_inside_a_tunnel_belong(path: pathlib.Path) -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    packets = []
    for number, packet in enumerate(tape.packets):
        for piece in ipv4_fragments(packet.data[34:], A, B, identification=number, size=160):
            inner = ethernet(ipv4(gre(piece), "203.0.113.1", "203.0.113.2", 47), A, B)
            packets.append(Packet(packet.time_ns, inner))
    found, _ = frames_of(packets, path, "one")
    assert found == list(range(len(packets)))


def test_the_beginning_of_a_datagram_whose_rest_never_came_belongs(path: pathlib.Path) -> None:
    tape = Tape()
    tape.set_up(sdp(A, 4000), sdp(B, 5000))
    first, *rest = tape.packets
    pieces = ipv4_fragments(first.data[34:], A, B, identification=7, size=304)
    packets = [Packet(first.time_ns, ethernet(pieces[0], A, B)), *rest]
    found, _ = frames_of(packets, path, "one")
    assert found == list(range(len(packets)))


# ---- TCP
class Trunk:
    """One TCP connection on which segments pass; those told to be `mine` must be found."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.mine: set[int] = set()
        self.at = START_NS
        self.sent = {A: 1_000, B: 9_000}

    def segment(
        self, src: str, data: bytes, mine: bool, *, seq: int | None = None, flags: int = PSH | ACK, step: float = 0.01
    ) -> None:
        dst = B if src == A else A
        begin = self.sent[src] if seq is None else seq
        if mine:
            self.mine.add(len(self.packets))
        self.at += round(step * S)
        frame = tcp_frame(data, src, 5060, dst, 5060, seq=begin, ack=self.sent[dst], flags=flags)
        self.packets.append(Packet(self.at, frame))
        if seq is None:
            self.sent[src] += len(data) + bool(flags & (SYN | FIN))


def message(tell: Callable[[Tape], None]) -> bytes:
    """Bytes of a message, as a tape tells it."""
    tape = Tape()
    tell(tape)
    (packet,) = tape.packets
    return packet.data[42:]


def invite(call: str, port: int = 4000) -> bytes:
    return message(lambda t: t.request(0, A, B, "INVITE", sdp(A, port), call=call, initial=True))


def answer(call: str, code: int = 200, body: bytes = b"") -> bytes:
    return message(lambda t: t.reply(0, B, A, code, body, call=call))


def ack(call: str) -> bytes:
    return message(lambda t: t.request(0, A, B, "ACK", call=call))


def check(trunk: Trunk, path: pathlib.Path, call: str = "one") -> None:
    """What is found is what was told; and alone it has the same messages at the same times."""
    found, result = frames_of(trunk.packets, path, call)
    assert set(found) == trunk.mine
    path.write_bytes(pcap_bytes([trunk.packets[n] for n in found], nanoseconds=True))
    again = analyze(path)
    rows = next(each for each in result.calls if each.call_id == call).rows
    (alone,) = again.calls
    assert alone.call_id == call
    assert [again.messages.raw(row) for row in alone.rows] == [result.messages.raw(row) for row in rows]
    assert [int(again.messages.time[row]) for row in alone.rows] == [int(result.messages.time[row]) for row in rows]


def test_of_a_shared_connection_only_the_calls_segments_belong(path: pathlib.Path) -> None:
    trunk = Trunk()
    trunk.segment(A, b"", False, flags=SYN)
    trunk.segment(B, b"", False, flags=SYN | ACK)
    trunk.segment(A, invite("two"), False)
    trunk.segment(B, answer("two", 180), False)
    trunk.segment(A, invite("one"), True)
    trunk.segment(A, invite("three"), False)
    trunk.segment(B, answer("one", 180), True)
    trunk.segment(B, answer("two"), False)
    trunk.segment(B, answer("one", 200, sdp(B, 5000)), True)
    trunk.segment(A, ack("two"), False)
    trunk.segment(A, ack("one"), True)
    trunk.segment(B, answer("four", 180), False)
    trunk.segment(A, b"", False, flags=FIN | ACK)
    check(trunk, path)


def test_a_segment_with_parts_of_two_calls_belongs_to_both(path: pathlib.Path) -> None:
    one, two = invite("one"), invite("two")
    for call in ("one", "two"):
        trunk = Trunk()
        trunk.segment(A, one[:200], call == "one")
        trunk.segment(A, one[200:] + two[:100], True)
        trunk.segment(A, two[100:250], call == "two")
        trunk.segment(A, two[250:], call == "two")
        check(trunk, path, call)


def test_a_connection_of_its_own_belongs_from_syn_to_fin_with_keep_alives_between(path: pathlib.Path) -> None:
    trunk = Trunk()
    trunk.segment(A, b"", True, flags=SYN)
    trunk.segment(B, b"", True, flags=SYN | ACK)
    trunk.segment(A, b"\r\n\r\n", True)
    trunk.segment(A, invite("one"), True)
    trunk.segment(B, answer("one", 100), True)
    trunk.segment(B, b"\r\n", True)
    trunk.segment(B, answer("one", 200, sdp(B, 5000)), True)
    trunk.segment(A, b"\r\n\r\n", True)
    trunk.segment(A, ack("one"), True)
    trunk.segment(A, b"", True, flags=FIN | ACK)
    trunk.segment(B, b"", True, flags=FIN | ACK)
    check(trunk, path)


def test_segments_out_of_order_and_sent_again_belong(path: pathlib.Path) -> None:
    one, two, three = invite("one"), invite("two"), ack("one")
    trunk = Trunk()
    trunk.segment(A, b"", True, flags=SYN)  # says where the direction begins, of which the first segment comes late
    trunk.segment(A, two, False)
    begin = trunk.sent[A]
    trunk.segment(A, one[300:], True, seq=begin + 300)
    trunk.segment(A, two, False, seq=begin + len(one))
    trunk.segment(A, one[:300], True, seq=begin)
    trunk.segment(A, one[:300], True, seq=begin, step=0.3)
    trunk.segment(A, two, False, seq=begin + len(one))
    trunk.sent[A] = begin + len(one) + len(two)
    trunk.segment(A, three, True)
    check(trunk, path)


def test_what_is_under_way_at_the_end_belongs(path: pathlib.Path) -> None:
    one = invite("one")
    trunk = Trunk()
    trunk.segment(A, one, True)
    trunk.segment(A, answer("one", 486, sdp(A, 1))[:-20], True)
    check(trunk, path)


HTTP = b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n"


def framed(text: bytes, src: str) -> bytes:
    return websocket(text, mask=b"\1\2\3\4" if src == A else None)


def test_the_upgrade_of_a_websocket_belongs_whoever_spoke_first_on_it(path: pathlib.Path) -> None:
    trunk = Trunk()
    trunk.segment(A, b"", True, flags=SYN)
    trunk.segment(B, b"", True, flags=SYN | ACK)
    trunk.segment(A, HTTP, True)
    trunk.segment(B, SWITCHING, True)
    trunk.segment(A, framed(invite("two"), A), False)
    trunk.segment(B, framed(answer("two", 486), B), False)
    trunk.segment(A, framed(ack("two"), A), False)
    trunk.segment(A, framed(invite("one"), A), True)
    trunk.segment(B, framed(answer("one", 200, sdp(B, 5000)), B), True)
    trunk.segment(A, framed(ack("one"), A), True)
    check(trunk, path)


def test_of_a_compressed_websocket_all_before_belongs(path: pathlib.Path) -> None:
    deflate = zlib.compressobj(wbits=-15)

    def packed(text: bytes) -> bytes:
        data = deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)
        frame = websocket(data[:-4], mask=b"\1\2\3\4")
        return bytes([frame[0] | 0x40]) + frame[1:]

    trunk = Trunk()
    trunk.segment(A, b"", True, flags=SYN)
    trunk.segment(A, HTTP[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", True)
    trunk.segment(A, packed(invite("two")), True)
    trunk.segment(A, packed(ack("two")), True)
    trunk.segment(A, packed(invite("one")), True)
    trunk.segment(A, packed(ack("one")), True)
    trunk.segment(A, packed(invite("three")), False)
    found, result = frames_of(trunk.packets, path, "one")
    assert set(found) == trunk.mine
    path.write_bytes(pcap_bytes([trunk.packets[n] for n in found], nanoseconds=True))
    alone = next(call for call in analyze(path).calls if call.call_id == "one")
    assert alone.messages == next(call for call in result.calls if call.call_id == "one").messages == 2


@settings(max_examples=80)
@given(data=st.data())
def test_whatever_way_a_stream_is_cut_the_segments_with_bytes_of_the_call_are_found(data: st.DataObject) -> None:
    texts = {"one": invite("one"), "two": invite("two"), "three": ack("three"), "idle": b"\r\n\r\n"}
    names = [*data.draw(st.lists(st.sampled_from(sorted(texts)), min_size=1, max_size=8)), "one"]
    stream = b"".join(texts[name] for name in names)
    edges = [0]
    for name in names:
        edges.append(edges[-1] + len(texts[name]))
    inner = data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=12))
    at_messages = data.draw(st.lists(st.sampled_from(edges[1:-1] or [0]), max_size=6))
    cuts = sorted({0, len(stream), *inner, *at_messages})
    pieces = list(itertools.pairwise(cuts))
    again = data.draw(st.lists(st.integers(0, len(pieces) - 1), max_size=4))
    swaps = data.draw(st.lists(st.integers(0, len(pieces) - 1), max_size=3))
    order = list(range(len(pieces)))
    for n in swaps:
        if n + 1 < len(order):
            order[n], order[n + 1] = order[n + 1], order[n]
    for n in again:
        order.insert(order.index(n) + 1, n)
    trunk = Trunk()
    trunk.segment(A, b"", False, flags=SYN)
    begin = trunk.sent[A]
    for n in order:
        first, last = pieces[n]
        trunk.segment(A, stream[first:last], False, seq=begin + first, step=0.001)
    spans = [(name, *span) for name, span in zip(names, itertools.pairwise(edges), strict=True)]

    def holds(n: int, wanted: Callable[[str], bool]) -> bool:
        return any(wanted(name) and first < pieces[n][1] and pieces[n][0] < last for name, first, last in spans)

    must = {k + 1 for k, n in enumerate(order) if holds(n, lambda name: name == "one")}
    never = {k + 1 for k, n in enumerate(order) if not holds(n, lambda name: name in ("one", "idle"))}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.pcap"
        found, result = frames_of(trunk.packets, path, "one")
        assert must <= set(found)
        assert not never & set(found)
        path.write_bytes(pcap_bytes([trunk.packets[n] for n in found], nanoseconds=True))
        again_result = analyze(path)
    if "one" in {call.call_id for call in result.calls}:
        (alone,) = [call for call in again_result.calls if call.call_id == "one"]
        (whole,) = [call for call in result.calls if call.call_id == "one"]
        assert alone.messages == whole.messages
        if not swaps:  # else a message may have waited for another's bytes, which are left out
            assert alone.first_time == whole.first_time


def test_a_connection_that_is_no_sip_is_not_remembered(path: pathlib.Path) -> None:
    tape = two_calls()
    before = len(tape.packets)
    seq = 1
    for n in range(200):
        frame = tcp_frame(bytes([23, 3, 3, 3, 232]) + bytes(1_000), A, 40_000, C, 443, seq=seq)
        tape.packets.append(Packet(START_NS + n * 10**7, frame))
        seq += 1_005
    assert taken(tape, path, "one") == tape.mine
    assert before < len(tape.packets)


# ---- which files are read
def test_a_file_long_before_or_after_is_not_opened(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for n in range(3):
        tape = Tape()
        tape.set_up(sdp(A, 4000), sdp(B, 5000), at=3_600.0 * n, call=f"call {n}")
        tape.talk(3_600.0 * n + 2.1, A, 4000, B, 5000, 30)
        paths.append(tmp_path / f"{n}.pcap")
        paths[-1].write_bytes(tape.bytes())
    result = sipanalyzer.analyze(paths).result
    for gone in (paths[0], paths[2]):
        gone.unlink()
    (chosen,) = find_frames(result, paths, ["call 1"])
    assert chosen.input.name == str(paths[1])
    assert len(chosen.frames) == 34
    assert chosen.media.sum() == 30
