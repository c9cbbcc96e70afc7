"""Findings about whether media flows, and whether it flows as it was agreed. Floor 7.

Owns: one-way-audio, no-media, no-rtp-captured, late-media, media-timeout; codec-mismatch, ptime-mismatch,
dtmf-not-negotiated, dscp-mismatch, encrypted-media. In: calls, the sockets that SDP bound, streams. Addresses that
cannot work are :mod:`.addresses`; how good what flows is, is :mod:`.quality`.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..calls.absence import SHORT_NS, Heard, Silence, find_silences, hear, media_end
from ..calls.bindings import CALLEE, CALLER, Binding
from ..codecs import is_comfort_noise, is_event
from ..facts import Endpoint, Finding
from ..network.endpoints import address_text
from ..result import Call, Stream, host_port
from .context import Context, Rule

__all__ = ["RULES", "bindings_of", "description_rows", "socket_of"]

_WAYS = {"caller-to-callee": ("caller", "callee"), "callee-to-caller": ("callee", "caller")}
_OTHER_WAY = {"caller-to-callee": "callee-to-caller", "callee-to-caller": "caller-to-callee"}
_DTX = ("G729", "G723", "AMR", "AMR-WB", "EVS")
"""Codecs that may send less in pauses without another payload type."""
_HOLDS = ("sendonly", "inactive", "recvonly")


def bindings_of(context: Context, call: Call) -> Sequence[Any]:
    """Sockets that the call's SDP bound."""
    bound: Mapping[str, Sequence[Binding]] = context.result.extra.get("bindings", {})
    return bound.get(call.call_id, ())


def socket_of(binding: Binding) -> Endpoint:
    """Where a side listens, as SDP says."""
    high, low, port = binding.socket
    return address_text(high, low), port


def description_rows(context: Context, call: Call, source: str | None = None) -> list[int]:
    """The messages that carried the call's descriptions (of one address): those that show a fault of them."""
    messages = context.messages
    rows = (row for row in call.rows if messages.body_length[row])
    if source is not None:
        rows = (row for row in rows if messages.endpoints[int(messages.src[row])][0] == source)
    return list(itertools.islice(rows, 4))


# ---- absence
def find_silent_calls(context: Context) -> Iterator[Finding]:
    """Answered calls with media in one direction only, or in none; one finding where no RTP was captured at all."""
    result = context.result
    answered = [call for call in result.calls if call.answered is not None and not call.partial]
    if not answered:
        return
    heard = hear(result.streams, result.rtcp)
    unheard: list[Call] = []
    all_bound: Mapping[str, Sequence[Binding]] = result.extra.get("bindings", {})
    for call in answered:
        if call.one_way is False:
            continue  # what the column says and what is found here are one judgement
        bound = all_bound.get(call.call_id, ())
        silences = find_silences(call, bound, result.streams, context.messages, heard) if heard.carriers else ()
        if silences or call.one_way:
            yield _silent(context, call, silences or [_missing(context, call)], media_end(call, heard))
        elif not call.streams and _unknown(bound, heard):
            unheard.append(call)
    if unheard:
        yield _no_rtp(context, unheard, len(answered))


def _missing(context: Context, call: Call) -> Silence:
    """The direction that a call lacks whose hops could not be told apart, or that was too short to be blamed."""
    there = {context.result.streams[number].direction for number in call.streams}
    missing = "caller-to-callee" if "caller-to-callee" not in there else "callee-to-caller"
    last = {each.side: socket_of(each) for each in bindings_of(context, call)}
    sender, receiver = (last.get(side, ("an unknown address", 0)) for side in _WAYS[missing])
    return Silence(missing, sender, receiver, (sender, receiver))


def _unknown(bound: Sequence[Binding], heard: Heard) -> bool:
    """Whether both sides wanted media, at addresses that carry none in this capture."""
    sides = {each.side for each in bound if each.kind in ("audio", "video")}
    if sides != {CALLER, CALLEE}:
        return False
    return not heard.carriers or not any(socket_of(each)[0] in heard.carriers for each in bound)


def _silent(context: Context, call: Call, silences: Sequence[Silence], end: int) -> Finding:
    one_way = [each for each in silences if each.missing is not None]
    silence = (one_way or silences)[0]
    lasted_ns = end - (call.answered or 0)
    doubt = _doubt(context, call, silence, end)
    lowered = None if doubt is None else "info" if lasted_ns < SHORT_NS else "warning"
    if not one_way:
        return context.finding(
            "no-media",
            f"No RTP between {host_port(silence.sender)} and {host_port(silence.receiver)} in the "
            f"{lasted_ns / 1e9:.1f} s after the answer, though both sides wanted it and other media at these addresses "
            "was captured.",
            call=call, rows=description_rows(context, call), time=call.answered, affects="both", severity=lowered,
            doubtful=doubt,
        )  # fmt: skip
    speaker, listener = _WAYS[silence.missing or "caller-to-callee"]
    there = [stream for _, stream in context.streams(call) if stream.direction != silence.missing]
    here = [each for each in there if silence.receiver == each.src or silence.sender == each.dst]
    packets = sum(each.packets for each in here or there)
    return context.finding(
        "one-way-audio",
        f"No RTP from the {speaker} ({host_port(silence.sender)}) to the {listener} ({host_port(silence.receiver)}) in "
        f"the {lasted_ns / 1e9:.1f} s after the answer, while {packets:,} packets went the other way.",
        call=call, rows=description_rows(context, call), time=call.answered, affects=listener, severity=lowered,
        doubtful=doubt,
    )  # fmt: skip


