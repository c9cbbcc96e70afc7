"""The layout of a flow chart is made. Floor 8.

In: a result and some of its calls. Out: a :class:`~.model.FlowChart`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...result import TRANSPORTS, Call, Endpoint, Result
from ..cells import visible
from .model import FlowChart, Leg, Media, Message, Participant, Row
from .palette import message_kind

__all__ = ["make_chart"]


def make_chart(result: Result, calls: Sequence[Call], *, fold: bool = True) -> FlowChart:
    """Lay out calls on one page.

    Parameters
    ----------
    result : Result
        What they were found in.
    calls : sequence of Call
        One, or all legs of a session.
    fold : bool
        Whether exchanges that repeat are drawn once and counted.

    Raises
    ------
    ValueError
        If there is no call.
    """
    del fold
    if not calls:
        raise ValueError("there is no call to draw")
    messages = result.messages
    rows = sorted((row, leg) for leg, call in enumerate(calls) for row in call.rows)
    hosts: dict[str, int] = {}

    def place(endpoint: Endpoint) -> int:
        return hosts.setdefault(endpoint[0], len(hosts))

    start = min(call.first_time for call in calls)
    drawn: list[Row] = []
    before = None
    for row, leg in rows:
        source, target = messages.endpoints[int(messages.src[row])], messages.endpoints[int(messages.dst[row])]
        status, method, time = int(messages.status[row]), messages.text("method", row), int(messages.time[row])
        drawn.append(
            Message(
                time=time,
                offset=time - start,
                gap=None if before is None else time - before,
                source=place(source),
                target=place(target),
                kind=message_kind(status, method),
                label=visible(f"{status} {messages.text('reason', row) or ''}".strip() if status else method or "?"),
                detail=None,
                method=method,
                status=status,
                cseq=int(messages.cseq[row]),
                leg=leg,
                frame=int(messages.frame[row]),
                capture=int(messages.capture[row]),
                message=row,
                retransmission=bool(messages.retransmission[row]),
                ports=(source[1], target[1]),
                transport=TRANSPORTS[int(messages.transport[row])],
            )
        )
        before = time
    for number in sorted({number for call in calls for number in call.streams}):
        stream = result.streams[number]
        drawn.append(
            Media(
                time=stream.start,
                offset=stream.start - start,
                end=stream.end,
                source=place(stream.src),
                target=place(stream.dst),
                label=f"RTP {stream.codec or '?'}",
                detail=f"{stream.duration_s:.1f} s, {stream.packets} packets, {stream.loss_percent:.1f} % lost",
                codec=stream.codec,
                packets=stream.packets,
                loss_percent=stream.loss_percent,
                max_jitter_ms=stream.max_jitter_ms,
                mos=None if stream.quality is None else stream.quality.mos,
                mos_scale=None if stream.quality is None else stream.quality.scale,
                shades=(stream.loss_percent,),
                leg=next(leg for leg, call in enumerate(calls) if number in call.streams),
                stream=number,
                ports=(stream.src[1], stream.dst[1]),
                frame=stream.first_frame,
                capture=stream.capture,
            )
        )
    participants = tuple(Participant(host, None, None, "between") for host in hosts)
    legs = tuple(Leg(visible(call.call_id), f"{call.caller} to {call.callee}", call.state) for call in calls)
    drawn.sort(key=lambda row: row.time)
    return FlowChart(legs[0].title, legs, participants, tuple(drawn), start)
