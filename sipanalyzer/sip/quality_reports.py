"""What SIP messages report about the quality of media. Floor 4.

Comes in: the message table. Goes out: one :class:`QualityReport` for each report in it, figures by name. Sources: RFC
6035 (``application/vq-rtcpxr`` in PUBLISH and NOTIFY); headers that phones and gateways send with a BYE or its
response: ``X-RTP-Stat`` (AVM, baresip), ``P-RTP-Stat`` (Linksys, Cisco SPA), ``RTP-RxStat`` and ``RTP-TxStat`` (Cisco,
Yealink). None of these headers has a standard; they are lists of ``key=value``, and a key that nobody here knows keeps
its own name, in lower case.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..result import Endpoint, Messages
from .header import find_header
from .multipart import PARTS, PartLimits, split_body

__all__ = ["QualityReport", "find_quality_reports"]

MEDIA_TYPE = "application/vq-rtcpxr"
MAX_VALUES = 64
"""Figures of one line or report; the RFCs know half as many, and what repeats a name is left out anyway."""
MAX_SECTIONS = 16
"""Reports in one body: RFC 6035 has one of each side; a body with more is not written by a device."""

_REPORTING = ("PUBLISH", "NOTIFY")
_PAIR = re.compile(r'(?:^|(?<=[;,\s":]))([A-Za-z][A-Za-z0-9_.-]{0,31})=([^;,\s"]*)')
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})(?![0-9.]|[eE][0-9+-])")
_SOCKETS = re.compile(r"(?:^|[;,\s])IP=([^;,\s]{2,54})(?:,([^;,\s=]{2,54}))?")
_SOCKET = re.compile(r"\[?([0-9A-Fa-f:.]+?)\]?:([0-9]{1,5})")
_HEX = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{1,8})")


@dataclass(frozen=True, slots=True)
class QualityReport:
    """One report about one or both directions of a call's media."""

    row: int
    """Of the message that carries it."""
    type: str
    """``vq-rtcpxr``, ``X-RTP-Stat``, ``P-RTP-Stat``, ``RTP-RxStat`` or ``RTP-TxStat``."""
    call_id: str | None
    """Of the call reported on."""
    ssrc: int | None
    """Of the side that reports."""
    reported_ssrc: int | None
    """Of the stream that it received."""
    receiver: Endpoint | None
    """Media socket of the side that received the stream, where the report says it."""
    sender: Endpoint | None
    """Likewise of the side that sent it."""
    sent: bool
    """Whether it is about the stream that the message's sender sent, rather than the one that it received."""
    values: tuple[tuple[str, float], ...]
    """Figures by name."""


def find_quality_reports(messages: Messages, limits: PartLimits = PARTS) -> list[QualityReport]:
    """Find and read all reports of quality, in the order of their messages.

    Retransmissions are passed over. Only BYE, its responses, and PUBLISH and NOTIFY whose Content-Type can hold a
    report are looked into, bodies as far as `limits` says. What cannot be read is left out: a header or body without
    any figure is no report.
    """
    if not len(messages):
        return []
    methods = messages.texts["method"]
    bye = [number for number, method in enumerate(methods) if method == "BYE"]
    reporting = [number for number, method in enumerate(methods) if method in _REPORTING]
    kinds = [
        number
        for number, kind in enumerate(messages.texts["content_type"])
        if MEDIA_TYPE in kind.lower() or kind.lstrip().lower().startswith("multipart/")
    ]
    bodies = np.zeros(len(messages), np.bool_)
    if reporting and kinds:
        bodies = (messages.status == 0) & np.isin(messages.method, reporting) & np.isin(messages.content_type, kinds)
    rows = np.flatnonzero((np.isin(messages.method, bye) | bodies) & ~messages.retransmission)
    found: list[QualityReport] = []
    for row in rows.tolist():
        if bodies[row]:
            found += _read_bodies(messages, row, limits)
        elif b"RTP-" in (raw := messages.raw(row).upper()) and b"STAT" in raw:
            found += _read_headers(messages, row)
    return found


# ---- key=value
def _pairs(text: str) -> dict[str, str]:
    """The first value of each key, in order; keys in upper case."""
    found: dict[str, str] = {}
    for match in _PAIR.finditer(text):
        found.setdefault(match[1].upper(), match[2])
        if len(found) >= MAX_VALUES:
            break
    return found


def _number(text: str) -> float | None:
    """A number, whatever unit is written behind it."""
    match = _NUMBER.match(text)
    number = float(match[0]) if match else math.nan
    return number if math.isfinite(number) else None


