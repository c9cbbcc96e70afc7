"""pcapng files: sections, interfaces, every kind of block, and every way in which they are wrong."""

from __future__ import annotations

import pathlib
import shutil
import struct
import subprocess
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.errors import CaptureError
from tests.capture import words
from tests.capture.words import block, enhanced, interface, old, option, section, simple, statistics
from tests.naive import records as naive

SECOND = 1_000_000
START = section() + interface()


def compare(data: bytes, **options: int) -> None:
    """What is read is what the slow twin reads."""
    found, capture = words.observe(data, **options)
    expected = naive.read_pcapng(
        data, options.get("max_record_bytes", naive.MAX_RECORD), options.get("max_block_bytes", naive.MAX_BLOCK)
    )
    assert found == [(frame, time, link, packet) for frame, time, link, packet, _ in expected.records]
    counts = capture.anomalies.counts()
    assert capture.packets == len(expected.records)
    assert capture.cut_packets == expected.cut
    assert counts.get("bad-block", 0) == expected.bad_blocks
    assert counts.get("bad-interface", 0) == expected.bad_interfaces
    assert counts.get("bad-time", 0) == expected.bad_times
    assert capture.dropped == expected.dropped
    if expected.damaged_at is None:
        assert capture.damage is None
    else:
        assert f"offset {expected.damaged_at} after {expected.damaged_after} packets" in (capture.damage or "")


@pytest.mark.parametrize("order", ["<", ">"])
def test_all_kinds_of_packet_blocks_are_read_in_both_byte_orders(order: str) -> None:
    data = (
        section(order) + interface(order=order) + enhanced(5 * SECOND, b"enhanced", order=order)
        + simple(b"simple", order=order) + old(6 * SECOND, b"obsolete", order=order)
    )  # fmt: skip
    found, capture = words.observe(data)
    assert found == [
        (1, 5 * 10**9, words.ODD_LINK, b"enhanced"),
        (2, 5 * 10**9, words.ODD_LINK, b"simple"),
        (3, 6 * 10**9, words.ODD_LINK, b"obsolete"),
    ]
    assert (capture.format, capture.damage, capture.dropped) == ("pcapng", None, None)
    compare(data)


def test_each_section_has_its_own_byte_order_and_interfaces() -> None:
    data = (
        START + enhanced(1 * SECOND, b"one")
        + section(">", length=3) + interface(resolution=9, order=">") + interface(113, order=">")
        + enhanced(2 * 10**9, b"two", order=">") + enhanced(3 * SECOND, b"", 1, order=">")
        + section() + enhanced(4 * SECOND, b"no interface any more")
    )  # fmt: skip
    found, capture = words.observe(data)
    assert [(frame, time, packet) for frame, time, _, packet in found][:2] == [
        (1, 10**9, b"one"),
        (2, 2 * 10**9, b"two"),
    ]
    assert capture.packets == 3
    assert capture.anomalies["bad-interface"].frames == [4]
    assert capture.link_types == ("IEEE 802.11 with radiotap", "Linux cooked v1")


