"""Fuzz targets: SIP in streams and by itself, its bodies, and other text: headers, URIs, SDP, MSRP, WebSocket."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import numpy as np

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.errors import ParseError
from sipanalyzer.kernels import descriptions, interning, joining, kernel
from sipanalyzer.kernels import sip as spans
from sipanalyzer.kernels.sipstart import looks_like_sip
from sipanalyzer.options import Options
from sipanalyzer.sip.defects import find_header_defects
from sipanalyzer.sip.framer import StreamFramer
from sipanalyzer.sip.header import find_headers, parameters, scan, split_list
from sipanalyzer.sip.message import Request
from sipanalyzer.sip.msrp import MsrpReader, path_key
from sipanalyzer.sip.multipart import split_body
from sipanalyzer.sip.parser import parse_message
from sipanalyzer.sip.plain import is_plain
from sipanalyzer.sip.quality_reports import find_quality_reports
from sipanalyzer.sip.sdp import codec_of, find_sdp, parse_sdp, parse_whole
from sipanalyzer.sip.spans import MessageStore
from sipanalyzer.sip.startline import START
from sipanalyzer.sip.text import decode_text, printable
from sipanalyzer.sip.uri import number_of, parse_address, parse_uri, parse_via, user_part
from sipanalyzer.sip.websocket import WebSocketReader
from tests.fuzz.checked import checking, run_both
from tests.fuzz.drawing import Draw, divided
from tests.naive import descriptions as naive_descriptions
from tests.naive import packet as naive_packet
from tests.naive.sip import values_of
from tests.sip.words import invite

_SMALL = Options(max_sip_message_bytes=600)
_TEXTS = (
    "method",
    "request_uri",
    "reason",
    "call_id",
    "from_uri",
    "from_tag",
    "to_uri",
    "to_tag",
    "branch",
    "cseq_method",
    "contact",
    "user_agent",
    "content_type",
)
_PLAIN = bytes(range(32, 127))


@kernel
def _starts(data: Any, at: int, end: int) -> bool:
    return looks_like_sip(data, at, end)


def start_line(data: bytes) -> None:
    """Whether something is SIP: the kernel and a regular expression agree."""
    buffer = np.frombuffer(bytearray(data), np.uint8)
    with checking():
        assert _starts(buffer, 0, len(data)) == naive_packet.looks_like_sip(data)


def span(data: bytes) -> None:
    """The spans of a message: compiled, interpreted and as the full parser reads it."""
    draw = Draw(data)
    cut, message = draw.number() & 1, draw.rest()
    n = len(message)
    buffer = np.frombuffer(bytearray(message), np.uint8)
    one = np.zeros(1, np.int64)
    run_both(
        spans.find_spans,
        buffer,
        one,
        one + n,
        np.full(1, cut, np.uint8),
        1,
        np.zeros((1, spans.SPANS, 2), np.int64),
        np.zeros((1, spans.NUMBERS), np.int64),
    )
    store = MessageStore(Options(), [Anomalies()])
    with checking():
        i = store.add(message, 0, 1, 0, 1, 5060, 0, 2, 5060, 1, 0, bool(cut))
        if i is None or i < 0:
            return
        found = None if store.malformed[i] else _stored(store, i)
    expected = values_of(message, truncated=bool(cut))
    expected = expected and {name: printable(v) if isinstance(v, str) else v for name, v in expected.items()}
    assert found == expected


def _stored(store: MessageStore, i: int) -> dict[str, object]:
    values: dict[str, object] = {name: int(store.column(name)[i]) for name in ("status", "cseq", "content_length")}
    for name in _TEXTS:
        number = int(store.column(name)[i])
        values[name] = None if number < 0 else store.text(name, number)
    return values | {"body": store.body(i), "is_response": bool(store.status[i])}


def message(data: bytes) -> None:
    """A message and everything that can be asked of it."""
    is_plain(data)
    for name in ("Via", "From", "X-RTP-Stat"):
        find_headers(data, name)
    try:
        found = parse_message(data, truncated=bool(len(data) & 1))
    except ParseError:
        return
    for name in (
        "body_parts",
        "acceptable",
        "call_id",
        "cseq",
        "from_",
        "to",
        "vias",
        "contacts",
        "content_type",
        "content_length",
        "user_agent",
    ):
        getattr(found, name)
    for via in found.vias:
        assert (via.branch, via.received, via.rport) is not None
    find_header_defects(found.headers, found.method if isinstance(found, Request) else None)
    kind = found.content_type
    if (body := find_sdp(kind, found.body)) is not None:
        with contextlib.suppress(ParseError):
            parse_sdp(body)


def stream(data: bytes) -> None:
    """A stream that begins as SIP gives the same messages however it is divided; of others the first piece decides."""
    draw = Draw(data)
    gap, cuts = draw.number() & 1, draw.take(draw.number() % 32)
    text = draw.rest()
    whole = _framed([text], bool(gap))
    parts = _framed(divided(text, cuts), bool(gap))
    assert gap or not START.match(text) or parts == whole


def _framed(parts: list[bytes], gap: bool) -> Any:
    anomalies = Anomalies()
    reader = StreamFramer(_SMALL, anomalies)
    out = []
    for number, part in enumerate(parts):
        out += reader.feed(part, 0, 1, gap and not number)
        assert len(reader._buffer) <= 20_000
    out += reader.finish()
    return [(each.data, each.transport, each.truncated, each.defects) for each in out], anomalies.counts()


def lost_stream(data: bytes) -> None:
    """Parts of a stream with holes between them."""
    reader = StreamFramer(_SMALL, Anomalies())
    for number, part in enumerate(Draw(data).pieces()):
        reader.feed(part[1:], number, number, part[:1] > b"\x80")
        if reader.is_plain:
            reader.take_over(*reader.hand_over())
    reader.finish()


def websocket(data: bytes) -> None:
    """WebSocket frames give the same messages however they are divided; none is longer than the limit."""
    draw = Draw(data)
    how, cuts = draw.number(), draw.take(draw.number() % 32)
    text, found = draw.rest(), []
    for parts in ([text], divided(text, cuts)):
        reader = WebSocketReader(600, deflate=bool(how & 1), lost=bool(how & 2))
        found.append([each for part in parts for each in reader.feed(part)] + [reader.malformed])
        reader.gap()
    assert how & 2 or found[0] == found[1]  # a lost reader takes the edges of segments for those of frames
    assert all(len(each.data) <= 600 for each in found[0][:-1])


def msrp(data: bytes) -> None:
    """MSRP gives the same transactions however it is divided."""
    draw = Draw(data)
    cuts = draw.take(draw.number() % 32)
    text, found = draw.rest(), []
    for parts in ([text], divided(text, cuts)):
        reader = MsrpReader()
        found.append([each for part in parts for each in reader.feed(part, 0, 1)])
    assert found[0] == found[1]
    path_key(decode_text(text[:200]))


def sdp(data: bytes) -> None:
    """A description read the short way and the long; its shape compiled, interpreted, and by the slow twin."""
    found: list[Any] = []
    for parse in (parse_sdp, parse_whole, parse_sdp):
        try:
            found.append(parse(data))
        except ParseError as error:
            found.append(str(error))
    assert found[0] == found[1] == found[2]
    if not isinstance(found[0], str):
        for media, number in itertools.product(found[0].media[:4], (0, 8, 101, 127)):
            codec_of(media, number)
            assert media.held in (True, False)
    buffer = np.frombuffer(bytearray(data), np.uint8)
    n = len(data)
    one, none = np.full(1, n, np.int64), np.zeros(1, np.int64)
    _, arrays = run_both(
        descriptions.take_apart,
        buffer,
        none,
        one,
        1,
        np.zeros(n, np.uint8),
        none.copy(),
        none.copy(),
        np.zeros((descriptions.MAX_MEDIA, descriptions.MEDIA), np.int64),
    )
    shape, ends, counts, media = arrays[3:]
    mine = None
    if counts[0] >= 0:
        rows = media[: counts[0]].tolist()
        mine = shape[: ends[0]].tobytes(), [(data[i:j], port) for _, port, i, j in rows]
    assert mine == naive_descriptions.take_apart(data)


def bodies(data: bytes) -> None:
    """Bodies of several parts, in each other."""
    kind, _, body = data.partition(b"\n")
    parts = split_body(decode_text(kind), body)
    assert sum(len(part.body) for part in parts) <= 8 * len(data) + 8
    find_sdp(decode_text(kind), body)


def values(data: bytes) -> None:
    """Header values: URIs, addresses, Via, parameters, lists."""
    text = decode_text(data)
    for parse in (parse_uri, parse_address, parse_via, user_part, number_of, split_list, printable):
        with contextlib.suppress(ParseError):
            parse(text)  # type: ignore[operator]
    parameters(text.split(";"))
    for is_list in (False, True):
        for _, begin, end in scan(text, is_list=is_list)[0]:
            assert 0 <= begin < end <= len(text)
    shown = printable(text)
    assert printable(shown) == shown
    shown.encode()


def quality(data: bytes) -> None:
    """Quality reports in bodies and in headers."""
    draw = Draw(data)
    in_body, text = draw.number() & 1, draw.rest()
    if in_body:
        raw = invite(1, text, Content_Type="application/vq-rtcpxr").replace(b"INVITE", b"PUBLISH")
    else:
        raw = (
            invite(1)
            .replace(b"INVITE", b"BYE")
            .replace(b"Contact: <sip:alice@10.0.0.1>", text.replace(b"\r\n\r\n", b""))
        )
    store = MessageStore(Options(), [Anomalies()])
    store.add(raw, 0, 1, 0, 1, 5060, 0, 2, 5060, 1, 0, False)
    no = np.zeros(1, np.bool_)
    for report in find_quality_reports(store.finish(np.zeros(1, np.int64), no, no)):
        assert all(value == value and abs(value) != float("inf") for _, value in report.values)


def strings(data: bytes) -> None:
    """Equal strings get equal numbers; joined, they come apart again."""
    draw = Draw(data)
    seed, parts = draw.number(4), draw.pieces()
    blob = np.frombuffer(bytearray(b"".join(parts)), np.uint8)
    lengths = np.array([len(part) for part in parts], np.int64)
    ends = np.cumsum(lengths)
    table = np.stack([ends - lengths, ends], axis=-1).reshape(-1, 1, 2) if parts else np.zeros((0, 1, 2), np.int64)
    n = len(parts)
    done, arrays = run_both(
        interning.intern_spans,
        blob,
        table,
        0,
        0,
        n,
        seed,
        np.full(16, -1, np.int32),
        np.zeros((16, 3), np.int64),
        np.zeros(1, np.int64),
        np.full(n, -9, np.int32),
    )
    ids = arrays[-1].tolist()[:done]
    numbers: dict[bytes, int] = {}
    assert ids == [numbers.setdefault(part, len(numbers)) if part else -1 for part in parts[:done]]
    (written, odds), (_, _, out, odd) = run_both(
        joining.join_lines, blob, table[:, 0], 0, n, np.zeros(len(blob) + n, np.uint8), np.zeros(n, np.int64)
    )
    wanted = [part if not part.translate(None, _PLAIN) else b"" for part in parts]
    assert out[:written].tobytes() == b"".join(each + b"\n" for each in wanted)
    assert odd[:odds].tolist() == [k for k, part in enumerate(parts) if part != wanted[k]]
