"""The packets of streams are found again in their captures, in one pass, and nothing else is kept."""

from __future__ import annotations

import io
import pathlib

import numpy as np
import pytest

import sipanalyzer
from sipanalyzer.kernels import columns as row
from sipanalyzer.options import Options
from sipanalyzer.rereading import rows as rereading
from sipanalyzer.rereading.rows import read_packets, read_packets_of
from tests.lossy import lossy, two_ways
from tests.tape import A, B, Tape


def test_every_stream_of_every_sample_is_found_again_packet_for_packet(samples: pathlib.Path) -> None:
    seen = 0
    for path in sorted(samples.glob("*.pcap*")):
        result = sipanalyzer.analyze(path).result
        found = read_packets_of(str(path), result.streams, result.options)
        for stream, rows in zip(result.streams, found, strict=True):
            assert rows is not None
            assert (len(rows), int(rows[:, row.SIZE].sum())) == (stream.packets, stream.bytes), path.name
            assert (int(rows[0, row.TIME]), int(rows[0, row.FRAME])) == (stream.start, stream.first_frame)
            assert (int(rows[-1, row.TIME]), int(rows[-1, row.FRAME])) == (stream.end, stream.last_frame)
            seen += 1
    assert seen > 80


def test_one_pass_for_all_gives_what_a_pass_for_each_gives() -> None:
    data = lossy().bytes()
    streams = sipanalyzer.analyze(io.BytesIO(data)).result.streams
    together = read_packets_of(io.BytesIO(data), streams)
    for stream, rows in zip(streams, together, strict=True):
        assert rows is not None and np.array_equal(rows, read_packets(io.BytesIO(data), stream))


def test_streams_beyond_the_limit_are_left_out_and_smaller_ones_still_kept() -> None:
    tape = Tape()
    for number, count in enumerate((300, 500, 200)):
        tape.talk(2.0, A, 4000 + 2 * number, B, 5000, count, ssrc=number + 1)
    data = tape.bytes()
    streams = sorted(sipanalyzer.analyze(io.BytesIO(data)).result.streams, key=lambda stream: stream.ssrc)
    found = read_packets_of(io.BytesIO(data), streams, Options(), most_rows=500)
    assert [None if rows is None else len(rows) for rows in found] == [300, None, 200]


def test_streams_that_share_their_sockets_one_after_the_other_are_told_apart() -> None:
    tape = Tape().talk(0.0, A, 4000, B, 5000, 100)
    tape.talk(100.0, A, 4000, B, 5000, 150, seq=40_000, timestamp=9_000_000)
    data = tape.bytes()
    streams = sipanalyzer.analyze(io.BytesIO(data)).result.streams
    assert [stream.packets for stream in streams] == [100, 150]
    for wanted in (streams, streams[::-1], streams[1:]):
        found = read_packets_of(io.BytesIO(data), wanted)
        assert [(len(rows), int(rows[0, row.TIME])) for rows in found if rows is not None] == [
            (stream.packets, stream.start) for stream in wanted
        ]


def test_one_ssrc_both_ways_is_two_streams() -> None:
    tape = Tape().talk(0.0, A, 4000, B, 5000, 100, ssrc=7).talk(0.001, B, 5000, A, 4000, 90, ssrc=7)
    data = tape.bytes()
    streams = sipanalyzer.analyze(io.BytesIO(data)).result.streams
    found = read_packets_of(io.BytesIO(data), streams)
    assert sorted(len(rows) for rows in found if rows is not None) == [90, 100]
    assert all(len(np.unique(rows[:, row.PORTS])) == 1 for rows in found if rows is not None)


def test_reading_ends_with_the_last_packet_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    tape = Tape().talk(0.0, A, 4000, B, 5000, 100, ssrc=1).talk(10.0, A, 4002, B, 5002, 4000, ssrc=2)
    data = tape.bytes()
    options = Options(block_bytes=16 << 10)
    first, second = sipanalyzer.analyze(io.BytesIO(data), options=options).result.streams
    pieces: list[int] = []
    take = rereading._Collector.take

    def counted(self: rereading._Collector, rows: np.ndarray) -> None:
        pieces.append(len(rows))
        take(self, rows)

    monkeypatch.setattr(rereading._Collector, "take", counted)
    read_packets(io.BytesIO(data), first, options)
    to_the_first, pieces[:] = sum(pieces), []
    read_packets(io.BytesIO(data), second, options)
    assert to_the_first < 1500 < sum(pieces)


def test_what_a_capture_does_not_hold_any_more_has_no_rows() -> None:
    (stream, _) = sipanalyzer.analyze(io.BytesIO(two_ways().bytes())).result.streams
    other = Tape().talk(50.0, A, 4000, B, 5000, 100, ssrc=stream.ssrc).bytes()
    assert len(read_packets(io.BytesIO(other), stream)) == 0


def test_nothing_wanted_reads_nothing() -> None:
    assert read_packets_of("/nowhere/at/all.pcap", []) == []