@pytest.mark.parametrize(
    ("resolution", "ticks", "expected"),
    [
        (None, 1_500_000, 1_500_000_000),
        (0, 3, 3_000_000_000),
        (9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
        (12, 1_700_000_123_456_789_012, 1_700_000_123_456_789),
        (19, 2**64 - 1, 1_844_674_407),
        (0x80 | 1, 3, 1_500_000_000),
        (0x80 | 32, 1_700_000_000 << 32 | 1 << 31, 1_700_000_000_500_000_000),
        (0x80 | 63, 2**64 - 1, 1_999_999_999),
    ],
)
def test_time_has_the_resolution_of_its_interface(resolution: int | None, ticks: int, expected: int) -> None:
    found, _ = words.observe(section() + interface(resolution=resolution) + enhanced(ticks, b"x"))
    assert found[0][1] == expected


def test_the_offset_of_an_interface_is_added_and_times_may_be_before_1970() -> None:
    found, _ = words.observe(section() + interface(offset_s=-10) + enhanced(1_500_000, b"x"))
    assert found[0][1] == -8_500_000_000


def test_a_time_beyond_belief_becomes_that_of_the_packet_before() -> None:
    data = section() + interface() + interface(resolution=0) + enhanced(7 * SECOND, b"a") + enhanced(2**64 - 1, b"b", 1)
    found, capture = words.observe(data + enhanced(8 * SECOND, b"c"))
    assert [time for _, time, _, _ in found] == [7 * 10**9, 7 * 10**9, 8 * 10**9]
    assert capture.anomalies["bad-time"].frames == [2]
    assert capture.clock_steps == 0


def test_drops_are_those_of_the_last_statistics_of_each_interface() -> None:
    data = START + interface() + enhanced(1, b"a", options=option(4, struct.pack("<Q", 99)))
    assert words.observe(data)[1].dropped == 99
    assert words.observe(data + enhanced(2, b"b", options=option(4, struct.pack("<Q", 1))))[1].dropped == 100
    data += statistics(0, ifdrop=3) + statistics(0, ifdrop=5, osdrop=1) + statistics(1, osdrop=10)
    assert words.observe(data)[1].dropped == 16
    assert words.observe(START + statistics(0))[1].dropped is None
    assert words.observe(START + old(1, b"a", drops=7) + old(1, b"a", drops=0xFFFF))[1].dropped == 7


def test_simple_packets_are_cut_to_the_snaplen_of_the_first_interface() -> None:
    data = section() + interface(snaplen=4) + simple(b"abcd", wire=9) + simple(b"ab") + simple(b"abcdef", wire=6)
    found, capture = words.observe(data)
    assert [packet for _, _, _, packet in found] == [b"abcd", b"ab", b"abcd"]
    assert (capture.cut_packets, capture.first) == (2, None)


def test_unknown_blocks_are_passed_over_even_where_they_are_larger_than_the_buffer() -> None:
    large = block(0x777, bytes(range(256)) * 4000)
    data = START + enhanced(1, b"a") + large + enhanced(2, b"b") + block(0xBAD, bytes(900_000)) + enhanced(3, b"c")
    for size in (1 << 10, 1 << 21):
        found, capture = words.observe(data, block_bytes=size)
        assert [(frame, packet) for frame, _, _, packet in found] == [(1, b"a"), (2, b"b"), (4, b"c")]
        assert capture.damage is None
        found, capture = words.observe(data[:-600_000], block_bytes=size)
        assert [packet for _, _, _, packet in found] == [b"a", b"b"]
        assert capture.damage is not None
        assert "needed 900012 bytes of a block" in capture.damage


def test_an_interface_whose_options_are_larger_than_the_buffer_is_known_all_the_same() -> None:
    comments = option(1, b"c" * 60_000) * 12
    data = section(options=comments + bytes(4)) + interface(resolution=3, more=comments) + enhanced(5_000, b"x")
    for size in (1 << 10, 1 << 21):
        assert words.observe(data, block_bytes=size)[0] == [(1, 5 * 10**9, words.ODD_LINK, b"x")]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (enhanced(2, b"x", captured=1000), "bad-block"),
        (enhanced(2, b"x", which=7), "bad-interface"),
        (enhanced(2, b"x", again=4), "bad-block"),
        (block(6, b"short"), "bad-block"),
        (block(3, b""), "bad-block"),
        (block(0x777, b"abcd", again=5), "bad-block"),
        (statistics(7, 1), "bad-block"),
        (block(1, b"\x01\x00"), "bad-block"),
    ],
)
def test_a_malformed_block_is_counted_and_the_rest_goes_on(bad: bytes, code: str) -> None:
    data = START + enhanced(1, b"a") + bad + enhanced(3, b"c")
    found, capture = words.observe(data)
    assert (found[0][3], found[-1][3]) == (b"a", b"c")
    assert capture.anomalies.counts() == {code: 1}
    assert capture.anomalies[code].frames == [2]
    compare(data)


def test_a_length_that_is_no_multiple_of_four_is_rounded_up_or_believed() -> None:
    rounded = enhanced(2, b"x" * 61, total=12 + 20 + 61)
    odd = struct.pack("<II", 0x777, 14) + b"ab" + struct.pack("<I", 14)
    found, capture = words.observe(START + rounded + odd + enhanced(3, b"c"))
    assert [packet for _, _, _, packet in found] == [b"x" * 61, b"c"]
    assert capture.anomalies.counts() == {}


@pytest.mark.parametrize("length", [0, 1, 11, 400_000, 2**32 - 1])
def test_a_length_that_cannot_be_ends_the_file_there(length: int) -> None:
    good = START + enhanced(1, b"a")
    found, capture = words.observe(good + struct.pack("<II", 6, length) + bytes(40))
    assert len(found) == 1
    assert (
        capture.damage == f"broke off at offset {len(good)} after 1 packets: needed a length of a block, found {length}"
    )


def test_a_later_section_without_byte_order_ends_the_file() -> None:
    good = START + enhanced(1, b"a")
    assert f"offset {len(good)} after 1" in (words.observe(good + section()[:8] + b"abcd" + bytes(16))[1].damage or "")


def test_a_file_cut_at_any_byte_gives_what_stood_before() -> None:
    data = (
        START
        + enhanced(1, b"abc")
        + statistics(ifdrop=1)
        + section(">")
        + interface(order=">")
        + old(2, b"de", order=">")
    )
    for length in range(len(data) + 1):
        if length < 28:
            with pytest.raises(CaptureError):
                words.observe(data[:length])
        else:
            compare(data[:length])
            compare(data[:length], block_bytes=7)


def test_a_first_section_that_is_not_whole_or_of_another_version_is_no_capture() -> None:
    for data in (section(options=bytes(400))[:100], section(version=2), section()[:4] + b"\0" * 4 + section()[8:]):
        with pytest.raises(CaptureError):
            words.observe(data)


def test_an_interface_block_too_short_for_a_link_type_has_none() -> None:
    found, capture = words.observe(section() + block(1, b"") + enhanced(5, b"abc"))
    assert capture.link_types == ("BSD loopback",) and capture.anomalies.counts()["bad-block"] == 1
    assert len(found) == 1