def _named(pairs: Iterable[tuple[str, str]], names: dict[str, str | None]) -> tuple[tuple[str, float], ...]:
    """Figures by the names that they have here; None: of no use."""
    values: dict[str, float] = {}
    for key, text in pairs:
        name = names.get(key, key.lower())
        number = _number(text)
        if name is None or number is None or (name in _CAN_BE_UNKNOWN and number in _UNKNOWN):
            continue
        values.setdefault(name, number)
    return tuple(values.items())


_CAN_BE_UNKNOWN = frozenset(
    {"signal_dbm", "noise_dbm", "rerl_db", "r_lq", "r_factor", "external_r", "external_r_out", "mos_lq", "mos_cq"}
)
_UNKNOWN = frozenset({127.0, 12.7})
"""What RFC 3611 4.7 has for a figure that is not available, also where it was divided by ten."""


# ---- headers
_X_RTP_STAT: dict[str, str | None] = {
    "CS": "call_setup_ms", "CD": "call_duration_s", "DU": "call_duration_s", "PS": "packets_sent",
    "ES": "packets_expected_to_be_sent", "OS": "octets_sent", "PR": "packets_received", "ER": "packets_expected",
    "OR": "octets_received", "PL": "packets_lost", "PD": "packets_discarded", "JI": "jitter", "DL": "delay_ms",
    "MOS": "mos_lq", "PACKETLOSSPCT": "loss_percent", "RTT": "round_trip", "EX": None, "EN": None, "DE": None,
    "IP": None, "QS": None, "QR": None, "RTPSTAT": None,
}  # fmt: skip
"""Jitter and round trip come in ms or in ticks, as the vendor likes: they keep no unit."""
_P_RTP_STAT: dict[str, str | None] = {
    **_X_RTP_STAT, "JI": "jitter_ms", "LA": "delay_ms", "DU": "call_duration_s",
}  # fmt: skip
_RX_STAT: dict[str, str | None] = {
    "DUR": "call_duration_s", "PKT": "packets_received", "OCT": "octets_received", "LATEPKT": "packets_late",
    "LOSTPKT": "packets_lost", "AVJIT": "jitter_ms", "AVGJIT": "jitter_ms", "MAXJIT": "max_jitter_ms",
    "MAXJITTER": "max_jitter_ms", "MOSLQ": "mos_lq", "MOSCQ": "mos_cq", "MLQK": "mos_lq_k", "MLQKAV": "mos_lq_k_mean",
    "MLQKMN": "mos_lq_k_min", "MLQKMX": "mos_lq_k_max", "CCR": "concealed_ratio", "CS": "concealed_s",
    "SCS": "severely_concealed_s", "VOONEWAYDELAYMS": "one_way_delay_ms", "VOPKTSIZEMS": "ptime_ms",
    "TOTAL_RX_PKTS": "packets_received", "RX_PKTS": "packets_received", "RX_OCTETS": "octets_received",
    "RX_PKTS_LOST": "packets_lost", "VQMETRICS": None,
}  # fmt: skip
_TX_STAT: dict[str, str | None] = {
    "DUR": "call_duration_s", "PKT": "packets_sent", "OCT": "octets_sent", "TOTAL_TX_PKTS": "packets_sent",
    "TX_PKTS": "packets_sent", "TX_OCTETS": "octets_sent",
}  # fmt: skip
_HEADERS = {"X-RTP-Stat": _X_RTP_STAT, "P-RTP-Stat": _P_RTP_STAT, "RTP-RxStat": _RX_STAT, "RTP-TxStat": _TX_STAT}


def _read_headers(messages: Messages, row: int) -> list[QualityReport]:
    raw = messages.raw(row)
    call_id = messages.text("call_id", row)
    reports = []
    for header, names in _HEADERS.items():
        text = find_header(raw, header)
        if not text:
            continue
        values = _named(_pairs(text).items(), names)
        if not values:
            continue
        receiver = sender = None
        sockets = _SOCKETS.search(text)
        if sockets is not None:  # its own and the other's
            receiver, sender = _socket(sockets[1]), _socket(sockets[2])
        reports.append(
            QualityReport(row, header, call_id, None, None, receiver, sender, header == "RTP-TxStat", values)
        )
    return reports


def _socket(text: str | None) -> Endpoint | None:
    match = _SOCKET.fullmatch(text) if text else None
    return (match[1].lower(), int(match[2])) if match and int(match[2]) < 65536 else None


