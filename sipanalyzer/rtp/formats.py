"""What a payload type means in one stream, with SDP or without it. Floor 4.

Sources: RFC 3551 (static types), RFC 4733 (telephone events), RFC 3389 (comfort noise).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..codecs import STATIC, Codec, is_comfort_noise, is_event
from ..kernels import streamstate as state

__all__ = ["UNKNOWN_FORMAT", "Format", "Use", "counted_uses", "format_of", "looks_like_event", "static_format"]


@dataclass(frozen=True, slots=True)
class Format:
    """What a payload type means in one stream."""

    name: str | None
    """Codec by its registered name; None where nothing says it."""
    clock_rate_hz: int
    """0 where it is not known."""
    media: str | None
    ptime_ms: float | None = None
    """As negotiated; None where SDP does not say."""
    default_ptime_ms: float = 20.0
    encrypted: bool = False
    from_sdp: bool = False

    @property
    def role(self) -> int:
        """How the kernel treats its packets."""
        if self.name is not None and is_event(self.name):
            return state.TELEPHONE_EVENT
        if self.name is not None and is_comfort_noise(self.name):
            return state.COMFORT_NOISE
        return state.VIDEO if self.media == "video" else state.AUDIO

    @property
    def kernel_role(self) -> int:
        """The same for the kernel, which reads events: not those that are encrypted, or tones (RFC 4733 section 4)."""
        unreadable = self.role == state.TELEPHONE_EVENT and (self.encrypted or self.name == "tone")
        return state.COMFORT_NOISE if unreadable else self.role


UNKNOWN_FORMAT = Format(None, 0, None)


@dataclass(frozen=True, slots=True)
class Use:
    """A format as one stream used it; a payload type that a re-INVITE gives another meaning is used twice."""

    payload_type: int
    format: Format
    since: int
    """Its first packet, ns."""
    packets: int
    """How many packets; while the stream passes: packets of that payload type before."""


def format_of(codec: Codec) -> Format:
    """The format that a codec's registration implies."""
    return Format(codec.name, codec.clock_rate_hz, codec.media, default_ptime_ms=codec.ptime_ms)


def static_format(payload_type: int) -> Format | None:
    """The format that RFC 3551 assigns to a payload type; None for dynamic and unassigned ones."""
    codec = STATIC.get(payload_type)
    return None if codec is None else format_of(codec)


def looks_like_event(size: int, event: int) -> bool:
    """Whether a payload of a dynamic type that no SDP explains is a telephone event (RFC 4733 2.3).

    Four bytes: event below 16 (DTMF), end bit, reserved bit 0, volume of 0 to 63, duration.
    """
    return size == 4 and event >> 24 < 16 and event & 0x00400000 == 0


def counted_uses(uses: Sequence[Use], counts: npt.NDArray[np.int32]) -> list[Use]:
    """Uses with their packets, from the packets of their payload type before them and in all."""
    if len(uses) == 1:
        (use,) = uses
        count = int(counts[use.payload_type]) - use.packets
        if count <= 0:
            return []
        return [Use(use.payload_type, use.format, use.since, count)]
    after: dict[int, int] = {}
    counted = []
    for use in reversed(uses):
        end = after.get(use.payload_type, int(counts[use.payload_type]))
        after[use.payload_type] = use.packets
        if end > use.packets:
            counted.append(replace(use, packets=end - use.packets))
    return counted[::-1]
