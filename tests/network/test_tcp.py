from __future__ import annotations

import dataclasses
import itertools
import random
import time as clock

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.kernels.columns import SIP_START
from sipanalyzer.network.tcp import ACK, FIN, RST, SYN, Chunk, TcpReassembler, reverse
from sipanalyzer.options import Options
from tests.naive.tcp import bytes_in_sequence

KEY = (0, 0xFFFF0A000001, 0, 0xFFFF0A000002, 5060 << 16 | 5070)
MS = 1_000_000


class Wire:
    """Two ends that send; frames are numbered, and time goes on by a millisecond a packet."""

    def __init__(self, **options: int) -> None:
        self.anomalies = Anomalies()
        self.tcp = TcpReassembler(dataclasses.replace(Options(), **options), self.anomalies)
        self.frame = self.time = 0

    def send(
        self, seq: int, payload: bytes = b"", flags: int = ACK, *, ack: int = 0, key=KEY, later: int = MS, wire: int = 0
    ) -> list[Chunk]:
        self.frame += 1
        self.time += later
        return self.tcp.segment(
            key, self.time, self.frame, seq % 2**32, ack % 2**32, flags, payload, max(wire, len(payload))
        )

    def back(self, ack: int, later: int = MS) -> list[Chunk]:
        return self.send(1, b"x", key=reverse(KEY), ack=ack, later=later)


def text(chunks: list[Chunk], key=KEY) -> bytes:
    return b"".join(chunk.data for chunk in chunks if chunk.key == key)


def of(chunks: list[Chunk]) -> list[tuple[bytes, int, bool]]:
    return [(chunk.data, chunk.frame, chunk.gap) for chunk in chunks if chunk.key == KEY and not chunk.end]


def test_segments_in_order_are_delivered_as_they_come():
    wire = Wire()
    assert wire.send(99, flags=SYN) == []
    assert wire.send(100, b"abc") == [Chunk(KEY, b"abc", 2 * MS, 2, False, False)]
    assert wire.send(103, b"def") == [Chunk(KEY, b"def", 3 * MS, 3, False, False)]
    assert wire.tcp.finish() == []
    assert len(wire.anomalies) == 0


def test_the_other_direction_has_the_ports_the_other_way_round():
    assert reverse((1, 2, 3, 4, 5060 << 16 | 40000)) == (3, 4, 1, 2, 40000 << 16 | 5060)


def test_bytes_behind_a_hole_take_time_and_frame_of_the_segment_that_fills_it():
    wire = Wire()
    wire.send(99, flags=SYN)
    assert wire.send(103, b"def") == []
    assert wire.send(106, b"g") == []
    assert of(wire.send(100, b"abc")) == [(b"abcdefg", 4, False)]


def test_a_resent_segment_is_delivered_once():
    wire = Wire()
    wire.send(99, flags=SYN)
    assert text(wire.send(100, b"abc")) == b"abc"
    assert wire.send(100, b"abc") == []
    assert text(wire.send(100, b"abcde")) == b"de"
    assert text(wire.send(102, b"cdefg")) == b"fg"
    assert len(wire.anomalies) == 0


def test_a_segment_captured_twice_behind_a_hole_is_held_once():
    wire = Wire(max_tcp_pending_bytes=5)
    wire.send(99, flags=SYN)
    for _ in range(10):
        assert wire.send(103, b"def") == []
    assert text(wire.send(100, b"abc")) == b"abcdef"
    assert len(wire.anomalies) == 0


def test_a_segment_resent_with_other_bytes_is_counted_and_the_first_bytes_stay():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(100, b"abc")
    assert text(wire.send(100, b"aXcd")) == b"d"
    assert wire.anomalies["tcp-overlap"].count == 1
    assert wire.anomalies["tcp-overlap"].frames == [3]


def test_of_overlapping_segments_behind_a_hole_the_first_bytes_stay():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(105, b"FGHIJ")
    wire.send(103, b"deXX")
    wire.send(100, b"abcYYYYYYYk")
    assert wire.anomalies["tcp-overlap"].count == 2
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(105, b"FGHIJ")
    wire.send(103, b"deXX")
    assert text(wire.send(100, b"abcYYYYYYYk")) == b"abcdeFGHIJk"


