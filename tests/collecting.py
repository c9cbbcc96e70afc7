"""For tests of what the unpacker collects besides messages: rows from words, and a whole capture taken through it."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, field

import numpy as np

from sipanalyzer.capture.block import Block
from sipanalyzer.capture.order import Reading
from sipanalyzer.capture.source import expand
from sipanalyzer.facts import Endpoint
from sipanalyzer.kernels import columns as row
from sipanalyzer.network.endpoints import address_words
from sipanalyzer.options import Options
from sipanalyzer.sip.spans import MessageStore
from sipanalyzer.unpacking import AnomaliesOfCaptures, Unpacker


def packet_row(
    kind: int, src: Endpoint, dst: Endpoint, *, time: int = 0, frame: int = 0, size: int = 0, **columns: int
) -> list[int]:
    """A row; `columns` by their names in :mod:`sipanalyzer.kernels.columns`."""
    packet = [0] * row.WIDTH
    packet[row.TIME], packet[row.FRAME], packet[row.KIND] = time, frame, kind
    packet[row.SRC_HI], packet[row.SRC_LO] = address_words(src[0])
    packet[row.DST_HI], packet[row.DST_LO] = address_words(dst[0])
    packet[row.PORTS] = src[1] << 16 | dst[1]
    packet[row.LENGTH] = size
    for name, value in columns.items():
        packet[getattr(row, name)] = value
    return packet


@dataclass
class Collected:
    """A capture that went through the unpacker."""

    unpacker: Unpacker
    end: int
    anomalies: AnomaliesOfCaptures
    rtcp: list[tuple[Endpoint, Endpoint, int, int, int, bytes]] = field(default_factory=list)


def collected(path: pathlib.Path, options: Options | None = None) -> Collected:
    """Take every packet but plain RTP and SIP of a capture through an unpacker, as the pipeline does."""
    options = options or Options()
    anomalies, rtcp = AnomaliesOfCaptures(), []
    unpacker = Unpacker(options, MessageStore(options, anomalies.each), anomalies, lambda *packet: rtcp.append(packet))
    kept: dict[int, bytes] = {}

    def intake(block: Block) -> np.ndarray:
        rows = block.rows
        for i in np.flatnonzero(rows[:, row.KIND] != row.RTP).tolist():
            at = int(rows[i, row.AT])
            rows[i, row.AT] = len(kept)
            kept[len(kept)] = block.data[at : at + int(rows[i, row.LENGTH])].tobytes()
        return rows

    end = 0
    reading = Reading(expand(str(path)), options, intake, anomalies.each)
    for rows, which in reading:
        unpacker.begin()
        for i, packet in enumerate(rows.tolist()):
            end = max(end, packet[row.TIME])
            anomalies.capture = which if isinstance(which, int) else int(which[i])
            if packet[row.KIND] not in (row.RTP, row.UNKNOWN):
                unpacker.unpack(i, 0, packet, kept[packet[row.AT]])
    unpacker.finish()
    return Collected(unpacker, end, anomalies, rtcp)
