"""What a person holds of one stream. Floor 9, beside :mod:`.analysis`, which hands it out.

In: an :class:`~sipanalyzer.analysis.Analysis` and the stream. Out: rows of its DataFrames, its packets (the capture is
read once more for them), plots. pandas and matplotlib are loaded when they are needed, not before.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .output.tables import row_order
from .result import Stream, host_port

if TYPE_CHECKING:
    import pandas

    from .analysis import Analysis

__all__ = ["StreamView"]


class StreamView:
    """One RTP stream of an analysis."""

    def __init__(self, analysis: Analysis, stream: Stream, number: int) -> None:
        self._analysis, self._stream, self._number = analysis, stream, number

    @functools.cached_property
    def row(self) -> pandas.Series[Any]:
        """Its row of ``analysis.streams``."""
        return self._analysis.streams.iloc[self._number]

    @functools.cached_property
    def intervals(self) -> pandas.DataFrame:
        """Its rows of ``analysis.intervals``: quality over time."""
        frame = self._analysis.intervals
        return frame[frame["stream"] == self._number]

    def playout_sweep(self, depths_ms: Sequence[float] | None = None) -> pandas.DataFrame:
        """How deep a jitter buffer this stream needs: the capture is read once more for its packets.

        Parameters
        ----------
        depths_ms : sequence of float, optional
            Depths to try, ms; 0 to 300 otherwise.

        Returns
        -------
        pandas.DataFrame
            One row a depth: depth_ms, discarded, discarded_percent, effective_loss_percent, delay_ms, r_factor, mos.

        Raises
        ------
        ValueError
            If the stream's timing says nothing (video, no known clock rate), or the capture can be read once only.
        """
        import pandas

        from .output.sweep import DEPTHS_MS, SweepRow, sweep_playout

        packets, turns = self._told()
        rows = sweep_playout(
            self._stream, packets, turns, self._analysis.result.options, DEPTHS_MS if depths_ms is None else depths_ms
        )
        names = [field.name for field in dataclasses.fields(SweepRow)]
        return pandas.DataFrame([[getattr(row, name) for name in names] for row in rows], columns=names)

    def packets(self) -> pandas.DataFrame:
        """Its packets, one row an RTP packet, in order of arrival: the capture is read once more for them.

        Returns
        -------
        pandas.DataFrame
            time, frame, sequence, timestamp, delta_ms, jitter_ms, skew_ms, lost_before, late and more; what each column
            means is in ``attrs["columns"]``. Highest, mean and sums are those of the stream's row.

        Raises
        ------
        ValueError
            If the capture can be read once only, or does not hold the stream any more.
        CaptureError
            If it is gone.
        """
        return self._packets.copy()

    @functools.cached_property
    def _packets(self) -> pandas.DataFrame:
        from .output.packets import packet_frame
        from .rereading.replay import follow_packets

        return packet_frame(self._stream, follow_packets(*self._told(), self._analysis.result.options))

    def _told(self) -> tuple[Any, Any]:
        """Its packets as rows, and what SDP told of it among them."""
        from .rereading.rows import read_packets

        result = self._analysis.result
        rows = read_packets(self._analysis.sources(), self._stream, result.options)
        if len(rows) != self._stream.packets:
            raise ValueError("the capture does not hold this stream any more: it was changed after it was analyzed")
        return rows, result.extra["turns"][row_order(result, "streams")[self._number]]

    @property
    def _about(self) -> str:
        """What its pictures are of."""
        stream = self._stream
        way = f"{host_port(stream.src)} to {host_port(stream.dst)}"
        return ", ".join(filter(None, (way, stream.codec, f"SSRC 0x{stream.ssrc:08x}")))

    def plot(self, *, tz: str = "UTC") -> Any:
        """Draw it over time: delta, jitter, skew, loss and MOS, bursts and outages shaded, key presses marked.

        Parameters
        ----------
        tz : str
            Zone in which times are shown.

        Returns
        -------
        matplotlib.axes.Axes
            The uppermost panel; its ``.figure`` has all of them. It shows itself in Jupyter.

        Raises
        ------
        ValueError, CaptureError
            As for :meth:`packets`; or there is no such zone.
        """
        from .output.plots.stream import draw_stream

        quality = self._stream.quality
        figure = draw_stream(
            self._packets, self.intervals, about=self._about, tz=tz, gmin=self._analysis.result.options.gmin,
            mos_scale=None if quality is None else quality.scale,
        )  # fmt: skip
        return figure.axes[0]

    def plot_jitter(self, axes: Any = None) -> Any:
        """Draw how its jitter is spread (matplotlib Axes); raises as :meth:`packets` does."""
        from .output.plots.histograms import draw_jitter

        return draw_jitter(self._packets, axes, about=self._about)

    def plot_delay(self, axes: Any = None) -> Any:
        """Draw how late its packets came on its own schedule, and how deep the jitter buffer is (matplotlib Axes).

        Raises as :meth:`packets` does.
        """
        from .output.plots.histograms import draw_delay

        options = self._analysis.result.options
        return draw_delay(self._packets, axes, depth_ms=options.playout_ms, about=self._about)

    def plot_playout_sweep(self, depths_ms: Sequence[float] | None = None, axes: Any = None) -> Any:
        """Draw :meth:`playout_sweep` (matplotlib Axes)."""
        from .output.plots.sweep import draw_sweep

        return draw_sweep(self.playout_sweep(depths_ms), axes)

    def __repr__(self) -> str:
        stream = self._stream
        way = f"{host_port(stream.src)} to {host_port(stream.dst)}"
        return f"<Stream 0x{stream.ssrc:08x}: {way}, {stream.packets} packets>"
