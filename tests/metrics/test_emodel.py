"""The E-model against published figures, figures worked out elsewhere, and itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.metrics import emodel
from sipanalyzer.metrics.emodel import SCALES, Parameters, effective_impairment, mos_from_r, mos_from_rs, r_from_mos

CODECS = {
    "G.711 no PLC": (0, 4.3),
    "G.711 PLC": (0, 25.1),
    "G.729A+VAD": (11, 19.0),
    "G.723.1 6.3 VAD": (15, 16.1),
    "GSM-EFR": (5, 10.0),
}
DELAYS = (0, 50, 100, 150, 200, 300, 400)
GRID = """
G.711 no PLC | 0 | 93.2/4.41 | 91.8/4.38 | 90.7/4.35 | 89.5/4.33 | 85.8/4.22 | 72.7/3.72 | 62.2/3.22
G.711 no PLC | 1 | 75.3/3.83 | 73.8/3.77 | 72.7/3.72 | 71.6/3.67 | 67.9/3.50 | 54.7/2.82 | 44.3/2.28
G.711 no PLC | 2 | 63.0/3.26 | 61.6/3.18 | 60.5/3.13 | 59.4/3.07 | 55.6/2.87 | 42.5/2.19 | 32.1/1.70
G.711 no PLC | 5 | 42.1/2.17 | 40.7/2.10 | 39.6/2.04 | 38.5/1.99 | 34.7/1.81 | 21.6/1.30 | 11.2/1.05
G.711 no PLC | 10 | 26.8/1.48 | 25.3/1.43 | 24.2/1.39 | 23.1/1.35 | 19.4/1.23 | 6.2/1.00 | -4.2/1.00
G.711 PLC | 0 | 93.2/4.41 | 91.8/4.38 | 90.7/4.35 | 89.5/4.33 | 85.8/4.22 | 72.7/3.72 | 62.2/3.22
G.711 PLC | 1 | 89.6/4.33 | 88.1/4.29 | 87.0/4.26 | 85.9/4.23 | 82.2/4.10 | 69.0/3.55 | 58.6/3.03
G.711 PLC | 2 | 86.2/4.24 | 84.7/4.19 | 83.7/4.15 | 82.5/4.12 | 78.8/3.98 | 65.7/3.39 | 55.2/2.85
G.711 PLC | 5 | 77.4/3.92 | 76.0/3.86 | 74.9/3.82 | 73.8/3.77 | 70.0/3.60 | 56.9/2.94 | 46.5/2.39
G.711 PLC | 10 | 66.1/3.41 | 64.7/3.34 | 63.6/3.28 | 62.5/3.23 | 58.7/3.03 | 45.6/2.35 | 35.2/1.84
G.729A+VAD | 0 | 82.2/4.10 | 80.8/4.05 | 79.7/4.01 | 78.5/3.97 | 74.8/3.81 | 61.7/3.19 | 51.2/2.64
G.729A+VAD | 1 | 78.0/3.95 | 76.6/3.89 | 75.5/3.84 | 74.3/3.79 | 70.6/3.63 | 57.5/2.97 | 47.0/2.42
G.729A+VAD | 2 | 74.2/3.79 | 72.8/3.72 | 71.7/3.67 | 70.5/3.62 | 66.8/3.44 | 53.7/2.77 | 43.2/2.23
G.729A+VAD | 5 | 64.7/3.34 | 63.3/3.27 | 62.2/3.21 | 61.0/3.15 | 57.3/2.96 | 44.2/2.27 | 33.7/1.77
G.729A+VAD | 10 | 53.2/2.75 | 51.8/2.67 | 50.7/2.61 | 49.6/2.55 | 45.8/2.36 | 32.7/1.72 | 22.3/1.32
G.723.1 6.3 VAD | 0 | 78.2/3.95 | 76.8/3.90 | 75.7/3.85 | 74.5/3.80 | 70.8/3.63 | 57.7/2.98 | 47.2/2.43
G.723.1 6.3 VAD | 1 | 73.5/3.76 | 72.1/3.69 | 71.0/3.64 | 69.9/3.59 | 66.1/3.41 | 53.0/2.73 | 42.6/2.19
G.723.1 6.3 VAD | 2 | 69.4/3.57 | 67.9/3.50 | 66.8/3.44 | 65.7/3.39 | 62.0/3.20 | 48.8/2.51 | 38.4/1.99
G.723.1 6.3 VAD | 5 | 59.2/3.06 | 57.8/2.99 | 56.7/2.93 | 55.6/2.87 | 51.8/2.67 | 38.7/2.00 | 28.3/1.54
G.723.1 6.3 VAD | 10 | 47.6/2.45 | 46.1/2.37 | 45.0/2.32 | 43.9/2.26 | 40.2/2.07 | 27.0/1.49 | 16.6/1.16
GSM-EFR | 0 | 88.2/4.29 | 86.8/4.25 | 85.7/4.22 | 84.5/4.18 | 80.8/4.05 | 67.7/3.49 | 57.2/2.96
GSM-EFR | 1 | 80.0/4.02 | 78.6/3.97 | 77.5/3.93 | 76.4/3.88 | 72.6/3.72 | 59.5/3.07 | 49.1/2.53
GSM-EFR | 2 | 73.2/3.74 | 71.8/3.68 | 70.7/3.63 | 69.5/3.58 | 65.8/3.39 | 52.7/2.72 | 42.2/2.18
GSM-EFR | 5 | 58.2/3.01 | 56.8/2.93 | 55.7/2.87 | 54.5/2.81 | 50.8/2.62 | 37.7/1.95 | 27.2/1.50
GSM-EFR | 10 | 43.2/2.22 | 41.8/2.15 | 40.7/2.10 | 39.5/2.04 | 35.8/1.86 | 22.7/1.34 | 12.2/1.07
"""
CELLS = [
    (codec, float(loss), delay, *map(float, cell.split("/")))
    for codec, loss, *cells in ([each.strip() for each in line.split("|")] for line in GRID.strip().splitlines())
    for delay, cell in zip(DELAYS, cells, strict=True)
]


def delayed(delay_ms: float, **more: float | str) -> Parameters:
    return Parameters(t_ms=delay_ms, tr_ms=2 * delay_ms, ta_ms=delay_ms, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("codec", "loss", "delay", "r", "mos"), CELLS)
def test_r_and_mos_are_those_of_the_grid(codec: str, loss: float, delay: int, r: float, mos: float) -> None:
    ie, bpl = CODECS[codec]
    rating = emodel.rate(delayed(delay, ie=ie, bpl=bpl, loss_percent=loss))
    assert rating.r == pytest.approx(r, abs=0.0501)
    assert rating.mos == pytest.approx(mos, abs=0.00501)


def test_the_defaults_give_the_published_components() -> None:
    rating = emodel.rate(Parameters())
    assert rating.ro == pytest.approx(94.7688, abs=5e-5)
    assert rating.simultaneous == pytest.approx(1.4136, abs=5e-5)
    assert rating.delay == pytest.approx(0.1490, abs=5e-5)
    assert rating.r == pytest.approx(93.2062, abs=5e-5) == emodel.BEST_R == SCALES["NB"].highest
    assert rating.mos == pytest.approx(4.4094, abs=5e-5)


def test_the_components_add_up() -> None:
    rating = emodel.rate(delayed(250, ie=11, bpl=19, loss_percent=3, burst_ratio=1.5, advantage=5, stmr=8, telr=50))
    assert rating.simultaneous == pytest.approx(rating.iolr + rating.ist + rating.iq)
    assert rating.delay == pytest.approx(rating.idte + rating.idle + rating.idd)
    assert rating.r == pytest.approx(rating.ro - rating.simultaneous - rating.delay - rating.ie_eff + 5)


@pytest.mark.parametrize(
    ("delay", "idte", "idle", "idd"),
    [(100, 1.963791, 0.727733, 0), (150, 2.811844, 0.840747, 0.163531), (250, 4.242856, 1.018587, 8.916710)],
)
def test_echo_and_delay_are_those_of_another_implementation(delay: float, idte: float, idle: float, idd: float) -> None:
    rating = emodel.rate(delayed(delay))
    assert (rating.idte, rating.idle, rating.idd) == pytest.approx((idte, idle, idd), abs=1e-5)


@pytest.mark.parametrize(
    ("delay", "id_"), [(50, 1.60), (100, 2.69), (150, 3.82), (200, 7.55), (250, 14.18), (300, 20.69), (400, 31.11),
                       (500, 38.55)],
)  # fmt: skip
def test_delay_impairment_grows_as_published(delay: float, id_: float) -> None:
    rating = emodel.rate(delayed(delay))
    rest = emodel.rate(Parameters())
    assert rating.delay - rest.delay + 0.149 == pytest.approx(id_, abs=0.0051)


def test_an_echo_under_a_millisecond_is_sidetone() -> None:
    assert emodel.rate(delayed(0.99, telr=20)).idte == 0
    assert emodel.rate(delayed(1.5, telr=20)).idte > 1


def test_sidetone_out_of_bounds_changes_the_talker_echo() -> None:
    """G.107 7.4: under 9 dB TERV grows by Ist/2 (7-23), over 20 dB Idte takes Ist in (7-24)."""
    usual = emodel.rate(delayed(100, stmr=15))
    weak = emodel.rate(delayed(100, stmr=25))
    assert weak.idte == pytest.approx(math.hypot(usual.idte, weak.ist), rel=1e-9)
    strong = emodel.rate(delayed(100, stmr=5))
    louder = emodel.rate(delayed(100, stmr=15, telr=65 + strong.ist / 2))
    assert strong.idte == pytest.approx(louder.idte, rel=1e-9)


def test_worked_examples() -> None:
    assert effective_impairment(11.0, 19.0, 2.0, 1.0) == pytest.approx(19.0)
    assert emodel.rate(delayed(150, ie=11, bpl=19, loss_percent=2)).r == pytest.approx(70.5, abs=0.05)
    assert emodel.rate(delayed(150, ie=11, bpl=19, loss_percent=2)).mos == pytest.approx(3.62, abs=0.005)
    assert effective_impairment(0.0, 25.1, 2.0, 1.0) == pytest.approx(7.01, abs=0.005)
    assert emodel.rate(delayed(150, bpl=25.1, loss_percent=2)).r == pytest.approx(82.5, abs=0.05)
    assert effective_impairment(0.0, 4.3, 2.0, 1.0) == pytest.approx(30.2, abs=0.05)
    assert effective_impairment(0.0, 4.3, 2.0, 2.0) == pytest.approx(35.8, abs=0.05)
    assert effective_impairment(0.0, 25.1, 2.0, 2.0) == pytest.approx(7.3, abs=0.05)
    assert effective_impairment(0.0, 4.3, 5.0, 2.0) == pytest.approx(69.85, abs=0.005)
    bursty = emodel.rate(Parameters(bpl=4.3, loss_percent=5, burst_ratio=2))
    assert bursty.r == pytest.approx(23.35, abs=0.01)
    for loss, ie in ((2, 19.0), (8, 35.9), (16, 49.4)):
        assert effective_impairment(11.0, 19.0, float(loss), 1.0) == pytest.approx(ie, abs=0.05)


@pytest.mark.parametrize(
    ("r", "mos"), [(50, 2.575), (60, 3.100), (70, 3.597), (80, 4.024), (90, 4.339), (93.2, 4.409), (0, 1), (-8, 1),
                   (100, 4.5), (150, 4.5), (3.22, 1), (6.5, 1)],
)  # fmt: skip
def test_mos_of_r(r: float, mos: float) -> None:
    assert mos_from_r(r) == pytest.approx(mos, abs=0.0006)


def test_mos_is_never_below_1_though_the_cubic_is() -> None:
    cubic = 1 + 0.035 * 3.22 + 3.22 * (3.22 - 60) * (100 - 3.22) * 7e-6
    assert cubic == pytest.approx(0.9888, abs=5e-5)
    assert mos_from_r(3.22) == 1.0


def test_r_of_mos_is_the_inverse_from_6_5_to_100() -> None:
    for r in np.linspace(6.6, 100, 500):
        assert r_from_mos(mos_from_r(float(r))) == pytest.approx(r, abs=2e-4)
    assert r_from_mos(mos_from_r(116.1, 1.29), 1.29) == pytest.approx(116.1, abs=1e-4)
    assert r_from_mos(1.0) == pytest.approx(6.5, abs=0.06)
    assert r_from_mos(4.5) == pytest.approx(100, abs=1e-6)
    for wrong in (0.99, 4.51, math.nan):
        with pytest.raises(ValueError, match="MOS must be"):
            r_from_mos(wrong)


@pytest.mark.parametrize(("ie", "mos"), [(0, 4.5), (1, 4.4940), (8, 4.4206), (13, 4.3371), (41, 3.5123), (56, 2.9220)])
def test_wideband_mos_of_an_impairment(ie: float, mos: float) -> None:
    assert mos_from_r(SCALES["WB"].highest - ie, SCALES["WB"].stretch) == pytest.approx(mos, abs=5e-5)


def test_wideband_keeps_95_and_ends_at_129() -> None:
    lossy = effective_impairment(20.0, 4.3, 2.0, 1.0, SCALES["WB"].ceiling)
    assert lossy == pytest.approx(43.8095, abs=5e-5)
    assert mos_from_r(129 - lossy, 1.29) == pytest.approx(3.4062, abs=5e-5)
    clean = emodel.rate(Parameters(scale="WB"))
    assert (clean.ro, clean.simultaneous, clean.idte, clean.idd) == (129, 0, 0, 0)
    assert clean.idle == pytest.approx(0.153685, abs=1e-6)
    late = emodel.rate(delayed(150, scale="WB"))
    assert late.idle == pytest.approx(1.012266, abs=1e-6)
    assert late.idd == pytest.approx(1.29 * 0.163531, abs=1e-6)


def test_wideband_talker_echo_by_hand() -> None:
    """T = 50 ms: K = 14; TERV = 65 + 14 - 40 lg(6 / (4/3)) = 52.8715; Re = 196.6145; Roe = 129: x = -33.8073."""
    rating = emodel.rate(delayed(50, scale="WB"))
    assert rating.idte == pytest.approx(-33.8073 + math.sqrt(33.8073**2 + 100) - 1, abs=1e-4)
    assert rating.idd == 0


def test_fullband_ends_at_148_and_has_132() -> None:
    clean = emodel.rate(Parameters(scale="FB", ie=10.2, bpl=4.3))
    assert (clean.r, clean.delay) == (pytest.approx(137.8), 0)
    lossy = emodel.rate(Parameters(scale="FB", ie=10.2, bpl=4.3, loss_percent=2))
    assert lossy.ie_eff == pytest.approx(10.2 + 121.8 * 2 / 6.3)
    assert emodel.rate(delayed(200, scale="FB")).idd == pytest.approx(1.48 * 3.044414, abs=1e-5)
    assert emodel.rate(Parameters(scale="FB")).mos == 4.5


def test_only_narrowband_has_an_advantage() -> None:
    assert emodel.rate(Parameters(advantage=10)).r == pytest.approx(103.2062, abs=5e-5)
    assert emodel.rate(Parameters(scale="WB", advantage=10)) == emodel.rate(Parameters(scale="WB"))
    assert emodel.rate(Parameters(scale="FB", advantage=10)) == emodel.rate(Parameters(scale="FB"))


@pytest.mark.parametrize(
    "wrong",
    [{"scale": "SWB"}, {"loss_percent": -1}, {"loss_percent": 101}, {"loss_percent": math.nan}, {"ta_ms": -1},
     {"t_ms": math.nan}, {"bpl": 0}, {"burst_ratio": 0.9}, {"qdu": 0}],
)  # fmt: skip
def test_parameters_that_no_connection_has_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        Parameters(**wrong)  # type: ignore[arg-type]


@given(st.lists(st.floats(-50, 200), min_size=1, max_size=20), st.sampled_from([1.0, 1.29, 1.48]))
def test_mos_of_many_is_that_of_each(rs: list[float], stretch: float) -> None:
    expected = [mos_from_r(r, stretch) for r in rs]
    assert mos_from_rs(np.array(rs), stretch).tolist() == pytest.approx(expected, abs=1e-12)


def test_mos_of_an_unknown_r_is_unknown() -> None:
    assert math.isnan(mos_from_r(math.nan))
    assert np.isnan(mos_from_rs(np.array([math.nan, 50.0]))).tolist() == [True, False]


@given(st.floats(0, 60), st.floats(1, 40), st.floats(0, 100), st.floats(1, 8))
def test_impairment_of_arrays_is_that_of_numbers_and_grows_with_loss(
    ie: float, bpl: float, loss: float, burst: float
) -> None:
    one = effective_impairment(ie, bpl, loss, burst)
    many = effective_impairment(np.array([ie]), np.array([bpl]), np.array([loss]), np.array([burst]))
    assert many[0] == pytest.approx(one, rel=1e-12)
    assert ie - 1e-9 <= one <= effective_impairment(ie, bpl, min(100.0, loss + 1), burst) + 1e-9
    assert one <= effective_impairment(ie, bpl, loss, burst + 1) + 1e-9


@given(st.floats(0, 1000), st.sampled_from(["NB", "WB", "FB"]))
def test_more_delay_is_never_better(delay: float, scale: str) -> None:
    """But for some tenths of R at 1 to 3 ms, where (7-22) makes a young echo weaker."""
    assert emodel.rate(delayed(delay + 5, scale=scale)).r <= emodel.rate(delayed(delay, scale=scale)).r + 0.2
