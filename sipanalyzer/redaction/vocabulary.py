"""What of a message's words is the protocol's and stays. All else is somebody's. Floor 3, tables only.

Sources: IANA's registries of SIP header fields, header field parameters, URI parameters and SDP parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = [
    "AGENTS", "ATTRIBUTES", "COUNTED", "FIELDS", "FIGURES", "FIRST_WORD", "FLAGS", "METHODS", "NAMES", "SHAPES",
    "SHORT", "SPOKEN", "TYPES", "WHOLE", "WORDS",
]  # fmt: skip

METHODS = frozenset(
    b"INVITE ACK BYE CANCEL REGISTER OPTIONS PRACK SUBSCRIBE NOTIFY PUBLISH INFO REFER MESSAGE UPDATE".split()
)
SHORT = {
    b"i": b"call-id", b"m": b"contact", b"e": b"content-encoding", b"l": b"content-length", b"c": b"content-type",
    b"f": b"from", b"s": b"subject", b"k": b"supported", b"t": b"to", b"v": b"via", b"o": b"event",
    b"u": b"allow-events", b"r": b"refer-to", b"b": b"referred-by", b"x": b"session-expires", b"y": b"identity",
    b"a": b"accept-contact", b"j": b"reject-contact", b"d": b"request-disposition", b"n": b"identity-info",
}  # fmt: skip
"""Compact names of headers (RFC 3261 7.3.3 and later)."""

_NUMBERS = rb"[\d\s.,;*()/+-]*"
_WIDE = rb"[\w.+*/,;=\s-]*"
_TOKENS = rb"\s*[A-Za-z][\w.+*/,\s-]*"


def _by_name(rows: Iterable[tuple[bytes, bytes]], flags: int = 0) -> dict[bytes, re.Pattern[bytes]]:
    """Compiled shapes by each of the names that share one."""
    return {name: re.compile(shape, flags) for names, shape in rows for name in names.split()}


WHOLE = _by_name(
    (
        (b"max-forwards content-length expires min-expires min-se rseq timestamp", _NUMBERS),
        (b"cseq rack", rb"[\d\s]*[A-Z]{2,12}\s*"),
        (b"session-expires", rb"[\d\s]*(?:;\s*refresher\s*=\s*(?:uac|uas)\s*)?"),
        (b"allow allow-events supported require proxy-require unsupported privacy", _TOKENS),
        (b"content-encoding content-language mime-version accept-encoding accept-language priority", _WIDE),
        (b"upgrade connection sec-websocket-version", rb"[\w,\s-]*"),
        (b"date", rb"\s*[A-Z][a-z]{2},\s+\d{1,2}\s+[A-Z][a-z]{2}\s+\d{4}\s+[\d:]{8}\s+GMT\s*"),
        (b"sec-websocket-protocol", rb"\s*(?:sip|msrp)\s*"),
        (b"byte-range", rb"[\d\s*/-]*"),
        (b"success-report failure-report", rb"\s*(?:yes|no|partial)\s*"),
        (b"status", rb"\s*\d{3}\s+\d{3}[^\r\n]{0,32}\s*"),
    )
)
"""Headers whose value stays where it has the shape that the protocol gives it."""
FIRST_WORD = frozenset(
    b"content-type content-disposition event subscription-state accept reason retry-after authorization "
    b"proxy-authorization www-authenticate proxy-authenticate".split()
)
"""Headers that begin with a word of the protocol, which stays; parameters and comments behind it do not."""
AGENTS = frozenset(b"user-agent server x-asterisk-version".split())
"""Names of products: they stay but for addresses in them, which some equipment adds."""
COUNTED = frozenset(b"x-rtp-stat p-rtp-stat rtp-rxstat rtp-txstat x-rtp-stat-add".split())
"""Quality as phones report it: names of figures stay, and numbers; addresses in them do not."""
SPOKEN = frozenset(b"reason warning error-info".split())
"""Headers with a text for people in which common words stay."""

SHAPES = _by_name(
    (
        (b"transport", rb"udp|tcp|tls|sctp|ws|wss"),
        (b"user", rb"phone|ip|dialog"),
        (b"expires ttl cause counter index code comp-level reg-id nc generation", rb"[\d.]{1,10}"),
        (b"text-code size duration version network component", rb"\d{1,6}(?:\.\d)?"),
        (b"q", rb"[01](?:\.\d{0,3})?"),
        (b"refresher", rb"uac|uas"),
        (b"rport received-port lr ob", rb"\d{1,5}|on|true"),
        (b"method methods", rb"[A-Z, ]{2,120}"),
        (b"algorithm", rb"(?:MD5|SHA-?256|SHA-?512(?:-256)?|AKAv[12]-MD5)(?:-sess)?"),
        (b"qop", rb"[a-z-]+(?:\s*,\s*[a-z-]+)*"),
        (b"stale purpose-ok", rb"true|false"),
        (b"party", rb"calling|called"),
        (b"screen", rb"yes|no"),
        (b"privacy", rb"[a-z;-]{1,20}"),
        (b"reason", rb"[a-z-]{2,24}"),
        (b"handling", rb"optional|required"),
        (b"charset", rb"utf-?8|us-ascii|iso-8859-\d{1,2}"),
        (b"comp", rb"sigcomp"),
        (b"refer-sub", rb"true|false"),
        (b"purpose", rb"[a-z-]{2,24}"),
        (b"type", rb"[a-z]+/[a-z.+-]+"),
        (b"scope", rb"full|partial"),
    ),
    re.IGNORECASE,
)
"""Parameters whose value stays where it has this shape."""
NAMES = SHAPES.keys() | frozenset(
    b"branch tag received maddr from-tag to-tag call-id local-tag remote-tag remote realm nonce opaque response uri "
    b"username cnonce domain rspauth nextnonce auts auth-params text icid-value icid-generated-at orig-ioi term-ioi "
    b"replaces isub phone-context postd ext id sigcomp-id +sip.instance +g.3gpp.icsi-ref pub-gruu temp-gruu gr "
    b"boundary hidden cpc oli rn npdi tgrp trunk-context otg ad loc keep alias sla info subject".split()
)
"""Parameters whose name stays though the value does not."""
FLAGS = frozenset(
    b"lr ob rport gr early-only late keep alias hide audio video text automata isfocus npdi phone "
    b"include-session-description".split()
)
"""Parameters without a value."""

ATTRIBUTES = frozenset(
    b"rtpmap ptime maxptime minptime sendrecv sendonly recvonly inactive rtcp-mux rtcp-mux-only rtcp-rsize rtcp-fb "
    b"setup connection mid group extmap extmap-allow-mixed ssrc-group-semantics framerate quality silencesupp ice-lite "
    b"ice-options end-of-candidates maxprate curr des conf bundle-only accept-types accept-wrapped-types "
    b"max-size content orient type charset sdplang lang pcfg acap tcap acfg csup creq sqn cdsc cpar T38FaxVersion "
    b"T38MaxBitRate T38FaxFillBitRemoval T38FaxTranscodingMMR T38FaxTranscodingJBIG T38FaxRateManagement "
    b"T38FaxMaxBuffer T38FaxMaxDatagram T38FaxUdpEC T38FaxUdpECDepth T38FaxMaxIFP T38ModemType T38VendorInfo fmtp "
    b"simulcast rid imageattr framesize sctpmap sctp-port max-message-size ecn-capable-rtp floorctrl "
    b"floorid direction rtcp-xr 3gOoBTC mptime vsel psel ecan gpmd pmft X-cap".lower().split()
)
"""Attributes of SDP whose value stays: what is negotiated, not between whom."""
FIGURES = frozenset(
    b"VQSessionReport VQIntervalReport VQAlertReport LocalMetrics RemoteMetrics Timestamps SessionDesc JitterBuffer "
    b"PacketLoss BurstGapLoss Delay Signal QualityEst START STOP PT PD SR FD FPP PPS PLC SSUP JBA JBR JBN JBM JBX NLR "
    b"JDR BLD BD GLD GD GMIN RTD ESD OWD SOWD IAJ MAJ SL NL RERL RLQ RLQEstAlg RCQ RCQEstAlg MOSLQ MOSLQEstAlg MOSCQ "
    b"MOSCQEstAlg QoEEstAlg EXTRI EXTRO IPDV Type Severity Dir DialogID CallTerm".lower().split()
)
"""Keys of voice quality reports whose values stay (RFC 6035 4.6): all but who was measured."""
FIELDS = (
    frozenset(
        b"signal duration messages-waiting voice-message fax-message video-message text-message pager-message "
        b"multimedia-message message-account callid localid remoteid origid localgroup remotegroup localaddr "
        b"remoteaddr localmac remotemac x-sipmetrics x-sipterm ip port ssrc".split()
    )
    | FIGURES
)
"""Keys of bodies made of lines, which stay."""
TYPES = frozenset(b"yes no".split())
"""Values of message summaries that stay (RFC 3842)."""

WORDS = frozenset(
    word
    for word in (
        b"a an and as at by for from in is not of on or the to too with without no ok trying ringing call calls is "
        b"being forwarded queued session progress early dialog terminated accepted notification multiple choices moved "
        b"permanently temporarily use proxy alternative service bad request unauthorized payment required forbidden "
        b"found method allowed acceptable authentication timeout conflict gone length conditional failed entity large "
        b"uri long unsupported media type scheme unknown resource priority extension interval brief flow invalid "
        b"identity header provide referrer anonymity disallowed consent needed temporarily unavailable transaction "
        b"does exist leg loop detected hops many address incomplete ambiguous busy here event undecipherable security "
        b"agreement pending server internal error implemented gateway time out version supported message precondition "
        b"failure everywhere decline anywhere unwanted rejected normal clearing user responding answer subscriber "
        b"absent number changed destination order facility response status enquiry unspecified circuit channel network "
        b"temporary switching equipment congestion access information discarded requested available quality subscribed "
        b"outgoing incoming barred bearer capability authorized presently option restricted digital only reference "
        b"value identity in use suspended has cleared member closed compatible transit selection mandatory element "
        b"missing state parameter recovery timer expiry protocol interworking unallocated route special tone "
        b"misdialled trunk prefix preemption reuse awarded delivered established reserved completed elsewhere bye "
        b"cancel invite released release cause hangup hang up declined cancelled canceled sip audio video codec codecs "
        b"incompatible rtp loss session expired sdp offer content disposition charset unavailable allowed maximum "
        b"bandwidth insufficient minimum renegotiation provisional ack stale nonce register registration wrong "
        b"password account disabled limit exceeded exceeds overload maintenance one two data connection lost "
        b"host unreachable port local remote party calling called caller callee giving try your over"
    ).split()
)
"""Words of reason phrases and their like that stay: those of the standards' own phrases (RFC 3261 21, Q.850)."""
