"""Alias mode: the person's own tools reach nodes by their true names, with nothing of ours in them."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from spyglass.loopback import trust
from support.lab.authority import Installed
from support.lab.fleet import Fleet
from support.lab.laptop import ADDRESS, DEV, OTHER, Laptop, spyglass_command
from support.lab.place import Guest
from support.lab.server import Server, wait_until

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
        yield guest.until_held()
        guest.send(signal.SIGINT)
        assert guest.wait(10) == 130
    finally:
        guest.close()


@contextmanager
def connected(laptop: Laptop, profile: str, until: str) -> Iterator[list[str]]:
    """`spyglass connect`, with no window: what it printed until a line with this in it."""
    guest = laptop.start_spyglass("connect", profile, "--batch", stderr=subprocess.STDOUT)
    lines = []
    try:
        for line in iter(guest.popen.stdout.readline, b""):
            lines.append(line.decode().rstrip())
            if until in lines[-1]:
                break
        assert until in lines[-1], lines
        yield lines
        guest.send(signal.SIGINT)
        assert guest.wait(10) == 130
    finally:
        guest.close()


@contextmanager
def saved(laptop: Laptop, name: str, *options: str) -> Iterator[None]:
    """A profile of the laptop's user."""
    done = laptop.spyglass("profiles", "add", name, "lab", *options)
    assert done.returncode == 0, done.stderr
    yield
    laptop.spyglass("profiles", "remove", name)


@contextmanager
def cookie_file(laptop: Laptop, cookie: str) -> Iterator[None]:
    """The one cookie that Erlang reads by itself."""
    file = laptop.home / ".erlang.cookie"
    file.write_text(cookie)
    file.chmod(0o400)
    os.chown(file, DEV.uid, DEV.uid)
    yield
    file.unlink()


def typed(laptop: Laptop, line: str, keys: str, until: str, seconds: float = 25) -> str:
    """What a terminal shows of this line and these keys, up to a text; then it is hung up."""
    words = ["script", "-qec", line, "/dev/null"]
    guest = laptop.popen(words, env={"TERM": "xterm"}, stdin=subprocess.PIPE, stderr=subprocess.STDOUT)
    shown = b""
    try:
        guest.popen.stdin.write(keys.encode())
        guest.popen.stdin.flush()
        deadline = time.monotonic() + seconds
        while until.encode() not in shown and time.monotonic() < deadline:
            if select.select([guest.popen.stdout], [], [], 0.2)[0]:
                shown += os.read(guest.popen.stdout.fileno(), 4096)
    finally:
        guest.close()
    return shown.decode(errors="replace")


def read_until(guest: Guest, text: str, seconds: float = 25) -> str:
    """What a terminal shows up to a text."""
    shown, deadline = b"", time.monotonic() + seconds
    while text.encode() not in shown:
        assert time.monotonic() < deadline, shown
        if select.select([guest.popen.stdout], [], [], 0.2)[0]:
            shown += os.read(guest.popen.stdout.fileno(), 4096)
    return shown.decode(errors="replace")


def connect(laptop: Laptop, node: str, cookie: str) -> str:
    """What a plain Elixir node of the person's sees of another."""
    name = ["--name", "me@127.0.0.1", "--cookie", cookie, "-e", CALL, "--", node]
    return laptop.run(["elixir", *name], env=LOCAL_EPMD, timeout=40).stdout.strip()


@pytest.fixture
def clean(laptop: Laptop) -> Iterator[set[str]]:
    """What listened before; an epmd that a person's node started is the test's to end."""
    yield listening(laptop)
    for pid in (pid for pid, command in laptop.processes().items() if "epmd -daemon" in command):
        laptop.place.run(["kill", str(pid)], check=False)
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


def test_a_node_that_comes_back_by_another_name_gets_another_address(
    laptop: Laptop, server: Server, fleet: Fleet, clean: set[str]
) -> None:
    start = 'exec erl -noinput -setcookie "$0" -name "moved@127.0.0.$(cat /n || echo 5)"'
    server.docker("run", "--detach", "--name=moved", "elixir:lab", "sh", "-c", start, "SPYLAB-cookie-moved")
    guest = None
    try:
        wait_until(lambda: "moved" in server.docker("exec", "moved", "epmd", "-names"), "moved", 20, 0.2)
        words = ["lab", "moved@127.0.0.5", "--container", "moved", "--alias", "auto"]
        guest = laptop.start_spyglass("forward", *words, stderr=subprocess.STDOUT)
        guest.until_held()
        server.docker("exec", "moved", "sh", "-c", "echo 6 >/n")
        server.docker("restart", "--time=0", "moved")
        told = read_until(guest, "moved@127.0.0.6  127.0.0.6:")
        assert "moved@127.0.0.5 is moved@127.0.0.6 now." in told
        there = listening(laptop) - clean
        assert {line.split(":")[0] for line in there} == {
            "tcp 127.0.0.6%lo",
            "tcp 127.0.0.1",
        }  # and the route
        guest.send(signal.SIGINT)
        assert guest.wait(10) == 130
    finally:
        if guest:
            guest.close()
        server.docker("rm", "--force", "moved")


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


