"""What a person saves: the way to a place, and what to observe there.

Plain frozen values; reading and writing them is the business of ``store.profiles``.
The order of ``hops`` is the order of travel: this machine, then each hop.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from spyglass import kubernetes, selector
from spyglass.errors import BadInput
from spyglass.kubernetes import KubernetesHop
from spyglass.selector import Selector, Text

__all__ = [
    "ContainerHop", "EngineHop", "Hop", "KubernetesHop", "Profile", "SSHHop", "Selector", "Target",
    "check", "parse_hop", "parse_target",
]  # fmt: skip

Port = Annotated[int, Meta(ge=0, le=65535)]
Engine = Literal["auto", "docker", "podman", "nerdctl"]
CookieSource = Literal["auto", "keyring", "ask"]
Lend = Literal["ask", "always", "never"]

_HOST = r"\[[0-9A-Fa-f:.%\w]+\]|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%\w+)?|[^@:\s/\[\]]+"
_TARGET = re.compile(  # the last @ ends the user, as in ssh: domain users have one in their name
    rf"^(?:(?P<user>[^\s/]+)@)?(?P<host>{_HOST})(?::(?P<port>[0-9]{{1,9}}))?(?:/(?P<container>[^\s/]+))?$"
)
_ENGINE = re.compile(  # a container's name may follow in a TARGET
    rf"^(?P<url>(?:tcp|https)://(?P<host>{_HOST}):(?P<port>[0-9]{{1,5}}))/?(?P<container>[^\s/]+)?$"
)


class SSHHop(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="ssh"
):
    """One SSH server. Empty fields are filled from ``~/.ssh/config`` when connecting."""

    host: Text
    user: Text = ""
    port: Port = 0
    identity: Text = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}" if self.user else host

    @property
    def label(self) -> str:
        """The hop as people write it: ``user@host:port`` with what is known."""
        return str(self) + (f":{self.port}" if self.port else "")


class ContainerHop(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="container",
):
    """One container of the engine that runs at the place reached so far."""

    name: Text
    engine: Engine = "auto"

    @property
    def label(self) -> str:
        """The container's name."""
        return self.name


class EngineHop(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="engine",
):
    """A container engine's API, seen from the place reached so far; ``url`` is tcp://HOST:PORT or https://….

    ``ca``, ``certificate`` and ``key`` name PEM files; one of them, or https, means TLS. ``plain``:
    the person agreed to go without, though whoever reaches such a port is root on its host.
    """

    url: Text
    ca: Text = ""
    certificate: Text = ""
    key: Text = ""
    plain: bool = False

    @property
    def label(self) -> str:
        """The address as people write it."""
        return self.url

    @property
    def tls(self) -> bool:
        """Whether TLS is spoken there."""
        return self.url.startswith("https:") or bool(self.ca or self.certificate or self.key)

    @property
    def host(self) -> str:
        """The host part of the address; empty if there is none."""
        found = _ENGINE.match(self.url)
        return found["host"].strip("[]") if found else ""

    @property
    def port(self) -> int:
        """The port of the address; 0 if there is none."""
        found = _ENGINE.match(self.url)
        return int(found["port"]) if found else 0


Hop = SSHHop | ContainerHop | EngineHop | KubernetesHop


