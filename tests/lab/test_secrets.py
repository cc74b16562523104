"""No cookie, password or passphrase shows up in a process list, a log, a file or an output."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from support.lab.desktop import Desktop
from support.lab.fleet import Fleet
from support.lab.laptop import DEV, Laptop, spyglass_command
from support.lab.server import PAT
from support.lab.terminal import Terminal
from support.lab.traces import files_holding, watching

OWN = f"{DEV.home}/own"


@pytest.fixture
def secrets(fleet: Fleet) -> set[str]:
    """Everything that must not show: each cookie of the fleet, and the password."""
    return {*fleet.cookies, PAT.password}


@pytest.fixture
def own(laptop: Laptop) -> Iterator[tuple[str, str]]:
    """The options for a set-up of its own, so that all of its files can be searched."""
    yield ("--profile-dir", OWN)
    subprocess.run(["rm", "-rf", str(laptop.home / "own")], check=True)


def test_observing_shows_no_cookie_anywhere(
    laptop: Laptop, fleet: Fleet, desktop: Desktop, secrets: set[str], own: tuple[str, str]
) -> None:
    with watching(laptop) as watch:
        guest = laptop.start_spyglass("observe", "lab", "app@web-1", *own)
        try:
            window = desktop.wait_window("app@web.1$", 30)
            held = files_holding(laptop, secrets)  # while it runs
            desktop.close_window(window)
            assert guest.wait() == 0
            out, err = guest.communicate()
        finally:
            guest.close()
    assert watch.samples > 10
    assert any("beam" in line for line in watch.seen)  # it has seen the local node
    assert not watch.holding(secrets)
    assert not held
    assert not files_holding(laptop, secrets)
    assert not [secret for secret in secrets if secret in out + err]


def test_a_call_shows_no_cookie_anywhere(
    laptop: Laptop, fleet: Fleet, secrets: set[str], own: tuple[str, str]
) -> None:
    cookie = fleet["app"].cookie
    with watching(laptop) as watch:
        done = laptop.spyglass(
            "rpc", "lab", "app@web-1", "erlang", "node", "--cookie-file", "-", *own, text=f"{cookie}\n"
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert not watch.holding(secrets)
    assert not files_holding(laptop, secrets)


def test_a_shell_shows_no_cookie_anywhere(
    laptop: Laptop, fleet: Fleet, secrets: set[str], own: tuple[str, str]
) -> None:
    with watching(laptop) as watch:
        with Terminal(laptop, [*spyglass_command(), "shell", "lab", "app@web-1", *own]) as person:
            person.expect(r"iex.*>", 30)
            person.type("\x1c")
            person.wait()
        assert not [secret for secret in secrets if secret in person.screen]
    assert not watch.holding(secrets)
    assert not files_holding(laptop, secrets)


def test_a_password_typed_in_is_used_and_not_kept(
    laptop: Laptop, fleet: Fleet, secrets: set[str], own: tuple[str, str]
) -> None:
    with watching(laptop) as watch:
        with Terminal(laptop, [*spyglass_command(), "nodes", "lab-password", *own]) as person:
            person.expect(r"(?i)password")
            person.type(f"{PAT.password}\n")
            assert person.wait() == 0, person.screen
        assert "app@web-1" in person.screen
        assert not [secret for secret in secrets if secret in person.screen]
    assert not watch.holding(secrets)
    assert not files_holding(laptop, secrets)


def test_a_listing_names_sources_and_no_cookie(laptop: Laptop, fleet: Fleet, secrets: set[str]) -> None:
    for more in ((), ("--json",)):
        done = laptop.spyglass("nodes", "lab", *more)
        assert re.search(r"RELEASE_COOKIE", done.stdout)
        assert not [secret for secret in secrets if secret in done.stdout + done.stderr]
