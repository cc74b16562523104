"""Targets by service: Compose labels, a DNS name asked inside a container, Rancher's metadata service.

The Rancher recipe: overlay addresses, ``-name hello@${RANCHER_IP}`` by environment substitution, a service
name that resolves to all members, and a metadata service (a real HTTP server) that lists them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.lab.api_host import ADDRESS as FAR
from support.lab.api_host import ApiHost
from support.lab.fleet import MARK, Fleet
from support.lab.laptop import Laptop
from support.lab.server import Server, wait_until

NETWORK, METADATA = "net_rancher", "rancher-metadata.rancher.internal"


class Stack:
    """The service ``hello/app`` in its overlay network, and the metadata service that knows it."""

    def __init__(self, server: Server, fleet: Fleet) -> None:
        self.server, self.fleet = server, fleet
        self.told: Path = fleet.files / "metadata" / "latest" / "containers"
        self.told.parent.mkdir(parents=True)
        self.members: dict[str, str] = {}
        self.tell()
        server.docker("network", "create", "--subnet=10.42.0.0/16", NETWORK)
        web = [f"--volume={self.told.parents[1]}:/www", f"--net-alias={METADATA}", "plain:lab"]
        server.docker(
            "run",
            "-d",
            "--name=metadata",
            f"--net={NETWORK}",
            *web,
            "busybox",
            "httpd",
            "-f",
            "-p",
            "80",
            "-h",
            "/www",
        )

    def start(self, name: str, address: str, *flags: str) -> None:
        where = [f"--name={name}", f"--net={NETWORK}", "--net-alias=app", f"--ip={address}"]
        release = ["--env=REPLACE_OS_VARS=true", f"--volume={self.fleet.files / 'hello'}:/opt/hello"]
        self.server.docker("run", "-d", *where, *flags, *release, "elixir:lab", "/opt/hello/bin/hello")
        self.fleet.wait([(address, "hello")], 20)
        self.members[name] = address
        self.tell()

    def stop(self, name: str) -> None:
        self.server.docker("rm", "-f", name)
        del self.members[name]
        self.tell()

    def tell(self) -> None:
        about = {"stack_name": "hello", "service_name": "app"}
        listed = [{"name": name, "primary_ip": ip, **about} for name, ip in self.members.items()]
        self.told.write_text(json.dumps(listed))

    def close(self) -> None:
        self.server.docker("rm", "-f", "metadata", *self.members)
        self.server.docker("network", "rm", NETWORK)


@pytest.fixture
def stack(server: Server, fleet: Fleet) -> Iterator[Stack]:
    """Two members, of which only the first has Rancher's label."""
    made = Stack(server, fleet)
    try:
        made.start("app1", "10.42.7.2", "--label=io.rancher.stack_service.name=hello/app")
        made.start("app2", "10.42.7.3")
        yield made
    finally:
        made.close()


def names(laptop: Laptop, *options: str) -> list[str]:
    document = laptop.spyglass_json("nodes", "lab", "--batch", *options)
    assert document["warnings"] == []
    assert all(node["reachable"] and node["cookie"]["proved"] for node in document["nodes"])
    return sorted(node["node"] for node in document["nodes"])


def test_a_service_of_rancher_is_found_and_followed_to_new_addresses(laptop: Laptop, stack: Stack) -> None:
    both = ["hello@10.42.7.2", "hello@10.42.7.3"]
    assert names(laptop, "--rancher", "hello/app") == both
    assert names(laptop, "--dns", "app", "--ask-in", "app1") == both
    assert names(laptop, "--label", "io.rancher.stack_service.name=hello/*") == both[:1]
    guest = laptop.start_spyglass("nodes", "lab", "--rancher", "hello/app", "--watch", "--json", "--batch")
    out = guest.popen.stdout
    assert out is not None
    try:
        assert sorted(n["node"] for n in json.loads(out.readline())["nodes"]) == both
        stack.stop("app2")
        stack.start("app2", "10.42.7.9")
        seen: set[tuple[str, str]] = set()

        def followed() -> bool:
            told = json.loads(out.readline())
            up = told["event"] == "went" or told["node"]["reachable"]
            seen.update({("went" if told["event"] == "went" else "up", told["node"]["node"])} if up else ())
            return {("went", "hello@10.42.7.3"), ("up", "hello@10.42.7.9")} <= seen

        wait_until(followed, "the service is followed", 12)
    finally:
        guest.close()


def test_a_service_of_compose_or_swarm_and_a_name_s_pattern_are_targets(
    laptop: Laptop, server: Server, fleet: Fleet
) -> None:
    labels = ["--label=com.docker.compose.project=poc", "--label=com.docker.compose.service=api"]
    labels.append("--label=com.docker.swarm.service.name=poc_api")
    cookie = fleet["app"].cookie
    node = ["elixir", "--sname", "api", "--cookie", cookie, "--no-halt"]
    server.docker("run", "-d", "--name=poc-api-1", "--hostname=api1", *labels, "elixir:lab", *node)
    try:
        fleet.wait([(next(iter(server.addresses("poc-api-1").values())), "api")], 20)
        assert names(laptop, "--compose", "poc/api") == ["api@api1"]
        assert names(laptop, "--compose", "api", "--image", "elixir") == ["api@api1"]
        assert names(laptop, "--swarm-service", "poc_api") == ["api@api1"]
        assert names(laptop, "--node", "api@*") == ["api@api1"]
    finally:
        server.docker("rm", "-f", "poc-api-1")


@pytest.fixture(scope="module")
def elsewhere(far: ApiHost) -> ApiHost:
    """A host that the server reaches and the laptop does not."""
    far.listen()
    far.show_laptop(the_way=False)
    return far


def test_an_address_that_no_engine_there_tells_of_is_dialled_from_there(
    laptop: Laptop, server: Server, elsewhere: ApiHost
) -> None:
    """A node on another host, behind a name that only the server knows."""
    cookie = MARK + "elsewhere"
    node = ["elixir", "--name", f"stray@{FAR}", "--cookie", cookie, "--no-halt"]
    elsewhere.docker("run", "--detach", "--name=stray", "--net=host", "elixir:lab", *node)
    server.place.sh('echo "$1 stray.internal" >>/etc/hosts', FAR)
    (laptop.home / "cookie").write_text(cookie)
    try:
        wait_until(
            lambda: "stray" in elsewhere.docker("exec", "stray", "epmd", "-names"), "it is up", 20, 0.2
        )
        way = ["nodes", "lab", "--batch", "--dns", "stray.internal", "--cookie-file", "cookie"]
        (one,) = laptop.spyglass_json(*way)["nodes"]
        assert (one["node"], one["runtime"], one["address"]) == (f"stray@{FAR}", "address", FAR)
        assert (one["reachable"], one["cookie"]["proved"]) == (True, True)
    finally:
        elsewhere.docker("rm", "--force", "stray")
        (laptop.home / "cookie").unlink()
        server.place.sh("sed '/stray.internal/d' /etc/hosts >/run/hosts; cat /run/hosts >/etc/hosts")
