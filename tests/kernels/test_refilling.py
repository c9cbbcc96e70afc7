"""Kernels that read on by themselves."""

from __future__ import annotations

import os
import pathlib
import struct

import numpy as np
import pytest

from sipanalyzer.kernels import columns as row
from sipanalyzer.kernels import records, walkstate
from tests.capture import words


def datagram(payload: bytes) -> bytes:
    """Raw IP (link type 101) with UDP in it."""
    udp = struct.pack(">HHHH", 4000, 5000, 8 + len(payload), 0) + payload
    return struct.pack(">BBHIBBH", 0x45, 0, 20 + len(udp), 0, 64, 17, 0) + bytes(8) + udp


SIP = [b"OPTIONS sip:%d SIP/2.0\r\n\r\n" % number * (1 + number % 3) for number in range(80)]
PACKETS = [
    datagram(SIP[number // 5] if number % 5 == 2 else b"\x80\0" + bytes(number % 90 + 10)) for number in range(400)
]
DATA = b"".join(words.record(10 + number, 0, packet) for number, packet in enumerate(PACKETS))


def walked(data: bytes, stretch: int, slack: int, room: int, descriptor: int = -1, budget: int = 0) -> tuple:
    """Rows of SIP and their bytes, all frames, the state, and why the walk ended, of a file whose beginning is read."""
    state = np.zeros(walkstate.STATE, np.int64)
    state[[walkstate.LIMIT, walkstate.END]] = 1 << 62, slack + len(data)
    state[[walkstate.DESCRIPTOR, walkstate.TO_READ]] = descriptor, budget
    octets = np.zeros(slack + max(stretch, len(data)), np.uint8)
    octets[slack : slack + len(data)] = np.frombuffer(data, np.uint8)
    rows, few, kept = np.zeros((1000, row.WIDTH), np.int64), np.zeros(1000, np.int64), np.zeros(room, np.uint8)
    reason = records.walk_pcap(
        octets, slack, slack, False, 1000, 0, 0, 101, 262_144, 8, 10**9, rows, few, kept,
        np.zeros(row.COUNTERS, np.int64), state, np.zeros((6, 11), np.int64),
    )  # fmt: skip
    found = rows[few[: state[walkstate.FEW_KEPT]]]
    texts = [kept[at : at + length].tobytes() for at, length in found[:, [row.AT, row.LENGTH]].tolist()]
    return texts, rows[: state[walkstate.ROWS], row.FRAME].tolist(), state, reason, octets


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "records"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize("stretch", [150, 1000, 5000, 1 << 20])
def test_a_file_is_walked_to_its_end_whatever_the_size_of_a_stretch(way: str, file: pathlib.Path, stretch: int) -> None:
    with file.open("rb", buffering=0) as opened:
        begin = opened.read(100)
        texts, frames, state, reason, _ = walked(begin, stretch, 200, 1 << 16, opened.fileno(), 1 << 30)
    assert (texts, frames, reason) == (SIP, list(range(1, 401)), records.USED_UP)
    assert state[walkstate.READ] == len(DATA) - 100
    assert state[walkstate.END] == state[walkstate.POSITION] == 200


def test_no_more_is_read_than_is_wanted(way: str, file: pathlib.Path) -> None:
    with file.open("rb", buffering=0) as opened:
        _, frames, state, reason, data = walked(opened.read(500), 500, 200, 1 << 16, opened.fileno(), 1500)
        assert opened.tell() == 2000 == 500 + state[walkstate.READ]
    left = data[state[walkstate.POSITION] : state[walkstate.END]].tobytes()
    assert reason == records.USED_UP and DATA[:2000].endswith(left) and len(left) < 200
    assert frames == list(range(1, len(frames) + 1)) and 10 < len(frames) < 30


def test_where_bytes_of_the_few_have_no_room_nothing_is_overwritten(way: str, file: pathlib.Path) -> None:
    with file.open("rb", buffering=0) as opened:
        texts, _, state, _, data = walked(opened.read(500), 500, 200, 60, opened.fileno(), 1 << 30)
    assert state[walkstate.FEW] > state[walkstate.FEW_KEPT] == len(texts)
    assert texts == SIP[: len(texts)]
    assert data[200 : state[walkstate.END]].tobytes().count(b"OPTIONS") > 0


def test_what_cannot_be_read_is_left_to_python(way: str, file: pathlib.Path) -> None:
    descriptor = os.open(file.parent, os.O_RDONLY)  # a folder has no bytes
    try:
        _, frames, state, reason, data = walked(DATA[:150], 500, 200, 1 << 16, descriptor, 1 << 30)
    finally:
        os.close(descriptor)
    assert (reason, state[walkstate.READ]) == (records.USED_UP, 0)
    left = data[state[walkstate.POSITION] : state[walkstate.END]].tobytes()
    assert left and DATA[:150].endswith(left) and frames
