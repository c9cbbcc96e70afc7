import subprocess
import sys

import pytest

HEAVY = ("numpy", "pandas", "numba", "matplotlib", "scapy", "dpkt", "rich", "pyarrow", "jinja2", "fsspec", "xlsxwriter")


def loaded(code: str) -> set[str]:
    """Top modules outside the standard library that `code` loads."""
    script = (
        "import sys; before = set(sys.modules)\n"
        f"{code}\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names\n"
        "sys.stderr.write(' '.join(sorted(new)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_importing_the_package_loads_the_standard_library_only() -> None:
    assert loaded("import sipanalyzer; sipanalyzer.Options") == {"sipanalyzer"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["calls", "--help"],
        ["--version"],
        ["export", "--help"],
        ["explain", "--help"],
        ["options", "--help"],
        ["explain", "high-loss"],
        ["explain", "playout_ms", "--format", "json"],
        ["explain", "list"],
        ["explain", "finding"],
        ["options"],
        ["options", "--format", "json"],
    ],
)
def test_help_and_explanations_load_the_argument_parser_and_nothing_else(arguments: list[str]) -> None:
    found = loaded(f"from sipanalyzer.cli import main; assert main({arguments!r}) == 0")
    assert found <= {"sipanalyzer", "click", "colorama"}


def test_the_command_line_reads_and_writes_without_pandas() -> None:
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "import io, datetime\n"
        "from tests.output.results import make_result\n"
        "from sipanalyzer.output import tables, formats, terminal, summary, summary_page\n"
        "formats.write_table(tables.table(make_result(), 'calls'), 'csv', io.BytesIO())\n"
        "terminal.lay_out(tables.table(make_result(), 'calls'), 80, datetime.UTC)\n"
        "summary_page.summary_lines(summary.summarize(make_result()))"
    )
    assert not loaded(code) & (set(HEAVY) - {"numpy"})
