"""Records by their numbers: the same frames, bytes and times as the readers of an analysis have."""

from __future__ import annotations

import io
import re
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer import kernels
from sipanalyzer.capture.chosen import Interface, Record, read_chosen, read_matching
from sipanalyzer.capture.source import Input, expand
from sipanalyzer.options import Options
from tests.capture import words

ODD = words.ODD_LINK


def swapped(seconds: int, data: bytes, wire: int) -> bytes:
    return struct.pack("<IIII", seconds, 0, wire, len(data)) + data


def patched(seconds: int, data: bytes) -> bytes:
    return struct.pack("<IIIIIHBB", seconds, 7, len(data), len(data), 3, 8, 0, 0) + data


PCAP = words.pcap_header() + b"".join(words.record(n, n, bytes([n]) * n, wire=n + n % 3) for n in range(1, 40))
PCAPNG = (
    words.section()
    + words.interface(resolution=9, offset_s=-3)
    + words.interface(resolution=0x80 | 20)
    + b"".join(words.enhanced(n * 10**9 + 7, bytes([n]) * n, n % 2) for n in range(1, 30))
)
CAPTURES = {
    "pcap": PCAP,
    "pcap in nanoseconds, big-endian": words.pcap_header(0xA1B23C4D, order=">")
    + b"".join(words.record(n, n, b"packet", ">") for n in range(1, 9)),
    "lengths the other way round": words.pcap_header(version=(2, 2)) + swapped(1, b"abc", 5) + swapped(2, b"defg", 4),
    "Kuznetzov's": words.pcap_header(0xA1B2CD34) + patched(1, b"abc") + patched(2, b"defg"),
    "files strung together": PCAP + words.pcap_header(0xA1B23C4D, order=">") + words.record(3, 9, b"later", ">") + PCAP,
    "padded with zeros": PCAP + bytes(100),
    "broken off": PCAP[:-3],
    "an absurd length": PCAP + words.record(9, 9, b"x", captured=1 << 30) + PCAP[24:],
    "empty packets": words.pcap_header() + words.record(5, 5, b"") + words.record(6, 6, b"x"),
    "pcapng": PCAPNG,
    "pcapng, big-endian": words.section(">")
    + words.interface(resolution=6, offset_s=5, order=">")
    + words.enhanced(1 << 40, b"packet", order=">")
    + words.enhanced(1 << 41, b"another", order=">"),
    "two sections": PCAPNG + words.section(">") + words.interface(resolution=3, order=">")
    + words.enhanced(77, b"packet", order=">"),
    "simple and old packets": words.section() + words.interface(snaplen=4) + words.enhanced(5_000_000, b"abc")
    + words.simple(b"abcd", 60) + words.old(6_000_000, b"xyz") + words.old(7_000_000, b"xyz", drops=3),
    "blocks without packets": words.section() + words.interface() + words.block(0xBAD, b"custom")
    + words.statistics(0, 3) + words.enhanced(1, b"a") + words.block(9, b"journal") + words.block(77, bytes(3_000))
    + words.enhanced(2, b"b") + words.block(0xBAD, bytes(3_000)) + words.enhanced(3, b"c"),
    "an interface in between": words.section() + words.interface() + words.enhanced(1, b"a") + words.interface(
        resolution=9) + words.enhanced(2, b"b", 1) + words.enhanced(3, b"c", 0),
    "an interface not described": words.section() + words.enhanced(1, b"a") + words.interface()
    + words.enhanced(2, b"b", 3) + words.enhanced(3, b"c"),
    "lengths that lie": words.section() + words.interface() + words.enhanced(1, b"a", captured=90)
    + words.enhanced(2, b"b", again=7) + words.enhanced(3, b"c") + words.block(6, b"short") + words.enhanced(4, b"d"),
    "a block broken off": PCAPNG[:-3],
    "a time that cannot be": words.section() + words.interface() + words.enhanced(5_000_000, b"a")
    + words.enhanced(1 << 63, b"b") + words.enhanced(6_000_000, b"c"),
}  # fmt: skip


def opened(data: bytes) -> Input:
    (one,) = expand(io.BytesIO(data))
    return one


def chosen(data: bytes, frames: list[int], **options: int) -> list[Record]:
    return list(read_chosen(opened(data), np.array(frames, np.int64), Options(**options)))


def told(record: Record) -> tuple[int, int | None, int, bytes]:
    interface = record.section.interfaces[record.which]
    time = None if record.ticks is None else interface.time_ns(record.ticks)
    return record.frame, time, interface.link, record.data


