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
    config = _dict(told.get("Config"))
    settings = _dict(told.get("NetworkSettings"))
    identity = told["Id"]
    if not isinstance(identity, str) or not identity or identity.strip("0123456789abcdef"):
        raise TypeError(identity)
    name = _text(told.get("Name")).lstrip("/") or identity[:12]
    return Facts(
        engine=by.name,
        by=by,
        id=identity,
        name=_printable(name),
        image=_printable(_image(told, config)),
        hostname=_printable(_text(told.get("Hostname", config.get("Hostname")))),
        pid=_number(told.get("Pid", _dict(told.get("State")).get("Pid"))),
        mode=_text(told.get("Mode", _dict(told.get("HostConfig")).get("NetworkMode"))),
        paused=told.get("Paused", _dict(told.get("State")).get("Paused")) is True,
        networks=_networks(_dict(told.get("Networks", settings.get("Networks")))),
        published=_published(_dict(told.get("Ports", settings.get("Ports"))), by.here),
        labels=_texts(told.get("Labels", config.get("Labels"))),
        environ=_environ(told.get("Env", config.get("Env"))),
    )


def _image(told: dict[str, Any], config: dict[str, Any]) -> str:
    """A whole object of Docker and Podman has the image's id where nerdctl has its name."""
    named = _text(told.get("Image"))
    return named if "Mode" in told else _text(config.get("Image")) or named


def _networks(told: dict[str, Any]) -> tuple[Network, ...]:
    networks = []
    for name, about in told.items():
        ends = _dict(about)
        addresses = (_text(ends.get("IPAddress")), _text(ends.get("GlobalIPv6Address")))
        aliases = ends.get("Aliases") if isinstance(ends.get("Aliases"), list) else []
        networks.append(
            Network(
                _printable(name),
                tuple(filter(_plain, addresses)),
                tuple(a for a in aliases or [] if _text(a)),
            )
        )
    return tuple(networks)


def _published(told: dict[str, Any], local: str) -> tuple[Published, ...]:
    found: dict[tuple[int, int], Published] = {}
    for key, bindings in told.items():
        port, _, protocol = key.partition("/")
        for binding in bindings if isinstance(bindings, list) else ():
            host, host_port = _text(_dict(binding).get("HostIp")), _number(_dict(binding).get("HostPort"))
            if protocol in {"", "tcp"} and _number(port) and host_port:
                here = local if host in _EVERYWHERE else host
                found.setdefault((_number(port), host_port), Published(_number(port), here, host_port))
    return tuple(found.values())


def _environ(told: object) -> dict[str, str]:
    words = (word for word in told if isinstance(word, str)) if isinstance(told, list) else ()
    return dict(
        word.split("=", 1) for word in words if "=" in word and _NEEDED.search(word.partition("=")[0])
    )


def _texts(told: object) -> dict[str, str]:
    return (
        {k: v for k, v in told.items() if isinstance(k, str) and isinstance(v, str)}
        if isinstance(told, dict)
        else {}
    )


def _dict(told: object) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}


def _text(told: object) -> str:
    return told if isinstance(told, str) else ""


def _number(told: object) -> int:
    text = str(told)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _plain(address: str) -> bool:
    return bool(address) and not address.strip("0123456789abcdefABCDEF.:")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)[:255]
