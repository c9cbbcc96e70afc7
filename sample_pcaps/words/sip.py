"""SIP and SDP from words: parties, messages, and the dialog between two parties.

Owns: the text of SIP messages. In: who says what to whom. Out: :class:`Message` objects, whose `encode` gives the
bytes. Nothing is sent here; a scene does that. Sources: RFC 3261, RFC 8866, RFC 3264, RFC 2617.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

Header = tuple[str, str]

REASONS = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted", 302: "Moved Temporarily",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    407: "Proxy Authentication Required", 408: "Request Timeout", 480: "Temporarily Unavailable", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 503: "Service Unavailable", 603: "Decline",
}  # fmt: skip


@dataclass(frozen=True)
class Party:
    """A user agent or server: where it is, and what it calls itself."""

    host: str
    """IP address on the wire."""
    user: str = ""
    port: int = 5060
    agent: str | None = None
    """Product in User-Agent and Server."""
    domain: str | None = None
    """Domain of its address of record; its host where None."""
    transport: str = "UDP"
    says: str | None = None
    """Address that it writes into Via and Contact, where that is not its address on the wire (NAT)."""
    says_port: int | None = None

    @property
    def uri(self) -> str:
        """Its address of record."""
        return f"sip:{self.user}@{self.domain or bracketed(self.host)}"

    @property
    def sent_by(self) -> str:
        """What it writes into Via."""
        return f"{bracketed(self.says or self.host)}:{self.says_port or self.port}"

    @property
    def contact(self) -> str:
        """What it writes into Contact."""
        suffix = "" if self.transport == "UDP" else f";transport={self.transport.lower()}"
        return f"<sip:{self.user}@{self.sent_by}{suffix}>"


def bracketed(host: str) -> str:
    """An IPv6 address in brackets, anything else as it is."""
    return f"[{host}]" if ":" in host else host


@dataclass(frozen=True)
class Message:
    """One SIP message on its way from `src` to `dst`."""

    start_line: str
    headers: tuple[Header, ...]
    body: bytes
    src: Party
    dst: Party

    def encode(self) -> bytes:
        """The bytes on the wire; Content-Length is added where the headers do not name it."""
        lines = [self.start_line, *(f"{name}: {value}" for name, value in self.headers)]
        if not any(name == "Content-Length" for name, _ in self.headers):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body

    def header(self, name: str) -> str:
        """Value of the first header of that name."""
        return next(value for key, value in self.headers if key == name)

    @property
    def call_id(self) -> str:
        """Its Call-ID."""
        return self.header("Call-ID")

    @property
    def method(self) -> str:
        """The method of its CSeq."""
        return self.header("CSeq").split()[1]


def literal(text: str, src: Party, dst: Party, body: bytes = b"") -> Message:
    """A message from its text: start line and headers one a line."""
    start, *rest = text.strip().splitlines()
    headers = []
    for line in rest:
        name, value = line.split(":", 1)
        headers.append((name, value.removeprefix(" ")))
    return Message(start, tuple(headers), body, src, dst)


def sdp(
    host: str,
    port: int,
    formats: Sequence[str] = ("8 PCMA/8000", "101 telephone-event/8000"),
    *,
    direction: str | None = None,
    ptime: int | None = 20,
    version: int = 1,
    extra: Sequence[str] = (),
    profile: str = "RTP/AVP",
) -> bytes:
    """A session description with one audio stream; `formats` as ``payload-type name/clock``."""
    family = "IP6" if ":" in host else "IP4"
    lines = ["v=0", f"o=- 3976 {version} IN {family} {host}", "s=-", f"c=IN {family} {host}", "t=0 0"]
    lines.append(f"m=audio {port} {profile} " + " ".join(entry.split()[0] for entry in formats))
    lines += [f"a=rtpmap:{entry}" for entry in formats]
    lines += ["a=fmtp:101 0-15"] if any(entry.startswith("101 ") for entry in formats) else []
    lines += [f"a=fmtp:{entry.split()[0]} octet-align=1" for entry in formats if "AMR" in entry]
    lines += [f"a=ptime:{ptime}"] if ptime else []
    lines += [f"a={direction}"] if direction else []
    lines += [*extra, ""]
    return "\r\n".join(lines).encode()


SDP_TYPE = ("Content-Type", "application/sdp")


def reply(
    request: Message,
    code: int,
    reason: str | None = None,
    *,
    tag: str | None = None,
    headers: Sequence[Header] = (),
    body: bytes = b"",
    contact: bool = True,
) -> Message:
    """The response to a request, sent back to its sender (RFC 3261 section 8.2.6)."""
    kept = [entry for entry in request.headers if entry[0] in ("Via", "From", "To", "Call-ID", "CSeq", "Record-Route")]
    if tag is not None:
        kept = [
            (name, f"{text};tag={tag}") if name == "To" and ";tag=" not in text else (name, text) for name, text in kept
        ]
    if contact and request.method == "INVITE" and 100 < code < 300:
        kept.append(("Contact", request.dst.contact))
    if request.dst.agent and code > 100:
        kept.append(("Server", request.dst.agent))
    typed = [SDP_TYPE] if body and not any(name == "Content-Type" for name, _ in headers) else []
    line = f"SIP/2.0 {code} {reason or REASONS[code]}"
    return Message(line, (*kept, *headers, *typed), body, request.dst, request.src)


def forward(message: Message, by: Party, to: Party, branch: str, uri: str | None = None) -> Message:
    """What a proxy makes of a message: its Via on top of a request (and `uri` in its first line), off a response."""
    if message.start_line.startswith("SIP/2.0"):
        vias = [at for at, (name, _) in enumerate(message.headers) if name == "Via"]
        headers = message.headers[: vias[0]] + message.headers[vias[0] + 1 :]
        return replace(message, headers=headers, src=by, dst=to)
    method, old_uri, _ = message.start_line.split(" ")
    lowered = [(n, str(int(v) - 1)) if n == "Max-Forwards" else (n, v) for n, v in message.headers]
    own = [("Via", f"SIP/2.0/{by.transport} {by.sent_by};branch={branch}")]
    if method == "INVITE" and not any(name == "Route" for name, _ in lowered):
        own.append(("Record-Route", f"<sip:{by.sent_by};lr>"))
    lowered = [entry for entry in lowered if entry[0] != "Route"]
    return Message(f"{method} {uri or old_uri} SIP/2.0", (*own, *lowered), message.body, by, to)


def digest(scheme: str, user: str, realm: str, nonce: str, uri: str, password: str, method: str) -> Header:
    """A digest credential (RFC 2617 without qop); `scheme` is the header: Authorization or Proxy-Authorization."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    answer = md5(f"{md5(f'{user}:{realm}:{password}')}:{nonce}:{md5(f'{method}:{uri}')}")
    fields = f'username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{answer}", algorithm=MD5'
    return scheme, f"Digest {fields}"


