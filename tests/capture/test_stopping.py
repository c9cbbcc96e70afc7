"""Reading that is asked to stop: what came before is as it would have been."""

from __future__ import annotations

import gzip
import io
import os
import pathlib
import select
import threading
import time

import pytest

from sipanalyzer.capture.order import Reading
from sipanalyzer.capture.source import Input
from sipanalyzer.capture.stopping import NOT_READ, Stop, is_interrupted
from sipanalyzer.errors import CaptureError
from sipanalyzer.kernels.columns import TIME
from sipanalyzer.options import Options
from sipanalyzer.pipeline import Progress, analyze
from sipanalyzer.result import Capture
from tests.capture import words

MANY = words.pcap_header() + b"".join(words.record(number, 0, bytes(50)) for number in range(2000))
SMALL = Options(block_bytes=2000)


def stopped_after(data: bytes, packets: int, options: Options = SMALL) -> tuple[list[int], Capture]:
    """Times of the packets that were read when the wish came with the first block that held so many of them."""
    stop = Stop()
    one = Input("a", lambda: (io.BytesIO(data), True), len(data), stop=stop)
    reading = Reading([one], options, lambda block: block.rows)
    times: list[int] = []
    for rows, _ in reading:
        times += rows[:, TIME].tolist()
        if len(times) >= packets:
            stop.ask()
    return times, reading.captures()[0]


@pytest.mark.parametrize("data", [MANY, gzip.compress(MANY)], ids=["plain", "gzip"])
def test_what_was_read_by_then_is_as_it_would_have_been(data: bytes) -> None:
    expected, _, _ = words.rows_of(MANY)
    times, capture = stopped_after(data, 300)
    assert 300 <= len(times) < 2000 or len(data) < 10_000  # a small gzip file is in memory by then
    assert times == [row[TIME] for row in expected][: len(times)]
    assert capture.packets == len(times)
    assert capture.damage is None or capture.damage.startswith("interrupted after ")
    assert (capture.damage is None) == (len(times) == 2000)


def test_a_record_in_two_halves_at_the_interrupt_is_no_damage_of_the_file() -> None:
    _, capture = stopped_after(MANY, 100)
    consumed, size = [int(word) for word in (capture.damage or "").split() if word.isdigit()]
    assert size == len(MANY) and consumed < size
    assert capture.damage == f"interrupted after {consumed} of {size} bytes"


@pytest.mark.skipif(not hasattr(select, "poll"), reason="no poll() here")
def test_a_wish_in_the_moment_at_which_a_pipe_has_data_leaves_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, real = Stop(), select.poll

    class Poll:
        def __init__(self) -> None:
            self._poll = real()
            self.register, self.unregister = self._poll.register, self._poll.unregister

        def poll(self, *wait: float) -> list[tuple[int, int]]:
            ready = self._poll.poll(*wait)
            stop.ask()
            return ready

    monkeypatch.setattr(select, "poll", Poll)
    out, into = os.pipe()
    with os.fdopen(out, "rb", buffering=0) as file:
        os.write(into, b"data")
        os.close(into)
        assert stop.go_on(file)


def test_captures_that_come_later_are_named_as_not_read(tmp_path: pathlib.Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(MANY)
    stop = Stop()

    def tell(progress: Progress) -> None:
        stop.ask()

    result = analyze(str(tmp_path), SMALL, tell, stop)
    assert sum(capture.packets for capture in result.captures) < 6000
    assert [is_interrupted(capture.damage) for capture in result.captures] == [True] * 3
    stop = Stop()
    stop.began = True
    stop.ask()
    with pytest.raises(CaptureError, match=NOT_READ):
        analyze(str(tmp_path), SMALL, None, stop)


def test_a_wish_that_comes_when_all_is_read_changes_nothing() -> None:
    times, capture = stopped_after(MANY, 2000)
    assert (len(times), capture.damage) == (2000, None)


def test_a_file_that_hangs_and_cannot_be_woken_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sipanalyzer.capture.stopping.PIPE_PATIENCE_S", 0.05)
    monkeypatch.setattr("sipanalyzer.capture.block.PATIENCE_S", 0.05)
    stop, hanging = Stop(), threading.Event()

    class Remote(io.RawIOBase):
        """As a connection: no descriptor, a size, and no end in sight."""

        data = io.BytesIO(MANY)

        def readable(self) -> bool:
            return True

        def readinto(self, view: memoryview) -> int:
            if count := self.data.readinto(view):
                return count
            threading.Timer(0.1, stop.ask).start()
            hanging.wait(20)
            return 0

    one = Input("a", lambda: (Remote(), False), 500_000, stop=stop)
    reading = Reading([one], Options(block_bytes=len(MANY) // 2), lambda block: block.rows)
    began = time.monotonic()
    count = sum(len(rows) for rows, _ in reading)
    assert time.monotonic() - began < 15
    hanging.set()
    assert reading.captures()[0].damage == f"interrupted after {len(MANY)} of 500000 bytes"
    assert count <= 2000


def test_a_pipe_is_waited_for_until_it_says_something_or_the_wish_comes() -> None:
    reading, writing = os.pipe()
    stop = Stop()
    with os.fdopen(reading, "rb", buffering=0) as file, os.fdopen(writing, "wb", buffering=0) as pipe:
        pipe.write(b"x")
        assert stop.go_on(file)
        file.read(1)
        threading.Timer(0.1, stop.ask).start()
        began = time.monotonic()
        assert not stop.go_on(file)
        assert 0.1 <= time.monotonic() - began < 3
        pipe.write(b"y")
        assert not stop.go_on(file), "patience is over"


def test_what_stands_in_the_buffer_of_standard_input_is_not_waited_for() -> None:
    reading, writing = os.pipe()
    os.write(writing, MANY[:4000])
    stop = Stop()
    threading.Timer(0.2, stop.ask).start()
    one = Input("-", lambda: (os.fdopen(reading, "rb"), True), None, stop=stop)
    rows = sum(len(rows) for rows, _ in Reading([one], Options(), lambda block: block.rows))
    os.close(writing)
    assert rows == (4000 - 24) // 66
