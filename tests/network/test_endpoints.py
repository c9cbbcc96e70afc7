"""Addresses as integers and as text."""

from __future__ import annotations

import ipaddress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.network.endpoints import Endpoints, address_text, address_words


@given(st.ip_addresses())
def test_an_address_comes_back_from_its_words(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    hi, lo = address_words(str(address))
    assert -(1 << 63) <= hi < 1 << 63 and -(1 << 63) <= lo < 1 << 63
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    assert address_text(hi, lo) == str(mapped or address)
    assert address_text(int(np.int64(hi)), int(np.int64(lo))) == str(mapped or address)


def test_words_worked_by_hand() -> None:
    assert address_words("10.38.71.17") == (0, 0xFFFF0A264711)
    assert address_words("::1") == (0, 1)
    assert address_words("2001:db8::8000:0:0:1") == (0x20010DB800000000, -0x8000000000000000 + 1)
    assert address_words("fe80::1") == (0xFE80000000000000 - (1 << 64), 1)
    assert address_words("[fe80::1%eth0]") == address_words("fe80::1")
    assert address_text(0, 0) == "::"
    assert address_text(np.int64(0), np.int64(0xFFFF00000000)) == "0.0.0.0"


@pytest.mark.parametrize("text", ["", "example.com", "1.2.3", "1.2.3.4:5060", "::g", "[::1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    if text == "[::1":
        assert address_words(text) == (0, 1)  # a bracket missing is forgiven
        return
    with pytest.raises(ValueError):
        address_words(text)


def test_endpoints_are_numbered_as_they_appear() -> None:
    endpoints = Endpoints()
    first = endpoints.intern(*address_words("10.0.0.1"), 5060)
    second = endpoints.intern(*address_words("10.0.0.1"), 5061)
    third = endpoints.intern(*address_words("::1"), 5060)
    assert (first, second, third) == (0, 1, 2)
    assert endpoints.intern(*address_words("10.0.0.1"), 5061) == second
    assert endpoints.find(*address_words("::1"), 5060) == third
    assert endpoints.find(*address_words("::2"), 5060) is None
    assert endpoints.texts() == [("10.0.0.1", 5060), ("10.0.0.1", 5061), ("::1", 5060)]
    assert len(endpoints) == 3
