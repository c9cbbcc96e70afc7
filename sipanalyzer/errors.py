"""Every exception that leaves this package on purpose. Floor 0: imports nothing.

A bad *packet* is no exception but a counted anomaly (:mod:`sipanalyzer.anomalies`); a *file* that cannot be used, or
bytes that a parser refuses, are exceptions from here; a caller's mistake is a plain :class:`ValueError`.
"""

from __future__ import annotations

__all__ = ["CaptureError", "CaptureWarning", "ForeignFileError", "ParseError", "SipAnalyzerError"]


class SipAnalyzerError(Exception):
    """What all exceptions of this package have in common."""


class CaptureError(SipAnalyzerError):
    """A capture cannot be read, or not beyond some place.

    Parameters
    ----------
    path : str
        The file's name as the user gave it (``-`` for standard input).
    reason : str
        What is wrong, one clause without a full stop.
    offset : int or None
        Byte offset in the (decompressed) capture where it went wrong.
    needed, found : str or None
        What had to stand there, and what did.
    """

    def __init__(
        self, path: str, reason: str, *, offset: int | None = None, needed: str | None = None, found: str | None = None
    ) -> None:
        self.path, self.reason, self.offset, self.needed, self.found = path, reason, offset, needed, found
        super().__init__(path, reason)

    def __str__(self) -> str:
        parts = [f"{self.path}: {self.reason}"]
        if self.offset is not None:
            parts.append(f"at offset {self.offset}")
        if self.needed is not None:
            parts.append(f"needed {self.needed}")
        if self.found is not None:
            parts.append(f"found {self.found}")
        return ", ".join(parts)


class ForeignFileError(CaptureError):
    """A file that is no capture at all: a text, a picture, an archive. In a folder it is passed over."""


class CaptureWarning(UserWarning):
    """A capture was read in part, or one of several not at all; what could be read is reported."""


class ParseError(SipAnalyzerError, ValueError):
    """Bytes that are not what a parser was asked to read.

    Parameters
    ----------
    layer : str
        Whose grammar was broken: ``sip``, ``sdp``, ``websocket``, ``rtcp`` and so on.
    reason : str
        The rule that was broken.
    offset : int
        Where in the bytes handed in, counted from 0.
    """

    def __init__(self, layer: str, reason: str, offset: int = 0) -> None:
        self.layer, self.reason, self.offset = layer, reason, offset
        super().__init__(layer, reason, offset)  # all of them: so that it can be pickled

    def __str__(self) -> str:
        return f"{self.layer}: {self.reason} at byte {self.offset}"
