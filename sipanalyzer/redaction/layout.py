"""How the analysis sees bytes: its kernels' helpers, called on plain bytes. Floor 3.

In: bytes and places. Out: kinds, sizes and layers (:mod:`sipanalyzer.kernels`), so that a packet is replaced by the
very rules by which it is read afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ..kernels import link as layers
from ..kernels import payload, tunnels

__all__ = ["LAYERS", "gre", "link_layer", "payload_kind", "rtp_header_bytes", "udp_tunnel"]

_Bytes = bytearray
_Layer = Callable[[_Bytes, int, int], tuple[int, int]]

payload_kind = cast(Callable[[_Bytes, int, int, int], int], payload.payload_kind)
rtp_header_bytes = cast(Callable[[_Bytes, int, int, int], int], payload.rtp_header_bytes)
link_layer = cast(Callable[[_Bytes, int, int, int], tuple[int, int]], layers.link_layer)
gre = cast(_Layer, tunnels.gre)
udp_tunnel = cast(Callable[[_Bytes, int, int, int, int, int], tuple[int, int]], tunnels.udp_tunnel)
_erspan = cast(Callable[[Any, int, int, int], tuple[int, int]], tunnels.erspan)

LAYERS: dict[int, _Layer] = {
    layers.MPLS: cast(_Layer, layers.mpls),
    layers.MPLS_UPSTREAM: cast(_Layer, layers.mpls),
    layers.PPP: cast(_Layer, layers.ppp),
    layers.ERSPAN: lambda data, at, end: _erspan(data, at, end, layers.ERSPAN),
    layers.ERSPAN3: lambda data, at, end: _erspan(data, at, end, layers.ERSPAN3),
}
"""Layers without anything personal: what gives their size and what follows."""
