"""RTP streams as rows of packets, for the tests of the stream table and its kernels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from sipanalyzer.kernels import columns as row
from sipanalyzer.options import Options
from sipanalyzer.rtp.figures import Figures
from sipanalyzer.rtp.formats import Format
from sipanalyzer.rtp.streams import StreamTable
from tests.naive.rtp import Packet

PCMA = Format("PCMA", 8000, "audio", from_sdp=True)
EVENTS = Format("telephone-event", 8000, "audio", from_sdp=True)
MS = 1_000_000
DEFAULT = Options()


def rows_of(packets: list[Packet], ssrc: int = 1, port: int = 4000, payload_type: int = 8) -> np.ndarray:
    rows = np.zeros((len(packets), row.WIDTH), np.int64)
    for k, p in enumerate(packets):
        rows[k, [row.TIME, row.FRAME, row.KIND]] = p.time, k + 1, row.RTP
        rows[k, [row.SRC_LO, row.DST_LO]] = 0xFFFF0A000001, 0xFFFF0A000002
        rows[k, row.PORTS] = 5000 << 16 | port
        rows[k, [row.SSRC, row.SEQ, row.STAMP, row.SIZE]] = ssrc, p.seq, p.stamp, p.size
        rows[k, row.EVENT] = p.payload
        rows[k, row.PT] = p.marker << 7 | (101 if p.event else payload_type)
        rows[k, row.HASH] = (ssrc * 2654435761 + port * 40503) & 0xFFFFFFFF
    return rows


def describe(src, dst, payload_type, time):
    return {8: PCMA, 101: EVENTS}.get(payload_type)


def figures(packets: list[Packet], announced: bool = True, **kwargs) -> Figures:
    (only,) = table_of(rows_of(packets, **kwargs), announced=announced).finish()
    return only


def table_of(
    rows: np.ndarray, announced: bool = True, cuts: Sequence[int] = (), describe=describe, options: Options = DEFAULT
) -> StreamTable:
    table = StreamTable(options, describe)
    if announced:
        for port in {int(p) & 0xFFFF for p in rows[:, row.PORTS]}:
            table.announce((0, 0xFFFF0A000002, port))
    at = 0
    for cut in [*sorted(cuts), len(rows)]:
        table.feed(rows[at:cut].copy(), 0, cut - at, 0)
        at = cut
    return table


def steady(n: int, first: int = 1000, stamp: int = 5000, start: int = 0, step: int = 160, gap: int = 20 * MS):
    return [Packet(start + k * gap, (first + k) % 65536, (stamp + k * step) % 2**32) for k in range(n)]


@st.composite
def streams(draw: st.DrawFn) -> list[Packet]:
    """A stream to which all sorts of things happen."""
    seq, stamp, time = draw(st.integers(0, 65535)), draw(st.integers(0, 2**32 - 1)), 10**18
    packets: list[Packet] = []
    for _ in range(draw(st.integers(1, 50))):
        what = draw(st.sampled_from("nnnnnnnnnnndlosjbrmMeELLgNN"))
        seq, stamp, time = (seq + 1) % 65536, (stamp + 160) % 2**32, time + 20 * MS
        marker = event = False
        if what == "d" and packets:
            packets.append(packets[-draw(st.integers(1, min(5, len(packets))))])
        elif what == "l":
            skip = draw(st.sampled_from([1, 2, 17, 2999, 3000, 3001, 20_000]))
            explained = draw(st.booleans())
            seq, stamp = (seq + skip) % 65536, (stamp + 160 * skip) % 2**32
            time += skip * 20 * MS if explained else 0
        elif what == "o" and len(packets) > 1:
            packets[-1], packets[-2] = packets[-2], packets[-1]
        elif what == "s":
            stamp = (stamp + draw(st.integers(-100_000, 100_000))) % 2**32
        elif what == "j":
            time += draw(st.integers(0, 60)) * MS
        elif what == "b":
            seq = (seq - draw(st.sampled_from([1, 99, 100, 101, 102, 127, 128, 500]))) % 65536
        elif what == "r":
            seq, stamp = draw(st.integers(0, 65535)), draw(st.integers(0, 2**32 - 1))
        elif what in "mM":
            marker = True
            time += 300 * MS if what == "M" else 0
        elif what in "eE":
            event = True
        elif what == "N":  # nothing happens for a while
            for _ in range(draw(st.integers(1, 130))):
                packets.append(Packet(time, seq, stamp))
                seq, stamp, time = (seq + 1) % 65536, (stamp + 160) % 2**32, time + 20 * MS
        late = draw(st.integers(0, 400)) * MS if what == "L" else 0
        payload = draw(st.integers(0, 1)) << 24 | draw(st.integers(0, 1)) << 23 | (stamp & 0xFFFF)
        if what == "E" and packets:  # the event goes on
            stamp = packets[-1].stamp
        if what == "g":  # a stall, or a better path
            time += draw(st.sampled_from([-300, 80, 500, 1500, 2500])) * MS
        packets.append(Packet(time + late, seq, stamp, marker, event, payload=payload))
    return packets
