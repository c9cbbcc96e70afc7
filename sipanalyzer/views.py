"""What a person holds of one call, one message. Floor 9, beside :mod:`.analysis`, which hands them out.

In: an :class:`~sipanalyzer.analysis.Analysis` and what the view is of. Out: rows of its DataFrames, pages, pictures.
pandas and matplotlib are loaded when they are needed, not before.
"""

from __future__ import annotations

import functools
import os
import pathlib
from typing import TYPE_CHECKING, Any

from .output.cells import visible
from .output.markup import markup, plain_text
from .output.tables import row_order
from .result import TRANSPORTS, Call, Result, host_port

if TYPE_CHECKING:
    import pandas

    from .analysis import Analysis
    from .output.flow.picture import Flow
    from .stream_view import StreamView

__all__ = ["CallView", "MessageView"]


class CallView:
    """One call of an analysis."""

    def __init__(self, analysis: Analysis, call: Call) -> None:
        self._analysis, self._call = analysis, call

    @property
    def call_id(self) -> str:
        """Its Call-ID."""
        return self._call.call_id

    @functools.cached_property
    def row(self) -> pandas.Series[Any]:
        """Its row of ``analysis.calls``."""
        frame = self._analysis.calls
        order = row_order(self._analysis.result, "calls")
        number = next(row for row, at in enumerate(order) if self._analysis.result.calls[at] is self._call)
        return frame.iloc[number]

    @functools.cached_property
    def messages(self) -> list[MessageView]:
        """Its SIP messages, in order of time."""
        return [MessageView(self._analysis.result, row) for row in self._call.rows]

    @functools.cached_property
    def findings(self) -> pandas.DataFrame:
        """Its rows of ``analysis.findings``, those of its streams among them: the likeliest explanation first."""
        from .output.derived import findings_of

        own = set(self._call.streams)
        rows = [
            row
            for row, each in enumerate(findings_of(self._analysis.result))
            if each.call_id == self._call.call_id or each.stream in own
        ]
        return self._analysis.findings.iloc[rows]

    @functools.cached_property
    def digits(self) -> pandas.DataFrame:
        """What was dialled in it, by either method and both ways: time, key, duration_ms, method, direction, frame."""
        import pandas

        names = ["time", "key", "duration_ms", "method", "direction", "frame"]
        frame = pandas.DataFrame(
            [[getattr(digit, name) for name in names] for digit in self._call.digits], columns=names
        )
        frame["time"] = pandas.to_datetime(frame["time"].astype("int64"), unit="ns", utc=True)
        return frame

    @functools.cached_property
    def session(self) -> list[str]:
        """Call-IDs of all legs of its conversation, itself among them, by start."""
        sessions = self._analysis.result.sessions
        found = [session.call_ids for session in sessions if self._call.call_id in session.call_ids]
        return list(found[0]) if found else [self._call.call_id]

    @functools.cached_property
    def streams(self) -> list[StreamView]:
        """Its RTP streams, in order of start."""
        places = {at: row for row, at in enumerate(row_order(self._analysis.result, "streams"))}
        rows = sorted(places[number] for number in self._call.streams)
        return [self._analysis.stream(row) for row in rows]

    def flow(self, *, session: bool = False, fold: bool = True, tz: str = "UTC") -> Flow:
        """Its flow chart, which shows itself in Jupyter; ``.save("call.svg")`` writes it, ``print`` draws it in text.

        Parameters
        ----------
        session : bool
            Draw all legs of its conversation on one page.
        fold : bool
            Whether exchanges that repeat are drawn once and counted.
        tz : str
            Zone in which times are shown.
        """
        from .output.cells import zone
        from .output.flow.chart import make_chart
        from .output.flow.picture import Flow

        result = self._analysis.result
        calls = [self._call]
        if session:
            legs = frozenset(self.session)
            calls = [call for call in result.calls if call.call_id in legs]
        return Flow(result, make_chart(result, calls, fold=fold), zone(tz))

    def plot(self, *, tz: str = "UTC") -> Any:
        """Draw both directions beside each other over time: delta, jitter, skew, loss, MOS.

        Of several streams in one direction, the one with most packets is drawn. The capture is read once more.

        Parameters
        ----------
        tz : str
            Zone in which times are shown.

        Returns
        -------
        matplotlib.figure.Figure
            It shows itself in Jupyter.

        Raises
        ------
        ValueError
            If the call has no RTP, the capture can be read once only, or there is no such zone.
        CaptureError
            If the capture is gone.
        """
        from .output.packets import packet_frame
        from .output.plots.stream import draw_call
        from .rereading.replay import follow_packets
        from .rereading.rows import read_packets_of

        result = self._analysis.result
        chosen, more = self._main_streams()
        if not chosen:
            raise ValueError("there is no RTP of this call to draw")
        found = read_packets_of(
            self._analysis.sources(), [result.streams[at] for at in chosen.values()], result.options
        )
        rows = {at: row for row, at in enumerate(row_order(result, "streams"))}
        columns: dict[str, tuple[pandas.DataFrame, pandas.DataFrame | None]] = {}
        for (name, at), packets in zip(chosen.items(), found, strict=True):
            stream = result.streams[at]
            if packets is None:
                raise ValueError(f"a stream of {stream.packets:,} packets is too long to draw beside another")
            figures = follow_packets(packets, result.extra["turns"][at], result.options)
            view = self._analysis.stream(rows[at])
            columns[f"{name.replace('-', ' ')}: {view._about}"] = packet_frame(stream, figures), view.intervals
        for name in ("caller-to-callee", "callee-to-caller"):
            if name not in chosen and self._call.answered is not None and len(chosen) == 1:
                columns[name.replace("-", " ")] = next(iter(columns.values()))[0].iloc[:0], None
        scales = {q.scale for at in chosen.values() if (q := result.streams[at].quality) is not None}
        about = f"{self._call.caller or '?'} to {self._call.callee or '?'}"
        if more:
            about += f" ({more} shorter stream{'s' * (more > 1)} not drawn)"
        return draw_call(
            columns, about=about, tz=tz, gmin=result.options.gmin, mos_scale=scales.pop() if len(scales) == 1 else None
        )

    def _main_streams(self) -> tuple[dict[str, int], int]:
        """The stream with most packets of each direction, by its name; and how many streams are left out."""
        streams = self._analysis.result.streams
        chosen: dict[str, int] = {}
        for at in self._call.streams:
            name = streams[at].direction or "direction unknown"
            if name not in chosen or streams[at].packets > streams[chosen[name]].packets:
                chosen[name] = at
        order = sorted(
            chosen, key=lambda name: ("caller-to-callee", "callee-to-caller").index(name) if "-to-" in name else 2
        )
        return {name: chosen[name] for name in order}, len(self._call.streams) - len(chosen)

    def extract(self, path: str | os.PathLike[str], *, session: bool = False, force: bool = False) -> pathlib.Path:
        """Write its SIP, RTP and RTCP into a pcapng that Wireshark opens: the frames as they were captured.

        Parameters
        ----------
        path : path
            Where to.
        session : bool
            All legs of its conversation.
        force : bool
            Overwrite a file that exists.

        Raises
        ------
        ValueError
            If the capture can be read once only.
        CaptureError
            If it is gone.
        OSError
            If the file exists (FileExistsError) or cannot be written.
        """
        from .output.extract import extract_calls

        call_ids = self.session if session else [self.call_id]
        return extract_calls(self._analysis.result, self._analysis.sources(), call_ids, path, force=force)

    def audio(self, path: str | os.PathLike[str], *, force: bool = False) -> pathlib.Path:
        """Write what was said as a WAV file: the caller left, the callee right.

        Parameters
        ----------
        path : path
            Where to.
        force : bool
            Overwrite a file that exists.

        Raises
        ------
        ValueError
            If there is nothing to hear (no RTP, encrypted, a codec that cannot be decoded; the message says which), or
            the capture can be read once only.
        CaptureError
            If it is gone.
        OSError
            If the file exists (FileExistsError) or cannot be written.
        """
        from .output.audio import write_audio

        return write_audio(self._analysis.result, self._analysis.sources(), self._call, path, force=force)

    def __repr__(self) -> str:
        return f"<Call {visible(self._call.call_id)}: {self._call.state}>"

    def __str__(self) -> str:
        from .output.call_page import call_lines

        return plain_text(call_lines(self._analysis.result, self._call, width=100))

    def _repr_html_(self) -> str:
        """For Jupyter: its page."""
        from .output.call_page import call_lines

        return markup(call_lines(self._analysis.result, self._call, width=100))


