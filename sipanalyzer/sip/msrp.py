"""MSRP on a byte stream: sessions, and how many messages went through them. Floor 4.

Comes in: bytes of one direction of a TCP connection, in sequence. Goes out:
:class:`~sipanalyzer.facts.MsrpSession`, one a pair of MSRP endpoints and hop, both directions together.

RFC 4975 7.1: a request or response begins with ``MSRP``, a transaction id and a method or a status, and ends with a
line of seven hyphens, that id and a flag: ``$`` the message is whole, ``+`` more of it follows, ``#`` it was given up.
Bodies may hold anything but that line, and are counted, not kept.

A session is known by its two endpoints, the last URIs of To-Path and From-Path (those before are relays, RFC 4976);
they are what the SDP of the call names in ``a=path`` (RFC 4975 8.2). Every byte is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sipanalyzer.anomalies import Anomalies
from sipanalyzer.facts import Endpoint, MsrpSession
from sipanalyzer.options import Options

__all__ = ["START", "MsrpReader", "MsrpSessions", "Transaction", "path_key"]

START = b"MSRP "
"""A direction of a connection that begins like this is one of MSRP."""

LONGEST_HEAD = 16_384
"""Bytes of a start line and headers."""

_START_LINE = re.compile(rb"MSRP ([A-Za-z0-9.\-+%=]{3,64}) (?:([A-Z]{1,32})|(\d{3})(?: [^\r\n]*+)?)\r?\n")
_FLAGS = b"$+#"
_STARTING, _IN_HEAD, _IN_BODY = range(3)
_URI = re.compile(r"(msrps?)://(?:[^@/;]*@)?([^/;]*)((?:/[^;]*)?)((?:;.*)?)", re.IGNORECASE | re.DOTALL)


def path_key(path: str) -> str:
    """The endpoint that a path leads to, written so that equal URIs are equal texts (RFC 4975 6.1).

    Parameters
    ----------
    path : str
        Value of To-Path, From-Path or of an SDP's ``a=path``: URIs separated by spaces.

    Returns
    -------
    str
        The last URI: scheme, host and transport in lower case, without user and other parameters; as it stands where it
        is no MSRP URI, empty where there is none.

    Examples
    --------
    >>> path_key("msrp://relay.example.com:2855/x;tcp MSRP://a@Bob.Example.com:8493/Si438ds;TCP;foo")
    'msrp://bob.example.com:8493/Si438ds;tcp'
    """
    uris = path.split()
    if not uris:
        return ""
    match = _URI.fullmatch(uris[-1])
    if match is None:
        return uris[-1]
    scheme, authority, session, parameters = match.groups()
    transport = parameters[1:].split(";", 1)[0].lower()
    return f"{scheme.lower()}://{authority.lower()}{session}" + (f";{transport}" if transport else "")


@dataclass(frozen=True, slots=True)
class Transaction:
    """One request or response, whole."""

    time: int
    frame: int
    method: str | None
    """None of a response."""
    status: int | None
    """Of a response, or of the Status header of a REPORT."""
    from_path: str
    to_path: str
    has_body: bool
    body_bytes: int
    whole: bool
    """Its end-line had the flag ``$``."""


class MsrpReader:
    """Reads one direction of a connection, without I/O."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._give_up()

    def _give_up(self) -> None:
        self._state = _STARTING
        self._head = 0  # bytes of start line and headers under way
        self._marker = b""  # end-line of the transaction under way, after a line end
        self._method: str | None = None
        self._status: int | None = None
        self._paths = {b"to-path": "", b"from-path": ""}
        self._body = -1  # bytes of body that were passed; the first is the line end before it

    @property
    def pending(self) -> bool:
        """Whether a transaction is under way."""
        return bool(self._buffer) or self._state != _STARTING

    def feed(self, data: bytes, time: int, frame: int, gap: bool = False) -> list[Transaction]:
        """Take the next bytes; give what they complete.

        Parameters
        ----------
        data : bytes
            In sequence.
        time, frame : int
            Of the packet that brought them.
        gap : bool
            Bytes are missing before `data`: what was under way is given up, the next start line is looked for.
        """
        if gap:
            self._give_up()
            self._buffer.clear()
        self._buffer += data
        out: list[Transaction] = []
        at, more = 0, True
        while more:
            if self._state == _STARTING:
                at, more = self._start(at)
            else:
                take = self._header if self._state == _IN_HEAD else self._pass_body
                at, more = take(at, time, frame, out)
        del self._buffer[:at]
        return out

    def _line(self, at: int) -> bytes | None:
        """The line at `at` with its end; None where its end did not come yet. One too long is nothing."""
        end = self._buffer.find(b"\n", at, at + LONGEST_HEAD)
        if end >= 0:
            return bytes(self._buffer[at : end + 1])
        return b"" if len(self._buffer) - at >= LONGEST_HEAD else None

    def _start(self, at: int) -> tuple[int, bool]:
        """Pass over lines up to one that begins a transaction; where to go on, and whether there is more to do."""
        line = self._line(at)
        if line is None:
            return at, False
        found = _START_LINE.fullmatch(line)
        if found is not None:
            transaction, method, status = found.groups()
            self._marker = b"\n-------" + transaction
            self._method = method.decode() if method else None
            self._status = int(status) if status else None
            self._head, self._state = len(line), _IN_HEAD
        return at + (len(line) or LONGEST_HEAD), True

    def _header(self, at: int, time: int, frame: int, out: list[Transaction]) -> tuple[int, bool]:
        """One header, the line between head and body, or the end-line."""
        line = self._line(at)
        if line is None:
            return at, False
        self._head += len(line)
        if not line or self._head > LONGEST_HEAD:
            self._give_up()
            return at, True
        text = line.rstrip(b"\r\n")
        if not text:
            self._state, self._body = _IN_BODY, -1
            return at + len(line) - 1, True  # the body's end-line may follow at once
        if text[:-1] == self._marker[1:] and text[-1] in _FLAGS:
            self._end(text[-1], time, frame, out)
        else:
            name, _, value = text.partition(b":")
            name = name.strip().lower()
            if name in self._paths:
                self._paths[name] = value.decode("utf-8", "replace")
            elif name == b"status" and self._method == "REPORT":
                said = re.search(rb"(?<!\d)\d++[ \t]++(\d{3})(?!\d)", value)
                self._status = int(said[1]) if said else None
        return at + len(line), True

    def _pass_body(self, at: int, time: int, frame: int, out: list[Transaction]) -> tuple[int, bool]:
        """Count bytes of the body up to its end-line."""
        buffer, marker = self._buffer, self._marker
        found = buffer.find(marker, at)
        if found < 0:
            passed = max(0, len(buffer) - at - len(marker) - 1)  # the byte before an end-line is looked at
            self._body += passed
            return at + passed, False
        after = found + len(marker)
        rest = bytes(buffer[after : after + 3])
        if len(rest) < 3 and rest[1:] != b"\n" and (not rest or rest[0] in _FLAGS) and rest[1:] in (b"", b"\r"):
            return at, False
        if rest[:1] and rest[0] in _FLAGS and rest[1:].startswith((b"\n", b"\r\n")):
            self._body += found - at
            if self._body > 0 and found > at and buffer[found - 1] == 13:  # CR
                self._body -= 1
            self._end(rest[0], time, frame, out)
            return after + 1 + rest[1:].index(b"\n") + 1, True
        self._body += after - at
        return after, True

    def _end(self, flag: int, time: int, frame: int, out: list[Transaction]) -> None:
        """The transaction under way is whole."""
        has_body = self._state == _IN_BODY
        to_path, from_path = (path_key(self._paths[name]) for name in (b"to-path", b"from-path"))
        body = max(0, self._body)
        out.append(
            Transaction(time, frame, self._method, self._status, from_path, to_path, has_body, body, flag == _FLAGS[0])
        )
        self._give_up()


