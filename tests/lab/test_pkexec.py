"""The helper through the real polkit and pkexec, started by a plain user without a terminal."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from spyglass import APP_ID
from spyglass.loopback import install, trust
from support.lab.authority import POLKITD, Authority, Installed, Person, held, release
from support.lab.desktop import Desktop
from support.lab.fleet import Fleet
from support.lab.laptop import ADMIN, DEV, Laptop, spyglass_command
from support.lab.place import Guest
from support.lab.server import wait_until

CALL = """
node = String.to_atom(hd(System.argv()))
IO.inspect({Node.connect(node), :rpc.call(node, :erlang, :node, [])})
"""


@pytest.fixture(scope="module")
def authority(laptop: Laptop) -> Iterator[Authority]:
    if not POLKITD.exists():
        pytest.skip("polkitd is not installed")
    with Installed(laptop.place), Authority(laptop) as made:
        yield made


@contextmanager
def forwarding(laptop: Laptop, *arguments: str) -> Iterator[Guest]:
    """`spyglass forward`, held before it begins."""
    guest = held(laptop, *spyglass_command(), "forward", *arguments, stderr=subprocess.STDOUT)
    try:
        yield guest
    finally:
        guest.close()


def on_lo(laptop: Laptop) -> list[str]:
    lines = laptop.place.sh("ip -4 -oneline address show dev lo").splitlines()
    return [line.split()[3].partition("/")[0] for line in lines if f"lo:sg{DEV.uid}" in line]


def test_a_password_in_the_dialog_gives_all_nodes_their_addresses_and_plain_elixir_is_there(
    laptop: Laptop, fleet: Fleet, authority: Authority
) -> None:
    """One question for all addresses of a run, in words that a person understands."""
    wanted = [fleet["hello"], fleet["modern"]]
    addresses = sorted(truth.node.partition("@")[2] for truth in wanted)
    with forwarding(laptop, "lab", "--alias", "auto") as guest, Person(laptop, guest) as person:
        person.answers(ADMIN.password)
        release(guest)
        lines = guest.until_held()
        question = person.asked()

        assert question["action"] == f"{APP_ID}.loopback"
        assert "private address of a remote Erlang node" in question["text"]
        assert question["uids"] == [ADMIN.uid]
        assert any("a window asks for a password" in line for line in lines)
        assert set(addresses) <= set(on_lo(laptop))
        for truth in wanted:
            name = ["--name", "me@127.0.0.1", "--cookie", truth.cookie, "-e", CALL, "--", truth.node]
            done = laptop.run(["elixir", *name], env={"ERL_EPMD_ADDRESS": "127.0.0.1"}, timeout=40)
            assert done.stdout.strip() == f'{{true, :"{truth.node}"}}', done.stderr
        assert person.leaves() == []
        guest.send(signal.SIGINT)
        assert guest.wait(10) == 130
    assert on_lo(laptop) == []
    end_epmd(laptop)


def end_epmd(laptop: Laptop) -> None:
    """The one that the person's own node started."""
    for pid in (pid for pid, command in laptop.processes().items() if "epmd -daemon" in command):
        laptop.place.run(["kill", str(pid)], check=False)


DISMISSED = "The address was not added: the question for a password was dismissed"
NOT_ALLOWED = "The address was not added: the helper was not allowed to start"


@pytest.mark.parametrize(
    ("answer", "title", "hint"),
    [
        ("", DISMISSED, "Observer, `spyglass shell`"),
        ("wrong", NOT_ALLOWED, "The password was not right"),
        (None, NOT_ALLOWED, "in a terminal sudo does"),
    ],
    ids=["dismissed", "wrong", "nobody there"],
)
def test_a_no_is_one_clear_message_with_the_ways_that_remain(
    laptop: Laptop, fleet: Fleet, authority: Authority, answer: str | None, title: str, hint: str
) -> None:
    with forwarding(laptop, "lab", fleet["hello"].node, "--alias", "auto") as guest:
        if answer is None:
            release(guest)
            lines = guest.until_held()
        else:
            with Person(laptop, guest) as person:
                person.answers(answer)
                release(guest)
                lines = guest.until_held()
        assert guest.wait(10) == 1
    assert lines[-2] == title
    assert hint in lines[-1]
    assert "spyglass shell" in lines[-1]
    assert not [line for line in lines if "Error executing" in line or "Traceback" in line]
    assert on_lo(laptop) == []


