import pathlib
import shutil
import subprocess

import pytest

from sipanalyzer.output.display_filter import EXACT_STREAMS, call_filter, stream_filter
from tests.output.results import make_stream


def test_a_call_is_shown_with_its_signalling_and_its_media() -> None:
    assert call_filter("a@b", [make_stream()]) == (
        'sip.Call-ID == "a@b" || (rtp.ssrc == 0x0000beef && ip.src == 10.0.0.2 && udp.srcport == 4000'
        " && ip.dst == 10.0.0.1 && udp.dstport == 5000)"
    )


def test_ipv6_has_its_own_field() -> None:
    text = stream_filter(make_stream(src=("2001:db8::1", 1), dst=("2001:db8::2", 2)))
    assert "ipv6.src == 2001:db8::1" in text and "ipv6.dst == 2001:db8::2" in text


def test_a_stream_that_no_sdp_announced_is_found_by_its_bytes() -> None:
    assert stream_filter(make_stream(matched="rtp-only")).startswith("udp.payload[8:4] == 00:00:be:ef && ")


def test_quotes_and_backslashes_and_controls_are_escaped() -> None:
    assert call_filter('a"b\\c\x01é', []) == 'sip.Call-ID == "a\\"b\\\\c\\x01\\xc3\\xa9"'


def test_many_streams_do_not_make_a_filter_without_end() -> None:
    text = call_filter("a", [make_stream(ssrc=number) for number in range(EXACT_STREAMS + 1)])
    assert "rtp.ssrc in {0x00000000, 0x00000001" in text and "ip.src" not in text


def shown(file: pathlib.Path, text: str) -> int:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("no tshark")
    done = subprocess.run(
        [tshark, "-r", str(file), "-Y", text, "-T", "fields", "-e", "frame.number"],
        capture_output=True,
        text=True,
        check=True,
    )
    return len(done.stdout.split())


def test_tshark_takes_the_filters(corpus: pathlib.Path) -> None:
    file = corpus / "SIPp__sipp__g711a.pcap"
    assert shown(file, call_filter('a"b\\c\x01é', [make_stream(number) for number in []])) == 0
    assert shown(file, call_filter("a", [make_stream(ssrc=number) for number in range(50)])) == 0
    assert (
        shown(file, call_filter("a", [make_stream(), make_stream(matched="nat", src=("::1", 2), dst=("::2", 2))])) == 0
    )
