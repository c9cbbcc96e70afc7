"""Fuzz targets: capture files, their records, their compression; what a redaction leaves."""

from __future__ import annotations

import bz2
import contextlib
import dataclasses
import gzip
import io
import lzma
import pathlib
import struct
import tempfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from sipanalyzer.capture.order import Reading
from sipanalyzer.capture.source import expand
from sipanalyzer.errors import CaptureError
from sipanalyzer.kernels import columns as row
from sipanalyzer.kernels import picking, records, walkstate
from sipanalyzer.options import Options
from sipanalyzer.redaction.addresses import Addresses
from sipanalyzer.redaction.door import Redactor
from sipanalyzer.redaction.keyed import Keyed
from sipanalyzer.redaction.message import Messages
from sipanalyzer.redaction.text import Texts
from tests.builders import Interface, Packet, pcap_bytes, pcapng_bytes, rtp, sender_report, tcp_frame, udp_frame
from tests.capture import words
from tests.fuzz.checked import checking, run_both
from tests.fuzz.drawing import Draw

SAMPLES = pathlib.Path(__file__).resolve().parent.parent.parent / "sample_pcaps"
_INVITE = b"INVITE sip:bob@example.com SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"
_COMPRESSORS: tuple[Callable[[bytes], bytes], ...] = (gzip.compress, bz2.compress, lzma.compress)


def _few_packets() -> list[Packet]:
    frames = [udp_frame(_INVITE), udp_frame(rtp(bytes(20), seq=1, timestamp=160, ssrc=7)), tcp_frame(_INVITE, seq=7)]
    return [Packet(10**18 + number * 10**7, frame) for number, frame in enumerate(frames)]


def _seen(data: bytes, block_bytes: int) -> tuple[Any, ...]:
    """Rows, times and what is said of a file, or why it was refused."""
    found: list[tuple[Any, ...]] = []

    def intake(block: Any) -> Any:
        for line in block.rows.tolist():
            if line[row.KIND] == row.RTP:
                found.append(tuple(line))
                continue
            at, length = line[row.AT], line[row.LENGTH]
            found.append((*line[: row.AT], block.data[at : at + length].tobytes()))
        return block.rows

    options = Options(block_bytes=block_bytes, max_record_bytes=8_192, max_block_bytes=1 << 16)
    try:
        reading = Reading(expand(io.BytesIO(data)), options, intake)
        for _ in reading:
            pass
    except CaptureError as error:
        return ("refused", str(error))
    (capture,) = reading.captures()
    noted = {
        code: (each.count, each.frames) for code in capture.anomalies.counts() for each in (capture.anomalies[code],)
    }
    return (*found, str(dataclasses.replace(capture, anomalies=None)), noted, reading.counts().tolist())  # type: ignore[arg-type]


def containers(data: bytes) -> None:
    """A file gives the same whatever the size of the blocks in which it is read."""
    with checking():
        assert _seen(data, 1 << 15) == _seen(data, 700)


def compressed(data: bytes) -> None:
    """A damaged compressed file gives what stands before the damage, and ends."""
    draw = Draw(data)
    how, flips = draw.number(), [(draw.number(2), draw.number()) for _ in range(draw.number() % 4)]
    body = bytearray(_COMPRESSORS[how % 3](draw.rest()) if how < 192 else draw.rest())
    for at, value in flips:
        if body:
            body[at % len(body)] ^= value
    _seen(bytes(body), 4_096)


def _arrays(rows: int) -> tuple[np.ndarray, ...]:
    state = np.zeros(walkstate.STATE, np.int64)
    state[walkstate.LIMIT] = 1 << 62
    return (
        np.zeros((rows, row.WIDTH), np.int64),
        np.zeros(rows, np.int64),
        np.zeros(rows * 100, np.uint8),
        np.zeros(row.COUNTERS, np.int64),
        state,
        np.zeros((walkstate.NOTES, 11), np.int64),
    )


