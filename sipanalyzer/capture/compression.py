"""Compressed captures, recognised by content and decompressed as they are read. Floor 2.

Comes in: a stream of compressed bytes. Goes out: decompressed bytes, never more at a time than asked for, and one line
about damage where the compressed data are cut or broken. gzip (RFC 1952), zstd (RFC 8878), lz4 frames, xz and bzip2;
several members or frames one after the other count as one, as their own tools have it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["Inflater", "Readable", "recognise"]

CHUNK = 64 << 10
"""Compressed bytes read at a time."""
PIECE = 256 << 10
"""Decompressed bytes asked for at a time: they are still in the cache of the core when they are copied to their place,
where whole blocks would go to memory and back. It does not depend on who asks, so neither does what is lost with a
piece that turns out to be broken where the source cannot be read again."""
BITE = 64
"""Decompressed bytes asked for at a time within a piece that is broken; and compressed ones given."""
ZSTD_PIECE = 4 << 10
"""zstd gives no limit to its output: so little goes in at a time that what comes out stays below some 128 MiB."""


class Readable(Protocol):
    """Where compressed bytes come from."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""

    def again(self, offset: int, size: int) -> bytes:
        """At most `size` bytes that were read before; none where that cannot be. Nothing is read on after this."""


class _Zlib:
    """zlib's decompressor with the interface that those of isal, bz2, lzma and lz4 share."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(out) < max_length
        return out


class _Zstd:
    """zstandard's decompressor with the same interface; it knows no `max_length`."""

    def __init__(self) -> None:
        import zstandard

        self._inner = zstandard.ZstdDecompressor().decompressobj()
        self._compressed = memoryview(b"")
        self._ready = memoryview(b"")
        self.piece = ZSTD_PIECE

    @property
    def needs_input(self) -> bool:
        return not self._compressed and not self._ready

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof) and not self._ready

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data) + bytes(self._compressed)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if data:
            self._compressed = memoryview(bytes(self._compressed) + data)
        while not self._ready and self._compressed and not self._inner.eof:
            piece, self._compressed = self._compressed[: self.piece], self._compressed[self.piece :]
            self._ready = memoryview(self._inner.decompress(piece))
        out, self._ready = self._ready[:max_length], self._ready[max_length:]
        return bytes(out)


def _isal() -> Any:
    """Intel's gzip; None where no wheel of it is to be had."""
    try:
        from isal import igzip_lib
    except ImportError:
        return None
    return igzip_lib


def _gzip() -> Any:
    """A decompressor twice as fast as zlib's where there is one."""
    igzip = _isal()
    return _Zlib() if igzip is None else igzip.IgzipDecompressor(flag=igzip.DECOMP_GZIP)


def _bz2() -> Any:
    import bz2

    return bz2.BZ2Decompressor()


def _xz() -> Any:
    import lzma

    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ)


def _lz4() -> Any:
    import lz4.frame

    return lz4.frame.LZ4FrameDecompressor()


def _errors(suffix: str) -> tuple[type[Exception], ...]:
    """What the library behind `suffix` raises at broken data."""
    if suffix == "zst":
        import zstandard

        return (zstandard.ZstdError,)
    if suffix == "xz":
        import lzma

        return (lzma.LZMAError,)
    if suffix == "gz":
        return (zlib.error, *([igzip.IsalError] if (igzip := _isal()) else []))
    return (zlib.error, OSError, EOFError, ValueError, RuntimeError)


_GZIP = b"\x1f\x8b\x08"
"""What every member of gzip begins with (RFC 1952 section 2.3.1)."""
_SKIPPABLE = tuple(bytes([0x50 + i]) + b"\x2a\x4d\x18" for i in range(16))
"""zstd frames without data, which pzstd and others put in front (RFC 8878 section 3.1.2)."""

_KNOWN: tuple[tuple[str, tuple[bytes, ...], Callable[[], Any]], ...] = (
    ("gz", (_GZIP,), _gzip),
    ("zst", (b"\x28\xb5\x2f\xfd", *_SKIPPABLE), _Zstd),
    ("lz4", (b"\x04\x22\x4d\x18",), _lz4),
    ("xz", (b"\xfd7zXZ\x00",), _xz),
    ("bz2", tuple(b"BZh%d1AY&SY" % level for level in range(1, 10)), _bz2),
)


def recognise(head: bytes) -> str:
    """Usual suffix of the compression that bytes beginning with `head` have; empty where they have none."""
    for suffix, magics, _ in _KNOWN:
        if head.startswith(magics):
            return suffix
    return ""


