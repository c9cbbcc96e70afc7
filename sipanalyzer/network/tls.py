"""The record layer of TLS as far as it can be read without keys, and the names of alerts. Floor 3.

Comes in: TCP segments of one direction of a connection that was seen from its beginning. Goes out: :class:`Record`, the
type and length of each record and the first two bytes of its content, which say what a handshake message or an alert
is as long as nothing is encrypted. Sources: RFC 5246 6.2 and 7.2, RFC 8446 5.1 and 6, IANA's registry of TLS alerts.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "ALERT", "ALERTS", "APPLICATION", "CHANGE_CIPHER", "CLIENT_HELLO", "FATAL", "HANDSHAKE", "Record", "RecordReader",
    "alert_name",
]  # fmt: skip

CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
"""Types of records."""
CLIENT_HELLO = 1
FATAL = 2

ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed", 22: "record_overflow",
    30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate",
    43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown",
    47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error",
    52: "too_many_cids_requested", 60: "export_restriction", 70: "protocol_version", 71: "insufficient_security",
    80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation",
    109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable", 112: "unrecognized_name",
    113: "bad_certificate_status_response", 114: "bad_certificate_hash_value", 115: "unknown_psk_identity",
    116: "certificate_required", 117: "general_error", 120: "no_application_protocol", 121: "ech_required",
}  # fmt: skip

_LONGEST = 16_384 + 2_048
"""Of a record's content (RFC 5246 6.2.3)."""
_MASK, _HALF = 0xFFFFFFFF, 1 << 31


def alert_name(number: int) -> str:
    """Name of an alert, its number where it has none."""
    return ALERTS.get(number, f"alert {number}")


class Record(NamedTuple):
    """Head of one record."""

    type: int
    length: int
    """Of its content."""
    content: bytes
    """The first two bytes of it, where there are so many."""


class RecordReader:
    """Finds the records in one direction of a connection.

    Parameters
    ----------
    seq : int
        Sequence number of the first byte, 32 bits.
    """

    __slots__ = ("_head", "_next", "_skip", "alien", "lost", "started")

    def __init__(self, seq: int) -> None:
        self._next = seq
        self._head = b""  # of the record under way
        self._skip = 0  # bytes of its content still to come
        self.started = False
        """Something came."""
        self.lost = False
        """Bytes are missing, or were cut off where they mattered: what follows says nothing."""
        self.alien = False
        """It is no TLS."""

    def ahead(self, seq: int) -> int:
        """How far a sequence number is beyond the last byte that came."""
        return (seq - self._next + _HALF & _MASK) - _HALF

    def feed(self, seq: int, payload: bytes, wire_length: int) -> list[Record]:
        """Take a segment; give the records whose heads it completes.

        Parameters
        ----------
        seq : int
            Sequence number of its first byte, 32 bits.
        payload : bytes
            As captured.
        wire_length : int
            Its length on the wire.
        """
        ahead = self.ahead(seq)
        out: list[Record] = []
        if wire_length + ahead <= 0 or self.lost or self.alien:  # sent again
            return out
        if ahead > 0:
            self.lost = True
            return out
        self.started = True
        self._next = seq + wire_length & _MASK
        data = payload[-ahead:] if ahead else payload
        missing = wire_length + ahead - len(data)
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            at = self._read(data, at, out)
            if self.alien:
                return out
        if missing > self._skip:
            self.lost = True
        else:
            self._skip -= missing
        return out

    def _read(self, data: bytes, at: int, out: list[Record]) -> int:
        """Go on with the head of a record; where it ends."""
        head = self._head
        step = (5 if len(head) < 5 else 5 + min(2, int.from_bytes(head[3:5], "big"))) - len(head)
        head, at = head + data[at : at + step], at + step
        self._head = head
        if len(head) < 5:
            return at
        length = int.from_bytes(head[3:5], "big")
        if not CHANGE_CIPHER <= head[0] <= 24 or head[1] != 3 or head[2] > 4 or length > _LONGEST:
            self.alien = True
        elif len(head) == 5 + min(2, length):
            out.append(Record(head[0], length, head[5:]))
            self._head, self._skip = b"", length + 5 - len(head)
        return at
