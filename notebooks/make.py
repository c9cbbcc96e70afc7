"""Run the notebooks and store their outputs: ``python notebooks/make.py [NAME...]``.

In: the notebooks of this folder. Out: the same, each code cell with what it shows now. What
would change from run to run without any meaning (ids, times, words about the machine) is not
stored, so that ``git diff`` shows what has changed.
"""

from __future__ import annotations

import os
import pathlib
import sys
import tempfile
from typing import Any

FOLDER = pathlib.Path(__file__).resolve().parent
PATIENCE_S = 120
"""For one cell."""
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebooks() -> list[pathlib.Path]:
    """All of them, in order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def executed(path: pathlib.Path, folder: pathlib.Path = FOLDER) -> Any:
    """A notebook with the outputs that it has now, tidy.

    Parameters
    ----------
    path : pathlib.Path
        The notebook.
    folder : pathlib.Path
        Where it runs.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    import matplotlib.font_manager  # noqa: F401  # finds fonts here, once
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import KernelManager
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = {"kernelspec": dict(_KERNEL)}
    known = KernelSpecManager(
        kernel_dirs=[]
    )  # of none that are installed, but of this very Python
    kernel = KernelManager(kernel_name="python3", kernel_spec_manager=known)
    paths = (str(FOLDER.parent), os.environ.get("PYTHONPATH"))
    settings = {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    # a person's own settings of IPython are not the notebook's
    with tempfile.TemporaryDirectory() as own:
        client = NotebookClient(
            notebook,
            km=kernel,
            timeout=PATIENCE_S,
            resources={"metadata": {"path": str(folder)}},
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
        try:
            client.execute(env=os.environ | settings | {"IPYTHONDIR": own})
        finally:
            kernel.shutdown_kernel(now=True)
    return tidy(notebook)


def tidy(notebook: Any) -> Any:
    """The notebook without what changes from run to run; its cells numbered in order."""
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            output.pop("transient", None)
            if "metadata" in output:
                output.metadata = {}
    notebook.metadata = {
        "kernelspec": dict(_KERNEL),
        "language_info": {
            "file_extension": ".py",
            "mimetype": "text/x-python",
            "name": "python",
        },
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def main() -> None:
    """Run those that are named, or all."""
    names = [pathlib.Path(name).name for name in sys.argv[1:]]
    there = [path.name for path in notebooks()]
    unknown = sorted(set(names) - set(there))
    if unknown:
        sys.exit(f"there is no {', '.join(unknown)} here; there are {', '.join(there)}")
    import nbformat

    for path in notebooks():
        if not names or path.name in names:
            nbformat.write(executed(path), path)
            print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
