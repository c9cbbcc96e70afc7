"""Findings about how good the media is that flows. Floor 7.

Owns: high-loss, high-jitter, low-mos, ssrc-change, sequence-reset, clock-drift, far-end-loss. In: streams with their
figures and quality, their intervals, RTCP. Loss is loss after the jitter buffer, as the listener has it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..calls.reports import where_lost
from ..facts import Finding
from ..options import Options
from ..result import Call, Stream, host_port
from .context import Context, Rule

__all__ = ["RULES"]

_RECEIVER = {"caller-to-callee": "callee", "callee-to-caller": "caller"}
_LEAST_PACKETS = 100
"""Streams with fewer packets say nothing about a share of one percent."""
_MOVES_NS = 3_000_000_000
"""An SSRC that changes this soon after a re-INVITE, UPDATE or REFER was changed by it."""
_MOVING = ("INVITE", "UPDATE", "REFER")


def _way(stream: Stream) -> str:
    return f"from {host_port(stream.src)} to {host_port(stream.dst)}"


def _judged(context: Context) -> Iterator[tuple[int, Stream]]:
    """Streams long enough that their quality means something."""
    least = context.options.min_quality_ns
    for number, stream in enumerate(context.result.streams):
        if stream.end - stream.start >= least and stream.expected >= _LEAST_PACKETS:
            yield number, stream


def _severity(value: float, warning: float, error: float) -> str | None:
    return "error" if value >= error else "warning" if value >= warning else None


# ---- loss
def find_high_loss(context: Context) -> Iterator[Finding]:
    """Packets lost or too late, as a share of those expected."""
    options: Options = context.options
    for number, stream in _judged(context):
        bad = stream.lost + (stream.discarded or 0)
        percent = 100.0 * bad / stream.expected
        severity = _severity(percent, options.high_loss_warning_percent, options.high_loss_error_percent)
        if severity is None:
            continue
        late = (
            f" and {stream.discarded:,} came too late for a buffer of {options.playout_ms:g} ms"
            if stream.discarded
            else ""
        )
        run = f", up to {stream.max_consecutive_lost:,} in a row" if stream.max_consecutive_lost > 1 else ""
        yield context.finding(
            "high-loss",
            f"{percent:.1f} % of {stream.expected:,} packets {_way(stream)} were missing for the listener: "
            f"{stream.lost:,} lost{late}{run}{_worst_interval(context, number, stream)}.",
            stream=number, severity=severity, affects=_RECEIVER.get(stream.direction or "", stream.dst[0]),
        )  # fmt: skip


def _worst_interval(context: Context, number: int, stream: Stream) -> str:
    """Since when: the worst interval, where the loss was not all along."""
    intervals = context.result.intervals
    begin, end = np.searchsorted(intervals.stream, [number, number + 1]).tolist()
    if end - begin < 2:
        return ""
    bad = (intervals.lost[begin:end] + intervals.discarded[begin:end]).tolist()
    expected = intervals.expected[begin:end].tolist()
    shares = [100.0 * each / count if count else 0.0 for each, count in zip(bad, expected, strict=True)]
    worst = max(range(len(shares)), key=shares.__getitem__)
    total = 100.0 * sum(bad) / max(1, sum(expected))
    if shares[worst] < 2 * total:
        return ""
    after = (int(intervals.start[begin + worst]) - stream.start) / 1e9
    length = context.options.interval_ns / 1e9
    return f"; worst {shares[worst]:.0f} % in the {length:g} s that began {after:.0f} s into it"


def find_far_end_loss(context: Context) -> Iterator[Finding]:
    """Loss that the receiver reports in RTCP and the capture did not see: it happened behind the capture point."""
    options = context.options
    for number, stream in _judged(context):
        reported = stream.rtcp_lost_percent
        if reported is None or reported < options.high_loss_warning_percent:
            continue
        if where_lost(stream, context.result.extra.get("reports", {}).get(number, reported)) != "after":
            continue
        yield context.finding(
            "far-end-loss",
            f"The receiver of RTP {_way(stream)} reports {reported:.1f} % loss in RTCP, and only "
            f"{stream.loss_percent:.1f} % is missing here: the rest was lost between this capture and the receiver.",
            stream=number, severity=_severity(reported, 0.0, options.high_loss_error_percent),
            affects=_RECEIVER.get(stream.direction or "", stream.dst[0]),
        )  # fmt: skip


# ---- jitter, MOS, drift
def find_high_jitter(context: Context) -> Iterator[Finding]:
    """Interarrival jitter (RFC 3550 A.8) beyond what jitter buffers are made for."""
    options = context.options
    for number, stream in _judged(context):
        jitter = stream.max_jitter_ms
        if jitter is None or stream.media == "video":
            continue
        severity = _severity(jitter, options.high_jitter_warning_ms, options.high_jitter_error_ms)
        if severity is None:
            continue
        if severity == "error" and not stream.discarded:
            severity = "warning"  # nothing came too late for the listener
        mean = "" if stream.mean_jitter_ms is None else f" (mean {stream.mean_jitter_ms:.1f} ms)"
        late = f"; {stream.discarded:,} packets came too late" if stream.discarded else ""
        yield context.finding(
            "high-jitter",
            f"Jitter {_way(stream)} rose to {jitter:.1f} ms{mean}, the longest pause was "
            f"{stream.max_delta_ms or 0:.0f} ms{late}.",
            stream=number, severity=severity, affects=_RECEIVER.get(stream.direction or "", stream.dst[0]),
        )  # fmt: skip


def find_low_mos(context: Context) -> Iterator[Finding]:
    """Quality by the E-model below what users accept (ITU-T G.109), on the range of the narrowband scale."""
    options = context.options
    for number, stream in _judged(context):
        quality = stream.quality
        if quality is None or quality.relative >= options.low_mos_warning_r:
            continue
        severity = "error" if quality.relative < options.low_mos_error_r else "warning"
        alone = quality.loss_percent == 0.0 and quality.delay_ms <= 150.0
        if alone:
            severity = "info"  # the codec, whose figures may be assumed, and nothing that went wrong
        reason = (
            "by its codec alone"
            if alone
            else f"with {quality.loss_percent:.1f} % of packets missing and {quality.delay_ms:.0f} ms of delay"
        )
        assumed = ", Ie and Bpl assumed" if quality.basis == "assumed" else ""
        yield context.finding(
            "low-mos",
            f"{stream.codec or 'Audio'} {_way(stream)} has R {quality.r_factor:.0f} and MOS {quality.mos:.2f} "
            f"({quality.scale}{assumed}) {reason}.",
            stream=number, severity=severity, affects=_RECEIVER.get(stream.direction or "", stream.dst[0]),
        )  # fmt: skip


def find_clock_drift(context: Context) -> Iterator[Finding]:
    """A sender whose RTP clock runs too fast or too slow."""
    options = context.options
    for number, stream in enumerate(context.result.streams):
        drift = stream.clock_drift_ppm
        if drift is None or stream.end - stream.start < options.clock_drift_ns or abs(drift) < options.clock_drift_ppm:
            continue
        jitter = stream.mean_jitter_ms or 0.0
        if abs(drift) * stream.duration_s / 1000.0 < max(5.0, 2 * jitter):
            continue  # within what jitter makes uncertain
        pace = "fast" if drift > 0 else "slow"
        yield context.finding(
            "clock-drift",
            f"The clock of {host_port(stream.src)} is {abs(drift):.0f} ppm {pace}: {abs(drift) * 3.6 / 1000:.2f} s an "
            "hour, which its receiver must skip or fill.",
            stream=number, affects=_RECEIVER.get(stream.direction or "", stream.dst[0]),
        )  # fmt: skip


# ---- identity
def find_ssrc_changes(context: Context) -> Iterator[Finding]:
    """A new SSRC in mid-call, with no answer, re-INVITE or transfer that would explain it."""
    for call in context.with_streams:
        if call.answered is None or not any(context.result.streams[number].ssrc_changes for number in call.streams):
            continue
        changed = [
            (number, stream)
            for number, stream in context.streams(call)
            if stream.ssrc_changes and stream.start > call.answered + 1_000_000_000
        ]
        moves = _moves(context, call) if changed else []
        odd = [each for each in changed if not any(0 <= each[1].start - move <= _MOVES_NS for move in moves)]
        if odd:
            number, stream = odd[0]
            times = "once" if len(odd) == 1 else f"{len(odd)} times"
            yield context.finding(
                "ssrc-change",
                f"RTP {_way(stream)} changed its SSRC in mid-call {times} (to 0x{stream.ssrc:08x}), with no re-INVITE "
                "or transfer before it.",
                call=call, stream=number,
            )  # fmt: skip


def _moves(context: Context, call: Call) -> list[int]:
    """Times of the requests inside the call that may move its media."""
    messages = context.messages
    return [
        int(messages.time[row])
        for row in call.rows
        if messages.status[row] == 0 and messages.to_tag[row] >= 0 and messages.text("method", row) in _MOVING
    ]


def find_sequence_resets(context: Context) -> Iterator[Finding]:
    """Restarts inside a stream: the sequence number jumps, and no gap in time explains it (RFC 3550 A.1)."""
    for number, stream in enumerate(context.result.streams):
        if stream.restarts:
            times = "once" if stream.restarts == 1 else f"{stream.restarts} times"
            yield context.finding(
                "sequence-reset",
                f"The sequence numbers of RTP {_way(stream)} began anew {times} under the same SSRC: its sender, or a "
                "box between, restarted the stream. Nothing is counted as lost for it.",
                stream=number, affects=_RECEIVER.get(stream.direction or "", stream.dst[0]),
            )  # fmt: skip


RULES: tuple[Rule, ...] = (
    find_high_loss, find_far_end_loss, find_high_jitter, find_low_mos, find_clock_drift, find_ssrc_changes,
    find_sequence_resets,
)  # fmt: skip