# ---- RFC 6035
_VQ: dict[str, str | None] = {
    "NLR": "loss_percent", "JDR": "discard_percent", "BLD": "burst_density_percent", "BD": "burst_ms",
    "GLD": "gap_density_percent", "GD": "gap_ms", "GMIN": "gmin", "RTD": "round_trip_ms",
    "ESD": "end_system_delay_ms", "OWD": "one_way_delay_ms", "SOWD": "symmetric_one_way_delay_ms",
    "IAJ": "jitter_ms", "MAJ": "mean_absolute_jitter_ms", "SL": "signal_dbm", "NL": "noise_dbm", "RERL": "rerl_db",
    "RLQ": "r_lq", "RCQ": "r_factor", "EXTRI": "external_r", "EXTRO": "external_r_out", "MOSLQ": "mos_lq",
    "MOSCQ": "mos_cq", "JBA": "jb_adaptive", "JBR": "jb_rate", "JBN": "jb_nominal_ms", "JBM": "jb_maximum_ms",
    "JBX": "jb_absolute_maximum_ms", "PT": "payload_type", "SR": "clock_rate", "FD": "frame_ms",
    "FO": "frame_octets", "FPP": "frames_per_packet", "PPS": "packets_per_second", "PLC": "concealment",
}  # fmt: skip
_OF_METRICS = frozenset({"SESSIONDESC", "JITTERBUFFER", "PACKETLOSS", "BURSTGAPLOSS", "DELAY", "SIGNAL", "QUALITYEST"})
"""Lines with figures (RFC 6035 4.6.2)."""
_SECTIONS = {"LOCALMETRICS": "local", "REMOTEMETRICS": "remote"}
_NEW_REPORT = frozenset({"VQSESSIONREPORT", "VQINTERVALREPORT", "VQALERTREPORT"})


def _read_bodies(messages: Messages, row: int, limits: PartLimits) -> list[QualityReport]:
    reports: list[QualityReport] = []
    for part in split_body(messages.text("content_type", row), messages.body(row), limits):
        if part.media_type == MEDIA_TYPE:
            reports += _read_vq(row, part.body, MAX_SECTIONS - len(reports))
    return reports


def _read_vq(row: int, body: bytes, most: int) -> list[QualityReport]:
    """The sections of local and of remote metrics, those without any figure left out."""
    head: dict[str, str] = {}
    section: dict[str, str] = {}
    side = "local"
    reports: list[QualityReport] = []

    def close() -> None:
        report = _section(row, side, head, section)
        if report is not None and len(reports) < most:
            reports.append(report)
        section.clear()

    for line in _unfold(body.decode("utf-8", "backslashreplace")):
        name, colon, value = line.partition(":")
        name = name.strip().upper()
        if name in _SECTIONS:
            close()
            side = _SECTIONS[name]
            section[side] = ""
        elif name in _NEW_REPORT:
            close()
            head.clear()
            side = "local"
        elif not colon and "=" in line:  # some write bare pairs
            section[f"{len(section)}"] = line
        else:
            (section if side in section or name in _OF_METRICS else head).setdefault(name, value.strip())
    close()
    return reports


def _unfold(text: str) -> list[str]:
    """Lines, with those that begin with white space joined to the one before."""
    lines: list[list[str]] = []
    for line in text.splitlines():
        if line[:1] in (" ", "\t") and lines:
            lines[-1].append(line.strip())
        elif line:
            lines.append([line])
    return [" ".join(parts) for parts in lines]


def _section(row: int, side: str, head: dict[str, str], section: dict[str, str]) -> QualityReport | None:
    pairs: dict[str, str] = {}
    for name, text in section.items():
        if name in _OF_METRICS or name.isdigit():
            for key, value in _pairs(text).items():
                pairs.setdefault(key, value)
    values = _named(((key, value) for key, value in pairs.items() if key in _VQ), _VQ)[:MAX_VALUES]
    if not values:
        return None
    own, other = ("LOCALADDR", "REMOTEADDR")
    if side == "remote" and own not in section:  # RFC 6035 names both sides once; drafts did in each section
        own, other = other, own
    receiver, ssrc = _address(section.get(own) or head.get(own))
    sender, reported = _address(section.get(other) or head.get(other))
    call_id = section.get("CALLID") or head.get("CALLID")
    return QualityReport(row, "vq-rtcpxr", call_id, ssrc, reported, receiver, sender, False, values)


def _address(text: str | None) -> tuple[Endpoint | None, int | None]:
    """``IP=... PORT=... SSRC=...`` (RFC 6035 4.6.2.3); an SSRC is hexadecimal with or without ``0x``."""
    if not text:
        return None, None
    pairs = _pairs(text)
    port = pairs.get("PORT", "")
    address = pairs.get("IP", "").strip("[]").lower()
    socket = (address, int(port)) if address and port.isascii() and port.isdigit() and len(port) < 6 else None
    match = _HEX.fullmatch(pairs.get("SSRC", ""))
    return socket, int(match[1], 16) if match else None
