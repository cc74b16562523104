"""Each rule of a selector, against containers as engines tell of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.erlang.selection import matcher, may_mean, means, only_addresses
from spyglass.remote.container import Facts, Network
from spyglass.selector import Selector

COMPOSE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
PODMAN = {"io.podman.compose.project": "shop", "com.docker.compose.service": "web"}
RANCHER = {"io.rancher.stack_service.name": "hello/app", "io.rancher.container.ip": "10.42.7.9/16"}


def facts(**more: object) -> Facts:
    network = Network("net_poc", ("172.18.0.2",), ("web", "c0ffee"))
    about = {
        "engine": "docker",
        "id": "c0ffee" * 10 + "abcd",
        "name": "node1",
        "image": "reg:5000/team/app:2",
    }
    return Facts(**{**about, "networks": (network,), **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("select", "labels"),
    [
        (Selector(), {}),
        (Selector(container="node1"), {}),
        (Selector(container="NODE*"), {}),
        (Selector(container="c0ffee"), {}),
        (Selector(container="web"), COMPOSE),
        (Selector(image="reg:5000/team/app:2"), {}),
        (Selector(image="reg:5000/team/app"), {}),
        (Selector(image="app"), {}),
        (Selector(image="*:2"), {}),
        (Selector(label=("tier",)), {"tier": "front"}),
        (Selector(label=("tier=f*", "zone=1")), {"tier": "front", "zone": "1"}),
        (Selector(network_alias="WEB"), {}),
        (Selector(compose="web"), COMPOSE),
        (Selector(compose="shop/web"), PODMAN),
        (Selector(compose="shop/*"), COMPOSE),
        (Selector(swarm_service="stack_*"), {"com.docker.swarm.service.name": "stack_web"}),
        (Selector(rancher="hello/app"), RANCHER),
        (Selector(rancher="app"), RANCHER),
        (Selector(image="app", network_alias="web", label=("a",)), {"a": ""}),
    ],
)
def test_it_is_meant(select: Selector, labels: dict[str, str]) -> None:
    assert means(select, facts(labels=labels))


@pytest.mark.parametrize(
    ("select", "labels"),
    [
        (Selector(container="node"), {}),
        (Selector(image="team"), {}),
        (Selector(image="app:3"), {}),
        (Selector(label=("tier",)), {}),
        (Selector(label=("tier=back",)), {"tier": "front"}),
        (Selector(label=("tier", "zone")), {"tier": "front"}),
        (Selector(network_alias="we"), {}),
        (Selector(compose="web"), {}),
        (Selector(compose="store/web"), COMPOSE),
        (Selector(compose="shop/*"), {}),
        (Selector(swarm_service="*"), {}),
        (Selector(rancher="bye/app"), RANCHER),
        (Selector(rancher="*"), {}),
        (Selector(dns="web.internal"), {}),
        (Selector(image="app", network_alias="db"), {}),
    ],
)
def test_it_is_not_meant(select: Selector, labels: dict[str, str]) -> None:
    assert not means(select, facts(labels=labels))


def test_addresses_make_a_container_belong() -> None:
    assert means(Selector(dns="web"), facts(), {"172.18.0.2"})
    assert means(Selector(rancher="hello/app"), facts(), {"172.18.0.2"})
    assert means(Selector(dns="web"), facts(labels=RANCHER), {"10.42.7.9"})
    assert not means(Selector(dns="web", image="other"), facts(), {"172.18.0.2"})
    assert matcher(Selector(dns="web"), ["172.18.0.2"])(facts())


def test_only_an_address_needs_no_container() -> None:
    assert only_addresses(Selector(dns="web"))
    assert only_addresses(Selector(rancher="hello/app", node="x@*"))
    assert not only_addresses(Selector(dns="web", image="app"))
    assert not only_addresses(Selector(container="web"))


TEXT = st.text(max_size=12)
FACTS = st.builds(
    facts,
    name=TEXT,
    image=TEXT,
    labels=st.dictionaries(st.sampled_from([*COMPOSE, *RANCHER, "tier"]) | TEXT, TEXT, max_size=4),
    networks=st.lists(st.builds(Network, TEXT, st.just(("10.0.0.1",)), st.tuples(TEXT)), max_size=2).map(
        tuple
    ),
)
SELECTS = st.builds(
    Selector,
    container=TEXT,
    image=TEXT,
    label=st.lists(TEXT, max_size=2).map(tuple),
    network_alias=TEXT,
    compose=TEXT,
    rancher=TEXT,
)


@given(FACTS, SELECTS)
def test_what_an_event_rules_out_is_not_meant(one: Facts, select: Selector) -> None:
    assert may_mean(select, one) or not means(select, one)


@given(FACTS)
def test_a_name_as_it_stands_means_its_container(one: Facts) -> None:
    literal = "".join(f"[{char}]" if char in "*?[" else char for char in one.name)
    assert not literal or means(Selector(container=literal), one)
