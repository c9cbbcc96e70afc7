"""A message table from a short script, one line a message, as `0.000 A>B INVITE cseq=1 branch=x`.

``0.000``: seconds. ``A>B``: sender and receiver, one letter or word each, looked up in `hosts`, else an address made
from the letter, port 5060; ``A:5070`` gives a port. Then a method or ``180 Ringing`` (a reason phrase of one word, or
quoted) and ``key=value``: `cseq` (number, or number and method as in ``1,INVITE``), `branch` (``-``: no Via branch),
`from`, `to` (tags; ``-`` or left out: none), `call` (Call-ID; default ``c``), `uri`, `fu`, `tu` (From and To URI),
`ua`, `server`, `type`, `vias` (how many), `frame`. What a line leaves out it takes from the defaults. Further headers
follow after ``|``, separated by ``|``; a body after ``||`` (``\\n`` ends its lines).
"""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np

from sipanalyzer.calls.transactions import classify_copies
from sipanalyzer.options import Options
from sipanalyzer.result import Messages

NS = 1_000_000_000
COLUMNS = (
    "method", "call_id", "from_tag", "to_tag", "branch", "from_uri", "to_uri", "request_uri", "reason", "contact",
    "user_agent", "content_type",
)  # fmt: skip


def seconds(text: str | float) -> int:
    return round(float(text) * NS)


def table(script: str, hosts: dict[str, str] | None = None, transport: str = "UDP") -> Messages:
    """The message table of a script; capture duplicates dropped as the pipeline does."""
    read = [
        _read(line, hosts or {}) for line in script.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    read.sort(key=lambda entry: entry["time"])
    whole: dict[bytes, int] = {}
    ends: dict[tuple[str, int], int] = {}
    for number, entry in enumerate(read):
        entry["whole"] = whole.setdefault(entry["raw"], len(whole))
        entry["src"] = ends.setdefault(entry["a"], len(ends))
        entry["dst"] = ends.setdefault(entry["b"], len(ends))
        entry.setdefault("frame", number + 1)
    ints = {name: np.array([entry[name] for entry in read], np.int64) for name in ("time", "src", "dst", "whole")}
    again, duplicate = classify_copies(ints["whole"], ints["src"], ints["dst"], ints["time"], Options())
    kept = [place for place in range(len(read)) if not duplicate[place]]
    read = [read[place] for place in kept]

    texts: dict[str, list[str]] = {}
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        known: dict[str, int] = {}
        columns[name] = np.array(
            [-1 if entry[name] is None else known.setdefault(entry[name], len(known)) for entry in read], np.int64
        )
        texts[name] = list(known)
    data = bytearray()
    places: dict[str, list[int]] = {"at": [], "length": [], "body_at": [], "body_length": []}
    for entry in read:
        places["at"].append(len(data))
        places["length"].append(len(entry["raw"]))
        places["body_at"].append(len(data) + len(entry["raw"]) - len(entry["body"]))
        places["body_length"].append(len(entry["body"]))
        data += entry["raw"]
    simple = {
        name: np.array([entry[name] for entry in read], np.int64)
        for name in ("time", "frame", "src", "dst", "status", "cseq", "content_length", "whole")
    }
    return Messages(
        **simple,
        **columns,
        **{name: np.array(values, np.int64) for name, values in places.items()},
        capture=np.zeros(len(read), np.int64),
        transport=np.full(len(read), ("UDP", "TCP", "TLS", "WS", "WSS", "SCTP").index(transport), np.int64),
        retransmission=again[kept],
        truncated=np.zeros(len(read), np.bool_),
        data=np.frombuffer(bytes(data), np.uint8),
        endpoints=list(ends),
        texts=texts,
    )


def _end(text: str, hosts: dict[str, str]) -> tuple[str, int]:
    name, _, port = text.partition(":")
    return hosts.get(name, f"10.0.0.{ord(name[0]) - 64}" if len(name) == 1 else name), int(port or 5060)


def _read(line: str, hosts: dict[str, str]) -> dict[str, Any]:
    line, _, body = line.strip().partition("||")
    line, *headers = line.split("|")
    time, ends, *words = shlex.split(line)
    sender, _, receiver = ends.partition(">")
    given = dict(word.split("=", 1) for word in words if "=" in word)
    plain = [word for word in words if "=" not in word]
    status = int(plain[0]) if plain[0].isdigit() else 0
    number, _, method = given.get("cseq", "1").partition(",")
    method = (method or "INVITE") if status else plain[0]
    reason = (plain[1] if len(plain) > 1 else "") if status else None
    uri = None if status else given.get("uri", "sip:bob@example.com")

    def tag(name: str) -> str | None:
        value = given.get(name, "-")
        return None if value == "-" else value

    branch = given.get("branch", f"z9hG4bK{method if method != 'ACK' else 'INVITE'}{number}")
    branch_text = None if branch == "-" else branch
    from_uri, to_uri = given.get("fu", "sip:alice@example.com"), given.get("tu", "sip:bob@example.com")
    content = body.replace("\\n", "\r\n").encode()
    content_type = given.get("type") or ("application/sdp" if body else None)
    lines = [f"SIP/2.0 {status} {reason}" if status else f"{method} {uri} SIP/2.0"]
    lines.append("Via: SIP/2.0/UDP host" + (f";branch={branch_text}" if branch_text else ""))
    lines += [f"Via: SIP/2.0/UDP host{further}" for further in range(1, int(given.get("vias", 1)))]
    lines.append(f"From: <{from_uri}>" + (f";tag={tag('from')}" if tag("from") else ""))
    lines.append(f"To: <{to_uri}>" + (f";tag={tag('to')}" if tag("to") else ""))
    lines += [f"Call-ID: {given.get('call', 'c')}", f"CSeq: {number} {method}"]
    lines += [f"User-Agent: {given['ua']}"] if "ua" in given else []
    lines += [f"Server: {given['server']}"] if "server" in given else []
    lines += [header.strip() for header in headers if header.strip()]
    lines += [f"Content-Type: {content_type}"] if content_type else []
    lines += [f"Content-Length: {len(content)}", "", ""]
    entry = {
        "time": seconds(time), "a": _end(sender, hosts), "b": _end(receiver, hosts), "status": status,
        "method": method, "cseq": int(number), "call_id": given.get("call", "c"), "from_tag": tag("from"),
        "to_tag": tag("to"), "branch": branch_text, "from_uri": from_uri, "to_uri": to_uri, "request_uri": uri,
        "reason": reason, "contact": given.get("contact"), "user_agent": given.get("ua", given.get("server")),
        "content_type": content_type, "content_length": len(content), "body": content,
        "raw": "\r\n".join(lines).encode() + content,
    }  # fmt: skip
    if entry["call_id"] == "-":
        entry["call_id"] = None
    if "frame" in given:
        entry["frame"] = int(given["frame"])
    return entry
