"""Signalling and media meet: streams are tied to calls, and calls get what their streams say.

Floor 5. Comes in: figures of streams, bindings of sockets to calls (:mod:`.timeline`), calls. Goes out:
:class:`~sipanalyzer.result.Stream` and completed :class:`~sipanalyzer.result.Call`. Rules, first that fits:

``sdp``
    the stream's destination is a socket that the call's SDP announced, at that time (or a little before: RTP may
    overtake its SDP);
``nat``
    the source is such a socket (symmetric RTP, RFC 4961), or the stream runs opposite to a stream already tied, or the
    port is the announced one and the address that of the side's signalling;
``rtp-only``
    neither.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..codecs import is_comfort_noise, is_event
from ..kernels.streamstate import AUDIO, VIDEO
from ..network.endpoints import address_text
from ..options import Options
from ..result import Call, Endpoint, Stream
from ..rtp.figures import Figures, Socket
from ..rtp.formats import Format
from .timeline import CALLEE, CALLER, Binding

__all__ = ["match_streams"]

_BEFORE_NS = 30_000_000_000
"""RTP may be this much older than the SDP that announces its destination (it was captured before, or overtook it)."""
_AFTER_NS = 2_000_000_000
"""RTP may begin this long after the call's end (packets under way when the BYE passed)."""

_DEFAULTS = Options()
_OTHER = {CALLER: CALLEE, CALLEE: CALLER}
_TOWARDS = {CALLER: "callee-to-caller", CALLEE: "caller-to-callee"}


@dataclass(frozen=True, slots=True)
class _Tie:
    """Why a stream belongs to a call."""

    call: int
    """Index into the calls."""
    matched: str
    towards: str | None
    """Side that receives it."""
    binding: Binding


def match_streams(
    figures: Sequence[Figures],
    bindings: Mapping[str, Sequence[Binding]],
    calls: Sequence[Call],
    options: Options = _DEFAULTS,
) -> tuple[list[Stream], list[Call]]:
    """Tie streams to calls and complete both.

    Parameters
    ----------
    figures : sequence of Figures
        All streams.
    bindings : mapping
        Call-ID to its bindings, in order of time.
    calls : sequence of Call
        In the order of the table.
    options : Options
        `unanswered_binding_ns`.

    Returns
    -------
    (list of Stream, list of Call)
        Streams in order of start, then first frame; calls in the order given.
    """
    number = {call.call_id: k for k, call in enumerate(calls)}
    known = {k: bindings[call_id] for call_id, k in number.items() if call_id in bindings}
    for k, bound in known.items():
        _close_unanswered(calls[k], bound, options)
    order = sorted(figures, key=lambda f: (f.start, f.capture, f.first_frame, f.index))
    ties = _tie(order, known, calls)
    changes = _count_ssrc_changes(order, ties)
    streams = [_stream(f, ties[k], changes[k], calls, known) for k, f in enumerate(order)]
    by_call: dict[int, list[int]] = defaultdict(list)
    for k in range(len(order)):
        for tie in ties[k]:
            by_call[tie.call].append(k)
    directions = {(tie.call, k): tie.towards for k in range(len(order)) for tie in ties[k]}
    done = [
        _complete(
            call, by_call.get(c, []), streams, {k: directions[c, k] for k in by_call.get(c, [])}, known.get(c, ())
        )
        for c, call in enumerate(calls)
    ]
    return streams, done


def _close_unanswered(call: Call, bound: Sequence[Binding], options: Options) -> None:
    """A call that was never answered holds its sockets for a while only, whether its end was captured or not."""
    if call.answered is None and not call.partial:
        for binding in bound:
            if binding.until is None:
                binding.until = call.last_time + options.unanswered_binding_ns


