"""Drives a Hub inside the laptop from a test: wishes go in, statuses come out."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support.lab.laptop import Laptop

PROGRAM = Path(__file__).with_name("driven.py")
Status = dict[str, Any]


class Driver:
    """A running Hub with one connection to ``target``; a context manager. See ``driven.py``."""

    def __init__(self, laptop: Laptop, target: str = "lab", *, container: str = "", hop: str = "") -> None:
        self.history: list[Status] = []
        self._told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        argv = [sys.executable, str(PROGRAM), target, container, hop]
        self.guest = laptop.popen(argv, stdin=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read, name="driver", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.complain()
        self.close()

    def send(self, words: str) -> None:
        """Wish something: ``connect``, ``observe NODE``, ``close KEY``, ``retry``, ``nudge`` …"""
        assert self.guest.popen.stdin
        self.guest.popen.stdin.write(words.encode() + b"\n")
        self.guest.popen.stdin.flush()

    def until(self, done: Callable[[Status], Any], what: str, seconds: float = 20) -> Status:
        """The first status from now on that satisfies ``done``."""
        deadline = time.monotonic() + seconds
        while True:
            status: Status = self.next("status", deadline - time.monotonic(), what)
            if done(status):
                return status

    def next(self, kind: str, seconds: float = 20, what: str = "") -> Any:
        """The next thing of this kind that it tells; statuses are kept in ``history`` besides."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                told = self._told.get(timeout=max(0.001, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError(f"not within {seconds:.1f} s: {what or kind}") from None
            if "status" in told:
                self.history.append(told["status"])
            if kind in told:
                return told[kind]

    def ask(self, kind: str) -> Any:
        """Ask for ``stock`` or ``log``."""
        self.send(kind)
        return self.next(kind)

    def ready(self, seconds: float = 20) -> Status:
        """Wait for READY with everything seen."""
        return self.until(lambda s: s["phase"] == "ready" and s["surveyed"], "ready", seconds)

    def observing(self, node: str, seconds: float = 20) -> Status:
        """Wait for Observer on exactly this node."""
        return self.until(lambda s: observed(s) == [node], f"Observer on {node}", seconds)

    def phase(self, phase: str, seconds: float = 20) -> Status:
        """Wait for a phase."""
        return self.until(lambda s: s["phase"] == phase, phase, seconds)

    def appears(self, name: str, seconds: float) -> Status:
        """Wait until a node of this short name is listed and can be reached."""
        return self.until(
            lambda s: any(n["node"].startswith(f"{name}@") and n["reachable"] for n in s["nodes"]),
            f"{name} is there",
            seconds,
        )

    def vanishes(self, name: str, seconds: float) -> Status:
        """Wait until none is listed any more."""
        return self.until(
            lambda s: s["surveyed"] and not any(n["node"].startswith(f"{name}@") for n in s["nodes"]),
            f"{name} is gone",
            seconds,
        )

    def complain(self) -> None:
        """Print how it went, for a test that fails."""
        for status in self.history[-25:]:
            brief = {k: v for k, v in status.items() if v and k not in {"chain", "nodes", "profile_id"}}
            print(brief, [node["node"] for node in status["nodes"]])

    def close(self) -> None:
        """End it the ordinary way; by force when that takes more than 20 s."""
        assert self.guest.popen.stdin
        self.guest.popen.stdin.close()
        try:
            self.guest.popen.wait(20)
        finally:
            self.guest.close()
            self._reader.join(5)

    def _read(self) -> None:
        assert self.guest.popen.stdout
        for line in self.guest.popen.stdout:
            try:
                self._told.put(json.loads(line))
            except ValueError:
                print("driven:", line.decode(errors="replace").rstrip())


def observed(status: Status) -> list[str]:
    """The full names of the nodes with a window."""
    names = {node["key"]: node["node"] for node in status["nodes"]}
    return sorted(names.get(key, key) for key in status["observing"])
