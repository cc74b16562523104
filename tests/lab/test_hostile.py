"""Whatever answers, garbage or flood, silence or a web server: a clear line each, and nothing is executed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.lab.fleet import Fleet
from support.lab.laptop import Laptop
from support.lab.server import Server

# A process that the survey takes for a BEAM, so that its container is asked; it only sleeps.
_BEAM = (
    "ln -s /bin/busybox /tmp/beam.smp; "
    'exec -a sh /tmp/beam.smp -c \'while :; do sleep 1000; done\' sh "$0" "$@"'
)
_NAMES = r"\000\000\021\021name fake at port 9000\n"  # epmd's answer to NAMES_REQ
_SERVERS = {
    "flood": "nc -ll -p 4369 -e yes name & ",
    "mute": "nc -ll -p 4369 -e sleep 1000 & ",
    "garbage": "nc -ll -p 4369 -e head -c 5000 /dev/urandom & ",
    "nonsense": r"nc -ll -p 4369 -e printf '\000\000\021\021name \377\033[31m at port 99999\nname at port\n'"
    " & ",
    "pages": rf"nc -ll -p 4369 -e printf '{_NAMES}' & "
    r"nc -ll -p 9000 -e printf 'HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n' & ",
    "endless": rf"nc -ll -p 4369 -e printf '{_NAMES}' & nc -ll -p 9000 -e cat /dev/zero & ",
    "hold": rf"nc -ll -p 4369 -e printf '{_NAMES}' & nc -ll -p 9000 -e sleep 1000 & ",
}
_TRAP = "$(touch /tmp/spyglass-was-here)`touch /tmp/spyglass-was-here`;touch /tmp/spyglass-was-here;'\"\n|&"
_LABELS = {"quoted": _TRAP, "emoji": "🦉" * 40, "long": "x" * 10_000, "".join(_TRAP.split()): "y"}


@pytest.fixture(scope="module")
def usual(laptop: Laptop, fleet: Fleet) -> float:
    """How long ``spyglass nodes`` takes without them, on this computer just now."""
    began = time.monotonic()
    laptop.spyglass_json("nodes", "lab", timeout=60)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def strangers(fleet: Fleet, server: Server, usual: float) -> Iterator[list[str]]:
    """A container for each kind of stranger, beside the fleet."""
    for name, start in _SERVERS.items():
        command = ["sh", "-c", start + _BEAM]
        server.docker("run", "--detach", f"--name={name}", "plain:lab", *command, timeout=60)
    labels = [f"--label={name}={value}" for name, value in _LABELS.items()]
    trap = [f"--env=RELEASE_NODE={_TRAP}", f"--env=RELEASE_COOKIE={_TRAP}", f"--env=ERL_EPMD_PORT={_TRAP}"]
    command = ["sh", "-c", _BEAM, "-sname", _TRAP, "-setcookie", _TRAP, "-boot", _TRAP, "-home", _TRAP]
    server.docker("run", "--detach", "--name=trap", *labels, *trap, "plain:lab", *command, timeout=60)
    names = [*_SERVERS, "trap"]
    yield names
    server.docker("rm", "-f", *names, timeout=60)


@pytest.fixture(scope="module")
def told(laptop: Laptop, fleet: Fleet, strangers: list[str]) -> tuple[dict[str, Any], float]:
    """What ``spyglass nodes`` tells of the place with all of them, and how long it took."""
    began = time.monotonic()
    document = laptop.spyglass_json("nodes", "lab", timeout=60)
    return document, time.monotonic() - began


def test_the_real_nodes_are_found_as_ever(told: tuple[dict[str, Any], float], fleet: Fleet) -> None:
    found = {node["node"] for node in told[0]["nodes"] if node["reachable"]}
    assert found == {truth.node for truth in fleet.nodes}


def test_nobody_holds_it_up_beyond_the_time_out(told: tuple[dict[str, Any], float], usual: float) -> None:
    assert told[1] < usual + 7


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("pages", "what answers at port 9000 is no node"),
        ("endless", "what answers at port 9000 is no node"),
        ("hold", "port 9000 accepts, but gives no answer"),
    ],
)
def test_what_is_no_node_is_told_in_a_line(told: tuple[dict[str, Any], float], name: str, why: str) -> None:
    (node,) = [node for node in told[0]["nodes"] if node["container"] == name]
    assert (node["reachable"], node["why_not"]) == (False, why)


def test_nothing_unprintable_and_no_endless_line_is_shown(
    laptop: Laptop, strangers: list[str], told: tuple[dict[str, Any], float]
) -> None:
    done = laptop.spyglass("nodes", "lab", timeout=60)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    for line in (done.stdout + done.stderr).splitlines():
        assert line.isprintable() or not line
        assert len(line) < 400


def test_nothing_of_it_is_executed_anywhere(
    laptop: Laptop, server: Server, told: tuple[dict[str, Any], float]
) -> None:
    for place in (laptop.root, server.root):
        assert not (place / "tmp/spyglass-was-here").exists()
    for name in ("trap", "web", "plain"):
        assert "spyglass-was-here" not in server.docker("exec", name, "ls", "/tmp")