def test_a_keep_alive_is_no_data_whatever_its_byte():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(100, b"abc")
    assert wire.send(102, b"\0") == []
    assert wire.send(102, b"") == []
    assert text(wire.send(103, b"d")) == b"d"
    assert len(wire.anomalies) == 0


def test_sequence_numbers_wrap():
    wire = Wire()
    wire.send(2**32 - 3, flags=SYN)
    assert wire.send(1, b"def") == []
    assert text(wire.send(2**32 - 2, b"abc")) == b"abcdef"
    assert text(wire.send(4, b"ghi")) == b"ghi"
    assert wire.send(2**32 - 2, b"abc") == []


def test_a_syn_may_carry_data():
    wire = Wire()
    assert of(wire.send(99, b"abc", SYN)) == [(b"abc", 1, False)]
    assert wire.send(99, b"abc", SYN) == []
    assert text(wire.send(103, b"d")) == b"d"


def test_a_stream_seen_from_its_middle_begins_with_a_gap():
    wire = Wire()
    assert of(wire.send(5000, b"abc")) == [(b"abc", 1, True)]
    assert of(wire.send(5003, b"d")) == [(b"d", 2, False)]


def test_a_syn_captured_late_starts_nothing_anew():
    wire = Wire()
    wire.send(100, b"abc")
    assert wire.send(99, flags=SYN) == []
    assert of(wire.send(103, b"d")) == [(b"d", 3, False)]


def test_a_new_syn_on_the_same_ports_starts_anew_and_what_was_held_comes_first():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(100, b"abc")
    wire.send(105, b"fg")
    chunks = wire.send(777_000, flags=SYN)
    assert of(chunks) == [(b"fg", 3, True)]
    assert chunks[-1].end
    assert wire.anomalies.counts() == {"tcp-lost-segment": 1}
    assert of(wire.send(777_001, b"new")) == [(b"new", 5, False)]


def test_the_same_syn_again_starts_nothing_anew():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(100, b"abc")
    assert wire.send(99, flags=SYN | ACK) == []
    assert of(wire.send(103, b"d")) == [(b"d", 4, False)]


def test_new_connection_without_its_syn_goes_on_at_once_with_a_gap():
    for far in (10**9, -(10**9)):
        wire = Wire()
        wire.send(99, flags=SYN)
        wire.send(100, b"abc")
        assert of(wire.send(100 + far, b"INVITE")) == [(b"INVITE", 3, True)]
        assert of(wire.send(106 + far, b" sip")) == [(b" sip", 4, False)]
        assert wire.anomalies.counts() == {"tcp-lost-segment": 1}


def test_the_end_is_told_once_and_after_the_last_byte():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(100, b"abc")
    assert wire.send(106, b"g", FIN | ACK) == []
    chunks = wire.send(103, b"def")
    assert [(chunk.data, chunk.end) for chunk in chunks] == [(b"defg", False), (b"", True)]
    assert wire.send(106, b"g", FIN | ACK) == []
    assert wire.send(107, b"", RST) == []
    assert wire.tcp.finish() == []


def test_a_reset_delivers_what_was_held():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(100, b"abc")
    wire.send(105, b"fg")
    chunks = wire.send(107, flags=RST)
    assert [(chunk.data, chunk.gap, chunk.end) for chunk in chunks] == [(b"fg", True, False), (b"", False, True)]


def test_an_end_of_something_never_seen_is_nothing():
    wire = Wire()
    assert wire.send(100, flags=FIN | ACK) == []
    assert wire.send(101, flags=RST) == []
    assert wire.tcp.finish() == []


def test_a_hole_that_the_other_side_acknowledged_is_a_loss_after_a_bounded_time():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(100, b"abc")
    assert wire.send(106, b"ghi") == []
    assert of(wire.back(109)) == []
    assert of(wire.back(109, later=150 * MS)) == []
    assert of(wire.back(109, later=60 * MS)) == [(b"ghi", 3, True)]
    assert wire.anomalies["tcp-lost-segment"].frames == [3]
    assert of(wire.send(109, b"j")) == [(b"j", 7, False)]


