"""The rows of the table: what is measured, on which captures, against what, and what is wanted.

In commands FILE stands for the capture, TEMP for a folder that is thrown away. A command is run once for each of
several captures, and the sum counts. Captures are written by make_captures.py, packed by gzip, or put together from
others by Wireshark's mergecap.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass

PLAIN_CALL = pathlib.Path(__file__).resolve().parent.parent / "sample_pcaps" / "plain.pcap"
FIRST_RUN_S = 8.0
MEMORY_MB = 250.0

CAPTURES: dict[str, str] = {
    "rtp-heavy.pcap": "rtp-heavy",
    "rtp-heavy.pcapng": "rtp-heavy --container pcapng",
    "rtp-heavy.pcap.gz": "gzip -1 rtp-heavy.pcap",
    "rtp-vlan.pcap": "rtp-heavy --vlan 7 --calls 667",
    "rtp-ipv6.pcap": "rtp-heavy --ipv6 --calls 667",
    "rtp-sll2.pcap": "rtp-heavy --link sll2 --calls 667",
    "rtp-links.pcapng": "mergecap rtp-vlan.pcap rtp-ipv6.pcap rtp-sll2.pcap",
    "rtp-gtp.pcap": "rtp-heavy --gtp",
    "rtp-vxlan.pcap": "rtp-heavy --vxlan",
    "rtp-3m.pcap": "rtp-heavy --seconds 15",
    "rtp-600k.pcap": "rtp-600k",
    "rtp-short.pcap": "rtp-heavy --seconds 6",
    "sip-heavy.pcap": "sip-heavy",
    "sip-tcp.pcap": "sip-heavy --tcp 1000",
    "packets-1.pcap": "rtp-600k",
    "packets-4.pcap": "rtp-600k --seconds 240",
    "packets-16.pcap": "rtp-600k --seconds 960",
    "calls-1.pcap": "sip-heavy --calls 3125",
    "calls-4.pcap": "sip-heavy --calls 12500",
    "calls-16.pcap": "sip-heavy --calls 50000",
    "streams-1.pcap": "rtp-heavy --seconds 2 --calls 500",
    "streams-4.pcap": "rtp-heavy --seconds 2 --calls 2000",
    "streams-16.pcap": "rtp-heavy --seconds 2 --calls 8000",
}
"""File name -> arguments of make_captures.py, or what is done with others."""


@dataclass(frozen=True)
class Pair:
    """Our command and another tool's on the same captures."""

    name: str
    captures: tuple[str, ...]
    ours: str
    theirs: str
    limit: float | None = None
    """What the median of the ratios must not exceed."""
    limit_mb: float | None = None
    """What our peak must not exceed."""
    messages: int | None = None
    """Messages in the capture, where the peak is wanted for each: at most `limit_kb` of them."""
    limit_kb: float = 3.0
    theirs_on: tuple[str, ...] = ()
    """Captures of the other tool, where it cannot read ours."""
    limit_first_s: float | None = FIRST_RUN_S
    """What our run with an empty kernel cache must not exceed."""


@dataclass(frozen=True)
class Growth:
    """What more of the same costs: our command on captures of 1x, 4x and 16x (or of two sizes) of something.

    What 12 further units cost is divided by four times what the first 3 further units cost, so that what a start
    costs drops out; 1 is linear. Time is that of the processor, since waiting is not work.
    """

    name: str
    captures: tuple[str, ...]
    ours: str
    of: str
    """``time``, or ``memory`` in megabytes."""
    limit: float


TCPDUMP = "tcpdump -Z root -r FILE -w /dev/null"  # started by root it would hand /dev/null to another user without -Z
TSHARK = "tshark -q -z rtp,streams -r FILE"
STREAMS = "sipanalyzer streams FILE"
THIRDS = ("rtp-vlan.pcap", "rtp-ipv6.pcap", "rtp-sll2.pcap")

ROWS: tuple[Pair | Growth, ...] = (
    Pair("floor", ("rtp-heavy.pcap",), STREAMS, "cat FILE"),
    Pair("rtp-heavy", ("rtp-heavy.pcap",), STREAMS, TCPDUMP, limit=1.0, limit_mb=MEMORY_MB),
    # tcpdump refuses a file of several link types: it reads the three files of which ours is put together
    Pair("rtp-heavy-links", ("rtp-links.pcapng",), STREAMS, TCPDUMP, limit=1.0, limit_mb=MEMORY_MB, theirs_on=THIRDS),
    Pair("rtp-heavy-pcapng", ("rtp-heavy.pcapng",), STREAMS, TCPDUMP, limit=1.0, limit_mb=MEMORY_MB),
    Pair("rtp-gtp", ("rtp-gtp.pcap",), STREAMS, TCPDUMP, limit=2.0, limit_mb=MEMORY_MB),
    Pair("rtp-vxlan", ("rtp-vxlan.pcap",), STREAMS, TCPDUMP, limit=2.0, limit_mb=MEMORY_MB),
    Pair("rtp-600k", ("rtp-600k.pcap",), STREAMS, TSHARK, limit=0.2, limit_mb=MEMORY_MB),
    # sngrep keeps 20,000 dialogs unless told otherwise
    Pair(
        "sip-heavy",
        ("sip-heavy.pcap",),
        "sipanalyzer calls FILE",
        "sngrep -N -q -l 100000 -I FILE -O /dev/null",
        limit=1.0,
        messages=350_000,
    ),
    Pair("sip-messages", ("sip-heavy.pcap",), "sipanalyzer messages FILE", "tshark -q -z sip,stat -r FILE"),
    Pair(
        "sip-tcp", ("sip-tcp.pcap",), "sipanalyzer calls FILE", "tshark -q -z sip,stat -r FILE", 0.3, messages=350_000
    ),
    Pair("gzip", ("rtp-heavy.pcap.gz",), STREAMS, "gzip -dc FILE", limit=1.0, limit_mb=MEMORY_MB),
    Pair("small-call", (), f"sipanalyzer calls {PLAIN_CALL}", 'python -c "import pandas"', limit=1.3),
    # a report costs by the call, tshark by the packet: calls of a minute, and of six seconds, which is harder
    Pair("report", ("rtp-heavy.pcap",), "sipanalyzer report FILE -o TEMP/report.html", TSHARK, limit=0.5),
    Pair("report-short", ("rtp-short.pcap",), "sipanalyzer report FILE -o TEMP/report.html", TSHARK, limit=0.5),
    Growth("memory", ("rtp-3m.pcap", "rtp-heavy.pcap"), STREAMS, "memory", limit=1.03),
    Growth("cost-packets", ("packets-1.pcap", "packets-4.pcap", "packets-16.pcap"), STREAMS, "time", limit=1.1),
    Growth(
        "cost-calls", ("calls-1.pcap", "calls-4.pcap", "calls-16.pcap"), "sipanalyzer calls FILE", "time", limit=1.1
    ),
    Growth("cost-streams", ("streams-1.pcap", "streams-4.pcap", "streams-16.pcap"), STREAMS, "time", limit=1.1),
)