class Inflater:
    """Decompressed bytes of a stream.

    Parameters
    ----------
    source : Readable
        The compressed bytes from their beginning.
    suffix : str
        What :func:`recognise` said of them.
    """

    def __init__(self, source: Readable, suffix: str) -> None:
        self._source = source
        self._suffix = suffix
        self._make = next(make for known, _, make in _KNOWN if known == suffix)
        self._errors = _errors(suffix)
        self._inner = self._make()
        self._members = 1
        self._member_at = self._of_member = 0
        self._ahead = b""
        self._broken: str | None = None
        self._ready = memoryview(b"")
        self._read = 0
        self._ended = False
        self._given = 0
        self._most_bytes, self._most_ratio = 0, 0
        self.beyond_belief = False
        """Whether it was left since it grew beyond what :meth:`limit` said."""
        self.damage: str | None = None
        """Where and how the compressed data broke off; None as long as they did not."""

    def readinto(self, view: memoryview) -> int:
        """Fill the beginning of `view`; returns the number of bytes, 0 at the end and after damage."""
        if not self._ready:
            self._ready = memoryview(self._piece())
        out, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(out)] = out
        return len(out)

    def limit(self, most_bytes: int, most_ratio: int) -> None:
        """Believe no more than `most_bytes`, or `most_ratio` decompressed bytes for each compressed one read."""
        self._most_bytes, self._most_ratio = most_bytes, most_ratio

    def _piece(self) -> bytes:
        """The next decompressed bytes; none at the end and after damage."""
        while not self._ended:
            if self._broken is not None:
                self._end(self._broken)
                break
            if self._inner.eof and not self._next_member():
                break
            data = b""
            if self._inner.needs_input:
                data = self._take()
                if not data:
                    self._end(f"{self._suffix} data cut off after {self._read} compressed bytes")
                    break
            try:
                out: bytes = self._inner.decompress(data, PIECE)
            except self._errors as error:
                out = self._before_the_break()
                if self._members > 1 and not self._of_member and not out:
                    self._broken = f"bytes after the {self._suffix} data, before compressed offset {self._read}"
                else:
                    self._broken = f"{self._suffix} data broken before compressed offset {self._read}: {error}"
            if out:
                self._of_member += len(out)
                self._given += len(out)
                if self._most_ratio and self._given > max(self._most_bytes, self._most_ratio * self._read):
                    self.beyond_belief = True
                    self._end(
                        f"{self._suffix} data inflate to more than {self._most_ratio} times their size "
                        f"(compressed offset {self._read}); max_inflated_ratio says how much is believed"
                    )
                    break
                return out
        return b""

    def _before_the_break(self) -> bytes:
        """What a piece has before the place where it is broken: libraries keep it to themselves.

        The member is decompressed once more from its beginning up to that piece, and from there in small bites.
        """
        inner, at, skip, found = self._make(), self._member_at, self._of_member, bytearray()
        try:
            while not inner.eof and len(found) < PIECE:
                if not skip and isinstance(inner, _Zstd):
                    inner.piece = 1  # a block that is whole comes out only if nothing of the next goes in
                data = self._source.again(at, CHUNK if skip else BITE) if inner.needs_input else b""
                if inner.needs_input and not data:
                    break
                at += len(data)
                out = inner.decompress(data, min(PIECE, skip) or BITE)
                found += b"" if skip else out
                skip -= len(out) if skip else 0
        except self._errors:
            pass  # as before: here it breaks
        return bytes(found)

    def _take(self) -> bytes:
        data, self._ahead = self._ahead, b""
        if not data:
            data = self._source.read(CHUNK)
            self._read += len(data)
        return data

    def _next_member(self) -> bool:
        """Begin the next member; false where there is none. Zeros between and after members are padding."""
        ahead = (self._inner.unused_data or b"").lstrip(b"\0")
        while not ahead:
            ahead = self._source.read(CHUNK)
            self._read += len(ahead)
            if not ahead:
                self._end(None)
                return False
            ahead = ahead.lstrip(b"\0")
        while self._suffix == "gz" and len(ahead) < len(_GZIP) and (more := self._source.read(len(_GZIP))):
            self._read += len(more)
            ahead += more
        if self._suffix == "gz" and not ahead.startswith(_GZIP[: len(ahead)]):  # isal sees that 10 bytes later
            self._end(f"bytes after the gz data, before compressed offset {self._read}")
            return False
        self._ahead = ahead
        self._inner = self._make()
        self._members += 1
        self._member_at, self._of_member = self._read - len(ahead), 0
        return True

    def _end(self, damage: str | None) -> None:
        self._ended = True
        self.damage = damage
