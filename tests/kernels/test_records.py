"""The walking kernels."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from sipanalyzer import kernels
from sipanalyzer.kernels import columns as row
from sipanalyzer.kernels import records, walkstate
from tests.capture import words

KEPT = np.zeros(1, np.uint8)


def arrays(rows: int = 100) -> tuple[np.ndarray, ...]:
    state = np.zeros(walkstate.STATE, np.int64)
    state[walkstate.LIMIT] = 1 << 62
    few = np.zeros(rows, np.int64)
    table = np.zeros((rows, row.WIDTH), np.int64)
    return table, few, np.zeros(row.COUNTERS, np.int64), state, np.zeros((6, 11), np.int64)


def walk_pcap(
    data: bytes, rows: int = 100, limit: int | None = None, **options: int
) -> tuple[int, tuple[np.ndarray, ...]]:
    out = arrays(rows)
    state = out[3]
    if limit is not None:
        state[walkstate.LIMIT] = limit
    state[walkstate.END] = len(data)
    octets = np.frombuffer(bytearray(data), np.uint8)
    reason = records.walk_pcap(
        octets, 0, 0, False, 1000, 0, options.get("swapped", 0), words.ODD_LINK, 262_144, 8, 10**9, *out[:2], KEPT,
        *out[2:],
    )  # fmt: skip
    return reason, out


def walk_pcapng(data: bytes, rows: int = 100) -> tuple[int, tuple[np.ndarray, ...]]:
    out = arrays(rows)
    out[3][walkstate.END] = len(data)
    table = np.array([[words.ODD_LINK, 0, 6, 0, 0], [words.ODD_LINK, 1, 40, -5, 30]], np.int64)
    octets = np.frombuffer(bytearray(data), np.uint8)
    reason = records.walk_pcapng(
        octets, 0, 0, False, table, 2, 300_000, 1 << 20, 262_144, 8, 10**9, *out[:2], KEPT, *out[2:]
    )
    return reason, out


def test_a_record_is_walked_as_it_stands_in_the_file() -> None:
    reason, (rows, _, counts, state, notes) = walk_pcap(
        words.record(10, 5, b"abcd", wire=9) + words.record(11, 0, b"xy")
    )
    assert reason == records.USED_UP
    assert state[walkstate.POSITION] == 16 + 4 + 16 + 2
    assert (state[walkstate.FRAME], state[walkstate.PACKETS], state[walkstate.BYTES]) == (2, 2, 6)
    assert (state[walkstate.FIRST], state[walkstate.LAST]) == (10_000_005_000, 11_000_000_000)
    assert rows[0, [row.TIME, row.FRAME, row.AT, row.LENGTH, row.LAYER]].tolist() == [10_000_005_000, 1, 16, 4, 127]
    assert counts[row.CUT] == 1
    assert notes[walkstate.NOTE_CUT, :2].tolist() == [1, 1]


def test_what_is_left_of_a_record_stays_and_its_need_is_said() -> None:
    whole = words.record(10, 5, b"abcd")
    reason, (_, _, _, state, _) = walk_pcap(whole + whole[:-1])
    assert reason == records.USED_UP
    assert state[walkstate.POSITION] == len(whole)
    assert state[walkstate.NEEDED] == 20


def test_the_walk_stops_where_rows_are_full_and_where_enough_was_seen() -> None:
    three = b"".join(words.record(10, number, b"abcd") for number in range(3))
    reason, (_, _, _, state, _) = walk_pcap(three, rows=2)
    assert (reason, state[walkstate.POSITION], state[walkstate.ROWS]) == (records.ROWS_FULL, 40, 2)
    reason, (_, _, _, state, _) = walk_pcap(three, limit=1)
    assert (reason, state[walkstate.POSITION], state[walkstate.FRAME]) == (records.ENOUGH, 20, 1)


def test_a_length_beyond_belief_stops_the_walk_before_it() -> None:
    good = words.record(10, 0, b"abcd")
    reason, (_, _, _, state, _) = walk_pcap(good + words.record(10, 1, b"", captured=262_145))
    assert (reason, state[walkstate.POSITION], state[walkstate.FOUND]) == (records.ABSURD, 20, 262_145)
    reason, (_, _, _, state, _) = walk_pcap(good + words.record(10, 1, b"", captured=2**32 - 1))
    assert (reason, state[walkstate.FOUND]) == (records.ABSURD, 2**32 - 1)


def test_a_small_step_back_is_disorder_and_a_large_one_sets_the_clock_back() -> None:
    times = [(10, 0), (12, 0), (11, 500_000), (11, 0), (10, 999_999), (11, 0), (10, 999_999), (5, 0), (4, 0)]
    _, (_, _, _, state, notes) = walk_pcap(b"".join(words.record(*time, b"a") for time in times))
    assert notes[walkstate.NOTE_ORDER, :5].tolist() == [4, 3, 4, 7, 9]
    assert notes[walkstate.NOTE_STEP, :3].tolist() == [2, 5, 8]
    assert (state[walkstate.FIRST], state[walkstate.LAST]) == (4 * 10**9, 12 * 10**9)


@pytest.mark.parametrize(("swapped", "found"), [(0, records.USED_UP), (1, records.USED_UP), (2, records.USED_UP)])
def test_lengths_of_old_versions_are_put_the_right_way_round(swapped: int, found: int) -> None:
    first, second = (8, 4) if swapped else (4, 8)
    data = struct.pack("<IIII", 1, 0, first, second) + b"abcd"
    reason, (rows, _, _, state, notes) = walk_pcap(data, swapped=swapped)
    assert reason == found
    assert rows[0, row.LENGTH] == 4
    assert state[walkstate.POSITION] == 20
    assert notes[walkstate.NOTE_CUT, 0] == 1


def test_pcapng_leaves_sections_interfaces_and_statistics_to_python() -> None:
    packet = words.enhanced(5_000_000, b"abcd")
    for other in (words.section(), words.interface(), words.statistics(ifdrop=1)):
        reason, (_, _, _, state, _) = walk_pcapng(packet + other)
        assert (reason, state[walkstate.POSITION]) == (records.BLOCK, len(packet))
    reason, (_, _, _, state, _) = walk_pcapng(packet + words.block(0x777, bytes(100)) + packet)
    assert (reason, state[walkstate.FRAME]) == (records.USED_UP, 2)


def test_pcapng_interfaces_have_clocks_of_their_own() -> None:
    _, (rows, _, _, _, _) = walk_pcapng(
        words.enhanced(5_000_000, b"ab") + words.enhanced(7 << 40 | 1 << 39, b"cd", which=1)
    )
    assert rows[:2, row.TIME].tolist() == [5_000_000_000, 2_500_000_000]


@pytest.fixture
def restored() -> object:
    yield
    kernels.set_compiled(False)


def test_both_kernels_give_the_same_bits_compiled_and_interpreted(restored: object) -> None:
    if not kernels.available():
        pytest.skip("numba is not installed")
    random = np.random.default_rng(4)
    packets = [
        (int(random.integers(0, 2**32)), int(random.integers(0, 2**32)), random.bytes(number)) for number in range(60)
    ]
    plain = b"".join(words.record(*packet, wire=len(packet[2]) + len(packet[2]) % 3) for packet in packets)
    blocks = b"".join(
        words.enhanced(int(a) << 32 | b, data, which=a % 3, options=words.option(4, struct.pack("<Q", b * a)))
        + words.simple(data)
        + words.old(b * 10**6, data, which=a % 2, drops=a & 0xFFFF)
        + words.block(9, data, again=a % 7 or None)
        for a, b, data in packets
    )
    for walk, data in ((walk_pcap, plain + b"\0\1"), (walk_pcapng, blocks + b"\6"), (walk_pcapng, blocks[:-7])):
        kernels.set_compiled(False)
        reason, interpreted = walk(data, rows=200)
        kernels.set_compiled(True)
        again, compiled = walk(data, rows=200)
        assert reason == again
        for one, other in zip(interpreted, compiled, strict=True):
            assert (one == other).all()


def test_rows_that_are_not_rtp_are_numbered_as_they_are_written() -> None:
    # raw IP (101) with UDP in it
    def datagram(payload: bytes) -> bytes:
        udp = struct.pack(">HHHH", 4000, 5000, 8 + len(payload), 0) + payload
        return struct.pack(">BBHIBBH", 0x45, 0, 20 + len(udp), 0, 64, 17, 0) + bytes(8) + udp

    rtp, sip = datagram(b"\x80\0" + bytes(170)), datagram(b"OPTIONS sip:a SIP/2.0\r\n\r\n")
    data = b"".join(words.record(10 + n, 0, packet) for n, packet in enumerate((rtp, sip, rtp, rtp, sip)))
    table, few, counts, state, notes = arrays()
    octets = np.frombuffer(bytearray(data), np.uint8)
    state[walkstate.END] = len(data)
    records.walk_pcap(octets, 0, 0, False, 1000, 0, 0, 101, 262_144, 8, 10**9, table, few, KEPT, counts, state, notes)
    kinds = table[: state[walkstate.ROWS], row.KIND]
    assert few[: state[walkstate.FEW]].tolist() == np.flatnonzero(kinds != row.RTP).tolist() == [1, 4]
