"""Stretches of a capture in one buffer, and slots for what is decoded from them."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.capture.source import Source
from sipanalyzer.capture.window import Slot, Window
from sipanalyzer.kernels.columns import AT, LENGTH

DATA = bytes(number * 7 % 251 for number in range(3000))


@given(
    st.lists(st.tuples(st.sampled_from(["use", "turn", "want", "skip"]), st.integers(0, 400)), max_size=30),
    st.integers(1, 300),
)
@settings(max_examples=200)
def test_what_stands_at_the_start_is_what_stands_at_its_offset(steps: list[tuple[str, int]], block_bytes: int) -> None:
    window = Window(Source("a", io.BytesIO(DATA[10:])), block_bytes, 100, DATA[:10])
    for step, size in steps:
        before = window.offset
        if step == "turn":
            window.turn()
        elif step == "want":
            assert window.want(size) == (before + size <= len(DATA))
        elif step == "skip":
            assert window.skip(size) == (before + size <= len(DATA))
            assert window.offset == min(before + size, len(DATA))
        else:
            window.fill()
            window.start += min(size, window.end - window.start)
        assert window.peek(50) == DATA[window.offset : window.offset + min(50, window.end - window.start)]
        assert window.bytes_read - window.offset == window.end - window.start


def test_zeros_up_to_the_end_are_found_through_many_stretches() -> None:
    for tail, only in ((bytes(2000), True), (bytes(1999) + b"x", False)):
        window = Window(Source("a", io.BytesIO(tail)), 64, 100)
        assert window.only_zeros() is only


def test_bytes_of_the_few_are_kept_where_rows_say_however_many_they_are() -> None:
    slot = Slot(10)
    lengths = [0, 3, 5, 40, 7]
    for turn in range(3):  # three stretches; the room must grow
        begin, first = slot.few_count, slot.row_count
        data = np.frombuffer(bytearray(range(turn, 200)), np.uint8)
        for number, length in enumerate(lengths):
            slot.rows[first + 2 * number, [AT, LENGTH]] = 10 * number, length
            slot.numbers[begin + number] = first + 2 * number
        slot.row_count, slot.few_count = first + 2 * len(lengths), begin + len(lengths)
        slot.keep(data, begin)
    assert slot.kept == 3 * sum(lengths)
    for place, i in enumerate(slot.numbers[: slot.few_count].tolist()):
        at, length = slot.rows[i, [AT, LENGTH]].tolist()
        begin = place // 5 + 10 * (place % 5)
        assert slot.data[at : at + length].tolist() == list(range(begin, begin + length))