@pytest.mark.parametrize("name", ["app", "hello"])
def test_without_an_address_ones_own_tool_is_led_by_the_line_that_forward_prints(
    laptop: Laptop, fleet: Fleet, clean: set[str], name: str
) -> None:
    truth = fleet[name]
    with forwarded(laptop, "lab", truth.node) as lines, cookie_file(laptop, truth.cookie):
        assert truth.cookie not in lines[1]
        shown = typed(laptop, lines[1].strip(), "", f"({truth.node})1>")
        assert f"({truth.node})1>" in shown
        assert not any(line.endswith(" epmd") for line in laptop.sockets())
    wait_until(lambda: listening(laptop) == clean, "nothing listens", 5)


def test_a_profile_can_say_that_its_nodes_answer_at_their_addresses(
    laptop: Laptop, fleet: Fleet, clean: set[str]
) -> None:
    truth = fleet["remotenode"]
    with (
        saved(laptop, "own", "--node", truth.node, "--alias", "auto"),
        saved(laptop, "rival", "--node", truth.node, "--alias", "auto"),
        connected(laptop, "own", f"{truth.node}  127.0.0.2:19000"),
    ):
        assert connect(laptop, truth.node, truth.cookie).startswith("{true")
        with connected(laptop, "rival", "127.0.0.2 belongs to own already") as lines:
            assert lines[-1].startswith(f"{truth.node}: ")
        for pid, command in fleet.server.place.processes().items():
            if command.startswith("sshd: deploy"):
                fleet.server.place.run(["kill", "-KILL", str(pid)], check=False)
        assert "tcp 127.0.0.2%lo:19000 spyglass" in listening(laptop)
        wait_until(
            lambda: connect(laptop, truth.node, truth.cookie).startswith("{true"), "it is back", 60, 0.5
        )

    assert listening(laptop) == clean


def test_a_private_address_comes_after_one_question_and_no_neighbour_reaches_it(
    laptop: Laptop, fleet: Fleet, clean: set[str], installed: None
) -> None:
    truth, address = fleet["hello"], "10.77.0.9"
    reach = (
        "import socket, sys\n"
        f"try: socket.create_connection(('{address}', 4369), 3); print('reached')\n"
        "except OSError as error: print(type(error).__name__)"
    )
    command = " ".join([*spyglass_command(), "connect", "private"])
    route = [address, "via", ADDRESS]
    with saved(laptop, "private", "--node", truth.node, "--alias", address):
        words = ["script", "-qec", command, "/dev/null"]
        guest = laptop.popen(words, env={"TERM": "xterm"}, stdin=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            asked = read_until(guest, "[y]es or [n]o")
            assert "administrator's rights" in asked
            guest.popen.stdin.write(b"y\n")
            guest.popen.stdin.flush()
            read_until(guest, f"{truth.node}  {address}:")
            assert f"{address}/32" in laptop.place.sh("ip -4 -oneline address show dev lo")
            assert laptop.run(["python3", "-c", reach]).stdout.strip() == "reached"
            fleet.server.place.run(["ip", "route", "add", *route])
            neighbour = fleet.server.place.run(["python3", "-c", reach]).stdout.strip()
            assert neighbour == "ConnectionRefusedError"
        finally:
            fleet.server.place.run(["ip", "route", "del", *route], check=False)
            guest.close()
    laptop.place.sh(GONE)


def test_whoever_cleared_the_way_presses_enter_and_goes_on(
    laptop: Laptop, fleet: Fleet, clean: set[str]
) -> None:
    laptop.run(["epmd", "-daemon"], check=True)
    wait_until(lambda: any(line.endswith(" epmd") for line in laptop.sockets()), "epmd listens", 5)
    command = " ".join([*spyglass_command(), "forward", "lab", fleet["remotenode"].node, "--alias", "auto"])
    words = ["script", "-qec", command, "/dev/null"]
    guest = laptop.popen(words, env={"TERM": "xterm"}, stdin=subprocess.PIPE, stderr=subprocess.STDOUT)
    shown = b""
    try:
        while b"Press Enter to try again" not in shown:
            shown += os.read(guest.popen.stdout.fileno(), 4096)
        assert b"ERL_EPMD_ADDRESS=127.0.0.1 epmd -daemon" in shown
        laptop.run(["epmd", "-kill"], check=True)
        guest.popen.stdin.write(b"\n")
        guest.popen.stdin.flush()
        while b"Held until Ctrl-C" not in shown:
            shown += os.read(guest.popen.stdout.fileno(), 4096)
        assert b"127.0.0.2:19000" in shown
    finally:
        guest.close()
    wait_until(lambda: listening(laptop) == clean, "nothing listens", 5)


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
        wait_until(
            lambda: not laptop.place.run(["umount", "/etc/sudoers"], check=False).returncode, "sudo", 5
        )


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
    guest.until_held()
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
            lambda: connect(laptop, truth.node, truth.cookie).startswith("{true"), "it is back", 60, 0.5
        )
