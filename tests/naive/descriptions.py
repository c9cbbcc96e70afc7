"""Session descriptions taken apart the slow way: a line at a time, with regular expressions."""

from __future__ import annotations

import ipaddress
import re

ORIGIN = re.compile(rb"(o=)[!-~]+(?: [!-~]+){5}()")
CONNECTION = re.compile(rb"(c=IN IP[46] )([0-9A-Fa-f.:]+)()")
MEDIA = re.compile(rb"(m=[!-~]+ )([0-9]{1,6})( .*)", re.DOTALL)


def take_apart(body: bytes) -> tuple[bytes, list[tuple[bytes, int]]] | None:
    """Shape, and address and port of each of the media; None of what is not plain."""
    if len(body) > 65_536 or re.search(rb"\r(?!\n)", body):
        return None
    shape, origins = b"", 0
    session: bytes | None = None
    media: list[tuple[bytes | None, int]] = []
    for line in re.split(rb"(\r?\n)", body):
        if line in (b"\n", b"\r\n", b""):
            shape += line
            continue
        if line[0] <= 32:
            return None
        if line[:2] not in (b"o=", b"c=", b"m="):
            shape += line
        elif match := ORIGIN.fullmatch(line):
            origins += 1
            shape += match[1]
        elif match := CONNECTION.fullmatch(line):
            if media:
                if media[-1][0] is not None:
                    return None
                media[-1] = (match[2], media[-1][1])
            elif session is not None:
                return None
            else:
                session = match[2]
            shape += match[1]
        elif (match := MEDIA.fullmatch(line)) and 0 < int(match[2]) < 65536:
            media.append((None, int(match[2])))
            shape += match[1] + match[3]
        else:
            return None
    if origins != 1 or len(media) > 8:
        return None
    complete = [(address or session, port) for address, port in media]
    return (shape, complete) if all(address for address, _ in complete) else None  # type: ignore[return-value]


def ipv4(text: bytes) -> int:
    """A dotted quad as a row has it; -1 for anything else."""
    try:
        return 0xFFFF00000000 | int(ipaddress.IPv4Address(text.decode()))
    except ValueError:
        return -1
