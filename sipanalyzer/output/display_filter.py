"""Wireshark display filters that show one call or one stream. Floor 8.

In: a Call-ID, streams. Out: text for Wireshark's filter bar or ``tshark -Y``.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..result import Stream

__all__ = ["EXACT_STREAMS", "call_filter", "stream_filter"]

EXACT_STREAMS = 40
"""Streams that a call's filter names by addresses and ports; with more it names their SSRCs only."""


def _quoted(text: str) -> str:
    r"""A Wireshark string: ``"`` and ``\`` escaped, what is not printable ASCII as the ``\xHH`` of its UTF-8 bytes."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    if not (plain.isascii() and plain.isprintable()):
        plain = "".join(
            each if each.isascii() and each.isprintable() else "".join(f"\\x{byte:02x}" for byte in _utf8(each))
            for each in plain
        )
    return f'"{plain}"'


def _utf8(character: str) -> bytes:
    return character.encode("utf-8", "replace")


def _side(address: str, port: int, which: str) -> str:
    version = "ipv6" if ":" in address else "ip"
    return f"{version}.{which} == {address} && udp.{which}port == {port}"


def stream_filter(stream: Stream) -> str:
    """The filter that shows an RTP stream.

    Notes
    -----
    Wireshark knows a packet for RTP where SDP announced its address and port. Where it did not (NAT, no SIP in the
    capture), ``rtp.ssrc`` would match nothing, so the SSRC is compared where it stands in the UDP payload.
    """
    ssrc = (
        f"rtp.ssrc == 0x{stream.ssrc:08x}" if stream.matched == "sdp" else f"udp.payload[8:4] == {_bytes(stream.ssrc)}"
    )
    return f"{ssrc} && {_side(*stream.src, 'src')} && {_side(*stream.dst, 'dst')}"


def _bytes(ssrc: int) -> str:
    return ssrc.to_bytes(4, "big").hex(":")


def call_filter(call_id: str, streams: Sequence[Stream]) -> str:
    """The filter that shows a call: its signalling and its media."""
    parts = [f"sip.Call-ID == {_quoted(call_id)}"]
    if len(streams) <= EXACT_STREAMS:
        parts += [f"({stream_filter(stream)})" for stream in streams]
    else:
        parts += [f"rtp.ssrc in {{{', '.join(f'0x{ssrc:08x}' for ssrc in sorted({each.ssrc for each in streams}))}}}"]
    return " || ".join(parts)
