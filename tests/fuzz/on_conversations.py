"""Fuzz targets: payloads of several hosts, each in a proper packet, so that what is changed gets far."""

from __future__ import annotations

import io
import json
import struct
import warnings
from typing import Any

import dpkt

from sipanalyzer import kernels
from sipanalyzer.errors import CaptureError, CaptureWarning
from sipanalyzer.options import Options
from sipanalyzer.output.json_rows import json_blocks
from sipanalyzer.output.tables import COLUMNS, table
from sipanalyzer.pipeline import analyze
from tests.builders import START_NS, pcap_bytes, udp_packet
from tests.fuzz.checked import checking
from tests.fuzz.drawing import Draw, pieces
from tests.fuzz.on_captures import SAMPLES

_HOSTS = ("10.0.0.1", "10.0.0.2", "192.0.2.3", "198.51.100.4")
_STEPS_MS = (0, 1, 20, 49, 50, 500, 4_000, 33_000)
_OPTIONS = Options(block_bytes=1 << 16, probation_candidates=64)
_IN_PIECES = Options(block_bytes=2_000, probation_candidates=64)


def capture_of(data: bytes) -> bytes:
    """Payloads, each behind a byte for direction and time and two for a port, as a capture of raw IP."""
    time, packets = START_NS, []
    for piece in Draw(data).pieces()[:60]:
        draw = Draw(piece)
        how, port = draw.number(), draw.number(2)
        time += _STEPS_MS[how & 7] * 1_000_000
        src, dst = _HOSTS[how >> 3 & 3], _HOSTS[how >> 5 & 3]
        ports = (port, 5060) if how & 0x80 else (5060, port)
        packets.append((time, udp_packet(draw.rest()[:1_400], src, ports[0], dst, ports[1])))
    return pcap_bytes(packets, nanoseconds=True, link_type=101)


def conversation(data: bytes) -> None:
    """A conversation becomes tables."""
    whole(capture_of(data))


def whole(capture: bytes) -> None:
    """All tables are strict JSON, and the same compiled and interpreted, read at once and in small blocks."""
    found = []
    for compiled in (False, True) if kernels.available() else (False,):
        before = kernels.compiled()
        kernels.set_compiled(compiled)
        try:
            with checking():
                found.append(tables_of(capture, _IN_PIECES if compiled else _OPTIONS))
        finally:
            kernels.set_compiled(before)
    assert all(each == found[0] for each in found)


def tables_of(capture: bytes, options: Options) -> dict[str, str] | None:
    """All tables as JSON; None where nothing can be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CaptureWarning)
        try:
            result = analyze(io.BytesIO(capture), options)
        except CaptureError:
            return None
    out = {}
    for name in COLUMNS:
        out[name] = f"[{','.join(json_blocks(table(result, name), ','))}]"
        out[name].encode()
        json.loads(out[name], parse_constant=_no_json)
    return out


def _no_json(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


_REDACTED = Options(block_bytes=1 << 16, probation_candidates=64, redact=True, redact_key="fuzz")
_COUNTED = (
    "calls",
    "streams",
    "messages",
    "dialogs",
    "transactions",
    "registrations",
    "subscriptions",
    "pages",
    "rtcp",
)


def redacted_conversation(data: bytes) -> None:
    """Redacted, a conversation has as many calls, streams, messages and so on."""
    capture = capture_of(data)
    plain, redacted = tables_of(capture, _OPTIONS), tables_of(capture, _REDACTED)
    assert (plain is None) == (redacted is None)
    if plain is not None and redacted is not None:
        counts = [{name: len(json.loads(each[name])) for name in _COUNTED} for each in (plain, redacted)]
        assert counts[0] == counts[1], [item for item in counts[0].items() if item not in counts[1].items()]


# ---- what to begin with


def conversation_seeds() -> list[bytes]:
    """What samples say over UDP, cut short."""
    out = []
    names = (
        "busy", "cancelled", "register", "no_answer", "message", "subscribe", "forked", "transfer", "rtcp",
        "prack_update", "authenticated", "held", "options", "info_digits", "quality_report", "session_timer",
        "proxy_hops", "t38",
    )  # fmt: skip
    for name in names:
        found: list[bytes] = []
        hosts: dict[bytes, int] = {}
        media = 0
        for _, frame in dpkt.pcap.Reader(io.BytesIO((SAMPLES / f"{name}.pcap").read_bytes())):
            packet: Any = dpkt.ethernet.Ethernet(frame).data
            if not isinstance(packet, dpkt.ip.IP) or not isinstance(packet.data, dpkt.udp.UDP):
                continue
            payload = bytes(packet.data.data)
            media += payload[:1] == b"\x80"
            if payload[:1] == b"\x80" and media > 6:
                continue
            src, dst = (hosts.setdefault(end, len(hosts) % 4) for end in (packet.src, packet.dst))
            port = packet.data.dport if packet.data.dport != 5060 else packet.data.sport
            way = 0x80 if packet.data.dport == 5060 else 0
            found.append(struct.pack(">BH", 2 | src << 3 | (dst & 3) << 5 & 0x60 | way, port) + payload)
        text = pieces(*found[:14])
        out.append(text[:3_000])
    return out
