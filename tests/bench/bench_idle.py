"""What the app costs while nobody looks: memory and wakeups in the tray, without and with five tunnels.

It is started with ``--background``, as at login. Memory is the proportional set size (smaps_rollup of
proc(5)) of the app's process; wakeups are the voluntary context switches of all its threads. The
tunnels lead to an sshd of our own, and no node is there. Ends with 1 where a target is missed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "app"), str(ROOT / "tests")]

from spyglass.control import claim, client  # noqa: E402 - the path first
from spyglass.profile import Profile  # noqa: E402
from spyglass.store import paths  # noqa: E402
from spyglass.store.profiles import Profiles  # noqa: E402
from support.sshd import running  # noqa: E402
from support.xvfb import screen  # noqa: E402

TUNNELS = 5
SETTLE = 20.0  # seconds after which the looks that follow a start are over
FORGETS = 65.0  # seconds after which Qt has given up, in two steps, what it kept of pictures
WATCH = float(os.environ.get("BENCH_SECONDS", "30"))
_TRAY = """
import sys
sys.modules["typing_extensions"] = None  # the checkers bring it; what is installed has none
from PySide6.QtWidgets import QSystemTrayIcon
QSystemTrayIcon.isSystemTrayAvailable = staticmethod(lambda: True)  # Xvfb has none, the icon is made
from spyglass.__main__ import main
sys.exit(main())
"""


def memory(pid: int) -> float:
    """Proportional set size in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) / 1024  # type: ignore[index]


def switches(pid: int) -> dict[str, int]:
    """The voluntary context switches of each thread: by its number and name."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        text = (task / "status").read_text()
        count = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.MULTILINE)
        found[f"{task.name} {(task / 'comm').read_text().strip()}"] = int(count[1]) if count else 0
    return found


def watch(pid: int, settle: float) -> tuple[float, float]:
    """Memory in MB and wakeups a second, over a while that begins after ``settle`` seconds."""
    time.sleep(settle)
    before = switches(pid)
    time.sleep(WATCH)
    after = switches(pid)
    woken = {name: count - before.get(name, 0) for name, count in after.items()}
    busy = {name: count for name, count in woken.items() if count}
    print(f"  wakeups by thread in {WATCH:g} s: {busy or 'none'}")
    return memory(pid), sum(woken.values()) / WATCH


def told(name: str, value: float, limit: float, unit: str) -> bool:
    """Print a figure beside its limit; whether it is met."""
    met = value <= limit
    print(f"{name:34} {value:6.2f} {unit:3} (limit {limit:g}: {'met' if met else 'missed'})")
    return met


def main() -> int:
    """Start it, measure, connect, measure, and quit."""
    with (
        screen() as display,
        tempfile.TemporaryDirectory() as directory,
        running(Path(directory) / "sshd") as sshd,
    ):
        places = paths.under(Path(directory) / "own").ensure()
        (places.config / "ssh_config").write_text(sshd.ssh_config())
        store = Profiles(places.profiles)
        names = [store.add(Profile(f"tunnel {n}", hops=(sshd.hop,))).name for n in range(TUNNELS)]
        words = [sys.executable, "-c", _TRAY, f"--profile-dir={Path(directory) / 'own'}", "--background"]
        with subprocess.Popen(words, env=os.environ | display.env | {"PYTHONPATH": str(ROOT / "app")}) as app:
            while not claim.held(places.runtime):
                time.sleep(0.05)
            before, idle = watch(app.pid, FORGETS)
            for name in names:
                client.talk(places.runtime, {"do": "connect", "profile": name}, seconds=60)
            after, busy = watch(app.pid, SETTLE)
            client.talk(places.runtime, {"do": "quit"}, seconds=60)
            app.wait(60)
    return int(
        not all(
            [
                told("PSS in the tray", before, 60, "MB"),
                told("wakeups idle", idle, 0, "/s"),
                told(f"PSS with {TUNNELS} tunnels", after, 90, "MB"),
                told("wakeups of each tunnel", busy / TUNNELS, 1, "/s"),
            ]
        )
    )


if __name__ == "__main__":
    sys.exit(main())
