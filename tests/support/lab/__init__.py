"""A laboratory for one test run: a server and a laptop, each in namespaces of its own.

::

    with Lab() as lab:                          # needs root; about 4 s, with images in the cache
        lab.fleet                               # the standard nodes, started once; about 8 s more
        lab.laptop.spyglass_json("nodes", "lab")
        lab.laptop.run(["ssh", "lab", "docker", "ps"])
        lab.server.docker("restart", "web")     # as root, on the server
        lab.server.container_log("mesh-1")

``lab.server`` is a real Docker engine and a real sshd at 10.99.0.1:2222 with the users ``deploy``,
``nodocker`` and ``pat`` (``server.py``). ``lab.laptop`` reaches that address and nothing else, and runs
commands as the plain user ``dev``, whose ``~/.ssh/config`` knows the server as ``lab`` (``laptop.py``).
``lab.desktop`` gives the laptop a display with a window manager, and finds windows (``desktop.py``);
``lab.fleet`` knows what is true of each node (``fleet.py``).

Nothing touches the machine's own network, firewall, engine or accounts. Everything ends with the
process that made the lab, even when it is killed (``place.py``); what that leaves on the disk is removed
by the next run (``rundir.py``).
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import cached_property
from typing import Self

from support.lab import rundir
from support.lab.api_host import ApiHost
from support.lab.desktop import Desktop
from support.lab.engines import Engines
from support.lab.fleet import Fleet
from support.lab.laptop import Laptop
from support.lab.server import Server

__all__ = ["Lab"]


class Lab:
    """One server, one laptop and the link between them; use as a context manager, as root."""

    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise PermissionError("the lab makes network namespaces and runs a Docker engine: it needs root")
        self.run = rundir.create()
        self.run.chmod(0o755)
        with ExitStack() as undo:
            undo.callback(rundir.remove, self.run)
            self.server = Server(self.run)
            undo.callback(self.server.close)
            self.laptop = Laptop(self.run, self.server)
            undo.callback(self.laptop.close)
            self.server.start_sshd()
            self._undo = undo.pop_all()

    @cached_property
    def fleet(self) -> Fleet:
        """The standard nodes, started at first use."""
        self.server.load_images()
        return Fleet(self.server)

    @cached_property
    def far(self) -> ApiHost:
        """A host of which only the engine's API can be reached, made at first use."""
        made = ApiHost(self.run, self.server, self.laptop)
        self._undo.callback(made.close)
        return made

    @cached_property
    def engines(self) -> Engines:
        """What further engines need, made at first use."""
        return Engines(self.server)

    @cached_property
    def desktop(self) -> Desktop:
        """The laptop's display with a window manager, started at first use."""
        return Desktop(self.laptop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process, and remove the run directory."""
        self._undo.close()
