"""The records of a pcap file. Floor 2.

Comes in: a window on a file whose header was recognised. Goes out: slots with decoded rows. Source:
draft-ietf-opsawg-pcap.
"""

from __future__ import annotations

from collections.abc import Iterator

from sipanalyzer.capture.formats import PcapHeader, parse_pcap_header
from sipanalyzer.capture.stats import CaptureStats
from sipanalyzer.capture.window import Slot, Window
from sipanalyzer.kernels.records import ABSURD, ENOUGH, FILE_HEADER, PADDING, USED_UP, walk_pcap
from sipanalyzer.kernels.walkstate import FEW, FOUND, FRAME, NEEDED, POSITION, ROWS
from sipanalyzer.options import Options

__all__ = ["read_pcap"]

HEADER_BYTES = 24


def read_pcap(window: Window, header: PcapHeader, options: Options, stats: CaptureStats) -> Iterator[Slot]:
    """Slot after slot with the rows of the file's packets; where it breaks off stands in `stats`.

    Parameters
    ----------
    window : Window
        Stands at the beginning of the file.
    header : PcapHeader
        What was recognised there.
    options : Options
        Of use here: max_record_bytes, max_tunnel_depth, sort_ns.
    stats : CaptureStats
        Moved on.

    Notes
    -----
    A record header of zeros is taken for the padding of a file that was given its size in advance; should anything
    else follow, the file is damaged there. Wireshark shows such headers as packets without bytes.

    Where a file header stands in place of a record, files were strung together (``cat a.pcap b.pcap``), and the second
    is read on with its own byte order, clock and link type. Frames are numbered through.
    """
    window.start += HEADER_BYTES
    stats.add_link(header.link)
    state = stats.state
    while True:
        window.fill()
        reason, header = _walk(window, header, options, stats)
        yield window.slot
        if reason == ENOUGH:
            return
        if reason == ABSURD:
            found = int(state[FOUND])
            stats.break_off(window.offset, f"a record of at most {options.max_record_bytes} bytes", f"{found} bytes")
            return
        window.turn()
        if reason == PADDING:
            offset = window.offset
            if not window.only_zeros():
                stats.break_off(offset, "a record header", "zeros, then other bytes")
            return
        if reason == FILE_HEADER and window.ended:
            stats.break_off(window.offset, f"{HEADER_BYTES} bytes of a file header", f"{window.end - window.start}")
            return
        if reason == USED_UP and window.ended:
            left = window.end - window.start
            if left and any(window.peek(left)):
                stats.break_off(window.offset, f"{int(state[NEEDED])} bytes of a record", f"{left}")
            return


def _walk(window: Window, header: PcapHeader, options: Options, stats: CaptureStats) -> tuple[int, PcapHeader]:
    """Decode what is in memory; returns why the kernel stopped, and the file header that holds from there on."""
    slot, state = window.slot, stats.state
    state[ROWS] = state[FEW] = 0
    while True:
        reason = walk_pcap(
            slot.data,
            window.start,
            window.end,
            header.big,
            header.tick_ns,
            header.extra,
            header.swapped,
            header.link,
            options.max_record_bytes,
            options.max_tunnel_depth,
            options.sort_ns,
            slot.rows,
            slot.numbers,
            stats.counts,
            state,
            stats.notes,
        )
        window.start = int(state[POSITION])
        slot.row_count, slot.few_count = int(state[ROWS]), int(state[FEW])
        another = parse_pcap_header(window.peek(HEADER_BYTES)) if reason == FILE_HEADER else None
        if another is None:
            return int(reason), header
        header = another
        stats.add_link(header.link)
        stats.anomalies.add("file-header", int(state[FRAME]) + 1)
        window.start += HEADER_BYTES
