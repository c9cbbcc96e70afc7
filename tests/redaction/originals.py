"""What is personal in a capture, found without the package: by dpkt, by the shapes of headers, and by expressions.

In: a capture file. Out: values by class, each a few bytes that must stand in nothing that is written under `--redact`.
What may stay is said in one place, :func:`may_stay`.
"""

from __future__ import annotations

import gzip
import io
import pathlib
import re
import struct
from collections import defaultdict
from collections.abc import Iterator

import dpkt

Values = dict[str, set[bytes]]
RAW = frozenset(("raw ipv4", "raw ipv6", "raw mac", "raw ssrc", "sound"))
"""Classes of bytes that are no text: they are looked for in captures."""
_TEXT = (
    ("user", re.compile(rb"(?:sips?|tel|im|pres|mailto):([^@<>\s;:\"]{3,64})[@;>:]", re.IGNORECASE)),
    ("host", re.compile(rb"(?:sips?:(?:[^@<>\s\"]*@)?|Via: SIP/2\.0/\w+ )([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")),
    ("Call-ID", re.compile(rb"(?mi)^(?:Call-ID|i):[ \t]*(\S{4,})")),
    ("tag", re.compile(rb";\s*tag=([^\s;>,]{4,})")),
    ("branch", re.compile(rb"branch=z9hG4bK[.-]*([^\s;,]{4,})")),
    ("digest", re.compile(rb"(?:nonce|cnonce|response|opaque|realm|username)=\"([^\"]{4,})\"")),
    ("display name", re.compile(rb"(?m)^[A-Za-z-]+: *\"([^\"\r\n]{3,})\" *<")),
    ("display name", re.compile(rb"(?m)^(?:From|To|Contact|f|t|m|P-Asserted-Identity): *([A-Za-z][A-Za-z .]{3,}?) *<")),
    ("SDP origin", re.compile(rb"(?m)^o=(\S{3,}) ")),
    ("SDP origin", re.compile(rb"(?m)^o=\S+ (\d{6,}) ")),
    ("SDP origin", re.compile(rb"(?m)^o=\S+ \d+ (\d{6,}) ")),
    ("SDP subject", re.compile(rb"(?m)^[si]=([^\r\n]{4,})")),
    ("SDP address", re.compile(rb"(?m)^[co]=.*?IN IP[46] ([0-9A-Fa-f.:]{5,})")),
    ("SDP candidate", re.compile(rb"a=candidate:(\S{5,}) ")),
    ("SDP candidate", re.compile(rb"a=candidate:\S+ \d \S+ \d+ (\S{5,}) ")),
    ("SDP key", re.compile(rb"inline:([^|\s]{6,})")),
    ("SDP key", re.compile(rb"a=ice-(?:ufrag|pwd):(\S{4,})")),
    ("SDP key", re.compile(rb"a=fingerprint:\S+ ([0-9A-Fa-f:]{20,})")),
    ("SDP ssrc", re.compile(rb"a=ssrc:(\d{6,})")),
    ("SDP ssrc", re.compile(rb"a=ssrc:\d+ (?:cname|msid|label):(\S{5,})")),
    ("MSRP", re.compile(rb"(?m)^(?:Message-ID|MSRP): ?(\S{5,})")),
    ("MSRP", re.compile(rb"msrps?://[^/\s]+/([^;\s]{5,})")),
    ("address", re.compile(rb"(?<![\d.])((?:\d{1,3}\.){3}\d{1,3})(?![\d.])")),
    ("address", re.compile(rb"\[((?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})\]", re.IGNORECASE)),
)
_HEADER = re.compile(rb"(?m)^([A-Za-z][A-Za-z-]{2,40}): *([^\r\n]{4,200})\r?$")
_KNOWN = frozenset(
    b"via from to contact call-id cseq max-forwards content-length content-type content-encoding content-disposition "
    b"allow supported require expires session-expires min-se min-expires rseq rack timestamp user-agent server date "
    b"event subscription-state reason warning retry-after accept accept-encoding accept-language allow-events "
    b"proxy-require unsupported privacy mime-version upgrade connection sec-websocket-version sec-websocket-protocol "
    b"byte-range success-report failure-report status to-path from-path message-id authorization proxy-authorization "
    b"www-authenticate proxy-authenticate route record-route p-asserted-identity p-preferred-identity refer-to "
    b"referred-by replaces diversion history-info remote-party-id path service-route host origin priority "
    b"x-rtp-stat p-rtp-stat rtp-rxstat rtp-txstat access-url".split()
)
"""Headers that have a line of their own above, or say nothing of anybody."""
_BODY = re.compile(rb"(?is)Content-Type: *text/(?:plain|html)[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n(.{0,2000})")
_MARKUP = re.compile(rb">([^<>\r\n]{5,80})<")
_NOBODYS = frozenset(
    b"127.0.0.1 0.0.0.0 255.255.255.255 ::1 anonymous anonymous.invalid unknown restricted unavailable session call "
    b"active terminated confirmed trying early proceeding open closed none presence dialog".split()
)
_WORDS_OF_PAGES = frozenset(b"belongs carries caller callee echo 1000".split())
"""Words that reports say of themselves, whatever the capture holds, and that are names in some sample."""
_PRODUCT = re.compile(rb"(?mi)^(?:User-Agent|Server): *([^\r\n]*)")


