"""Counted anomalies: what was wrong with single packets, without stopping for it. Floor 0.

An anomaly has a code from :data:`MEANING`, a count, and the first frames that showed it. The list of codes is closed,
so the counter is bounded whatever the wire says.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["EXAMPLES", "MEANING", "Anomalies", "Anomaly"]

EXAMPLES = 10
"""How many frame numbers are kept with each code."""

MEANING = {
    # capture
    "out-of-order-record": "record earlier than the one before it, put in order within the sorting window",
    "clock-step": "record earlier than the one before it by more than the sorting window: the clock was set back",
    "cut-packet": "packet cut by the capture's snapshot length",
    "bad-block": "pcapng block whose content is malformed; skipped",
    "passed-over": "bytes of a damaged file in which no record can be made out; passed over, and read on behind them",
    "bad-interface": "pcapng packet that names an interface that no block describes; skipped",
    "bad-time": "pcapng packet whose time is beyond belief; given that of the packet before it",
    "file-header": "pcap file header amid the records: files strung together, the next read on with its own header",
    "redaction-limit": "payload of TCP, SCTP or a fragment that was wiped since the limit of a redaction was reached",
    "inflated-limit": "compressed file that inflates beyond belief; read no further",
    # link, tunnels, network
    "unknown-link-type": "link type that is not decoded",
    "malformed-link": "link header cut or malformed",
    "malformed-ip": "IP header cut or malformed",
    "malformed-transport": "UDP, TCP or SCTP header cut or malformed",
    "malformed-tunnel": "tunnel header (GRE, VXLAN, GENEVE, GTP-U, ERSPAN, HEP) cut or malformed",
    "tunnel-depth": "tunnels nested deeper than the limit; not decoded further",
    "fragment-missing": "IP datagram of which fragments are missing",
    "fragment-overlap": "IP fragments that overlap with other bytes",
    "fragment-limit": "IP fragments dropped since the limit of kept fragments was reached",
    # transport streams
    "tcp-lost-segment": "TCP segment missing from the capture; SIP resumed at the next start line",
    "tcp-overlap": "TCP segment sent again with other bytes",
    "tcp-limit": "TCP bytes dropped since the limit of kept bytes was reached",
    "websocket-malformed": "WebSocket frame malformed; connection resynchronised",
    "sctp-missing-chunk": "SCTP message of which DATA chunks are missing",
    "fault-limit": "faults of the network not remembered since the limit was reached",
    "msrp-limit": "MSRP session not tabled since the limit was reached",
    # SIP
    "sip-malformed": "looked like SIP and could not be read as a message",
    "sip-truncated": "SIP message cut, by the capture or by a lost segment",
    "sip-too-large": "SIP message larger than the limit; cut",
    "sip-no-call-id": "SIP message without Call-ID: in no dialog",
    "sip-content-length": "SIP message whose Content-Length does not fit its datagram",
    "sip-capture-duplicate": "same message captured twice within 50 ms; dropped",
    "sip-limit": "SIP message dropped since the limit of kept bytes or messages was reached",
    "sip-call-limit": "SIP message dropped since the limit of Call-IDs was reached",
    "sdp-limit": "session description whose sockets were not tied to its call since their limit was reached",
    "sip-body-limit": "message whose body has more parts, or parts nested deeper, than are read",
    "sdp-malformed": "session description that could not be read in whole",
    # RTP
    "rtp-malformed": "looked like RTP and its header does not fit its length",
    "rtp-stray": "packet of an RTP stream far outside its sequence, not confirmed by the next; in no segment",
    "rtp-sequence-reused": "RTP sequence number used again with another timestamp",
    "rtp-clock-late": "SDP that came after its stream named another clock rate; counts from there on",
    "rtp-stream-limit": "RTP stream not tabled since the limit of streams was reached",
    # RTCP
    "rtcp-malformed": "RTCP packet that could not be read in whole",
    "rtcp-limit": "RTCP packet not tabled since the limit of lines was reached",
    "rtp-interval-limit": "interval of an RTP stream not tabled since the limit of intervals was reached",
    "rtp-outage-limit": "hole in an RTP stream not remembered since the limit of holes was reached",
    "rtp-event-limit": "telephone event not remembered since the limit of digits was reached",
}
"""Every code and what it means, in a clause for people."""


@dataclass(slots=True)
class Anomaly:
    """One code's count and the first places that showed it."""

    count: int = 0
    frames: list[int] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


class Anomalies:
    """A counter of anomalies of one capture.

    Examples
    --------
    >>> anomalies = Anomalies()
    >>> anomalies.add("malformed-ip", frame=7)
    >>> anomalies.counts()
    {'malformed-ip': 1}
    """

    def __init__(self) -> None:
        self._by_code: dict[str, Anomaly] = {}

    def add(self, code: str, frame: int | None = None, detail: str | None = None, count: int = 1) -> None:
        """Count `code` once more (or `count` times), with the frame that shows it.

        Raises
        ------
        KeyError
            If `code` is not in :data:`MEANING`.
        """
        entry = self._by_code.get(code)
        if entry is None:
            if code not in MEANING:
                raise KeyError(code)
            entry = self._by_code[code] = Anomaly()
        entry.count += count
        if frame is not None and len(entry.frames) < EXAMPLES:
            entry.frames.append(frame)
        if detail is not None and len(entry.details) < EXAMPLES and detail not in entry.details:
            entry.details.append(detail)

    def counts(self) -> dict[str, int]:
        """Count of each code seen, most frequent first."""
        ordered = sorted(self._by_code.items(), key=lambda item: (-item[1].count, item[0]))
        return {code: entry.count for code, entry in ordered}

    def __getitem__(self, code: str) -> Anomaly:
        return self._by_code[code]

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __len__(self) -> int:
        return len(self._by_code)

    def __str__(self) -> str:
        return " ".join(
            f"{code}={count}" + (f"({'; '.join(self._by_code[code].details)})" if self._by_code[code].details else "")
            for code, count in self.counts().items()
        )
