"""Further engines on the lab's server, beside its Docker: Podman, root's and a user's, and rootless Docker.

Each is the real one. A user's engines need a few things of their machine: subordinate ids (subuid(5)),
which root lends here by files of the place's own, and a network device that anybody may open, as with udev.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from support.lab import images, rundir
from support.lab.nerdctl import SHIM
from support.lab.place import Guest
from support.lab.server import ROOTLESS, SUDOER, Server, wait_until
from support.lab.users import User, runtime_dir

_PREPARE = """
mknod /run/tun c 10 200; chmod 666 /run/tun; mount --bind /run/tun /dev/net/tun
printf '%s:600000:65536\\n' "$1" >/run/subid
mount --bind /run/subid /etc/subuid; mount --bind /run/subid /etc/subgid
mkdir -p /var/lib/containers; mount -t tmpfs tmpfs /var/lib/containers
allowed=$(command -v docker),$(command -v podman),$(command -v nsenter)
printf 'Defaults !fqdn\\n%s ALL=(root) NOPASSWD: %s\\n' "$2" "$allowed" >/run/sudoers
chmod 440 /run/sudoers; mount --bind /run/sudoers /etc/sudoers
"""
_DOCKERD = "/usr/share/docker.io/contrib/dockerd-rootless.sh"


class Engines:
    """What may run beside the server's own Docker. Everything ends with the server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        server.place.sh(_PREPARE, ROOTLESS.name, SUDOER.name)
        self._imported: set[str] = set()

    def podman(self, *words: str, user: User | None = None, timeout: float = 60) -> str:
        """Run root's Podman, or the user's own; return its standard output."""
        command = ["podman", "--runtime=runc", *words]  # crun refuses control groups of both versions at once
        return self._run(command, user, timeout)

    def start(self, *words: str, user: User | None = None, image: str = "elixir:lab") -> str:
        """Start a container of Podman's; return its id. ``words``: options, then ``--``, then the command."""
        self._import("podman", image, user)
        split = words.index("--")
        flags = [] if user else [f"--cgroup-parent={rundir.cgroup_parent(self.server.run_directory)}"]
        return self.podman("run", "--detach", *flags, *words[:split], image, *words[split + 1 :], user=user)

    def serve_podman(self, address: str) -> Guest:
        """Let root's Podman serve its API at ``tcp:HOST:PORT``, until somebody ends it."""
        command = ["podman", "--runtime=runc", "system", "service", "--time=0", address]
        guest = self.server.place.popen(command)
        host, _, port = address.removeprefix("tcp:").rpartition(":")
        listens = ["python3", "-c", f"import socket; socket.create_connection(({host!r}, {port}), 1)"]
        wait_until(
            lambda: self.server.place.run(listens, check=False).returncode == 0, "Podman serves", 20, 0.1
        )
        return guest

    def nerdctl(self, *words: str, timeout: float = 60) -> str:
        """Run the stand-in for nerdctl (``nerdctl.py``) as rosa; return its standard output."""
        if not self._nerdctl.exists():
            self.server.place.sh("mount -t tmpfs tmpfs /usr/local/sbin")
            self._nerdctl.write_text(SHIM)
            self._nerdctl.chmod(0o755)
        return self._run(["/usr/local/sbin/nerdctl", *words], ROOTLESS, timeout)

    def forget_nerdctl(self) -> None:
        """Take the stand-in away."""
        self.nerdctl("rm", "--force", "--time=0", "--all")
        self.server.place.sh("umount /usr/local/sbin")

    @property
    def _nerdctl(self) -> Path:
        return self.server.root / "usr/local/sbin/nerdctl"

    @cached_property
    def rootless_docker(self) -> Guest:
        """Docker of the user ``rosa``, answering at her own socket."""
        log = (self.server.run_directory / "rootless.log").open("ab")
        environ = {**_environ(ROOTLESS), "DOCKERD_ROOTLESS_ROOTLESSKIT_PORT_DRIVER": "builtin"}
        with log:
            guest = self.server.place.popen(
                [_DOCKERD], user=ROOTLESS.name, cwd=ROOTLESS.home, env=environ, stdout=log, stderr=log
            )
        wait_until(lambda: "Server Version" in self._info(), "rootless dockerd answers", 30, every=0.2)
        self._import("docker", "elixir:lab", ROOTLESS)
        return guest

    def stop_rootless_docker(self) -> None:
        """End it."""
        self.rootless_docker.send(signal.SIGTERM)
        self.rootless_docker.wait(20)
        del self.rootless_docker

    def docker(self, *words: str, timeout: float = 60) -> str:
        """Run rootless Docker's command line as its user; return its standard output."""
        return self._run(["docker", *words], ROOTLESS, timeout)

    def _info(self) -> str:
        command = ["docker", "info"]
        done = self.server.place.run(command, user=ROOTLESS.name, env=_environ(ROOTLESS), check=False)
        return done.stdout

    def _import(self, engine: str, image: str, user: User | None) -> None:
        key = f"{engine} {image} {user}"
        if key not in self._imported:
            command = images.import_command(image, images.build()[image])
            self._run([engine, *command[1:]], user, 60)
            self._imported.add(key)

    def _run(self, command: Sequence[str], user: User | None, timeout: float) -> str:
        who = {"user": user.name, "cwd": user.home, "env": _environ(user)} if user else {}
        return self.server.place.run(command, timeout=timeout, **who).stdout.strip()  # type: ignore[arg-type]


def _environ(user: User) -> Mapping[str, str]:
    run = runtime_dir(user)
    return {
        "HOME": user.home,
        "USER": user.name,
        "XDG_RUNTIME_DIR": run,
        "DOCKER_HOST": f"unix://{run}/docker.sock",
    }
