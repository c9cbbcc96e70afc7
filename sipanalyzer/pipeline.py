"""The one conductor: captures go in, a :class:`~sipanalyzer.result.Result` comes out.

Floor 6; with :mod:`.completion`, which makes the result of what is left behind, all that imports floors 2 to 5
together. Rows of packets arrive in order of time. The many (RTP) go to the stream table as they are; the few (SIP, TCP
segments, RTCP, fragments, odd encapsulations) become messages and reports. A session description acts from its own
frame on: before it is told to the timeline, the RTP before it is fed.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .calls.bindings import Signal, Wanted
from .calls.reports import ReportTable
from .calls.terms import Descriptions, describe
from .calls.timeline import MediaTimeline
from .calls.transactions import classify_copies
from .capture.block import Block
from .capture.keeping import KeptBytes
from .capture.order import Reading
from .capture.stopping import Stop
from .errors import ParseError
from .kernels import columns as row
from .kernels import forget_arrays
from .kernels.survey import find_few
from .options import Options
from .redaction.entrance import inputs_of, with_key
from .result import Endpoint, Messages, Result
from .sip.multipart import media_type, take_apart
from .sip.sdp import find_sdp, parse_sdp, sdp_limits
from .sip.spans import MessageStore
from .unpacking import MALFORMED, AnomaliesOfCaptures, Unpacker

__all__ = ["Conductor", "Progress", "analyze"]

Rows = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int64]

_NOTHING, _INVITE, _UPDATE, _ACK, _PRACK, _BYE = range(6)
_TOLD = {"INVITE": _INVITE, "UPDATE": _UPDATE, "ACK": _ACK, "PRACK": _PRACK, "BYE": _BYE}
"""Methods that say something to the timeline. The first four carry offers and answers in requests and responses (RFC
3261 13.2.1, RFC 3262, RFC 3311)."""
_TOLD_NAMES = ("", *_TOLD)
_NONE = np.empty(0, np.int64)
_KIND_NAMES = {
    row.RTP: "rtp", row.RTCP: "rtcp", row.STUN: "stun", row.SIP: "sip", row.TCP: "tcp", row.FRAGMENT: "fragment",
    row.SCTP: "sctp", row.HEP: "hep", row.DTLS: "dtls", row.TURN: "turn", row.ICMP: "icmp", row.OTHER: "other",
    row.UNKNOWN: "unknown", row.MALFORMED: "malformed", row.ODD: "odd",
}  # fmt: skip
_KEPT = np.zeros(row.KINDS, np.bool_)
_KEPT[[row.TCP, row.FRAGMENT, row.SCTP, row.HEP, row.ODD, row.RTCP, row.ICMP, row.STUN, row.DTLS]] = True
"""Kinds whose bytes wait for their turn in order of time."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an analysis is."""

    bytes_read: int
    """Of the files as they lie there (compressed, if they are)."""
    bytes_total: int
    """0 where it is not known (standard input)."""
    packets: int
    calls: int
    """Call-IDs seen so far."""


def analyze(
    captures: Any,
    options: Options | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Stop | None = None,
) -> Result:
    """Read captures and say what happened in them.

    Parameters
    ----------
    captures : path, URL, directory, glob, ``-``, binary file object, or a sequence of these
        Several are one capture, in order of time.
    options : Options, optional
        Settings; the defaults otherwise.
    progress : callable, optional
        Told after every block.
    stop : Stop, optional
        Once it is asked, nothing more is read, and the result is of what was read by then.

    Returns
    -------
    Result

    Raises
    ------
    CaptureError
        Nothing could be read.
    """
    collecting = gc.isenabled()
    gc.disable()  # millions of small objects, none of them in a cycle
    conductor = Conductor(with_key(options or Options()), progress, stop)
    try:
        return conductor.run(captures)
    finally:
        conductor.release()
        forget_arrays()
        if collecting:
            gc.enable()


