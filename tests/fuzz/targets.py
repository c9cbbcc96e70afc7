"""All fuzz targets by name: what takes bytes, and what to begin with.

A target takes any bytes and returns; an exception is a fault, whatever it is, but for the ones that its parser
promises, which it catches itself. It asserts what must hold besides: that two ways of reading agree, above all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz import (
    message_seeds,
    network_seeds,
    on_captures,
    on_conversations,
    on_expressions,
    on_media,
    on_messages,
    on_network,
    on_results,
)

__all__ = ["TARGETS", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to fuzz."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    longest: int = 1_500
    """Bytes of the longest input that is made."""
    share: float = 1.0
    """Of the time, beside the others."""
    short: int = 3_000
    """Inputs made from the seeds in the fixed-seed part: half a second or so."""
    limit_s: float = 5.0
    """Longer than this no input may take, interpreted and checked."""
    guided: bool = True
    """Whether atheris watches; a whole analysis is ten times as slow then, and plain changes of its seeds find more."""


TARGETS: dict[str, Target] = {
    "containers": Target(on_captures.containers, on_captures.container_seeds, 1_500, short=1_500),
    "compressed": Target(on_captures.compressed, on_captures.compressed_seeds, 1_000, short=1_500),
    "walk-pcap": Target(on_captures.walk_pcap, on_captures.pcap_seeds, 1_000, short=2_500),
    "walk-pcapng": Target(on_captures.walk_pcapng, on_captures.pcapng_seeds, 1_000, short=1_500),
    "decode": Target(on_network.decode, network_seeds.packet_seeds, 300, 2, short=5_000),
    "odd-links": Target(on_network.odd_links, network_seeds.odd_seeds, 300, short=8_000),
    "fragments": Target(on_network.fragments, network_seeds.fragment_seeds, 120),
    "tcp": Target(on_network.reassembly, network_seeds.segment_seeds, 240),
    "sctp": Target(on_network.sctp, network_seeds.sctp_seeds, 600),
    "icmp": Target(on_network.icmp, network_seeds.icmp_seeds, 200, short=8_000),
    "stun-dtls": Target(on_network.checks, network_seeds.check_seeds, 500, short=8_000),
    "tls": Target(on_network.tls, network_seeds.tls_seeds, 400),
    "hep": Target(on_network.hep, network_seeds.hep_seeds, 500),
    "unpack": Target(on_network.unpack, network_seeds.unpack_seeds, 1_500, short=400),
    "start-line": Target(on_messages.start_line, message_seeds.message_seeds, 300),
    "spans": Target(on_messages.span, message_seeds.span_seeds, 800, 2, short=700),
    "message": Target(on_messages.message, message_seeds.message_seeds, short=2_000),
    "stream": Target(on_messages.stream, message_seeds.stream_seeds, 2_500),
    "lost-stream": Target(on_messages.lost_stream, message_seeds.lost_seeds, 2_500),
    "websocket": Target(on_messages.websocket, message_seeds.websocket_seeds),
    "msrp": Target(on_messages.msrp, message_seeds.msrp_seeds),
    "sdp": Target(on_messages.sdp, message_seeds.sdp_seeds, 1_000, short=1_500),
    "multipart": Target(on_messages.bodies, message_seeds.bodies_seeds, 800),
    "values": Target(on_messages.values, message_seeds.value_seeds, 300),
    "quality-reports": Target(on_messages.quality, message_seeds.quality_seeds, 600, short=1_200),
    "strings": Target(on_messages.strings, message_seeds.string_seeds, 300, short=2_000),
    "rtcp": Target(on_media.rtcp, on_media.rtcp_seeds, 400),
    "rtp-streams": Target(on_media.streams, on_media.stream_seeds, 400, short=60),
    "whole": Target(on_conversations.whole, on_captures.sample_seeds, 8_000, 2, 60, 30, False),
    "conversation": Target(on_conversations.conversation, on_conversations.conversation_seeds, 7_000, 2, 40, 30, False),
    "redacted-conversation": Target(
        on_conversations.redacted_conversation, on_conversations.conversation_seeds, 7_000, 1, 20, 30, False
    ),
    "shown": Target(on_results.shown, on_captures.sample_seeds, 8_000, 1, 20, 30, False),
    "read-again": Target(on_results.read_again, on_captures.sample_seeds, 8_000, 1, 40, 30, False),
    "redaction": Target(on_captures.redacted, on_captures.sample_seeds, 6_000, 1, 150, 30, False),
    "redacted-messages": Target(on_captures.redacted_message, on_captures.message_seeds, short=1_500),
    "where": Target(on_expressions.where, on_expressions.where_seeds, 300),
}
"""By name."""
