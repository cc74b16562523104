"""A Docker daemon of a place's own: its data in the run directory, its control groups below the run's."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from support.lab import rundir
from support.lab.place import Guest, Place

# Containers need routes and control groups. AppArmor's profiles are the machine's: out of the engine's sight.
_PREPARE = """
echo 1 > /proc/sys/net/ipv4/ip_forward
[ ! -d /sys/kernel/security/apparmor ] || mount -t tmpfs -o mode=755 tmpfs /sys/kernel/security
[ -e /sys/fs/cgroup/cgroup.controllers ] || [ -d /sys/fs/cgroup/devices ] ||
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
"""


class Dockerd:
    """A daemon at ``/run/docker.sock`` of the place. ``run``: the run directory, ``name``: a part of it."""

    def __init__(self, place: Place, run: Path, name: str = "docker") -> None:
        self._place, self._run, self._name = place, run, name
        place.sh(_PREPARE)

    def start(self, more: Sequence[str] = ()) -> Guest:
        """Start it, with further flags."""
        run, name = self._run, self._name
        (run / f"{name}.json").write_text("{}\n")  # instead of the machine's own
        flags = {
            "--config-file": run / f"{name}.json",
            "--data-root": run / name,
            "--exec-root": "/run/docker",
            "--pidfile": "/run/docker.pid",
            "--host": "unix:///run/docker.sock",
            "--cgroup-parent": rundir.cgroup_parent(run),
            "--exec-opt": "native.cgroupdriver=cgroupfs",
            "--log-level": "warn",
        }
        command = ["dockerd", *(f"{flag}={value}" for flag, value in flags.items()), *more]
        with (run / f"{name}d.log").open("ab") as log:
            self.guest = self._place.popen(command, stdout=log, stderr=log)
        return self.guest

    def answers(self) -> bool:
        """Whether it is up; raises RuntimeError when it has ended."""
        if self.guest.popen.poll() is not None:
            raise RuntimeError("dockerd ended: " + (self._run / f"{self._name}d.log").read_text()[-2000:])
        with socket.socket(socket.AF_UNIX) as engine:
            engine.settimeout(5)
            try:
                engine.connect(f"/proc/{self._place.first}/root/run/docker.sock")
                engine.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b"200 OK" in engine.recv(200)
            except OSError:
                return False
