"""The pool of loopback addresses on a Mac: a LaunchDaemon adds them at each start, once it is installed.

macOS binds 127.0.0.1 only, until somebody with root's rights puts another address on lo0. A daemon
of four lines does that at boot, so nothing of ours ever runs as root, and nobody is asked again.
(Not run on a Mac yet.)
"""

from __future__ import annotations

import plistlib
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from spyglass import APP_ID, asset
from spyglass.loopback.addresses import POOL, is_here

LABEL = f"{APP_ID}.loopback"
FILE = Path("/Library/LaunchDaemons") / f"{LABEL}.plist"
"""Where launchd looks for daemons at boot (launchd.plist(5)); root's alone."""


def daemon(addresses: Sequence[str] = POOL) -> bytes:
    """The LaunchDaemon, as it lies in ``packaging/macos``."""
    ifconfig = "; ".join(f"/sbin/ifconfig lo0 alias {address}/32 up" for address in addresses)
    wanted = {"Label": LABEL, "ProgramArguments": ["/bin/sh", "-c", ifconfig], "RunAtLoad": True}
    return plistlib.dumps(wanted)


def source() -> Path:
    """The file as it came with Spyglass: in an installed wheel, else in the checkout."""
    packed = asset(f"macos/{FILE.name}")
    return packed if packed.exists() else Path(__file__).resolve().parents[3] / "packaging/macos" / FILE.name


def state(here: Callable[[str], bool] = is_here) -> str:
    """One line on what is there now."""
    if all(map(here, POOL)):
        return f"The addresses {POOL[0]} to {POOL[-1]} are there."
    return f"Not all of the addresses {POOL[0]} to {POOL[-1]} are there."


def commands() -> list[str]:
    """The shell commands, in order, that install the daemon and start it now."""
    return [
        f"sudo install -o root -g wheel -m 644 {shlex.quote(str(source()))} {FILE}",
        f"sudo launchctl bootstrap system {FILE}",
    ]


def removal() -> str:
    """The command that takes it away again; the addresses go with the next start."""
    return f"sudo launchctl bootout system/{LABEL}; sudo rm {FILE}"
