"""A scratch node is there as long as its command and, at the worst, half a minute longer."""

from __future__ import annotations

import re
import signal

import pytest

from support.lab.desktop import Desktop
from support.lab.fleet import Fleet
from support.lab.laptop import Laptop
from support.lab.place import Guest
from support.lab.server import Server, wait_until
from support.lab.traces import Traces

HELD = re.compile(r"^(scratch_\w+_(\d+)@\S+)  127\.0\.0\.1:(\d+)$")


def scratches(server: Server) -> list[str]:
    """The scratch nodes on the server, in containers or not."""
    return [line for line in server.place.processes().values() if "beam" in line and " scratch_" in line]


def held(guest: Guest) -> str:
    """The name of the node that the command holds."""
    assert guest.popen.stdout is not None
    line = guest.popen.stdout.readline().decode()
    found = HELD.match(line.strip())
    assert found, (line, guest.communicate() if not line else "")
    return found[1]


def looked_at(laptop: Laptop, server: Server, desktop: Desktop) -> None:
    """A scratch node whose Observer window a person closes."""
    guest = laptop.start_spyglass("scratch", "lab")
    try:
        window = desktop.wait_window(r"scratch_\w+@\S+$", 30)
        assert len(scratches(server)) == 1
        desktop.close_window(window)
        assert guest.wait(20) == 0, guest.communicate()
        assert "ends with this command" in guest.communicate()[1]
    finally:
        guest.close()
    wait_until(lambda: not scratches(server), "the scratch node has ended", 5)


def test_observer_opens_on_it_and_both_end_together(laptop: Laptop, server: Server, desktop: Desktop) -> None:
    looked_at(laptop, server, desktop)  # the first time, our modules are compiled and kept
    traces = Traces.of(laptop)
    looked_at(laptop, server, desktop)
    traces.wait_same(laptop)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_the_command_however_that_ends(
    laptop: Laptop, server: Server, how: signal.Signals
) -> None:
    guest = laptop.start_spyglass("scratch", "lab", "--hold", "--batch")
    try:
        held(guest)
        assert len(scratches(server)) == 1
        guest.send(how)
        guest.wait(10)
        wait_until(lambda: not scratches(server), "the scratch node has ended", 5)
    finally:
        guest.close()


def test_it_ends_when_the_laptop_vanishes(laptop: Laptop, server: Server) -> None:
    guest = laptop.start_spyglass("scratch", "lab", "--hold", "--batch")
    try:
        held(guest)
        server.place.run(["ip", "link", "set", "lab0", "down"])
        try:
            wait_until(lambda: not scratches(server), "the scratch node has ended", 30)
        finally:
            server.place.run(["ip", "link", "set", "lab0", "up"])
    finally:
        guest.close()
    wait_until(lambda: laptop.run(["ssh", "lab", "true"]).returncode == 0, "the link is back", 10)


def test_it_runs_in_a_container_with_a_cookie_of_ones_own_and_nobody_sees_that(
    laptop: Laptop, server: Server, fleet: Fleet
) -> None:
    cookie = "SPYLAB-cookie-of-a-scratch-node"
    (laptop.home / "cookie").write_text(cookie + "\n")
    guest = laptop.start_spyglass(
        "scratch", "lab", "--container", "web", "--hold", "--batch", "--cookie-file", "cookie"
    )
    try:
        node = held(guest)
        everything = "\n".join(server.place.processes().values())
        assert node.partition("@")[0] in everything
        assert cookie not in everything
    finally:
        guest.send(signal.SIGINT)
        guest.wait(10)
        guest.close()
        (laptop.home / "cookie").unlink()
    wait_until(lambda: not scratches(server), "the scratch node has ended", 5)


@pytest.mark.parametrize("target", ["lab", "unforwarded@lab"])
def test_neither_a_container_without_an_address_nor_a_server_that_forwards_nothing_is_a_hindrance(
    laptop: Laptop, server: Server, target: str
) -> None:
    server.load_images()
    server.docker("run", "-d", "--name=bare", "--network=none", "elixir:lab", "sleep", "100000")
    try:
        for where in ([], ["--container", "bare"]):
            guest = laptop.start_spyglass("scratch", target, *where, "--hold", "--batch")
            try:
                held(guest)
                guest.send(signal.SIGINT)
                assert guest.wait(10) == 130
            finally:
                guest.close()
        wait_until(lambda: not scratches(server), "the scratch nodes have ended", 5)
    finally:
        server.docker("rm", "-f", "bare")


def test_an_option_that_names_no_place_is_refused(laptop: Laptop) -> None:
    done = laptop.spyglass("scratch", "lab", "--label", "app=web", "--hold", "--batch")
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "--label does not say where")


def test_a_place_without_erlang_is_told(laptop: Laptop, fleet: Fleet) -> None:
    done = laptop.spyglass("scratch", "lab", "--container", "plain", "--hold", "--batch")
    assert done.returncode == 1
    assert "No Erlang was found on container plain" in done.stderr
    assert "Traceback" not in done.stderr
