"""How the helper gets to its place: by a package, or by commands that a person looks at and runs."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

from spyglass import APP_ID, asset
from spyglass.errors import Failure
from spyglass.loopback import trust

POLICY = Path("/usr/share/polkit-1/actions") / f"{APP_ID}.policy"
"""The one directory that every polkit reads (those before 126 no other)."""


def source(name: str) -> Path:
    """The file as it came with Spyglass: in an installed wheel, else in the checkout."""
    packed = asset(f"linux/{name}")
    return packed if packed.exists() else Path(__file__).resolve().parents[3] / "packaging/linux" / name


def packaged() -> bool:
    """Whether the helper comes with the system's package of Spyglass, which owns it."""
    return not source(trust.HELPER.name).exists()


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def state() -> str:
    """One line on what is installed now."""
    try:
        path = trust.check()
        if packaged():
            return f"{path} is installed."
        same = digest(path) == digest(source(path.name))
    except Failure as failure:
        return f"{failure.title}."
    except OSError as error:
        return f"{trust.HELPER} can't be read: {error.strerror}."
    return f"{path} is installed{' and is this version' if same else ', but it is of another version'}."


def commands() -> list[str]:
    """The shell commands, in order, that install helper and policy; the last one checks the helper.

    (Those of a package are its own business, so that is installed anew.)
    """
    if packaged():
        return ["sudo apt-get install --reinstall spyglass"]
    helper, policy = source(trust.HELPER.name), source(POLICY.name)
    own = "sudo install -o root -g root -m"
    return [
        f"{own} 755 -d {trust.HELPER.parent}",
        f"{own} 755 {shlex.quote(str(helper))} {trust.HELPER}",
        f"{own} 644 -D {shlex.quote(str(policy))} {POLICY}",
        f"echo '{digest(helper)}  {trust.HELPER}' | sha256sum --check",
    ]


def removal() -> str:
    """The command that takes both away again."""
    if packaged():
        return "sudo apt-get remove spyglass"
    return f"sudo rm -r {trust.HELPER.parent} {POLICY}"
