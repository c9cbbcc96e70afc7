"""What a codec does to speech: Ie and Bpl, with the source beside each figure. Floor 4.

Owns: the table of codecs. In: a codec's name and clock rate, and what packets of it are like. Out: an
:class:`Impairment`, or None where nothing can be said: then the stream has no quality.

Published is only what ITU-T G.113 (09/2024) has both Ie and Bpl for: table I.4 (narrowband), and tables IV.3 and IV.4
for three modes of AMR-WB. All else is assumed, and says what the assumption rests on. Nothing is published for G.722,
AMR, iLBC, Opus or Speex that could be used here. Figures of different scales (NB, WB, FB) are not comparable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["AMR_WB_MODES", "EVS_MODES", "TABLE", "Impairment", "Traffic", "find_impairment", "scale_of_clock"]

_I1, _I4, _IV = (
    "ITU-T G.113 (09/2024) table I.1",
    "ITU-T G.113 (09/2024) table I.4",
    "ITU-T G.113 (09/2024) tables IV.3 and IV.4",
)
_V = "ITU-T G.113 (09/2024) appendix V"


@dataclass(frozen=True, slots=True)
class Impairment:
    """Ie and Bpl of a codec on one scale."""

    scale: str
    """``NB``, ``WB`` or ``FB``."""
    ie: float
    bpl: float
    basis: str
    """``published`` or ``assumed``."""
    source: str
    """Where the figures are printed; of an assumption those it rests on."""
    note: str | None = None
    """What was assumed, a clause for people."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the packets of a stream are like; None where it is not known."""

    clock_rate_hz: int | None = None
    packet_bytes: float | None = None
    """Mean payload."""
    ptime_ms: float | None = None
    concealment: bool = True
    """Whether receivers conceal lost packets where the codec leaves that open (G.711 and its like)."""


def scale_of_clock(clock_rate_hz: int | None) -> str:
    """Scale of a codec that says no more than its sampling rate: WB from 16 kHz, FB from 32 kHz."""
    clock = clock_rate_hz or 8000
    return "FB" if clock >= 32000 else "WB" if clock >= 16000 else "NB"


def find_impairment(codec: str | None, traffic: Traffic) -> Impairment | None:
    """Ie and Bpl of a codec.

    Parameters
    ----------
    codec : str or None
        Name as registered (IANA, RTP payload format media types), in any case.
    traffic : Traffic
        Clock rate, and packets where the codec's mode shows in them.

    Returns
    -------
    Impairment or None
        None for what carries no speech, is unknown, or is known on other scales only.
    """
    entry = TABLE.get((codec or "").lower())
    return None if entry is None else entry(traffic)


# ---- what many codecs share
_Entry = Callable[[Traffic], Impairment | None]


def _published(ie: float, bpl: float, note: str | None = None) -> _Entry:
    found = Impairment("NB", ie, bpl, "published", _I4, note)
    return lambda _: found


def _assumed(ie: float, bpl: float, note: str, source: str = _I4, scale: str = "NB") -> _Entry:
    found = Impairment(scale, ie, bpl, "assumed", source, note)
    return lambda _: found


def _g711(traffic: Traffic) -> Impairment:
    if traffic.concealment:
        return Impairment("NB", 0.0, 25.1, "published", _I4, "lost packets are concealed (G.711 Appendix I)")
    return Impairment("NB", 0.0, 4.3, "published", _I4, "lost packets are not concealed")


def _waveform(ie: float, note: str, source: str = _I1) -> _Entry:
    """Samples and ADPCM in narrowband: Bpl is that of G.711."""

    def find(traffic: Traffic) -> Impairment:
        bpl = _g711(traffic).bpl
        return Impairment("NB", ie, bpl, "assumed", source, f"{note}, Bpl as G.711: {_said(ie, bpl)}")

    return find


def _said(ie: float, bpl: float) -> str:
    return f"Ie {ie:g}, Bpl {bpl:g}"


def _by_scale(**entries: _Entry) -> _Entry:
    """A codec of several sampling rates."""

    def find(traffic: Traffic) -> Impairment | None:
        entry = entries.get(scale_of_clock(traffic.clock_rate_hz))
        return None if entry is None else entry(traffic)

    return find


# ---- codecs whose mode shows in the size of their packets
AMR_WB_MODES: tuple[tuple[float, int, float, float, bool], ...] = (
    (6.60, 132, 56.0, 4.3, False),
    (8.85, 177, 41.0, 4.3, False),
    (12.65, 253, 20.0, 4.3, True),
    (14.25, 285, 18.5, 4.3, False),
    (15.85, 317, 17.0, 4.3, False),
    (18.25, 365, 14.0, 4.6, False),
    (19.85, 397, 12.0, 4.6, False),
    (23.05, 461, 8.0, 4.6, True),
    (23.85, 477, 10.0, 4.9, True),
)
"""kbit/s, bits a frame (RFC 4867 3.6), Ie,WB and Bpl,WB (diotic), and whether G.113 has both.

Table IV.3 has no Ie for 14.25, 18.25 and 19.85 kbit/s: a straight line between the neighbours' 17 and 20, 17 and 8.
Table IV.4 has Bpl for three modes: the others take that of the nearest."""

