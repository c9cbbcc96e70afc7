"""The E-model against published figures, figures worked out elsewhere, and itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.metrics import emodel
from sipanalyzer.metrics.emodel import SCALES, Parameters, effective_impairment, mos_from_r, mos_from_rs, r_from_mos
from tests.grid import DELAYS, GRID

CODECS = {
    "G.711 no PLC": (0, 4.3),
    "G.711 PLC": (0, 25.1),
    "G.729A+VAD": (11, 19.0),
    "G.723.1 6.3 VAD": (15, 16.1),
    "GSM-EFR": (5, 10.0),
}
CELLS = [
    (codec, float(loss), delay, *map(float, cell.split("/")))
    for codec, loss, *cells in ([each.strip() for each in line.split("|")] for line in GRID)
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
