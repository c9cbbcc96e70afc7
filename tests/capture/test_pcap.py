"""pcap files: every byte order, version and way to end."""

from __future__ import annotations

import datetime
import io
import struct

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.errors import CaptureError
from tests.builders import START_NS, pcap_bytes
from tests.capture import words
from tests.naive import records as naive

THREE = [words.record(1_700_000_000 + number, number, bytes([number]) * (3 * number + 1)) for number in range(3)]
PLAIN = words.pcap_header() + b"".join(THREE)


def compare(data: bytes, **options: int) -> None:
    """What is read is what the slow twin reads."""
    found, capture = words.observe(data, **options)
    expected = naive.read_pcap(data, options.get("max_record_bytes", naive.MAX_RECORD))
    assert found == [(frame, time, link, packet) for frame, time, link, packet, _ in expected.records]
    assert capture.packets == len(expected.records)
    assert capture.bytes == sum(len(packet) for _, _, _, packet, _ in expected.records)
    assert capture.cut_packets == expected.cut
    times = [time for _, time, _, _, _ in expected.records]
    assert (capture.first, capture.last) == ((min(times), max(times)) if times else (None, None))
    late, steps = naive.clock(times, options.get("sort_ns", 10**9))
    assert (capture.anomalies.counts().get("out-of-order-record", 0), capture.clock_steps) == (late, steps)
    if expected.damaged_at is None:
        assert capture.damage is None
    else:
        assert f"offset {expected.damaged_at} after {expected.damaged_after} packets" in (capture.damage or "")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "extra"), [(0xA1B2C3D4, 0), (0xA1B23C4D, 0), (0xA1B2CD34, 8)])
@pytest.mark.parametrize("version", [(2, 4), (2, 3), (2, 2), (2, 9), (543, 0)])
def test_every_magic_byte_order_and_version_is_read(
    order: str, magic: int, extra: int, version: tuple[int, int]
) -> None:
    data = words.pcap_header(magic, order=order, version=version)
    for number in range(4):
        packet = bytes([number]) * 5
        head = words.record(1_700_000_000, number, b"", order, wire=5 + number, captured=5)
        data += head + bytes(extra) + packet
    if version[0] == 543 or version[1] < 3:  # the lengths stand the other way round there
        data = words.pcap_header(magic, order=order, version=version) + b"".join(
            words.record(1, number, b"", order, wire=5, captured=5 + number) + bytes(extra) + bytes([number]) * 5
            for number in range(4)
        )
    compare(data)
    found, capture = words.observe(data)
    assert [frame for frame, _, _, _ in found] == [1, 2, 3, 4]
    assert capture.format == ("pcap-ns" if magic == 0xA1B23C4D else "pcap")
    assert capture.cut_packets == 3


def test_seconds_beyond_2038_and_fractions_beyond_a_second_are_taken_as_they_are() -> None:
    data = words.pcap_header() + words.record(2**32 - 1, 2**32 - 1, b"x")
    found, capture = words.observe(data)
    assert found[0][1] == (2**32 - 1) * 10**9 + (2**32 - 1) * 1000
    assert capture.first == found[0][1]


def test_the_upper_half_of_the_link_type_is_something_else() -> None:
    found, capture = words.observe(words.pcap_header(link=0xF400_0000 | words.ODD_LINK) + THREE[0])
    assert found[0][2] == words.ODD_LINK
    assert capture.link_types == ("IEEE 802.11 with radiotap",)


def test_a_length_on_the_wire_shorter_than_what_was_captured_is_no_cut() -> None:
    found, capture = words.observe(words.pcap_header() + words.record(1, 2, b"abcdef", wire=3))
    assert (found[0][3], capture.cut_packets) == (b"abcdef", 0)


def test_records_larger_than_the_snaplen_in_the_header_are_read() -> None:
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1, words.ODD_LINK)
    assert words.observe(header + words.record(1, 2, bytes(262_144)))[1].bytes == 262_144


def test_an_absurd_length_ends_the_file_with_the_place_where_it_stands() -> None:
    data = PLAIN + words.record(1, 2, b"", captured=0x7FFF_FFFF) + THREE[0]
    said = f"broke off at offset {len(PLAIN)} after 3 packets: "
    said += "needed a record of at most 262144 bytes, found 2147483647 bytes"
    found, capture = words.observe(data[: -len(THREE[0])])
    assert (len(found), capture.damage) == (3, said)
    found, capture = words.observe(data)
    assert (len(found), capture.damage) == (4, f"{said}; read on at offset {len(PLAIN) + 16}")
    assert capture.anomalies.counts()["passed-over"] == 1


