"""RTCP datagrams built byte by byte, cut everywhere, and read by others."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.errors import ParseError
from sipanalyzer.rtp.rtcp import DEFECTS, parse_rtcp
from tests.builders import receiver_report, report_block, rtcp_bye, sender_report, source_description
from tests.naive.rtcp import read_report

BLOCK = report_block(0xABCD, fraction=64, lost=7, highest=0x10002, jitter=80, lsr=0x1234, dlsr=0x8000)
SR = sender_report(0x1111, 0x83AA7E80_40000000, 160, 5, 800, [BLOCK])
RR = receiver_report(0x2222, [BLOCK])
SDES = source_description(0x1111, "alice@a.example")


def packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def words(*numbers: int) -> bytes:
    return struct.pack(f"!{len(numbers)}I", *numbers)


def only(data: bytes):
    (one,) = parse_rtcp(data)
    return one


# ---- reports
def test_a_sender_report_by_hand():
    data = bytes.fromhex(
        "81c8000c 00001111 83aa7e80 40000000 000000a0 00000005 00000320"
        "0000abcd 40000007 00010002 00000050 00001234 00008000"
    )
    assert data == SR
    read = only(data)
    assert (read.type, read.ssrc, read.defects) == ("SR", 0x1111, ())
    assert read.sender == (0x83AA7E80_40000000, 160, 5, 800)
    assert read.reports == ((0xABCD, 64, 7, 0x10002, 80, 0x1234, 0x8000),)


def test_duplicates_make_the_cumulative_loss_negative():
    assert only(receiver_report(1, [report_block(2, lost=-3)])).reports[0].cumulative_lost == -3
    assert only(receiver_report(1, [report_block(2, lost=-(2**23))])).reports[0].cumulative_lost == -(2**23)
    assert only(receiver_report(1, [report_block(2, lost=2**23 - 1)])).reports[0].cumulative_lost == 2**23 - 1


def test_a_report_without_blocks_is_one():
    assert only(receiver_report(7)) == only(receiver_report(7))._replace(type="RR", ssrc=7, reports=(), defects=())


def test_a_profile_extension_behind_the_blocks_is_passed_over():
    longer = struct.pack("!BBH", 0x81, 201, 9) + words(0x2222) + BLOCK + words(9, 9)
    assert [p.type for p in parse_rtcp(longer + SDES)] == ["RR", "SDES"]
    assert len(parse_rtcp(longer)[0].reports) == 1


BLOCKS = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 255), st.integers(-(2**23), 2**23 - 1),
    *[st.integers(0, 2**32 - 1)] * 4,
)  # fmt: skip


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.lists(BLOCKS, max_size=31), st.booleans())
def test_reports_are_read_as_the_twin_reads_them(ssrc, ntp, blocks, sends):
    made = [
        report_block(s, fraction=f, lost=lost, highest=h, jitter=j, lsr=lsr, dlsr=dlsr)
        for s, f, lost, h, j, lsr, dlsr in blocks
    ]
    data = sender_report(ssrc, ntp, 1, 2, 3, made) if sends else receiver_report(ssrc, made)
    read = only(data)
    assert (read.type, read.ssrc, read.sender, [tuple(block) for block in read.reports]) == read_report(data)
    assert [tuple(block) for block in read.reports] == blocks


# ---- the others
def test_a_compound_packet_gives_each_in_order():
    read = parse_rtcp(SR + SDES + rtcp_bye(0x1111))
    assert [p.type for p in read] == ["SR", "SDES", "BYE"]
    assert read[1].cnames == ((0x1111, "alice@a.example"),)
    assert read[2].sources == (0x1111,)
    assert all(not p.defects for p in read)


def test_every_chunk_of_a_description_is_read_whatever_stands_in_it():
    first = words(1) + b"\x06\x04tool\x01\x03abc\x00"  # NAME and so on are passed over; ends on a boundary but for one
    first += bytes(-len(first) % 4)
    second = words(2) + b"\x01\x02xy" + b"\x00" * 4  # a whole word of zeros ends it
    read = only(packet(202, 2, first + second))
    assert read.cnames == ((1, "abc"), (2, "xy"))
    assert (read.ssrc, read.defects) == (1, ())


def test_a_reason_of_leaving_is_kept_and_cannot_hurt_a_terminal():
    body = words(5, 6) + b"\x07\x1b[2Jbye"
    read = only(packet(203, 2, body + bytes(-len(body) % 4)))
    assert (read.ssrc, read.sources, read.text) == (5, (5, 6), "\\x1b[2Jbye")


def test_a_bye_of_nobody_is_allowed():
    assert only(packet(203, 0, b""))._asdict()["ssrc"] is None


def test_an_application_packet_has_its_name():
    read = only(packet(204, 3, words(9) + b"PoC1" + b"data"))
    assert (read.type, read.ssrc, read.text) == ("APP", 9, "PoC1")


def test_feedback_is_counted():
    nack = packet(205, 1, words(1, 2) + struct.pack("!HH", 100, 0b101) + struct.pack("!HH", 300, 0))
    assert (only(nack).type, only(nack).values, only(nack).sources) == ("RTPFB", (("nack", 4.0),), (2,))
    pli = packet(206, 1, words(1, 2))
    assert (only(pli).type, only(pli).values) == ("PSFB", (("pli", 1.0),))
    fir = packet(206, 4, words(1, 0, 77, 0x01000000, 78, 0x02000000))
    assert (only(fir).values, only(fir).sources) == ((("fir", 2.0),), (77,))
    remb = packet(206, 15, words(1, 0) + b"REMB" + words(0))
    assert only(remb).values == (("remb", 1.0),)
    assert only(packet(205, 30, words(1, 2))).values == (("format_30", 1.0),)


def test_any_packet_may_be_the_first():
    assert [p.type for p in parse_rtcp(packet(205, 1, words(1, 2, 5)))] == ["RTPFB"]  # RFC 5506


def test_an_unknown_type_keeps_its_number():
    read = parse_rtcp(packet(209, 0, words(3)) + RR)
    assert [(p.type, p.ssrc) for p in read] == [("PT-209", 3), ("RR", 0x2222)]


# ---- padding and damage
def padded(data: bytes, count: int) -> bytes:
    longer = bytearray(data + bytes(count - 1) + bytes([count]))
    longer[0] |= 32
    struct.pack_into("!H", longer, 2, len(longer) // 4 - 1)
    return bytes(longer)


def test_padding_of_the_last_packet_is_left_out():
    body = words(5) + b"\x02hi\x00"
    read = parse_rtcp(RR + padded(packet(203, 1, body), 8))
    assert [p.defects for p in read] == [(), ()]
    assert read[1].text == "hi"


@pytest.mark.parametrize("count", [0, 3, 200])
def test_impossible_padding_is_a_defect(count):
    data = bytearray(padded(RR, 4))
    data[-1] = count
    assert only(bytes(data)).defects == ("bad-padding",)
    assert only(bytes(data)).reports == only(RR).reports


def test_padding_before_the_last_packet_is_a_defect():
    assert [p.defects for p in parse_rtcp(padded(RR, 4) + SDES)] == [("bad-padding",), ()]


def test_blocks_that_are_promised_and_missing_are_a_defect():
    data = bytearray(RR)
    data[0] = 0x83
    assert only(bytes(data)).defects == ("short",)
    assert len(only(bytes(data)).reports) == 1


def test_bytes_that_are_no_packet_are_a_defect_of_the_last():
    assert parse_rtcp(RR + b"\x00\x00")[-1].defects == ("trailing-bytes",)
    assert parse_rtcp(RR + b"junk that is none")[-1].defects == ("trailing-bytes",)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\xc8\x00", b"\x40\xc8\x00\x06" + bytes(24), bytes(40)])
def test_what_does_not_begin_as_rtcp_is_refused(data):
    with pytest.raises(ParseError):
        parse_rtcp(data)


WHOLE = (
    SR + SDES + packet(203, 1, words(5) + b"\x02hi\x00") + packet(204, 0, words(1) + b"name")
    + packet(205, 1, words(1, 2, 3)) + packet(206, 4, words(1, 0, 3, 4))
    + packet(207, 0, words(1) + struct.pack("!BBH", 4, 0, 2) + bytes(8) + struct.pack("!BBHIII", 5, 0, 3, 1, 2, 3))
)  # fmt: skip


@pytest.mark.parametrize("end", range(4, len(WHOLE)))
def test_cut_anywhere_what_stands_before_is_kept(end):
    read, whole = parse_rtcp(WHOLE[:end]), parse_rtcp(WHOLE)
    assert list(read[:-1]) == list(whole[: len(read) - 1])
    assert read[-1] == whole[len(read) - 1] or read[-1].defects
    assert all(defect in DEFECTS for p in read for defect in p.defects)


@given(st.binary(min_size=4, max_size=200), st.integers(192, 223), st.integers(0, 31), st.integers(0, 60))
def test_nothing_but_a_parse_error_comes_of_any_bytes(rest, kind, count, length):
    head = struct.pack("!BBH", 0x80 | count, kind, length)
    for data in (head + rest, rest, RR + head + rest):
        try:
            parse_rtcp(data)
        except ParseError:
            assert data is rest


# ---- SRTCP
def sealed(data: bytes, tag: int = 10, index: int = 5) -> bytes:
    cipher = bytes((byte * 7 + 93) & 255 for byte in data[8:])
    return data[:8] + cipher + words(0x80000000 | index) + bytes(range(0x70, 0x70 + tag))


@pytest.mark.parametrize("tag", [0, 4, 10])
@pytest.mark.parametrize("data", [RR, SR, RR + SDES, SR + SDES, receiver_report(0x2222), SR + SDES + rtcp_bye(1)])
def test_srtcp_is_known_by_its_index_and_nothing_of_its_cipher_is_told(data, tag):
    read = only(sealed(data, tag))
    assert read.encrypted
    assert (read.type, read.ssrc) == (parse_rtcp(data)[0].type, parse_rtcp(data)[0].ssrc)
    assert (read.reports, read.sender, read.defects) == ((), None, ())


def test_the_caller_may_know_that_it_is_srtcp():
    assert only_sealed(RR) == ("RR", 0x2222, True)
    with pytest.raises(ParseError):
        parse_rtcp(b"not rtcp", encrypted=True)


def only_sealed(data: bytes):
    (one,) = parse_rtcp(data, encrypted=True)
    assert not one.reports
    return one.type, one.ssrc, one.encrypted


@given(st.lists(st.sampled_from([SR, RR, SDES, rtcp_bye(1)]), min_size=1, max_size=5))
def test_what_fills_its_datagram_is_never_taken_for_srtcp(packets):
    assert [p.encrypted for p in parse_rtcp(b"".join(packets))] == [False] * len(packets)


# ---- a witness
def test_scapy_builds_what_is_read_here():
    from scapy.contrib.rtcp import RTCP, ReceptionReport, SenderInfo

    block = ReceptionReport(
        sourcesync=77, fraction_lost=12, cumulative_lost=34, highest_seqnum_recv=99, interarrival_jitter=56,
        last_SR_timestamp=78, delay_since_last_SR=90,
    )  # fmt: skip
    data = bytes(
        RTCP(packet_type=200, sourcesync=5, sender_info=SenderInfo(rtp_timestamp=1), report_blocks=[block], count=1)
    )
    read = parse_rtcp(data)[0]
    assert read.ssrc == 5
    assert read.reports == ((77, 12, 34, 99, 56, 78, 90),)