def _doubt(context: Context, call: Call, silence: Silence, end: int) -> str | None:
    """Why the silence may be none."""
    if end - (call.answered or 0) < SHORT_NS:
        return "the call was seen too shortly for media to be missed"
    if any(context.has_strangers(each[0], call.answered or 0, end) for each in (silence.receiver, silence.sender)):
        return "RTP that fits no call's SDP came to or from one of these addresses meanwhile, and may be this call's"
    return None


def _no_rtp(context: Context, unheard: Sequence[Call], answered: int) -> Finding:
    first = unheard[0]
    seen = "no RTP was captured at all" if not context.result.streams else "no media address of theirs carries RTP here"
    return context.finding(
        "no-rtp-captured",
        f"{len(unheard)} of {answered} answered calls have no media in this capture, and {seen}: whether they had any "
        "cannot be said.",
        time=first.answered, capture=first.capture, frames=(first.first_frame,),
    )  # fmt: skip


# ---- when media flows
def find_late_media(context: Context) -> Iterator[Finding]:
    """Media that began long after the answer, per direction."""
    limit = context.options.late_media_ms * 1e6
    for call in context.with_streams:
        if call.answered is None or call.partial:
            continue
        for direction, first in _first_by_direction(context, call).items():
            late = first[1].start - call.answered
            if late > limit and not _held(context, call):
                speaker, listener = _WAYS[direction]
                yield context.finding(
                    "late-media",
                    f"The first RTP packet from the {speaker} to the {listener} came {late / 1e9:.2f} s after the "
                    "answer.",
                    call=call, stream=first[0], affects=listener,
                )  # fmt: skip


def _first_by_direction(context: Context, call: Call) -> dict[str, tuple[int, Stream]]:
    first: dict[str, tuple[int, Stream]] = {}
    for number, stream in context.streams(call):
        way = stream.direction if stream.media in ("audio", None) else None
        if way is not None and (way not in first or stream.start < first[way][1].start):
            first[way] = number, stream
    return first


def _held(context: Context, call: Call) -> bool:
    """Whether SDP put any side of the call on hold at its end, or named no address for it."""
    return any(each.direction in _HOLDS for each in bindings_of(context, call) if each.kind == "audio")


def find_stopped_media(context: Context) -> Iterator[Finding]:
    """Media that stopped long before the BYE while the other direction ran on; no hold, no silence suppression."""
    limit = context.options.media_timeout_ns
    for call in context.with_streams:
        if call.answered is None or call.end is None or call.one_way is True:
            continue
        last: dict[str, tuple[int, Stream]] = {}
        for number, stream in context.streams(call):
            way = stream.direction if stream.media in ("audio", None) else None
            if way is not None and (way not in last or stream.end > last[way][1].end):
                last[way] = number, stream
        if len(last) != 2:
            continue
        for direction, (number, stream) in last.items():
            other = last[_OTHER_WAY[direction]][1]
            stopped = min(other.end, call.end) - stream.end
            if stopped < limit or _held(context, call) or _suppresses_silence(stream):
                continue
            speaker, listener = _WAYS[direction]
            yield context.finding(
                "media-timeout",
                f"RTP from the {speaker} to the {listener} stopped {stopped / 1e9:.1f} s before "
                f"{'the BYE' if other.end >= call.end else 'that of the other direction'}, which ran on.",
                call=call, stream=number, time=stream.end, frames=(stream.last_frame,), affects=listener,
            )  # fmt: skip


def _suppresses_silence(stream: Stream) -> bool:
    return any(is_comfort_noise(name) for name in stream.codecs) or stream.codec in _DTX


# ---- what was agreed
def find_codec_mismatches(context: Context) -> Iterator[Finding]:
    """A payload type that the receiver's SDP does not have (RFC 3264 5.1, 6.1)."""
    for call in context.with_streams:
        bound = bindings_of(context, call)
        for number, stream in context.streams(call):
            if stream.matched != "sdp" or stream.packets < 10:
                continue
            wanted = [each for each in bound if socket_of(each) == stream.dst and each.formats]
            if not wanted:
                continue
            known = {number for each in wanted for said in (each.formats, *each.earlier) for number in said}
            strange = [
                (payload_type, name)
                for payload_type, name, _ in stream.formats
                if payload_type not in known and not (payload_type in (13, 19) or (name and is_comfort_noise(name)))
            ]
            strange = [(payload_type, name) for payload_type, name in strange if not (name and is_event(name))]
            if strange:
                agreed = ", ".join(sorted({form.name or "?" for each in wanted for form in each.formats.values()}))
                beside = stream.codec is not None and all(name != stream.codec for _, name in strange)
                sent = ", ".join(f"{payload_type} ({name or 'unknown'})" for payload_type, name in strange)
                yield context.finding(
                    "codec-mismatch",
                    f"{host_port(stream.src)} sends payload type {sent}, which the SDP of {host_port(stream.dst)} does "
                    f"not have ({agreed})" + (", beside what it has." if beside else "."),
                    call=call, stream=number, severity="warning" if beside else None,
                    affects=_WAYS.get(stream.direction or "", (None, None))[1],
                )  # fmt: skip