def blocks(order: str) -> st.SearchStrategy[bytes]:
    small = st.binary(max_size=20)
    ticks = st.integers(0, 2**64 - 1)
    which = st.integers(0, 2)
    size = st.one_of(st.none(), st.integers(0, 80))
    return st.one_of(
        st.builds(lambda *a: enhanced(*a, order=order), ticks, small, which),
        st.builds(lambda t, d, c, o, n, a: enhanced(t, d, captured=c, options=o, order=order, total=n, again=a),
                  ticks, small, size, small, st.one_of(st.none(), st.integers(28, 60)), size),
        st.builds(lambda t, d, n: enhanced(t, d, options=option(4, struct.pack(order + "Q", n), order), order=order),
                  ticks, small, st.integers(0, 2**32)),
        st.builds(lambda d, w: simple(d, w, order), small, size),
        st.builds(lambda t, d, w, n: old(t, d, w, n, order), ticks, small, which, st.integers(0, 2**16 - 1)),
        st.builds(lambda w, a, b: statistics(w, a, b, order), which, size, size),
        st.builds(lambda r, o, n: interface(words.ODD_LINK, r, o, n, order),
                  st.one_of(st.none(), st.integers(0, 255)), st.one_of(st.none(), st.integers(-2**63, 2**63 - 1)),
                  st.integers(0, 30)),
        st.builds(lambda k, d, a: block(k, d, order, again=a),
                  st.sampled_from([0, 2, 3, 5, 6, 9, 0xBAD, 0x204, 0x777]), small, size),
        st.builds(lambda d, a: block(1, struct.pack(order + "H", words.ODD_LINK) + d, order, again=a), small, size),
        st.builds(lambda n: section(order, n), st.integers(-1, 100)),
    )  # fmt: skip


@given(
    st.sampled_from("<>").flatmap(lambda order: st.tuples(st.just(order), st.lists(blocks(order), max_size=12))),
    st.data(),
)
@settings(max_examples=250)
def test_any_sequence_of_blocks_is_read_as_the_twin_reads_it(
    drawn: tuple[str, list[bytes]], data: st.DataObject
) -> None:
    order, parts = drawn
    body = section(order) + interface(order=order) + b"".join(parts)
    body = body[: data.draw(st.integers(60, len(body)))] if len(body) > 60 else body
    compare(body)
    size = data.draw(st.integers(1, 100))
    assert words.observe(words.Dribble(body, [size, 3]), block_bytes=size)[0] == words.observe(body)[0]
    compare(body, block_bytes=size)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is the witness")
def test_tshark_numbers_and_times_the_same_frames(tmp_path: pathlib.Path) -> None:
    data = (
        START + interface(resolution=9, offset_s=100) + interface(resolution=0x80 | 20)
        + enhanced(5 * SECOND, b"one") + block(0x777, b"unknown") + block(9, b"__REALTIME_TIMESTAMP=1\nMESSAGE=a\n")
        + enhanced(7 * 10**9 + 1, b"two", 1) + block(0xBAD, struct.pack("<I", 32473) + b"abcd") + statistics(ifdrop=1)
        + enhanced(3 << 20 | 1 << 19, b"three", 2) + old(9 * SECOND, b"four", drops=1)
        + block(0x40000BAD, struct.pack("<I", 32473) + b"abcd")
        + block(0x204, struct.pack("<HQQIH", 0, 1000, 5, 26, 2) + b"abcdefgh")
        + section(">") + interface(order=">") + enhanced(11 * SECOND, b"five", order=">")
    )  # fmt: skip
    path = tmp_path / "a.pcapng"
    path.write_bytes(data)
    found, _ = words.observe(path)
    assert {frame: time for frame, time, _, _ in found}.items() <= witness(path).items()
    assert [frame for frame, *_ in found] == [1, 3, 5, 6, 9]


def witness(path: pathlib.Path) -> dict[int, int]:
    """Frame number and time of each frame that has one, as tshark sees it."""
    fields = ["-T", "fields", "-e", "frame.number", "-e", "frame.time_epoch"]
    out = subprocess.run(["tshark", "-n", "-r", path, *fields], capture_output=True, text=True, check=True).stdout
    lines = [line.split("\t") for line in out.splitlines()]
    return {int(number): int(Decimal(time) * 10**9) for number, time in lines if time}


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is the witness")
def test_times_of_captures_by_others_are_those_of_tshark(corpus: pathlib.Path) -> None:
    files = sorted(corpus.glob("*.pcapng"))
    assert len(files) > 10
    compared = 0
    for path in files:
        rows, _, reading = words.rows_of(path)
        seen = witness(path)
        times = {line[1]: line[0] for line in rows}
        compared += len(times)
        assert times.items() <= seen.items(), path.name
        capture = reading.captures()[0]
        assert (capture.packets, capture.damage) == (len(seen), None)
        assert (capture.first, capture.last) == (min(seen.values()), max(seen.values()))
    assert compared > 3_000