def test_a_record_captured_late_still_fills_an_acknowledged_hole():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(100, b"abc")
    wire.send(106, b"ghi")
    wire.back(109)
    assert of(wire.send(103, b"def")) == [(b"defghi", 5, False)]
    assert wire.anomalies.counts() == {}


def test_a_hole_acknowledged_long_ago_is_a_loss_at_once():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(100, b"abc")
    wire.back(106)  # 103..105 were never captured
    assert of(wire.send(106, b"ghi", later=1000 * MS)) == [(b"ghi", 4, True)]


def test_an_acknowledged_hole_is_a_loss_after_many_further_segments():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(103, b"def")
    wire.back(106)
    got = []
    for i in range(100):
        got += wire.send(106 + i, b"x", later=0)
    assert text(got) == b"def" + b"x" * 100
    assert wire.anomalies.counts() == {"tcp-lost-segment": 1}


def test_a_hole_not_acknowledged_waits_until_its_time_is_over():
    wire = Wire(tcp_hole_timeout_ns=3000 * MS)
    wire.send(99, flags=SYN)
    wire.send(103, b"def")
    wire.back(100, later=2900 * MS)
    assert of(wire.send(106, b"g", later=98 * MS)) == []
    assert of(wire.back(100, later=3 * MS)) == [(b"def", 2, True), (b"g", 4, False)]


def test_a_hole_is_a_loss_when_too_much_waits_behind_it():
    wire = Wire(max_tcp_pending_bytes=10)
    wire.send(99, flags=SYN)
    assert wire.send(200, b"01234") == []
    assert wire.send(300, b"56789") == []
    assert of(wire.send(400, b"x")) == [(b"01234", 2, True)]
    assert of(wire.tcp.finish()) == [(b"56789", 3, True), (b"x", 4, True)]
    assert wire.anomalies.counts() == {"tcp-lost-segment": 3}


def test_all_connections_together_keep_a_bounded_number_of_bytes():
    wire = Wire(max_pending_bytes=10_000)
    for port in range(1000):
        key = (*KEY[:4], port)
        wire.send(99, flags=SYN, key=key)
        wire.send(200, b"x" * 100, key=key)
    assert wire.tcp._total <= 10_000
    wire.tcp.finish()
    assert wire.tcp._total == 0
    assert wire.anomalies.counts() == {"tcp-lost-segment": 1000}


def test_what_was_cut_from_a_packet_is_a_hole_at_once():
    wire = Wire()
    wire.send(99, flags=SYN)
    assert of(wire.send(100, b"abc", wire=10)) == [(b"abc", 2, False), (b"", 2, True)]
    assert wire.send(100, b"abc", wire=10) == []
    assert of(wire.send(110, b"def", wire=10)) == [(b"def", 4, False), (b"", 4, True)]
    assert wire.send(130, b"uvw", wire=10) == []
    assert of(wire.send(120, b"klm", wire=10)) == [
        (b"klm", 6, False),
        (b"", 6, True),
        (b"uvw", 6, False),
        (b"", 6, True),
    ]
    assert of(wire.send(140, b"x")) == [(b"x", 7, False)]
    assert wire.anomalies.counts() == {}


def test_an_ignored_direction_is_quiet_until_something_begins_like_sip():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(100, b"\x16\x03\x01")
    wire.tcp.ignore(KEY)
    assert wire.send(103, b"more") == []
    assert wire.send(109, b"", FIN | ACK) == []
    assert of(wire.send(109, b"INVITE", ACK | SIP_START)) == [(b"INVITE", 5, True)]
    assert of(wire.send(115, b" sip")) == [(b" sip", 6, False)]


def test_an_ignored_direction_is_looked_at_again_after_a_syn():
    wire = Wire()
    wire.send(100, b"\x16\x03\x01")
    wire.tcp.ignore(KEY)
    assert wire.send(5000, flags=SYN) == []
    assert of(wire.send(5001, b"REGISTER")) == [(b"REGISTER", 3, False)]


