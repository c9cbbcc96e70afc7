"""The contract from outside: what a user gives, on the command line and from Python, and what comes back.

Whole-program checks, each through ``cli.main`` or ``sipanalyzer.analyze``: damage of every kind, link layers and
tunnels around one and the same call, folders with other files, options, formats, streams that are closed or full.
"""

from __future__ import annotations

import bz2
import contextlib
import copy
import csv
import gzip
import io
import json
import lzma
import os
import pathlib
import pickle
import random
import re
import struct
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import lz4.frame
import pandas
import pytest
import zstandard

import sipanalyzer
from sipanalyzer import cli
from sipanalyzer.errors import ParseError
from sipanalyzer.output.columns import FILLED
from sipanalyzer.output.tables import table
from sipanalyzer.result import Result
from tests.builders import hep3, pcap_bytes

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_pcaps"
TABLES = ("calls", "streams", "messages", "dialogs", "transactions")
PLAIN = (SAMPLES / "plain.pcap").read_bytes()
HEADER = 24

Packets = list[tuple[int, bytes]]


# ---- words: a pcap file as records, and what an analysis says
def records_of(data: bytes) -> list[bytes]:
    """The records of a pcap file, header and packet each."""
    order = "<" if data[0] != 0xA1 else ">"
    found, at = [], HEADER
    while at < len(data):
        size = 16 + struct.unpack(order + "I", data[at + 8 : at + 12])[0]
        found.append(data[at : at + size])
        at += size
    return found


def short_call() -> Packets:
    """The signalling of the plain call and 40 packets of its media, from the IP header on."""
    packets = []
    for number, record in enumerate(records_of(PLAIN)):
        seconds, fraction = struct.unpack("<II", record[:8])
        if number < 45 or number >= 810 or record[16 + 42 : 16 + 45].isalpha():
            packets.append((seconds * 10**9 + fraction * 1000, record[16 + 14 :]))
    return packets


CALL = short_call()


def rows(result: Result) -> dict[str, list[tuple[Any, ...]]]:
    return {name: list(table(result, name).rows()) for name in TABLES}


def read(data: bytes, **settings: Any) -> Result:
    with warnings.catch_warnings(action="ignore", category=sipanalyzer.CaptureWarning):
        return sipanalyzer.analyze(io.BytesIO(data), **settings).result


def run(*arguments: object, **how: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "sipanalyzer", *map(os.fspath, arguments)]  # type: ignore[arg-type]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | how.pop("env", {})
    return subprocess.run(command, capture_output=True, timeout=60, env=environment, **how)


# ---- folders
@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    for name in ("busy.pcap", "plain.pcap"):
        (tmp_path / name).write_bytes((SAMPLES / name).read_bytes())
    return tmp_path


