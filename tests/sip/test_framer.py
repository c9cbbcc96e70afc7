from __future__ import annotations

import dataclasses
import itertools
import json
import time as clock

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.network.tcp import ACK, FIN, RST, SYN, TcpReassembler
from sipanalyzer.options import Options
from sipanalyzer.sip.framer import TOO_LARGE, Framed, StreamFramer
from sipanalyzer.sip.startline import BAD_LENGTH, NO_LENGTH, SEVERAL_LENGTHS

KEY = (0, 1, 0, 2, 5060 << 16 | 5070)


def message(
    number: int = 1, body: bytes = b"", method: str = "INVITE", length: str | None = "Content-Length: {}", end=b"\r\n"
) -> bytes:
    head = [
        f"{method} sip:bob@example.com SIP/2.0",
        "Via: SIP/2.0/TCP pc33.example.com;branch=z9hG4bK776asdhds",
        f"Call-ID: {number}@pc33.example.com",
        f"CSeq: {number} {method}",
    ]
    if length is not None:
        head.append(length.format(len(body)))
    return end.join(line.encode() for line in head) + end + end + body


def reply(number: int = 1, body: bytes = b"") -> bytes:
    return message(number, body).replace(b"INVITE sip:bob@example.com SIP/2.0", b"SIP/2.0 180 Ringing", 1)


SDP = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
FRAG = b"SIP/2.0 200 OK\r\n"
STREAM = [
    message(1, SDP),
    reply(2),
    message(3, b"SIP/2.0 200 OK\r\n\r\n", "NOTIFY"),
    reply(4, SDP * 3),
    message(5, method="BYE"),
    message(6, FRAG, "NOTIFY"),
    message(7, b"\0\x01binary\r\n\r\n\xff", "INFO"),
    message(8, method="XYZZY"),
]


def framer(**options: int) -> StreamFramer:
    return StreamFramer(dataclasses.replace(Options(), **options), Anomalies())


def read(pieces, gap: bool = False, **options: int) -> list[Framed]:
    reader = framer(**options)
    out: list[Framed] = []
    for number, piece in enumerate(pieces, 1):
        out += reader.feed(piece, number * 1000, number, gap and number == 1)
    return out + reader.finish()


def data(framed: list[Framed]) -> list[bytes]:
    return [item.data for item in framed]


# messages and their ends


def test_one_message_is_one_message():
    reader = framer()
    assert reader.verdict is None
    assert reader.feed(STREAM[0], 1000, 7) == [Framed(STREAM[0], 1000, 7, "TCP", False, ())]
    assert reader.verdict is True
    assert reader.finish() == []


def test_many_messages_in_one_chunk():
    assert data(read([b"".join(STREAM)])) == STREAM


def test_a_message_over_many_chunks_has_the_frame_of_the_last():
    half = len(STREAM[0]) // 2
    got = read([STREAM[0][:half], STREAM[0][half:] + STREAM[1][:-1], STREAM[1][-1:]])
    assert [(item.data, item.frame, item.time) for item in got] == [(STREAM[0], 2, 2000), (STREAM[1], 3, 3000)]


def test_a_stream_byte_by_byte_is_the_same():
    whole = b"\r\n\r\n".join(STREAM)
    assert data(read([whole[i : i + 1] for i in range(len(whole))])) == STREAM


def test_keep_alives_between_messages_are_nothing():
    assert data(read([b"\r\n\r\n", STREAM[0], b"\r\n", b"\r\n\r\n\r\n" + STREAM[1] + b"\r\n"])) == STREAM[:2]


def test_keep_alives_alone_decide_nothing_and_keep_nothing():
    reader = framer()
    for _ in range(10_000):
        assert reader.feed(b"\r\n\r\n", 1, 1) == []
    assert reader.verdict is None
    assert len(reader._buffer) == 0


@pytest.mark.parametrize(
    "length",
    [
        "Content-Length: {}",
        "l: {}",
        "L : {}",
        "CONTENT-LENGTH:{}",
        "content-length \t: {}  ",
        "Content-Length:\r\n {}",
        "Content-Length:\r\n\t{}\r\n ",
        "Content-Length: 00{}",
    ],
)
def test_content_length_is_read_as_it_may_be_written(length):
    whole = message(1, SDP, length=length)
    got = read([whole + STREAM[1]])
    assert data(got) == [whole, STREAM[1]]
    assert got[0].defects == ()


