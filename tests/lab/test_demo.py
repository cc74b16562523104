"""``spyglass demo``: a server and a node of our own, which the profile reaches and which end with it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.lab import Lab
from support.lab.covers import CHECKOUT
from support.lab.desktop import Desktop
from support.lab.laptop import Laptop, spyglass_command
from support.lab.place import Guest, Place
from support.lab.server import DEPLOY, Server, wait_until
from support.lab.traces import Traces

# Starts a demo, says what there is, and waits for the end of its standard input.
HOLD = """
import json, sys
from spyglass import demo
with demo.start(engine=sys.argv[1] == "engine") as server:
    facts = {"node": server.node, "container": server.container, "port": server.port,
             "top": str(server.paths.config.parent), "text": server.describe()}
    print(json.dumps(facts), flush=True)
    sys.stdin.read()
"""
PYTHON = [sys.executable, "-c", HOLD]
WITH_APP = {"PYTHONPATH": str(CHECKOUT / "app")}


class Held:
    """A demo that runs in a place until its standard input ends."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        assert guest.popen.stdout
        line = guest.popen.stdout.readline()
        assert line, guest.communicate()
        self.facts = json.loads(line)

    def end(self) -> None:
        """Let it end as it should."""
        assert self.guest.popen.stdin
        self.guest.popen.stdin.close()
        assert self.guest.wait() == 0


@pytest.fixture
def bare(laptop: Laptop) -> Iterator[Held]:
    """On the laptop, as a plain user, where no engine can be used."""
    guest = laptop.popen([*PYTHON, "engine"], env=WITH_APP, stdin=subprocess.PIPE)
    yield Held(guest)
    guest.close()


@pytest.fixture
def contained(lab: Lab, server: Server) -> Iterator[Held]:
    """On the server, as a user who may use the engine."""
    wait_until(server.docker_answers, "dockerd answers", 20)
    env = {"HOME": DEPLOY.home, "USER": DEPLOY.name, **WITH_APP}
    guest = server.place.popen([*PYTHON, "engine"], user=DEPLOY.name, env=env, stdin=subprocess.PIPE)
    yield Held(guest)
    guest.close()


def ssh(place: Place, held: Held, command: str, *, user: str) -> str:
    """Run a command over the demo's SSH, with OpenSSH's own client."""
    top = held.facts["top"]
    options = ["-F", f"{top}/config/ssh_config", "-i", f"{top}/state/demo/client_key", "-o", "BatchMode=yes"]
    where = ["-p", str(held.facts["port"]), "127.0.0.1", command]
    return place.run(["ssh", *options, *where], user=user).stdout


def remains(place: Place) -> list[str]:
    """What still runs of a demo."""
    return [line for line in place.processes().values() if re.search(r"spyglass.demo|epmd -port", line)]


def test_without_an_engine_the_node_runs_beside_the_server(laptop: Laptop, bare: Held) -> None:
    assert bare.facts["node"] == "demo@127.0.0.1"
    assert bare.facts["container"] == ""
    assert str(bare.facts["port"]) in bare.facts["text"]
    assert "dev" in ssh(laptop.place, bare, "id -un", user="dev")
    listening = [socket.split()[1] for socket in laptop.sockets()]
    assert all(address.startswith(("127.0.0.1:", "[::1]:")) for address in listening)
    assert not [address for address in listening if address.endswith(":4369")]


def test_with_an_engine_the_node_runs_in_a_container(server: Server, contained: Held) -> None:
    container = contained.facts["container"]
    assert server.docker("inspect", "-f", "{{.State.Running}}", container) == "true"
    address = server.addresses(container)["bridge"]
    assert contained.facts["node"] == f"demo@{address}"
    assert "beam" in ssh(server.place, contained, f"docker top {container}", user=DEPLOY.name)
    contained.end()
    assert server.docker("ps", "-aq", "--filter", f"name={container}") == ""
    assert server.docker("images", "-q", "spyglass-demo") == ""
    assert remains(server.place) == []


