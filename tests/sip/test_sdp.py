"""Session descriptions: numbers by hand, what is borne, and tshark as a witness."""

from __future__ import annotations

import json
import pathlib
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer.codecs import Codec
from sipanalyzer.errors import ParseError
from sipanalyzer.options import Options
from sipanalyzer.sip.parser import parse_message
from sipanalyzer.sip.sdp import (
    DEFECTS,
    Candidate,
    Media,
    Origin,
    RtpMap,
    Sdp,
    codec_of,
    find_sdp,
    parse_sdp,
    sdp_limits,
)
from tests.sip.words import datagrams

HEAD = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def sdp(*lines: str) -> Sdp:
    return parse_sdp((HEAD + "".join(line + "\r\n" for line in lines)).encode())


def only(*lines: str) -> Media:
    (media,) = sdp(*lines).media
    return media


def test_a_plain_offer_is_read_whole() -> None:
    made = sdp("m=audio 49170/2 RTP/AVP 0 8 97 101", "a=rtpmap:97 iLBC/8000", "a=rtpmap:101 telephone-event/8000",
               "a=fmtp:101 0-16", "a=ptime:30", "a=maxptime:60.5", "a=rtcp:53020 IN IP4 192.0.2.9", "a=label:1",
               "a=silenceSupp:off - - - -")  # fmt: skip
    assert made.defects == ()
    assert made.origin == Origin("-", "1", "2", "192.0.2.1")
    assert made.address == "192.0.2.1"
    (media,) = made.media
    assert media == Media(
        kind="audio", port=49170, port_count=2, protocol="RTP/AVP", formats=("0", "8", "97", "101"),
        address="192.0.2.1", rtcp_port=53020, rtcp_address="192.0.2.9", ptime=30.0, maxptime=60.5, label="1",
        rtpmaps={97: RtpMap("iLBC", 8000), 101: RtpMap("telephone-event", 8000)}, fmtp={101: "0-16"},
        attributes=(("silenceSupp", "off - - - -"),),
    )  # fmt: skip
    assert not media.held
    assert not media.encrypted


def test_the_media_address_comes_before_the_sessions() -> None:
    made = sdp("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1", "m=video 4002 RTP/AVP 31", "c=IN IP4 224.2.1.1/127/3",
               "m=audio 4004 RTP/AVP 0", "m=audio 4006 RTP/AVP 0", "c=IN IP4 media.example.com")  # fmt: skip
    assert [m.address for m in made.media] == ["2001:db8::1", "224.2.1.1", "192.0.2.1", "media.example.com"]


def test_direction_is_inherited_and_the_medias_own_wins() -> None:
    made = sdp(
        "a=recvonly", "m=audio 1 RTP/AVP 0", "m=audio 2 RTP/AVP 0", "a=sendonly", "m=audio 3 RTP/AVP 0", "a=sendrecv"
    )
    assert [m.direction for m in made.media] == ["recvonly", "sendonly", "sendrecv"]
    assert only("m=audio 1 RTP/AVP 0").direction == "sendrecv"


@pytest.mark.parametrize(
    ("lines", "held"),
    [
        (("m=audio 1 RTP/AVP 0", "a=sendonly"), True),
        (("m=audio 1 RTP/AVP 0", "a=inactive"), True),
        (("m=audio 1 RTP/AVP 0", "a=recvonly"), False),
        (("m=audio 1 RTP/AVP 0", "c=IN IP4 0.0.0.0"), True),
        (("m=audio 1 RTP/AVP 0", "c=IN IP6 ::"), True),
        (("m=audio 9 UDP/TLS/RTP/SAVPF 0", "c=IN IP4 0.0.0.0", "a=ice-ufrag:x"), False),
        (("m=audio 0 RTP/AVP 0", "a=inactive"), False),
    ],
)
def test_hold_is_by_direction_or_by_no_address(lines: tuple[str, ...], held: bool) -> None:
    assert only(*lines).held is held


