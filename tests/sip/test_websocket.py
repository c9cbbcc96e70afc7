from __future__ import annotations

import itertools
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.errors import ParseError
from sipanalyzer.options import Options
from sipanalyzer.sip.framer import TOO_LARGE, StreamFramer
from sipanalyzer.sip.websocket import WebSocketReader, carries_sip, read_head, unmask

KEY = b"\x37\xfa\x21\x3d"
REGISTER = b"REGISTER sip:example.com SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n\r\n"
OK = b"SIP/2.0 200 OK\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n\r\n"
LONG = (
    b"MESSAGE sip:bob@example.com SIP/2.0\r\nCall-ID: 2\r\nCSeq: 1 MESSAGE\r\nContent-Length: 300\r\n\r\n" + b"x" * 300
)
HUGE = LONG.replace(b"300", b"70000") + b"y" * 69_700
GET = (
    b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nX-Says: sip\r\n"
    b"SIP/2.0 200 OK\r\nConnection: Upgrade\r\n\r\n"
)


def ws(payload: bytes, opcode: int = 1, *, key: bytes = b"", fin: bool = True, rsv: int = 0) -> bytes:
    n = len(payload)
    mask = 0x80 if key else 0
    if n < 126:
        length = bytes([mask | n])
    elif n < 65536:
        length = bytes([mask | 126]) + struct.pack(">H", n)
    else:
        length = bytes([mask | 127]) + struct.pack(">Q", n)
    masked = bytes(b ^ key[i % 4] for i, b in enumerate(payload)) if key else payload
    return bytes([(0x80 if fin else 0) | rsv | opcode]) + length + key + masked


def read(pieces, **how) -> list[bytes]:
    reader = WebSocketReader(how.pop("limit", 262_144), **how)
    return [message.data for piece in pieces for message in reader.feed(piece)]


