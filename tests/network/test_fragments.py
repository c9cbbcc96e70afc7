"""IP fragments: any order, duplicates, overlaps, cuts, limits."""

from __future__ import annotations

import itertools
import random
import struct
import time as clock

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.network.fragments import FragmentReassembler
from sipanalyzer.options import Options

ENDS4 = bytes([10, 0, 0, 1, 10, 0, 0, 2])
ENDS6 = bytes(15) + b"\1" + bytes(15) + b"\2"
SECOND = 1_000_000_000


def four(
    data: bytes, start: int, more: bool, identification: int = 7, options: bytes = b"", protocol: int = 17
) -> bytes:
    header = 20 + len(options)
    place = (0x2000 if more else 0) | start // 8
    head = struct.pack(">BBHHHBBH", 0x40 | header // 4, 0, header + len(data), identification, place, 64, protocol, 0)
    return head + ENDS4 + options + data


def six(data: bytes, start: int, more: bool, identification: int = 7, extension: bytes = b"") -> bytes:
    fragment = struct.pack(">BBHI", 17, 0, start | more, identification)
    first = 60 if extension else 44
    head = struct.pack(">IHBB", 6 << 28, len(extension) + 8 + len(data), first, 64)
    return head + ENDS6 + extension + fragment + data


def split(build: object, data: bytes, cuts: list[int], **more: object) -> list[bytes]:
    """Fragments of `data`, cut at multiples of 8."""
    places = [0, *cuts, len(data)]
    return [
        build(data[a:b], a, b < len(data), **more)  # type: ignore[operator]
        for a, b in itertools.pairwise(places)
    ]


def reassemble(packets: list[bytes], options: Options | None = None) -> tuple[list[bytes], dict[str, int]]:
    anomalies = Anomalies()
    reassembler = FragmentReassembler(options or Options(), anomalies)
    whole = [reassembler.add(packet, number * 1000, number) for number, packet in enumerate(packets, 1)]
    reassembler.finish()
    return [packet for packet in whole if packet is not None], anomalies.counts()


def payload(packet: bytes) -> bytes:
    ip = dpkt.ip.IP(packet) if packet[0] >> 4 == 4 else dpkt.ip6.IP6(packet)
    assert len(packet) == (ip.len if packet[0] >> 4 == 4 else 40 + ip.plen)
    return bytes(ip.data) if isinstance(ip.data, bytes) else bytes(ip.data.pack())


UDP = struct.pack(">HHHH", 5060, 5060, 8 + 3000, 0)
DATA = UDP + bytes(random.Random(1).randbytes(3000))


@settings(max_examples=200)
@given(st.data())
def test_any_order_with_duplicates_gives_the_datagram_once(data: st.DataObject) -> None:
    build = data.draw(st.sampled_from([four, six]))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(DATA) // 8 - 1), max_size=12)))
    fragments = split(build, DATA, [8 * cut for cut in cuts])
    again = data.draw(st.lists(st.sampled_from(fragments), max_size=4))
    packets = data.draw(st.permutations(fragments + again))
    if not cuts:
        return  # no fragment at all
    whole, anomalies = reassemble(packets)
    assert len(whole) == 1 and anomalies == {}
    assert whole[0][-len(DATA) :] == DATA
    header = whole[0][: -len(DATA)]
    if build is four:
        assert dpkt.ip.IP(whole[0]).len == len(whole[0]) == 20 + len(DATA)
        assert header[6:8] == b"\0\0" and dpkt.dpkt.in_cksum(header) == 0
    else:
        assert header == struct.pack(">IHBB", 6 << 28, len(DATA), 17, 64) + ENDS6


def test_fragments_that_scapy_makes_give_the_packet_that_it_made() -> None:
    from scapy.layers.inet import IP, fragment
    from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
    from scapy.packet import Raw

    udp = Raw(DATA)
    packet = IP(src="10.0.0.1", dst="10.0.0.2", id=9, proto=17) / udp
    assert reassemble([bytes(part) for part in fragment(packet, 800)]) == ([bytes(packet)], {})
    packet = IPv6(src="::1", dst="::2", nh=17) / udp
    parts = fragment6(IPv6(src="::1", dst="::2") / IPv6ExtHdrFragment(id=9, nh=17) / udp, 900)
    assert len(parts) > 3
    assert reassemble([bytes(part) for part in parts]) == ([bytes(packet)], {})


def test_headers_before_the_fragment_header_stay() -> None:
    extension = bytes([44, 0, 1, 4, 0, 0, 0, 0])  # destination options, then the fragment header
    whole, anomalies = reassemble(split(six, DATA, [1024], extension=extension))
    assert anomalies == {}
    assert whole[0][40] == 17 and whole[0][41:48] == extension[1:] and whole[0][48:] == DATA
    assert int.from_bytes(whole[0][4:6], "big") == 8 + len(DATA)


def test_options_of_the_first_fragment_stay() -> None:
    first = four(DATA[:800], 0, True, options=b"\x01\x01\x01\0")
    whole, _ = reassemble([four(DATA[800:], 800, False), first])
    assert whole[0][:1] == b"\x46" and whole[0][24:] == DATA


def test_datagrams_are_told_apart() -> None:
    one, other = DATA, DATA[::-1]
    parts = split(four, one, [800]), split(four, other, [800], identification=8), split(four, other, [800], protocol=6)
    mixed = [part[i] for i in (1, 0) for part in parts]
    whole, anomalies = reassemble(mixed)
    assert [packet[20:] for packet in whole] == [one, other, other]
    assert anomalies == {}


def test_the_first_bytes_win_where_ipv4_fragments_differ() -> None:
    first, last = four(DATA[:800], 0, True), four(DATA[1600:], 1600, False)
    other = four(b"\xee" * 1600, 0, True)
    whole, anomalies = reassemble([first, other, last])
    assert [packet[20:] for packet in whole] == [DATA[:800] + b"\xee" * 800 + DATA[1600:]]
    assert anomalies == {"fragment-overlap": 1}


def test_overlaps_with_the_same_bytes_are_no_anomaly_in_ipv4() -> None:
    packets = [four(DATA[:800], 0, True), four(DATA[400:1600], 400, True), four(DATA[1200:], 1200, False)]
    assert reassemble(packets)[1] == {}
    assert reassemble(packets)[0][0][20:] == DATA


def test_ipv6_fragments_that_overlap_drop_the_datagram() -> None:
    packets = [six(DATA[:800], 0, True), six(DATA[400:1600], 400, True), six(DATA[1600:], 1600, False)]
    assert reassemble(packets) == ([], {"fragment-overlap": 1})
    assert reassemble([*packets, *packets]) == ([], {"fragment-overlap": 1})


def test_a_piece_beyond_the_end_is_refused() -> None:
    last = four(DATA[800:1000], 800, False)
    whole, anomalies = reassemble([last, four(bytes(80), 1600, True), four(DATA[:800], 0, True)])
    assert [packet[20:] for packet in whole] == [DATA[:1000]]
    assert anomalies == {"fragment-overlap": 1}
    whole, anomalies = reassemble([four(DATA[:1600], 0, True), last])
    assert whole == [] and anomalies == {"fragment-overlap": 1, "fragment-missing": 1}


def test_what_is_missing_is_counted_and_its_beginning_given() -> None:
    anomalies = Anomalies()
    reassembler = FragmentReassembler(Options(), anomalies)
    first, second, third = split(four, DATA, [800, 1600])
    assert reassembler.add(first, 5, 1) is None
    assert reassembler.add(third, 6, 2) is None
    (partial,) = reassembler.finish()
    assert anomalies.counts() == {"fragment-missing": 1} and anomalies["fragment-missing"].frames == [1]
    assert (partial.time, partial.frame, partial.packet[20:]) == (5, 1, DATA[:800])
    assert int.from_bytes(partial.packet[2:4], "big") == 20 + len(DATA)
    # the first alone, as a capture filter on ports leaves it: UDP says how long it was
    reassembler.add(first, 5, 1)
    assert int.from_bytes(reassembler.finish()[0].packet[2:4], "big") == 20 + len(DATA)
    reassembler.add(second, 5, 1)
    assert reassembler.finish() == []


def test_a_datagram_too_old_is_given_up() -> None:
    anomalies = Anomalies()
    reassembler = FragmentReassembler(Options(), anomalies)
    first, last = split(four, DATA, [800])
    reassembler.add(first, 0, 1)
    assert reassembler.add(last, 31 * SECOND, 2) is None  # the identification came again
    assert anomalies.counts() == {"fragment-missing": 1}
    assert reassembler.add(first, 31 * SECOND, 3) is not None
    reassembler.add(split(four, DATA, [800], identification=8)[0], 0, 4)
    reassembler.add(split(four, DATA, [800], identification=9)[0], 32 * SECOND, 5)
    assert anomalies.counts() == {"fragment-missing": 2}


def test_an_identification_comes_again_for_another_datagram() -> None:
    anomalies = Anomalies()
    reassembler = FragmentReassembler(Options(), anomalies)
    for at, data in ((0, DATA), (SECOND, DATA[::-1])):
        first, last = split(four, data, [800])
        reassembler.add(first, at, 1)
        whole = reassembler.add(last, at, 2)
        assert whole is not None and whole[20:] == data
        assert reassembler.add(last, at + 1000, 3) is None  # captured twice
    assert reassembler.finish() == [] and anomalies.counts() == {}


@pytest.mark.parametrize("build", [four, six])
def test_a_fragment_cut_anywhere_raises_nothing(build: object) -> None:
    for packet in split(build, DATA[:200], [80]):
        for size in range(len(packet)):
            whole, anomalies = reassemble([packet[:size]])
            assert whole == [] and sum(anomalies.values()) == 1


def test_cut_fragments_give_the_bytes_before_the_first_hole() -> None:
    first, second, last = split(four, DATA, [800, 1600])
    whole, anomalies = reassemble([first, second[:500], last])
    assert anomalies == {}
    assert whole[0][20:] == DATA[: 800 + 480]
    assert int.from_bytes(whole[0][2:4], "big") == 20 + len(DATA)


@given(
    st.lists(
        st.tuples(st.sampled_from([four, six]), st.integers(0, 8191), st.booleans(), st.binary(max_size=40)), max_size=9
    )
)
def test_any_fragments_are_taken(pieces: list[tuple[object, int, bool, bytes]]) -> None:
    packets = [build(data, 8 * start, more) for build, start, more, data in pieces]  # type: ignore[operator]
    for packet in reassemble(packets)[0]:
        assert payload(packet) is not None


@given(st.binary(max_size=80))
def test_any_bytes_are_taken(packet: bytes) -> None:
    for whole in reassemble([packet])[0]:
        assert len(whole) <= len(packet)


def test_fragments_of_a_length_that_is_no_multiple_of_8_are_malformed() -> None:
    assert reassemble([four(bytes(9), 0, True)]) == ([], {"malformed-ip": 1})
    assert reassemble([four(b"", 8, True)]) == ([], {"malformed-ip": 1})


def test_a_datagram_larger_than_ip_allows_is_dropped() -> None:
    assert reassemble([four(bytes(1000), 65_528, False)]) == ([], {"fragment-limit": 1})
    small = Options(max_datagram_bytes=1_000)
    assert reassemble(split(four, DATA, [800]), small)[1] == {"fragment-limit": 1, "fragment-missing": 1}


def test_limits_bound_what_is_kept() -> None:
    options = Options(max_fragments=10)
    packets = [four(DATA[:800], 0, True, identification=number) for number in range(25)]
    whole, anomalies = reassemble([*packets, four(DATA[800:], 800, False, identification=24)], options)
    assert len(whole) == 1
    assert anomalies == {"fragment-limit": 15, "fragment-missing": 9}
    options = Options(max_fragment_bytes=100_000)
    anomalies_ = Anomalies()
    reassembler = FragmentReassembler(options, anomalies_)
    for number in range(5_000):  # one datagram of lonely bytes
        reassembler.add(four(bytes(8), 8 + 16 * (number % 4_000), True, identification=number // 4_000), number, number)
        assert reassembler._cost <= 100_000 + 168
    assert "fragment-limit" in anomalies_


@pytest.mark.parametrize("seed", [None, 3])
def test_thousands_of_tiny_fragments_are_no_quadratic_work(seed: int | None) -> None:
    data = random.Random(2).randbytes(65_512)
    packets = split(four, data, list(range(8, len(data), 8)))
    if seed is not None:
        random.Random(seed).shuffle(packets)
    began = clock.perf_counter()
    whole, anomalies = reassemble(packets)
    assert clock.perf_counter() - began < 2  # 8,189 fragments; some 0.05 s
    assert [packet[20:] for packet in whole] == [data] and anomalies == {}
