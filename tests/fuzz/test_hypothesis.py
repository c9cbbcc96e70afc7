"""The targets of atheris, driven by hypothesis, which makes an input that fails as small as it can."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

_FAST = [name for name, target in TARGETS.items() if target.guided and target.short >= 700]
_ODD = [b"", b"\0", b"\xff", b"\r\n", b"\r\n\r\n", b" ", b'"', b"<", b";", b",", b":", b"\x7f\xff", b"\xff\xff\xff\xff"]


pytestmark = pytest.mark.usefixtures("interpreted")


@st.composite
def _inputs(draw: st.DrawFn, seeds: list[bytes], longest: int) -> bytes:
    """A seed, cut, with another behind it, and some bytes of it replaced; or any bytes."""
    if draw(st.integers(0, 9)) == 9:
        return draw(st.binary(max_size=min(longest, 200)))
    data = draw(st.sampled_from(seeds))
    if draw(st.booleans()):
        data = data[: draw(st.integers(0, len(data)))]
    if draw(st.booleans()):
        other = draw(st.sampled_from(seeds))
        data += other[draw(st.integers(0, len(other))) :]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        new = draw(st.one_of(st.sampled_from(_ODD), st.binary(min_size=1, max_size=4)))
        data = data[:at] + new + data[at + draw(st.sampled_from((len(new), 0, 1, 2, 4, 30))) :]
    return data[:longest]


@pytest.mark.parametrize("name", _FAST)
def test_nothing_but_a_parsers_own_exceptions_comes_out_of(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=100, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(_inputs(target.seeds(), target.longest))
    def run(data: bytes) -> None:
        target.run(data)

    run()


def test_nearly_all_guided_targets_are_driven() -> None:
    assert len(_FAST) >= 25
