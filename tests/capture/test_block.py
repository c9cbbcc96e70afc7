"""Blocks, the thread that reads them ahead, and buffers that go round."""

from __future__ import annotations

import contextlib
import io
import os
import threading

import numpy as np
import pytest

from sipanalyzer import kernels
from sipanalyzer.capture import block as block_module
from sipanalyzer.capture.block import SLOTS, Block, SlotPool, open_capture, read_blocks, read_first_time
from sipanalyzer.capture.order import Reading
from sipanalyzer.capture.source import Input, expand
from sipanalyzer.capture.stats import CaptureStats
from sipanalyzer.kernels.columns import FRAME, KIND, TIME
from sipanalyzer.kernels.columns import RTP as KIND_OF_RTP
from sipanalyzer.options import Options
from tests.capture import words
from tests.decoding import INVITE, RTP, udp_frame

MANY = words.pcap_header() + b"".join(words.record(number, 0, bytes(50)) for number in range(2000))


def frames(data: bytes, options: Options, pool: SlotPool | None = None) -> list[int]:
    opened = open_capture(expand(io.BytesIO(data))[0])
    found: list[int] = []
    for block in read_blocks(opened, options, CaptureStats("a"), pool):
        found.extend(block.rows[:, FRAME].tolist())
    return found


def readers() -> int:
    return sum(thread.name == "sipanalyzer-reader" for thread in threading.enumerate())


def test_a_worker_reads_what_is_larger_than_a_block_and_leaves_no_thread_behind() -> None:
    opened = open_capture(expand(io.BytesIO(MANY))[0])
    blocks = read_blocks(opened, Options(block_bytes=5000), CaptureStats("a"))
    next(blocks)
    assert readers() == 1
    assert 1 + sum(1 for _ in blocks) == -(-len(MANY) // 5000)
    assert readers() == 0


def test_a_small_file_needs_no_thread() -> None:
    opened = open_capture(expand(io.BytesIO(MANY))[0])
    blocks = read_blocks(opened, Options(), CaptureStats("a"))
    next(blocks)
    assert readers() == 0


def test_rows_are_the_same_whatever_the_size_of_a_block() -> None:
    for size in (1, 100, 5000, 1 << 20):
        assert frames(MANY, Options(block_bytes=size)) == list(range(1, 2001))


@pytest.mark.parametrize("size", [1, 300, 5000, 1 << 20])
def test_a_block_says_which_of_its_rows_are_few_and_whether_they_stand_in_order(size: int) -> None:
    packets = [udp_frame(INVITE if number % 7 == 3 else RTP) for number in range(300)]
    steps = {40: 35, 41: 39, 200: 100}  # records that come late, by a little and by a step of the clock
    data = words.pcap_header(link=1) + b"".join(
        words.record(1000 + steps.get(number, number), 0, packet) for number, packet in enumerate(packets)
    )
    opened = open_capture(expand(io.BytesIO(data))[0])
    highest, told = -1, 0
    for block in read_blocks(opened, Options(block_bytes=size), CaptureStats("a")):
        assert block.few.tolist() == np.flatnonzero(block.rows[:, KIND] != KIND_OF_RTP).tolist()
        times = block.rows[:, TIME].tolist()
        if block.in_order:
            assert times == sorted(times)
            told += len(times)
        assert not (block.in_order and times[0] < highest)
        highest = max(highest, *times)
    assert told >= (100 if size < 5001 else 0)


def test_rows_outside_the_times_asked_for_are_no_few() -> None:
    data = words.pcap_header(link=1) + b"".join(
        words.record(number, 0, udp_frame(INVITE if number % 3 == 0 else RTP)) for number in range(20)
    )
    found = []

    def intake(block: Block) -> np.ndarray:
        found.extend(block.rows[block.few, TIME].tolist())
        assert (block.rows[block.few, KIND] != KIND_OF_RTP).all()
        return block.rows

    options = Options(from_time_ns=5 * 10**9, to_time_ns=16 * 10**9)
    assert sum(len(rows) for rows, _ in Reading(expand(io.BytesIO(data)), options, intake)) == 12
    assert found == [number * 10**9 for number in (6, 9, 12, 15)]


def test_closing_early_stops_the_thread_and_closes_the_file() -> None:
    file = io.BytesIO(MANY)
    opened = open_capture(Input("a", lambda: (file, True), len(MANY)))
    blocks = read_blocks(opened, Options(block_bytes=1000), CaptureStats("a"))
    next(blocks)
    blocks.close()
    assert readers() == 0
    assert file.closed


def test_an_exception_in_the_worker_is_raised_where_blocks_are_asked_for() -> None:
    class Breaking(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, view: memoryview) -> int:  # type: ignore[override]
            if self.given > 100_000:
                raise RuntimeError("a bug")
            self.given += len(view)
            view[:] = (MANY[:24] + bytes(len(view)))[: len(view)] if self.given == len(view) else bytes(len(view))
            return len(view)

    opened = open_capture(expand(Breaking())[0])
    with pytest.raises(RuntimeError, match="a bug"):
        list(read_blocks(opened, Options(block_bytes=1000), CaptureStats("a")))
    assert readers() == 0


def test_buffers_are_made_once_and_used_by_the_next_file() -> None:
    options = Options(block_bytes=5000)
    pool = SlotPool(options)
    frames(MANY, options, pool)
    slots = {id(slot) for slot in pool._free}
    assert len(slots) == SLOTS
    frames(MANY, options, pool)
    assert {id(slot) for slot in pool._free} == slots


def test_a_pipe_that_says_nothing_does_not_hold_up_whoever_stops_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_module, "PATIENCE_S", 0.05)
    out, into = os.pipe()
    with os.fdopen(out, "rb", buffering=0) as reader, os.fdopen(into, "wb", buffering=0) as writer:
        writer.write(MANY[:60_000])
        opened = open_capture(expand(reader)[0])
        with contextlib.closing(read_blocks(opened, Options(block_bytes=5000), CaptureStats("a"))) as blocks:
            next(blocks)
        writer.close()
        for thread in threading.enumerate():
            if thread.name == "sipanalyzer-reader":
                thread.join(5)
    assert readers() == 0


def test_the_time_of_the_first_packet_is_found_without_reading_on() -> None:
    def read(data: bytes) -> int | None:
        return read_first_time(Input("a", lambda: (io.BytesIO(data), True)), Options())

    assert read(words.pcap_header() + words.record(7, 5, b"") + b"garbage") == 7_000_005_000
    assert read(words.pcap_header()) is None
    assert read(words.section() + words.interface() + words.simple(b"x") + words.enhanced(5, b"x")) is None
    assert (
        read(words.section() + words.block(0x777, bytes(500_000)) + words.interface() + words.enhanced(5, b"x")) == 5000
    )


def test_kernels_are_compiled_once_there_is_work_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(block_module, "set_compiled", asked.append)
    assert not kernels.compiled()
    frames(MANY, Options(compile_packets=3000, compile_bytes=len(MANY) + 1))
    assert asked == []
    frames(MANY, Options(compile_packets=3000, compile_bytes=len(MANY)))
    assert asked == [True]
    frames(MANY, Options(compile_packets=1500, block_bytes=10_000))
    assert set(asked[1:]) == {True}


def test_rows_filled_up_go_on_in_the_next_slot() -> None:
    pool = SlotPool(Options(block_bytes=5000))
    for _ in range(4):
        slot = pool.take(5000)
        slot.rows = np.empty((7, 16), np.int64)
        pool._free.insert(0, slot)
    assert frames(MANY, Options(block_bytes=5000), pool) == list(range(1, 2001))