def test_a_no_stands_for_the_nodes_that_follow(laptop: Laptop, fleet: Fleet, authority: Authority) -> None:
    """The node at 127.0.0.2 needs nobody's leave, and gets its address."""
    with forwarding(laptop, "lab", "--alias", "auto") as guest, Person(laptop, guest) as person:
        person.answers("")
        person.answers(ADMIN.password)
        release(guest)
        lines = guest.until_held()
        assert any(line.startswith("remotenode@127.0.0.2  127.0.0.2:") for line in lines)
        assert f"{fleet['hello'].node}: {DISMISSED}." in lines
        assert person.asked()["event"] == "asked"
        assert person.leaves() == []
        guest.send(signal.SIGINT)
        assert guest.wait(10) == 130
    assert on_lo(laptop) == []


SPOILT = {
    "writable by others": ("chmod 757 {helper}", "can be changed by others than root"),
    "writable directory": ("chmod 777 {directory}", "can be changed by others than root"),
    "symbolic link above": (
        "mv {directory} {directory}.real; ln -s {directory}.real {directory}",
        "is a symbolic link",
    ),
    "of the user": ("chown dev {helper}", "belongs to another user than root"),
    "older": ('sed -i \'s/"spyglass-loopback", 1/"spyglass-loopback", 0/\' {helper}', "another version"),
    "absent": ("rm {helper}", "is not installed"),
}


@pytest.mark.parametrize(("spoil", "why"), SPOILT.values(), ids=SPOILT)
def test_a_helper_that_is_not_roots_alone_or_of_another_version_is_not_run(
    laptop: Laptop, fleet: Fleet, spoilt: Callable[[str], None], spoil: str, why: str
) -> None:
    spoilt(spoil)
    with forwarding(laptop, "lab", fleet["hello"].node, "--alias", "auto") as guest:
        with Person(laptop, guest) as person:
            person.answers(ADMIN.password)
            release(guest)
            lines = guest.until_held()
            asked = person.leaves()
        assert guest.wait(10) == 1
    assert why in lines[-2]
    assert "`spyglass helper` prints the commands" in lines[-1]
    assert len(asked) == (why == "another version"), "nobody is asked for a password in vain"
    assert on_lo(laptop) == []


@pytest.fixture
def spoilt(laptop: Laptop, authority: Authority) -> Iterator[Callable[[str], None]]:
    """Spoils the installation until the test ends."""
    values = {"helper": trust.HELPER, "directory": trust.HELPER.parent, "policy": install.POLICY}
    laptop.place.sh("cp -a /usr/libexec/spyglass /run/spyglass-kept")
    yield lambda script: laptop.place.sh(script.format(**values)) and None
    laptop.place.sh("rm -rf /usr/libexec/spyglass*; mv /run/spyglass-kept /usr/libexec/spyglass")


@contextmanager
def saved(laptop: Laptop, **nodes: str) -> Iterator[None]:
    """Profiles of these names, each for one node, that say that it answers at its own address."""
    for name, node in nodes.items():
        done = laptop.spyglass("profiles", "add", name, "lab", "--node", node, "--alias", "auto")
        assert done.returncode == 0, done.stderr
    yield
    for name in nodes:
        laptop.spyglass("profiles", "remove", name)


def test_the_window_explains_first_and_the_system_asks_once_for_all_profiles(
    laptop: Laptop, fleet: Fleet, authority: Authority, desktop: Desktop
) -> None:
    first, second = fleet["hello"].node, fleet["modern"].node
    guest = held(laptop, *spyglass_command(), stderr=subprocess.STDOUT)
    with saved(laptop, one=first, two=second), Person(laptop, guest) as person:
        person.answers(ADMIN.password)
        release(guest)
        wait_until(lambda: laptop.spyglass("status").returncode == 0, "the window answers", 30, 0.3)
        laptop.spyglass("connect", "one")
        asking = desktop.wait_window("^one – Spyglass$")
        assert on_lo(laptop) == []
        laptop.run(["xdotool", "windowactivate", "--sync", asking, "key", "Return"])
        wait_until(lambda: on_lo(laptop) == [first.partition("@")[2]], "the address is there", 20, 0.2)
        assert person.asked()["action"] == f"{APP_ID}.loopback"
        laptop.spyglass("connect", "two")
        wait_until(lambda: second.partition("@")[2] in on_lo(laptop), "the other is there too", 20, 0.2)
        assert person.leaves() == []
        laptop.spyglass("quit")
        assert guest.wait(15) == 0
    guest.close()
    assert on_lo(laptop) == []
