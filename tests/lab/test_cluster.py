"""A cluster behind one network alias: followed live, and whole in one Observer window.

The recipe: nodes in a user-defined network, each with ``--hostname`` and ``--net-alias``, short names,
that find each other by Docker's DNS, as libcluster's Epmd strategy does after its look-up.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from support.lab.covers import CHECKOUT
from support.lab.desktop import Desktop
from support.lab.fleet import MARK, Fleet
from support.lab.laptop import Laptop
from support.lab.place import Guest
from support.lab.server import Server, wait_until

NETWORK, ALIAS = "net_live", "live"
LIMIT = 6.0  # seconds in which the list has to follow
MEET = """\
meet = fn meet ->
  {:ok, addresses} = :inet.getaddrs(~c"live", :inet)
  for address <- addresses, {:ok, host} <- [:inet.gethostbyaddr(address)] do
    name = host |> elem(1) |> to_string() |> String.replace_suffix(".net_live", "")
    Node.connect(:"#{name}@#{name}")
  end
  Process.sleep(500)
  meet.(meet)
end
meet.(meet)
"""


class Cluster:
    """Nodes ``live1@live1``, ``live2@live2`` … that join each other by themselves."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookie = MARK + secrets.token_hex(8)
        server.docker("network", "create", NETWORK)
        self.up: list[int] = []

    def start(self, *numbers: int) -> None:
        for n in numbers:
            name = f"live{n}"
            where = ["--net", NETWORK, "--net-alias", ALIAS, "--hostname", name, "--name", name]
            node = ["elixir", "--sname", name, "--cookie", self.cookie, "-e", MEET, "--no-halt"]
            self.server.docker("run", "-d", *where, "elixir:lab", *node)
            self.up.append(n)

    def stop(self, number: int) -> None:
        self.server.docker("rm", "-f", f"live{number}")
        self.up.remove(number)

    def close(self) -> None:
        for number in list(self.up):
            self.stop(number)
        self.server.docker("network", "rm", NETWORK)

    def call(self, number: int, function: str) -> str:
        asker = ["erl_call", "-c", self.cookie, "-sname", f"live{number}", "-a", function]
        return self.server.docker("exec", f"live{number}", *asker)

    def peers(self, number: int, kind: str = "visible") -> set[str]:
        told = self.call(number, f"erlang nodes [[{kind}]]").replace("'", "").strip("[]").split(", ")
        return {name for name in told if name and not re.match(r"c\d+@", name)}

    def complete(self) -> bool:
        with contextlib.suppress(RuntimeError):  # one is not up yet
            return all(self.peers(n) == {node(m) for m in self.up if m != n} for n in self.up)
        return False

    def logs(self) -> str:
        return "".join(self.server.container_log(f"live{n}") for n in self.up)


def node(number: int) -> str:
    return f"live{number}@live{number}"


@pytest.fixture
def cluster(server: Server, fleet: Fleet) -> Iterator[Cluster]:
    """Three nodes that know each other."""
    made = Cluster(server)
    try:
        made.start(1, 2, 3)
        wait_until(made.complete, "the three see each other", 30, every=0.2)
        yield made
    finally:
        made.close()


