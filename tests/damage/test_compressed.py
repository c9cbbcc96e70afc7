"""Compressed captures cut and flipped: up to the break they are told of as a plain file that is cut there."""

from __future__ import annotations

import bz2
import io
import lzma
import pathlib
import random
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import lz4.frame
import pytest
import zstandard

from sipanalyzer.capture.source import Source
from sipanalyzer.kernels import set_compiled
from sipanalyzer.options import Options
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Result
from tests.capture.test_compression import KINDS
from tests.damage import checks, many

OPEN: dict[str, Callable[[], Any]] = {
    "gz": lambda: zlib.decompressobj(wbits=31),
    "zst": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "xz": lzma.LZMADecompressor,
    "bz2": bz2.BZ2Decompressor,
}
PACK = KINDS | {"bz2": lambda data: bz2.compress(data, 1)}
"""Blocks of bzip2 are had whole or not at all; these are short."""
CALLS = 30
LITTLE = 4096
"""What may be missing before a break: libraries find out about it some bytes later than they might."""
kinds = pytest.mark.parametrize("kind", sorted(KINDS))


@pytest.fixture(autouse=True)
def _compiled() -> Iterator[None]:
    set_compiled(True)
    yield
    set_compiled(False)


@cache
def capture() -> tuple[bytes, Result]:
    """A capture of more than two pieces of decompressed bytes, and what is told of it."""
    packets, _ = many.many_calls(CALLS, talked=40)
    data = many.files(packets)["pcap"]
    whole = checks.analyzed(data, "whole")
    assert len(data) > 500_000
    assert whole is not None
    return data, whole


def unpacked(kind: str, data: bytes) -> bytes:
    """What the format's own library gives up to the break, byte by byte."""
    inner, found = OPEN[kind](), bytearray()
    try:
        for at in range(len(data)):
            found += inner.decompress(data[at : at + 1])
    except (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, RuntimeError):
        pass
    return bytes(found)


def read(data: bytes) -> tuple[bytes, str | None]:
    source = Source("damaged", io.BytesIO(data))
    return source.read(1 << 24), source.damage


def harmed(kind: str) -> list[tuple[str, bytes]]:
    """The capture compressed and cut, and compressed with a bit flipped."""
    packed, chance = PACK[kind](capture()[0]), random.Random(f"harm to {kind}")
    found = []
    for place in sorted(chance.sample(range(len(packed) // 4, len(packed) - 12), 2)):
        found.append((f"{kind} cut at {place}", packed[:place]))
        flipped = bytearray(packed)
        flipped[place] ^= 1 << chance.randrange(8)
        found.append((f"{kind} flipped at {place}", bytes(flipped)))
    return found


@kinds
def test_next_to_nothing_is_lost_before_the_break(kind: str) -> None:
    for what, data in harmed(kind):
        wanted = unpacked(kind, data)
        found, damage = read(data)
        assert damage is not None, what
        assert wanted.startswith(found[: len(wanted)]), what
        assert len(found) >= len(wanted) - LITTLE, what


@kinds
def test_what_comes_before_the_break_is_told_as_from_a_plain_file(kind: str) -> None:
    whole = capture()[1]
    extents = checks.extents(whole)
    for what, data in harmed(kind):
        plain = read(data)[0]
        right = next((at for at, pair in enumerate(zip(plain, capture()[0], strict=False)) if pair[0] != pair[1]), None)
        part, clean = checks.analyzed(data, what), checks.analyzed(plain, what)
        assert checks.as_cut_clean(part, clean) is None, what
        assert part is None or kind in (part.captures[0].damage or ""), what
        if right is None and plain:  # what was decompressed is right as far as it goes
            assert clean is not None, what
            assert checks.before_cut(whole, extents, part, clean.captures[0].packets) is None, what


def test_a_wrong_checksum_at_the_end_loses_no_more_than_a_record() -> None:
    data = capture()[0]
    for kind in ("gz", "zst", "lz4"):
        packed = bytearray(PACK[kind](data))
        packed[-5 if kind == "gz" else -1] ^= 1
        found, damage = read(bytes(packed))
        assert damage is not None
        assert data.startswith(found)
        assert len(data) - len(found) < 100, kind


@kinds
def test_a_second_member_that_is_broken_is_no_garbage_behind_the_data(kind: str) -> None:
    data = capture()[0]
    first, second = PACK[kind](data[:300_000]), bytearray(PACK[kind](data[300_000:]))
    second[len(second) * 3 // 4] ^= 255
    found, damage = read(first + bytes(second))
    assert data.startswith(found[:300_000])
    assert len(found) > 300_000
    assert f"{kind} data broken" in (damage or "") or f"{kind} data cut" in (damage or "")


@kinds
def test_what_cannot_be_read_again_is_read_up_to_the_piece_that_broke(kind: str) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError("Illegal seek")

    for what, data in harmed(kind):
        source = Source("pipe", Pipe(data))
        found = source.read(1 << 24)
        assert source.damage == read(data)[1], what
        assert read(data)[0].startswith(found), what


@kinds
def test_a_broken_compressed_capture_is_redacted_as_far_as_it_is_read(kind: str, tmp_path: pathlib.Path) -> None:
    for what, data in harmed(kind)[:2]:
        path = tmp_path / f"{what}.pcap.{kind}"
        path.write_bytes(data)
        plain = analyze(path)
        hidden = analyze(path, Options(redact=True, redact_key="key"))
        before, after = plain.captures[0], hidden.captures[0]
        assert (after.packets, after.first, after.last) == (before.packets, before.first, before.last), what
        assert (before.damage is None, after.damage is None) == (False, False), what
        for name in ("calls", "streams", "messages"):
            assert len(checks.rows(hidden, name)) == len(checks.rows(plain, name)), what
        told = repr(checks.all_rows(hidden))
        assert not any(many.name_of(call) in told for call in range(CALLS)), what