def test_other_files_in_a_folder_cost_one_line_and_no_exit_status(
    folder: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("README.md", "make.py", "notes.txt", "a\x1b[31m\n.txt", "b.txt", "c.txt"):
        (folder / name).write_text("# no capture\n")
    assert cli.main(["calls", str(folder), "--columns", "state"]) == cli.DONE
    told = capsys.readouterr()
    assert told.out.splitlines() == ["state", "completed", "busy"]
    assert told.err == (
        "sipanalyzer: passed over 6 files that are no captures: "
        "README.md, a\\x1b[31m\\x0a.txt, b.txt, c.txt and 2 more\n"
    )


def test_the_samples_folder_is_pleasant(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["summary", str(SAMPLES)]) == cli.DONE
    told = capsys.readouterr()
    assert told.err.count("\n") == 1 and "passed over" in told.err
    assert "passed over" in told.out and "not read" not in told.out


def test_a_named_file_that_is_no_capture_is_a_warning(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "notes.txt").write_text("no capture\n")
    for given in ([str(folder / "notes.txt"), str(folder / "busy.pcap")], [str(folder / "*")]):
        assert cli.main(["calls", *given, "--columns", "state"]) == cli.DAMAGED
        assert f"warning: {folder}/notes.txt: not a capture, at offset 0" in capsys.readouterr().err


def test_a_folder_without_captures_is_one_line_and_status_3(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["calls", str(tmp_path)]) == cli.UNREADABLE
    assert capsys.readouterr().err.count("\n") == 1
    (tmp_path / "notes.txt").write_text("no capture\n")
    assert cli.main(["calls", str(tmp_path)]) == cli.UNREADABLE
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and f"{tmp_path}: a folder without captures" in told and "1 other file" in told


# ---- what is no capture, and odd names
@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("/dev/null", "an empty file"), ("", "an empty name"), ("/no/such", "No such file"), ("a\0b", "null"),
        ("/no/*.pcap", "no file matches"), ("nope://x", "cannot be opened"), ("file:///no/such", "No such file"),
        ("memory://no", "No such file"), ("://", "No such file"), ("x" * 5_000, "too long"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line_and_status_3(
    given: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["calls", given]) == cli.UNREADABLE
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1 and complaint in told.err


@pytest.mark.parametrize(
    "name", [b"a b.pcap", b"[a]*?.pcap", b"new\nline.pcap", b"\xff\xfe.pcap", b"-x.pcap", b"\x1b[2J"]
)
def test_a_file_is_read_whatever_its_name(
    name: bytes, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)  # noqa: PTH118 (a name that is no text)
    pathlib.Path(os.fsdecode(path)).write_bytes(PLAIN[:5_000])
    assert cli.main(["calls", os.fsdecode(path), "--format", "json"]) == cli.DAMAGED
    told = capsys.readouterr()
    (row,) = json.loads(told.out)
    assert row["capture"] == os.fsdecode(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    assert told.err.count("\n") == 1 and "\x1b" not in told.err
    assert cli.main(["summary", os.fsdecode(path)]) == cli.DAMAGED
    assert "\x1b" not in capsys.readouterr().out


def test_a_pipe_a_named_pipe_and_a_member_of_an_archive_are_read(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import zipfile

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(PLAIN,))
    writer.start()
    assert cli.main(["calls", str(pipe), "--columns", "state"]) == cli.DONE
    writer.join()
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.pcap", PLAIN)
    assert cli.main(["calls", f"zip://a.pcap::file://{tmp_path}/z.zip", "--columns", "state"]) == cli.DONE
    assert capsys.readouterr().out.splitlines() == ["state", "completed"] * 2
    done = run("calls", "-", "--columns", "state", input=gzip.compress(PLAIN))
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [b"state", b"completed"], b"")


def test_closed_and_full_streams_end_without_a_traceback() -> None:
    command = f"{sys.executable} -m sipanalyzer calls"
    sample = SAMPLES / "busy.pcap"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    for line, status in {
        f"{command} - <&-": 3, f"{command} {sample} >&-": 0, f"{command} /no/such 2>&-": 3,
        f"{command} {sample} >/dev/full": 2, f"{command} {sample} -o /dev/full": 2,
        f"{command} {sample} --format table >/dev/full": 2,
    }.items():  # fmt: skip
        done = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, timeout=60, env=buffered)
        assert done.returncode == status, (line, done.stderr)
        assert b"Traceback" not in done.stderr and done.stderr.count(b"\n") <= 1, (line, done.stderr)


# ---- damage
def damage_of(result: Result) -> str | None:
    return result.captures[0].damage


def cut_files() -> Iterator[tuple[bytes, random.Random]]:
    chance = random.Random(20_260_302)
    for name in ("plain", "tcp", "fragmented", "prack_update", "vxlan", "hep3"):
        data = (SAMPLES / f"{name}.pcap").read_bytes()
        yield data[:HEADER] + b"".join(records_of(data)[:60]), chance


def test_a_capture_cut_anywhere_is_the_capture_of_the_records_before_the_cut() -> None:
    for data, chance in cut_files():
        ends = [HEADER]
        for record in records_of(data):
            ends.append(ends[-1] + len(record))
        for cut in sorted(chance.sample(range(HEADER, len(data)), 12) + chance.sample(ends, 3)):
            whole = max(end for end in ends if end <= cut)
            result = read(data[:cut])
            assert rows(result) == rows(read(data[:whole]))
            assert result.captures[0].packets == ends.index(whole)
            if cut == whole:
                assert damage_of(result) is None
            else:
                said = damage_of(result) or ""
                assert said.startswith(f"broke off at offset {whole} after {ends.index(whole)} packets: needed ")
                assert said.endswith(f", found {cut - whole}")


def test_an_absurd_length_costs_its_own_record_and_no_other() -> None:
    for data, chance in cut_files():
        found = records_of(data)
        place = chance.randrange(len(found) - 1)
        at = HEADER + sum(map(len, found[:place]))
        broken = data[: at + 8] + b"\xf0\xff\xff\x7f" + data[at + 12 :]
        result = read(broken)
        assert rows(result) == rows(read(data[:at] + data[at + len(found[place]) :]))
        assert f"offset {at} after {place} packets" in (damage_of(result) or "")
        assert f"found {0x7FFFFFF0} bytes" in (damage_of(result) or "")
        assert f"read on at offset {at + len(found[place])}" in (damage_of(result) or "")


def test_flipped_bits_shuffled_records_and_short_packets_raise_nothing() -> None:
    for data, chance in cut_files():
        found = records_of(data)
        for _ in range(4):
            flipped = [bytearray(record) for record in found]
            for record in chance.sample(flipped, 6):
                for _ in range(chance.choice((1, 1, 4))):
                    record[chance.randrange(16, len(record))] ^= 1 << chance.randrange(8)
            cut = [
                record[:8] + struct.pack("<I", size) + record[12 : 16 + size]
                for record in found
                for size in [chance.randrange(len(record) - 15)]
            ]
            for changed in (flipped, chance.sample(found, len(found)), cut):
                result = read(data[:HEADER] + b"".join(changed))
                assert result.captures[0].packets == len(found) and damage_of(result) is None
        anything = bytearray(data)
        for _ in range(200):
            anything[chance.randrange(HEADER, len(anything))] ^= 1 << chance.randrange(8)
        read(bytes(anything))


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress, "lz4": lz4.frame.compress, "xz": lzma.compress,
    "bz2": bz2.compress,
}  # fmt: skip


