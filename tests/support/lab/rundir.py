"""The directory of one run of the lab, and the sweeping of those whose owner is dead.

Everything that a killed run can leave on the disk lies in one directory whose name says
who owns it: ``/var/tmp/spyglass-lab/<pid>-<start time>``. A process id alone is reused; with
the start time of the process (field 22 of proc(5)'s ``stat``) it is unique until a reboot.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

BASE = Path("/var/tmp/spyglass-lab")
CGROUPS = Path("/sys/fs/cgroup")
CGROUP_PREFIX = "spyglass-lab-"


def owner_id(pid: int) -> str:
    """Return ``pid-starttime`` of a live process; raise OSError if there is none."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return f"{pid}-{stat.rpartition(')')[2].split()[19]}"


def create() -> Path:
    """Make this process's run directory, after sweeping those of dead runs."""
    sweep()
    path = BASE / owner_id(os.getpid())
    path.mkdir(parents=True, exist_ok=True)
    return path


def remove(path: Path) -> None:
    """Remove a run's directory and its control groups; all its processes must be gone."""
    shutil.rmtree(path, ignore_errors=True)
    remove_cgroups(path.name)


def sweep() -> list[str]:
    """Remove what killed runs left behind; return their ids. Touches nothing else."""
    stale = [path for path in BASE.glob("*-*") if not alive(path.name)]
    for path in stale:
        remove(path)
    return [path.name for path in stale]


def cgroup_parent(run: Path) -> str:
    """Return the control group under which the engine of this run puts its containers."""
    return f"/{CGROUP_PREFIX}{run.name}"


def remove_cgroups(run: str) -> None:
    """Remove the control groups of a run, in every hierarchy; only empty ones can be removed."""
    for top in (*CGROUPS.glob(f"{CGROUP_PREFIX}{run}"), *CGROUPS.glob(f"*/{CGROUP_PREFIX}{run}")):
        for directory, _, _ in os.walk(top, topdown=False):
            try:
                Path(directory).rmdir()
            except OSError:  # a process of it is still ending: the next sweep gets it
                continue


def alive(name: str) -> bool:
    """Whether the process that :func:`owner_id` named so still runs."""
    try:
        return owner_id(int(name.split("-", maxsplit=1)[0])) == name
    except (OSError, ValueError):
        return False
