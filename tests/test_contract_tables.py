"""The public contract's words on registrations, pages, subscriptions and probes, checked on whole captures.

Every message is written by :mod:`tests.said`, which knows nothing of sipanalyzer; times are in ms.
"""

from __future__ import annotations

import gzip
import io
import itertools
import random
import shutil
import subprocess
from typing import Any

import pytest

from sipanalyzer.calls.pages import find_pages
from sipanalyzer.calls.probes import find_probes
from sipanalyzer.calls.registrations import find_registrations
from sipanalyzer.calls.subscriptions import find_subscriptions
from sipanalyzer.options import Options
from sipanalyzer.pipeline import analyze
from sipanalyzer.result import Result, host_port
from tests.builders import START_NS, Packet, pcap_bytes
from tests.said import ALICE, BOB, HOSTS, Said, gone, invite, said, taken, until


def read(*given: Said | list[Said], **options: Any) -> Result:
    flat = itertools.chain.from_iterable(each if isinstance(each, list) else [each] for each in given)
    packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in sorted(flat, key=lambda one: one[0])]
    return analyze(io.BytesIO(pcap_bytes(packets, nanoseconds=True)), Options(**options))


def rows(result: Result, table: str, names: str) -> list[list[Any]]:
    """Some columns of a table; endpoints as ``A``, ``B`` and so on, times in ms since the capture began."""
    end = max(capture.last or 0 for capture in result.captures)
    messages, transactions = result.messages, result.transactions
    made: dict[str, list[Any]] = {
        "registrations": find_registrations(messages, transactions, end, result.options),
        "pages": find_pages(messages, transactions),
        "subscriptions": find_subscriptions(messages, transactions, end, result.options),
        "probes": find_probes(messages, transactions),
    }
    return [[cell(name, getattr(one, name)) for name in names.split()] for one in made[table]]


