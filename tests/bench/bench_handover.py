"""How soon a second start has handed over and ended, as a whole process, beside a bare Python.

Wall clock and processor time, in milliseconds; ends with 1 where the median of the wall clock
misses the target.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "app")]

from spyglass.control import claim, client  # noqa: E402 - the path first
from spyglass.store import paths  # noqa: E402

RUNS = 25
TARGET = 50.0  # milliseconds


def timed(argv: list[str]) -> tuple[float, float]:
    """Run it; wall clock and processor time in milliseconds."""
    began = time.perf_counter()
    process = subprocess.Popen(argv)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return 1e3 * (time.perf_counter() - began), 1e3 * (used.ru_utime + used.ru_stime)


def main() -> int:
    """Measure both in turn, and print the medians."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory() as directory:
        places = paths.under(Path(directory)).ensure()
        words = [str(Path(sys.executable).with_name("spyglass")), f"--profile-dir={directory}"]
        variants = {"hand-over": words, "bare Python": [sys.executable, "-c", "pass"]}
        samples: dict[str, list[tuple[float, float]]] = {name: [] for name in variants}
        with subprocess.Popen(words, stderr=subprocess.DEVNULL) as app:
            while not claim.held(places.runtime):
                time.sleep(0.02)
            client.talk(places.runtime, {"do": "status"}, seconds=30)
            for _ in range(RUNS):
                for name, argv in variants.items():
                    samples[name].append(timed(argv))
            client.talk(places.runtime, {"do": "quit"}, seconds=30)
            app.wait(30)
    for name, found in samples.items():
        wall, cpu = (statistics.median(values) for values in zip(*found, strict=True))
        print(f"{name:12} {wall:6.1f} ms wall, {cpu:6.1f} ms processor")
    met = statistics.median(wall for wall, _ in samples["hand-over"]) <= TARGET
    print(f"target <= {TARGET:g} ms: {'met' if met else 'missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
