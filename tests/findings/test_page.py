"""The page `docs/findings.md` against what it is about: texts, options, rules, samples and tests."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import tomllib

import pytest

from sipanalyzer.explanations import explanations
from sipanalyzer.options import Options
from tests.findings.test_engine import raisable_codes
from tests.test_contract_findings import PAIRS

ROOT = pathlib.Path(__file__).parents[2]
DEFAULTS = {field.name: field.default for field in dataclasses.fields(Options)}


def rows() -> dict[str, tuple[str, str, str, str, str]]:
    """The columns behind each code."""
    found = {}
    for line in (ROOT / "docs" / "findings.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 6:
            code, default, raised, threshold, where, quiet = cells
            assert code.strip("`") not in found
            found[code.strip("`")] = default, raised, threshold, where, quiet
    return found


def threshold(code: str) -> str:
    """What stands in the column of thresholds."""
    text = explanations("finding")[code]
    shown = []
    for name in text.options:
        value = DEFAULTS[name]
        assert isinstance(value, int | float)
        shown.append(f"`{name}` ({value / 1e9:g} s)" if name.endswith("_ns") else f"`{name}` ({value:g})")
    return "; ".join(filter(None, (", ".join(shown), " ".join(text.source.split()))))


def test_the_page_has_every_code_that_can_be_raised_and_no_other() -> None:
    assert set(rows()) == set(explanations("finding"))
    assert raisable_codes() <= set(rows())  # the others are raised from tables; each is raised below


@pytest.mark.parametrize("code", explanations("finding"))
def test_a_row_says_what_holds(code: str) -> None:
    default, raised, limits, where, quiet = rows()[code]
    assert default == explanations("finding")[code].severity
    assert limits == threshold(code)
    assert raised
    assert quiet
    samples = set(re.findall(r"`([\w.]+\.pcap\w*)`", where))
    entries = tomllib.loads((ROOT / "sample_pcaps" / "expected.toml").read_text(encoding="utf-8"))["file"]
    made = {entry["name"] for entry in entries if any(f["code"] == code for f in entry.get("findings", ()))}
    assert samples <= made
    assert samples or (f"test `{code}`" in where and code in {name.split()[0] for name in PAIRS})