def _walked(kernel: Any, data: np.ndarray, about: tuple[Any, ...], rows: int) -> tuple[int, np.ndarray]:
    """Why a walk ended, and its state: of bytes in memory, and of a file from which the kernel reads them on."""
    arrays = _arrays(rows)
    arrays[4][walkstate.END] = len(data)
    reason, (_, *_, table, few, kept, counts, state, notes) = run_both(kernel, data, 0, 0, *about, *arrays)
    again = _arrays(rows)
    known = len(data) // 3
    octets = np.zeros(_SLACK + max(known, 1_000), np.uint8)
    octets[_SLACK : _SLACK + known] = data[:known]
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(data[known:].tobytes())
        again[4][[walkstate.END, walkstate.DESCRIPTOR, walkstate.TO_READ]] = _SLACK + known, file.fileno(), 1 << 30

        def from_file(*arguments: Any) -> int:
            file.seek(0)
            return int(kernel(*arguments))

        other, (_, *_, table_, few_, kept_, counts_, state_, notes_) = run_both(
            from_file, octets, _SLACK, _SLACK, *about, *again
        )
    if other == records.BLOCK != reason:
        return reason, state  # a block that is no packet's has not all to be in memory
    if state_[walkstate.FEW_KEPT] == state_[walkstate.FEW] == state[walkstate.FEW_KEPT] == state[walkstate.FEW]:
        assert other == reason
        for one, two in ((table, table_), (few, few_), (kept, kept_), (counts, counts_), (notes, notes_)):
            assert (one == two).all()
        same = [place for place in range(walkstate.STATE) if place not in _OF_READING]
        if reason not in (records.USED_UP, records.DOUBTFUL):
            same.remove(walkstate.NEEDED)
        assert (state[same] == state_[same]).all()
        left = int(state_[walkstate.END] - state_[walkstate.POSITION])
        assert known + state_[walkstate.READ] - left == state[walkstate.POSITION]
    return reason, state


_SLACK = 6_000
"""More than the largest record believed."""
_OF_READING = frozenset((walkstate.POSITION, walkstate.DESCRIPTOR, walkstate.TO_READ, walkstate.END, walkstate.READ))


def walk_pcap(data: bytes) -> None:
    """Records walked compiled, interpreted, read on from a file, and by their numbers: the same frames."""
    draw = Draw(data)
    big, extra, swapped, how = draw.number() & 1, 8 * (draw.number() & 1), draw.number() % 3, draw.number()
    link = (1, 101, 113, 276, 127, 0, 12, 147)[how % 8]
    octets = np.frombuffer(bytearray(draw.rest()), np.uint8)
    tick_ns = 1_000 if how & 64 else 1
    about = (bool(big), tick_ns, extra, swapped, link, 4_096, 8, 10**9)
    reason, state = _walked(records.walk_pcap, octets, about, 5 if how & 128 else 100)
    _pick(picking.pick_pcap, octets, (bool(big), tick_ns, extra, swapped, 4_096), state, reason)


def walk_pcapng(data: bytes) -> None:
    """Likewise blocks of a section with two interfaces."""
    draw = Draw(data)
    big, how = draw.number() & 1, draw.number()
    octets = np.frombuffer(bytearray(draw.rest()), np.uint8)
    table = np.array([[1, 0, 6, 0, 0], [101, 1, how % 70, -5, 300]], np.int64)
    about = (bool(big), table, 2, 5_000, 1 << 15, 4_096, 8, 10**9)
    reason, state = _walked(records.walk_pcapng, octets, about, 5 if how & 128 else 100)
    _pick(picking.pick_pcapng, octets, (bool(big), 5_000, 1 << 15), state, reason)


def _pick(kernel: Any, octets: np.ndarray, about: tuple[Any, ...], walked: np.ndarray, reason: int) -> None:
    state, none = np.zeros(picking.STATE, np.int64), np.zeros(0, np.int64)
    picked = np.zeros((200, picking.PICK), np.int64)
    why, (_, _, picked, state) = run_both(kernel, octets, 0, len(octets), *about, none, picked, state)
    if reason != records.ROWS_FULL and why == reason and why != records.BLOCK:
        assert state[picking.AT] == walked[walkstate.POSITION]
        assert state[picking.FRAME] == walked[walkstate.FRAME]


_OPTIONS = Options(redact=True, redact_key="fuzz", max_record_bytes=8_192)


def redacted(data: bytes) -> None:
    """A redacted file has as many bytes, and the same records."""
    redactor = Redactor("fuzz", _OPTIONS)
    (one,) = redactor.inputs(expand(io.BytesIO(data)))
    source = one.open_()
    new = b""
    while piece := source.read(1 << 16):
        new += piece
    source.close()
    assert len(new) == len(data) or source.compression or source.damage


_MESSAGES = Messages(Texts(Keyed("fuzz"), Addresses(Keyed("fuzz"))))


def redacted_message(data: bytes) -> None:
    """A redacted message has as many bytes."""
    assert len(_MESSAGES.message(data)) == len(data)
    assert len(_MESSAGES.body(data[4:], b"Content-Type: " + _TYPES[data[0] % len(_TYPES) if data else 0])) == max(
        0, len(data) - 4
    )


