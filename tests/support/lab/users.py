"""The people of a place: private copies of the account files, laid over the machine's own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from support.lab.covers import PROGRAM, cover
from support.lab.place import Place

_TMPFS = {"/run": "755", "/tmp": "1777", "/home": "755"}


@dataclass(frozen=True)
class User:
    """An account; ``groups`` are the names of the further groups that it is in."""

    name: str
    uid: int
    groups: tuple[str, ...] = ()
    password: str = ""

    @property
    def home(self) -> str:
        """The home directory, on a private tmpfs."""
        return f"/home/{self.name}"


def furnish(place: Place, run: Path, users: tuple[User, ...], visible: Iterable[Path] = PROGRAM) -> None:
    """Give the place these users and a /run, /tmp and /home of its own; the machine's engine is not there.

    Everybody in the place can reach the ``visible`` directories, wherever they lie.
    """
    cover(place, run / f"hold-{place.hostname}", _TMPFS, visible)
    etc = run / f"etc-{place.hostname}"
    etc.mkdir()
    for name, text in _account_files(users).items():
        copy = etc / name
        copy.write_text(text)
        copy.chmod(0o640 if name == "shadow" else 0o644)
        place.run(["mount", "--bind", str(copy), f"/etc/{name}"])
    (etc / "hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {place.hostname}\n")
    place.run(["mount", "--bind", str(etc / "hosts"), "/etc/hosts"])
    for user in users:
        owner = f"{user.uid}:{user.uid}"
        place.sh('install -d -m 755 "$1"; chown "$2" "$1"', user.home, owner)
        place.sh('install -d -m 700 "$1"; chown "$2" "$1"', runtime_dir(user), owner)


def runtime_dir(user: User) -> str:
    """Return the user's XDG_RUNTIME_DIR."""
    return f"/run/user/{user.uid}"


def _account_files(users: tuple[User, ...]) -> dict[str, str]:
    names = {user.name for user in users}
    passwd, group, shadow = (_without(f"/etc/{file}", names) for file in ("passwd", "group", "shadow"))
    wanted = {name for user in users for name in user.groups}
    for gid, name in enumerate(sorted(wanted), 4900):
        if not any(line.startswith(f"{name}:") for line in group):
            group.append(f"{name}:x:{gid}:")
    for user in users:
        passwd.append(f"{user.name}:x:{user.uid}:{user.uid}::{user.home}:/bin/bash")
        shadow.append(f"{user.name}:{_hashed(user.password)}:20000:0:99999:7:::")
        group = [
            f"{line}{',' * (line[-1] != ':')}{user.name}" if line.split(":")[0] in user.groups else line
            for line in group
        ]
        group.append(f"{user.name}:x:{user.uid}:")
    return {"passwd": _text(passwd), "group": _text(group), "shadow": _text(shadow)}


def _without(path: str, names: set[str]) -> list[str]:
    return [line for line in Path(path).read_text().splitlines() if line.partition(":")[0] not in names]


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _hashed(password: str) -> str:
    if not password:
        return "*"  # without PAM, "!" would count as locked
    command = ["openssl", "passwd", "-6", "-stdin"]
    return subprocess.run(command, input=password, capture_output=True, text=True, check=True).stdout.strip()