class Watched:
    """``spyglass nodes --watch --json`` as it goes: documents by line, each with the time it was read."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.read: list[str] = []

    def until(self, wanted: Callable[[dict[str, object]], bool], seconds: float) -> dict[str, object]:
        end = time.monotonic() + seconds
        out = self.guest.popen.stdout
        assert out is not None
        while time.monotonic() < end:
            document = json.loads(out.readline())
            self.read.append(f"{time.monotonic() - end + seconds:.1f} s: {document}")
            if wanted(document):
                return document
        raise TimeoutError("no such line in time:\n" + "\n".join(self.read))


def is_about(event: str, number: int) -> Callable[[dict[str, object]], bool]:
    def fits(document: dict[str, object]) -> bool:
        about = document.get("node")
        if not isinstance(about, dict) or about["node"] != node(number):
            return False
        up = document["event"] in {"came", "changed"} and about["reachable"]
        return up if event == "up" else document["event"] == event

    return fits


def test_a_list_follows_who_comes_and_goes(laptop: Laptop, server: Server, cluster: Cluster) -> None:
    guest = laptop.start_spyglass("nodes", "lab", "--network-alias", ALIAS, "--watch", "--json", "--batch")
    try:
        watched = Watched(guest)
        first = watched.until(lambda d: d["event"] == "nodes", 20)
        found = first["nodes"]
        assert isinstance(found, list)
        assert sorted(n["node"] for n in found) == [node(1), node(2), node(3)]
        cluster.start(4)
        wait_until(cluster.complete, "the fourth is up", 30, every=0.2)
        began = time.monotonic()
        watched.until(is_about("up", 4), LIMIT)
        assert time.monotonic() - began < LIMIT
        began = time.monotonic()
        cluster.stop(1)
        watched.until(is_about("went", 1), LIMIT)
        assert time.monotonic() - began < LIMIT
        guest.send(signal.SIGINT)
        assert guest.wait() == 130
    finally:
        guest.close()
    wait_until(lambda: "events" not in " ".join(server.place.processes().values()), "nothing listens on", 5)


def test_a_cluster_is_in_one_window_and_nobody_notices(
    laptop: Laptop, desktop: Desktop, cluster: Cluster
) -> None:
    logs = cluster.logs()
    guest = laptop.start_spyglass("observe", "lab", node(2), "--network-alias", ALIAS, "--all", "--batch")
    try:
        window = desktop.wait_window(f"{re.escape(node(2))}$", 30)
        everybody(cluster, {1, 2, 3})
        assert cluster.complete()
        desktop.screenshot(CHECKOUT / "build" / "lab" / "cluster.png", window)
        cluster.start(4)
        everybody(cluster, {4})
        assert "arning" not in cluster.logs().replace(logs, "")
        cluster.stop(1)
        desktop.show_node(window, 2)
        window = desktop.wait_window(f"{re.escape(node(3))}$", 5)
        counted = asked(cluster, 3, lambda: time.sleep(1.5))
        assert counted > 0
        wait_until(cluster.complete, "members see members only", 10, every=0.2)
        warned = [line for line in cluster.logs().splitlines() if "arning" in line and line not in logs]
        assert [line for line in warned if node(1) not in line] == []  # members warn of one that was killed
        assert "spyglass" not in cluster.logs()
        cluster.stop(3)
        wait_until(lambda: not desktop.windows(), "the window closes with its node", 8)
        assert guest.wait() == 1
        assert node(3) in guest.communicate()[1]
    finally:
        guest.close()
    wait_until(lambda: not any(cluster.peers(n, "hidden") for n in cluster.up), "they are by themselves", 5)


def everybody(cluster: Cluster, numbers: set[int]) -> None:
    """Wait until each of them is joined by our hidden node."""

    def joined() -> bool:
        with contextlib.suppress(RuntimeError):  # it is not up yet
            return all(any("spyglass" in p for p in cluster.peers(n, "hidden")) for n in numbers)
        return False

    wait_until(joined, f"{numbers} are joined", 12, every=0.2)


def asked(cluster: Cluster, number: int, meanwhile: Callable[[], None]) -> int:
    """How often Observer asks this node for what its System tab shows."""
    call = "{observer_backend,sys_info,0}"
    cluster.call(number, "code ensure_loaded [observer_backend]")
    cluster.call(number, f"erlang trace_pattern [{call},true,[call_count]]")
    for _ in range(10):
        meanwhile()
        counted = cluster.call(number, f"erlang trace_info [{call},call_count]")
        if found := re.fullmatch(r"\{call_count, ([1-9]\d*)\}", counted):
            return int(found[1])
    return 0