@pytest.mark.parametrize("block_bytes", [200, 8 << 20])
@pytest.mark.parametrize("name", CAPTURES)
def test_all_frames_are_those_of_an_analysis(name: str, block_bytes: int) -> None:
    options = {"block_bytes": block_bytes, "max_record_bytes": 1_000, "max_block_bytes": 10_000}
    expected = words.observe(CAPTURES[name], sort_records=0, **options)[0]
    found = [told(record) for record in chosen(CAPTURES[name], [frame for frame, *_ in expected], **options)]
    assert expected
    assert [entry[:1] + entry[2:] for entry in found] == [entry[:1] + entry[2:] for entry in expected]
    untimed = {"simple and old packets", "a time that cannot be"}
    assert name in untimed or [entry[1] for entry in found] == [entry[1] for entry in expected]


@settings(max_examples=60)
@given(name=st.sampled_from(sorted(CAPTURES)), seed=st.sets(st.integers(1, 60)), block_bytes=st.integers(64, 4_000))
def test_some_frames_are_those_of_all(name: str, seed: set[int], block_bytes: int) -> None:
    options = {"block_bytes": block_bytes, "max_record_bytes": 1_000, "max_block_bytes": 10_000}
    every = {record.frame: record.data for record in chosen(CAPTURES[name], list(range(1, 200)), **options)}
    some = [(record.frame, record.data) for record in chosen(CAPTURES[name], sorted(seed), **options)]
    assert some == [(frame, every[frame]) for frame in sorted(seed) if frame in every]


def test_compiled_as_interpreted() -> None:
    if not kernels.available():
        pytest.skip("no numba for this Python")
    frames = [2, 3, 7, 20, 25]
    interpreted = {name: [told(record) for record in chosen(data, frames)] for name, data in CAPTURES.items()}
    kernels.set_compiled(True)
    try:
        assert {name: [told(record) for record in chosen(data, frames)] for name, data in CAPTURES.items()} == (
            interpreted
        )
    finally:
        kernels.set_compiled(False)


def test_lengths_on_the_wire_and_drops_are_kept() -> None:
    (record,) = chosen(words.pcap_header() + words.record(1, 1, b"abc", wire=90), [1])
    assert (record.data, record.wire_length) == (b"abc", 90)
    simple, _, last = chosen(CAPTURES["simple and old packets"], [2, 3, 4])
    assert (simple.ticks, simple.wire_length, simple.data) == (None, 60, b"abcd")
    assert last.options == ((4, (3).to_bytes(8, "little")),)


@pytest.mark.parametrize("order", "<>")
def test_options_are_kept_little_endian(order: str) -> None:
    more = words.option(2, b"eth0", order) + words.option(8, struct.pack(order + "Q", 10**9), order)
    flags = words.option(1, b"odd!", order) + words.option(2, struct.pack(order + "I", 2), order) + bytes(4)
    data = words.section(order) + words.interface(offset_s=-7, order=order, more=more)
    (record,) = chosen(data + words.enhanced(1, b"four", order=order, options=flags), [1])
    assert record.options == ((1, b"odd!"), (2, b"\2\0\0\0"))
    (interface,) = record.section.interfaces
    assert dict(interface.options) == {14: struct.pack("<q", -7), 2: b"eth0", 8: struct.pack("<Q", 10**9)}


def test_a_check_sequence_behind_packets_is_told() -> None:
    head = words.pcap_header()[:20] + struct.pack("<I", 0x24000001)
    (record,) = chosen(head + words.record(1, 1, b"abc"), [1])
    assert record.section.interfaces[0] == Interface(1, 65_535, ((9, b"\6"), (13, b"\x20")))


@given(time=st.integers(10**10, 4 * 10**18), resolution=st.sampled_from([9, 0x80 | 30]), offset=st.integers(-9, 9))
def test_a_time_becomes_ticks_and_comes_back(time: int, resolution: int, offset: int) -> None:
    interface = Interface(1, 0, ((9, bytes([resolution])), (14, struct.pack("<q", offset))))
    assert interface.time_ns(interface.ticks(time)) == time


def test_bytes_are_found_in_whichever_record_they_are() -> None:
    data = words.pcap_header() + b"".join(
        words.record(n, 0, b"needle" if n in (3, 9) else b"hay" * n) for n in range(1, 12)
    )
    for block_bytes in (64, 1 << 20):
        found = read_matching(
            opened(data), [re.compile(b"needle"), re.compile(b"eed")], Options(block_bytes=block_bytes)
        )
        assert [record.frame for record in found] == [3, 9]