def test_of_several_content_lengths_the_first_valid_one_counts():
    whole = message(1, SDP, length="Content-Length: x\r\nl: {}\r\nContent-Length: 3")
    got = read([whole + STREAM[1]])
    assert data(got) == [whole, STREAM[1]]
    assert got[0].defects == (BAD_LENGTH, SEVERAL_LENGTHS)
    whole = message(1, SDP, length="Content-Length: {0}\r\nl: {0}")
    assert read([whole])[0].defects == ()


def test_without_content_length_the_body_is_empty_and_that_is_noted():
    whole = message(1, length=None)
    got = read([whole + STREAM[1]])
    assert data(got) == [whole, STREAM[1]]
    assert [item.defects for item in got] == [(NO_LENGTH,), ()]


@pytest.mark.parametrize("length", ["many", "-5", "", "99999999999999999999", "1 2", "0x10"])
def test_after_an_invalid_content_length_the_next_start_line_is_found(length):
    whole = message(1, length=f"Content-Length: {length}")
    got = read([whole + SDP + STREAM[1]])
    assert data(got) == [whole, STREAM[1]]
    assert got[0].defects == (BAD_LENGTH,)


def test_a_header_that_only_ends_like_content_length_is_another():
    whole = message(1, length="X-Content-Length: 7\r\nSubject: Content-Length: 9\r\nContent-Length: {}")
    assert read([whole + STREAM[1]])[0].defects == ()


def test_lines_may_end_with_lf_alone():
    messages = [message(i, SDP, end=b"\n") for i in range(3)]
    assert data(read([b"".join(messages)])) == messages


def test_a_start_line_in_a_body_begins_no_message():
    whole = message(1, STREAM[1], "NOTIFY")
    assert data(read([whole + STREAM[4]])) == [whole, STREAM[4]]


def test_sloppy_start_lines_are_let_pass_where_one_must_stand():
    for line in (
        b"INVITE  sip:a@b   SIP/2.0 ",
        b"INVITE sip:a@b; lr SIP/2.0",
        b"NEW'M%*! tel:+1 SIP/7.0",
        b"SIP/2.0 100",
    ):
        whole = STREAM[1].replace(b"SIP/2.0 180 Ringing", line, 1)
        assert data(read([STREAM[1] + whole + STREAM[1]])) == [STREAM[1], whole, STREAM[1]]


def test_two_heads_without_an_empty_line_between_are_not_one_message():
    cut = STREAM[0][: STREAM[0].index(b"CSeq")]
    assert data(read([STREAM[1] + cut + STREAM[1]])) == [STREAM[1], STREAM[1]]


def test_bytes_between_messages_that_are_no_message_are_counted():
    reader = framer()
    got = reader.feed(STREAM[0] + b"rubbish\r\nmore rubbish\r\n" + STREAM[1], 1, 5)
    assert data(got) == STREAM[:2]
    assert reader._anomalies["sip-malformed"].frames == [5]


# bounds


def test_a_message_over_the_limit_is_cut_and_the_rest_passed_over():
    large = message(1, b"a line\r\nSIP/2.0 200 OK\r\n" * 1000)
    for pieces in ([large + STREAM[1]], [bytes([b]) for b in large + STREAM[1]]):
        got = read(pieces, max_sip_message_bytes=5000)
        assert data(got) == [large[:5000], STREAM[1]]
        assert got[0].truncated
        assert got[0].defects == (TOO_LARGE,)


def test_a_head_over_the_limit_is_cut_and_the_next_start_line_found():
    large = STREAM[1][:-2] + b"X-Long: " + b"y" * 20_000 + b"\r\n\r\n"
    got = read([large + STREAM[1]], max_sip_message_bytes=5000)
    assert data(got) == [large[:5000], STREAM[1]]
    assert got[0].truncated
    assert not got[1].truncated


