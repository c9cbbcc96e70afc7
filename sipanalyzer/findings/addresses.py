"""Findings about addresses in SDP that cannot work, or are not those on the wire. Floor 7.

Owns: nat-mismatch, private-address-in-sdp, sip-alg. In: calls, the sockets that SDP bound and where that SDP came from,
streams. Sources: RFC 1918, RFC 6598 (private and shared addresses), RFC 4961 (symmetric RTP).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np

from ..calls.bindings import CALLEE, CALLER
from ..facts import Endpoint, Finding
from ..network.endpoints import address_text
from ..result import Call, host_port
from .context import Context, Rule
from .media import bindings_of, description_rows, socket_of

__all__ = ["RULES"]

_HEADERS = re.compile(rb"^(via|v|contact|m)[ \t]*:([^\r\n]{1,400})", re.IGNORECASE | re.MULTILINE)
_HOST = re.compile(rb"(?:SIP/2\.0/\w{2,4}[ \t]+|@|sips?:)(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([0-9a-fA-F:.]{2,45})\])")

_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
"""Nobody outside can send there: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291."""
_ICE = re.compile(rb"\na=(?:candidate:|ice-ufrag:)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _private(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed.version == network.version and parsed in network for network in _NETWORKS)


def find_private_addresses(context: Context) -> Iterator[Finding]:
    """A private address in the SDP of a side whose signalling comes from a public one (RFC 1918, RFC 6598).

    Silent where that SDP brings ICE candidates (RFC 8445), among which the other side chooses.
    """
    if not any(_is_hidden(address, source) for address, source in context.address_pairs):
        return
    for call in context.result.calls:
        told = set()
        ice: set[Endpoint] | None = None
        for each in bindings_of(context, call):
            address, port = socket_of(each)
            source = address_text(*each.signalling[:2])
            if not _is_hidden(address, source) or (each.side, address) in told:
                continue
            told.add((each.side, address))
            ice = _ice_senders(context, call) if ice is None else ice
            if (source, each.signalling[2]) in ice:
                continue
            reached = any(socket_of(each) in (stream.dst, stream.src) for _, stream in context.streams(call))
            flows = call.one_way is False
            yield context.finding(
                "private-address-in-sdp",
                f"The SDP of the {each.side or 'sender'} at {source} names the private address {address}:{port}, which "
                "nobody outside its network can send to."
                + (" Media flows both ways all the same." if flows else ""),
                call=call, rows=description_rows(context, call, source), affects=each.side,
                severity="info" if flows or reached else None,
            )  # fmt: skip


def _is_hidden(address: str, source: str) -> bool:
    """Whether SDP from a public source names a private address; two programs on one host have that address too."""
    return address != source and _private(address) and not _private(source) and not _is_loopback(source)


def _ice_senders(context: Context, call: Call) -> set[Endpoint]:
    """Sockets of signalling whose descriptions bring ICE candidates, of a call's first ones."""
    messages = context.messages
    rows = [row for row in call.rows if messages.body_length[row]][:20]
    return {
        messages.endpoints[int(messages.src[row])]
        for row, _ in context.search(_ICE, np.array(rows, np.int64), body=True)
    }


_FLOWS = {
    False: ("; media flows both ways (symmetric RTP).", "info"),
    True: (", and media does not flow both ways.", "error"),
    None: ("; whether media flows both ways cannot be judged here.", "info"),
}
"""What comes of it, by the call's `one_way`."""


def find_nat_mismatches(context: Context) -> Iterator[Finding]:
    """Media that comes from or goes to another address than SDP names: NAT; symmetric RTP where it works."""
    for call in context.with_streams:
        bound = [each for each in bindings_of(context, call) if each.side is not None]
        for number, stream in context.streams(call):
            if stream.direction is None or (stream.matched != "nat" and call.one_way is not True):
                continue
            side = CALLER if stream.direction == "caller-to-callee" else CALLEE
            other = CALLEE if side == CALLER else CALLER
            sends = {socket_of(each)[0] for each in bound if each.side == side}
            listens = {socket_of(each)[0] for each in bound if each.side == other}
            if stream.dst[0] not in listens and listens:
                text = f"RTP for the {other} goes to {host_port(stream.dst)}, not to {_named(listens)} of its SDP"
            elif stream.src[0] not in sends and sends:
                text = f"RTP of the {side} comes from {host_port(stream.src)}, not from {_named(sends)} of its SDP"
            else:
                continue
            result, severity = _FLOWS[call.one_way]
            yield context.finding(
                "nat-mismatch",
                text + result,
                call=call, stream=number, affects=side, severity=severity,
            )  # fmt: skip
            break


def find_sip_algs(context: Context) -> Iterator[Finding]:
    """SDP that names the public address its packet came from, in a message whose Via and Contact are private.

    A client that knows its public address writes it into its Contact too; a box on the way that rewrote SDP alone, and
    left the rest, is a SIP ALG (application layer gateway).
    """
    messages = context.messages
    if not any(address == source and not _private(source) for address, source in context.address_pairs):
        return
    for call in context.result.calls:
        for each in bindings_of(context, call):
            source = address_text(*each.signalling[:2])
            if _private(source) or socket_of(each)[0] != source:
                continue
            row = next(
                (row for row in description_rows(context, call) if messages.endpoints[messages.src[row]][0] == source),
                None,
            )
            hosts = set() if row is None else _hosts(messages.raw(row))
            if row is not None and hosts and all(map(_private, hosts)):
                private = _named(hosts)
                yield context.finding(
                    "sip-alg",
                    f"The message from {source} has its public address in SDP, but {private} in Via and Contact: a box "
                    "on the way rewrote the one and not the other.",
                    call=call, rows=(row,), affects=each.side,
                )  # fmt: skip
                break


def _hosts(message: bytes) -> set[str]:
    """Addresses in the top Via and the Contact of a message; empty where one of them has none."""
    found: dict[bytes, str] = {}
    for header, value in _HEADERS.findall(message.partition(b"\r\n\r\n")[0]):
        host = _HOST.search(value)
        if host is not None:
            found.setdefault(header[:1].lower().replace(b"m", b"c"), (host[1] or host[2]).decode())
    return set(found.values()) if len(found) == 2 else set()


def _named(addresses: Iterable[str]) -> str:
    return ", ".join(sorted(addresses))


RULES: tuple[Rule, ...] = (find_private_addresses, find_nat_mismatches, find_sip_algs)