def test_webrtc_is_read() -> None:
    made = sdp(
        "a=group:BUNDLE 0 video", "a=group:LS x", "a=ice-ufrag:sess", "a=fingerprint:sha-256 AA:BB", "a=setup:actpass",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=rtcp-mux", "a=ice-ufrag:abc", "a=rtpmap:111 OPUS/48000/2",
        "a=candidate:1 1 UDP 2122260223 192.0.2.7 50000 typ host generation 0",
        "a=candidate:2 2 udp 1686052607 2001:db8::7 50001 typ srflx raddr 10.0.0.1 rport 9",
        "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:video", "a=setup:active",
    )  # fmt: skip
    assert made.groups == (("0", "video"),)
    audio, video = made.media
    assert audio.candidates == (
        Candidate(1, "udp", "192.0.2.7", 50000, "host"), Candidate(2, "udp", "2001:db8::7", 50001, "srflx"),
    )  # fmt: skip
    assert (audio.mid, audio.rtcp_mux, audio.ice_ufrag, audio.setup) == ("0", True, "abc", "actpass")
    assert (video.mid, video.rtcp_mux, video.ice_ufrag, video.setup) == ("video", False, "sess", "active")
    assert audio.fingerprint == video.fingerprint == "sha-256 AA:BB"
    assert audio.encrypted
    assert audio.rtpmaps[111] == RtpMap("OPUS", 48000, 2)
    assert codec_of(audio, 111) == Codec("opus", 48000)


def test_encryption_is_seen_in_whatever_says_so() -> None:
    crypto = only("m=audio 1 RTP/AVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xyz", "a=crypto:2 F8 inline:a")
    assert crypto.crypto == ("AES_CM_128_HMAC_SHA1_80", "F8")
    assert crypto.encrypted
    assert only("m=audio 1 RTP/SAVP 0").encrypted
    assert only("m=audio 1 RTP/AVP 0", "a=zrtp-hash:1.10 ff").encrypted
    assert only("a=key-mgmt:mikey AQ", "m=audio 1 RTP/AVP 0").encrypted


def test_fax_and_messages_are_read() -> None:
    fax = only("m=image 5004 udptl t38", "a=T38FaxVersion:0")
    assert (fax.kind, fax.protocol, fax.formats, fax.encrypted) == ("image", "udptl", ("t38",), False)
    msrp = only("m=message 7654 TCP/MSRP *", "a=path:msrp://h:7654/x;tcp")
    assert (msrp.kind, msrp.path) == ("message", "msrp://h:7654/x;tcp")


def test_a_codec_is_named_as_the_registry_names_it() -> None:
    media = only("m=audio 1 RTP/AVP 0 9 18 96 97 98 99", "a=rtpmap:9 g722/16000", "a=rtpmap:96 AMR-wb/16000",
                 "a=rtpmap:97 L16/11025", "a=rtpmap:98 NewThing/12345", "a=rtpmap:18 G729/8000/1")  # fmt: skip
    found = {pt: codec_of(media, pt) for pt in (0, 9, 18, 96, 97, 98, 99)}
    assert {pt: (c.name, c.clock_rate_hz) if c else None for pt, c in found.items()} == {
        0: ("PCMU", 8000), 9: ("G722", 8000), 18: ("G729", 8000), 96: ("AMR-WB", 16000), 97: ("L16", 11025),
        98: ("NewThing", 12345), 99: None,
    }  # fmt: skip
    assert codec_of(only("m=video 1 RTP/AVP 98", "a=rtpmap:98 X/90000"), 98) == Codec("X", 90000, "video")