def single(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def framed(pieces, gap: bool = False):
    reader = StreamFramer(Options(), Anomalies())
    out = []
    for number, piece in enumerate(pieces, 1):
        out += reader.feed(piece, number, number, gap and number == 1)
    return out + reader.finish()


def test_the_examples_of_rfc_6455_5_7():
    assert read([bytes.fromhex("810548656c6c6f")]) == [b"Hello"]
    assert read([bytes.fromhex("818537fa213d7f9f4d5158")]) == [b"Hello"]
    assert read([bytes.fromhex("010348656c"), bytes.fromhex("80026c6f")]) == [b"Hello"]
    assert read([bytes.fromhex("890548656c6c6f"), bytes.fromhex("8a8537fa213d7f9f4d5158")]) == []
    assert read([bytes.fromhex("827e0100") + bytes(256)]) == [bytes(256)]
    assert read([bytes.fromhex("827f0000000000010000") + bytes(65536)]) == [bytes(65536)]


def test_a_head_needs_all_its_bytes():
    whole = ws(HUGE, key=KEY)
    for size in range(14):
        assert read_head(whole[:size]) is None
    head = read_head(whole)
    assert head is not None
    assert (head.opcode, head.length, head.key, head.size) == (1, len(HUGE), KEY, 14)


@pytest.mark.parametrize(
    "bad",
    ["9105", "8305", "8b00", "0900", "897e0100", "c900", "817e0005", "817f0000000000000005", "817f8000000000000000"],
)
def test_a_frame_that_breaks_the_rules_is_refused(bad):
    with pytest.raises(ParseError):
        read_head(bytes.fromhex(bad))


def test_unmasking_is_its_own_inverse():
    assert unmask(unmask(b"abcdefg", KEY), KEY) == b"abcdefg"
    assert unmask(b"", KEY) == b""
    assert unmask(b"abc", b"") == b"abc"


def test_control_frames_may_stand_between_fragments():
    pieces = [
        ws(LONG[:100], fin=False),
        ws(b"ping", 9),
        ws(LONG[100:200], 0, fin=False),
        ws(b"", 10),
        ws(LONG[200:], 0),
    ]
    assert read([b"".join(pieces)]) == [LONG]
    assert read(single(b"".join(pieces))) == [LONG]


def test_a_message_over_the_limit_is_cut_and_the_next_one_whole():
    reader = WebSocketReader(1000)
    got = reader.feed(ws(HUGE, key=KEY) + ws(b"x", 9) + ws(OK))
    assert [(message.data, message.truncated) for message in got] == [(HUGE[:1000], True), (OK, False)]
    got = reader.feed(ws(b"a" * 700, fin=False) + ws(b"b" * 700, 9)[:0] + ws(b"c" * 700, 0) + ws(OK))
    assert [(message.data, message.truncated) for message in got] == [(b"a" * 700 + b"c" * 300, True), (OK, False)]


def test_a_frame_that_promises_much_keeps_little():
    reader = WebSocketReader(1000)
    reader.feed(bytes.fromhex("827f00ffffffffffffff"))
    for _ in range(1000):
        reader.feed(b"x" * 1000)
    assert len(reader._payload) + len(reader._buffer) <= 1000


@pytest.mark.parametrize(
    "bad", [b"\x91\x00", ws(b"x", 0), ws(b"a", fin=False) + ws(b"b"), ws(b"a", rsv=0x40), bytes.fromhex("817e0001")]
)
def test_after_a_malformed_frame_the_next_one_with_sip_is_found(bad):
    for pieces in (
        [ws(OK) + bad + ws(REGISTER, key=KEY) + ws(OK)],
        single(ws(OK) + bad + ws(REGISTER, key=KEY) + ws(OK)),
    ):
        reader = WebSocketReader(262_144)
        got = [message.data for piece in pieces for message in reader.feed(piece)]
        assert got == [OK, REGISTER, OK]
        assert reader.malformed >= 1


def test_whether_a_frame_carries_sip_needs_few_bytes():
    for key in (b"", KEY):
        whole = ws(REGISTER, key=key)
        assert carries_sip(whole[:3]) is None
        assert carries_sip(whole[:40]) is True
        assert carries_sip(ws(b"x" * 100, key=key)) is False
        assert carries_sip(ws(REGISTER, 9 if len(REGISTER) < 126 else 3, key=key)) is False


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.sampled_from([REGISTER, OK, LONG, b"\r\n\r\n", b""]), st.booleans(), st.integers(1, 4)), max_size=6
    ),
    st.lists(st.integers(0, 2500), max_size=20),
)
def test_any_fragmentation_and_any_cutting_gives_the_same_messages(plan, cuts):
    whole = b""
    for payload, masked, parts in plan:
        size = len(payload) // parts + 1
        pieces = [payload[i : i + size] for i in range(0, len(payload), size)] or [b""]
        for i, piece in enumerate(pieces):
            whole += ws(piece, 0 if i else 1, key=KEY if masked else b"", fin=i == len(pieces) - 1) + ws(b"p", 9)
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    assert read([whole[a:b] for a, b in itertools.pairwise(places)]) == [payload for payload, _, _ in plan]


@settings(max_examples=200)
@given(
    st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([ws(OK), ws(LONG, key=KEY), ws(b"", 8)])), max_size=10)
)
def test_no_bytes_raise_or_stay_behind(pieces):
    reader = WebSocketReader(500, deflate=True, lost=bool(pieces) and len(pieces) % 2 == 0)
    for piece in pieces:
        reader.feed(piece)
        assert len(reader._payload) + len(reader._message) <= 1000
    reader.gap()


# compression


def deflated(messages: list[bytes], takeover: bool = True) -> list[bytes]:
    out, press = [], zlib.compressobj(wbits=-15)
    for message in messages:
        if not takeover:
            press = zlib.compressobj(wbits=-15)
        data = press.compress(message) + press.flush(zlib.Z_SYNC_FLUSH)
        assert data.endswith(b"\0\0\xff\xff")
        out.append(ws(data[:-4], key=KEY, rsv=0x40))
    return out


