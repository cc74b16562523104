"""The server of the lab: a real Docker engine and a real sshd in namespaces of their own."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.lab import images
from support.lab.covers import PROGRAM
from support.lab.dockerd import Dockerd
from support.lab.place import Guest, Place
from support.lab.users import User, furnish

ADDRESS = "10.99.0.1"
ADDRESS6 = "fd00:10:99::1"
PORT = 2222
DEPLOY = User("deploy", 4001, groups=("docker",))
NODOCKER = User("nodocker", 4002)
PAT = User("pat", 4003, groups=("docker",), password=f"SPYLAB-password-{secrets.token_hex(6)}")
ROOTLESS = User("rosa", 4004)  # runs engines of her own
SUDOER = User("sudo-only", 4005)  # may run engines by sudo alone
UNFORWARDED = User("unforwarded", 4006, groups=("docker",))  # sshd does not forward for this one
USERS = (DEPLOY, NODOCKER, PAT, ROOTLESS, SUDOER, UNFORWARDED)

_SSHD = """\
Port {port}
ListenAddress {address}
ListenAddress {address6}
HostKey {keys}/host_ed25519
AuthorizedKeysFile {keys}/authorized
StrictModes no
UsePAM no
PidFile none
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
PrintMotd no
PrintLastLog no
LogLevel VERBOSE
Match User {password_user}
  PasswordAuthentication yes
Match User {unforwarded}
  AllowTcpForwarding no
"""


class Server:
    """Docker engine and sshd at port 2222 of 10.99.0.1 and fd00:10:99::1.

    ``keys`` holds the host key and the clients' keys.

    Users: ``deploy`` (key, may use the engine), ``nodocker`` (key, may not), ``pat`` (key or password),
    ``rosa`` and ``sudo-only`` (key) for the further engines (``engines.py``), ``unforwarded`` (key; sshd
    forwards no ports for that account).
    """

    def __init__(self, run: Path) -> None:
        self.run_directory = run
        self.keys = run / "keys"
        self.place = Place("lab-server")
        furnish(self.place, run, USERS, visible=(*PROGRAM, images.cache_dir()))
        self._make_keys()
        self._engine = Dockerd(self.place, run)
        self.dockerd = self._engine.start()
        self.sshd: Guest | None = None

    @property
    def root(self) -> Path:
        """The server's file system, as seen from the test."""
        return Path(f"/proc/{self.place.first}/root")

    @property
    def sshd_log(self) -> Path:
        """What sshd logged."""
        return self.run_directory / "sshd.log"

    def close(self) -> None:
        """End everything on the server."""
        self.place.close()

    def start_sshd(self) -> None:
        """Start sshd and wait until it listens; the address must be up."""
        config = self.run_directory / "sshd_config"
        users = {"password_user": PAT.name, "unforwarded": UNFORWARDED.name, "address6": ADDRESS6}
        config.write_text(_SSHD.format(address=ADDRESS, port=PORT, keys=self.keys, **users))
        self.place.sh("mkdir -p /run/sshd")
        with self.sshd_log.open("ab") as log:
            self.sshd = self.place.popen(
                ["/usr/sbin/sshd", "-D", "-e", "-f", str(config)], stdout=log, stderr=log
            )
        wait_until(lambda: b"Server listening" in self.sshd_log.read_bytes(), "sshd listens", 5)

    def docker(self, *arguments: str, timeout: float = 30) -> str:
        """Run the engine's command line as root; return its standard output."""
        return self.place.run(["docker", *arguments], timeout=timeout).stdout.strip()

    def load_images(self) -> None:
        """Import the images of the lab, at the same time."""
        tars = images.build()
        wait_until(self.docker_answers, "dockerd answers", 20)
        with ThreadPoolExecutor() as pool:
            commands = [images.import_command(name, tar) for name, tar in tars.items()]
            list(pool.map(lambda command: self.place.run(command, timeout=60), commands))

    def container_log(self, name: str) -> str:
        """Return what a container wrote on standard output and error."""
        done = self.place.run(["docker", "logs", name])
        return done.stdout + done.stderr

    def addresses(self, name: str) -> dict[str, str]:
        """Return a container's address in each of its networks."""
        networks = json.loads(self.docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", name))
        return {network: facts["IPAddress"] for network, facts in networks.items() if facts["IPAddress"]}

    def _make_keys(self) -> None:
        self.keys.mkdir()
        self.keys.chmod(0o755)
        for name in ("host_ed25519", "other_host_ed25519", "client", "stranger"):
            make_key(self.keys / name)
        (self.keys / "authorized").write_text((self.keys / "client.pub").read_text())

    def docker_answers(self) -> bool:
        """Whether the engine is up; raises RuntimeError when it has ended."""
        return self._engine.answers()


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> None:
    """Make an SSH key pair, world-unreadable as ssh wants it."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def wait_until(ready: Callable[[], bool], what: str, seconds: float, every: float = 0.02) -> None:
    """Ask again and again until it is so; fail after ``seconds``, saying what did not come."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(every)
