"""What lies compressed in a page."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
import string

import pytest

from sipanalyzer.output.report.pack import chunks, packed, packed_json, script_hash


def test_what_was_packed_is_had_back_by_gzip_and_by_no_other_letters_than_those_of_base64() -> None:
    data = {"a": ["</script>", "\u202e", "\udcff", None, 1.5, True], "__proto__": 1}
    text = packed_json(data)
    assert set(text) <= set(string.ascii_letters + string.digits + "+/=")
    assert json.loads(gzip.decompress(base64.b64decode(text))) == data


def test_the_same_text_gives_the_same_bytes() -> None:
    assert packed("abc" * 1000) == packed("abc" * 1000)


def test_a_number_that_json_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        packed_json([float("nan")])


def test_the_hash_is_that_of_the_scripts_utf8() -> None:
    want = base64.b64encode(hashlib.sha256("x = '\u00e9'".encode()).digest()).decode()
    assert script_hash("x = '\u00e9'") == f"sha256-{want}"


def test_no_more_than_one_chunk_is_taken_at_a_time() -> None:
    taken: list[int] = []
    source = (taken.append(each) or each for each in itertools.count())  # type: ignore[func-returns-value]
    parts = chunks(source, 3)
    assert next(parts) == [0, 1, 2]
    assert taken == [0, 1, 2]
    assert list(chunks("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