@pytest.mark.parametrize("suffix", COMPRESS)
def test_a_compressed_capture_is_the_same_and_a_cut_one_says_where(suffix: str) -> None:
    data = pcap_bytes(CALL, link_type=101, nanoseconds=True)
    packed = COMPRESS[suffix](data)
    whole = rows(read(data))
    assert rows(read(packed)) == rows(read(packed + bytes(600))) == whole
    assert rows(read(COMPRESS[suffix](data[:3_000]) + COMPRESS[suffix](data[3_000:]))) == whole
    behind = read(packed + b"something else")
    assert rows(behind) == whole and "bytes after the" in (damage_of(behind) or "")
    try:
        cut = read(packed[:-30])
    except sipanalyzer.CaptureError as error:  # compressed as one block, of which nothing comes without its end
        assert (error.offset, error.needed) == (0, "a pcap or pcapng file header")
        assert f"nothing ({suffix} data cut off after" in str(error)
    else:
        assert f"{suffix} data cut off after {len(packed) - 30} compressed bytes" in (damage_of(cut) or "")


def test_captures_strung_together_are_read_to_the_end(tmp_path: pathlib.Path) -> None:
    busy = (SAMPLES / "busy.pcap").read_bytes()
    expected = rows(sipanalyzer.analyze([SAMPLES / "plain.pcap", SAMPLES / "busy.pcap"]).result)["calls"]
    for data in (PLAIN + busy, gzip.compress(PLAIN) + gzip.compress(busy)):
        result = read(data)
        assert [row[:20] for row in rows(result)["calls"]] == [row[:20] for row in expected]
        assert damage_of(result) is None and str(result.captures[0].anomalies).startswith("file-header")


def test_a_growing_file_is_read_to_its_last_whole_record(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "growing.pcap"
    seen = []
    for size in (HEADER, HEADER + 7, 3_000, 20_000, len(PLAIN)):
        path.write_bytes(PLAIN[:size])
        with warnings.catch_warnings(action="ignore"):
            seen.append(len(sipanalyzer.analyze(path).messages))
    assert seen == sorted(seen) and seen[0] == 0 and seen[-1] == 7


# ---- the same call, however it is wrapped
MAC = bytes(range(12))
LLC = b"\xaa\xaa\x03\0\0\0"


def ether(kind: int, body: bytes) -> bytes:
    return MAC + struct.pack("!H", kind) + body


def in_ip(protocol: int, body: bytes) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0)
    return ether(0x0800, head + bytes([10, 9, 9, 1, 10, 9, 9, 2]) + body)


def in_udp(port: int, body: bytes) -> bytes:
    return in_ip(17, struct.pack("!HHHH", 30_000, port, 8 + len(body), 0) + body)


def six(packet: bytes) -> bytes:
    """The datagram in IPv6."""
    network = bytes.fromhex("20010db8") + bytes(8)
    body = packet[20:]
    return (
        struct.pack("!IHBB", 0x60000000, len(body), 17, 64) + network + packet[12:16] + network + packet[16:20] + body
    )


def pppoe(packet: bytes) -> bytes:
    return b"\x11\0\0\x05" + struct.pack("!H", len(packet) + 2) + b"\0\x21" + packet