def may_stay(value: bytes, kept: frozenset[bytes] = frozenset()) -> bool:
    """Whether a value may stand in an output, since it says nothing of anybody: the only exceptions that there are.

    Words of the protocol and of the pages themselves, and addresses that mean the same everywhere; groups; what has
    fewer than four characters, or no letter and no digit but zeros (replacements keep these), since any output has
    those; and words of products and of the file's name (`kept`), which stay as docs/redaction.md says.
    """
    bare = value.strip().strip(b"[]").lower()
    group = re.match(rb"2(?:2[4-9]|3\d)\.", bare) is not None
    said = bare in _NOBODYS or bare in _WORDS_OF_PAGES or bare in kept
    return len(bare) < 4 or said or group or not re.search(rb"[1-9a-z\x80-\xff]", bare)


def frames(path: pathlib.Path) -> Iterator[tuple[int, bytes]]:
    """Link type and bytes of each packet."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        yield from frames_of(file.read())


def frames_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Link type and bytes of each packet."""
    reader = dpkt.pcap.UniversalReader(io.BytesIO(data))
    for _, packet in reader:
        yield reader.datalink(), bytes(packet)


def _sum(head: bytes) -> int:
    total = sum(struct.unpack(f">{len(head) // 2}H", head))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def headers(packet: bytes) -> Iterator[tuple[bytes, bytes, int, bytes, bytes]]:
    """Every IP header, in tunnels too: source, destination, protocol, what is behind it, and itself."""
    for found in re.finditer(rb"(?s)(?=\x45.{19})", packet):
        at = found.start()
        total = int.from_bytes(packet[at + 2 : at + 4], "big")
        if 20 <= total <= len(packet) - at and _sum(packet[at : at + 20]) == 0xFFFF:
            head = packet[at : at + 20]
            yield head[12:16], head[16:], head[9], packet[at + 20 : at + total], head
    for found in re.finditer(rb"(?s)(?=[\x60-\x6f].{5}[\x06\x11\x3a\x2c\x00][\x01-\xff].{32})", packet):
        at = found.start()
        size = int.from_bytes(packet[at + 4 : at + 6], "big")
        if size and size == len(packet) - at - 40:
            head = packet[at : at + 40]
            yield head[8:24], head[24:], head[6], packet[at + 40 :], head


def _text_address(raw: bytes) -> set[bytes]:
    import ipaddress

    address = ipaddress.ip_address(raw)
    return {str(address).encode(), address.exploded.encode()}


