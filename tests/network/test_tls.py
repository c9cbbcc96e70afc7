"""Records of TLS found in segments, however these cut them."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.network.tls import ALERTS, Record, RecordReader, alert_name


def record(kind: int, content: bytes) -> bytes:
    return struct.pack(">BHH", kind, 0x0303, len(content)) + content


STREAM = record(22, b"\x02hello") + record(20, b"\x01") + record(23, b"") + record(21, b"\x02\x28") + record(23, b"xyz")
RECORDS = [
    Record(22, 6, b"\x02h"), Record(20, 1, b"\x01"), Record(23, 0, b""), Record(21, 2, b"\x02\x28"),
    Record(23, 3, b"xy"),
]  # fmt: skip
START = 2**32 - 10


def read(pieces: list[tuple[int, bytes, int]]) -> tuple[list[Record], RecordReader]:
    """Records of segments: offset, payload, bytes cut off."""
    reader = RecordReader(START)
    out = []
    for at, payload, cut in pieces:
        out += reader.feed((START + at) % 2**32, payload, len(payload) + cut)
    return out, reader


@given(st.lists(st.integers(0, len(STREAM)), max_size=12), st.integers(0, 5))
def test_records_are_the_same_however_segments_cut_them_and_are_sent_again(cuts: list[int], back: int) -> None:
    marks = sorted({0, len(STREAM), *cuts})
    pieces = [(max(0, a - back), STREAM[max(0, a - back) : b], 0) for a, b in itertools.pairwise(marks)]
    out, reader = read([piece for piece in pieces for _ in range(2)])
    assert out == RECORDS
    assert not reader.lost and not reader.alien and reader.started
    assert reader.ahead((START + len(STREAM)) % 2**32) == 0


def test_a_missing_segment_ends_the_reading() -> None:
    out, reader = read([(0, STREAM[:11], 0), (17, STREAM[17:], 0)])
    assert out == RECORDS[:1]
    assert reader.lost


@pytest.mark.parametrize(("size", "lost"), [(7, False), (10, False), (6, True), (3, True), (0, True)])
def test_a_cut_packet_harms_only_where_heads_are_missing(size: int, lost: bool) -> None:
    _, reader = read([(0, STREAM[:size], 11 - size)])
    assert reader.lost is lost
    if not lost:
        assert reader.feed((START + 11) % 2**32, STREAM[11:], len(STREAM) - 11) == RECORDS[1:]
    _, beyond = read([(0, STREAM[:size], 13 - size)])
    assert beyond.lost


def test_a_cut_packet_sent_again_moves_on_by_what_is_new() -> None:
    out, reader = read([(0, STREAM[:9], 0), (4, STREAM[4:7], 4), (11, STREAM[11:], 0)])
    assert out == RECORDS
    assert not reader.lost


@pytest.mark.parametrize(
    "data", [b"SIP/2.0 200", b"\x16\x02\0\0\0", b"\x16\x03\x05\0\0", b"\x16\x03\x03\x48\x01", b"\x13\x03\x03\0\0"]
)
def test_what_is_no_tls_is_said(data: bytes) -> None:
    out, reader = read([(0, data, 0)])
    assert out == [] and reader.alien
    assert reader.feed((START + len(data)) % 2**32, STREAM, len(STREAM)) == []


@given(st.binary(max_size=200), st.integers(0, 50))
def test_any_bytes_are_read_without_harm(data: bytes, cut: int) -> None:
    out, _ = read([(0, data, cut), (len(data), data, 0)])
    assert all(20 <= each.type <= 24 for each in out)


def test_alerts_have_names() -> None:
    assert (alert_name(40), alert_name(48), alert_name(99)) == ("handshake_failure", "unknown_ca", "alert 99")


def test_scapy_names_the_alerts_alike() -> None:
    tls = pytest.importorskip("scapy.layers.tls.record")
    theirs = tls._tls_alert_description
    shared = set(theirs) & set(ALERTS)
    assert len(shared) > 25
    squeezed = {number: theirs[number].lower().replace("_", "") for number in shared}
    ours = {number: ALERTS[number].replace("_", "") for number in shared}
    assert {n for n in shared if squeezed[n] != ours[n]} <= {21, 30, 41, 60}
