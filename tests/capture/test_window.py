"""Bytes in recycled buffers."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.capture.source import Source
from sipanalyzer.capture.window import Slot, Window

DATA = bytes(number * 7 % 251 for number in range(3000))


@given(
    st.lists(st.tuples(st.sampled_from(["use", "turn", "want", "skip"]), st.integers(0, 400)), max_size=30),
    st.integers(1, 300),
)
@settings(max_examples=200, deadline=None)
def test_what_stands_at_the_start_is_what_stands_at_its_offset(steps: list[tuple[str, int]], block_bytes: int) -> None:
    slots = [Slot(block_bytes, 100), Slot(block_bytes, 100)]
    window = Window(Source("a", io.BytesIO(DATA[10:])), lambda: slots.pop(0), DATA[:10])
    for step, size in steps:
        before = window.offset
        if step == "turn":
            slots.append(window.slot)
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


def test_zeros_up_to_the_end_are_found_through_many_buffers() -> None:
    for tail, only in ((bytes(2000), True), (bytes(1999) + b"x", False)):
        window = Window(Source("a", io.BytesIO(tail)), lambda: Slot(64, 100))
        assert window.only_zeros() is only


def test_the_worst_case_of_rows_fits_a_slot() -> None:
    slot = Slot(1 << 20, 1000)
    assert len(slot.rows) * 16 > slot.data.size
