"""A flow chart as a person holds it: it shows itself, and saves itself. Floor 8.

In: a chart and the result that it was made from. Out: text, SVG, HTML, PNG, PDF, Mermaid. The renderer is loaded when
it is asked for.
"""

from __future__ import annotations

import base64
import datetime
import io
import os
import pathlib
from typing import TYPE_CHECKING

from ...result import Result
from ..files import whole_file
from ..markup import plain_text
from .escape import escaped
from .model import FlowChart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FORMATS", "Flow", "check_name"]

FORMATS = ("svg", "png", "pdf", "txt", "mmd", "html")
"""What a flow chart can be written as, by the end of the file's name."""


def check_name(path: str | os.PathLike[str]) -> str:
    """What a file of that name is written as.

    Raises
    ------
    ValueError
        If its end is none of :data:`FORMATS`.
    """
    end = pathlib.Path(path).suffix.lower().removeprefix(".")
    if end not in FORMATS:
        raise ValueError(f"a flow chart is written to a file that ends in .{', .'.join(FORMATS)}, not to {path}")
    return end


class Flow:
    """A flow chart.

    Attributes
    ----------
    chart : FlowChart
        Its layout: plain data.
    tz : datetime.tzinfo
        Zone in which times are shown.
    """

    def __init__(self, result: Result, chart: FlowChart, tz: datetime.tzinfo = datetime.UTC) -> None:
        self.chart, self.tz, self._result = chart, tz, result

    def text(self, width: int = 100) -> str:
        """As plain text, `width` columns wide."""
        from .text import draw_text

        return plain_text(draw_text(self.chart, width, self.tz)) + "\n"

    def svg(self) -> str:
        """As an SVG document, readable on light and dark ground."""
        from .svg import draw_svg

        return draw_svg(self.chart, self.tz)

    def html(self) -> str:
        """As one page for a browser, whose arrows open the raw messages."""
        from .page import draw_page

        return draw_page(self._result, self.chart, self.tz)

    def mermaid(self) -> str:
        """As a Mermaid sequence diagram."""
        from .mermaid import draw_mermaid

        return draw_mermaid(self.chart, self.tz)

    def figure(self) -> Figure:
        """As a matplotlib figure."""
        from .figure import draw_flow

        return draw_flow(self.chart, self.tz)

    def written(self, format: str) -> bytes:
        """Its bytes in one of :data:`FORMATS`.

        Raises
        ------
        ValueError
            If there is no such format.
        """
        texts = {"svg": self.svg, "txt": self.text, "mmd": self.mermaid, "html": self.html}
        if format in texts:
            return texts[format]().encode("utf-8", "replace")
        if format not in FORMATS:
            raise ValueError(f"a flow chart cannot be written as {format!r}; there are {', '.join(FORMATS)}")
        import warnings

        stream = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # letters that the font does not have are drawn as boxes
            if format == "png":
                self.figure().savefig(stream, format="png", dpi=144)
            else:
                from matplotlib.backends.backend_pdf import PdfPages

                from .figure import draw_pages

                with PdfPages(stream) as pages:
                    for page in draw_pages(self.chart, self.tz):
                        pages.savefig(page)
        return stream.getvalue()

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> pathlib.Path:
        """Write it to a file.

        Parameters
        ----------
        path : path
            Its end says how: ``.svg``, ``.png``, ``.pdf``, ``.txt``, ``.mmd`` (Mermaid) or ``.html``.
        force : bool
            Overwrite a file that exists.

        Raises
        ------
        ValueError
            If the name's end is none of these.
        OSError
            If the file exists (FileExistsError) or cannot be written.
        """
        content = self.written(check_name(path))
        with whole_file(path, force=force) as stream:
            stream.write(content)
        return pathlib.Path(path)

    def _repr_svg_(self) -> str:
        """For Jupyter."""
        return self.svg()

    def _repr_html_(self) -> str:
        """For Jupyter, and for sites that show notebooks.

        The SVG as an image: a site that puts it into its own page takes the style out, and leaves black boxes.
        """
        content = base64.b64encode(self.svg().encode("utf-8", "replace")).decode("ascii")
        title = escaped(self.chart.title[:200])
        return f'<img alt="{title}" src="data:image/svg+xml;base64,{content}">'

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        chart = self.chart
        return f"<Flow {chart.title}: {len(chart.participants)} participants, {len(chart.rows)} rows>"
