"""Which address may stand for a node."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import Failure
from spyglass.loopback.addresses import LOCAL, PRIVATE, is_here, needs_helper, wanted
from spyglass.loopback.interfaces import Own

DOCKER0 = Own(IPv4Address("172.17.0.1"), 16, 4, "docker0")


def test_auto_takes_the_address_in_the_nodes_own_name() -> None:
    assert wanted("remotenode@127.0.0.2") == "127.0.0.2"
    assert wanted("hello@172.17.0.4") == "172.17.0.4"


def test_an_address_that_was_asked_for_may_stand_for_a_node_that_is_named_otherwise() -> None:
    assert wanted("app@web-1", "127.0.0.5") == "127.0.0.5"


@pytest.mark.parametrize(
    ("node", "asked", "why"),
    [
        ("app@web-1", "auto", "named by a host name"),
        ("app@shop.internal", "auto", "named by a host name"),
        ("app@8.8.8.8", "auto", "public address"),
        ("app@fd00::1", "auto", "named by a host name"),
        ("app@web-1", "web-1", "web-1 is not an IPv4 address"),
        ("app@web-1", "010.0.0.1", "not an IPv4 address"),
        ("app@10.0.0.0", "auto", "address of a network"),
        ("app@127.255.255.255", "auto", "address of a network"),
        ("app@0.0.0.0", "auto", "public address"),
        ("app@127.0.0.1", "auto", "this computer's own address"),
        ("app@169.254.169.254", "auto", "public address"),
    ],
)
def test_what_can_not_be_had_is_refused_with_the_reason_and_the_ways_that_remain(
    node: str, asked: str, why: str
) -> None:
    with pytest.raises(Failure) as refusal:
        wanted(node, asked)

    assert why in refusal.value.title
    assert refusal.value.hint
    assert refusal.value.code == "no-alias"


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_no_address_outside_loopback_and_the_private_networks_is_ever_wanted(address: IPv4Address) -> None:
    allowed = any(address in net for net in (LOCAL, *PRIVATE))
    try:
        assert wanted(f"x@{address}") == str(address)
    except Failure:
        return
    assert allowed


def test_an_address_of_127_needs_no_helper_on_linux_and_windows() -> None:
    assert not needs_helper("127.0.0.2", [], "linux")
    assert not needs_helper("127.0.0.2", [], "win32")


def test_a_mac_has_of_them_what_somebody_put_there() -> None:
    assert not needs_helper("127.0.0.2", [], "darwin", lambda _address: True)
    with pytest.raises(Failure) as refusal:
        needs_helper("127.0.0.2", [], "darwin", lambda _address: False)
    assert "sudo ifconfig lo0 alias 127.0.0.2" in refusal.value.hint
    assert "spyglass helper" in refusal.value.hint


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_have_no_private_addresses(system: str) -> None:
    with pytest.raises(Failure, match=r"Only addresses of 127\.0\.0\.0/8"):
        needs_helper("10.42.7.9", [], system)


def test_whether_an_address_is_here_is_tried() -> None:
    assert is_here("127.0.0.9")
    assert not is_here("192.0.2.1")


def test_a_private_address_needs_the_helper() -> None:
    assert needs_helper("10.42.7.9", [DOCKER0], "linux")


def test_an_address_in_the_network_of_an_own_one_is_refused_and_names_it() -> None:
    with pytest.raises(Failure, match=r"172\.17\.0\.1/16 \(docker0\)"):
        needs_helper("172.17.0.4", [DOCKER0], "linux")


@given(st.integers(0, 2**32 - 1).map(IPv4Address), st.integers(0, 32), st.integers(2, 9))
def test_nothing_on_the_link_of_another_interface_is_ever_had(
    have: IPv4Address, length: int, index: int
) -> None:
    own = Own(have, length, index, "eth0")
    for network in PRIVATE:
        wish = network.network_address + 7
        if wish in IPv4Network((have, length), strict=False):
            with pytest.raises(Failure):
                needs_helper(str(wish), [own], "linux")
        else:
            assert needs_helper(str(wish), [own], "linux")


def test_one_that_somebody_put_on_the_loopback_interface_to_stay_is_taken_as_it_is() -> None:
    assert not needs_helper("10.42.7.9", [Own(IPv4Address("10.42.7.9"), 32, 1, "lo")], "linux")


def test_one_that_another_run_of_ours_holds_is_refused() -> None:
    with pytest.raises(Failure, match="another Spyglass"):
        needs_helper("10.42.7.9", [Own(IPv4Address("10.42.7.9"), 32, 1, "lo:sg1000")], "linux")
