"""Compressed captures: every kind, many members, and breaking off."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import lzma
import random
import re
import sys
from collections.abc import Callable

import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.capture import compression
from sipanalyzer.capture.compression import recognise
from sipanalyzer.capture.source import Source
from sipanalyzer.errors import CaptureError
from tests.capture import words

KINDS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": lambda data: lz4.frame.compress(data, content_checksum=True),
    "xz": lzma.compress,
    "bz2": bz2.compress,
}
kinds = pytest.mark.parametrize("kind", sorted(KINDS))
PLAIN = words.pcap_header() + b"".join(
    words.record(1 + number, 0, bytes([number]) * number * 7) for number in range(200)
)


def inflate(data: bytes, piece: int = 1 << 16, sizes: list[int] | None = None) -> tuple[bytes, str | None]:
    source = Source("a", words.Dribble(data, sizes) if sizes else io.BytesIO(data))
    out = b""
    buffer = bytearray(piece)
    while count := source.readinto(memoryview(buffer)):
        out += buffer[:count]
    return out, source.damage


@kinds
def test_a_compressed_capture_reads_like_the_plain_one(kind: str) -> None:
    found, capture = words.observe(KINDS[kind](PLAIN))
    assert found == words.observe(PLAIN)[0]
    assert (capture.format, capture.damage) == (f"pcap.{kind}", None)


@kinds
def test_members_one_after_the_other_are_one_capture(kind: str) -> None:
    data = KINDS[kind](PLAIN[:1000]) + KINDS[kind](b"") + KINDS[kind](PLAIN[1000:])
    for sizes in (None, [1], [7, 100]):
        assert inflate(data, 333, sizes) == (PLAIN, None)


@kinds
def test_zeros_after_the_data_are_padding_and_other_bytes_are_said(kind: str) -> None:
    data = KINDS[kind](PLAIN)
    assert inflate(data + bytes(1000)) == (PLAIN, None)
    out, damage = inflate(data + b"garbage that is not compressed at all" * 3)
    assert out == PLAIN
    assert damage is not None
    assert f"bytes after the {kind} data" in damage


@kinds
def test_what_could_be_decompressed_of_a_cut_file_is_used(kind: str) -> None:
    data = KINDS[kind](PLAIN[:150_000] * 2)
    out, damage = inflate(data[:-5])
    assert (PLAIN * 2).startswith(out)
    assert damage == f"{kind} data cut off after {len(data) - 5} compressed bytes"
    for length in range(24, len(data), max(1, len(data) // 50)):
        out, damage = inflate(data[:length])
        assert (PLAIN * 2).startswith(out)
        assert damage is not None


def test_a_capture_in_a_cut_file_is_read_as_far_as_it_goes() -> None:
    data = gzip.compress(PLAIN, mtime=0)
    found, capture = words.observe(data[: len(data) // 2])
    whole, _ = words.observe(PLAIN)
    assert 0 < len(found) < len(whole)
    assert found == whole[: len(found)]
    assert capture.damage is not None
    assert "gz data cut off" in capture.damage


@kinds
def test_broken_data_are_damage_and_no_exception(kind: str) -> None:
    data = bytearray(KINDS[kind](random.Random(1).randbytes(300_000)))
    data[len(data) // 2 : len(data) // 2 + 8] = b"\xff" * 8
    _, damage = inflate(bytes(data))
    assert damage is not None
    assert kind in damage


@kinds
@given(cut=st.integers(0, 40), flip=st.integers(0, 255))
@settings(max_examples=40)
def test_a_broken_beginning_is_refused_with_what_was_found(kind: str, cut: int, flip: int) -> None:
    data = bytearray(KINDS[kind](PLAIN)[: cut + 11])
    data[-1] ^= flip
    try:
        words.observe(bytes(data))
    except CaptureError as error:
        assert error.needed is not None


@kinds
def test_output_never_exceeds_what_was_asked_for(kind: str) -> None:
    source = Source("a", io.BytesIO(KINDS[kind](bytes(5_000_000))))
    buffer = bytearray(1000)
    for _ in range(50):
        assert 0 < source.readinto(memoryview(buffer)) <= 1000
    assert source.consumed <= 1 << 17


@pytest.mark.skipif(importlib.util.find_spec("isal") is None, reason="isal is not installed")
def test_gzip_reads_the_same_with_and_without_isal(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(PLAIN * 3, mtime=0)
    wrong_sum = bytearray(packed)
    wrong_sum[-8] ^= 1
    cases = [packed, packed * 2 + bytes(20), packed + b"garbage", packed[:-3], packed[: len(packed) // 2]]
    cases += [bytes(wrong_sum), packed + bytes(wrong_sum), packed[:9] + b"\xff" * 30, packed + packed[:15]]

    def seen() -> list[tuple[bytes, str]]:
        results = [inflate(case, piece, sizes) for case in cases for piece in (777, 1 << 16) for sizes in (None, [1])]
        return [
            (out, re.sub(" before .*", "", damage or "")) for out, damage in results
        ]  # where and in what words: theirs

    with_isal = seen()
    monkeypatch.setitem(sys.modules, "isal", None)
    assert isinstance(compression._gzip(), compression._Zlib)
    assert seen() == with_isal


@kinds
def test_what_is_lost_with_a_broken_piece_does_not_depend_on_who_reads(kind: str) -> None:
    data = bytearray(KINDS[kind](random.Random(2).randbytes(1_000_000)))
    data[len(data) * 3 // 4 : len(data) * 3 // 4 + 8] = b"\xff" * 8
    first, *others = (inflate(bytes(data), piece) for piece in (1000, 1 << 16, 1 << 22))
    assert first[1] is not None
    assert others == [first, first]


def test_the_kind_is_known_by_content() -> None:
    assert {kind: recognise(pack(b"x")[:10]) for kind, pack in KINDS.items()} == {kind: kind for kind in KINDS}
    assert recognise(b"\x50\x2a\x4d\x18") == "zst"
    assert recognise(b"BZh9 is how this text begins") == ""
    assert recognise(b"") == ""
