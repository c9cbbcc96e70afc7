"""Scripts by others: found among the installed packages, and made to run without an address."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sipanalyzer.output.formats import MissingLibrary
from sipanalyzer.output.report.libraries import Library, bokeh, datatables, export_to_global


def test_packages_are_found_without_being_imported() -> None:
    program = (
        "import sys; from sipanalyzer.output.report import libraries as l; l.datatables(); l.bokeh();"
        "print(sorted({'itables', 'bokeh', 'pandas', 'numpy', 'jinja2'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"itables", "bokeh"}.isdisjoint(eval(told.stdout)), told.stdout


@pytest.mark.parametrize("library", [datatables(), bokeh()], ids=lambda library: library.name)
def test_a_library_comes_with_its_version_its_licence_and_no_module_syntax(library: Library) -> None:
    assert library.version[0].isdigit()
    assert "Permission is hereby granted" in library.notice or "Redistribution" in library.notice
    script = library.script
    assert len(script) > 300_000
    assert "export{" not in script
    assert "sourceMappingURL" not in script


def test_datatables_is_named_with_its_own_version() -> None:
    name, _, version = datatables().name.partition(" ")
    assert name == "DataTables"
    assert int(version.split(".")[0]) >= 2


def test_the_exports_of_a_module_become_a_global() -> None:
    made = export_to_global("var a=1,$=2;export{a as default,$ as jQuery,a};\n/* licence */", "Bundle")
    assert "window['Bundle']={'default':a,'jQuery':$,'a':a};" in made
    assert made.startswith('(function(){"use strict";')
    assert made.rstrip().endswith("})();")
    assert "/* licence */" in made


def test_a_module_that_exports_nothing_is_refused() -> None:
    with pytest.raises(MissingLibrary, match="itables"):
        export_to_global("var a=1;", "Bundle")
