"""The records of a pcap file. Floor 2.

Comes in: a window on a file whose header was recognised. Goes out: decoded rows, in slots. Source:
draft-ietf-opsawg-pcap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from sipanalyzer.capture.formats import PcapHeader, parse_pcap_header
from sipanalyzer.capture.resuming import Trust, believable_record, find_record, reach, resume
from sipanalyzer.capture.stats import CaptureStats
from sipanalyzer.capture.window import Slot, Window
from sipanalyzer.kernels.records import ABSURD, DOUBTFUL, ENOUGH, FILE_HEADER, PADDING, USED_UP, walk_pcap
from sipanalyzer.kernels.walkstate import FOUND, FRAME, NEEDED, TRUSTED
from sipanalyzer.options import Options

__all__ = ["read_pcap"]

HEADER_BYTES = 24


def read_pcap(
    window: Window, header: PcapHeader, options: Options, stats: CaptureStats, take: Callable[[], Slot]
) -> Iterator[None]:
    """Put rows of the file's packets into slots, a stretch of it at a time; where it breaks off stands in `stats`.

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
    take : callable
        Gives the slot for the next stretch; one that has room for a row.

    Notes
    -----
    A record header of zeros is taken for the padding of a file that was given its size in advance; should anything
    else follow, the file is damaged there. Wireshark shows such headers as packets without bytes.

    Where a file header stands in place of a record, files were strung together (``cat a.pcap b.pcap``), and the second
    is read on with its own byte order, clock and link type. Frames are numbered through.

    Where no record can be made out, the file is damaged; it is read on at the next one that is found
    (:mod:`sipanalyzer.capture.resuming`). A record that contradicts itself is believed where another one follows it.
    """
    largest = options.max_record_bytes
    trust = Trust()
    window.start += HEADER_BYTES
    stats.add_link(header.link)
    state = stats.state
    while True:
        window.fill()
        reason, header = _walk(window, take(), header, options, stats, trust)
        yield
        if reason == ENOUGH:
            return
        window.turn()
        offset, left = window.offset, window.end - window.start
        if reason == ABSURD:
            stats.break_off(offset, f"a record of at most {largest} bytes", f"{int(state[FOUND])} bytes")
        elif reason == PADDING:
            if window.only_zeros():
                return
            stats.break_off(offset, "a record header", "zeros, then other bytes")
        elif reason == DOUBTFUL:
            size = int(state[NEEDED])
            window.want(size + HEADER_BYTES)
            whole = window.end - window.start >= size
            if believable_record(window.peek(size + HEADER_BYTES), size, header, largest):
                state[TRUSTED] = trust.up_to(int(state[FRAME]))
                continue
            found = "one that contradicts itself" if whole else f"{window.end - window.start}"
            stats.break_off(offset, "a record header" if whole else f"{size} bytes of a record", found)
        elif reason == FILE_HEADER and window.ended:
            stats.break_off(window.offset, f"{HEADER_BYTES} bytes of a file header", f"{window.end - window.start}")
            return
        elif reason == USED_UP and window.ended:
            if not any(window.peek(left)):
                return
            stats.break_off(offset, f"{int(state[NEEDED])} bytes of a record", f"{left}")
        else:
            continue
        if not resume(window, partial(find_record, header=header, max_record_bytes=largest), reach(largest)):
            return
        stats.read_on(offset, window.offset)


def _walk(
    window: Window, slot: Slot, header: PcapHeader, options: Options, stats: CaptureStats, trust: Trust
) -> tuple[int, PcapHeader]:
    """Decode what is in memory; returns why the kernel stopped, and the file header that holds from there on."""
    state = stats.state
    while True:
        window.ready(slot, state)
        reason = walk_pcap(
            window.data,
            window.start,
            window.slack,
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
            slot.data,
            stats.counts,
            state,
            stats.notes,
        )
        window.walked(slot, state)
        if reason == DOUBTFUL:
            size = int(state[NEEDED])
            behind = window.end - window.start >= size + HEADER_BYTES
            if behind and believable_record(window.peek(size + HEADER_BYTES), size, header, options.max_record_bytes):
                state[TRUSTED] = trust.up_to(int(state[FRAME]))
                continue
        another = parse_pcap_header(window.peek(HEADER_BYTES)) if reason == FILE_HEADER else None
        if another is None:
            return int(reason), header
        header = another
        stats.add_link(header.link)
        stats.anomalies.add("file-header", int(state[FRAME]) + 1)
        window.start += HEADER_BYTES
