"""The builders themselves: against worked examples of the RFCs, and scapy and dpkt as witnesses."""

from __future__ import annotations

import io

import dpkt
import pytest

from sample_pcaps.words.media import Arrival, Voice, count, deliver, g711, jitter
from sample_pcaps.words.sip import Dialog, Party, forward, reply
from tests import builders as b

LAYERS = pytest.importorskip("scapy.layers.inet")


def test_the_checksum_is_that_of_the_example_in_rfc_1071() -> None:
    assert b.checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF


@pytest.mark.parametrize("payload", [b"", b"x", b"even", bytes(range(256)) * 5])
@pytest.mark.parametrize(("src", "dst"), [("192.0.2.1", "198.51.100.7"), ("2001:db8::1", "2001:db8::2")])
def test_scapy_computes_the_same_udp_and_tcp_packets(payload: bytes, src: str, dst: str) -> None:
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.packet import Raw

    network = IPv6(src=src, dst=dst) if ":" in src else IP(src=src, dst=dst, id=7, flags="DF")
    datagram = network / UDP(sport=5060, dport=40_000) / Raw(payload)
    assert b.udp_packet(payload, src, 5060, dst, 40_000, identification=7) == bytes(datagram)
    segment = network / TCP(sport=1, dport=2, seq=2**32 - 1, ack=5, flags="PA", window=65535) / Raw(payload)
    mine = b.tcp(payload, src, 1, dst, 2, seq=2**32 - 1, ack=5)
    assert b.ip(mine, src, dst, b.TCP, identification=7) == bytes(segment)


def test_a_udp_checksum_that_comes_out_zero_is_sent_as_ones() -> None:
    sums = {b.udp(number.to_bytes(2, "big"), "1.2.3.4", 5, "6.7.8.9", 10)[6:8] for number in range(65536)}
    assert b"\0\0" not in sums
    assert b"\xff\xff" in sums


def test_scapy_puts_the_fragments_together() -> None:
    from scapy.layers.inet import IP, defrag

    datagram = b.udp(bytes(range(256)) * 12, "192.0.2.1", 1, "192.0.2.2", 2)
    pieces = b.ipv4_fragments(datagram, "192.0.2.1", "192.0.2.2", identification=77, size=1000)
    assert len(pieces) == 4
    _, whole, missing = defrag([IP(piece) for piece in pieces])
    assert not missing
    assert bytes(whole[0].payload) == datagram


def test_scapy_puts_ipv6_fragments_together() -> None:
    from scapy.layers.inet6 import IPv6, defragment6

    datagram = b.udp(bytes(range(200)) * 11, "2001:db8::1", 1, "2001:db8::2", 2)
    pieces = b.ipv6_fragments(datagram, "2001:db8::1", "2001:db8::2", identification=5, size=800)
    assert bytes(defragment6([IPv6(piece) for piece in pieces]))[40:] == datagram


def test_dpkt_reads_an_rtp_packet() -> None:
    packet = dpkt.rtp.RTP(
        b.rtp(b"abc", seq=65_537, timestamp=2**32 + 5, ssrc=9, payload_type=101, marker=True, csrc=[4])
    )
    assert (packet.seq, packet.ts, packet.ssrc, packet.pt, packet.m, packet.csrc) == (1, 5, 9, 101, 1, b"\0\0\0\4")
    assert packet.data == b"abc"


def test_extension_and_padding_have_their_lengths() -> None:
    packet = b.rtp(b"abc", seq=1, timestamp=2, ssrc=3, extension=b"\xbe\xde" + bytes(8), padding=4)
    assert packet[0] == 0x80 | 0x20 | 0x10
    assert packet[12:16] == b"\xbe\xde\0\2"
    assert packet[24:] == b"abc\0\0\0\4"


def test_a_key_is_as_rfc_4733_has_it() -> None:
    assert b.telephone_event("#", 800, end=True) == bytes([11, 0x8A, 0x03, 0x20])
    assert b.telephone_event("*", 160) == bytes([10, 10, 0, 160])


def test_ntp_begins_in_1900() -> None:
    assert b.ntp(0) == 2_208_988_800 << 32
    assert b.ntp(500_000_000) & 0xFFFFFFFF == 1 << 31


def test_a_report_names_its_length_and_blocks() -> None:
    report = b.sender_report(1, 2, 3, 4, 5, [b.report_block(6, fraction=128, lost=-1, jitter=7)])
    assert report[:4] == bytes([0x81, 200, 0, 12])
    assert len(report) == 52
    assert report[32:36] == b"\x80\xff\xff\xff"
    assert len(b.source_description(1, "a@example")) % 4 == 0