@pytest.mark.parametrize(
    ("lines", "defects"),
    [
        (("m=audio 1 RTP/AVP 0", "a=direction:both"), ("direction-both",)),
        (("m=audio x RTP/AVP 0",), ("bad-media",)),
        (("m=audio 70000 RTP/AVP 0",), ("bad-media",)),
        (("m=audio 1 RTP/AVP",), ("bad-media",)),
        (("m=",), ("bad-media",)),
        (("c=IN IP4",), ("bad-connection",)),
        (("nonsense", "=", "m =video 1 RTP/AVP 0"), ("malformed-line",)),
        (("m=audio 1 RTP/AVP 0", "a=rtpmap:200 x/1"), ("bad-rtpmap",)),
        (("m=audio 1 RTP/AVP 0", "a=rtpmap:97"), ("bad-rtpmap",)),
        (("m=audio 1 RTP/AVP 0", "a=ptime:-1", "a=rtcp:x", "a=crypto:", "a=candidate:1 2"), ("bad-attribute",)),
        (tuple(f"m=audio {i} RTP/AVP 0" for i in range(1, Options().max_sdp_media + 2)), ("too-long",)),
    ],
)
def test_what_is_wrong_is_noted_and_the_rest_read(lines: tuple[str, ...], defects: tuple[str, ...]) -> None:
    made = sdp(*lines)
    assert made.defects == defects
    assert set(defects) <= DEFECTS.keys()
    assert len(made.media) == min(Options().max_sdp_media, sum(line.startswith("m=") for line in lines))


def test_what_is_missing_is_noted() -> None:
    assert parse_sdp(b"m=audio 1 RTP/AVP 0").defects == (
        "missing-version", "missing-session-name", "missing-time", "missing-origin", "missing-connection",
    )  # fmt: skip
    assert parse_sdp(b"v=0\nm=audio 0 RTP/AVP 0").defects[-1] == "missing-origin"
    for body in (b"", b"\r\n", b"hello", b"s=-\r\nt=0 0\r\n", b"\xff\xfe\0"):
        with pytest.raises(ParseError):
            parse_sdp(body)


def test_an_rtpmap_without_a_clock_takes_the_registrys() -> None:
    assert only("m=audio 1 RTP/AVP 101", "a=rtpmap:101 telephone-event").rtpmaps == {
        101: RtpMap("telephone-event", 8000)
    }


def test_any_line_end_will_do() -> None:
    text = HEAD + "m=audio 1 RTP/AVP 0\r\na=sendonly\r\n"
    made = parse_sdp(text.encode())
    assert made == parse_sdp(text.replace("\r\n", "\n").encode()) == parse_sdp(text.replace("\r\n", "\r").encode())


def test_a_description_is_found_where_it_is() -> None:
    body = b"v=0\r\nm=audio 1 RTP/AVP 0\r\n"
    multipart = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: Application/SDP\r\n\r\n"
        + body
        + b"\r\n--b--"
    )
    assert find_sdp("application/sdp", body) == body
    assert find_sdp(" Application/SDP ; charset=x", body) == body
    assert find_sdp(None, body) == body
    assert find_sdp('multipart/mixed; boundary="b"', multipart) == body
    assert find_sdp("multipart/mixed;boundary=b", b"--b\r\n\r\n" + body + b"\r\n--b--") == body
    assert find_sdp("text/plain", body) is None
    assert find_sdp(None, b"hello") is None
    assert find_sdp("application/sdp", b"") is None


def test_a_good_description_cut_anywhere_is_read_or_refused() -> None:
    body = (HEAD + "m=audio 49170/2 RTP/AVP 0 97\r\na=rtpmap:97 iLBC/8000\r\na=rtcp:53020 IN IP4 192.0.2.9\r\n"
            "a=candidate:1 1 UDP 2122260223 192.0.2.7 50000 typ host\r\na=crypto:1 X inline:\r\n").encode()  # fmt: skip
    for cut in range(len(body)):
        try:
            made = parse_sdp(body[:cut])
        except ParseError:
            assert cut < 3
            continue
        assert set(made.defects) <= DEFECTS.keys()


_line = st.one_of(
    st.text(max_size=30),
    st.builds(
        "{}={}{}".format,
        st.sampled_from(["a", "m", "c", "o", "v"]),
        st.sampled_from(
            ["", "rtpmap:", "fmtp:", "rtcp:", "candidate:", "group:BUNDLE", "crypto:", "audio ", "IN IP4 "]
        ),
        st.text(st.sampled_from("0123456789 /:.-\t²½a\u0661"), max_size=20),
    ),
)


