"""Plain packets: taking the short way changes nothing, whatever comes between them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest

from sipanalyzer.kernels import columns as row
from sipanalyzer.kernels import set_compiled
from sipanalyzer.kernels import streamstate as state
from sipanalyzer.rtp.formats import Format
from sipanalyzer.rtp.streams import StreamTable
from tests.naive.rtp import Packet
from tests.rtp.words import DEFAULT, MS, describe, rows_of, steady

OTHER = Format("PCMU", 16000, "audio", from_sdp=True)


@pytest.fixture(params=[False, True], ids=["interpreted", "compiled"])
def either_way(request: pytest.FixtureRequest) -> Iterator[None]:
    set_compiled(request.param)
    yield
    set_compiled(False)


def troubled(seed: int, count: int = 700) -> list[Packet]:
    """A stream with all that makes a packet something else than plain, in stretches that are."""
    rnd = random.Random(seed)
    packets = steady(count, first=rnd.choice([1000, 65300]), stamp=rnd.choice([5000, 2**32 - 30000]))
    for p in packets:
        p.time += rnd.choice([0, 0, 1, 3, 8]) * MS
    for _ in range(6):
        k = rnd.randrange(60, len(packets) - 40)
        what = rnd.randrange(10)
        if what == 0:
            del packets[k : k + rnd.choice([1, 2, 30, 150])]
        elif what == 1:
            packets.insert(k, Packet(packets[k].time, packets[k].seq, packets[k].stamp))
        elif what == 2:
            packets[k].time += rnd.choice([30, 70, 400]) * MS
        elif what == 3:
            for p in packets[k:]:
                p.stamp = (p.stamp + 50_000) % 2**32
        elif what == 4:
            for p in packets[k:]:
                p.seq = (p.seq + 9000) % 65536
        elif what == 5:
            packets[k].seq = (packets[k].seq + 30_000) % 65536
        elif what == 6:
            packets[k].marker = 1
        elif what == 7:
            packets[k].event = True
        elif what == 8:
            for p in packets[k:]:
                p.time += 3_000 * MS
        else:
            for j, p in enumerate(packets[k:]):
                p.stamp = (p.stamp + 160 * j) % 2**32
    return sorted(packets, key=lambda p: p.time)


def rows_of_two(seed: int) -> np.ndarray:
    rnd = random.Random(seed)
    one, other = rows_of(troubled(seed), ssrc=1), rows_of(troubled(seed + 1), ssrc=2)
    other[300:, row.PT] = np.where(other[300:, row.PT] == 8, 0, other[300:, row.PT])
    other[:, row.TRAFFIC] = [rnd.choice([46, 46, 46, 46, 46, 46, 0]) for _ in other]
    rows = np.concatenate([one, other])
    return rows[np.argsort(rows[:, row.TIME], kind="stable")]


def tell(table: StreamTable, at: int) -> None:
    """What SIP tells streams while they pass."""
    if at % 333 == 0:
        table.interrupt([at % 2])
    if at % 450 == 0:
        table.forget_formats([1])


def whole(rows: np.ndarray, plain: bool) -> list[object]:
    table = StreamTable(DEFAULT, lambda src, dst, pt, time: OTHER if pt == 0 else describe(src, dst, pt, time))
    table.announce((0, 0xFFFF0A000002, 4000))
    for at in range(len(rows)):
        if at > 200:
            tell(table, at)
        if not plain and table.count:
            for s in range(table.count):
                table.last_time(s)  # counts
            table._ints[: table.count, state.PLAIN] = -1
        table.feed(rows, at, at + 1, 0)
    last = [table.last_time(s) for s in range(table.count)]
    figures, raw = table.finish(), table.intervals()
    columns = [getattr(raw, name).tolist() for name in raw.__dataclass_fields__ if name != "max_jitter_ms"]
    jitter = np.nan_to_num(raw.max_jitter_ms, nan=-1.0).tolist()
    return [last, figures, *columns, jitter, table.outages().tolist(), table.events().tolist(), table.turns()]


@pytest.mark.parametrize("seed", range(40))
def test_the_short_way_gives_the_bits_of_the_long_one(seed: int, either_way: None) -> None:
    rows = rows_of_two(seed)
    assert whole(rows, plain=True) == whole(rows, plain=False)


def test_most_packets_of_a_steady_stream_are_plain_and_none_is_forgotten() -> None:
    table = StreamTable(DEFAULT, describe)
    table.announce((0, 0xFFFF0A000002, 4000))
    rows = rows_of(steady(99))
    table.feed(rows, 0, 99, 0)
    assert table._ints[0, state.PLAIN] == 8
    assert table._ints[0, state.PLAIN_COUNT] == 99 - state.FINGERPRINT - 1
    assert table.last_time(0) == rows[-1, row.TIME]
    assert table._ints[0, [state.PLAIN_COUNT, state.PACKETS]].tolist() == [0, 99]
    (f,) = table.finish()
    assert (f.packets, f.lost, f.uses[0].packets) == (99, 0, 99)
    assert f.mean_delta_ms == 20.0


def test_a_copy_of_the_last_packet_before_a_break_lets_no_packet_be_plain() -> None:
    rows = rows_of(steady(99))
    after = []
    for plain in (True, False):
        table = StreamTable(DEFAULT, describe)
        table.announce((0, 0xFFFF0A000002, 4000))
        table.feed(rows, 0, 80, 0)
        table.interrupt([0])
        table.feed(rows, 79, 80, 0)
        if not plain:
            table._ints[0, state.PLAIN] = -1
        table.feed(rows, 80, 99, 0)
        after.append((table.finish(), int(table._ints[0, state.ANCHOR_TIME])))
    assert after[0] == after[1]
    assert after[0][1] == rows[80, row.TIME]


def test_what_a_plain_packet_needs_stands_in_four_cache_lines() -> None:
    assert max(state.GROUP_XY, state.JITTER_MAX, state.OPEN_BAD) < state.RING_AT == 32
    assert state.WIDTH % 8 == 0
    table = StreamTable(DEFAULT, describe)
    assert table._ints.ctypes.data % 64 == 0
    assert table._ints.strides == (8 * state.WIDTH, 8)
