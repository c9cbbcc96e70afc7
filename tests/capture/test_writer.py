"""The pcapng writer, read back by others: dpkt, tshark, capinfos, and our own reader."""

from __future__ import annotations

import io
import pathlib
import shutil
import struct
import subprocess

import dpkt
import pytest

from sipanalyzer.capture.writer import COMMENT, DESCRIPTION, PcapngWriter
from tests.builders import START_NS, udp_frame
from tests.capture import words

FRAME = udp_frame(b"hello", "192.0.2.1", 5060, "192.0.2.2", 5060)


def written() -> bytes:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, "what it is, ünd whence", "a test")
    first = writer.interface(1, 65_535, ((DESCRIPTION, b"eth0"), (9, b"\x09")))
    second = writer.interface(101, 0)
    writer.packet(first, START_NS, FRAME, len(FRAME), ((COMMENT, b"the first"),))
    writer.packet(second, START_NS // 1_000 + 5, FRAME[14:-2], len(FRAME) - 14)
    writer.packet(first, START_NS + 9, b"abc", 90)
    return stream.getvalue()


def test_dpkt_reads_the_packets_as_they_were_given() -> None:
    packets = [bytes(data) for _, data in dpkt.pcapng.Reader(io.BytesIO(written()))]
    assert packets == [FRAME, FRAME[14:-2], b"abc"]


def test_our_own_reader_has_times_links_and_lengths() -> None:
    _, capture = words.observe(written(), sort_records=0)
    assert (capture.packets, capture.first, capture.last) == (3, START_NS, START_NS + 5_000)
    assert capture.link_types == ("Ethernet", "Raw IP")
    assert capture.cut_packets == 2
    assert capture.anomalies.counts().keys() <= {"malformed-link", "out-of-order-record", "cut-packet"}


def test_tshark_reads_comments_times_and_interfaces(tmp_path: pathlib.Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    path = tmp_path / "a.pcapng"
    path.write_bytes(written())
    fields = ["frame.number", "frame.time_epoch", "frame.len", "frame.cap_len", "frame.interface_id", "frame.comment"]
    asked = [word for field in fields for word in ("-e", field)]
    run = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", *asked], capture_output=True, text=True, check=True
    )
    assert not [line for line in run.stderr.splitlines() if "root" not in line]
    lines = [line.split("\t") for line in run.stdout.splitlines()]
    size = str(len(FRAME))
    assert [line[2:5] for line in lines] == [
        [size, size, "0"], [str(len(FRAME) - 14), str(len(FRAME) - 16), "1"], ["90", "3", "0"],
    ]  # fmt: skip
    assert lines[0][5] == "the first"
    info = subprocess.run(["capinfos", str(path)], capture_output=True, text=True, check=True).stdout
    assert "what it is, ünd whence" in info
    assert "a test" in info


def test_a_text_too_long_for_an_option_is_cut_between_characters() -> None:
    stream = io.BytesIO()
    PcapngWriter(stream, "ü" * 40_000)
    code, length = struct.unpack_from("<HH", stream.getvalue(), 24)
    assert (code, length) == (COMMENT, 65_534)
    assert stream.getvalue()[28 : 28 + length].decode() == "ü" * 32_767


def test_an_interface_that_was_not_described_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no interface 0"):
        PcapngWriter(io.BytesIO()).packet(0, 0, b"", 0)
