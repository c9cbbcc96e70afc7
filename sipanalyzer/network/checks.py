"""ICE connectivity checks and DTLS handshakes between two sockets: asked, answered, done or failed. Floor 3.

Comes in: UDP payloads that are STUN or DTLS. Goes out: :class:`~sipanalyzer.facts.MediaCheck`, one a pair of sockets,
both ways counted together.

A STUN binding request is a connectivity check where it has an attribute of ICE; one without asks a server for the own
address, or keeps a binding alive, and is not counted. Requests count once however often they are sent (equal
transaction id), and a response counts where its request was seen. Sources: RFC 8489 5, 14.8; RFC 8445 7.1, 7.2.5.1,
16.1; RFC 5389; RFC 6347 4.1, 4.2; RFC 9147 4, 5.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.facts import MediaCheck
from sipanalyzer.kernels import columns as row
from sipanalyzer.network.endpoints import address_text
from sipanalyzer.network.tcpstate import Key, reverse
from sipanalyzer.network.tls import ALERT, CHANGE_CIPHER, CLIENT_HELLO, FATAL, HANDSHAKE, alert_name
from sipanalyzer.options import Options

__all__ = ["MediaChecks", "error_code", "is_connectivity_check", "records"]

_REQUEST, _SUCCESS, _ERROR = 0x0001, 0x0101, 0x0111
"""STUN message types: binding, by class (RFC 8489 5)."""
_ICE = frozenset({0x0006, 0x0024, 0x0025, 0x8029, 0x802A})
"""USERNAME, PRIORITY, USE-CANDIDATE, ICE-CONTROLLED, ICE-CONTROLLING."""
_ERROR_CODE = 0x0009
_ROLE_CONFLICT = 487
"""Both agents took the same role; they sort it out and go on (RFC 8445 7.2.5.1)."""
_ATTRIBUTES = 64
"""Attributes looked at in one STUN message."""
_RECORDS = 64
"""Records looked at in one datagram."""
_UNDER_WAY = 65_536
"""STUN transactions remembered over all pairs; without an answer for so many others, an answer counts no more."""

_SERVER_HELLO = 2
_SUPPORTED_VERSIONS, _DTLS_1_3 = 43, 0xFEFC
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""Random of a HelloRetryRequest (RFC 8446 4.1.3)."""


def _attribute(message: bytes, wanted: frozenset[int]) -> bytes | None:
    """Value of the first attribute of these types (RFC 8489 14); None where there is none, or it is cut."""
    at, end = 20, min(len(message), 20 + int.from_bytes(message[2:4], "big"))
    for _ in range(_ATTRIBUTES):
        if at + 4 > end:
            return None
        size = int.from_bytes(message[at + 2 : at + 4], "big")
        if int.from_bytes(message[at : at + 2], "big") in wanted:
            return message[at + 4 : at + 4 + size] if at + 4 + size <= end else None
        at += 4 + (size + 3) // 4 * 4
    return None


def is_connectivity_check(message: bytes) -> bool:
    """Whether a STUN binding request is one of ICE."""
    return _attribute(message, _ICE) is not None


def error_code(message: bytes) -> int | None:
    """The code of a STUN error response (RFC 8489 14.8); None where it says none."""
    value = _attribute(message, frozenset({_ERROR_CODE}))
    return (value[2] & 7) * 100 + value[3] if value is not None and len(value) >= 4 else None


def records(payload: bytes) -> list[tuple[int, int, bytes]]:
    """Type, epoch and captured content of the DTLS records with a plain header in a datagram (RFC 6347 4.1)."""
    out: list[tuple[int, int, bytes]] = []
    at = 0
    while at + 13 <= len(payload) and len(out) < _RECORDS and payload[at + 1] == 0xFE:
        size = int.from_bytes(payload[at + 11 : at + 13], "big")
        epoch = int.from_bytes(payload[at + 3 : at + 5], "big")
        out.append((payload[at], epoch, payload[at + 13 : at + 13 + size]))
        at += 13 + size
    return out


def _is_dtls_1_3(hello: bytes) -> bool:
    """Whether a ServerHello, from its handshake header on, chooses DTLS 1.3: what follows cannot be read."""
    at = 12 + 2 + 32
    if len(hello) <= at or hello[14:at] == _RETRY:
        return False
    at += 1 + hello[at] + 3  # session id, cipher suite, compression
    end = min(len(hello), at + 2 + int.from_bytes(hello[at : at + 2], "big"))
    at += 2
    for _ in range(_ATTRIBUTES):
        if at + 6 > end:
            return False
        if int.from_bytes(hello[at : at + 2], "big") == _SUPPORTED_VERSIONS:
            return int.from_bytes(hello[at + 4 : at + 6], "big") == _DTLS_1_3
        at += 4 + int.from_bytes(hello[at + 2 : at + 4], "big")
    return False


