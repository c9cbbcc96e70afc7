"""The E-model: transmission rating R and MOS. Floor 4.

Owns: the formulae of ITU-T G.107 (06/2015) whole, and what G.107.1 (06/2019 with Cor. 1) and G.107.2 (06/2019) change
in them for wideband and fullband speech. In: parameters; loss in percent, after the jitter buffer. Out: R and its
components, MOS. What a codec's impairment is, :mod:`.impairments` knows; what a stream's loss is, :mod:`.quality`.

R says what planners may expect of a connection; it does not foretell one listener's opinion (G.107, summary). Numbers
in brackets below are the equations of G.107 (06/2015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = [
    "BEST_R",
    "LEAST_INVERTIBLE_R",
    "SCALES",
    "Parameters",
    "Rating",
    "Scale",
    "effective_impairment",
    "mos_from_r",
    "mos_from_rs",
    "r_from_mos",
    "rate",
]

Floats = npt.NDArray[np.float64]
_Number = TypeVar("_Number", float, Floats)

LEAST_INVERTIBLE_R = 6.5
"""Below it two R have one MOS: the cubic falls from R = 0 to 3.2, and is above 1 again from here on."""
_FINEST_MOS = 4.5


@dataclass(frozen=True, slots=True)
class Scale:
    """One of the three scales of R; their figures are not comparable with each other."""

    name: str
    """``NB``, ``WB`` or ``FB``."""
    recommendation: str
    highest: float
    """R of a connection with nothing wrong with it."""
    stretch: float
    """R over this is put into the curve of MOS (G.107.1 Annex A, G.107.2 Annex A)."""
    ceiling: float
    """What Ie,eff tends to where everything is lost: 95 in (7-29); G.107.1 keeps it, G.107.2 has 132."""


BEST_R = 93.20620772327571
"""R of the narrowband scale with all defaults, as :func:`rate` computes it."""

SCALES = {
    "NB": Scale("NB", "ITU-T G.107 (06/2015)", BEST_R, 1.0, 95.0),
    "WB": Scale("WB", "ITU-T G.107.1 (06/2019)", 129.0, 1.29, 95.0),
    "FB": Scale("FB", "ITU-T G.107.2 (06/2019)", 148.0, 1.48, 132.0),
}
"""By name."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Inputs of the E-model with the default values of G.107 table 3; levels in dB, delays in ms."""

    scale: str = "NB"
    slr: float = 8.0
    """Send loudness rating."""
    rlr: float = 2.0
    """Receive loudness rating."""
    stmr: float = 15.0
    """Sidetone masking rating."""
    lstr: float = 18.0
    """Listener sidetone rating."""
    ds: float = 3.0
    """D-value of the telephone, send side."""
    telr: float = 65.0
    """Talker echo loudness rating."""
    wepl: float = 110.0
    """Weighted echo path loss."""
    qdu: float = 1.0
    """Quantizing distortion units."""
    nc: float = -70.0
    """Circuit noise at the 0 dBr point, dBm0p."""
    nfor: float = -64.0
    """Noise floor at the receive side, dBmp."""
    ps: float = 35.0
    """Room noise at the send side, dB(A)."""
    pr: float = 35.0
    """Room noise at the receive side, dB(A)."""
    t_ms: float = 0.0
    """T: mean one-way delay of the echo path."""
    tr_ms: float = 0.0
    """Tr: round trip in the four-wire loop."""
    ta_ms: float = 0.0
    """Ta: absolute delay, mouth to ear."""
    delay_sensitivity: float = 1.0
    """sT of table 1."""
    least_perceived_delay_ms: float = 100.0
    """mT of table 1."""
    ie: float = 0.0
    """Equipment impairment factor without loss."""
    bpl: float = 4.3
    """Robustness against loss."""
    loss_percent: float = 0.0
    """Ppl: packets lost, after the jitter buffer, in percent (never a fraction of one)."""
    burst_ratio: float = 1.0
    """BurstR: mean run of lost packets over that of random loss."""
    advantage: float = 0.0
    """A: what users forgive for being mobile and the like; G.107.1 and G.107.2 have none."""

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise ValueError(f"scale must be one of {', '.join(SCALES)}, not {self.scale!r}")
        if not (0 <= self.loss_percent <= 100):
            raise ValueError(f"loss must be within 0 and 100 percent, not {self.loss_percent}")
        if not (self.t_ms >= 0 and self.tr_ms >= 0 and self.ta_ms >= 0):
            raise ValueError("delays must be at least 0 ms")
        if not (self.bpl > 0 and self.burst_ratio >= 1 and self.qdu > 0):
            raise ValueError("Bpl and qdu must be above 0, BurstR at least 1")