def test_ignoring_forgets_what_was_held():
    wire = Wire()
    wire.send(99, flags=SYN)
    wire.send(200, b"abc")
    wire.tcp.ignore(KEY)
    assert wire.tcp.finish() == []
    assert wire.tcp._total == 0
    assert wire.anomalies.counts() == {}


def test_the_connection_silent_for_longest_goes_first():
    wire = Wire(max_tcp_connections=1)  # two directions
    one, two, three = ((*KEY[:4], port) for port in (1, 2, 3))
    wire.send(100, b"a", key=one)
    wire.send(100, b"a", key=two)
    wire.send(105, b"held", key=two)
    wire.send(101, b"b", key=one)
    chunks = wire.send(100, b"a", key=three)
    assert [(chunk.key, chunk.data, chunk.gap, chunk.end) for chunk in chunks] == [
        (two, b"held", True, False),
        (two, b"", False, True),
        (three, b"a", True, False),
    ]
    assert wire.anomalies.counts() == {"tcp-limit": 1, "tcp-lost-segment": 1}


def test_ignored_directions_are_bounded_too():
    wire = Wire(max_tcp_connections=5)
    for port in range(1000):
        wire.tcp.ignore((*KEY[:4], port))
    assert len(wire.tcp._ignored) == 10


def test_deadlines_of_holes_filled_in_time_do_not_pile_up():
    wire = Wire()
    wire.send(99, flags=SYN)
    for i in range(20_000):
        wire.send(101 + 2 * i, b"b", later=0)
        wire.send(100 + 2 * i, b"a", later=0)
    assert len(wire.tcp._deadlines) < 3000


@pytest.mark.parametrize("order", ["backwards", "forwards", "shuffled"])
def test_many_tiny_segments_behind_a_hole_cost_no_more_than_their_number(order):
    seqs = list(range(101, 60_101))
    if order == "backwards":
        seqs.reverse()
    elif order == "shuffled":
        random.Random(1).shuffle(seqs)
    wire = Wire()
    wire.send(99, flags=SYN)
    began = clock.process_time()
    for seq in seqs:
        assert wire.send(seq, b"x", later=0) == []
    assert len(text(wire.send(100, b"x"))) == 60_001
    assert clock.process_time() - began < 3  # quadratic: minutes


segments = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 12), st.booleans()), min_size=1, max_size=30
)  # where, how long, other bytes


@settings(max_examples=200)
@given(segments, st.sampled_from([0, 2**32 - 30, 12345]))
def test_any_segments_give_the_bytes_that_the_twin_finds(plan, isn):
    source = bytes(range(100))
    sent = [
        ((isn + 1 + at) % 2**32, bytes(255 - b for b in source[at : at + n]) if other else source[at : at + n])
        for at, n, other in plan
    ]
    wire = Wire()
    wire.send(isn, flags=SYN)
    got: list[Chunk] = []
    for seq, payload in sent:
        got += wire.send(seq, payload)
    got += wire.tcp.finish()
    runs: list[bytes] = []
    for chunk in got:
        if chunk.gap or not runs:
            runs.append(b"")
        runs[-1] += chunk.data
    expected = bytes_in_sequence(sent, isn + 1)
    assert runs == [data for _, data in expected]
    holes = len(expected) - (expected[0][0] == 0)
    assert wire.anomalies.counts().get("tcp-lost-segment", 0) == holes
    assert wire.tcp._total == 0


@settings(max_examples=200)
@given(st.binary(min_size=1, max_size=300), st.data())
def test_any_cutting_in_any_order_with_any_resending_is_the_same_bytes(source, data):
    cuts = sorted({0, len(source), *data.draw(st.lists(st.integers(0, len(source)), max_size=20))})
    pieces = [(begin, source[begin:end]) for begin, end in itertools.pairwise(cuts)]
    again = data.draw(st.lists(st.tuples(st.integers(0, len(source) - 1), st.integers(1, 40)), max_size=5))
    pieces += [(begin, source[begin : begin + n]) for begin, n in again]
    pieces = data.draw(st.permutations(pieces))
    isn = data.draw(st.integers(0, 2**32 - 1))
    wire = Wire()
    got = wire.send(isn, flags=SYN)
    delivered = 0
    for begin, piece in pieces:
        chunks = wire.send(isn + 1 + begin, piece)
        delivered += len(text(chunks))
        assert all(chunk.frame == wire.frame for chunk in chunks)
        got += chunks
    assert text(got) == source
    assert delivered == len(source)
    assert not any(chunk.gap for chunk in got)
    assert len(wire.anomalies) == 0