class MessageView:
    """One SIP message: where and when it was seen, its bytes, and the parsed message when it is asked for.

    Attributes
    ----------
    time_ns : int
        Time of its frame, ns since 1970.
    frame : int
        Frame that completes it.
    src, dst : str
        ``address:port``.
    transport : str
        ``UDP`` and so on.
    retransmission : bool
        Whether the same bytes went between the same endpoints before.
    """

    def __init__(self, result: Result, row: int) -> None:
        messages = result.messages
        self._messages, self._row = messages, row
        self.time_ns = int(messages.time[row])
        self.frame = int(messages.frame[row])
        self.src = host_port(messages.endpoints[int(messages.src[row])])
        self.dst = host_port(messages.endpoints[int(messages.dst[row])])
        self.transport = TRANSPORTS[int(messages.transport[row])]
        self.retransmission = bool(messages.retransmission[row])

    @property
    def time(self) -> pandas.Timestamp:
        """Time of its frame (UTC)."""
        import pandas

        return pandas.Timestamp(self.time_ns, unit="ns", tz="UTC")

    @property
    def raw(self) -> bytes:
        """Its bytes as they were on the wire."""
        return self._messages.raw(self._row)

    @functools.cached_property
    def message(self) -> Any:
        """The parsed Request or Response.

        Raises
        ------
        ParseError
            If the bytes cannot be read as a message.
        """
        from .sip.parser import parse_message

        return parse_message(self.raw)

    def __repr__(self) -> str:
        first = visible(self.raw.split(b"\n", 1)[0].strip().decode("utf-8", "replace"))
        return f"<{first!r} from {self.src} to {self.dst}>"