# ---- which call
def _tie(
    order: Sequence[Figures], known: Mapping[int, Sequence[Binding]], calls: Sequence[Call]
) -> list[tuple[_Tie, ...]]:
    """For each stream its ties, the earliest call first."""
    at_socket: dict[Socket, list[tuple[int, Binding]]] = defaultdict(list)
    at_signalling: dict[Socket, list[tuple[int, Binding]]] = defaultdict(list)
    for c, bound in known.items():
        for binding in bound:
            at_socket[binding.socket].append((c, binding))
            high, low, _ = binding.signalling
            at_signalling[high, low, binding.socket[2]].append((c, binding))
    ties: list[tuple[_Tie, ...]] = []
    for f in order:
        found = _in_time(f, at_socket.get(f.dst, ()))
        ties.append(_sorted(calls, [_Tie(c, "sdp", b.side, b) for c, b in found]))
    reverse: dict[tuple[Socket, Socket], list[int]] = defaultdict(list)
    for k, f in enumerate(order):
        if ties[k]:
            reverse[f.dst, f.src].append(k)
    for k, f in enumerate(order):
        if ties[k]:
            continue
        found = _in_time(f, at_socket.get(f.src, ()))
        natted = [_Tie(c, "nat", _OTHER.get(b.side or ""), b) for c, b in found]
        if not natted:
            for other in reverse.get((f.src, f.dst), ()):
                if order[other].start - _BEFORE_NS <= f.end and f.start <= order[other].end + _AFTER_NS:
                    natted += [_Tie(t.call, "nat", _OTHER.get(t.towards or ""), t.binding) for t in ties[other]]
        if not natted:
            natted = [_Tie(c, "nat", b.side, b) for c, b in _in_time(f, at_signalling.get(f.dst, ()))]
        if not natted:
            found = _in_time(f, at_signalling.get(f.src, ()))
            natted = [_Tie(c, "nat", _OTHER.get(b.side or ""), b) for c, b in found]
        ties[k] = _sorted(calls, natted)
    return ties


def _in_time(f: Figures, bindings: Iterable[tuple[int, Binding]]) -> list[tuple[int, Binding]]:
    """The bindings that held while the stream ran; where there are none, the nearest that just missed it."""
    bindings = list(bindings)
    held = [(c, b) for c, b in bindings if b.since <= f.end and (b.until is None or f.start <= b.until)]
    if held:
        return held
    near = [
        (max(b.since - f.end, 0 if b.until is None else f.start - b.until), number)
        for number, (_, b) in enumerate(bindings)
        if b.since - _BEFORE_NS <= f.end and (b.until is None or f.start <= b.until + _AFTER_NS)
    ]
    return [bindings[min(near)[1]]] if near else []


def _sorted(calls: Sequence[Call], ties: list[_Tie]) -> tuple[_Tie, ...]:
    """One tie a call (its last binding in time), the earliest call first."""
    last: dict[int, _Tie] = {}
    for tie in ties:
        last[tie.call] = tie
    return tuple(sorted(last.values(), key=lambda tie: (calls[tie.call].first_time, tie.call)))


def _count_ssrc_changes(order: Sequence[Figures], ties: Sequence[tuple[_Tie, ...]]) -> list[int]:
    """How often each stream's direction of its call, at its socket, had changed SSRC before it."""
    seen: dict[tuple[int, str | None, Socket], list[int]] = defaultdict(list)
    changes = []
    for k, f in enumerate(order):
        if not ties[k]:
            changes.append(0)
            continue
        tie = ties[k][0]
        before = seen[tie.call, tie.towards, f.dst]
        if not before or before[-1] != f.ssrc:
            before.append(f.ssrc)
        changes.append(len(before) - 1)
    return changes


# ---- a stream's row
def _endpoint(socket: Socket) -> Endpoint:
    high, low, port = socket
    return address_text(high, low), port


def _named(f: Figures, bindings: Sequence[Binding]) -> list[Format]:
    """A stream's formats, those that had no name when it passed named by the call's SDP."""
    formats = []
    for payload_type, form in zip(f.payload_types, f.formats, strict=True):
        if form.name is None:
            for binding in bindings:
                named = binding.formats.get(payload_type)
                if named is not None:
                    form = dataclasses.replace(named, clock_rate_hz=form.clock_rate_hz or named.clock_rate_hz)
                    break
        formats.append(form)
    return formats