@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize("big_endian", [False, True])
def test_dpkt_reads_the_pcap(nanoseconds: bool, big_endian: bool) -> None:
    packets = [b.Packet(b.START_NS + 123_456_000 * at, bytes([at]) * 60) for at in range(3)]
    data = b.pcap_bytes(packets, nanoseconds=nanoseconds, big_endian=big_endian)
    read = list(dpkt.pcap.Reader(io.BytesIO(data)))
    assert [frame for _, frame in read] == [packet.data for packet in packets]
    assert [round(float(time) * 1e6) for time, _ in read] == [packet.time_ns // 1000 for packet in packets]


@pytest.mark.parametrize("big_endian", [False, True])
def test_scapy_reads_the_pcapng_with_two_clocks(big_endian: bool) -> None:
    from scapy.utils import RawPcapNgReader

    interfaces = [b.Interface(1, 6, name="eth0"), b.Interface(b.RAW_IP, 9)]
    packets = [b.Packet(b.START_NS + 1001, b"one"), b.Packet(b.START_NS + 2002, b"other", 1)]
    data = b.pcapng_bytes(packets, interfaces, big_endian=big_endian, comment="two clocks")
    read = [(frame, meta) for frame, meta in RawPcapNgReader(io.BytesIO(data))]
    assert [frame for frame, _ in read] == [b"one", b"other"]
    assert [meta.linktype for _, meta in read] == [1, 101]
    ticks = [(meta.tshigh << 32 | meta.tslow, meta.tsresol) for _, meta in read]
    assert ticks == [(b.START_NS // 1000 + 1, 10**6), (b.START_NS + 2002, 10**9)]


def test_a_long_packet_is_cut_at_the_snapshot_length() -> None:
    data = b.pcap_bytes([b.Packet(0, bytes(100))], snaplen=60)
    assert data[32:40] == (60).to_bytes(4, "little") + (100).to_bytes(4, "little")
    assert len(data) == 24 + 16 + 60


def test_scapy_finds_what_is_in_the_tunnels() -> None:
    from scapy.contrib.gtp import GTP_U_Header
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import GRE
    from scapy.layers.vxlan import VXLAN

    packet = b.udp_packet(b"sip", "192.0.2.1", 5060, "192.0.2.2", 5060)
    assert bytes(GRE(b.gre(packet))[IP]) == packet
    assert bytes(GTP_U_Header(b.gtp_u(packet, 7))[IP]) == packet
    inner = VXLAN(b.vxlan(b.ethernet(packet, "a", "b"), 5001))
    assert (inner.vni, bytes(inner[UDP].payload)) == (5001, b"sip")


def test_a_masked_frame_is_the_example_of_rfc_6455() -> None:
    assert b.websocket(b"Hello", mask=bytes.fromhex("37fa213d")) == bytes.fromhex("818537fa213d7f9f4d5158")
    assert b.websocket(b"Hello") == bytes.fromhex("810548656c6c6f")
    assert b.websocket(bytes(256))[:4] == bytes.fromhex("817e0100")


def test_g711_has_the_values_of_the_tables() -> None:
    assert g711([0, -1, 32767, -32768], "PCMA") == bytes([0xD5, 0x55, 0xAA, 0x2A])
    assert g711([0, 32767, -32768], "PCMU") == bytes([0xFF, 0x80, 0x00])


def test_jitter_is_that_of_the_published_capture() -> None:
    """wireshark-users, February 2007, message 249: PCMA at 8000 Hz."""
    packets = Voice(1, seq=1, timestamp=1240).talk(0, 60).sent
    times = (25_348_411_000, 25_418_358_000, 25_421_891_000)
    arrivals = [Arrival(time_ns, sent) for time_ns, sent in zip(times, packets, strict=True)]
    seconds = [value / 8000 for value in jitter(arrivals, 8000, 160)]
    assert seconds == pytest.approx([0, 0.0031216875, 0.00395576953125], abs=1e-12)


def test_the_obvious_count_of_a_small_stream() -> None:
    sent = Voice(1, seq=65_530).talk(0, 200).sent  # ten packets, 65530 to 65539
    arrivals = deliver(sent, lost={3, 4}, late_us={6: 25_000}, again_us={8: 1000})
    found = count(arrivals, 8000, 160)
    assert {key: found[key] for key in ("packets", "expected", "lost", "duplicates", "out_of_order", "restarts")} == {
        "packets": 9, "expected": 10, "lost": 2, "duplicates": 1, "out_of_order": 1, "restarts": 0,
    }  # fmt: skip


def test_a_key_press_shares_the_sequence_numbers_and_is_no_jitter() -> None:
    voice = Voice(1).talk(0, 100).dial(100, "5").talk(200, 300)
    found = count(deliver(voice.sent), 8000, 160)
    assert [packet.number for packet in voice.sent] == list(range(1, len(voice.sent) + 1))
    assert len({packet.timestamp for packet in voice.sent if packet.payload_type == 101}) == 1
    assert (found["lost"], found["max_jitter_ms"]) == (0, 0.0)


def test_an_ack_of_a_refusal_has_the_branch_of_its_invite_and_that_of_a_200_has_not() -> None:
    dialog = Dialog(Party("192.0.2.1", "a"), Party("192.0.2.2", "b"), "c@d")
    invite = dialog.request("INVITE", tagged=False)
    busy, ok = reply(invite, 486, tag="t"), reply(invite, 200, tag="t")
    assert dialog.ack_failure(invite, "t").header("Via") == invite.header("Via") == busy.header("Via")
    assert dialog.ack(ok).header("Via") != invite.header("Via")
    assert dialog.ack(ok).header("CSeq") == "1 ACK"
    assert dialog.cancel(invite).header("CSeq") == "1 CANCEL"


def test_a_proxy_puts_its_via_on_requests_and_takes_it_off_responses() -> None:
    alice, proxy, bob = Party("192.0.2.1", "a"), Party("192.0.2.5", "p"), Party("192.0.2.2", "b")
    dialog = Dialog(alice, bob, "c@d", next_hop=proxy)
    invite = dialog.request("INVITE", tagged=False)
    onward = forward(invite, proxy, bob, "z9hG4bKp")
    assert [value for name, value in onward.headers if name == "Via"][1] == invite.header("Via")
    assert onward.header("Max-Forwards") == "69"
    back = forward(reply(onward, 180, tag="t"), proxy, alice, "")
    assert [value for name, value in back.headers if name == "Via"] == [invite.header("Via")]
    assert (back.src, back.dst) == (proxy, alice)


def test_content_length_is_that_of_the_body() -> None:
    message = Dialog(Party("192.0.2.1", "a"), Party("192.0.2.2", "b"), "c@d").request("MESSAGE", body="é".encode())
    assert b"\r\nContent-Length: 2\r\n\r\n" in message.encode()
