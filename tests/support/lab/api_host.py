"""A further host, of which one can reach only its engine's API and what its containers publish.

As in Erlang-In-Docker: an engine whose API listens at ``tcp://10.97.0.1:4243``, containers in a subnet of
that host's own. It is a neighbour of the lab's server; the laptop reaches it through that, once it is told.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from support.certificates import Authority
from support.lab import images
from support.lab.dockerd import Dockerd
from support.lab.laptop import Laptop
from support.lab.place import Place
from support.lab.server import Server, wait_until
from support.lab.users import furnish

ADDRESS = "10.97.0.1"
PORT = 4243
_SERVER = "10.97.0.2"
API = f"tcp://{ADDRESS}:{PORT}"


class ApiHost:
    """The host; its engine is started by :meth:`listen`. Everything ends with :meth:`close`."""

    def __init__(self, run: Path, server: Server, laptop: Laptop) -> None:
        self.run_directory = run / "far"
        self.run_directory.mkdir()
        self._run, self._server, self._laptop = run, server, laptop
        self.place = Place("far")
        furnish(self.place, run, (), visible=(images.cache_dir(),))
        self._join()
        self._dockerd = Dockerd(self.place, run, "far-docker")
        self._authority = Authority()
        self._laptop_knows = False

    def listen(self, *, tls: bool = False) -> None:
        """Let the engine's API listen, without TLS or with certificates asked for; containers live on."""
        if hasattr(self._dockerd, "guest"):
            self._dockerd.guest.send(signal.SIGTERM)
            self._dockerd.guest.wait(20)
        self._dockerd.start([f"--host={API}", "--live-restore", *(self._tls_flags() if tls else ())])
        wait_until(self._dockerd.answers, "the far dockerd answers", 20)
        if not self.docker("images", "-q"):
            self.place.run(images.import_command("elixir:lab", images.build()["elixir:lab"]), timeout=60)

    def docker(self, *words: str, timeout: float = 30) -> str:
        """Run the engine's command line as root there; return its standard output."""
        return self.place.run(["docker", *words], timeout=timeout).stdout.strip()

    def show_laptop(self, *, the_way: bool) -> None:
        """Let the laptop reach the host through the server, or not any more."""
        if the_way != self._laptop_knows:
            command = ["ip", "route", "add" if the_way else "del", "10.97.0.0/24", "via", "10.99.0.1"]
            self._laptop.place.run(command)
            self._laptop_knows = the_way

    def certificates(self, directory: Path, *, other: bool = False) -> Path:
        """Put ca.pem, cert.pem and key.pem of a client into a directory; ``other``: of nobody it knows."""
        directory.mkdir(parents=True)
        (directory / "ca.pem").write_text(self._authority.certificate)
        pair = (Authority() if other else self._authority).sign("client")
        (directory / "cert.pem").write_text(pair.certificate)
        (directory / "key.pem").write_text(pair.key)
        return directory

    def close(self) -> None:
        """End everything there."""
        self.show_laptop(the_way=False)
        self.place.close()

    def _tls_flags(self) -> list[str]:
        certificate, key = self._authority.sign("engine", ADDRESS).write(self.run_directory, "engine")
        authority = self.run_directory / "ca.pem"
        authority.write_text(self._authority.certificate)
        return ["--tlsverify", f"--tlscacert={authority}", f"--tlscert={certificate}", f"--tlskey={key}"]

    def _join(self) -> None:
        ends = [f"--target={self._server.place.first}", "--net", "--"]
        veth = ["ip", "link", "add", "far0", "type", "veth", "peer", "name", "eth0", "netns"]
        subprocess.run(["nsenter", *ends, *veth, str(self.place.first)], check=True)
        for place, name, address in (
            (self._server.place, "far0", _SERVER),
            (self.place, "eth0", ADDRESS),
        ):
            place.sh('ip addr add "$1/24" dev "$2"; ip link set "$2" up', address, name)
        self.place.run(["ip", "route", "add", "10.99.0.0/24", "via", _SERVER])
        # Docker's FORWARD policy drops what is none of its own; a router between hosts lets it through.
        self._server.place.sh("iptables -P FORWARD ACCEPT")
