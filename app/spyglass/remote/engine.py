"""What a container engine tells of its containers, read with care.

Docker, Podman and nerdctl answer ``inspect`` with nearly the same JSON; what is missing or
of another type is left out, for a container may carry anything in its labels.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spyglass.remote.command_line import CommandLine, Engine
from spyglass.remote.shapes import identity, mapping, number, printable, sequence, text, texts

_NEEDED = re.compile(r"COOKIE|RELEASE_|NODE|^(ERL_EPMD_PORT|HOME)$")  # as survey.sh: the rest is none of ours
_RANCHER = "io.rancher.container.ip"  # with its mask: Rancher 1.x, "Labels"
_EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - not bound by us: read


@dataclass(frozen=True, slots=True)
class Network:
    """A network that a container is in, with its addresses there."""

    name: str
    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """A TCP port of the container and where the host publishes it."""

    port: int
    host: str
    host_port: int


@dataclass(frozen=True, slots=True)
class Facts:
    """One running container. ``mode``: its network mode (``bridge``, ``host``, ``container:ID`` …).

    ``engine`` is its engine's name, ``by`` how that told of it, which is how one gets in as well.
    """

    engine: str
    id: str
    name: str
    image: str = ""
    hostname: str = ""
    pid: int = 0
    mode: str = ""
    paused: bool = False
    networks: tuple[Network, ...] = ()
    published: tuple[Published, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    by: Engine | None = field(default=None, repr=False, compare=False)

    @property
    def way(self) -> Engine:
        """How one gets in."""
        return self.by or CommandLine(self.engine)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its addresses on all its networks, IPv4 before IPv6; that of Rancher's network, too."""
        found = dict.fromkeys(a for network in self.networks for a in network.addresses)
        if (managed := self.labels.get(_RANCHER, "").partition("/")[0]) and _plain(managed):
            found[managed] = None
        return tuple(sorted(found, key=lambda address: ":" in address))

    @property
    def shares_host(self) -> bool:
        """Whether it has the host's network (``--net=host``): rootless Docker means its own by that."""
        return self.mode == "host" and not (self.way.rootless and self.engine == "docker")

    @property
    def near(self) -> tuple[str, ...]:
        """Those of its addresses that its host reaches."""
        return () if self.way.rootless else self.addresses

    def called(self, name: str) -> bool:
        """Whether ``name`` means this container: its name, or the beginning of its id."""
        return name == self.name or (len(name) >= 4 and self.id.startswith(name.lower()))


def read_inspect(engine: str | Engine, lines: Iterable[str]) -> tuple[list[Facts], list[str]]:
    """The containers in ``inspect`` output with one JSON object a line, and what could not be read."""
    by = CommandLine(engine) if isinstance(engine, str) else engine
    found, warnings = [], []
    for line in filter(str.strip, lines):
        try:
            found.append(_facts(by, json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            warnings.append(
                f"{by.name} describes a container in a way that Spyglass cannot read; it is left out"
            )
    return found, warnings


def _facts(by: Engine, told: dict[str, Any]) -> Facts:
    """Accepts the short form of the survey and a whole ``inspect`` object."""
    config = mapping(told.get("Config"))
    settings = mapping(told.get("NetworkSettings"))
    its = identity(told["Id"])
    if not its:
        raise TypeError(told["Id"])
    name = text(told.get("Name")).lstrip("/") or its[:12]
    return Facts(
        engine=by.name,
        by=by,
        id=its,
        name=printable(name),
        image=printable(_image(told, config)),
        hostname=printable(text(told.get("Hostname", config.get("Hostname")))),
        pid=number(told.get("Pid", mapping(told.get("State")).get("Pid"))),
        mode=text(told.get("Mode", mapping(told.get("HostConfig")).get("NetworkMode"))),
        paused=told.get("Paused", mapping(told.get("State")).get("Paused")) is True,
        networks=_networks(mapping(told.get("Networks", settings.get("Networks")))),
        published=_published(mapping(told.get("Ports", settings.get("Ports"))), by.here),
        labels=texts(told.get("Labels", config.get("Labels"))),
        environ=_environ(told.get("Env", config.get("Env"))),
    )


def _image(told: dict[str, Any], config: dict[str, Any]) -> str:
    """A whole object of Docker and Podman has the image's id where nerdctl has its name."""
    named = text(told.get("Image"))
    return named if "Mode" in told else text(config.get("Image")) or named


def _networks(told: dict[str, Any]) -> tuple[Network, ...]:
    networks = []
    for name, about in told.items():
        ends = mapping(about)
        addresses = (text(ends.get("IPAddress")), text(ends.get("GlobalIPv6Address")))
        aliases = sequence(ends.get("Aliases"))
        networks.append(
            Network(
                printable(name),
                tuple(filter(_plain, addresses)),
                tuple(filter(text, aliases)),
            )
        )
    return tuple(networks)


def _published(told: dict[str, Any], local: str) -> tuple[Published, ...]:
    found: dict[tuple[int, int], Published] = {}
    for key, bindings in told.items():
        port, _, protocol = key.partition("/")
        for binding in sequence(bindings):
            host, host_port = text(mapping(binding).get("HostIp")), number(mapping(binding).get("HostPort"))
            if protocol in {"", "tcp"} and number(port) and host_port:
                here = local if host in _EVERYWHERE else host
                found.setdefault((number(port), host_port), Published(number(port), here, host_port))
    return tuple(found.values())


def _environ(told: object) -> dict[str, str]:
    words = filter(text, sequence(told))
    return dict(
        word.split("=", 1) for word in words if "=" in word and _NEEDED.search(word.partition("=")[0])
    )


def _plain(address: str) -> bool:
    return bool(address) and not address.strip("0123456789abcdefABCDEF.:")
