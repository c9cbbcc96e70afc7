"""What the fuzz targets of `on_messages` begin with: messages, streams, bodies and header values."""

from __future__ import annotations

import struct

from tests.builders import websocket as frame_of
from tests.fuzz.drawing import pieces
from tests.sip.words import invite

_SDP = (
    b"v=0\r\no=- 7 8 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    b"m=audio 4000 RTP/AVP 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendonly\r\n"
    b"a=rtcp:4001 IN IP4 10.0.0.2\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\na=candidate:1 1 UDP 99 10.0.0.1 4000 typ host\r\na=rtcp-mux\r\n"
    b"m=video 4002 RTP/AVP 99\r\nc=IN IP6 fe80::1\r\na=rtpmap:99 H264/90000\r\na=inactive\r\n"
)
_VQ = (
    b"VQSessionReport: CallTerm\r\nCallID: 6@h\r\nLocalAddr: IP=10.0.0.1 PORT=5000 SSRC=0x1a\r\nLocalMetrics:\r\n"
    b"PacketLoss:NLR=5.0 JDR=2.0\r\nQualityEst:MOSLQ=4.2 MOSCQ=4.3\r\n RCQ=85\r\nRemoteMetrics:\r\nDelay:RTD=180\r\n"
)


def message_seeds() -> list[bytes]:
    """Messages plain and odd."""
    reply = b"SIP/2.0 486 Busy here\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1, SIP/2.0/UDP g\r\n"
    reply += b"f: <sip:a@h>;tag=1\r\nt: b\r\ni: 1\r\n"
    odd = (
        b'INVITE sip:b@h SIP/2.0\r\nFrom: "a;tag=no \\" <sip:x>" <sip:alice@h;tag=in>\r\n'
        b"\t;TAG = out ;x\r\nT:sip:b@h;tag=t1\r\n"
        b"CSeq:  0007\r\n  INVITE\r\nm: <sip:c1>, <sip:c2>\r\nServer: one\nUser-Agent: two\r\nl:2\r\n\r\nhiSIP"
    )
    multipart = b"--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x\r\n\r\nhi\r\n--x--\r\n"
    auth = 'Digest username="a", realm="r", nonce="n", uri="sip:r", response="00"'
    return [
        invite(1, _SDP, Content_Type="application/sdp"),
        invite(2, multipart, Content_Type="multipart/mixed;boundary=x"),
        reply + b"CSeq: 1 INVITE\r\nl: 0\r\n\r\n",
        odd,
        invite(3, Authorization=auth, Record_Route="<sip:p;lr>", Date="Sat"),
    ]


def controlled(seeds: list[bytes], *heads: bytes) -> list[bytes]:
    """Each seed behind each head."""
    return [head + seed for head in heads for seed in seeds]


def body_seeds() -> list[bytes]:
    """Bodies by the numbers of their types in `on_captures`."""
    multipart = b"--x\r\nContent-Type: application/sdp\r\n\r\n" + _SDP + b"\r\n--x--\r\n"
    return [
        _SDP,
        multipart,
        b"Signal=5\r\nDuration=160\r\n",
        _VQ,
        b"<a b='c'>d</a>",
        b"SIP/2.0 200 OK\r\n",
        b"hello",
        b"\0\1",
        _VQ,
        b"5",
    ]


def span_seeds() -> list[bytes]:
    """Whole and cut."""
    return controlled(message_seeds(), b"\0", b"\1")


def stream_seeds() -> list[bytes]:
    """Messages one after another, cut here and there, as themselves and in WebSocket."""
    text = b"".join(message_seeds()[:3]) + b"\r\n\r\n" + message_seeds()[2]
    upgrade = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
    web = upgrade + frame_of(invite(1)) + frame_of(invite(2))
    return controlled([text, web], b"\0\0", b"\0\x04\x09\x80\x01\xff", b"\1\x02\x50\x50")