@dataclass
class Dialog:
    """Two parties under one Call-ID; builds the requests of either side with the right tags, CSeq and branch."""

    caller: Party
    callee: Party
    call_id: str
    from_tag: str = "a1"
    to_tag: str = "b1"
    next_hop: Party | None = None
    """Where the caller sends, if that is not the callee."""
    route: str | None = None
    """Route header of requests inside the dialog."""
    first_cseq: int = 1
    _cseq: dict[bool, int] = field(default_factory=dict)
    _branches: int = 0

    def branch(self) -> str:
        """A new Via branch."""
        self._branches += 1
        return "z9hG4bK" + hashlib.sha1(f"{self.call_id} {self._branches}".encode()).hexdigest()[:12]

    def request(
        self,
        method: str,
        *,
        by_callee: bool = False,
        uri: str | None = None,
        tagged: bool = True,
        cseq: int | None = None,
        branch: str | None = None,
        headers: Sequence[Header] = (),
        body: bytes = b"",
        contact: bool = True,
    ) -> Message:
        """A request by one side; `tagged`: inside the dialog (both tags), else it is initial."""
        sender, other = (self.callee, self.caller) if by_callee else (self.caller, self.callee)
        if cseq is None:
            cseq = self._cseq.get(by_callee, 700 if by_callee else self.first_cseq - 1)
            cseq += 0 if method == "ACK" else 1
            self._cseq[by_callee] = cseq
        target = uri or (other.contact.strip("<>") if tagged else other.uri)
        mine, theirs = (self.to_tag, self.from_tag) if by_callee else (self.from_tag, self.to_tag)
        own = [
            ("Via", f"SIP/2.0/{sender.transport} {sender.sent_by};branch={branch or self.branch()};rport"),
            ("Max-Forwards", "70"),
            ("From", f"<{sender.uri}>;tag={mine}"),
            ("To", f"<{other.uri}>" + (f";tag={theirs}" if tagged else "")),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
        ]
        if tagged and self.route:
            own.append(("Route", self.route))
        if contact and method in ("INVITE", "UPDATE", "REGISTER", "SUBSCRIBE", "REFER"):
            own.append(("Contact", sender.contact))
        if sender.agent and method in ("INVITE", "REGISTER", "OPTIONS", "MESSAGE"):
            own.append(("User-Agent", sender.agent))
        typed = [SDP_TYPE] if body and not any(name == "Content-Type" for name, _ in headers) else []
        wire_to = other if by_callee or self.next_hop is None else self.next_hop
        return Message(f"{method} {target} SIP/2.0", (*own, *headers, *typed), body, sender, wire_to)

    def ack(self, answer_to: Message, *, body: bytes = b"") -> Message:
        """The ACK of a 2xx: a transaction of its own, with the INVITE's CSeq number (RFC 3261 section 13.2.2.4)."""
        return self.request("ACK", cseq=int(answer_to.header("CSeq").split()[0]), body=body)

    def ack_failure(self, invite: Message, tag: str | None = None) -> Message:
        """The ACK of another final response: branch of the INVITE, tag of the response (RFC 3261 17.1.1.3)."""
        via, to = invite.header("Via"), invite.header("To")
        number = invite.header("CSeq").split()[0]
        headers = [
            ("Via", via),
            ("Max-Forwards", "70"),
            ("From", invite.header("From")),
            ("To", to if ";tag=" in to else f"{to};tag={tag or self.to_tag}"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} ACK"),
        ]
        uri = invite.start_line.split(" ")[1]
        return Message(f"ACK {uri} SIP/2.0", tuple(headers), b"", invite.src, invite.dst)

    def cancel(self, invite: Message, headers: Sequence[Header] = ()) -> Message:
        """The CANCEL of an INVITE (RFC 3261 section 9.1)."""
        acked = self.ack_failure(invite)
        kept = [(n, invite.header("To")) if n == "To" else (n, v.replace(" ACK", " CANCEL")) if n == "CSeq" else (n, v)
                for n, v in acked.headers]  # fmt: skip
        return replace(acked, start_line="CANCEL" + acked.start_line[3:], headers=(*kept, *headers))
