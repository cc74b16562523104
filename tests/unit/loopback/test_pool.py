"""The Mac's pool of addresses: what root is given to run, and how it gets there."""

from __future__ import annotations

import os
import plistlib
import subprocess
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from spyglass.loopback import pool
from spyglass.loopback.addresses import POOL

MACOS = Path(__file__).parents[3] / "packaging/macos"
NOTE = '#!/bin/sh\necho "$(basename "$0")" "$@" >> "$LOG"\n'


def test_the_file_in_the_package_is_the_one_that_the_program_knows() -> None:
    assert pool.source() == MACOS / pool.FILE.name
    assert pool.source().read_bytes() == pool.daemon()


def test_root_runs_two_programs_of_the_system_at_boot_and_nothing_that_others_can_change() -> None:
    told = plistlib.loads(pool.daemon())
    shell, option, line = told["ProgramArguments"]

    assert (told["Label"], told["RunAtLoad"]) == (pool.LABEL, True)
    assert (shell, option) == ("/bin/sh", "-c")
    assert [step.split() for step in line.split("; ")] == [
        ["/sbin/ifconfig", "lo0", "alias", f"{address}/32", "up"] for address in POOL
    ]


def test_the_pool_is_the_sixteen_addresses_after_this_computers_own() -> None:
    assert [int(IPv4Address(each)) - int(IPv4Address("127.0.0.1")) for each in POOL] == list(range(1, 17))


def test_the_commands_name_the_file_and_its_place() -> None:
    put, start = pool.commands()

    assert put == f"sudo install -o root -g wheel -m 644 {pool.source()} {pool.FILE}"
    assert start.endswith(f"bootstrap system {pool.FILE}")
    assert str(pool.FILE) in pool.removal()


def test_whether_all_are_there_is_told() -> None:
    assert "are there." in pool.state(lambda _address: True)
    assert pool.state(lambda address: address != POOL[3]).startswith("Not all")


def script(tmp_path: Path, system: str, *words: str) -> tuple[int, list[str]]:
    """The script as if on this system; nothing of it becomes root, or touches anything."""
    (tmp_path / "uname").write_text(f"#!/bin/sh\necho {system}\n")
    (tmp_path / "sudo").write_text(NOTE)
    for program in ("uname", "sudo"):
        (tmp_path / program).chmod(0o755)
    log = tmp_path / "log"
    log.touch()
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(log)}
    done = subprocess.run([MACOS / "install", *words], env=env, capture_output=True, timeout=20, check=False)
    return done.returncode, log.read_text().splitlines()


def test_the_script_puts_the_daemon_there_and_starts_it(tmp_path: Path) -> None:
    status, did = script(tmp_path, "Darwin")

    assert status == 0
    assert did[-2:] == [command.replace("sudo ", "sudo ", 1) for command in pool.commands()]


def test_it_takes_daemon_and_addresses_away(tmp_path: Path) -> None:
    status, did = script(tmp_path, "Darwin", "--remove")

    assert status == 0
    assert did[1] == f"sudo rm -f {pool.FILE}"
    assert did[2:] == [f"sudo ifconfig lo0 -alias {address}" for address in POOL]


@pytest.mark.parametrize(("system", "words", "status"), [("Linux", (), 1), ("Darwin", ("--what",), 2)])
def test_elsewhere_and_with_other_words_it_does_nothing(
    tmp_path: Path, system: str, words: tuple[str, ...], status: int
) -> None:
    assert script(tmp_path, system, *words) == (status, [])