def gtp(packet: bytes) -> bytes:
    return b"\x34\xff" + struct.pack("!HI", len(packet) + 8, 77) + b"\0\0\0\x85\1\0\7\0" + packet


DOT11 = struct.pack("<BBH", 8, 1, 0) + MAC + b"\2\0\0\0\0\3\x10\0" + LLC + b"\x08\0"
WRAPPED: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "Ethernet": (1, lambda p: ether(0x0800, p)),
    "Ethernet, padded": (1, lambda p: ether(0x0800, p) + bytes(9)),
    "LLC and SNAP": (1, lambda p: MAC + struct.pack("!H", 8 + len(p)) + LLC + b"\x08\0" + p),
    "IPv6": (1, lambda p: ether(0x86DD, six(p))),
    "VLAN": (1, lambda p: ether(0x8100, b"\0\x64\x08\0" + p)),
    "QinQ": (1, lambda p: ether(0x88A8, b"\0\x64\x81\0\0\x65\x08\0" + p)),
    "MPLS": (1, lambda p: ether(0x8847, b"\0\x01\0\x40\0\x02\x01\x40" + p)),
    "MPLS pseudowire": (1, lambda p: ether(0x8847, b"\0\x01\x01\x40" + bytes(4) + ether(0x0800, p))),
    "PPPoE": (1, lambda p: ether(0x8864, pppoe(p))),
    "cooked v1": (113, lambda p: struct.pack("!HHH8sH", 0, 1, 6, MAC[:8], 0x0800) + p),
    "cooked v2": (276, lambda p: struct.pack("!HHIHBB8s", 0x0800, 0, 3, 1, 0, 6, MAC[:8]) + p),
    "null": (0, lambda p: struct.pack("<I", 2) + p),
    "null, big-endian, IPv6": (0, lambda p: struct.pack(">I", 30) + six(p)),
    "loop": (108, lambda p: struct.pack(">I", 2) + p),
    "raw": (101, lambda p: p),
    "raw, IPv6": (229, six),
    "802.11": (105, lambda p: DOT11 + p),
    "radiotap": (127, lambda p: b"\0\0\x09\0\x02\0\0\0\x10" + DOT11 + p + b"\1\2\3\4"),
    "PPP": (9, lambda p: b"\xff\x03\0\x21" + p),
    "PPP, both compressed": (9, lambda p: b"\x21" + p),
    "Cisco HDLC": (104, lambda p: b"\x0f\0\x08\0" + p),
    "IP in IP": (1, lambda p: in_ip(4, p)),
    "6in4": (1, lambda p: in_ip(41, six(p))),
    "GRE": (1, lambda p: in_ip(47, b"\xb0\0\x08\0" + bytes(12) + p)),
    "GRE with Ethernet": (1, lambda p: in_ip(47, b"\x20\0\x65\x58" + bytes(4) + ether(0x0800, p))),
    "ERSPAN II": (1, lambda p: in_ip(47, b"\x10\0\x88\xbe\0\0\0\1\x10\x01\0\x01\0\0\0\0" + ether(0x0800, p))),
    "ERSPAN III": (1, lambda p: in_ip(47, b"\x10\0\x22\xeb\0\0\0\1\x20\x01\0\x01" + bytes(8) + ether(0x0800, p))),
    "VXLAN": (1, lambda p: in_udp(4789, b"\x08" + bytes(5) + b"\1\0" + ether(0x8100, b"\0\7\x08\0" + p))),
    "GENEVE": (1, lambda p: in_udp(6081, b"\x02\0\x65\x58\0\0\1\0" + bytes(8) + ether(0x0800, p))),
    "GTP-U": (1, lambda p: in_udp(2152, gtp(p))),
    "four deep": (1, lambda p: in_udp(4789, b"\x08" + bytes(7) + in_ip(47, b"\0\0\x08\0" + in_ip(4, p)[14:]))),
}  # fmt: skip


SAME = {
    "calls": (
        "call_id",
        "start",
        "ringing",
        "answered",
        "end",
        "duration_s",
        "released_by",
        "codecs",
        "packets",
        "lost",
    ),
    "streams": (
        "ssrc",
        "call_id",
        "direction",
        "codec",
        "ptime_ms",
        "start",
        "end",
        "packets",
        "lost",
        "max_jitter_ms",
    ),
    "messages": ("frame", "time", "method", "status_code", "summary"),
}


