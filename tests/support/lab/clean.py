"""A clean Debian of the machine's own release, to install the package in.

It is made once by debootstrap from the machine's own mirror, with what the package depends on, and
kept in the lab's cache; each use sees it below a layer of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from support.lab import rundir
from support.lab.images import cache_dir
from support.lab.place import PATH, Guest, Place

_INSTALL = """
printf 'deb %s %s main\\n' "$2" "$3" > "$1/etc/apt/sources.list"
printf '#!/bin/sh\\nexit 101\\n' > "$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$1/etc/resolv.conf"
root=$1; shift 3
export DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8
chroot "$root" apt-get update -qq
chroot "$root" apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
chroot "$root" apt-get clean
"""
_MOUNT = """
mkdir "$2/up" "$2/work" "$2/root"
mount -t overlay -o "lowerdir=$1,upperdir=$2/up,workdir=$2/work" none "$2/root"
mount --bind /dev "$2/root/dev"; mount -t proc none "$2/root/proc"; mount -t tmpfs none "$2/root/run"
chroot "$2/root" useradd --create-home --uid 4100 --shell /bin/bash dev
install -d -o 4100 -g 4100 -m 700 "$2/root/run/user" "$2/root/run/user/4100"
chmod 755 "$2/root/run/user"
"""


class NoMirror(Exception):  # noqa: N818 - not a defect: this machine is no Debian, or has no network
    """There is no mirror to make the system from, or it does not answer."""


class Clean:
    """The system, without a network; use as a context manager."""

    def __init__(self, depends: str, scratch: Path) -> None:
        """``depends``: the package's own field. Raises NoMirror."""
        base = _base(depends)
        self._inner = scratch / "root"
        self._place = Place("clean")
        self.root = Path(f"/proc/{self._place.first}/root{self._inner}")  # as seen from the test
        self._place.sh(_MOUNT, str(base), str(scratch))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._place.close()

    def run(
        self,
        argv: Sequence[str],
        *,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside and wait for its end."""
        return self._place.run(self._inside(argv, user), env=_env(user, env), check=check, timeout=timeout)

    def popen(self, argv: Sequence[str], *, user: str, env: Mapping[str, str] | None = None) -> Guest:
        """Start a command inside."""
        return self._place.popen(self._inside(argv, user), env=_env(user, env))

    def _inside(self, argv: Sequence[str], user: str) -> list[str]:
        become = ["--userspec=dev:dev", "--groups="] if user != "root" else []
        return ["chroot", *become, str(self._inner), *argv]

    def files(self) -> set[str]:
        """Every file there is, those of the kernel and of homes left out."""
        skip = r"-path ./dev -o -path ./proc -o -path ./run -o -path ./home -o -path ./tmp"
        script = f"cd / && find . \\( {skip} \\) -prune -o -print"
        return set(self.run(["sh", "-c", script]).stdout.splitlines())


def _env(user: str, env: Mapping[str, str] | None) -> dict[str, str]:
    home = "/root" if user == "root" else "/home/dev"
    return {"PATH": PATH, "HOME": home, "XDG_RUNTIME_DIR": "/run/user/4100", **(env or {})}


def _base(depends: str) -> Path:
    mirror, release = _mirror()
    wanted = [each.split("|")[0].split("(")[0].strip() for each in depends.split(",")]
    words = [mirror, release, *wanted, Path(__file__).read_text()]
    base = cache_dir() / f"clean-{hashlib.sha256(repr(words).encode()).hexdigest()[:12]}"
    if base.exists():
        return base
    for old in cache_dir().glob("clean-*"):
        if not rundir.alive(old.name.removeprefix("clean-part-")):
            shutil.rmtree(old)
    part = cache_dir() / f"clean-part-{rundir.owner_id(os.getpid())}"
    try:
        _sh('debootstrap --variant=minbase "$1" "$2" "$3"', release, str(part), mirror)
        _sh(_INSTALL, str(part), mirror, release, *wanted)
        part.rename(base)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return base


def _sh(script: str, *words: str) -> None:
    done = subprocess.run(
        ["sh", "-euc", script, "sh", *words], capture_output=True, text=True, timeout=400, check=False
    )
    if done.returncode:
        raise NoMirror(f"{script.split(maxsplit=1)[0]} failed: {done.stdout[-500:]}{done.stderr[-500:]}")


def _mirror() -> tuple[str, str]:
    """Where this machine gets its own release from."""
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line
    ).get("VERSION_CODENAME", "")
    words = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI) $(CODENAME) $(COMPONENT)",
        "Created-By: Packages",
    ]
    known = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split("\n")
    found = next((line.split()[0] for line in known if line.split()[1:] == [release, "main"]), None)
    if not found:
        raise NoMirror(f"apt knows no mirror of {release or 'this system'}")
    return found, release