def test_its_end_leaves_nothing(laptop: Laptop) -> None:
    traces = Traces.of(laptop)
    guest = laptop.popen([*PYTHON, "bare"], env=WITH_APP, stdin=subprocess.PIPE)
    try:
        Held(guest).end()
        assert traces.new(laptop) == set()
    finally:
        guest.close()


def test_a_killed_demo_leaves_nothing(laptop: Laptop) -> None:
    traces = Traces.of(laptop)
    guest = laptop.popen([*PYTHON, "bare"], env=WITH_APP, stdin=subprocess.PIPE)
    try:
        Held(guest)
        guest.popen.kill()  # the wrapper; the demo itself is killed by its death
        traces.wait_same(laptop)
    finally:
        guest.close()


def test_a_killed_demo_leaves_no_container(server: Server, contained: Held) -> None:
    contained.guest.send(9)
    contained.guest.wait()
    wait_until(lambda: server.docker("ps", "-aq", "--filter", "name=spyglass-demo") == "", "it is gone", 10)
    wait_until(lambda: remains(server.place) == [], "nothing runs", 5)


def test_its_cookie_stands_in_no_process_list(laptop: Laptop, bare: Held) -> None:
    cookie = (laptop.root / bare.facts["top"].lstrip("/") / "state/demo/home/.erlang.cookie").read_text()
    assert len(cookie) >= 20
    listing = laptop.place.run(["ps", "axeww"]).stdout
    assert "beam" in listing
    assert cookie not in listing


def test_only_its_own_key_opens_it(laptop: Laptop, bare: Held) -> None:
    top = bare.facts["top"]
    options = ["-F", f"{top}/config/ssh_config", "-o", "BatchMode=yes", "-i", "~/.ssh/id_ed25519"]
    done = laptop.run(["ssh", *options, "-p", str(bare.facts["port"]), "127.0.0.1", "true"])
    assert done.returncode == 255
    assert "Permission denied" in done.stderr


@pytest.mark.parametrize(
    ("hidden", "words"),
    [(["/usr/sbin/sshd"], "openssh-server"), (["/usr/lib/erlang", "/usr/bin/erl"], "Erlang")],
)
def test_what_is_missing_is_named(laptop: Laptop, hidden: list[str], words: str) -> None:
    done = laptop.spyglass("demo", "--no-window", "--screenshot", "/tmp/never.png", hide=hidden)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert words in done.stderr


def test_the_demo_shows_observer_and_takes_its_picture(laptop: Laptop, desktop: Desktop) -> None:
    traces = Traces.of(laptop)
    picture = "/tmp/demo.png"
    guest = laptop.popen([*spyglass_command(), "demo", "--no-window", "--screenshot", picture])
    try:
        ended = guest.communicate(60)
        assert guest.popen.returncode == 0, ended
    finally:
        guest.close()
    file = laptop.root / picture.lstrip("/")
    assert file.read_bytes().startswith(b"\x89PNG")
    file.unlink()
    traces.wait_same(laptop)


def test_make_demo_needs_no_display(laptop: Laptop, tmp_path: Path) -> None:
    """What ``make demo`` runs, in a copy of the checkout that the user may write to."""
    traces = Traces.of(laptop)
    copy = "/tmp/checkout"
    laptop.run(["cp", "-r", str(CHECKOUT / "packaging"), f"{copy}-packaging"], check=True)
    laptop.run(["sh", "-c", f"mkdir {copy}; mv {copy}-packaging {copy}/packaging"], check=True)
    laptop.run(["ln", "-s", sys.prefix, f"{copy}/.venv"], check=True)
    try:
        done = laptop.run([f"{copy}/packaging/demo.sh"], env={"DISPLAY": ""}, timeout=100)
        assert done.returncode == 0, done.stderr
        assert "demo@127.0.0.1" in done.stderr  # it says what runs where
        assert done.stdout == f"{copy}/build/demo-observer.png\n"
        assert (laptop.root / done.stdout.strip("/\n")).read_bytes().startswith(b"\x89PNG")
    finally:
        laptop.run(["rm", "-rf", copy], check=True)
    traces.wait_same(laptop)
