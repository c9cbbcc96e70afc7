"""Signalling and media meet: streams are tied to calls, and calls get what their streams say.

Floor 5. Comes in: figures of streams, bindings of sockets to calls (:mod:`.bindings`), calls. Goes out:
:class:`~sipanalyzer.result.Stream` and completed :class:`~sipanalyzer.result.Call`. Which calls a stream belongs to
says :mod:`.ties`; which streams of a call are one medium at several hops says :mod:`.relays`.
"""

from __future__ import annotations

import dataclasses
import operator
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from ..codecs import is_comfort_noise, is_event
from ..frozen import opened
from ..network.endpoints import address_text
from ..options import Options
from ..result import Call, Endpoint, Measures, Stream, fill_in
from ..rtp.figures import Figures, Socket, main_use
from ..rtp.formats import Use
from .bindings import CALLEE, CALLER, Binding
from .relays import count_ssrc_changes, group_hops
from .ties import OTHER_SIDE, Tie, tie_streams

__all__ = ["match_streams"]

_DEFAULTS = Options()
_MEASURES = tuple(field.name for field in dataclasses.fields(Measures))
_measures = operator.attrgetter(*_MEASURES)
_TOWARDS = {CALLER: "callee-to-caller", CALLEE: "caller-to-callee"}


def match_streams(
    figures: Sequence[Figures],
    bindings: Mapping[str, Sequence[Binding]],
    calls: Sequence[Call],
    options: Options = _DEFAULTS,
) -> tuple[list[Stream], list[Call], list[int]]:
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
    (list of Stream, list of Call, list of int)
        Streams in order of start, then first frame; calls in the order given; the `Figures.index` of each stream.
    """
    number = {call.call_id: k for k, call in enumerate(calls)}
    known = {k: bindings[call_id] for call_id, k in number.items() if call_id in bindings}
    for k, bound in known.items():
        _close_unanswered(calls[k], bound, options)
    order = sorted(figures, key=lambda f: (f.start, f.capture, f.first_frame, f.index))
    ties = tie_streams(order, known, calls)
    uses = [_named(f, known[tied[0].call]) if tied else f.uses for f, tied in zip(order, ties, strict=True)]
    media = [_media(used) for used in uses]
    changes = count_ssrc_changes(order, ties, media)
    streams = [
        _stream(f, tied, changed, used, calls, known)
        for f, tied, changed, used in zip(order, ties, changes, uses, strict=True)
    ]
    by_call: dict[int, dict[int, Tie]] = defaultdict(dict)
    for k, tied in enumerate(ties):
        for tie in tied:
            by_call[tie.call][k] = tie
    done = [
        _complete(call, by_call[c], streams, uses, media, order, known.get(c, ())) if c in by_call else _silent(call)
        for c, call in enumerate(calls)
    ]
    return streams, done, [f.index for f in order]


def _close_unanswered(call: Call, bound: Sequence[Binding], options: Options) -> None:
    """A call that was never answered holds its sockets for a while only, whether its end was captured or not."""
    if call.answered is None and not call.partial:
        for binding in bound:
            if binding.until is None:
                binding.until = call.last_time + options.unanswered_binding_ns


# ---- a stream's row
def _endpoint(socket: Socket) -> Endpoint:
    high, low, port = socket
    return address_text(high, low), port


def _named(f: Figures, bindings: Sequence[Binding]) -> tuple[Use, ...]:
    """What a stream's payload types meant, those without a name when it passed named by the call's SDP."""
    uses = []
    for use in f.uses:
        if use.format.name is None:
            for binding in bindings:
                named = binding.formats.get(use.payload_type)
                if named is not None:
                    clock = use.format.clock_rate_hz or named.clock_rate_hz
                    use = dataclasses.replace(use, format=dataclasses.replace(named, clock_rate_hz=clock))
                    break
        uses.append(use)
    return tuple(uses)


def _media(uses: Iterable[Use]) -> str | None:
    main = main_use(uses)
    return None if main is None else main.format.media


def _receiver(tie: Tie, media: str | None, bindings: Sequence[Binding]) -> Binding | None:
    """What the side that receives a stream said: its packet time counts (RFC 8866 6.4)."""
    if tie.towards is not None and tie.binding.side == tie.towards and tie.binding.kind == media:
        return tie.binding
    if tie.towards is None:  # a call without its beginning: the sides have no names
        return tie.binding if tie.matched == "sdp" else None
    theirs = [b for b in bindings if b.side == tie.towards and b.kind == media]
    return theirs[-1] if theirs else None


_Formats = tuple[tuple[int, str | None, int], ...]
_Described = tuple[str | None, str | None, tuple[int, ...], tuple[str, ...], _Formats]


def _described(uses: tuple[Use, ...]) -> _Described:
    """Codec and kind of a stream; its payload types, all its codecs and formats, in order of first use."""
    main = main_use(uses)
    if main is None:
        return None, None, (), (), ()
    formats = tuple([(use.payload_type, use.format.name, use.format.clock_rate_hz) for use in uses])
    return main.format.name, main.format.media, *_in_order(formats), formats


@lru_cache(maxsize=1024)
def _in_order(formats: _Formats) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Payload types and codecs of a stream's formats, each once: nearly all streams of a capture have the same."""
    names = dict.fromkeys(name for _, name, _ in formats if name is not None)
    return tuple(dict.fromkeys(payload_type for payload_type, _, _ in formats)), tuple(names)


