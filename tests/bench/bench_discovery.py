"""Listing a hundred containers, forty of them with a node, over a link with 50 ms there and back.

Against the hand-made way, which learns much less: ``docker ps`` and ``docker inspect`` of all by one
``ssh``, on the same link in the same run. Also told: how many SSH sessions were open at once (sshd
allows ten). As root: ``python tests/bench/bench_discovery.py``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/bench")]

from ratios import Comparison, Target  # noqa: E402 - the path comes first

from support.lab import Lab  # noqa: E402
from support.lab.place import Guest  # noqa: E402
from support.lab.server import ADDRESS, PORT  # noqa: E402

CYCLES, CONTAINERS, NODES = 4, 100, 40
ONE_WAY = 0.025  # seconds
FAR = 2250
LIMIT = 6.0
TARGETS = (Target("list", 6.0, must=False),)
BY_HAND = "docker inspect $(docker ps -q)"


def prepare(lab: Lab) -> int:
    """Start what is missing; return how many containers run now."""
    fleet = lab.fleet
    with_nodes = len([truth for truth in fleet.nodes if truth.container])
    fleet.crowd(NODES - with_nodes)
    running = len(lab.server.docker("ps", "-q").splitlines())
    for number in range(CONTAINERS - running):
        flags = ["--detach", f"--name=idle{number}", "plain:lab", "sleep", "100000"]
        lab.server.docker("run", *flags, timeout=60)
    config = lab.laptop.home / ".ssh" / "config"
    config.write_text(f"Host far\n  Port {FAR}\n  HostName {ADDRESS}\n  User deploy\n" + config.read_text())
    hosts = lab.laptop.home / ".ssh" / "known_hosts"
    hosts.write_text(hosts.read_text() + hosts.read_text().replace(f":{PORT}", f":{FAR}"))
    return len(lab.server.docker("ps", "-q").splitlines())


def relay(lab: Lab) -> Guest:
    """The port on the server that is far away."""
    words = [sys.executable, "-m", "support.far", ADDRESS, str(FAR), ADDRESS, str(PORT), str(ONE_WAY)]
    guest = lab.server.place.popen(words, env={"PYTHONPATH": str(ROOT / "tests")}, stdin=subprocess.PIPE)
    assert guest.popen.stdout is not None
    assert guest.popen.stdout.readline() == b"up\n"
    return guest


def ours(lab: Lab) -> float:
    """Seconds of ``spyglass nodes``, the whole process."""
    began = time.perf_counter()
    document = lab.laptop.spyglass_json("nodes", "far", timeout=60)
    took = time.perf_counter() - began
    proved = [node for node in document["nodes"] if node["cookie"]["proved"]]
    assert len(proved) >= NODES, f"{len(proved)} nodes, {document['warnings']}"
    return took


def by_hand(lab: Lab) -> float:
    """Seconds of the same question by ``ssh``."""
    began = time.perf_counter()
    done = lab.laptop.run(["ssh", "far", BY_HAND], timeout=60)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - began


def sessions_at_once(log: str) -> int:
    """The most sessions of one connection that sshd's log tells of at the same time."""
    most = 0
    open_now: set[tuple[str, str]] = set()
    for line in log.splitlines():
        if started := re.search(r"Starting session: .* port (\d+) id (\d+)", line):
            open_now.add((started[1], started[2]))
        elif closed := re.search(r"Close session: .* port (\d+) id (\d+)", line):
            open_now.discard((closed[1], closed[2]))
        most = max(most, len(open_now))
    return most


def main() -> int:
    """Measure both in turn and print the figures."""
    with Lab() as lab:
        running = prepare(lab)
        guest = relay(lab)
        ours(lab)  # once for what is kept on the laptop
        before = len(lab.server.sshd_log.read_text())
        comparison = Comparison("spyglass", "by hand")
        longest = 0.0
        for _ in range(CYCLES):
            took = ours(lab)
            longest = max(longest, took)
            comparison.add("list", "spyglass", took, "s")
            comparison.add("list", "by hand", by_hand(lab), "s")
        sessions = sessions_at_once(lab.server.sshd_log.read_text()[before:])
        guest.close()
    print(f"{running} containers, {2e3 * ONE_WAY:g} ms there and back")
    comparison.report(TARGETS)
    print(f"longest {longest:.2f} s (target < {LIMIT:g}), {sessions} SSH sessions at once (target < 10)")
    return 0 if longest < LIMIT and sessions < 10 else 1


if __name__ == "__main__":
    sys.exit(main())