@settings(max_examples=300)
@given(st.lists(_line, max_size=15), st.binary(max_size=4))
def test_no_bytes_raise_anything_else(lines: list[str], noise: bytes) -> None:
    body = "\r\n".join(lines).encode("utf-8", "surrogatepass") + noise
    try:
        made = parse_sdp(body)
    except ParseError:
        return
    assert set(made.defects) <= DEFECTS.keys()
    for media in made.media:
        assert 0 <= media.port < 65536
        for pt in range(128):
            codec_of(media, pt)


@pytest.mark.parametrize(
    "piece", ["a=rtpmap:1 ", "m=audio 1 x 0\r\n", "a=x\r\n", " ", "/", "a=fmtp:1 x;", "a=group:BUNDLE "]
)
def test_a_long_crafted_body_takes_no_longer_than_its_length(piece: str) -> None:
    body = (HEAD + "m=audio 1 RTP/AVP 0\r\na=rtpmap:1 " + piece * (200_000 // len(piece))).encode()
    began = time.perf_counter()
    made = parse_sdp(body)
    assert time.perf_counter() - began < 1
    assert "too-long" in made.defects


def test_tshark_reads_the_same_media_in_real_captures(corpus: pathlib.Path) -> None:
    compared = 0
    for truth_path in sorted((corpus / "truth").glob("*.json")):
        name = truth_path.name.removesuffix(".json")
        told = {m["frame"]: m for m in json.loads(truth_path.read_text())["sip_messages"] if m.get("sdp")}
        if not told or "fuzz" in name:
            continue
        for frame, data in datagrams(corpus / name):
            if frame not in told:
                continue
            message = parse_message(data)
            body = find_sdp(message.content_type, message.body)
            assert body is not None, (name, frame)
            made = parse_sdp(body)
            compared += 1
            check(made, told[frame]["sdp"], f"{name} frame {frame}")
    assert compared > 250


def check(made: Sdp, told: dict[str, list[str]], where: str) -> None:
    """Compare with tshark's lists of m=, c= and a= lines, which do not say which media they belong to."""
    lines = [
        f"{m.kind} {m.port}{f'/{m.port_count}' * (m.port_count > 1)} {m.protocol} {' '.join(m.formats)}"
        for m in made.media
    ]
    assert lines == [line.strip() for line in told["m"]], where
    addresses = {line.split()[-1].partition("/")[0] for line in told.get("c", [])}
    assert {m.address for m in made.media} | {made.address} <= addresses | {None}, where
    mine = sorted(f"{pt} {r.name}/{r.clock_rate}" for m in made.media for pt, r in m.rtpmaps.items())
    theirs = sorted(
        "/".join(a.removeprefix("rtpmap:").split("/")[:2]) for a in told.get("a", []) if a.startswith("rtpmap:")
    )
    assert mine == theirs, where
    directions = [a for a in told.get("a", []) if a in ("sendrecv", "sendonly", "recvonly", "inactive")]
    assert {m.direction for m in made.media} <= {*directions, "sendrecv"}, where


def test_a_description_of_a_known_shape_is_read_as_if_it_were_the_first(corpus: pathlib.Path) -> None:
    from sipanalyzer.pipeline import analyze
    from sipanalyzer.sip.sdp import find_sdp, parse_sdp, parse_whole

    compared = 0
    for path in sorted(corpus.glob("*sip*.pcap*"))[:40]:
        messages = analyze(path).messages
        for i in range(len(messages)):
            body = find_sdp(messages.text("content_type", i), messages.body(i))
            if body:
                for old, new in (
                    (b"", b""),
                    (b"1", b"2"),
                    (b".1", b".77"),
                    (b"m=audio ", b"m=audio 1"),
                    (b"IP4", b"IP6"),
                ):
                    changed = body.replace(old, new) if old else body
                    assert parse_sdp(changed) == parse_whole(changed)
                    compared += 1
    assert compared > 100


@pytest.mark.parametrize(
    "second",
    [
        b"v=0\r\no=- 1 1 IN IP4 h.example\r\ns=-\r\nc=IN IP4 h.example\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n",
        b"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 224.2.1.1/127\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n",
        b"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 2.2.2.2\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n",
        b"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 2.2.2.2\r\nt=0 0\r\nm=audio 70000 RTP/AVP 0\r\n",
        b"v=0\r\no=\r\ns=-\r\nc=IN IP4 2.2.2.2\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n",
        b"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 \r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n",
        b"v=0\r\no=a b 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 3.3.3.3\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n",
    ],
)
def test_odd_values_in_a_known_shape_are_read_in_full(second: bytes) -> None:
    from sipanalyzer.sip.sdp import parse_sdp, parse_whole

    first = b"v=0\r\no=- 9 9 IN IP4 9.9.9.9\r\ns=-\r\nc=IN IP4 9.9.9.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    for one, other in ((first, second), (second, first)):
        parse_sdp.cache_clear()
        parse_sdp(one)
        assert parse_sdp(other) == parse_whole(other)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"s=-\r\n", b"s=-\r\n c=IN IP4 1.1.1.1\r\n"),
        (b"s=-\r\n", b"s=-\rc=IN IP4 1.1.1.1\r\n"),
        (b"m=audio 4000 ", b"m=audio\t4000 7 "),
        (b"RTP/AVP 0\r\n", b"RTP/AVP 0\r\nc=IN IP4 \r\n"),
        (b"m=audio 4000 RTP/AVP", b"m=audioR 4000 TP/AVP"),
    ],
)
def test_a_shape_that_hides_a_line_is_no_shape(before: bytes, after: bytes) -> None:
    from sipanalyzer.sip.sdp import parse_sdp, parse_whole

    plain = b"v=0\r\no=- 9 9 IN IP4 9.9.9.9\r\ns=-\r\nc=IN IP4 9.9.9.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    first = plain.replace(before, after)
    parse_sdp.cache_clear()
    for body in (plain, first, first.replace(b"c=IN IP4 9.9.9.9", b"c=IN IP4 2.2.2.2"), first.replace(b" 7 ", b" 8 "),
                 first.replace(b"c=IN IP4 \r", b"c=IN IP4 7.7.7.7\r")):  # fmt: skip
        assert parse_sdp(body) == parse_whole(body)


