"""Lines of a session description into a draft of it, one reader each. Floor 4.

Comes in: values of m=, c= and a= lines. Goes out: a :class:`Draft`, changed in place. The sources stand in
:mod:`sipanalyzer.sip.sdp`, which makes the frozen result.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..codecs import by_name

__all__ = ["Candidate", "Draft", "RtpMap", "read_attribute", "read_connection", "read_media"]

_DIRECTIONS = frozenset(("sendrecv", "sendonly", "recvonly", "inactive"))
_RTPMAP = re.compile(
    r"([0-9]{1,3})[ \t]+([^/ \t]+)[ \t]*+(?:/[ \t]*+([0-9]{1,9})[ \t]*+(?:/[ \t]*+([0-9]{1,3}))?+.*+)?"
)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?")

_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True)
class RtpMap:
    """What a payload type means."""

    name: str
    """As sent."""
    clock_rate: int
    """Hz."""
    channels: int = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ICE candidate."""

    component: int
    """1: RTP, 2: RTCP."""
    transport: str
    """Lower case."""
    address: str
    port: int
    type: str
    """``host``, ``srflx``, ``prflx`` or ``relay``."""


class Draft:
    """A media description (or the session's part) under construction, with at most `most` values of each kind."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.kind = self.protocol = ""
        self.port, self.port_count = 0, 1
        self.formats: tuple[str, ...] = ()
        self.address: str | None = None
        self.rtcp_port: int | None = None
        self.rtcp_address: str | None = None
        self.direction: str | None = None
        self.ptime: float | None = None
        self.maxptime: float | None = None
        self.rtpmaps: dict[int, RtpMap] = {}
        self.fmtp: dict[int, str] = {}
        self.crypto: list[str] = []
        self.candidates: list[Candidate] = []
        self.words: dict[str, str] = {}
        self.flags: set[str] = set()
        self.groups: list[tuple[str, ...]] = []
        self.attributes: list[tuple[str, str]] = []
        self.defects: list[str] = []


def read_connection(draft: Draft, value: str) -> None:
    """Address of a c= line; the first of several counts."""
    words = value.split()
    if len(words) < 3 or not (address := words[2].partition("/")[0]):
        draft.defects.append("bad-connection")
    elif draft.address is None:
        draft.address = address


def read_media(value: str, most: int) -> Draft:
    """A new draft from an m= line; what is no port is 0."""
    draft = Draft(most)
    words = value.split()
    draft.kind = words[0].lower() if words else ""
    port, _, count = words[1].partition("/") if len(words) > 1 else ("", "", "")
    draft.protocol = words[2] if len(words) > 2 else ""
    number = _port(port)
    if number is None or len(words) < 4:
        draft.defects.append("bad-media")
    draft.formats = _most(draft, words[3:])
    draft.port = number or 0
    draft.port_count = max(1, _port(count) or 1)
    return draft


def _most(draft: Draft, words: list[str]) -> tuple[str, ...]:
    """As many of the words as are kept."""
    if len(words) > draft.most:
        draft.defects.append("too-long")
    return tuple(words[: draft.most])


def _add(draft: Draft, values: list[_Kept], value: _Kept) -> None:
    """One more of them, where it is not one too many."""
    if len(values) < draft.most:
        values.append(value)
    else:
        draft.defects.append("too-long")


def _port(text: str) -> int | None:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    number = int(text)
    return number if number < 65536 else None


def read_attribute(draft: Draft, value: str) -> None:
    """One a= line."""
    name, _, value = value.partition(":")
    name, value = name.strip(" "), value.strip(" ")
    key = name.lower()
    if reader := _READERS.get(key):
        if not reader(draft, value):
            draft.defects.append("bad-rtpmap" if key == "rtpmap" else "bad-attribute")
    elif key in _DIRECTIONS:
        draft.direction = key
    elif key in _WORDS:
        draft.words.setdefault(key, value)
    elif key in _FLAGS:
        draft.flags.add(key)
    elif key == "direction":
        draft.defects.append("direction-both" if value == "both" else "bad-attribute")
    else:
        _add(draft, draft.attributes, (name, value))


def _rtpmap(draft: Draft, value: str) -> bool:
    match = _RTPMAP.fullmatch(value)
    if match is None or int(match[1]) > 127:
        return False
    known = by_name(match[2])
    clock_rate = int(match[3]) if match[3] else known.clock_rate_hz if known is not None else 0
    if not clock_rate:
        return False
    draft.rtpmaps.setdefault(int(match[1]), RtpMap(match[2], clock_rate, int(match[4] or 1)))
    return match[3] is not None


def _fmtp(draft: Draft, value: str) -> bool:
    payload_type, _, parameters = value.partition(" ")
    number = _port(payload_type)
    if number is not None and number <= 127:
        draft.fmtp.setdefault(number, parameters.strip(" "))
    return number is not None or payload_type != ""


def _rtcp(draft: Draft, value: str) -> bool:
    words = value.split()
    port = _port(words[0]) if words else None
    if port is not None:
        draft.rtcp_port = port
        draft.rtcp_address = words[3].partition("/")[0] if len(words) > 3 else None
    return port is not None


def _ptime(draft: Draft, value: str) -> bool:
    draft.ptime = _milliseconds(value) or draft.ptime
    return draft.ptime is not None


def _maxptime(draft: Draft, value: str) -> bool:
    draft.maxptime = _milliseconds(value) or draft.maxptime
    return draft.maxptime is not None


def _milliseconds(value: str) -> float | None:
    number = float(value) if _NUMBER.fullmatch(value) and len(value) < 12 else 0.0
    return number if 0 < number < 100_000 else None


def _crypto(draft: Draft, value: str) -> bool:
    words = value.split()
    if len(words) > 1:
        _add(draft, draft.crypto, words[1])
    return len(words) > 1


def _candidate(draft: Draft, value: str) -> bool:
    words = value.split()
    component = _port(words[1]) if len(words) > 5 else None
    port = _port(words[5]) if len(words) > 5 else None
    if component is None or port is None:
        return False
    kind = words[7] if len(words) > 7 and words[6] == "typ" else ""
    _add(draft, draft.candidates, Candidate(component, words[2].lower(), words[4], port, kind))
    return True


def _group(draft: Draft, value: str) -> bool:
    words = value.split()
    if words and words[0].upper() == "BUNDLE":
        _add(draft, draft.groups, _most(draft, words[1:]))
    return bool(words)


_READERS: dict[str, Callable[[Draft, str], bool]] = {
    "rtpmap": _rtpmap, "fmtp": _fmtp, "rtcp": _rtcp, "ptime": _ptime, "maxptime": _maxptime, "crypto": _crypto,
    "candidate": _candidate, "group": _group,
}  # fmt: skip
_WORDS = frozenset(("fingerprint", "setup", "mid", "ice-ufrag", "label", "path"))
_FLAGS = frozenset(("rtcp-mux", "zrtp-hash", "key-mgmt"))