def test_a_file_cut_at_any_byte_gives_what_stood_before() -> None:
    for length in range(len(PLAIN) + 1):
        if length < 24:
            with pytest.raises(CaptureError) as refused:
                words.observe(PLAIN[:length])
            assert refused.value.offset == 0
            assert refused.value.needed == "a pcap or pcapng file header"
        else:
            compare(PLAIN[:length])


def test_zeros_at_the_end_are_padding_and_zeros_in_between_are_damage() -> None:
    for zeros in (1, 15, 16, 17, 5000):
        assert words.observe(PLAIN + bytes(zeros), block_bytes=64)[1].damage is None
    damage = words.observe(PLAIN + bytes(5000) + THREE[0], block_bytes=64)[1].damage
    assert (
        damage
        == f"broke off at offset {len(PLAIN)} after 3 packets: needed a record header, found zeros, then other bytes; "
        f"read on at offset {len(PLAIN) + 5000}"
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("other", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34])
def test_files_strung_together_are_read_on_each_with_its_own_header(order: str, other: str, magic: int) -> None:
    first = words.pcap_header(order=order) + words.record(1, 2, b"abc", order)
    second = words.pcap_header(magic, link=119, order=other)
    second += words.record(3, 4, b"", other, captured=2) + bytes(8 if magic == 0xA1B2CD34 else 0) + b"de"
    data = first + second + first + PLAIN
    compare(data)
    found, capture = words.observe(data)
    tick = 1 if magic == 0xA1B23C4D else 1000
    assert [(frame, time, link) for frame, time, link, _ in found][:3] == [
        (1, 10**9 + 2000, 127), (2, 3 * 10**9 + 4 * tick, 119), (3, 10**9 + 2000, 127),
    ]  # fmt: skip
    assert capture.damage is None and len(found) == 6
    assert capture.anomalies.counts()["file-header"] == 3
    assert capture.link_types == ("IEEE 802.11 with radiotap", "IEEE 802.11 with Prism header")
    for block_bytes in (1, 7, 24, 40):
        assert words.observe(data, block_bytes=block_bytes)[0] == found
    for length in range(len(first), len(data), 7):
        compare(data[:length])


def test_an_empty_packet_in_the_second_of_a_magic_number_is_a_packet() -> None:
    data = PLAIN + words.record(0x4D3CB2A1, 17, b"") + THREE[0]
    compare(data)
    assert len(words.observe(data)[0]) == 5


@given(st.data())
@settings(max_examples=60)
def test_cuts_of_the_reading_show_nowhere(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 30))
    body = words.pcap_header()
    for _ in range(count):
        packet = data.draw(st.binary(max_size=90))
        time = data.draw(st.integers(0, 2**32 - 1))
        body += words.record(
            time, data.draw(st.integers(0, 999_999)), packet, wire=len(packet) + data.draw(st.integers(0, 2))
        )
    body = body[: data.draw(st.integers(24, len(body)))]
    whole = words.observe(body)
    sizes = data.draw(st.lists(st.integers(1, 50), min_size=1, max_size=5))
    block = data.draw(st.integers(1, 200))
    compare(body, block_bytes=block, max_record_bytes=100)
    assert words.observe(words.Dribble(body, sizes), block_bytes=block)[0] == whole[0]


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_behind_a_file_header_are_read_as_the_twin_reads_them(body: bytes) -> None:
    compare(words.pcap_header() + body, max_record_bytes=64)


def test_dpkt_reads_the_same_packets() -> None:
    packets = [(START_NS + number * 20_000_000, bytes([number]) * 60) for number in range(50)]
    for nanoseconds in (False, True):
        for big in (False, True):
            data = pcap_bytes(packets, nanoseconds=nanoseconds, big_endian=big, link_type=words.ODD_LINK)
            seen = [(round(float(time) * 1e6), packet) for time, packet in dpkt.pcap.Reader(io.BytesIO(data))]
            ours, _ = words.observe(data)
            assert [(time // 1000, packet) for _, time, _, packet in ours] == seen
    assert datetime.datetime.fromtimestamp(START_NS / 1e9, datetime.UTC).year == 2026