@pytest.mark.parametrize("takeover", [True, False])
def test_compressed_messages_are_inflated(takeover):
    assert read(deflated([REGISTER, LONG, REGISTER, LONG], takeover), deflate=True) == [REGISTER, LONG, REGISTER, LONG]


@pytest.mark.parametrize(
    "block", ["f248cdc9c90700", "000500faff48656c6c6f00", "f348cdc9c9070000", "f248050000 00ffffcac9c90700"]
)
def test_the_examples_of_rfc_7692_7_2_3(block):
    data = bytes.fromhex(block)
    assert read([ws(data, rsv=0x40) + ws(data, rsv=0x40)], deflate=True) == [b"Hello", b"Hello"]


def test_a_message_may_refer_to_the_one_before_it_as_in_rfc_7692_7_2_3_2():
    assert read([bytes.fromhex("c107f248cdc9c90700"), bytes.fromhex("c105f200110000")], deflate=True) == [b"Hello"] * 2


def test_a_bomb_is_inflated_no_further_than_the_limit():
    reader = WebSocketReader(1000, deflate=True)
    bomb, after = deflated([b"\0" * 10**7]), deflated([OK])
    got = reader.feed(bomb[0])
    assert [(len(message.data), message.truncated) for message in got] == [(1000, True)]
    assert [message.data for message in reader.feed(after[0])] == [OK]


def test_compression_that_was_not_negotiated_is_malformed():
    reader = WebSocketReader(262_144)
    assert reader.feed(deflated([REGISTER])[0]) == []
    assert reader.malformed == 1
    assert [message.data for message in reader.feed(ws(OK))] == [OK]


def test_what_cannot_be_inflated_is_malformed_and_the_next_message_read():
    reader = WebSocketReader(262_144, deflate=True)
    assert reader.feed(ws(b"\xff" * 50, rsv=0x40)) == []
    assert reader.malformed == 1
    assert [message.data for message in reader.feed(deflated([OK])[0])] == [OK]


# in the framer


@pytest.mark.parametrize("upgrade", [GET, SWITCH])
def test_after_an_upgrade_the_stream_is_frames(upgrade):
    whole = upgrade + ws(REGISTER, key=KEY) + ws(b"\r\n\r\n") + ws(b"", 9) + ws(LONG, 2) + ws(b"\x03\xe8", 8)
    for pieces in ([whole], single(whole)):
        got = framed(pieces)
        assert [(item.data, item.transport, item.truncated) for item in got] == [
            (REGISTER, "WS", False),
            (LONG, "WS", False),
        ]


def test_a_message_has_the_frame_that_completes_it():
    whole = ws(LONG, key=KEY)
    got = framed([SWITCH, whole[:50], whole[50:] + ws(OK)[:5], ws(OK)[5:]])
    assert [(item.data, item.frame) for item in got] == [(LONG, 3), (OK, 4)]


def test_an_upgrade_to_something_else_is_given_up():
    reader = StreamFramer(Options())
    reader.feed(GET.replace(b"websocket", b"h2c"), 1, 1)
    assert reader.verdict is False
    reader = StreamFramer(Options())
    for i in range(200):
        reader.feed(b"GET / HTTP/1.1\r\n" if not i else b"X: " + b"y" * 60 + b"\r\n", 1, 1)
    assert reader.verdict is False


def test_a_websocket_without_sip_is_given_up_after_some_messages():
    reader = StreamFramer(Options())
    reader.feed(SWITCH, 1, 1)
    for _ in range(16):
        assert reader.verdict is True
        reader.feed(ws(b'{"type": "chat"}'), 1, 1)
    assert reader.verdict is False


