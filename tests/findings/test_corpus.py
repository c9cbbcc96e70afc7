"""Captures by others: where nothing is broken no finding is an error, and where something is, exactly that.

What is an error was looked at packet by packet with tshark; all captures that are not named here are clean.
"""

from __future__ import annotations

import pathlib

import pytest

from sipanalyzer.errors import CaptureError
from sipanalyzer.findings.engine import find_findings
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Result

CYBERCITY = {"auth-failure", "high-post-dial-delay", "registration-failure"}
"""One capture in many shapes: 401 in spite of credentials, 403 to REGISTER and INVITE, and 17.8 s until it rings."""
BROKEN: dict[str, set[str]] = {
    "irontec__sngrep__aaa.pcap": CYBERCITY,
    "ntop__nDPI__sip.pcap": CYBERCITY,
    "odedshimon__BruteShark__only_sip_sdp_rtp.pcap": CYBERCITY,
    "zeek__zeek__wireshark.pcap": CYBERCITY,
    "ntop__nDPI__fuzz-2006-06-26-2594.pcap": {"registration-failure"},  # the same, fuzzed
    # a host that answers nothing is tried four times; then voice mail takes the call, after 14 s
    "0xSp3ctra__RTP-PARSING__voip.pcap": {"retransmissions"},
    "NormB__sipnab__sip-auth-failure.pcapng": {"registration-failure"},  # 403 to credentials
    "ajbanjara__Wireshark__wireuploaded.pcap": {"registration-failure"},  # 403 to four accounts
    "ntop__nDPI__webex.pcap": {"registration-failure"},  # 22 REGISTERs and not one response
    "NormB__sipnab__sip-rtp-opus-hybrid.pcap": {"high-loss"},  # five packets, their numbers 311 apart
    "ntop__nDPI__FAX-Call-t38-CA-TDM-SIP-FB-1.pcap": {"high-loss"},  # 34 s of one direction were taken out
    "odedshimon__BruteShark__Asterisk_ZFONE_XLITE.pcap": {"high-loss"},  # 369 of 574 packets in a few gaps
}
"""Errors that an engineer agrees with."""
NO_CAPTURES = {"NormB__sipnab__rtsp-packets.cap", "seladb__PcapPlusPlus__solaris.snoop"}
NO_WARNING = (
    "Lekensteyn__wireshark-notes__websocket-sip.pcapng",  # private addresses, but ICE
    "ajbanjara__Wireshark__lan1.pcap",  # `YAHOOREF sip:` is another protocol
    "odedshimon__BruteShark__h263-over-rtp.pcap",  # recorded on one host, its media by another of its addresses
    "open5gs__open5gs__nonipsec_to_ipsec_call.pcapng",  # ICMP before the answer; AMR in silence
    "pentesteracademy__voipshark__SIP-RTP-Normal_Call_two_parties.pcap",  # TCP is refused, and UDP taken
    "profuzzbench__profuzzbench__sip-1.pcap",  # loopback
    "odedshimon__BruteShark__sip-rtp-g711.pcap",  # SIPp without telephone-event
)
"""Where a rule once cried wolf."""


def each(corpus: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in corpus.iterdir() if path.is_file() and path.suffix not in (".md", ".tsv"))


def worst(found: Result, severity: str) -> set[str]:
    return {finding.code for finding in find_findings(found) if finding.severity == severity}


def test_clean_captures_have_no_error_and_the_others_have_theirs(corpus: pathlib.Path) -> None:
    errors: dict[str, set[str]] = {}
    for path in each(corpus):
        try:
            found = worst(analyze(path), "error")
        except CaptureError:
            assert path.name in NO_CAPTURES
            continue
        if found:
            errors[path.name] = found
    assert errors == BROKEN


@pytest.mark.parametrize("name", NO_WARNING)
def test_what_only_looks_like_trouble_is_no_warning(corpus: pathlib.Path, name: str) -> None:
    found = analyze(corpus / name)
    assert not worst(found, "error") | worst(found, "warning")


def test_media_that_sdp_does_not_describe_makes_silence_doubtful(corpus: pathlib.Path) -> None:
    """The SDP of a traffic generator names other addresses than its packets have."""
    name = "cisco-system-traffic-generator__trex-core__delay_10_sip_video_call_full.pcap"
    (finding,) = [each for each in find_findings(analyze(corpus / name)) if each.code == "no-media"]
    assert finding.severity == "warning"
    assert finding.doubtful is not None
