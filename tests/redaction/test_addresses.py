"""Addresses are replaced by addresses of the same kind."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipanalyzer.redaction.addresses import Addresses
from sipanalyzer.redaction.keyed import Keyed

ADDRESSES = Addresses(Keyed("a key"))
NETWORKS = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "224.0.0.0/4",
)


def four(text: str) -> str:
    return str(ipaddress.IPv4Address(ADDRESSES.four(int(ipaddress.IPv4Address(text)))))


def common(one: int, other: int, size: int) -> int:
    return next((i for i in range(size) if (one ^ other) >> 8 * (size - 1 - i)), size)


ordinary = st.builds(
    lambda first, rest: first << 24 | rest,
    st.integers(1, 223).filter(lambda first: first != 127),  # single addresses of the others stay, the rest steps aside
    st.integers(0, 2**24 - 1),
)


@given(ordinary, ordinary)
def test_prefixes_that_are_shared_stay_shared_and_no_others_become_so(one: int, other: int) -> None:
    assert common(ADDRESSES.four(one), ADDRESSES.four(other), 4) == common(one, other, 4)


@given(st.integers(0, 2**32 - 1))
def test_an_address_keeps_its_kind_and_the_length_of_its_text(address: int) -> None:
    old, new = ipaddress.IPv4Address(address), ipaddress.IPv4Address(ADDRESSES.four(address))
    assert len(str(old)) == len(str(new))
    for network in map(ipaddress.ip_network, NETWORKS):
        assert (old in network) == (new in network)


@pytest.mark.parametrize("text", ["0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.251"])
def test_addresses_that_are_nobodys_stay(text: str) -> None:
    assert four(text) == text


def test_all_addresses_of_a_network_stay_apart() -> None:
    first = int(ipaddress.IPv4Address("192.0.2.0"))
    assert len({ADDRESSES.four(first + i) for i in range(256)}) == 256


@pytest.mark.parametrize(
    "text",
    [
        "2001:db8::1",
        "2001:0db8:0000::0001",
        "fe80::21a:a0ff:fe07:1",
        "::ffff:192.0.2.7",
        "2001:DB8:A:B::",
        "fd00::5",
        "ff02::1:2",
    ],
)
def test_text_of_an_address_says_the_same_as_its_bytes(text: str) -> None:
    new = ADDRESSES.text(text)
    assert new is not None and len(new) == len(text)
    assert int(ipaddress.IPv6Address(new)) == ADDRESSES.six(int(ipaddress.IPv6Address(text)))
    for network in ("fe80::/10", "fc00::/7", "ff00::/8", "::ffff:0:0/96"):
        inside = ipaddress.IPv6Address(text) in ipaddress.ip_network(network)
        assert inside == (ipaddress.IPv6Address(new) in ipaddress.ip_network(network))


def test_an_ipv4_address_in_ipv6_is_the_one_that_stands_alone() -> None:
    assert ADDRESSES.text("::ffff:192.0.2.7") == "::ffff:" + four("192.0.2.7")


@given(st.integers(0, 2**128 - 1))
def test_every_ipv6_text_stays_as_long(address: int) -> None:
    text = str(ipaddress.IPv6Address(address))
    new = ADDRESSES.text(text)
    assert new is not None and len(new) == len(text)


@pytest.mark.parametrize("text", ["12:34:56", "1.2.3", "1.2.3.400", "alice", "010.1.1.1", "::::"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert ADDRESSES.text(text) is None
