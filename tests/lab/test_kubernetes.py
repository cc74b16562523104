"""Nodes in pods, by kubectl. The cluster is made up (support/lab/kubectl.py), the nodes are real."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from support.lab.desktop import Desktop
from support.lab.fleet import MARK
from support.lab.kubectl import SHIM
from support.lab.laptop import Laptop
from support.lab.server import Server, wait_until

COOKIE = MARK + "kubernetes"
WAY = ("lab", "--kubernetes", "web")


@pytest.fixture(scope="module")
def cluster(server: Server) -> Iterator[None]:
    """Two pods with a node, the second where no route leads; one of the pods has a second container."""
    server.load_images()
    server.place.sh("mount -t tmpfs -o mode=755 tmpfs /usr/local/bin")
    shim = server.root / "usr/local/bin/kubectl"
    shim.write_text(SHIM)
    shim.chmod(0o755)
    for name, more in (
        ("shop-1", ["--label=app=shop"]),
        ("shop-2", ["--label=app=shop", "--label=afar=yes"]),
    ):
        flags = [f"--name={name}", f"--hostname={name}", f"--label=pod=web/{name}/app", *more]
        command = ["elixir", "--sname", "shop", "--cookie", COOKIE, "--no-halt"]
        server.docker("run", "--detach", *flags, "elixir:lab", *command, timeout=60)
    beside = ["--label=pod=web/shop-1/proxy", "--name=proxy", "--net=container:shop-1"]
    server.docker("run", "--detach", *beside, "plain:lab", "sleep", "100000")
    server.docker("run", "--detach", "--name=other", "--label=pod=db/db-0/db", "plain:lab", "sleep", "100000")
    yield
    server.docker("rm", "-f", "shop-1", "shop-2", "proxy", "other", timeout=60)
    server.place.sh("umount /usr/local/bin")


def listed(laptop: Laptop, *way: str) -> dict[str, Any]:
    """The nodes by name."""
    return {node["node"]: node for node in laptop.spyglass_json("nodes", *way, timeout=60)["nodes"]}


@pytest.fixture(scope="module")
def nodes(laptop: Laptop, cluster: None) -> dict[str, Any]:
    """The two nodes, when both answer."""
    found: dict[str, Any] = {}

    def both() -> bool:
        found.update(listed(laptop, *WAY))
        return sum(node["reachable"] for node in found.values()) == 2

    wait_until(both, "both nodes are up", 30, every=0.5)
    return found


def test_pods_are_listed_with_their_nodes(nodes: dict[str, Any]) -> None:
    assert set(nodes) == {"shop@shop-1", "shop@shop-2"}
    node = nodes["shop@shop-1"]
    assert (node["runtime"], node["container"], node["networks"]) == ("kubernetes", "shop-1/app", ["web"])
    assert node["cookie"] == {"found": True, "source": "-setcookie", "proved": True}
    assert node["hops"][-1] == "kubernetes:web"


@pytest.mark.parametrize("name", ["shop@shop-1", "shop@shop-2"])
def test_a_node_answers_by_its_pods_address_or_by_a_port_forward(
    laptop: Laptop, server: Server, nodes: dict[str, Any], name: str
) -> None:
    done = laptop.spyglass("rpc", *WAY[:1], name, "erlang", "node", *WAY[1:])
    assert (done.returncode, done.stdout.strip()) == (0, f"'{name}'"), done.stderr
    wait_until(lambda: not forwards(server), "no port-forward is left", 5)


def forwards(server: Server) -> list[str]:
    """The port-forwards that run on the server."""
    return [line for line in server.place.processes().values() if "port-forward" in line]


def test_observer_opens_where_only_a_port_forward_leads(
    laptop: Laptop, server: Server, desktop: Desktop, nodes: dict[str, Any]
) -> None:
    guest = laptop.start_spyglass("observe", WAY[0], "shop@shop-2", *WAY[1:])
    try:
        window = desktop.wait_window(r"shop@shop-2$", 30)
        desktop.close_window(window)
        assert guest.wait() == 0
    finally:
        guest.close()
    wait_until(lambda: not forwards(server), "no port-forward is left", 5)


def test_labels_and_names_choose_pods(laptop: Laptop, nodes: dict[str, Any]) -> None:
    assert set(listed(laptop, *WAY, "--container", "shop-2")) == {"shop@shop-2"}
    assert set(listed(laptop, "lab", "--kubernetes", "all", "--label", "app=shop")) == set(nodes)
    assert listed(laptop, "lab", "--kubernetes", "db") == {}


@pytest.mark.parametrize(
    ("way", "words"),
    [
        (("local", "--kubernetes", "web"), "(is no|does not answer) kubectl on this computer"),
        (("lab-nodocker", "--kubernetes", "all"), "does not let us list the pods of all"),
        (("lab", "--kubernetes", "No_Such"), "is not a namespace of Kubernetes"),
        (("lab", "--kube-context", "prod"), "--kube-context is for a cluster"),
    ],
)
def test_what_is_in_the_way_is_told(laptop: Laptop, cluster: None, way: tuple[str, ...], words: str) -> None:
    done = laptop.spyglass("nodes", *way, "--batch")
    assert done.returncode == 1
    assert re.search(words, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
