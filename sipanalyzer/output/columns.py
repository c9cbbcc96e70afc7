"""The one list of columns: per table its columns in order, with type, unit and meaning. Floor 8, standard library only.

Tables, DataFrames, JSON, Parquet metadata, headings and ``docs/columns.md`` are all made from :data:`COLUMNS`. A name,
unit or meaning that stands here is a promise to users; adding is free.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["COLUMNS", "DTYPES", "FILLED", "STATES", "Column", "column", "columns_page", "names"]

DTYPES = {
    "text": "text",
    "int": "whole number",
    "float": "number",
    "time": "time (UTC, nanoseconds)",
    "bool": "true or false",
}
"""Types of columns, and what people call them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    dtype: str
    """A key of :data:`DTYPES`."""
    unit: str
    """``ms``, ``s``, ``%`` and so on; empty where there is none."""
    meaning: str


C = Column
# fmt: off
_FINDINGS = C("findings", "text", "", "codes of its findings, comma separated")
_FILTER = C("wireshark_filter", "text", "", "Wireshark display filter that shows it, signalling and media")
_CAPTURE = C("capture", "text", "", "file")
_FRAMES = (
    _CAPTURE,
    C("first_frame", "int", "", "number of its first frame in that file, counted from 1 as Wireshark does"),
    C("last_frame", "int", "", "number of its last frame"),
)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "calls": (
        C("call_id", "text", "", "Call-ID header"),
        C("session", "int", "", "number shared by the legs of one conversation"),
        C("state", "text", "", "what became of it: `completed`, `busy` and so on (see States of a call)"),
        C("status_code", "int", "", "the 2xx of the initial INVITE if there is one, else its final response"),
        C("reason", "text", "", "reason phrase of that response as sent, or timeout"),
        C("caller", "text", "", "user part of the From URI (the host where there is no user part; `tel:` number)"),
        C("callee", "text", "", "user part of the To URI, likewise"),
        C("from_uri", "text", "", "URI of the From header"),
        C("to_uri", "text", "", "URI of the To header"),
        C("request_uri", "text", "", "Request-URI of the first INVITE"),
        C("asserted_identity", "text", "", "P-Asserted-Identity, else P-Preferred-Identity, else Remote-Party-ID"),
        C("diversion", "text", "", "Diversion, else History-Info"),
        C("src", "text", "", "address:port of the first INVITE's sender; IPv6 as [address]:port"),
        C("dst", "text", "", "address:port of the first INVITE's receiver"),
        C("transport", "text", "", "UDP, TCP, TLS, WS, WSS or SCTP"),
        C("user_agent", "text", "", "product of the caller"),
        C("server", "text", "", "product of the callee"),
        C("start", "time", "", "first INVITE; missing where the capture began later"),
        C("ringing", "time", "", "first 180-183"),
        C("answered", "time", "", "first 2xx"),
        C("end", "time", "", "BYE, or the final failure response, or the CANCEL's 487"),
        C("post_dial_delay_ms", "float", "ms", "first INVITE to the first 180-183, or 2xx where none came before"),
        C("setup_latency_ms", "float", "ms", "first INVITE to the first 2xx; authentication counts (RFC 6076 5.3)"),
        C("answer_to_ack_ms", "float", "ms", "first 2xx to the first ACK for it"),
        C("media_latency_ms", "float", "ms", "first 2xx to the first RTP packet towards the caller; negative: early"),
        C("disconnect_delay_ms", "float", "ms", "first BYE to its final response other than 401/407"),
        C("duration_s", "float", "s", "first 2xx to the first BYE"),
        C("released_by", "text", "", "caller (also for CANCEL), callee, or network (BYE both ways)"),
        C("release_cause", "text", "", "Reason header of the BYE, CANCEL or final response (RFC 3326), else Warning"),
        C("messages", "int", "", "SIP messages"),
        C("retransmissions", "int", "", "of them: the same bytes between the same endpoints 50 ms later or more"),
        C("dialogs", "int", "", "dialogs; more than one where the call forked"),
        C("auth", "text", "", "none, challenged (and passed) or failed; missing where the capture ends before it"),
        C("codecs", "text", "", "audio and video codecs seen in its RTP, else negotiated; in order of first use"),
        C("codecs_offered", "text", "", "codecs of the SDP offer, comma separated"),
        C("codecs_answered", "text", "", "codecs of the SDP answer, comma separated"),
        C("dtmf_method", "text", "", "rfc4733, info or inband where seen"),
        C("streams", "int", "", "RTP streams"),
        C("packets", "int", "", "RTP packets of its streams, of several hops the worst in each direction"),
        C("lost", "int", "", "RTP packets lost, likewise"),
        C("loss_percent", "float", "%", "lost over expected"),
        C("max_jitter_ms", "float", "ms", "worst stream's highest interarrival jitter (RFC 3550 A.8)"),
        C("mos", "float", "", "worst stream's MOS (relative to its scale); streams shorter than 5 s do not set it"),
        C("mos_scale", "text", "", "NB, WB or FB; not comparable with each other"),
        C("one_way", "bool", "", "exactly one direction had media and both should; missing where it cannot be judged"),
        C("partial", "bool", "", "the capture began after the call did"),
        C("mode", "text", "", "session (INVITE)"),
        _FINDINGS, _FILTER, *_FRAMES,
        C("digits_from_caller", "text", "", "what the caller dialled in the call (RFC 4733 or INFO), in order"),
        C("digits_from_callee", "text", "", "what the callee dialled"),
        C("media", "text", "", "audio, video, text, image, message, application: negotiated or seen; comma separated"),
        C("text_messages", "int", "", "MSRP messages in it (RFC 4975); missing where no MSRP of it was captured"),
    ),
    "streams": (
        C("ssrc", "text", "", "synchronisation source: 0x and eight hex digits, lower case"),
        C("src", "text", "", "source address"),
        C("src_port", "int", "", "source port"),
        C("dst", "text", "", "destination address"),
        C("dst_port", "int", "", "destination port"),
        C("call_id", "text", "", "the call it belongs to; of several the earliest"),
        C("also_call_ids", "text", "", "the other calls that it fits (direct media behind a B2BUA), comma separated"),
        C("session", "int", "", "number shared by the legs of one conversation"),
        C("direction", "text", "", "caller-to-callee or callee-to-caller"),
        C("matched", "text", "", "sdp (address and port fit), nat (only port or peer fits), rtp-only (no call)"),
        C("media", "text", "", "audio, video, text, image or application"),
        C("payload_types", "text", "", "RTP payload types, comma separated"),
        C("codec", "text", "", "codec by its IANA name"),
        C("clock_rate", "int", "Hz", "RTP clock rate"),
        C("ptime_ms", "float", "ms", "packet time seen: the usual RTP timestamp step over the clock rate"),
        C("ptime_negotiated_ms", "float", "ms", "packet time from SDP, of the side that receives the stream"),
        C("kbit_s", "float", "kbit/s", "payload rate: payload bits over duration_s and, where known, one ptime_ms"),
        C("dscp", "int", "", "most frequent DSCP"),
        C("vlan", "int", "", "most frequent VLAN"),
        C("start", "time", "", "first packet"),
        C("end", "time", "", "last packet"),
        C("duration_s", "float", "s", "first to last packet"),
        C("packets", "int", "", "RTP packets received, duplicates included"),
        C("bytes", "int", "B", "RTP payload bytes (no header extension, CSRC, padding)"),
        C("expected", "int", "", "extended highest - lowest sequence number + 1 (RFC 3550 A.3), over all segments"),
        C("lost", "int", "", "expected - distinct packets received; never negative"),
        C("loss_percent", "float", "%", "lost over expected"),
        C("duplicates", "int", "", "packets with the extended sequence number and timestamp of an earlier one"),
        C("out_of_order", "int", "", "arrived after a higher sequence number, and no duplicate"),
        C("restarts", "int", "", "sequence jumps that loss does not explain; each begins a segment"),
        C("mean_jitter_ms", "float", "ms", "mean of the interarrival jitter after each packet (RFC 3550 A.8)"),
        C("max_jitter_ms", "float", "ms", "highest interarrival jitter"),
        C("max_delta_ms", "float", "ms", "longest time between packets that follow each other, breaks left out"),
        C("mean_delta_ms", "float", "ms", "mean time between packets that follow each other, breaks left out"),
        C("max_skew_ms", "float", "ms", "arrival against the RTP clock, largest; positive: late"),
        C("clock_drift_ppm", "float", "ppm", "drift of the sender's clock; positive: fast"),
        C("loss_bursts", "int", "", "bursts of loss (RFC 3611 4.7.2, Gmin 16)"),
        C("burst_density_percent", "float", "%", "share lost within bursts"),
        C("gap_density_percent", "float", "%", "share lost between bursts"),
        C("max_consecutive_lost", "int", "", "most packets lost in a row"),
        C("discarded_percent", "float", "%", "packets that a jitter buffer would have discarded as late"),
        C("r_factor", "float", "", "ITU-T G.107 rating over the whole stream, loss after the jitter buffer"),
        C("mos", "float", "", "mean opinion score from it"),
        C("mos_min", "float", "", "MOS of the worst whole ten-second interval"),
        C("mos_scale", "text", "", "NB, WB or FB; not comparable with each other"),
        C("mos_basis", "text", "", "published where ITU-T G.113 has the codec's Ie and Bpl, assumed where it has not"),
        C("rtcp_lost_percent", "float", "%", "loss that the far end reported in RTCP"),
        C("rtcp_jitter_ms", "float", "ms", "jitter that the far end reported in RTCP"),
        C("rtt_ms", "float", "ms", "median round trip from the capture point to the reporter and back, from RTCP"),
        C("dtmf", "text", "", "RFC 4733 digits, in order; ! is a hook flash"),
        C("ssrc_changes", "int", "", "how often this direction of the call changed SSRC before this stream"),
        C("encrypted", "bool", "", "SRTP that was not decrypted"),
        _FINDINGS, _FILTER, *_FRAMES,
        C("effective_loss_percent", "float", "%", "lost or discarded over expected: loss as the listener has it"),
        C("burst_ratio", "float", "", "mean run of such packets over that of random loss (ITU-T G.107 BurstR)"),
        C("delay_ms", "float", "ms", "one-way delay that r_factor rests on"),
        C("mos_notes", "text", "", "what r_factor and mos assume"),
        C("loss_runs", "text", "", "holes by length in packets: `1=5,3=1,10-19=1`"),
        C("lateness", "text", "", "packets by lateness on the stream's own schedule in ms: `<5=290,5-10=7,60-80=3`"),
    ),
    "messages": (
        C("frame", "int", "", "frame that completes the message, counted from 1 as Wireshark does"),
        C("time", "time", "", "time of that frame"),
        C("src", "text", "", "address:port of the sender"),
        C("dst", "text", "", "address:port of the receiver"),
        C("transport", "text", "", "UDP, TCP, TLS, WS, WSS or SCTP"),
        C("call_id", "text", "", "Call-ID header"),
        C("method", "text", "", "method of a request; missing for a response"),
        C("status_code", "int", "", "status code of a response; missing for a request"),
        C("reason", "text", "", "reason phrase of a response, as sent"),
        C("cseq", "int", "", "CSeq number"),
        C("cseq_method", "text", "", "method that the CSeq names"),
        C("branch", "text", "", "branch of the top Via"),
        C("from_uri", "text", "", "URI of the From header"),
        C("from_tag", "text", "", "its tag"),
        C("to_uri", "text", "", "URI of the To header"),
        C("to_tag", "text", "", "its tag"),
        C("user_agent", "text", "", "User-Agent, else Server"),
        C("content_type", "text", "", "type of the body"),
        C("content_length", "int", "B", "Content-Length as the header says"),
        C("retransmission", "bool", "", "the same bytes went between the same endpoints 50 ms before or more"),
        C("summary", "text", "", "`INVITE sip:...` or `200 OK (INVITE)`"),
        _CAPTURE,
    ),
    "dialogs": (
        C("call_id", "text", "", "Call-ID header"),
        C("from_tag", "text", "", "tag of the side that sent the request that made the dialog"),
        C("to_tag", "text", "", "tag of the other side"),
        C("state", "text", "", "early, confirmed or terminated"),
        C("start", "time", "", "the response that made the dialog"),
        C("confirmed", "time", "", "the 2xx"),
        C("end", "time", "", "when it was terminated"),
        C("local_uri", "text", "", "URI of the side behind from_tag"),
        C("remote_uri", "text", "", "URI of the side behind to_tag"),
        C("route_set", "text", "", "Record-Route of the response that made the dialog"),
        _CAPTURE, C("first_frame", "int", "", "number of its first frame in that file"),
    ),
    "transactions": (
        C("call_id", "text", "", "Call-ID header"),
        C("method", "text", "", "method of the request"),
        C("branch", "text", "", "branch of the top Via"),
        C("src", "text", "", "address:port of the client"),
        C("dst", "text", "", "address:port of the server"),
        C("start", "time", "", "the request"),
        C("first_response_ms", "float", "ms", "request to the first response"),
        C("final_response_ms", "float", "ms", "request to the final response"),
        C("status_code", "int", "", "of the final response, else of the last provisional one; missing without any"),
        C("retransmissions", "int", "", "messages sent again, both ways"),
        _CAPTURE, C("first_frame", "int", "", "number of its first frame in that file"),
    ),
    "registrations": (
        C("aor", "text", "", "address of record"),
        C("contact", "text", "", "contact registered"),
        C("registrar", "text", "", "address:port of the registrar"),
        C("refresh", "bool", "", "renews an earlier registration"),
        C("state", "text", "", "registered, unregistered, rejected, challenged or no-response"),
        C("expires_s", "float", "s", "lifetime granted"),
        C("registration_delay_ms", "float", "ms", "first REGISTER to its 2xx, challenge included (RFC 6076 RRD)"),
        C("status_code", "int", "", "of the final response"),
        C("attempts", "int", "", "REGISTERs with their 401/407/423 rounds"),
        C("start", "time", "", "first REGISTER"),
        C("end", "time", "", "final response"),
        C("call_id", "text", "", "Call-ID header"),
        C("source", "text", "", "address:port of the client"),
        _CAPTURE, C("first_frame", "int", "", "number of its first frame in that file"),
    ),
    "pages": (
        C("time", "time", "", "the MESSAGE (pager model, RFC 3428)"),
        C("from_uri", "text", "", "URI of the From header"),
        C("to_uri", "text", "", "URI of the To header"),
        C("call_id", "text", "", "Call-ID header"),
        C("content_type", "text", "", "type of the body"),
        C("size_bytes", "int", "B", "size of the body"),
        C("request_bytes", "int", "B", "size of the whole request"),
        C("status_code", "int", "", "of the final response"),
        C("delivery_ms", "float", "ms", "request to the final response"),
        C("over_limit", "bool", "", "request over 1300 bytes on UDP (RFC 3428 section 8)"),
        C("text", "text", "", "the text"),
        C("src", "text", "", "address:port of the sender"),
        C("dst", "text", "", "address:port of the receiver"),
        C("transport", "text", "", "UDP, TCP, TLS, WS, WSS or SCTP"),
        _CAPTURE, C("first_frame", "int", "", "number of its first frame in that file"),
    ),
    "subscriptions": (
        C("event", "text", "", "event package"),
        C("subscriber", "text", "", "who asked"),
        C("notifier", "text", "", "who answers"),
        C("state", "text", "", "active, pending or terminated"),
        C("expires_s", "float", "s", "lifetime granted"),
        C("notifies", "int", "", "NOTIFYs sent"),
        C("status_code", "int", "", "of the final response to the first SUBSCRIBE or REFER"),
        C("start", "time", "", "first message"),
        C("end", "time", "", "when it was terminated"),
        C("call_id", "text", "", "Call-ID header"),
        _CAPTURE, C("first_frame", "int", "", "number of its first frame in that file"),
    ),
    "endpoints": (
        C("address", "text", "", "address"),
        C("roles", "text", "", "UAC, UAS, proxy, registrar, B2BUA, redirect, media-relay; comma separated"),
        C("products", "text", "", "products it names, comma separated"),
        C("messages_sent", "int", "", "SIP messages sent"),
        C("messages_received", "int", "", "SIP messages received"),
        C("calls", "int", "", "calls it took part in"),
        C("answered", "int", "", "of them, answered"),
        C("mean_response_ms", "float", "ms", "mean time to its first response"),
        C("p95_response_ms", "float", "ms", "95th percentile of that time"),
        C("retransmissions", "int", "", "messages it sent again"),
        C("loss_percent_to", "float", "%", "RTP loss towards it"),
        C("loss_percent_from", "float", "%", "RTP loss from it"),
        C("asr_percent", "float", "%", "answered over the calls that it took part in and whose outcome is known"),
    ),
    "probes": (
        C("src", "text", "", "who sends OPTIONS"),
        C("dst", "text", "", "who is asked"),
        C("sent", "int", "", "OPTIONS sent"),
        C("answered", "int", "", "of them, answered"),
        C("answered_percent", "float", "%", "answered over sent"),
        C("mean_response_ms", "float", "ms", "mean time to the response"),
        C("max_response_ms", "float", "ms", "longest time to the response"),
        C("start", "time", "", "first of them"),
        _CAPTURE, C("first_frame", "int", "", "number of its first frame in that file"),
    ),
    "captures": (
        C("file", "text", "", "file"),
        C("format", "text", "", "pcap, pcap-ns or pcapng, with the compression as a suffix (pcap.gz)"),
        C("link_types", "text", "", "link layers, comma separated"),
        C("packets", "int", "", "packets in the file"),
        C("bytes", "int", "B", "captured bytes of all packets"),
        C("first", "time", "", "earliest packet"),
        C("last", "time", "", "latest packet"),
        C("cut_packets", "int", "", "packets cut by the snapshot length"),
        C("dropped", "int", "", "packets dropped while capturing, as the capture says; missing where it says nothing"),
        C("duplicated_percent", "float", "%", "frames that stand twice (100: a mirror port shows every one both ways)"),
        C("clock_steps", "int", "", "times that the clock was set back"),
        C("anomalies", "text", "", "what was wrong with single packets: code=count, most frequent first"),
        C("grade", "text", "", "how far the capture can be trusted: good, fair or poor"),
        C("damage", "text", "", "where and how the file broke off; missing where it was read to its end"),
        C("large_frames", "int", "", "TCP segments larger than a link carries (segmentation left to the network card)"),
        C("doubts", "text", "", "why the grade is not good; semicolons between"),
    ),
    "rtcp": (
        C("time", "time", "", "time of the report"),
        C("src", "text", "", "address:port of the sender"),
        C("dst", "text", "", "address:port of the receiver"),
        C("ssrc", "text", "", "SSRC of the sender"),
        C("type", "text", "", "SR, RR, SDES, BYE, APP, XR and so on"),
        C("reported_ssrc", "text", "", "SSRC of the stream reported on"),
        C("fraction_lost_percent", "float", "%", "loss since the last report"),
        C("cumulative_lost", "int", "", "packets lost since the beginning"),
        C("jitter_ms", "float", "ms", "interarrival jitter"),
        C("rtt_ms", "float", "ms", "round trip from the capture point to the reporter and back"),
        C("call_id", "text", "", "call that it belongs to"),
        C("values", "text", "", "further figures: `mos_lq=4.1,r_factor=88`"),
        _CAPTURE, C("frame", "int", "", "number of its frame in that file"),
    ),
    "intervals": (
        C("stream", "int", "", "row of the stream in the table streams, counted from 0"),
        C("start", "time", "", "beginning of the interval"),
        C("packets", "int", "", "RTP packets received"),
        C("lost", "int", "", "RTP packets lost"),
        C("max_jitter_ms", "float", "ms", "highest interarrival jitter"),
        C("mos", "float", "", "mean opinion score"),
        C("expected", "int", "", "packets expected"),
        C("discarded", "int", "", "packets that a jitter buffer would have discarded as late"),
        C("r_factor", "float", "", "ITU-T G.107 rating"),
        C("whole", "bool", "", "the stream ran on to the interval's end"),
        C("ssrc", "text", "", "synchronisation source of the stream"),
        C("call_id", "text", "", "call that it belongs to"),
    ),
    "findings": (
        C("severity", "text", "", "error, warning or info"),
        C("code", "text", "", "what was found"),
        C("call_id", "text", "", "call it concerns"),
        C("ssrc", "text", "", "stream it concerns"),
        C("time", "time", "", "when"),
        C("frame", "int", "", "frame that shows it"),
        C("explanation", "text", "", "one sentence with the measured values"),
        C("evidence", "text", "", "frames that show it, comma separated"),
        C("advice", "text", "", "what to do"),
        C("doubtful", "text", "", "why the severity was lowered, if it was"),
        C("affects", "text", "", "who notices"),
        C("causes", "text", "", "codes of the findings that it is a consequence of, comma separated"),
        _CAPTURE,
    ),
    "statistics": (
        C("metric", "text", "", "SER, SEER, ISA, SCR, SRD, SDD, SDT, RRD (RFC 6076), ASR, NER, ACD, or a count"),
        C("value", "float", "", "its value"),
        C("unit", "text", "", "unit of the value"),
        C("basis", "int", "", "how many calls or transactions it rests on"),
        C("scope", "text", "", "all; a pair of hosts, or an hour"),
        C("note", "text", "", "what to bear in mind"),
    ),
}  # fmt: skip
# fmt: on
"""Every table of the contract, in the contract's order of columns."""