@lru_cache(maxsize=1024)
def _spoken(names: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Those of some codecs that carry media of their own, and whether there are telephone events among them."""
    spoken = tuple(name for name in names if not is_event(name) and not is_comfort_noise(name))
    return spoken, any(map(is_event, names))


def _stream(
    f: Figures,
    ties: tuple[Tie, ...],
    ssrc_changes: int,
    uses: tuple[Use, ...],
    calls: Sequence[Call],
    known: Mapping[int, Sequence[Binding]],
) -> Stream:
    codec, media, payload_types, codecs, formats = _described(uses)
    first = ties[0] if ties else None
    call = None if first is None else calls[first.call]
    receiver = None if first is None else _receiver(first, media, known[first.call])
    direction = None
    if first is not None and call is not None and first.towards is not None and not call.partial:
        direction = _TOWARDS[first.towards]
    made: Stream = opened(Stream)(
        ssrc=f.ssrc,
        src=_endpoint(f.src),
        dst=_endpoint(f.dst),
        call_id=None if call is None else call.call_id,
        also_call_ids=tuple([calls[tie.call].call_id for tie in ties[1:]]),
        direction=direction,
        matched="rtp-only" if first is None else first.matched,
        media=media,
        payload_types=payload_types,
        codec=codec,
        codecs=codecs,
        clock_rate=f.clock_rate_hz,
        formats=formats,
        ptime_negotiated_ms=None if receiver is None else receiver.ptime_ms,
        ssrc_changes=ssrc_changes,
        encrypted=None if first is None else first.binding.encrypted,
        **dict(zip(_MEASURES, _measures(f), strict=True)),
    )
    return made


# ---- a call's row
def _silent(call: Call) -> Call:
    """A call without streams."""
    return fill_in(call, codecs=call.codecs_answered, dtmf_method="info" if call.dtmf_info else None)


def _complete(
    call: Call,
    ties: Mapping[int, Tie],
    streams: Sequence[Stream],
    uses: Sequence[tuple[Use, ...]],
    media: Sequence[str | None],
    order: Sequence[Figures],
    bindings: Sequence[Binding],
) -> Call:
    """What a call's streams say of it."""
    numbers = list(ties)
    used = sorted([(use.since, k, use.format.name) for k in numbers for use in uses[k] if use.format.name is not None])
    seen, events = _spoken(tuple(dict.fromkeys([name for _, _, name in used])))
    methods = ["rfc4733"] * events + ["info"] * call.dtmf_info
    towards = {k: tie.towards for k, tie in ties.items()}
    hops = group_hops(numbers, order, towards, media)
    worst = [_worst([streams[k] for k in group]) for group in hops]
    jitters = [jitter for k in numbers if (jitter := streams[k].max_jitter_ms) is not None]
    return fill_in(
        call,
        streams=tuple(numbers),
        codecs=seen or call.codecs_answered,  # what was only offered is not negotiated
        dtmf_method=",".join(methods) or None,
        packets=sum([s.packets for s in worst]),
        lost=sum([s.lost for s in worst]),
        expected=sum([s.expected for s in worst]),
        max_jitter_ms=max(jitters, default=None),
        media_latency_ns=_media_latency(call, ties, streams),
        one_way=_one_way(call, set(towards.values()), bindings),
    )


def _worst(hops: Sequence[Stream]) -> Stream:
    """Of one medium at several hops the stream that lost most."""
    return hops[0] if len(hops) == 1 else max(hops, key=lambda s: (s.loss_percent, -s.packets))


def _media_latency(call: Call, ties: Mapping[int, Tie], streams: Sequence[Stream]) -> int | None:
    """First 2xx to the first packet towards the caller, at the hop nearest to the caller of those captured."""
    if call.answered is None or call.partial:
        return None
    arriving = {k: tie.binding for k, tie in ties.items() if tie.towards == CALLER}
    near = [k for k, said in arriving.items() if said.side == CALLER and _endpoint(said.signalling) == call.src]
    starts = [streams[k].start for k in near or arriving]
    return min(starts) - call.answered if starts else None


def _one_way(call: Call, towards: set[str | None], bindings: Sequence[Binding]) -> bool | None:
    """Whether exactly one direction had media; None where it cannot be judged.

    Judged for answered calls with media; a missing direction, only where both sides' last SDP wants audio both ways.
    """
    if call.answered is None or call.partial or None in towards:
        return None
    if len(towards) == 2:
        return False
    wanted = {binding.side: binding.direction for binding in bindings if binding.kind == "audio"}
    if set(wanted) != set(OTHER_SIDE) or set(wanted.values()) != {"sendrecv"}:
        return None
    return True