class Conductor:
    """State of one run."""

    def __init__(self, options: Options, progress: Callable[[Progress], None] | None, stop: Stop | None = None) -> None:
        self._options, self._progress, self._stop = options, progress, stop
        self._anomalies = AnomaliesOfCaptures()
        self._store = MessageStore(options, self._anomalies.each)
        self._timeline = MediaTimeline(options)
        self._reports = ReportTable(options)
        self._unpacker = Unpacker(options, self._store, self._anomalies, self._report)
        self._kept = KeptBytes()
        self._order: list[Ints] = []
        self._sdp_limits = sdp_limits(options)
        self._descriptions = Descriptions(self._sdp_limits)
        self._methods: list[int] = []
        """By number of a method: which of those it is that the timeline is told of."""
        self._plain_sdp: list[bool] = []
        self._multipart: list[bool] = []
        """By number of a content type: whether it says that the body is a session description and nothing else."""
        self._numbers = np.empty(0, np.int64)
        self._found, self._searched, self._searched_rows = self._numbers, 0, 0
        """Rows of the block at hand that are not RTP, where its rows begin in memory, and how many there are."""

    # ---- the run
    def read(self, captures: Any) -> Reading:
        """Read all packets."""
        inputs = inputs_of(captures, self._options)
        if self._stop is not None:
            inputs = [replace(each, stop=self._stop) for each in inputs]
        reading = Reading(inputs, self._options, self._intake, self._anomalies.each)
        for rows, which in reading:
            from . import completion  # noqa: F401 (loaded while the thread that reads decodes what comes next)

            self._take(rows, which)
            if self._progress is not None:
                read, total = reading.progress()
                self._progress(Progress(read, total, reading.packets, self._store.calls()))
        self._unpacker.finish()
        self._apply(np.empty((0, row.WIDTH), np.int64), self._anomalies.capture)
        return reading

    def run(self, captures: Any) -> Result:
        """Read all packets and say what happened."""
        reading = self.read(captures)
        from .completion import Raw, complete

        found = reading.captures()
        messages, fragmented = self._messages(clock_steps=any(capture.clock_steps for capture in found))
        missed = {
            "rtp-stream-limit": self._timeline.streams.not_tabled,
            "sdp-limit": self._timeline.not_bound,
            **self._timeline.streams.missed(),
        }
        for code, count in missed.items():
            if count:
                self._anomalies.add(code, count=count)
        counts = reading.counts() + self._unpacker.counts
        bindings = self._timeline.bindings().items()
        raw = Raw(
            captures=found,
            messages=messages,
            bindings={self._store.text("call_id", call_id): bound for call_id, bound in bindings},
            streams=self._timeline.streams,
            reports=self._reports,
            unpacker=self._unpacker,
            fragmented=fragmented,
            packets_by_kind={name: int(counts[kind]) for kind, name in _KIND_NAMES.items() if counts[kind]},
            unreadable=reading.unreadable,
            passed_over=reading.passed_over,
        )
        return complete(raw, self._options)

    def release(self) -> None:
        """Part what knows each other in a circle: megabytes that would wait long to be collected."""
        del self._timeline.streams
        del self._unpacker

    # ---- block by block: what rows point at is kept before the block goes
    def _few(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Numbers of the rows that are not RTP; of a block's first rows as they were found in the block."""
        at = rows.ctypes.data
        if at == self._searched and len(rows) <= self._searched_rows:
            return self._found[: np.searchsorted(self._found, len(rows))]
        if len(self._numbers) < len(rows):
            self._numbers = np.empty(len(rows), np.int64)
        return self._numbers[: find_few(rows, self._numbers)]

    def _intake(self, block: Block) -> Rows:
        """Rows of a block that refer to it no more: `AT` of SIP is a message's index, of others a key of kept bytes."""
        self._searched = 0
        rows, few = block.rows, block.few
        self._found, self._searched_rows = few, len(rows)
        if not len(few):
            self._searched = rows.ctypes.data
            return rows
        self._anomalies.capture = block.capture
        kinds = rows[few, row.KIND]
        sip = few[kinds == row.SIP]
        if len(sip):
            first = self._store.add_block(block.data, rows[sip], block.capture)
            rows[sip, row.AT] = np.arange(first, first + len(sip))
            if len(sip) == len(few):
                self._searched = rows.ctypes.data
                return rows
        kept = few[_KEPT[kinds]]
        rows[kept, row.AT] = self._kept.keep(block.data, rows[kept, row.AT], rows[kept, row.LENGTH])
        if len(kept) + len(sip) == len(few):
            self._searched = rows.ctypes.data
            return rows
        wanted = np.ones(len(rows), np.bool_)
        for i in few[~_KEPT[kinds] & (kinds != row.SIP)].tolist():
            wanted[i] = False
            kind, layer, frame = (int(rows[i, column]) for column in (row.KIND, row.LAYER, row.FRAME))
            if kind == row.UNKNOWN:
                self._anomalies.add("unknown-link-type", frame, f"link type {layer}")
            elif kind == row.MALFORMED:
                self._anomalies.add(MALFORMED[layer], frame)
        return rows[wanted]

    def _report(self, src: Endpoint, dst: Endpoint, time: int, frame: int, capture: int, payload: bytes) -> None:
        """Take an RTCP packet."""
        anomaly = self._reports.add(src, dst, time, frame, capture, payload)
        if anomaly is not None:
            self._anomalies.add(anomaly, frame)

    # ---- row by row, in order of time
    def _take(self, rows: Rows, captures: int | npt.NDArray[np.int64]) -> None:
        """Move everything on by some rows.

        First the few become messages (and RTP, where it was wrapped), all of them; their headers are then found in one
        batch. Then messages and RTP take effect in order.
        """
        unpacker = self._unpacker
        unpacker.begin()
        few = self._few(rows)
        kinds = rows[few, row.KIND]
        sip = kinds == row.SIP
        if not sip.all():
            ranks = np.flatnonzero(~sip)
            places = few[ranks]
            packets = rows[places]
            data, packets[:, row.AT] = self._kept.take(packets[:, row.AT], packets[:, row.LENGTH])
            unpacker.take(
                places, places - ranks, packets, data, captures if isinstance(captures, int) else captures[places]
            )
        ranks = np.flatnonzero(sip)
        places = few[ranks]
        self._apply(rows, captures, places, places - ranks, rows[places, row.AT])

    def _apply(
        self,
        rows: Rows,
        captures: int | npt.NDArray[np.int64],
        places: Ints = _NONE,
        rtp_before: Ints = _NONE,
        messages: Ints = _NONE,
    ) -> None:
        """Let what happened take effect, in order: each event after the RTP of the rows before it.

        Parameters
        ----------
        rows, captures
            What :meth:`_take` got.
        places, rtp_before, messages : int64[k]
            Messages in datagrams of their own: their rows, how many rows of RTP stand before them, their indices. What
            the unpacker found is joined to them.
        """
        wrapped: list[tuple[int, int, int, Rows]] = []
        turns = np.zeros_like(places)  # order of what came at one row
        found: list[tuple[int, int, int, int]] = []
        if self._unpacker.events:
            for turn, (place, before, what) in enumerate(self._unpacker.events):
                if isinstance(what, int):
                    found.append((place, before, what, turn))
                else:
                    wrapped.append((place, turn, before, what))
        if found or self._unpacker.followed:
            kinds = [np.array(found, np.int64).reshape(-1, 4), np.stack([places, rtp_before, messages, turns], axis=1)]
            kinds += [np.stack([*several, np.zeros_like(several[0])], axis=1) for several in self._unpacker.followed]
            joined = np.concatenate(kinds)
            places, rtp_before, messages, turns = joined[np.argsort(joined[:, 0], kind="stable")].T
        self._order.append(messages)
        streams, timeline = self._timeline.streams, self._timeline
        says, signals = self._signals(messages)
        events: Iterable[tuple[int, int, int, Signal | Rows]]
        events = zip(places[says].tolist(), turns[says].tolist(), rtp_before[says].tolist(), signals, strict=True)
        if wrapped:
            events = sorted([*events, *wrapped], key=lambda event: event[:2])
        fed = rtp_fed = 0
        for i, _, before, event in events:
            if before > rtp_fed:
                streams.feed(rows, fed, i, captures)
                fed, rtp_fed = i, before
            if isinstance(event, Signal):
                timeline.signal(event)
            else:
                streams.feed(event, 0, 1, captures if isinstance(captures, int) else int(captures[i]))
        streams.feed(rows, fed, len(rows), captures)

    def _signals(self, indices: Ints) -> tuple[Ints, list[Signal]]:
        """What messages say to the timeline: which of them say something (places in `indices`), and what."""
        if not len(indices):
            return _NONE, []
        store = self._store
        numbers = np.where(store.status[indices] > 0, store.cseq_method[indices], store.method[indices])
        while len(self._methods) < store.different("method"):
            self._methods.append(_TOLD.get(store.text("method", len(self._methods)), _NOTHING))
        methods = np.array([*self._methods, _NOTHING])[numbers]  # -1: the last
        methods[store.call_id[indices] < 0] = _NOTHING
        status, described = store.status[indices], (methods > 0) & (methods < _BYE) & (store.body_length[indices] > 0)
        begins_or_ends = (status == 0) & ((methods == _INVITE) | (methods == _BYE))
        settles = (status >= 200) & ((methods == _INVITE) | (methods == _UPDATE))
        self._count_cut_bodies(indices)
        media = self._described(indices, np.flatnonzero(described))
        for place in np.flatnonzero(described & ~begins_or_ends & ~settles).tolist():
            described[place] = place in media
        says = np.flatnonzero(described | begins_or_ends | settles)
        told = indices[says]
        sockets = store.sockets()
        columns = (store.time, store.call_id, store.status, store.from_tag, store.to_tag, store.src, store.dst)
        return says, [
            Signal(
                time, call_id, status == 0, status, _TOLD_NAMES[method], from_tag, to_tag, sockets[src], sockets[dst],
                media.get(place),
            )
            for place, method, time, call_id, status, from_tag, to_tag, src, dst in zip(
                says.tolist(), methods[says].tolist(), *(column[told].tolist() for column in columns), strict=True
            )
        ]  # fmt: skip

    def _count_cut_bodies(self, indices: Ints) -> None:
        """Tell of messages whose bodies are not taken apart in whole."""
        store = self._store
        while len(self._multipart) < store.different("content_type"):
            content_type = store.text("content_type", len(self._multipart))
            self._multipart.append((media_type(content_type) or "").startswith("multipart/"))
        if True not in self._multipart:
            return
        multipart = np.array([*self._multipart, False])[store.column("content_type")[indices]]
        for index in indices[multipart].tolist():
            if take_apart(store.content_type(index), store.body(index), self._sdp_limits.of_body)[1]:
                self._anomalies.each[int(store.capture[index])].add("sip-body-limit", int(store.frame[index]))

    def _described(self, indices: Ints, places: Ints) -> dict[int, tuple[Wanted, ...]]:
        """What the session descriptions of messages want, by place in `indices`; only those that can be read."""
        if not len(places):
            return {}
        store = self._store
        while len(self._plain_sdp) < store.different("content_type"):
            content_type = store.text("content_type", len(self._plain_sdp))
            self._plain_sdp.append(content_type.lower() == "application/sdp")
        plain = np.array([*self._plain_sdp, False])[store.column("content_type")[indices[places]]]
        first = indices[places[plain]]
        sockets = store.sockets()
        signalling = [sockets[number] for number in store.src[first].tolist()]
        with store.view() as data:
            batch = self._descriptions.read(
                data, store.column("body_at")[first], store.body_length[first].astype(np.int64), signalling
            )
        read = dict(zip(places[plain].tolist(), batch, strict=True))
        for place in places[~plain].tolist():
            index = int(indices[place])
            body = find_sdp(store.content_type(index), store.body(index), self._sdp_limits)
            if body is not None:
                read[place] = None
                with contextlib.suppress(ParseError):
                    read[place] = describe(parse_sdp(body, self._sdp_limits), sockets[int(store.src[index])])
        media: dict[int, tuple[Wanted, ...]] = {}
        for place, one in sorted(read.items()) if len(read) > len(first) else read.items():
            if one is None or one.lost is not None:
                index = int(indices[place])
                counter = self._anomalies.each[int(store.capture[index])]
                counter.add("sdp-malformed", int(store.frame[index]), None if one is None else one.lost)
            if one is not None:
                media[place] = one.media
        return media

    # ---- the end
    def _messages(self, clock_steps: bool) -> tuple[Messages, frozenset[int]]:
        """All messages in order, capture duplicates left out; and which of them came in IP fragments."""
        store = self._store
        order = np.concatenate([_NONE, *self._order])
        order = order[store.column("length")[order] > 0]  # what a limit emptied is no copy of its like
        if not clock_steps:  # what came out of a TCP hole came late; after a clock step times are no order
            order = order[np.lexsort((store.frame[order], store.capture[order], store.time[order]))]
        flags = np.zeros((2, len(store)), np.bool_)
        flags[:, order] = classify_copies(
            store.whole[order], store.src[order], store.dst[order], store.time[order], self._options
        )
        retransmission, duplicate = flags
        for i in np.flatnonzero(duplicate).tolist():
            self._anomalies.each[int(store.capture[i])].add("sip-capture-duplicate", int(store.frame[i]))
        pieces = self._unpacker.fragmented
        kept = order[~(duplicate[order] | store.malformed[order])].tolist() if pieces else ()
        fragmented = frozenset(number for number, index in enumerate(kept) if index in pieces)
        return store.finish(order, retransmission, duplicate), fragmented
