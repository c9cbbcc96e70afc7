from __future__ import annotations

import dataclasses
import itertools
import json
import struct
import time as clock

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.network.sctp import DATA, I_DATA, SctpMessage, SctpReassembler
from sipanalyzer.options import Options

B, E, U = 2, 1, 4
ENDS = (0, 1, 0, 2)


def chunk(tsn: int, data: bytes, flags: int = B | E, *, stream: int = 0, number: int = 0, ppid: int = 0) -> bytes:
    head = struct.pack(">BBHIHHI", DATA, flags, 16 + len(data), tsn % 2**32, stream, number, ppid)
    return head + data + bytes(-len(data) % 4)


def i_chunk(tsn: int, data: bytes, flags: int = B | E, *, mid: int = 0, fragment: int = 0, stream: int = 0) -> bytes:
    head = struct.pack(">BBHIHHII", I_DATA, flags, 20 + len(data), tsn % 2**32, stream, 0, mid, fragment)
    return head + data + bytes(-len(data) % 4)


def packet(*chunks: bytes, tag: int = 77, source: int = 5060, to: int = 5061) -> bytes:
    return struct.pack(">HHII", source, to, tag, 0) + b"".join(chunks)


class Wire:
    def __init__(self, **options: int) -> None:
        self.anomalies = Anomalies()
        self.sctp = SctpReassembler(dataclasses.replace(Options(), **options), self.anomalies)
        self.frame = 0

    def send(self, *chunks: bytes, ends=ENDS, **how: int) -> list[SctpMessage]:
        return self.raw(packet(*chunks, **how), ends)

    def raw(self, data: bytes, ends=ENDS) -> list[SctpMessage]:
        self.frame += 1
        return self.sctp.packet(*ends, self.frame * 1000, self.frame, data)


def texts(messages: list[SctpMessage]) -> list[bytes]:
    return [message.data for message in messages]


def test_a_chunk_that_is_a_whole_message_is_given_at_once():
    assert Wire().send(chunk(5, b"INVITE")) == [SctpMessage(5060 << 16 | 5061, b"INVITE", 1000, 1, False)]


def test_several_chunks_in_a_packet_are_several_messages():
    sack = struct.pack(">BBHIIHH", 3, 0, 16, 1, 2, 0, 0)
    assert texts(Wire().send(sack, chunk(1, b"abc"), chunk(2, b"defgh"), chunk(3, b"i"))) == [b"abc", b"defgh", b"i"]


def test_fragments_are_put_together_and_the_last_packet_completes_the_message():
    wire = Wire()
    assert wire.send(chunk(2**32 - 1, b"ab", B)) == []
    assert wire.send(chunk(0, b"cde", 0)) == []
    assert wire.send(chunk(1, b"f", E)) == [SctpMessage(5060 << 16 | 5061, b"abcdef", 3000, 3, False)]
    assert wire.sctp._total == 0


def test_a_retransmitted_chunk_is_given_once():
    wire = Wire()
    assert texts(wire.send(chunk(1, b"a"))) == [b"a"]
    assert wire.send(chunk(1, b"a")) == []
    assert texts(wire.send(chunk(3, b"c"))) == [b"c"]
    assert wire.send(chunk(3, b"c")) == []
    assert texts(wire.send(chunk(2, b"b"))) == [b"b"]
    assert wire.send(chunk(2, b"b"), chunk(1, b"a"), chunk(3, b"c")) == []


def test_a_chunk_captured_late_from_before_the_first_is_given_once():
    wire = Wire()
    assert texts(wire.send(chunk(0, b"b"))) == [b"b"]
    assert texts(wire.send(chunk(2**32 - 1, b"a"))) == [b"a"]
    assert wire.send(chunk(2**32 - 1, b"a")) == []


def test_fragments_of_neighbouring_messages_do_not_mix():
    wire = Wire()
    assert wire.send(chunk(2, b"B1", E), chunk(3, b"A2", B, number=1)) == []
    assert texts(wire.send(chunk(1, b"A1", B))) == [b"A1B1"]
    assert texts(wire.send(chunk(4, b"B2", E, number=1))) == [b"A2B2"]


