"""The standard nodes of the lab, each started as people really start them, and what is true of each.

Nine containers with nodes, one more with none, one node on the host itself and a cluster of three. Every
cookie is a random word that begins with ``SPYLAB-``, so that tests can look for leaks.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from support.lab import images, scripts
from support.lab.server import ADDRESS, DEPLOY, Server, wait_until

MARK = "SPYLAB-cookie-"


@dataclass(frozen=True)
class Truth:
    """What discovery has to find out about one node. ``container`` is empty for a node on the host."""

    node: str
    container: str
    source: str
    cookie: str = field(repr=False)
    image: str = "elixir:lab"
    networks: tuple[str, ...] = ("bridge",)
    runtime_tools: bool = True

    @property
    def short(self) -> str:
        """The part of the name that epmd knows."""
        return self.node.partition("@")[0]


class Fleet:
    """The nodes on a server, up and registered when the constructor returns."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.files = server.run_directory / "fleet"
        self.files.mkdir()
        self._secrets: dict[str, str] = {}
        for network, flags in _NETWORKS.items():
            server.docker("network", "create", *flags, network)
        self._run_all(self._containers())
        self._bare_log = self._start_bare()
        self.nodes = self._truths()
        self.wait(self._registrations(), 30)
        wait_until(self._mesh_complete, "the three nodes of the mesh see each other", 20)

    def __getitem__(self, name: str) -> Truth:
        """Return the truth about a node by its short name or container."""
        return next(truth for truth in self.nodes if name in (truth.short, truth.container, truth.node))

    @property
    def cookies(self) -> set[str]:
        """Every cookie of the fleet."""
        return set(self._secrets.values())

    @property
    def mesh(self) -> list[Truth]:
        """The three nodes of the cluster."""
        return [truth for truth in self.nodes if truth.short == "mesh"]

    def log(self, truth: Truth) -> str:
        """Return everything that a node wrote."""
        return self.server.container_log(truth.container) if truth.container else self._bare_log.read_text()

    def wait(self, registrations: Sequence[tuple[str, str]], seconds: float) -> None:
        """Wait until each (address, short name) is registered with the epmd there."""
        given = json.dumps([list(pair) for pair in registrations])
        done = self.server.place.run(
            ["python3", "-c", scripts.WAIT, given, str(seconds)], timeout=seconds + 10
        )
        missing = json.loads(done.stdout)
        if missing:
            raise TimeoutError(
                f"not registered within {seconds} s: {missing}\n{self.server.docker('ps', '-a')}"
            )

    def peers(self, truth: Truth, kind: str = "visible") -> list[str]:
        """Return ``nodes(kind)`` as the node itself sees it, asked from its own machine."""
        names = self.call(truth, f"erlang nodes [[{kind}]]").replace("'", "").strip("[]").split(", ")
        return sorted(name for name in names if name and not re.match(r"c\d+@", name))  # erl_call's own

    def call(self, truth: Truth, function: str) -> str:
        """Call a function (``module name [arguments]``) on a node, from its own machine; return the term."""
        long = "." in truth.node.partition("@")[2]
        address = ["-name", truth.node] if long else ["-sname", truth.short]
        asker = ["erl_call", "-c", truth.cookie, *address, "-a", function]
        if truth.container:
            return self.server.docker("exec", truth.container, *asker)
        return self.server.place.run([str(images.ERLANG / "bin" / asker[0]), *asker[1:]]).stdout.strip()

    def crowd(self, count: int) -> list[Truth]:
        """Start this many further containers with a node each; return the truth about them."""
        names = [f"crowd{number}" for number in range(1, count + 1)]
        self._run_all([self._elixir(name, f"{name}@{name}") for name in names])
        truths = [self._truth(f"{name}@{name}", name, "-setcookie") for name in names]
        self.wait([(self._address(name), name) for name in names], 60)
        return truths

    def remove(self, truths: Sequence[Truth]) -> None:
        """Remove containers that :meth:`crowd` started."""
        self.server.docker("rm", "-f", *(truth.container for truth in truths), timeout=60)

    def _cookie(self, name: str) -> str:
        return self._secrets.setdefault(name, MARK + name + "-" + secrets.token_hex(8))

    def _truth(self, node: str, container: str, source: str, **more: object) -> Truth:
        return Truth(node, container, source, self._cookie(container or "bare"), **more)  # type: ignore[arg-type]

    def _truths(self) -> list[Truth]:
        hello = f"hello@{self._address('hello')}"
        user_net, mesh_net = ("net_poc",), ("net_mesh",)
        return [
            self._truth("remotenode@127.0.0.2", "remotenode", "-setcookie"),
            self._truth("app@web-1", "web", ".erlang.cookie"),
            self._truth(hello, "hello", "vm.args"),
            self._truth("shop@shop.internal", "shop", "RELEASE_COOKIE", image="shop:lab"),
            Truth("one@pair", "pair", "-setcookie", self._cookie("one")),
            Truth("two@pair", "pair", "-setcookie", self._cookie("two")),
            self._truth("node1@node1", "node1", "-setcookie", networks=user_net),
            self._truth(f"hostnet@{ADDRESS}", "hostnet", "-setcookie", networks=("host",)),
            self._truth(f"bare@{self.server.place.hostname}", "", ".erlang.cookie", image="", networks=()),
            self._truth(
                "modern@172.30.9.9",
                "modern",
                "-setcookie",
                image="modern:lab",
                networks=("net_modern",),
                runtime_tools=False,
            ),
            *(
                Truth(f"mesh@m{n}", f"m{n}", "-setcookie", self._cookie("mesh"), networks=mesh_net)
                for n in (1, 2, 3)
            ),
        ]

    def _containers(self) -> list[list[str]]:
        kernel = "-kernel inet_dist_listen_min 19000 inet_dist_listen_max 19000"
        return [
            ["--name=plain", "plain:lab", "sleep", "1000000"],
            self._elixir("remotenode", "remotenode@127.0.0.2", "--erl", kernel),
            self._web(),
            self._hello(),
            self._shop(),
            self._pair(),
            self._elixir("node1", "node1@node1", flags=["--net=net_poc", "--net-alias=web"]),
            self._elixir("hostnet", f"hostnet@{ADDRESS}", flags=["--net=host"]),
            self._modern(),
            *(self._mesh(number) for number in (1, 2, 3)),
        ]

    def _elixir(self, name: str, node: str, *more: str, flags: Sequence[str] = ()) -> list[str]:
        kind, _, host = node.partition("@")
        named = ["--name", node] if "." in host else ["--sname", kind]
        hostname = [] if "--net=host" in flags else [f"--hostname={name}"]
        command = ["elixir", *named, "--cookie", self._cookie(name), *more, "--no-halt"]
        return [f"--name={name}", *hostname, *flags, "elixir:lab", *command]

    def _web(self) -> list[str]:
        cookie = self._file("web.cookie", self._cookie("web"), 0o400)
        mount = f"--volume={cookie}:/root/.erlang.cookie:ro"
        return [
            "--name=web",
            "--hostname=web-1",
            mount,
            "elixir:lab",
            "elixir",
            "--sname",
            "app",
            "--no-halt",
        ]

    def _hello(self) -> list[str]:
        root = self.files / "hello"
        self._file("hello/releases/0.1.0/vm.args", scripts.VM_ARGS.format(cookie=self._cookie("hello")))
        self._file("hello/bin/hello", scripts.HELLO, 0o755)
        variables = ["--env=REPLACE_OS_VARS=true", "--env=PORT=4000"]
        return [
            "--name=hello",
            *variables,
            f"--volume={root}:/opt/hello",
            "elixir:lab",
            "/opt/hello/bin/hello",
        ]

    def _shop(self) -> list[str]:
        variables = {
            "RELEASE_COOKIE": self._cookie("shop"),
            "RELEASE_NODE": "shop@shop.internal",
            "RELEASE_DISTRIBUTION": "name",
        }
        flags = [f"--env={name}={value}" for name, value in variables.items()]
        return ["--name=shop", "--hostname=shop.internal", *flags, "shop:lab", "/opt/shop/bin/shop", "start"]

    def _pair(self) -> list[str]:
        start = (
            'elixir --sname one --cookie "$0" --no-halt & elixir --sname two --cookie "$1" --no-halt & wait'
        )
        command = ["sh", "-c", start, self._cookie("one"), self._cookie("two")]
        return ["--name=pair", "--hostname=pair", "elixir:lab", *command]

    def _modern(self) -> list[str]:
        command = ["erl", "-noinput", "-name", "modern@172.30.9.9", "-setcookie", self._cookie("modern")]
        return ["--name=modern", "--net=net_modern", "--ip=172.30.9.9", "modern:lab", *command]

    def _mesh(self, number: int) -> list[str]:
        flags = [f"--name=m{number}", f"--hostname=m{number}", "--net=net_mesh"]
        command = [
            "elixir",
            "--sname",
            "mesh",
            "--cookie",
            self._cookie("mesh"),
            "-e",
            scripts.MEET,
            "--no-halt",
        ]
        return [*flags, "elixir:lab", *command]

    def _start_bare(self) -> Path:
        home = self.server.root / DEPLOY.home.lstrip("/")
        cookie = home / ".erlang.cookie"
        cookie.write_text(self._cookie("bare"))
        cookie.chmod(0o400)
        self.server.place.sh('chown "$1" "$2"', f"{DEPLOY.uid}:{DEPLOY.uid}", f"{DEPLOY.home}/.erlang.cookie")
        path = self.files / "bare.log"
        command = ["elixir", "--sname", "bare", "--no-halt"]
        with path.open("ab") as log:
            env = {"HOME": DEPLOY.home, "USER": DEPLOY.name}
            self.server.place.popen(
                command, user=DEPLOY.name, cwd=DEPLOY.home, env=env, stdout=log, stderr=log
            )
        return path

    def _run_all(self, containers: Sequence[list[str]]) -> None:
        with ThreadPoolExecutor(6) as pool:
            list(
                pool.map(lambda flags: self.server.docker("run", "--detach", *flags, timeout=60), containers)
            )

    def _registrations(self) -> list[tuple[str, str]]:
        return [(self._address(truth.container), truth.short) for truth in self.nodes]

    def _address(self, container: str) -> str:
        return (
            next(iter(self.server.addresses(container).values()), "127.0.0.1") if container else "127.0.0.1"
        )

    def _mesh_complete(self) -> bool:
        return all("mesh complete" in self.log(truth) for truth in self.mesh)

    def _file(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path


_NETWORKS: dict[str, tuple[str, ...]] = {
    "net_poc": (),
    "net_mesh": (),
    "net_modern": ("--subnet=172.30.9.0/24",),
}