@pytest.mark.parametrize(
    "lines",
    [
        lambda n: ["m=audio 4 RTP/AVP " + " ".join(map(str, range(n)))],
        lambda n: ["m=audio 4 RTP/AVP 0", *(f"a=candidate:1 1 UDP {i} 10.0.0.1 {i} typ host" for i in range(1, n + 1))],
        lambda n: ["m=audio 4 RTP/SAVP 0", *(f"a=crypto:{i} AES_CM_128_HMAC_SHA1_80 inline:x" for i in range(n))],
        lambda n: ["m=audio 4 RTP/AVP 0", *(f"a=x-{i}" for i in range(n))],
        lambda n: [*(f"a=group:BUNDLE {i}" for i in range(n)), "m=audio 4 RTP/AVP 0"],
        lambda n: ["a=group:BUNDLE " + " ".join(map(str, range(n))), "m=audio 4 RTP/AVP 0"],
    ],
    ids=["formats", "candidates", "keys", "attributes", "groups", "mids"],
)
def test_as_many_values_of_a_kind_are_kept_as_the_option_says(lines: Callable[[int], list[str]]) -> None:
    def made(count: int, most: int) -> Sdp:
        limits = sdp_limits(Options(max_sdp_values=most))
        return parse_sdp((HEAD + "\r\n".join(lines(count))).encode(), limits)

    for most in (5, Options().max_sdp_values):
        whole, cut = made(most, most), made(most + 1, most)
        assert (whole.defects, cut.defects) == ((), ("too-long",))
        assert (whole.groups, whole.media) == (cut.groups, cut.media)
        assert made(most + 1, most + 1) != whole
