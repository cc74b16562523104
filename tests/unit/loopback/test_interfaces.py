"""The addresses of this computer, as the kernel tells them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from spyglass.loopback import interfaces


def test_loopback_is_among_them() -> None:
    (found,) = (own for own in interfaces.own() if own.address == IPv4Address("127.0.0.1"))

    assert found.index == interfaces.LOOPBACK
    assert found.label == "lo"
    assert found.network == IPv4Network("127.0.0.0/8")