def test_no_more_than_the_limit_is_kept():
    reader = framer(max_sip_message_bytes=5000)
    reader.feed(message(1, b"x" * 10**6)[:300], 1, 1)
    for _ in range(500):
        reader.feed(b"x" * 1000, 1, 1)
        assert len(reader._buffer) <= 6000


def test_a_stream_that_stops_being_sip_is_given_up():
    reader = framer(max_sip_message_bytes=5000)
    reader.feed(STREAM[0], 1, 1)
    for _ in range(100):
        reader.feed(b"no start line at all\r\n" * 5, 1, 1)
    assert reader.verdict is False


@pytest.mark.parametrize(
    "evil",
    [
        b"A" * 300_000,
        b"A " * 150_000,
        b"\n" * 300_000,
        b"INVITE " + b" " * 300_000,
        b"INVITE sip:a SIP/2.0\r\n" + b"Content-Length:" * 20_000,
        b"INVITE sip:a SIP/2.0\r\n" + b"l: \n " * 60_000 + b"\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\n" + b"CSeq: 1" + b" " * 250_000 + b"\r\n\r\n",
        STREAM[1] + b"A SIP/2.0 " * 30_000,
        STREAM[1] + b"A B SIP/2.0\t" * 30_000,
        b"GET / HTTP/1.1\r\n" + b"Upgrade: web" * 20_000,
        STREAM[1] * 1500,
    ],
    ids=range(11),
)
def test_crafted_bytes_cost_no_more_than_their_number(evil):
    began = clock.process_time()
    read([evil])
    read([evil[i : i + 1] for i in range(min(len(evil), 60_000))])
    read([STREAM[1], b"junk", evil])
    assert clock.process_time() - began < 3


# what it is


@pytest.mark.parametrize(
    "first",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"SSH-2.0-OpenSSH_8.9\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /sip HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
        b"OPTIONS rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"MSRP d93kswow SEND\r\n",
        b"220 mail.example.com ESMTP\r\n",
        b"EHLO example.com\r\n",
        b"\0\x01\x02\x03",
        b"{json: 1}",
        b"a" * 70,
    ],
)
def test_what_cannot_be_sip_is_given_up_at_once(first):
    reader = framer()
    assert reader.feed(first, 1, 1) == []
    assert reader.verdict is False
    assert reader.feed(STREAM[0], 1, 2) == []


def test_a_first_line_without_an_end_is_given_up_after_a_while():
    reader = framer()
    for _ in range(100):
        reader.feed(b"INVITE " + b"x" * 93, 1, 1)
    assert reader.verdict is False
    assert len(reader._buffer) == 0


def test_a_stream_given_up_begins_anew_after_a_gap():
    reader = framer()
    reader.feed(b"\x16\x03\x01\x02", 1, 1)
    assert data(reader.feed(STREAM[0], 1, 2, gap=True)) == STREAM[:1]
    assert reader.verdict is True


@pytest.mark.parametrize("cut", range(0, len(STREAM[0]), 7))
def test_a_stream_seen_from_its_middle_is_read_from_the_next_start_line(cut):
    got = read([STREAM[0][cut:] + b"".join(STREAM[1:])], gap=True)
    assert data(got) == STREAM[bool(cut) :]
    pieces = [bytes([b]) for b in STREAM[0][cut:] + b"".join(STREAM[1:])]
    assert data(read(pieces, gap=True)) == STREAM[bool(cut) :]


def test_leading_junk_in_the_first_chunk_is_passed_over():
    assert data(read([b"a=rtpmap:0 PCMU/8000\r\n" + STREAM[0]])) == STREAM[:1]


def test_text_without_sip_is_given_up_after_a_while_even_in_mid_stream():
    reader = framer()
    reader.feed(b"Lorem: ipsum\r\n", 1, 1, gap=True)
    assert reader.verdict is None
    for _ in range(800):
        reader.feed(b"Lorem: ipsum\r\n", 1, 1)
    assert reader.verdict is False


# gaps