EVS_MODES = (
    (9.6, 22.7, 13.0),
    (13.2, 17.1, 11.7),
    (16.4, 10.8, 10.3),
    (24.4, 7.2, 11.4),
    (32.0, 8.7, 9.3),
    (48.0, 10.2, 9.6),
)
"""kbit/s, Ie,FB and Bpl,FB of super-wideband EVS (G.113 appendix V, with erratum 1 of 01/2026: 32 kbit/s)."""

_AMR_MODES = (
    (4.75, 95),
    (5.15, 103),
    (5.90, 118),
    (6.70, 134),
    (7.40, 148),
    (7.95, 159),
    (10.2, 204),
    (12.2, 244),
)
"""kbit/s and bits a frame (RFC 4867 3.6)."""

_LEAST_EVS_KBIT_S = 5.0
"""The least mode has 5.9 kbit/s on average (3GPP TS 26.441); below that silence is most of what was sent."""


def _mode(traffic: Traffic, bits: tuple[int, ...]) -> tuple[int | None, bool]:
    """The mode of AMR or AMR-WB that fits the packets, and whether they are just as large as its packets are.

    It is the least one that is no smaller than they are. Comfort noise and key presses among them make the mean
    smaller, and nothing makes it larger; a packet of a mode is smaller than an octet-aligned one of the next, whether
    it is octet-aligned itself or not (RFC 4867 4.3, 4.4). Where the mean is below the least mode, silence is most of
    what was sent, and no mode shows.
    """
    if not traffic.packet_bytes or not traffic.ptime_ms:
        return None, False
    frames = max(1, round(traffic.ptime_ms / 20))
    for mode, size in enumerate(bits):
        efficient = (4 + frames * (6 + size) + 7) // 8
        aligned = 1 + frames * (1 + (size + 7) // 8)
        if mode == 0 and traffic.packet_bytes < efficient - 0.5:
            return None, False
        if aligned >= traffic.packet_bytes - 0.5:
            return mode, any(abs(traffic.packet_bytes - each) <= 0.5 for each in (efficient, aligned))
    return len(bits) - 1, False


def _amr(traffic: Traffic) -> Impairment:
    mode, _ = _mode(traffic, tuple(bits for _, bits in _AMR_MODES))
    rate = _AMR_MODES[-1 if mode is None else mode][0]
    ie = round(5.0 + (12.2 - rate) * 5.0 / 4.8, 1)
    seen = f"taken for {rate:g} kbit/s" + (" (its packets do not show)" if mode is None else " by the packets' size")
    how = "as GSM-EFR" if rate == 12.2 else "on the line through GSM-EFR (12.2: Ie 5) and IS-641 (7.4: Ie 10)"
    return Impairment(
        "NB", ie, 10.0, "assumed", f"{_I1}, {_I4}", f"AMR, {seen}: {_said(ie, 10.0)} {how}; nothing is published"
    )


def _amr_wb(traffic: Traffic) -> Impairment:
    mode, exact = _mode(traffic, tuple(bits for _, bits, *_ in AMR_WB_MODES))
    rate, _, ie, bpl, published = AMR_WB_MODES[2 if mode is None else mode]
    if mode is None:
        note = f"AMR-WB, taken for {rate:g} kbit/s (its packets do not show): {_said(ie, bpl)}"
    elif not published:
        note = f"AMR-WB, taken for {rate:g} kbit/s by the packets' size: {_said(ie, bpl)}, as G.113 has not both"
    elif exact:
        note = f"AMR-WB, {rate:g} kbit/s by the packets' size; heard with both ears"
    else:
        note = f"AMR-WB, taken for {rate:g} kbit/s by the packets' mean size: {_said(ie, bpl)}"
    return Impairment("WB", ie, bpl, "published" if published and exact else "assumed", _IV, note)


def _evs(traffic: Traffic) -> Impairment:
    """EVS does not say in RTP how wide its audio is, so even its published figures are an assumption here."""
    kbit_s = 0.0
    if traffic.packet_bytes and traffic.ptime_ms:
        kbit_s = 8.0 * traffic.packet_bytes / traffic.ptime_ms
    shown = kbit_s >= _LEAST_EVS_KBIT_S
    rate, ie, bpl = min(EVS_MODES, key=lambda mode: abs(mode[0] - (kbit_s if shown else 13.2)))
    seen = "by the packets' size" if shown else "(its packets do not show)"
    note = f"EVS, taken for super-wideband at {rate:g} kbit/s {seen}: {_said(ie, bpl)}"
    return Impairment("FB", ie, bpl, "assumed", _V, note)


def _g723(traffic: Traffic) -> Impairment:
    """20 bytes a frame are 5.3 kbit/s, 24 are 6.3; comfort noise only makes the mean of the latter smaller."""
    frames = max(1, round((traffic.ptime_ms or 30) / 30))
    if traffic.packet_bytes and abs(traffic.packet_bytes / frames - 20) <= 0.25:
        return Impairment(
            "NB", 19.0, 16.1, "assumed", f"{_I1}, {_I4}", "G.723.1 at 5.3 kbit/s: Ie 19, Bpl 16.1 as at 6.3 kbit/s"
        )
    return Impairment("NB", 15.0, 16.1, "published", _I4, "G.723.1 at 6.3 kbit/s with voice activity detection")


_LIKE_AMR_WB = "as AMR-WB at 12.65 kbit/s: Ie 20, Bpl 4.3; nothing usable is published"
_LIKE_EVS = "as EVS at 48 kbit/s: Ie 10.2, Bpl 9.6; nothing is published"
_LIKE_G729 = "as G.729A: Ie 11, Bpl 19; nothing is published"


def _wide(codec: str) -> _Entry:
    return _assumed(20.0, 4.3, f"{codec} {_LIKE_AMR_WB}", _IV, "WB")


def _full(codec: str) -> _Entry:
    return _assumed(10.2, 9.6, f"{codec} {_LIKE_EVS}", _V, "FB")


def _samples(codec: str) -> _Entry:
    """Uncompressed samples of any rate."""
    return _by_scale(
        NB=_waveform(0.0, f"{codec}, Ie as G.711", _I4),
        WB=_assumed(0.0, 4.3, f"{codec} is not compressed: Ie 0, Bpl 4.3 as AMR-WB at 12.65 kbit/s", _IV, "WB"),
        FB=_assumed(0.0, 9.6, f"{codec} is not compressed: Ie 0, Bpl 9.6 as EVS at 48 kbit/s", _V, "FB"),
    )


def _cdma(ie: float, codec: str) -> _Entry:
    return _assumed(ie, 10.0, f"{codec}: Ie {ie:g}, Bpl 10 as GSM-EFR", f"{_I1}, {_I4}")


TABLE: dict[str, _Entry] = {
    # narrowband: G.113 has Ie and Bpl
    "pcmu": _g711,
    "pcma": _g711,
    "g729": _published(11.0, 19.0, "G.729A with voice activity detection"),
    "g723": _g723,
    "gsm-efr": _published(5.0, 10.0),
    # narrowband: Ie of table I.1, or less
    "g711-0": _waveform(0.0, "G.711.0 loses nothing of G.711", _I4),
    "g726-40": _waveform(2.0, "Ie of G.726"),
    "g726-32": _waveform(7.0, "Ie of G.726"),
    "g726-24": _waveform(25.0, "Ie of G.726"),
    "g726-16": _waveform(50.0, "Ie of G.726"),
    "dvi4": _by_scale(NB=_waveform(7.0, "ADPCM of 4 bits, Ie as G.726 at 32 kbit/s")),
    "g728": _cdma(7.0, "G.728 at 16 kbit/s"),
    "gsm": _cdma(20.0, "GSM full rate"),
    "gsm-hr-08": _cdma(23.0, "GSM half rate"),
    "qcelp": _cdma(21.0, "QCELP, Ie of its 8 kbit/s"),
    "evrc": _cdma(6.0, "EVRC"),
    "evrc0": _cdma(6.0, "EVRC"),
    "evrcb": _cdma(6.0, "EVRC-B, Ie as EVRC"),
    "smv": _cdma(6.0, "SMV, Ie as EVRC"),
    "bv16": _cdma(7.0, "BroadVoice, Ie as G.728 at 16 kbit/s"),
    "lpc": _cdma(50.0, "LPC, Ie as the worst of the table (G.726 at 16 kbit/s)"),
    "g729d": _assumed(11.0, 19.0, f"G.729D {_LIKE_G729}"),
    "g729e": _assumed(11.0, 19.0, f"G.729E {_LIKE_G729}"),
    "ilbc": _assumed(
        11.0, 25.1, "iLBC: Ie 11 as G.729A, Bpl 25.1 as concealed G.711 (its frames are independent); nothing published"
    ),
    "amr": _amr,
    # wideband
    "amr-wb": _amr_wb,
    "g722": _wide("G.722"),
    "g7221": _by_scale(NB=_wide("G.722.1"), WB=_wide("G.722.1"), FB=_full("G.722.1C")),
    "pcmu-wb": _wide("G.711.1"),
    "pcma-wb": _wide("G.711.1"),
    "bv32": _wide("BroadVoice32"),
    "evrcwb": _wide("EVRC-WB"),
    # of several sampling rates
    "speex": _by_scale(NB=_assumed(11.0, 19.0, f"Speex {_LIKE_G729}"), WB=_wide("Speex"), FB=_full("Speex")),
    "silk": _by_scale(NB=_assumed(11.0, 19.0, f"SILK {_LIKE_G729}"), WB=_wide("SILK"), FB=_full("SILK")),
    "isac": _by_scale(NB=_wide("iSAC"), WB=_wide("iSAC"), FB=_full("iSAC")),
    "l16": _samples("L16"),
    "l20": _samples("L20"),
    "l24": _samples("L24"),
    # fullband
    "opus": _full("Opus"),
    "evs": _evs,
    "g719": _full("G.719"),
}
"""By lower-case name. What is not here carries no speech (CLEARMODE, X-CCD, telephone-event, CN, t140, red, video), or
nothing is known of it (MPA, AAC, L8)."""
