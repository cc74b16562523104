"""The first start of all, with keys alone: the guide, a host of ~/.ssh/config, and nodes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.lab.desktop import Desktop
from support.lab.fleet import Fleet
from support.lab.laptop import Laptop
from support.lab.server import wait_until

OWN = ("--profile-dir", "/home/dev/first")


@pytest.fixture
def guide(laptop: Laptop, fleet: Fleet, desktop: Desktop) -> Iterator[str]:
    """The app, started where no profile is, as by a double-click; gives its guide's window."""
    guest = laptop.start_spyglass(*OWN)
    try:
        yield desktop.wait_window("Welcome – Spyglass")
        laptop.spyglass(*OWN, "quit")
        assert guest.wait() == 0
    finally:
        guest.close()
        shutil.rmtree(laptop.home / "first")


def connections(laptop: Laptop) -> list[dict[str, Any]]:
    """What the running app tells of its connections."""
    found: list[dict[str, Any]] = laptop.spyglass_json(*OWN, "status")["connections"]
    return found


def test_a_host_of_ssh_config_is_chosen_and_connected(laptop: Laptop, desktop: Desktop, guide: str) -> None:
    time.sleep(1)  # the list fills on a thread, and nothing outside tells when
    laptop.run(["xdotool", "windowactivate", "--sync", guide, "key", "End", "Return"], check=True)
    wait_until(lambda: [c["phase"] for c in connections(laptop)] == ["ready"], "connected", 30, every=0.2)
    wait_until(lambda: len(connections(laptop)[0]["nodes"]) > 10, "its nodes are found", 20, every=0.2)
    assert connections(laptop)[0]["profile"] == "lab"
    assert "lab" in laptop.spyglass(*OWN, "profiles", "list").stdout  # it is kept
    assert not desktop.search("Welcome – Spyglass")
