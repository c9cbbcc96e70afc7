"""The packets of one stream as a DataFrame: one row an RTP packet, in order of arrival. Floor 8.

In: figures of each packet (:mod:`sipanalyzer.rereading.replay`). Out: a pandas DataFrame whose figures add up to the
stream's row. pandas is loaded when it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels import streamstate as state
from ..rereading.replay import PacketFigures
from ..result import Stream
from .columns import Column

if TYPE_CHECKING:
    import pandas

__all__ = ["PACKET_COLUMNS", "packet_frame"]

C = Column
PACKET_COLUMNS = (
    C("time", "time", "", "when it was captured"),
    C("frame", "int", "", "number of its frame, counted from 1 as Wireshark does"),
    C("ssrc", "text", "", "synchronisation source: 0x and eight hex digits"),
    C("sequence", "int", "", "sequence number as sent, 16 bits"),
    C("extended_sequence", "int", "", "sequence number that counts on, from 65536; missing of a stray, in no segment"),
    C("segment", "int", "", "restarts before it"),
    C("timestamp", "int", "", "RTP timestamp"),
    C("payload_type", "int", "", "as sent"),
    C("codec", "text", "", "what the payload type means"),
    C("kind", "text", "", "media, telephone-event or comfort-noise"),
    C("event", "text", "", "key that is pressed (RFC 4733): 0 to 9, *, #, A to D; the event's number beyond"),
    C("marker", "bool", "", "marker bit"),
    C("payload_bytes", "int", "bytes", "payload, without CSRC, header extension and padding"),
    C("delta_ms", "float", "ms", "since the packet before; missing where no difference is counted"),
    C("jitter_ms", "float", "ms", "interarrival jitter after it (RFC 3550 A.8); missing likewise"),
    C("skew_ms", "float", "ms", "arrival against RTP clock since the last break, positive: late; missing likewise"),
    C("lateness_ms", "float", "ms", "behind the stream's own schedule, by which a jitter buffer judges; audio only"),
    C("lost_before", "int", "", "packets that never came, directly before it in order of sequence"),
    C("duplicate", "bool", "", "the same sequence number and timestamp again"),
    C("out_of_order", "bool", "", "arrived after a packet of a higher number, and is no duplicate"),
    C("break", "bool", "", "the timing reference is taken anew with it"),
    C("late", "bool", "", "a jitter buffer would have discarded it; missing where timing says nothing (video)"),
)
"""Columns of the frame, in order."""

_KEYS = "0123456789*#ABCD"
_KINDS = {state.TELEPHONE_EVENT: "telephone-event", state.COMFORT_NOISE: "comfort-noise"}
_PLACES = 6
"""Decimals of numbers, as in all tables."""


def packet_frame(stream: Stream, packets: PacketFigures) -> pandas.DataFrame:
    """One row an RTP packet.

    Parameters
    ----------
    stream : Stream
        As the analysis found it.
    packets : PacketFigures
        Its packets.

    Returns
    -------
    pandas.DataFrame
        Columns of :data:`PACKET_COLUMNS`, typed as all tables are; units and meanings in ``attrs["columns"]``.

    Notes
    -----
    The highest of `jitter_ms` is the stream's `max_jitter_ms`, its mean `mean_jitter_ms`; likewise `delta_ms`; the
    `skew_ms` furthest from 0 is `max_skew_ms`; `lost_before` sums up to `lost`, and the flags to their counts.
    """
    import pandas

    formats = [(form.name, _KINDS.get(form.role, "media")) for form in packets.formats] + [(None, None)]
    numbers = np.unique(packets.event)
    judged = stream.discarded is not None
    values: dict[str, Any] = {
        "time": pandas.Series(packets.time_ns.view("M8[ns]")).dt.tz_localize("UTC"),
        "ssrc": _texts(np.zeros(len(packets), np.int64), [f"0x{stream.ssrc:08x}"]),
        "extended_sequence": pandas.array(packets.extended, dtype="Int64"),
        "codec": _texts(packets.format, [name for name, _ in formats]),
        "kind": _texts(packets.format, [kind for _, kind in formats]),
        "event": _texts(np.searchsorted(numbers, packets.event), [_key(number) for number in numbers.tolist()]),
        "break": pandas.array(packets.breaks, dtype="boolean"),
        "late": pandas.array(packets.late if judged else np.full(len(packets), None), dtype="boolean"),
    }
    values["extended_sequence"][packets.extended == 0] = pandas.NA
    for column in PACKET_COLUMNS:
        if column.name in values:
            continue
        array = getattr(packets, column.name)
        if column.dtype == "float":
            values[column.name] = np.round(array, _PLACES) + 0.0
        else:
            values[column.name] = pandas.array(array, dtype={"int": "Int64", "bool": "boolean"}[column.dtype])
    frame = pandas.DataFrame({column.name: values[column.name] for column in PACKET_COLUMNS})
    frame.attrs["table"] = "packets"
    frame.attrs["columns"] = {each.name: {"unit": each.unit, "meaning": each.meaning} for each in PACKET_COLUMNS}
    return frame


def _key(event: int) -> str | None:
    if event < 0:
        return None
    return _KEYS[event] if event < len(_KEYS) else str(event)


def _texts(which: np.ndarray[Any, np.dtype[np.int64]], texts: list[str | None]) -> Any:
    """A column of few different texts."""
    import pandas

    return pandas.array(np.array(texts, object)[which], dtype="string")
