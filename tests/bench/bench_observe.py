"""From a wish to Observer's window: Spyglass against the hand-made way, in the lab's namespaces.

The hand-made way knows everything beforehand (name, address, port, cookie): two ``ssh -L``,
a local node, ``observer:start()``; its window is on the LOCAL node. Spyglass starts from a
host's name: host key check, discovery, cookie proof, window on the REMOTE node. ``fresh`` is
a new process with its files warm, ``running`` the same wish in a program whose connection is
up. Run it on a quiet machine, as root: ``python tests/bench/bench_observe.py``.
"""

from __future__ import annotations

import compileall
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/bench")]

from ratios import Comparison, Target  # noqa: E402 - the path comes first

from support.lab import Lab  # noqa: E402
from support.lab.place import Guest  # noqa: E402

CYCLES = 8
TARGETS = (Target("fresh", 1.5), Target("running", 0.8))
RUNNING = """
import sys, threading
from spyglass.options import Options
from spyglass.hub import Hub
from spyglass.profile import parse_target
from spyglass.status import Phase
from spyglass.store import paths
from spyglass.store.profiles import Profiles

surveyed, opened, closed = threading.Event(), threading.Event(), threading.Event()

def hear(status):
    if status.phase is Phase.READY and status.surveyed:
        surveyed.set()
    (opened if status.observing else closed).set()

hub = Hub(Profiles(paths.current().profiles), lambda *_: None)
hub.subscribe(hear)
profile = hub.connect(parse_target("lab", {}).profile, Options())
surveyed.wait(30)
key = next(n.key for n in hub.status(profile).nodes if n.node == sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    (hub.observe if line.strip() == "open" else hub.close_window)(profile, key)
hub.close()
"""


def until_shown(lab: Lab, title: str) -> Guest:
    """A tight loop inside the laptop that ends when a window with this in its title is visible."""
    script = 'until xdotool search --onlyvisible --name "$1" >/dev/null 2>&1; do :; done'
    return lab.laptop.popen(["sh", "-c", script, "until", title])


def until_gone(lab: Lab, title: str) -> None:
    script = 'while xdotool search --onlyvisible --name "$1" >/dev/null 2>&1; do sleep 0.05; done'
    lab.laptop.run(["timeout", "20", "sh", "-c", script, "until", title])


@contextmanager
def timed(lab: Lab, title: str, times: list[float]) -> Iterator[None]:
    """Run the block and then wait for the window; note the seconds from the block's begin."""
    start = time.perf_counter()
    yield
    watch = until_shown(lab, title)
    watch.wait(30)
    times.append(time.perf_counter() - start)
    watch.close()


def fresh(lab: Lab, node: str) -> float:
    times: list[float] = []
    with timed(lab, node, times):
        guest = lab.laptop.start_spyglass("observe", "lab", node, "--batch")
    guest.send(signal.SIGINT)
    guest.wait()
    guest.close()
    until_gone(lab, node)
    return times[0]


def by_hand(lab: Lab, address: str, port: int) -> float:
    """Two forwards as in source 1, and the local node of that recipe beside its own epmd."""
    times: list[float] = []
    ways = [f"127.0.0.2:{p}:{address}:{p}" for p in (4369, port)]
    ready = f"until ss -Hltn 'sport = :{port}' | grep -q .; do :; done"
    erl = "exec erl -name hand@127.0.0.1 -setcookie ours -noinput -eval 'observer:start().'"
    with timed(lab, "hand@127.0.0.1|Observer", times):
        ssh = lab.laptop.popen(["ssh", "-N", "-L", ways[0], "-L", ways[1], "lab"])
        node = lab.laptop.popen(["sh", "-c", f"{ready}; {erl}"], stdin=subprocess.PIPE)
    for guest in (node, ssh):
        guest.close()
    until_gone(lab, "hand@127.0.0.1|Observer")
    return times[0]


def running(lab: Lab, app: Guest, node: str) -> float:
    times: list[float] = []
    assert app.popen.stdin
    time.sleep(1.5)  # the person has the program open: the next VM stands by
    with timed(lab, node, times):
        app.popen.stdin.write(b"open\n")
        app.popen.stdin.flush()
    app.popen.stdin.write(b"close\n")
    app.popen.stdin.flush()
    until_gone(lab, node)
    return times[0]


def main() -> int:
    compileall.compile_dir(ROOT / "app", quiet=1)
    with Lab() as lab:
        truth = lab.fleet["hello"]
        info = next(n for n in lab.laptop.spyglass_json("nodes", "lab")["nodes"] if n["node"] == truth.node)
        lab.desktop.windows()
        epmd = lab.laptop.popen(["epmd", "-address", "127.0.0.1"])
        python = [str(ROOT / ".venv/bin/python"), "-c", RUNNING, truth.node]
        app = lab.laptop.popen(python, stdin=subprocess.PIPE)
        assert app.popen.stdout
        assert app.popen.stdout.readline() == b"ready\n"
        variants: dict[str, Callable[[], float]] = {
            "fresh": lambda: fresh(lab, truth.node),
            "running": lambda: running(lab, app, truth.node),
            "by hand": lambda: by_hand(lab, info["address"], info["port"]),
        }
        comparison = measure(variants)
        app.close()
        epmd.close()
    return 0 if comparison.report(TARGETS) else 1


def measure(variants: dict[str, Callable[[], float]]) -> Comparison:
    for variant in variants.values():  # once for the caches
        variant()
    comparison = Comparison("spyglass", "by hand")
    for _ in range(CYCLES):
        names = list(variants)
        random.shuffle(names)
        cycle = {name: variants[name]() for name in names}
        for name in ("fresh", "running"):
            comparison.add(name, "spyglass", cycle[name], "s")
            comparison.add(name, "by hand", cycle["by hand"], "s")
    return comparison


if __name__ == "__main__":
    sys.exit(main())
