"""Scripts by others that the report's page carries with it. Floor 8, standard library only.

Owns where DataTables (with jQuery and its extensions: the bundle that ``itables`` delivers) and BokehJS (that ``bokeh``
delivers) lie among the installed packages, and how they are made to run as inline scripts. The packages are found, not
imported: their Python is not needed. Nothing of theirs is kept in this project. Out: texts, versions, licences.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import pathlib
import re
from dataclasses import dataclass

from ..formats import MissingLibrary

__all__ = ["Library", "bokeh", "datatables", "export_to_global"]


@dataclass(frozen=True, slots=True)
class Library:
    """A library that runs in the page."""

    name: str
    """What people call it."""
    version: str
    """Of the package that delivers it."""
    package: str
    """That package, and where it is kept."""
    licence: str
    """Its short name."""
    notice: str
    """The licence whole: it must go wherever the scripts go."""
    script: str
    """JavaScript for a plain (not module) inline script."""
    style: str
    """CSS; empty where it brings none."""


@functools.cache
def datatables() -> Library:
    """Tables that sort, filter, search and page, with jQuery, as ``window.DataTablesBundle``.

    Raises
    ------
    MissingLibrary
        If ``itables`` is not installed, or is of a kind that keeps its bundle elsewhere.
    """
    folder = _folder("itables") / "html"
    script = export_to_global(_text(folder / "dt_bundle.js", "itables"), "DataTablesBundle")
    found = re.search(r"\*!\s*DataTables (\d+\.\d+\.\d+)", script)
    return Library(
        f"DataTables {found[1]}" if found else "DataTables",
        importlib.metadata.version("itables"),
        "itables",
        "MIT (DataTables and its extensions, jQuery, itables)",
        _licence("itables"),
        script,
        _text(folder / "dt_bundle.css", "itables"),
    )


@functools.cache
def bokeh() -> Library:
    """Charts that zoom, as ``window.Bokeh`` with ``Bokeh.Plotting``.

    Raises
    ------
    MissingLibrary
        If ``bokeh`` is not installed, or is of a kind that keeps its scripts elsewhere.
    """
    folder = _folder("bokeh") / "server" / "static" / "js"
    parts = [_text(folder / name, "bokeh") for name in ("bokeh.min.js", "bokeh-api.min.js")]
    version = importlib.metadata.version("bokeh")
    return Library("BokehJS", version, "bokeh", "BSD-3-Clause", _licence("bokeh"), _plain("\n;\n".join(parts)), "")


def export_to_global(module: str, name: str) -> str:
    """An ES module that imports nothing, as a plain script that puts its exports into ``window[name]``.

    A module cannot be had from an inline script under a policy that allows no URL at all, so the one export statement
    at its end becomes an assignment, and the whole a function of its own, strict as modules are.

    Parameters
    ----------
    module : str
        JavaScript with one ``export{a as b,...}``, as bundlers write it.
    name : str
        Global to make.

    Raises
    ------
    MissingLibrary
        If there is no such statement.
    """
    found = list(re.finditer(r"\bexport\s*\{([^{}]*)\}\s*;?", module))
    if not found:
        raise MissingLibrary("the bundle of DataTables exports nothing; the report needs itables 2.2 or later")
    last = found[-1]
    pairs = []
    for each in filter(None, (part.strip() for part in last[1].split(","))):
        inner, _, outer = each.partition(" as ")
        pairs.append(f"{(outer or inner).strip()!r}:{inner.strip()}")
    assignment = f"window[{name!r}]={{{','.join(pairs)}}};"
    return f'(function(){{"use strict";\n{_plain(module[: last.start()] + assignment + module[last.end() :])}\n}})();\n'


def _plain(script: str) -> str:
    """Without the address of a source map, which a browser's tools would ask the network for."""
    return re.sub(r"//[#@]\s*sourceMappingURL=\S*", "", script).replace("\r\n", "\n").replace("\r", "\n")


def _folder(package: str) -> pathlib.Path:
    spec = importlib.util.find_spec(package)  # of a top-level package: finds it, runs nothing of it
    if spec is None or not spec.submodule_search_locations:
        raise MissingLibrary(f"the report needs the package {package}: pip install {package}")
    return pathlib.Path(next(iter(spec.submodule_search_locations)))


def _text(path: pathlib.Path, package: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise MissingLibrary(f"the report needs {path.name} of the package {package}: {error}") from None


def _licence(package: str) -> str:
    for file in importlib.metadata.files(package) or ():
        if file.name.upper().startswith(("LICENSE", "LICENCE")):
            path = pathlib.Path(str(file.locate()))
            if path.is_file():
                return path.read_text(encoding="utf-8", errors="replace").strip()
    return ""