def lost_seeds() -> list[bytes]:
    """A stream in three parts, with and without a hole."""
    text = b"".join(message_seeds()[:3])
    return [pieces(b"\0" + text[:300], bytes([hole]) + text[300:700], b"\0" + text[700:]) for hole in (0, 0xFF)]


def websocket_seeds() -> list[bytes]:
    """Frames masked, in fragments, compressed; behind how they are read."""
    long, ping = frame_of(invite(1, b"x" * 200)), b"\x89\x02hi"
    split = b"\x01\x03INV\x80\x0aITE sip:a@" + b"\x81\x7e\x01\x00" + bytes(256)
    deflated = b"\xc1\x07" + bytes.fromhex("f248cdc9c90700")
    return controlled(
        [long + ping + long, split, deflated * 2, long[5:] + long], b"\0\0", b"\1\3\5\5\5", b"\2\2\x09\x09"
    )


def msrp_seeds() -> list[bytes]:
    """Requests with and without a body, and a response."""
    head = b"MSRP abcd SEND\r\nTo-Path: msrp://b:1/s;tcp\r\nFrom-Path: msrp://a:2/t;tcp\r\n"
    body = b"Message-ID: 1\r\nContent-Type: text/plain\r\n\r\nhello\r\n-------abcd$\r\n"
    reply = b"MSRP abcd 200 OK\r\nTo-Path: msrp://a:2/t;tcp\r\nFrom-Path: msrp://b:1/s;tcp\r\n-------abcd$\r\n"
    return controlled([head + body + reply, head + b"-------abcd+\r\n" + head + body], b"\0", b"\3\x20\x20\x20")


def sdp_seeds() -> list[bytes]:
    """A description with everything, and a plain one."""
    return [
        _SDP,
        _SDP[: _SDP.index(b"m=video")],
        b"v=0\no=- 1 1 IN IP4 h\ns=-\nm=image 1 udptl t38\nc=IN IP4 0.0.0.0\n",
    ]


def bodies_seeds() -> list[bytes]:
    """Parts in each other."""
    inner = b"--y\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--y--\r\n"
    return [
        b"multipart/mixed;boundary=x\n--x\r\n\r\nhi\r\n--x\r\n"
        b'Content-Type: multipart/alternative; boundary="y"\r\n\r\n' + inner + b"--x--\r\n",
        b"application/sdp\nv=0\r\n",
        b"multipart/related ; Boundary=y ;type=a\n" + inner,
    ]


def value_seeds() -> list[bytes]:
    """One of each."""
    return [
        b'"A \\" B" <sip:a:pw@h:5060;transport=tcp?X=y>;tag=1;q="a;b"',
        b"sip:+49301234567;phone-context=x@[::1]:5061;user=phone",
        b"tel:+49-30-1234;ext=5",
        b'SIP / 2.0 / TCP [::1]:5060 ; branch="b;1";rport;received=1.2.3.4 (c), SIP/2.0/UDP x',
        b"<sip:a>, <sip:b>;expires=5, *",
        b"%41%zz\xff\xe2\x80\xae",
        b"urn:service:sos",
        b"a,b;c=d",
    ]


def quality_seeds() -> list[bytes]:
    """A body, and headers."""
    headers = (
        b"X-RTP-Stat: PS=566;OS=135840;PL=4,7;JI=23,48;IP=77.185.30.173:7078,87.234.1.202:15612",
        b"P-RTP-Stat: PS=0,PR=5429,PL=3,JI=2,LA=40",
        b'RTP-RxStat: Dur=13,LostPkt=2,AvgJit=3,VQMetrics="MLQK=4.5;CS=1"',
    )
    return [b"\1" + _VQ, *(b"\0" + each for each in headers)]


def string_seeds() -> list[bytes]:
    """Equal ones, empty ones, long ones, more than there is room for."""
    return [
        struct.pack(">I", seed)
        + pieces(b"a", b"bc", b"", b"a", b"abcdefgh", b"abcdefgi", b"\xff", *(bytes([65 + k]) for k in range(12)))
        for seed in (0, 1, 2**32 - 1)
    ]
