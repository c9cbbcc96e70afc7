"""The package as a whole: what importing it costs, and what its files at the top promise."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest

import sipanalyzer
from sipanalyzer.anomalies import MEANING

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAVY = {"numpy", "pandas", "numba", "matplotlib", "scapy", "dpkt", "rich", "fsspec", "jinja2", "pyarrow"}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def loaded_by(code: str) -> set[str]:
    """Top-level modules that stand loaded after `code` ran in a Python of its own."""
    code += "\nimport sys\nprint('LOADED', *{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import sipanalyzer")
    assert "sipanalyzer" in loaded
    assert not loaded & HEAVY


def test_asking_for_help_loads_nothing_heavy() -> None:
    code = "\n".join(
        [
            "import sys",
            "from sipanalyzer.cli import main",
            "sys.argv = ['sipanalyzer', '--help']",
            "try:",
            "    main()",
            "except SystemExit as end:",
            "    assert not end.code",
        ]
    )
    assert not loaded_by(code) & HEAVY


def test_the_version_is_the_same_everywhere() -> None:
    version = project()["project"]["version"]
    assert sipanalyzer.__version__ == version
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


def test_every_public_name_is_there() -> None:
    for name in sipanalyzer.__all__:
        assert getattr(sipanalyzer, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = sipanalyzer.no_such_name


def test_every_folder_and_file_of_the_package_stands_on_a_floor() -> None:
    layers = project()["tool"]["importlinter"]["contracts"][0]["layers"]
    floors = {name.strip() for layer in layers for name in re.split("[:|]", layer)}
    there = {
        f"sipanalyzer.{path.stem}"
        for path in (ROOT / "sipanalyzer").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
    }
    assert there == floors


@pytest.mark.parametrize("heading", ["Quick start", "Tests"])
def test_a_section_of_the_readme_begins_with_one_command_of_one_line(heading: str) -> None:
    section = (ROOT / "README.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    match = re.match(r"\n```sh\n([^\n]+)\n```\n", section)
    assert match is not None
    assert match[1].startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert section.count("```") == 2


def test_the_sample_of_the_quick_start_is_there() -> None:
    samples = re.findall(r"sample_pcaps/\S+\.pcap\S*", (ROOT / "README.md").read_text())
    assert samples
    assert [name for name in samples if not (ROOT / name).is_file()] == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            if not (document.parent / target).exists():
                broken.append(f"{document.name}: {target}")
    assert broken == []


def test_every_anomaly_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "reading-captures.md").read_text()
    documented = dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", text, re.MULTILINE))
    assert documented == MEANING


def test_the_licence_is_the_one_that_the_project_names() -> None:
    assert project()["project"]["license"] == "GPL-2.0-or-later"
    text = (ROOT / "LICENSE").read_text()
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "Version 2, June 1991" in text
