"""The door: captures are replaced while they are read, and nothing behind it ever sees the originals. Floor 3.

In: what a person named, and the options. Out: inputs to be read like any other, whose bytes were replaced. All captures
are read once beforehand, since TCP and fragments can be replaced only as a whole; what can be read once only is kept in
a temporary file without a name meanwhile.
"""

from __future__ import annotations

import dataclasses
import io
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ..capture.source import Input, Source, expand
from ..errors import CaptureError
from ..options import Options
from .addresses import Addresses
from .connections import Connections, Cursor
from .keyed import Keyed
from .packets import Packets
from .records import replaced
from .streams import Streams
from .text import Texts

__all__ = ["Redactor", "redacted", "replaced_text", "wiped"]

_CHUNK = 1 << 20
_LIMITS = ("max_record_bytes", "max_block_bytes", "max_redaction_bytes", "max_sip_message_bytes")
_IN_MEMORY = 64 << 20


class Redactor:
    """Replaces all that is personal in some captures.

    Parameters
    ----------
    key : str
        Equal keys give equal replacements.
    options : Options
        Of use here: those of `_LIMITS`.
    """

    def __init__(self, key: str, options: Options) -> None:
        self._largest = options.max_record_bytes, options.max_block_bytes
        keyed = Keyed(key)
        self._texts = Texts(keyed, Addresses(keyed))
        self._packets = Packets(self._texts)
        self._streams = Streams(self._packets.messages, self._packets.media, options.max_sip_message_bytes)
        self._connections = Connections(self._packets.datagram, self._streams, options.max_redaction_bytes)
        self._inputs: list[Input] = []
        self._prepared = False
        self._lock = threading.Lock()

    @property
    def wiped(self) -> int:
        """Messages that could not be replaced where they stand and were wiped."""
        return self._streams.wiped

    def text(self, text: str) -> str:
        """What a Call-ID, a number, a URI or an address becomes."""
        return self._texts.value(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def user(self, text: str) -> str:
        """What a telephone number or a user's name becomes."""
        return self._texts.user(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def inputs(self, inputs: list[Input]) -> list[Input]:
        """These inputs, replaced."""
        self._inputs = [_kept(each) for each in inputs]
        fields = [field.name for field in dataclasses.fields(Input)]
        return [
            _Redacted(**{name: getattr(each, name) for name in fields}, redactor=self, number=number)
            for number, each in enumerate(self._inputs)
        ]

    def beyond_limit(self, number: int) -> int:
        """Payloads of a capture that were wiped since no more could be kept."""
        return self._connections.beyond[number]

    def prepare(self) -> None:
        """Read all captures once for what spans several packets."""
        with self._lock:
            if self._prepared:
                return
            self._packets.looking = True
            for each in self._inputs:
                self._connections.capture()
                try:
                    source = each.open_()
                except CaptureError:  # told when it is read
                    continue
                try:
                    for _ in replaced(source, self._look, *self._largest, _untold):
                        pass
                finally:
                    source.close()
            self._connections.settle(self._looked)
            self._prepared = True

    def _looked(self) -> None:
        self._packets.looking = False

    def _look(self, data: bytearray, link: int, wire: int) -> None:
        self._packets.packet(data, link, wire, self._connections)

    def bytes_of(self, source: Source, number: int, passed: Callable[[int], None]) -> Iterator[bytes]:
        """The bytes of a capture, replaced; `passed` is told how many were left out at each damaged place."""
        cursor = Cursor(self._connections.slots[number])

        def redact(data: bytearray, link: int, wire: int) -> None:
            self._packets.packet(data, link, wire, cursor)

        return replaced(source, redact, *self._largest, passed)


@dataclasses.dataclass(frozen=True, slots=True)
class _Redacted(Input):
    """An input whose bytes are replaced while they are read."""

    redactor: Any = None
    number: int = 0

    def open_(self) -> Source:
        """Open it.

        Raises
        ------
        CaptureError
            If the system refuses, with its words.
        """
        self.redactor.prepare()
        return _RedactedSource(Input.open_(self), self.redactor, self.number)


class _RedactedSource(Source):
    """Bytes of one capture, decompressed and replaced."""

    def __init__(self, source: Source, redactor: Redactor, number: int) -> None:
        self._source = source
        self.name, self.size, self.compression = source.name, source.size, source.compression
        self._left_out: list[int] = []
        self.beyond_limit = redactor.beyond_limit(number)
        self._chunks = redactor.bytes_of(source, number, self._left_out.append)
        self._chunk = memoryview(b"")

    @property
    def consumed(self) -> int:
        """Bytes of the file as it is stored that were read so far."""
        return self._source.consumed

    @property
    def damage(self) -> str | None:
        """What went wrong below the capture's own format; None as long as nothing did."""
        if not self._left_out:
            return self._source.damage
        places = f"{len(self._left_out)} place{'s' if len(self._left_out) > 1 else ''}"
        said = f"no record could be made out at {places}; {sum(self._left_out)} bytes passed over, and read on behind"
        return f"{self._source.damage}; {said}" if self._source.damage else said

    @property
    def interrupted(self) -> bool:
        """Whether the bytes ended because they were not wanted any more; `damage` says where."""
        return self._source.interrupted

    @property
    def asking(self) -> bool:
        """Whether some thread waits for the file just now."""
        return self._source.asking

    def interrupt(self) -> None:
        """Say that the rest is not wanted any more."""
        self._source.interrupt()

    @property
    def beyond_belief(self) -> bool:
        """Whether it was left since it inflated beyond belief."""
        return self._source.beyond_belief

    @property
    def descriptor(self) -> int:
        """None: what the system would give is what is to be replaced."""
        return -1

    def readinto(self, view: memoryview) -> int:
        """Read into the beginning of `view`; returns the number of bytes, 0 only at the end."""
        done = 0
        while done < len(view):
            if not self._chunk:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._chunk = memoryview(chunk)
                continue
            size = min(len(view) - done, len(self._chunk))
            view[done : done + size] = self._chunk[:size]
            self._chunk = self._chunk[size:]
            done += size
        return done

    def close(self) -> None:
        """Close the file, if it is ours."""
        self._source.close()


def _untold(_: int) -> None:
    """Damage is told when the file is read."""


def _kept(one: Input) -> Input:
    """The same input, to be read as often as need be."""
    if one.reopenable:
        return one
    try:
        file, ours = one.opener()
    except (OSError, CaptureError):
        return one
    if one.name != "-" and hasattr(file, "seekable") and file.seekable():
        if ours:
            file.close()
        return one
    spool = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (kept as long as it may be read once more)
    while True:
        try:
            data = file.read(_CHUNK)
        except one.errors:  # what came before is read
            break
        if not data:
            break
        try:
            spool.write(data)
        except OSError as error:
            where = f"no room in {tempfile.gettempdir()} to read it twice: {error.strerror or error}"
            return _refused(one, where)
    size = spool.tell()

    def opener() -> tuple[Any, bool]:
        return _View(spool), False

    return dataclasses.replace(one, opener=opener, size=size, reopenable=True)


def _refused(one: Input, reason: str) -> Input:
    """An input that says why it cannot be read."""

    def opener() -> tuple[Any, bool]:
        raise CaptureError(one.name, reason)

    return dataclasses.replace(one, opener=opener, reopenable=True)


class _View(io.RawIOBase):
    """A file from its beginning, whoever else reads it."""

    def __init__(self, file: Any) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read on."""
        self._file.seek(self._at)
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


_last: tuple[Any, Redactor, list[Input]] | None = None
"""The captures that were replaced last: they are read again for packets and frames."""


def redacted(captures: Any, options: Options) -> list[Input]:
    """Everything that `captures` names, as inputs whose bytes are replaced.

    Parameters
    ----------
    captures : path, str, file object, or sequence of these
        As for :func:`sipanalyzer.capture.source.expand`.
    options : Options
        `redact_key`, and the limits of :class:`Redactor`.

    Raises
    ------
    ValueError
        As there; and where there is no key.
    """
    global _last
    if options.redact_key is None:
        raise ValueError("a redaction has no key")
    single = isinstance(captures, (str, os.PathLike)) or hasattr(captures, "read") or hasattr(captures, "readinto")
    listed = [captures] if single else list(captures)
    names = [str(each) if isinstance(each, (str, os.PathLike)) else id(each) for each in listed]
    limits = [getattr(options, name) for name in _LIMITS]
    identity = (options.redact_key, limits, names)
    if _last is not None and _last[0] == identity:
        return _last[2]
    redactor = Redactor(options.redact_key, options)
    found = redactor.inputs(expand(listed, options))
    _last = (identity, redactor, found)
    return found


def replaced_text(text: str, options: Options) -> tuple[str, str]:
    """What a text becomes as a value, and what it becomes as a user's name or number.

    Raises
    ------
    ValueError
        If the options have no key.
    """
    redactor = Redactor(options.redact_key or "", options)
    return redactor.text(text), redactor.user(text)


def wiped(options: Options) -> int:
    """How many messages of the captures read last could not be replaced where they stand, and were wiped."""
    return _last[1].wiped if _last is not None and _last[0][0] == options.redact_key else 0