def _stream(
    f: Figures, ties: tuple[_Tie, ...], ssrc_changes: int, calls: Sequence[Call], known: Mapping[int, Sequence[Binding]]
) -> Stream:
    formats = _named(f, known[ties[0].call]) if ties else list(f.formats)
    main = max(
        zip(formats, f.format_packets, strict=True),
        key=lambda pair: (pair[0].role in (AUDIO, VIDEO), pair[1]),
        default=(None, 0),
    )[0]
    towards = ties[0].towards if ties else None
    codecs = tuple(dict.fromkeys(form.name for form in formats if form.name is not None))
    binding = ties[0].binding if ties else None
    clock = f.clock_rate_hz
    return Stream(
        ssrc=f.ssrc,
        src=_endpoint(f.src),
        dst=_endpoint(f.dst),
        call_id=calls[ties[0].call].call_id if ties else None,
        also_call_ids=tuple(calls[tie.call].call_id for tie in ties[1:]),
        direction=None if towards is None or calls[ties[0].call].partial else _TOWARDS[towards],
        matched=ties[0].matched if ties else "rtp-only",
        media=main.media if main is not None else None,
        payload_types=f.payload_types,
        codec=main.name if main is not None else None,
        codecs=codecs,
        clock_rate=clock,
        ptime_ms=f.ptime_ms,
        ptime_negotiated_ms=binding.ptime_ms if binding is not None and ties[0].matched == "sdp" else None,
        dscp=f.dscp,
        vlan=f.vlan,
        start=f.start,
        end=f.end,
        packets=f.packets,
        bytes=f.bytes,
        expected=f.expected,
        lost=f.lost,
        duplicates=f.duplicates,
        out_of_order=f.out_of_order,
        restarts=f.restarts,
        mean_jitter_ms=f.mean_jitter_ms,
        max_jitter_ms=f.max_jitter_ms,
        mean_delta_ms=f.mean_delta_ms,
        max_delta_ms=f.max_delta_ms,
        max_skew_ms=f.max_skew_ms,
        clock_drift_ppm=f.clock_drift_ppm,
        ssrc_changes=ssrc_changes,
        encrypted=binding.encrypted if binding is not None else None,
        capture=f.capture,
        first_frame=f.first_frame,
        last_frame=f.last_frame,
        anomalies=f.anomalies,
    )


# ---- a call's row
def _is_media(name: str) -> bool:
    return not is_event(name) and not is_comfort_noise(name)


def _complete(
    call: Call,
    numbers: Sequence[int],
    streams: Sequence[Stream],
    towards: Mapping[int, str | None],
    bindings: Sequence[Binding],
) -> Call:
    """What a call's streams say of it."""
    mine = [streams[k] for k in numbers]
    seen = tuple(dict.fromkeys(name for s in mine for name in s.codecs if _is_media(name)))
    negotiated = call.codecs_answered or call.codecs_offered
    methods = []
    if any(is_event(name) for s in mine for name in s.codecs):
        methods.append("rfc4733")
    if call.dtmf_info:
        methods.append("info")
    packets = lost = expected = None
    if mine:
        worst = _worst_hops(numbers, streams, towards)
        packets, lost, expected = (sum(column) for column in zip(*worst, strict=True))
    to_caller = [streams[k].start for k in numbers if towards[k] == CALLER]
    latency = None
    if call.answered is not None and to_caller and not call.partial:
        latency = min(to_caller) - call.answered
    jitters = [s.max_jitter_ms for s in mine if s.max_jitter_ms is not None]
    return dataclasses.replace(
        call,
        streams=tuple(numbers),
        codecs=seen or negotiated,
        dtmf_method=",".join(methods) or None,
        packets=packets,
        lost=lost,
        expected=expected,
        max_jitter_ms=max(jitters, default=None),
        media_latency_ns=latency,
        one_way=_one_way(call, [towards[k] for k in numbers], bindings),
    )


def _worst_hops(
    numbers: Sequence[int], streams: Sequence[Stream], towards: Mapping[int, str | None]
) -> list[tuple[int, int, int]]:
    """(packets, lost, expected) of each medium of each direction, at the hop where most of it was missing.

    Several hops carry the same medium when streams of one direction have the same SSRC at the same time at different
    sockets.
    """
    groups: list[list[Stream]] = []
    keys: list[str | None] = []
    for k in numbers:
        s = streams[k]
        for group, key in zip(groups, keys, strict=True):
            first = group[0]
            if (
                key == towards[k]
                and first.ssrc == s.ssrc
                and (first.src, first.dst) != (s.src, s.dst)
                and s.start <= max(other.end for other in group)
            ):
                group.append(s)
                break
        else:
            groups.append([s])
            keys.append(towards[k])
    worst = [max(group, key=lambda s: (s.loss_percent, -s.packets)) for group in groups]
    return [(s.packets, s.lost, s.expected) for s in worst]


def _one_way(call: Call, towards: Sequence[str | None], bindings: Sequence[Binding]) -> bool | None:
    """Whether exactly one direction had media; None where it cannot be judged.

    Judged for answered calls of which both sides' last SDP wants audio both ways and any media was captured.
    """
    if call.answered is None or call.partial or not towards or None in towards:
        return None
    wanted = {}
    for binding in bindings:
        if binding.kind == "audio":
            wanted[binding.side] = binding.direction
    if set(wanted) != {CALLER, CALLEE} or set(wanted.values()) != {"sendrecv"}:
        return None
    return len(set(towards)) == 1