_TYPES = (
    b"application/sdp\r\n\r\n",
    b"multipart/mixed;boundary=x\r\n\r\n",
    b"application/dtmf-relay\r\n\r\n",
    b"application/vq-rtcpxr\r\n\r\n",
    b"application/pidf+xml\r\n\r\n",
    b"message/sipfrag\r\n\r\n",
    b"text/plain\r\n\r\n",
    b"application/octet-stream\r\n\r\n",
    b"application/simple-message-summary\r\n\r\n",
    b"application/dtmf\r\n\r\n",
)


# ---- what to begin with


def container_seeds() -> list[bytes]:
    """Small files of every format and byte order."""
    few = _few_packets()
    old = [words.pcap_header(order=order, version=version) for order in "<>" for version in ((2, 4), (2, 2), (2, 3))]
    modified = words.pcap_header(0xA1B2CD34) + struct.pack("<IIII", 5, 6, 4, 4) + bytes(8) + b"abcd"
    blocks = [
        words.section(order)
        + words.interface(1, resolution, offset, order=order)
        + words.enhanced(5 << 40, few[0].data, order=order)
        + words.simple(few[1].data, order=order)
        + words.statistics(ifdrop=3, order=order)
        + words.old(7, few[2].data, order=order)
        + words.block(9, b"{}", order)
        + words.section(order)
        + words.interface(order=order)
        for order, resolution, offset in (("<", 9, None), (">", 0x94, -7), ("<", None, 1 << 40))
    ]
    return [
        pcap_bytes(few),
        pcap_bytes(few, nanoseconds=True),
        pcap_bytes(few) * 2,
        modified,
        *blocks,
        *(head + words.record(5, 6, b"abcd", order) for head, order in zip(old, "<<<>>>", strict=True)),
        pcapng_bytes(few, [Interface(), Interface(101, 9, -5)], big_endian=True),
    ]


def compressed_seeds() -> list[bytes]:
    """Files to be compressed, and compressed ones."""
    file = pcap_bytes(_few_packets())
    made = [zlib.compress(file), lzma.compress(file, lzma.FORMAT_ALONE)]
    with contextlib.suppress(ImportError):
        import lz4.frame
        import zstandard

        made += [zstandard.ZstdCompressor().compress(file), lz4.frame.compress(file)]
    return [
        *(bytes([how, 0]) + file for how in range(3)),
        b"\0\1\0\x20\x07" + file,
        *(b"\xff\0" + each for each in (*made, gzip.compress(file) * 2)),
    ]


def pcap_seeds() -> list[bytes]:
    """Records behind what they are read with."""
    few = pcap_bytes(_few_packets())[24:]
    return [bytes([0, 0, 0, 0]) + few, bytes([0, 0, 2, 64]) + few, bytes([1, 1, 1, 1]) + bytes(40)]


def pcapng_seeds() -> list[bytes]:
    """Blocks behind what they are read with."""
    out = []
    for big, order in enumerate("<>"):
        body = b"".join(
            words.enhanced(5 << 40 | number, packet.data, number % 2, order, options=words.option(4, bytes(8), order))
            + words.simple(packet.data, order=order)
            + words.old(7, packet.data, drops=3, order=order)
            + words.block((9, 0xBAD, 0x204, 0x777)[number], b"abc", order)
            for number, packet in enumerate(_few_packets())
        )
        out.append(bytes([big, 9]) + body)
    return out


def sample_seeds() -> list[bytes]:
    """The smallest samples, and the beginning of others."""
    names = (
        "busy",
        "cancelled",
        "hep3",
        "register",
        "no_answer",
        "message",
        "msrp",
        "tls_failed",
        "subscribe",
        "refused",
    )
    out = [(SAMPLES / f"{name}.pcap").read_bytes() for name in names]
    for name in (
        "fragmented",
        "gtp_vlan",
        "tcp",
        "websocket",
        "webrtc_failed",
        "quality_report",
        "t38",
        "rtcp",
        "unreachable",
    ):
        out.append((SAMPLES / f"{name}.pcap").read_bytes()[:5_000])
    reports = [udp_frame(sender_report(7, 10**18, 160, 1, 160)), udp_frame(rtp(seq=1, timestamp=160, ssrc=7))]
    return [*out, pcap_bytes([Packet(10**18, frame) for frame in reports])]


def message_seeds() -> list[bytes]:
    """Messages with bodies of all kinds."""
    from tests.fuzz.message_seeds import body_seeds, message_seeds

    return [
        *message_seeds(),
        *(bytes([number % len(_TYPES), 0, 0, 0]) + each for number, each in enumerate(body_seeds())),
    ]
