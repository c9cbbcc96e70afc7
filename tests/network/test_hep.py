"""Homer's encapsulation, versions 1 to 3."""

from __future__ import annotations

import gzip
import struct
import zlib

import dpkt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.errors import ParseError
from sipanalyzer.kernels import columns as c
from sipanalyzer.kernels.packet import decode_one
from sipanalyzer.network.encapsulation import Hep, hep_packet, parse_hep
from tests.builders import START_NS, hep3

MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n"
FOUR = ("10.38.17.11", 5080, "10.224.0.92", 5060)
SIX = ("2001:db8::5", 5080, "2001:db8::92", 5060)


def chunk(kind: int, value: bytes, vendor: int = 0) -> bytes:
    return struct.pack(">HHH", vendor, kind, 6 + len(value)) + value


def packet(*chunks: bytes) -> bytes:
    body = b"".join(chunks)
    return b"HEP3" + struct.pack(">H", 6 + len(body)) + body


ENDS = chunk(3, bytes([10, 0, 0, 1])) + chunk(4, bytes([10, 0, 0, 2]))


@pytest.mark.parametrize("ends", [FOUR, SIX])
def test_version_3_says_who_when_and_what(ends: tuple[str, int, str, int]) -> None:
    hep = parse_hep(hep3(MESSAGE, *ends, START_NS + 123_456_000, correlation="abc@host", agent=2001))
    assert hep == Hep(3, *ends, 17, START_NS + 123_456_000, 1, "abc@host", 2001, MESSAGE)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("counted", [0, 12])
def test_version_2_has_the_time_in_either_byte_order(order: str, counted: int) -> None:
    head = struct.pack(">BBBBHH", 2, 16 + counted, 2, 17, 5080, 5060) + bytes([10, 38, 17, 11, 10, 224, 0, 92])
    time = struct.pack(order + "IIHxx", 1_700_000_000, 250_000, 77)
    assert parse_hep(head + time + MESSAGE) == Hep(2, *FOUR, 17, 1_700_000_000_250_000_000, 1, None, 77, MESSAGE)


def test_version_1_has_addresses_only() -> None:
    head = struct.pack(">BBBBHH", 1, 40, 10, 6, 5080, 5060)
    head += bytes.fromhex("20010db8000000000000000000000005" + "20010db8000000000000000000000092")
    assert parse_hep(head + MESSAGE) == Hep(1, *SIX, 6, None, 1, None, None, MESSAGE)


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress])
def test_a_compressed_payload_is_inflated(compress: object) -> None:
    hep = parse_hep(packet(ENDS, chunk(16, compress(MESSAGE))))  # type: ignore[operator]
    assert hep.payload == MESSAGE
    assert (hep.time_ns, hep.capture_agent, hep.ip_protocol) == (None, None, 17)


def test_a_bomb_is_refused() -> None:
    with pytest.raises(ParseError, match="larger"):
        parse_hep(packet(ENDS, chunk(16, zlib.compress(bytes(50 << 18)))))


@pytest.mark.parametrize("most", [0, 1, 100, 99_999])
def test_as_much_as_the_limit_is_inflated_and_no_byte_more(most: int) -> None:
    assert parse_hep(packet(ENDS, chunk(16, zlib.compress(bytes(most)))), most).payload == bytes(most)
    with pytest.raises(ParseError, match="larger"):
        parse_hep(packet(ENDS, chunk(16, zlib.compress(bytes(most + 1)))), most)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"HEP3",
        b"HEP3\0\6",
        b"HEP2\0\6",
        packet(ENDS),
        packet(chunk(15, MESSAGE)),
        packet(chunk(3, bytes(5)), chunk(4, bytes(4)), chunk(15, MESSAGE)),
        packet(ENDS, struct.pack(">HHH", 0, 9, 5)),
        packet(ENDS, struct.pack(">HHH", 0, 9, 500)),
        packet(ENDS, chunk(16, b"no zlib")),
        b"\x01\x10\x02\x11" + bytes(12),
        b"\x01\x11\x02\x11" + bytes(40),
        b"\x02\x10\x02\x11" + bytes(24),
    ],
)
def test_what_does_not_fit_is_refused(payload: bytes) -> None:
    with pytest.raises(ParseError):
        parse_hep(payload)


def test_chunks_of_vendors_are_skipped() -> None:
    assert parse_hep(packet(chunk(15, b"theirs", vendor=14), ENDS, chunk(15, MESSAGE))).payload == MESSAGE


@pytest.mark.parametrize("ends", [FOUR, SIX])
def test_a_cut_packet_gives_what_was_captured_or_a_parse_error(ends: tuple[str, int, str, int]) -> None:
    whole = hep3(MESSAGE, *ends, START_NS)
    begin = len(whole) - len(MESSAGE)
    for size in range(len(whole)):
        if size < begin:
            with pytest.raises(ParseError):
                parse_hep(whole[:size])
        else:
            assert parse_hep(whole[:size]).payload == MESSAGE[: size - begin]


@given(st.binary(max_size=120), st.sampled_from([b"HEP3", b"\x01\x10\x02\x11", b"\x02\x28\x0a\x11", packet(ENDS)]))
def test_any_bytes_are_read_or_refused(rest: bytes, begin: bytes) -> None:
    try:
        parse_hep(begin + rest)
    except ParseError as error:
        assert error.layer == "hep"


@pytest.mark.parametrize("ends", [FOUR, SIX])
def test_the_packet_made_of_it_is_decoded_like_one_from_the_wire(ends: tuple[str, int, str, int]) -> None:
    made = hep_packet(parse_hep(hep3(MESSAGE, *ends, START_NS)))
    ip = (dpkt.ip6.IP6 if ":" in ends[0] else dpkt.ip.IP)(made)
    assert (ip.data.sport, ip.data.dport, ip.data.data) == (ends[1], ends[3], MESSAGE)
    if ":" not in ends[0]:
        given, ip.sum = ip.sum, 0
        assert dpkt.ip.IP(bytes(ip)).sum == given  # dpkt fills in the header's checksum
    rows, counts = np.zeros((1, c.WIDTH), np.int64), np.zeros(c.COUNTERS, np.int64)
    assert decode_one(np.frombuffer(made, np.uint8).copy(), 0, len(made), len(made), 101, 0, 1, 8, rows, counts) == 1
    assert rows[0, c.KIND] == c.SIP and rows[0, c.LENGTH] == len(MESSAGE) == rows[0, c.WIRE_LENGTH]


def test_a_message_longer_than_a_datagram_is_kept_whole() -> None:
    message = MESSAGE + b"x" * 100_000
    made = hep_packet(Hep(3, *FOUR, 6, None, 1, None, None, message))
    rows, counts = np.zeros((1, c.WIDTH), np.int64), np.zeros(c.COUNTERS, np.int64)
    assert decode_one(np.frombuffer(made, np.uint8).copy(), 0, len(made), len(made), 101, 0, 1, 8, rows, counts) == 1
    assert rows[0, c.LENGTH] == len(message)
