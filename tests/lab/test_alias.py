"""Alias mode: the person's own tools reach nodes by their true names, with nothing of ours in them."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from spyglass.loopback import trust
from support.lab.authority import Installed
from support.lab.fleet import Fleet
from support.lab.laptop import OTHER, Laptop
from support.lab.place import Guest
from support.lab.server import wait_until

CALL = """
node = String.to_atom(hd(System.argv()))
IO.inspect({Node.connect(node), :rpc.call(node, :erlang, :node, []), :code.which(:spyglass_epmd)})
"""
LOCAL_EPMD = {"ERL_EPMD_ADDRESS": "127.0.0.1"}
GONE = """
for n in 1 2 3 4 5 6 7 8 9 10; do
  ip -4 -oneline address show dev lo | grep -q lo:sg || exit 0
  sleep 0.1
done
exit 1
"""
SUDOERS = """
printf 'root ALL=(ALL) ALL\\ndev ALL=(root) NOPASSWD: %s ""\\n' "$1" > /run/spyglass-lab/sudoers
chmod 440 /run/spyglass-lab/sudoers
mount --bind /run/spyglass-lab/sudoers /etc/sudoers
"""


@contextmanager
def forwarded(laptop: Laptop, *arguments: str) -> Iterator[list[str]]:
    """`spyglass forward` until it holds; what it printed until then."""
    guest = laptop.start_spyglass("forward", *arguments, stderr=subprocess.STDOUT)
    try:
        yield told(guest)
        guest.send(signal.SIGINT)
        assert guest.wait(10) == 130
    finally:
        guest.close()


def told(guest: Guest) -> list[str]:
    lines = []
    for line in iter(guest.popen.stdout.readline, b""):
        lines.append(line.decode().rstrip())
        if line.startswith(b"Held"):
            break
    return lines


def connect(laptop: Laptop, node: str, cookie: str) -> str:
    """What a plain Elixir node of the person's sees of another."""
    name = ["--name", "me@127.0.0.1", "--cookie", cookie, "-e", CALL, "--", node]
    return laptop.run(["elixir", *name], env=LOCAL_EPMD, timeout=40).stdout.strip()


@pytest.fixture
def clean(laptop: Laptop) -> Iterator[set[str]]:
    """What listened before; an epmd that a person's node started is the test's to end."""
    yield listening(laptop)
    for pid in (pid for pid, command in laptop.processes().items() if "epmd -daemon" in command):
        laptop.place.run(["kill", str(pid)])
    wait_until(lambda: listening(laptop) == laptop.sockets(), "epmd ends", 5)


def listening(laptop: Laptop) -> set[str]:
    return {line for line in laptop.sockets() if not line.endswith(" epmd")}


def test_the_recipe_as_it_stands_with_nothing_changed_on_the_server(
    laptop: Laptop, fleet: Fleet, clean: set[str]
) -> None:
    truth = fleet["remotenode"]
    with forwarded(laptop, "lab", truth.node, "--alias", "auto") as lines:
        assert lines[0] == "remotenode@127.0.0.2  127.0.0.2:19000"
        assert f"--remsh {truth.node}" in lines[1]
        assert connect(laptop, truth.node, truth.cookie) == '{true, :"remotenode@127.0.0.2", :non_existing}'
        there = listening(laptop)
        assert {"tcp 127.0.0.2%lo:4369 spyglass", "tcp 127.0.0.2%lo:19000 spyglass"} <= there

    assert listening(laptop) == clean


def test_another_user_of_the_laptop_is_not_let_in(laptop: Laptop, fleet: Fleet, clean: set[str]) -> None:
    script = (
        "import socket; s = socket.create_connection(('127.0.0.2', 4369), 5)\n"
        "s.sendall(b'\\0\\1n'); print(b''.join(iter(lambda: s.recv(99), b'')))"
    )
    with forwarded(laptop, "lab", fleet["remotenode"].node, "--alias", "auto"):
        mine = laptop.run(["/usr/bin/python3", "-c", script])
        others = laptop.place.run(["/usr/bin/python3", "-c", script], user=OTHER.name, check=False)

    assert "remotenode" in mine.stdout
    assert others.stdout.strip() == "b''" or "ConnectionResetError" in others.stderr