def test_after_a_gap_the_message_under_way_is_given_cut():
    reader = framer()
    reader.feed(STREAM[0][:-20], 1000, 1)
    got = reader.feed(SDP[-5:] + STREAM[1], 3000, 3, gap=True)
    assert got == [
        Framed(STREAM[0][:-20], 1000, 1, "TCP", True, ()),
        Framed(STREAM[1], 3000, 3, "TCP", False, ()),
    ]


def test_a_gap_may_come_without_bytes():
    reader = framer()
    reader.feed(STREAM[0][:-20], 1000, 1)
    assert reader.feed(b"", 1000, 1, gap=True) == [Framed(STREAM[0][:-20], 1000, 1, "TCP", True, ())]
    assert reader.feed(b"", 1000, 1, gap=True) == []
    assert data(reader.feed(STREAM[1], 2000, 2)) == [STREAM[1]]


def test_a_head_cut_by_a_gap_is_no_message():
    reader = framer()
    reader.feed(STREAM[0][:100], 1, 1)
    assert data(reader.feed(STREAM[1], 2, 2, gap=True)) == [STREAM[1]]


def test_the_rest_of_a_method_is_no_method():
    reader = framer()
    reader.feed(STREAM[1], 1, 1)
    assert data(reader.feed(STREAM[0][2:] + STREAM[1], 2, 2, gap=True)) == [STREAM[1]]


def test_a_status_line_in_a_body_whose_head_is_missing_begins_no_message():
    for body in (STREAM[2][-20:], STREAM[5][-20:]):
        reader = framer()
        reader.feed(STREAM[1], 1, 1)
        assert data(reader.feed(body + STREAM[0] + STREAM[1], 2, 2, gap=True)) == STREAM[:2]


def test_at_the_end_a_message_with_a_whole_head_is_given_cut():
    whole = STREAM[0]
    head = whole.index(b"\r\n\r\n") + 4
    for size in range(len(whole)):
        got = read([STREAM[1] + whole[:size]])
        assert data(got)[:1] == [STREAM[1]]
        if size < head:
            assert len(got) == 1
        else:
            assert (got[1].data, got[1].truncated) == (whole[:size], True)


def test_a_message_behind_a_body_without_end_of_line_is_found_after_a_gap():
    for tail in (b"hello", b"hello wor ld", b"see INVITE sip:a SIP/2.0 there", b"\xff", b"x" * 200, b" a" * 99, b"\0"):
        for one in (STREAM[0], STREAM[1], STREAM[7]):
            reader = framer()
            reader.feed(STREAM[1], 1, 1)
            assert data(reader.feed(tail + one + STREAM[1], 2, 2, gap=True)) == [one, STREAM[1]]


def test_a_start_line_quoted_in_the_rest_of_a_head_begins_no_message():
    for quoted in (b"X-First: INVITE sip:a SIP/2.0\r\n", b"X-Last: SIP/2.0 200 OK\r\n"):
        whole = STREAM[0].replace(b"Via", quoted + b"Via", 1)
        reader = framer()
        reader.feed(STREAM[1], 1, 1)
        assert data(reader.feed(whole[10:] + STREAM[1], 2, 2, gap=True)) == [STREAM[1]]


@settings(max_examples=150)
@given(st.lists(st.sampled_from(STREAM), min_size=1, max_size=6), st.lists(st.integers(0, 3000), max_size=30))
def test_any_cutting_gives_the_same_messages(messages, cuts):
    whole = b"".join(messages)
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[a:b] for a, b in itertools.pairwise(places)]
    got = read(pieces)
    assert data(got) == messages
    ends = list(itertools.accumulate(map(len, messages)))
    assert [item.frame for item in got] == [next(i for i, at in enumerate(places) if at >= end) for end in ends]


@settings(max_examples=150)
@given(st.binary(max_size=200), st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 7)), max_size=8))
def test_nothing_on_the_stream_raises(noise, plan):
    reader = framer(max_sip_message_bytes=600)
    for gap, cut, which in plan:
        part = STREAM[which][:50] + noise if cut else noise + STREAM[which]
        for item in reader.feed(part, 1, 1, gap):
            assert len(item.data) <= 600
    reader.finish()


# with TCP below


