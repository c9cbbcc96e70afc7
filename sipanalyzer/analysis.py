"""What a person holds: :class:`Analysis`, with DataFrames, calls, plots and a report. Floor 9.

In: a :class:`~sipanalyzer.result.Result`, which stays at hand as ``.result``, and what it was read from. Out: objects
over them. pandas is loaded when a DataFrame is asked for, not before.
"""

from __future__ import annotations

import datetime
import functools
import os
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .output.cells import visible, zone
from .output.columns import FILLED
from .output.flow.escape import escaped
from .output.lookup import find_call
from .output.markup import markup, plain_text
from .output.tables import row_order, table
from .result import Result
from .stream_view import StreamView
from .views import CallView, MessageView

if TYPE_CHECKING:
    import pandas

__all__ = ["Analysis", "CallView", "MessageView", "StreamView"]


class Analysis:
    """One analysis: DataFrames made when they are asked for, and the calls behind them.

    Attributes
    ----------
    result : Result
        The frozen data that everything here is made from.
    """

    def __init__(self, result: Result, sources: Sequence[Any] = ()) -> None:
        self.result = result
        self._sources = list(sources)

    @functools.cached_property
    def calls(self) -> pandas.DataFrame:
        """Table `calls`: one row a call, by start."""
        return self._frame("calls")

    @functools.cached_property
    def streams(self) -> pandas.DataFrame:
        """Table `streams`: one row an RTP stream, by start."""
        return self._frame("streams")

    @functools.cached_property
    def messages(self) -> pandas.DataFrame:
        """Table `messages`: one row a SIP message, by time."""
        return self._frame("messages")

    @functools.cached_property
    def dialogs(self) -> pandas.DataFrame:
        """Table `dialogs`."""
        return self._frame("dialogs")

    @functools.cached_property
    def transactions(self) -> pandas.DataFrame:
        """Table `transactions`."""
        return self._frame("transactions")

    @functools.cached_property
    def registrations(self) -> pandas.DataFrame:
        """Table `registrations`: one row a REGISTER with its challenges."""
        return self._frame("registrations")

    @functools.cached_property
    def pages(self) -> pandas.DataFrame:
        """Table `pages`: one row a MESSAGE transaction (pager model)."""
        return self._frame("pages")

    @functools.cached_property
    def subscriptions(self) -> pandas.DataFrame:
        """Table `subscriptions`: one row a subscription."""
        return self._frame("subscriptions")

    @functools.cached_property
    def probes(self) -> pandas.DataFrame:
        """Table `probes`: OPTIONS by pair of peers."""
        return self._frame("probes")

    @functools.cached_property
    def endpoints(self) -> pandas.DataFrame:
        """Table `endpoints`: one row an address."""
        return self._frame("endpoints")

    @functools.cached_property
    def findings(self) -> pandas.DataFrame:
        """Table `findings`: what is wrong, with evidence and advice; of each call the likeliest first."""
        return self._frame("findings")

    @functools.cached_property
    def statistics(self) -> pandas.DataFrame:
        """Table `statistics`: RFC 6076, ASR, NER, ACD and counts; over the capture, by pair of hosts, by hour."""
        return self._frame("statistics")

    @functools.cached_property
    def intervals(self) -> pandas.DataFrame:
        """Table `intervals`: ten-second intervals of every stream."""
        return self._frame("intervals")

    @functools.cached_property
    def rtcp(self) -> pandas.DataFrame:
        """Table `rtcp`: one row a report block."""
        return self._frame("rtcp")

    @functools.cached_property
    def captures(self) -> pandas.DataFrame:
        """Table `captures`: one row a file."""
        return self._frame("captures")

    def _frame(self, name: str) -> pandas.DataFrame:
        from .output.frames import data_frame

        return data_frame(table(self.result, name))

    def call(self, which: str | int) -> CallView:
        """One call.

        Parameters
        ----------
        which : str or int
            A Call-ID, an unambiguous beginning of one, or a row of ``analysis.calls``.

        Raises
        ------
        ValueError
            If there is no such call, or several.
        """
        return CallView(self, find_call(self.result, which))

    def stream(self, row: int) -> StreamView:
        """The stream in that row of ``analysis.streams``.

        Raises
        ------
        ValueError
            If there is no such row.
        """
        order = row_order(self.result, "streams")
        if not hasattr(row, "__index__"):
            raise ValueError(f"a stream is named by its row number, not by {row!r}")
        if not -len(order) <= row < len(order):
            raise ValueError(f"there is no stream in row {row}; there are {len(order)} streams, counted from 0")
        return StreamView(self, self.result.streams[order[row]], row % len(order))

    def plot_calls(self, *, tz: str = "UTC") -> Any:
        """Draw calls over time: how many at once, how many began, what became of them (matplotlib Figure).

        ``sipanalyzer.output.plots.draw_calls`` draws any part of ``analysis.calls``; so do the others below.

        Raises
        ------
        ValueError
            If there is no such zone.
        """
        from .output.plots.calls import draw_calls

        return draw_calls(self.calls, tz=tz)

    def plot_post_dial_delay(self, axes: Any = None) -> Any:
        """Draw how post-dial delays are spread (matplotlib Axes)."""
        from .output.plots.distributions import draw_post_dial_delay

        return draw_post_dial_delay(self.calls, axes)

    def plot_mos(self) -> Any:
        """Draw how the streams' MOS is spread, each scale for itself (matplotlib Figure)."""
        from .output.plots.distributions import draw_mos

        return draw_mos(self.streams)

    def plot_heat_map(
        self,
        value: str = "loss_percent",
        axes: Any = None,
        *,
        scale: str | None = None,
        most: int = 20,
        tz: str = "UTC",
    ) -> Any:
        """Draw the streams' quality by pair of addresses and hour, the worst pairs first (matplotlib Axes).

        Parameters
        ----------
        value : str
            ``loss_percent`` or ``mos``.
        axes : matplotlib.axes.Axes, optional
            Where to draw; a new figure otherwise.
        scale : str, optional
            Of MOS: ``NB``, ``WB`` or ``FB``; otherwise the one of most streams.
        most : int
            Pairs shown; the others are counted.
        tz : str
            Zone whose hours these are.

        Raises
        ------
        ValueError
            If there is no such value or zone.
        """
        from .output.plots.heat_map import draw_heat_map

        return draw_heat_map(self.streams, value, axes, scale=scale, most=most, tz=tz)

    def summary(self) -> dict[str, Any]:
        """What is in the captures, as plain data; ``print(analysis)`` writes it out."""
        from .output.summary import summarize

        return summarize(self.result)

    def with_findings(self, rows: Any) -> Analysis:
        """The same analysis with findings of your own: its tables, pages, flow charts and reports have them too.

        Parameters
        ----------
        rows : pandas.DataFrame, or iterable of mappings
            One a finding, with columns of ``analysis.findings``: `code` and `explanation`, and what is known of
            `severity` (``warning`` otherwise), `advice`, `call_id`, `stream` (a row of ``analysis.streams``), `time`,
            `frame`, `evidence`, `capture`, `doubtful`, `affects`, `likelihood`.

        Raises
        ------
        ValueError
            If a column does not exist or a value cannot be meant.

        Examples
        --------
        >>> long = analysis.calls.query("duration_s > 3600")  # doctest: +SKIP
        >>> analysis.with_findings(  # doctest: +SKIP
        ...     {"code": "long-call", "call_id": call_id, "explanation": "It lasted over an hour."}
        ...     for call_id in long.call_id
        ... ).report("report.html")
        """
        from .output.own_findings import add_findings

        return Analysis(add_findings(self.result, rows), self._sources)

    def sources(self) -> list[Any]:
        """What was read, to be read once more: for packets, payload and frames, which an analysis does not keep.

        Raises
        ------
        ValueError
            If it cannot be read a second time (standard input, a pipe), or is not known.
        """
        for source in self._sources:
            if source == "-" or (hasattr(source, "read") and not (hasattr(source, "seekable") and source.seekable())):
                raise ValueError("packets are read from the capture once more, and this one can be read once only")
            if hasattr(source, "seek"):
                source.seek(0)
        if not self._sources:
            raise ValueError("this analysis does not know what it was read from")
        return self._sources

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,
        title: str | None = None,
        tz: str = "UTC",
        force: bool = False,
    ) -> pathlib.Path:
        """Write a report: one HTML file that works offline, or Markdown for a ticket.

        Parameters
        ----------
        path : path
            Where to.
        format : str, optional
            ``html`` or ``md``; by the end of the file's name otherwise.
        title : str, optional
            What stands above it; the names of the captures otherwise.
        tz : str
            Zone in which times are shown.
        force : bool
            Overwrite a file that exists.

        Raises
        ------
        ValueError
            If there is no such format or zone.
        OSError
            If the file exists (FileExistsError) or cannot be written.
        """
        from .output.report import write_report

        try:
            sources: list[Any] | None = self.sources()
        except ValueError:  # read from a pipe: the report has what needs no second reading
            sources = None
        return write_report(self.result, sources, path, format=format, title=title, tz=zone(tz), force=force)

    def export(
        self,
        folder: str | os.PathLike[str],
        format: str = "csv",
        *,
        tables: Sequence[str] = FILLED,
        force: bool = False,
    ) -> list[pathlib.Path]:
        """Write the tables, and the summary, into a folder.

        Parameters
        ----------
        folder : path
            Where to; it is made where it does not exist.
        format : str
            ``csv``, ``parquet``, ``json`` or ``xlsx``.
        tables : sequence of str
            Which tables.
        force : bool
            Overwrite files that exist.

        Returns
        -------
        list of pathlib.Path
            The files written.

        Raises
        ------
        ValueError
            If there is no such format, or its library is missing.
        OSError
            If a file exists (FileExistsError) or cannot be written.
        """
        from .output.export import export_tables

        return export_tables(self.result, folder, format, tables=tables, force=force)

    def __repr__(self) -> str:
        files = [capture.file for capture in self.result.captures]
        name = files[0] if len(files) == 1 else f"{len(files)} captures"
        result = self.result
        return (
            f"<Analysis of {visible(name)}: {len(result.calls)} calls, {len(result.streams)} streams, "
            f"{len(result.messages)} messages>"
        )

    def __str__(self) -> str:
        from .output.summary_page import summary_lines

        return plain_text(summary_lines(self.summary()))

    def _repr_html_(self) -> str:
        """For Jupyter: the report, its verdict first and in colour, and the first calls as a table."""
        from .output.summary_page import summary_lines

        calls = table(self.result, "calls").only(
            ("start", "caller", "callee", "state", "status_code", "duration_s", "codecs", "mos", "findings", "call_id")
        )
        page = markup(summary_lines(self.summary(), width=100))
        if not len(calls):
            return page
        from .output.cells import people

        head = "".join(f"<th>{escaped(column.name)}</th>" for column in calls.columns)
        rows = "".join(
            "<tr>" + "".join(
                f"<td>{escaped(people(value, column, datetime.UTC))}</td>"
                for value, column in zip(row, calls.columns, strict=True)
            ) + "</tr>"
            for row in calls.take(range(min(len(calls), 50))).rows()
        )  # fmt: skip
        return f"{page}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
