"""The message store: against the parser, against tshark, and the laws of cuts and both ways."""

from __future__ import annotations

import itertools
import json
import pathlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipanalyzer import kernels
from sipanalyzer.anomalies import Anomalies
from sipanalyzer.kernels import columns as row
from sipanalyzer.options import Options
from sipanalyzer.result import Messages
from sipanalyzer.sip.spans import MessageStore
from sipanalyzer.sip.text import printable
from tests.naive.sip import values_of
from tests.sip.words import datagrams, invite, messages

SRC = (0, 0xFFFF0A000001, 5060)
DST = (0x20010DB800000000, 5, 5062)
TEXTS = ("method", "request_uri", "reason", "call_id", "from_uri", "from_tag", "to_uri", "to_tag", "branch",
         "cseq_method", "contact", "user_agent", "content_type")  # fmt: skip


pytestmark = pytest.mark.usefixtures("interpreted")


def add(store: MessageStore, data: bytes, time: int = 0, *, truncated: bool = False) -> int:
    return store.add(data, time, time + 1, SRC[0], SRC[1], SRC[2], DST[0], DST[1], DST[2], 1, 0, truncated)


def found(store: MessageStore, i: int) -> dict[str, object] | None:
    """What the store has of a message, in the twin's words."""
    if store.malformed[i]:
        return None
    values: dict[str, object] = {name: int(store.column(name)[i]) for name in ("status", "cseq", "content_length")}
    for name in TEXTS:
        number = int(store.column(name)[i])
        values[name] = None if number < 0 else store.text(name, number)
    return values | {"body": store.body(i), "is_response": bool(store.status[i])}


def expected(data: bytes, *, truncated: bool = False) -> dict[str, object] | None:
    values = values_of(data, truncated=truncated)
    return values and {name: printable(v) if isinstance(v, str) else v for name, v in values.items()}