STATES = {
    "completed": "answered with a 2xx, and every confirmed dialog has a BYE",
    "in-call": "answered with a 2xx (or an ACK or BYE in the dialog proves one), and not ended",
    "cancelled": "CANCEL, or BYE before the 2xx, with 487 or no final response",
    "busy": "486 or 600",
    "no-answer": "480; 408 after a 180-183; 487 with no CANCEL seen",
    "redirected": "3xx",
    "failed": "5xx; 408 without a 180-183; no response for 32 s after the last INVITE (reason `timeout`)",
    "rejected": "any other 4xx or 6xx",
    "ringing": "101-199 seen and nothing final yet",
    "setup": "less than that",
}
"""States of a call, and when each fits; only the initial INVITE at the hop nearest to the caller counts."""

FILLED = tuple(COLUMNS)
"""The tables that hold something today."""


def names(table: str) -> tuple[str, ...]:
    """Names of the columns of a table.

    Raises
    ------
    ValueError
        If there is no such table.
    """
    if table not in COLUMNS:
        raise ValueError(f"there is no table {table!r}; there are {', '.join(COLUMNS)}")
    return tuple(each.name for each in COLUMNS[table])


def column(table: str, name: str) -> Column:
    """One column of a table.

    Raises
    ------
    ValueError
        If there is no such table or column; the message names the nearest one and lists them all.
    """
    known = names(table)
    if name not in known:
        import difflib

        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
        hint = f", did you mean {near[0]!r}" if near else ""
        raise ValueError(f"{table} has no column {name!r}{hint}; it has {', '.join(known)}")
    return COLUMNS[table][known.index(name)]


def columns_page() -> str:
    """``docs/columns.md``: every table and column, as Markdown."""
    lines = [
        "# Tables and columns",
        "",
        "Made from the list `COLUMNS` (`python -m sipanalyzer.output.columns` prints this page). A column keeps its",
        "name, unit and meaning in every format. What is not known, or cannot be judged from the capture, is missing:",
        "an empty CSV cell, JSON `null`, `NaN`, `NaT` or `<NA>` in a DataFrame; never 0 or -1. A duration's unit is in",
        "its name: `_ms`, `_s`. A share is in percent and ends in `_percent`. Several values in one cell are comma",
        "separated.",
    ]
    for table, columns in COLUMNS.items():
        lines += ["", f"## `{table}`", ""]
        lines += ["| column | type | unit | meaning |", "| --- | --- | --- | --- |"]
        lines += [f"| {each.name} | {DTYPES[each.dtype]} | {each.unit} | {each.meaning} |" for each in columns]
        if table == "calls":
            lines += ["", "### States of a call", "", "The first that fits:", ""]
            lines += [f"- `{state}`: {meaning}" for state, meaning in STATES.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(columns_page(), end="")