class _Pair:
    """What went on between two sockets."""

    __slots__ = (
        "alert", "answers", "asked", "capture", "changed", "client", "errors", "finished", "frame", "hellos", "key",
        "last_error", "requests", "successes", "time",
    )  # fmt: skip

    def __init__(self, key: Key, time: int, frame: int, capture: int) -> None:
        self.key, self.time, self.frame, self.capture = key, time, frame, capture
        self.asked = False  # then `key` is the direction of the one that asked first
        self.requests = self.successes = self.errors = 0
        self.last_error: int | None = None
        self.hellos = self.answers = 0
        self.client: Key | None = None  # direction of the first ClientHello
        self.changed: set[bool] = set()  # who changed to encryption: whether it was the one that began
        self.finished = False
        self.alert: str | None = None

    def ask(self, key: Key, packet: Sequence[int], capture: int) -> None:
        """Note that one asked the other: the first who does gives the pair its direction, time and frame."""
        if not self.asked:
            if key != self.key:
                self.changed = {not side for side in self.changed}
            self.asked, self.key, self.capture = True, key, capture
            self.time, self.frame = packet[row.TIME], packet[row.FRAME]


class MediaChecks:
    """Collects what STUN and DTLS say of media paths.

    Parameters
    ----------
    options : Options
        `max_faults` bounds how many pairs of sockets are remembered.
    anomalies : Anomalies, optional
        Gets ``fault-limit``.
    """

    def __init__(self, options: Options, anomalies: Anomalies | None = None) -> None:
        self._most, self._anomalies = options.max_faults, anomalies
        self._pairs: dict[Key, _Pair] = {}
        self._under_way: OrderedDict[tuple[Key, bytes], bool] = OrderedDict()
        """By direction and transaction id of a connectivity check: whether it was answered."""

    def add(self, packet: Sequence[int], payload: bytes, capture: int) -> None:
        """Take a row of kind STUN or DTLS and its bytes."""
        key = packet[row.SRC_HI], packet[row.SRC_LO], packet[row.DST_HI], packet[row.DST_LO], packet[row.PORTS]
        if packet[row.KIND] == row.STUN:
            self._stun(key, packet, payload, capture)
        elif packet[row.KIND] == row.DTLS:
            self._dtls(key, packet, payload, capture)

    def finish(self) -> tuple[MediaCheck, ...]:
        """All pairs of sockets that asked something, in order of time."""
        out = []
        for pair in self._pairs.values():
            if not (pair.requests or pair.hellos or pair.answers or pair.alert):
                continue
            src_hi, src_lo, dst_hi, dst_lo, ports = pair.key
            src, dst = (address_text(src_hi, src_lo), ports >> 16), (address_text(dst_hi, dst_lo), ports & 0xFFFF)
            out.append(
                MediaCheck(
                    time=pair.time, frame=pair.frame, capture=pair.capture, src=src, dst=dst,
                    stun_requests=pair.requests, stun_successes=pair.successes, stun_errors=pair.errors,
                    last_error=pair.last_error, dtls_hellos=pair.hellos, dtls_answers=pair.answers,
                    dtls_finished=pair.finished or len(pair.changed) == 2, dtls_alert=pair.alert,
                )
            )  # fmt: skip
        return tuple(sorted(out, key=lambda check: (check.time, check.capture, check.frame)))

    def _pair(self, key: Key, packet: Sequence[int], capture: int) -> _Pair | None:
        """What is known of a pair of sockets; None where no more pairs are remembered."""
        pair = self._pairs.get(key) or self._pairs.get(reverse(key))
        if pair is None:
            if len(self._pairs) >= self._most:
                if self._anomalies is not None:
                    self._anomalies.add("fault-limit", packet[row.FRAME])
                return None
            pair = self._pairs[key] = _Pair(key, packet[row.TIME], packet[row.FRAME], capture)
        return pair

    def _stun(self, key: Key, packet: Sequence[int], message: bytes, capture: int) -> None:
        kind = int.from_bytes(message[:2], "big")
        transaction = message[4:20]
        if kind == _REQUEST:
            if (key, transaction) in self._under_way or not is_connectivity_check(message):
                return
            pair = self._pair(key, packet, capture)
            if pair is not None:
                pair.ask(key, packet, capture)
                pair.requests += 1
                self._under_way[key, transaction] = False
                if len(self._under_way) > _UNDER_WAY:
                    self._under_way.popitem(last=False)
        elif kind in (_SUCCESS, _ERROR):
            asked = reverse(key)
            if self._under_way.get((asked, transaction)) is not False:
                return
            self._under_way[asked, transaction] = True
            pair = self._pair(asked, packet, capture)
            if pair is None:
                return
            code = error_code(message) if kind == _ERROR else None
            if kind == _SUCCESS:
                pair.successes += 1
            elif code != _ROLE_CONFLICT:
                pair.errors += 1
                pair.last_error = code if code is not None else pair.last_error

    def _dtls(self, key: Key, packet: Sequence[int], payload: bytes, capture: int) -> None:
        pair = self._pair(key, packet, capture)
        if pair is None:
            return
        for kind, epoch, content in records(payload):
            if epoch or kind == CHANGE_CIPHER:
                pair.changed.add(key == pair.key)
            elif kind == HANDSHAKE and content:
                if content[0] == CLIENT_HELLO:
                    if content[6:9] == b"\0\0\0":  # its first fragment (RFC 6347 4.2.2)
                        pair.ask(key, packet, capture)
                        pair.hellos += 1
                        pair.client = pair.client or key
                elif key != pair.client:
                    pair.answers += 1
                    pair.finished = pair.finished or (content[0] == _SERVER_HELLO and _is_dtls_1_3(content))
            elif kind == ALERT and len(content) == 2 and (content[0] == FATAL or content[1]):
                pair.alert = pair.alert or alert_name(content[1])