def test_directions_and_associations_are_apart():
    wire = Wire()
    assert texts(wire.send(chunk(1, b"a"))) == [b"a"]
    assert texts(wire.send(chunk(1, b"b"), tag=78)) == [b"b"]
    assert texts(wire.send(chunk(1, b"c"), ends=(0, 2, 0, 1))) == [b"c"]
    assert texts(wire.send(chunk(1, b"d"), source=5062)) == [b"d"]


def test_tsns_far_away_are_a_new_association():
    wire = Wire()
    wire.send(chunk(5, b"a"), chunk(7, b"x", B))
    assert texts(wire.send(chunk(5 + 10**9, b"b"))) == [b"b"]
    assert texts(wire.send(chunk(5, b"c"))) == [b"c"]
    assert wire.anomalies.counts() == {"sctp-missing-chunk": 1}


def test_messages_of_which_chunks_are_missing_are_counted_at_the_end():
    wire = Wire()
    wire.send(chunk(1, b"a", B), chunk(3, b"c", E))
    wire.send(chunk(9, b"x", B, number=1))
    wire.send(i_chunk(20, b"x", B, mid=3))
    wire.sctp.finish()
    assert wire.anomalies.counts() == {"sctp-missing-chunk": 3}
    assert wire.sctp._total == 0


def test_interleaved_messages_are_put_together_by_their_fragment_numbers():
    wire = Wire()
    assert wire.send(i_chunk(1, b"a1", B, mid=1), i_chunk(2, b"b1", B, mid=2)) == []
    assert wire.send(i_chunk(5, b"a3", E, mid=1, fragment=2)) == []
    assert texts(wire.send(i_chunk(4, b"b2", E, mid=2, fragment=1))) == [b"b1b2"]
    assert texts(wire.send(i_chunk(3, b"a2", 0, mid=1, fragment=1))) == [b"a1a2a3"]
    assert texts(wire.send(i_chunk(6, b"c", mid=3))) == [b"c"]
    assert wire.sctp._total == 0


def test_a_message_cut_by_the_capture_ends_there_and_says_so():
    wire = Wire()
    assert [(m.data, m.truncated) for m in wire.raw(packet(chunk(1, b"abcdef"))[:-4])] == [(b"abcd", True)]
    wire.raw(packet(chunk(2, b"gh", B)))
    wire.raw(packet(chunk(3, b"ijklmn", 0))[:-6])
    assert [(m.data, m.truncated) for m in wire.raw(packet(chunk(4, b"op", E)))] == [(b"ghij", True)]


def test_malformed_packets_are_counted():
    wire = Wire()
    assert wire.raw(b"short") == []
    assert texts(wire.raw(packet(chunk(1, b"a"), b"\0\3\0\2"))) == [b"a"]
    assert wire.raw(packet(b"\x05\0\0\0")) == []
    assert wire.anomalies["malformed-transport"].frames == [1, 2, 3]


def test_fragments_kept_are_bounded():
    wire = Wire(max_tcp_pending_bytes=5000)
    for i in range(1000):
        wire.send(chunk(2 * i, b"x" * 100, 0, number=i))
        assert wire.sctp._total <= 5300
    assert wire.anomalies["sctp-missing-chunk"].count > 900
    wire = Wire(max_pending_bytes=5000, max_tcp_connections=10**6)
    for i in range(1000):
        wire.send(chunk(1, b"x" * 100, B), tag=i)
        assert wire.sctp._total <= 5000
    wire = Wire(max_tcp_connections=5)
    for i in range(1000):
        wire.send(chunk(1, b"x" * 100, B), tag=i)
    assert len(wire.sctp._associations) == 10


@pytest.mark.parametrize("step", [1, -1])
def test_many_tiny_fragments_cost_no_more_than_their_number(step):
    wire = Wire(max_tcp_pending_bytes=10**7)
    numbers = range(1000, 1000 + 60 * step, step)
    began = clock.process_time()
    for message in range(200):
        for i, n in enumerate(numbers):
            first, last = (B, E) if step > 0 else (E, B)
            wire.send(chunk(n + 60 * message, b"x", first if i == 0 else last if i == 59 else 0, number=message))
    assert clock.process_time() - began < 3