class TLS(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """PEM files on this computer for nodes that speak TLS with each other; empty: none.

    ``ca`` signed what the nodes show (without it they are believed), ``certificate`` and ``key`` are
    what they are shown.
    """

    ca: Text = ""
    certificate: Text = ""
    key: Text = ""


class Observing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How Observer is opened in the window.

    ``together``: with all nodes of the profile in its Nodes menu. ``open``: by itself as soon as the
    profile is connected, where just one node fits or they are together. ``lend``: whether a node
    without runtime_tools is lent what Observer needs of them (in memory, taken back after).
    """

    open: bool = False
    together: bool = False
    lend: Lend = "ask"


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A saved connection. ``id`` never changes; ``name`` is unique and the user's to change.

    ``alias``: whether nodes also answer at addresses of their own on this computer: ``off``, ``auto``
    (the address in each node's own name), or one address. ``alias_everyone`` lets in every user of
    this computer there, not only the one who connects.
    """

    name: Text
    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")] = ""
    hops: tuple[Hop, ...] = ()
    select: Selector = Selector()
    tls: TLS = TLS()
    observer: Observing = Observing()
    group: Text = ""
    cookie: CookieSource = "auto"
    autoconnect: bool = False
    production: bool = False
    alias: Text = "off"
    alias_everyone: bool = False

    @property
    def route(self) -> str:
        """The way in one line: ``deploy@bastion › 10.0.0.7 › web``."""
        steps = [hop.label for hop in self.hops] or ["this computer"]
        if self.select.narrows:
            steps.append(self.select.label_text)
        return " › ".join(steps)


class Target(msgspec.Struct, frozen=True):
    """What the command line was asked to reach: a way, saved or not, and one node of it."""

    profile: Profile
    saved: bool = False
    node: str = ""


def check(profile: Profile) -> Profile:
    """Return the profile if its parts make sense together; raise :class:`BadInput` with the field."""
    if not profile.name.strip():
        raise BadInput("The profile has no name", "Give it one: the field `name`.")
    if any(ord(c) < 32 for c in profile.name):
        raise BadInput("The profile's name has control characters in it", "Remove them: the field `name`.")
    for position, hop in enumerate(profile.hops, 1):
        _check_hop(hop, position)
    _check_alias(profile.alias)
    if profile.tls.key and not profile.tls.certificate:
        raise BadInput("The profile has a TLS key without its certificate", "Name both: `tls.certificate`.")
    selector.check(profile.select)
    return profile


def _check_alias(alias: str) -> None:
    if alias in {"off", "auto"}:
        return
    from ipaddress import AddressValueError, IPv4Address  # noqa: PLC0415 - 2 ms, and few profiles have one

    try:
        IPv4Address(alias)
    except AddressValueError:
        raise BadInput(
            f"The address {alias!r} for own tools is not an IPv4 address",
            "Write `off`, `auto`, or an address such as 127.0.0.2: the field `alias`.",
        ) from None


def _check_hop(hop: Hop, position: int) -> None:
    if isinstance(hop, EngineHop):
        _check_engine(hop, position)
        return
    if isinstance(hop, KubernetesHop):
        kubernetes.check(hop, position)
        return
    text = hop.host if isinstance(hop, SSHHop) else hop.name
    field = "host" if isinstance(hop, SSHHop) else "name"
    where = f"the field `{field}` of hop {position}"
    if not text or any(c.isspace() for c in text):
        raise BadInput(f"Hop {position} has an empty {field}, or one with blanks in it", f"Correct {where}.")
    if not text.isprintable():
        raise BadInput(f"Hop {position} has invisible characters in its {field}", f"Correct {where}.")
    if text.startswith("-"):  # would be read as an option by ssh -G or the engine's command line
        raise BadInput(f"Hop {position}: {text!r} begins with a hyphen", f"Correct {where}.")
    if isinstance(hop, SSHHop):
        _check_user(hop.user, position)


def _check_user(user: str, position: int) -> None:
    hint = f"Correct the field `user` of hop {position}."
    if user.startswith("-"):
        raise BadInput(f"Hop {position}: the user {user!r} begins with a hyphen", hint)
    if not user.isprintable():
        raise BadInput(f"Hop {position} has invisible characters in its user", hint)


def _check_engine(hop: EngineHop, position: int) -> None:
    found = _ENGINE.match(hop.url)
    if not found or found["container"] or not 1 <= hop.port <= 65535:
        raise BadInput(
            f"Hop {position}: {hop.url!r} is not the address of an engine's API",
            f"Write it as tcp://host:port: the field `url` of hop {position}.",
        )
    if hop.key and not hop.certificate:
        raise BadInput(
            f"Hop {position} has a key but no certificate",
            f"Name both: the fields `certificate` and `key` of hop {position}.",
        )


def parse_hop(text: str) -> SSHHop:
    """Read ``[user@]host[:port]``; raise :class:`BadInput` for anything else."""
    found = _TARGET.match(text.strip())
    if not found or found["container"]:
        raise BadInput(f"{text!r} is not a host", "Write it as host, user@host or user@host:port.")
    return _hop(found.groupdict())


def parse_target(text: str, saved: Mapping[str, Profile]) -> Target:
    """Read a TARGET: a saved profile's name, ``local``, ``[user@]host[:port][/container]``,
    or an engine's API, ``tcp://host:port[/container]``."""
    if text in saved:
        return Target(saved[text], saved=True)
    if text == "local":
        return Target(Profile(name="local"))
    if api := _ENGINE.match(text.strip()):
        hop, inside = EngineHop(api["url"]), Selector(container=api["container"] or "")
        return Target(check(Profile(name=text.strip(), hops=(hop,), select=inside)))
    found = _TARGET.match(text.strip())
    if not found:
        raise BadInput(
            f"{text!r} is neither a saved profile nor a host",
            "Write a profile's name (see `spyglass profiles list`), user@host, tcp://host:port, or `local`.",
        )
    select = Selector(container=found["container"] or "")
    return Target(check(Profile(name=text.strip(), hops=(_hop(found.groupdict()),), select=select)))


def _hop(parts: Mapping[str, str | None]) -> SSHHop:
    port = int(parts["port"]) if parts["port"] else 0
    if parts["port"] and not 1 <= port <= 65535:
        raise BadInput(f"{port} is not a port", "Ports go from 1 to 65535.")
    hop = SSHHop(host=(parts["host"] or "").strip("[]"), user=parts["user"] or "", port=port)
    _check_hop(hop, 1)
    return hop
