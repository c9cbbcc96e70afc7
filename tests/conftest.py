"""What all tests share."""

from __future__ import annotations

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


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