@dataclass(frozen=True, slots=True)
class Rating:
    """R, MOS, and what R is made of (7-1): R = Ro - Is - Id - Ie,eff + A."""

    r: float
    mos: float
    ro: float
    """Basic signal-to-noise ratio."""
    simultaneous: float
    """Is = Iolr + Ist + Iq."""
    iolr: float
    """Too low a loudness."""
    ist: float
    """Sidetone that is not the best."""
    iq: float
    """Quantizing distortion."""
    delay: float
    """Id = Idte + Idle + Idd."""
    idte: float
    """Talker echo."""
    idle: float
    """Listener echo."""
    idd: float
    """Absolute delay."""
    ie_eff: float
    advantage: float


def rate(parameters: Parameters) -> Rating:
    """R and its components.

    Parameters
    ----------
    parameters : Parameters
        Levels in dB, delays in ms, loss in percent.

    Returns
    -------
    Rating

    Notes
    -----
    With all defaults R is 93.2062 (Ro 94.7688, Is 1.4136, Id 0.1490). Wideband: Ro 129, Is and A none, Idd 1.29 times
    that of narrowband, echo by G.107.1 7.4. Its Roe needs a noise that G.107.1 does not define; taken is the one that
    Ro = 129 implies, so that Roe is 129 at the default RLR, as in narrowband it equals Ro. Fullband: Ro 148, Is and A
    none, Idd 1.48 times that of narrowband; echo is left out.
    """
    p = parameters
    scale = SCALES[p.scale]
    ro = scale.highest
    iolr = ist = iq = idte = idle = advantage = 0.0
    if p.scale == "NB":
        noise = _noise(p)
        ro = 15 - 1.5 * (p.slr + noise)
        iolr, ist, iq = _loudness(p, noise), _sidetone(p), _quantizing(p, ro)
        idte, idle = _talker_echo(p, noise, ist), _listener_echo(p, ro)
        advantage = p.advantage
    elif p.scale == "WB":
        idte, idle = _talker_echo_wide(p, ro), _listener_echo(p, ro)
    idd = scale.stretch * _delay(p)
    ie_eff = effective_impairment(p.ie, p.bpl, p.loss_percent, p.burst_ratio, scale.ceiling)
    r = ro - (iolr + ist + iq) - (idte + idle + idd) - ie_eff + advantage
    return Rating(
        r=r,
        mos=mos_from_r(r, scale.stretch),
        ro=ro,
        simultaneous=iolr + ist + iq,
        iolr=iolr,
        ist=ist,
        iq=iq,
        delay=idte + idle + idd,
        idte=idte,
        idle=idle,
        idd=idd,
        ie_eff=ie_eff,
        advantage=advantage,
    )


def effective_impairment(
    ie: _Number, bpl: _Number, loss_percent: _Number, burst_ratio: _Number, ceiling: _Number | float = 95.0
) -> _Number:
    """Ie,eff (7-29): a codec's impairment under loss; for numbers and for arrays.

    Parameters
    ----------
    ie, bpl : float or float64[n]
        Equipment impairment, and robustness against loss (over 0).
    loss_percent : float or float64[n]
        0 to 100, after the jitter buffer.
    burst_ratio : float or float64[n]
        At least 1. G.107 vouches for values over 2 only where the loss is under 2 %.
    ceiling : float or float64[n]
        95, fullband 132.
    """
    return ie + (ceiling - ie) * loss_percent / (loss_percent / burst_ratio + bpl)


def mos_from_r(r: float, stretch: float = 1.0) -> float:
    """MOS of an R (Annex B, B-4): 1 to 4.5.

    Parameters
    ----------
    r : float
        Any; NaN gives NaN.
    stretch : float
        1.29 for wideband, 1.48 for fullband.

    Notes
    -----
    The cubic is below 1 between 0 and 6.5 (0.9888 at R = 3.2), where no MOS can be: held at 1.
    """
    x = r / stretch
    if x <= 0:
        return 1.0
    if x >= 100:
        return _FINEST_MOS
    cubic = 1 + 0.035 * x + x * (x - 60) * (100 - x) * 7e-6
    return 1.0 if cubic < 1 else cubic


def mos_from_rs(r: Floats, stretch: Floats | float = 1.0) -> Floats:
    """MOS of many R at once.

    Parameters
    ----------
    r : float64[n]
        Any.
    stretch : float64[n] or float
        As in :func:`mos_from_r`.

    Returns
    -------
    float64[n]
        NaN where `r` is.
    """
    x = np.clip(r / stretch, 0.0, 100.0)
    return np.maximum(1.0, 1 + 0.035 * x + x * (x - 60) * (100 - x) * 7e-6)