def find_ptime_mismatches(context: Context) -> Iterator[Finding]:
    """Packets of another length than the receiver asked for (RFC 8866 6.4)."""
    for number, stream in enumerate(context.result.streams):
        seen, asked = stream.ptime_ms, stream.ptime_negotiated_ms
        if seen is None or asked is None or stream.packets < 50 or stream.media != "audio":
            continue
        if seen >= 4 * asked and _suppresses_silence(stream):
            continue  # in pauses AMR describes the noise every 160 ms, and most of a call may be pauses (TS 26.093)
        if abs(seen - asked) >= 1.0:
            yield context.finding(
                "ptime-mismatch",
                f"{host_port(stream.src)} sends packets of {seen:g} ms where the SDP of the receiver asks for "
                f"{asked:g} ms.",
                stream=number, affects=_WAYS.get(stream.direction or "", (None, None))[1],
            )  # fmt: skip


def find_missing_dtmf(context: Context) -> Iterator[Finding]:
    """Calls of which one side's SDP has telephone-event and the other's not, or events sent without agreement."""
    for call in context.result.calls:
        if call.answered is None or call.partial or call.dtmf_negotiated:
            continue
        events = [n for n, stream in context.streams(call) if any(is_event(name) for name in stream.codecs)]
        offered, answered = (_has_events(context, call, side) for side in (CALLER, CALLEE))
        if offered is None or answered is None:
            continue
        if events and not answered:
            text = (
                "Telephone events (RFC 4733) were sent, though the answer had no telephone-event: the receiver may "
                "ignore them."
            )
            yield context.finding("dtmf-not-negotiated", text, call=call, stream=events[0], severity="warning")
        elif offered != answered:
            has, lacks = ("offer", "answer") if offered else ("answer", "offer")
            text = f"The {has} had telephone-event and the {lacks} had not: key presses go in-band or not at all."
            rows = description_rows(context, call)
            yield context.finding("dtmf-not-negotiated", text, call=call, rows=rows, severity="info")


def _has_events(context: Context, call: Call, side: str) -> bool | None:
    """Whether the last SDP of a side has telephone-event; None where it has no audio."""
    mine = [each for each in bindings_of(context, call) if each.side == side and each.kind == "audio"]
    if not mine:
        return None
    return any(form.name is not None and is_event(form.name) for form in mine[-1].formats.values())


def find_dscp_mismatches(context: Context) -> Iterator[Finding]:
    """One direction of a call marked for priority and the other not (RFC 4594)."""
    lacking: dict[tuple[str, str, int, int], list[int]] = defaultdict(list)
    for call in context.with_streams:
        ways = _first_by_direction(context, call)
        if len(ways) != 2:
            continue
        for direction, (number, stream) in ways.items():
            other = ways[_OTHER_WAY[direction]][1]
            if stream.dscp == 0 and other.dscp is not None and other.dscp >= 32:
                lacking[stream.src[0], stream.dst[0], stream.dscp, other.dscp].append(number)
    for (src, dst, seen, other_dscp), numbers in lacking.items():
        stream = context.result.streams[numbers[0]]
        times = "1 stream" if len(numbers) == 1 else f"{len(numbers)} streams"
        yield context.finding(
            "dscp-mismatch",
            f"RTP from {src} to {dst} arrives with DSCP {seen} ({times}), that of the other direction with {other_dscp}"
            ": it is not marked, or its marking was removed on the way.",
            call=stream.call_id if len(numbers) == 1 else None, stream=numbers[0] if len(numbers) == 1 else None,
            time=stream.start, capture=stream.capture, frames=(stream.first_frame,), affects=src,
        )  # fmt: skip


def find_encrypted_media(context: Context) -> Iterator[Finding]:
    """SRTP: timing and loss are seen, content is not."""
    for call in context.with_streams:
        encrypted = [number for number, stream in context.streams(call) if stream.encrypted]
        if encrypted:
            codecs = Counter(context.result.streams[number].codec or "unknown" for number in encrypted)
            names = ", ".join(codecs)
            yield context.finding(
                "encrypted-media",
                f"{len(encrypted)} of {len(call.streams)} streams are SRTP ({names}): loss and jitter are measured, "
                "audio and digits cannot be read.",
                call=call, stream=encrypted[0],
            )  # fmt: skip


RULES: tuple[Rule, ...] = (
    find_silent_calls, find_late_media, find_stopped_media, find_codec_mismatches, find_ptime_mismatches,
    find_missing_dtmf, find_dscp_mismatches, find_encrypted_media,
)  # fmt: skip
