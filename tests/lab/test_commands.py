"""The other commands that reach a server: doctor, forward, and the way through a jump host."""

from __future__ import annotations

import signal

from support.lab.fleet import Fleet
from support.lab.laptop import OTHER, Laptop
from support.lab.scripts import GREET
from support.lab.server import ADDRESS, PORT, Server
from support.lab.traces import Traces


def test_doctor_finds_every_link_sound(laptop: Laptop, fleet: Fleet) -> None:
    report = laptop.spyglass_json("doctor", "lab")
    assert report["target"] == "lab"
    states = {check["name"]: check["state"] for check in report["checks"]}
    assert "bad" not in states.values()
    for truth in fleet.nodes:
        assert states[truth.node] == ("ok" if truth.runtime_tools else "warn")


def test_doctor_names_the_broken_link_and_a_remedy(laptop: Laptop) -> None:
    done = laptop.spyglass("doctor", "lab-refused")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    broken = [line for line in done.stdout.splitlines() if line.startswith("bad")]
    assert broken
    assert "refuses" in " ".join(broken)


def test_a_forward_leads_to_the_distribution_port_until_ctrl_c(laptop: Laptop, fleet: Fleet) -> None:
    traces = Traces.of(laptop)
    guest = laptop.start_spyglass("forward", "lab", "app@web-1")
    try:
        assert guest.popen.stdout
        node, _, place = guest.popen.stdout.readline().decode().partition("  ")
        address, _, port = place.strip().rpartition(":")
        assert (node, address) == ("app@web-1", "127.0.0.1")
        assert "app@web-1" in laptop.run(["python3", "-c", GREET, port], check=True).stdout
        guest.send(signal.SIGINT)
        assert guest.wait() == 130
    finally:
        guest.close()
    traces.wait_same(laptop)


def test_a_forward_is_for_the_user_who_made_it(laptop: Laptop, fleet: Fleet) -> None:
    guest = laptop.start_spyglass("forward", "lab", "app@web-1")
    try:
        assert guest.popen.stdout
        port = guest.popen.stdout.readline().decode().rpartition(":")[2].strip()
        other = laptop.place.run(["python3", "-c", GREET, port], user=OTHER.name, check=False)
        assert "app@web-1" not in other.stdout
        assert "app@web-1" in laptop.run(["python3", "-c", GREET, port], check=True).stdout
    finally:
        guest.close()


def test_a_jump_host_is_gone_through(laptop: Laptop, fleet: Fleet, server: Server) -> None:
    here = f"deploy@{ADDRESS}:{PORT}"
    way = ["--jump", "lab", "--identity", "~/.ssh/id_ed25519"]
    before = server.sshd_log.read_text()
    document = laptop.spyglass_json("nodes", here, *way)
    assert {node["node"] for node in document["nodes"]} == {truth.node for truth in fleet.nodes}
    assert {tuple(node["hops"]) for node in document["nodes"]} == {(here, here)}
    said = server.sshd_log.read_text().removeprefix(before)
    assert f"Connection from {ADDRESS}" in said  # the second login came from the server itself


def test_the_command_needs_neither_qt_nor_paramiko_to_start(laptop: Laptop) -> None:
    """Help must be quick; ``-X importtime`` names every module that is imported."""
    done = laptop.spyglass("--help", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.returncode == 0
    assert "spyglass.cli" in done.stderr
    assert "PySide6" not in done.stderr
    assert "paramiko" not in done.stderr