class _Scan:
    def __init__(self) -> None:
        self.values: Values = defaultdict(set)
        self.flows: dict[tuple[bytes, ...], dict[int, bytes]] = defaultdict(dict)
        self.parts: dict[tuple[bytes, ...], dict[int, bytes]] = defaultdict(dict)
        self.products: set[bytes] = set()

    def packet(self, link: int, packet: bytes) -> None:
        values = self.values
        if link == 1:
            for mac in (packet[:6], packet[6:12]):
                if any(mac) and mac != b"\xff" * 6 and not mac[0] & 1:
                    values["raw mac"].add(mac)
                    values["mac"].add(mac.hex(":").encode())
        for source, destination, protocol, behind, head in headers(packet):
            for raw in (source, destination):
                values["raw ipv4" if len(raw) == 4 else "raw ipv6"].add(raw)
                values["address"] |= _text_address(raw)
            if len(head) == 20 and (head[6] & 0x3F or head[7]):
                offset = (int.from_bytes(head[6:8], "big") & 0x1FFF) * 8
                self.parts[source, destination, head[4:6]][offset] = behind
            elif protocol == 17:
                self.datagram(behind[8:])
            elif protocol == 6 and len(behind) >= 20:
                seq, data = int.from_bytes(behind[4:8], "big"), behind[behind[12] >> 4 << 2 :]
                if data:
                    self.flows[source, destination, behind[:4]].setdefault(seq, data)

    def datagram(self, data: bytes) -> None:
        values = self.values
        if data[:4] == b"HEP3":
            self.hep(data)
        elif len(data) >= 12 and data[0] >> 6 == 2:
            control = 192 <= data[1] <= 223
            ssrc = data[4:8] if control else data[8:12]
            number = int.from_bytes(ssrc, "big")
            if number >> 20:
                values["raw ssrc"].add(ssrc)
                values["ssrc"].add(b"0x%08x" % number)
                values["ssrc"].add(b"%d" % number)
            if control:
                for found in re.finditer(rb"(?s)\x01([\x05-\x40])([ -~]{5,64})", data):
                    values["RTCP name"].add(found[2][: found[1][0]])
            elif len(set(data[16:32])) > 3 and len(data) >= 32:
                values["sound"].add(data[16:32])
        else:
            self.text(data)

    def hep(self, data: bytes) -> None:
        at = 6
        while at + 6 <= len(data):
            _, kind, size = struct.unpack_from(">HHH", data, at)
            content = data[at + 6 : at + size]
            if kind in (14, 17, 19) and len(content) > 4:
                self.values["HEP text"].add(content)
            elif kind in (3, 4):
                self.values["raw ipv4"].add(content)
                self.values["address"] |= _text_address(content)
            elif kind == 15:
                self.datagram(content)
            at += max(6, size)

    def text(self, data: bytes) -> None:
        if not re.search(rb"SIP/2\.0|MSRP |HTTP/1", data):
            return
        for name, pattern in _TEXT:
            self.values[name].update(pattern.findall(data))
        for line in _PRODUCT.findall(data):
            self.products.update(re.findall(rb"[a-z0-9.]{4,}", line.lower()))
        for name, value in (each for head in _heads(data) for each in _HEADER.findall(head)):
            if name.lower() not in _KNOWN:
                self.values["unknown header"].add(value.strip())
        for body in _BODY.findall(data):
            self.values["body"].update(re.findall(rb"[A-Za-z0-9]{6,}", re.split(rb"SIP/2\.0|MSRP |\n-----", body)[0]))
        self.values["body"].update(_MARKUP.findall(data))

    def streams(self) -> None:
        for parts in self.parts.values():
            whole = b"".join(parts[at] for at in sorted(parts))
            self.datagram(whole[8:])
        for parts in self.flows.values():
            whole = b"".join(parts[seq] for seq in sorted(parts))
            self.text(whole)
            for frame in parts.values():
                self.text(_unmasked(frame))


def _heads(data: bytes) -> Iterator[bytes]:
    """Heads of messages, without what stands between them."""
    for part in re.split(rb"\r?\n\r?\n", data):
        start = re.search(rb"(?m)^(?:SIP/2\.0 .*|.* SIP/2\.0|GET .*|HTTP/1.*)$", part.replace(b"\r", b""))
        if start:
            yield part.replace(b"\r", b"")[start.end() :]


def _unmasked(data: bytes) -> bytes:
    """What a masked WebSocket frame says (RFC 6455 5.3)."""
    if len(data) < 8 or data[0] not in (0x81, 0x82) or not data[1] & 128:
        return b""
    at = 2 + {126: 2, 127: 8}.get(data[1] & 127, 0)
    key, masked = data[at : at + 4], data[at + 4 :]
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(masked))


def original_values(packets: Iterator[tuple[int, bytes]], name: str = "") -> Values:
    """Everything personal in some packets, by class, but for what may stay; `name` is the file's."""
    scan = _Scan()
    for link, packet in packets:
        scan.packet(link, packet)
    scan.streams()
    kept = frozenset(scan.products | set(re.findall(rb"[a-z0-9]{4,}", name.lower().encode())))
    nobodys = frozenset((b"\x7f\0\0\1", bytes(4), b"\xff" * 4, bytes(15) + b"\1", bytes(16)))
    return {
        kind: {value for value in found if (value not in nobodys if kind in RAW else not may_stay(value, kept))}
        for kind, found in scan.values.items()
        if found
    }