class MsrpSessions:
    """Counts what goes through each session.

    Parameters
    ----------
    options : Options
        `max_faults` bounds how many sessions are tabled.
    anomalies : Anomalies, optional
        Gets ``msrp-limit``.
    """

    def __init__(self, options: Options, anomalies: Anomalies | None = None) -> None:
        self._most, self._anomalies = options.max_faults, anomalies
        self._sessions: dict[tuple[str, str, str, str], MsrpSession] = {}

    def add(self, transaction: Transaction, src: Endpoint, dst: Endpoint, capture: int) -> None:
        """Count a transaction that went from one socket to another.

        A response names its own hop only where there are relays (RFC 4976), and then belongs to no session here.
        """
        paths = sorted((transaction.from_path, transaction.to_path))
        hosts = sorted((src[0], dst[0]))
        key = paths[0], paths[1], hosts[0], hosts[1]
        session = self._sessions.get(key)
        if session is None:
            if transaction.method is None or not paths[0]:
                return
            if len(self._sessions) >= self._most:
                if self._anomalies is not None:
                    self._anomalies.add("msrp-limit", transaction.frame)
                return
            session = MsrpSession(
                time=transaction.time, frame=transaction.frame, capture=capture, src=src, dst=dst,
                from_path=transaction.from_path, to_path=transaction.to_path, messages=0, bytes=0, failures=0,
                last_failure=None, last=transaction.time,
            )  # fmt: skip
        sent = transaction.method == "SEND" and transaction.has_body
        failed = transaction.status is not None and transaction.status >= 400
        self._sessions[key] = replace(
            session,
            messages=session.messages + (sent and transaction.whole),
            bytes=session.bytes + (transaction.body_bytes if sent else 0),
            failures=session.failures + failed,
            last_failure=transaction.status if failed else session.last_failure,
            last=max(session.last, transaction.time),
        )

    def finish(self) -> tuple[MsrpSession, ...]:
        """All sessions, in order of time."""
        return tuple(sorted(self._sessions.values(), key=lambda one: (one.time, one.capture, one.frame)))