def test_compression_is_taken_from_the_upgrade():
    accept = SWITCH[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    assert [item.data for item in framed([accept, *deflated([REGISTER, LONG])])] == [REGISTER, LONG]


@pytest.mark.parametrize("key", [b"", KEY])
def test_a_websocket_seen_from_its_middle_is_found(key):
    for before in (
        b"",
        ws(b"", 9, key=key),
        ws(b"\r\n", key=key),
        LONG[250:],
        ws(LONG, key=key)[5:],
        b"\x9f\xaa" * 500,
    ):
        for gap in (True,) if before else (True, False):
            got = framed(
                [before, ws(REGISTER, key=key) + ws(OK, key=key)] if before else [ws(REGISTER, key=key), ws(OK)], gap
            )
            assert [(item.data, item.transport) for item in got] == [(REGISTER, "WS"), (OK, "WS")]
            got = framed(single(before + ws(REGISTER, key=key) + ws(OK, key=key)), gap)
            assert [(item.data, item.transport) for item in got] == [(REGISTER, "WS"), (OK, "WS")]


def test_after_a_gap_the_message_under_way_is_given_cut_and_the_next_frame_found():
    reader = StreamFramer(Options())
    reader.feed(SWITCH, 1, 1)
    whole = ws(LONG, key=KEY)
    assert reader.feed(whole[:200], 2, 2) == []
    got = reader.feed(whole[250:] + ws(OK), 3, 3, gap=True)
    assert [(item.data, item.truncated, item.frame) for item in got] == [(LONG[:192], True, 2), (OK, False, 3)]
    assert [item.data for item in reader.feed(ws(REGISTER, key=KEY), 4, 4)] == [REGISTER]


def test_after_a_gap_whole_frames_are_frames_even_where_they_are_compressed():
    accept = SWITCH[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n"
    reader = StreamFramer(Options())
    reader.feed(accept, 1, 1)
    frames = deflated([REGISTER, LONG], takeover=False)
    assert [item.data for item in reader.feed(frames[0], 2, 2, gap=True)] == [REGISTER]
    assert [item.data for item in reader.feed(frames[1], 3, 3)] == [LONG]


def test_malformed_frames_are_counted_with_their_frame():
    anomalies = Anomalies()
    reader = StreamFramer(Options(), anomalies)
    reader.feed(SWITCH, 1, 1)
    reader.feed(b"\x91\x00" + ws(OK), 2, 7)
    assert anomalies["websocket-malformed"].frames == [7]


def test_a_message_that_is_too_large_says_so():
    got = framed([SWITCH + ws(HUGE.replace(b"70000", b"300000") + b"z" * 300_000)])
    assert got[0].truncated
    assert got[0].defects == (TOO_LARGE,)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from([REGISTER, OK, LONG]), st.booleans()), min_size=1, max_size=5),
    st.lists(st.integers(0, 2000), max_size=12),
    st.integers(0, 12),
)
def test_whatever_one_chunk_is_missing_all_messages_outside_the_hole_are_found(plan, cuts, lost):
    frames = [ws(payload, key=KEY if masked else b"") for payload, masked in plan]
    whole = b"".join(frames)
    ends = list(itertools.accumulate(map(len, frames)))
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = list(itertools.pairwise(places))
    begin, end = pieces.pop(lost % len(pieces))
    reader = StreamFramer(Options())
    got = reader.feed(SWITCH, 0, 0)
    for first, last in pieces:
        got += reader.feed(whole[first:last], 1, 1, gap=first == end)
    got += reader.finish()
    assert [item.data for item in got if not item.truncated] == [
        payload
        for (payload, _), frame, stop in zip(plan, frames, ends, strict=True)
        if stop <= begin or stop - len(frame) >= end
    ]
    assert all(any(payload.startswith(item.data) for payload, _ in plan) for item in got)


def test_malformed_frames_are_counted_in_the_segment_that_shows_what_the_stream_is():
    anomalies = Anomalies()
    reader = StreamFramer(Options(), anomalies)
    reader.feed(b"\xfftail of a frame" + ws(OK) + b"\x91\x00" + ws(REGISTER), 2, 7, gap=True)
    assert reader.verdict
    assert anomalies["websocket-malformed"].frames == [7]