def r_from_mos(mos: float, stretch: float = 1.0) -> float:
    """R of a MOS: the inverse of :func:`mos_from_r` where it has one, R = 6.5 to 100 (G.107 Appendix I).

    Parameters
    ----------
    mos : float
        1 to 4.5.
    stretch : float
        As in :func:`mos_from_r`.

    Raises
    ------
    ValueError
        Where `mos` is not within 1 and 4.5.
    """
    if not 1.0 <= mos <= _FINEST_MOS:
        raise ValueError(f"MOS must be within 1 and 4.5, not {mos}")
    under_root = max(0.0, -903522 + 1113960 * mos - 202500 * mos * mos)
    h = math.atan2(15 * math.sqrt(under_root), 18566 - 6750 * mos) / 3
    x = 20 / 3 * (8 - math.sqrt(226) * math.cos(h + math.pi / 3))
    return stretch * min(100.0, max(LEAST_INVERTIBLE_R, x))


# ---- components
def _noise(p: Parameters) -> float:
    """No, dBm0p (7-3 to 7-7): all noise, referred to the 0 dBr point."""
    olr = p.slr + p.rlr
    send = p.ps - p.slr - p.ds - 100 + 0.004 * (p.ps - olr - p.ds - 14) ** 2
    heard = p.pr + 10 * math.log10(1 + 10 ** ((10 - p.lstr) / 10))
    receive = p.rlr - 121 + heard + 0.008 * (heard - 35) ** 2
    floor = p.nfor + p.rlr
    return 10 * math.log10(sum(10 ** (each / 10) for each in (p.nc, send, receive, floor)))


def _loudness(p: Parameters, noise: float) -> float:
    """Iolr (7-9, 7-10)."""
    x = p.slr + p.rlr + 0.2 * (64 + noise - p.rlr)
    return 20 * (math.pow(1 + (x / 8) ** 8, 1 / 8) - x / 8)


def _sidetone(p: Parameters) -> float:
    """Ist (7-11, 7-12)."""
    x = -10 * math.log10(10 ** (-p.stmr / 10) + math.exp(-p.t_ms / 4) * 10 ** (-p.telr / 10))
    return (
        12 * math.pow(1 + ((x - 13) / 6) ** 8, 1 / 8)
        - 28 * math.pow(1 + ((x + 1) / 19.4) ** 35, 1 / 35)
        - 13 * math.pow(1 + ((x - 3) / 33) ** 13, 1 / 13)
        + 29
    )


def _quantizing(p: Parameters, ro: float) -> float:
    """Iq (7-13 to 7-17)."""
    q = 37 - 15 * math.log10(p.qdu)
    g = 1.07 + 0.258 * q + 0.0602 * q * q
    y = (ro - 100) / 15 + 46 / 8.4 - g / 9
    z = 46 / 30 - g / 40
    return 15 * math.log10(1 + 10**y + 10**z)


def _echo_loudness(p: Parameters) -> float:
    """TERV (7-22): talker echo loudness as it is heard after that delay."""
    t = p.t_ms
    return p.telr - 40 * math.log10((1 + t / 10) / (1 + t / 150)) + 6 * math.exp(-0.3 * t * t)


def _echo(roe: float, re: float, t_ms: float) -> float:
    """What (7-19) and G.107.1 (7-5) have in common."""
    half = (roe - re) / 2
    return (half + math.sqrt(half * half + 100) - 1) * (1 - math.exp(-t_ms))


def _talker_echo(p: Parameters, noise: float, ist: float) -> float:
    """Idte (7-19 to 7-24); under 1 ms an echo is heard as sidetone."""
    if p.t_ms < 1:
        return 0.0
    terv = _echo_loudness(p) + (ist / 2 if p.stmr < 9 else 0.0)
    idte = _echo(-1.5 * (noise - p.rlr), 80 + 2.5 * (terv - 14), p.t_ms)
    return math.sqrt(idte * idte + ist * ist) if p.stmr > 20 else idte


def _talker_echo_wide(p: Parameters, ro: float) -> float:
    """Idte,WB (G.107.1 7-5 to 7-10), with the noise for which Ro = 15 - 1.5 (SLR + No) is 129."""
    noise = (15 - ro) / 1.5 - p.slr
    terv = _echo_loudness(p) + min(18.0, 0.08 * p.t_ms + 10)
    return _echo(-1.5 * (noise - p.rlr), 80 + 3 * (terv - 14), p.t_ms)


def _listener_echo(p: Parameters, ro: float) -> float:
    """Idle (7-25, 7-26)."""
    rle = 10.5 * (p.wepl + 7) * math.pow(p.tr_ms + 1, -0.25)
    half = (ro - rle) / 2
    return half + math.sqrt(half * half + 169)


def _delay(p: Parameters) -> float:
    """Idd (7-27, 7-28), on the narrowband scale."""
    if p.ta_ms <= p.least_perceived_delay_ms:
        return 0.0
    x = math.log2(p.ta_ms / p.least_perceived_delay_ms)
    n = 6 * p.delay_sensitivity
    return 25 * (math.pow(1 + math.pow(x, n), 1 / n) - 3 * math.pow(1 + math.pow(x / 3, n), 1 / n) + 2)