def test_a_local_epmd_on_all_addresses_is_named_with_the_remedy_and_goes_on(
    laptop: Laptop, fleet: Fleet, clean: set[str]
) -> None:
    laptop.run(["epmd", "-daemon"], check=True)
    wait_until(lambda: any(line.endswith(" epmd") for line in laptop.sockets()), "epmd listens", 5)
    done = laptop.spyglass("forward", "lab", fleet["remotenode"].node, "--alias", "auto")

    assert done.returncode == 1
    assert "epmd (of dev, process " in done.stderr
    assert "all addresses" in done.stderr
    assert "ERL_EPMD_ADDRESS=127.0.0.1 epmd -daemon" in done.stderr
    assert "Traceback" not in done.stderr
    assert any(line.endswith(" epmd") for line in laptop.sockets())


@pytest.mark.parametrize(
    ("name", "why"), [("web", "named by a host name"), ("hello", "not installed")], ids=["name", "no helper"]
)
def test_what_can_not_be_had_tells_the_ways_that_remain(
    laptop: Laptop, fleet: Fleet, name: str, why: str
) -> None:
    done = laptop.spyglass("forward", "lab", fleet[name].node, "--alias", "auto")

    assert done.returncode == 1
    assert why in done.stderr
    assert "spyglass" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.fixture
def installed(laptop: Laptop) -> Iterator[None]:
    """The helper where a package puts it, on the laptop only, and sudo that does not ask for it."""
    if not shutil.which("sudo"):
        pytest.skip("sudo is not installed")
    with Installed(laptop.place):
        laptop.place.sh(SUDOERS, str(trust.HELPER))
        yield
        laptop.place.sh("umount /etc/sudoers")


def test_a_private_address_is_put_on_lo_by_the_helper_through_sudo(
    laptop: Laptop, fleet: Fleet, clean: set[str], installed: None
) -> None:
    truth = fleet["hello"]
    address = truth.node.partition("@")[2]
    with forwarded(laptop, "lab", truth.node, "--alias", "auto", "--batch") as lines:
        assert any(line.startswith(f"{truth.node}  {address}:") for line in lines)
        assert "lo:sg4100" in laptop.place.sh("ip -4 -oneline address show dev lo")
        assert connect(laptop, truth.node, truth.cookie).startswith(f'{{true, :"{truth.node}"')

    assert address not in laptop.place.sh("ip -4 -oneline address show dev lo")
    assert listening(laptop) == clean


def test_a_killed_spyglass_leaves_no_address_for_a_second(
    laptop: Laptop, fleet: Fleet, clean: set[str], installed: None
) -> None:
    truth = fleet["hello"]
    guest = laptop.start_spyglass(
        "forward", "lab", truth.node, "--alias", "auto", "--batch", stderr=subprocess.STDOUT
    )
    told(guest)
    assert "lo:sg4100" in laptop.place.sh("ip -4 -oneline address show dev lo")
    guest.send(signal.SIGKILL)
    laptop.place.sh(GONE)
    guest.close()


def test_the_address_stays_while_the_link_is_lost_and_comes_back(
    laptop: Laptop, fleet: Fleet, clean: set[str]
) -> None:
    truth = fleet["remotenode"]
    with forwarded(laptop, "lab", truth.node, "--alias", "auto"):
        for pid, command in fleet.server.place.processes().items():
            if command.startswith("sshd: deploy"):
                fleet.server.place.run(["kill", "-KILL", str(pid)], check=False)
        assert "tcp 127.0.0.2%lo:19000 spyglass" in listening(laptop)
        wait_until(
            lambda: connect(laptop, truth.node, truth.cookie).startswith("{true"), "it is back", 30, 0.5
        )
