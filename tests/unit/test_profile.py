"""Profiles, hops and targets as people write them."""

from __future__ import annotations

import ipaddress
import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import BadInput
from spyglass.profile import (
    ContainerHop,
    EngineHop,
    Profile,
    Selector,
    SSHHop,
    check,
    parse_hop,
    parse_target,
)

NAMES = string.ascii_letters + string.digits + "-_."
WORDS = st.text(NAMES, min_size=1, max_size=20).filter(lambda word: not word.startswith("-"))
HOSTS = WORDS | st.ip_addresses().map(str)
HOPS = st.builds(SSHHop, host=HOSTS, user=st.just("") | WORDS, port=st.integers(0, 65535))


@given(hop=HOPS)
def test_a_hop_is_read_back_from_its_label(hop: SSHHop) -> None:
    assert parse_hop(hop.label) == hop


@given(address=st.ip_addresses(v=6))
def test_an_ipv6_address_needs_no_brackets_where_no_port_follows(address: ipaddress.IPv6Address) -> None:
    assert parse_hop(str(address)).host == str(address)


@given(text=st.text(max_size=40))
def test_whatever_is_typed_is_a_target_or_bad_input(text: str) -> None:
    try:
        target = parse_target(text, {})
    except BadInput:
        return
    assert check(target.profile).route


@pytest.mark.parametrize(
    ("text", "hop", "container"),
    [
        ("prod", SSHHop("prod"), ""),
        ("deploy@prod", SSHHop("prod", "deploy"), ""),
        ("deploy@prod:2222", SSHHop("prod", "deploy", 2222), ""),
        ("prod:2222/web", SSHHop("prod", port=2222), "web"),
        ("me@corp.example@prod", SSHHop("prod", "me@corp.example"), ""),
        (r"CORP\me@prod", SSHHop("prod", r"CORP\me"), ""),
        ("10.0.0.7", SSHHop("10.0.0.7"), ""),
        ("::1", SSHHop("::1"), ""),
        ("[::1]", SSHHop("::1"), ""),
        ("deploy@[fe80::1%eth0]:22/web", SSHHop("fe80::1%eth0", "deploy", 22), "web"),
        (" prod ", SSHHop("prod"), ""),
    ],
)
def test_a_target_names_a_host_and_maybe_a_container(text: str, hop: SSHHop, container: str) -> None:
    target = parse_target(text, {})

    assert target.profile.hops == (hop,)
    assert target.profile.select == Selector(container=container)
    assert not target.saved


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("", "'' is neither a saved profile nor a host"),
        ("two words", "'two words' is neither a saved profile nor a host"),
        ("@prod", "'@prod' is neither a saved profile nor a host"),
        ("prod:", "'prod:' is neither a saved profile nor a host"),
        ("prod:ssh", "'prod:ssh' is neither a saved profile nor a host"),
        ("[::1", "'[::1' is neither a saved profile nor a host"),
        ("prod/web/1", "'prod/web/1' is neither a saved profile nor a host"),
        ("prod:0", "0 is not a port"),
        ("prod:70000", "70000 is not a port"),
        ("-oProxyCommand=x", "'-oProxyCommand=x' begins with a hyphen"),
        ("-l@prod", "the user '-l' begins with a hyphen"),
    ],
)
def test_what_is_no_target_is_refused_in_words(text: str, title: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_target(text, {})

    assert caught.value.title.endswith(title)
    assert caught.value.hint


def test_a_saved_profile_wins_over_a_host_and_over_local() -> None:
    saved = {name: Profile(name, id="0" * 32) for name in ("prod", "local")}

    assert parse_target("prod", saved).profile is saved["prod"]
    assert parse_target("local", saved).saved


def test_local_is_a_profile_without_hops() -> None:
    target = parse_target("local", {})

    assert (target.profile.hops, target.saved) == ((), False)


def test_a_hop_has_no_container_of_its_own() -> None:
    with pytest.raises(BadInput, match="is not a host"):
        parse_hop("prod/web")


@pytest.mark.parametrize(
    ("profile", "route"),
    [
        (Profile("x"), "this computer"),
        (Profile("x", hops=(SSHHop("b", "me"), SSHHop("10.0.0.7", port=22))), "me@b › 10.0.0.7:22"),
        (Profile("x", hops=(SSHHop("b"), ContainerHop("web"))), "b › web"),
        (Profile("x", hops=(SSHHop("b"),), select=Selector(container="shop*")), "b › shop*"),
    ],
)
def test_the_route_is_told_in_the_order_of_travel(profile: Profile, route: str) -> None:
    assert profile.route == route


@pytest.mark.parametrize(
    ("profile", "field"),
    [
        (Profile(" "), "`name`"),
        (Profile("a\nb"), "`name`"),
        (Profile("x", hops=(SSHHop(""),)), "`host` of hop 1"),
        (Profile("x", hops=(SSHHop("a"), SSHHop("b c"))), "`host` of hop 2"),
        (Profile("x", hops=(SSHHop("-x"),)), "`host` of hop 1"),
        (Profile("x", hops=(SSHHop("a\x1b"),)), "`host` of hop 1"),
        (Profile("x", hops=(SSHHop("a", user="-x"),)), "`user` of hop 1"),
        (Profile("x", hops=(SSHHop("a", user="x\x7f"),)), "`user` of hop 1"),
        (Profile("x", hops=(ContainerHop("--privileged"),)), "`name` of hop 1"),
    ],
)
def test_a_profile_that_makes_no_sense_names_the_field(profile: Profile, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        check(profile)

    assert field in caught.value.hint


def test_a_profile_cannot_be_changed_behind_somebodys_back() -> None:
    with pytest.raises(AttributeError):
        Profile("x").name = "y"  # type: ignore[misc]


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="password"):
        msgspec.convert({"name": "x", "password": "y"}, Profile)


@pytest.mark.parametrize(
    ("text", "hop", "container"),
    [
        ("tcp://10.0.0.5:4243", EngineHop("tcp://10.0.0.5:4243"), ""),
        ("tcp://[fd00::5]:2376/web", EngineHop("tcp://[fd00::5]:2376"), "web"),
        ("https://engine.example:2376", EngineHop("https://engine.example:2376"), ""),
    ],
)
def test_a_target_may_be_an_engine_s_api(text: str, hop: EngineHop, container: str) -> None:
    profile = parse_target(text, {}).profile
    assert (profile.hops, profile.select.container) == ((hop,), container)
    assert (hop.port > 0, hop.tls) == (True, text.startswith("https"))


def test_the_host_of_an_engine_s_address_is_known() -> None:
    hop = EngineHop("tcp://[fd00::5]:2376", ca="/ca.pem")
    assert (hop.host, hop.port, hop.tls) == ("fd00::5", 2376, True)


@pytest.mark.parametrize(
    "hop",
    [
        EngineHop("10.0.0.5:4243"),
        EngineHop("tcp://10.0.0.5"),
        EngineHop("tcp://10.0.0.5:0"),
        EngineHop("tcp://10.0.0.5:4243/web"),
        EngineHop("unix:///var/run/docker.sock"),
        EngineHop("tcp://10.0.0.5:4243", key="/key.pem"),
    ],
)
def test_an_engine_hop_that_makes_no_sense_is_refused(hop: EngineHop) -> None:
    with pytest.raises(BadInput, match="Hop 1"):
        check(Profile(name="far", hops=(hop,)))
