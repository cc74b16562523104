"""The laptop's ways to root: the installed helper, a system bus with polkitd, and somebody who answers."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from spyglass.loopback import install, trust
from support.lab.covers import CHECKOUT
from support.lab.laptop import ADMIN, Laptop
from support.lab.place import Guest, Place
from support.lab.server import wait_until

POLKITD = Path("/usr/lib/polkit-1/polkitd")
_AGENT = CHECKOUT / "tests/support/polkit_agent.py"
_HOLD = "/run/spyglass-lab"
_SOURCES = CHECKOUT / "packaging/linux"

_INSTALL = """
hold=$1; helper=$2; policy=$3; sources=$4
mkdir "$hold"; mount -t tmpfs -o mode=755 none "$hold"
n=0
for top in /usr/libexec "$(dirname "$policy")"; do
  n=$((n+1)); mkdir -p "$hold/$n/up" "$hold/$n/work"
  mount -t overlay -o "lowerdir=$top,upperdir=$hold/$n/up,workdir=$hold/$n/work" none "$top"
done
mount -t tmpfs -o mode=755 none /etc/polkit-1/rules.d
install -o root -g root -m 755 -d "$(dirname "$helper")"
install -o root -g root -m 755 "$sources/$(basename "$helper")" "$helper"
install -o root -g root -m 644 "$sources/$(basename "$policy")" "$policy"
"""
_REMOVE = 'umount /etc/polkit-1/rules.d "$(dirname "$3")" /usr/libexec "$1"; rmdir "$1"'


class Installed:
    """Helper and policy at their constant places, on the laptop only; use as a context manager."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._words = (_HOLD, str(trust.HELPER), str(install.POLICY), str(_SOURCES))

    def __enter__(self) -> Self:
        self._place.sh(_INSTALL, *self._words)
        return self

    def __exit__(self, *_: object) -> None:
        self._place.sh(_REMOVE, *self._words)


class Authority:
    """A system bus with the real polkitd; use as a context manager."""

    def __init__(self, laptop: Laptop) -> None:
        self._laptop = laptop
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._laptop.place.sh("install -d /run/dbus")
        self._start("dbus-daemon", "--system", "--nofork", "--nopidfile")
        wait_until((self._laptop.root / "run/dbus/system_bus_socket").exists, "the system bus is up", 10)
        self._start(str(POLKITD), "--no-debug")
        wait_until(self._answers, "polkitd answers", 10, every=0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._laptop.place.sh("rm -rf /run/dbus")

    def _answers(self) -> bool:
        known = self._laptop.run(["pkaction", "--action-id", "org.freedesktop.policykit.exec"])
        return known.returncode == 0

    def _start(self, *argv: str) -> None:
        guest = self._laptop.place.popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._stack.callback(guest.close)


class Person:
    """Somebody at the laptop's desktop, who is asked when ``guest`` or a child of it wants root's rights."""

    def __init__(self, laptop: Laptop, guest: Guest) -> None:
        argv = [sys.executable, str(_AGENT), str(inside(guest)), ADMIN.name]
        self._guest = laptop.popen(argv, stdin=subprocess.PIPE, stderr=None)
        assert self._told()["event"] == "registered"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._guest.close()

    def answers(self, password: str) -> None:
        """The answer to the next question: a password, or nothing to dismiss it."""
        _write(self._guest, f"{password}\n".encode())

    def asked(self) -> dict[str, Any]:
        """The next question that came."""
        return self._told()

    def leaves(self) -> list[dict[str, Any]]:
        """End; return the questions that came and were not looked at yet."""
        self._guest.send(15)
        out, _ = self._guest.communicate()
        return [json.loads(line) for line in out.splitlines()]

    def _told(self) -> dict[str, Any]:
        assert self._guest.popen.stdout
        event: dict[str, Any] = json.loads(self._guest.popen.stdout.readline())
        return event


def inside(guest: Guest) -> int:
    """The process id of a guest as its own place sees it (proc(5), NSpid)."""
    status = Path(f"/proc/{guest.pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("NSpid:")).split()[-1])


def held(laptop: Laptop, *argv: str, **more: Any) -> Guest:
    """Start a command as the user that waits for a line on its input before it does anything."""
    return laptop.popen(
        ["sh", "-c", 'read -r _; exec "$@" </dev/null', "sh", *argv], stdin=subprocess.PIPE, **more
    )


def release(guest: Guest) -> None:
    """Let a held command begin."""
    _write(guest, b"\n")


def _write(guest: Guest, line: bytes) -> None:
    assert guest.popen.stdin
    guest.popen.stdin.write(line)
    guest.popen.stdin.flush()