@settings(max_examples=100)
@given(st.data())
def test_other_connections_in_between_change_nothing(data):
    plan = data.draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(1, 5)), max_size=40))
    together = Wire()
    mixed: dict[int, list] = {0: [], 1: [], 2: []}
    alone = {which: Wire() for which in mixed}
    single: dict[int, list] = {0: [], 1: [], 2: []}
    for number, (which, at, n) in enumerate(plan, 1):
        key = (*KEY[:4], which << 16 | 7)
        time = number * 400 * MS
        arguments = (key, time, number, 1000 + at, 0, ACK, bytes(range(at, at + n)), n)
        for chunk in together.tcp.segment(*arguments):
            mixed[chunk.key[4] >> 16].append(chunk)
        single[which] += alone[which].tcp.segment(*arguments)
    for chunk in together.tcp.finish():
        mixed[chunk.key[4] >> 16].append(chunk)
    for which, wire in alone.items():
        assert mixed[which] == single[which] + wire.tcp.finish()


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.integers(0, 2**32 - 1),
            st.integers(0, 2**32 - 1),
            st.integers(0, 511),
            st.binary(max_size=8),
            st.integers(0, 70000),
            st.integers(-(10**9), 10**10),
        ),
        max_size=40,
    )
)
def test_nothing_on_the_wire_raises_or_stays_behind(plan):
    wire = Wire(max_tcp_connections=1)
    time = 0
    for frame, (way, seq, ack, flags, payload, length, step) in enumerate(plan):
        time += step
        wire.tcp.segment(reverse(KEY) if way else KEY, time, frame, seq, ack, flags, payload, length)
        if frame % 7 == 6:
            wire.tcp.ignore(KEY)
    wire.tcp.finish()
    assert wire.tcp._total == 0


def segments_of(path):
    """Key, time, frame, TCP segment of a capture, by dpkt."""
    with path.open("rb") as file:
        reader = dpkt.pcap.UniversalReader(file)
        for frame, (time, data) in enumerate(reader, 1):
            link = dpkt.sll.SLL(data) if reader.datalink() == dpkt.pcap.DLT_LINUX_SLL else dpkt.ethernet.Ethernet(data)
            ip = link.data
            while isinstance(getattr(ip, "data", None), (dpkt.ip.IP, dpkt.ip6.IP6)):
                ip = ip.data
            tcp = getattr(ip, "data", None)
            if isinstance(tcp, dpkt.tcp.TCP):
                ends = int.from_bytes(ip.src, "big"), int.from_bytes(ip.dst, "big")
                key = (0, ends[0], 0, ends[1], tcp.sport << 16 | tcp.dport)
                yield key, int(float(time) * 10**9), frame, tcp


def test_a_reply_resent_in_a_real_capture_is_delivered_once(corpus):
    anomalies = Anomalies()
    tcp = TcpReassembler(Options(), anomalies)
    frames = []
    for key, time, frame, segment in segments_of(corpus / "negbie__heplify__sip_ipv4_tcp_retrans.pcap"):
        if segment.data or segment.flags & (SYN | FIN | RST):
            chunks = tcp.segment(
                key, time, frame, segment.seq, segment.ack, segment.flags, bytes(segment.data), len(segment.data)
            )
            frames += [chunk.frame for chunk in chunks if 5060 in (key[4] >> 16, key[4] & 65535) and chunk.data]
    assert [frame for frame in frames if frame < 60] == [28, 32, 33, 36]  # 38 repeats 36
    assert 38 not in frames