def check_call(data: bytes) -> Result:
    """One completed call with its seven messages and two streams, as they are without any wrapping."""
    result = read(data)
    plain = read(pcap_bytes(CALL, link_type=101, nanoseconds=True))
    assert [(call.state, len(call.streams)) for call in result.calls] == [("completed", 2)]
    for name, same in SAME.items():
        ours, expected = table(result, name).only(same), table(plain, name).only(same)
        assert list(ours.rows()) == list(expected.rows()), name
    assert damage_of(result) is None and not str(result.captures[0].anomalies)
    return result


@pytest.mark.parametrize("name", WRAPPED)
def test_the_same_call_is_found_in(name: str) -> None:
    link, wrap = WRAPPED[name]
    packets = [(time, wrap(packet)) for time, packet in CALL]
    check_call(pcap_bytes(packets, link_type=link, nanoseconds=True))


def hep2(packet: bytes, time: int) -> bytes:
    source, target = struct.unpack("!HH", packet[20:24])
    head = struct.pack("!BBBBHH", 2, 28, 2, 17, source, target) + packet[12:20]
    return head + struct.pack("<IIHH", time // 10**9, time % 10**9 // 1_000, 1, 0) + packet[28:]


def test_the_same_call_is_found_in_hep() -> None:
    def version_3(packet: bytes, time: int) -> bytes:
        source, target = (".".join(map(str, packet[at : at + 4])) for at in (12, 16))
        ports = struct.unpack("!HH", packet[20:24])
        return hep3(packet[28:], source, ports[0], target, ports[1], time)

    for wrap in (hep2, version_3):
        late = [(time + 5 * 10**9, in_udp(9060, wrap(packet, time))) for time, packet in CALL]  # its own time counts
        check_call(pcap_bytes(late, nanoseconds=True))


def test_the_same_call_is_found_across_sections_interfaces_clocks_and_byte_orders() -> None:
    from tests.capture import words

    data, part = b"", len(CALL) // 3
    kinds = (("<", 101, 9, None), (">", 1, 0x80 | 30, 3_600), ("<", 276, None, -3_600))
    for number, (order, link, resolution, offset_s) in enumerate(kinds):
        data += words.section(order, length=-1 if number else 99)
        data += words.interface(105, order=order) + words.interface(link, resolution, offset_s, order=order)
        data += words.block(0x80001234, b"whatever", order) + words.statistics(1, 3, None, order)
        for time, packet in CALL[number * part : None if number == 2 else (number + 1) * part]:
            wrapped = packet if link == 101 else WRAPPED["Ethernet" if link == 1 else "cooked v2"][1](packet)
            own = time - (offset_s or 0) * 10**9
            ticks = own if resolution == 9 else -(-own * 2**30 // 10**9) if resolution else own // 1_000
            data += (words.old if number == 2 else words.enhanced)(ticks, wrapped, 1, order=order)
    result = read(data)
    assert [(call.state, len(call.streams), len(call.rows)) for call in result.calls] == [("completed", 2, 7)]
    assert result.captures[0].dropped == 9 and result.captures[0].packets == len(CALL)
    plain = read(pcap_bytes(CALL, link_type=101, nanoseconds=True))
    assert result.messages.time.tolist() == plain.messages.time.tolist()


def test_a_link_type_that_is_not_read_is_counted_with_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    result = read(pcap_bytes(CALL, link_type=147))
    assert str(result.captures[0].anomalies) == f"unknown-link-type={len(CALL)}(link type 147)"


# ---- the command line
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["calls", "a", "--sort", ""], "no column is named"), (["calls", "a", "--sort", "-"], "no column is named"),
        (["calls", "a", "--columns", "STATE"], "did you mean 'state'"), (["calls", "a", "-o", ""], "no file is named"),
        (["calls", "a", "--from-time", "2026-01-01T00:00+99:99"], "no zone is +99:99"),
        (["calls", "a", "--from-time", "2027-01-01", "--to-time", "2026-01-01"], "later than --to-time"),
        (["calls", "a", "--where", "9" * 900], "..."), (["calls", "a", "--where", "a == '\udcff'"], "no valid text"),
        (["calls", "a", "--where", ""], "cannot read"),
        (["calls", "a", "--where", "state.__class__"], "not in the language"),
        (["calls", "a", "--where", "__import__('os').system('id')"], "there is no .system()"),
        (["calls", "a", "--where", "(" * 900 + "1" + ")" * 900], "cannot read"),
        (["calls", "a", "--where", "not " * 400 + "partial"], "nested too deeply"),
        (["calls", "a", "--where", "9**9**9 > 1"], "not in the language"),
        (["calls", "a", "--fromat", "csv"], "--format"),
    ],
)  # fmt: skip
def test_wrong_usage_is_status_2_with_a_short_word_on_what_is_wrong(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == cli.USAGE
    told = capsys.readouterr()
    assert complaint in told.err and told.out == ""
    assert max(map(len, told.err.splitlines())) < 1_200


@pytest.mark.parametrize("name", FILLED)
def test_every_table_is_written_in_every_format(name: str, tmp_path: pathlib.Path) -> None:
    samples = ("two_legs", "register", "options", "message", "baresip", "lossy", "transfer")
    sources = [str(SAMPLES / f"{each}.pcap") for each in samples]
    for form in ("table", "csv", "json", "jsonl", "md", "parquet", "xlsx"):
        target = tmp_path / f"x.{form}"
        wish = ["--limit", "3", "--sort", f"-{_any_column(name)}", "--tz", "Asia/Tokyo", "--sort-records", "5"]
        assert cli.main([name, *sources, "--format", form, "-o", str(target), *wish]) == cli.DONE
    texts = json.loads((tmp_path / "x.json").read_text(), parse_constant=pytest.fail)
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    cells = list(csv.reader(io.StringIO((tmp_path / "x.csv").read_text(), newline="")))
    frame = pandas.read_parquet(tmp_path / "x.parquet")
    assert texts == lines and 1 <= len(texts) <= 3
    assert len(frame) == len(texts) == len(cells) - 1 == (tmp_path / "x.md").read_text().count("\n") - 2
    assert list(texts[0]) == cells[0] == list(frame.columns)
    numbers = re.findall(r"(?<=,)-?\d+\.(\d+)(?=[,\r])", (tmp_path / "x.csv").read_text())
    assert max(map(len, numbers), default=0) <= 9


def _any_column(name: str) -> str:
    others = {
        "messages": "user_agent", "captures": "first", "streams": "dscp", "pages": "time", "endpoints": "calls",
        "rtcp": "time", "findings": "frame", "statistics": "value",
    }  # fmt: skip
    return others.get(name, "start")


def test_missing_values_sort_last_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    sources = [str(SAMPLES / f"{name}.pcap") for name in ("plain", "busy", "two_legs")]
    for sign, expected in (("", ["6.17", "6.2", "8.1", ""]), ("-", ["8.1", "6.2", "6.17", ""])):
        assert cli.main(["calls", *sources, "--columns", "duration_s,mode", "--sort", f"{sign}duration_s"]) == 0
        lines = capsys.readouterr().out.splitlines()[1:]
        assert [line.removesuffix(",session") for line in lines] == expected


def test_a_number_is_found_however_it_is_typed(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    for typed in ("59333141", "+59333141", "0059333141", "59 333-141", "(59) 333.141", "tel:+59333141",
                  "sip:59333141@x", '"A" <sip:59333141@x>;tag=1', "59333141;phone-context=y"):  # fmt: skip
        assert cli.main(["calls", str(SAMPLES / "announcement.pcap"), "--number", typed, "--columns", "caller"]) == 0
        assert capsys.readouterr().out.split() == ["caller", "59333141"], typed


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_no_line_of_a_table_or_page_is_wider_than_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    sources = [str(SAMPLES / f"{name}.pcap") for name in ("plain", "busy", "forked", "lossy", "ipv6")]
    for name in FILLED:
        assert cli.main([name, *sources, "--format", "table"]) == 0
        text = capsys.readouterr().out
        assert max(map(len, text.splitlines())) <= width and "\x1b" not in text
        assert not re.search(r"\d\.\d{4}", text)
    assert cli.main(["calls", *sources, "--format", "table"]) == 0
    assert "completed" in capsys.readouterr().out  # what became of it goes last of all
    assert cli.main(["call", sources[2], "--id", "0"]) == 0
    page = capsys.readouterr().out.split("Wireshark filter")[0]
    assert max(map(len, page.splitlines())) <= width


@pytest.mark.parametrize("name", ["message", "scanner", "options", "register", "plain", "partial", "announcement"])
def test_a_summary_is_whole_on_any_capture(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["summary", str(SAMPLES / f"{name}.pcap")]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("Capture", "Calls", "RTP streams", "SIP messages"))
    assert cli.main(["summary", str(SAMPLES / f"{name}.pcap"), "--format", "json"]) == 0
    json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def test_a_capture_of_rtp_alone_and_an_empty_one_have_their_summary(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    media = [packet for packet in CALL if not packet[1][28:31].isalpha()]
    for packets, streams in ((media, "2"), ([], "none")):
        path = tmp_path / "x.pcap"
        path.write_bytes(pcap_bytes(packets, link_type=101))
        assert cli.main(["summary", str(path)]) == 0
        text = capsys.readouterr().out
        assert re.search(rf"^RTP streams   {streams}\b", text, re.M) and re.search(r"^Calls         none$", text, re.M)
        assert cli.main(["call", str(path), "--id", "0"]) == cli.USAGE
        assert "no call in this capture" in capsys.readouterr().err


# ---- from Python
def test_anything_that_holds_a_capture_can_be_given() -> None:
    path = SAMPLES / "plain.pcap"
    expected = sipanalyzer.analyze(path).calls.drop(columns="capture")
    packed = SAMPLES / "gzipped.pcap.gz"
    with path.open("rb") as file, gzip.open(packed) as unpacked, contextlib.closing(io.BytesIO(PLAIN)) as memory:
        for source in (str(path), [path], (path,), {path}, (each for each in [path]), path.parent.glob("plain.pcap"),
                       f"file://{path}", file, memory, str(path.parent / "pla[i]n.pcap")):  # fmt: skip
            pandas.testing.assert_frame_equal(sipanalyzer.analyze(source).calls.drop(columns="capture"), expected)
        assert len(sipanalyzer.analyze(unpacked).calls) == 1


@pytest.mark.parametrize(
    ("source", "settings", "complaint"),
    [
        (None, {}, "not a capture: None"), (5, {}, "not a capture: 5"),
        ([5], {}, "not a capture: 5"), ([], {}, "no capture"),
        (b"abc", {}, "io.BytesIO"), (io.StringIO("x"), {}, "binary mode"), ("a", {"options": 5}, "must be an Options"),
        ("a", {"block_bytes": 0}, "block_bytes must be at least 1"), ("a", {"max_streams": -1}, "at least 0, not -1"),
        ("a", {"sort_records": "x"}, "must be a whole number"), ("a", {"sort_records": None}, "must be a whole number"),
        ("a", {"from_time": "noon"}, "is no time"), ("a", {"to_time": pandas.NaT}, "is no time"),
        ("a", {"from_time": 2, "to_time": 1}, "is no time"),
        ("a", {"from_time": 20_000, "to_time": 10_000}, "later than"),
    ],
)  # fmt: skip
def test_a_mistake_of_the_caller_is_a_value_error_that_says_what(
    source: Any, settings: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        sipanalyzer.analyze(source, **settings)


def test_times_may_be_texts_seconds_datetimes_or_numpy_times() -> None:
    import datetime

    import numpy as np

    seconds = 1_772_442_605.5
    text = "2026-03-02T09:10:05.5"
    naive = datetime.datetime(2026, 3, 2, 9, 10, 5, 500_000)
    for time in (seconds, str(seconds), text, np.datetime64(text), naive, pandas.Timestamp(text, tz="UTC")):
        analysis = sipanalyzer.analyze(SAMPLES / "plain.pcap", to_time=time)
        assert analysis.result.options.to_time_ns == 1_772_442_605_500_000_000


def test_what_was_not_read_is_warned_of_and_the_rest_reported(tmp_path: pathlib.Path) -> None:
    (tmp_path / "cut.pcap").write_bytes(PLAIN[:5_000])
    with pytest.warns(sipanalyzer.CaptureWarning) as caught:
        analysis = sipanalyzer.analyze([tmp_path / "cut.pcap", tmp_path / "none", SAMPLES / "busy.pcap"])
    assert len(analysis.calls) == 2 and caught[0].filename == __file__
    assert [str(each.message).split(": ")[0] for each in caught] == [str(tmp_path / "none"), str(tmp_path / "cut.pcap")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(sipanalyzer.analyze(SAMPLES).summary()["passed_over"]) >= 2
    with pytest.raises(sipanalyzer.CaptureError):
        sipanalyzer.analyze(tmp_path / "none")


def test_csv_read_by_pandas_is_the_frame(capsys: pytest.CaptureFixture[str]) -> None:
    sources = [str(SAMPLES / f"{name}.pcap") for name in ("plain", "jittery", "authenticated", "scanner", "partial")]
    analysis = sipanalyzer.analyze(sources)
    for name in FILLED:
        frame = getattr(analysis, name)
        assert cli.main([name, *sources]) == 0
        kinds = {column: str(kind) for column, kind in frame.dtypes.items() if "datetime" not in str(kind)}
        again = pandas.read_csv(
            io.StringIO(capsys.readouterr().out), dtype=kinds, keep_default_na=False, na_values=[""]
        )
        for column in set(frame.columns) - set(kinds):
            again[column] = pandas.to_datetime(again[column], utc=True).astype("datetime64[ns, UTC]")
        pandas.testing.assert_frame_equal(again, frame, check_exact=True)


def test_two_analyses_at_once_and_again_and_compiled_are_equal() -> None:
    from sipanalyzer.kernels import compiled, set_compiled

    sources = [SAMPLES / f"{name}.pcap" for name in ("jittery", "tcp", "fragmented", "two_legs", "restart")]
    expected = rows(sipanalyzer.analyze(sources).result)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(rows(sipanalyzer.analyze(sources).result))) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    before = compiled()
    try:
        for switch in (True, False):
            set_compiled(switch)
            found.append(rows(sipanalyzer.analyze(sources).result))
    finally:
        set_compiled(before)
    assert found == [expected] * 4


def test_what_an_analysis_worked_with_is_given_back_at_once() -> None:
    import gc

    def analyses(count: int) -> int:
        for _ in range(count):
            read(PLAIN)
            with contextlib.suppress(sipanalyzer.CaptureError):
                read(b"no capture")
        return len(gc.get_objects())

    collecting = gc.isenabled()
    gc.disable()
    try:
        assert analyses(2) == analyses(5)
        assert cli.main(["calls", "/no/such"]) == cli.UNREADABLE
    finally:
        if collecting:
            gc.enable()
    assert gc.isenabled() == collecting


def test_an_analysis_and_every_error_can_be_pickled() -> None:
    analysis = sipanalyzer.analyze(SAMPLES / "two_legs.pcap")
    for again in (pickle.loads(pickle.dumps(analysis)), copy.deepcopy(analysis)):
        pandas.testing.assert_frame_equal(again.calls, analysis.calls)
    for error in (
        ParseError("sip", "no start line", 7),
        sipanalyzer.CaptureError("a", "b", offset=1, needed="c", found="d"),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), type(again)) == (str(error), type(error))
    assert str(ParseError("sip", "no start line", 7)) == "sip: no start line at byte 7"


def test_a_call_is_found_by_its_beginning_or_row(tmp_path: pathlib.Path) -> None:
    import numpy as np

    analysis = sipanalyzer.analyze([SAMPLES / "plain.pcap", SAMPLES / "two_legs.pcap"])
    call = analysis.call("plain")
    assert call.call_id == analysis.call(0).call_id == analysis.call(np.int64(0)).call_id == analysis.calls.call_id[0]
    assert [type(each.message).__name__ for each in call.messages].count("Request") == 3
    assert analysis.call(-1).call_id == analysis.calls.call_id.iloc[-1]
    for wrong in ("", "leg", "nope", 99, None, 1.5):
        with pytest.raises(ValueError):
            analysis.call(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        analysis.stream("x")  # type: ignore[arg-type]
    assert [each.name for each in analysis.export(tmp_path, tables="calls")] == ["calls.csv", "summary.json"]


# ---- what the documents show
def examples() -> list[tuple[str, str]]:
    found = []
    for page in ("README.md", "docs/python.md"):
        blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)
        found.append((page, "\n".join(blocks)))
    return found


@pytest.mark.parametrize(("page", "code"), examples())
def test_the_examples_of_a_document_run(
    page: str, code: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("capture.pcap", "a.pcap"):
        (tmp_path / name).write_bytes(PLAIN)
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("a84b4c76e66710", "plain-1"), page, "exec"), {})
    assert "1 completed" in capsys.readouterr().out


def test_the_commands_that_the_documents_show_are_understood(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import shlex

    (tmp_path / "sample_pcaps").symlink_to(SAMPLES)
    for name in ("capture.pcap", "a.pcap"):
        (tmp_path / name).write_bytes(PLAIN)
    monkeypatch.chdir(tmp_path)
    shown = 0
    for page in ("README.md", "docs/command-line.md"):
        for block in re.findall(r"^```\w*\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S):
            for line in block.splitlines():
                line = line.removeprefix("$ ")
                if not line.startswith("sipanalyzer ") or re.search(r"CAPTURE\.\.\.|/var/| {9}\w", line):
                    continue  # output, or a synopsis with its meaning beside it
                words = shlex.split(line, comments=True)
                wanted = 2 if words[1] == "browse" else 0  # that one needs a terminal
                assert cli.main(words[1:]) == wanted, (page, line, capsys.readouterr().err)
                shown += 1
    assert shown >= 8