def through_tcp(segments: list[tuple[int, bytes]], isn: int = 2**32 - 500) -> list[Framed]:
    tcp, reader, out = TcpReassembler(Options(), Anomalies()), framer(), []
    chunks = tcp.segment(KEY, 0, 0, isn % 2**32, 0, SYN, b"", 0)
    for frame, (at, payload) in enumerate(segments, 1):
        chunks += tcp.segment(KEY, frame * 1000, frame, (isn + 1 + at) % 2**32, 0, ACK, payload, len(payload))
    for chunk in chunks + tcp.finish():
        out += reader.feed(chunk.data, chunk.time, chunk.frame, chunk.gap)
    return out + reader.finish()


WHOLE = b"".join(STREAM)
ENDS = list(itertools.accumulate(map(len, STREAM)))


@pytest.mark.parametrize("size", [1460, 500, 97, 31])
def test_without_any_one_segment_all_messages_outside_the_hole_are_found(size):
    segments = [(at, WHOLE[at : at + size]) for at in range(0, len(WHOLE), size)]
    for lost, (at, payload) in enumerate(segments):
        got = through_tcp(segments[:lost] + segments[lost + 1 :])
        whole = [one for one, end in zip(STREAM, ENDS, strict=True) if end <= at or end - len(one) >= at + len(payload)]
        assert data([item for item in got if not item.truncated]) == whole
        assert sum(item.truncated for item in got) <= 1
        assert all(any(one.startswith(item.data) for one in STREAM) for item in got)


@settings(max_examples=100)
@given(st.data())
def test_any_segments_in_any_order_with_any_resending_give_the_same_messages(data_):
    places = sorted({0, len(WHOLE), *data_.draw(st.lists(st.integers(0, len(WHOLE)), max_size=25))})
    segments = [(a, WHOLE[a:b]) for a, b in itertools.pairwise(places)]
    again = data_.draw(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(1, 900)), max_size=6))
    segments = data_.draw(st.permutations(segments + [(at, WHOLE[at : at + n]) for at, n in again]))
    got = through_tcp(segments)
    assert data(got) == STREAM
    assert not any(item.truncated for item in got)


BODIES = [
    b"",
    SDP,
    b"hello",
    b"line one\r\nline two",
    b"SIP/2.0 200 OK\r\n",
    b"SIP/2.0 200 OK\r\n\r\n",
    b"SIP/2.0 180 Ringing\r\nContent-Length: 0\r\n\r\n",
    bytes(range(256)),
    b"\r\n\r\n\r\n",
]


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.sampled_from(BODIES), st.sampled_from(["INVITE", "MESSAGE", "A", ""])), min_size=1, max_size=5
    ),
    st.lists(st.floats(0, 1, exclude_max=True), max_size=20),
    st.integers(0, 20),
)
def test_whatever_one_segment_is_missing_all_messages_outside_the_hole_are_found(plan, cuts, lost):
    messages = [message(i, body, method) if method else reply(i, body) for i, (body, method) in enumerate(plan)]
    whole = b"".join(messages)
    ends = list(itertools.accumulate(map(len, messages)))
    places = sorted({0, len(whole), *(int(cut * len(whole)) for cut in cuts)})
    segments = [(a, whole[a:b]) for a, b in itertools.pairwise(places)]
    at, missing = segments.pop(lost % len(segments))
    got = through_tcp(segments)
    assert data([item for item in got if not item.truncated]) == [
        one for one, end in zip(messages, ends, strict=True) if end <= at or end - len(one) >= at + len(missing)
    ]
    assert sum(item.truncated for item in got) <= 1
    assert all(any(one.startswith(item.data) for one in messages) for item in got)


# captures by others


