"""Every node of the standard fleet is found, with its exact name and the right source of its cookie."""

from __future__ import annotations

import time
from typing import Any

import pytest

from support.lab.fleet import Fleet
from support.lab.laptop import Laptop
from support.lab.server import ADDRESS, PORT, Server

MESH = ("m1", "m2", "m3")
EACH = ("remotenode", "app", "hello", "shop", "one", "two", "node1", "hostnet", "bare", "modern", *MESH)


@pytest.fixture(scope="module")
def found(laptop: Laptop, fleet: Fleet) -> dict[str, dict[str, Any]]:
    """What ``spyglass nodes lab --json`` lists, by full name."""
    document = laptop.spyglass_json("nodes", "lab", "--batch")
    assert document["target"] == "lab"
    assert document["warnings"] == []
    return {node["node"]: node for node in document["nodes"]}


def test_the_nodes_found_are_exactly_those_that_are_there(found: dict[str, Any], fleet: Fleet) -> None:
    assert sorted(found) == sorted(truth.node for truth in fleet.nodes)


@pytest.mark.parametrize("name", EACH)
def test_a_node_is_told_where_and_what_it_is(found: dict[str, Any], fleet: Fleet, name: str) -> None:
    truth = fleet[name]
    node = found[truth.node]
    assert node["reachable"], node["why_not"]
    assert node["name_type"] == ("long" if "." in truth.node.partition("@")[2] else "short")
    assert (node["container"] or "") == truth.container
    assert (node["image"] or "") == truth.image
    assert tuple(node["networks"]) == truth.networks
    assert node["runtime"] == ("docker" if truth.container else "host")
    assert node["otp"] == ("28" if truth.image == "modern:lab" else "24-27")
    assert not node["hidden"]
    assert not node["tls"]
    assert (node["via"], node["epmd_port"]) == ("epmd", 4369)


@pytest.mark.parametrize("name", EACH)
def test_its_cookie_is_proved_and_comes_from_the_right_place(
    found: dict[str, Any], fleet: Fleet, name: str
) -> None:
    truth = fleet[name]
    assert found[truth.node]["cookie"] == {"found": True, "source": truth.source, "proved": True}


def test_a_container_is_reached_at_its_own_address(
    found: dict[str, Any], fleet: Fleet, server: Server
) -> None:
    for truth in fleet.nodes:
        if truth.container and truth.networks != ("host",):
            assert found[truth.node]["address"] in server.addresses(truth.container).values()
    assert found["remotenode@127.0.0.2"]["port"] == 19000


def test_the_engine_id_of_a_container_is_its_own(found: dict[str, Any], server: Server) -> None:
    assert found["app@web-1"]["container_id"] == server.docker("inspect", "-f", "{{.Id}}", "web")


@pytest.mark.parametrize("target", ["lab", f"deploy@{ADDRESS}:{PORT}"])
def test_the_way_is_told_as_account_address_and_port(laptop: Laptop, fleet: Fleet, target: str) -> None:
    document = laptop.spyglass_json("nodes", target, "--batch", "--identity", "~/.ssh/id_ed25519")
    assert len(document["nodes"]) == len(fleet.nodes)
    assert {tuple(node["hops"]) for node in document["nodes"]} == {(f"deploy@{ADDRESS}:{PORT}",)}


def test_the_table_for_people_lists_every_node(laptop: Laptop, fleet: Fleet) -> None:
    done = laptop.spyglass("nodes", "lab")
    assert done.returncode == 0
    assert done.stderr == ""
    listed = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    assert listed == {truth.node for truth in fleet.nodes}


def test_one_container_may_be_picked(laptop: Laptop, fleet: Fleet) -> None:
    document = laptop.spyglass_json("nodes", "lab", "--container", "pair")
    assert {node["node"] for node in document["nodes"]} == {"one@pair", "two@pair"}


def test_a_container_without_erlang_makes_no_noise(laptop: Laptop, fleet: Fleet) -> None:
    document = laptop.spyglass_json("nodes", "lab", "--container", "plain")
    assert document == {"target": "lab", "nodes": [], "warnings": []}


def test_looking_leaves_no_trace_in_the_logs_of_the_nodes(laptop: Laptop, fleet: Fleet) -> None:
    before = {truth.node: fleet.log(truth) for truth in fleet.nodes}
    laptop.spyglass_json("nodes", "lab")
    assert {truth.node: fleet.log(truth) for truth in fleet.nodes} == before


def test_all_nodes_are_found_in_two_seconds(laptop: Laptop, fleet: Fleet) -> None:
    """The limit counts from the connection being up; this measures the whole process, which takes longer."""
    assert min(_seconds(laptop) for _ in range(3)) < 2


def test_thirty_containers_take_less_than_five_seconds(laptop: Laptop, fleet: Fleet, server: Server) -> None:
    running = len(server.docker("ps", "-q").splitlines())
    crowd = fleet.crowd(30 - running)
    try:
        began = time.monotonic()
        document = laptop.spyglass_json("nodes", "lab")
        took = time.monotonic() - began
    finally:
        fleet.remove(crowd)
    found = {node["node"]: node["cookie"]["proved"] for node in document["nodes"]}
    assert found == {truth.node: True for truth in (*fleet.nodes, *crowd)}
    assert took < 5


@pytest.mark.parametrize("name", EACH)
def test_a_call_is_answered_by_the_node_itself(laptop: Laptop, fleet: Fleet, name: str) -> None:
    truth = fleet[name]
    done = laptop.spyglass("rpc", "lab", truth.node, "erlang", "node")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().strip("'") == truth.node


def test_a_call_takes_terms_and_prints_one(laptop: Laptop, fleet: Fleet) -> None:
    done = laptop.spyglass("rpc", "lab", "app@web-1", "lists", "zip", "[1,two]", '[<<"x">>,"y"]')
    assert (done.returncode, done.stdout.strip()) == (0, '[{1,<<"x">>},{two,"y"}]')


def _seconds(laptop: Laptop) -> float:
    began = time.monotonic()
    laptop.spyglass_json("nodes", "lab")
    return time.monotonic() - began
