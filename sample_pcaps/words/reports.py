"""What endpoints report of the quality they had: RTCP XR, and reports in SIP.

Owns: the bytes of the VoIP metrics block and the text of reports. In: figures. Out: bytes and text. Sources: RFC 3611
section 4.7, RFC 6035 section 4.6; the headers have no standard, they are as AVM and Linksys write them.
"""

from __future__ import annotations

import struct


def voip_metrics(
    ssrc: int, about: int, *, loss: int, discard: int, burst: tuple[int, int], gap: tuple[int, int], round_trip: int,
    end_system: int, r_factor: int, mos_lq: int, mos_cq: int,
) -> bytes:  # fmt: skip
    """An RTCP XR packet with one VoIP metrics block.

    `loss`, `discard` and densities in 256ths, `burst` and `gap` are density and ms, delays in ms, MOS times ten.
    """
    block = struct.pack(
        "!BBHI4B4H4B4BBxHHH", 7, 0, 8, about, loss, discard, burst[0], gap[0], burst[1], gap[1], round_trip, end_system,
        127, 127, 127, 16, r_factor, 127, mos_lq, mos_cq, 0x30, 60, 60, 200,
    )  # fmt: skip
    body = struct.pack("!I", ssrc) + block
    return struct.pack("!BBH", 0x80, 207, len(body) // 4) + body


def session_report(
    call_id: str, local: tuple[str, int, int], remote: tuple[str, int, int], uris: tuple[str, str], **figures: float
) -> bytes:
    """The body of a vq-rtcpxr report; `local` and `remote` are address, port and SSRC."""

    def socket(end: tuple[str, int, int]) -> str:
        return f"IP={end[0]} PORT={end[1]} SSRC=0x{end[2]:08x}"

    lines = [
        "VQSessionReport: CallTerm", f"CallID:{call_id}", f"LocalID:<{uris[0]}>", f"RemoteID:<{uris[1]}>",
        f"LocalAddr:{socket(local)}", f"RemoteAddr:{socket(remote)}", "LocalMetrics:",
        "SessionDesc:PT=18 PD=G729 SR=8000 FD=20 FO=20 FPP=1 PPS=50 PLC=3 SSUP=off",
        f"PacketLoss:NLR={figures['loss']} JDR={figures['discard']}",
        f"Delay:RTD={figures['round_trip']:g} ESD={figures['end_system']:g} IAJ={figures['jitter']:g}",
        f"QualityEst:RCQ={figures['r_factor']:g} MOSLQ={figures['mos_lq']} MOSCQ={figures['mos_cq']}", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()