def sip_in(path, begin=0):
    """(frame, first line, transport) of SIP over TCP in a capture; dpkt reads the packets."""
    tcp, framers, found = TcpReassembler(Options(), Anomalies()), {}, []

    def take(chunks):
        for chunk in chunks:
            if chunk.key not in framers:
                framers[chunk.key] = framer()
            one = framers[chunk.key]
            found.extend(one.feed(chunk.data, chunk.time, chunk.frame, chunk.gap))
            if chunk.end:
                found.extend(framers.pop(chunk.key).finish())
            elif one.verdict is False:
                tcp.ignore(chunk.key)
                del framers[chunk.key]

    with path.open("rb") as file:
        reader = dpkt.pcap.UniversalReader(file)
        link = dpkt.sll.SLL if reader.datalink() == dpkt.pcap.DLT_LINUX_SLL else dpkt.ethernet.Ethernet
        for frame, (time, packet) in enumerate(reader, 1):
            ip = link(packet).data
            while isinstance(getattr(ip, "data", None), (dpkt.ip.IP, dpkt.ip6.IP6)):
                ip = ip.data
            segment = getattr(ip, "data", None)
            if isinstance(segment, dpkt.tcp.TCP) and (segment.data or segment.flags & (SYN | FIN | RST)):
                key = (0, int.from_bytes(ip.src, "big"), 0, int.from_bytes(ip.dst, "big"), 0)
                key = (*key[:4], segment.sport << 16 | segment.dport)
                payload = bytes(segment.data)
                nanoseconds = int(float(time) * 10**9)
                take(
                    tcp.segment(key, nanoseconds, frame, segment.seq, segment.ack, segment.flags, payload, len(payload))
                )
    take(tcp.finish())
    for one in framers.values():
        found.extend(one.finish())
    return found


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("negbie__heplify__sip_ipv4_tcp.pcap", 7),
        ("negbie__heplify__sip_ipv4_tcp_retrans.pcap", 4),
        ("OISF__suricata-verify__sip-tcp.pcap", 2),
        ("OISF__suricata-verify__sip-tcp-pattern-matching__sip.pcap", 2),
        ("irontec__sngrep__ipip.pcap", 4),
        ("Lekensteyn__wireshark-notes__websocket-sip.pcapng", 11),
        ("pentesteracademy__voipshark__SIP-over-TLS-RTP-Normal_Call_two_parties.pcap", 0),
        ("NormB__sipnab__http-example.cap", 0),
    ],
)
def test_real_captures_have_the_messages_that_wireshark_finds(corpus, name, count):
    got = sip_in(corpus / name)
    assert len(got) == count
    if count:
        truth = json.loads((corpus / "truth" / f"{name}.json").read_text())["sip_messages"]
        wanted = [(one["frame"], one["method"] or str(one["status"])) for one in truth if "udp" not in one["transport"]]
        assert [(item.frame, item.data.split()[item.data.startswith(b"SIP/")].decode()) for item in got] == wanted
        assert {item.transport for item in got} == {"WS" if "websocket" in name else "TCP"}
        assert not any(item.truncated for item in got)


def test_yahoo_messages_that_wireshark_takes_for_sip_name_no_call(corpus):
    assert not any(b"call-id" in item.data.lower() for item in sip_in(corpus / "ajbanjara__Wireshark__lan1.pcap"))


def test_a_head_beyond_the_limit_is_cut_alike_however_it_comes():
    long = b"INVITE sip:b@h SIP/2.0\r\nX: " + b"x" * 700 + b"\r\nContent-Length: 9000\r\n\r\n"
    text = long + message(2)
    whole = read([text], max_sip_message_bytes=600)
    assert [(item.data[:9], item.truncated, item.defects) for item in whole] == [
        (b"INVITE si", True, (TOO_LARGE,)),
        (b"INVITE si", False, ()),
    ]
    assert whole[1].data == message(2)
    for size in (1, 100, 599, 600, 601, 650):
        parts = read([text[at : at + size] for at in range(0, len(text), size)], max_sip_message_bytes=600)
        assert [(item.data, item.truncated, item.defects) for item in parts] == [
            (item.data, item.truncated, item.defects) for item in whole
        ]


def test_a_message_behind_a_head_without_end_is_found_before_the_limit():
    text = b"INVITE sip:b@h SIP/2.0\r\nX: " + b"x" * 380 + b"\r\n" + message(2, b"x" * 60)
    for size in (1, 100, 599, 600, 601, len(text)):
        parts = read([text[at : at + size] for at in range(0, len(text), size)], max_sip_message_bytes=500)
        assert data(parts) == [message(2, b"x" * 60)]