def cell(name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        host = {address: letter for letter, address in HOSTS.items()}
        return host[value[0]] if value[1] == 5060 else host_port(value)
    return (value - START_NS) / 1e6 if name in ("start", "end", "time") and value is not None else value


CONTACT = "Contact: <sip:alice@192.0.2.1:5060>"


def register(ms: float, n: int = 1, way: str = "A>B", expires: int = 3600, contact: str = CONTACT, **more: Any) -> Said:
    headers = [contact, f"Expires: {expires}", *more.pop("h", [])]
    return said(ms, way, "REGISTER", n=n, tags="a", callee=ALICE, uri="sip:b.example", h=headers, **more)


def answer(ms: float, status: int, n: int = 1, way: str = "B>A", expires: int | None = 3600, **more: Any) -> Said:
    headers = [f"{CONTACT};expires={expires}"] if status == 200 and expires else []
    return said(ms, way, status, "REGISTER", n=n, callee=ALICE, h=[*headers, *more.pop("h", [])], **more)


# ---- registrations
def test_a_row_is_a_register_with_its_rounds_and_a_refresh_a_new_row() -> None:
    result = read(
        register(0), answer(40, 401), register(70, 2), answer(130, 200, 2), register(60_000, 3), answer(60_020, 200, 3),
        register(90_000, 4, expires=0), answer(90_030, 200, 4, expires=None),
    )  # fmt: skip
    names = "aor contact registrar refresh state expires_s registration_delay_ms status_code attempts start end"
    common = [ALICE, "sip:alice@192.0.2.1:5060", "B"]
    assert rows(result, "registrations", names) == [
        [*common, False, "registered", 3600.0, 130.0, 200, 2, 0.0, 130.0],
        [*common, True, "registered", 3600.0, 20.0, 200, 1, 60_000.0, 60_020.0],
        [*common, False, "unregistered", 0.0, 30.0, 200, 1, 90_000.0, 90_030.0],
    ]
    assert not result.calls


@pytest.mark.parametrize(
    ("given", "row"),
    [
        ([answer(10, 403)], ["rejected", None, None, 403, 1, 10.0]),
        ([answer(10, 401)], ["challenged", None, None, 401, 1, 10.0]),
        ([answer(10, 407), register(20, 2), answer(30, 404, 2)], ["rejected", None, None, 404, 2, 30.0]),
        ([answer(10, 423), register(20, 2), answer(30, 200, 2)], ["registered", 3600.0, 30.0, 200, 2, 30.0]),
        ([register(500), register(1500)], ["no-response", None, None, None, 1, None]),
        ([answer(10, 200, expires=None, h=["Expires: 60"])], ["registered", 60.0, 10.0, 200, 1, 10.0]),
        ([answer(10, 200, expires=None)], ["registered", 3600.0, 10.0, 200, 1, 10.0]),
    ],
)
def test_what_becomes_of_a_registration(given: list[Said], row: list[Any]) -> None:
    result = read(register(0), given, until(90_000))
    names = "state expires_s registration_delay_ms status_code attempts end"
    assert rows(result, "registrations", names) == [row]


def test_a_proxy_shows_a_registration_twice_and_the_clients_side_counts() -> None:
    result = read(
        register(0, way="A>P"), register(3, way="P>B", h=["Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKfar"]),
        answer(20, 200, way="B>P"), answer(25, 200, way="P>A"),
    )  # fmt: skip
    assert rows(result, "registrations", "source registrar registration_delay_ms") == [["A", "P", 25.0]]


def test_a_mirror_port_makes_no_second_attempt() -> None:
    given = [register(0), answer(40, 401), register(70, 2), answer(130, 200, 2)]
    result = read(given, [(ms + 0.01, frame) for ms, frame in given])
    assert rows(result, "registrations", "attempts registration_delay_ms") == [[2, 130.0]]


# ---- pages
def page(ms: float, text: bytes = b"Hello", n: int = 1, way: str = "A>B", **more: Any) -> Said:
    words = {"tags": "a", "kind": "text/plain", **more}
    return said(ms, way, "MESSAGE", n=n, body=text, **words)


def test_a_row_is_a_message_transaction_at_each_hop() -> None:
    result = read(
        page(0, way="A>P"), page(5, way="P>B"), page(500, way="A>P"), said(530, "B>P", 202, "MESSAGE"),
        said(540, "P>A", 202, "MESSAGE"),
    )  # fmt: skip
    names = "time from_uri to_uri call_id content_type size_bytes status_code delivery_ms over_limit text"
    common = [ALICE, BOB, "c1", "text/plain", 5, 202]
    assert rows(result, "pages", names) == [
        [0.0, *common, 540.0, False, "Hello"],
        [5.0, *common, 525.0, False, "Hello"],
    ]


def test_the_pager_limit_counts_the_whole_request() -> None:
    short, long = page(0, b"x" * 900), page(1, b"x" * 1290, call_id="c2")
    result = read(short, long)
    sizes = [len(frame) - 42 for _, frame in (short, long)]  # Ethernet, IP and UDP
    assert sizes[0] < 1300 < sizes[1]
    assert rows(result, "pages", "size_bytes request_bytes over_limit") == [
        [900, sizes[0], False],
        [1290, sizes[1], True],
    ]


# ---- subscriptions
def test_a_row_is_a_subscription_with_its_notifies() -> None:
    event = "Event: message-summary"
    result = read(
        said(0, "A>B", "SUBSCRIBE", tags="a", h=[event, "Expires: 600"]),
        said(20, "B>A", 200, "SUBSCRIBE", h=["Expires: 500"]),
        said(30, "B>A", "NOTIFY", tags="b a", back=True, h=[event, "Subscription-State: active;expires=500"]),
        said(40, "A>B", 200, "NOTIFY", tags="b a", back=True),
        said(9000, "B>A", "NOTIFY", n=2, tags="b a", back=True, h=[event, "Subscription-State: terminated"]),
        said(9010, "A>B", 200, "NOTIFY", n=2, tags="b a", back=True),
        said(10_000, "A>B", "PUBLISH", tags="a", h=["Event: presence"], call_id="c2"),
    )
    names = "event subscriber notifier state expires_s notifies start end"
    assert rows(result, "subscriptions", names) == [
        ["message-summary", ALICE, BOB, "terminated", 500.0, 2, 0.0, 9000.0]
    ]


def test_a_transfer_in_a_call_is_a_subscription_and_the_call_stays_one() -> None:
    event = "Event: refer;id=2"
    result = read(
        invite(), taken(1000), said(3000, "A>B", "REFER", n=2, tags="a b", h=["Refer-To: <sip:carol@c.example>"]),
        said(3010, "B>A", 202, "REFER", n=2, tags="a b"),
        said(3020, "B>A", "NOTIFY", tags="b a", back=True, h=[event, "Subscription-State: active;expires=60"]),
        said(3030, "A>B", 200, "NOTIFY", tags="b a", back=True),
        said(4000, "B>A", "NOTIFY", n=2, tags="b a", back=True,
             h=[event, "Subscription-State: terminated;reason=noresource"]),
        said(4010, "A>B", 200, "NOTIFY", n=2, tags="b a", back=True), gone(5000, n=3),
    )  # fmt: skip
    assert len(result.calls) == 1
    assert rows(result, "subscriptions", "event subscriber state notifies") == [["refer", ALICE, "terminated", 2]]


# ---- probes
def test_a_row_is_a_pair_of_peers() -> None:
    pings = [said(1000 * k, "A>B", "OPTIONS", n=k + 1, tags="a", call_id=f"p{k}") for k in range(4)]
    again = said(2500, "A>B", "OPTIONS", n=3, tags="a", call_id="p2")
    pongs = [
        said(1000 * k + 10 * (k + 1), "B>A", status, "OPTIONS", n=k + 1, tags="a z", call_id=f"p{k}")
        for k, status in enumerate((200, 404))
    ]
    inside = said(9000, "A>B", "OPTIONS", n=9, tags="a b", call_id="q")
    names = "src dst sent answered answered_percent mean_response_ms max_response_ms"
    assert rows(read(pings, again, pongs, inside), "probes", names) == [["A", "B", 4, 2, 50.0, 15.0, 20.0]]


# ---- laws
def everything() -> list[Said]:
    script: list[Said] = []
    for k in range(6):
        call_id, at = f"r{k}", 700.0 * k
        script += [register(at, call_id=call_id), answer(at + 40, 401, call_id=call_id)]
        script += [register(at + 70, 2, call_id=call_id), answer(at + 130, 200, 2, call_id=call_id)]
        script += [page(at + 5, call_id=f"m{k}"), said(at + 30, "B>A", 200, "MESSAGE", call_id=f"m{k}")]
        script += [said(at + 9, "A>B", "OPTIONS", tags="a", call_id=f"o{k}")]
        script += [said(at + 19, "B>A", 200, "OPTIONS", call_id=f"o{k}")]
        script += [said(at + 11, "A>B", "SUBSCRIBE", tags="a", call_id=f"s{k}", h=["Event: reg", "Expires: 9"])]
        script += [said(at + 12, "B>A", 200, "SUBSCRIBE", call_id=f"s{k}")]
    return script


TABLES = {
    "registrations": "aor contact refresh state expires_s registration_delay_ms status_code attempts start first_frame",
    "pages": "time call_id size_bytes request_bytes status_code delivery_ms text first_frame",
    "subscriptions": "event subscriber state expires_s notifies start first_frame call_id",
    "probes": "src dst sent answered mean_response_ms start first_frame",
}


def all_tables(result: Result) -> dict[str, list[list[Any]]]:
    return {name: rows(result, name, columns) for name, columns in TABLES.items()}


def test_neither_blocks_nor_compression_nor_the_order_of_records_change_a_table() -> None:
    given = everything()
    whole = all_tables(read(given))
    assert [len(table) for table in whole.values()] == [6, 6, 6, 1]
    assert all_tables(read(given, block_bytes=300)) == whole
    packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in sorted(given, key=lambda one: one[0])]
    packed = gzip.compress(pcap_bytes(packets, nanoseconds=True))
    assert all_tables(analyze(io.BytesIO(packed))) == whole
    random.Random(5).shuffle(packets)
    shuffled = all_tables(analyze(io.BytesIO(pcap_bytes(packets, nanoseconds=True)), Options(sort_ns=10**11)))
    without_frames = {name: [row[:-1] for row in table] for name, table in whole.items() if name != "subscriptions"}
    assert {name: [row[:-1] for row in shuffled[name]] for name in without_frames} == without_frames


