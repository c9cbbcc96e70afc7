"""What all tests share."""

from __future__ import annotations

import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from sipanalyzer import kernels

ROOT = pathlib.Path(__file__).resolve().parent.parent

# How long an example takes says more of the machine, and of what runs beside the tests, than of what is tested.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def corpus() -> pathlib.Path:
    """Folder of captures made by others, with what tshark says of them; skips where there is none."""
    folder = pathlib.Path(os.environ.get("SIPANALYZER_CORPUS") or ROOT.parent / "shared" / "corpus")
    if not (folder / "index.tsv").is_file():
        pytest.skip("no corpus of captures: set SIPANALYZER_CORPUS")
    return folder


@pytest.fixture(scope="session")
def samples() -> pathlib.Path:
    """The project's own sample captures."""
    return ROOT / "sample_pcaps"


@pytest.fixture(
    params=[
        "interpreted",
        pytest.param("compiled", marks=pytest.mark.skipif(not kernels.available(), reason="no numba")),
    ]
)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Kernels as Python and as machine code, one after the other; what was set before is set again."""
    before = kernels.compiled()
    kernels.set_compiled(request.param == "compiled")
    yield request.param
    kernels.set_compiled(before)


@pytest.fixture
def interpreted() -> Iterator[None]:
    """Kernels as Python; what was set before is set again."""
    before = kernels.compiled()
    kernels.set_compiled(False)
    yield
    kernels.set_compiled(before)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium (playwright's Browser, sync API); skips where there is none.

    One a module, not one a session: while it is open an event loop runs, and no other can be started beside it.
    """
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium: install Debian's chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
