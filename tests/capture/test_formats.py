"""What is refused, and in which words."""

from __future__ import annotations

import gzip
import io
import struct

import pytest

from sipanalyzer.capture.formats import link_name
from sipanalyzer.errors import CaptureError
from tests.capture import words

NEEDED = "needed a pcap or pcapng file header"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b"snoop\0\0\0\0\0\0\2\0\0\0\4", "0x736e6f6f70000000 (Solaris snoop)"),
        (b"GMBU\0\2\1\0", "0x474d425500020100 (Microsoft NetMon 2.x)"),
        (b"RTSS", "0x52545353 (Microsoft NetMon 1.x)"),
        (b"PK\x03\x04", "0x504b0304 (a ZIP archive)"),
        (b"INVITE sip:a@b SIP/2.0\r\nVia:", "text 'INVITE sip:a@b SIP/2.0\\r\\nVia:'"),
        (bytes(100), "zeros"),
        (b"\xd4\xc3\xb2\xa2" + bytes(30), "0xd4c3b2a200000000"),
        (words.pcap_header()[:23], "23 bytes of one"),
        (b"\xd4\xc3\xb2", "0xd4c3b2"),
        (words.section()[:27], "27 bytes of one"),
        (words.section()[:8] + b"\1\2\3\4" + bytes(16), "byte-order magic 0x01020304 of no pcapng section"),
        (gzip.compress(b"hello", mtime=0), "text 'hello'"),
        (gzip.compress(words.pcap_header(), mtime=0)[:12], "0xd4 (gz data cut off after 12 compressed bytes)"),
    ],
)
def test_a_foreign_file_is_refused_with_what_was_found(data: bytes, found: str) -> None:
    file = io.BytesIO(data)
    file.name = "a.pcap"  # type: ignore[misc]
    with pytest.raises(CaptureError) as refused:
        words.observe(file)
    assert str(refused.value) == f"a.pcap: not a capture, at offset 0, {NEEDED}, found {found}"


@pytest.mark.parametrize("version", [(1, 4), (3, 0), (0, 0), (543, 1)])
def test_pcap_of_another_major_version_is_refused(version: tuple[int, int]) -> None:
    with pytest.raises(CaptureError, match=f"at offset 4, needed pcap version 2, found {version[0]}.{version[1]}"):
        words.observe(words.pcap_header(version=version))


def test_no_short_beginning_makes_anything_but_our_error() -> None:
    for magic in (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34, 0x0A0D0D0A):
        for order in "<>":
            data = struct.pack(order + "I", magic) + bytes(23)
            for length in range(28):
                if length < 24 or magic == 0x0A0D0D0A:
                    with pytest.raises(CaptureError):
                        words.observe(data[:length])


def test_link_types_have_names_for_people() -> None:
    assert [link_name(number) for number in (1, 113, 276, 65_000)] == [
        "Ethernet",
        "Linux cooked v1",
        "Linux cooked v2",
        "LINKTYPE 65000",
    ]