def test_a_capture_cut_anywhere_still_gives_tables() -> None:
    given = everything()[:20]
    packets = [Packet(START_NS + round(ms * 1e6), frame) for ms, frame in sorted(given, key=lambda one: one[0])]
    data = pcap_bytes(packets, nanoseconds=True)
    for end in range(24, len(data), 97):
        tables = all_tables(analyze(io.BytesIO(data[:end])))
        assert len(tables["registrations"]) <= 6


@pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")
@pytest.mark.parametrize("name", ["register", "message", "options", "scanner", "plain"])
def test_tshark_counts_the_same_requests(samples: Any, name: str) -> None:
    """An outside witness: distinct (Call-ID, CSeq) of each method."""
    path = samples / f"{name}.pcap"
    shown = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-Y", "sip.Method", "-T", "fields", "-e", "sip.Method", "-e", "sip.Call-ID",
         "-e", "sip.CSeq.seq"], capture_output=True, text=True, check=True,
    )  # fmt: skip
    seen = {tuple(line.split("\t")) for line in shown.stdout.splitlines()}
    result = analyze(path)
    assert sum(row[0] for row in rows(result, "registrations", "attempts")) == sum(s[0] == "REGISTER" for s in seen)
    assert len(rows(result, "pages", "call_id")) == sum(s[0] == "MESSAGE" for s in seen)
    assert sum(row[0] for row in rows(result, "probes", "sent")) == sum(s[0] == "OPTIONS" for s in seen)