def block(items: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    data = np.frombuffer(b"#".join(items) + b"#", np.uint8)
    rows = np.zeros((len(items), row.WIDTH), np.int64)
    length = np.array([len(item) for item in items])
    rows[:, row.AT] = np.cumsum(length + 1) - length - 1
    rows[:, row.LENGTH] = rows[:, row.WIRE_LENGTH] = length
    rows[:, row.FRAME] = np.arange(1, len(items) + 1)
    rows[:, row.TIME] = np.arange(len(items)) * 1000
    rows[:, row.SRC_LO], rows[:, row.DST_HI], rows[:, row.DST_LO] = SRC[1], DST[0], DST[1]
    rows[:, row.PORTS] = SRC[2] << 16 | DST[2]
    return data, rows


def everything(store: MessageStore) -> Messages:
    n = len(store)
    return store.finish(np.arange(n), np.zeros(n, np.bool_), np.zeros(n, np.bool_))


def same(a: Messages, b: Messages) -> None:
    for name in Messages.__dataclass_fields__:
        one, other = getattr(a, name), getattr(b, name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype, name
            np.testing.assert_array_equal(one, other, err_msg=name)
        else:
            assert one == other, name


@settings(max_examples=400)
@given(messages(), st.booleans())
def test_the_kernel_finds_what_the_parser_finds(data: bytes, truncated: bool) -> None:
    store = MessageStore(Options())
    add(store, data, truncated=truncated)
    assert found(store, 0) == expected(data, truncated=truncated)


def test_the_kernel_finds_what_the_parser_finds_in_the_torture_messages_cut_anywhere(corpus: pathlib.Path) -> None:
    for path in sorted((corpus / "rfc4475").glob("*.dat")):
        data = path.read_bytes()
        store = MessageStore(Options())
        cuts = [len(data), *range(1, len(data), max(1, len(data) // 25))]
        for cut in cuts:
            add(store, data[:cut], truncated=cut < len(data))
        for i, cut in enumerate(cuts):
            assert found(store, i) == expected(data[:cut], truncated=cut < len(data)), (path.name, cut)


def test_the_kernel_finds_what_the_parser_and_tshark_find_in_real_captures(corpus: pathlib.Path) -> None:
    compared = 0
    for truth_path in sorted((corpus / "truth").glob("*.json")):
        name = truth_path.name.removesuffix(".json")
        truth = json.loads(truth_path.read_text())
        by_frame = {m["frame"]: m for m in truth["sip_messages"] if m.get("transport") == "udp"}
        if not by_frame or "fuzz" in name:  # damaged on purpose: tshark is stricter with what it calls a header
            continue
        store, items = MessageStore(Options()), list(datagrams(corpus / name))
        for frame, data in items:
            add(store, data, frame)
        for i, (frame, data) in enumerate(items):
            values = found(store, i)
            assert values == expected(data), (name, frame)
            if frame not in by_frame:
                continue
            assert values is not None, (name, frame)
            told = by_frame[frame]
            mine = {
                "status": values["status"] or None, "method": None if values["status"] else values["method"],
                **{key: values[key] for key in ("call_id", "cseq", "cseq_method", "from_tag", "to_tag")},
            }  # fmt: skip
            assert mine == {key: told.get(key) for key in mine}, (name, frame)
            if told.get("user_agent"):
                assert values["user_agent"] == told["user_agent"].strip()
            compared += 1
    assert compared > 1400


@settings(max_examples=60)
@given(st.data())
def test_any_division_into_blocks_gives_the_same_messages(data: st.DataObject) -> None:
    items = [invite(n % 3, _=f"{n % 2}") for n in range(9)] + [b"\r\n\r\n" + invite(7), b"SIP/2.0 200 OK\r\n\r\n"]
    values, rows = block(items)
    whole = MessageStore(Options())
    assert whole.add_block(values, rows, 0) == 0
    divided = MessageStore(Options())
    cuts = sorted(data.draw(st.sets(st.integers(0, len(items)), max_size=4)) | {0, len(items)})
    for begin, end in itertools.pairwise(cuts):
        assert divided.add_block(values, rows[begin:end], 0) == begin
        if data.draw(st.booleans()):
            divided.status  # noqa: B018 - headers are found whenever somebody asks
    same(everything(whole), everything(divided))


def test_both_ways_and_a_change_of_way_give_the_same_messages() -> None:
    if not kernels.available():
        pytest.skip("no numba")
    items = [invite(n // 3, From=f"<sip:{n % 5}@x>;tag={n % 4}", User_Agent=f"u{n % 2}") for n in range(200)]
    values, rows = block([*items, *items])
    results = []
    for ways in ([False], [True], [False, True, False, True]):
        store = MessageStore(Options())
        for i, way in enumerate(ways):
            kernels.set_compiled(way)
            store.add_block(values, rows[i * 400 // len(ways) : (i + 1) * 400 // len(ways)], 0)
            store.status  # noqa: B018
        results.append(everything(store))
    same(results[0], results[1])
    same(results[0], results[2])
    assert results[0].whole.tolist() == [*range(200), *range(200)]


def test_single_messages_and_blocks_are_kept_alike() -> None:
    items = [b"\r\n" + invite(1), invite(2, b"v=0\r\n"), b"\n"]
    one, other = MessageStore(Options()), MessageStore(Options())
    values, rows = block(items)
    one.add_block(values, rows, 0)
    for i, item in enumerate(items):
        other.add(item, i * 1000, i + 1, 0, SRC[1], SRC[2], DST[0], DST[1], DST[2], 0, 0, False)
    same(everything(one), everything(other))


def test_finish_orders_drops_and_marks() -> None:
    store = MessageStore(Options())
    for n in (1, 2, 1, 3):
        add(store, invite(n), n)
    add(store, b"SIP/2.0 200 OK\r\n\r\n")
    number = int(store.call_id[3])
    made = store.finish(
        np.array([4, 3, 2, 1, 0]), np.array([False, False, True, False, False]),
        np.array([True, False, False, False, False]),
    )  # fmt: skip
    assert [made.text("call_id", i) for i in range(len(made))] == [f"call{n}@example.com" for n in (3, 1, 2)]
    assert made.retransmission.tolist() == [False, True, False]
    assert made.time.tolist() == [3, 1, 2]
    assert made.raw(0) == invite(3)
    assert made.endpoints == [("10.0.0.1", 5060), ("2001:db8::5", 5062)]
    assert store.text("call_id", number) == "call3@example.com"
    assert "whole" not in made.texts


def test_tags_methods_and_uris_can_be_compared_with_each_other() -> None:
    store = MessageStore(Options())
    add(store, invite(1, To="<sip:bob@example.com>;tag=b2"))
    add(store, invite(1, From="<sip:bob@example.com>;tag=b2", To='"Alice" <sip:alice@example.com>;tag=a1'))
    add(store, b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n")
    assert store.from_tag[0] == store.to_tag[1]
    assert store.to_tag[0] == store.from_tag[1]
    assert store.column("from_uri")[0] == store.column("to_uri")[1]
    assert store.method[2] == store.cseq_method[0] == store.method[0]


def test_a_message_with_no_header_that_identifies_it_is_counted_and_left_out() -> None:
    anomalies = [Anomalies(), Anomalies()]
    store = MessageStore(Options(), anomalies)
    add(store, b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\n\r\n", 6)
    add(store, b"SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\n\r\n", 7)
    add(store, invite(1, Content_Length="5"), 8)
    store.add(invite(2)[:60], 9, 10, 0, 1, 1, 0, 2, 2, 0, 1, True)
    assert store.malformed.tolist() == [True, False, False, True]
    assert len(everything(store)) == 2
    assert anomalies[0].counts() == {"sip-content-length": 1, "sip-malformed": 1, "sip-no-call-id": 1}
    assert anomalies[0]["sip-malformed"].frames == [7]
    assert anomalies[1].counts() == {"sip-malformed": 1, "sip-truncated": 1}


def test_the_limits_of_bytes_bite_and_say_so() -> None:
    size = len(invite(1))
    items = [invite(n) for n in range(1, 6)]
    values, rows = block(items)
    counts = []
    for step in (1, 5):
        anomalies = Anomalies()
        store = MessageStore(Options(max_sip_bytes=1 + 3 * size), anomalies)
        for i in range(0, 5, step):
            store.add_block(values, rows[i : i + step], 0)
        assert len(everything(store)) == 3
        counts.append(anomalies.counts())
    assert counts[0] == counts[1] == {"sip-limit": 2}
    store = MessageStore(Options(max_sip_message_bytes=size), anomalies)
    store.add_block(*block([invite(1), invite(1, b"body")]), 0)
    add(store, invite(1, b"body"))
    assert [len(store.raw(i)) for i in range(3)] == [size] * 3
    assert store.column("truncated").tolist() == [False, True, True]
    assert anomalies["sip-too-large"].count == 2


def test_a_datagram_ends_its_body_where_content_length_says() -> None:
    store = MessageStore(Options())
    for length in ("2", "9", None):
        add(store, invite(1, b"hello", Content_Length=length))  # type: ignore[arg-type]
    assert [store.body(i) for i in range(3)] == [b"he", b"hello", b"hello"]
    assert store.column("content_length").tolist() == [2, 9, -1]


def test_texts_can_be_shown_and_written_as_json() -> None:
    store = MessageStore(Options())
    add(store, invite(1, User_Agent="a\x1b[31m\tb\r\n c") + b"")
    add(store, invite(2).replace(b"words", b"caf\xc3\xa9 \xff"))
    texts = everything(store).texts["user_agent"]
    assert texts == ["a\\x1b[31m b c", "café \\xff"]
    json.dumps(texts).encode("ascii")


def test_the_store_keeps_no_more_than_the_bytes_and_three_hundred_a_message() -> None:
    import tracemalloc

    n = 3000
    values, rows = block(
        [invite(i // 7, Via=f"SIP/2.0/UDP h;branch=z9hG4bK{i // 2}", Subject=str(i)) for i in range(n)]
    )
    tracemalloc.start()
    store = MessageStore(Options())
    store.add_block(values, rows, 0)
    store.status  # noqa: B018
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1.15 * len(values) + 450 * n  # interpreted: the dicts of hashes come on top
