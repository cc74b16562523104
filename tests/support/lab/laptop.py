"""The laptop of the lab: it reaches the server by SSH only, and runs the program as a plain user."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from support.lab import server as lab_server
from support.lab.place import PATH, Guest, Place
from support.lab.server import Server
from support.lab.users import User, furnish, runtime_dir

ADDRESS = "10.99.0.2"
ADDRESS6 = "fd00:10:99::2"
AWAY = "10.99.0.77"  # nobody has this address
_CHECKOUT = Path(__file__).resolve().parents[3]
DEV = User("dev", 4100)
OTHER = User("other", 4101)  # somebody else on the same machine
ADMIN = User("boss", 4102, groups=("sudo",), password=f"SPYLAB-password-{secrets.token_hex(6)}")

# What each alias of ~/.ssh/config is for stands in its name.
_SSH_CONFIG = """\
Host lab-nodocker
  User nodocker
Host lab-pat lab-password
  User pat
Host lab-password
  PreferredAuthentications password
Host lab-unknown
  UserKnownHostsFile ~/.ssh/known_hosts.empty
Host lab-changed
  UserKnownHostsFile ~/.ssh/known_hosts.changed
Host lab-wrongkey
  IdentityFile ~/.ssh/stranger
Host lab-refused
  Port 1
Host lab-away
  HostName {away}
  ConnectTimeout 3
Host lab lab-*
  HostName {address}
  Port {port}
  User deploy
  IdentitiesOnly yes
  UserKnownHostsFile ~/.ssh/known_hosts
Host lab lab-* !lab-wrongkey
  IdentityFile ~/.ssh/id_ed25519
"""

# The kernel would drop IPv6 addresses with the link, unlike the others.
_LINK = """
echo 1 >"/proc/sys/net/ipv6/conf/$3/keep_addr_on_down"
ip addr add "$1/24" dev "$3"; ip addr add "$2/64" dev "$3" nodad; ip link set "$3" up
"""


class Laptop:
    """A machine with no way out but the link to the server, and a user ``dev`` without privileges.

    ``~/.ssh/config`` knows ``lab`` and, for each thing that can go wrong, ``lab-unknown``,
    ``lab-changed``, ``lab-wrongkey``, ``lab-refused``, ``lab-away``, ``lab-nodocker``; ``lab-password``
    is let in by a password (``server.PAT``) only.
    """

    def __init__(self, run: Path, server: Server) -> None:
        self.place = Place("laptop")
        furnish(self.place, run, (DEV, OTHER, ADMIN))
        self._join(server)
        self._write_ssh(server)
        self.extra_env: dict[str, str] = {}

    @property
    def root(self) -> Path:
        """The laptop's file system, as seen from the test."""
        return Path(f"/proc/{self.place.first}/root")

    @property
    def home(self) -> Path:
        """The user's home directory, as seen from the test."""
        return self.root / DEV.home.lstrip("/")

    @property
    def env(self) -> dict[str, str]:
        """The environment in which the user's commands run."""
        return {
            "HOME": DEV.home,
            "USER": DEV.name,
            "LOGNAME": DEV.name,
            "SHELL": "/bin/bash",
            "XDG_RUNTIME_DIR": runtime_dir(DEV),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONFAULTHANDLER": "1",  # what hangs tells where when it is aborted
            "PATH": PATH,
            **self.extra_env,
        }

    def close(self) -> None:
        """End everything on the laptop."""
        self.place.close()

    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, check: bool = False, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the user and wait for its end; ``more`` as for :meth:`Place.run`."""
        merged = {**self.env, **(env or {})}
        return self.place.run(argv, user=DEV.name, cwd=DEV.home, env=merged, check=check, **more)

    def popen(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, **more: Any) -> Guest:
        """Start a command as the user; ``more`` as for :meth:`Place.popen`."""
        return self.place.popen(argv, user=DEV.name, cwd=DEV.home, env={**self.env, **(env or {})}, **more)

    def spyglass(self, *arguments: str, timeout: float = 30, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run ``spyglass`` with these arguments as the user and wait for its end."""
        return self.run([*spyglass_command(), *arguments], timeout=timeout, **more)

    def start_spyglass(self, *arguments: str, **more: Any) -> Guest:
        """Start ``spyglass`` with these arguments as the user."""
        return self.popen([*spyglass_command(), *arguments], **more)

    def spyglass_json(self, *arguments: str, timeout: float = 30, **more: Any) -> Any:
        """Run ``spyglass … --json``; return the document. It must end with status 0."""
        done = self.spyglass(*arguments, "--json", timeout=timeout, **more)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def processes(self) -> dict[int, str]:
        """Return what runs on the laptop: command line by process id."""
        return self.place.processes()

    def sockets(self) -> set[str]:
        """Return what listens on the laptop, as :meth:`Place.sockets`."""
        return self.place.sockets()

    def files(self) -> set[str]:
        """Return every file of the user's home, /tmp and /run/user, for "leaves nothing behind".

        The checkout, which may lie below /tmp, is ours: tests put their pictures there. A directory
        that is removed meanwhile is passed over.
        """
        ours = str(_CHECKOUT).lstrip("/") + "/"
        tops = (self.home, self.root / "tmp", self.root / runtime_dir(DEV).lstrip("/"))
        found = {
            str(Path(directory, name).relative_to(self.root))
            for top in tops
            for directory, _, names in os.walk(top)
            for name in names
        }
        return {path for path in found if not path.startswith(ours)}

    def _join(self, server: Server) -> None:
        ends = [f"--target={server.place.first}", "--net", "--"]
        veth = [
            "ip",
            "link",
            "add",
            "lab0",
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            str(self.place.first),
        ]
        subprocess.run(["nsenter", *ends, *veth], check=True)
        server.place.sh(_LINK, lab_server.ADDRESS, lab_server.ADDRESS6, "lab0")
        self.place.sh(_LINK, ADDRESS, ADDRESS6, "eth0")

    def _write_ssh(self, server: Server) -> None:
        ssh = self.home / ".ssh"
        ssh.mkdir(mode=0o700)
        host = f"[{lab_server.ADDRESS}]:{lab_server.PORT}"
        values = {"address": lab_server.ADDRESS, "port": lab_server.PORT, "away": AWAY}
        (ssh / "config").write_text(_SSH_CONFIG.format(**values))
        both = f"{host},[{lab_server.ADDRESS6}]:{lab_server.PORT}"
        (ssh / "known_hosts").write_text(f"{both} {(server.keys / 'host_ed25519.pub').read_text()}")
        (ssh / "known_hosts.changed").write_text(
            f"{host} {(server.keys / 'other_host_ed25519.pub').read_text()}"
        )
        (ssh / "known_hosts.empty").write_text("")
        shutil.copy2(server.keys / "client", ssh / "id_ed25519")
        shutil.copy2(server.keys / "stranger", ssh / "stranger")
        for path in (ssh, *ssh.iterdir()):
            os.chown(path, DEV.uid, DEV.uid)


def spyglass_command() -> list[str]:
    """Return the command that runs this checkout's Spyglass, in the environment that runs the tests."""
    script = Path(sys.prefix) / "bin" / "spyglass"
    return [str(script)] if script.exists() else [sys.executable, "-m", "spyglass"]