@settings(max_examples=100)
@given(st.data())
def test_any_fragments_in_any_order_with_any_resending_are_the_same_messages(data):
    sources = data.draw(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=6))
    interleave = data.draw(st.booleans())
    tsn = data.draw(st.sampled_from([0, 1000, 2**32 - 5]))
    chunks = []
    for number, source in enumerate(sources):
        places = sorted({0, len(source), *data.draw(st.lists(st.integers(0, len(source)), max_size=4))})
        parts = [source[a:b] for a, b in itertools.pairwise(places)]
        for i, part in enumerate(parts):
            flags = (B if i == 0 else 0) | (E if i == len(parts) - 1 else 0)
            if interleave:
                chunks.append(i_chunk(tsn, part, flags, mid=number, fragment=i))
            else:
                chunks.append(chunk(tsn, part, flags, number=number))
            tsn += 1
    chunks += data.draw(st.lists(st.sampled_from(chunks), max_size=5))
    wire = Wire()
    got = []
    for one in data.draw(st.permutations(chunks)):
        got += wire.send(one)
    assert sorted(texts(got)) == sorted(sources)
    wire.sctp.finish()
    assert len(wire.anomalies) == 0
    assert wire.sctp._total == 0


@settings(max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.builds(
                lambda t, f, d: packet(chunk(t, d, f)), st.integers(0, 9), st.integers(0, 7), st.binary(max_size=9)
            ),
            st.builds(
                lambda t, f, n, d: packet(i_chunk(t, d, f, fragment=n)),
                st.integers(0, 30),
                st.integers(0, 7),
                st.integers(0, 3),
                st.binary(max_size=9),
            ),
        ),
        max_size=40,
    )
)
def test_no_bytes_raise_or_stay_behind(packets):
    wire = Wire(max_tcp_pending_bytes=500)
    for data in packets:
        wire.raw(data)
    wire.sctp.finish()
    assert wire.sctp._total == 0


def test_a_packet_cut_anywhere_gives_no_exception():
    whole = packet(chunk(1, b"abc", B), i_chunk(2, b"def"), chunk(3, b"ghi", E))
    for size in range(len(whole)):
        Wire().raw(whole[:size])


def sctp_in(path):
    wire, got = Wire(), []
    with path.open("rb") as file:
        reader = dpkt.pcap.UniversalReader(file)
        for frame, (time, data) in enumerate(reader, 1):
            ip = (dpkt.sll.SLL if reader.datalink() == dpkt.pcap.DLT_LINUX_SLL else dpkt.ethernet.Ethernet)(data).data
            if isinstance(ip, dpkt.ip.IP) and ip.p == dpkt.ip.IP_PROTO_SCTP:
                ends = (0, int.from_bytes(ip.src, "big"), 0, int.from_bytes(ip.dst, "big"))
                got += wire.sctp.packet(*ends, int(float(time) * 10**9), frame, bytes(ip.data))
    wire.sctp.finish()
    return got, wire.anomalies


def test_sip_over_sctp_in_a_real_capture(corpus):
    got, anomalies = sctp_in(corpus / "negbie__heplify__sip_sctp.pcap")
    truth = json.loads((corpus / "truth" / "negbie__heplify__sip_sctp.pcap.json").read_text())["sip_messages"]
    assert [message.frame for message in got] == [one["frame"] for one in truth] == [2, 3, 4, 5]
    assert [one["call_id"].encode() in message.data for one, message in zip(truth, got, strict=True)] == [True] * 4
    assert len(got[0].data) > 1400
    assert len(anomalies) == 0


@pytest.mark.parametrize(
    "name",
    [
        "open5gs__open5gs__volte.pcapng",
        "open5gs__open5gs__nonipsec_to_ipsec_call.pcapng",
        "telekom__5g-trace-visualizer__free5gc.pcap",
        "ajbanjara__Wireshark__Mobile-Originating-Call_AMR_.pcap",
    ],
)
def test_other_protocols_on_sctp_are_messages_like_any(corpus, name):
    got, anomalies = sctp_in(corpus / name)
    assert got
    assert not any(message.truncated for message in got)
    assert len(anomalies) == 0
